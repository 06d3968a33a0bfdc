//! What is to be done with each partition.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use slap_proto::documents::InstanceState;

/// A partition as the master describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedPartition {
    /// What the master calls the partition.
    pub reference: String,
    /// No instance is allocated to it.
    pub free: bool,
    /// The state as the master writes it.
    pub state: String,
    /// Text that differs whenever the instance is to be processed again; some masters send none.
    pub timestamp: Option<String>,
}

/// What the disk shows of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedPartition {
    /// The master's timestamp at the last success, and how long ago that was.
    pub processed: Option<(String, Duration)>,
    /// What the release says in its file `periodicity`.
    pub release_periodicity: Option<Periodicity>,
    /// There is state of the node of an instance that is no more.
    pub stale: bool,
}

/// After which time an instance is processed although nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Periodicity {
    /// Only when the master's timestamp changes.
    Never,
    /// After that time.
    After(Duration),
}

impl Periodicity {
    /// From seconds, of which a negative number means never.
    pub fn from_seconds(seconds: i64) -> Self {
        u64::try_from(seconds).map_or(Periodicity::Never, |seconds| {
            Periodicity::After(Duration::from_secs(seconds))
        })
    }

    fn is_over(self, age: Duration) -> bool {
        match self {
            Periodicity::Never => false,
            Periodicity::After(time) => age >= time,
        }
    }
}

/// Which partitions are looked at, and which are done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSelection {
    /// References; none: all partitions.
    pub only: Vec<String>,
    /// Process what is up to date too.
    pub force: bool,
    /// Stop everything, whatever the master says.
    pub force_stop: bool,
    /// For instances whose release does not say.
    pub periodicity: Periodicity,
}

/// What is to be done with one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionPlan {
    /// What the master calls the partition.
    pub reference: String,
    /// What to do.
    #[serde(flatten)]
    pub action: PartitionAction,
}

/// What is to be done with a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PartitionAction {
    /// No instance, and nothing of one but what may be somebody's data, of which to warn.
    Free,
    /// No instance: remove stale state of the node, warn of leftovers.
    Tidy,
    /// Up to date and started: check the promises that are due, report a change of their verdict.
    CheckPromises,
    /// Bring it to this state: forget the timestamp, work, report, record the timestamp.
    Process {
        /// The state that the master wants.
        #[serde(serialize_with = "as_word")]
        state: InstanceState,
        /// Why it is not up to date.
        reason: ProcessReason,
    },
    /// Stop its services although the master may want them; forget the timestamp, so that the
    /// next run starts them again if it is to.
    ForceStop,
    /// Up to date.
    Keep,
    /// It was not named on the command line.
    Ignore,
    /// Report that this state is not known.
    RefuseState {
        /// The state as the master writes it.
        state: String,
    },
}

/// Why a partition is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessReason {
    /// It was never processed with success, or the last run failed.
    NotProcessed,
    /// The master wants something else than then.
    Changed,
    /// The last time was too long ago.
    PeriodOver,
    /// All partitions shall be processed.
    Forced,
    /// This partition shall be processed.
    Named,
}

fn as_word<S: Serializer>(state: &InstanceState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

impl PartitionAction {
    /// Whether carrying it out changes anything but what is known of promises.
    pub fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Free | Self::CheckPromises | Self::Keep | Self::Ignore
        )
    }
}

impl fmt::Display for PartitionPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.reference;
        match &self.action {
            PartitionAction::Free => write!(formatter, "leave {reference} free"),
            PartitionAction::Tidy => {
                write!(formatter, "tidy {reference}: its instance is no more")
            }
            PartitionAction::CheckPromises => write!(formatter, "check promises of {reference}"),
            PartitionAction::Process { state, reason } => {
                let state = state.as_str();
                write!(formatter, "process {reference} ({state}): {reason}")
            }
            PartitionAction::ForceStop => write!(formatter, "stop {reference}, as is asked for"),
            PartitionAction::Keep => write!(formatter, "keep {reference}"),
            PartitionAction::Ignore => write!(formatter, "ignore {reference}"),
            PartitionAction::RefuseState { state } => {
                write!(formatter, "refuse {reference}: unknown state {state:?}")
            }
        }
    }
}

impl fmt::Display for ProcessReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotProcessed => "it was not processed with success",
            Self::Changed => "the master has changed it",
            Self::PeriodOver => "its period is over",
            Self::Forced => "all partitions shall be processed",
            Self::Named => "it is named",
        })
    }
}

/// Decides about each partition, in the master's order.
pub fn plan_partitions(
    partitions: &[(WantedPartition, ObservedPartition)],
    selection: &PartitionSelection,
) -> Vec<PartitionPlan> {
    let plan = |(wanted, observed): &(WantedPartition, ObservedPartition)| PartitionPlan {
        reference: wanted.reference.clone(),
        action: selection.decide(wanted, observed),
    };
    partitions.iter().map(plan).collect()
}

/// Names given on the command line that the master does not know.
pub fn unknown_names(only: &[String], partitions: &[WantedPartition]) -> Vec<String> {
    let is_unknown = |name: &&String| {
        partitions
            .iter()
            .all(|partition| partition.reference != **name)
    };
    only.iter().filter(is_unknown).cloned().collect()
}

impl PartitionSelection {
    fn decide(&self, wanted: &WantedPartition, observed: &ObservedPartition) -> PartitionAction {
        let named = self.only.contains(&wanted.reference);
        if !self.only.is_empty() && !named {
            return PartitionAction::Ignore;
        }
        if wanted.free {
            return if observed.stale {
                PartitionAction::Tidy
            } else {
                PartitionAction::Free
            };
        }
        if self.force_stop {
            return PartitionAction::ForceStop;
        }
        let Ok(state) = wanted.state.parse::<InstanceState>() else {
            let state = wanted.state.clone();
            return PartitionAction::RefuseState { state };
        };
        match self.reason(wanted, observed, named) {
            Some(reason) => PartitionAction::Process { state, reason },
            None if state == InstanceState::Started => PartitionAction::CheckPromises,
            None => PartitionAction::Keep,
        }
    }

    fn reason(
        &self,
        wanted: &WantedPartition,
        observed: &ObservedPartition,
        named: bool,
    ) -> Option<ProcessReason> {
        if self.force {
            return Some(ProcessReason::Forced);
        }
        if named {
            return Some(ProcessReason::Named);
        }
        let Some((timestamp, age)) = &observed.processed else {
            return Some(ProcessReason::NotProcessed);
        };
        let periodicity = observed.release_periodicity.unwrap_or(self.periodicity);
        if wanted.timestamp.as_ref() != Some(timestamp) {
            Some(ProcessReason::Changed)
        } else if periodicity.is_over(*age) {
            Some(ProcessReason::PeriodOver)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn wanted(state: &str, timestamp: Option<&str>) -> WantedPartition {
        WantedPartition {
            reference: "slappart0".to_owned(),
            free: false,
            state: state.to_owned(),
            timestamp: timestamp.map(str::to_owned),
        }
    }

    fn processed(timestamp: &str, seconds_ago: u64) -> ObservedPartition {
        ObservedPartition {
            processed: Some((timestamp.to_owned(), Duration::from_secs(seconds_ago))),
            release_periodicity: None,
            stale: false,
        }
    }

    fn selection(only: &[&str], force: bool) -> PartitionSelection {
        PartitionSelection {
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            force,
            force_stop: false,
            periodicity: Periodicity::After(DAY),
        }
    }

    fn process(state: InstanceState, reason: ProcessReason) -> PartitionAction {
        PartitionAction::Process { state, reason }
    }

    #[test]
    fn decisions() {
        use InstanceState::{Destroyed, Started, Stopped};
        use PartitionAction::{CheckPromises, Ignore, Keep};
        use ProcessReason::{Changed, Forced, Named, NotProcessed, PeriodOver};
        let never = ObservedPartition::default;
        let t = Some("5");
        for (wanted, observed, selection, expected) in [
            (
                wanted("started", t),
                never(),
                selection(&[], false),
                process(Started, NotProcessed),
            ),
            (
                wanted("stopped", t),
                never(),
                selection(&[], false),
                process(Stopped, NotProcessed),
            ),
            (
                wanted("destroyed", t),
                never(),
                selection(&[], false),
                process(Destroyed, NotProcessed),
            ),
            (
                wanted("started", t),
                processed("5", 9),
                selection(&[], false),
                CheckPromises,
            ),
            (
                wanted("stopped", t),
                processed("5", 9),
                selection(&[], false),
                Keep,
            ),
            (
                wanted("destroyed", t),
                processed("5", 9),
                selection(&[], false),
                Keep,
            ),
            (
                wanted("started", t),
                processed("4", 9),
                selection(&[], false),
                process(Started, Changed),
            ),
            // The master's clock went back: different is different.
            (
                wanted("started", t),
                processed("6", 9),
                selection(&[], false),
                process(Started, Changed),
            ),
            (
                wanted("started", None),
                processed("5", 9),
                selection(&[], false),
                process(Started, Changed),
            ),
            (
                wanted("started", t),
                processed("5", 86_399),
                selection(&[], false),
                CheckPromises,
            ),
            (
                wanted("started", t),
                processed("5", 86_400),
                selection(&[], false),
                process(Started, PeriodOver),
            ),
            (
                wanted("started", t),
                processed("5", 9),
                selection(&[], true),
                process(Started, Forced),
            ),
            (
                wanted("started", t),
                processed("5", 9),
                selection(&["slappart0"], false),
                process(Started, Named),
            ),
            (
                wanted("started", t),
                never(),
                selection(&["slappart1"], true),
                Ignore,
            ),
        ] {
            let case = format!("{wanted:?} {observed:?} {selection:?}");
            assert_eq!(selection.decide(&wanted, &observed), expected, "{case}");
        }
    }

    #[test]
    fn release_decides_its_own_periodicity() {
        let mut observed = processed("5", 86_400);
        observed.release_periodicity = Some(Periodicity::Never);
        let plan = selection(&[], false).decide(&wanted("started", Some("5")), &observed);
        assert_eq!(plan, PartitionAction::CheckPromises);
        observed.release_periodicity = Some(Periodicity::from_seconds(0));
        observed.processed = Some(("5".to_owned(), Duration::ZERO));
        let plan = selection(&[], false).decide(&wanted("started", Some("5")), &observed);
        assert_eq!(
            plan,
            process(InstanceState::Started, ProcessReason::PeriodOver)
        );
    }

    #[test]
    fn negative_periodicity_means_never() {
        assert_eq!(Periodicity::from_seconds(-1), Periodicity::Never);
    }

    #[test]
    fn free_partition_is_tidied_whatever_its_state_says() {
        for state in ["destroyed", "started", ""] {
            let free = WantedPartition {
                free: true,
                ..wanted(state, None)
            };
            let mut observed = ObservedPartition::default();
            let selection = selection(&[], true);
            assert_eq!(
                selection.decide(&free, &observed),
                PartitionAction::Free,
                "{state}"
            );
            observed.stale = true;
            assert_eq!(
                selection.decide(&free, &observed),
                PartitionAction::Tidy,
                "{state}"
            );
        }
    }

    #[test]
    fn unknown_states_are_refused() {
        for state in ["", "Started", "running", "started "] {
            let plan =
                selection(&[], false).decide(&wanted(state, None), &ObservedPartition::default());
            assert_eq!(
                plan,
                PartitionAction::RefuseState {
                    state: state.to_owned()
                }
            );
        }
    }

    #[test]
    fn force_stop_wins_over_the_master() {
        let mut selection = selection(&[], false);
        selection.force_stop = true;
        let plan = selection.decide(&wanted("started", Some("5")), &processed("5", 9));
        assert_eq!(plan, PartitionAction::ForceStop);
    }

    #[test]
    fn same_input_gives_the_same_plan_in_the_masters_order() {
        let references = ["slappart2", "slappart0", "slappart1"];
        let partitions = references.map(|reference| {
            let wanted = WantedPartition {
                reference: reference.to_owned(),
                ..wanted("started", Some("5"))
            };
            (wanted, ObservedPartition::default())
        });
        let plan = plan_partitions(&partitions, &selection(&[], false));
        assert_eq!(plan, plan_partitions(&partitions, &selection(&[], false)));
        let order: Vec<_> = plan.iter().map(|plan| plan.reference.as_str()).collect();
        assert_eq!(order, references);
    }

    #[test]
    fn names_that_the_master_does_not_know_are_found() {
        let only = ["slappart0", "slappart7"].map(str::to_owned);
        assert_eq!(
            unknown_names(&only, &[wanted("started", None)]),
            ["slappart7"]
        );
    }
}
