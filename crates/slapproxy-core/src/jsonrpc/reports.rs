//! Methods by which a node reports of an instance.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use slap_proto::calls::{
    SoftwareInstanceError, StartedComputerPartition, StoppedComputerPartition,
};
use slap_proto::documents::InstanceState;

use super::answers::Done;
use super::problem::Problem;
use super::text::{Guid, Message, Word};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::{Serve, node};
use crate::naming::Found;
use crate::storage::{PartitionRow, Records};

/// A node tells what it has done with an instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    instance_guid: Guid,
    reported_state: Word<InstanceState>,
}

/// It is noted; or the instance stays, as its children must go first.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Noted {
    Done(Done),
    Waiting(Problem),
}

impl Method for State {
    const PATH: &'static str = "/slapos.put.v0.software_instance_reported_state";
    const WRITES: bool = true;
    type Answer = Noted;

    /// Slaves have no state of their own: what is reported of them is that of their host.
    fn serve(self, asked: &Asked<'_>) -> Result<Noted, MasterError> {
        let (found, records) = asked.of_instance(&self.instance_guid.0)?;
        match (found, self.reported_state.0) {
            (Found::Instance(row), InstanceState::Destroyed) => destroyed(asked, records, row),
            (Found::Instance(row), state) => running(asked, records, row, state),
            (Found::Shared(_), _) => Ok(Noted::Done(Done::new("Ignored"))),
        }
    }

    fn status(answer: &Noted) -> StatusCode {
        match answer {
            Noted::Done(_) => StatusCode::OK,
            Noted::Waiting(problem) => problem.status(),
        }
    }
}

fn destroyed(
    asked: &Asked<'_>,
    records: &dyn Records,
    row: PartitionRow,
) -> Result<Noted, MasterError> {
    let children = node::free(&asked.asker.context, records, row)?;
    if children.is_empty() {
        return Ok(Noted::Done(Done::new("Destroyed")));
    }
    let title = node::still_there(&children);
    Ok(Noted::Waiting(Problem::new(StatusCode::FORBIDDEN, title)))
}

fn running(
    asked: &Asked<'_>,
    records: &dyn Records,
    row: PartitionRow,
    state: InstanceState,
) -> Result<Noted, MasterError> {
    let (computer_id, computer_partition_id) = (row.computer_reference, row.reference);
    if state == InstanceState::Stopped {
        let call = StoppedComputerPartition {
            computer_id,
            computer_partition_id,
        };
        call.serve(&asked.asker.context, records)?;
    } else {
        let call = StartedComputerPartition {
            computer_id,
            computer_partition_id,
        };
        call.serve(&asked.asker.context, records)?;
    }
    Ok(Noted::Done(Done::new("Recorded")))
}

/// A node could not do what an instance asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Error {
    instance_guid: Guid,
    message: Message,
}

impl Method for Error {
    const PATH: &'static str = "/slapos.put.v0.software_instance_error";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let (found, records) = asked.of_instance(&self.instance_guid.0)?;
        let row = found.partition();
        let call = SoftwareInstanceError {
            computer_id: row.computer_reference.clone(),
            computer_partition_id: row.reference.clone(),
            error_log: Some(self.message.0),
            slave_reference: found.slave_reference(),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Recorded"))
    }
}
