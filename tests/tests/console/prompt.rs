//! The prompt on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use slapos_tests::{Misbehaviour, Node, ScriptedMaster, Terminal};

use crate::{Console, command, write_configuration};

#[test]
fn tab_completes_names_methods_and_parameters() {
    let console = Console::new();
    for (typed, completed) in [
        ("req\t", ">>> request("),
        ("kv\t", ">>> kvm"),
        ("software_\t", ">>> software_list"),
        ("slap.registerOp\t", ">>> slap.registerOpenOrder("),
        (
            "request(kvm, 'x', partition_p\t",
            ">>> request(kvm, 'x', partition_parameter_kw=",
        ),
        (
            "slap.registerSupply().supply(kvm, comp\t",
            ">>> slap.registerSupply().supply(kvm, computer_guid=",
        ),
        (
            "request(kvm, 'x').getConnectionParameterD\t",
            ">>> request(kvm, 'x').getConnectionParameterDict(",
        ),
        (
            "slap.registerComputer('C').getComputerPartitionList()[0].ren\t",
            ">>> slap.registerComputer('C').getComputerPartitionList()[0].rename(",
        ),
        ("kvm.upp\t", ">>> kvm.upper("),
        ("'req\t", ">>> 'req"),
    ] {
        let mut prompt = console.prompt();
        prompt.keys(typed);
        let screen = prompt.wait_for_line(completed);
        assert_eq!(screen.matches(">>>").count(), 1, "{screen}");
    }
}

#[test]
fn two_tabs_list_what_there_is() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("slap.register\t\t");
    for name in [
        "registerComputer(",
        "registerComputerPartition(",
        "registerSupply(",
    ] {
        prompt.wait_for(name);
    }
}

#[test]
fn own_names_are_completed_too() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.enter(">>>", "my_instance = request(kvm, 'x')");
    prompt.keys("my_i\t.getSta\t");
    prompt.wait_for_line(">>> my_instance.getStat");
    prompt.keys("e()\r");
    prompt.wait_for("\"started\"");
}

#[test]
fn blocks_and_brackets_go_on_over_lines() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("def double(x):\r\treturn [\rx,\rx]\r\r");
    let screen = prompt.enter(">>>", "double(3)");
    assert!(screen.contains("\n    return [\nx,\nx]\n"), "{screen}");
    assert!(screen.contains("\n[3, 3]\n"), "{screen}");
}

#[test]
fn what_is_pasted_is_run_as_a_whole() {
    let console = Console::new();
    let mut prompt = console.prompt();
    let lines = ">>> for name in [\"a\", \"b\"]:\r...     print(name * 3)\r... \r>>> kvm";
    prompt.keys(&format!("\u{1b}[200~{lines}\u{1b}[201~\r"));
    prompt.wait_for_end("\naaa\nbbb\n\"http://example.org/kvm/software.cfg\"\n>>>");
}

#[test]
fn lines_that_come_at_once_are_run_one_after_the_other() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("x = 20\rx = x + 3\rx\r");
    prompt.wait_for_end("\n23\n>>>");
}

#[test]
fn the_history_is_kept_for_the_next_prompt_and_for_nobody_else() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.enter(">>>", "40 + 2");
    prompt.keys("[1,\r2]\r");
    prompt.wait_for("[1, 2]\n>>>");
    prompt.keys("\u{4}");
    assert_eq!(prompt.end().code(), Some(0));
    let path = console
        .master
        .path()
        .join("state/slapos/slapconsole_history");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.parent().unwrap().to_owned()), 0o700);
    let mut prompt = console.prompt();
    prompt.keys("\u{1b}[A\u{1b}[A\u{1b}[A\r");
    prompt.wait_for(">>> 40 + 2\n42\n>>>");
    prompt.keys("\u{12}[1");
    prompt.wait_for("2]");
}

#[test]
fn what_begins_with_a_blank_runs_and_is_not_kept() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys(" 'sec' + 'ret'\r");
    prompt.wait_for_end("\n\"secret\"\n>>>");
    prompt.keys(" for c in ['s3', 'cret']:\r\tprint(c * 2)\r\r");
    prompt.wait_for_end("\ns3s3\ncretcret\n>>>");
    prompt.enter(">>>", "40 + 2");
    let path = console
        .master
        .path()
        .join("state/slapos/slapconsole_history");
    let kept = fs::read_to_string(path).unwrap();
    assert!(kept.contains("40 + 2"), "{kept}");
    assert!(!kept.contains("sec") && !kept.contains("cret"), "{kept}");
    let screen = prompt.enter(">>>", "help()");
    assert!(screen.contains("what begins with a blank"), "{screen}");
}

#[test]
fn what_is_no_utf8_is_told_and_the_prompt_goes_on() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.bytes(b"1 + \xff");
    prompt.wait_for("slapconsole: what was typed is no UTF-8");
    prompt.wait_for_line(">>>");
    let screen = prompt.enter(">>>", "20 + 3");
    assert!(screen.contains("\n23\n"), "{screen}");
    prompt.keys("\u{4}");
    assert_eq!(prompt.end().code(), Some(0));
}

#[test]
fn ctrl_c_gives_up_the_line_and_ctrl_d_leaves() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("request(kvm,\r\"x\"");
    prompt.wait_for("\"x\"");
    prompt.keys("\u{3}");
    prompt.wait_for_line(">>>");
    prompt.keys("1 + 1\r");
    prompt.wait_for(">>> 1 + 1\n2\n>>>");
    prompt.keys("\u{4}");
    assert_eq!(prompt.end().code(), Some(0));
}

#[test]
fn ctrl_c_interrupts_what_runs() {
    let console = Console::new();
    let mut prompt = console.prompt();
    for endless in ["for i in range(2000000000): i\r\r", "sleep(3600)\r"] {
        prompt.keys(&format!("print('it', 'runs')\r{endless}"));
        prompt.wait_for("it runs");
        prompt.wait_for(endless.trim_end());
        prompt.keys("\u{3}");
        prompt.wait_for("slapconsole: interrupted");
        prompt.wait_for_line(">>>");
        prompt.keys("\u{c}");
    }
    let screen = prompt.enter(">>>", "20 + 3");
    assert!(screen.contains("\n23\n"), "{screen}");
}

#[test]
fn ctrl_c_ends_a_loop_of_pauses() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("for i in range(200):\r\tprint('step', i)\r\tsleep(60)\r\r");
    prompt.wait_for("\nstep 0");
    prompt.keys("\u{3}");
    let screen = prompt.wait_for("slapconsole: interrupted");
    assert!(!screen.contains("step 1"), "{screen}");
    prompt.wait_for_line(">>>");
}

#[test]
fn ctrl_c_interrupts_a_request_that_hangs() {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    master
        .script()
        .fail_always("requestComputerPartition", Misbehaviour::Silence);
    let configuration = node.path().join("user.cfg");
    write_configuration(&configuration, &node.master_url());
    let mut prompt = Terminal::start(&command(&configuration, node.path(), &[]));
    prompt.wait_for_line(">>>");
    prompt.keys("request(kvm, 'x')\r");
    slapos_tests::poll::until("it is asked", std::time::Duration::from_secs(30), || {
        !master.calls().is_empty()
    });
    prompt.keys("\u{3}");
    prompt.wait_for("slapconsole: interrupted");
    prompt.wait_for_line(">>>");
    let screen = prompt.enter(">>>", "1 + 1");
    assert!(screen.contains("\n2\n"), "{screen}");
}

#[test]
fn a_mistake_is_told_and_the_prompt_goes_on() {
    let console = Console::new();
    let mut prompt = console.prompt();
    let screen = prompt.enter(">>>", "requst(kvm)");
    assert!(screen.contains("did you mean `request`?"), "{screen}");
    let screen = prompt.enter(">>>", "kvm = 'http://other/'; kvm");
    assert!(screen.contains("\"http://other/\""), "{screen}");
    prompt.keys("exit(7)\r");
    assert_eq!(prompt.end().code(), Some(7));
}

#[test]
fn an_alias_that_is_no_name_is_told() {
    let console = Console::new();
    let prompt = console.prompt();
    let screen = prompt.contents();
    assert!(
        screen.contains("the alias \"my-web\" is no variable"),
        "{screen}"
    );
}

#[test]
fn a_long_answer_is_shown_whole() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("[i for i in range(10000)]\r");
    prompt.wait_for_end("\n  9998,\n  9999\n]\n>>>");
    let screen = prompt.enter(">>>", "1 + 1");
    assert!(screen.contains("\n2\n"), "{screen}");
}

#[test]
fn a_terminal_that_is_resized_shows_the_line_rightly() {
    let console = Console::new();
    let mut prompt = console.prompt();
    prompt.keys("request(kvm, 'x', filter_kw={'computer_guid': 'COMP-12345'})");
    prompt.wait_for("'COMP-12345'})");
    prompt.resize(40, 40);
    prompt.wait_for("puter_guid': 'COMP-12345'})");
    prompt.keys("\u{1}\u{5}.getId()");
    prompt.wait_for("puter_guid': 'COMP-12345'}).getId()");
    prompt.keys("\r");
    let screen = prompt.wait_for_line(">>>");
    assert!(screen.contains("\"slappart0\""), "{screen}");
}

#[test]
fn nothing_that_is_shown_commands_the_terminal() {
    let console = Console::new();
    let mut prompt = console.prompt();
    let screen = prompt.enter(">>>", "print('\\x1b[2Jgone')");
    assert!(screen.contains("\\u{1b}[2Jgone"), "{screen}");
}
