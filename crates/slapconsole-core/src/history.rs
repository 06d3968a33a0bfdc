//! Where the prompt keeps what was typed.

use std::env;
use std::path::{Path, PathBuf};

/// The file, below the user's directory for states; none where there is no such directory.
pub(crate) fn path() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    file(variable("XDG_STATE_HOME"), variable("HOME"))
}

/// As the XDG Base Directory Specification says: a relative path is as if there were none.
fn file(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let is_absolute = |path: &PathBuf| path.is_absolute();
    let state = state.filter(is_absolute);
    let directory = state.or_else(|| Some(home.filter(is_absolute)?.join(".local/state")))?;
    Some(directory.join(Path::new("slapos/slapconsole_history")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_is_followed() {
        let path = |text: &str| Some(PathBuf::from(text));
        let end = "slapos/slapconsole_history";
        assert_eq!(
            file(path("/s"), path("/h")),
            Some(Path::new("/s").join(end))
        );
        let default = Some(Path::new("/h/.local/state").join(end));
        assert_eq!(file(None, path("/h")), default);
        assert_eq!(file(path(""), path("/h")), default);
        assert_eq!(file(path("s"), path("/h")), default);
        assert_eq!(file(None, None), None);
    }
}
