//! Three servers of one database of PostgreSQL behind a balancer: killed, restarted, and without
//! their database. `--nocapture` shows the table of faults.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use slapos_tests::poll;
use slapos_tests::postgres::{Postgres, Setup};
use slapos_tests::replicas::{Load, REPLICAS, Replicas};

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
