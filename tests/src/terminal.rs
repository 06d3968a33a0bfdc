//! A tool on a terminal, as a person sees and uses it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::unistd::ttyname;

use crate::poll;

/// How long a tool may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);
/// The terminal's rows.
const ROWS: u16 = 40;
/// Its columns.
const COLUMNS: u16 = 100;
/// Lines that have left the screen and can still be looked at.
const KEPT: usize = 20_000;

/// A running tool and its terminal. Dropping it kills the tool.
pub struct Terminal {
    keyboard: File,
    device: PathBuf,
    screen: Arc<Mutex<vt100::Parser>>,
    child: Child,
}

impl Terminal {
    /// Runs a command on a terminal of its own, which sends it signals.
    pub fn start(command: &Command) -> Self {
        let size = size(ROWS, COLUMNS);
        let pair = openpty(Some(&size), None).expect("a terminal is free");
        let slave: OwnedFd = pair.slave;
        let device = ttyname(&slave).expect("a terminal has a name");
        let copy = || Stdio::from(slave.try_clone().expect("a descriptor is free"));
        // Of the system's util-linux: the terminal becomes the one that controls the tool.
        let mut own = Command::new("setsid");
        own.arg("--ctty").arg(command.get_program());
        own.args(command.get_args());
        let variables = command.get_envs();
        own.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        let child = own
            .env("TERM", "xterm")
            .stdin(copy())
            .stdout(copy())
            .stderr(copy())
            .spawn()
            .expect("setsid is installed");
        // Its copies of the terminal would keep the reader waiting.
        drop(own);
        drop(slave);
        let rows = NonZero::new(ROWS).expect("there are rows");
        let columns = NonZero::new(COLUMNS).expect("there are columns");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, KEPT)));
        let keyboard = File::from(pair.master);
        let output = keyboard.try_clone().expect("a descriptor is free");
        let shown = screen.clone();
        std::thread::spawn(move || show(output, &shown));
        Self {
            keyboard,
            device,
            screen,
            child,
        }
    }

    fn parser(&self) -> MutexGuard<'_, vt100::Parser> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the screen shows.
    pub fn contents(&self) -> String {
        self.parser().screen().contents()
    }

    /// Types keys.
    pub fn keys(&mut self, keys: &str) {
        self.bytes(keys.as_bytes());
    }

    /// Types what may be no text.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let typed = self.keyboard.write_all(bytes);
        typed.expect("the terminal takes what is typed");
    }

    /// Waits until the screen's last line is this, and returns the screen.
    pub fn wait_for_line(&self, line: &str) -> String {
        self.wait(&format!("the last line is {line:?}"), |screen| {
            screen.trim_end().lines().last() == Some(line)
        })
    }

    /// Waits until the screen ends with this, but for blanks.
    pub fn wait_for_end(&self, text: &str) -> String {
        self.wait(&format!("{text:?} is at the end"), |screen| {
            screen.trim_end().ends_with(text)
        })
    }

    /// Types a line after a prompt, waits until the prompt is there again, and returns the screen.
    pub fn enter(&mut self, prompt: &str, line: &str) -> String {
        self.keys(&format!("{line}\r"));
        let entered = format!("{prompt} {line}");
        self.wait(&format!("{line:?} is done"), |screen| {
            let mut lines = screen.trim_end().lines().rev();
            lines.next() == Some(prompt) && lines.any(|line| line == entered)
        })
    }

    /// Waits until the screen shows this somewhere, and returns the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("{text:?} is shown"), |screen| {
            screen.contains(text)
        })
    }

    fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.contents();
            if condition(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "in vain until {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes the terminal larger or smaller; the tool is told.
    pub fn resize(&self, rows: u16, columns: u16) {
        let mut parser = self.parser();
        let (Some(height), Some(width)) = (NonZero::new(rows), NonZero::new(columns)) else {
            panic!("a terminal has rows and columns");
        };
        parser.screen_mut().set_size(height, width);
        let set = Command::new("stty")
            .arg("-F")
            .arg(&self.device)
            .args(["rows", &rows.to_string(), "cols", &columns.to_string()])
            .status();
        assert!(set.expect("stty is installed").success());
    }

    /// Waits for the end of the tool.
    pub fn end(mut self) -> ExitStatus {
        let mut status = None;
        poll::until("the tool has ended", PATIENCE, || {
            status = self.child.try_wait().expect("the tool is our child");
            status.is_some()
        });
        status.expect("it has ended")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// Shows what a tool writes until its end.
fn show(mut output: File, screen: &Mutex<vt100::Parser>) {
    let mut bytes = [0; 4096];
    // A terminal whose other end is closed gives an error in place of an end.
    while let Ok(count @ 1..) = output.read(&mut bytes) {
        let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.process(&bytes[..count]);
    }
}
