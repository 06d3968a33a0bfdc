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
        calls.spawn_blocking(move || order.request(&request));
    }
    while let Some(answer) = calls.join_next().await {
        tell(answer?)?;
    }
    Ok(())
}

fn tell(answer: Result<SoftwareInstance, ClientError>) -> Result<(), ClientError> {
    let instance = answer?;
    let (computer, partition) = (instance.computer_id, instance.partition_id);
    println!(
        "{} {}",
        computer.unwrap_or_default(),
        partition.unwrap_or_default()
    );
    Ok(())
}
