//! Conditions of requests.

use axum::http::{HeaderMap, HeaderName};

/// Whether a condition of the request names the tag.
pub(crate) fn names(headers: &HeaderMap, condition: &HeaderName, tag: impl AsRef<[u8]>) -> bool {
    let values = headers.get_all(condition).iter();
    let mut tags = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    tags.any(|named| {
        let named = named.trim_ascii();
        named == b"*" || named.strip_prefix(b"W/").unwrap_or(named) == tag.as_ref()
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_condition_is_a_list_of_tags() {
        let tag = "\"abc\"";
        let named = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            names(&headers, &header::IF_NONE_MATCH, tag)
        };
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(named(value), "{value}");
        }
        for value in [
            "",
            "abc",
            "\"ab\"",
            "\"abc",
            "Tue, 24 Nov 2026 14:39:14 GMT",
        ] {
            assert!(!named(value), "{value}");
        }
        assert!(!names(&HeaderMap::new(), &header::IF_RANGE, tag));
    }
}
