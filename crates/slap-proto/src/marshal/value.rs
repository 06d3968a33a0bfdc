//! The values that a marshal document can hold.

use std::cmp::Ordering;
use std::sync::Arc;

/// One value of the marshal format.
///
/// Containers are reference-counted, because the format itself knows sharing: a list that is met a
/// second time (the same allocation) is written as a `<reference/>`, and a reference that is read
/// yields the same allocation again.
///
/// ```
/// use slap_proto::marshal::Value;
///
/// let value = Value::dict([("name", "kvm".into()), ("ports", vec![22, 80].into())]);
/// let dict = value.as_dict().ok_or("no dictionary")?;
/// assert_eq!(dict.get("name").and_then(Value::as_str), Some("kvm"));
/// assert_eq!(value.to_text(), "{'name': 'kvm', 'ports': [22, 80]}");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer that fits 128 bits (the format itself has no bound; larger ones are refused).
    Int(i128),
    /// A floating point number, infinities and NaN included.
    Float(f64),
    /// A text.
    String(String),
    /// A tuple; never shared, never referenced.
    Tuple(Vec<Value>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A set, in the order in which it was read or made.
    Set(Arc<Vec<Value>>),
    /// A dictionary.
    Dict(Arc<Dict>),
    /// An instance of one of the four classes of `slapos.slap.slap`.
    Object(Arc<Object>),
}

impl Value {
    /// A text.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A list of its own, shared with nothing.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A dictionary with text keys, shared with nothing.
    pub fn dict<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Dict(Arc::new(entries.into_iter().collect()))
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The dictionary, if this is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The items of a list or a tuple.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The number of an integer that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number of a float or, rounded, of an integer.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "callers ask for a float")]
            Self::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// Whether this is Python's `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Python's idea of truth: empty containers and texts, zero and `None` are false.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::List(items) | Self::Set(items) => !items.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// The text that Python's `str()` makes of the value; masters keep parameters in this form.
    pub fn to_text(&self) -> String {
        super::text::str_of(self)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// Every number of these types is exact in 128 bits.
macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Self::Int(number.into())
            }
        }
    )*};
}

from_integers!(u8 u16 u32 u64 i8 i16 i32 i64 i128);

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

/// A dictionary: entries sorted by key, each key once.
///
/// ```
/// use slap_proto::marshal::{Dict, Value};
///
/// let mut dict: Dict = [("b", Value::None), ("a", 1.into())].into_iter().collect();
/// dict.insert("b", 2.into());
/// let keys: Vec<_> = dict.iter().filter_map(|(key, _)| key.as_str()).collect();
/// assert_eq!(keys, ["a", "b"]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dict {
    entries: Vec<(Value, Value)>,
}

impl Dict {
    /// The value of a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self.entries.binary_search_by(|(present, _)| match present {
            Value::String(text) => text.as_str().cmp(key),
            other => rank(other).cmp(&STRING_RANK),
        });
        found.ok().map(|index| &self.entries[index].1)
    }

    /// Sets the value of a key, whatever it was before.
    pub fn insert(&mut self, key: impl Into<Value>, value: Value) {
        let key = key.into();
        match self
            .entries
            .binary_search_by(|(present, _)| compare(present, &key))
        {
            Ok(index) => self.entries[index].1 = value,
            Err(index) => self.entries.insert(index, (key, value)),
        }
    }

    /// The entries in the order in which they are written.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// From entries in any order; of equal keys the last wins, as it does in Python.
    pub(super) fn from_entries(mut entries: Vec<(Value, Value)>) -> Self {
        entries.sort_by(|left, right| compare(&left.0, &right.0));
        let mut unique: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
        for entry in entries {
            match unique.last_mut() {
                Some(last) if compare(&last.0, &entry.0).is_eq() => *last = entry,
                _ => unique.push(entry),
            }
        }
        Self { entries: unique }
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self::from_entries(
            entries
                .map(|(key, value)| (Value::String(key.into()), value))
                .collect(),
        )
    }
}

/// An object: its class, constructor arguments and attributes.
///
/// The types of [`documents`](crate::documents) read and write those of the protocol.
///
/// ```
/// use slap_proto::documents::Computer;
/// use slap_proto::marshal::{Class, Value};
///
/// let computer = Computer { computer_id: "COMP-1".to_owned(), ..Computer::default() };
/// let value = computer.to_value();
/// let object = value.as_object().ok_or("no object")?;
/// assert_eq!(object.class, Class::Computer);
/// assert_eq!(object.state.get("_computer_id").and_then(Value::as_str), Some("COMP-1"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The class.
    pub class: Class,
    /// The constructor's arguments.
    pub initargs: Vec<Value>,
    /// The attributes.
    pub state: Dict,
}

/// The classes of `slapos.slap.slap` that may appear; every other one is refused.
///
/// ```
/// use slap_proto::marshal::Class;
///
/// assert_eq!(Class::from_name("Computer"), Some(Class::Computer));
/// assert_eq!(Class::from_name("Popen"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A computer with its releases and partitions.
    Computer,
    /// A partition as a node sees it.
    ComputerPartition,
    /// A release on a computer.
    SoftwareRelease,
    /// The answer to a request.
    SoftwareInstance,
}

impl Class {
    /// The Python module of every class.
    pub const MODULE: &'static str = "slapos.slap.slap";

    /// The class's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computer => "Computer",
            Self::ComputerPartition => "ComputerPartition",
            Self::SoftwareRelease => "SoftwareRelease",
            Self::SoftwareInstance => "SoftwareInstance",
        }
    }

    /// The class of this name in [`Class::MODULE`].
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Computer,
            Self::ComputerPartition,
            Self::SoftwareRelease,
            Self::SoftwareInstance,
        ]
        .into_iter()
        .find(|class| class.name() == name)
    }
}

const NUMBER_RANK: u8 = 2;
const STRING_RANK: u8 = 0;

/// Keys of different types have no order in Python 3; the peer then compares their `repr()`, which
/// begins with a quote, a parenthesis, a digit or a letter. Grouping by type is the same, and an
/// order in every case.
fn rank(value: &Value) -> u8 {
    match value {
        Value::String(_) => STRING_RANK,
        Value::Tuple(_) => 1,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => NUMBER_RANK,
        Value::None => 3,
        // Not hashable in Python, so never keys of a document that was accepted.
        Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Object(_) => 4,
    }
}

/// Order of keys: Python's within a type, where `True == 1 == 1.0`.
pub(super) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Tuple(left), Value::Tuple(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| compare(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (left, right) if rank(left) == NUMBER_RANK && rank(right) == NUMBER_RANK => {
            compare_numbers(left, right)
        }
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

/// Exact, and a total order: rounding integers to floats would make different ones equal to the
/// same float. NaN comes last.
fn compare_numbers(left: &Value, right: &Value) -> Ordering {
    match (number(left), number(right)) {
        (Number::Integer(left), Number::Integer(right)) => left.cmp(&right),
        (Number::Float(left), Number::Float(right)) => compare_floats(left, right),
        (Number::Integer(left), Number::Float(right)) => compare_mixed(left, right),
        (Number::Float(left), Number::Integer(right)) => compare_mixed(right, left).reverse(),
    }
}

enum Number {
    Integer(i128),
    Float(f64),
}

fn number(value: &Value) -> Number {
    match value {
        Value::Bool(value) => Number::Integer(i128::from(*value)),
        Value::Int(number) => Number::Integer(*number),
        other => Number::Float(other.as_f64().unwrap_or_default()),
    }
}

fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn compare_mixed(integer: i128, float: f64) -> Ordering {
    /// Two to the power of 127: every integer is smaller, and from its negative on, every float
    /// up to it has a floor that is one.
    const BOUND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float.is_nan() || float >= BOUND {
        return Ordering::Less;
    }
    if float < -BOUND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
    let floor = float.floor() as i128;
    integer.cmp(&floor).then(if float > float.floor() {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers that lie close together where floats are coarser than integers.
    fn any_number() -> impl Strategy<Value = Value> {
        let near = prop_oneof![
            Just(0_i128),
            Just(1 << 53),
            Just(1 << 60),
            Just(i128::MAX - 8)
        ];
        let integer = (near, -8_i128..9).prop_map(|(base, step)| base.saturating_add(step));
        prop_oneof![
            integer.clone().prop_map(Value::Int),
            integer.prop_map(|number| Value::Float(number as f64)),
            any::<f64>().prop_map(Value::Float),
            (-4..5_i32).prop_map(|quarters| Value::Float(f64::from(quarters) / 4.0)),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Float(f64::NAN)),
        ]
    }

    proptest! {
        #[test]
        fn numbers_have_a_total_order(a in any_number(), b in any_number(), c in any_number()) {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|left, right| compare(left, right));
            prop_assert_ne!(compare(sorted[0], sorted[2]), Ordering::Greater);
            if compare(&a, &b).is_eq() {
                prop_assert_eq!(compare(&a, &c), compare(&b, &c));
            }
        }
    }

    #[test]
    fn numbers_are_compared_as_python_does() {
        let (int, float) = (|number| Value::Int(number), |number| Value::Float(number));
        let table = [
            (
                int(1 << 60),
                float(1_152_921_504_606_846_976.0),
                Ordering::Equal,
            ),
            (
                int((1 << 60) + 1),
                float(1_152_921_504_606_846_976.0),
                Ordering::Greater,
            ),
            (int(-1), float(-0.5), Ordering::Less),
            (int(0), float(-0.0), Ordering::Equal),
            (int(i128::MAX), float(f64::INFINITY), Ordering::Less),
            (int(i128::MIN), float(f64::NEG_INFINITY), Ordering::Greater),
            (int(1), Value::Bool(true), Ordering::Equal),
        ];
        for (left, right, order) in table {
            assert_eq!(compare(&left, &right), order, "{left:?} {right:?}");
        }
    }

    #[test]
    fn a_shuffled_dictionary_of_large_numbers_is_sorted() {
        let entries = (0..4000_i128).map(|step| {
            let number = (1 << 60) + (step * 2_654_435_761) % 4001;
            let key = if step % 3 == 0 {
                Value::Float(number as f64)
            } else {
                Value::Int(number)
            };
            (key, Value::None)
        });
        let dict = Dict::from_entries(entries.collect());
        let keys: Vec<_> = dict.iter().map(|(key, _)| key).collect();
        assert!(
            keys.windows(2)
                .all(|pair| compare(pair[0], pair[1]).is_lt())
        );
    }
}
