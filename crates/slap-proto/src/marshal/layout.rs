//! What a document consists of, borrowed from its type: written without being copied first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::value::{Class, Dict, Object, Value};

/// A part of a document.
pub(crate) enum Part<'a> {
    /// Python's `None`.
    None,
    /// A truth value as masters write it: 0 or 1.
    Flag(bool),
    /// A text.
    Text(&'a str),
    /// Any value.
    Value(&'a Value),
    /// A dictionary.
    Dict(&'a BTreeMap<String, Value>),
    /// A tuple.
    Tuple(Vec<Part<'a>>),
    /// A list.
    List(Vec<Part<'a>>),
    /// An object.
    Object(Layout<'a>),
}

/// An object: its class, constructor arguments and attributes.
pub(crate) struct Layout<'a> {
    pub(crate) class: Class,
    pub(crate) initargs: Vec<Part<'a>>,
    /// Sorted by key, each key once.
    pub(crate) state: Vec<(&'a str, Part<'a>)>,
}

impl<'a> Layout<'a> {
    /// The given attributes, over others of which the type knows nothing.
    pub(crate) fn new(
        class: Class,
        initargs: Vec<Part<'a>>,
        extra: &'a BTreeMap<String, Value>,
        known: Vec<(&'static str, Part<'a>)>,
    ) -> Self {
        let mut state: Vec<(&str, Part)> = known;
        for (name, value) in extra {
            if !state.iter().any(|(known, _)| known == name) {
                state.push((name, Part::Value(value)));
            }
        }
        state.sort_unstable_by_key(|(name, _)| *name);
        Self {
            class,
            initargs,
            state,
        }
    }

    /// The object as a value of its own.
    pub(crate) fn to_value(&self) -> Value {
        let state = self.state.iter();
        Value::Object(Arc::new(Object {
            class: self.class,
            initargs: self.initargs.iter().map(Part::to_value).collect(),
            state: state
                .map(|(name, part)| (*name, part.to_value()))
                .collect::<Dict>(),
        }))
    }
}

impl Part<'_> {
    fn to_value(&self) -> Value {
        match self {
            Self::None => Value::None,
            Self::Flag(flag) => Value::Int(i128::from(*flag)),
            Self::Text(text) => Value::from(*text),
            Self::Value(value) => (*value).clone(),
            Self::Dict(entries) => Value::dict((*entries).clone()),
            Self::Tuple(items) => Value::Tuple(items.iter().map(Part::to_value).collect()),
            Self::List(items) => Value::list(items.iter().map(Part::to_value).collect()),
            Self::Object(layout) => layout.to_value(),
        }
    }
}

impl<'a> From<&'a Option<String>> for Part<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().map_or(Self::None, Self::Text)
    }
}
