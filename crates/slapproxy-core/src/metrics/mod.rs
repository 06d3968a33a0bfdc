//! Figures of the running server, for Prometheus.

mod histogram;
mod measured;

pub(crate) use measured::Measured;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use histogram::Histogram;
use prometheus_text::{Kind, Page};

use crate::storage::StateCount;

/// Figures since the server started.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: SystemTime,
    requests: Mutex<BTreeMap<String, Requests>>,
    database: Mutex<BTreeMap<&'static str, Histogram>>,
    connections: AtomicU64,
    open_connections: AtomicU64,
    waiting: AtomicU64,
    failed_handshakes: AtomicU64,
}

/// Requests of one call.
#[derive(Debug, Default)]
struct Requests {
    by_status: BTreeMap<u16, u64>,
    duration: Histogram,
}

/// Counts as one of what a figure is about while it lives.
#[derive(Debug)]
pub(crate) struct Counted {
    metrics: Arc<Metrics>,
    figure: fn(&Metrics) -> &AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: SystemTime::now(),
            requests: Mutex::default(),
            database: Mutex::default(),
            connections: AtomicU64::default(),
            open_connections: AtomicU64::default(),
            waiting: AtomicU64::default(),
            failed_handshakes: AtomicU64::default(),
        }
    }
}

impl Metrics {
    /// Notes a request that was answered. `call` is the route, never what a client made up.
    pub(crate) fn request(&self, call: &str, status: u16, duration: Duration) {
        let mut requests = lock(&self.requests);
        if !requests.contains_key(call) {
            requests.insert(call.to_owned(), Requests::default());
        }
        if let Some(requests) = requests.get_mut(call) {
            *requests.by_status.entry(status).or_default() += 1;
            requests.duration.observe(duration);
        }
    }

    /// Notes a transaction, with the time that it waited for its turn.
    fn transaction(&self, access: &'static str, duration: Duration) {
        lock(&self.database)
            .entry(access)
            .or_default()
            .observe(duration);
    }

    /// Notes a connection.
    pub(crate) fn connection(self: &Arc<Self>) -> Counted {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.count(|metrics| &metrics.open_connections)
    }

    /// How many connections are open.
    pub(crate) fn open_connections(&self) -> usize {
        let open = self.open_connections.load(Ordering::Relaxed);
        usize::try_from(open).unwrap_or(usize::MAX)
    }

    /// Notes a request that waits for a change.
    pub(crate) fn waiting(self: &Arc<Self>) -> Counted {
        self.count(|metrics| &metrics.waiting)
    }

    fn count(self: &Arc<Self>, figure: fn(&Metrics) -> &AtomicU64) -> Counted {
        figure(self).fetch_add(1, Ordering::Relaxed);
        let metrics = self.clone();
        Counted { metrics, figure }
    }

    /// Notes a connection that did not get as far as a request.
    pub(crate) fn failed_handshake(&self) {
        self.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// The page that Prometheus reads.
    pub(crate) fn page(&self, states: &[StateCount]) -> String {
        let mut page = Page::default();
        self.write_server(&mut page);
        self.write_requests(&mut page);
        self.write_database(&mut page);
        for (subject, help) in [
            (
                "partitions",
                "Partitions, by the state that is wanted of their instances.",
            ),
            ("releases", "Releases, by the state that is wanted of them."),
            (
                "reported_partitions",
                "Partitions, by the state that was reported last.",
            ),
            (
                "reported_releases",
                "Releases, by the state that was reported last.",
            ),
        ] {
            let name = format!("slapproxy_{subject}");
            page.family(&name, Kind::Gauge, help);
            for count in states.iter().filter(|count| count.subject == subject) {
                page.sample(&name, &[("state", &count.state)], count.count);
            }
        }
        page.into_text()
    }

    fn write_server(&self, page: &mut Page) {
        let name = "slapproxy_build_info";
        page.family(name, Kind::Gauge, "1, labelled with the version.");
        page.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let name = "process_start_time_seconds";
        page.family(
            name,
            Kind::Gauge,
            "When the server started, in seconds since 1970.",
        );
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        page.sample(name, &[], started.as_secs_f64());
        for (name, kind, help, figure) in [
            (
                "slapproxy_open_connections",
                Kind::Gauge,
                "Connections that are open.",
                &self.open_connections,
            ),
            (
                "slapproxy_waiting_requests",
                Kind::Gauge,
                "Requests that wait for a change.",
                &self.waiting,
            ),
            (
                "slapproxy_connections_total",
                Kind::Counter,
                "Connections that were accepted.",
                &self.connections,
            ),
            (
                "slapproxy_failed_handshakes_total",
                Kind::Counter,
                "Connections that failed before a request: no TLS, or no certificate of the authority.",
                &self.failed_handshakes,
            ),
        ] {
            page.family(name, kind, help);
            page.sample(name, &[], figure.load(Ordering::Relaxed));
        }
    }

    fn write_requests(&self, page: &mut Page) {
        let requests = lock(&self.requests);
        let name = "slapproxy_requests_total";
        page.family(
            name,
            Kind::Counter,
            "Requests answered, by call and status.",
        );
        for (call, requests) in &*requests {
            for (status, count) in &requests.by_status {
                page.sample(
                    name,
                    &[("call", call), ("status", &status.to_string())],
                    count,
                );
            }
        }
        let name = "slapproxy_request_duration_seconds";
        page.family(
            name,
            Kind::Histogram,
            "Time from the head of a request to that of its answer.",
        );
        for (call, requests) in &*requests {
            requests.duration.write(page, name, ("call", call));
        }
    }

    fn write_database(&self, page: &mut Page) {
        let name = "slapproxy_database_duration_seconds";
        page.family(
            name,
            Kind::Histogram,
            "Time of transactions, with the wait for their turn.",
        );
        for (access, duration) in &*lock(&self.database) {
            duration.write(page, name, ("access", access));
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.figure)(&self.metrics).fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(figures: &Mutex<T>) -> MutexGuard<'_, T> {
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_all_figures() {
        let metrics = Arc::new(Metrics::default());
        metrics.request("getRunId", 200, Duration::from_millis(3));
        metrics.request("getRunId", 200, Duration::from_secs(60));
        metrics.request("other", 404, Duration::ZERO);
        metrics.transaction("read", Duration::from_millis(1));
        let open = metrics.connection();
        drop(metrics.connection());
        let free = StateCount {
            subject: "partitions",
            state: "free".to_owned(),
            count: 7,
        };
        let page = metrics.page(&[free]);
        for line in [
            "slapproxy_requests_total{call=\"getRunId\",status=\"200\"} 2",
            "slapproxy_requests_total{call=\"other\",status=\"404\"} 1",
            "slapproxy_request_duration_seconds_bucket{call=\"getRunId\",le=\"0.0025\"} 0",
            "slapproxy_request_duration_seconds_bucket{call=\"getRunId\",le=\"0.005\"} 1",
            "slapproxy_request_duration_seconds_bucket{call=\"getRunId\",le=\"+Inf\"} 2",
            "slapproxy_request_duration_seconds_sum{call=\"getRunId\"} 60.003",
            "slapproxy_request_duration_seconds_count{call=\"getRunId\"} 2",
            "slapproxy_database_duration_seconds_count{access=\"read\"} 1",
            "slapproxy_open_connections 1",
            "slapproxy_connections_total 2",
            "slapproxy_partitions{state=\"free\"} 7",
            concat!(
                "slapproxy_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
        ] {
            assert!(
                page.lines().any(|present| present == line),
                "{line}\n{page}"
            );
        }
        drop(open);
    }
}
