//! Between the values of the language and those of the protocol.

use std::sync::Arc;

use num_bigint::BigInt;
use serde_json::{Number, Value as Json};
use slap_client::proto::documents::Attributes;
use slap_client::proto::marshal;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::float::StarlarkFloat;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::none::NoneOr;
use starlark::values::tuple::{AllocTuple, TupleRef};
use starlark::values::{Heap, UnpackValue, Value, ValueLike};

use crate::api::ApiError;

/// How deeply lists and dictionaries may hold each other; a list that holds itself has no end.
const DEEPEST: usize = 100;

/// A value as it is sent to a master.
pub(crate) fn to_proto(value: Value<'_>) -> Result<marshal::Value, ApiError> {
    sent(value, DEEPEST)
}

fn sent(value: Value<'_>, depth: usize) -> Result<marshal::Value, ApiError> {
    let depth = depth
        .checked_sub(1)
        .ok_or(ApiError::Deep { limit: DEEPEST })?;
    let all = |items: &[Value<'_>]| -> Result<Vec<_>, _> {
        items.iter().map(|item| sent(*item, depth)).collect()
    };
    if value.is_none() {
        return Ok(marshal::Value::None);
    }
    if let Some(value) = value.unpack_bool() {
        return Ok(marshal::Value::Bool(value));
    }
    if let Some(text) = value.unpack_str() {
        return Ok(text.into());
    }
    if let Some(float) = value.downcast_ref::<StarlarkFloat>() {
        return Ok(marshal::Value::Float(float.0));
    }
    if let Some(list) = ListRef::from_value(value) {
        return Ok(marshal::Value::list(all(list.content())?));
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return Ok(marshal::Value::Tuple(all(tuple.content())?));
    }
    if let Some(dict) = DictRef::from_value(value) {
        let mut sent_dict = marshal::Dict::default();
        for (key, value) in dict.iter() {
            sent_dict.insert(sent(key, depth)?, sent(value, depth)?);
        }
        return Ok(marshal::Value::Dict(Arc::new(sent_dict)));
    }
    match value.get_type() {
        "int" => integer(value),
        kind => Err(ApiError::Unsendable { kind }),
    }
}

/// The language's own integers have no bound.
fn integer(value: Value<'_>) -> Result<marshal::Value, ApiError> {
    let number = BigInt::unpack_value(value).ok().flatten();
    let number = number.and_then(|number| i128::try_from(number).ok());
    let number = number.ok_or_else(|| ApiError::Large {
        number: value.to_str(),
    })?;
    Ok(marshal::Value::Int(number))
}

/// A dictionary with texts as keys; `None` is an empty one. `name` is the argument's.
pub(crate) fn to_attributes(
    name: &'static str,
    value: NoneOr<Value<'_>>,
) -> Result<Attributes, ApiError> {
    let NoneOr::Other(value) = value else {
        return Ok(Attributes::new());
    };
    let dict = DictRef::from_value(value).ok_or(ApiError::NoDict { name })?;
    let entry = |(key, value): (Value<'_>, Value<'_>)| {
        let key = key.unpack_str().ok_or(ApiError::NoDict { name })?;
        Ok((key.to_owned(), to_proto(value)?))
    };
    dict.iter().map(entry).collect()
}

/// A value that a master sent.
pub(crate) fn from_proto<'v>(value: &marshal::Value, heap: Heap<'v>) -> Value<'v> {
    let all = |items: &[marshal::Value]| -> Vec<_> {
        items.iter().map(|item| from_proto(item, heap)).collect()
    };
    match value {
        marshal::Value::None => Value::new_none(),
        marshal::Value::Bool(value) => Value::new_bool(*value),
        marshal::Value::Int(number) => heap.alloc(BigInt::from(*number)),
        marshal::Value::Float(number) => heap.alloc(*number),
        marshal::Value::String(text) => heap.alloc(text.as_str()),
        marshal::Value::Tuple(items) => heap.alloc(AllocTuple(all(items))),
        marshal::Value::List(items) | marshal::Value::Set(items) => {
            heap.alloc(AllocList(all(items)))
        }
        marshal::Value::Dict(dict) => {
            // Keys may be of types that cannot be keys here; as texts, all can.
            let entries = dict
                .iter()
                .map(|(key, value)| (key.to_text(), from_proto(value, heap)));
            heap.alloc(AllocDict(entries.collect::<Vec<_>>()))
        }
        marshal::Value::Object(_) => heap.alloc(value.to_text()),
    }
}

/// A value of a JSON document. What the language has no number for is its text.
pub(crate) fn from_json<'v>(value: &Json, heap: Heap<'v>) -> Value<'v> {
    match value {
        Json::Null => Value::new_none(),
        Json::Bool(value) => Value::new_bool(*value),
        Json::Number(number) => from_number(number, heap),
        Json::String(text) => heap.alloc(text.as_str()),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| from_json(item, heap)).collect();
            heap.alloc(AllocList(items))
        }
        Json::Object(object) => {
            let entries = object
                .iter()
                .map(|(key, value)| (key.as_str(), from_json(value, heap)));
            heap.alloc(AllocDict(entries.collect::<Vec<_>>()))
        }
    }
}

fn from_number<'v>(number: &Number, heap: Heap<'v>) -> Value<'v> {
    let text = number.to_string();
    if let Ok(integer) = text.parse::<BigInt>() {
        return heap.alloc(integer);
    }
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => heap.alloc(float),
        _ => heap.alloc(text),
    }
}

/// The dictionary of attributes.
pub(crate) fn from_attributes<'v>(attributes: &Attributes, heap: Heap<'v>) -> Value<'v> {
    let entries = attributes
        .iter()
        .map(|(name, value)| (name.as_str(), from_proto(value, heap)));
    heap.alloc(AllocDict(entries.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use slap_client::proto::marshal::Value as Proto;
    use starlark::environment::Module;

    use super::*;

    #[test]
    fn values_that_a_master_sends_are_shown_as_python_shows_them() {
        Module::with_temp_heap(|module| {
            for (value, shown) in [
                (Proto::None, "None"),
                (Proto::Bool(true), "True"),
                (Proto::Int(-3), "-3"),
                (Proto::Int(i64::MAX.into()), "9223372036854775807"),
                (
                    Proto::Int(i128::MAX),
                    "170141183460469231731687303715884105727",
                ),
                (Proto::Float(1.5), "1.5"),
                (Proto::Float(f64::INFINITY), "+inf"),
                (Proto::Tuple(vec!["a".into()]), "(\"a\",)"),
                (Proto::Set(vec![Proto::Int(1)].into()), "[1]"),
                (Proto::dict([("k", Proto::list(Vec::new()))]), "{\"k\": []}"),
            ] {
                assert_eq!(from_proto(&value, module.heap()).to_repr(), shown);
            }
        });
    }

    #[test]
    fn numbers_of_documents_are_exact_or_texts() {
        let text = "{\"a\": [123456789012345678901234567890, -1, 1.5, 1e999, null, true, \"x\"]}";
        let value: Json = serde_json::from_str(text).unwrap();
        let expected =
            "{\"a\": [123456789012345678901234567890, -1, 1.5, \"1e999\", None, True, \"x\"]}";
        Module::with_temp_heap(|module| {
            let shown = from_json(&value, module.heap()).to_repr();
            assert_eq!(shown.replace("1e+999", "1e999"), expected);
        });
    }

    #[test]
    fn what_was_received_is_sent_as_it_was() {
        Module::with_temp_heap(|module| {
            let value = Proto::dict([
                ("number", Proto::Int(i64::MIN.into())),
                ("large", Proto::Int(i128::MIN)),
                ("tuple", Proto::Tuple(vec![Proto::None, Proto::Float(0.5)])),
                ("list", Proto::list(vec![Proto::Bool(false), "é\n".into()])),
            ]);
            let received = from_proto(&value, module.heap());
            assert_eq!(to_proto(received).unwrap(), value);
        });
    }

    #[test]
    fn a_list_that_holds_itself_is_refused() {
        Module::with_temp_heap(|module| {
            let heap = module.heap();
            let deep = (0..DEEPEST).fold(heap.alloc(1), |inner, _| heap.alloc(AllocList([inner])));
            assert!(matches!(to_proto(deep), Err(ApiError::Deep { .. })));
        });
    }
}
