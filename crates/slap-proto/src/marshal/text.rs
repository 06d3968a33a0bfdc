//! Python's texts of values: `str()` and `repr()`.

use std::fmt::Write;

use super::value::Value;

/// `str(value)`.
pub(super) fn str_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(float)`: the shortest digits that read back the same, an exponent outside 1e-4 … 1e16.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        return scientific(number);
    }
    let shortest = format!("{number:?}");
    let digits = fraction_digits(&shortest);
    even(number, shortest, format!("{number:.digits$}"))
}

fn fraction_digits(text: &str) -> usize {
    text.split_once('.')
        .map_or(0, |(_, fraction)| fraction.len())
}

/// Where two texts of the shortest length are equally near to the number, Python takes the even
/// one, as rounding to that length does, and Rust the larger one.
fn even(number: f64, shortest: String, rounded: String) -> String {
    if rounded.parse() == Ok(number) {
        rounded
    } else {
        shortest
    }
}

/// Rust writes `1e-7`, Python `1e-07`; both have the same digits.
fn scientific(number: f64) -> String {
    let shortest = format!("{number:e}");
    let mantissa = shortest
        .split_once('e')
        .map_or("", |(mantissa, _)| mantissa);
    let digits = fraction_digits(mantissa);
    let text = even(number, shortest, format!("{number:.digits$e}"));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(rest) => ('-', rest),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>2}")
}

fn repr(value: &Value) -> String {
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::String(text) => quoted(text),
        Value::Tuple(items) if items.len() == 1 => format!("({},)", repr(&items[0])),
        Value::Tuple(items) => joined(items, "(", ")"),
        Value::List(items) => joined(items, "[", "]"),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => joined(items, "{", "}"),
        Value::Dict(dict) => {
            let entries: Vec<_> = dict
                .iter()
                .map(|(key, value)| format!("{}: {}", repr(key), repr(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Object(object) => format!("<{}>", object.class.name()),
    }
}

fn joined(items: &[Value], open: &str, close: &str) -> String {
    let items: Vec<_> = items.iter().map(repr).collect();
    format!("{open}{}{close}", items.join(", "))
}

/// A Python string literal: single quotes unless only those occur in the text.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for character in text.chars() {
        match character {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c == quote => literal.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(literal, "\\x{:02x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_does() {
        let table = [
            (1.5, "1.5"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (1e300, "1e+300"),
            (1e-7, "1e-07"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1.25e-5, "1.25e-05"),
            (1_795_460_618.675_165_7, "1795460618.6751657"),
            (7_232_710_317_289_809.0 / 4.0, "1808177579322452.2"),
            (7_232_710_317_289_811.0 / 4.0, "1808177579322452.8"),
            (2f64.powi(-44), "5.684341886080802e-14"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (number, text) in table {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn nested_values_are_shown_as_python_does() {
        let value = Value::list(vec![
            Value::Int(1),
            Value::from("it's"),
            Value::Tuple(vec![Value::None]),
            Value::dict([("k", Value::Bool(true))]),
        ]);
        assert_eq!(value.to_text(), r#"[1, "it's", (None,), {'k': True}]"#);
    }
}
