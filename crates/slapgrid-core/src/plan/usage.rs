//! What is to be done about the usage of each instance, and with those that are no longer wanted.

use std::fmt;

use serde::Serialize;

/// What the disk shows of the usage of an instance. What cannot be looked at is [`None`]: trying to
/// report says what is wrong.
pub type ObservedUsage = Option<UsageSources>;

/// Where the usage of an instance comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageSources {
    /// The programs that report it: names in `etc/report`.
    pub programs: Vec<String>,
    /// The reports that wait to be sent: names of files.
    pub reports: Vec<String>,
    /// Files in their place that are none, and are left as they are.
    pub invalid: Vec<String>,
}

/// One thing to be done with one instance; there may be several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsagePlan {
    /// What the master calls the partition.
    pub reference: String,
    /// What to do.
    #[serde(flatten)]
    pub action: UsageAction,
}

/// What is to be done about the usage of an instance, or with what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum UsageAction {
    /// Have it report its usage, send that.
    ReportUsage(UsageSources),
    /// It is no longer wanted: stop it, and empty its partition.
    Destroy,
    /// It is no longer wanted: stop it. Its data is kept until the retention delay is over.
    Retain,
}

/// What decides about an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFacts {
    /// What the master calls the partition.
    pub reference: String,
    /// The master wants it destroyed.
    pub unwanted: bool,
    /// Its data must still be kept.
    pub retained: bool,
    /// Where its usage comes from.
    pub usage: ObservedUsage,
}

/// Decides about each instance, in the master's order.
pub fn plan_usage(instances: &[UsageFacts]) -> Vec<UsagePlan> {
    instances.iter().flat_map(decide).collect()
}

fn decide(facts: &UsageFacts) -> impl Iterator<Item = UsagePlan> + use<'_> {
    let report = match &facts.usage {
        Some(sources) if sources.is_empty() => None,
        sources => Some(UsageAction::ReportUsage(
            sources.clone().unwrap_or_default(),
        )),
    };
    let end = match (facts.unwanted, facts.retained) {
        (false, _) => None,
        (true, false) => Some(UsageAction::Destroy),
        (true, true) => Some(UsageAction::Retain),
    };
    report.into_iter().chain(end).map(|action| UsagePlan {
        reference: facts.reference.clone(),
        action,
    })
}

impl UsageSources {
    fn is_empty(&self) -> bool {
        self.programs.is_empty() && self.reports.is_empty() && self.invalid.is_empty()
    }
}

impl UsageAction {
    /// Whether carrying it out changes anything. Without any sources it is not known what there is.
    pub fn changes(&self) -> bool {
        match self {
            Self::ReportUsage(sources) => {
                let only_invalid = sources.programs.is_empty() && sources.reports.is_empty();
                !only_invalid || sources.invalid.is_empty()
            }
            Self::Destroy => true,
            Self::Retain => false,
        }
    }
}

impl fmt::Display for UsagePlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.reference;
        match &self.action {
            UsageAction::ReportUsage(sources) => {
                let (programs, reports) = (sources.programs.len(), sources.reports.len());
                write!(
                    formatter,
                    "report usage of {reference}: {programs} programs, {reports} reports"
                )?;
                match sources.invalid.len() {
                    0 => Ok(()),
                    invalid => write!(formatter, ", {invalid} files that are none"),
                }
            }
            UsageAction::Destroy => {
                write!(
                    formatter,
                    "destroy {reference}: the master wants it destroyed"
                )
            }
            UsageAction::Retain => {
                write!(
                    formatter,
                    "keep {reference} until its retention delay is over"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(unwanted: bool, retained: bool, usage: ObservedUsage) -> Vec<UsageAction> {
        let facts = UsageFacts {
            reference: "slappart0".to_owned(),
            unwanted,
            retained,
            usage,
        };
        let plans = plan_usage(&[facts]).into_iter();
        plans.map(|plan| plan.action).collect()
    }

    #[test]
    fn decisions() {
        use UsageAction::{Destroy, ReportUsage, Retain};
        let nothing = || Some(UsageSources::default());
        let report = UsageSources {
            reports: vec!["one".to_owned()],
            ..UsageSources::default()
        };
        let invalid = UsageSources {
            invalid: vec!["bad".to_owned()],
            ..UsageSources::default()
        };
        assert!(!ReportUsage(invalid.clone()).changes());
        let program = UsageSources {
            programs: vec!["meter".to_owned()],
            ..UsageSources::default()
        };
        for (unwanted, retained, usage, expected) in [
            (false, false, nothing(), vec![]),
            (false, true, nothing(), vec![]),
            (true, false, nothing(), vec![Destroy]),
            (true, true, nothing(), vec![Retain]),
            (
                false,
                false,
                Some(report.clone()),
                vec![ReportUsage(report.clone())],
            ),
            (
                false,
                false,
                Some(program.clone()),
                vec![ReportUsage(program)],
            ),
            (
                true,
                false,
                Some(report.clone()),
                vec![ReportUsage(report), Destroy],
            ),
            // It is warned of each time.
            (
                false,
                false,
                Some(invalid.clone()),
                vec![ReportUsage(invalid)],
            ),
            // What cannot be looked at is not passed over in silence.
            (
                false,
                false,
                None,
                vec![ReportUsage(UsageSources::default())],
            ),
        ] {
            let case = format!("{unwanted} {retained} {usage:?}");
            assert_eq!(decided(unwanted, retained, usage), expected, "{case}");
        }
    }
}
