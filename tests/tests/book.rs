//! The texts for people: that links lead somewhere, that the book has all of its pages, and that the
//! options that it names exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use slapos_tests::{Outcome, places};

/// Texts outside of the book.
const TEXTS: [&str; 5] = [
    "README.md",
    "CHANGES.md",
    "ARCHITECTURE.md",
    "fuzz/README.md",
    "packaging/README.md",
];

/// A text, as far as it is checked.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// Of code blocks.
    lines: Vec<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let (mut heading, mut code) = (None, None);
        for event in Parser::new_ext(text, pulldown_cmark::Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.anchor(&heading.take().unwrap_or_default()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::CodeBlock(kind)) => code = Some(is_of_shell(&kind)),
                Event::End(TagEnd::CodeBlock) => code = None,
                Event::Text(text) if code == Some(true) => {
                    page.lines.extend(text.lines().map(str::to_owned));
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// Notes the anchor of a heading, as GitHub and mdbook make it; repeated ones are numbered.
    fn anchor(&mut self, heading: &str) {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug: String = heading.to_lowercase().chars().filter(kept).collect();
        let slug = slug.replace(' ', "-");
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.clone()).chain(numbered);
        names.find(|name| self.anchors.insert(name.clone()));
    }
}

/// Whether a block shows what is typed, rather than a file.
fn is_of_shell(kind: &CodeBlockKind) -> bool {
    match kind {
        CodeBlockKind::Indented => true,
        CodeBlockKind::Fenced(language) => matches!(&**language, "" | "sh" | "console"),
    }
}

fn book() -> PathBuf {
    places::workspace().join("docs/src")
}

fn book_pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(book()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect()
}

fn all_texts() -> Vec<PathBuf> {
    let texts = TEXTS.iter().map(|name| places::workspace().join(name));
    texts.chain(book_pages()).collect()
}

/// Why a link of this page leads nowhere; none if it leads somewhere, or out of the tree.
fn broken(path: &Path, page: &Page, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        path.to_owned()
    } else {
        path.parent()?.join(file)
    };
    let because = |reason: &str| Some(format!("{}: ({link}): {reason}", path.display()));
    if !target.exists() {
        return because("there is no such file");
    }
    if path.starts_with(book()) && !target.canonicalize().unwrap().starts_with(book()) {
        return because("it leads out of the book, which is read elsewhere, too");
    }
    let known = match file {
        "" => page.anchors.contains(anchor),
        _ => anchor.is_empty() || Page::read(&target).anchors.contains(anchor),
    };
    if known {
        None
    } else {
        because("there is no such heading")
    }
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let (mut checked, mut failures) = (0, Vec::new());
    for path in all_texts() {
        let page = Page::read(&path);
        checked += page.links.len();
        failures.extend(
            page.links
                .iter()
                .filter_map(|link| broken(&path, &page, link)),
        );
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{checked} links");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let path = places::workspace().join("README.md");
    let page = Page::parse("# One `two`\n\n# One two\n\n[a](#one-two-1) [b](#three)");
    let broken = |link| broken(&path, &page, link);
    assert_eq!(page.links, ["#one-two-1", "#three"]);
    for link in [
        "#one-two",
        "#one-two-1",
        "https://example.org/#x",
        "LICENSE-MIT",
    ] {
        assert_eq!(broken(link), None);
    }
    for link in ["#three", "docs/src/none.md", "README.md#none"] {
        assert!(broken(link).is_some(), "{link}");
    }
}

#[test]
fn the_summary_lists_each_page_once() {
    let summary = Page::read(&book().join("SUMMARY.md"));
    let mut listed = summary.links;
    listed.sort();
    let pages = book_pages().into_iter().map(|path| {
        let name = path.file_name().unwrap();
        name.to_str().unwrap().to_owned()
    });
    let mut pages: Vec<_> = pages.filter(|name| name != "SUMMARY.md").collect();
    pages.sort();
    assert_eq!(listed, pages);
}

/// What the tools say of their options.
#[derive(Default)]
struct Helps(BTreeMap<Vec<String>, String>);

impl Helps {
    fn of(&mut self, words: &[String]) -> &str {
        self.0.entry(words.to_vec()).or_insert_with(|| {
            let mut command = Command::new(places::tool(&words[0]));
            Outcome::of(command.args(&words[1..]).arg("--help"))
                .expect(0)
                .stdout
        })
    }

    /// Options of a command line that its tool does not know.
    fn unknown(&mut self, line: &[String]) -> Vec<String> {
        let mut words = vec![line[0].clone()];
        for word in &line[1..] {
            let help = self.of(&words);
            let commands = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
            let commands = commands.split("\n\n").next().unwrap_or_default();
            let mut names = commands
                .lines()
                .filter_map(|line| line.split_whitespace().next());
            if names.any(|name| name == word) {
                words.push(word.clone());
            }
        }
        let help = self.of(&words);
        let known: BTreeSet<_> = help
            .split(|c: char| !(c.is_alphanumeric() || c == '-'))
            .collect();
        let options = line.iter().skip(1).take_while(|word| *word != "--");
        let options = options.map(|word| word.split('=').next().unwrap_or(word));
        let options = options.filter(|word| word.starts_with('-') && word.len() > 1);
        options
            .filter(|word| !known.contains(word))
            .map(str::to_owned)
            .collect()
    }
}

/// The command line of one of our tools that a line of a code block shows, if it does. One with a path
/// is somebody else's.
fn command_line(line: &str) -> Option<Vec<String>> {
    let line = line
        .trim_start()
        .trim_start_matches(['$', '#'])
        .trim_start();
    let line = match line.strip_prefix("cargo xtask ") {
        Some(rest) => task(rest),
        None => line.to_owned(),
    };
    let words = line
        .split_whitespace()
        .map(|word| word.trim_matches('"').to_owned());
    let words: Vec<_> = words.skip_while(|word| word == "sudo").collect();
    let end = words
        .iter()
        .position(|word| matches!(word.as_str(), "|" | ">" | "&&" | "&"));
    let words = words[..end.unwrap_or(words.len())].to_vec();
    let bins = places::workspace().join("bins");
    let first = words.first()?;
    let ours = first.starts_with("xtask") || (!first.contains('/') && bins.join(first).is_dir());
    // "slapgrid : …" is of a log.
    (ours && words.get(1).is_none_or(|word| word != ":")).then_some(words)
}

/// The program that a task of `cargo xtask` is, and what it is given.
fn task(rest: &str) -> String {
    match rest.split_once(' ').unwrap_or((rest, "")) {
        ("demo" | "test", _) => format!("xtask {rest}"),
        ("bench", rest) => format!("xtask-bench {rest}"),
        _ => format!("xtask-packages {rest}"),
    }
}

#[test]
fn options_in_the_texts_exist() {
    let (mut checked, mut failures) = (0, Vec::new());
    let mut helps = Helps::default();
    for path in all_texts() {
        for line in Page::read(&path).lines {
            let Some(words) = command_line(&line) else {
                continue;
            };
            checked += 1;
            for option in helps.unknown(&words) {
                failures.push(format!("{}: {option}: {line}", path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(checked > 20, "{checked} command lines");
}

#[test]
fn an_option_that_does_not_exist_is_found() {
    let mut helps = Helps::default();
    let mut unknown = |line| helps.unknown(&command_line(line).unwrap());
    assert_eq!(
        unknown("$ slapgrid-cp --now --nope=1 slapos.cfg"),
        ["--nope"]
    );
    assert_eq!(unknown("slapgrid-cp -c slapos.cfg | grep -x"), [""; 0]);
    assert_eq!(unknown("cargo xtask demo --clean --dirty"), ["--dirty"]);
    assert_eq!(
        command_line("/opt/slapos/bin/slapos node format --cfg x"),
        None
    );
}
