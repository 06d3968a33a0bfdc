//! Requests that another master answers, or the target of a frontend itself.
//!
//! Nothing here holds the database while another master is asked.

use slap_client::{ClientError, InstanceRequest};
use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::{InstanceState, SoftwareInstance};
use slap_proto::marshal::Value;

use super::request::requester;
use super::{Context, frontend};
use crate::MasterError;
use crate::multimaster::{Remote, RemoteError, foreign_run_id};
use crate::storage::{Records, Storage};

/// Longest name under which a request is forwarded, in bytes. Masters that forward to each other
/// in a circle make it longer each time, and end here.
const LONGEST_REFERENCE: usize = 255;

/// Whether a request may be for others. Most are for us, and lose no time.
pub(crate) fn may_be_elsewhere(call: &RequestComputerPartition, context: &Context<'_>) -> bool {
    named_url(call).is_some()
        || context.remotes.of_release(&call.software_release).is_some()
        || frontend::bypass(call).is_some()
}

/// The master that the request itself names.
fn named_url(call: &RequestComputerPartition) -> Option<String> {
    let url = call.filter_dict.get("master_url");
    url.filter(|url| url.is_truthy()).map(Value::to_text)
}

/// What others answer to a request; `None` where this master shall allocate, or has done so before.
pub(crate) fn elsewhere<S: Storage>(
    call: &RequestComputerPartition,
    context: &Context<'_>,
    storage: &S,
) -> Result<Option<SoftwareInstance>, MasterError> {
    if !may_be_elsewhere(call, context) {
        return Ok(None);
    }
    let Some(reference) = storage.read(|records| reference(call, context, records))? else {
        return Ok(None);
    };
    let remote = match named_url(call) {
        Some(url) => named(&url, context)?,
        None => another(context.remotes.of_release(&call.software_release), context)?,
    };
    match remote {
        Some(remote) => forward(call, remote, &reference, storage).map(Some),
        None => Ok(frontend::bypass(call)),
    }
}

/// The requester's name of the instance for other masters; `None` if this one has it already.
fn reference(
    call: &RequestComputerPartition,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<Option<String>, MasterError> {
    let requester = requester(context, records, call)?;
    let is_here = if call.shared {
        let slave = format!("{}_{}", requester.root, call.partition_reference);
        records.slave(&slave)?.is_some()
    } else {
        let name = &call.partition_reference;
        records.instance(name, &requester.root)?.is_some()
    };
    Ok((!is_here).then(|| format!("{}_{}", requester.id, call.partition_reference)))
}

/// The master of a URL; `None` for ourselves.
fn named<'a>(url: &str, context: &Context<'a>) -> Result<Option<&'a Remote>, MasterError> {
    if context.is_own_url(url) {
        return Ok(None);
    }
    if let Some(remote) = context.remotes.of_url(url) {
        return another(Some(remote), context);
    }
    // We may be reached under names that nobody told us.
    match foreign_run_id(url) {
        Ok(run_id) if run_id == context.run_id => Ok(None),
        _ => Err(MasterError::NotFound(format!(
            "no section [multimaster/URL] lists the master {url}"
        ))),
    }
}

/// The same master unless it is ourselves. One that does not know the question is another.
fn another<'a>(
    remote: Option<&'a Remote>,
    context: &Context<'_>,
) -> Result<Option<&'a Remote>, MasterError> {
    let Some(remote) = remote else {
        return Ok(None);
    };
    match remote.run_id() {
        Ok(run_id) if run_id == context.run_id => Ok(None),
        Err(source) if source.is_unreachable() => {
            Err(MasterError::of_remote(remote.shown_url(), source))
        }
        _ => Ok(Some(remote)),
    }
}

fn forward<S: Storage>(
    call: &RequestComputerPartition,
    remote: &Remote,
    reference: &str,
    storage: &S,
) -> Result<SoftwareInstance, MasterError> {
    if reference.len() > LONGEST_REFERENCE {
        return Err(MasterError::BadRequest(format!(
            "the name is too long to be forwarded; do masters forward to each other in a circle? \
             {reference:.LONGEST_REFERENCE$}"
        )));
    }
    log::info!("forwarding {reference} to {}", remote.shown_url());
    let answer = remote.request(&request(call, remote, reference));
    let is_gone = call.state.as_deref() == Some(InstanceState::Destroyed.as_str());
    let is_taken = matches!(
        answer,
        Ok(_) | Err(RemoteError::Call(ClientError::ResourceNotReady { .. }))
    );
    if is_taken {
        let url = remote.url();
        storage.write(|records| match is_gone {
            true => Ok(records.remove_forwarded(reference, url)?),
            false => Ok(records.put_forwarded(reference, url)?),
        })?;
    }
    answer.map_err(|source| MasterError::of_remote(remote.shown_url(), source))
}

/// The same request in another name.
fn request(call: &RequestComputerPartition, remote: &Remote, reference: &str) -> InstanceRequest {
    let mut filter = call.filter_dict.clone();
    if remote.sees_a_user() {
        let reference = Value::from(reference);
        filter.insert("source_instance_id".to_owned(), reference);
    }
    let mut request = InstanceRequest::new(&call.software_release, reference);
    request.software_type.clone_from(&call.software_type);
    request
        .parameters
        .clone_from(&call.partition_parameter_dict);
    request.filter = filter;
    request.state.clone_from(&call.state);
    request.shared = call.shared;
    request
}
