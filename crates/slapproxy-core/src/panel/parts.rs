//! What several pages are made of.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::listing::link;
use super::moment::ago;
use crate::storage::ReportRow;
use crate::survey::{Partition, Standing};

/// Longest text of a parameter that is shown, in bytes.
const LONGEST_VALUE: usize = 8 * 1024;
/// Most parameters of one thing that are shown.
const MOST_PARAMETERS: usize = 200;
/// From this many bytes on, a text has a box of its own.
const LONG_VALUE: usize = 160;
/// Lines of a message that its summary takes.
const SUMMARY_LINES: usize = 3;

/// A standing as a word in its colour.
pub(super) fn badge(standing: Standing) -> Markup {
    html! { span.badge.(standing.as_str()) title=(meaning(standing)) { (standing.as_str()) } }
}

/// A reported state in the colour of the standing that has its name.
pub(super) fn reported(state: &str) -> Markup {
    let style = Standing::from_word(state).map_or("", Standing::as_str);
    html! { span.badge.(style) { (state) } }
}

fn meaning(standing: Standing) -> &'static str {
    match standing {
        Standing::Error => "The node reported a failure",
        Standing::Waiting => "The node has not reported since the last change",
        Standing::Building => "The node is at work on it",
        Standing::Destroying => "It shall go, and the node has not removed it yet",
        Standing::Available => "It is installed",
        Standing::Started => "It runs, as wanted",
        Standing::Stopped => "It is stopped, as wanted",
        Standing::Free => "There is no instance",
    }
}

/// A report in a line: the state and when it was told.
pub(super) fn report(now: f64, report: Option<&ReportRow>) -> Markup {
    html! {
        @match report {
            Some(report) => { (report.state) " " span.faint { (ago(now, report.time)) } },
            None => span.faint { "nothing yet" },
        }
    }
}

/// The whole of what is known of a message.
pub(super) fn message(text: &str) -> Markup {
    html! {
        @if !text.trim().is_empty() {
            pre.message tabindex="0" role="region" aria-label="Message" { (text.trim_end()) }
        }
    }
}

/// The last lines of a message: they tell the most.
pub(super) fn summary(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(SUMMARY_LINES)..].join("\n")
}

/// The page of an instance, by its name.
pub(super) fn instance_link(partition: &Partition) -> Markup {
    let row = &partition.row;
    html! {
        a href=(instance_page(&row.computer_reference, &row.reference)) { (name(partition)) }
    }
}

/// The name of an instance; another program may have given it none.
pub(super) fn name(partition: &Partition) -> &str {
    match partition.title() {
        "" => "(without name)",
        title => title,
    }
}

/// By which the script finds what it shows of a partition again.
pub(super) fn key(partition: &Partition) -> String {
    let row = &partition.row;
    format!("{} {}", row.computer_reference, row.reference)
}

/// Where the page of a partition's instance is.
pub(super) fn instance_page(computer: &str, partition: &str) -> String {
    link(
        "instance",
        &[("computer", computer), ("partition", partition)],
    )
}

/// Where the page of a computer is.
pub(super) fn computer_page(computer: &str) -> String {
    link("computer", &[("computer", computer)])
}

/// A release: its short name, and the whole URL.
pub(super) fn release(url: &str) -> Markup {
    html! {
        span.name title=(url) { (release_name(url)) }
        span.url { (address(url)) }
    }
}

/// The part of a release's URL that tells it from others: the file's name, or its folder's when
/// the file has the name that most have.
pub(super) fn release_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
    let file = segments.next().unwrap_or(url);
    match file {
        "software.cfg" => segments.next().unwrap_or(file),
        _ => file.strip_suffix(".cfg").unwrap_or(file),
    }
}

/// A URL; a link if it leads to a web page.
pub(super) fn address(url: &str) -> Markup {
    html! {
        @if is_web(url) {
            a href=(url) rel="noopener noreferrer" { (breakable(url)) }
        } @else {
            (breakable(url))
        }
    }
}

/// A text that lines may break behind its slashes.
fn breakable(text: &str) -> Markup {
    html! { @for part in text.split_inclusive('/') { (part) wbr; } }
}

/// Whether a text is an address that a browser may be sent to.
fn is_web(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let known = scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    known && !text.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// Parameters as a table.
pub(super) fn parameters(entries: &BTreeMap<String, Option<String>>) -> Markup {
    html! {
        @if entries.is_empty() {
            p.faint { "None." }
        } @else {
            dl.parameters {
                @for (key, text) in entries.iter().take(MOST_PARAMETERS) {
                    dt { (key) }
                    dd { (value(key, text.as_deref().unwrap_or_default())) }
                }
            }
            @if entries.len() > MOST_PARAMETERS {
                p.faint { "And " (entries.len() - MOST_PARAMETERS) " more." }
            }
        }
    }
}

/// A parameter's text in the form that suits it.
fn value(key: &str, text: &str) -> Markup {
    let (shown, hidden) = beginning(text);
    let json = (hidden == 0).then(|| pretty_json(text)).flatten();
    html! {
        div.value {
            @if text.is_empty() {
                span.faint { "empty" }
            } @else if is_web(text) && hidden == 0 {
                (address(text))
            } @else if let Some(json) = json {
                pre tabindex="0" { (json) }
            } @else if shown.len() > LONG_VALUE || shown.contains('\n') {
                pre tabindex="0" { (shown) }
            } @else {
                code { (shown) }
            }
            @if hidden > 0 {
                p.faint { "And " (hidden) " bytes more." }
            } @else if !text.is_empty() {
                button.copy type="button" data-copy=(text) aria-label={ "Copy " (key) } { "Copy" }
            }
        }
    }
}

/// The beginning of a text, and how many bytes are left.
fn beginning(text: &str) -> (&str, usize) {
    let longest = text.len().min(LONGEST_VALUE);
    let end = (0..=longest).rev().find(|at| text.is_char_boundary(*at));
    let (shown, hidden) = text.split_at(end.unwrap_or(0));
    (shown, hidden.len())
}

/// A JSON object or list, one entry a line.
fn pretty_json(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let structured = value.is_object() || value.is_array();
    structured.then(|| format!("{value:#}"))
}

/// How many there are of each standing, in the order of [`Standing::ALL`].
pub(super) fn tally(standings: impl IntoIterator<Item = Standing>) -> Vec<(Standing, usize)> {
    let mut counts = BTreeMap::new();
    for standing in standings {
        *counts.entry(standing).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// Shares of a whole as a bar, and in words below.
pub(super) fn shares(counts: &[(Standing, usize)]) -> Markup {
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let starts = counts.iter().scan(0, |end, (_, count)| {
        let start = *end;
        *end += count;
        Some(start)
    });
    html! {
        svg.bar viewBox=(format!("0 0 {} 1", total.max(1))) preserveAspectRatio="none" aria-hidden="true" {
            @for ((standing, count), start) in counts.iter().zip(starts) {
                rect.(standing.as_str()) x=(start) y="0" width=(count) height="1" {}
            }
        }
        p.legend {
            @for (standing, count) in counts {
                span.(standing.as_str()) { b { (count) } " " (standing.as_str()) }
            }
        }
    }
}

/// A number of things, in words.
pub(super) fn some(count: usize, thing: &str) -> Markup {
    html! { b { (count) } " " (thing) @if count != 1 { "s" } }
}

/// What stands where there is nothing to show, and what to do about it.
pub(super) fn empty(title: &str, hint: Markup) -> Markup {
    html! {
        div.empty {
            p.title { (title) }
            p { (hint) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_links() {
        for url in ["http://a/", "HTTPS://a/?b=<c>", "http://[fd00::1]:80/"] {
            assert!(address(url).into_string().contains("<a href="), "{url}");
        }
        let others = [
            "javascript:alert(1)",
            "javascript://a/%0aalert(1)",
            " http://a/",
            "http://a/ b",
            "data:text/html,<script>",
            "ssh://a",
            "//a/",
            "",
        ];
        for url in others {
            assert!(!address(url).into_string().contains("<a"), "{url}");
        }
    }

    #[test]
    fn a_release_is_called_by_what_tells_it_from_others() {
        let table = [
            (
                "https://lab/slapos/raw/1.0/software/kvm/software.cfg",
                "kvm",
            ),
            (
                "https://lab/software/apache-frontend.cfg?x=/y.cfg",
                "apache-frontend",
            ),
            ("/srv/release/", "release"),
            ("software.cfg", "software.cfg"),
            ("", ""),
        ];
        for (url, name) in table {
            assert_eq!(release_name(url), name, "{url}");
        }
    }

    #[test]
    fn values_take_the_form_that_suits_them() {
        let table = [
            ("", "empty"),
            ("plain & simple", "<code>plain &amp; simple</code>"),
            ("{\"a\":[1]}", "<pre tabindex=\"0\">{\n  &quot;a&quot;: ["),
            ("{broken", "<code>{broken</code>"),
            ("a\nb", "<pre tabindex=\"0\">a\nb</pre>"),
            ("https://a/", "<a href=\"https://a/\""),
        ];
        for (text, part) in table {
            let html = value("key", text).into_string();
            assert!(html.contains(part), "{text:?}: {html}");
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let html = value("key", &"é".repeat(LONGEST_VALUE)).into_string();
        assert!(html.contains(&format!("And {LONGEST_VALUE} bytes more.")));
        let html = value("key", &format!("http://a/{}", "b".repeat(LONGEST_VALUE))).into_string();
        assert!(!html.contains("href"), "a cut address would lead elsewhere");
    }

    #[test]
    fn a_summary_is_the_end_of_a_message() {
        assert_eq!(summary("a\nb\n\nc\nd\n"), "b\nc\nd");
        assert_eq!(summary(""), "");
    }
}
