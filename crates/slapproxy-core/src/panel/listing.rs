//! Lists that may be long: searched, narrowed to a standing, and shown page by page.

use form_urlencoded::Serializer;
use maud::{Markup, html};

use super::parts;
use crate::survey::Standing;

/// Entries on a page of a list.
const PAGE: usize = 100;
/// Words of a search that count.
const MOST_WORDS: usize = 16;

/// The query of a request; what makes no sense in it is as if absent.
#[derive(Debug, Default, Clone)]
pub(super) struct PageQuery {
    /// Words that entries must have.
    q: String,
    /// The standing that entries must have.
    state: String,
    /// The page of the list, from 1.
    page: String,
    /// A computer.
    pub(super) computer: String,
    /// A partition of it.
    pub(super) partition: String,
}

impl PageQuery {
    /// Of a key that is there twice, the first counts.
    pub(super) fn parse(query: &str) -> Self {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let value = |wanted: &str| {
            let found = pairs.iter().find(|(key, _)| key == wanted);
            found.map_or_else(String::new, |(_, value)| value.to_string())
        };
        Self {
            q: value("q"),
            state: value("state"),
            page: value("page"),
            computer: value("computer"),
            partition: value("partition"),
        }
    }
}

/// A link to a page of the panel with a query; what is empty is left out.
pub(super) fn link(page: &str, query: &[(&str, &str)]) -> String {
    let given = query.iter().filter(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() {
        return page.to_owned();
    }
    format!("{page}?{query}")
}

/// The entries of a list that are shown, and what is around them.
pub(super) struct Listing<'a, T> {
    query: &'a PageQuery,
    /// The page of the panel that the list is on.
    here: &'static str,
    /// Entries of the page.
    shown: Vec<&'a T>,
    /// How many entries there are at all.
    all: usize,
    /// How many of them have the words.
    found: usize,
    /// How many of these have each standing.
    counts: Vec<(Standing, usize)>,
    /// How many have the wanted standing, too.
    narrowed: usize,
    /// Where the page begins.
    start: usize,
}

impl<'a, T> Listing<'a, T> {
    /// The list of a page `here`: `words` tells the text of an entry that is searched.
    pub(super) fn new(
        here: &'static str,
        query: &'a PageQuery,
        entries: Vec<&'a T>,
        words: impl Fn(&T) -> String,
        standing: impl Fn(&T) -> Option<Standing>,
    ) -> Self {
        let all = entries.len();
        let mut shown = searched(entries, &query.q, words);
        let found = shown.len();
        let counts = counts(&shown, &standing);
        if let Some(wanted) = Standing::from_word(&query.state) {
            shown.retain(|entry| standing(entry) == Some(wanted));
        }
        let narrowed = shown.len();
        let last = narrowed.saturating_sub(1) / PAGE;
        let page = query.page.parse::<usize>().unwrap_or(1).saturating_sub(1);
        let start = page.min(last) * PAGE;
        let shown = shown.into_iter().skip(start).take(PAGE).collect();
        Self {
            query,
            here,
            shown,
            all,
            found,
            counts,
            narrowed,
            start,
        }
    }

    /// The search field, what `draw` makes of the entries, and the way to other pages. A list
    /// without entries at all is explained by a title and a hint.
    pub(super) fn html(
        &self,
        placeholder: &str,
        (title, hint): (&str, Markup),
        draw: impl FnOnce(&[&T]) -> Markup,
    ) -> Markup {
        html! {
            (self.tools(placeholder))
            @if self.all == 0 {
                (parts::empty(title, hint))
            } @else if self.shown.is_empty() {
                (self.nothing())
            } @else {
                (draw(&self.shown))
            }
            (self.pager())
        }
    }

    /// The search field and the standings to choose from; nothing where nothing is to be found.
    fn tools(&self, placeholder: &str) -> Markup {
        html! {
            @if self.all > 0 {
                div.tools {
                    form.search role="search" action=(self.here) data-live="" {
                        @if !self.query.computer.is_empty() {
                            input type="hidden" name="computer" value=(self.query.computer);
                        }
                        @if !self.query.state.is_empty() {
                            input type="hidden" name="state" value=(self.query.state);
                        }
                        input #q type="search" name="q" value=(self.query.q) autocomplete="off"
                            maxlength="200" placeholder=(placeholder) aria-label=(placeholder);
                        button { "Search" }
                    }
                    (self.chips())
                }
            }
        }
    }

    fn chips(&self) -> Markup {
        let chosen = Standing::from_word(&self.query.state);
        html! {
            @if !self.counts.is_empty() {
                div.chips role="group" aria-label="Narrow by state" {
                    (self.chip("", chosen.is_none(), "all", self.found))
                    @for (standing, count) in &self.counts {
                        (self.chip(standing.as_str(), chosen == Some(*standing), standing.as_str(), *count))
                    }
                }
            }
        }
    }

    fn chip(&self, state: &str, chosen: bool, text: &str, count: usize) -> Markup {
        html! {
            a.chip.(text) href=(self.to(state, 1)) aria-current=[chosen.then_some("true")] {
                (text) " " b { (count) }
            }
        }
    }

    /// What stands in the place of a list in which nothing was found.
    fn nothing(&self) -> Markup {
        let everything = link(self.here, &[("computer", &self.query.computer)]);
        parts::empty(
            "Nothing matches",
            html! { a href=(everything) { "Show all " (self.all) } },
        )
    }

    /// Where the page lies in the list, and the way to its neighbours.
    fn pager(&self) -> Markup {
        let end = self.start + self.shown.len();
        let page = self.start / PAGE + 1;
        html! {
            @if self.narrowed > 0 {
                nav.pager aria-label="Pages of the list" {
                    span { (self.start + 1) "–" (end) " of " (self.narrowed) }
                    @if self.start > 0 {
                        a rel="prev" href=(self.to(&self.query.state, page - 1)) { "← Previous" }
                    }
                    @if end < self.narrowed {
                        a rel="next" href=(self.to(&self.query.state, page + 1)) { "Next →" }
                    }
                }
            }
        }
    }

    fn to(&self, state: &str, page: usize) -> String {
        let page = if page > 1 {
            page.to_string()
        } else {
            String::new()
        };
        let query = [
            ("computer", self.query.computer.as_str()),
            ("q", &self.query.q),
            ("state", state),
            ("page", &page),
        ];
        link(self.here, &query)
    }
}

/// The entries that have every word, in either case.
fn searched<'a, T>(entries: Vec<&'a T>, wanted: &str, words: impl Fn(&T) -> String) -> Vec<&'a T> {
    let wanted = wanted.to_lowercase();
    let wanted: Vec<_> = wanted.split_whitespace().take(MOST_WORDS).collect();
    if wanted.is_empty() {
        return entries;
    }
    let has_all = |entry: &&T| {
        let text = words(entry).to_lowercase();
        wanted.iter().all(|word| text.contains(word))
    };
    entries.into_iter().filter(has_all).collect()
}

fn counts<T>(entries: &[&T], standing: impl Fn(&T) -> Option<Standing>) -> Vec<(Standing, usize)> {
    let standings: Vec<_> = entries.iter().filter_map(|entry| standing(entry)).collect();
    parts::tally(standings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing<'a>(query: &'a PageQuery, entries: &'a [String]) -> Listing<'a, String> {
        let standing = |text: &String| {
            Some(if text.ends_with('0') {
                Standing::Error
            } else {
                Standing::Started
            })
        };
        Listing::new(
            "list",
            query,
            entries.iter().collect(),
            String::clone,
            standing,
        )
    }

    fn query(q: &str, state: &str, page: &str) -> PageQuery {
        PageQuery {
            q: q.to_owned(),
            state: state.to_owned(),
            page: page.to_owned(),
            ..PageQuery::default()
        }
    }

    fn entries() -> Vec<String> {
        (0..250).map(|number| format!("Entry {number}")).collect()
    }

    #[test]
    fn a_query_is_read_whatever_it_holds() {
        let query = PageQuery::parse("q=a+b&q=c&computer=%C3%A9&state=%ff&other=1&&page");
        assert_eq!((&*query.q, &*query.computer), ("a b", "é"));
        assert_eq!((&*query.state, &*query.page), ("\u{fffd}", ""));
    }

    #[test]
    fn a_page_holds_a_part_and_leads_on() {
        let (entries, query) = (entries(), query("", "", "2"));
        let listing = listing(&query, &entries);
        assert_eq!(listing.shown.len(), 100);
        assert_eq!(listing.shown[0], "Entry 100");
        let pager = listing.pager().into_string();
        assert!(pager.contains("101–200 of 250"), "{pager}");
        assert!(pager.contains("list?page=3"), "{pager}");
        assert!(pager.contains("href=\"list\""), "{pager}");
    }

    #[test]
    fn words_and_standings_narrow() {
        let (entries, query) = (entries(), query("ENTRY 24", "error", ""));
        let listing = listing(&query, &entries);
        assert_eq!(listing.shown, ["Entry 240"]);
        let tools = listing.tools("Search").into_string();
        assert!(tools.contains("all <b>13</b>"), "{tools}");
        assert!(tools.contains("started <b>12</b>"), "{tools}");
        assert!(tools.contains("q=ENTRY+24&amp;state=started"), "{tools}");
    }

    #[test]
    fn pages_that_do_not_exist_are_the_nearest() {
        let entries = entries();
        for (page, first) in [("99", "Entry 200"), ("0", "Entry 0"), ("x", "Entry 0")] {
            let query = query("", "", page);
            assert_eq!(listing(&query, &entries).shown[0], first, "{page}");
        }
        let (query, none) = (query("no such", "", "7"), Vec::new());
        assert!(listing(&query, &none).shown.is_empty());
    }
}
