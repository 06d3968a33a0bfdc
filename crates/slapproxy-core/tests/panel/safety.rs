//! What the panel must not do: run texts of others, change anything, break.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use scraper::Html;

use crate::fixture::{HOSTILE, INSTANCE, PAGES, Panel, all, hostile, links, small, texts};

#[test]
fn texts_of_others_stay_texts() {
    let panel = Panel::over(hostile);
    let query = |page: &str| {
        let value =
            percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC);
        format!("{page}?computer={value}&partition={value}&q={value}")
    };
    let pages = [
        "",
        "instances",
        "software",
        "computers",
        "slaves",
        "instance",
        "computer",
    ];
    for name in pages {
        let path = query(name);
        let page = panel.page(&path);
        let shown: String = texts(&page, "main").concat();
        assert!(shown.contains(HOSTILE), "{name}: {shown}");
        assert_harmless(name, &page);
    }
    // What is asked for and does not exist is told back.
    let answer = panel.get(&format!("panel/{}", query("computer") + "x"));
    assert_harmless("missing", &Html::parse_document(&answer.body));
}

/// Nothing on the page runs or loads but our own files, and nothing leads to a script.
fn assert_harmless(name: &str, page: &Html) {
    let scripts = all(page, "script");
    assert_eq!(scripts.len(), 1, "{name}");
    assert_eq!(scripts[0].attr("src"), Some("assets/panel.js"));
    for image in all(
        page,
        "img, link, iframe, object, embed, base, meta[http-equiv]",
    ) {
        let source = image.attr("src").or(image.attr("href"));
        assert!(
            source.is_some_and(|it| it.starts_with("assets/")),
            "{name}: {source:?}"
        );
    }
    for element in all(page, "*") {
        for (attribute, value) in element.value().attrs() {
            assert!(!attribute.starts_with("on"), "{name}: {attribute}={value}");
            assert!(attribute != "style", "{name}: style={value}");
        }
    }
    for link in links(page) {
        assert!(
            !link.to_lowercase().starts_with("javascript"),
            "{name}: {link}"
        );
    }
}

/// Every link of the panel, from page to page: relative, and none is dead.
#[test]
fn every_link_is_relative_and_leads_somewhere() {
    let panel = Panel::over(small);
    let mut known = BTreeSet::from([String::new()]);
    let mut open = vec![String::new()];
    while let Some(path) = open.pop() {
        let answer = panel.get(&format!("panel/{path}"));
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        if path.starts_with("assets/") {
            continue;
        }
        for link in links(&Html::parse_document(&answer.body)) {
            let outside = link.starts_with("http://") || link.starts_with("https://");
            assert!(!link.starts_with('/'), "{path}: {link}");
            let link = link.trim_start_matches("./").to_owned();
            if !outside && !link.starts_with('#') && known.insert(link.clone()) {
                open.push(link);
            }
        }
    }
    assert!(known.len() > 15, "{known:?}");
}

#[test]
fn what_does_not_exist_is_404_and_named() {
    let panel = Panel::over(small);
    for (path, name) in [
        ("instance?computer=COMP-1&partition=slappart9", "slappart9"),
        ("instance", "partition"),
        ("computer?computer=COMP-9", "COMP-9"),
        ("assets/none.css", "no such file"),
        ("assets/..%2fpanel.css", "no such file"),
        ("none", "no such call"),
    ] {
        let answer = panel.get(&format!("panel/{path}"));
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains(name), "{path}: {}", answer.body);
    }
}

#[test]
fn queries_that_make_no_sense_do_no_harm() {
    let panel = Panel::over(small);
    let long = format!("instances?q={}", "x".repeat(60_000));
    for path in [
        "instances?q=%ff%00&page=-1&state=%20",
        "?%%%",
        "slaves?page=99999999999999999999",
        "instances?q=a&q=b&&page",
        &long,
    ] {
        assert_eq!(
            panel.get(&format!("panel/{path}")).status,
            StatusCode::OK,
            "{path}"
        );
    }
}

#[test]
fn both_ways_to_the_panel_lead_there_whatever_the_prefix() {
    let panel = Panel::over(|_| Ok(()));
    for (path, status) in [("", 302), ("panel", 308)] {
        let answer = panel.get(path);
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.headers["location"], "panel/", "{path}");
    }
}

#[test]
fn every_answer_keeps_browsers_from_mischief() {
    let panel = Panel::over(small);
    let paths = [
        "panel/",
        "panel/instances",
        "panel/assets/panel.js",
        "panel/instance",
        "panel/public/a",
        "",
    ];
    for path in paths {
        let headers = panel.get(path).headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
    }
    assert_eq!(panel.get("panel/").headers["cache-control"], "no-store");
}

#[test]
fn nothing_can_be_changed_from_the_panel() {
    let panel = Panel::over(small);
    let before = panel.stored();
    for path in PAGES
        .into_iter()
        .chain([INSTANCE, "assets/panel.css", "public/a"])
    {
        panel.get(&format!("panel/{path}"));
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let request = Request::builder()
                .method(method)
                .uri(format!("/panel/{path}"));
            let answer = panel.request(request.body(Body::from("a=b")).unwrap());
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
    assert_eq!(panel.stored(), before);
}

#[test]
fn a_database_that_fails_is_told() {
    let panel = Panel::over(small);
    let other = rusqlite::Connection::open(&panel.database).unwrap();
    other.execute_batch("DROP TABLE slave18").unwrap();
    let answer = panel.get("panel/instances");
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer.body.contains("no such table: slave18"),
        "{}",
        answer.body
    );
    assert_harmless("failure", &Html::parse_document(&answer.body));
}
