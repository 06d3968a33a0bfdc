//! The parameters that the code looks up are those that are documented.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use slapos_config::ConfigFile;

use super::{DEFINITION_SECTIONS, SECTIONS};

/// What looks a parameter up, before its name.
const LOOK_UPS: &[&str] = &[
    "both(",
    "file(",
    "get(",
    "get_bool(",
    "get_lines(",
    "get_parsed(",
    "get_path(",
    "get_text(",
    "let key = ",
    "(key, expected) = (",
    "lines(",
    "parsed(",
    "parsed_or(",
    "path(",
    "require(",
    "text(",
    "text_or(",
    "truth(",
    "truth_or(",
];

/// Words of such files that look like parameters and are none: whatever begins with `slap` is a
/// tool, a section or a user.
const NO_PARAMETERS: &[&str] = &[
    "generate-signature-key",
    "make-key",
    "rsa-sha",
    "slap",
    "x-forwarded",
];

/// How parameters begin that a tool names and a library looks up.
const HANDED_ON: &str = "pidfile_";

#[test]
fn every_parameter_that_is_read_is_documented_and_no_other() {
    let documented: BTreeSet<String> = documented().map(normalised).collect();
    let read = read_by_the_code();
    let undocumented: Vec<_> = read.difference(&documented).collect();
    assert!(undocumented.is_empty(), "not documented: {undocumented:?}");
    let unread: Vec<_> = documented.difference(&read).collect();
    assert!(unread.is_empty(), "documented and never read: {unread:?}");
}

#[test]
fn the_example_sets_only_what_is_documented() {
    let path = workspace().join("slapos.cfg.example");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().map(uncommented).collect();
    let file = ConfigFile::parse(&path, lines.join("\n").as_bytes()).unwrap();
    for name in file.sections() {
        let documented = SECTIONS.iter().find(|section| {
            let prefix = section.name.strip_suffix("URL");
            section.name == name || prefix.is_some_and(|prefix| name.starts_with(prefix))
        });
        let documented = documented.unwrap_or_else(|| panic!("[{name}] is not documented"));
        for key in file.section(name).keys() {
            let mut keys = documented.keys.iter();
            let known = keys.any(|one| normalised(one.name) == normalised(key));
            assert!(known, "{key} of [{name}] is not documented");
        }
    }
}

/// What is commented out is an example, too; what has a space after the sign is prose.
fn uncommented(line: &str) -> &str {
    match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|first: char| first.is_alphabetic() || first == '[') => rest,
        _ => line,
    }
}

fn documented() -> impl Iterator<Item = &'static str> {
    let sections = SECTIONS.iter().chain(DEFINITION_SECTIONS);
    sections.flat_map(|section| section.keys.iter().map(|key| key.name))
}

fn read_by_the_code() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for directory in ["crates", "bins"] {
        for file in sources(&workspace().join(directory)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let mut found: Vec<_> = code.lines().flat_map(names_of_line).collect();
            if !is_about_settings(&file) {
                let looked_up = code.lines().filter(|line| line.contains(".get_"));
                let looked_up: Vec<_> = looked_up.flat_map(names_of_line).collect();
                found.retain(|name| looked_up.contains(name) || name.starts_with(HANDED_ON));
            }
            names.extend(found.into_iter().map(normalised));
        }
    }
    let parameter = |name: &String| {
        let mut others = NO_PARAMETERS.iter();
        !others.any(|other| name.starts_with(&normalised(other)))
    };
    names.retain(parameter);
    names
}

/// Whether a file has nothing but parameters to name; others speak of documents and calls, too.
fn is_about_settings(file: &Path) -> bool {
    let path = file.to_string_lossy();
    ["settings", "slapformat-core/src/lookup.rs", "definition.rs"]
        .iter()
        .any(|part| path.contains(part))
}

/// The parameters that a line of code names: in a look-up any word, elsewhere words with a joint.
fn names_of_line(line: &str) -> Vec<&str> {
    let line = line.trim_start();
    if line.starts_with("//") || line.starts_with("#[") {
        return Vec::new();
    }
    let looks_up = LOOK_UPS.iter().any(|call| line.contains(call));
    let literals = line.split('"').skip(1).step_by(2);
    literals.filter(|text| is_name(text, looks_up)).collect()
}

fn is_name(text: &str, one_word: bool) -> bool {
    let words: Vec<_> = text.split(['-', '_']).collect();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut all = words.iter();
    (one_word || words.len() > 1) && all.all(|word| !word.is_empty() && word.bytes().all(plain))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "xtask"].contains(&name.as_str()) {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

fn normalised(name: &str) -> String {
    name.replace('-', "_")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
