//! How often a client may ask.
//!
//! Each has a bucket of requests that is filled at the rate it may have; what it does not use is kept
//! up to a burst. That is one instant for each client (the generic cell rate algorithm, ITU-T I.371):
//! when its bucket will be full again.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusals::Refused;
use crate::caller::Caller;
use crate::settings::ServerSettings;

/// A bucket holds what its client gets in so long: a pass of a node comes all at once.
const BURST: Duration = Duration::from_secs(60);
/// So many clients are remembered at least before those are forgotten whose buckets are full.
const MANY: usize = 10_000;

/// The clients, and how often each may ask.
pub(super) struct Rates {
    settings: ServerSettings,
    /// Of each request.
    cost: Duration,
    clients: Mutex<Clients>,
}

/// When whose bucket will be full again.
struct Clients {
    full: HashMap<Client, Instant>,
    /// How many there may be before it is looked which of them can be forgotten.
    room: usize,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            full: HashMap::new(),
            room: MANY,
        }
    }
}

impl Clients {
    /// Forgets those whose buckets are full, if there are many; says whether it has looked. As it
    /// does so again only once there are twice as many as are left, each request pays for two.
    fn forget(&mut self, now: Instant) -> bool {
        if self.full.len() < self.room {
            return false;
        }
        self.full.retain(|_, full| *full > now);
        self.room = MANY.max(2 * self.full.len());
        self.full.shrink_to(self.room);
        true
    }
}

/// Who asks, as far as limits are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    /// By the name of its certificate.
    Named(Arc<str>),
    /// By its address; of IPv6 its network, since it chooses among its addresses.
    At(IpAddr),
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => formatter.write_str(name),
            Self::At(address) => address.fmt(formatter),
        }
    }
}

impl Rates {
    /// `None` where there is no limit.
    pub(super) fn new(settings: &ServerSettings) -> Option<Arc<Self>> {
        let rate = settings.rate_limit?;
        Some(Arc::new(Self {
            settings: settings.clone(),
            cost: Duration::from_secs(1) / rate.get(),
            clients: Mutex::default(),
        }))
    }

    /// Takes a request out of a client's bucket; if it is empty, says for how long.
    fn take(&self, client: Client, now: Instant) -> Result<(), Duration> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.forget(now);
        let full = clients.full.entry(client).or_insert(now);
        let after = (*full).max(now) + self.cost;
        let wait = (after - now).saturating_sub(BURST);
        if !wait.is_zero() {
            return Err(wait);
        }
        *full = after;
        Ok(())
    }

    /// Of those without an address, on the Unix socket, only whom a proxy names is limited.
    fn client(&self, caller: &Caller, headers: &HeaderMap) -> Option<Client> {
        if let Some(name) = &caller.name {
            return Some(Client::Named(name.clone()));
        }
        let is_trusted = |address| self.settings.trusts_proxy(address);
        let forwarded = caller
            .address
            .is_none_or(is_trusted)
            .then(|| forwarded_for(headers));
        let address = forwarded.flatten().or(caller.address)?;
        Some(Client::At(network(address)))
    }
}

/// The client of the nearest proxy.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let list = headers.get_all("x-forwarded-for").iter().next_back()?;
    address(list.to_str().ok()?.rsplit(',').next()?.trim())
}

/// An address as proxies write it: alone or with the port that the client had, one of IPv6 in
/// brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).or_else(bare)
}

/// An address, or the first half of one of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}

/// Refuses requests of those who ask too often.
pub(super) async fn limit(
    State(rates): State<Option<Arc<Rates>>>,
    request: Request,
    next: Next,
) -> Response {
    let client = rates.as_ref().and_then(|rates| {
        let caller = request.extensions().get::<Caller>()?;
        Some((rates, rates.client(caller, request.headers())?))
    });
    let Some((rates, client)) = client else {
        return next.run(request).await;
    };
    match rates.take(client.clone(), Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let seconds = (wait.as_secs() + 1).to_string();
            let text = "too many requests; ask less often\n";
            let again = [(header::RETRY_AFTER, seconds)];
            let refusal = (StatusCode::TOO_MANY_REQUESTS, again, text).into_response();
            Refused::mark(refusal, &client.to_string(), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::caller::Speaker;

    fn rates(rate: u32) -> Arc<Rates> {
        let settings = ServerSettings {
            rate_limit: NonZeroU32::new(rate),
            ..ServerSettings::default()
        };
        Rates::new(&settings).unwrap()
    }

    fn caller(name: Option<&str>, address: &str) -> Caller {
        Caller {
            address: address.parse().ok(),
            is_tls: false,
            speaker: Speaker::User,
            name: name.map(Into::into),
        }
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let (rates, start) = (rates(2), Instant::now());
        let client = |name: &str| Client::Named(name.into());
        let taken = |name, count, seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..count)
                .filter(|_| rates.take(client(name), now).is_ok())
                .count()
        };
        assert_eq!(taken("a", 1000, 0), 120);
        assert_eq!(taken("a", 1000, 5), 10);
        assert_eq!(taken("b", 1000, 5), 120);
        assert_eq!(
            taken("a", 1000, 500),
            120,
            "what is not used is not kept for ever"
        );
        let wait = rates.take(client("a"), start + Duration::from_secs(500));
        assert_eq!(wait, Err(Duration::from_millis(500)));
    }

    #[test]
    fn who_has_been_silent_is_forgotten() {
        let (rates, start) = (rates(1), Instant::now());
        for number in 0..MANY + 10 {
            let client = Client::Named(number.to_string().into());
            let now = start + Duration::from_secs(number as u64);
            rates.take(client, now).unwrap();
        }
        assert!(rates.clients.lock().unwrap().full.len() < 20);
    }

    #[test]
    fn who_is_remembered_is_seldom_looked_through() {
        let (mut clients, start) = (Clients::default(), Instant::now());
        let later = start + Duration::from_secs(1);
        let looks = (0..20 * MANY).filter(|number| {
            let looked = clients.forget(start);
            let client = Client::Named(number.to_string().into());
            clients.full.insert(client, later);
            looked
        });
        assert!(looks.count() < 10);
        // Once nobody asks any more, little is kept again.
        clients.room = MANY;
        assert!(clients.forget(later));
        assert_eq!((clients.full.len(), clients.room), (0, MANY));
    }

    #[test]
    fn a_client_is_known_by_certificate_then_by_address() {
        let rates = rates(1);
        let mut headers = HeaderMap::new();
        let client = |caller: &Caller, headers: &HeaderMap| rates.client(caller, headers);
        let at = |address: &str| Some(Client::At(address.parse().unwrap()));
        let named = caller(Some("COMP-1"), "192.0.2.1");
        assert_eq!(
            client(&named, &headers),
            Some(Client::Named("COMP-1".into()))
        );
        assert_eq!(client(&caller(None, "socket"), &headers), None);
        let table = [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ];
        for (address, counted) in table {
            assert_eq!(client(&caller(None, address), &headers), at(counted));
        }
        for (list, nearest) in [
            ("9.9.9.9, 198.51.100.7", "198.51.100.7"),
            ("9.9.9.9, 198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::1", "2001:db8::"),
            ("9.9.9.9,[2001:db8::1]", "2001:db8::"),
            ("[2001:db8::1]:4711", "2001:db8::"),
            ("9.9.9.9, unknown", "127.0.0.1"),
        ] {
            headers.insert("x-forwarded-for", list.parse().unwrap());
            assert_eq!(
                client(&caller(None, "127.0.0.1"), &headers),
                at(nearest),
                "{list}"
            );
            assert_eq!(
                client(&caller(None, "192.0.2.1"), &headers),
                at("192.0.2.1")
            );
        }
    }
}
