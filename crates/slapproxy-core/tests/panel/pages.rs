//! What people read on the pages.

use crate::fixture::{INSTANCE, Panel, RELEASE, all, links, many, small, texts};

#[test]
fn an_empty_master_says_what_to_do() {
    let panel = Panel::over(|_| Ok(()));
    for (path, part) in [
        ("", "No node reports an error."),
        ("instances", "slapos-request"),
        ("software", "slapos-supply"),
        ("computers", "slapformat"),
        ("slaves", "slapos-request --slave"),
    ] {
        let text = panel.text(path);
        assert!(text.contains(part), "{path}: {text}");
        assert!(all(&panel.page(path), "table, form").is_empty(), "{path}");
    }
}

#[test]
fn the_overview_counts_and_shows_what_fails() {
    let panel = Panel::over(small);
    let page = panel.page("");
    assert_eq!(texts(&page, ".tile .count"), ["2", "1", "1", "1"]);
    let text = panel.text("");
    for part in [
        "2 of 3 partitions taken",
        "1 error",
        "1 started",
        "of 1 instance",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let failures = texts(&page, "pre.summary");
    assert_eq!(
        failures,
        [
            "While:\n  Installing gcc.\nError: no space <left>",
            "Promise url failed\nwith 503"
        ]
    );
}

#[test]
fn states_are_words_and_times_are_exact_at_hand() {
    let page = Panel::over(small).page("instances");
    assert_eq!(texts(&page, "td .badge"), ["started", "error"]);
    let times = all(&page, "td time");
    assert_eq!(times.len(), 2);
    assert_eq!(times[0].attr("title"), Some("1970-01-01 00:33:20 UTC"));
    assert!(texts(&page, "td time")[0].ends_with(" days ago"));
}

#[test]
fn an_instance_is_shown_in_full() {
    let panel = Panel::over(small);
    let page = panel.page(INSTANCE);
    assert_eq!(texts(&page, "h1"), ["root"]);
    let text = panel.text(INSTANCE);
    for part in [
        "size 40",
        "\"a\": \"needle\"",
        "evil javascript:alert(1)",
        "empty empty",
        "10.0.1.1",
        "2001:db8::1",
        "slaptap0",
        RELEASE.rsplit('/').next().unwrap(),
        "Requested by user",
        "child",
        "root_share",
        "domain example.org",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let links = links(&page);
    for link in [
        "https://[2001:db8::1]:80/?a=1&b=2",
        "http://share.example.org/",
        RELEASE,
        "instance?computer=COMP-1&partition=slappart1",
        "computer?computer=COMP-1",
    ] {
        assert!(links.contains(link), "{link}: {links:?}");
    }
}

#[test]
fn a_failing_instance_shows_the_whole_message_and_its_tree() {
    let panel = Panel::over(small);
    let path = "instance?computer=COMP-1&partition=slappart1";
    let page = panel.page(path);
    assert_eq!(
        texts(&page, "pre.message"),
        ["Promise url failed\nwith 503"]
    );
    let text = panel.text(path);
    assert!(text.contains("Requested by root"), "{text}");
    assert!(text.contains("Wanted stopped"), "{text}");
    assert!(text.contains("No longer requested noticed "), "{text}");
    let found = panel.page("instances?q=no+longer+requested");
    assert_eq!(texts(&found, "td.main > a"), ["child"]);
}

#[test]
fn a_free_partition_has_a_page_too() {
    let text = Panel::over(small).text("instance?computer=COMP-1&partition=slappart2");
    assert!(text.contains("slappart2 free"), "{text}");
    assert!(text.contains("the partition is free"), "{text}");
}

#[test]
fn a_computer_shows_partitions_addresses_and_usage() {
    let panel = Panel::over(small);
    let path = "computer?computer=COMP-1";
    let text = panel.text(path);
    for part in [
        "10.0.0.1",
        "2001:db8::1",
        "slappart2 free",
        "Usage reported",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(all(&panel.page(path), "tbody tr").len(), 3);
}

#[test]
fn a_computer_that_no_node_described_is_shown() {
    let panel = Panel::over(|records| records.set_software("COMP-9", RELEASE, "available"));
    assert!(panel.text("computers").contains("COMP-9"));
    let text = panel.text("computer?computer=COMP-9");
    assert!(text.contains("not yet by its node"), "{text}");
}

#[test]
fn releases_show_wish_report_and_users() {
    let panel = Panel::over(small);
    let page = panel.page("software");
    let row = texts(&page, "tbody tr td:not(.main)");
    assert_eq!(row[0], "error");
    assert_eq!(row[1], "available");
    assert!(row[2].starts_with("error "), "{row:?}");
    assert_eq!(row[4], "2");
    assert!(texts(&page, "details pre")[0].starts_with("Installing.\n"));
}

#[test]
fn three_hundred_instances_come_in_pages_tree_by_tree() {
    let panel = Panel::over(many);
    let mut names = Vec::new();
    for page in ["instances", "instances?page=2", "instances?page=3"] {
        let part = texts(&panel.page(page), "td.main > a");
        assert_eq!(part.len(), 100, "{page}");
        names.extend(part);
    }
    let expected: Vec<_> = (0..300).map(|number| format!("node {number}")).collect();
    assert_eq!(names, expected);
    assert!(panel.text("instances").contains("1–100 of 300"));
    assert_eq!(
        links(&panel.page("instances?page=2"))
            .iter()
            .filter(|it| it.contains("page="))
            .count(),
        1
    );
}

#[test]
fn instances_are_found_by_what_they_published_and_by_state() {
    let panel = Panel::over(many);
    let found = |query: &str| texts(&panel.page(&format!("instances?{query}")), "td.main > a");
    assert_eq!(found("q=T217t"), ["node 217"]);
    assert_eq!(found("state=error").len(), 6);
    assert_eq!(
        found("state=error&q=node+50"),
        ["node 50", "node 150", "node 250"]
    );
    assert_eq!(found("state=nonsense&page=x").len(), 100);
    let text = panel.text("instances?q=no+such+thing");
    assert!(text.contains("Nothing matches Show all 300"), "{text}");
    let text = panel.text("computer?computer=COMP-1&state=error");
    assert!(text.contains("1–6 of 6"), "{text}");
}

#[test]
fn a_child_leads_up_to_its_root_only_where_that_is_shown() {
    let panel = Panel::over(many);
    assert_eq!(all(&panel.page("instances"), "td.child").len(), 90);
    let alone = panel.page("instances?q=t15t");
    assert_eq!(texts(&alone, "td.main > a"), ["node 15"]);
    assert!(all(&alone, "td.child").is_empty());
}
