//! SIGINT and SIGTERM: whatever slapgrid does, and whatever hangs, it has ended within ten seconds, and
//! so has every program that it ran. `cargo test -p slapos-tests --test signals -- --nocapture` shows the table.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use nix::sys::signal::Signal::{self, SIGCONT, SIGINT, SIGSTOP, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use slapos_tests::Side::Ours;
use slapos_tests::faults::{
    SERVICE, consumption, instance, is_processed, lives, with_instance, with_release,
};
use slapos_tests::{
    Background, Ended, Instance, Misbehaviour, Node, ScriptedMaster, instance_script, poll,
    write_program,
};

/// What is promised.
const LIMIT: Duration = Duration::from_secs(10);
/// For what must happen before the signal.
const PATIENCE: Duration = Duration::from_secs(30);
/// A program that does not end when it is told to, nor does its child; both write who they are.
const STUBBORN: &str = "trap '' TERM INT; echo $$ >> PIDS; \
    sh -c 'trap \"\" TERM INT; echo $$ >> PIDS; while :; do sleep 1; done' & \
    while :; do sleep 1; done";

/// Ends a tool by a signal, in time.
fn end(situation: &str, tool: Background, signal: Signal) -> Ended {
    let ended = tool.end(signal, LIMIT);
    let (took, code) = (ended.took.as_secs_f64(), ended.code);
    println!("| {situation} | {signal} | {took:.1} s | exit {code:?} |");
    assert!(!ended.text.contains("panicked"), "{}", ended.text);
    ended
}

/// [`STUBBORN`], writing into a file that anybody may write to.
fn stubborn(node: &Node) -> String {
    let pids = node.path().join("pids");
    fs::write(&pids, "").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    fs::set_permissions(&pids, mode).unwrap();
    STUBBORN.replace("PIDS", &pids.display().to_string())
}

/// Waits until so many processes of [`stubborn`] programs run.
fn wait_for_stubborn(node: &Node, count: usize) {
    poll::until("the programs run", PATIENCE, || pids(node).len() >= count);
}

fn pids(node: &Node) -> Vec<i32> {
    let text = fs::read_to_string(node.path().join("pids")).unwrap();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// A process that was killed may take a moment to end.
fn wait_until_all_have_ended(node: &Node) {
    poll::until("all programs have ended", Duration::from_secs(2), || {
        pids(node).iter().all(|pid| !lives(*pid))
    });
}

/// Waits until the master was asked this.
fn wait_for_call(master: &ScriptedMaster, endpoint: &str) {
    poll::until(endpoint, PATIENCE, || {
        master.calls().iter().any(|call| call.endpoint == endpoint)
    });
}

fn silent() -> Misbehaviour {
    Misbehaviour::Late(Duration::from_secs(60))
}

#[test]
fn a_master_that_is_silent_about_what_it_wants() {
    for signal in [SIGINT, SIGTERM] {
        let (node, master) = with_instance(SERVICE);
        master
            .script()
            .fail_always("getFullComputerInformation", silent());
        let tool = Background::grid(&node, "slapgrid", &[]);
        wait_for_call(&master, "getFullComputerInformation");
        let ended = end("master silent when asked what it wants", tool, signal);
        assert_eq!(ended.code, Some(1));
        assert!(ended.text.contains("given up"), "{}", ended.text);
    }
}

#[test]
fn a_master_that_is_silent_about_a_report() {
    let (node, master) = with_instance(SERVICE);
    master
        .script()
        .fail_once("startedComputerPartition", silent());
    let tool = Background::grid(&node, "slapgrid-cp", &[]);
    wait_for_call(&master, "startedComputerPartition");
    let ended = end("master silent when told of an instance", tool, SIGTERM);
    assert_eq!(ended.code, Some(1));
    assert!(!is_processed(&node, 0));
    instance(&node).expect(0);
    assert!(is_processed(&node, 0));
}

#[test]
fn a_master_that_is_silent_about_everything_once_programs_are_ended() {
    let (node, master) = with_instance("true");
    let script = instance_script(&stubborn(&node));
    node.install_release("web", &script);
    master
        .script()
        .fail_always("softwareInstanceError", silent());
    let tool = Background::grid(&node, "slapgrid-cp", &[]);
    wait_for_stubborn(&node, 2);
    end(
        "buildout ignores SIGTERM, then the master is silent",
        tool,
        SIGTERM,
    );
    wait_until_all_have_ended(&node);
}

#[test]
fn a_master_that_is_silent_about_the_usage_of_many() {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(6);
    let url = node.install_release("web", &instance_script("true"));
    for number in 0..6 {
        let partition = format!("slappart{number}");
        master
            .script()
            .instances
            .push(Instance::new(&partition, &url));
        node.write_in_partition(number, "var/xml_report/one", &consumption("cpu"), 0o644);
    }
    for endpoint in ["useComputer", "softwareInstanceError"] {
        master.script().fail_always(endpoint, silent());
    }
    let tool = Background::grid(&node, "slapgrid-ur", &[]);
    wait_for_call(&master, "useComputer");
    end(
        "master silent about the usage of 6 instances",
        tool,
        SIGTERM,
    );
}

#[test]
fn a_supervisord_that_hangs() {
    let (node, master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let supervisord = Pid::from_raw(node.supervisord().unwrap());
    // It hangs while it is to stop the instance.
    node.install_release(
        "web",
        &instance_script("touch ../built; while [ -e ../built ]; do sleep 0.05; done"),
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(node.instance_root(), mode).unwrap();
    let mut stopped = master.script().instances[0].clone();
    (stopped.state, stopped.timestamp) = ("stopped".to_owned(), "1700000001".to_owned());
    master.script().instances = vec![stopped];
    let tool = Background::grid(&node, "slapgrid-cp", &[]);
    let built = node.instance_root().join("built");
    poll::until("the instance is built", PATIENCE, || built.exists());
    kill(supervisord, SIGSTOP).unwrap();
    fs::remove_file(&built).unwrap();
    let configuration = node
        .instance_root()
        .join("etc/supervisord.conf.d/slappart0.conf");
    poll::until("supervisord is asked", PATIENCE, || !configuration.exists());
    let ended = end("supervisord hangs (SIGSTOP) at a call", tool, SIGTERM);
    kill(supervisord, SIGCONT).unwrap();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.text.contains("before supervisord answered"),
        "{}",
        ended.text
    );
    node.install_release("web", &instance_script(SERVICE));
    instance(&node).expect(0);
    assert!(is_processed(&node, 0));
}

#[test]
fn a_buildout_of_an_instance_that_ignores_it() {
    for signal in [SIGINT, SIGTERM] {
        let (node, master) = with_instance("true");
        node.install_release("web", &instance_script(&stubborn(&node)));
        let tool = Background::grid(&node, "slapgrid-cp", &[]);
        wait_for_stubborn(&node, 2);
        let ended = end("buildout of an instance ignores the signal", tool, signal);
        assert_eq!(ended.code, Some(1));
        wait_until_all_have_ended(&node);
        let calls = master.calls();
        let last = calls.last().unwrap();
        assert_eq!(last.endpoint, "softwareInstanceError");
        assert!(last.field("error_log").contains("told to end"));
        node.install_release("web", &instance_script(SERVICE));
        instance(&node).expect(0);
    }
}

#[test]
fn a_buildout_of_a_release_that_ignores_it() {
    let (node, master) = with_release(Node::new(), "true");
    node.fake_bootstrap(&stubborn(&node));
    let tool = Background::grid(&node, "slapgrid-sr", &[]);
    wait_for_stubborn(&node, 2);
    let ended = end("buildout of a release ignores SIGTERM", tool, SIGTERM);
    assert_eq!(ended.code, Some(1));
    wait_until_all_have_ended(&node);
    assert_eq!(
        master.calls().last().unwrap().endpoint,
        "softwareReleaseError"
    );
}

#[test]
fn promises_that_ignore_it() {
    let (node, _master) = with_instance("true");
    let names: Vec<String> = (0..20)
        .map(|number| format!("promise p{number} '. ./stubborn'"))
        .collect();
    node.install_release("web", &instance_script(&names.join("\n")));
    node.write_in_partition(0, "stubborn", &stubborn(&node), 0o755);
    let tool = Background::grid(&node, "slapgrid-cp", &["--promise-timeout", "60"]);
    wait_for_stubborn(&node, 16);
    let ended = end("8 of 20 promises run and ignore SIGTERM", tool, SIGTERM);
    assert_eq!(ended.code, Some(1));
    wait_until_all_have_ended(&node);
}

#[test]
fn a_hook_that_ignores_it() {
    let (node, _master) = with_instance(SERVICE);
    let hooks = node.path().join("hooks");
    fs::create_dir_all(hooks.join("instance")).unwrap();
    write_program(
        &hooks.join("instance/hang"),
        &format!("#!/bin/sh\n{}\n", stubborn(&node)),
    );
    node.configure(&[("hooks_directory", &hooks.display().to_string())]);
    let tool = Background::grid(&node, "slapgrid-cp", &[]);
    wait_for_stubborn(&node, 2);
    end("hook ignores SIGTERM", tool, SIGTERM);
    wait_until_all_have_ended(&node);
}

#[test]
fn a_binary_cache_that_is_silent() {
    let (node, _master) = with_release(Node::new(), "touch instance.cfg");
    let cache = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", cache.local_addr().unwrap());
    let settings = fs::read_to_string(node.configuration()).unwrap();
    let section = format!(
        "[networkcache]\ndownload-binary-cache-url = {url}\ndownload-binary-dir-url = {url}\n"
    );
    node.write("slapos.cfg", &(settings + &section));
    let tool = Background::grid(&node, "slapgrid-sr", &[]);
    let _connection = cache.accept().unwrap();
    let ended = end("binary cache is silent", tool, SIGTERM);
    assert_eq!(ended.code, Some(1));
    let expected = "told to end while it asked the binary cache";
    assert!(ended.text.contains(expected), "{}", ended.text);
}

#[test]
fn a_random_delay() {
    let (node, _master) = with_instance(SERVICE);
    let command = node.ours_with("slapgrid-cp", &["--console", "--maximal-delay", "1000000"]);
    let tool = Background::start(&node, command);
    poll::until("it waits", PATIENCE, || tool.text().contains("waiting"));
    assert_eq!(
        end("random delay before the run", tool, SIGTERM).code,
        Some(1)
    );
}

#[test]
fn a_process_that_stays() {
    let (node, master) = with_instance(SERVICE);
    let tool = Background::grid(&node, "slapgrid-cp", &["--watch", "3600"]);
    poll::until("the first pass is over", PATIENCE, || {
        is_processed(&node, 0)
    });
    let ended = end("--watch, between passes", tool, SIGTERM);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    master
        .script()
        .fail_always("getFullComputerInformation", silent());
    let tool = Background::grid(&node, "slapgrid-cp", &["--watch", "3600"]);
    master.calls();
    wait_for_call(&master, "getFullComputerInformation");
    let ended = end("--watch, master silent", tool, SIGTERM);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

#[test]
fn a_second_signal() {
    let (node, master) = with_instance(SERVICE);
    master
        .script()
        .fail_always("getFullComputerInformation", silent());
    let tool = Background::grid(&node, "slapgrid-cp", &[]);
    wait_for_call(&master, "getFullComputerInformation");
    // Two that are alike may count as one.
    tool.signal(SIGINT);
    let pid_file = node.path().join("slapgrid.pid");
    let ended = end("a second signal, at once", tool, SIGTERM);
    assert!(matches!(ended.code, Some(130 | 143)), "{ended:?}");
    assert!(ended.took < Duration::from_secs(2));
    assert!(pid_file.exists(), "left behind, which is no obstacle");
    master.script().faults.clear();
    assert_eq!(
        node.grid(Ours, "slapgrid-cp", "instance", &[]).code,
        Some(0)
    );
}
