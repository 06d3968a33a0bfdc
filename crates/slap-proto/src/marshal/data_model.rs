//! Values in serde's data model: how they are read from and written to JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::is_forbidden;
use super::value::{Dict, Value};

/// From this magnitude on, a reader may have rounded an integer to a float before we see it.
const FIRST_DOUBTFUL: f64 = 18_446_744_073_709_551_616.0;

/// The only key of the map that `serde_json` makes of a number that is no integer of 64 bits, with the
/// number's text, where its feature `arbitrary_precision` is on: any crate of a program may turn it on
/// for all of them.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// What JSON has no type for becomes what is nearest to it: tuples and sets are lists, keys and
/// objects are texts.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => integer(*number, serializer),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Tuple(items) => serializer.collect_seq(items),
            Self::List(items) | Self::Set(items) => serializer.collect_seq(items.iter()),
            Self::Dict(dict) => {
                let entries = dict.iter().map(|(key, value)| (key.to_text(), value));
                serializer.collect_map(entries)
            }
            Self::Object(_) => serializer.serialize_str(&self.to_text()),
        }
    }
}

/// Most formats take 64 bits only, so that more are used only where they are needed.
fn integer<S: Serializer>(number: i128, serializer: S) -> Result<S::Ok, S::Error> {
    if let Ok(number) = i64::try_from(number) {
        serializer.serialize_i64(number)
    } else if let Ok(number) = u64::try_from(number) {
        serializer.serialize_u64(number)
    } else {
        serializer.serialize_i128(number)
    }
}

/// Refused are texts with characters that no document can hold, and floats of 2⁶⁴ and more, which
/// readers of JSON make of long integers.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        if number.abs() >= FIRST_DOUBTFUL {
            let expected = &"a number of 64 bits (larger ones can be given as texts)";
            return Err(E::invalid_value(Unexpected::Float(number), expected));
        }
        Ok(Value::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        checked(&text)?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::list(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            checked(&key)?;
            list.push((key, value));
        }
        match &list[..] {
            [(key, Value::String(text))] if key == NUMBER_KEY => number(text),
            _ => Ok(Value::Dict(list.into_iter().collect::<Dict>().into())),
        }
    }
}

/// A number of its text, as a reader would have it that hands on floats.
fn number<E: Error>(text: &str) -> Result<Value, E> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => ValueVisitor.visit_f64(number),
        _ => Err(E::invalid_value(Unexpected::Str(text), &"a number")),
    }
}

fn checked<E: Error>(text: &str) -> Result<(), E> {
    match text.chars().find(|character| is_forbidden(*character)) {
        None => Ok(()),
        Some(character) => Err(E::custom(format_args!(
            "the character U+{:04X} is not allowed",
            u32::from(character)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{F64Deserializer, MapDeserializer};

    use super::*;

    #[test]
    fn json_is_read_and_written_again() {
        let text =
            r#"{"":null,"b":[true,-1,18446744073709551615,1.5,"é\n"],"c":{"d":{"e":[]}},"z":0.0}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value.as_dict().unwrap().get("").unwrap(), &Value::None);
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }

    #[test]
    fn what_json_lacks_becomes_the_nearest() {
        let set = Value::Set(vec![Value::Int(i128::MAX)].into());
        let tuple = Value::Tuple(vec![set, Value::Float(f64::NAN)]);
        let mut dict = Dict::default();
        dict.insert(7, tuple);
        let text = serde_json::to_string(&Value::Dict(dict.into())).unwrap();
        assert_eq!(text, format!("{{\"7\":[[{}],null]}}", i128::MAX));
    }

    #[test]
    fn floats_are_read_however_they_are_handed_on() {
        let as_float = F64Deserializer::<serde::de::value::Error>::new(1.5);
        assert_eq!(Value::deserialize(as_float), Ok(Value::Float(1.5)));
        let as_text = |text| {
            let map = MapDeserializer::<_, serde::de::value::Error>::new(
                [(NUMBER_KEY, text)].into_iter(),
            );
            Value::deserialize(map)
        };
        assert_eq!(as_text("1.50"), Ok(Value::Float(1.5)));
        assert_eq!(as_text("-2e+2"), Ok(Value::Float(-200.0)));
        for text in ["", "nan", "1e999", "12345678901234567890123"] {
            assert!(as_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn serde_json_hands_on_the_texts_of_numbers_in_these_tests() {
        let number: serde_json::Value = serde_json::from_str("1.50").unwrap();
        assert_eq!(number.to_string(), "1.50", "arbitrary_precision is off");
        let text = r#"[1.50,-0,-0.0,1e2,0.1,18446744073709551615,-9223372036854775808]"#;
        let expected = "[1.5,-0.0,-0.0,100.0,0.1,18446744073709551615,-9223372036854775808]";
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), expected);
        let nested: Value = serde_json::from_value(serde_json::json!({"a": [1.5]})).unwrap();
        assert_eq!(
            nested,
            Value::dict([("a", Value::list(vec![Value::Float(1.5)]))])
        );
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for (text, reason) in [
            (r#"["a\u0000b"]"#, "U+0000"),
            (r#"{"\u001b":1}"#, "U+001B"),
            (r#"["\uffff"]"#, "U+FFFF"),
            ("[12345678901234567890123]", "64 bits"),
            ("[-1e20]", "64 bits"),
        ] {
            let error = serde_json::from_str::<Value>(text).unwrap_err();
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
