//! What a cache does with the cache above it.

use super::*;

#[test]
fn what_is_not_here_comes_from_upstream_once_and_is_kept() {
    let upstream = Cache::start("");
    let content = vec![9; 1 << 20];
    let (_, digest) = upstream.ask("POST", "/cache", &content);
    let entry = entry(&digest, "é");
    upstream.ask("PUT", "/dir/file:a=b&c", entry.as_bytes());
    let cache = Cache::below(&upstream.url());
    let path = format!("/cache/{digest}");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(cache.get(&path).0, 200));
        }
    });
    let list = (200, format!("[{entry}]"));
    assert_eq!(cache.get("/dir/file:a=b&c"), list);
    assert_eq!(cache.get("/dir/none").0, 404);
    assert_eq!(cache.get(&format!("/cache/{}", sha512(b"none"))).0, 404);
    let (_, page) = upstream.server.get("/metrics").unwrap();
    let fetches = "slapproxy_requests_total{call=\"shacache/cache/{digest}\",status=\"200\"} 1";
    assert!(page.lines().any(|line| line == fetches), "{page}");
    drop(upstream);
    assert_eq!(cache.get(&path).0, 200);
    assert_eq!(cache.get("/dir/file:a=b&c"), list);
    let (status, text) = cache.get("/dir/another");
    assert_eq!(status, 502);
    assert!(text.contains("/shacache/dir/another"), "{text}");
}

/// A server that answers every request with the same bytes.
fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
        }
    });
    format!("http://{address}")
}

#[test]
fn an_upstream_that_lies_or_breaks_is_not_believed() {
    let digest = sha512(b"right");
    for answer in [
        &b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwrong"[..],
        b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\nbroken off",
        b"HTTP/1.0 500 Oops\r\n\r\nright",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"no http",
    ] {
        let cache = Cache::below(&answering(answer));
        let (status, text) = cache.get(&format!("/cache/{digest}"));
        assert_eq!(status, 502, "{text}");
        let (status, text) = cache.get("/dir/key");
        assert_eq!(status, 502, "{text}");
        let kept = [cache.files("content"), cache.files("metadata")].concat();
        assert_eq!(kept, [""; 0]);
    }
}

#[test]
fn an_update_without_upstream_drops_entries_of_lost_files() {
    let cache = Cache::start("");
    let (_, here) = cache.ask("POST", "/cache", b"here");
    let lost = sha512(b"lost");
    for (key, digest) in [
        ("both", &here),
        ("both", &lost),
        ("here", &here),
        ("lost", &lost),
    ] {
        let entry = entry(digest, key);
        assert_eq!(
            cache.ask("PUT", &format!("/dir/{key}"), entry.as_bytes()).0,
            201
        );
    }
    cache.ask("PUT", "/dir/other", b"[\"{}\", \"\"]");
    let (status, changes) = cache.ask("POST", "/update", b"");
    assert_eq!(status, 200);
    assert_eq!(changes, r#"{"removed":["lost"],"updated":["both"]}"#);
    assert_eq!(
        cache.get("/dir/both").1,
        format!("[{}]", entry(&here, "both"))
    );
    assert_eq!(cache.files("metadata"), ["both", "here", "other"]);
}

#[test]
fn an_update_makes_the_directory_that_of_upstream() {
    let upstream = Cache::start("");
    let cache = Cache::below(&upstream.url());
    let put = |cache: &Cache, key: &str, name: &str| {
        let entry = entry("x", name);
        cache.ask("PUT", &format!("/dir/{key}"), entry.as_bytes());
    };
    put(&upstream, "kept", "new");
    put(&cache, "kept", "old");
    put(&cache, "gone", "old");
    let (status, changes) = cache.ask("POST", "/update", b"");
    assert_eq!(
        (status, changes.as_str()),
        (200, r#"{"removed":["gone"],"updated":["kept"]}"#)
    );
    assert_eq!(cache.get("/dir/kept").1, format!("[{}]", entry("x", "new")));
    drop(upstream);
    let changes = cache.ask("POST", "/update", b"");
    assert_eq!(changes, (200, r#"{"removed":[],"updated":[]}"#.to_owned()));
    assert_eq!(cache.files("metadata"), ["kept"]);
}
