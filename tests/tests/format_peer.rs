//! slapformat beside the peer's `slapos node format`: the same machine, the same result; and each
//! goes on where the other left off.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use slap_proto::documents::ComputerConfiguration;
use slap_proto::marshal::Value;
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{BRIDGE_ADDRESS, Machine, Namespace, Outcome, Side};

const PARTITIONS: usize = 2;

/// One side's machine in its namespace.
struct Place {
    namespace: Namespace,
    machine: Machine,
}

impl Place {
    fn run(&self, side: Side) -> Outcome {
        Outcome::of(&mut self.machine.command(&self.namespace, side)).expect(2)
    }

    /// The network, without what is chosen at random or differs between machines.
    fn network(&self) -> Vec<String> {
        let state = self.namespace.state();
        let lines = state.lines().map(|line| {
            let words = line.split_whitespace().map(plain_address);
            let line = words.collect::<Vec<_>>().join(" ");
            match line.split_once(" user ") {
                Some((tap, uid)) => format!("{tap} user {}", self.user_name(uid)),
                // The kernel numbers interfaces in the order in which they are made.
                None => line
                    .split_once(": ")
                    .map_or(line.clone(), |(_, rest)| rest.to_owned()),
            }
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    }

    fn user_name(&self, uid: &str) -> String {
        let user = User::from_uid(Uid::from_raw(uid.trim().parse().unwrap())).unwrap();
        self.machine.anonymous(&user.unwrap().name)
    }

    /// Users with their groups, homes and shells, and whether they can log in.
    fn users(&self) -> Vec<String> {
        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        let software = Group::from_name(&self.machine.software_user())
            .unwrap()
            .unwrap();
        let names = (0..PARTITIONS).map(|number| self.machine.user(number));
        let users = names.chain([self.machine.software_user()]).map(|name| {
            let user = User::from_name(&name).unwrap().unwrap();
            let group = Group::from_gid(user.gid).unwrap().unwrap().name;
            let locked = shadow.contains(&format!("\n{name}:!"));
            let member = software.mem.contains(&name);
            let (home, shell) = (user.dir.display(), user.shell.display());
            let text = format!("{name} {group} {home} {shell} locked {locked} member {member}");
            self.machine.anonymous(&text)
        });
        users.collect()
    }

    /// Directories and files with owners and modes.
    fn files(&self) -> Vec<String> {
        let mut paths = vec![
            PathBuf::from("software"),
            "instance".into(),
            "computer.xml".into(),
        ];
        for number in 0..PARTITIONS {
            let partition = Path::new("instance").join(format!("slappart{number}"));
            paths.push(partition.join(".slapos-resource"));
            paths.push(partition);
        }
        let described = paths.iter().map(|path| {
            let metadata = self.machine.path().join(path).metadata().unwrap();
            let owner = User::from_uid(Uid::from_raw(metadata.uid()))
                .unwrap()
                .unwrap()
                .name;
            let group = Group::from_gid(Gid::from_raw(metadata.gid()))
                .unwrap()
                .unwrap()
                .name;
            let mode = metadata.mode() & 0o7777;
            let text = format!("{} {mode:o} {owner} {group}", path.display());
            self.machine.anonymous(&text)
        });
        described.collect()
    }

    fn document(&self) -> ComputerConfiguration {
        ComputerConfiguration::from_document(self.machine.document().as_bytes()).unwrap()
    }

    /// The document without random addresses, and without what only the peer says of itself.
    fn plain_document(&self) -> String {
        let mut document = self.document();
        for key in ["python_version", "slapos_version", "os_type"] {
            document.extra.remove(key);
        }
        for partition in &mut document.partition_list {
            for address in &mut partition.address_list {
                address.addr = plain_address(&address.addr);
            }
        }
        self.machine.anonymous(&format!("{document:#?}"))
    }

    fn os_type(&self) -> Vec<String> {
        let document = self.document();
        let text = document
            .extra
            .get("os_type")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned();
        serde_json::from_str(&text).unwrap()
    }
}

/// A random address of the partitions' IPv4 network, or anything else as it is.
fn plain_address(word: &str) -> String {
    match word.strip_prefix("10.77.") {
        Some(rest) => format!(
            "10.77.X{}",
            rest.find('/').map_or("", |slash| &rest[slash..])
        ),
        None => word.to_owned(),
    }
}

#[test]
fn both_make_the_same_of_a_machine_and_go_on_with_that_of_the_other() {
    let more = "tap_ipv6 = True\ncreate_tun = True\ntap_gateway_interface = br0";
    let machine = Machine::new(PARTITIONS, more);
    let other = machine.beside(more);
    let place = |machine| Place {
        namespace: Namespace::bridged(BRIDGE_ADDRESS),
        machine,
    };
    let (ours, theirs) = (place(machine), place(other));
    std::thread::scope(|scope| {
        scope.spawn(|| theirs.run(Peer));
        ours.run(Ours);
    });
    assert_eq!(ours.network(), theirs.network());
    assert_eq!(ours.users(), theirs.users());
    assert_eq!(ours.files(), theirs.files());
    assert_eq!(ours.plain_document(), theirs.plain_document());
    let (ours_type, their_type) = (ours.os_type(), theirs.os_type());
    assert_eq!(ours_type[1..], their_type[1..]);
    assert!(their_type[0].starts_with(&ours_type[0]), "{their_type:?}");

    // Ours on the peer's machine: there is nothing to do.
    let (state, document) = (theirs.namespace.state(), theirs.machine.document());
    theirs.machine.expect_nothing_to_do(&theirs.namespace);
    assert_eq!(theirs.machine.document(), document);
    assert_eq!(theirs.namespace.state(), state);
    // The peer on ours: every address stays.
    let (state, before) = (ours.namespace.state(), ours.plain_document());
    let addresses = ours.machine.partition_addresses();
    ours.run(Peer);
    assert_eq!(ours.machine.partition_addresses(), addresses);
    assert_eq!(ours.plain_document(), before);
    assert_eq!(ours.namespace.state(), state);
    ours.machine.expect_nothing_to_do(&ours.namespace);
}

/// What slapos.core 0.27 writes of a computer of one partition.
fn document_of_0_27(machine: &Machine) -> String {
    let (here, user, software) = (
        machine.path().display(),
        machine.user(0),
        machine.software_user(),
    );
    format!(
        "<marshal><dictionary id=\"i2\"><string>address</string><string>2001:db8:1::1</string>\
         <string>instance_root</string><string>{here}/instance</string>\
         <string>ipv6_interface</string><none/>\
         <string>netmask</string><string>ffff:ffff:ffff:ffff::</string>\
         <string>partition_list</string><list id=\"i3\"><dictionary id=\"i4\">\
         <string>address_list</string><list id=\"i5\">\
         <dictionary id=\"i6\"><string>addr</string><string>10.77.5.6</string>\
         <string>netmask</string><string>255.255.255.255</string></dictionary>\
         <dictionary id=\"i7\"><string>addr</string><string>2001:db8:1::beef</string>\
         <string>netmask</string><string>ffff:ffff:ffff:ffff::</string></dictionary></list>\
         <string>path</string><string>{here}/instance/slappart0</string>\
         <string>reference</string><string>slappart0</string>\
         <string>tap</string><dictionary id=\"i8\"><string>name</string><string>slaptap0</string></dictionary>\
         <string>user</string><dictionary id=\"i9\"><string>additional_group_list</string>\
         <list id=\"i10\"><string>{software}</string></list><string>name</string><string>{user}</string>\
         <string>path</string><string>{here}/instance/slappart0</string></dictionary></dictionary></list>\
         <string>reference</string><string>COMP-1</string>\
         <string>software_root</string><string>{here}/software</string>\
         <string>software_user</string><string>{software}</string></dictionary></marshal>"
    )
}

#[test]
fn addresses_that_version_0_27_wrote_down_are_kept_and_its_taps_stay_in_the_bridge() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "");
    fs::write(machine.computer_xml(), document_of_0_27(&machine)).unwrap();
    machine.prepare(&namespace);
    assert_eq!(
        machine.partition_addresses(),
        [["10.77.5.6", "2001:db8:1::beef"]]
    );
    let present = namespace.addresses("br0");
    assert!(
        present.contains(&"2001:db8:1::beef/64".to_owned()),
        "{present:?}"
    );
    let tap = namespace.ip("-o link show slaptap0");
    assert!(tap.contains("master br0"), "{tap}");
    machine.expect_nothing_to_do(&namespace);
}
