//! Where symbolic links of an archive may lead: nowhere but below the directory that is archived.

use std::path::{Component, Path, PathBuf};

/// Whether a link that lies `depth` directories below the top leads to something below the top,
/// whatever other links of the same archive it passes: each of these keeps to the same rule. So `..`
/// may only come first, where it means directories that are no links.
pub(super) fn stays_inside(target: &Path, depth: usize, top: &Path) -> bool {
    if target.as_os_str().is_empty() {
        return false;
    }
    if target.is_absolute() {
        let below = target.strip_prefix(top);
        return below.is_ok_and(|below| only_names(below.components()));
    }
    let mut components = target.components().filter(|one| *one != Component::CurDir);
    let mut rest = components.clone();
    let mut ups = 0;
    while components.next() == Some(Component::ParentDir) {
        ups += 1;
        rest = components.clone();
    }
    ups <= depth && only_names(rest)
}

fn only_names<'a>(mut components: impl Iterator<Item = Component<'a>>) -> bool {
    components.all(|component| matches!(component, Component::Normal(_)))
}

/// The target of a hard link or the path of an entry: below a directory of the name `name`. What
/// is below is returned; `None` if it is something else.
pub(super) fn below(path: &Path, name: &str) -> Option<PathBuf> {
    let mut components = path.components().filter(|one| *one != Component::CurDir);
    if components.next()? != Component::Normal(name.as_ref()) {
        return None;
    }
    only_names(components.clone()).then(|| components.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_are_told_from_those_that_stay() {
        let top = Path::new("/opt/soft/abc");
        for (target, depth) in [
            ("file", 0),
            ("./a/b", 0),
            ("../file", 1),
            ("../../a/b", 2),
            ("/opt/soft/abc", 0),
            ("/opt/soft/abc/bin/python", 3),
            ("..", 1),
        ] {
            assert!(stays_inside(Path::new(target), depth, top), "{target}");
        }
        for (target, depth) in [
            ("", 0),
            ("..", 0),
            ("../file", 0),
            ("../../file", 1),
            ("/", 5),
            ("/etc/passwd", 5),
            ("/opt/soft/abcd", 0),
            ("/opt/soft/abc/../abd", 0),
            ("/opt/soft", 0),
            // Through a link to the top itself, this would leave.
            ("a/../b", 3),
            ("./../file", 0),
            ("./../a/../b", 1),
        ] {
            assert!(!stays_inside(Path::new(target), depth, top), "{target}");
        }
    }

    #[test]
    fn entries_lie_below_the_one_name() {
        let below = |path| below(Path::new(path), "abc");
        assert_eq!(below("abc"), Some(PathBuf::new()));
        assert_eq!(below("./abc/"), Some(PathBuf::new()));
        assert_eq!(below("abc/x/./y"), Some(PathBuf::from("x/y")));
        for path in [
            "", ".", "/", "/abc", "abd/x", "x", "abc/../x", "../abc/x", "abc/..",
        ] {
            assert_eq!(below(path), None, "{path}");
        }
    }
}
