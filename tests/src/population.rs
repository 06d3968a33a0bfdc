//! What a master may come to know: computers, releases, instances and slaves, asked for and
//! reported through the client as users and nodes do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slap_client::proto::documents::{
    Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration, SoftwareState,
};
use slap_client::{ComputerPartition, InstanceRequest, Slap};

use crate::{COMPUTER, poll};

/// How long the clock may take to pass changes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A release that is installed.
pub const INSTALLED: &str =
    "https://lab.example.org/nexedi/slapos/raw/1.0.382/software/kvm/software.cfg";
/// A release that cannot be installed.
pub const FAILING: &str =
    "https://lab.example.org/nexedi/slapos/raw/1.0.382/software/rapid-cdn/software.cfg";
/// A release that is being installed.
pub const BUILDING: &str =
    "https://lab.example.org/nexedi/slapos/raw/1.0.382/software/slapos-master/software.cfg";

/// A computer describes itself: its partitions have an address of each family.
pub fn describe(slap: &Slap, computer: &str, partitions: usize) {
    let partition = |number: usize| PartitionConfiguration {
        reference: format!("slappart{number}"),
        tap: Some(format!("slaptap{number}")),
        address_list: [
            format!("10.0.{}.{}", number / 250, number % 250),
            format!("2001:db8:42:{number:x}::1"),
        ]
        .map(|addr| PartitionAddress {
            addr,
            netmask: Some("255.255.255.255".to_owned()),
        })
        .into(),
        ..PartitionConfiguration::default()
    };
    let configuration = ComputerConfiguration {
        reference: computer.to_owned(),
        address: Some("10.0.0.1".to_owned()),
        netmask: Some("255.255.255.255".to_owned()),
        partition_list: (0..partitions).map(partition).collect(),
        ..ComputerConfiguration::default()
    };
    slap.register_computer(computer)
        .configure(&configuration)
        .expect("the master takes a computer");
}

/// Three partitions: one instance that runs and has slaves, one that fails, and a free one.
pub fn three(slap: &Slap) {
    describe(slap, COMPUTER, 3);
    releases(slap);
    office(slap);
    let order = slap.register_open_order();
    order
        .request(&InstanceRequest::new(FAILING, "<script>alert(1)</script>"))
        .expect("the second partition is free");
    partition(slap, 1)
        .error(
            "Traceback (most recent call last):\n  File \"/opt/slapgrid/x.py\", line 3\n\
             While:\n  Installing.\n  Getting section frontend.\n\
             Error: The option 'domain' of section 'frontend' is wrong: <b>example</b>",
            None,
        )
        .expect("the master takes reports");
}

/// 300 partitions: the instances of [`three`], 29 clusters of nine, and free ones.
pub fn three_hundred(slap: &Slap) {
    three(slap);
    describe(slap, COMPUTER, 300);
    describe(slap, "COMP-2", 40);
    for number in 2..263 {
        cluster_member(slap, number, 2 + (number - 2) / 9 * 9);
    }
    slap.register_computer(COMPUTER)
        .report_usage("<journal/>")
        .expect("the master takes usage reports");
}

/// An instance of a cluster, its root first, and what its node says of it.
fn cluster_member(slap: &Slap, number: usize, root: usize) {
    let release = [INSTALLED, FAILING, BUILDING][root / 9 % 3];
    let requested = if number == root {
        let name = format!("cluster {:03}", root / 9 + 1);
        slap.register_open_order()
            .request(&InstanceRequest::new(release, name))
    } else {
        let request = InstanceRequest::new(release, format!("node-{}", number - root));
        partition(slap, root).request(&request.software_type("node"))
    };
    requested.expect("a partition is free");
    let this = partition(slap, number);
    let url = format!("http://10.0.{}.{}:8000/", number / 250, number % 250);
    this.set_connection_dict(&texts(&[("url", &url)]), None)
        .expect("the master takes parameters");
    let reported = match number {
        number if number % 41 == 0 => this.error(
            &format!("Promise check-url of slappart{number} failed: got 503\ntried 5 times"),
            None,
        ),
        number if number % 29 == 0 => this.building(),
        number if number % 17 == 0 => Ok(()),
        _ => this.started(),
    };
    reported.expect("the master takes reports");
}

fn releases(slap: &Slap) {
    let supply = slap.register_supply();
    for url in [INSTALLED, FAILING, BUILDING] {
        let supplied = supply.supply(url, COMPUTER, SoftwareState::Available);
        supplied.expect("the master takes releases");
    }
    let release = |url| slap.register_software_release(url, COMPUTER);
    let log = "Installing openssl.\nInstalling haproxy.\n\
         haproxy: Command failed with exit code 2: '/opt/slapgrid/4f2/parts/gcc/bin/make'\n\
         While:\n  Installing haproxy.\nError: System error";
    release(INSTALLED)
        .available()
        .and_then(|()| release(BUILDING).building())
        .and_then(|()| release(FAILING).error(log))
        .expect("the master takes reports");
}

/// The instance that runs, with parameters of every kind, and its slaves.
fn office(slap: &Slap) {
    let machine = "{\"ram-size\": 4096, \"disk\": [{\"size\": 20}], \"cpu-count\": 2}";
    let request = InstanceRequest::new(INSTALLED, "gateway of the office")
        .software_type("kvm-cluster")
        .parameter("_", machine)
        .parameter("comment", "Grüße & <Küsse>");
    let order = slap.register_open_order();
    order
        .request(&request)
        .expect("the first partition is free");
    slaves(slap);
    let host = partition(slap, 0);
    let site = texts(&[("site_url", "https://shop.example.org/")]);
    host.set_connection_dict(&published(), None)
        .and_then(|()| host.set_connection_dict(&site, Some("_shop")))
        .expect("the master takes parameters");
    poll::until("the clock has passed the changes", PATIENCE, || {
        changed(&host) <= SystemTime::now()
    });
    host.started().expect("the master takes reports");
}

fn slaves(slap: &Slap) {
    let order = slap.register_open_order();
    let long = "a-rather-long-name-that-must-be-wrapped-in-a-narrow-window";
    for name in ["shop", "blog", long] {
        let mut slave = InstanceRequest::new(INSTALLED, name).software_type("kvm-cluster");
        slave.shared = true;
        let slave = slave.parameter("custom_domain", format!("{name}.example.org"));
        order
            .request(&slave)
            .expect("the first instance hosts slaves");
    }
}

/// Connection parameters of every kind.
fn published() -> Attributes {
    let key = format!(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{} gateway",
        "k3J9".repeat(24)
    );
    let json = "{\"backend-url\": \"https://[2001:db8::1]:10000/\", \"password\": \"jw8kLm2x\"}";
    texts(&[
        (
            "url",
            "https://[2001:db8:42::1]:8080/?token=9f3c1d7b52e44a0f8e6d",
        ),
        ("_", json),
        ("ssh-key", &key),
        ("evil", "javascript:alert(1)"),
        ("empty", ""),
    ])
}

/// When an instance was changed last; a little in the future after many changes at once.
fn changed(partition: &ComputerPartition) -> SystemTime {
    let fetched = partition.fetch().expect("the master knows the partition");
    let seconds = fetched.parameter_dict["timestamp"].to_text();
    let seconds: f64 = seconds.parse().expect("a timestamp is a number");
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

/// A partition of the first computer.
pub fn partition(slap: &Slap, number: usize) -> ComputerPartition {
    slap.register_computer_partition(COMPUTER, format!("slappart{number}"))
}

fn texts(pairs: &[(&str, &str)]) -> Attributes {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).into()))
        .collect()
}
