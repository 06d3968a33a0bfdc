//! Where a release or an instance stands: what is wanted beside what was reported.

use slap_proto::documents::{InstanceState, SoftwareState};

use super::{Partition, Release};
use crate::storage::ReportRow;

/// Seconds by which a change may follow a report and still count as seen by it: the times of
/// changes are whole seconds and may run a little ahead.
const SAME_MOMENT: f64 = 2.0;

/// Where a release or an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// The node reported a failure.
    Error,
    /// The node has not reported since the last change.
    Waiting,
    /// The node is at work on it.
    Building,
    /// It shall go and is still there.
    Destroying,
    /// A release is installed.
    Available,
    /// An instance runs.
    Started,
    /// An instance is stopped, as wanted.
    Stopped,
    /// A partition holds no instance.
    Free,
}

impl Standing {
    /// All of them, what needs a person first.
    pub(crate) const ALL: [Self; 8] = [
        Self::Error,
        Self::Waiting,
        Self::Building,
        Self::Destroying,
        Self::Available,
        Self::Started,
        Self::Stopped,
        Self::Free,
    ];

    /// Its word, which also is the name of its style.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Waiting => "waiting",
            Self::Building => "building",
            Self::Destroying => "destroying",
            Self::Available => "available",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Free => "free",
        }
    }

    /// The standing of that word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.as_str() == word)
    }
}

impl Release {
    pub(crate) fn standing(&self) -> Standing {
        let reported = self.report.as_ref().map(|report| report.state.as_str());
        let leaves = self.row.requested_state == SoftwareState::Destroyed.as_str();
        match reported {
            Some("error") => Standing::Error,
            _ if leaves => Standing::Destroying,
            Some("available") => Standing::Available,
            Some("building") => Standing::Building,
            _ => Standing::Waiting,
        }
    }
}

impl Partition {
    pub(crate) fn standing(&self) -> Standing {
        if !self.row.busy {
            return Standing::Free;
        }
        let report = self.report.as_ref().filter(|report| !self.changed(report));
        let reported = report.map_or("", |report| report.state.as_str());
        let wanted = self.row.requested_state.parse();
        match (wanted.unwrap_or(InstanceState::Started), reported) {
            (_, "error") => Standing::Error,
            (InstanceState::Destroyed, _) => Standing::Destroying,
            (_, "building" | "available") => Standing::Building,
            (InstanceState::Started, "started") => Standing::Started,
            (InstanceState::Stopped, "stopped") => Standing::Stopped,
            _ => Standing::Waiting,
        }
    }

    /// Whether the instance was changed after a report. An error stays one until the next report.
    fn changed(&self, report: &ReportRow) -> bool {
        let changed = self.row.timestamp.unwrap_or(0.0);
        report.state != "error" && changed > report.time + SAME_MOMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{PartitionRow, SoftwareRow};

    fn report(state: &str, time: f64) -> ReportRow {
        ReportRow {
            subject: "it".to_owned(),
            state: state.to_owned(),
            message: String::new(),
            time,
        }
    }

    #[test]
    fn an_instance_stands_where_wish_and_report_put_it() {
        let table = [
            ("started", None, Standing::Waiting),
            ("started", Some(("building", 100.0)), Standing::Building),
            ("started", Some(("available", 100.0)), Standing::Building),
            ("started", Some(("started", 100.0)), Standing::Started),
            ("started", Some(("started", 99.5)), Standing::Started),
            ("started", Some(("started", 90.0)), Standing::Waiting),
            ("started", Some(("stopped", 100.0)), Standing::Waiting),
            ("stopped", Some(("stopped", 100.0)), Standing::Stopped),
            ("stopped", Some(("started", 100.0)), Standing::Waiting),
            ("stopped", Some(("error", 90.0)), Standing::Error),
            ("destroyed", Some(("started", 100.0)), Standing::Destroying),
            ("destroyed", Some(("error", 100.0)), Standing::Error),
        ];
        for (wanted, reported, expected) in table {
            let partition = Partition {
                row: PartitionRow {
                    busy: true,
                    requested_state: wanted.to_owned(),
                    timestamp: Some(100.0),
                    ..PartitionRow::default()
                },
                report: reported.map(|(state, time)| report(state, time)),
                addresses: Vec::new(),
                unrequested: None,
            };
            assert_eq!(partition.standing(), expected, "{wanted} {reported:?}");
        }
    }

    #[test]
    fn a_partition_without_instance_is_free_whatever_was_reported() {
        let partition = Partition {
            row: PartitionRow::default(),
            report: Some(report("error", 1.0)),
            addresses: Vec::new(),
            unrequested: None,
        };
        assert_eq!(partition.standing(), Standing::Free);
    }

    #[test]
    fn a_release_stands_where_wish_and_report_put_it() {
        let table = [
            ("available", None, Standing::Waiting),
            ("available", Some("building"), Standing::Building),
            ("available", Some("available"), Standing::Available),
            ("available", Some("error"), Standing::Error),
            ("destroyed", Some("available"), Standing::Destroying),
            ("destroyed", None, Standing::Destroying),
            ("destroyed", Some("error"), Standing::Error),
        ];
        for (wanted, reported, expected) in table {
            let release = Release {
                computer: "C".to_owned(),
                row: SoftwareRow {
                    url: "u".to_owned(),
                    requested_state: wanted.to_owned(),
                },
                report: reported.map(|state| report(state, 1.0)),
            };
            assert_eq!(release.standing(), expected, "{wanted} {reported:?}");
        }
    }

    #[test]
    fn every_word_leads_back() {
        for standing in Standing::ALL {
            assert_eq!(Standing::from_word(standing.as_str()), Some(standing));
        }
        assert_eq!(Standing::from_word("nonsense"), None);
    }
}
