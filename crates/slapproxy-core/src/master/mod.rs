//! What each call does: one function from its fields to its answer.

pub(crate) mod forward;
mod frontend;
pub(crate) mod node;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod slave;
pub(crate) mod subject;
pub(crate) mod tree;
mod user;
pub(crate) mod view;

use std::time::{SystemTime, UNIX_EPOCH};

use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::Call;
use slap_proto::marshal::Value;

use self::subject::About;
use crate::MasterError;
use crate::multimaster::{Remotes, bare};
use crate::settings::Settings;
use crate::storage::{PartitionRow, Records, Storage};

/// What every call may need beside its fields.
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    /// By which a master recognises itself.
    pub(crate) run_id: &'a str,
    /// The masters that requests may be forwarded to.
    pub(crate) remotes: &'a Remotes,
    /// The host that the client asked, by its Host header.
    pub(crate) host: Option<&'a str>,
    /// Whom the client acts for, by its Authorization header.
    pub(crate) identity: Option<PartitionIdentity>,
    /// Seconds since 1970.
    pub(crate) now: f64,
}

impl Context<'_> {
    /// Whether a master's URL is the one by which the client has reached us.
    pub(crate) fn is_own_url(&self, url: &str) -> bool {
        let authority = bare(url).split_once("://").map(|(_, rest)| rest);
        authority.is_some() && authority == self.host
    }
}

/// The body of a successful answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A word for a log.
    Text(String),
    /// A marshal document.
    Document(Value),
    /// A marshal document, written already.
    Written(String),
}

impl Answer {
    fn text(text: &str) -> Result<Self, MasterError> {
        Ok(Self::Text(text.to_owned()))
    }
}

/// A call that this master serves.
pub(crate) trait Serve: Call + About + Clone + Send + Sync + 'static {
    /// Whether it changes the database.
    const WRITES: bool;

    /// Whether [`Serve::elsewhere`] has to be asked, which may take its time.
    fn may_be_elsewhere(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// What others answer, asked while nothing holds the database; `None` if the call is for us.
    ///
    /// # Errors
    /// It is for others, and they do not answer it.
    fn elsewhere<S: Storage>(
        &self,
        _context: &Context<'_>,
        _storage: &S,
    ) -> Result<Option<Answer>, MasterError> {
        Ok(None)
    }

    /// The version of its answer, if the answer is a matter of nothing else: the same version stands
    /// for the same answer. It is found without making the answer, whose errors it has all the same.
    ///
    /// It may be asked for outside of a transaction ([`Storage::glance_async`]): it is right only
    /// because the version itself is read last, so that what was looked up before is no newer.
    ///
    /// [`Storage::glance_async`]: crate::storage::Storage::glance_async
    ///
    /// # Errors
    /// There is no such computer or partition, and failures of the database.
    fn version(
        &self,
        _context: &Context<'_>,
        _records: &dyn Records,
    ) -> Result<Option<String>, MasterError> {
        Ok(None)
    }

    /// The computer for whose next version the client may wait.
    fn awaited(&self) -> Option<&str> {
        None
    }

    /// Does it.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError>;
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// Marks a partition as changed. Whole seconds serve every reader of the timestamp; a second
/// change within the same second must still be seen.
fn touch(row: &mut PartitionRow, now: f64) {
    let next = row.timestamp.map_or(0.0, |before| before.floor() + 1.0);
    row.timestamp = Some(now.floor().max(next));
}

/// The partition, or 404.
pub(crate) fn find(
    records: &dyn Records,
    computer: &str,
    reference: &str,
) -> Result<PartitionRow, MasterError> {
    records.partition(computer, reference)?.ok_or_else(|| {
        MasterError::NotFound(format!(
            "there is no partition {reference} on computer {computer}"
        ))
    })
}

/// The partition if it holds an instance, or 404.
pub(crate) fn find_instance(
    records: &dyn Records,
    computer: &str,
    reference: &str,
) -> Result<PartitionRow, MasterError> {
    let row = records.partition(computer, reference)?;
    row.filter(|row| row.busy).ok_or_else(|| {
        MasterError::NotFound(format!(
            "there is no instance in {reference} of computer {computer}"
        ))
    })
}

/// Whether the computer is one of this master's, or 404.
pub(crate) fn check_computer(
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
) -> Result<(), MasterError> {
    if computer == context.settings.computer_id || records.has_computer(computer)? {
        return Ok(());
    }
    Err(MasterError::NotFound(format!(
        "there is no computer {computer}"
    )))
}
