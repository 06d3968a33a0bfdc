//! An asynchronous program: requests several instances at once, each call on a thread for blocking
//! work.
//!
//!     cargo run -p slap-client --example embed-async -- http://127.0.0.1:5000/ SOFTWARE_URL NAME…

use std::env;
use std::error::Error;

use slap_client::{ClientError, Connection, InstanceRequest, SoftwareInstance};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [master, software, names @ ..] = arguments.as_slice() else {
        return Err("usage: embed-async MASTER_URL SOFTWARE_URL NAME…".into());
    };
    let slap = Connection::to(master)?.open()?;
    let mut calls = JoinSet::new();
    for name in names {
        let order = slap.register_open_order();
        let request = InstanceRequest::new(software, name);
        let name = name.clone();
        calls.spawn_blocking(move || (name, order.request(&request)));
    }
    while let Some(call) = calls.join_next().await {
        let (name, answer) = call?;
        println!("{name}: {}", told(answer));
    }
    Ok(())
}

/// What became of a request.
fn told(answer: Result<SoftwareInstance, ClientError>) -> String {
    match answer {
        Ok(instance) => {
            let (computer, partition) = (instance.computer_id, instance.partition_id);
            let (computer, partition) =
                (computer.unwrap_or_default(), partition.unwrap_or_default());
            format!("{computer} {partition}")
        }
        Err(ClientError::ResourceNotReady { .. }) => "is being prepared".to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}
