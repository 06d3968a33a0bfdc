//! The watchdog: a listener of supervisord that has an instance processed again when one of its
//! watched services ends.

mod protocol;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use slapos_fs::{InvalidFileName, check_file_name};
use supervisor::{EventListener, WATCH_MARK};

pub use protocol::ProtocolError;

use crate::bang::{BangError, InstanceAccess};
use crate::outcome::error_chain;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::records;
use protocol::Event;

/// Its name in supervisord, by which the tools of the Python generation ask for it.
pub(crate) const NAME: &str = "watchdog";
/// A watched program that ends is worth a look, whether it was told to or not.
const EVENTS: [&str; 2] = ["PROCESS_STATE_EXITED", "PROCESS_STATE_FATAL"];

/// What the watchdog is told when it starts.
#[derive(Debug, Clone)]
pub struct Watchdog {
    /// The URL of the master.
    pub master_url: String,
    /// What the master calls this computer.
    pub computer_id: String,
    /// Checks the master's certificate, in place of the system's authorities.
    pub master_ca_file: Option<PathBuf>,
    /// Where the partitions' certificates are.
    pub certificate_repository: Option<PathBuf>,
    /// Where the partitions are. Without it an instance is told of every ended service.
    pub instance_root: Option<PathBuf>,
}

/// The end of a service could not be dealt with.
#[derive(Debug, thiserror::Error)]
enum HandleError {
    #[error(transparent)]
    Name(#[from] InvalidFileName),
    #[error(transparent)]
    Bang(#[from] BangError),
    #[error(transparent)]
    Record(#[from] ConfinedError),
}

impl Watchdog {
    /// Handles events until supervisord closes `input`. What fails with one instance is logged, and
    /// does not keep the others from being watched.
    ///
    /// # Errors
    /// What supervisord sends cannot be read.
    pub fn run(
        &self,
        input: &mut impl BufRead,
        output: &mut impl Write,
    ) -> Result<(), ProtocolError> {
        while let Some(event) = protocol::next_event(input, output)? {
            if let Err(error) = self.handle(&event) {
                let Event { process, group, .. } = &event;
                let error = error_chain(&error);
                log::error!(target: group, "cannot bang for {process}: {error}");
            }
            protocol::acknowledge(output)?;
        }
        Ok(())
    }

    /// Itself as supervisord starts it.
    pub(crate) fn listener(&self, program: &Path, log_file: PathBuf) -> EventListener {
        let text = |path: &Path| path.display().to_string();
        let options = [
            ("--master-url", Some(self.master_url.clone())),
            ("--computer-id", Some(self.computer_id.clone())),
            ("--master-ca-file", self.master_ca_file.as_deref().map(text)),
            (
                "--certificate-repository-path",
                self.certificate_repository.as_deref().map(text),
            ),
            (
                "--instance-root-path",
                self.instance_root.as_deref().map(text),
            ),
        ];
        let mut command = vec![text(program)];
        for (name, value) in options {
            command.extend(value.map(|value| format!("{name}={value}")));
        }
        EventListener {
            name: NAME.to_owned(),
            command,
            events: EVENTS.map(str::to_owned).to_vec(),
            log_file,
            environment: Vec::new(),
        }
    }

    fn handle(&self, event: &Event) -> Result<(), HandleError> {
        if !EVENTS.contains(&event.name.as_str()) || !event.process.ends_with(WATCH_MARK) {
            return Ok(());
        }
        check_file_name(&event.group)?;
        let directory = match &self.instance_root {
            Some(root) => Some(ConfinedDirectory::open(&root.join(&event.group))?),
            None => None,
        };
        if let Some(directory) = &directory
            && records::has_banged(directory)?
        {
            log::info!(target: &event.group, "{} ended again", event.process);
            return Ok(());
        }
        log::warn!(target: &event.group, "{} ended", event.process);
        self.bang(event)?;
        if let Some(directory) = &directory {
            records::record_bang(directory)?;
        }
        Ok(())
    }

    fn bang(&self, event: &Event) -> Result<(), BangError> {
        let access = InstanceAccess {
            master_url: &self.master_url,
            computer_id: &self.computer_id,
            master_ca_file: self.master_ca_file.as_deref(),
            certificate_repository: self.certificate_repository.as_deref(),
            interruption: None,
        };
        let Event { process, group, .. } = event;
        access.bang(group, &format!("{process} of {group} has ended"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supervisord_is_told_what_the_watchdog_needs() {
        let watchdog = Watchdog {
            master_url: "https://master/".to_owned(),
            computer_id: "COMP-1".to_owned(),
            master_ca_file: Some("/etc/ca.pem".into()),
            certificate_repository: None,
            instance_root: Some("/srv/slapgrid".into()),
        };
        let listener = watchdog.listener(Path::new("/usr/bin/slapos-watchdog"), "/log".into());
        let expected = [
            "/usr/bin/slapos-watchdog",
            "--master-url=https://master/",
            "--computer-id=COMP-1",
            "--master-ca-file=/etc/ca.pem",
            "--instance-root-path=/srv/slapgrid",
        ];
        assert_eq!(listener.command, expected);
    }

    #[test]
    fn events_that_are_none_of_its_business_are_acknowledged() {
        let watchdog = Watchdog {
            // Nobody listens there: a bang would take its time and be logged.
            master_url: "http://[::1]:1/".to_owned(),
            computer_id: "COMP-1".to_owned(),
            master_ca_file: None,
            certificate_repository: None,
            instance_root: None,
        };
        let mut input = String::new();
        for (name, process) in [
            ("PROCESS_STATE_EXITED", "web"),
            ("PROCESS_STATE_STOPPED", "web-on-watch"),
        ] {
            let payload = format!("processname:{process} groupname:slappart0");
            input += &format!("eventname:{name} len:{}\n{payload}", payload.len());
        }
        let mut output = Vec::new();
        watchdog.run(&mut input.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(text, "READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n");
    }
}
