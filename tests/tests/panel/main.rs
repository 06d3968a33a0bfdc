//! The web panel in a real browser: what people see, whatever their window and taste.
//!
//! Pictures of every view are left in the target directory, under `tmp/panel`.

mod peer;
mod view;

use slap_client::InstanceRequest;
use slapos_tests::Side::Ours;
use slapos_tests::{Browser, Node, population};
use view::{DARK, LIGHT, NARROW, Visit};

const INSTANCE: &str = "instance?computer=COMP-1&partition=slappart0";

#[test]
fn three_partitions_fit_every_window_and_are_legible() {
    let mut visit = Visit::to(population::three);
    for look in [LIGHT, DARK, NARROW] {
        for (name, page) in [
            ("overview", ""),
            ("instances", "instances"),
            ("instance", INSTANCE),
            ("failing", "instance?computer=COMP-1&partition=slappart1"),
            ("software", "software"),
            ("slaves", "slaves"),
        ] {
            visit.look_at(&format!("3-{name}"), page, look);
        }
    }
    visit.no_complaints();
}

#[test]
fn three_hundred_partitions_fit_every_window_and_are_legible() {
    let mut visit = Visit::to(population::three_hundred);
    for look in [LIGHT, DARK, NARROW] {
        for (name, page) in [
            ("overview", ""),
            ("instances", "instances"),
            ("errors", "instances?state=error"),
            ("computers", "computers"),
            ("computer", "computer?computer=COMP-1&q=slappart2"),
        ] {
            visit.look_at(&format!("300-{name}"), page, look);
        }
    }
    visit.no_complaints();
}

#[test]
fn an_empty_master_is_legible() {
    let mut visit = Visit::to(|_| ());
    for look in [LIGHT, DARK, NARROW] {
        visit.look_at("empty-overview", "", look);
        visit.look_at("empty-instances", "instances", look);
    }
    visit.no_complaints();
    // The measure of legibility finds what it is for.
    visit
        .browser
        .evaluate("document.querySelector('h1').style.color = '#999'");
    let faint = visit.faint_texts();
    assert!(
        faint[0].as_str().is_some_and(|it| it.contains("<h1")),
        "{faint}"
    );
}

/// What a node reports appears by itself, and nothing of what the reader does is disturbed.
#[test]
fn the_page_lives_and_leaves_its_reader_alone() {
    let mut visit = Visit::to(population::three);
    visit.open("software");
    let browser = &mut visit.browser;
    browser.evaluate("document.querySelector('details').open = true; window.mark = 1");
    browser.evaluate("document.querySelector('#q').focus()");
    let release = visit
        .node
        .slap()
        .register_software_release(population::BUILDING, slapos_tests::COMPUTER);
    release.error("the disk <is> full").unwrap();
    browser.wait_for("document.querySelector('main').innerText.includes('error 2')");
    assert_eq!(
        browser.evaluate("window.mark"),
        1,
        "the page was loaded anew"
    );
    assert_eq!(browser.evaluate("document.activeElement.id"), "q");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('details[open]').length"),
        1
    );
    visit.no_complaints();
}

#[test]
fn typing_searches_and_the_address_remembers() {
    let mut visit = Visit::to(population::three);
    visit.open("instances");
    let browser = &mut visit.browser;
    browser.evaluate("document.querySelector('#q').focus()");
    browser.type_text("office");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 1");
    assert_eq!(browser.evaluate("location.search"), "?q=office");
    assert_eq!(browser.evaluate("document.activeElement.value"), "office");
    browser.type_text(" nothing like it");
    browser.wait_for("document.querySelector('main').innerText.includes('Nothing matches')");
    visit.no_complaints();
}

#[test]
fn a_master_that_is_away_is_told_and_found_again() {
    let mut visit = Visit::to(population::three);
    visit.open("");
    visit
        .browser
        .evaluate("document.querySelector('#live').click()");
    assert_eq!(visit.live(), "Paused");
    visit.node.stop_master();
    visit
        .browser
        .evaluate("document.querySelector('#live').click()");
    visit.wait_for_live("Master is away");
    visit.node.start_master(Ours);
    visit.wait_for_live("Live");
}

#[test]
fn without_script_all_is_there_and_can_be_searched() {
    let mut visit = Visit::to(population::three);
    visit.browser.scripts(false);
    visit.open("instances?q=office");
    let browser = &mut visit.browser;
    let visible =
        |selector: &str| format!("document.querySelector('{selector}').checkVisibility()");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('tbody tr').length"),
        1
    );
    assert_eq!(browser.evaluate(&visible(".search button")), true);
    assert_eq!(browser.evaluate(&visible("#live")), false);
}

/// What comes and goes before it does not take the place of what the reader is at.
#[test]
fn what_is_new_or_gone_does_not_push_the_reader_away() {
    const IS_THERE: &str = "document.activeElement === window.mark";
    let mut visit = Visit::to(population::three);
    let slap = visit.node.slap();
    visit.open("instances");
    visit
        .browser
        .evaluate("window.mark = document.querySelector('tbody a'); window.mark.focus()");
    let request = InstanceRequest::new(population::INSTALLED, "!first");
    slap.register_open_order().request(&request).unwrap();
    visit
        .browser
        .wait_for("document.querySelector('tbody a').innerText === '!first'");
    assert_eq!(visit.browser.evaluate(IS_THERE), true);
    assert_eq!(visit.browser.evaluate("window.mark.isConnected"), true);

    visit.open("software");
    visit.browser.evaluate(
        "window.mark = document.querySelector('summary'); window.mark.click(); window.mark.focus()",
    );
    let first = slap.register_software_release(population::INSTALLED, slapos_tests::COMPUTER);
    first.destroyed().unwrap();
    visit
        .browser
        .wait_for("document.querySelectorAll('tbody tr').length === 2");
    assert_eq!(visit.browser.evaluate(IS_THERE), true);
    let open = visit.browser.evaluate("window.mark.parentElement.open");
    assert_eq!(open, true);
    visit.no_complaints();
}

/// Each place that the keyboard reaches shows that it was reached.
#[test]
fn the_keyboard_reaches_everything_visibly() {
    let mut visit = Visit::to(population::three);
    visit.open(INSTANCE);
    let browser = &mut visit.browser;
    let reachable = browser.evaluate(
        "[...document.querySelectorAll('a[href], button, input, summary, [tabindex=\"0\"]')]\
         .filter((element) => element.checkVisibility()).length",
    );
    for _ in 0..reachable.as_u64().unwrap() {
        browser.press("Tab", 9);
        browser.evaluate("document.activeElement.classList.add('reached')");
        let outline = "(({outlineStyle: style, outlineWidth: width}) => `${style} ${width}`)\
            (getComputedStyle(document.activeElement))";
        let reached = browser.evaluate("document.activeElement.outerHTML.slice(0, 99)");
        assert_eq!(browser.evaluate(outline), "solid 2px", "{reached}");
    }
    let reached = browser.evaluate("document.querySelectorAll('.reached').length");
    assert_eq!(reached, reachable);
}
