//! An instance: reads its parameters and publishes how it is reached. A buildout profile calls it
//! with the values of its section `[slap-connection]`.
//!
//!     cargo run -p slap-client --example embed-publish -- http://127.0.0.1:5000/ COMPUTER_ID PARTITION_ID

use std::env;
use std::error::Error;

use slap_client::{Attributes, Connection, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [master, computer, partition] = arguments.as_slice() else {
        return Err("usage: embed-publish MASTER_URL COMPUTER_ID PARTITION_ID".into());
    };
    // Where the master wants certificates, the partition's: .client_certificate(…).
    let slap = Connection::to(master)?.open()?;
    let partition = slap.register_computer_partition(computer, partition);
    let parameters = partition.fetch()?.parameter_dict;
    let name = parameters
        .get("name")
        .map_or("nobody".into(), Value::to_text);
    let published: Attributes = [
        ("greeting".to_owned(), format!("Hello, {name}!").into()),
        ("port".to_owned(), 8080.into()),
    ]
    .into();
    partition.set_connection_dict(&published, None)?;
    Ok(())
}
