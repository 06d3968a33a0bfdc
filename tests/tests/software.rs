//! slapgrid-sr: releases built by small shell programs, against a scripted master.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::{Call, Instance, Node, Outcome, ScriptedMaster, poll};

fn url(name: &str) -> String {
    format!("http://releases.invalid/{name}/software.cfg")
}

/// A node that shall have these releases, built by this script.
fn node(names: &[&str], script: &str) -> (Node, ScriptedMaster) {
    let node = Node::new();
    let bootstrap = node.fake_bootstrap(script);
    node.configure(&[("buildout", &bootstrap)]);
    let master = ScriptedMaster::start(node.master_port);
    let releases = names
        .iter()
        .map(|name| (url(name), SoftwareState::Available));
    master.script().releases = releases.collect();
    (node, master)
}

fn software(node: &Node, arguments: &[&str]) -> Outcome {
    node.grid(Ours, "slapgrid-sr", "software", arguments)
}

fn endpoints(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.endpoint.as_str()).collect()
}

fn is_completed(node: &Node, name: &str) -> bool {
    node.release(&url(name)).join(".completed").exists()
}

#[test]
fn releases_are_built_one_after_the_other_or_at_once() {
    // Each build waits until both have begun.
    let script = "touch ../began-$(basename $PWD); i=0\n\
        while [ $(ls .. | grep -c began) -lt 2 ]; do i=$((i + 1)); [ $i -lt 200 ] || exit 1; sleep 0.1; done\n\
        echo built; touch instance.cfg";
    let (node, _master) = node(&["one", "two"], script);
    let outcome = software(&node, &["--jobs", "2"]).expect(0);
    for name in ["one", "two"] {
        let directory = node.release(&url(name));
        let line = format!(
            "{}: built",
            directory.file_name().unwrap().to_string_lossy()
        );
        assert!(outcome.text().contains(&line), "{}", outcome.text());
    }
}

#[test]
fn by_default_no_two_releases_are_built_at_once() {
    let script = "mkdir ../building; sleep 0.3; rmdir ../building";
    let (node, _master) = node(&["one", "two", "three"], script);
    software(&node, &[]).expect(0);
}

#[test]
fn a_release_says_what_it_shares_and_which_revision_it_is() {
    let (node, master) = node(&[], "touch instance.cfg");
    let bootstrap = node.fake_bootstrap("touch instance.cfg");
    node.configure(&[
        ("buildout", &bootstrap),
        ("shared_part_list", "\n  /opt/shared\n  /srv/shared"),
        ("build_time_part_list", "/opt/shared/gcc"),
    ]);
    let checkout = node.path().join("checkout");
    fs::create_dir(&checkout).unwrap();
    let profile = checkout.join("software.cfg");
    fs::write(&profile, "[buildout]\n").unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(&checkout)
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        Outcome::of(&mut command).expect(0).stdout
    };
    git(&["init", "--quiet", "--initial-branch=main", "."]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=first"]);
    let first = git(&["rev-parse", "--short", "HEAD"]);
    let url = profile.display().to_string();
    master.script().releases = vec![(url.clone(), SoftwareState::Available)];
    software(&node, &[]).expect(0);
    let text = || fs::read_to_string(node.release(&url).join("buildout.cfg")).unwrap();
    let written = text();
    let begin = format!(
        "[buildout]\nextends = {url}\nshared-part-list =\n  /opt/shared\n  /srv/shared\n\
         build-time-part-list =\n  /opt/shared/gcc\n"
    );
    assert!(written.starts_with(&begin), "{written}");
    let note = format!("git revision: heads/main-0-g{}\n", first.trim());
    assert!(written.ends_with(&note), "{written}");
    software(&node, &["--force"]).expect(0);
    assert_eq!(text(), written, "noted twice");
    fs::write(&profile, "[buildout]\n# changed\n").unwrap();
    software(&node, &["--force"]).expect(0);
    assert!(text().trim_end().ends_with("-dirty"), "{}", text());
}

#[test]
fn buildout_is_given_what_it_needs_to_upload() {
    let (node, _master) = node(&["one"], "echo \"$@\" > arguments; echo $HOME > home");
    let text = fs::read_to_string(node.configuration()).unwrap();
    let more = "\n[networkcache]\nupload-cache-url = http://cache.invalid/\n\
        download-cache-url = http://other.invalid/\n";
    fs::write(node.configuration(), text + more).unwrap();
    software(&node, &[]).expect(0);
    let directory = node.release(&url("one"));
    let arguments = fs::read_to_string(directory.join("arguments")).unwrap();
    let shown = directory.display();
    let expected = format!(
        "-U buildout:extends-cache={shown}/extends-cache buildout:directory={shown} \
         buildout:networkcache-section=networkcache networkcache:upload-cache-url=http://cache.invalid/ \
         -N -c {shown}/buildout.cfg\n"
    );
    assert_eq!(arguments, expected);
    let home = fs::read_to_string(directory.join("home")).unwrap();
    assert_eq!(
        home.trim(),
        shown.to_string(),
        "what buildout caches would go elsewhere"
    );
    software(&node, &["--force"]).expect(0);
    let forced = fs::read_to_string(directory.join("arguments")).unwrap();
    assert_eq!(
        forced,
        expected.replace(" -N", ""),
        "newer versions are looked for"
    );
}

#[test]
fn buildout_can_be_debugged_on_the_terminal() {
    let (node, _master) = node(&["one"], "read answer; echo \"$1 $answer\" > instance.cfg");
    let mut command = node.ours_with("slapgrid-sr", &["--now", "--buildout-debug"]);
    let mut tool = command.stdin(Stdio::piped()).spawn().unwrap();
    tool.stdin.take().unwrap().write_all(b"continue\n").unwrap();
    assert!(tool.wait().unwrap().success());
    let written = fs::read_to_string(node.release(&url("one")).join("instance.cfg"));
    assert_eq!(written.unwrap(), "-D continue\n");
}

#[test]
fn buildout_of_an_instance_can_be_debugged_on_the_terminal() {
    let node = Node::new();
    node.make_partitions(2);
    let script = "#!/bin/sh\nread answer; echo \"$1 $answer\" > seen\n";
    let url = node.install_release("web", script);
    let master = ScriptedMaster::start(node.master_port);
    let names = ["slappart0", "slappart1"];
    master.script().instances = names.map(|name| Instance::new(name, &url)).into();
    let mut command = node.ours_with("slapgrid-cp", &["--now", "--buildout-debug"]);
    let mut tool = command.stdin(Stdio::piped()).spawn().unwrap();
    // One debugger after the other has the terminal.
    tool.stdin
        .take()
        .unwrap()
        .write_all(b"first\nsecond\n")
        .unwrap();
    assert!(tool.wait().unwrap().success());
    let seen = |number| fs::read_to_string(node.partition(number).join("seen")).unwrap();
    assert_eq!([seen(0), seen(1)], ["-D first\n", "-D second\n"]);
}

#[test]
fn a_release_that_is_built_again_and_fails_does_not_pass_for_installed() {
    let (node, master) = node(&["one"], "touch instance.cfg");
    software(&node, &[]).expect(0);
    node.fake_bootstrap("exit 1");
    software(&node, &["--force"]).expect(1);
    assert!(!is_completed(&node, "one"));
    node.fake_bootstrap("true");
    master.calls();
    software(&node, &[]).expect(0);
    assert_eq!(
        endpoints(&master.calls()),
        [
            "getFullComputerInformation",
            "buildingSoftwareRelease",
            "availableSoftwareRelease"
        ]
    );
}

#[test]
fn releases_are_named_by_url_or_md5() {
    let (node, master) = node(&["one", "two"], "touch instance.cfg");
    let md5 = node
        .release(&url("two"))
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    for name in [url("two"), md5] {
        master.calls();
        software(&node, &["--only_sr", &name]).expect(0);
        assert!(
            endpoints(&master.calls()).contains(&"availableSoftwareRelease"),
            "{name}"
        );
        assert!(is_completed(&node, "two") && !is_completed(&node, "one"));
    }
    software(&node, &["--only", &url("one")]).expect(0);
    assert!(is_completed(&node, "one"));
    let outcome = software(&node, &["--only-sr", "http://typo/"]).expect(1);
    assert!(
        outcome.text().contains("http://typo/"),
        "{}",
        outcome.text()
    );
}

#[test]
fn a_release_is_removed_whatever_its_files_look_like() {
    let script =
        "mkdir -p deep/er; touch deep/er/file; ln -s /nowhere deep/link; chmod -R a-w deep";
    let (node, master) = node(&["one"], script);
    software(&node, &[]).expect(0);
    master.script().releases = vec![(url("one"), SoftwareState::Destroyed)];
    master.calls();
    software(&node, &[]).expect(0);
    assert!(!node.release(&url("one")).exists());
    assert_eq!(
        endpoints(&master.calls()),
        ["getFullComputerInformation", "destroyedSoftwareRelease"]
    );
}

#[test]
fn garbage_is_collected_and_other_directories_are_not() {
    let (node, master) = node(&["one", "two"], "touch instance.cfg");
    software(&node, &[]).expect(0);
    fs::create_dir(node.software_root().join("shared")).unwrap();
    master.script().releases.remove(0);
    software(&node, &[]).expect(0);
    assert!(
        node.release(&url("one")).exists(),
        "without --garbage-collect"
    );
    software(&node, &["--garbage-collect"]).expect(0);
    assert!(!node.release(&url("one")).exists());
    assert!(node.release(&url("two")).exists());
    assert!(node.software_root().join("shared").exists());
}

#[test]
fn a_run_that_is_told_to_end_tells_the_master_and_the_next_one_goes_on() {
    let (node, master) = node(&["one"], "touch ../began; exec sleep 1000");
    let mut command = node.ours_with("slapgrid-sr", &["--now"]);
    let mut tool = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = node.software_root().join("began");
    poll::until("the build runs", Duration::from_secs(20), || began.exists());
    let pid = Pid::from_raw(i32::try_from(tool.id()).unwrap());
    let told = Instant::now();
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(tool.wait().unwrap().code(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(10));
    let calls = master.calls();
    assert_eq!(calls.last().unwrap().endpoint, "softwareReleaseError");
    assert!(
        calls
            .last()
            .unwrap()
            .field("error_log")
            .contains("told to end")
    );
    node.fake_bootstrap("touch instance.cfg");
    software(&node, &[]).expect(0);
    assert!(is_completed(&node, "one"));
}

#[test]
fn files_of_a_release_belong_to_its_builder() {
    let (node, _master) = node(&["one"], "touch instance.cfg");
    software(&node, &[]).expect(0);
    let owner = node.software_root().metadata().unwrap().uid();
    let directory = node.release(&url("one"));
    for (name, mode) in [
        ("", 0o755),
        ("buildout.cfg", 0o644),
        ("instance.cfg", 0o640),
    ] {
        let metadata = directory.join(name).metadata().unwrap();
        assert_eq!(
            (metadata.uid(), metadata.mode() & 0o7777),
            (owner, mode),
            "{name}"
        );
    }
}

#[test]
fn slapgrid_installs_runs_and_reports_in_that_order() {
    let (node, master) = node(&["one"], "touch instance.cfg");
    node.make_partitions(1);
    // Once installed, the release builds instances with the same script.
    node.fake_bootstrap("touch instance.cfg; mkdir -p etc/service");
    master.script().instances = vec![Instance::new("slappart0", &url("one"))];
    node.grid(Ours, "slapgrid", "", &[]).expect(0);
    assert_eq!(
        endpoints(&master.calls()),
        [
            "getFullComputerInformation",
            "buildingSoftwareRelease",
            "availableSoftwareRelease",
            "getFullComputerInformation",
            "startedComputerPartition",
            "getFullComputerInformation",
        ]
    );
}
