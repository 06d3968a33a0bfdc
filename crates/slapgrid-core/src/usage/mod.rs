//! slapgrid-ur: what instances consumed, collected from them and sent to the master.

mod collect;
mod outbox;
mod reports;
mod scripts;

use std::collections::BTreeSet;

use slap_client::{ClientError, Computer};
use slap_proto::usage::{Journal, UsageError};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::{Done, Failure, Severity, Step};
use crate::parallel::in_parallel;
use crate::plan::UsagePlan;
use crate::plan::usage::ObservedUsage;
use crate::process::Interruption;
use crate::settings::Settings;
use collect::{Collected, collect};
use outbox::{Outbox, OutboxError};
use reports::{Report, ReportKey};

/// The usage of this node, and the master that is told of it.
pub(crate) struct Usage<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) computer: &'a Computer,
    pub(crate) interruption: &'a Interruption,
    pub(crate) utc_offset: UtcOffset,
}

/// What became of the usage reports.
#[derive(Debug, Default)]
pub(crate) struct UsageOutcome {
    /// What became of the report of each partition that has one; failures are already logged and
    /// reported.
    pub(crate) steps: Vec<Step<UsagePlan>>,
    /// A failure that is no single partition's, already logged.
    pub(crate) general: Option<Failure>,
    /// Partitions whose consumption the master does not have, or not all of it.
    pub(crate) unsent: BTreeSet<String>,
}

impl UsageOutcome {
    fn nothing_sent(contexts: &[PartitionContext<'_>]) -> Self {
        let references = contexts.iter().map(|context| context.layout.reference());
        Self {
            unsent: references.map(str::to_owned).collect(),
            ..Self::default()
        }
    }
}

/// Usage could not be reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum ReportError {
    #[error("cannot report the usage of instances")]
    Master(#[from] ClientError),
    #[error("cannot put the usage of instances together")]
    Journal(#[from] UsageError),
    #[error("cannot keep the usage of instances until the master has it")]
    Outbox(#[from] OutboxError),
}

impl ReportError {
    fn severity(&self) -> Severity {
        match self {
            Self::Master(error) => Severity::of_call(error),
            _ => Severity::Failed,
        }
    }
}

/// Where the usage of a partition comes from.
pub(crate) fn observe(layout: &PartitionLayout) -> ObservedUsage {
    collect::sources(layout)
}

/// Whether a journal waits to be sent again.
pub(crate) fn waits(settings: &Settings) -> bool {
    Outbox::of_node(&settings.instance_root).is_pending()
}

/// An instance that is to report its usage.
pub(crate) type Reporting<'a> = (&'a PartitionContext<'a>, &'a UsagePlan);

impl Usage<'_> {
    /// Has instances report, and sends what is valid in one journal. The reports are removed once the
    /// master has them. `contexts` are all instances that are looked at.
    pub(crate) fn report(
        &self,
        contexts: &[PartitionContext<'_>],
        reporting: &[Reporting<'_>],
    ) -> UsageOutcome {
        let outbox = Outbox::of_node(&self.settings.instance_root);
        if let Err(error) = self.finish_earlier(&outbox) {
            let failure = Failure::new(error.severity(), &error);
            log::error!("{failure}");
            return UsageOutcome {
                general: Some(failure),
                ..UsageOutcome::nothing_sent(contexts)
            };
        }
        let collected = in_parallel(self.settings.partition.jobs, reporting, |(context, _)| {
            Some(collect(context))
        });
        if self.interruption.is_requested() {
            let steps = steps(reporting, collected).into_iter();
            return UsageOutcome {
                steps: steps.filter(|step| step.result.is_err()).collect(),
                ..UsageOutcome::nothing_sent(contexts)
            };
        }
        self.send_collected(&outbox, reporting, collected)
    }

    /// A journal of which a run before could not tell whether the master has it is sent again as it
    /// was, so that the master can know it.
    fn finish_earlier(&self, outbox: &Outbox) -> Result<(), ReportError> {
        if let Some(journal) = outbox.pending()? {
            log::info!("sending a usage journal again");
            self.send(outbox, &journal)?;
        }
        Ok(outbox.clear_accepted()?)
    }

    fn send_collected(
        &self,
        outbox: &Outbox,
        reporting: &[Reporting<'_>],
        mut collected: Vec<Collected>,
    ) -> UsageOutcome {
        let reports: Vec<Report> = collected
            .iter_mut()
            .flat_map(|collected| std::mem::take(&mut collected.reports))
            .collect();
        let steps = steps(reporting, collected);
        let waits = |step: &&Step<UsagePlan>| matches!(step.result, Ok(Done::NotYet(_)));
        let waiting = steps.iter().filter(waits);
        let mut outcome = UsageOutcome {
            unsent: waiting.map(|step| step.plan.reference.clone()).collect(),
            steps,
            general: None,
        };
        let involved: BTreeSet<String> = reports
            .iter()
            .map(|report| report.key.partition.clone())
            .collect();
        if let Err(error) = self.send_reports(outbox, reports) {
            for ((context, _), step) in reporting.iter().zip(&mut outcome.steps) {
                if involved.contains(context.layout.reference()) {
                    let failure = context.fail(error.severity(), &error, None);
                    // What failed before is reported already, and less far-reaching.
                    step.result = Err(failure);
                }
            }
            outcome.unsent.extend(involved);
        }
        outcome
    }

    fn send_reports(&self, outbox: &Outbox, reports: Vec<Report>) -> Result<(), ReportError> {
        if reports.is_empty() {
            return Ok(());
        }
        let keys: Vec<ReportKey> = reports.iter().map(|report| report.key.clone()).collect();
        let consumptions = reports
            .iter()
            .map(|report| (report.key.partition.as_str(), report.consumption.clone()));
        let journal = Journal::of_computer(self.computer.id(), self.now(), consumptions);
        let xml = journal.to_xml()?;
        Journal::from_xml(xml.as_bytes())?;
        outbox.put(&xml, &keys)?;
        log::info!("sending {} usage reports", keys.len());
        self.send(outbox, &xml)?;
        Ok(outbox.clear_accepted()?)
    }

    /// Sends the journal that is in the outbox. It stays there only while it is not known whether the
    /// master has it.
    fn send(&self, outbox: &Outbox, journal: &str) -> Result<(), ReportError> {
        let sent = self.computer.report_usage(journal);
        match &sent {
            Ok(()) => outbox.accept()?,
            Err(error) if is_certainly_not_taken(error) => outbox.discard()?,
            Err(_) => {}
        }
        Ok(sent?)
    }

    /// `2026-11-23 at 19:05:13`, local time.
    fn now(&self) -> String {
        let format = format_description!("[year]-[month]-[day] at [hour]:[minute]:[second]");
        let now = OffsetDateTime::now_utc().to_offset(self.utc_offset);
        now.format(format).unwrap_or_default()
    }
}

/// What became of the collection of each report.
fn steps(reporting: &[Reporting<'_>], collected: Vec<Collected>) -> Vec<Step<UsagePlan>> {
    let both = reporting.iter().zip(collected);
    both.map(|((_, plan), collected)| Step {
        plan: (*plan).clone(),
        result: collected.result,
        elapsed: collected.elapsed,
    })
    .collect()
}

/// Whether the master did not get a request, or refused it.
fn is_certainly_not_taken(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Connect { .. }
            | ClientError::Dns { .. }
            | ClientError::Tls { .. }
            | ClientError::Encode { .. }
            | ClientError::NotFound { .. }
            | ClientError::Unauthorized { .. }
            | ClientError::BadRequest { .. }
    )
}
