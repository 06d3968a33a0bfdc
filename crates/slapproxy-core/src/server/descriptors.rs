//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a connection may need: itself, a file, and those of a connection to the database.
const FOR_EACH: u64 = 5;
/// What the server has open besides.
const BESIDES: u64 = 100;

/// Raises the limit to what so many connections may need, as far as the system allows. Few systems
/// allow too little for the default number.
pub(super) fn allow(connections: usize) {
    let wanted = FOR_EACH * connections as u64 + BESIDES;
    let limit = getrlimit(Resource::Nofile);
    let allowed = |bound: Option<u64>| bound.is_none_or(|bound| bound >= wanted);
    if allowed(limit.current) {
        return;
    }
    if !allowed(limit.maximum) {
        log::warn!(
            "{connections} connections may need {wanted} open files, and the system allows {} \
             (see max_connections)",
            limit.maximum.unwrap_or_default()
        );
    }
    let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit {
        current: Some(current),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::warn!("the number of open files cannot be raised to {current}: {error}");
    }
}
