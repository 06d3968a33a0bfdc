//! Frontends without a frontend: a request for a share of a frontend of two well-known releases is
//! answered with the URL that the frontend would lead to. So software that always asks for a
//! frontend can be tried on a master without one.

use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::{Attributes, InstanceState, SoftwareInstance};
use slap_proto::instance_xml;
use slap_proto::marshal::Value;

use super::request::DEFAULT_TYPE;

/// Frontends of web servers.
const WEB_RELEASE: &str =
    "http://git.erp5.org/gitweb/slapos.git/blob_plain/HEAD:/software/apache-frontend/software.cfg";
/// Frontends of the screens of virtual machines, of the type below.
const SCREEN_RELEASE: &str = "http://git.erp5.org/gitweb/slapos.git/blob_plain/refs/tags/slapos-0.92:/software/kvm/software.cfg";
const SCREEN_TYPE: &str = "frontend";
/// The default type in the words of old clients.
const OLD_DEFAULT_TYPE: &str = "RootSoftwareInstance";

/// The answer, if the request is for a share of such a frontend and says what it shall lead to.
pub(super) fn bypass(call: &RequestComputerPartition) -> Option<SoftwareInstance> {
    if !call.shared {
        return None;
    }
    let software_type = call.software_type.as_deref().unwrap_or(DEFAULT_TYPE);
    let is_default = matches!(software_type, DEFAULT_TYPE | OLD_DEFAULT_TYPE);
    let connection = match call.software_release.as_str() {
        WEB_RELEASE if is_default => web(&call.partition_parameter_dict)?,
        SCREEN_RELEASE if software_type == SCREEN_TYPE => screen(&call.partition_parameter_dict)?,
        _ => return None,
    };
    let state = call.state.as_deref();
    let state = state.unwrap_or(InstanceState::Started.as_str());
    log::info!(
        "no frontend for {}: told its target",
        call.partition_reference
    );
    Some(SoftwareInstance {
        // It is on no computer. A client that is told its state need not ask us for it.
        computer_id: Some(String::new()),
        partition_id: Some(String::new()),
        requested_state: Some(state.to_owned()),
        connection_xml: instance_xml::to_xml(&connection).ok(),
        connection_dict: connection,
        ..SoftwareInstance::default()
    })
}

fn web(parameters: &Attributes) -> Option<Attributes> {
    let url = text(parameters, "url")?;
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let domain = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(connection([
        ("domain", domain.to_owned()),
        ("secure_access", url.clone()),
    ]))
}

fn screen(parameters: &Attributes) -> Option<Attributes> {
    let port = text(parameters, "port")?;
    let host = text(parameters, "host")?;
    let is_bare = host.contains(':') && !host.starts_with('[');
    let host = if is_bare { format!("[{host}]") } else { host };
    Some(connection([
        ("url", format!("https://{host}:{port}/")),
        ("domainname", host),
        ("port", port),
        ("path", "/".to_owned()),
    ]))
}

fn text(parameters: &Attributes, name: &str) -> Option<String> {
    let value = parameters.get(name).filter(|value| value.is_truthy())?;
    matches!(value, Value::String(_) | Value::Int(_)).then(|| value.to_text())
}

fn connection<const N: usize>(pairs: [(&str, String); N]) -> Attributes {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect()
}
