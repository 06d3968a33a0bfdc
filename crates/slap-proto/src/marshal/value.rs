//! The values that a marshal document can hold.

use std::sync::Arc;

/// One value of the marshal format.
///
/// Containers are reference-counted, because the format itself knows sharing: a list that is met a
/// second time (the same allocation) is written as a `<reference/>`, and a reference that is read
/// yields the same allocation again.
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

/// A dictionary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dict {
    entries: Vec<(Value, Value)>,
}

/// An object: its class, constructor arguments and attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The class.
    pub class: Class,
    /// The constructor's arguments.
    pub initargs: Vec<Value>,
    /// The attributes.
    pub state: Dict,
}

/// The classes that may appear; every other one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `slapos.slap.slap.Computer`
    Computer,
    /// `slapos.slap.slap.ComputerPartition`
    ComputerPartition,
    /// `slapos.slap.slap.SoftwareRelease`
    SoftwareRelease,
    /// `slapos.slap.slap.SoftwareInstance`
    SoftwareInstance,
}
