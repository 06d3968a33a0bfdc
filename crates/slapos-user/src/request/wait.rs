//! Waiting for what an instance publishes: the request is sent again and again, which changes nothing.

use std::fmt;
use std::time::{Duration, Instant};

use slap_client::proto::documents::SoftwareInstance;
use slap_client::{ClientError, InstanceRequest, OpenOrder};
use slapos_cli::describe;

use super::deadline::Deadline;
use super::interrupt::Interrupt;
use super::progress::Progress;
use crate::parameters::json_values;

/// Between two requests.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two looks whether the user has interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// What is waited for, and how long.
pub(super) struct Wait<'a> {
    pub(super) order: &'a OpenOrder,
    pub(super) request: &'a InstanceRequest,
    pub(super) deadline: Deadline,
    pub(super) interrupt: &'a Interrupt,
}

/// How far an instance is that has not published anything.
#[derive(Debug)]
pub(super) struct Stage {
    reference: String,
    how: How,
}

#[derive(Debug)]
enum How {
    /// The first request is under way.
    Unanswered,
    /// The master has no partition for it yet.
    Preparing,
    /// It has a place.
    Unpublished(Box<SoftwareInstance>),
    /// The master was there before.
    MasterAway(String),
}

/// How the waiting ended.
#[derive(Debug)]
pub(super) enum Awaited {
    Published(Box<SoftwareInstance>),
    TimeOver(Stage),
    Interrupted(Stage),
}

impl Stage {
    /// Whether the master is known to have taken the request.
    pub(super) fn is_taken(&self) -> bool {
        !matches!(self.how, How::Unanswered)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.reference;
        match &self.how {
            How::Unanswered => write!(
                formatter,
                "the master has not answered about {reference}; it may have taken the request"
            ),
            How::Preparing => write!(formatter, "the master is preparing {reference}"),
            How::MasterAway(error) => write!(formatter, "the master is away: {error}"),
            How::Unpublished(instance) => {
                let shown = |text: &Option<String>| text.clone().unwrap_or("unknown".to_owned());
                let state = shown(&instance.requested_state);
                let (partition, computer) =
                    (shown(&instance.partition_id), shown(&instance.computer_id));
                write!(
                    formatter,
                    "{reference} shall be {state} in {partition} of {computer} and has published nothing"
                )
            }
        }
    }
}

/// One request; `None` while the master provisions the instance.
pub(super) fn ask(
    order: &OpenOrder,
    request: &InstanceRequest,
) -> Result<Option<SoftwareInstance>, ClientError> {
    match order.request(request) {
        Err(ClientError::ResourceNotReady { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

impl Wait<'_> {
    /// Requests until something is published, the time is over, or the user interrupts.
    ///
    /// # Errors
    /// The master refuses, or is away from the beginning.
    pub(super) fn until_published(self, progress: &mut Progress) -> Result<Awaited, ClientError> {
        let stage = |how| Stage {
            reference: self.request.partition_reference.clone(),
            how,
        };
        let mut last = stage(How::Unanswered);
        loop {
            let is_taken = last.is_taken();
            last = stage(match ask(self.order, self.request) {
                Ok(Some(instance)) if !json_values(&instance.connection_dict).is_empty() => {
                    return Ok(Awaited::Published(Box::new(instance)));
                }
                Ok(Some(instance)) => How::Unpublished(Box::new(instance)),
                Ok(None) => How::Preparing,
                Err(ClientError::Cancelled { .. }) if self.interrupt.is_requested() => {
                    return Ok(Awaited::Interrupted(last));
                }
                Err(ClientError::Cancelled { .. }) => return Ok(Awaited::TimeOver(last)),
                Err(error) if is_taken && may_pass(&error) => How::MasterAway(describe(&error)),
                Err(error) => return Err(error),
            });
            progress.say(last.to_string());
            let left = self.deadline.left();
            if left == Some(Duration::ZERO) {
                return Ok(Awaited::TimeOver(last));
            }
            if self.is_interrupted_within(left.map_or(PAUSE, |left| left.min(PAUSE))) {
                return Ok(Awaited::Interrupted(last));
            }
        }
    }

    fn is_interrupted_within(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        while !self.interrupt.is_requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(LOOK));
        }
        true
    }
}

/// Whether the master, which has taken the request before, may do better soon.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Server { status, .. } => *status >= 500,
        error => error.is_unreachable(),
    }
}
