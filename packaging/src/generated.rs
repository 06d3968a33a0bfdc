//! What is made of the tools' own definitions, and kept as it is packaged.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap_complete::{Shell, generate};

use crate::tools::{TOOLS, Tool};
use crate::{man, page, tree};

/// Where the shells look for completions, and how they want the files to be called.
const COMPLETIONS: [(Shell, &str, &str, &str); 3] = [
    (Shell::Bash, "usr/share/bash-completion/completions", "", ""),
    (
        Shell::Fish,
        "usr/share/fish/vendor_completions.d",
        "",
        ".fish",
    ),
    (Shell::Zsh, "usr/share/zsh/vendor-completions", "_", ""),
];

/// A file of a package.
#[derive(Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its path below `packages/`.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
}

/// The man pages: of every tool, and of slapos.cfg.
///
/// # Errors
/// One cannot be rendered.
pub fn pages() -> Result<Vec<GeneratedFile>> {
    let version = env!("CARGO_PKG_VERSION");
    let mut pages = vec![GeneratedFile {
        path: "slapos-common/tree/usr/share/man/man5/slapos.cfg.5".into(),
        text: page::slapos_cfg(version),
    }];
    for tool in TOOLS {
        let text = man::page(tool, version);
        pages.push(GeneratedFile {
            path: page_path(tool),
            text: text.with_context(|| format!("cannot render the page of {}", tool.name))?,
        });
    }
    Ok(pages)
}

fn page_path(tool: &Tool) -> PathBuf {
    let directory = Path::new(tool.package).join("tree/usr/share/man");
    let directory = directory.join(format!("man{}", tool.section));
    directory.join(format!("{}.{}", tool.name, tool.section))
}

/// The completions of every tool for every shell.
pub fn completions() -> Vec<GeneratedFile> {
    let files = TOOLS.iter().flat_map(|tool| {
        COMPLETIONS.map(|(shell, directory, prefix, suffix)| GeneratedFile {
            path: Path::new(tool.package)
                .join("tree")
                .join(directory)
                .join(format!("{prefix}{}{suffix}", tool.name)),
            text: completion(tool, shell),
        })
    });
    files.collect()
}

fn completion(tool: &Tool, shell: Shell) -> String {
    let mut text = Vec::new();
    generate(shell, &mut tool.command(), tool.name, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes files, and removes others from the same kind of directories.
///
/// # Errors
/// One cannot be written or removed.
pub fn write(files: &[GeneratedFile], is_generated: impl Fn(&Path) -> bool) -> Result<()> {
    for file in files {
        let path = tree::directory().join(&file.path);
        let directory = path.parent().unwrap_or(&path);
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, &file.text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    for path in stale(files, is_generated)? {
        let path = tree::directory().join(path);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Files that would be generated no more, such as those of a tool that was renamed.
///
/// # Errors
/// The tree cannot be listed.
pub fn stale(
    files: &[GeneratedFile],
    is_generated: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>> {
    let mut found = tree::files()?;
    found.retain(|path| is_generated(path) && !files.iter().any(|file| file.path == *path));
    Ok(found)
}

/// Whether a file of the tree is a man page.
pub fn is_page(path: &Path) -> bool {
    path.to_string_lossy().contains("/usr/share/man/")
}

/// Whether a file of the tree is a completion.
pub fn is_completion(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let mut directories = COMPLETIONS.iter();
    directories.any(|(_, directory, ..)| path.contains(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[GeneratedFile], is_generated: fn(&Path) -> bool, task: &str) {
        for file in files {
            assert!(is_generated(&file.path), "{}", file.path.display());
            let kept = fs::read_to_string(tree::directory().join(&file.path)).unwrap_or_default();
            let path = file.path.display();
            assert!(
                kept == file.text,
                "{path} is not current: run cargo xtask {task}"
            );
        }
        let stale = stale(files, is_generated).unwrap();
        assert!(
            stale.is_empty(),
            "{stale:?} are not current: run cargo xtask {task}"
        );
    }

    #[test]
    fn the_man_pages_are_current() {
        check(&pages().unwrap(), is_page, "man");
    }

    #[test]
    fn the_completions_are_current() {
        check(&completions(), is_completion, "completions");
    }

    #[test]
    fn every_binary_of_the_workspace_has_its_page_and_completions() {
        let binaries = tree::directory().join("../../bins");
        let mut names: Vec<_> = fs::read_dir(binaries)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut tools: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        tools.sort_unstable();
        assert_eq!(tools, names);
    }
}
