//! Running one program to its end.

use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use slapos_fs::step;

use super::lines::LineBuffer;
use super::{
    Channel, Ending, Errors, Excerpt, Finished, Interruption, Leftovers, Line, ProcessError,
    Program, privileges,
};

/// How long a process group may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How often a group that was told to end is looked at.
const GRACE_INTERVAL: Duration = Duration::from_millis(20);

/// Runs a program until it ends, takes too long or slapgrid is told to end. Lines of its output
/// are handed on as they come.
///
/// What the program itself started and left running is not waited for; it is killed if
/// [`Program::leftovers`] says so.
///
/// # Errors
/// It could not be started or was ended by us. A bad exit status is no error here, see
/// [`Finished::into_success`].
pub(crate) fn run(
    program: &Program,
    interruption: &Interruption,
    hand_on: &mut dyn FnMut(Line<'_>),
) -> Result<Finished, ProcessError> {
    if interruption.is_requested() {
        let program = program.path.clone();
        return Err(ProcessError::Interrupted { program });
    }
    let deadline = program
        .timeout
        .and_then(|timeout| Instant::now().checked_add(timeout));
    let mut running = Running::start(program)?;
    step("started", &program.path);
    let lost = |source| ProcessError::Wait {
        program: program.path.clone(),
        source,
    };
    let watched = running.watch(interruption, deadline, hand_on);
    if !matches!(watched, Ok(Reason::Ended)) {
        running.end_group();
    } else if program.leftovers == Leftovers::Killed {
        // The leader is not waited for yet: the group's number cannot be another's.
        let _ = kill_process_group(running.group, Signal::KILL);
    }
    let status = running.child.wait().map_err(lost)?;
    step("ran", &program.path);
    let reason = watched.map_err(lost)?;
    running.drain(hand_on);
    running.conclude(program, reason, status)
}

/// Runs a program with slapgrid's own terminal, for a person who works with it: it reads and prints
/// there, and has all the time it needs.
///
/// # Errors
/// It could not be started. A bad exit status is no error here.
pub(crate) fn run_in_foreground(program: &Program) -> Result<Finished, ProcessError> {
    let mut command = command(program);
    prepare(&mut command, program)?;
    let status = command.status().map_err(not_started(program))?;
    Ok(Finished {
        program: program.path.clone(),
        ending: ending(status),
        output: Excerpt::default(),
        errors: Excerpt::default(),
    })
}

/// Becomes the program: slapgrid ends here.
///
/// # Errors
/// The program could not be started, which is the only way to come back.
pub(crate) fn replace_self(program: &Program) -> ProcessError {
    not_started(program)(command(program).exec())
}

/// It is the interpreter that is missing if a script is there and cannot be started.
fn not_started(program: &Program) -> impl Fn(io::Error) -> ProcessError + '_ {
    let interpreter = program.interpreter.as_ref().map(|(path, _)| path);
    move |source| ProcessError::Start {
        program: interpreter.unwrap_or(&program.path).clone(),
        source,
    }
}

fn command(program: &Program) -> Command {
    let mut command = match &program.interpreter {
        Some((interpreter, argument)) => {
            let mut command = Command::new(interpreter);
            command.args(argument).arg(&program.path);
            command
        }
        None => Command::new(&program.path),
    };
    command
        .args(&program.arguments)
        .current_dir(&program.directory)
        .env_clear()
        .envs(program.environment.iter());
    command
}

fn prepare(command: &mut Command, program: &Program) -> Result<(), ProcessError> {
    let account = program.account.as_ref();
    privileges::prepare(command, account, program.umask).map_err(|_| ProcessError::RootRefused {
        program: program.path.clone(),
        account: account.map_or_else(String::new, |account| account.name.clone()),
    })
}

/// What a program reads: from memory, so that one which does not read cannot keep us waiting.
fn input(bytes: &[u8]) -> io::Result<Stdio> {
    if bytes.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = File::from(memfd_create(c"input", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// Why watching a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Ended,
    TimedOut,
    Interrupted,
}

/// One of the pipes that a program writes to.
struct Stream {
    pipe: Option<PipeReader>,
    buffer: LineBuffer,
    excerpt: Excerpt,
    channel: Channel,
}

/// A program that was started.
struct Running {
    child: Child,
    group: Pid,
    end: OwnedFd,
    streams: Vec<Stream>,
}

impl Running {
    fn start(program: &Program) -> Result<Self, ProcessError> {
        let failed = not_started(program);
        let mut command = command(program);
        command.process_group(0);
        let streams = connect(&mut command, program).map_err(&failed)?;
        command.stdin(input(&program.input).map_err(&failed)?);
        prepare(&mut command, program)?;
        let child = command.spawn().map_err(&failed)?;
        // The command holds the pipes' other ends, which would never be closed.
        drop(command);
        Running::follow(child, streams).map_err(failed)
    }

    fn follow(mut child: Child, streams: Vec<Stream>) -> io::Result<Self> {
        let group = Pid::from_child(&child);
        match pidfd_open(group, PidfdFlags::empty()) {
            Ok(end) => Ok(Running {
                child,
                group,
                end,
                streams,
            }),
            Err(error) => {
                let _ = kill_process_group(group, Signal::KILL);
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Reads output until the program ends, or until it is to be ended.
    fn watch(
        &mut self,
        interruption: &Interruption,
        deadline: Option<Instant>,
        hand_on: &mut dyn FnMut(Line<'_>),
    ) -> io::Result<Reason> {
        loop {
            let remaining =
                deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if remaining.is_some_and(|time| time.is_zero()) {
                return Ok(Reason::TimedOut);
            }
            let ready = self.wait(interruption, remaining)?;
            if ready.interrupted {
                return Ok(Reason::Interrupted);
            }
            for index in ready.streams {
                self.streams[index].read_once(hand_on)?;
            }
            if ready.ended {
                return Ok(Reason::Ended);
            }
        }
    }

    /// Sleeps until something happens.
    fn wait(&self, interruption: &Interruption, timeout: Option<Duration>) -> io::Result<Ready> {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let open = self.streams.iter().enumerate();
        let open: Vec<(usize, &PipeReader)> = open
            .filter_map(|(index, stream)| Some((index, stream.pipe.as_ref()?)))
            .collect();
        let mut watched = vec![
            PollFd::new(&self.end, PollFlags::IN),
            PollFd::new(interruption, PollFlags::IN),
        ];
        watched.extend(
            open.iter()
                .map(|(_, pipe)| PollFd::new(*pipe, PollFlags::IN)),
        );
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        let streams = open.iter().zip(&is_ready[2..]).filter(|(_, ready)| **ready);
        Ok(Ready {
            ended: is_ready[0],
            interrupted: is_ready[1],
            streams: streams.map(|((index, _), _)| *index).collect(),
        })
    }

    /// Asks the process group to end, and kills it when it does not.
    fn end_group(&mut self) {
        let deadline = Instant::now() + GRACE;
        let _ = kill_process_group(self.group, Signal::TERM);
        while self.group_exists() {
            if Instant::now() >= deadline {
                let _ = kill_process_group(self.group, Signal::KILL);
                return;
            }
            std::thread::sleep(GRACE_INTERVAL);
        }
    }

    /// Whether anything of the group lives: only then is its number not used for others. The
    /// leader, dead but not waited for, would count.
    fn group_exists(&mut self) -> bool {
        let leader_lives = !matches!(self.child.try_wait(), Ok(Some(_)));
        leader_lives || rustix::process::test_kill_process_group(self.group).is_ok()
    }

    /// Takes what is left in the pipes. Those who still hold their other ends are not waited for.
    fn drain(&mut self, hand_on: &mut dyn FnMut(Line<'_>)) {
        for stream in &mut self.streams {
            stream.drain(hand_on);
        }
    }

    fn conclude(
        self,
        program: &Program,
        reason: Reason,
        status: ExitStatus,
    ) -> Result<Finished, ProcessError> {
        let path = program.path.clone();
        let mut excerpts = self.streams.into_iter().map(|stream| stream.excerpt);
        let output = excerpts.next().unwrap_or_default();
        match reason {
            Reason::Ended => Ok(Finished {
                program: path,
                ending: ending(status),
                output,
                errors: excerpts.next().unwrap_or_default(),
            }),
            Reason::TimedOut => Err(ProcessError::TimedOut {
                program: path,
                timeout: program.timeout.unwrap_or_default(),
                output: Box::new(output),
            }),
            Reason::Interrupted => Err(ProcessError::Interrupted { program: path }),
        }
    }
}

/// What a wait has found.
struct Ready {
    ended: bool,
    interrupted: bool,
    streams: Vec<usize>,
}

impl Stream {
    fn new(pipe: PipeReader, channel: Channel, longest_line: usize) -> io::Result<Self> {
        // Reads must not wait for others who hold the pipe open.
        fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Stream {
            pipe: Some(pipe),
            buffer: LineBuffer::new(longest_line),
            excerpt: Excerpt::default(),
            channel,
        })
    }

    /// Reads once: whether there may be more.
    fn read_once(&mut self, hand_on: &mut dyn FnMut(Line<'_>)) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(false);
        };
        let mut bytes = [0; 16 * 1024];
        match pipe.read(&mut bytes) {
            Ok(0) => {
                self.pipe = None;
                Ok(false)
            }
            Ok(count) => {
                let (excerpt, channel) = (&mut self.excerpt, self.channel);
                self.buffer.push(&bytes[..count], &mut |text| {
                    excerpt.push(text);
                    hand_on(Line { channel, text });
                });
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, hand_on: &mut dyn FnMut(Line<'_>)) {
        // A program that was left running may write for ever.
        const READS: usize = 64;
        for _ in 0..READS {
            if !matches!(self.read_once(hand_on), Ok(true)) {
                break;
            }
        }
        let (excerpt, channel) = (&mut self.excerpt, self.channel);
        self.buffer.finish(&mut |text| {
            excerpt.push(text);
            hand_on(Line { channel, text });
        });
    }
}

fn connect(command: &mut Command, program: &Program) -> io::Result<Vec<Stream>> {
    let longest = program.longest_line;
    let (output, output_end) = io::pipe()?;
    let mut streams = vec![Stream::new(output, Channel::Output, longest)?];
    match program.errors {
        Errors::Merged => {
            command.stderr(output_end.try_clone()?);
        }
        Errors::Apart => {
            let (error, error_end) = io::pipe()?;
            command.stderr(error_end);
            streams.push(Stream::new(error, Channel::Error, longest)?);
        }
    }
    command.stdout(output_end);
    Ok(streams)
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, signal) => Ending::Signaled(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
