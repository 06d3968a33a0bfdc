//! Every SQL statement of the master.

mod rows;

use super::engine::{Engine, parameters};
use super::{
    ComputerRow, NetworkRow, PartitionRow, Records, ReportKind, ReportRow, Result, SlaveRow,
    SoftwareRow, StateCount, UnrequestedRow,
};
use rows::{SLAVE_COLUMNS, address, report, slap_state, slave, software};

/// The rows of one transaction.
pub(super) struct Statements<'a, E>(pub(super) &'a E);

impl<E: Engine> Records for Statements<'_, E> {
    fn has_computer(&self, reference: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM computer18 WHERE reference = $1";
        let found = self.row("cannot read computers", sql, parameters![reference], |_| {
            Ok(())
        })?;
        Ok(found.is_some())
    }

    fn set_computer(
        &self,
        reference: &str,
        address: Option<&str>,
        netmask: Option<&str>,
    ) -> Result<()> {
        let sql = "INSERT INTO computer18 (reference, address, netmask) VALUES ($1, $2, $3) \
            ON CONFLICT (reference) DO UPDATE SET \
            address = excluded.address, netmask = excluded.netmask";
        self.execute(
            "cannot write a computer",
            sql,
            parameters![reference, address, netmask],
        )
    }

    fn computers(&self) -> Result<Vec<ComputerRow>> {
        // The time of the last usage report is looked up in an index, as there may be many.
        let sql = "SELECT reference, address, netmask, described, \
            (SELECT max(time) FROM usage18 WHERE usage18.computer_reference = computers.reference) \
            FROM (SELECT reference, address, netmask, CAST(1 AS BIGINT) AS described, rowid AS place \
            FROM computer18 UNION ALL SELECT computer_reference, NULL, NULL, 0, 0 FROM \
            (SELECT computer_reference FROM software18 \
            UNION SELECT computer_reference FROM partition18) AS named \
            WHERE computer_reference NOT IN (SELECT reference FROM computer18)) AS computers \
            ORDER BY described DESC, place, reference";
        self.rows("cannot read computers", sql, &[], |row| {
            Ok(ComputerRow {
                reference: row.get(0)?,
                address: row.get(1)?,
                netmask: row.get(2)?,
                described: row.get::<i64>(3)? != 0,
                last_usage: row.get(4)?,
            })
        })
    }

    fn software(&self, computer: &str) -> Result<Vec<SoftwareRow>> {
        let sql = "SELECT url, requested_state FROM software18 WHERE computer_reference = $1 ORDER BY rowid";
        self.rows("cannot read releases", sql, parameters![computer], software)
    }

    fn all_software(&self) -> Result<Vec<(String, SoftwareRow)>> {
        let sql = "SELECT url, requested_state, computer_reference FROM software18 \
            WHERE computer_reference IS NOT NULL ORDER BY rowid";
        self.rows("cannot read releases", sql, &[], |row| {
            Ok((row.get(2)?, software(row)?))
        })
    }

    fn set_software(&self, computer: &str, url: &str, state: &str) -> Result<()> {
        let sql = "INSERT INTO software18 (url, computer_reference, requested_state) VALUES ($1, $2, $3) \
            ON CONFLICT (url, computer_reference) DO UPDATE SET requested_state = excluded.requested_state";
        self.execute(
            "cannot write a release",
            sql,
            parameters![url, computer, state],
        )
    }

    fn remove_software(&self, computer: &str, url: &str) -> Result<()> {
        let sql = "DELETE FROM software18 WHERE url = $1 AND computer_reference = $2";
        self.execute("cannot remove a release", sql, parameters![url, computer])
    }

    fn release_urls(&self) -> Result<Vec<String>> {
        let sql = "SELECT url FROM software18 WHERE url IS NOT NULL \
            UNION SELECT software_release FROM partition18 WHERE software_release IS NOT NULL \
            ORDER BY 1";
        self.rows("cannot read releases", sql, &[], |row| row.get(0))
    }

    fn move_release(&self, from: &str, to: &str) -> Result<()> {
        const ACTION: &str = "cannot move a release";
        // Known by both URLs already, it keeps the row of the one that moves.
        let sql = "DELETE FROM software18 WHERE url = $1 AND computer_reference IN \
            (SELECT computer_reference FROM software18 WHERE url = $2)";
        self.execute(ACTION, sql, parameters![to, from])?;
        let sql = "UPDATE software18 SET url = $1 WHERE url = $2";
        self.execute(ACTION, sql, parameters![to, from])?;
        // Nodes will install it anew under its new URL.
        let sql = "DELETE FROM report18 WHERE kind = $1 AND subject = $2";
        self.execute(
            ACTION,
            sql,
            parameters![ReportKind::Software.as_str(), from],
        )?;
        let sql = "UPDATE partition18 SET software_release = $1 WHERE software_release = $2";
        self.execute(ACTION, sql, parameters![to, from])
    }

    fn config(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM config18 WHERE name = $1";
        let value = self.row("cannot read a setting", sql, parameters![name], |row| {
            row.get::<Option<String>>(0)
        })?;
        Ok(value.flatten())
    }

    fn set_config(&self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO config18 (name, value) VALUES ($1, $2) \
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.execute("cannot write a setting", sql, parameters![name, value])
    }

    fn put_forwarded(&self, reference: &str, master_url: &str) -> Result<()> {
        let sql = "INSERT INTO forwarded_partition_request18 \
            (partition_reference, master_url) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let action = "cannot write a forwarded request";
        self.execute(action, sql, parameters![reference, master_url])
    }

    fn remove_forwarded(&self, reference: &str, master_url: &str) -> Result<()> {
        let sql = "DELETE FROM forwarded_partition_request18 \
            WHERE partition_reference = $1 AND master_url = $2";
        let action = "cannot remove a forwarded request";
        self.execute(action, sql, parameters![reference, master_url])
    }

    fn partitions(&self, computer: &str) -> Result<Vec<PartitionRow>> {
        self.partition_rows(
            "computer_reference = $1 ORDER BY rowid",
            parameters![computer],
        )
    }

    fn all_partitions(&self) -> Result<Vec<PartitionRow>> {
        self.partition_rows("computer_reference IS NOT NULL ORDER BY rowid", &[])
    }

    fn partition(&self, computer: &str, reference: &str) -> Result<Option<PartitionRow>> {
        self.partition_row(
            "reference = $1 AND computer_reference = $2 LIMIT 1",
            parameters![reference, computer],
        )
    }

    fn namesakes(&self, reference: &str) -> Result<Vec<PartitionRow>> {
        self.partition_rows(
            "reference = $1 ORDER BY computer_reference",
            parameters![reference],
        )
    }

    fn instance(&self, name: &str, root: &str) -> Result<Option<PartitionRow>> {
        let condition = "partition_reference = $1 AND requested_by = $2 AND slap_state = 'busy' \
            ORDER BY rowid LIMIT 1";
        self.partition_row(condition, parameters![name, root])
    }

    fn children(&self, root: &str) -> Result<Vec<PartitionRow>> {
        let condition = "requested_by = $1 AND slap_state = 'busy' ORDER BY partition_reference";
        self.partition_rows(condition, parameters![root])
    }

    fn roots(&self) -> Result<Vec<PartitionRow>> {
        self.partition_rows(
            "requested_by = '' AND slap_state = 'busy' ORDER BY rowid",
            &[],
        )
    }

    fn free_partition(&self, computer: &str) -> Result<Option<PartitionRow>> {
        const FREE: &str = "slap_state = 'free' AND computer_reference = $1 ORDER BY rowid LIMIT 1";
        let condition = format!("{FREE}{}", E::UNCLAIMED);
        let free = self.partition_row(&condition, parameters![computer])?;
        if free.is_some() || E::CLAIMED.is_empty() {
            return Ok(free);
        }
        // Others are about to take all that there are, or to fail.
        let condition = format!("{FREE}{}", E::CLAIMED);
        self.partition_row(&condition, parameters![computer])
    }

    fn hosts(
        &self,
        computer: &str,
        release: &str,
        software_type: Option<&str>,
    ) -> Result<Vec<PartitionRow>> {
        let condition = "computer_reference = $1 AND slap_state = 'busy' AND software_release = $2 \
            AND (CAST($3 AS TEXT) IS NULL OR software_type = $3) ORDER BY rowid";
        self.partition_rows(condition, parameters![computer, release, software_type])
    }

    fn put_partition(&self, row: &PartitionRow) -> Result<()> {
        if !self.update_partition(row)? {
            return self.insert_partition(row);
        }
        // Apart, as SQLite rewrites the indexes of what it is told to set, changed or not.
        let sql = "UPDATE partition18 SET slap_state = $1, partition_reference = $2, requested_by = $3 \
            WHERE (slap_state, partition_reference, requested_by) IS DISTINCT FROM ($1, $2, $3) \
            AND reference = $4 AND computer_reference = $5";
        let state = slap_state(row);
        let parameters = parameters![
            state,
            row.partition_reference,
            row.requested_by,
            row.reference,
            row.computer_reference,
        ];
        self.execute("cannot write a partition", sql, parameters)
    }

    fn remove_partition(&self, computer: &str, reference: &str) -> Result<()> {
        self.set_network(computer, reference, &[])?;
        self.remove_report(ReportKind::Instance, computer, reference)?;
        self.remove_unrequested(computer, reference)?;
        let sql = "DELETE FROM partition18 WHERE computer_reference = $1 AND reference = $2";
        self.execute(
            "cannot remove a partition",
            sql,
            parameters![computer, reference],
        )
    }

    fn addresses(&self, computer: &str) -> Result<Vec<(String, NetworkRow)>> {
        let sql = "SELECT reference, address, netmask, partition_reference FROM partition_network18 \
            WHERE computer_reference = $1 ORDER BY rowid";
        self.rows("cannot read addresses", sql, parameters![computer], |row| {
            Ok((row.get(3)?, address(row)?))
        })
    }

    fn all_addresses(&self) -> Result<Vec<(String, (String, NetworkRow))>> {
        let sql = "SELECT reference, address, netmask, partition_reference, computer_reference \
            FROM partition_network18 WHERE computer_reference IS NOT NULL ORDER BY rowid";
        self.rows("cannot read addresses", sql, &[], |row| {
            Ok((row.get(4)?, (row.get(3)?, address(row)?)))
        })
    }

    fn network(&self, computer: &str, partition: &str) -> Result<Vec<NetworkRow>> {
        let sql = "SELECT reference, address, netmask FROM partition_network18 \
            WHERE computer_reference = $1 AND partition_reference = $2 ORDER BY rowid";
        self.rows(
            "cannot read addresses",
            sql,
            parameters![computer, partition],
            address,
        )
    }

    fn set_network(&self, computer: &str, partition: &str, addresses: &[NetworkRow]) -> Result<()> {
        const ACTION: &str = "cannot write addresses";
        if self.network(computer, partition)? == addresses {
            return Ok(());
        }
        let sql = "DELETE FROM partition_network18 WHERE computer_reference = $1 AND partition_reference = $2";
        self.execute(ACTION, sql, parameters![computer, partition])?;
        let sql = "INSERT INTO partition_network18 \
            (computer_reference, partition_reference, reference, address, netmask) VALUES ($1, $2, $3, $4, $5)";
        for row in addresses {
            let parameters =
                parameters![computer, partition, row.reference, row.address, row.netmask];
            self.execute(ACTION, sql, parameters)?;
        }
        Ok(())
    }

    fn slaves(&self) -> Result<Vec<SlaveRow>> {
        let sql = format!(
            "SELECT {SLAVE_COLUMNS} FROM slave18 WHERE computer_reference IS NOT NULL ORDER BY rowid"
        );
        self.rows("cannot read slaves", &sql, &[], slave)
    }

    fn slaves_of(&self, requester: &str) -> Result<Vec<SlaveRow>> {
        let sql =
            format!("SELECT {SLAVE_COLUMNS} FROM slave18 WHERE requester_id = $1 ORDER BY rowid");
        self.rows("cannot read slaves", &sql, parameters![requester], slave)
    }

    fn slave(&self, reference: &str) -> Result<Option<SlaveRow>> {
        let sql = format!("SELECT {SLAVE_COLUMNS} FROM slave18 WHERE reference = $1 LIMIT 1");
        self.row("cannot read a slave", &sql, parameters![reference], slave)
    }

    fn put_slave(&self, row: &SlaveRow) -> Result<()> {
        self.remove_slave(&row.reference)?;
        let sql = format!("INSERT INTO slave18 ({SLAVE_COLUMNS}) VALUES ($1, $2, $3, $4, $5)");
        let parameters = parameters![
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
            "DELETE FROM slave18 WHERE reference = $1",
            parameters![reference],
        )
    }

    fn remove_slaves(&self, computer: &str, host: &str) -> Result<()> {
        let sql = "DELETE FROM slave18 WHERE computer_reference = $1 AND hosted_by = $2";
        self.execute("cannot remove slaves", sql, parameters![computer, host])
    }

    fn put_report(&self, kind: ReportKind, computer: &str, report: &ReportRow) -> Result<()> {
        let sql = "INSERT INTO report18 \
            (kind, computer_reference, subject, state, message, time) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (kind, computer_reference, subject) DO UPDATE SET \
            state = excluded.state, message = excluded.message, time = excluded.time";
        let ReportRow {
            subject,
            state,
            message,
            time,
        } = report;
        let kind = kind.as_str();
        let parameters = parameters![kind, computer, subject, state, message, time];
        self.execute("cannot write a report", sql, parameters)
    }

    fn remove_report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<()> {
        let sql =
            "DELETE FROM report18 WHERE kind = $1 AND computer_reference = $2 AND subject = $3";
        let kind = kind.as_str();
        let parameters = parameters![kind, computer, subject];
        self.execute("cannot remove a report", sql, parameters)
    }

    fn reports(&self, kind: ReportKind, computer: &str) -> Result<Vec<ReportRow>> {
        let sql = "SELECT subject, state, message, time FROM report18 \
            WHERE kind = $1 AND computer_reference = $2 ORDER BY subject";
        let kind = kind.as_str();
        let keys = parameters![kind, computer];
        self.rows("cannot read reports", sql, keys, report)
    }

    fn report(&self, kind: ReportKind, computer: &str, subject: &str) -> Result<Option<ReportRow>> {
        let sql = "SELECT subject, state, message, time FROM report18 \
            WHERE kind = $1 AND computer_reference = $2 AND subject = $3";
        let kind = kind.as_str();
        let keys = parameters![kind, computer, subject];
        self.row("cannot read a report", sql, keys, report)
    }

    fn report_ends(&self, kind: ReportKind, longest: u32) -> Result<Vec<(String, ReportRow)>> {
        let sql = "SELECT subject, state, CASE WHEN length(message) > CAST($1 AS BIGINT) \
            THEN substr(message, CAST(length(message) - CAST($1 AS BIGINT) + 1 AS INTEGER)) \
            ELSE message END, time, computer_reference FROM report18 WHERE kind = $2";
        let kind = kind.as_str();
        let parameters = parameters![longest, kind];
        self.rows("cannot read reports", sql, parameters, |row| {
            Ok((row.get(4)?, report(row)?))
        })
    }

    fn state_counts(&self) -> Result<Vec<StateCount>> {
        let count = |subject, sql| {
            self.rows("cannot count states", sql, &[], |row| {
                Ok(StateCount {
                    subject,
                    state: row.get(0)?,
                    count: row.get::<i64>(1)?.unsigned_abs(),
                })
            })
        };
        let queries = [
            (
                "partitions",
                "SELECT CASE slap_state WHEN 'busy' THEN requested_state ELSE 'free' END, \
                count(*) FROM partition18 GROUP BY 1 ORDER BY 1",
            ),
            (
                "releases",
                "SELECT coalesce(requested_state, ''), count(*) FROM software18 GROUP BY 1 ORDER BY 1",
            ),
            (
                "reported_partitions",
                "SELECT state, count(*) FROM report18 WHERE kind = 'instance' GROUP BY 1 ORDER BY 1",
            ),
            (
                "reported_releases",
                "SELECT state, count(*) FROM report18 WHERE kind = 'software' GROUP BY 1 ORDER BY 1",
            ),
        ];
        let mut counts = Vec::new();
        for (subject, sql) in queries {
            counts.extend(count(subject, sql)?);
        }
        Ok(counts)
    }

    fn put_unrequested(&self, row: &UnrequestedRow) -> Result<()> {
        let sql = "INSERT INTO unrequested18 (computer_reference, reference, time) VALUES ($1, $2, $3) \
            ON CONFLICT DO NOTHING";
        let parameters = parameters![row.computer_reference, row.reference, row.time];
        self.execute("cannot note an instance", sql, parameters)
    }

    fn remove_unrequested(&self, computer: &str, reference: &str) -> Result<()> {
        let sql = "DELETE FROM unrequested18 WHERE computer_reference = $1 AND reference = $2";
        self.execute(
            "cannot forget an instance",
            sql,
            parameters![computer, reference],
        )
    }

    fn unrequested(&self) -> Result<Vec<UnrequestedRow>> {
        let sql = "SELECT computer_reference, reference, time FROM unrequested18";
        self.rows("cannot read instances", sql, &[], |row| {
            Ok(UnrequestedRow {
                computer_reference: row.get(0)?,
                reference: row.get(1)?,
                time: row.get(2)?,
            })
        })
    }

    fn put_usage(&self, computer: &str, journal: &str, time: f64) -> Result<()> {
        let sql = "INSERT INTO usage18 (computer_reference, time, journal) VALUES ($1, $2, $3)";
        self.execute(
            "cannot write a usage report",
            sql,
            parameters![computer, time, journal],
        )
    }

    fn version(&self, computer: &str) -> Result<Option<String>> {
        let sql = "SELECT stamp FROM computer_version18 WHERE computer_reference = $1";
        self.stamp(sql, computer)
    }

    fn described_version(&self, computer: &str) -> Result<Option<String>> {
        let sql = "SELECT stamp FROM computer_version18 WHERE computer_reference = $1 \
            AND EXISTS (SELECT 1 FROM computer18 WHERE reference = $1)";
        self.stamp(sql, computer)
    }
}
