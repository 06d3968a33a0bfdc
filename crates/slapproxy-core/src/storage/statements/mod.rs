//! Every SQL statement of the master.

mod rows;

use rusqlite::{Connection, params};

use super::{
    ComputerRow, NetworkRow, PartitionRow, Records, ReportKind, ReportRow, Result, SlaveRow,
    SoftwareRow, StateCount, UnrequestedRow,
};
use rows::{SLAVE_COLUMNS, address, report, slap_state, slave};

/// The rows of one transaction.
pub(super) struct Statements<'a>(pub(super) &'a Connection);

/// Runs a statement without parameters, such as one that begins or ends a transaction.
pub(super) fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

impl Records for Statements<'_> {
    fn has_computer(&self, reference: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM computer18 WHERE reference = ?";
        let found = self.row("cannot read computers", sql, [reference], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn set_computer(
        &self,
        reference: &str,
        address: Option<&str>,
        netmask: Option<&str>,
    ) -> Result<()> {
        let sql =
            "INSERT OR REPLACE INTO computer18 (reference, address, netmask) VALUES (?, ?, ?)";
        self.execute(
            "cannot write a computer",
            sql,
            params![reference, address, netmask],
        )
    }

    fn computers(&self) -> Result<Vec<ComputerRow>> {
        let sql = "SELECT reference, address, netmask, 1 FROM computer18 UNION ALL \
            SELECT computer_reference, NULL, NULL, 0 FROM \
            (SELECT computer_reference FROM software18 UNION SELECT computer_reference FROM partition18) \
            WHERE computer_reference NOT IN (SELECT reference FROM computer18)";
        self.rows("cannot read computers", sql, [], |row| {
            Ok(ComputerRow {
                reference: row.get(0)?,
                address: row.get(1)?,
                netmask: row.get(2)?,
                described: row.get(3)?,
            })
        })
    }

    fn software(&self, computer: &str) -> Result<Vec<SoftwareRow>> {
        let sql = "SELECT url, requested_state FROM software18 WHERE computer_reference = ? ORDER BY rowid";
        self.rows("cannot read releases", sql, [computer], |row| {
            Ok(SoftwareRow {
                url: row.get(0)?,
                requested_state: row.get(1)?,
            })
        })
    }

    fn set_software(&self, computer: &str, url: &str, state: &str) -> Result<()> {
        let sql = "INSERT INTO software18 (url, computer_reference, requested_state) VALUES (?, ?, ?) \
            ON CONFLICT (url, computer_reference) DO UPDATE SET requested_state = excluded.requested_state";
        self.execute("cannot write a release", sql, params![url, computer, state])
    }

    fn remove_software(&self, computer: &str, url: &str) -> Result<()> {
        let sql = "DELETE FROM software18 WHERE url = ? AND computer_reference = ?";
        self.execute("cannot remove a release", sql, [url, computer])
    }

    fn release_urls(&self) -> Result<Vec<String>> {
        let sql = "SELECT url FROM software18 WHERE url IS NOT NULL \
            UNION SELECT software_release FROM partition18 WHERE software_release IS NOT NULL";
        self.rows("cannot read releases", sql, [], |row| row.get(0))
    }

    fn move_release(&self, from: &str, to: &str) -> Result<()> {
        const ACTION: &str = "cannot move a release";
        // Known by both URLs already, it keeps the row of the one that moves.
        let sql = "UPDATE OR REPLACE software18 SET url = ? WHERE url = ?";
        self.execute(ACTION, sql, [to, from])?;
        // Nodes will install it anew under its new URL.
        let sql = "DELETE FROM report18 WHERE kind = ? AND subject = ?";
        self.execute(ACTION, sql, [ReportKind::Software.as_str(), from])?;
        let sql = "UPDATE partition18 SET software_release = ? WHERE software_release = ?";
        self.execute(ACTION, sql, [to, from])
    }

    fn config(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM config18 WHERE name = ?";
        let value = self.row("cannot read a setting", sql, [name], |row| row.get(0))?;
        Ok(value.flatten())
    }

    fn set_config(&self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO config18 (name, value) VALUES (?, ?)";
        self.execute("cannot write a setting", sql, [name, value])
    }

    fn put_forwarded(&self, reference: &str, master_url: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO forwarded_partition_request18 \
            (partition_reference, master_url) VALUES (?, ?)";
        let action = "cannot write a forwarded request";
        self.execute(action, sql, [reference, master_url])
    }

    fn remove_forwarded(&self, reference: &str, master_url: &str) -> Result<()> {
        let sql = "DELETE FROM forwarded_partition_request18 \
            WHERE partition_reference = ? AND master_url = ?";
        let action = "cannot remove a forwarded request";
        self.execute(action, sql, [reference, master_url])
    }

    fn partitions(&self, computer: &str) -> Result<Vec<PartitionRow>> {
        self.partition_rows("computer_reference = ? ORDER BY rowid", [computer])
    }

    fn partition(&self, computer: &str, reference: &str) -> Result<Option<PartitionRow>> {
        self.partition_row(
            "reference = ? AND computer_reference = ?",
            [reference, computer],
        )
    }

    fn namesakes(&self, reference: &str) -> Result<Vec<PartitionRow>> {
        self.partition_rows("reference = ?", [reference])
    }

    fn instance(&self, name: &str, root: &str) -> Result<Option<PartitionRow>> {
        let condition = "partition_reference = ? AND requested_by = ? AND slap_state = 'busy'";
        self.partition_row(condition, [name, root])
    }

    fn children(&self, root: &str) -> Result<Vec<PartitionRow>> {
        let condition = "requested_by = ? AND slap_state = 'busy' ORDER BY partition_reference";
        self.partition_rows(condition, [root])
    }

    fn roots(&self) -> Result<Vec<PartitionRow>> {
        self.partition_rows(
            "requested_by = '' AND slap_state = 'busy' ORDER BY rowid",
            [],
        )
    }

    fn free_partition(&self, computer: &str) -> Result<Option<PartitionRow>> {
        let condition = "slap_state = 'free' AND computer_reference = ? ORDER BY rowid";
        self.partition_row(condition, [computer])
    }

    fn hosts(
        &self,
        computer: &str,
        release: &str,
        software_type: Option<&str>,
    ) -> Result<Vec<PartitionRow>> {
        let condition = "computer_reference = ?1 AND slap_state = 'busy' AND software_release = ?2 \
            AND (?3 IS NULL OR software_type = ?3) ORDER BY rowid";
        self.partition_rows(condition, params![computer, release, software_type])
    }

    fn put_partition(&self, row: &PartitionRow) -> Result<()> {
        if !self.update_partition(row)? {
            return self.insert_partition(row);
        }
        // Apart, as SQLite rewrites the indexes of what it is told to set, changed or not.
        let sql = "UPDATE partition18 SET slap_state = ?3, partition_reference = ?4, requested_by = ?5 \
            WHERE reference = ?1 AND computer_reference = ?2 \
            AND (slap_state, partition_reference, requested_by) IS NOT (?3, ?4, ?5)";
        let parameters = params![
            row.reference,
            row.computer_reference,
            slap_state(row),
            row.partition_reference,
            row.requested_by,
        ];
        self.execute("cannot write a partition", sql, parameters)
    }

    fn remove_partition(&self, computer: &str, reference: &str) -> Result<()> {
        self.set_network(computer, reference, &[])?;
        self.remove_report(ReportKind::Instance, computer, reference)?;
        self.remove_unrequested(computer, reference)?;
        let sql = "DELETE FROM partition18 WHERE computer_reference = ? AND reference = ?";
        self.execute("cannot remove a partition", sql, [computer, reference])
    }

    fn addresses(&self, computer: &str) -> Result<Vec<(String, NetworkRow)>> {
        let sql = "SELECT reference, address, netmask, partition_reference FROM partition_network18 \
            WHERE computer_reference = ? ORDER BY rowid";
        self.rows("cannot read addresses", sql, [computer], |row| {
            Ok((row.get(3)?, address(row)?))
        })
    }

    fn network(&self, computer: &str, partition: &str) -> Result<Vec<NetworkRow>> {
        let sql = "SELECT reference, address, netmask FROM partition_network18 \
            WHERE computer_reference = ? AND partition_reference = ? ORDER BY rowid";
        self.rows("cannot read addresses", sql, [computer, partition], address)
    }

    fn set_network(&self, computer: &str, partition: &str, addresses: &[NetworkRow]) -> Result<()> {
        const ACTION: &str = "cannot write addresses";
        let sql = "DELETE FROM partition_network18 WHERE computer_reference = ? AND partition_reference = ?";
        self.execute(ACTION, sql, [computer, partition])?;
        let sql = "INSERT INTO partition_network18 \
            (computer_reference, partition_reference, reference, address, netmask) VALUES (?, ?, ?, ?, ?)";
        for row in addresses {
            let parameters = params![computer, partition, row.reference, row.address, row.netmask];
            self.execute(ACTION, sql, parameters)?;
        }
        Ok(())
    }

    fn slaves(&self, computer: &str) -> Result<Vec<SlaveRow>> {
        let sql = format!(
            "SELECT {SLAVE_COLUMNS} FROM slave18 WHERE computer_reference = ? ORDER BY rowid"
        );
        self.rows("cannot read slaves", &sql, [computer], slave)
    }

    fn slaves_of(&self, requester: &str) -> Result<Vec<SlaveRow>> {
        let sql = format!("SELECT {SLAVE_COLUMNS} FROM slave18 WHERE requester_id = ?");
        self.rows("cannot read slaves", &sql, [requester], slave)
    }

    fn slave(&self, reference: &str) -> Result<Option<SlaveRow>> {
        let sql = format!("SELECT {SLAVE_COLUMNS} FROM slave18 WHERE reference = ? LIMIT 1");
        self.row("cannot read a slave", &sql, [reference], slave)
    }

    fn put_slave(&self, row: &SlaveRow) -> Result<()> {
        self.remove_slave(&row.reference)?;
        let sql = format!("INSERT INTO slave18 ({SLAVE_COLUMNS}) VALUES (?, ?, ?, ?, ?)");
        let parameters = params![
            row.reference,
            row.computer_reference,
            row.connection_xml,
            row.hosted_by,
            row.requester_id
        ];
        self.execute("cannot write a slave", &sql, parameters)
    }

    fn remove_slave(&self, reference: &str) -> Result<()> {
        self.execute(
            "cannot remove a slave",
            "DELETE FROM slave18 WHERE reference = ?",
            [reference],
        )
    }

    fn remove_slaves(&self, computer: &str, host: &str) -> Result<()> {
        let sql = "DELETE FROM slave18 WHERE computer_reference = ? AND hosted_by = ?";
        self.execute("cannot remove slaves", sql, [computer, host])
    }

    fn put_report(&self, kind: ReportKind, computer: &str, report: &ReportRow) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO report18 \
            (kind, computer_reference, subject, state, message, time) VALUES (?, ?, ?, ?, ?, ?)";
        let ReportRow {
            subject,
            state,
            message,
            time,
        } = report;
        let parameters = params![kind.as_str(), computer, subject, state, message, time];
        self.execute("cannot write a report", sql, parameters)
    }

    fn remove_report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<()> {
        let sql = "DELETE FROM report18 WHERE kind = ? AND computer_reference = ? AND subject = ?";
        let parameters = [kind.as_str(), computer, subject];
        self.execute("cannot remove a report", sql, parameters)
    }

    fn reports(&self, kind: ReportKind, computer: &str) -> Result<Vec<ReportRow>> {
        let sql = "SELECT subject, state, message, time FROM report18 \
            WHERE kind = ? AND computer_reference = ? ORDER BY subject";
        let keys = [kind.as_str(), computer];
        self.rows("cannot read reports", sql, keys, report)
    }

    fn report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<Option<ReportRow>> {
        let sql = "SELECT subject, state, message, time FROM report18 \
            WHERE kind = ? AND computer_reference = ? AND subject = ?";
        let keys = [kind.as_str(), computer, subject];
        self.row("cannot read a report", sql, keys, report)
    }

    fn report_ends(
        &self,
        kind: ReportKind,
        computer: &str,
        longest: u32,
    ) -> Result<Vec<ReportRow>> {
        // A negative start counts from the end; of a text that is shorter, all is taken.
        let sql = "SELECT subject, state, substr(message, -?3), time FROM report18 \
            WHERE kind = ?1 AND computer_reference = ?2 ORDER BY subject";
        let parameters = params![kind.as_str(), computer, longest];
        self.rows("cannot read reports", sql, parameters, report)
    }

    fn last_usage(&self, computer: &str) -> Result<Option<f64>> {
        let sql = "SELECT max(time) FROM usage18 WHERE computer_reference = ?";
        let row = self.row("cannot read usage reports", sql, [computer], |row| {
            row.get(0)
        })?;
        Ok(row.flatten())
    }

    fn state_counts(&self) -> Result<Vec<StateCount>> {
        let count = |subject, sql| {
            self.rows("cannot count states", sql, [], move |row| {
                Ok(StateCount {
                    subject,
                    state: row.get(0)?,
                    count: row.get::<_, u32>(1)?.into(),
                })
            })
        };
        let queries = [
            (
                "partitions",
                "SELECT CASE slap_state WHEN 'busy' THEN requested_state ELSE 'free' END, \
                count(*) FROM partition18 GROUP BY 1",
            ),
            (
                "releases",
                "SELECT coalesce(requested_state, ''), count(*) FROM software18 GROUP BY 1",
            ),
            (
                "reported_partitions",
                "SELECT state, count(*) FROM report18 WHERE kind = 'instance' GROUP BY 1",
            ),
            (
                "reported_releases",
                "SELECT state, count(*) FROM report18 WHERE kind = 'software' GROUP BY 1",
            ),
        ];
        let mut counts = Vec::new();
        for (subject, sql) in queries {
            counts.extend(count(subject, sql)?);
        }
        Ok(counts)
    }

    fn put_unrequested(&self, row: &UnrequestedRow) -> Result<()> {
        let sql = "INSERT INTO unrequested18 (computer_reference, reference, time) VALUES (?, ?, ?) \
            ON CONFLICT DO NOTHING";
        let parameters = params![row.computer_reference, row.reference, row.time];
        self.execute("cannot note an instance", sql, parameters)
    }

    fn remove_unrequested(&self, computer: &str, reference: &str) -> Result<()> {
        let sql = "DELETE FROM unrequested18 WHERE computer_reference = ? AND reference = ?";
        self.execute("cannot forget an instance", sql, [computer, reference])
    }

    fn unrequested(&self, computer: &str) -> Result<Vec<UnrequestedRow>> {
        let sql = "SELECT computer_reference, reference, time FROM unrequested18 \
            WHERE computer_reference = ? ORDER BY reference";
        self.rows("cannot read instances", sql, [computer], |row| {
            Ok(UnrequestedRow {
                computer_reference: row.get(0)?,
                reference: row.get(1)?,
                time: row.get(2)?,
            })
        })
    }

    fn put_usage(&self, computer: &str, journal: &str, time: f64) -> Result<()> {
        let sql = "INSERT INTO usage18 (computer_reference, time, journal) VALUES (?, ?, ?)";
        self.execute(
            "cannot write a usage report",
            sql,
            params![computer, time, journal],
        )
    }
}
