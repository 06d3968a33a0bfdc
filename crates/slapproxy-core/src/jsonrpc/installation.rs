//! Methods about a release on a computer.

use std::str::FromStr;

use serde::Deserialize;
use slap_proto::calls::{
    AvailableSoftwareRelease, BuildingSoftwareRelease, DestroyedSoftwareRelease,
    SoftwareReleaseError, SupplySupply,
};
use slap_proto::documents::{SoftwareState, UnknownState};

use super::answers::Done;
use super::text::{Message, Reference, Release, Word};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::Serve;

/// A computer shall have a release, or no longer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Supply {
    computer_guid: Reference,
    software_release_uri: Release,
    #[serde(default)]
    state: Word<SoftwareState>,
}

impl Method for Supply {
    const PATH: &'static str = "/slapos.post.v0.software_installation";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let records = asked.of_users()?;
        let state = self.state.0;
        let url = self.software_release_uri.0;
        let title = format!("Supplied {url} to be {}", state.as_str());
        let call = SupplySupply {
            url,
            computer_id: self.computer_guid.0,
            state: Some(state),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new(title))
    }
}

/// A node tells what it has done with a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedState {
    computer_guid: Reference,
    software_release_uri: Release,
    reported_state: Word<Reported>,
}

#[derive(Debug, Clone, Copy)]
enum Reported {
    Building,
    Done(SoftwareState),
}

impl FromStr for Reported {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        match text {
            "building" => Ok(Self::Building),
            other => other.parse().map(Self::Done),
        }
    }
}

impl Method for ReportedState {
    const PATH: &'static str = "/slapos.put.v0.software_installation_reported_state";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let context = &asked.asker.context;
        let (url, computer_id) = (self.software_release_uri.0, self.computer_guid.0);
        let records = asked.of_known_computer(&computer_id)?;
        match self.reported_state.0 {
            Reported::Building => {
                BuildingSoftwareRelease { url, computer_id }.serve(context, records)?;
            }
            Reported::Done(SoftwareState::Available) => {
                AvailableSoftwareRelease { url, computer_id }.serve(context, records)?;
            }
            Reported::Done(SoftwareState::Destroyed) => {
                DestroyedSoftwareRelease { url, computer_id }.serve(context, records)?;
                return Ok(Done::new("Destroyed"));
            }
        }
        Ok(Done::new("Recorded"))
    }
}

/// A node could not install a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedError {
    computer_guid: Reference,
    software_release_uri: Release,
    message: Message,
}

impl Method for ReportedError {
    const PATH: &'static str = "/slapos.put.v0.software_installation_error";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let (url, computer_id) = (self.software_release_uri.0, self.computer_guid.0);
        let records = asked.of_known_computer(&computer_id)?;
        let call = SoftwareReleaseError {
            url,
            computer_id,
            error_log: Some(self.message.0),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Recorded"))
    }
}
