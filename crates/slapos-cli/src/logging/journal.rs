//! Whether the journal of systemd reads what we write.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use log::Level;

/// Whether a stream is the one that the service manager has connected to the journal: the variable
/// `JOURNAL_STREAM` tells its device and inode (sd-daemon(3), systemd.exec(5)). A program that was
/// started with another standard error inherits the variable all the same.
pub(super) fn is_journal(stream: &impl AsFd) -> bool {
    let named = std::env::var("JOURNAL_STREAM").ok();
    let named = named.as_deref().and_then(parse);
    let owned = stream.as_fd().try_clone_to_owned();
    let metadata = owned.and_then(|stream| File::from(stream).metadata());
    metadata.is_ok_and(|metadata| named == Some((metadata.dev(), metadata.ino())))
}

fn parse(variable: &str) -> Option<(u64, u64)> {
    let (device, inode) = variable.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// What a line begins with to tell the journal its priority, as syslog(3) numbers them.
pub(super) fn prefix(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_two_numbers() {
        assert_eq!(parse("8:123456"), Some((8, 123_456)));
        for nonsense in ["", "8", "8:", ":1", "a:b", "8:1:2", "-8:1"] {
            assert_eq!(parse(nonsense), None, "{nonsense:?}");
        }
    }
}
