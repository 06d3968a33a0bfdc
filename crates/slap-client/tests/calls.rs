//! The client against a scripted HTTP server on loopback: what it sends, and what it makes of answers.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use slap_client::proto::documents::{Attributes, ComputerConfiguration, SoftwareState};
use slap_client::{ClientError, Connection, Destruction, InstanceRequest, Slap};

/// A request as it came: connection number, first line, authorization, body.
#[derive(Debug)]
struct Request {
    connection: usize,
    line: String,
    authorization: Option<String>,
    body: String,
}

/// Serves the same status and body to every request; tells what was asked.
fn server(status: &'static str, body: &'static str) -> (Slap, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let sender = sender.clone();
            let stream = stream.unwrap();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while let Some(request) = read_request(connection, &mut reader) {
                    let head = format!(
                        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    // Told first, so that whoever has the answer finds the request.
                    let _ = sender.send(request);
                    let _ = (&stream).write_all((head + body).as_bytes());
                }
            });
        }
    });
    let connection = Connection::to(&format!("http://{address}/base")).unwrap();
    (
        connection.timeout(Duration::from_secs(10)).open().unwrap(),
        receiver,
    )
}

fn read_request(connection: usize, reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Request {
        connection,
        line: line.trim().to_owned(),
        authorization,
        body,
    })
}

const PARTITION: &str = "X-SlapPartition computer_id=C, computer_partition_id=p";

#[test]
fn each_report_is_the_call_of_its_name() {
    let (slap, requests) = server("200 OK", "OK");
    let partition = slap.register_computer_partition("C", "p");
    let release = slap.register_software_release("u", "C");
    let computer = slap.register_computer("C");
    let dict: Attributes = [("url".to_owned(), "http://x/".into())].into();
    let references = ["a".to_owned()];
    let configuration = ComputerConfiguration {
        reference: "C".to_owned(),
        ..Default::default()
    };
    release.building().unwrap();
    release.available().unwrap();
    release.destroyed().unwrap();
    release.error("why").unwrap();
    partition.building().unwrap();
    partition.available().unwrap();
    partition.started().unwrap();
    partition.stopped().unwrap();
    let destruction = partition.destroyed().unwrap();
    assert_eq!(destruction, Destruction::Done);
    partition.error("why", None).unwrap();
    partition.bang("why").unwrap();
    partition.rename("new", Some("slave")).unwrap();
    partition.set_connection_dict(&dict, None).unwrap();
    partition.update_related_instance_list(&references).unwrap();
    computer.bang("why").unwrap();
    computer.report_usage("<journal/>").unwrap();
    computer.configure(&configuration).unwrap();
    computer.revoke_certificate().unwrap();
    slap.register_supply()
        .supply("u", "C", SoftwareState::Destroyed)
        .unwrap();
    let expected = [
        ("buildingSoftwareRelease", "url=u&computer_id=C", false),
        ("availableSoftwareRelease", "url=u&computer_id=C", false),
        ("destroyedSoftwareRelease", "url=u&computer_id=C", false),
        (
            "softwareReleaseError",
            "url=u&computer_id=C&error_log=why",
            false,
        ),
        (
            "buildingComputerPartition",
            "computer_id=C&computer_partition_id=p",
            true,
        ),
        (
            "availableComputerPartition",
            "computer_id=C&computer_partition_id=p",
            true,
        ),
        (
            "startedComputerPartition",
            "computer_id=C&computer_partition_id=p",
            true,
        ),
        (
            "stoppedComputerPartition",
            "computer_id=C&computer_partition_id=p",
            true,
        ),
        (
            "destroyedComputerPartition",
            "computer_id=C&computer_partition_id=p",
            true,
        ),
        (
            "softwareInstanceError",
            "computer_id=C&computer_partition_id=p&error_log=why",
            true,
        ),
        (
            "softwareInstanceBang",
            "computer_id=C&computer_partition_id=p&message=why",
            true,
        ),
        (
            "softwareInstanceRename",
            "computer_id=C&computer_partition_id=p&new_name=new&slave_reference=slave",
            true,
        ),
        (
            "setComputerPartitionConnectionXml",
            "slave_reference=None",
            true,
        ),
        (
            "updateComputerPartitionRelatedInstanceList",
            "instance_reference_xml=",
            true,
        ),
        ("computerBang", "computer_id=C&message=why", false),
        (
            "useComputer",
            "computer_id=C&use_string=%3Cjournal%2F%3E",
            false,
        ),
        ("loadComputerConfigurationFromXML", "xml=", false),
        ("revokeComputerCertificate", "computer_id=C", false),
        ("supplySupply", "url=u&computer_id=C&state=destroyed", false),
    ];
    for (endpoint, body, for_partition) in expected {
        let request = requests.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(request.line, format!("POST /base/{endpoint} HTTP/1.1"));
        assert!(request.body.contains(body), "{endpoint}: {}", request.body);
        let authorization = for_partition.then_some(PARTITION);
        assert_eq!(
            request.authorization.as_deref(),
            authorization,
            "{endpoint}"
        );
        assert_eq!(
            request.connection, 0,
            "{endpoint} opened another connection"
        );
    }
}

#[test]
fn questions_are_gets_with_their_fields_in_the_query() {
    let (slap, requests) = server("200 OK", "<marshal><list/></marshal>");
    slap.software_release_list_of_product("kvm").unwrap();
    slap.software_release_list_beside("http://u/?a=b").unwrap();
    slap.register_computer_partition("C", "p")
        .hosting_subscription_ip_list()
        .unwrap();
    slap.register_computer("C").status().unwrap();
    slap.register_computer_partition("C", "p").status().unwrap();
    slap.run_id().unwrap();
    let expected = [
        "getSoftwareReleaseListFromSoftwareProduct?software_product_reference=kvm",
        "getSoftwareReleaseListFromSoftwareProduct?software_release_url=http%3A%2F%2Fu%2F%3Fa%3Db",
        "getHostingSubscriptionIpList?computer_id=C&computer_partition_id=p",
        "getComputerStatus?computer_id=C",
        "getComputerPartitionStatus?computer_id=C&computer_partition_id=p",
        "getRunId",
    ];
    for path in expected {
        let request = requests.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(request.line, format!("GET /base/{path} HTTP/1.1"));
    }
}

#[test]
fn each_status_is_its_error() {
    let request = |status, body| {
        let (slap, _requests) = server(status, body);
        slap.register_open_order()
            .request(&InstanceRequest::new("u", "i"))
            .unwrap_err()
    };
    type Check = fn(&ClientError) -> bool;
    let table: [(&str, Check); 7] = [
        (
            "302 FOUND\r\nLocation: /login",
            |error| matches!(error, ClientError::Redirect { location, .. } if location == "/login"),
        ),
        ("404 NOT FOUND", |error| {
            matches!(error, ClientError::NotFound { .. })
        }),
        ("403 FORBIDDEN", |error| {
            matches!(error, ClientError::Unauthorized { .. })
        }),
        ("408 REQUEST TIMEOUT", |error| {
            matches!(error, ClientError::ResourceNotReady { .. })
        }),
        ("400 BAD REQUEST", |error| {
            matches!(error, ClientError::BadRequest { .. })
        }),
        ("500 OUCH", |error| {
            matches!(error, ClientError::Server { status: 500, .. })
        }),
        ("200 OK", |error| {
            matches!(error, ClientError::Document { .. })
        }),
    ];
    for (status, is_expected) in table {
        let error = request(status, "what happened");
        assert!(is_expected(&error), "{status}: {error:?}");
        assert!(!error.is_unreachable(), "{status}");
    }
    let error = request("500 OUCH", "what happened");
    assert_eq!(
        error.to_string(),
        "requestComputerPartition: the master answered status 500: what happened"
    );
}

#[test]
fn an_old_master_is_asked_by_the_old_call() {
    let (slap, requests) = server("404 NOT FOUND", "no such call");
    let error = slap.register_computer("C").full_information().unwrap_err();
    assert!(matches!(
        error,
        ClientError::NotFound {
            endpoint: "getFullComputerInformation",
            ..
        }
    ));
    let lines: Vec<_> = requests.try_iter().map(|request| request.line).collect();
    let expected = ["getFullComputerInformation", "getComputerInformation"];
    assert_eq!(
        lines,
        expected.map(|call| format!("GET /base/{call}?computer_id=C HTTP/1.1"))
    );
    assert_eq!(slap.hateoas_url().unwrap(), None);
}

#[test]
fn an_answer_that_makes_no_sense_is_that_of_the_call_that_it_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let request = read_request(0, &mut BufReader::new(&stream)).unwrap();
            let answer = match request.line.contains("/getFullComputerInformation?") {
                true => "HTTP/1.1 404 NOT FOUND\r\nConnection: close\r\n\r\n",
                false => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnonsense",
            };
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    let slap = Connection::to(&url).unwrap().open().unwrap();
    let error = slap.register_computer("C").full_information().unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Document {
                endpoint: "getComputerInformation",
                ..
            }
        ),
        "{error:?}"
    );
}

fn error_of(url: &str) -> ClientError {
    let connection = Connection::to(url)
        .unwrap()
        .timeout(Duration::from_millis(300));
    connection.open().unwrap().run_id().unwrap_err()
}

#[test]
fn a_call_is_given_up_when_somebody_says_so() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = Connection::to(&format!("http://{}/", silent.local_addr().unwrap())).unwrap();
    let (told, patience) = (Arc::new(AtomicBool::new(false)), Duration::from_secs(60));
    let asked = told.clone();
    let connection = connection.cancelled_by(move || asked.load(Ordering::Relaxed));
    let slap = connection.timeout(patience).open().unwrap();
    let server = thread::spawn(move || {
        let stream = silent.accept().unwrap();
        told.store(true, Ordering::Relaxed);
        stream
    });
    let started = Instant::now();
    let error = slap.run_id().unwrap_err();
    assert!(matches!(error, ClientError::Cancelled { .. }), "{error:?}");
    assert!(!error.is_unreachable() && started.elapsed() < patience / 2);
    let document = slap.hateoas_document(slap.master_url());
    assert!(
        matches!(document, Err(ClientError::Cancelled { .. })),
        "{document:?}"
    );
    drop(server.join().unwrap());
}

#[test]
fn a_document_that_cannot_be_had_is_named_without_its_user() {
    let (slap, _requests) = server("200 OK", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let document = format!("http://admin:s3cret@{free}/hateoas/?mode=search");
    match slap.hateoas_document(&document).unwrap_err() {
        ClientError::Connect { url, .. } => {
            assert_eq!(url, format!("http://{free}/hateoas/?mode=search"));
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_master_that_cannot_be_reached_is_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = error_of(&format!("http://{free}/"));
    assert!(
        matches!(refused, ClientError::Connect { .. }),
        "{refused:?}"
    );
    let unknown = error_of("http://no-such-host.invalid/");
    assert!(
        matches!(
            unknown,
            ClientError::Dns { .. } | ClientError::Timeout { .. }
        ),
        "{unknown:?}"
    );
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = error_of(&format!("http://{}/", silent.local_addr().unwrap()));
    assert!(matches!(slow, ClientError::Timeout { .. }), "{slow:?}");
    for error in [refused, unknown, slow] {
        assert!(error.is_unreachable(), "{error:?}");
        assert!(error.to_string().contains("http://"), "{error}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let _ = read_request(0, &mut BufReader::new(stream.try_clone().unwrap()));
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        }
    });
    let error = error_of(&format!("http://{address}/"));
    assert!(matches!(error, ClientError::Transport { .. }), "{error:?}");
}
