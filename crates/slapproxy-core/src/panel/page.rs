//! The frame around every page.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// A place of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Instances,
    Software,
    Computers,
    Slaves,
}

impl Tab {
    const ALL: [Self; 5] = [
        Self::Overview,
        Self::Instances,
        Self::Software,
        Self::Computers,
        Self::Slaves,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Instances => "Instances",
            Self::Software => "Software",
            Self::Computers => "Computers",
            Self::Slaves => "Slaves",
        }
    }

    /// Relative to every page of the panel.
    pub(super) fn link(self) -> &'static str {
        match self {
            Self::Overview => "./",
            Self::Instances => "instances",
            Self::Software => "software",
            Self::Computers => "computers",
            Self::Slaves => "slaves",
        }
    }
}

/// A page of the panel.
pub(super) struct Page {
    status: StatusCode,
    title: String,
    tab: Option<Tab>,
    content: Markup,
}

impl Page {
    /// A page of a tab.
    pub(super) fn new(tab: Tab, title: impl Into<String>, content: Markup) -> Self {
        Self {
            status: StatusCode::OK,
            title: title.into(),
            tab: Some(tab),
            content,
        }
    }

    /// What is asked for does not exist.
    pub(super) fn missing(tab: Tab, what: &str) -> Self {
        let content = notice("Not found", what);
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new(tab, "Not found", content)
        }
    }

    /// The page cannot be made.
    pub(super) fn failure(status: StatusCode, reason: &str) -> Self {
        Self {
            status,
            title: "Failure".to_owned(),
            tab: None,
            content: notice("This page cannot be shown", reason),
        }
    }

    fn html(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex, nofollow";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · slapproxy" }
                    link rel="icon" href="assets/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="assets/panel.css";
                    script src="assets/panel.js" defer {}
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    (self.header())
                    main id="content" tabindex="-1" { (self.content) }
                    footer { "slapproxy " (env!("CARGO_PKG_VERSION")) " · read-only" }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header.top {
                a.brand href=(Tab::Overview.link()) {
                    img src="assets/icon.svg" alt="" width="24" height="24";
                    "slapproxy"
                }
                nav aria-label="Pages" {
                    @for tab in Tab::ALL {
                        a href=(tab.link()) aria-current=[(self.tab == Some(tab)).then_some("page")] {
                            (tab.title())
                        }
                    }
                }
                button #live .live type="button" aria-pressed="true"
                    title="Pause or resume the live view" { span { "Live" } }
            }
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        (self.status, kind, self.html().into_string()).into_response()
    }
}

fn notice(title: &str, text: &str) -> Markup {
    html! {
        section.card.notice {
            h1 { (title) }
            p { (text) }
            p { a href=(Tab::Overview.link()) { "Back to the overview" } }
        }
    }
}
