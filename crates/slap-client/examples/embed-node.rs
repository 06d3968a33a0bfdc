//! A tiny node: one pass over what the master wants of a computer, whose releases and instances
//! are lines of text here.
//!
//!     cargo run -p slap-client --example embed-node -- http://127.0.0.1:5000/ COMPUTER_ID

use std::env;
use std::error::Error;

use slap_client::proto::documents::{ComputerPartition, SoftwareRelease};
use slap_client::{ClientError, Connection, Destruction, InstanceState, Slap, SoftwareState};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [master, computer] = arguments.as_slice() else {
        return Err("usage: embed-node MASTER_URL COMPUTER_ID".into());
    };
    let slap = Connection::to(master)?.open()?;
    let wanted = slap.register_computer(computer).full_information()?;
    for release in &wanted.software_release_list {
        install(&slap, computer, release)?;
    }
    for partition in &wanted.computer_partition_list {
        if !partition.is_free() {
            process(&slap, partition)?;
        }
    }
    Ok(())
}

fn install(slap: &Slap, computer: &str, release: &SoftwareRelease) -> Result<(), ClientError> {
    let Some(url) = &release.url else {
        return Ok(());
    };
    let handle = slap.register_software_release(url, computer);
    match release.requested_state {
        SoftwareState::Available => {
            handle.building()?;
            println!("building {url}");
            handle.available()
        }
        SoftwareState::Destroyed => {
            println!("removing {url}");
            handle.destroyed()
        }
    }
}

fn process(slap: &Slap, partition: &ComputerPartition) -> Result<(), Box<dyn Error>> {
    let id = &partition.partition_id;
    let handle = slap.register_computer_partition(&partition.computer_id, id);
    let state = partition.requested_state.as_deref().unwrap_or("started");
    let state: InstanceState = match state.parse() {
        Ok(state) => state,
        // One instance that makes no sense stops no other.
        Err(error) => return Ok(handle.error(&format!("{error}"), None)?),
    };
    println!("{id}: {state}");
    match state {
        InstanceState::Started => handle.started()?,
        InstanceState::Stopped => handle.stopped()?,
        InstanceState::Destroyed => match handle.destroyed()? {
            Destruction::Done => println!("{id} is free"),
            Destruction::Delayed(reason) => println!("{id} is kept: {reason}"),
        },
    }
    Ok(())
}
