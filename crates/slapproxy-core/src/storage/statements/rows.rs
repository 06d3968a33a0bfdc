//! How rows are read and written.

use rusqlite::{OptionalExtension, Params, Row, params};

use super::Statements;
use crate::storage::{NetworkRow, PartitionRow, ReportRow, Result, SlaveRow, StorageError};

/// The columns that [`partition`] reads.
const PARTITION_COLUMNS: &str = "reference, computer_reference, slap_state, software_release, xml, \
    connection_xml, slave_instance_list, software_type, partition_reference, requested_by, \
    requester_id, requested_state, timestamp";

/// The columns that [`slave`] reads.
pub(super) const SLAVE_COLUMNS: &str =
    "reference, computer_reference, connection_xml, hosted_by, requester_id";

impl Statements<'_> {
    pub(super) fn rows<T>(
        &self,
        action: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let query = || {
            self.0
                .prepare_cached(sql)?
                .query_map(parameters, read)?
                .collect::<rusqlite::Result<_>>()
        };
        query().map_err(|source| StorageError { action, source })
    }

    pub(super) fn row<T>(
        &self,
        action: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let query = || {
            self.0
                .prepare_cached(sql)?
                .query_row(parameters, read)
                .optional()
        };
        query().map_err(|source| StorageError { action, source })
    }

    pub(super) fn execute(
        &self,
        action: &'static str,
        sql: &str,
        parameters: impl Params,
    ) -> Result<()> {
        let execute = || self.0.prepare_cached(sql)?.execute(parameters);
        execute()
            .map(drop)
            .map_err(|source| StorageError { action, source })
    }

    pub(super) fn partition_rows(
        &self,
        condition: &str,
        parameters: impl Params,
    ) -> Result<Vec<PartitionRow>> {
        let sql = format!("SELECT {PARTITION_COLUMNS} FROM partition18 WHERE {condition}");
        self.rows("cannot read partitions", &sql, parameters, partition)
    }

    pub(super) fn partition_row(
        &self,
        condition: &str,
        parameters: impl Params,
    ) -> Result<Option<PartitionRow>> {
        let sql = format!("SELECT {PARTITION_COLUMNS} FROM partition18 WHERE {condition} LIMIT 1");
        self.row("cannot read a partition", &sql, parameters, partition)
    }

    /// Writes the columns of a partition that no index holds; whether it is there.
    pub(super) fn update_partition(&self, row: &PartitionRow) -> Result<bool> {
        let sql = "UPDATE partition18 SET software_release = ?3, xml = ?4, connection_xml = ?5, \
            slave_instance_list = ?6, software_type = ?7, requester_id = ?8, requested_state = ?9, \
            timestamp = ?10 WHERE reference = ?1 AND computer_reference = ?2";
        let parameters = params![
            row.reference,
            row.computer_reference,
            row.software_release,
            row.xml,
            row.connection_xml,
            row.slave_instance_list,
            row.software_type,
            row.requester_id,
            row.requested_state,
            row.timestamp,
        ];
        let update = || self.0.prepare_cached(sql)?.execute(parameters);
        let action = "cannot write a partition";
        let count = update().map_err(|source| StorageError { action, source })?;
        Ok(count > 0)
    }

    pub(super) fn insert_partition(&self, row: &PartitionRow) -> Result<()> {
        let sql = format!(
            "INSERT INTO partition18 ({PARTITION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        );
        let parameters = params![
            row.reference,
            row.computer_reference,
            slap_state(row),
            row.software_release,
            row.xml,
            row.connection_xml,
            row.slave_instance_list,
            row.software_type,
            row.partition_reference,
            row.requested_by,
            row.requester_id,
            row.requested_state,
            row.timestamp,
        ];
        self.execute("cannot add a partition", &sql, parameters)
    }
}

pub(super) fn slap_state(row: &PartitionRow) -> &'static str {
    if row.busy { "busy" } else { "free" }
}

fn partition(row: &Row<'_>) -> rusqlite::Result<PartitionRow> {
    Ok(PartitionRow {
        reference: row.get(0)?,
        computer_reference: row.get(1)?,
        busy: row.get::<_, Option<String>>(2)?.as_deref() == Some("busy"),
        software_release: row.get(3)?,
        xml: row.get(4)?,
        connection_xml: row.get(5)?,
        slave_instance_list: row.get(6)?,
        software_type: row.get(7)?,
        partition_reference: row.get(8)?,
        requested_by: row.get(9)?,
        requester_id: row.get(10)?,
        requested_state: row.get(11)?,
        timestamp: row.get(12)?,
    })
}

pub(super) fn address(row: &Row<'_>) -> rusqlite::Result<NetworkRow> {
    Ok(NetworkRow {
        reference: row.get(0)?,
        address: row.get(1)?,
        netmask: row.get(2)?,
    })
}

pub(super) fn slave(row: &Row<'_>) -> rusqlite::Result<SlaveRow> {
    Ok(SlaveRow {
        reference: row.get(0)?,
        computer_reference: row.get(1)?,
        connection_xml: row.get(2)?,
        hosted_by: row.get(3)?,
        requester_id: row.get(4)?,
    })
}

pub(super) fn report(row: &Row<'_>) -> rusqlite::Result<ReportRow> {
    Ok(ReportRow {
        subject: row.get(0)?,
        state: row.get(1)?,
        message: row.get(2)?,
        time: row.get(3)?,
    })
}
