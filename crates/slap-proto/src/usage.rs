//! Usage reports: what an instance consumed, and the journal in which a node tells its master.
//!
//! Reports come from the instances, so reading one is validating it: unknown or missing elements,
//! numbers that are none, document types and what is no XML are errors.
//!
//! ```
//! use slap_proto::usage::{Consumption, Journal};
//!
//! let report = "<consumption><movement><resource>CPU</resource><quantity>42.5</quantity>\
//!     <price>0</price><VAT>None</VAT></movement></consumption>";
//! let consumption = Consumption::from_xml(report.as_bytes())?;
//! let end = "2026-11-23 at 19:05:13".to_owned();
//! let journal = Journal::of_computer("COMP-1", end, [("slappart0", consumption)]);
//! assert!(journal.to_xml()?.contains("<reference>slappart0</reference><quantity>42.5</quantity>"));
//! # Ok::<(), slap_proto::usage::UsageError>(())
//! ```

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Deserialize, Deserializer, Serialize};
use serde_xml_rs::SerdeXml;

use crate::marshal::to_text;

/// Deepest nesting of elements; a journal needs four.
const MAX_DEPTH: usize = 16;

/// Why a text is no usage report, or cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The bytes are not of the encoding that the document names, or of UTF-8.
    #[error("the report's encoding cannot be read")]
    Encoding,
    /// It is not well-formed, or holds what no report needs.
    #[error("the report is not well-formed: {0}")]
    Xml(String),
    /// It is XML of another kind.
    #[error("the report is not as it should be: {0}")]
    Schema(String),
    /// A value cannot be written in XML.
    #[error("the journal cannot be written: {0}")]
    Write(String),
}

/// What one instance consumed since its last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumption {
    /// At least one.
    #[serde(rename = "movement")]
    pub movements: Vec<Movement>,
}

/// A quantity of something that was consumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// What was consumed.
    pub resource: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who consumed it: in a journal, the reference of the partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// How much: a number, as it was written.
    #[serde(deserialize_with = "number")]
    pub quantity: String,
    /// Price of one: a number, as it was written.
    #[serde(deserialize_with = "number")]
    pub price: String,
    /// Value added tax.
    #[serde(rename = "VAT")]
    pub vat: String,
    /// Kinds of consumption.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "category")]
    pub categories: Vec<String>,
}

/// What a node sends its master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "journal", deny_unknown_fields)]
pub struct Journal {
    /// At least one.
    #[serde(rename = "transaction")]
    pub transactions: Vec<Transaction>,
}

/// The consumption of a node up to a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What kind it is.
    #[serde(rename = "@type")]
    pub kind: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When the period began, if that is known.
    pub start_date: String,
    /// When the period ended.
    pub stop_date: String,
    /// The computer.
    pub reference: String,
    /// Currency of the prices.
    pub currency: String,
    /// How it is paid.
    pub payment_mode: String,
    /// Kinds of transaction.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "category")]
    pub categories: Vec<String>,
    /// At least one.
    #[serde(rename = "arrow")]
    pub arrows: Vec<Arrow>,
    /// At least one.
    #[serde(rename = "movement")]
    pub movements: Vec<Movement>,
}

/// From whom to whom something goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrow {
    /// In which matter.
    #[serde(rename = "@type")]
    pub kind: String,
    /// Who gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

impl Consumption {
    /// Reads and validates a report.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_xml(document: &[u8]) -> Result<Self, UsageError> {
        read(document, "consumption")
    }
}

impl Journal {
    /// The journal of a computer: the consumptions of its partitions up to `stop_date`
    /// (`2026-11-23 at 19:05:13`), each movement under the reference of its partition.
    pub fn of_computer<'a>(
        computer_id: &str,
        stop_date: String,
        consumptions: impl IntoIterator<Item = (&'a str, Consumption)>,
    ) -> Self {
        let movements = consumptions.into_iter().flat_map(|(partition, report)| {
            let of_partition = move |movement| Movement {
                reference: Some(partition.to_owned()),
                ..movement
            };
            report.movements.into_iter().map(of_partition)
        });
        let administration = Arrow {
            kind: "Administration".to_owned(),
            source: Some(String::new()),
            destination: Some(String::new()),
        };
        let transaction = Transaction {
            kind: "Sale Packing List".to_owned(),
            title: Some("Resource consumptions".to_owned()),
            start_date: String::new(),
            stop_date,
            reference: computer_id.to_owned(),
            currency: String::new(),
            payment_mode: String::new(),
            categories: vec![String::new()],
            arrows: vec![administration],
            movements: movements.collect(),
        };
        Self {
            transactions: vec![transaction],
        }
    }

    /// Reads and validates a journal.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_xml(document: &[u8]) -> Result<Self, UsageError> {
        read(document, "journal")
    }

    /// The document to send.
    ///
    /// # Errors
    /// A text holds what XML cannot express.
    pub fn to_xml(&self) -> Result<String, UsageError> {
        serde_xml_rs::to_string(self).map_err(|error| UsageError::Write(error.to_string()))
    }
}

fn read<'de, T: Deserialize<'de>>(document: &[u8], root: &str) -> Result<T, UsageError> {
    let text = to_text(document).ok_or(UsageError::Encoding)?;
    let text = without_declaration(&text);
    check_form(text, root)?;
    let parsed = SerdeXml::new().from_str(text);
    parsed.map_err(|error| UsageError::Schema(error.to_string()))
}

/// The text is decoded already: what the declaration says of its encoding holds no more.
fn without_declaration(text: &str) -> &str {
    let body = text.strip_prefix("<?xml").and_then(|rest| {
        let (_, body) = rest.split_once("?>")?;
        Some(body)
    });
    body.unwrap_or(text)
}

/// One root of that name, no document type, nothing after the root: what the typed reader does not
/// look at.
fn check_form(text: &str, root: &str) -> Result<(), UsageError> {
    let malformed = |message: &str| UsageError::Xml(message.to_owned());
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event();
        match event.map_err(|error| malformed(&error.to_string()))? {
            Event::Start(start) => {
                if depth == 0 && start.name().as_ref() != root {
                    return Err(UsageError::Schema(format!("the root is not {root}")));
                }
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return Err(malformed("a document type is refused")),
            Event::Eof if depth > 0 => return Err(malformed("it ends inside an element")),
            Event::Eof => break,
            _ => {}
        }
        if depth > MAX_DEPTH || roots > 1 {
            return Err(malformed("it is nested too deeply or has several roots"));
        }
    }
    Ok(())
}

/// A finite decimal number, kept as it was written.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(text),
        _ => Err(serde::de::Error::custom(format!("{text:?} is no number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVEMENT: &str = "<movement><resource>CPU</resource><title>T &amp; é</title>\
        <reference></reference><quantity>42.42</quantity><price>0.00</price><VAT>None</VAT>\
        <category>None</category></movement>";

    fn report(movements: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<consumption>{movements}</consumption>\n"
        )
    }

    #[test]
    fn a_report_is_read() {
        let least = "<movement>\n <resource>M</resource><quantity>1e3</quantity>\
            <price>-2</price><VAT/>\n</movement>";
        let text = report(&format!("{MOVEMENT}\n<!-- two -->\n{least}"));
        let consumption = Consumption::from_xml(text.as_bytes()).unwrap();
        let [first, second] = consumption.movements.as_slice() else {
            panic!("{consumption:?}");
        };
        assert_eq!(first.title.as_deref(), Some("T & é"));
        assert_eq!(first.categories, ["None"]);
        assert_eq!(second.quantity, "1e3");
        assert_eq!((second.title.as_deref(), second.vat.as_str()), (None, ""));
    }

    #[test]
    fn other_encodings_are_read() {
        let text = report(MOVEMENT).replace("utf-8", "iso-8859-1");
        let bytes: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        let consumption = Consumption::from_xml(&bytes).unwrap();
        assert_eq!(consumption.movements[0].title.as_deref(), Some("T & é"));
        assert_eq!(
            Consumption::from_xml(b"\xff\xff<"),
            Err(UsageError::Encoding)
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let with = |from: &str, to: &str| report(&MOVEMENT.replace(from, to));
        let table = [
            String::new(),
            "bad".to_owned(),
            report(""),
            report(MOVEMENT).replace("consumption", "usage"),
            format!("{}<more/>", report(MOVEMENT)),
            report(MOVEMENT).replace("</consumption>", ""),
            with("<resource>CPU</resource>", ""),
            with("<price>0.00</price>", ""),
            with("42.42", "much"),
            with("42.42", "NaN"),
            with("<VAT>None</VAT>", "<VAT>None</VAT><VAT>1</VAT>"),
            with("<VAT>None</VAT>", "<VAT>None</VAT><evil/>"),
            with("<movement>", "<movement id=\"1\">"),
            with("<movement>", "<movement>text"),
            with("&amp;", "&nothing;"),
            report(MOVEMENT).replace(
                "<consumption>",
                "<!DOCTYPE consumption [<!ENTITY a \"b\">]><consumption>",
            ),
            report(&"<movement>".repeat(100_000)),
        ];
        for text in table {
            let shown: String = text.chars().take(200).collect();
            assert!(Consumption::from_xml(text.as_bytes()).is_err(), "{shown}");
        }
    }

    #[test]
    fn a_journal_is_what_masters_know() {
        let report = |title: &str| {
            let text = report(&MOVEMENT.replace("T &amp; é", title));
            Consumption::from_xml(text.as_bytes()).unwrap()
        };
        let journal = Journal::of_computer(
            "COMP-1",
            "2026-11-23 at 19:07:18".to_owned(),
            [
                ("slappart0", report("a &lt; b")),
                ("slappart1", report("c")),
            ],
        );
        let xml = journal.to_xml().unwrap();
        assert_eq!(Journal::from_xml(xml.as_bytes()).unwrap(), journal);
        for part in [
            "<transaction type=\"Sale Packing List\">",
            "<stop_date>2026-11-23 at 19:07:18</stop_date><reference>COMP-1</reference>",
            "<arrow type=\"Administration\">",
            "<title>a &lt; b</title><reference>slappart0</reference><quantity>42.42</quantity>",
            "<reference>slappart1</reference>",
        ] {
            assert!(xml.contains(part), "{part}: {xml}");
        }
    }

    #[test]
    fn the_journal_of_the_peer_is_read() {
        let text = "<?xml version=\"1.0\"?><journal><transaction type=\"Sale Packing List\">\
            <title>Resource consumptions</title><start_date></start_date>\
            <stop_date>2026-11-23 at 19:05:13</stop_date><reference>COMP-NODE</reference>\
            <currency></currency><payment_mode></payment_mode><category></category>\
            <arrow type=\"Administration\"><source></source><destination></destination></arrow>\
            <movement><resource>CPU Consumption</resource><title>Line 1</title>\
            <reference>slappart0</reference><quantity>42.42</quantity><price>0.00</price>\
            <VAT>None</VAT><category>None</category></movement></transaction></journal>";
        let journal = Journal::from_xml(text.as_bytes()).unwrap();
        let movement = journal.transactions[0].movements[0].clone();
        let consumption = Consumption {
            movements: vec![movement],
        };
        let ours = Journal::of_computer(
            "COMP-NODE",
            "2026-11-23 at 19:05:13".to_owned(),
            [("slappart0", consumption)],
        );
        assert_eq!(ours, journal);
    }
}
