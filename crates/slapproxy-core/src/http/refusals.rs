//! Requests that are turned away for the moment, as the log tells of them: there may be thousands a
//! second, of which each line would be one more thing to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

/// How often those are told that have come since the last time.
const PERIOD: Duration = Duration::from_secs(60);
/// It is over when nobody was turned away for so long.
const QUIET: Duration = Duration::from_secs(10);
/// So many reasons are told apart.
const REASONS: usize = 16;
/// What further ones are counted as.
const OTHERS: &str = "for further reasons";

/// Goes with a response: the request was turned away for the moment.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// The call, or who asked.
    subject: String,
    /// One line.
    reason: String,
}

impl Refused {
    /// Has a response counted, in place of a line of its own.
    pub(super) fn mark(mut response: Response, subject: &str, reason: &str) -> Response {
        response.extensions_mut().insert(Self {
            subject: subject.to_owned(),
            reason: reason.lines().next().unwrap_or_default().to_owned(),
        });
        response
    }
}

/// For which reasons requests are turned away at present.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, Spell>>);

/// A time in which requests are turned away for one reason.
#[derive(Debug)]
struct Spell {
    /// When the last one was turned away, and its subject.
    last: Instant,
    subject: String,
    /// When it was told, and how many have come since.
    told: Instant,
    untold: u64,
}

impl Refusals {
    /// Notes what has become of a request; the lines for the log.
    fn note(&self, refused: Option<&Refused>, now: Instant) -> Vec<String> {
        let mut spells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = refused.and_then(|refused| count(&mut spells, refused, now));
        let mut lines: Vec<_> = begin.into_iter().collect();
        spells.retain(|reason, spell| {
            let is_over = now.duration_since(spell.last) >= QUIET;
            if is_over || now.duration_since(spell.told) >= PERIOD {
                lines.extend(spell.tell(reason, if is_over { spell.last } else { now }));
            }
            !is_over
        });
        lines
    }
}

/// Counts a request; a line if it is the first for its reason.
fn count(spells: &mut BTreeMap<String, Spell>, refused: &Refused, now: Instant) -> Option<String> {
    let Refused { subject, reason } = refused;
    let is_known = spells.contains_key(reason);
    let key = match is_known || spells.len() < REASONS {
        true => reason,
        false => OTHERS,
    };
    if let Some(spell) = spells.get_mut(key) {
        spell.last = now;
        spell.subject.clone_from(subject);
        spell.untold += 1;
        return None;
    }
    let spell = Spell {
        last: now,
        subject: subject.clone(),
        told: now,
        untold: 0,
    };
    spells.insert(key.to_owned(), spell);
    Some(format!(
        "{subject}: {reason} (others that are turned away so are counted)"
    ))
}

impl Spell {
    /// How many have come since it was told last until then, if any.
    fn tell(&mut self, reason: &str, until: Instant) -> Option<String> {
        let (count, seconds) = (self.untold, until.duration_since(self.told).as_secs());
        (self.untold, self.told) = (0, until);
        let subject = &self.subject;
        let line = || {
            format!(
                "{count} more were turned away within {seconds} s, the last at {subject}: {reason}"
            )
        };
        (count > 0).then(line)
    }
}

/// Tells of requests that are turned away.
pub(super) async fn tell(
    State(refusals): State<Arc<Refusals>>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let refused = response.extensions().get::<Refused>();
    for line in refusals.note(refused, Instant::now()) {
        log::warn!("{line}");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: &str) -> Refused {
        Refused {
            subject: "getRunId".to_owned(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_flood_is_told_when_it_begins_each_minute_and_when_it_ends() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let flood = |from: u64, seconds: u64| -> Vec<_> {
            let times = (0..100 * seconds).map(|number| at(from + 10 * number));
            times
                .flat_map(|now| refusals.note(Some(&refused("too many")), now))
                .collect()
        };
        let begin = "getRunId: too many (others that are turned away so are counted)";
        let minute = "6000 more were turned away within 60 s, the last at getRunId: too many";
        assert_eq!(flood(0, 150), [begin, minute, minute]);
        assert!(refusals.note(None, at(151_000)).is_empty());
        let end = refusals.note(None, at(160_000));
        let told = "2999 more were turned away within 29 s, the last at getRunId: too many";
        assert_eq!(end, [told]);
        assert!(refusals.note(None, at(300_000)).is_empty());
        // The next one is told anew, and nothing more if it stays alone.
        assert_eq!(flood(400_000, 1)[..], [begin]);
        let refusals = Refusals::default();
        let alone = refusals.note(Some(&refused("away")), start);
        assert_eq!(alone.len(), 1);
        assert!(refusals.note(None, at(20_000)).is_empty());
        assert!(refusals.0.lock().unwrap().is_empty());
    }

    #[test]
    fn reasons_are_told_apart_and_bounded() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let lines = (0..1000).flat_map(|number| {
            let reason = format!("reason {number}");
            refusals.note(Some(&refused(&reason)), now)
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), REASONS + 1);
        assert!(lines[REASONS].contains("reason 16 "), "{lines:?}");
    }
}
