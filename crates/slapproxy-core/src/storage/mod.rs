//! What a master keeps, and how it is reached: in a file ([`SqliteStorage`]), or in a database that
//! several servers share ([`PostgresStorage`]).

mod any;
mod backup;
mod bounded;
mod engine;
mod migrate;
mod notifier;
mod outcome;
#[cfg(feature = "postgresql")]
mod postgres;
mod reader;
mod rebase;
mod schema;
mod sqlite;
mod statements;
mod transfer;
mod versions;
mod writer;

pub(crate) use any::look_at;
pub use any::{AnyStorage, Database, DatabaseError};
pub use backup::BackupError;
pub(crate) use bounded::Bounded;
pub use engine::EngineError;
#[cfg(feature = "postgresql")]
pub use postgres::{PasswordError, PostgresError, PostgresSettings, PostgresStorage, UriError};
pub use reader::SqliteReader;
pub use rebase::RebaseError;
pub use schema::SchemaError;
pub use sqlite::{OpenError, SqliteStorage};
pub use transfer::{MigrateError, Migrated, migrate};

use rusqlite::ErrorCode;

use crate::MasterError;

/// The database did not do what it should.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct StorageError {
    /// What was tried.
    pub action: &'static str,
    /// Why it failed.
    pub source: EngineError,
}

impl StorageError {
    /// Whether it is worth to ask again later.
    pub fn is_passing(&self) -> bool {
        match &self.source {
            #[cfg(feature = "postgresql")]
            EngineError::Postgres(error) => error.is_passing(),
            // Another process has the file, and had it for as long as anyone waits for it.
            _ => {
                let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
                self.sqlite_error_code()
                    .is_some_and(|code| busy.contains(&code))
            }
        }
    }

    fn sqlite_error_code(&self) -> Option<ErrorCode> {
        match &self.source {
            EngineError::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        }
    }
}

/// A computer.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputerRow {
    /// Its reference.
    pub reference: String,
    /// Its address.
    pub address: Option<String>,
    /// Its netmask.
    pub netmask: Option<String>,
    /// Whether its node described it; else only a release or a partition names it.
    pub described: bool,
    /// When it last sent a usage report, in seconds since 1970.
    pub last_usage: Option<f64>,
}

/// A release that a computer shall have or lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftwareRow {
    /// URL of the release.
    pub url: String,
    /// `available` or `destroyed`.
    pub requested_state: String,
}

/// A partition and the instance in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionRow {
    /// Reference of the partition.
    pub reference: String,
    /// Reference of its computer.
    pub computer_reference: String,
    /// Whether an instance is allocated to it.
    pub busy: bool,
    /// URL of the instance's release.
    pub software_release: Option<String>,
    /// Its parameters, an instance document.
    pub xml: Option<String>,
    /// Its connection parameters, an instance document.
    pub connection_xml: Option<String>,
    /// Its slaves, a marshal document.
    pub slave_instance_list: Option<String>,
    /// Its type.
    pub software_type: Option<String>,
    /// Its name.
    pub partition_reference: Option<String>,
    /// Name of the root of its tree; empty for a root.
    pub requested_by: String,
    /// Reference of the partition that requested it directly; `user` for a root.
    pub requester_id: String,
    /// The wanted state.
    pub requested_state: String,
    /// When it changed, in whole seconds since 1970.
    pub timestamp: Option<f64>,
}

/// A slave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaveRow {
    /// `ROOT_TITLE`, an underscore, and the slave's title.
    pub reference: String,
    /// Computer of the host.
    pub computer_reference: String,
    /// Its connection parameters, an instance document.
    pub connection_xml: Option<String>,
    /// Partition of the host.
    pub hosted_by: String,
    /// Reference of the partition that requested it; `user` for a user.
    pub requester_id: String,
}

/// An address of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    /// Name of the tap, else of the partition.
    pub reference: String,
    /// The address.
    pub address: String,
    /// Its netmask.
    pub netmask: Option<String>,
}

/// What a node reported last of a release or a partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// URL of the release, or reference of the partition.
    pub subject: String,
    /// `building`, `available`, `started`, `stopped`, `destroyed` or `error`.
    pub state: String,
    /// Of an error: what went wrong.
    pub message: String,
    /// Seconds since 1970.
    pub time: f64,
}

/// How many subjects of a kind are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// `partitions` and `releases` by the wanted state, `reported_partitions` and
    /// `reported_releases` by the one reported last.
    pub subject: &'static str,
    /// The state; of a partition without instance, `free`.
    pub state: String,
    /// How many.
    pub count: u64,
}

/// An instance that its requester no longer requests, and that is kept all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct UnrequestedRow {
    /// Computer of the instance.
    pub computer_reference: String,
    /// Its partition.
    pub reference: String,
    /// Since when, in seconds since 1970.
    pub time: f64,
}

/// Whether a report is about a release or a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// A software release.
    Software,
    /// An instance.
    Instance,
}

impl ReportKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Instance => "instance",
        }
    }
}

/// Of whom [`Records::version`] says something else than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed<'a> {
    /// A computer.
    Computer(&'a str),
    /// It is not known who, for changes may have been missed.
    Unknown,
}

/// Whom changes are told. It must not wait for the database.
pub type Listener = Box<dyn Fn(Changed<'_>) + Send + Sync>;

type Result<T> = std::result::Result<T, StorageError>;

/// Rows, within one transaction.
pub trait Records {
    /// Whether the computer was ever described.
    fn has_computer(&self, reference: &str) -> Result<bool>;
    /// Notes a computer and its address.
    fn set_computer(
        &self,
        reference: &str,
        address: Option<&str>,
        netmask: Option<&str>,
    ) -> Result<()>;

    /// Every computer, those that only a release or a partition names last.
    fn computers(&self) -> Result<Vec<ComputerRow>>;

    /// The releases of a computer.
    fn software(&self, computer: &str) -> Result<Vec<SoftwareRow>>;
    /// Every release, with its computer.
    fn all_software(&self) -> Result<Vec<(String, SoftwareRow)>>;
    /// Notes what a computer shall do with a release.
    fn set_software(&self, computer: &str, url: &str, state: &str) -> Result<()>;
    /// Forgets a release of a computer.
    fn remove_software(&self, computer: &str, url: &str) -> Result<()>;

    /// Every URL of a release, of computers and of instances.
    fn release_urls(&self) -> Result<Vec<String>>;
    /// Gives a release another URL, wherever it is named.
    fn move_release(&self, from: &str, to: &str) -> Result<()>;

    /// A setting that the database remembers.
    fn config(&self, name: &str) -> Result<Option<String>>;
    /// Remembers a setting.
    fn set_config(&self, name: &str, value: &str) -> Result<()>;

    /// Remembers that a request was forwarded to another master, under this reference.
    fn put_forwarded(&self, reference: &str, master_url: &str) -> Result<()>;
    /// Forgets a forwarded request.
    fn remove_forwarded(&self, reference: &str, master_url: &str) -> Result<()>;

    /// The partitions of a computer.
    fn partitions(&self, computer: &str) -> Result<Vec<PartitionRow>>;
    /// Every partition; those of a computer are in the order of [`Records::partitions`].
    fn all_partitions(&self) -> Result<Vec<PartitionRow>>;
    /// One partition.
    fn partition(&self, computer: &str, reference: &str) -> Result<Option<PartitionRow>>;
    /// The partitions of a reference, on whichever computer.
    fn namesakes(&self, reference: &str) -> Result<Vec<PartitionRow>>;
    /// The instance of a name in a tree.
    fn instance(&self, name: &str, root: &str) -> Result<Option<PartitionRow>>;
    /// Every instance below a root, the root not included.
    fn children(&self, root: &str) -> Result<Vec<PartitionRow>>;
    /// Every root of a tree.
    fn roots(&self) -> Result<Vec<PartitionRow>>;
    /// A free partition of a computer.
    fn free_partition(&self, computer: &str) -> Result<Option<PartitionRow>>;
    /// The instances of a release that could host slaves; of any type if none is given.
    fn hosts(
        &self,
        computer: &str,
        release: &str,
        software_type: Option<&str>,
    ) -> Result<Vec<PartitionRow>>;
    /// Writes all columns of a partition; a new one is added.
    fn put_partition(&self, row: &PartitionRow) -> Result<()>;
    /// Removes a partition, its addresses and what was reported of it.
    fn remove_partition(&self, computer: &str, reference: &str) -> Result<()>;

    /// Addresses of all partitions of a computer, each with the reference of its partition.
    fn addresses(&self, computer: &str) -> Result<Vec<(String, NetworkRow)>>;
    /// All addresses, each with its computer and the reference of its partition.
    fn all_addresses(&self) -> Result<Vec<(String, (String, NetworkRow))>>;
    /// Addresses of a partition.
    fn network(&self, computer: &str, partition: &str) -> Result<Vec<NetworkRow>>;
    /// Replaces the addresses of a partition.
    fn set_network(&self, computer: &str, partition: &str, addresses: &[NetworkRow]) -> Result<()>;

    /// Every slave.
    fn slaves(&self) -> Result<Vec<SlaveRow>>;
    /// The slaves that a partition of this reference requested, on whichever computer.
    fn slaves_of(&self, requester: &str) -> Result<Vec<SlaveRow>>;
    /// A slave.
    fn slave(&self, reference: &str) -> Result<Option<SlaveRow>>;
    /// Writes all columns of a slave; a new one is added.
    fn put_slave(&self, row: &SlaveRow) -> Result<()>;
    /// Forgets a slave.
    fn remove_slave(&self, reference: &str) -> Result<()>;
    /// Forgets the slaves that a partition hosts.
    fn remove_slaves(&self, computer: &str, host: &str) -> Result<()>;

    /// Notes what a node reports.
    fn put_report(&self, kind: ReportKind, computer: &str, report: &ReportRow) -> Result<()>;
    /// Forgets what was reported of a subject.
    fn remove_report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<()>;
    /// What was reported last of each subject of a computer.
    fn reports(&self, kind: ReportKind, computer: &str) -> Result<Vec<ReportRow>>;
    /// What was reported last of each subject of every computer, with the computer: of each message
    /// at most its last `longest` characters.
    fn report_ends(&self, kind: ReportKind, longest: u32) -> Result<Vec<(String, ReportRow)>>;
    /// How many partitions and releases are in each state, on all computers.
    fn state_counts(&self) -> Result<Vec<StateCount>>;
    /// Notes that an instance is no longer requested; the first time counts.
    fn put_unrequested(&self, row: &UnrequestedRow) -> Result<()>;
    /// Notes that an instance is requested, or gone.
    fn remove_unrequested(&self, computer: &str, reference: &str) -> Result<()>;
    /// The instances that are no longer requested.
    fn unrequested(&self) -> Result<Vec<UnrequestedRow>>;
    /// What was reported last of one subject of a computer.
    fn report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<Option<ReportRow>>;
    /// Keeps a usage report.
    fn put_usage(&self, computer: &str, journal: &str, time: f64) -> Result<()>;

    /// The version of what a computer and its partitions are told: another one after each change of
    /// their releases, instances and addresses, whoever made it, and never one that was before.
    /// Letters, digits and dashes; `None` of a computer that has nothing of these.
    fn version(&self, computer: &str) -> Result<Option<String>>;
    /// As [`Records::version`], of a computer that was described.
    fn described_version(&self, computer: &str) -> Result<Option<String>>;
}

/// A database of a master.
///
/// The functions that it is given may be called again, when what they did has collided with what
/// somebody else did and was undone.
pub trait Storage: Send + Sync + 'static {
    /// Reads within one snapshot.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> std::result::Result<T, MasterError>,
    ) -> std::result::Result<T, MasterError>;

    /// Changes within one transaction. It is durable when this returns; nothing is changed when
    /// the function fails. It is as if writers took turns.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> std::result::Result<T, MasterError>,
    ) -> std::result::Result<T, MasterError>;

    /// As [`Storage::read`], for tasks.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> std::result::Result<T, MasterError> + Send,
    ) -> impl Future<Output = std::result::Result<T, MasterError>> + Send;

    /// As [`Storage::read_async`], but each statement tells of a moment of its own: for those who
    /// read a single one, which an engine need not put into a transaction.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> std::result::Result<T, MasterError> + Send,
    ) -> impl Future<Output = std::result::Result<T, MasterError>> + Send;

    /// As [`Storage::write`], for tasks: no thread waits for a turn.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> std::result::Result<T, MasterError> + Send,
    ) -> impl Future<Output = std::result::Result<T, MasterError>> + Send;

    /// Has each change told, by whichever process it is made, within a second after it is durable.
    /// There is one listener, the first.
    fn tell_changes(&self, listener: Listener);
}
