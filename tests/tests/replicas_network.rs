//! Three servers of one database that are cut off from it. `--nocapture` shows the table of faults.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use slapos_tests::poll;
use slapos_tests::postgres::{Postgres, Setup};
use slapos_tests::replicas::{Load, Replicas};
use slapos_tests::{BRIDGE_ADDRESS, Namespace};

/// How long a cut lasts: longer than the database waits for a server that is silent.
const CUT: Duration = Duration::from_secs(12);

/// What runs a program in a namespace.
fn wrapper(namespace: &Namespace) -> Vec<String> {
    let command = namespace.command(Path::new("env"));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn nothing_is_lost_when_the_network_to_the_database_is_cut() {
    let near = Namespace::bridged(BRIDGE_ADDRESS);
    let far = near.neighbour("2001:db8:1::2/64");
    let postgres = Postgres::start(&Setup {
        wrapper: &wrapper(&near),
        settings: &["listen_addresses=*".to_owned()],
        access: "host all all ::/0 trust",
        ..Setup::default()
    });
    postgres.database();
    let uri = "postgresql://slapos@[2001:db8:1::1]/proxy0?sslmode=disable";
    let mut replicas = Replicas::start(uri, &wrapper(&far));
    replicas.prepare();
    Load::during(&mut replicas, "network cut for 12 s", |replicas| {
        thread::sleep(Duration::from_secs(1));
        far.ip("link set up1 down");
        let cut = Instant::now();
        poll::until("clients are told", Duration::from_secs(15), || {
            replicas.head("healthz").starts_with("http/1.1 503")
        });
        let soon = Instant::now();
        for _ in 0..5 {
            assert!(replicas.head("healthz").starts_with("http/1.1 503"));
        }
        let soon = soon.elapsed();
        assert!(soon < Duration::from_secs(20), "{soon:?}");
        thread::sleep(CUT.saturating_sub(cut.elapsed()));
        far.ip("link set up1 up");
        far.ip("addr replace 2001:db8:1::2/64 dev up1 nodad");
        poll::until("it has recovered", Duration::from_secs(20), || {
            replicas.head("healthz").starts_with("http/1.1 200")
        });
        thread::sleep(Duration::from_secs(1));
    });
}
