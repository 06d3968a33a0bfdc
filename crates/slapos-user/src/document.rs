//! Objects of parameters in JSON and YAML: no number becomes another one, no key is lost, and no error
//! shows a value, which may be a password.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};
use serde_saphyr::{Error as YamlError, NonFiniteFloatPolicy, Spanned};

use crate::parameters::DuplicateKey;

/// A text that holds no parameters.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// It is of another form, or a value of another kind.
    #[error("it is of another form")]
    Form(#[source] Option<serde_json::Error>),
    /// It is no YAML.
    #[error("line {line}, column {column}")]
    Yaml {
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
    },
    /// A key is given twice.
    #[error(transparent)]
    Duplicate(#[from] DuplicateKey),
    /// A number that no one can be sent as it is.
    #[error("{0}: this number cannot be sent; quote it, if it is a text")]
    Large(String),
}

/// The object of a JSON text.
///
/// # Errors
/// It is none, or gives a key twice.
pub(crate) fn from_json(text: &str) -> Result<Map<String, Json>, ObjectError> {
    // What is no object would be shown by the errors of serde.
    match serde_json::from_str(text) {
        Ok(Json::Object(_)) => {}
        Ok(_) => return Err(ObjectError::Form(None)),
        Err(error) => return Err(ObjectError::Form(Some(error))),
    }
    let pairs: Pairs<Json> = serde_json::from_str(text).map_err(|_| ObjectError::Form(None))?;
    let mut object = Map::new();
    for (key, value) in pairs.0 {
        if object.contains_key(&key) {
            return Err(DuplicateKey::of(key).into());
        }
        object.insert(key, value);
    }
    Ok(object)
}

/// The mapping of a YAML text. Numbers are those of YAML 1.1, as slapos.core reads them: `010` is eight.
///
/// # Errors
/// It is none, gives a key twice, or has a number that cannot be kept.
pub(crate) fn from_yaml(text: &str) -> Result<Map<String, Json>, ObjectError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
    };
    let node: Node = serde_saphyr::from_str_with_options(text, options).map_err(of_yaml)?;
    match node {
        Node::Object(pairs) => object(pairs, text),
        _ => Err(ObjectError::Form(None)),
    }
}

/// Only where it is: what is wrong may be a value.
fn of_yaml(error: YamlError) -> ObjectError {
    if let YamlError::DuplicateMappingKey { key: Some(key), .. } = error.without_snippet() {
        return DuplicateKey::of(key.clone()).into();
    }
    match error.location() {
        Some(location) => ObjectError::Yaml {
            line: location.line(),
            column: location.column(),
        },
        None => ObjectError::Form(None),
    }
}

/// Keys and values of an object, as they follow each other.
struct Pairs<T>(Vec<(String, T)>);

/// A value of YAML; where it stands is kept by whoever holds it.
enum Node {
    /// One that is what it says.
    Value(Json),
    /// One that may be a whole number too large, or a text.
    Float(f64),
    List(Vec<Spanned<Node>>),
    Object(Vec<(String, Spanned<Node>)>),
}

fn object(
    pairs: Vec<(String, Spanned<Node>)>,
    text: &str,
) -> Result<Map<String, Json>, ObjectError> {
    let exact = pairs.into_iter().map(|(key, node)| {
        let value = exact(node, &key, text)?;
        Ok((key, value))
    });
    exact.collect()
}

/// The value of a node below a key.
fn exact(node: Spanned<Node>, key: &str, text: &str) -> Result<Json, ObjectError> {
    let large = || ObjectError::Large(key.to_owned());
    let written = written(&node, text);
    match node.value {
        Node::Object(pairs) => Ok(object(pairs, text)?.into()),
        Node::List(items) => items
            .into_iter()
            .map(|item| exact(item, key, text))
            .collect(),
        Node::Float(float) => number(written.ok_or_else(large)?, float).ok_or_else(large),
        Node::Value(Json::String(value)) if written == Some(&value) && overflows(&value) => {
            Err(large())
        }
        Node::Value(Json::Number(_)) if written.is_some_and(|text| text.contains("0o")) => {
            Ok(written.into())
        }
        Node::Value(value) => Ok(value),
    }
}

/// A scalar as it is written.
fn written<'a>(node: &Spanned<Node>, text: &'a str) -> Option<&'a str> {
    let span = node.defined.span();
    let begin = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(text.get(begin..begin.checked_add(length)?)?.trim())
}

/// Whether it is a number of YAML 1.1 in base 16 or 2 that is too large to be read as one.
fn overflows(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_of = |prefix, radix| {
        let digits = unsigned.strip_prefix(prefix);
        digits.is_some_and(|digits: &str| {
            let digits = digits.replace('_', "");
            !digits.is_empty()
                && digits.chars().all(|c| c.is_digit(radix))
                && u64::from_str_radix(&digits, radix).is_err()
        })
    };
    is_of("0x", 16) || is_of("0b", 2)
}

/// What YAML 1.1 takes for a number where YAML 1.2 sees a float; `None` if it cannot be told exactly.
fn number(written: &str, float: f64) -> Option<Json> {
    let literal = written.replace('_', "");
    let literal = literal.strip_prefix('+').unwrap_or(&literal);
    if literal.parse() != Ok(float) {
        return None;
    }
    let unsigned = literal.strip_prefix('-').unwrap_or(literal);
    let is_whole = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole && unsigned.starts_with('0') {
        // Octal digits would have been read, were they fewer.
        let is_octal = unsigned.bytes().all(|byte| byte < b'8');
        return (!is_octal).then(|| written.into());
    }
    if is_whole {
        return literal.parse().ok().map(Json::Number);
    }
    if is_float(unsigned) {
        return Number::from_f64(float).map(Json::Number);
    }
    Some(written.into())
}

/// Floats of YAML 1.1 have a point, and exponents a sign.
fn is_float(unsigned: &str) -> bool {
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.starts_with(['+', '-'])),
        None => (unsigned, true),
    };
    digits.contains('.') && exponent
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
            type Value = Pairs<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pairs<T>, A::Error> {
                pairs(map).map(Pairs)
            }
        }

        deserializer.deserialize_map(OfMap(std::marker::PhantomData))
    }
}

fn pairs<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    mut map: A,
) -> Result<Vec<(String, T)>, A::Error> {
    let mut pairs = Vec::new();
    while let Some(pair) = map.next_entry()? {
        pairs.push(pair);
    }
    Ok(pairs)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfNode)
    }
}

struct OfNode;

impl<'de> Visitor<'de> for OfNode {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Value(Json::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Value(value.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Value(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Value(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Value(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
        pairs(map).map(Node::Object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(yaml: &str) -> Result<Json, String> {
        let object = from_yaml(&format!("first: é\nkey: {yaml}\n"));
        let object = object.map_err(|error| error.to_string())?;
        Ok(object["key"].clone())
    }

    #[test]
    fn numbers_of_yaml_are_those_of_slapos_core() {
        for (yaml, expected) in [
            ("12", "12"),
            ("010", "8"),
            ("-010", "-8"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("1.50", "1.5"),
            ("1.5e+3", "1500.0"),
            ("18446744073709551616", "18446744073709551616"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            (
                "-123456789012345678901234567890",
                "-123456789012345678901234567890",
            ),
            (
                "[{a: 123456789012345678901234567890}]",
                "[{\"a\":123456789012345678901234567890}]",
            ),
            (
                "&x 123456789012345678901234567890\nb: *x",
                "123456789012345678901234567890",
            ),
            // Texts of YAML 1.1.
            ("1e5", "\"1e5\""),
            ("1.5e3", "\"1.5e3\""),
            ("1e999", "\"1e999\""),
            ("089", "\"089\""),
            ("0o10", "\"0o10\""),
            ("'010'", "\"010\""),
            ("!!str 0x1F", "\"0x1F\""),
            ("'0xFFFFFFFFFFFFFFFFFF'", "\"0xFFFFFFFFFFFFFFFFFF\""),
        ] {
            let value = value(yaml).map(|value| value.to_string());
            assert_eq!(value.as_deref(), Ok(expected), "{yaml}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_kept_is_refused() {
        for yaml in [
            "0xFFFFFFFFFFFFFFFFFF",
            "0777777777777777777777777",
            "1.0e+999",
            "[.inf]",
        ] {
            let refused = "key: this number cannot be sent; quote it, if it is a text".to_owned();
            assert_eq!(value(yaml), Err(refused), "{yaml}");
        }
    }

    #[test]
    fn no_key_is_lost() {
        let twice = [
            from_json(r#"{"a": 1, "b": 2, "a": 1}"#),
            from_yaml("a: 1\nb: 2\na: 1\n"),
        ];
        for twice in twice {
            assert_eq!(twice.unwrap_err().to_string(), "a is given twice");
        }
        let object = from_json(r#"{"a": 1e999, "b": {"c": null}}"#).unwrap();
        assert_eq!(object["b"], json!({"c": null}));
    }

    #[test]
    fn no_error_shows_a_value() {
        const SECRET: &str = "s3cret";
        for text in [
            "\"s3cret\"",
            "{\"a\": s3cret}",
            "{\"a\": \"s3cret\"",
            "a: *s3cret",
            "a: !s3cret [",
            "s3cret",
            "a: \"\\s3cret\"",
            "a: {s3cret",
        ] {
            for error in [from_json(text).err(), from_yaml(text).err()] {
                let shown = error.as_ref().map(|error| slapos_cli::describe(error));
                let shown = shown.unwrap_or_default() + &format!("{error:?}");
                assert!(!shown.contains(SECRET), "{text}: {shown}");
            }
        }
    }
}
