//! What a master of many nodes knows. To request a million instances one by one would take longer than
//! to measure.

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
    forget_versions(&connection)?;
    let transaction = connection.transaction()?;
    for node in 0..nodes {
        add_node(&transaction, node, partitions)?;
    }
    transaction.commit().context("cannot fill the database")
}

/// Slapproxy notes new versions of all that is there when it finds that nobody has noted any.
fn forget_versions(connection: &Connection) -> Result<()> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'version%'";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    for name in names.collect::<Result<Vec<String>, _>>()? {
        connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    Ok(())
}

fn add_node(connection: &Connection, node: usize, partitions: usize) -> Result<()> {
    let (computer, name) = (computer(node), instance(node));
    let sql = "INSERT INTO computer18 (reference) VALUES (?)";
    connection.prepare_cached(sql)?.execute([&computer])?;
    for partition in 0..partitions {
        let title = match partition {
            0 => name.clone(),
            other => format!("{name}-{other}"),
        };
        add_partition(connection, &computer, partition, &title)?;
    }
    Ok(())
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
