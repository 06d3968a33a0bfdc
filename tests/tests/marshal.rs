//! Our codec beside the real `xml_marshaller`, live: both write what the other reads.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use slap_proto::marshal::{Value, decode, encode};
use slapos_tests::places;

/// Reads documents, one a line (newlines as `&#10;`), writes them again as the peer would, and
/// says whether the value survived.
const ECHO: &str = "
import sys
from slapos.util import loads, dumps
for line in sys.stdin.buffer:
    value = loads(line.rstrip(b'\\n'))
    document = dumps(value)
    if not isinstance(document, bytes):
        document = document.encode('ascii')
    sys.stdout.buffer.write(document.replace(b'\\n', b'&#10;') + b'\\n')
    sys.stdout.buffer.flush()
";

struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Self {
        let mut process = Command::new(places::peer_program("python"))
            .args(["-c", ECHO])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer's interpreter starts");
        let input = process.stdin.take().expect("the input is piped");
        let output = BufReader::new(process.stdout.take().expect("the output is piped"));
        Self {
            process,
            input,
            output,
        }
    }

    /// What the peer writes for a document it has read.
    fn echo(&mut self, document: &str) -> String {
        let line = document.replace('\n', "&#10;") + "\n";
        self.input
            .write_all(line.as_bytes())
            .expect("the peer reads");
        let mut answer = String::new();
        self.output
            .read_line(&mut answer)
            .expect("the peer answers");
        assert!(!answer.is_empty(), "the peer refused {document}");
        answer.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended with an error already, which the failing test has reported.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Text of every kind that XML allows, with a liking for what needs escaping.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        Just('&'),
        Just('<'),
        Just('>'),
        Just('\n'),
        Just('\r'),
        Just('\t'),
        Just(';'),
        proptest::char::range(' ', '~'),
        proptest::char::range('\u{80}', '\u{d7ff}'),
        proptest::char::range('\u{10000}', '\u{10ffff}'),
    ];
    proptest::collection::vec(character, 0..12)
        .prop_map(|characters| characters.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Int(number.into())),
        any::<i128>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN is unlike itself", |number| !number.is_nan())
            .prop_map(Value::Float),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Tuple),
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::list),
            proptest::collection::vec((text(), inner), 0..6).prop_map(Value::dict),
        ]
    })
}

#[test]
fn the_peer_reads_what_we_write_and_writes_the_same_bytes() {
    let mut peer = Peer::start();
    let mut runner = TestRunner::new(Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    });
    let peer = std::cell::RefCell::new(&mut peer);
    runner
        .run(&value(), |value| {
            let ours = encode(&value).expect("the value can be written");
            let theirs = peer.borrow_mut().echo(&ours).replace("&#10;", "\n");
            prop_assert_eq!(&theirs, &ours);
            prop_assert_eq!(
                decode(theirs.as_bytes()).expect("their bytes can be read"),
                value
            );
            Ok(())
        })
        .unwrap();
}
