use std::path::Path;
use std::thread;

use super::*;
use crate::environment::Environment;
use crate::process::Mode;

fn shell(script: &str) -> Program {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let environment = Environment::empty().with("PATH", path);
    Program::new("/bin/sh", ["-c", script], Path::new("/"), environment)
}

fn never() -> Interruption {
    Interruption::new().unwrap()
}

fn run_quietly(program: &Program) -> Result<Finished, ProcessError> {
    run(program, &never(), &mut |_| {})
}

/// Whether a process lives; a zombie does not.
fn lives(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

fn wait_for_end(pid: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while lives(pid) {
        assert!(Instant::now() < deadline, "process {pid} still lives");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn output_and_errors_come_in_order() {
    let mut lines = Vec::new();
    let program = shell("echo one; echo two >&2; echo three");
    let finished = run(&program, &never(), &mut |line| {
        lines.push(line.text.to_owned())
    })
    .unwrap();
    assert!(finished.is_success());
    assert_eq!(lines, ["one", "two", "three"]);
    assert_eq!(finished.output.to_string(), "one\ntwo\nthree\n");
}

#[test]
fn errors_can_be_kept_apart() {
    let mut program = shell("echo one; echo two >&2");
    program.errors = Errors::Apart;
    let finished = run_quietly(&program).unwrap();
    assert_eq!(finished.output.to_string(), "one\n");
    assert_eq!(finished.errors.to_string(), "two\n");
}

#[test]
fn input_is_read_and_may_be_left_unread() {
    let mut program = shell("wc -c");
    program.input = vec![b'x'; 1 << 20];
    let finished = run_quietly(&program).unwrap();
    assert_eq!(finished.output.to_string(), "1048576\n");
    let mut program = shell("true");
    program.input = vec![b'x'; 1 << 20];
    assert!(run_quietly(&program).unwrap().is_success());
    assert!(run_quietly(&shell("cat")).unwrap().output.is_empty());
}

#[test]
fn scripts_run_through_their_interpreter_and_keep_their_name() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    std::fs::write(&script, "echo $0 $1; exit 3").unwrap();
    let mut program = shell("");
    program.path = script.clone();
    program.arguments = vec!["word".into()];
    program.interpreter = Some(("/bin/sh".into(), Some("-e".into())));
    let error = run_quietly(&program).unwrap().into_success().unwrap_err();
    let shown = script.display().to_string();
    assert_eq!(
        error.output().unwrap().to_string(),
        format!("{shown} word\n")
    );
    assert!(error.to_string().starts_with(&shown), "{error}");
    program.interpreter = Some(("/no/such/interpreter".into(), None));
    let error = run_quietly(&program).unwrap_err().to_string();
    assert!(error.contains("/no/such/interpreter"), "{error}");
}

#[test]
fn foreground_programs_have_our_process_group() {
    let group = nix::unistd::getpgrp();
    let script = format!("test $(ps -o pgid= -p $$) = {group}");
    assert!(run_in_foreground(&shell(&script)).unwrap().is_success());
    assert!(!run_in_foreground(&shell("exit 3")).unwrap().is_success());
}

#[test]
fn leftovers_are_killed_on_request() {
    let script = "sleep 1000 & echo $!";
    let finished = run_quietly(&shell(script)).unwrap();
    let kept = finished.output.to_string().trim().to_owned();
    assert!(lives(&kept));
    let mut program = shell(script);
    program.leftovers = Leftovers::Killed;
    let finished = run_quietly(&program).unwrap();
    assert!(finished.is_success());
    wait_for_end(finished.output.to_string().trim());
    let kept = Pid::from_raw(kept.parse().unwrap()).unwrap();
    rustix::process::kill_process(kept, Signal::KILL).unwrap();
}

#[test]
fn lines_of_a_program_that_is_known_for_long_ones_are_not_cut() {
    let mut program = shell("head -c 100000 /dev/zero | tr '\\0' x");
    for (longest, lines) in [(1 << 13, 13), (1 << 17, 1)] {
        program.longest_line = longest;
        let mut count = 0;
        run(&program, &never(), &mut |_| count += 1).unwrap();
        assert_eq!(count, lines);
    }
}

#[test]
fn bad_ending_is_told_with_the_last_lines() {
    let error = run_quietly(&shell("echo why >&2; exit 3"))
        .unwrap()
        .into_success()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "/bin/sh failed (exit status 3), its last lines:\nwhy"
    );
    let finished = run_quietly(&shell("kill -9 $$")).unwrap();
    assert_eq!(finished.ending, Ending::Signaled(9));
}

#[test]
fn missing_program_is_named() {
    let program = Program::new(
        "/nonexistent/buildout",
        [""; 0],
        Path::new("/"),
        Environment::empty(),
    );
    let error = run_quietly(&program).unwrap_err();
    assert_eq!(error.to_string(), "cannot start /nonexistent/buildout");
}

#[test]
fn missing_directory_is_an_error() {
    let mut program = shell("true");
    program.directory = "/nonexistent".into();
    assert!(matches!(
        run_quietly(&program),
        Err(ProcessError::Start { .. })
    ));
}

#[test]
fn environment_is_exactly_the_given_one() {
    let mut program = shell("env");
    program.path = "/usr/bin/env".into();
    program.arguments.clear();
    program.environment = Environment::empty().with("A", "1");
    assert_eq!(run_quietly(&program).unwrap().output.to_string(), "A=1\n");
}

#[test]
fn file_mode_mask_is_set_for_the_child_only() {
    let mut program = shell("umask");
    program.umask = Some(Mode::from_bits_truncate(0o027));
    let own = run_quietly(&shell("umask")).unwrap().output;
    assert_eq!(run_quietly(&program).unwrap().output.to_string(), "0027\n");
    assert_eq!(run_quietly(&shell("umask")).unwrap().output, own);
}

#[test]
fn there_is_nothing_to_read() {
    assert_eq!(
        run_quietly(&shell("cat; echo end"))
            .unwrap()
            .output
            .to_string(),
        "end\n"
    );
}

#[test]
fn timeout_kills_the_whole_group() {
    let mut program = shell("sleep 1000 & echo $!; trap '' TERM; wait; wait");
    program.timeout = Some(Duration::from_millis(300));
    let error = run_quietly(&program).unwrap_err();
    let ProcessError::TimedOut { output, .. } = &error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains("took longer than 0.3 seconds"));
    wait_for_end(output.to_string().trim());
}

#[test]
fn group_that_ignores_the_request_is_killed() {
    let mut program = shell("trap '' TERM; echo $$; while :; do sleep 1; done");
    program.timeout = Some(Duration::from_millis(300));
    let Err(ProcessError::TimedOut { output, .. }) = run_quietly(&program) else {
        panic!("no timeout");
    };
    wait_for_end(output.to_string().trim());
}

#[test]
fn children_that_keep_the_pipe_are_not_waited_for() {
    let started = Instant::now();
    let finished = run_quietly(&shell("sleep 1000 & echo $!")).unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
    let pid = finished.output.to_string();
    assert!(lives(pid.trim()), "what was left running is not killed");
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}

#[test]
fn closed_pipes_do_not_end_the_wait() {
    let program = shell("exec >&- 2>&-; sleep 0.3; exit 7");
    assert_eq!(run_quietly(&program).unwrap().ending, Ending::Exited(7));
}

#[test]
fn flood_of_output_is_kept_bounded() {
    let finished = run_quietly(&shell(
        "head -c 20000000 /dev/zero | tr '\\0' 'x\\n'; echo end",
    ))
    .unwrap();
    let text = finished.output.to_string();
    assert!(text.len() < 100_000, "{}", text.len());
    assert!(text.ends_with("end\n"));
}

#[test]
fn invalid_utf8_is_replaced() {
    let finished = run_quietly(&shell("printf 'caf\\351\\n'")).unwrap();
    assert_eq!(finished.output.to_string(), "caf\u{fffd}\n");
}

#[test]
fn interruption_ends_the_group() {
    let interruption = never();
    let order = interruption.clone();
    let program = shell("sleep 1000 & echo $!; wait");
    let mut pid = String::new();
    let result = run(&program, &interruption, &mut |line| {
        line.text.clone_into(&mut pid);
        order.interrupt();
    });
    assert!(result.is_err_and(|error| error.is_interruption()));
    wait_for_end(&pid);
}

#[test]
fn inherited_descriptors_are_not_passed_on() {
    let file = File::open("/dev/null").unwrap();
    fcntl(file.as_fd(), FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let descriptors = run_quietly(&shell("ls /proc/self/fd | wc -l"))
        .unwrap()
        .output;
    // Those of `ls`: the three standard ones and the directory.
    assert_eq!(descriptors.to_string().trim(), "4");
}

#[test]
fn many_threads_reap_only_their_own() {
    let run_one = |code: i32| {
        let finished = run_quietly(&shell(&format!("exit {code}"))).unwrap();
        assert_eq!(finished.ending, Ending::Exited(code));
    };
    thread::scope(|scope| {
        for code in 0..16 {
            scope.spawn(move || (0..5).for_each(|_| run_one(code)));
        }
    });
}

/// Dropping privileges, which only root can.
#[cfg(feature = "root-tests")]
mod as_root {
    use nix::unistd::{Gid, Uid};

    use super::*;
    use crate::process::Account;

    fn nobody() -> Account {
        Account {
            name: "nobody".to_owned(),
            uid: Uid::from_raw(65_534),
            gid: Gid::from_raw(65_533),
            groups: vec![Gid::from_raw(65_533), Gid::from_raw(65_532)],
            home: "/nonexistent".into(),
        }
    }

    #[test]
    fn program_has_only_the_accounts_ids() {
        let mut program = shell("grep -E '^(Uid|Gid|Groups)' /proc/self/status");
        program.account = Some(nobody());
        let expected = "Uid:\t65534\t65534\t65534\t65534\nGid:\t65533\t65533\t65533\t65533\n\
                        Groups:\t65532 65533 \n";
        assert_eq!(run_quietly(&program).unwrap().output.to_string(), expected);
    }

    #[test]
    fn accounts_with_root_ids_are_refused() {
        let uid = |account: &mut Account| account.uid = Uid::from_raw(0);
        let gid = |account: &mut Account| account.gid = Gid::from_raw(0);
        let group = |account: &mut Account| account.groups.push(Gid::from_raw(0));
        for spoil in [uid, gid, group] {
            let mut account = nobody();
            spoil(&mut account);
            let mut program = shell("true");
            program.account = Some(account);
            assert!(matches!(
                run_quietly(&program),
                Err(ProcessError::RootRefused { .. })
            ));
        }
    }
}
