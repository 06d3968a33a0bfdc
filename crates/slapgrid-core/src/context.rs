//! What the work on one partition needs: made once for each by the run, shared with nobody.

use slap_proto::documents::ComputerPartition;
use time::UtcOffset;

use crate::layout::PartitionLayout;
use crate::process::Interruption;
use crate::settings::Settings;

/// One partition of one run.
pub(crate) struct PartitionContext<'a> {
    /// What slapgrid was told.
    pub(crate) settings: &'a Settings,
    /// Where the partition's files are. Its reference is a plain file name.
    pub(crate) layout: PartitionLayout,
    /// What the master says of the partition.
    pub(crate) document: &'a ComputerPartition,
    /// The partition at the master, to report to.
    pub(crate) master: slap_client::ComputerPartition,
    /// supervisord's interface; it answers, unless supervisord must not be launched.
    pub(crate) supervisor: &'a supervisor::Client,
    /// Every program that is run watches it; so must every wait.
    pub(crate) interruption: &'a Interruption,
    /// Local time; it cannot be asked for once there are threads.
    pub(crate) utc_offset: UtcOffset,
}
