//! The calls of the slap tool: requests to calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use slap_proto::calls::{self, Fields, Method};

use super::{Master, Shared, authority, respond};
use crate::MasterError;
use crate::caller::Speaker;
use crate::master::{Answer, Serve};
use crate::storage::Storage;

/// Each call at `/ENDPOINT`.
pub(super) fn routes<S: Storage>() -> Router<Shared<S>> {
    let router = Router::new();
    let router = route::<calls::GetFullComputerInformation, S>(router);
    let router = route::<calls::GetComputerInformation, S>(router);
    let router = route::<calls::RegisterComputerPartition, S>(router);
    let router = route::<calls::GetComputerPartitionCertificate, S>(router);
    let router = route::<calls::GetHostingSubscriptionIpList, S>(router);
    let router = route::<calls::GetComputerStatus, S>(router);
    let router = route::<calls::GetComputerPartitionStatus, S>(router);
    let router = route::<calls::GetRunId, S>(router);
    let router = route::<calls::GetSoftwareReleaseListFromSoftwareProduct, S>(router);
    let router = route::<calls::LoadComputerConfigurationFromXml, S>(router);
    let router = route::<calls::SupplySupply, S>(router);
    let router = route::<calls::RequestComputerPartition, S>(router);
    let router = route::<calls::BuildingSoftwareRelease, S>(router);
    let router = route::<calls::AvailableSoftwareRelease, S>(router);
    let router = route::<calls::DestroyedSoftwareRelease, S>(router);
    let router = route::<calls::SoftwareReleaseError, S>(router);
    let router = route::<calls::BuildingComputerPartition, S>(router);
    let router = route::<calls::AvailableComputerPartition, S>(router);
    let router = route::<calls::StartedComputerPartition, S>(router);
    let router = route::<calls::StoppedComputerPartition, S>(router);
    let router = route::<calls::DestroyedComputerPartition, S>(router);
    let router = route::<calls::SoftwareInstanceError, S>(router);
    let router = route::<calls::SoftwareInstanceBang, S>(router);
    let router = route::<calls::SoftwareInstanceRename, S>(router);
    let router = route::<calls::SetComputerPartitionConnectionXml, S>(router);
    let router = route::<calls::UpdateComputerPartitionRelatedInstanceList, S>(router);
    let router = route::<calls::ComputerBang, S>(router);
    route::<calls::UseComputer, S>(router)
}

fn route<C: Serve, S: Storage>(router: Router<Shared<S>>) -> Router<Shared<S>> {
    let handler: MethodRouter<Shared<S>> = match C::METHOD {
        Method::Get => get(
            async |State(master): State<Shared<S>>,
                   speaker: Speaker,
                   RawQuery(query): RawQuery,
                   headers: HeaderMap| {
                let form = query.unwrap_or_default().into_bytes().into();
                answer::<C, S>(master, speaker, headers, form).await
            },
        ),
        Method::Post => post(
            async |State(master): State<Shared<S>>,
                   speaker: Speaker,
                   headers: HeaderMap,
                   form: Bytes| {
                answer::<C, S>(master, speaker, headers, form).await
            },
        ),
    };
    // Clients of 0.27 put a slash between the master's path and the call, whether or not the path
    // ends in one.
    let twice = format!("//{}", C::ENDPOINT);
    router
        .route(&twice[1..], handler.clone())
        .route(&twice, handler)
}

/// One request. Who writes waits for the disk, on a thread made for that. Who reads waits for
/// nobody, and is done before another thread would have begun; as there is a thread for each
/// processor, more at once would take more memory and no less time.
async fn answer<C: Serve, S: Storage>(
    master: Shared<S>,
    speaker: Speaker,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    if !C::WRITES {
        return perform::<C, S>(&master, &speaker, &headers, &form);
    }
    respond::on_blocking_thread(C::ENDPOINT, move || {
        perform::<C, S>(&master, &speaker, &headers, &form)
    })
    .await
}

fn perform<C: Serve, S: Storage>(
    master: &Master<S>,
    speaker: &Speaker,
    headers: &HeaderMap,
    form: &[u8],
) -> Response {
    let response =
        serve_call::<C, S>(master, speaker, headers, form).and_then(respond::to_response);
    let response = response.unwrap_or_else(|error| respond::failure(C::ENDPOINT, &error));
    log::debug!("{} {}", C::ENDPOINT, response.status().as_u16());
    response
}

fn serve_call<C: Serve, S: Storage>(
    master: &Master<S>,
    speaker: &Speaker,
    headers: &HeaderMap,
    form: &[u8],
) -> Result<Answer, MasterError> {
    let context = master.context(headers)?;
    let fields = Fields::from_urlencoded(form)?;
    authority::check_call::<C>(speaker, &fields, context.identity.as_ref())?;
    let call = C::from_fields(&fields)?;
    if let Some(answer) = call.elsewhere(&context, &master.storage)? {
        return Ok(answer);
    }
    if C::WRITES {
        master
            .storage
            .write(|records| call.serve(&context, records))
    } else {
        master.storage.read(|records| call.serve(&context, records))
    }
}
