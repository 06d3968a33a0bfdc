//! How rows are read and written.

use super::Statements;
use crate::storage::engine::{self, Engine, Parameter, Row, parameters};
use crate::storage::{NetworkRow, PartitionRow, ReportRow, Result, SlaveRow, SoftwareRow};

/// The columns that [`partition`] reads.
const PARTITION_COLUMNS: &str = "reference, computer_reference, slap_state, software_release, xml, \
    connection_xml, slave_instance_list, software_type, partition_reference, requested_by, \
    requester_id, requested_state, timestamp";

/// The columns that [`slave`] reads.
pub(super) const SLAVE_COLUMNS: &str =
    "reference, computer_reference, connection_xml, hosted_by, requester_id";

impl<E: Engine> Statements<'_, E> {
    pub(super) fn rows<T>(
        &self,
        action: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl Fn(&dyn Row) -> engine::Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        let query = self.0.query(sql, parameters, &mut |row| {
            rows.push(read(row)?);
            Ok(())
        });
        query.map_err(|error| error.at(action))?;
        Ok(rows)
    }

    /// The first row of a query that finds one at most, or is limited to it.
    pub(super) fn row<T>(
        &self,
        action: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl Fn(&dyn Row) -> engine::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.rows(action, sql, parameters, read)?.pop())
    }

    pub(super) fn execute(
        &self,
        action: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<()> {
        self.count(action, sql, parameters).map(drop)
    }

    /// How many rows a statement writes.
    fn count(&self, action: &'static str, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        let written = self.0.execute(sql, parameters);
        written.map_err(|error| error.at(action))
    }

    /// The version that is made of the stamps of a computer.
    pub(super) fn stamp(&self, sql: &str, computer: &str) -> Result<Option<String>> {
        let computer = parameters![computer];
        let stamps = self.rows("cannot read a version", sql, computer, |row| {
            row.get::<i64>(0)
        })?;
        // Another one for each of them that is another one.
        let stamp = stamps.into_iter().reduce(|all, stamp| all ^ stamp);
        Ok(stamp.map(|stamp| format!("{stamp:x}")))
    }

    pub(super) fn partition_rows(
        &self,
        condition: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<PartitionRow>> {
        let sql = format!("SELECT {PARTITION_COLUMNS} FROM partition18 WHERE {condition}");
        self.rows("cannot read partitions", &sql, parameters, partition)
    }

    /// The first partition; the condition says which of several that is.
    pub(super) fn partition_row(
        &self,
        condition: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Option<PartitionRow>> {
        let sql = format!("SELECT {PARTITION_COLUMNS} FROM partition18 WHERE {condition}");
        self.row("cannot read a partition", &sql, parameters, partition)
    }

    /// Writes the columns of a partition that no index holds; whether it is there.
    pub(super) fn update_partition(&self, row: &PartitionRow) -> Result<bool> {
        let sql = "UPDATE partition18 SET software_release = $1, xml = $2, connection_xml = $3, \
            slave_instance_list = $4, software_type = $5, requester_id = $6, requested_state = $7, \
            timestamp = $8 WHERE reference = $9 AND computer_reference = $10";
        let parameters = parameters![
            row.software_release,
            row.xml,
            row.connection_xml,
            row.slave_instance_list,
            row.software_type,
            row.requester_id,
            row.requested_state,
            row.timestamp,
            row.reference,
            row.computer_reference,
        ];
        Ok(self.count("cannot write a partition", sql, parameters)? > 0)
    }

    pub(super) fn insert_partition(&self, row: &PartitionRow) -> Result<()> {
        let sql = format!(
            "INSERT INTO partition18 ({PARTITION_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        );
        let state = slap_state(row);
        let parameters = parameters![
            row.reference,
            row.computer_reference,
            state,
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

fn partition(row: &dyn Row) -> engine::Result<PartitionRow> {
    Ok(PartitionRow {
        reference: row.get(0)?,
        computer_reference: row.get(1)?,
        busy: row.get::<Option<String>>(2)?.as_deref() == Some("busy"),
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

pub(super) fn software(row: &dyn Row) -> engine::Result<SoftwareRow> {
    Ok(SoftwareRow {
        url: row.get(0)?,
        requested_state: row.get(1)?,
    })
}

pub(super) fn address(row: &dyn Row) -> engine::Result<NetworkRow> {
    Ok(NetworkRow {
        reference: row.get(0)?,
        address: row.get(1)?,
        netmask: row.get(2)?,
    })
}

pub(super) fn slave(row: &dyn Row) -> engine::Result<SlaveRow> {
    Ok(SlaveRow {
        reference: row.get(0)?,
        computer_reference: row.get(1)?,
        connection_xml: row.get(2)?,
        hosted_by: row.get(3)?,
        requester_id: row.get(4)?,
    })
}

pub(super) fn report(row: &dyn Row) -> engine::Result<ReportRow> {
    Ok(ReportRow {
        subject: row.get(0)?,
        state: row.get(1)?,
        message: row.get(2)?,
        time: row.get(3)?,
    })
}
