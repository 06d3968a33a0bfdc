//! The network cache that slapproxy serves, used by the real client and by hand.

mod upstream;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha512};
use slapos_tests::{Server, poll};
use ureq::Agent;

const CACHE: &str = "shacache_content_directory = HERE/content\n\
    shacache_metadata_directory = HERE/metadata\n";

fn sha512(content: &[u8]) -> String {
    let digest = Sha512::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry about a file, as clients upload it.
fn entry(digest: &str, name: &str) -> String {
    let text = serde_json::json!({"sha512": digest, "file": name}).to_string();
    serde_json::json!([text, "signature"]).to_string()
}

/// A server with a cache, and a client for it.
struct Cache {
    server: Server,
    agent: Agent,
}

impl Cache {
    fn start(settings: &str) -> Self {
        Self::of(Server::start(&format!("{CACHE}{settings}"), &[]))
    }

    /// One that asks another for what it does not have.
    fn below(upstream: &str) -> Self {
        Self::start(&format!(
            "shacache-upstream-cache-url = {upstream}/cache\n\
             shacache-upstream-dir-url = {upstream}/dir/\n"
        ))
    }

    fn of(server: Server) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Self {
            server,
            agent: config.into(),
        }
    }

    fn url(&self) -> String {
        format!("{}/shacache", self.server.url())
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url() + path);
        let answer = match method {
            "GET" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(body).unwrap()),
        };
        let mut answer = answer.unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), body)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, b"")
    }

    /// Names of files in a directory of the server.
    fn files(&self, directory: &str) -> Vec<String> {
        files(&self.server.path().join(directory))
    }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_file_is_kept_and_served_whole_in_parts_and_by_its_tag() {
    let cache = Cache::start("");
    let content = b"0123456789";
    let digest = sha512(content);
    assert_eq!(cache.ask("POST", "/cache", content), (201, digest.clone()));
    assert_eq!(cache.ask("POST", "/cache/", content).0, 201);
    assert_eq!(
        cache.ask("PUT", &format!("/cache/{digest}"), content).0,
        201
    );
    assert_eq!(cache.files("content"), [digest.as_str()]);

    let url = format!("{}/cache/{digest}", cache.url());
    let tag = format!("\"{digest}\"");
    let ask = |method: &str, name: &str, value: &str| {
        let request = ureq::http::Request::builder().method(method).uri(&url);
        let request = request.header(name, value).body(()).unwrap();
        let mut answer = cache.agent.run(request).unwrap();
        assert_eq!(answer.headers()["etag"], tag.as_str());
        if answer.status() != 304 {
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        }
        let body = answer.body_mut().read_to_string().unwrap();
        let header = |name| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        (
            answer.status().as_u16(),
            body,
            header("content-range"),
            header("content-length"),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        ask("GET", "x", "x"),
        (200, "0123456789".to_owned(), None, some("10"))
    );
    assert_eq!(
        ask("HEAD", "x", "x"),
        (200, String::new(), None, some("10"))
    );
    assert_eq!(
        ask("GET", "range", "bytes=3-5"),
        (206, "345".to_owned(), some("bytes 3-5/10"), some("3"))
    );
    assert_eq!(ask("GET", "range", "bytes=7-").1, "789");
    assert_eq!(ask("GET", "range", "bytes=-2").1, "89");
    assert_eq!(ask("GET", "range", "bytes=10-").0, 416);
    assert_eq!(ask("GET", "range", "nonsense").0, 416);
    assert_eq!(ask("GET", "if-none-match", &tag).0, 304);
    assert_eq!(ask("GET", "if-none-match", "\"other\"").0, 200);
}

#[test]
fn what_is_not_what_it_is_called_is_not_kept() {
    let cache = Cache::start("");
    let digest = sha512(b"right");
    let (status, text) = cache.ask("PUT", &format!("/cache/{digest}"), b"wrong");
    assert_eq!(status, 400);
    assert!(text.contains("checksum mismatch"), "{text}");
    for name in [
        digest.to_uppercase(),
        digest[1..].to_owned(),
        "x".to_owned(),
        "..%2Fx".to_owned(),
    ] {
        assert_eq!(
            cache.ask("PUT", &format!("/cache/{name}"), b"right").0,
            400,
            "{name}"
        );
        assert_eq!(cache.get(&format!("/cache/{name}")).0, 404, "{name}");
    }
    assert_eq!(cache.get(&format!("/cache/{digest}")).0, 404);
    assert_eq!(cache.files("content"), [""; 0]);
}

#[test]
fn entries_are_pairs_under_plain_names() {
    let cache = Cache::start("");
    let first = entry("x", "first");
    let second = entry("x", "second");
    for entry in [&first, &second, &first] {
        assert_eq!(
            cache.ask("PUT", "/dir/file-urlmd5:1", entry.as_bytes()),
            (201, String::new())
        );
    }
    let both = format!("[{first},{second}]");
    assert_eq!(cache.get("/dir/file-urlmd5:1"), (200, both.clone()));
    assert_eq!(cache.get("/dir/file-urlmd5%3A1"), (200, both));
    for key in [
        "..",
        ".x",
        "..%2Fcontent%2Fx",
        "%2Fetc%2Fx",
        "a%00",
        "a%0A",
        "%FF",
        &"k".repeat(256),
    ] {
        let (status, text) = cache.ask("PUT", &format!("/dir/{key}"), first.as_bytes());
        assert_eq!(status, 400, "{key}: {text}");
        assert_ne!(cache.get(&format!("/dir/{key}")).0, 200, "{key}");
    }
    for body in [
        "",
        "{}",
        "[]",
        "[[\"{}\", \"\"]]",
        "[\"{}\"]",
        "[\"x\", \"\"]",
        "[1, 2]",
        "[\"{}\", \"\", \"\"]",
    ] {
        let (status, text) = cache.ask("PUT", "/dir/bad", body.as_bytes());
        assert_eq!(status, 400, "{body}: {text}");
    }
    let large = entry("x", &"y".repeat(2 << 20));
    assert_eq!(cache.ask("PUT", "/dir/large", large.as_bytes()).0, 413);
    assert_eq!(cache.get("/dir/none").0, 404);
    assert_eq!(cache.files("metadata"), ["file-urlmd5:1"]);
}

#[test]
fn a_server_without_cache_says_so_and_half_a_cache_is_refused() {
    let server = Cache::of(Server::start("", &[]));
    let digest = sha512(b"");
    for (method, path) in [
        ("GET", format!("/cache/{digest}")),
        ("PUT", format!("/cache/{digest}")),
        ("POST", "/cache".to_owned()),
        ("GET", "/dir/key".to_owned()),
        ("PUT", "/dir/key".to_owned()),
        ("POST", "/update".to_owned()),
    ] {
        assert_eq!(
            server.ask(method, &path, b"[\"{}\", \"\"]").0,
            503,
            "{method} {path}"
        );
    }
    for (settings, part) in [
        (
            "shacache_content_directory = HERE/x",
            "shacache_metadata_directory",
        ),
        (
            "shacache-metadata-directory = HERE/x",
            "shacache_content_directory",
        ),
        (
            "shacache_content_directory = /dev/null\nshacache_metadata_directory = HERE/x",
            "/dev/null",
        ),
    ] {
        let said = Server::refusal(settings, &[]).expect(1).stderr;
        assert!(said.contains(part), "{settings}: {said}");
    }
    let bad = format!("{CACHE}shacache_upstream_cache_url = ftp://x/");
    let said = Server::refusal(&bad, &[]).expect(1).stderr;
    assert!(said.contains("ftp://x/"), "{said}");
}

/// Begins an upload and waits until the server writes.
fn half_an_upload(cache: &Cache, content: &[u8]) -> TcpStream {
    let mut stream = cache.server.connect();
    let length = content.len() * 2;
    let head = "POST /shacache/cache HTTP/1.1\r\nHost: localhost\r\nContent-Length:";
    write!(stream, "{head} {length}\r\n\r\n").unwrap();
    stream.write_all(content).unwrap();
    poll::until("the upload has begun", Duration::from_secs(20), || {
        let names = cache.files("content");
        names.iter().any(|name| {
            let path = cache.server.path().join("content").join(name);
            path.metadata()
                .is_ok_and(|file| file.len() == content.len() as u64)
        })
    });
    stream
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let cache = Cache::start("");
    drop(half_an_upload(&cache, b"half"));
    poll::until("the rest is removed", Duration::from_secs(20), || {
        cache.files("content").is_empty()
    });
}

#[test]
fn a_kill_in_the_midst_of_an_upload_leaves_no_wrong_file() {
    let cache = Cache::start("");
    let digest = sha512(b"halfhalf");
    let upload = half_an_upload(&cache, b"half");
    let directory = cache.server.kill();
    drop(upload);
    let left = files(&directory.path().join("content"));
    assert!(left.iter().all(|name| name.starts_with('.')), "{left:?}");
    let cache = Cache::of(Server::start_in(directory, &[], CACHE, &[]));
    assert_eq!(cache.files("content"), [""; 0]);
    assert_eq!(cache.get(&format!("/cache/{digest}")).0, 404);
    assert_eq!(cache.ask("POST", "/cache", b"halfhalf"), (201, digest));
}

#[test]
fn the_same_file_may_be_uploaded_by_many_at_once() {
    let cache = Cache::start("");
    let content = vec![7; 1 << 20];
    let digest = sha512(&content);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                assert_eq!(cache.ask("POST", "/cache", &content), (201, digest.clone()));
            });
        }
    });
    assert_eq!(cache.files("content"), [digest.as_str()]);
    let stored = fs::read(cache.server.path().join("content").join(digest)).unwrap();
    assert!(stored == content);
}

#[test]
fn a_full_disk_is_told_and_the_server_lives_on() {
    let unshare: &[&str] = if nix::unistd::geteuid().is_root() {
        &["unshare", "--mount"]
    } else {
        &["unshare", "--mount", "--map-root-user"]
    };
    let script = "directory=$(dirname \"$2\")/content; mkdir \"$directory\" && \
        mount -t tmpfs -o size=1m none \"$directory\" && exec \"$@\"";
    let wrapper = [unshare, &["sh", "-c", script, "sh"]].concat();
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::of(Server::start_in(directory, &wrapper, CACHE, &[]));
    let large = vec![1; 3 << 20];
    let (status, text) = cache.ask("POST", "/cache", &large);
    assert_eq!(status, 500);
    assert!(
        text.contains("/content") && text.contains("No space left"),
        "{text}"
    );
    // What was written of it is gone.
    let small = vec![2; 900 << 10];
    assert_eq!(cache.ask("POST", "/cache", &small), (201, sha512(&small)));
    assert_eq!(cache.server.get("/healthz").unwrap().0, 200);
}

#[test]
fn a_large_file_passes_through_a_small_memory() {
    let cache = Cache::start("");
    let length = 40 << 20;
    let content = vec![3; length];
    let before = cache.server.peak_memory();
    let (status, digest) = cache.ask("POST", "/cache", &content);
    assert_eq!(status, 201);
    let mut answer = cache
        .agent
        .get(format!("{}/cache/{digest}", cache.url()))
        .call()
        .unwrap();
    let got = answer
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_vec()
        .unwrap();
    assert_eq!(got.len(), length);
    let grown = cache.server.peak_memory() - before;
    assert!(grown < 20 << 20, "{grown} bytes more");
}

#[test]
fn links_are_as_the_trusted_proxy_in_front_says() {
    let location = |settings: &str| {
        let cache = Cache::start(&format!("server_names = public.example\n{settings}"));
        let request = ureq::http::Request::post(format!("{}/cache", cache.url()))
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Prefix", "/master")
            .header("Host", "public.example");
        let answer = cache.agent.run(request.body("x").unwrap()).unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let path = format!("/shacache/cache/{}", sha512(b"x"));
    let behind = format!("https://public.example/master{path}");
    assert_eq!(location(""), behind);
    assert_eq!(location("trusted_proxies = 10.0.0.1 127.0.0.0/8"), behind);
    let direct = format!("http://public.example{path}");
    assert_eq!(location("trusted_proxies = 10.0.0.1"), direct);
    assert_eq!(location("trusted_proxies ="), direct);
}
