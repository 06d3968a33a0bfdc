//! What nodes report, and those who ask for it.

use slap_proto::calls::{
    AvailableComputerPartition, AvailableSoftwareRelease, BuildingComputerPartition,
    BuildingSoftwareRelease, GetComputerPartitionStatus, GetComputerStatus, SoftwareInstanceError,
    SoftwareReleaseError, StartedComputerPartition, StoppedComputerPartition, UseComputer,
};
use slap_proto::marshal::{Value, is_forbidden};

use super::{Answer, Context, Serve, check_computer, find};
use crate::MasterError;
use crate::storage::{PartitionRow, Records, ReportKind, ReportRow};

/// Longest error that is kept, in bytes; its end tells the most.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Notes what a computer reports of a subject.
fn put(
    kind: ReportKind,
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
    (subject, state, message): (String, &str, &str),
) -> Result<(), MasterError> {
    let row = ReportRow {
        subject,
        state: state.to_owned(),
        message: shown(message),
        time: context.now,
    };
    Ok(records.put_report(kind, computer, &row)?)
}

/// The end of a message, each character of which an answer can hold: builds colour their output.
fn shown(message: &str) -> String {
    let start = message.len().saturating_sub(LONGEST_MESSAGE);
    let start = (start..=message.len())
        .find(|at| message.is_char_boundary(*at))
        .unwrap_or(0);
    let replaced = |character| {
        if is_forbidden(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    message[start..].chars().map(replaced).collect()
}

/// A report about a release; the computer must be known.
fn of_release(
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
    report: (String, &str, &str),
) -> Result<Answer, MasterError> {
    check_computer(context, records, computer)?;
    put(ReportKind::Software, context, records, computer, report)?;
    Answer::text("OK")
}

/// A report about an instance; the partition must be known.
fn of_instance(
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
    report: (String, &str, &str),
) -> Result<Answer, MasterError> {
    find(records, computer, &report.0)?;
    put(ReportKind::Instance, context, records, computer, report)?;
    Answer::text("OK")
}

/// Notes that an instance is gone.
pub(super) fn destroyed(
    context: &Context<'_>,
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<(), MasterError> {
    let report = (row.reference.clone(), "destroyed", "");
    put(
        ReportKind::Instance,
        context,
        records,
        &row.computer_reference,
        report,
    )
}

/// Calls that report a state of a release or of an instance.
macro_rules! reports {
    ($($function:ident, $call:ident, $subject:ident, $state:literal;)*) => {$(
        impl Serve for $call {
            const WRITES: bool = true;

            fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
                $function(context, records, &self.computer_id, (self.$subject, $state, ""))
            }
        }
    )*};
}

reports! {
    of_release, BuildingSoftwareRelease, url, "building";
    of_release, AvailableSoftwareRelease, url, "available";
    of_instance, BuildingComputerPartition, computer_partition_id, "building";
    of_instance, AvailableComputerPartition, computer_partition_id, "available";
    of_instance, StartedComputerPartition, computer_partition_id, "started";
    of_instance, StoppedComputerPartition, computer_partition_id, "stopped";
}

impl Serve for SoftwareReleaseError {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let message = self.error_log.unwrap_or_default();
        of_release(
            context,
            records,
            &self.computer_id,
            (self.url, "error", &message),
        )
    }
}

impl Serve for SoftwareInstanceError {
    const WRITES: bool = true;

    /// An error for a slave is told as one of its host, by name.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let mut message = self.error_log.unwrap_or_default();
        if let Some(slave) = self.slave_reference {
            message = format!("{message}\n(for the slave {slave})");
        }
        let report = (self.computer_partition_id, "error", message.as_str());
        of_instance(context, records, &self.computer_id, report)
    }
}

impl Serve for UseComputer {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        records.put_usage(&self.computer_id, &self.use_string, context.now)?;
        Answer::text("OK")
    }
}

impl Serve for GetComputerStatus {
    const WRITES: bool = false;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        let list = |kind| {
            let rows = records.reports(kind, &self.computer_id)?;
            Ok::<_, MasterError>(Value::list(rows.iter().map(status).collect()))
        };
        let software = list(ReportKind::Software)?;
        let instances = list(ReportKind::Instance)?;
        Ok(Answer::Document(Value::dict([
            ("software_release_list", software),
            ("computer_partition_list", instances),
        ])))
    }
}

impl Serve for GetComputerPartitionStatus {
    const WRITES: bool = false;

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let report = records.report(ReportKind::Instance, &self.computer_id, &row.reference)?;
        let status = report.as_ref().map(status);
        Ok(Answer::Document(status.unwrap_or(Value::None)))
    }
}

/// A report as a dictionary.
fn status(report: &ReportRow) -> Value {
    Value::dict([
        ("reference", Value::from(report.subject.as_str())),
        ("state", Value::from(report.state.as_str())),
        ("text", Value::from(report.message.as_str())),
        ("created_at", Value::Float(report.time)),
    ])
}

/// A report as masters show it to people: `#access` before good news, `#error` before bad.
/// Nothing of an instance that is gone.
pub(crate) fn news(report: &ReportRow) -> String {
    match report.state.as_str() {
        "destroyed" => String::new(),
        "error" => format!("#error {}", report.message),
        state => format!("#access {state}"),
    }
}

/// The reports of a computer in one line.
pub(crate) fn summary(reports: &[ReportRow]) -> String {
    let failed = reports.iter().filter(|report| report.state == "error");
    let failed: Vec<_> = failed.map(|report| report.subject.as_str()).collect();
    if reports.is_empty() {
        return "#error nothing was reported yet".to_owned();
    }
    if failed.is_empty() {
        return format!("#access {} reports, none of an error", reports.len());
    }
    format!("#error reported of {}", failed.join(", "))
}
