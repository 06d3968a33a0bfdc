//! `slapos`: its commands do what the tools do, and it finds slapos.cfg where slapos.core does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use slapos_tests::faults::{SERVICE, with_instance};
use slapos_tests::{
    Background, COMPUTER, Misbehaviour, Node, Outcome, ScriptedMaster, Server, places, poll,
};

/// How long a daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// `slapos` with these arguments, for a node.
fn slapos(node: &Node, arguments: &[&str]) -> Command {
    let mut command = node.ours("slapos");
    command
        .args(arguments)
        .arg("--cfg")
        .arg(node.configuration());
    command
}

fn run(node: &Node, arguments: &[&str]) -> Outcome {
    Outcome::of(&mut slapos(node, arguments))
}

#[test]
fn a_node_is_driven_by_its_commands() {
    let (node, master) = with_instance(SERVICE);
    // Although nobody watches, it begins at once.
    run(&node, &["node", "instance"]).expect(0);
    assert_eq!(master.script().count("startedComputerPartition"), 1);
    let status = run(&node, &["node", "status"]).expect(0);
    assert!(status.stdout.contains("slappart0:web"), "{status:?}");
    let alone = Outcome::of(
        node.ours("slapos")
            .arg("node")
            .env("SLAPOS_CONFIGURATION", node.configuration()),
    );
    assert!(alone.stdout.contains("slappart0:web"), "{alone:?}");
    let control = |verb, said: &str| {
        let mut command = node.ours("slapos");
        command
            .args(["node", verb, "--cfg"])
            .arg(node.configuration());
        let outcome = Outcome::of(command.arg("slappart0:web-on-watch")).expect(0);
        assert!(outcome.stdout.contains(said), "{outcome:?}");
    };
    control("stop", "stopped");
    control("start", "started");
    run(&node, &["node", "promise"]).expect(0);
    run(&node, &["node", "report"]).expect(0);
    run(&node, &["node", "software"]).expect(0);
    let dry = run(&node, &["node", "instance", "--dry-run", "--force"]).expect(4);
    assert!(dry.stdout.contains("slappart0"), "{dry:?}");
    let quiet = run(&node, &["-q", "node", "instance", "--force"]).expect(0);
    assert!(!quiet.text().contains("INFO"), "{quiet:?}");
    let down = slapos_control(&node, "shutdown");
    assert!(down.stdout.contains("Shut down"), "{down:?}");
}

/// A word for supervisorctl.
fn slapos_control(node: &Node, word: &str) -> Outcome {
    let mut command = node.ours("slapos");
    command
        .args(["node", "supervisorctl", "--cfg"])
        .arg(node.configuration());
    Outcome::of(command.arg(word))
}

#[test]
fn commands_of_users_log_as_they_are_told() {
    let (node, master) = with_instance(SERVICE);
    let file = node.path().join("user.log");
    let path = file.to_str().unwrap();
    let supply = |options: &[&str]| {
        let arguments = [options, &["supply", "http://x/s.cfg", COMPUTER]].concat();
        run(&node, &arguments)
    };
    let (asked, details) = ("INFO     asking ", "DEBUG    the master is ");
    for (options, shown, hidden) in [
        (&[][..], &[asked][..], &[details][..]),
        (&["-v"], &[asked, details], &[]),
        (&["--debug"], &[asked, details], &[]),
        (&["-q"], &[], &["INFO", "DEBUG"]),
    ] {
        let logged = [options, &["--log-file", path]].concat();
        let outcome = supply(&logged).expect(0);
        let log = fs::read_to_string(&file).unwrap_or_default();
        for text in [&outcome.stderr, &log] {
            assert!(shown.iter().all(|part| text.contains(part)), "{outcome:?}");
            assert!(
                !hidden.iter().any(|part| text.contains(part)),
                "{outcome:?}"
            );
        }
        assert!(outcome.stdout.contains("shall be available"), "{outcome:?}");
        let _ = fs::remove_file(&file);
    }
    drop(master);
    for command in [
        &["request", "one", "http://x/s.cfg"][..],
        &["service", "list"],
    ] {
        let arguments = [&["-q", "--log-file", path], command].concat();
        let outcome = run(&node, &arguments).expect(1);
        assert!(outcome.stderr.contains("cannot connect to"), "{outcome:?}");
        let log = fs::read_to_string(&file).unwrap();
        assert!(log.contains("ERROR    cannot connect to"), "{log}");
        fs::remove_file(&file).unwrap();
    }
    for command in [&["proxy", "show"][..], &["cachelookup", "url", "http://x/"]] {
        let arguments = [&["-q", "--log-file", path], command].concat();
        run(&node, &arguments).expect(1);
        let log = fs::read_to_string(&file).unwrap();
        assert!(log.contains("ERROR    "), "{command:?}: {log}");
        fs::remove_file(&file).unwrap();
    }
    let outcome = run(&node, &["--log-file", "/no/such/log", "service", "list"]).expect(1);
    assert!(
        outcome.stderr.contains("the log file /no/such/log"),
        "{outcome:?}"
    );
}

#[test]
fn supervisord_is_started_first_and_may_stay_in_the_foreground() {
    let (node, _master) = with_instance(SERVICE);
    node.configure(&[("forbid_supervisord_automatic_launch", "true")]);
    slapos_control(&node, "pid");
    assert_eq!(node.supervisord(), None, "it was started unasked");
    let foreground = Background::start(&node, slapos(&node, &["node", "supervisord", "-n"]));
    poll::until("supervisord runs", PATIENCE, || {
        node.supervisord().is_some()
    });
    assert_eq!(node.supervisord(), Some(foreground.pid()));
    let second = run(&node, &["node", "supervisord", "-n"]).expect(1);
    assert!(second.stderr.contains("runs already"), "{second:?}");
    run(&node, &["node", "supervisord"]).expect(0);
    assert_eq!(foreground.end(Signal::SIGTERM, PATIENCE).code, Some(0));
    node.configure(&[]);
    let status = slapos_control(&node, "pid").expect(0);
    assert!(node.supervisord().is_some(), "{status:?}");
}

#[test]
fn boot_prepares_the_machine_until_the_master_knows_and_has_all_processed_again() {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    run(&node, &["node", "boot"]).expect(0);
    let calls: Vec<_> = master
        .calls()
        .into_iter()
        .map(|call| call.endpoint)
        .collect();
    assert_eq!(calls, ["loadComputerConfigurationFromXML", "computerBang"]);
    assert!(node.supervisord().is_some());
    let away = Misbehaviour::Answer(503, "busy".to_owned());
    master
        .script()
        .fail_always("loadComputerConfigurationFromXML", away);
    let waiting = Background::start(&node, slapos(&node, &["node", "boot"]));
    poll::until("it waits", PATIENCE, || {
        waiting.text().contains("the next attempt")
    });
    waiting.end(Signal::SIGTERM, PATIENCE);
    let bangs = master.script().count("computerBang");
    assert_eq!(bangs, 0, "the master does not know yet");
    node.write("slapos.cfg", "[slapos]\n");
    let wrong = run(&node, &["node", "boot"]).expect(1);
    assert!(wrong.stderr.contains("missing parameters"), "{wrong:?}");
}

#[test]
fn options_of_the_command_line_win_over_those_of_the_proxys_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("slapos.cfg");
    let text =
        format!("[slapos]\ncomputer_id = {COMPUTER}\n[slapproxy]\nhost = 10.0.0.1\nport = 1\n");
    fs::write(&file, text).unwrap();
    let database = place.path().join("proxy.db");
    let log = place.path().join("log");
    let mut command = Command::new(places::tool("slapos"));
    command.args(["--log-file".as_ref(), log.as_os_str()]);
    command.args([
        "proxy",
        "start",
        "--host",
        "localhost",
        "--port",
        "0",
        "--cfg",
    ]);
    command
        .arg(&file)
        .arg("-u")
        .arg(&database)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    poll::until("the server serves", PATIENCE, || {
        logged().contains("serving http://127.0.0.1:")
    });
    let mut show = Command::new(places::tool("slapos"));
    show.args(["proxy", "show", "--computers", "--cfg"])
        .arg(&file)
        .arg("-u")
        .arg(&database);
    let shown = Outcome::of(&mut show).expect(0);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(shown.stdout.starts_with("table computer"), "{shown:?}");
}

#[test]
fn the_configuration_is_found_where_slapos_core_finds_it() {
    let master = Server::start("", &[]);
    let home = tempfile::tempdir().unwrap();
    let text = format!(
        "[slapos]\ncomputer_id = {COMPUTER}\nmaster_url = {}/\n",
        master.url()
    );
    fs::create_dir(home.path().join(".slapos")).unwrap();
    let client = home.path().join(".slapos/slapos-client.cfg");
    fs::write(&client, &text).unwrap();
    let other = home.path().join("other.cfg");
    fs::write(&other, &text).unwrap();
    let supply = |variables: &[(&str, &Path)], options: &[&str]| {
        let mut command = Command::new(places::tool("slapos"));
        command
            .env("HOME", home.path())
            .env_remove("SLAPOS_CLIENT_CONFIGURATION");
        command
            .envs(variables.iter().copied())
            .args(["supply", "/r.cfg", COMPUTER]);
        Outcome::of(command.args(options))
    };
    supply(&[], &[]).expect(0);
    supply(&[("SLAPOS_CLIENT_CONFIGURATION", &other)], &[]).expect(0);
    let nowhere = Path::new("/no/such.cfg");
    let variable = [("SLAPOS_CLIENT_CONFIGURATION", nowhere)];
    assert!(
        supply(&variable, &[])
            .expect(1)
            .stderr
            .contains("/no/such.cfg")
    );
    supply(&variable, &["--cfg", "~/other.cfg"]).expect(0);
    fs::remove_file(&client).unwrap();
    let lost = supply(&[], &[]).expect(1);
    assert!(lost.stderr.contains(client.to_str().unwrap()), "{lost:?}");
    let mut node = Command::new(places::tool("slapos"));
    let node = Outcome::of(
        node.args(["node", "bang"])
            .env("SLAPOS_CONFIGURATION", &other),
    );
    assert!(node.expect(0).stdout.contains(COMPUTER));
}

#[test]
fn what_is_not_there_says_so_and_what_to_do_instead() {
    for (arguments, part) in [
        (
            &["node", "register", "--token", "t", "name"][..],
            "web panel",
        ),
        (&["node", "collect", "--cfg", "x"], "--metrics-file"),
        (&["configure", "local"], "slapos.cfg.example"),
        (&["configure", "client", "--token", "t"], "slapconsole"),
        (&["cachelookup", "pypi", "six", "1.0"], "cachelookup url"),
    ] {
        let mut command = Command::new(places::tool("slapos"));
        let outcome = Outcome::of(command.args(arguments)).expect(5);
        let name = format!("there is no `slapos {}` here: ", arguments[..2].join(" "));
        assert!(outcome.stderr.contains(&name), "{outcome:?}");
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
}

#[test]
fn mistakes_are_named_and_help_is_there_for_each_command() {
    let slapos = |arguments: &[&str]| {
        let mut command = Command::new(places::tool("slapos"));
        Outcome::of(command.args(arguments))
    };
    for (arguments, part) in [
        (&["nod"][..], "'nod'"),
        (&["node", "dance"], "'dance'"),
        (&["request", "one"], "SOFTWARE_URL"),
        (&["node", "instance", "--only-nothing"], "--only-nothing"),
        (&["proxy", "start", "--port", "high"], "'high'"),
    ] {
        let outcome = slapos(arguments).expect(2);
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
    for arguments in [
        &["help", "node", "instance"][..],
        &["node", "instance", "--help"],
    ] {
        let help = slapos(arguments).expect(0).stdout;
        assert!(
            help.contains("--cfg") && help.contains("--only-cp"),
            "{help}"
        );
    }
    let script = slapos(&["complete", "--shell", "bash"]).expect(0).stdout;
    assert!(script.contains("supervisorctl"), "{script}");
}

/// Each command of slapos.core is one of ours, if only to say that it is not there.
#[test]
fn every_command_of_slapos_core_is_known() {
    let theirs = Outcome::of(Command::new(places::peer_program("slapos")).arg("help")).expect(0);
    let (_, commands) = theirs.stdout.split_once("Commands:\n").unwrap();
    let mut count = 0;
    for line in commands.lines() {
        let (name, _) = line.trim_start().split_once("  ").unwrap();
        let mut command = Command::new(places::tool("slapos"));
        let help = Outcome::of(command.arg("help").args(name.split(' ')));
        assert_eq!(help.code, Some(0), "{name}: {help:?}");
        count += 1;
    }
    assert!(count > 30, "{}", theirs.stdout);
}
