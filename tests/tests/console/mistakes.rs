//! Mistakes of new users, and what they read: one line that says what is wrong.

use slapos_tests::Outcome;

use crate::{Console, command};

#[test]
fn mistakes_are_told_in_a_line() {
    let console = Console::new();
    for (typed, part) in [
        (
            "requst(kvm, 'a')",
            "`requst` not found, did you mean `request`?",
        ),
        ("request(kvm)", "`partition_reference`"),
        ("request('x', 5)", "expected `str`, actual `int (repr: 5)`"),
        ("request(kvm, 'a', foo=1)", "`foo`"),
        (
            "request(kvm, 'a', 'x=1')",
            "partition_parameter_kw must be a dictionary",
        ),
        (
            "request(kvm, 'a', filter_kw={1: 2})",
            "filter_kw must be a dictionary",
        ),
        (
            "request(kvm, 'a', state='start')",
            "unknown state \"start\"",
        ),
        ("request(kvm, 'a').getStat()", "getStat"),
        (
            "request(kvm, 'a').getConnectionParameter('url')",
            "no connection parameter \"url\"; there is none yet",
        ),
        ("request(kvm, 'a').getInstanceParameter('ip')", "there is "),
        ("supply(kvm)", "computer_guid"),
        (
            "supply(kvm, 'COMP-1', 'gone')",
            "available or destroyed: unknown state \"gone\"",
        ),
        (
            "slap.registerComputer('nope').getComputerPartitionList()",
            "no computer nope",
        ),
        (
            "slap.registerComputerPartition('COMP-1', 'x')",
            "no partition x on computer COMP-1",
        ),
        (
            "request(kvm, 'b', filter_kw={'computer_guid': 'nope'})",
            "no free partition on computer nope",
        ),
        (
            "request(kvm, 'a', {'x': print})",
            "a value of type function cannot be sent",
        ),
        (
            "x = []\nx.append(x)\nrequest(kvm, 'a', {'x': x})",
            "line 3: what is sent",
        ),
        (
            "request(kvm, 'a', {'x': 1 << 300})",
            "is too large to be sent",
        ),
        ("request(kvm, 'a', {'x': '\\x01'})", "U+0001"),
        ("slap.initializeConnection('localhost')", "it has no scheme"),
        (
            "slap.initializeConnection('http://h/', key_file='k')",
            "cert_file is missing",
        ),
        (
            "slap.initializeConnection('http://h/', None, None, None, 0)",
            "a timeout has 1 or more seconds",
        ),
        (
            "slap.registerSoftwareRelease(kvm).building()",
            "computer_guid",
        ),
        ("slap.getSoftwareReleaseListFromSoftwareProduct()", "one of"),
        (
            "slap.registerComputer('COMP-1').updateConfiguration('<x/>')",
            "description",
        ),
        ("import os", "no modules"),
        ("while True: pass", "for i in range(N)"),
        ("try:\n  1\nexcept: pass", "errors cannot be caught"),
        ("class A: pass", "class"),
        ("print 'x'", "Parse error"),
        ("x = ", "Parse error"),
        ("(1", "expected symbol ')'"),
        ("'abc", "unfinished string"),
        (
            "def f(): return f()\nf()",
            "functions call each other too deeply",
        ),
        ("1/0", "division by zero"),
        ("{'a': 1}['b']", "\"b\""),
        ("[1][5]", "out of bound"),
        ("fail('why')", "why"),
        ("exit(999)", "0 to 255"),
        ("sleep(-1)", "a pause has"),
    ] {
        let message = console.mistake(typed);
        assert!(message.contains(part), "{typed:?}: {message}");
        for word in ["panicked", "Traceback", "backtrace", "RUST"] {
            assert!(!message.contains(word), "{typed:?}: {message}");
        }
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let console = Console::new();
    let path = console.master.path().join("deep");
    let deep = |text: &str| text.repeat(200_000);
    for program in [
        format!("{}1{}", deep("("), deep(")")),
        format!("{}[]", deep("[")),
        format!("x = {}1", deep("1+")),
        format!("x = {}1", deep("not ")),
        format!("x = slap{}", deep(".a")),
        format!("x = slap{}", deep("()")),
        format!("if x:\n  pass\n{}", deep("elif x:\n  pass\n")),
        (0..6000)
            .map(|level| format!("{}if 1:\n", " ".repeat(level)))
            .collect(),
    ] {
        std::fs::write(&path, program).unwrap();
        let outcome = Outcome::of(&mut console.command(&[path.to_str().unwrap()])).expect(1);
        assert!(outcome.stderr.contains("nested too deeply"), "{outcome:?}");
    }
}

#[test]
fn what_is_as_deep_as_allowed_runs() {
    let console = Console::new();
    let path = console.master.path().join("deep");
    for program in [
        format!("x = {}1{}", "(".repeat(4900), ")".repeat(4900)),
        format!("x = {}1", "1+".repeat(2400)),
        format!("x = {}1", "not ".repeat(4900)),
        format!("x = {}[]{}", "[".repeat(4900), "]".repeat(4900)),
        format!(
            "x = 1\nif x == 2:\n  pass\n{}",
            "elif x == 2:\n  pass\n".repeat(4900)
        ),
        format!("x = [{}]", "'text', ".repeat(100_000)),
        "x = 1\n".repeat(50_000),
    ] {
        std::fs::write(&path, program).unwrap();
        let outcome = Outcome::of(&mut console.command(&[path.to_str().unwrap()]));
        assert_eq!((outcome.code, outcome.text().as_str()), (Some(0), ""));
    }
}

#[test]
fn a_master_that_is_away_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("user.cfg");
    crate::write_configuration(&configuration, "http://127.0.0.1:1/");
    let run = |expression| {
        Outcome::of(&mut command(
            &configuration,
            directory.path(),
            &["-e", expression],
        ))
    };
    let outcome = run("request(kvm, 'x')").expect(1);
    assert!(
        outcome
            .stderr
            .contains("cannot connect to http://127.0.0.1:1/"),
        "{outcome:?}"
    );
    assert_eq!(run("1 + 1").expect(0).stdout, "2\n");
}

#[test]
fn files_that_are_no_scripts_are_named() {
    let console = Console::new();
    let outcome = Outcome::of(&mut console.command(&["/no/such.star"])).expect(1);
    assert!(
        outcome.stderr.contains("cannot read /no/such.star"),
        "{outcome:?}"
    );
    let binary = console.master.path().join("binary");
    std::fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
    let outcome = Outcome::of(&mut console.command(&[binary.to_str().unwrap()])).expect(1);
    assert!(outcome.stderr.contains("UTF-8"), "{outcome:?}");
    let outcome = Outcome::of(&mut console.command(&["-e", "1", "script"])).expect(2);
    assert!(
        outcome.stderr.contains("cannot be used with"),
        "{outcome:?}"
    );
}
