//! Without a prompt: `-e`, a file, standard input.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use slapos_tests::{Outcome, places};

use crate::{Console, KVM};

const PROGRAM: &str = "\
def states(names):
    return {name: request(kvm, name).getState() for name in names}

for name, state in states([\"a\", \"b\"]).items():
    if state == \"started\":
        print(f\"{name}:\", state)
software_list
";

#[test]
fn an_expression_prints_its_value() {
    let console = Console::new();
    for (expression, value) in [
        ("1 + 1", "2"),
        ("kvm", KVM),
        ("[kvm]", &format!("[\"{KVM}\"]")),
        ("None", ""),
        ("x = 5\nx * 2", "10"),
        (
            "software_list",
            &format!("[\"{KVM}\", \"http://example.org/web.cfg\"]"),
        ),
        ("json.decode('{\"a\": 1.50}')", "{\"a\": 1.5}"),
        ("[x for x in range(10) if x % 2]", "[1, 3, 5, 7, 9]"),
        ("sleep(0.01)", ""),
        ("print(1, 'a')", "1 a"),
    ] {
        assert_eq!(console.value(expression), value, "{expression}");
    }
}

#[test]
fn files_and_standard_input_run_without_a_prompt() {
    let console = Console::new();
    let path = console.master.path().join("program.star");
    fs::write(&path, PROGRAM).unwrap();
    let outcome = Outcome::of(&mut console.command(&[path.to_str().unwrap()])).expect(0);
    assert_eq!(outcome.text(), "a: started\nb: started\n");
    let mut command = console.command(&[]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut run = command.spawn().unwrap();
    let mut input = run.stdin.take().unwrap();
    input.write_all(PROGRAM.as_bytes()).unwrap();
    drop(input);
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"a: started\nb: started\n");
}

#[test]
fn the_console_of_slapos_is_the_same() {
    let console = Console::new();
    let configuration = console.configuration();
    let mut command = Command::new(places::tool("slapos"));
    command.args(["console", "--cfg"]).arg(&configuration);
    let outcome = Outcome::of(command.args(["-e", "request(kvm, 'x').getState()"])).expect(0);
    assert_eq!(outcome.text(), "started\n");
    let path = console.master.path().join("program.star");
    fs::write(&path, "request(kvm)").unwrap();
    let mut command = Command::new(places::tool("slapos"));
    command.args(["console", "--cfg"]).arg(&configuration);
    let outcome = Outcome::of(command.arg(path)).expect(1);
    assert!(outcome.stderr.starts_with("slapos: "), "{outcome:?}");
}

#[test]
fn failures_name_file_and_line_and_what_was_done_before_stays() {
    let console = Console::new();
    let path = console.master.path().join("program.star");
    fs::write(
        &path,
        "print(request(kvm, \"a\"))\n\nrequest(kvm)\nprint(2)\n",
    )
    .unwrap();
    let outcome = Outcome::of(&mut console.command(&[path.to_str().unwrap()])).expect(1);
    assert_eq!(
        outcome.stdout,
        "<ComputerPartition COMP-1/slappart0 started>\n"
    );
    let place = format!("slapconsole: {}, line 3: ", path.display());
    assert!(outcome.stderr.starts_with(&place), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
}

#[test]
fn a_full_disk_is_told() {
    let console = Console::new();
    for expression in ["1", "print(1)", "help()"] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = console.command(&["-e", expression]);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{expression}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(
            message.contains("cannot write to standard output"),
            "{message}"
        );
    }
}

#[test]
fn a_program_says_its_exit_code() {
    let console = Console::new();
    for (expression, code) in [("exit()", 0), ("exit(3)", 3), ("quit(255)", 255)] {
        let outcome = Outcome::of(&mut console.command(&["-e", expression])).expect(code);
        assert_eq!(outcome.text(), "");
    }
}

#[test]
fn help_explains_what_there_is() {
    let console = Console::new();
    let overview = console.value("help()");
    for part in ["request(", "supply(", "slap", "software_list", "kvm"] {
        assert!(overview.contains(part), "{part} in {overview}");
    }
    let request = console.value("help(request)");
    let signature = "request(software_release, partition_reference, partition_parameter_kw=None, \
        software_type=None, filter_kw=None, state=None, shared=False)";
    assert!(request.starts_with(signature), "{request}");
    let instance = console.value("help(request(kvm, 'x'))");
    assert!(
        instance.contains("getConnectionParameter(key)"),
        "{instance}"
    );
    let method = console.value("help(slap.registerComputer)");
    assert!(
        method.starts_with("registerComputer(computer_guid)"),
        "{method}"
    );
    let own = console.value("def f(a, b=1):\n    \"\"\"Adds.\"\"\"\n    return a + b\nhelp(f)");
    assert!(
        own.starts_with("f(a, b=1)") && own.contains("Adds."),
        "{own}"
    );
}

#[test]
fn large_answers_are_written_whole_and_a_reader_may_go_away() {
    let console = Console::new();
    let lines = console.value("print('\\n'.join([str(i) for i in range(100000)]))");
    assert_eq!(lines.lines().count(), 100_000);
    for endless in [
        "for i in range(2000000000): print(i)",
        "[help() for i in range(2000000000)]",
    ] {
        let program = console.command(&["-e", endless]);
        let mut shell = Command::new("/bin/bash");
        shell.args(["-c", "\"$0\" \"$@\" | head -n 1; exit ${PIPESTATUS[0]}"]);
        shell.arg(program.get_program()).args(program.get_args());
        // What a shell says of a program that SIGPIPE ended.
        let outcome = Outcome::of(&mut shell).expect(128 + 13);
        assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
        assert_eq!(outcome.stderr, "");
    }
}
