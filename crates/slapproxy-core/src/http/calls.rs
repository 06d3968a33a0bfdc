//! The calls of the slap tool: requests to calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use slap_proto::calls::{self, Fields, Method};

use super::{Master, Shared, authority, respond, versioned};
use crate::MasterError;
use crate::caller::Speaker;
use crate::master::{Answer, Context, Serve};
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

/// Longest form that is read by the task itself, in bytes; to read a longer one takes its time.
const SHORT_FORM: usize = 256 << 10;

/// One request. What waits for the database alone is done by the task itself: a read is over before
/// another thread would have begun, and a write awaits its commit. Whatever may take longer is done
/// on a thread made for that.
async fn answer<C: Serve, S: Storage>(
    master: Shared<S>,
    speaker: Speaker,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    if form.len() <= SHORT_FORM {
        match read::<C, S>(&master, &speaker, &headers, &form) {
            Ok((call, context)) if call.may_be_elsewhere(&context) => {}
            Ok((call, context)) => {
                let served = serve(&master, &context, &headers, call).await;
                return respond_to(C::ENDPOINT, served);
            }
            Err(error) => return respond_to(C::ENDPOINT, Err(error)),
        }
    }
    respond::on_blocking_thread(C::ENDPOINT, move || {
        let served = serve_slowly::<C, S>(&master, &speaker, &headers, &form);
        respond_to(C::ENDPOINT, served.and_then(respond::to_response))
    })
    .await
}

fn respond_to(call: &'static str, served: Result<Response, MasterError>) -> Response {
    let response = served.unwrap_or_else(|error| respond::failure(call, &error));
    log::debug!("{call} {}", response.status().as_u16());
    response
}

/// The call in a request, if its sender may make it, and what there is to know beside.
fn read<'a, C: Serve, S: Storage>(
    master: &'a Master<S>,
    speaker: &Speaker,
    headers: &'a HeaderMap,
    form: &[u8],
) -> Result<(C, Context<'a>), MasterError> {
    let context = master.context(headers)?;
    let fields = Fields::from_urlencoded(form)?;
    let call = C::from_fields(&fields)?;
    authority::check_call(speaker, &call, context.identity.as_ref())?;
    Ok((call, context))
}

/// A call that is for us, as a part of the task.
async fn serve<C: Serve, S: Storage>(
    master: &Master<S>,
    context: &Context<'_>,
    headers: &HeaderMap,
    call: C,
) -> Result<Response, MasterError> {
    if !C::WRITES {
        return versioned::serve(master, context, headers, call).await;
    }
    let written = master
        .storage
        .write_async(|records| call.clone().serve(context, records));
    respond::to_response(written.await?)
}

/// A call that may be for others, or is long.
fn serve_slowly<C: Serve, S: Storage>(
    master: &Master<S>,
    speaker: &Speaker,
    headers: &HeaderMap,
    form: &[u8],
) -> Result<Answer, MasterError> {
    let (call, context) = read::<C, S>(master, speaker, headers, form)?;
    let storage = &master.storage;
    match call.elsewhere(&context, storage)? {
        Some(answer) => Ok(answer),
        None if C::WRITES => storage.write(|records| call.clone().serve(&context, records)),
        None => storage.read(|records| call.clone().serve(&context, records)),
    }
}
