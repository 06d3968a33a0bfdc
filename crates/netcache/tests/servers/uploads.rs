//! Uploads.

use std::fs::File;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBuf;

use super::*;

/// A server that has no file, and takes so many bytes at a time of what it is sent.
fn reluctant(bytes: usize, pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // What the system takes for it is soon full, and has room again as soon as it takes some.
    setsockopt(&listener, RcvBuf, &4096).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut head = [0; 5];
                stream.read_exact(&mut head).unwrap();
                if head.starts_with(b"GET") {
                    return send(&mut stream, "404 No", "Content-Length: 0\r\n", b"");
                }
                let mut taken = vec![0; bytes];
                while stream.read(&mut taken).is_ok_and(|count| count > 0) {
                    thread::sleep(pause);
                }
            });
        }
    });
    url
}

#[test]
fn a_server_that_takes_a_byte_now_and_then_is_left() {
    // More than the system takes for it.
    let file = tempfile::tempfile().unwrap();
    file.set_len(64 << 20).unwrap();
    let patience = Patience {
        answer: Duration::from_secs(5),
        upload: Duration::from_secs(60),
        silence: Duration::from_secs(2),
        pauses: Vec::new(),
    };
    // The second is never silent, and slower than 128 KiB in two seconds all the same.
    for (bytes, pause) in [
        (1, Duration::from_secs(1)),
        (512, Duration::from_millis(50)),
    ] {
        let server = Server {
            url: reluctant(bytes, pause),
            ca_file: None,
            certificate: None,
            key: None,
        };
        let client = Client::new(&server, patience.clone()).unwrap();
        let begun = Instant::now();
        let error = client.upload(&digest(), &file, &|| false).unwrap_err();
        let (message, took) = (message(&error), begun.elapsed());
        // Where not even one write ends in its time, that is what is told.
        let reasons = ["131072 bytes did not go within 2s", "timeout: per write"];
        let is_told = reasons.iter().any(|reason| message.contains(reason));
        assert!(is_told, "{bytes} bytes: {message}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

fn upload(fake: &Fake) -> Result<bool, ClientError> {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(&contents()).unwrap();
    fake.client().upload(&digest(), &file, &|| false)
}

#[test]
fn what_the_server_has_is_not_sent() {
    let fake =
        Fake::start(|_, _, stream| send(stream, "200 OK", &length(&contents()), &contents()));
    assert!(!upload(&fake).unwrap());
    let heads = fake.heads.lock().unwrap();
    assert!(
        heads.iter().all(|head| head.starts_with("GET ")),
        "{heads:?}"
    );
}

#[test]
fn uploads_are_tried_three_times_and_their_answers_checked() {
    let fake = Fake::start(
        |number, head, stream| match (head.starts_with("POST"), number) {
            (false, _) => send(stream, "404 No", "Content-Length: 0\r\n", b""),
            (true, 0..=3) => send(stream, "503 Later", "Content-Length: 0\r\n", b""),
            (true, _) => send(
                stream,
                "201 Created",
                "Content-Length: 128\r\n",
                digest().as_str().as_bytes(),
            ),
        },
    );
    assert!(upload(&fake).unwrap());
    let heads = fake.heads.lock().unwrap();
    let post = heads.last().unwrap().to_lowercase();
    assert!(post.contains("content-length: 300000"), "{post}");
    assert_eq!(heads.len(), 6, "asked and sent, three times");
    let fake = Fake::start(|_, head, stream| match head.starts_with("POST") {
        false => send(stream, "404 No", "Content-Length: 0\r\n", b""),
        true => send(stream, "201 Created", "Content-Length: 5\r\n", b"other"),
    });
    let error = message(&upload(&fake).unwrap_err());
    assert!(error.contains("confirms another SHA-512"), "{error}");
}
