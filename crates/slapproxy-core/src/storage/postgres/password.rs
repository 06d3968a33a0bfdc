//! Passwords that are not in the URI: of `PGPASSWORD`, or of a file with lines
//! `HOST:PORT:DATABASE:USER:PASSWORD` that `passfile`, `PGPASSFILE` or `~/.pgpass` names.
//!
//! Source: PostgreSQL's documentation, chapters 34.15 and 34.16.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The file of passwords cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It cannot be read.
    #[error("cannot read the passwords in {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may have read it.
    #[error("{path} holds passwords, and is not for its owner alone: its mode must be 0600")]
    Open {
        /// The file.
        path: PathBuf,
    },
}

/// The password for a database, if one is known.
pub(super) fn find(
    config: &Config,
    passfile: Option<&Path>,
) -> Result<Option<String>, PasswordError> {
    if let Some(password) = env::var_os("PGPASSWORD").filter(|_| passfile.is_none()) {
        return Ok(password.into_string().ok());
    }
    let named = passfile.map(PathBuf::from);
    let named = named.or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from));
    let text = match named {
        Some(path) => read(&path)?,
        None => of_home()?,
    };
    let entry = text.lines().find_map(|line| password(line, config));
    Ok(entry)
}

/// The file that needs not be there.
fn of_home() -> Result<String, PasswordError> {
    let path = env::var_os("HOME").map(|home| Path::new(&home).join(".pgpass"));
    match path.filter(|path| path.exists()) {
        Some(path) => read(&path),
        None => Ok(String::new()),
    }
}

fn read(path: &Path) -> Result<String, PasswordError> {
    let failed = |source| PasswordError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_file() && metadata.mode() & 0o077 != 0 {
        let path = path.to_owned();
        return Err(PasswordError::Open { path });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// The password of a line, if it is for this database.
fn password(line: &str, config: &Config) -> Option<String> {
    let fields: [String; 5] = fields(line).try_into().ok()?;
    let [host, port, database, user, password] = fields;
    let user_is = config.get_user().is_some_and(|name| fits(&user, name));
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    let is_meant = user_is && fits(&database, name) && fits_place(&host, &port, config);
    (is_meant && !line.starts_with('#')).then_some(password)
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern == "*" || pattern == text
}

fn fits_place(host: &str, port: &str, config: &Config) -> bool {
    let ports = config.get_ports();
    let port_of = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    config.get_hosts().iter().enumerate().any(|(index, place)| {
        let is_host = match place {
            Host::Tcp(name) => fits(host, name),
            // That is what such a file calls the socket of this machine.
            Host::Unix(path) => {
                host == "localhost" || path.to_str().is_some_and(|it| fits(host, it))
            }
        };
        is_host && fits(port, &port_of(index).to_string())
    })
}

/// What is between the colons; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            ':' => None,
            '\\' => characters.next(),
            other => Some(other),
        };
        match (taken, fields.last_mut()) {
            (Some(taken), Some(last)) => last.push(taken),
            _ => fields.push(String::new()),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &str, uri: &str) -> Option<String> {
        let config = uri.parse().unwrap();
        lines.lines().find_map(|line| password(line, &config))
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let lines = "# db:5432:proxy:u:comment\n\
            db:5433:proxy:u:other port\n\
            db:5432:proxy:u:a\\:b\\\\c\n\
            *:*:*:v:any\n\
            localhost:*:*:*:socket\n";
        let cases = [
            ("postgresql://u@db/proxy", Some("a:b\\c")),
            ("postgresql://u@db:5433/proxy", Some("other port")),
            ("postgresql://u@db/other", None),
            ("postgresql://v@elsewhere/other", Some("any")),
            ("postgresql:///proxy?host=/run/pg&user=u", Some("socket")),
        ];
        for (uri, expected) in cases {
            assert_eq!(found(lines, uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        std::fs::write(&path, "*:*:*:u:secret\n").unwrap();
        let config: Config = "postgresql://u@db/proxy".parse().unwrap();
        for (mode, good) in [(0o644, false), (0o640, false), (0o600, true)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(find(&config, Some(&path)).is_ok(), good, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
        let error = find(&config, Some(&path)).unwrap_err().to_string();
        assert!(error.contains("pass"), "{error}");
    }
}
