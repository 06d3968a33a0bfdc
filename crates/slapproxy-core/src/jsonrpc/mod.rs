//! The JSON-RPC methods of today's masters: `POST /slapos.VERB.v0.SUBJECT`.
//!
//! A method is a type whose fields are its parameters. It adds nothing to what a master does: it
//! finds what its parameters name, has the call of `slap_proto::calls` that does the same carried
//! out, and tells the outcome as JSON. `openapi.json` says the same for people and generators; the
//! tests hold both together.

mod answers;
mod asked;
mod computer;
mod exchange;
mod installation;
mod instance;
mod lists;
mod problem;
mod reports;
mod request;
#[cfg(test)]
mod speakers;
mod text;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::asked::{Asked, Asker};
use crate::MasterError;
use crate::http::Shared;
use crate::storage::Storage;

/// Where the description of the methods is served.
const DESCRIPTION_PATH: &str = "/openapi.json";
/// The description itself.
const DESCRIPTION: &str = include_str!("openapi.json");

/// A method that this master serves.
trait Method: DeserializeOwned + Clone + Send + Sync + 'static {
    /// Its path.
    const PATH: &'static str;
    /// Whether it changes the database.
    const WRITES: bool;
    /// What it answers.
    type Answer: Serialize + Send;

    /// Whether another master may have to be asked, which is not for the task to wait for.
    fn may_be_elsewhere(&self, _: &Asker<'_>) -> bool {
        false
    }

    /// What another master answers, asked while nothing holds the database; `None` if the method is
    /// for us.
    fn elsewhere<S: Storage>(
        &self,
        _: &Asker<'_>,
        _: &S,
    ) -> Result<Option<Self::Answer>, MasterError> {
        Ok(None)
    }

    /// Does it.
    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError>;

    /// The status of an answer. An error undoes what was changed; a refusal that must not is an
    /// answer with another status.
    fn status(_: &Self::Answer) -> StatusCode {
        StatusCode::OK
    }
}

/// Every method, and the description of all.
pub(crate) fn routes<S: Storage>() -> Router<Shared<S>> {
    let description = ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION);
    let router = Router::new().route(DESCRIPTION_PATH, get(description));
    let router = route::<computer::Format, S>(router);
    let router = route::<computer::Bang, S>(router);
    let router = route::<computer::Status, S>(router);
    let router = route::<computer::Usage, S>(router);
    let router = route::<computer::NewCertificate, S>(router);
    let router = route::<computer::RemoveCertificate, S>(router);
    let router = route::<installation::Supply, S>(router);
    let router = route::<installation::ReportedState, S>(router);
    let router = route::<installation::ReportedError, S>(router);
    let router = route::<request::SoftwareInstance, S>(router);
    let router = route::<instance::Get, S>(router);
    let router = route::<instance::OfPartition, S>(router);
    let router = route::<instance::Tree, S>(router);
    let router = route::<instance::Certificate, S>(router);
    let router = route::<instance::Bang, S>(router);
    let router = route::<instance::Rename, S>(router);
    let router = route::<instance::Publish, S>(router);
    let router = route::<reports::State, S>(router);
    let router = route::<reports::Error, S>(router);
    let router = route::<lists::Installations, S>(router);
    let router = route::<lists::Instances, S>(router);
    let router = route::<lists::Shares, S>(router);
    let router = route::<lists::Trees, S>(router);
    let router = route::<lists::Computers, S>(router);
    route::<lists::HateoasUrl, S>(router)
}

fn route<M: Method, S: Storage>(router: Router<Shared<S>>) -> Router<Shared<S>> {
    router.route(M::PATH, exchange::handler::<M, S>())
}
