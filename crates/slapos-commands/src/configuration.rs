//! Where slapos.cfg is.

use std::ffi::OsString;
use std::path::PathBuf;

use slapos_cli::with_home;

/// That of a node where nothing else is said; packages may have it elsewhere.
const DEFAULT: &str = match option_env!("SLAPOS_DEFAULT_CONFIGURATION") {
    Some(path) => path,
    None => "/etc/opt/slapos/slapos.cfg",
};

/// That of a node, or of its master.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct NodeConfiguration {
    /// slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg
    #[arg(long, value_name = "FILE")]
    cfg: Option<PathBuf>,
}

/// That of a user.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientConfiguration {
    /// slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg
    #[arg(long, value_name = "FILE")]
    cfg: Option<PathBuf>,
}

impl NodeConfiguration {
    /// The file that is to be read.
    pub(crate) fn path(&self) -> PathBuf {
        let variable = std::env::var_os("SLAPOS_CONFIGURATION");
        choose(self.cfg.clone(), variable, DEFAULT)
    }
}

impl ClientConfiguration {
    /// The file that is to be read.
    pub(crate) fn path(&self) -> PathBuf {
        let variable = std::env::var_os("SLAPOS_CLIENT_CONFIGURATION");
        choose(self.cfg.clone(), variable, "~/.slapos/slapos-client.cfg")
    }
}

fn choose(option: Option<PathBuf>, variable: Option<OsString>, default: &str) -> PathBuf {
    let variable = variable.map(PathBuf::from);
    with_home(option.or(variable).unwrap_or_else(|| default.into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_option_wins_over_the_variable_and_that_over_the_default() {
        let home = std::env::home_dir().unwrap();
        for (option, variable, expected) in [
            (Some("a"), Some("b"), Path::new("a")),
            (None, Some("b"), Path::new("b")),
            (None, None, Path::new("/default")),
            (Some("~/a"), None, &home.join("a")),
            (None, Some("~/b"), &home.join("b")),
        ] {
            let (option, variable) = (option.map(PathBuf::from), variable.map(OsString::from));
            assert_eq!(choose(option, variable, "/default"), expected);
        }
    }
}
