//! The file of one group: the programs of one partition.

use std::collections::BTreeSet;
use std::path::PathBuf;

use slapos_fs::Owner;

use super::RenderError;
use super::section::Section;

/// Ends the names of watched programs in supervisord.
pub const WATCH_MARK: &str = "-on-watch";

/// Whether the event listener watches a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Files of etc/run: may exit when they like.
    Unwatched,
    /// Files of etc/service: the instance is banged when one exits.
    Watched,
}

impl Watch {
    fn suffix(self) -> &'static str {
        match self {
            Watch::Unwatched => "",
            Watch::Watched => WATCH_MARK,
        }
    }
}

/// One executable of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramConfig {
    /// The name of the executable's file.
    pub file_name: String,
    /// Whether it comes from etc/service.
    pub watch: Watch,
    /// The program, absolute, and its arguments.
    pub command: Vec<String>,
    /// Where it runs, and whose owner it runs as.
    pub directory: PathBuf,
    /// Whom it runs as; supervisord looks the user up, who must therefore be in the user database.
    pub owner: Owner,
    /// Where standard output and standard error go.
    pub log_file: PathBuf,
    /// Variables on top of supervisord's own.
    pub environment: Vec<(String, String)>,
}

impl ProgramConfig {
    /// The name in supervisord, which the watchdog knows watched programs by.
    pub fn process_name(&self) -> String {
        format!("{}{}", self.file_name, self.watch.suffix())
    }

    fn section(&self, group: &str) -> Result<Section, RenderError> {
        let mut section = Section::named("program", &self.section_name(group))?;
        section.path("directory", &self.directory, "")?;
        section.command(&self.command)?;
        section.text("process_name", &self.process_name())?;
        self.life(&mut section);
        section.fact("user", self.owner.uid);
        section.fact("group", self.owner.gid);
        section.fact("serverurl", "AUTO");
        section.fact("redirect_stderr", true);
        section.log_path("stdout_logfile", &self.log_file)?;
        section.fact("stdout_logfile_maxbytes", "100KB");
        section.fact("stdout_logfile_backups", 1);
        // Of no effect, but slapos.core writes them, and supervisord restarts what differs in anything.
        section.fact("stderr_logfile_maxbytes", "100KB");
        section.fact("stderr_logfile_backups", 1);
        section.environment(&self.environment)?;
        Ok(section)
    }

    /// slapgrid starts programs itself, and a program that ends stays so until it or the master says otherwise.
    fn life(&self, section: &mut Section) {
        section.fact("autostart", false);
        section.fact("autorestart", false);
        section.fact("startsecs", 0);
        section.fact("startretries", 0);
        section.fact("exitcodes", 0);
        section.fact("stopsignal", "TERM");
        section.fact("stopwaitsecs", 60);
        section.fact("stopasgroup", true);
        section.fact("killasgroup", true);
    }

    fn section_name(&self, group: &str) -> String {
        format!("{group}_{}", self.file_name)
    }
}

/// All programs of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// The partition's name.
    pub name: String,
    /// At least one program; their order is the order in the file.
    pub programs: Vec<ProgramConfig>,
}

impl GroupConfig {
    /// The text of the group's file. Errors name the program and the setting that supervisord would misread.
    pub fn render(&self) -> Result<String, RenderError> {
        self.check_programs()?;
        let mut group = Section::named("group", &self.name)?;
        let mut names = Vec::new();
        let mut sections = String::new();
        for program in &self.programs {
            names.push(program.section_name(&self.name));
            sections.push_str(&program.section(&self.name)?.render());
        }
        group.text("programs", &names.join(","))?;
        Ok(group.render() + &sections)
    }

    fn check_programs(&self) -> Result<(), RenderError> {
        if self.programs.is_empty() {
            return Err(RenderError::EmptyGroup {
                group: self.name.clone(),
            });
        }
        let mut seen = BTreeSet::new();
        match self
            .programs
            .iter()
            .find(|program| !seen.insert(&program.file_name))
        {
            None => Ok(()),
            Some(program) => Err(RenderError::DuplicateProgram {
                group: self.name.clone(),
                program: program.file_name.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    fn program(file_name: &str, watch: Watch) -> ProgramConfig {
        ProgramConfig {
            file_name: file_name.to_owned(),
            watch,
            command: vec!["/srv/slapgrid/slappart0/etc/run/web".to_owned()],
            directory: PathBuf::from("/srv/slapgrid/slappart0"),
            owner: Owner {
                uid: 1001,
                gid: 1002,
            },
            log_file: PathBuf::from("/srv/slapgrid/slappart0/.slappart0_web.log"),
            environment: vec![("USER".to_owned(), "slapuser0".to_owned())],
        }
    }

    fn group(programs: Vec<ProgramConfig>) -> GroupConfig {
        GroupConfig {
            name: "slappart0".to_owned(),
            programs,
        }
    }

    #[test]
    fn programs_are_rendered_with_the_settings_of_a_partition() {
        let conf = group(vec![program("web", Watch::Watched)])
            .render()
            .unwrap();
        let expected = "\
[group:slappart0]
programs = slappart0_web

[program:slappart0_web]
directory = /srv/slapgrid/slappart0
command = /srv/slapgrid/slappart0/etc/run/web
process_name = web-on-watch
autostart = false
autorestart = false
startsecs = 0
startretries = 0
exitcodes = 0
stopsignal = TERM
stopwaitsecs = 60
stopasgroup = true
killasgroup = true
user = 1001
group = 1002
serverurl = AUTO
redirect_stderr = true
stdout_logfile = /srv/slapgrid/slappart0/.slappart0_web.log
stdout_logfile_maxbytes = 100KB
stdout_logfile_backups = 1
stderr_logfile_maxbytes = 100KB
stderr_logfile_backups = 1
environment = USER=\"slapuser0\"

";
        assert_eq!(conf, expected);
    }

    #[test]
    fn unwatched_programs_keep_their_name() {
        let conf = group(vec![
            program("web", Watch::Unwatched),
            program("db", Watch::Watched),
        ])
        .render()
        .unwrap();
        assert!(
            conf.contains("programs = slappart0_web,slappart0_db\n"),
            "{conf}"
        );
        assert!(conf.contains("process_name = web\n"), "{conf}");
        assert!(conf.contains("process_name = db-on-watch\n"), "{conf}");
    }

    #[test]
    fn names_that_supervisord_would_misread_are_refused() {
        for file_name in ["a b", "a,b", "a:b", "a\nb", "a]"] {
            let error = group(vec![program(file_name, Watch::Unwatched)])
                .render()
                .unwrap_err();
            assert!(
                matches!(
                    &error,
                    RenderError::Name {
                        kind: "program",
                        ..
                    }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn process_names_that_begin_a_comment_are_refused() {
        let error = group(vec![program(";a", Watch::Unwatched)])
            .render()
            .unwrap_err();
        assert!(
            matches!(
                &error,
                RenderError::Value {
                    problem: Problem::Comment,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn two_programs_of_one_section_are_refused() {
        let error = group(vec![
            program("web", Watch::Unwatched),
            program("web", Watch::Watched),
        ])
        .render()
        .unwrap_err();
        assert!(matches!(error, RenderError::DuplicateProgram { program, .. } if program == "web"));
    }

    #[test]
    fn empty_groups_are_refused() {
        let error = group(vec![]).render().unwrap_err();
        assert_eq!(
            error,
            RenderError::EmptyGroup {
                group: "slappart0".to_owned()
            }
        );
    }
}
