//! Answers from XML. The socket is only writable by the node's administrator, but supervisord
//! repeats what programs and files say, so depth is bounded here and size in the transport.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::fault::FaultCode;
use super::{Answer, ProtocolError, Value};

/// supervisord's answers are three values deep.
const DEPTH_LIMIT: usize = 16;

/// Reads the document of an answer.
pub(crate) fn answer(xml: &[u8]) -> Result<Answer, ProtocolError> {
    let mut parser = Parser::new(str::from_utf8(xml).map_err(ProtocolError::Encoding)?);
    parser.expect_start("methodResponse")?;
    let answer = match parser.next_start("<params> or <fault>")?.as_str() {
        "params" => Answer::Value(parser.params()?),
        "fault" => parser.fault()?,
        other => return Err(unexpected("<params> or <fault>", format!("<{other}>"))),
    };
    parser.expect_end("</methodResponse>")?;
    match parser.next_visible()? {
        Token::Eof => Ok(answer),
        token => Err(unexpected("the end", token.describe())),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Start(String),
    End,
    Text(String),
    Eof,
}

impl Token {
    fn describe(&self) -> String {
        match self {
            Token::Start(name) => format!("<{name}>"),
            Token::End => "a closing tag".to_owned(),
            Token::Text(_) => "text".to_owned(),
            Token::Eof => "the end".to_owned(),
        }
    }
}

fn unexpected(expected: &'static str, found: String) -> ProtocolError {
    ProtocolError::Unexpected { expected, found }
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
}

impl<'a> Parser<'a> {
    fn new(xml: &'a str) -> Self {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        Parser { reader }
    }

    fn params(&mut self) -> Result<Value, ProtocolError> {
        self.expect_start("param")?;
        self.expect_start("value")?;
        let value = self.value(DEPTH_LIMIT)?;
        self.expect_end("</param>")?;
        self.expect_end("</params>")?;
        Ok(value)
    }

    fn fault(&mut self) -> Result<Answer, ProtocolError> {
        self.expect_start("value")?;
        let value = self.value(DEPTH_LIMIT)?;
        self.expect_end("</fault>")?;
        let Value::Struct(mut members) = value else {
            return Err(ProtocolError::Shape {
                expected: "a fault",
            });
        };
        match (members.remove("faultCode"), members.remove("faultString")) {
            (Some(Value::Int(code)), Some(Value::String(message))) => Ok(Answer::Fault {
                code: FaultCode::from(code),
                message,
            }),
            _ => Err(ProtocolError::Shape {
                expected: "a fault",
            }),
        }
    }

    /// Reads a value whose `<value>` was read, with its `</value>`.
    fn value(&mut self, depth: usize) -> Result<Value, ProtocolError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(ProtocolError::TooDeep { limit: DEPTH_LIMIT });
        };
        let (text, token) = self.text()?;
        let kind = match token {
            // A value without a type is a string, white space and all.
            Token::End => return Ok(Value::String(text)),
            Token::Start(kind) if text.trim().is_empty() => kind,
            token => return Err(unexpected("the type of a value", token.describe())),
        };
        let value = self.typed(&kind, depth)?;
        self.expect_end("</value>")?;
        Ok(value)
    }

    fn typed(&mut self, kind: &str, depth: usize) -> Result<Value, ProtocolError> {
        match kind {
            "string" => Ok(Value::String(self.whole_text()?)),
            "int" | "i4" | "i8" => self.int(),
            "boolean" => self.boolean(),
            "array" => self.array(depth),
            "struct" => self.members(depth),
            other => Err(unexpected("the type of a value", format!("<{other}>"))),
        }
    }

    fn int(&mut self) -> Result<Value, ProtocolError> {
        let text = self.whole_text()?;
        let number = text.trim().parse();
        number
            .map(Value::Int)
            .map_err(|_| ProtocolError::Literal { kind: "int", text })
    }

    fn boolean(&mut self) -> Result<Value, ProtocolError> {
        let text = self.whole_text()?;
        match text.trim() {
            "0" => Ok(Value::Boolean(false)),
            "1" => Ok(Value::Boolean(true)),
            _ => Err(ProtocolError::Literal {
                kind: "boolean",
                text,
            }),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, ProtocolError> {
        self.expect_start("data")?;
        let mut values = Vec::new();
        while self.another("value")? {
            values.push(self.value(depth)?);
        }
        self.expect_end("</array>")?;
        Ok(Value::Array(values))
    }

    fn members(&mut self, depth: usize) -> Result<Value, ProtocolError> {
        let mut members = BTreeMap::new();
        while self.another("member")? {
            self.expect_start("name")?;
            let name = self.whole_text()?;
            self.expect_start("value")?;
            members.insert(name, self.value(depth)?);
            self.expect_end("</member>")?;
        }
        Ok(Value::Struct(members))
    }

    /// Whether an element `name` begins, or the surrounding element ends.
    fn another(&mut self, name: &'static str) -> Result<bool, ProtocolError> {
        match self.next_visible()? {
            Token::End => Ok(false),
            Token::Start(found) if found == name => Ok(true),
            token => Err(unexpected(name, token.describe())),
        }
    }

    fn expect_start(&mut self, name: &'static str) -> Result<(), ProtocolError> {
        match self.next_visible()? {
            Token::Start(found) if found == name => Ok(()),
            token => Err(unexpected(name, token.describe())),
        }
    }

    fn next_start(&mut self, expected: &'static str) -> Result<String, ProtocolError> {
        match self.next_visible()? {
            Token::Start(name) => Ok(name),
            token => Err(unexpected(expected, token.describe())),
        }
    }

    fn expect_end(&mut self, tag: &'static str) -> Result<(), ProtocolError> {
        match self.next_visible()? {
            Token::End => Ok(()),
            token => Err(unexpected(tag, token.describe())),
        }
    }

    /// The text of an element without children, whose start was read.
    fn whole_text(&mut self) -> Result<String, ProtocolError> {
        match self.text()? {
            (text, Token::End) => Ok(text),
            (_, token) => Err(unexpected("text", token.describe())),
        }
    }

    /// The text up to the next tag, and that tag.
    fn text(&mut self) -> Result<(String, Token), ProtocolError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Token::Text(part) => text.push_str(&part),
                token => return Ok((text, token)),
            }
        }
    }

    /// The next token that is not white space.
    fn next_visible(&mut self) -> Result<Token, ProtocolError> {
        match self.text()? {
            (text, token) if text.trim().is_empty() => Ok(token),
            (text, _) => Ok(Token::Text(text)),
        }
    }

    fn next(&mut self) -> Result<Token, ProtocolError> {
        loop {
            let token = match self.reader.read_event().map_err(ProtocolError::Xml)? {
                Event::Start(tag) => Token::Start(tag.name().as_ref().to_owned()),
                Event::End(_) => Token::End,
                Event::Text(text) => Token::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Token::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => Token::Text(resolve(&reference)?),
                Event::DocType(_) => return Err(ProtocolError::DocumentType),
                Event::Eof => Token::Eof,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
            return Ok(token);
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, ProtocolError> {
    if let Some(c) = reference.resolve_char_ref().map_err(ProtocolError::Xml)? {
        return Ok(c.to_string());
    }
    let name = reference.xml10_content();
    match quick_xml::escape::resolve_xml_entity(&name) {
        Some(text) => Ok(text.to_owned()),
        None => Err(ProtocolError::Entity(name.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmlrpc::encode;

    fn params(value: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n{value}\n</param>\n</params>\n</methodResponse>\n"
        )
    }

    fn value(xml: &str) -> Value {
        match answer(params(xml).as_bytes()) {
            Ok(Answer::Value(value)) => value,
            other => panic!("{xml}: {other:?}"),
        }
    }

    fn error(xml: &str) -> ProtocolError {
        answer(xml.as_bytes()).unwrap_err()
    }

    #[test]
    fn reads_what_supervisord_writes() {
        let xml = "<value><struct>\n<member>\n<name>statecode</name>\n<value><int>1</int></value>\n</member>\n\
                   <member>\n<name>statename</name>\n<value><string>RUNNING</string></value>\n</member>\n</struct></value>";
        let expected = [
            ("statecode".to_owned(), Value::Int(1)),
            ("statename".to_owned(), "RUNNING".into()),
        ];
        assert_eq!(value(xml), Value::Struct(BTreeMap::from(expected)));
        assert_eq!(
            value("<value><array><data>\n</data></array></value>"),
            Value::Array(vec![])
        );
        assert_eq!(
            value("<value><boolean>1</boolean></value>"),
            Value::Boolean(true)
        );
    }

    #[test]
    fn strings_keep_white_space_and_references() {
        assert_eq!(
            value("<value><string> a &lt;b&gt; &amp;&#233;\n</string></value>"),
            " a <b> &é\n".into()
        );
        assert_eq!(value("<value>plain</value>"), "plain".into());
        assert_eq!(value("<value/>"), "".into());
        assert_eq!(value("<value><string/></value>"), "".into());
    }

    #[test]
    fn reads_faults() {
        let xml = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member>\
                   <member><name>faultString</name><value><string>BAD_NAME: x</string></value></member></struct></value></fault></methodResponse>";
        let expected = Answer::Fault {
            code: FaultCode::BadName,
            message: "BAD_NAME: x".to_owned(),
        };
        assert_eq!(answer(xml.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn bad_documents_are_refused() {
        for xml in [
            "",
            "x",
            "<html></html>",
            "<methodResponse>",
            "<methodResponse></methodResponse>",
            "<methodResponse><params></params></methodResponse>",
            "<methodResponse><fault><value>x</value></fault></methodResponse>",
            "<methodResponse><params><param><value>x</param></params></methodResponse>",
        ] {
            assert!(answer(xml.as_bytes()).is_err(), "{xml}");
        }
        for bad in [
            "<value><int>1.5</int></value>",
            "<value><int>99999999999999999999</int></value>",
            "<value><boolean>true</boolean></value>",
            "<value><double>1</double></value>",
            "<value>text<int>1</int></value>",
            "<value><int>1</int>text</value>",
            "<value><array><value>x</value></array></value>",
            "<value><struct><name>x</name></struct></value>",
            "<value>&secret;</value>",
            "<value>&#xD800;</value>",
            "<value>x</value><value>y</value>",
        ] {
            assert!(answer(params(bad).as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn document_types_are_refused() {
        let xml = format!(
            "<!DOCTYPE x [<!ENTITY a \"b\">]>{}",
            params("<value>&a;</value>")
        );
        assert!(matches!(error(&xml), ProtocolError::DocumentType));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        let mut xml = params("<value>?</value>").into_bytes();
        let place = xml.iter().rposition(|byte| *byte == b'?').unwrap();
        xml[place] = 0xff;
        assert!(matches!(answer(&xml), Err(ProtocolError::Encoding(_))));
    }

    #[test]
    fn depth_is_bounded() {
        let nest = |n: usize| {
            params(&format!(
                "{}<value/>{}",
                "<value><array><data>".repeat(n),
                "</data></array></value>".repeat(n)
            ))
        };
        assert!(answer(nest(DEPTH_LIMIT - 1).as_bytes()).is_ok());
        assert!(matches!(
            error(&nest(DEPTH_LIMIT)),
            ProtocolError::TooDeep { .. }
        ));
        assert!(matches!(
            error(&nest(100_000)),
            ProtocolError::TooDeep { .. }
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_the_way_there_and_back(text in "[^\\p{Cc}\u{fffe}\u{ffff}]*") {
            let call = encode::call("x", &[Value::from(text.as_str())]);
            let start = call.find("<value>").unwrap();
            let end = call.rfind("</param>").unwrap();
            proptest::prop_assert_eq!(value(&call[start..end]), Value::String(text));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = answer(&bytes);
        }
    }
}
