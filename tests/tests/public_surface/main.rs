//! What other programs may use of the crates that they embed, compared with what is recorded beside
//! this file: whoever changes it sees so, and so does who reads the change.
//!
//! The listing is made of the source, so that it needs no certain version of the compiler. Private
//! modules are listed, too: of what they hold, only what is reachable is `pub` (the lint
//! `unreachable_pub` sees to that). Of calls of macros, what they are given is listed.

mod listing;
mod source;

use std::path::{Path, PathBuf};
use std::{env, fs};

use similar::TextDiff;

/// Set, the test records what there is now.
const RECORD: &str = "RECORD_PUBLIC_SURFACE";

#[test]
fn the_public_surface_is_the_recorded_one() {
    let mut changes = String::new();
    for name in ["slap-client", "slap-proto", "slap-testing"] {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/public_surface")
            .join(format!("{name}.txt"));
        let surface = surface(&workspace().join("crates").join(name));
        if env::var_os(RECORD).is_some() {
            fs::write(&recorded, &surface).expect("the record is writable");
        }
        let before = fs::read_to_string(&recorded).unwrap_or_default();
        let diff = TextDiff::from_lines(&before, &surface);
        changes += &diff.unified_diff().header("recorded", name).to_string();
    }
    assert!(
        changes.is_empty(),
        "public items changed:\n\n{changes}\n\
         If that is meant, tell users in CHANGES.md, raise the version where README.md says so, and \
         record it:\n\n    {RECORD}=1 cargo test -p slapos-tests --test public_surface\n"
    );
}

fn surface(package: &Path) -> String {
    listing::of(source::read(&package.join("src/lib.rs")))
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("it is a member").to_owned()
}

/// The listing of a source of one file.
fn listed(source: &str) -> String {
    listing::of(syn::parse_file(source).expect("it is Rust"))
}

#[test]
fn what_is_public_is_listed_and_nothing_else() {
    let source = r#"
        //! About the crate.
        mod inner {
            /// A type.
            #[derive(Debug)]
            #[must_use]
            pub struct Shown { pub field: u8, secret: u8 }
            pub struct Wrapped(Vec<u8>);
            struct Hidden { pub field: u8 }
            impl Shown {
                /// A method.
                pub fn method(&self) -> u8 { self.helper() }
                fn helper(&self) -> u8 { 1 }
                calls!(/** Told. */ answer: Answer);
            }
            impl From<u8> for Shown { fn from(secret: u8) -> Self { todo!() } }
            impl From<u8> for Hidden { fn from(field: u8) -> Self { todo!() } }
            pub(crate) fn internal() {}
            #[cfg(test)]
            mod tests { pub fn test() {} }
        }
        pub use inner::Shown;
        use inner::Hidden;
        pub const LIMIT: usize = 7;
    "#;
    let expected = "\
mod inner {
    #[derive(Debug)]
    #[must_use]
    pub struct Shown {
        pub field: u8,
        private: _,
    }
    pub struct Wrapped(_);
    impl Shown {
        pub fn method(&self) -> u8 {}
        calls!(answer : Answer);
    }
    impl From<u8> for Shown {}
}
pub use inner::Shown;
pub const LIMIT: usize = 7;
";
    assert_eq!(listed(source), expected);
}

#[test]
fn every_kind_of_change_is_seen() {
    let before = "pub enum E { A } pub trait T { fn f(&self); } pub fn f(a: u8) -> u8 { a }";
    for (old, new) in [
        ("A }", "A, B }"),
        ("pub enum", "#[non_exhaustive] pub enum"),
        ("fn f(&self)", "fn f(&self, b: u8)"),
        ("fn f(&self);", "fn f(&self) {}"),
        ("-> u8", "-> u16"),
        ("pub fn", "pub(crate) fn"),
    ] {
        let after = before.replace(old, new);
        assert_ne!(listed(before), listed(&after), "{after}");
    }
    let body = before.replace("{ a }", "{ a + 1 }");
    assert_eq!(
        listed(before),
        listed(&body),
        "how it is done is not public"
    );
}
