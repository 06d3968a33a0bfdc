//! Requests that wait until a computer's documents change. Each is a task that sleeps: it costs no
//! thread, and the database is asked again only once something has changed for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::settings::ServerSettings;
use crate::storage::Changed;

/// So many of them ask the database at the same time: more would not be quicker.
const TURNS: usize = 32;

/// All who wait.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The computers whose changes somebody waits for.
    computers: Mutex<HashMap<String, Awaited>>,
    /// How many have come.
    came: AtomicU64,
    /// How each is told to make room, by the number with which it came.
    asleep: Mutex<BTreeMap<u64, oneshot::Sender<()>>>,
    /// Tells those who wait that they shall not any more, and whether nobody shall.
    released: watch::Sender<bool>,
    places: Semaphore,
    /// Those at the database at the same time: one change may wake all.
    turns: Semaphore,
    longest: Duration,
}

/// Why somebody waits no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// Something has changed.
    Change,
    /// Nothing has changed in its time, or all are answered; it may wait again.
    Nothing,
    /// Others need its connection.
    Early,
}

/// A computer whose changes somebody waits for.
#[derive(Debug, Default)]
struct Awaited {
    /// How they are told.
    changes: watch::Sender<()>,
    places: usize,
}

/// Where one waits for the changes of a computer. What changes from its making on is not missed.
#[derive(Debug)]
pub(super) struct Place<'a> {
    waiting: &'a Waiting,
    number: u64,
    computer: String,
    changes: watch::Receiver<()>,
    released: watch::Receiver<bool>,
    _permit: SemaphorePermit<'a>,
}

impl Waiting {
    /// Each who waits keeps a connection; some are left for others.
    pub(crate) fn new(settings: &ServerSettings) -> Self {
        let places = settings.max_connections - settings.max_connections / 4;
        Self {
            computers: Mutex::default(),
            came: AtomicU64::new(0),
            asleep: Mutex::default(),
            released: watch::Sender::new(false),
            places: Semaphore::new(places),
            // Half of the queue is for those who do not wait.
            turns: Semaphore::new((settings.max_queue / 2).clamp(1, TURNS)),
            longest: settings.max_wait,
        }
    }

    /// How long one may wait.
    pub(super) fn longest(&self) -> Duration {
        self.longest
    }

    /// A place to wait; none if too many wait, or the server ends.
    pub(super) fn place(&self, computer: &str) -> Option<Place<'_>> {
        let permit = self.places.try_acquire().ok()?;
        let released = self.released.subscribe();
        if *released.borrow() {
            return None;
        }
        let mut computers = self.computers();
        let awaited = computers.entry(computer.to_owned()).or_default();
        awaited.places += 1;
        Some(Place {
            waiting: self,
            number: self.came.fetch_add(1, Ordering::Relaxed),
            computer: computer.to_owned(),
            changes: awaited.changes.subscribe(),
            released,
            _permit: permit,
        })
    }

    /// The turn of one of those who wait to ask the database.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it.
        self.turns.acquire().await.ok()
    }

    /// Wakes those who wait for a change.
    pub(crate) fn tell(&self, changed: Changed<'_>) {
        let computers = self.computers();
        match changed {
            Changed::Computer(computer) => {
                if let Some(awaited) = computers.get(computer) {
                    awaited.changes.send_replace(());
                }
            }
            Changed::Unknown => {
                for awaited in computers.values() {
                    awaited.changes.send_replace(());
                }
            }
        }
    }

    /// Has the one who has waited longest answered now, for others need its connection. Nothing
    /// happens if nobody waits.
    pub(crate) fn release_one(&self) {
        let mut asleep = lock(&self.asleep);
        while let Some((_, longest)) = asleep.pop_first() {
            // Whoever is awake again does not listen.
            if longest.send(()).is_ok() {
                return;
            }
        }
    }

    /// Has all who wait answered now.
    pub(crate) fn release(&self) {
        self.released.send_replace(false);
    }

    /// Has all who wait answered now, and lets nobody wait any more.
    pub(crate) fn end(&self) {
        self.released.send_replace(true);
    }

    fn computers(&self) -> MutexGuard<'_, HashMap<String, Awaited>> {
        lock(&self.computers)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place<'_> {
    /// Waits for a change.
    pub(super) async fn sees_change(&mut self, deadline: Instant) -> Woken {
        let (order, ordered) = oneshot::channel();
        lock(&self.waiting.asleep).insert(self.number, order);
        tokio::select! {
            changed = self.changes.changed() => match changed {
                Ok(()) => Woken::Change,
                Err(_) => Woken::Nothing,
            },
            Ok(()) = ordered => Woken::Early,
            _ = self.released.changed() => Woken::Nothing,
            () = sleep_until(deadline) => Woken::Nothing,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.waiting.asleep).remove(&self.number);
        let mut computers = self.waiting.computers();
        if let Some(awaited) = computers.get_mut(&self.computer) {
            awaited.places -= 1;
            if awaited.places == 0 {
                computers.remove(&self.computer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(max_connections: usize) -> Waiting {
        Waiting::new(&ServerSettings {
            max_connections,
            ..ServerSettings::default()
        })
    }

    async fn sees_change(place: &mut Place<'_>) -> Woken {
        place
            .sees_change(Instant::now() + Duration::from_secs(60))
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_waits_for_it_sees_a_change_even_one_that_came_before() {
        let waiting = waiting(100);
        let [mut first, mut second] = ["C1", "C2"].map(|name| waiting.place(name).unwrap());
        waiting.tell(Changed::Computer("C1"));
        assert_eq!(sees_change(&mut first).await, Woken::Change);
        let begun = Instant::now();
        assert_eq!(sees_change(&mut second).await, Woken::Nothing);
        assert_eq!(begun.elapsed().as_secs(), 60);
        waiting.tell(Changed::Unknown);
        assert_eq!(sees_change(&mut first).await, Woken::Change);
        assert_eq!(sees_change(&mut second).await, Woken::Change);
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_released_and_at_the_end_for_good() {
        let waiting = waiting(100);
        let begun = Instant::now();
        let mut place = waiting.place("C").unwrap();
        waiting.release();
        assert_eq!(sees_change(&mut place).await, Woken::Nothing);
        assert!(waiting.place("C").is_some());
        waiting.end();
        assert_eq!(sees_change(&mut place).await, Woken::Nothing);
        assert!(waiting.place("C").is_none());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[test]
    fn places_are_bounded_and_nothing_is_kept_of_who_has_gone() {
        let waiting = waiting(4);
        let places: Vec<_> = (0..3).map(|_| waiting.place("C").unwrap()).collect();
        assert!(waiting.place("C").is_none());
        drop(places);
        assert!(waiting.computers().is_empty());
        assert!(waiting.place("C").is_some());
    }

    #[test]
    fn nothing_is_kept_of_those_who_go_at_the_same_time() {
        let waiting = waiting(100);
        for _ in 0..2000 {
            let places: Vec<_> = (0..8).map(|_| waiting.place("C").unwrap()).collect();
            std::thread::scope(|scope| {
                for place in places {
                    scope.spawn(move || drop(place));
                }
            });
            assert!(waiting.computers().is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_room_is_short_who_has_waited_longest_goes() {
        let waiting = waiting(100);
        // Who is awake does not go, and nothing is kept for the next one.
        let mut awake = waiting.place("awake").unwrap();
        waiting.tell(Changed::Unknown);
        assert_eq!(sees_change(&mut awake).await, Woken::Change);
        waiting.release_one();
        let (begun, ended) = (Instant::now(), Mutex::new(Vec::new()));
        let wait = async |name: &'static str| {
            let mut place = waiting.place(name).unwrap();
            let woken = sees_change(&mut place).await;
            let waited = begun.elapsed().as_secs();
            ended.lock().unwrap().push((name, woken, waited));
        };
        let release = async {
            waiting.release_one();
            waiting.release_one();
        };
        tokio::join!(wait("first"), wait("second"), wait("third"), release);
        let mut ended = ended.into_inner().unwrap();
        ended.sort_by_key(|(name, ..)| *name);
        let early = |name| (name, Woken::Early, 0);
        let third = ("third", Woken::Nothing, 60);
        assert_eq!(ended, [early("first"), early("second"), third]);
        drop(awake);
        assert!(lock(&waiting.asleep).is_empty());
    }
}
