//! A user: requests an instance and waits until it has published something.
//!
//!     cargo run -p slap-client --example embed-request -- http://127.0.0.1:5000/ SOFTWARE_URL NAME

use std::env;
use std::error::Error;
use std::thread::sleep;
use std::time::{Duration, Instant};

use slap_client::{ClientError, Connection, InstanceRequest, SoftwareInstance};

/// How long a node may take to build and start an instance.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [master, software, name] = arguments.as_slice() else {
        return Err("usage: embed-request MASTER_URL SOFTWARE_URL NAME".into());
    };
    let slap = Connection::to(master)?.open()?;
    let order = slap.register_open_order();
    let request = InstanceRequest::new(software, name).parameter("name", "World");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // To ask again is to request again: a request that says the same changes nothing.
        if let Some(instance) = published(order.request(&request))? {
            for (name, value) in &instance.connection_dict {
                println!("{name} = {}", value.to_text());
            }
            return Ok(());
        }
        sleep(PAUSE);
    }
    Err(format!("{name} has published nothing in {} s", PATIENCE.as_secs()).into())
}

/// The instance, if it has published something; nothing if it is worth while to wait.
fn published(
    answer: Result<SoftwareInstance, ClientError>,
) -> Result<Option<SoftwareInstance>, ClientError> {
    match answer {
        Ok(instance) if instance.connection_dict.is_empty() => Ok(None),
        Ok(instance) => Ok(Some(instance)),
        Err(ClientError::ResourceNotReady { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
