//! What slapgrid says before a run and after it: the plan of a dry run, and the outcome.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use jsonschema::Validator;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Map, Value};
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::promises::add_program;
use slapos_tests::{Instance, Node, Outcome, ScriptedMaster, Tree, instance_script, places, poll};

const PATIENCE: Duration = Duration::from_secs(30);
/// The lists of both documents.
const LISTS: [&str; 4] = ["node", "releases", "partitions", "usage"];
const RELEASE: &str = "http://releases.invalid/new/software.cfg";
const CONSUMPTION: &str = "<consumption><movement><resource>cpu</resource><quantity>42</quantity>\
                           <price>0.00</price><VAT>None</VAT></movement></consumption>";

static PLAN: LazyLock<Validator> = LazyLock::new(|| schema("slapgrid-plan"));
static OUTCOME: LazyLock<Validator> = LazyLock::new(|| schema("slapgrid-outcome"));

fn schema(name: &str) -> Validator {
    let path = places::workspace().join(format!("docs/src/{name}.schema.json"));
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// The one document that a tool has printed, if it has the documented form.
fn document(validator: &Validator, outcome: &Outcome) -> Value {
    let document = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let errors = validator
        .iter_errors(&document)
        .map(|error| error.to_string());
    let errors: Vec<_> = errors.collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    document
}

fn grid(node: &Node, arguments: &[&str]) -> Outcome {
    node.grid(Ours, "slapgrid", "", arguments)
}

fn plan(node: &Node, code: i32) -> Value {
    document(&PLAN, &grid(node, &["--dry-run", "--json"]).expect(code))
}

fn outcome(node: &Node, code: i32) -> Value {
    let outcome = document(&OUTCOME, &grid(node, &["--json"]).expect(code));
    assert_eq!(outcome["exit_code"], code);
    outcome
}

/// A step as a plan has it.
fn planned(step: &Value) -> Value {
    let mut fields = step.as_object().unwrap().clone();
    let checked = fields.remove("promises");
    for key in ["result", "why", "error", "seconds"] {
        fields.remove(key);
    }
    if fields["action"] == "check_promises" && !fields.contains_key("promises_due") {
        let checked = checked.unwrap_or_else(|| Value::Array(Vec::new()));
        let names = checked.as_array().unwrap().iter();
        let names = names.map(|check| check["name"].clone()).collect();
        fields.insert("promises_due".to_owned(), names);
    }
    Value::Object(fields)
}

fn steps(document: &Value) -> Map<String, Value> {
    let lists = LISTS.map(|list| {
        let steps = document[list].as_array().unwrap().iter();
        let steps = steps.filter(|step| step["action"] != "keep").map(planned);
        (list.to_owned(), steps.collect())
    });
    lists.into_iter().collect()
}

/// Plans, sees that nothing has changed, runs, sees that this was done and that nothing is left.
/// Returns the texts of the plan and the outcome.
fn does_what_it_planned(node: &Node, master: &ScriptedMaster) -> (String, Value) {
    master.calls();
    let before = Tree::read(node.path(), &["supervisord.log"]);
    let plan = plan(node, 4);
    let text = grid(node, &["--dry-run"]).expect(4).stdout;
    let after = Tree::read(node.path(), &["supervisord.log"]);
    assert_eq!(before.differences(&after), [] as [PathBuf; 0]);
    let calls: Vec<_> = master
        .calls()
        .into_iter()
        .map(|call| call.endpoint)
        .collect();
    assert_eq!(calls, ["getFullComputerInformation"; 2]);

    let outcome = outcome(node, 0);
    assert_eq!(steps(&plan), steps(&outcome), "{plan:#}\n{outcome:#}");
    nothing_to_do(node);
    (text, outcome)
}

fn nothing_to_do(node: &Node) {
    let after = plan(node, 0);
    assert_eq!(after["changes"], false);
    assert_eq!(
        grid(node, &["--dry-run"]).expect(0).stdout,
        "nothing to do\n"
    );
}

/// A node on which an instance with a promise runs.
fn deployed() -> (Node, ScriptedMaster) {
    let node = Node::new();
    node.make_partitions(2);
    let script = instance_script("service web 'exec sleep 1000'\npromise check 'echo well'");
    let url = node.install_release("web", &script);
    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart0", &url)];
    master.script().free = vec!["slappart1".to_owned()];
    grid(&node, &[]).expect(0);
    (node, master)
}

/// The master wants another state of the instance.
fn want(master: &ScriptedMaster, state: &str) {
    let mut script = master.script();
    let instance = script.instance("slappart0");
    instance.state = state.to_owned();
    instance.timestamp = "1700000001".to_owned();
}

#[test]
fn a_new_release_is_installed_as_planned_and_then_removed() {
    let node = Node::new();
    let bootstrap = node.fake_bootstrap("echo building");
    node.configure(&[("buildout", &bootstrap)]);
    let master = ScriptedMaster::start(node.master_port);
    grid(&node, &[]).expect(0);
    master.script().releases = vec![(RELEASE.to_owned(), SoftwareState::Available)];
    let (text, outcome) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        format!("would:\n  install {RELEASE}: no installation was finished and reported\n")
    );
    assert_eq!(outcome["releases"][0]["reason"], "not_completed");
    assert_eq!(outcome["releases"][0]["result"], "done");

    master.script().releases[0].1 = SoftwareState::Destroyed;
    let (text, _) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        format!("would:\n  remove {RELEASE}: the master wants it destroyed\n")
    );
}

#[test]
fn a_new_instance_is_processed_as_planned_by_a_node_that_was_never_used() {
    let node = Node::new();
    node.make_partitions(2);
    let url = node.install_release("web", &instance_script("promise check 'echo well'"));
    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart1", &url)];
    master.script().free = vec!["slappart0".to_owned()];
    let (text, outcome) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        "would:\n  start supervisord and the services that are known\n  \
         process slappart1 (started): it was not processed with success\n"
    );
    assert_eq!(outcome["node"][0]["action"], "launch_supervisord");
    let promise = &outcome["partitions"][0]["promises"][0];
    assert_eq!(promise["name"], "check");
    assert_eq!(promise["result"], "kept");
    assert_eq!(promise["message"], "well");
}

#[test]
fn a_stop_is_done_as_planned() {
    let (node, master) = deployed();
    nothing_to_do(&node);
    want(&master, "stopped");
    let (text, _) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        "would:\n  process slappart0 (stopped): the master has changed it\n"
    );
    assert!(!node.services_status().contains("RUNNING"));
}

#[test]
fn a_destruction_is_done_as_planned() {
    let (node, master) = deployed();
    want(&master, "destroyed");
    let (text, outcome) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        "would:\n  process slappart0 (destroyed): the master has changed it\n  \
         destroy slappart0: the master wants it destroyed\n"
    );
    assert_eq!(outcome["usage"][0]["result"], "done");
    assert_eq!(fs::read_dir(node.partition(0)).unwrap().count(), 0);
}

#[test]
fn a_destruction_that_must_wait_says_why_and_is_not_wanted_again_and_again() {
    let (node, master) = deployed();
    node.write_in_partition(0, ".slapos-retention-lock-delay", "1.0", 0o644);
    want(&master, "destroyed");
    grid(&node, &["--dry-run"]).expect(4);
    let outcome = outcome(&node, 0);
    let step = &outcome["usage"][0];
    assert_eq!(step["action"], "retain");
    assert_eq!(step["result"], "not_yet");
    assert!(step["why"].as_str().unwrap().contains("retention delay"));
    let plan = plan(&node, 0);
    assert_eq!(plan["usage"][0]["action"], "retain");
}

#[test]
fn usage_is_reported_as_planned() {
    let (node, master) = deployed();
    node.write_in_partition(0, "var/xml_report/one", CONSUMPTION, 0o644);
    let (text, outcome) = does_what_it_planned(&node, &master);
    assert_eq!(
        text,
        "would:\n  report usage of slappart0: 0 programs, 1 reports\n"
    );
    let step = &outcome["usage"][0];
    assert_eq!(step["reports"], serde_json::json!(["one"]));
    assert_eq!(step["result"], "done");
    assert!(!node.partition(0).join("var/xml_report/one").exists());
}

#[test]
fn a_file_that_is_no_usage_report_is_left_and_not_wanted_to_be_sent_for_ever() {
    let (node, _master) = deployed();
    node.write_in_partition(0, "var/xml_report/bad", "<nonsense", 0o644);
    let before = plan(&node, 0);
    assert_eq!(before["usage"][0]["invalid"], serde_json::json!(["bad"]));
    assert_eq!(before["usage"][0]["reports"], serde_json::json!([]));
    let run = grid(&node, &["--json"]).expect(0);
    assert!(run.stderr.contains("is no usage report"), "{run:?}");
    assert_eq!(steps(&before), steps(&document(&OUTCOME, &run)));
    plan(&node, 0);
}

#[test]
fn a_promise_that_is_due_is_named_and_no_change() {
    let (node, _master) = deployed();
    add_program(&node, 0, "fresh", "exit 0");
    let plan = plan(&node, 0);
    assert_eq!(
        plan["partitions"][0]["promises_due"],
        serde_json::json!(["fresh"])
    );
    let text = grid(&node, &["--dry-run"]).expect(0).stdout;
    assert_eq!(text, "would:\n  check promises of slappart0: fresh\n");
    let outcome = outcome(&node, 0);
    assert_eq!(steps(&plan), steps(&outcome));
}

#[test]
fn what_fails_is_in_the_outcome_and_the_exit_code_is_as_before() {
    let (node, master) = deployed();
    add_program(&node, 0, "check", "echo out of order; exit 1");
    want(&master, "started");
    let url = master.script().instance("slappart0").release.clone();
    let script = instance_script("promise check 'echo out of order; exit 1'");
    let broken = node.install_release("web", &script);
    assert_eq!(url, broken);
    let document = outcome(&node, 2);
    let partition = &document["partitions"][0];
    assert_eq!(partition["result"], "failed");
    assert_eq!(partition["error"]["severity"], "promise");
    assert_eq!(partition["promises"][0]["result"], "broken");
    assert_eq!(document["phases"][1]["failures"]["promise"], 1);

    node.install_release("web", "#!/bin/sh\necho no way; exit 1\n");
    let document = outcome(&node, 1);
    let error = &document["partitions"][0]["error"];
    assert_eq!(error["severity"], "failed");
    assert!(
        error["message"].as_str().unwrap().contains("no way"),
        "{error}"
    );
}

#[test]
fn a_master_that_is_away_is_told_by_plan_and_outcome() {
    let (node, master) = deployed();
    drop(master);
    let text = grid(&node, &["--dry-run"]).expect(1);
    assert_eq!(text.stdout, "", "nothing is known");
    assert!(text.stderr.contains("cannot connect"), "{text:?}");
    let plan = plan(&node, 1);
    assert_eq!(plan["errors"][0]["severity"], "master_unreachable");
    assert_eq!(plan["partitions"], serde_json::json!([]));
    let outcome = outcome(&node, 3);
    assert_eq!(outcome["offline"], true);
    assert_eq!(outcome["master_seconds"], Value::Null);
    assert_eq!(outcome["errors"][0]["severity"], "master_unreachable");
}

#[test]
fn an_interrupted_run_tells_its_outcome_and_another_one_that_it_is_under_way() {
    let node = Node::new();
    let begun = node.release(RELEASE).join("begun");
    let bootstrap = node.fake_bootstrap("touch begun; exec sleep 1000");
    node.configure(&[("buildout", &bootstrap)]);
    let master = ScriptedMaster::start(node.master_port);
    master.script().releases = vec![(RELEASE.to_owned(), SoftwareState::Available)];
    let mut command = node.ours_with("slapgrid", &["--now", "--json"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let run = run.unwrap();
    poll::until("buildout runs", PATIENCE, || begun.exists());

    let document = document(&OUTCOME, &grid(&node, &["--json"]).expect(10));
    assert_eq!(document["exit_code"], 10);

    let pid = Pid::from_raw(i32::try_from(run.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(OUTCOME.is_valid(&document), "{document:#}");
    assert_eq!(document["releases"][0]["error"]["severity"], "interrupted");
    assert_eq!(document["errors"][0]["severity"], "interrupted");
}

#[test]
fn a_run_that_cannot_begin_says_so_in_json_too() {
    let (node, _master) = deployed();
    for (arguments, code, part) in [
        (&["--json", "--only-cp", "slappart7"][..], 1, "slappart7"),
        (
            &["--json", "--dry-run", "--only-cp", "slappart7"],
            1,
            "slappart7",
        ),
        (
            &["--json", "--metrics-file", "/no/such/file"],
            1,
            "/no/such",
        ),
        (&["--json", "--software-root", "/no/such"], 1, "/no/such"),
    ] {
        let outcome = node.grid(Ours, "slapgrid-cp", "", arguments).expect(code);
        assert!(outcome.stderr.contains(part), "{outcome:?}");
        let document = document(&OUTCOME, &outcome);
        assert_eq!(document["exit_code"], code);
        assert_eq!(document["started_at"], Value::Null);
        let message = document["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
    node.write("slapos.cfg", "[slapos]\ncomputer_id = COMP-1\n");
    let outcome = grid(&node, &["--json"]).expect(2);
    let document = document(&OUTCOME, &outcome);
    let message = document["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("master_url"), "{message}");
}

#[test]
fn what_was_done_is_told_although_a_later_phase_cannot_begin() {
    let (node, master) = deployed();
    let bootstrap = node.fake_bootstrap("echo building");
    node.configure(&[("buildout", &bootstrap)]);
    master.script().releases = vec![(RELEASE.to_owned(), SoftwareState::Available)];
    let outcome = grid(&node, &["--json", "--only-cp", "slappart7"]).expect(1);
    let document = document(&OUTCOME, &outcome);
    assert_eq!(document["releases"][0]["result"], "done");
    let message = document["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("slappart7"), "{message}");
    assert!(outcome.stderr.contains(message), "{outcome:?}");
    assert_eq!(document["phases"].as_array().unwrap().len(), 1);
}

#[test]
fn supervisord_that_must_not_be_started_is_an_error_of_the_plan() {
    let node = Node::new();
    node.configure(&[("forbid_supervisord_automatic_launch", "true")]);
    let _master = ScriptedMaster::start(node.master_port);
    let plan = plan(&node, 1);
    let message = plan["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("supervisord does not run"), "{message}");
    assert_eq!(plan["node"], serde_json::json!([]));
}

#[test]
fn names_that_no_master_should_have_stop_no_plan() {
    let (node, master) = deployed();
    let url = master.script().instance("slappart0").release.clone();
    master
        .script()
        .instances
        .push(Instance::new("../evil", &url));
    let mut odd = Instance::new("slappart1", &url);
    odd.state = "run\u{9b}ning".to_owned();
    master.script().instances.push(odd);
    master.script().free.clear();
    let plan = plan(&node, 1);
    let message = plan["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("../evil"), "{message}");
    assert_eq!(plan["partitions"][1]["action"], "refuse_state");
    let text = grid(&node, &["--dry-run"]).expect(1).stdout;
    assert!(text.contains("refuse slappart1: unknown state"), "{text}");
    assert!(!text.contains('\u{9b}'), "{text}");
}

#[test]
fn help_tells_the_exit_codes_and_wrong_command_lines_print_no_document() {
    let node = Node::new();
    let help = grid(&node, &["--json", "--help"]).expect(0).stdout;
    assert!(help.contains("4  with --dry-run"), "{help}");
    for arguments in [
        &["--json", "--dry-run", "--boot"][..],
        &["--json", "--log-format", "nonsense"],
        &["--json", "--quiet", "--verbose"],
    ] {
        let outcome = grid(&node, arguments).expect(2);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains("Usage") || outcome.stderr.contains("possible values"));
    }
    assert!(!Path::new(&node.instance_root()).join("var").exists());
}
