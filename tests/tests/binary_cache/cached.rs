//! A node with a release, and a server of the cache.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use slap_proto::documents::SoftwareState;
use slapos_tests::{Node, Outcome, ScriptedMaster, Side};

pub(crate) const URL: &str = "http://releases.invalid/one/software.cfg";
pub(crate) const BUILD: &str = "echo '[buildout]' > instance.cfg; mkdir -p parts/deep; echo text > parts/deep/file\n\
    chmod 640 parts/deep/file; ln parts/deep/file parts/hard; ln -sf deep/file parts/link\n\
    ln -sf $PWD/parts parts/absolute; touch -d @1000000000 parts/deep/file; echo secret > .netrc";
pub(crate) const FAIL: &str = "echo must not be built; exit 1";

/// A node whose master wants one release, and a second one whose master serves the cache.
pub(crate) struct Cached {
    pub(crate) node: Node,
    pub(crate) master: ScriptedMaster,
    pub(crate) server: Node,
}

impl Cached {
    pub(crate) fn new(side: Side) -> Self {
        let (node, mut server) = (Node::new(), Node::new());
        let here = server.path().display().to_string();
        let settings = fs::read_to_string(server.configuration()).unwrap();
        // The peer's server does not take these keys with hyphens.
        let text = format!(
            "{settings}shacache_content_directory = {here}/content\n\
             shacache_metadata_directory = {here}/metadata\n\
             shacache_signing_key_path = {here}/signer.key\n"
        );
        server.write("slapos.cfg", &text);
        for name in ["content", "metadata"] {
            fs::create_dir(server.path().join(name)).unwrap();
        }
        server.start_master(side);
        let master = ScriptedMaster::start(node.master_port);
        master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
        Self {
            node,
            master,
            server,
        }
    }

    /// A master that knows nothing of what was before.
    pub(crate) fn restart_master(&mut self) {
        self.master = ScriptedMaster::start(self.node.master_port);
        self.master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
    }

    /// Lines of section networkcache: both directions, and the certificate of a key that signs.
    pub(crate) fn settings(&self, key: &str, certificate: &str) -> String {
        settings(&self.server.master_url(), key, certificate)
    }

    pub(crate) fn configure(&self, networkcache: &str) {
        let bootstrap = self.node.path().join("bootstrap");
        let bootstrap = bootstrap.display().to_string();
        self.node.configure(&[("buildout", &bootstrap)]);
        let text = fs::read_to_string(self.node.configuration()).unwrap();
        let text = format!("{text}\n[networkcache]\n{networkcache}");
        self.node.write("slapos.cfg", &text);
    }

    /// Makes a key with our tool: its file, and its certificate.
    pub(crate) fn key(&self, name: &str, arguments: &[&str]) -> (String, String) {
        let key = self.node.path().join(name).display().to_string();
        let mut command = self.node.ours("generate-signature-key");
        command.args(arguments).args([&key, "node"]);
        let printed = Outcome::of(&mut command).expect(0).stdout;
        let (certificate, _) = printed.split_once("Add this").unwrap();
        (key, certificate.to_owned())
    }

    /// A run in which buildout does what this script says.
    pub(crate) fn run(&self, side: Side, script: &str) -> Outcome {
        self.node.fake_bootstrap(script);
        self.node.grid(side, "slapgrid-sr", "software", &[])
    }

    pub(crate) fn release(&self) -> PathBuf {
        self.node.release(URL)
    }

    /// What is installed belongs to whom the software root belongs to.
    pub(crate) fn check_owner(&self) {
        let root = self.node.software_root().metadata().unwrap();
        for name in ["", "parts", "parts/deep/file", "parts/link"] {
            let metadata = self.release().join(name).symlink_metadata().unwrap();
            let owner = (metadata.uid(), metadata.gid());
            assert_eq!(owner, (root.uid(), root.gid()), "{name:?}");
        }
    }

    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.release()).unwrap();
    }

    pub(crate) fn empty_cache(&self) {
        for name in ["content", "metadata"] {
            for file in fs::read_dir(self.server.path().join(name)).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
            }
        }
    }

    pub(crate) fn check_contents(&self, what: &str) {
        let parts = self.release().join("parts");
        let file = parts.join("deep/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "text\n", "{what}");
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o640, "{what}");
        assert_eq!(metadata.mtime(), 1_000_000_000, "{what}");
        assert_eq!(
            parts.join("hard").metadata().unwrap().ino(),
            metadata.ino(),
            "{what}"
        );
        assert_eq!(
            fs::read_link(parts.join("link")).unwrap(),
            PathBuf::from("deep/file")
        );
        assert_eq!(fs::read_link(parts.join("absolute")).unwrap(), parts);
        assert!(self.release().join(".completed").exists(), "{what}");
        let left: Vec<_> = fs::read_dir(self.node.software_root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 1, "{what}: {left:?}");
    }
}

/// The same for the cache of another master.
pub(crate) fn settings(master: &str, key: &str, certificate: &str) -> String {
    let url = format!("{}/shacache", master.trim_end_matches('/'));
    let certificate = certificate.trim().replace('\n', "\n  ");
    format!(
        "download-binary-cache-url = {url}/cache\ndownload-binary-dir-url = {url}/dir\n\
         upload-binary-cache-url = {url}/cache\nupload-binary-dir-url = {url}/dir\n\
         signature-private-key-file = {key}\nsignature-certificate-list =\n  {certificate}\n"
    )
}
