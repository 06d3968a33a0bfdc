//! Installing one release with buildout.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use slapos_fs::{
    DirectoryError, FileAttributes, RemoveError, WriteError, ensure_directory, remove_abandoned,
    remove_file, write_file,
};
use time::UtcOffset;

use super::cache::ForcedError;
use super::profile::owned;
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
    /// A file of the release cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A leftover of an earlier installation cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// buildout's script cannot be read.
    #[error("cannot start buildout")]
    Script(#[from] ShebangError),
    /// The release must come from the binary cache, and does not.
    #[error("the release is only installed from the binary cache, which is not possible")]
    Forced(#[source] ForcedError),
    /// Nothing is begun any more.
    #[error("slapgrid was told to end while it asked the binary cache")]
    Interrupted,
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
            Self::Interrupted => true,
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
    pub(super) utc_offset: UtcOffset,
    /// The release's name, under which its output is logged.
    pub(super) name: &'a str,
}

impl Installation<'_> {
    pub(super) fn run(&self, url: &str, layout: &ReleaseLayout) -> Result<(), InstallError> {
        if url.chars().any(char::is_control) {
            return Err(InstallError::Url);
        }
        let root = &self.settings.software_root;
        space::check(root, self.settings.software.minimum_free_space)?;
        let account = Account::owner_of(root)?;
        if self.download(url, layout, &account)? {
            return Ok(());
        }
        self.make_directories(layout, &account)?;
        self.write_profile(url, layout, &account)?;
        self.copy_netrc(layout, &account)?;
        let marked = self.begin(layout, &account)?;
        self.build(layout, &account)?;
        if marked {
            remove_file(&layout.bootstrap_skipped())?;
        }
        self.upload(url, layout, &account);
        Ok(())
    }

    fn make_directories(
        &self,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), InstallError> {
        let attributes = owned(account, 0o755);
        ensure_directory(layout.directory(), attributes)?;
        remove_abandoned(layout.directory());
        ensure_directory(&layout.extends_cache(), attributes)?;
        Ok(())
    }

    /// Has the release a buildout of its own. Where it has one already, a marker says so until the
    /// installation has succeeded: an installation that finds it bootstraps again, since what failed
    /// then may have been this buildout. Says whether the marker was set.
    fn begin(&self, layout: &ReleaseLayout, account: &Account) -> Result<bool, InstallError> {
        let marker = layout.bootstrap_skipped();
        let failed_before = marker.exists();
        if layout.buildout().exists() && !failed_before {
            let attributes = FileAttributes {
                mode: 0o644,
                owner: None,
            };
            write_file(&marker, b"", attributes)?;
            return Ok(true);
        }
        remove_file(&marker)?;
        self.bootstrap(layout, account)?;
        Ok(false)
    }

    /// Makes the release's own bin/buildout.
    fn bootstrap(&self, layout: &ReleaseLayout, account: &Account) -> Result<(), InstallError> {
        let configured = self.settings.software.buildout.as_deref();
        let buildout = in_path(configured.unwrap_or(Path::new("buildout")));
        let mut arguments = self.arguments(layout);
        arguments.push("bootstrap".into());
        // What buildout caches in the home of a user without one would fail.
        let home = if account.home.is_dir() {
            account.home.as_path()
        } else {
            layout.directory()
        };
        let program = program(buildout.clone(), arguments, layout, account, home);
        // A name that is not in PATH is left to the start to complain of.
        let program = if buildout.is_file() {
            through_interpreter(program)?
        } else {
            program
        };
        self.execute(&program).map_err(InstallError::Bootstrap)
    }

    fn build(&self, layout: &ReleaseLayout, account: &Account) -> Result<(), InstallError> {
        let debug = self.settings.mode.buildout_debug;
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(debug.then(|| "-D".into()));
        arguments.push("-U".into());
        arguments.extend(self.arguments(layout));
        let home = layout.directory();
        let program = program(layout.buildout(), arguments, layout, account, home);
        let program = through_interpreter(program)?;
        let result = if debug {
            let finished = process::run_in_foreground(&program);
            finished.and_then(process::Finished::into_success).map(drop)
        } else {
            self.execute(&program)
        };
        result.map_err(InstallError::Buildout)
    }

    fn arguments(&self, layout: &ReleaseLayout) -> Vec<OsString> {
        let setting = |name: &str, path: &Path| {
            let mut argument = OsString::from(format!("buildout:{name}="));
            argument.push(path);
            argument
        };
        let mut arguments = vec![
            setting("extends-cache", &layout.extends_cache()),
            setting("directory", layout.directory()),
        ];
        let cache = &self.settings.software.networkcache_options;
        if !cache.is_empty() {
            arguments.push("buildout:networkcache-section=networkcache".into());
        }
        let cache = cache
            .iter()
            .map(|(name, value)| format!("networkcache:{name}={value}").into());
        arguments.extend(cache);
        let mode = self.settings.mode;
        if !mode.develop && !mode.force {
            arguments.push("-N".into());
        }
        arguments.extend(["-c".into(), layout.profile().into_os_string()]);
        arguments
    }

    fn execute(&self, program: &Program) -> Result<(), ProcessError> {
        let finished = process::run(
            program,
            self.interruption,
            &mut |line| log::info!(target: self.name, "{}", line.text),
        )?;
        finished.into_success().map(drop)
    }
}

fn program(
    path: PathBuf,
    arguments: Vec<OsString>,
    layout: &ReleaseLayout,
    account: &Account,
    home: &Path,
) -> Program {
    let environment = Environment::clean(home);
    let mut program = Program::new(path, arguments, layout.directory(), environment);
    program.account = Some(account.clone());
    program.umask = Some(BUILD_UMASK);
    program
}
