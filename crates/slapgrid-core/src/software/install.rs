//! Installing one release with buildout.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use slapos_fs::{
    DirectoryError, FileAttributes, Owner, RemoveError, WriteError, ensure_directory, write_file,
};

use crate::buildout::{in_path, through_interpreter};
use crate::environment::Environment;
use crate::layout::ReleaseLayout;
use crate::process::{
    self, Account, AccountError, BUILD_UMASK, Interruption, ProcessError, Program, ShebangError,
};
use crate::settings::Settings;
use crate::space::{self, SpaceError};

/// A release cannot be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum InstallError {
    /// The URL would end its line in buildout.cfg.
    #[error("the URL has control characters")]
    Url,
    /// Too little space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The owner of the software root cannot be told.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The directory cannot be made.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The profile cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A leftover cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// buildout's script cannot be read.
    #[error("cannot start buildout")]
    Script(#[from] ShebangError),
    /// The release has no buildout of its own and cannot get one.
    #[error(
        "cannot bootstrap buildout (is it installed and in PATH, or named by the option buildout?)"
    )]
    Bootstrap(#[source] ProcessError),
    /// buildout failed.
    #[error("buildout failed")]
    Buildout(#[source] ProcessError),
}

impl InstallError {
    /// Whether slapgrid was told to end.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            Self::Bootstrap(error) | Self::Buildout(error) => error.is_interruption(),
            _ => false,
        }
    }

    /// The error with all that buildout printed, as far as it was kept, for the master.
    pub(super) fn full_report(&self, message: &str) -> String {
        let output = match self {
            Self::Bootstrap(error) | Self::Buildout(error) => error.output(),
            _ => None,
        };
        output.map_or_else(
            || message.to_owned(),
            |output| format!("{message}\n\n{output}"),
        )
    }
}

/// One installation.
pub(super) struct Installation<'a> {
    pub(super) settings: &'a Settings,
    pub(super) interruption: &'a Interruption,
}

impl Installation<'_> {
    pub(super) fn run(&self, url: &str, layout: &ReleaseLayout) -> Result<(), InstallError> {
        if url.chars().any(char::is_control) {
            return Err(InstallError::Url);
        }
        let root = &self.settings.software_root;
        space::check(root, self.settings.software.minimum_free_space)?;
        let account = Account::owner_of(root)?;
        self.make_directories(layout, &account)?;
        self.write_profile(url, layout, &account)?;
        if !layout.buildout().exists() {
            self.bootstrap(layout, &account)?;
        }
        let program = self.program(layout.buildout(), self.arguments(layout), layout, &account);
        let program = through_interpreter(program)?;
        self.execute(&program).map_err(InstallError::Buildout)
    }

    fn make_directories(
        &self,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), InstallError> {
        let attributes = FileAttributes {
            mode: 0o755,
            owner: owner(account),
        };
        ensure_directory(layout.directory(), attributes)?;
        ensure_directory(&layout.extends_cache(), attributes)?;
        Ok(())
    }

    /// Written once: an admin may change it.
    fn write_profile(
        &self,
        url: &str,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), InstallError> {
        if layout.profile().exists() {
            return Ok(());
        }
        let lines = |values: &[String]| {
            values
                .iter()
                .map(|value| format!("\n  {value}"))
                .collect::<String>()
        };
        let text = format!(
            "[buildout]\nextends = {url}\nshared-part-list ={}\nbuild-time-part-list ={}\n",
            lines(&self.settings.shared_part_list),
            lines(&self.settings.build_time_part_list),
        );
        let attributes = FileAttributes {
            mode: 0o644,
            owner: owner(account),
        };
        Ok(write_file(&layout.profile(), text.as_bytes(), attributes)?)
    }

    /// Makes the release's own bin/buildout.
    fn bootstrap(&self, layout: &ReleaseLayout, account: &Account) -> Result<(), InstallError> {
        let configured = self.settings.software.buildout.as_deref();
        let buildout = in_path(configured.unwrap_or(Path::new("buildout")));
        let mut arguments = self.arguments(layout);
        arguments.push("bootstrap".into());
        let program = self.program(buildout.clone(), arguments, layout, account);
        // A name that is not in PATH is left to the start to complain of.
        let program = if buildout.is_file() {
            through_interpreter(program)?
        } else {
            program
        };
        self.execute(&program).map_err(InstallError::Bootstrap)
    }

    fn arguments(&self, layout: &ReleaseLayout) -> Vec<OsString> {
        let setting = |name: &str, path: &Path| {
            let mut argument = OsString::from(format!("buildout:{name}="));
            argument.push(path);
            argument
        };
        let mut arguments: Vec<OsString> = vec![
            "-U".into(),
            setting("extends-cache", &layout.extends_cache()),
            setting("directory", layout.directory()),
        ];
        let cache = self.settings.software.networkcache_options.iter();
        arguments.extend(cache.map(|(name, value)| format!("networkcache:{name}={value}").into()));
        if self.settings.mode.buildout_debug {
            arguments.push("-D".into());
        }
        if !self.settings.mode.develop {
            arguments.push("-N".into());
        }
        arguments.extend(["-c".into(), layout.profile().into_os_string()]);
        arguments
    }

    fn program(
        &self,
        path: PathBuf,
        arguments: Vec<OsString>,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Program {
        // What buildout caches in the home of a user without one would fail.
        let home = if account.home.is_dir() {
            account.home.as_path()
        } else {
            layout.directory()
        };
        let mut program = Program::new(
            path,
            arguments,
            layout.directory(),
            Environment::clean(home),
        );
        program.account = Some(account.clone());
        program.umask = Some(BUILD_UMASK);
        program
    }

    fn execute(&self, program: &Program) -> Result<(), ProcessError> {
        let finished = process::run(program, self.interruption, &mut |line| {
            log::info!("{}", line.text)
        })?;
        finished.into_success().map(drop)
    }
}

/// Only root gives files away.
fn owner(account: &Account) -> Option<Owner> {
    let (uid, gid) = account.ids();
    geteuid().is_root().then_some(Owner { uid, gid })
}
