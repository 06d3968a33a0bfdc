//! The database of a master of many nodes. To request a million instances one by one would take longer
//! than to measure.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, params};

/// The computer of a node by its number.
pub(super) fn computer(node: usize) -> String {
    format!("COMP-{node}")
}

/// The name of the instance that is changed on a node; it is in its first partition.
pub(super) fn instance(node: usize) -> String {
    format!("instance-{node}")
}

/// Fills an empty database of slapproxy: an instance in each partition.
pub(super) fn fill(database: &Path, nodes: usize, partitions: usize) -> Result<()> {
    let mut connection = Connection::open(database)?;
    let transaction = connection.transaction()?;
    for node in 0..nodes {
        let (computer, name) = (computer(node), instance(node));
        let sql = "INSERT INTO computer18 (reference) VALUES (?)";
        transaction.prepare_cached(sql)?.execute([&computer])?;
        for partition in 0..partitions {
            let title = match partition {
                0 => name.clone(),
                other => format!("{name}-{other}"),
            };
            add_partition(&transaction, &computer, partition, &title)?;
        }
    }
    transaction.commit().context("cannot fill the database")
}

fn add_partition(
    connection: &Connection,
    computer: &str,
    partition: usize,
    title: &str,
) -> Result<()> {
    const PARAMETERS: &str = "<?xml version='1.0' encoding='utf-8'?>\n<instance>\n  \
        <parameter id=\"url\">https://[fd00::1]:8443/</parameter>\n  \
        <parameter id=\"user\">admin</parameter>\n  \
        <parameter id=\"backend\">postgresql://[fd00::1]:5432/db</parameter>\n</instance>\n";
    let reference = format!("slappart{partition}");
    let sql = "INSERT INTO partition18 (reference, computer_reference, slap_state, \
        software_release, xml, connection_xml, software_type, partition_reference, requester_id, \
        timestamp) VALUES (?1, ?2, 'busy', 'http://release.example/software.cfg', ?3, ?3, \
        'default', ?4, 'user', 1700000000)";
    let parameters = params![reference, computer, PARAMETERS, title];
    connection.prepare_cached(sql)?.execute(parameters)?;
    let sql = "INSERT INTO partition_network18 \
        (partition_reference, computer_reference, reference, address) VALUES (?, ?, ?, ?)";
    for address in [
        format!("10.0.0.{partition}"),
        format!("fd00::{partition:x}"),
    ] {
        let parameters = params![reference, computer, format!("slaptap{partition}"), address];
        connection.prepare_cached(sql)?.execute(parameters)?;
    }
    Ok(())
}
