//! Files: the panel's own, and those of the public directory.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::fixture::Panel;

#[test]
fn assets_are_asked_for_again_and_not_sent_again() {
    let panel = Panel::over(|_| Ok(()));
    for (name, kind) in [
        ("panel.css", "text/css; charset=utf-8"),
        ("panel.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/panel/assets/{name}");
        let answer = panel.get(&path[1..]);
        assert_eq!(answer.headers["content-type"], kind);
        assert_eq!(answer.headers["cache-control"], "no-cache");
        let tag = answer.headers["etag"].clone();
        let request = Request::get(&path).header("if-none-match", &tag);
        let again = panel.request(request.body(Body::empty()).unwrap());
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!((again.body.as_str(), &again.headers["etag"]), ("", &tag));
        let request = Request::get(&path).header("if-none-match", "\"other\"");
        let other = panel.request(request.body(Body::empty()).unwrap());
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[test]
fn the_public_directory_is_served_for_saving() {
    let panel = Panel::with_files(|_| Ok(()), true);
    let public = panel.directory.path().join("public");
    write(&public.join("sub/b é.json"), "{\"a\": 1}");
    write(&public.join("page.html"), "<script>alert(1)</script>");
    write(&panel.directory.path().join("secret"), "secret");
    let answer = panel.get("panel/public/sub/b%20%C3%A9.json");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "{\"a\": 1}")
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["content-length"], "8");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename*=UTF-8''b%20%C3%A9%2Ejson"
    );
    let page = panel.get("panel/public/page.html");
    assert!(
        page.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    for path in [
        "",
        "sub",
        "sub/",
        "none",
        "..%2fsecret",
        "sub/..%2f..%2fsecret",
        "%2e%2e/secret",
        "%2fetc%2fhostname",
        "a%00b",
    ] {
        let answer = panel.get(&format!("panel/public/{path}"));
        assert_eq!(
            answer.status,
            StatusCode::NOT_FOUND,
            "{path}: {}",
            answer.body
        );
    }
}

#[test]
fn public_files_are_not_sent_again_and_head_tells_about_them() {
    let panel = Panel::with_files(|_| Ok(()), true);
    write(&panel.directory.path().join("public/a.txt"), "hello\n");
    let time = panel.get("panel/public/a.txt").headers["last-modified"].clone();
    let request = Request::get("/panel/public/a.txt").header("if-modified-since", &time);
    let again = panel.request(request.body(Body::empty()).unwrap());
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    let request = Request::head("/panel/public/a.txt").body(Body::empty());
    let head = panel.request(request.unwrap());
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.headers["content-length"], "6");
    let request = Request::get("/panel/public/a.txt").header("range", "bytes=1-2");
    let part = panel.request(request.body(Body::empty()).unwrap());
    assert_eq!(
        (part.status, part.body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "el")
    );
}

#[test]
fn without_a_public_directory_the_configuration_is_named() {
    let answer = Panel::over(|_| Ok(())).get("panel/public/a.txt");
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer.body.contains("public_directory_path"),
        "{}",
        answer.body
    );
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
