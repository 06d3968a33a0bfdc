//! The files of the panel's pages, within the program.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::condition::names;

/// The media type and the content of a file.
fn asset(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "panel.css" => Some(("text/css; charset=utf-8", include_str!("assets/panel.css"))),
        "panel.js" => Some((
            "text/javascript; charset=utf-8",
            include_str!("assets/panel.js"),
        )),
        "icon.svg" => Some(("image/svg+xml", include_str!("assets/icon.svg"))),
        _ => None,
    }
}

/// One of the files. Browsers ask each time whether it has changed.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((kind, content)) = asset(&name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let tag = tag(content);
    let caching = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, tag.as_str()),
    ];
    if names(&headers, &header::IF_NONE_MATCH, &tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, kind)], content).into_response()
}

/// The version of a content.
fn tag(content: &str) -> String {
    // The same in every run of one version of the program, which is all it takes.
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
