//! How the node is, as text.

use slapgrid_core::status::{NodeStatus, PartitionStatus};
use slapos_cli::printable;

/// Before what follows a line feed in a name or message: deeper than any line of ours.
const CONTINUATION: &str = "        ";

/// A line for supervisord where it does not answer, one for each partition, and one for each thing
/// that is not as it should be. Names and messages are the instances': nothing in them commands the
/// terminal or passes for another line.
pub(crate) fn text(status: &NodeStatus) -> String {
    let supervisord = status.supervisord_error.iter();
    let supervisord = supervisord.map(|error| format!("supervisord does not answer: {error}"));
    let partitions = status.partitions.iter().flat_map(lines);
    supervisord
        .chain(partitions)
        .map(|line| printable(&line, CONTINUATION).into_owned() + "\n")
        .collect()
}

fn lines(partition: &PartitionStatus) -> Vec<String> {
    let mut lines = vec![summary(partition)];
    let error = partition.error.iter();
    lines.extend(error.map(|error| format!("    {error}")));
    let services = partition.services.iter().filter(|service| !service.runs);
    lines.extend(services.map(|service| {
        let (name, description) = (&service.name, &service.description);
        format!("    service {name}: {description}")
    }));
    let promises = partition.promises.iter();
    let broken = promises.filter(|promise| promise.kept == Some(false));
    lines.extend(broken.map(|promise| {
        let first = promise.message.lines().next().unwrap_or_default();
        format!("    promise {}: {first}", promise.name)
    }));
    lines
}

fn summary(partition: &PartitionStatus) -> String {
    let processed = match partition.processed_seconds_ago {
        Some(seconds) => format!("processed {} min ago", seconds / 60),
        None => "to be processed".to_owned(),
    };
    let (services, promises) = (&partition.services, &partition.promises);
    let running = services.iter().filter(|service| service.runs).count();
    let kept = promises.iter().filter(|promise| promise.kept == Some(true));
    format!(
        "{}: {processed}, services: {running} of {} well, promises: {} of {} kept",
        partition.reference,
        services.len(),
        kept.count(),
        promises.len()
    )
}
