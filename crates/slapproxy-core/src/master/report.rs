//! What nodes report, and those who ask for it.

use slap_proto::calls::{
    AvailableComputerPartition, AvailableSoftwareRelease, BuildingComputerPartition,
    BuildingSoftwareRelease, GetComputerPartitionStatus, GetComputerStatus, SoftwareInstanceError,
    SoftwareReleaseError, StartedComputerPartition, StoppedComputerPartition, UseComputer,
};
use slap_proto::marshal::Value;

use super::{Answer, Context, Serve, check_computer, find};
use crate::MasterError;
use crate::storage::{Records, ReportKind, ReportRow};

/// Longest error that is kept, in bytes; its end tells the most.
const LONGEST_MESSAGE: usize = 64 * 1024;

fn report(
    kind: ReportKind,
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
    (subject, state, message): (String, &str, &str),
) -> Result<Answer, MasterError> {
    let start = message.len().saturating_sub(LONGEST_MESSAGE);
    let start = (start..=message.len())
        .find(|at| message.is_char_boundary(*at))
        .unwrap_or(0);
    let (state, message) = (state.to_owned(), message[start..].to_owned());
    records.put_report(
        kind,
        computer,
        &ReportRow {
            subject,
            state,
            message,
            time: context.now,
        },
    )?;
    Answer::text("OK")
}

/// Calls that report a state of a release or of an instance.
macro_rules! reports {
    ($(ReportKind::$kind:ident, $call:ident, $subject:ident, $state:literal;)*) => {$(
        impl Serve for $call {
            const WRITES: bool = true;

            fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
                let subject = (self.$subject, $state, "");
                report(ReportKind::$kind, context, records, &self.computer_id, subject)
            }
        }
    )*};
}

reports! {
    ReportKind::Software, BuildingSoftwareRelease, url, "building";
    ReportKind::Software, AvailableSoftwareRelease, url, "available";
    ReportKind::Instance, BuildingComputerPartition, computer_partition_id, "building";
    ReportKind::Instance, AvailableComputerPartition, computer_partition_id, "available";
    ReportKind::Instance, StartedComputerPartition, computer_partition_id, "started";
    ReportKind::Instance, StoppedComputerPartition, computer_partition_id, "stopped";
}

impl Serve for SoftwareReleaseError {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let message = self.error_log.unwrap_or_default();
        let subject = (self.url, "error", message.as_str());
        report(
            ReportKind::Software,
            context,
            records,
            &self.computer_id,
            subject,
        )
    }
}

impl Serve for SoftwareInstanceError {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let message = self.error_log.unwrap_or_default();
        let subject = (self.computer_partition_id, "error", message.as_str());
        report(
            ReportKind::Instance,
            context,
            records,
            &self.computer_id,
            subject,
        )
    }
}

impl Serve for UseComputer {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
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
        let reports = records.reports(ReportKind::Instance, &self.computer_id)?;
        let report = reports
            .iter()
            .find(|report| report.subject == row.reference);
        Ok(Answer::Document(report.map_or(Value::None, status)))
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
