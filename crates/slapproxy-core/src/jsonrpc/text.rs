//! What parameters of methods are made of.
//!
//! Serde is more lenient than the description: it takes a list for a structure, a structure for the
//! name of a state, and null for what is absent. The types here do not.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use slap_proto::documents::Attributes;
use slap_proto::marshal::is_forbidden;

/// A text of `MIN` to `MAX` characters that a marshal document can hold.
#[derive(Debug, Clone)]
pub(super) struct Text<const MIN: usize, const MAX: usize>(pub(super) String);

/// Name of a computer or of a partition.
pub(super) type Reference = Text<1, 255>;
/// Name that an instance has.
pub(super) type Title = Text<1, 200>;
/// Name of an instance in its tree: two titles and what joins them.
pub(super) type Guid = Text<1, 600>;
/// URL or path of a release.
pub(super) type Release = Text<1, 4096>;
/// Type of an instance; empty is the same as absent.
pub(super) type SoftwareType = Text<0, 255>;

/// Any text of `MIN` to `MAX` characters: builds colour what they print.
#[derive(Debug, Clone)]
pub(super) struct AnyText<const MIN: usize, const MAX: usize>(pub(super) String);

/// What went wrong, or why something shall happen.
pub(super) type Message = AnyText<0, 1_048_576>;
/// A usage report.
pub(super) type Journal = AnyText<1, 4_194_304>;

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for AnyText<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.chars().count() {
            length if length < MIN => Err(D::Error::custom("empty")),
            length if length > MAX => {
                let message = format!("{length} characters, {MAX} at the most");
                Err(D::Error::custom(message))
            }
            _ => Ok(Self(text)),
        }
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = AnyText::<MIN, MAX>::deserialize(deserializer)?.0;
        check_characters(&text).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

/// What is wrong with a text that no marshal document can hold.
fn check_characters(text: &str) -> Result<(), String> {
    match text.chars().find(|character| is_forbidden(*character)) {
        Some(character) => Err(format!(
            "the character U+{:04X} is not allowed",
            u32::from(character)
        )),
        None => Ok(()),
    }
}

/// One of a few words, each a value of a type.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word<T>(pub(super) T);

impl<'de, T> Deserialize<'de> for Word<T>
where
    T: FromStr,
    T::Err: Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Text::<0, 255>::deserialize(deserializer)?.0;
        word.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A structure that is written as an object.
#[derive(Debug, Clone)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
    }
}

/// Reads what may be absent, but not null.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Parameters of an instance, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(pub(super) Attributes);

/// How long all parameters together may be as texts, in bytes.
const LONGEST_PARAMETERS: usize = 4 << 20;

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parameters = Attributes::deserialize(deserializer)?;
        for name in parameters.keys() {
            check_characters(name).map_err(D::Error::custom)?;
        }
        let lengths = parameters
            .iter()
            .map(|(name, value)| name.len() + value.to_text().len());
        let length: usize = lengths.sum();
        if length > LONGEST_PARAMETERS {
            let message = format!("{length} bytes as texts, {LONGEST_PARAMETERS} at the most");
            return Err(D::Error::custom(message));
        }
        Ok(Self(parameters))
    }
}
