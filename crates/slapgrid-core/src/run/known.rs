//! What the master told last of this computer, so that it need not tell it again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slap_client::{ClientError, EntityTag};
use slap_proto::documents::Computer;

/// What the master told last, if it has a name for it. It is kept in memory only: it holds secrets
/// of instances, and to read it from the disk would spare a run little.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Option<Told>>);

#[derive(Debug, Clone)]
struct Told {
    tag: EntityTag,
    computer: Computer,
}

/// What came of waiting for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Something shall be done.
    Change,
    /// Nothing has changed that asks for work.
    Nothing,
    /// The master does not wait, at least for now.
    Refusal,
}

impl Known {
    /// What the master says of the computer.
    pub(crate) fn refresh(&self, master: &slap_client::Computer) -> Result<Computer, ClientError> {
        let Some(told) = self.told() else {
            return self.renew(master);
        };
        let answer = master.full_information_unless(Some(&told.tag), Duration::ZERO)?;
        Ok(match answer.value {
            None => told.computer,
            Some(computer) => self.keep(answer.tag, computer),
        })
    }

    fn renew(&self, master: &slap_client::Computer) -> Result<Computer, ClientError> {
        let answer = master.full_information_unless(None, Duration::ZERO)?;
        match answer.value {
            Some(computer) => Ok(self.keep(answer.tag, computer)),
            // Not without a tag to compare with.
            None => master.full_information(),
        }
    }

    /// Waits at the master until it says something else of the computer, for so long at most.
    pub(crate) fn await_change(
        &self,
        master: &slap_client::Computer,
        wait: Duration,
    ) -> Result<Awaited, ClientError> {
        let Some(told) = self.told() else {
            return Ok(Awaited::Refusal);
        };
        let answer = master.full_information_unless(Some(&told.tag), wait)?;
        match answer.value {
            Some(computer) => {
                let computer = self.keep(answer.tag, computer);
                match work(computer) == work(told.computer) {
                    true => Ok(Awaited::Nothing),
                    false => Ok(Awaited::Change),
                }
            }
            None if answer.waits => Ok(Awaited::Nothing),
            None => Ok(Awaited::Refusal),
        }
    }

    /// Whether there is something to compare with.
    pub(crate) fn is_there(&self) -> bool {
        self.lock().is_some()
    }

    fn keep(&self, tag: Option<EntityTag>, computer: Computer) -> Computer {
        *self.lock() = tag.map(|tag| Told {
            tag,
            computer: computer.clone(),
        });
        computer
    }

    fn told(&self) -> Option<Told> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of a computer asks for work. What instances have published does not: mostly it comes from
/// this node itself, and whoever requested an instance is told by its own timestamp.
fn work(mut computer: Computer) -> Computer {
    for partition in &mut computer.computer_partition_list {
        partition.connection_dict.clear();
    }
    computer
}
