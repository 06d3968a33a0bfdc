//! The network cache of both masters, used by the real client, slapos.libnetworkcache.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use slapos_tests::{Node, Outcome, Side, places};

/// A node whose master serves the network cache, and a client's key.
struct CacheNode {
    node: Node,
}

impl CacheNode {
    fn new() -> Self {
        let node = Node::new();
        let here = node.path().display().to_string();
        let settings = fs::read_to_string(node.configuration()).unwrap();
        // Its last section is slapproxy. The peer's server does not take these keys with hyphens.
        node.write(
            "slapos.cfg",
            &format!(
                "{settings}shacache_content_directory = {here}/content\n\
                 shacache_metadata_directory = {here}/metadata\n\
                 shacache_signing_key_path = {here}/signer.key\n"
            ),
        );
        for name in ["content", "metadata"] {
            fs::create_dir(node.path().join(name)).unwrap();
        }
        Self { node }
    }

    /// Configuration of a client that signs with the key of this name and trusts its own.
    fn client(&self, signer: &str) -> PathBuf {
        let here = self.node.path();
        let (key, certificate) = (
            here.join(format!("{signer}.key")),
            here.join(format!("{signer}.crt")),
        );
        let mut openssl = Command::new("openssl");
        openssl
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            ])
            .args(["-subj", &format!("/CN={signer}"), "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate);
        Outcome::of(&mut openssl).expect(0);
        let url = format!("{}shacache", self.node.master_url());
        let certificate = fs::read_to_string(certificate)
            .unwrap()
            .replace('\n', "\n  ");
        let name = format!("{signer}.cfg");
        self.node.write(
            &name,
            &format!(
                "[networkcache]\nupload-cache-url = {url}/cache\nupload-dir-url = {url}/dir\n\
                 download-cache-url = {url}/cache\ndownload-dir-url = {url}/dir\n\
                 signature-private-key-file = {}\nsignature-certificate-list =\n  {certificate}\n",
                key.display()
            ),
        );
        here.join(name)
    }

    fn run(&self, program: &str, client: &PathBuf, arguments: &[&str]) -> Outcome {
        let mut command = self.node.command(&places::peer_program(program));
        command.arg("--config").arg(client).args(arguments);
        Outcome::of(&mut command)
    }

    fn upload(&self, client: &PathBuf, content: &str, machine: &str) {
        self.node.write("file", content);
        let machine = format!("machine={machine}");
        let arguments = ["--key", "file:one", "--file", "file", &machine];
        self.run("networkcache-upload", client, &arguments)
            .expect(0);
    }

    fn download(&self, client: &PathBuf) -> String {
        let arguments = ["--key", "file:one"];
        self.run("networkcache-download", client, &arguments)
            .expect(0)
            .stdout
    }

    /// The machines of the entries that the client trusts.
    fn machines(&self, client: &PathBuf) -> Value {
        let arguments = ["--list", "--key", "file:one"];
        let listed = self.run("networkcache-download", client, &arguments);
        if listed.stderr.contains("No result found") {
            return json!([]);
        }
        let list: Vec<Value> = serde_json::from_str(&listed.expect(0).stdout).unwrap();
        let machines = list.into_iter().map(|entry| entry["machine"].clone());
        machines.collect()
    }
}

#[test]
fn the_client_gets_what_it_uploaded_from_either_server() {
    for side in [Side::Ours, Side::Peer] {
        let mut cache = CacheNode::new();
        cache.node.start_master(side);
        let client = cache.client("signer");
        let missing = cache.run("networkcache-download", &client, &["--key", "file:none"]);
        assert!(
            missing.text().contains("HTTP Error 404"),
            "{side:?}: {}",
            missing.text()
        );
        let content = "line\n".repeat(50_000);
        cache.upload(&client, &content, "x86_64");
        assert_eq!(cache.machines(&client), json!(["x86_64"]), "{side:?}");
        assert_eq!(cache.download(&client), content, "{side:?}");
        let stranger = cache.client("stranger");
        assert_eq!(cache.machines(&stranger), json!([]), "{side:?}");
    }
}

#[test]
fn entries_of_two_machines_stand_side_by_side_where_the_peer_keeps_the_last() {
    for (side, expected) in [
        (Side::Ours, json!(["aarch64", "x86_64"])),
        (Side::Peer, json!(["aarch64"])),
    ] {
        let mut cache = CacheNode::new();
        cache.node.start_master(side);
        let client = cache.client("signer");
        cache.upload(&client, "for x86_64", "x86_64");
        cache.upload(&client, "for aarch64", "aarch64");
        assert_eq!(cache.machines(&client), expected, "{side:?}");
        assert_eq!(cache.download(&client), "for aarch64", "{side:?}");
    }
}

#[test]
fn either_server_takes_over_the_directories_of_the_other() {
    for (first, second) in [(Side::Ours, Side::Peer), (Side::Peer, Side::Ours)] {
        let mut cache = CacheNode::new();
        cache.node.start_master(first);
        let client = cache.client("signer");
        cache.upload(&client, "kept", "x86_64");
        cache.node.stop_master();
        cache.node.start_master(second);
        assert_eq!(cache.machines(&client), json!(["x86_64"]), "{second:?}");
        assert_eq!(cache.download(&client), "kept", "{second:?}");
        cache.node.stop_master();
    }
}
