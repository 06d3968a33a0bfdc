//! Documents that are made to do harm, and large ones that are not.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use proptest::prelude::*;
use slap_proto::marshal::{
    EncodeError, MAX_DEPTH, Problem, Value, decode, encode, encode_without_references,
};

fn problem(document: &str) -> Problem {
    decode(document.as_bytes()).unwrap_err().problem
}

#[test]
fn messages_are_short_however_long_the_document_is() {
    let long = "x".repeat(1 << 20);
    let documents = [
        format!("<marshal><reference id=\"{long}\"/></marshal>"),
        format!("<marshal><list id=\"{long}\"><reference id=\"{long}\"/></list></marshal>"),
        format!("<marshal><list id=\"{long}\"/><list id=\"{long}\"/></marshal>"),
        format!("<marshal><{long}/></marshal>"),
        format!("<marshal><list></{long}></marshal>"),
        format!("<marshal><int>{long}</int></marshal>"),
        format!("<marshal><list>{long}</list></marshal>"),
        format!("<marshal><string>&{long};</string></marshal>"),
        format!("<marshal><list {long} id=\"a\"/></marshal>"),
        format!("<marshal><object module=\"{long}\" class=\"{long}\"/></marshal>"),
    ];
    for document in documents {
        let message = decode(document.as_bytes()).unwrap_err().to_string();
        assert!(
            message.len() < 200,
            "{} bytes: {message:.120}",
            message.len()
        );
    }
}

#[test]
fn what_is_malformed_is_told_with_its_kind() {
    let table = [
        (
            "<marshal><list><int>1</int></list>",
            Problem::Truncated("marshal"),
        ),
        ("<marshal><string>abc", Problem::Truncated("string")),
        ("<marshal/>", Problem::NoValue),
        (
            "<marshal><int>1</int><int>2</int></marshal>",
            Problem::SeveralValues,
        ),
        ("<int>1</int><int>2</int>", Problem::SeveralValues),
        (
            "<marshal><foo/></marshal>",
            Problem::UnknownElement("foo".to_owned()),
        ),
        (
            "<marshal><code>x</code></marshal>",
            Problem::UnsupportedElement("code"),
        ),
        (
            "<marshal><list>junk</list></marshal>",
            Problem::StrayText("junk".to_owned()),
        ),
        (
            "<marshal><int>1<none/></int></marshal>",
            Problem::ElementInScalar("int"),
        ),
        (
            "<marshal><int>one</int></marshal>",
            Problem::BadNumber("int", "one".to_owned()),
        ),
        (
            "<marshal><dictionary><string>a</string></dictionary></marshal>",
            Problem::OddDictionary,
        ),
        (
            "<marshal><dictionary><list/><none/></dictionary></marshal>",
            Problem::UnhashableKey,
        ),
        (
            "<marshal><reference id=\"i7\"/></marshal>",
            Problem::DanglingReference("i7".to_owned()),
        ),
        (
            "<marshal><reference/></marshal>",
            Problem::MissingAttribute("reference", "id"),
        ),
        (
            "<marshal><list id=\"i2\"><reference id=\"i2\"/></list></marshal>",
            Problem::Cycle("i2".to_owned()),
        ),
        (
            "<marshal><list><list id=\"a\"/><list id=\"a\"/></list></marshal>",
            Problem::DuplicateId("a".to_owned()),
        ),
        (
            "<marshal><object module=\"os\" class=\"system\"><tuple/><dictionary/></object></marshal>",
            Problem::ForbiddenClass("os.system".to_owned()),
        ),
        (
            "<marshal><object module=\"slapos.slap.slap\" class=\"Computer\"><tuple/></object></marshal>",
            Problem::MalformedObject,
        ),
        (
            "<!DOCTYPE a><marshal><none/></marshal>",
            Problem::Refused("a document type"),
        ),
        (
            "<marshal><?x y?><none/></marshal>",
            Problem::Refused("a processing instruction"),
        ),
        (
            "<marshal><string>&nope;</string></marshal>",
            Problem::BadCharacter("nope".to_owned()),
        ),
        (
            "<marshal><string>&#0;</string></marshal>",
            Problem::BadCharacter("#0".to_owned()),
        ),
    ];
    for (document, expected) in table {
        assert_eq!(problem(document), expected, "{document}");
    }
    assert!(matches!(
        problem("<marshal><list></tuple></marshal>"),
        Problem::Xml(_)
    ));
    assert_eq!(
        decode(b"<marshal><string>\xff</string></marshal>")
            .unwrap_err()
            .problem,
        Problem::Encoding
    );
}

#[test]
fn a_million_nested_lists_are_refused_and_not_a_crash() {
    let document = format!(
        "<marshal>{}{}</marshal>",
        "<list>".repeat(1_000_000),
        "</list>".repeat(1_000_000)
    );
    assert_eq!(problem(&document), Problem::TooDeep(MAX_DEPTH));
}

#[test]
fn the_deepest_document_that_is_written_is_read() {
    let nested = |depth: usize| (0..depth).fold(Value::None, |value, _| Value::list(vec![value]));
    let document = encode(&nested(MAX_DEPTH - 1)).unwrap();
    assert_eq!(decode(document.as_bytes()).unwrap(), nested(MAX_DEPTH - 1));
    assert_eq!(encode(&nested(MAX_DEPTH)), Err(EncodeError::TooDeep));
}

/// Lists in lists, each longer chain with the one before at its end by reference.
fn chains(count: usize, length: usize) -> String {
    let mut document = "<marshal><list>".to_owned();
    for number in 0..count {
        document += &format!("<list id=\"c{number}\">");
        document += &"<list>".repeat(length - 1);
        if number > 0 {
            document += &format!("<reference id=\"c{}\"/>", number - 1);
        }
        document += &"</list>".repeat(length);
    }
    document + "</list></marshal>"
}

#[test]
fn references_nest_no_deeper_than_lists_do() {
    // The root and the outermost list are levels, too.
    let room = MAX_DEPTH - 1;
    let deepest = decode(chains(room / 10, 10).as_bytes()).unwrap();
    assert_eq!(decode(encode(&deepest).unwrap().as_bytes()), Ok(deepest));
    for document in [chains(room / 10 + 1, 10), chains(1000, 150)] {
        assert_eq!(problem(&document), Problem::TooDeep(MAX_DEPTH));
    }
}

#[test]
fn references_repeat_no_more_text_than_memory_can_take() {
    let repeated = |times: usize| {
        let text = "x".repeat(1 << 20);
        let references = "<reference id=\"t\"/>".repeat(times);
        let list = format!("<list id=\"t\"><string>{text}</string></list>");
        format!("<marshal><list>{list}{references}</list></marshal>")
    };
    let value = decode(repeated(15).as_bytes()).unwrap();
    assert!(encode(&value).unwrap().len() < 2 << 20);
    let plain = encode_without_references(&value).unwrap();
    assert!(plain.len() > 15 << 20 && !plain.contains("reference"));
    assert_eq!(decode(plain.as_bytes()), Ok(value));
    assert_eq!(problem(&repeated(16)), Problem::TooLarge);
}

#[test]
fn references_cannot_make_a_small_document_stand_for_a_huge_one() {
    let mut document = "<marshal><list><list id=\"x0\"><none/></list>".to_owned();
    for level in 1..40 {
        let previous = level - 1;
        document += &format!("<list id=\"x{level}\">");
        document += &format!("<reference id=\"x{previous}\"/>").repeat(4);
        document += "</list>";
    }
    document += "</list></marshal>";
    assert_eq!(problem(&document), Problem::TooLarge);
}

/// Peak memory of this process, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

#[test]
fn fifty_megabytes_are_read_in_a_few_times_their_size() {
    let item = "<dictionary><string>reference</string><string>slappart0</string></dictionary>";
    let count = 50_000_000 / item.len();
    let document = format!("<marshal><list>{}</list></marshal>", item.repeat(count));
    let before = peak_memory();
    let value = decode(document.as_bytes()).unwrap();
    assert_eq!(value.as_list().unwrap().len(), count);
    let used = peak_memory().saturating_sub(before);
    assert!(
        used < 10 * document.len() as u64,
        "{used} bytes for {} bytes",
        document.len()
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN is unlike itself", |number| !number.is_nan())
            .prop_map(Value::Float),
        "[ -~\n\t\r\u{80}-\u{d7ff}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Tuple),
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::list),
            proptest::collection::vec(("[ -~]{0,8}", inner), 0..8).prop_map(Value::dict),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(value in value()) {
        let document = encode(&value).unwrap();
        prop_assert_eq!(decode(document.as_bytes()).unwrap(), value);
    }

    #[test]
    fn no_input_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn no_text_of_tags_makes_the_reader_panic(text in "(</?(marshal|list|int|string|dictionary|object|reference)( id=\"i[0-9]\")?/?>|[0-9a&;#<>])*") {
        let _ = decode(text.as_bytes());
    }
}

#[test]
fn characters_that_xml_forbids_are_not_written() {
    for character in ['\0', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        let value = Value::String(format!("a{character}"));
        assert!(
            matches!(encode(&value), Err(EncodeError::ForbiddenCharacter { .. })),
            "{character:?}"
        );
    }
}
