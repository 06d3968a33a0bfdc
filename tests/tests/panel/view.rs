//! Looking at pages of the panel.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use slap_client::Slap;

use super::{Browser, Node, Ours};

/// A window and what its reader prefers.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    name: &'static str,
    width: u32,
    height: u32,
    dark: bool,
}

/// A laptop's window by day.
pub(crate) const LIGHT: Look = Look {
    name: "light",
    width: 1280,
    height: 800,
    dark: false,
};

/// The same by night.
pub(crate) const DARK: Look = Look {
    name: "dark",
    dark: true,
    ..LIGHT
};

/// A telephone's window.
pub(crate) const NARROW: Look = Look {
    name: "narrow",
    width: 390,
    height: 844,
    dark: false,
};

/// The least contrast of a text to what is behind it (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// Every text that stands out too little, with its contrast.
const FAINT_TEXTS: &str = include_str!("faint_texts.js");

/// A master and a browser that looks at its panel.
pub(crate) struct Visit {
    pub(crate) node: Node,
    pub(crate) browser: Browser,
    pictures: PathBuf,
}

impl Visit {
    /// To a master that was told things.
    pub(crate) fn to(tell: impl FnOnce(&Slap)) -> Self {
        let mut node = Node::new();
        node.start_master(Ours);
        tell(&node.slap());
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panel");
        fs::create_dir_all(&pictures).unwrap();
        Self {
            node,
            browser: Browser::start(),
            pictures,
        }
    }

    /// Opens a page.
    pub(crate) fn open(&mut self, page: &str) {
        let port = self.node.master_port;
        self.browser
            .open(&format!("http://127.0.0.1:{port}/panel/{page}"));
    }

    /// Opens a page in a window, takes a picture, and fails unless all of it fits the window's
    /// width and can be read.
    pub(crate) fn look_at(&mut self, name: &str, page: &str, look: Look) {
        self.browser.window(look.width, look.height, look.dark);
        self.open(page);
        let picture = format!("{name}-{}.png", look.name);
        self.browser.screenshot(&self.pictures.join(&picture));
        let width = self
            .browser
            .evaluate("document.documentElement.scrollWidth");
        assert!(
            width.as_u64() <= Some(look.width.into()),
            "{picture}: {width} wide"
        );
        assert_eq!(self.faint_texts(), Value::Array(Vec::new()), "{picture}");
    }

    /// The texts of the page that stand out too little.
    pub(crate) fn faint_texts(&mut self) -> Value {
        self.browser
            .evaluate(&format!("({FAINT_TEXTS})({LEAST_CONTRAST})"))
    }

    /// What the page says of its connection to the master.
    pub(crate) fn live(&mut self) -> String {
        let text = self
            .browser
            .evaluate("document.querySelector('#live').innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says that.
    pub(crate) fn wait_for_live(&mut self, text: &str) {
        self.browser.wait_for(&format!(
            "document.querySelector('#live').innerText === '{text}'"
        ));
    }

    /// Fails if the browser complained of a page.
    pub(crate) fn no_complaints(&self) {
        assert!(
            self.browser.complaints.is_empty(),
            "{:?}",
            self.browser.complaints
        );
    }
}
