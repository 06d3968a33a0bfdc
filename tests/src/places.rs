//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The directory of our tools and the peer's environment, where a program that is no test says so.
static GIVEN: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();

/// Says where our tools and the peer's environment are, once and before anything asks.
pub fn set(tools: PathBuf, peer: PathBuf) {
    assert!(GIVEN.set((tools, peer)).is_ok(), "the places are known");
}

/// The directory of our tools.
pub fn tools() -> PathBuf {
    if let Some((tools, _)) = GIVEN.get() {
        return tools.clone();
    }
    let test = std::env::current_exe().expect("the running test has a path");
    let directory = test.ancestors().nth(2);
    let directory = directory.expect("a test lies two directories below the tools");
    directory.to_owned()
}

/// A tool of ours, as cargo built it beside this test.
pub fn tool(name: &str) -> PathBuf {
    let path = tools().join(name);
    assert!(
        path.exists(),
        "{} is not built: run the tests with `cargo xtask test`",
        path.display()
    );
    path
}

/// The virtual environment of the Python peer.
pub fn peer() -> PathBuf {
    if let Some((_, peer)) = GIVEN.get() {
        return peer.clone();
    }
    let directory = std::env::var_os("SLAPOS_TEST_PEER").expect(
        "SLAPOS_TEST_PEER names the peer's environment: run the tests with `cargo xtask test`",
    );
    PathBuf::from(directory)
}

/// A program of the peer's environment.
pub fn peer_program(name: &str) -> PathBuf {
    let path = peer().join("bin").join(name);
    assert!(path.exists(), "{} does not exist", path.display());
    path
}

/// The directory of the peer's Python packages.
pub fn peer_packages() -> PathBuf {
    let library = peer().join("lib");
    let versions = std::fs::read_dir(&library).expect("the peer's environment is complete");
    let mut packages = versions.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    packages
        .find(|path| path.is_dir())
        .expect("the peer has packages")
}

/// The packages that the tests' releases install, as files.
pub fn wheels() -> PathBuf {
    peer().join("wheels")
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a member of the workspace")
}
