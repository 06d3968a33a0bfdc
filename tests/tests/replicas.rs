//! Three servers of one database of PostgreSQL behind a balancer: killed, restarted, and without
//! their database. `--nocapture` shows the table of faults.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use slapos_tests::poll;
use slapos_tests::postgres::{Postgres, Setup};
use slapos_tests::replicas::{Load, REPLICAS, Replicas};
use slapos_tests::{COMPUTER, Server};

/// How long each fault, or none, is looked at.
const WHILE: Duration = Duration::from_millis(1500);

fn replicas() -> (Postgres, Replicas) {
    let postgres = Postgres::start(&Setup::default());
    let replicas = Replicas::start(&postgres.database(), &[]);
    replicas.prepare();
    (postgres, replicas)
}

#[test]
fn servers_that_start_at_once_make_the_tables_once_and_are_one_master() {
    let (postgres, replicas) = replicas();
    let ids = (0..2 * REPLICAS).map(|_| replicas.client().run_id().unwrap());
    let ids: Vec<_> = ids.collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(
        postgres.sql("proxy0", "SELECT version FROM slapproxy_schema"),
        "18\n"
    );
    let noted = postgres.sql("proxy0", "SELECT run_id FROM slapproxy_schema");
    assert_eq!(noted.trim(), ids[0]);
}

#[test]
fn nothing_is_lost_when_servers_are_killed() {
    let (_postgres, mut replicas) = replicas();
    Load::during(&mut replicas, "none", |_| thread::sleep(WHILE));
    Load::during(
        &mut replicas,
        "kill -9 of a server, six times",
        |replicas| {
            for round in 0..2 * REPLICAS {
                thread::sleep(WHILE / 5);
                replicas.restart(round % REPLICAS, Signal::SIGKILL);
            }
        },
    );
}

#[test]
fn no_request_fails_while_servers_are_restarted_in_turn() {
    let (_postgres, mut replicas) = replicas();
    let asked_again = Load::during(&mut replicas, "SIGTERM of each server, twice", |replicas| {
        for round in 0..2 * REPLICAS {
            thread::sleep(WHILE / 5);
            replicas.restart(round % REPLICAS, Signal::SIGTERM);
        }
    });
    assert_eq!(asked_again, 0);
}

#[test]
fn nothing_is_lost_when_the_database_is_restarted() {
    let (postgres, mut replicas) = replicas();
    for (name, signal) in [
        ("PostgreSQL: fast restart, thrice", Signal::SIGINT),
        ("PostgreSQL: kill -9, thrice", Signal::SIGKILL),
    ] {
        Load::during(&mut replicas, name, |_| {
            for _ in 0..3 {
                thread::sleep(WHILE / 3);
                postgres.signal(signal);
                postgres.wait();
            }
            thread::sleep(WHILE / 3);
        });
    }
}

#[test]
fn without_the_database_clients_are_told_when_to_come_back_and_it_recovers_by_itself() {
    let (postgres, replicas) = replicas();
    postgres.hold(|| {
        let asked = Instant::now();
        for path in [
            "getFullComputerInformation?computer_id=COMP-1",
            "healthz",
            "panel/",
            "hateoas/computers/COMP-1",
        ] {
            let head = replicas.head(path);
            assert!(head.starts_with("http/1.1 503"), "{path}: {head}");
            assert!(head.contains("\r\nretry-after: 5"), "{path}: {head}");
        }
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(5), "{waited:?}");
    });
    poll::until("it has recovered", Duration::from_secs(10), || {
        replicas.head("healthz").starts_with("http/1.1 200")
    });
}

/// A URI of the same database on several servers, of which the first is tried first.
fn uri_of(name: &str, servers: &[&Postgres], target: &str) -> String {
    let hosts: Vec<_> = servers
        .iter()
        .map(|it| it.path().display().to_string())
        .collect();
    format!(
        "postgresql:///{name}?host={}&user=slapos{target}",
        hosts.join(",")
    )
}

/// The answer to a write.
fn supply(server: &Server) -> String {
    let form = format!("url=http%3A%2F%2Frelease%2F&computer_id={COMPUTER}&state=available");
    let request = format!(
        "POST /supplySupply HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut stream = server.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_lowercase()
}

fn is_away(answer: &str) {
    assert!(answer.starts_with("http/1.0 503"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 5"), "{answer}");
}

#[test]
fn of_several_hosts_the_one_that_takes_writes_is_used_and_found_again_after_a_failover() {
    let primary = Postgres::start(&Setup::default());
    let uri = primary.database();
    let name = Postgres::name(&uri);
    let standby = primary.standby();
    let either = uri_of(name, &[&standby, &primary], "");
    let server = Server::start("", &["-u", &either]);
    let written = supply(&server);
    assert!(written.starts_with("http/1.0 200"), "{written}");
    let patience = Duration::from_secs(20);
    poll::until("the standby has the table", patience, || {
        standby.sql(name, "SELECT to_regclass('software18') IS NOT NULL") == "t\n"
    });
    poll::until("the standby has the row", patience, || {
        standby.sql(name, "SELECT count(*) FROM software18") == "1\n"
    });
    // Who wants a standby to serve is told when writes are possible again.
    let any = uri_of(name, &[&standby], "&target_session_attrs=any");
    let reading = Server::start("", &["-u", &any]);
    let computer = format!("/getFullComputerInformation?computer_id={COMPUTER}");
    assert_eq!(reading.get(&computer).unwrap().0, 200);
    for _ in 0..3 {
        is_away(&supply(&reading));
    }
    assert_eq!(reading.get(&computer).unwrap().0, 200);
    primary.hold(|| {
        is_away(&supply(&server));
        standby.sql("postgres", "SELECT pg_promote()");
        poll::until("writes go on", Duration::from_secs(20), || {
            supply(&server).starts_with("http/1.0 200")
        });
        assert!(supply(&reading).starts_with("http/1.0 200"));
    });
    let log = server.log();
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_server_whose_sessions_only_read_is_passed_over() {
    let [reading, writing] = [0, 1].map(|_| Postgres::start(&Setup::default()));
    let uri = writing.database();
    let name = Postgres::name(&uri);
    assert_eq!(Postgres::name(&reading.database()), name);
    let only_read = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    reading.sql("postgres", &only_read);
    let both = uri_of(name, &[&reading, &writing], "");
    let server = Server::start("", &["-u", &both]);
    let written = supply(&server);
    assert!(written.starts_with("http/1.0 200"), "{written}");
    assert_eq!(writing.sql(name, "SELECT count(*) FROM software18"), "1\n");
    let none = uri_of(name, &[&reading], "");
    let refused = Server::refusal("", &["-u", &none]).expect(1);
    assert!(
        refused.stderr.contains("does not allow writes"),
        "{}",
        refused.stderr
    );
}
