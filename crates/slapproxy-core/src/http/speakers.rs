//! Test: with certificates, a node speaks for itself only, in every call, whatever other fields it
//! adds.

use std::net::IpAddr;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;

use crate::app;
use crate::caller::{Caller, Speaker};
use crate::settings::Settings;
use crate::storage::SqliteStorage;

const OWN: &str = "COMP-1";
const OTHER: &str = "COMP-2";

/// Calls about a computer, and their fields but for the computer.
const OF_COMPUTERS: [(&str, &str, &str); 9] = [
    ("GET", "getFullComputerInformation", ""),
    ("GET", "getComputerInformation", ""),
    ("GET", "getComputerStatus", ""),
    ("POST", "computerBang", ""),
    ("POST", "useComputer", "&use_string=x"),
    ("POST", "buildingSoftwareRelease", "&url=u"),
    ("POST", "availableSoftwareRelease", "&url=u"),
    ("POST", "softwareReleaseError", "&url=u"),
    ("POST", "destroyedSoftwareRelease", "&url=u"),
];

/// Calls about a partition, and their fields but for the partition and its computer.
const OF_PARTITIONS: [(&str, &str, &str); 14] = [
    ("GET", "registerComputerPartition", ""),
    ("GET", "getComputerPartitionCertificate", ""),
    ("GET", "getHostingSubscriptionIpList", ""),
    ("GET", "getComputerPartitionStatus", ""),
    ("POST", "buildingComputerPartition", ""),
    ("POST", "availableComputerPartition", ""),
    ("POST", "startedComputerPartition", ""),
    ("POST", "stoppedComputerPartition", ""),
    ("POST", "softwareInstanceError", ""),
    ("POST", "softwareInstanceBang", ""),
    ("POST", "softwareInstanceRename", "&new_name=n"),
    (
        "POST",
        "setComputerPartitionConnectionXml",
        "&connection_xml=<marshal><dictionary/></marshal>",
    ),
    (
        "POST",
        "updateComputerPartitionRelatedInstanceList",
        "&instance_reference_xml=<marshal><list/></marshal>",
    ),
    ("POST", "destroyedComputerPartition", ""),
];

/// A partition: its computer and itself.
type Named = (&'static str, &'static str);

/// A form about one partition, which names another in every field that the call does not read.
fn form(call: &str, about: Named, own: Named, rest: &str) -> String {
    let (id, reference) = match call {
        "registerComputerPartition" => (own, about),
        _ => (about, own),
    };
    format!(
        "computer_id={}&computer_partition_id={}&computer_reference={}&computer_partition_reference={}{rest}",
        id.0, id.1, reference.0, reference.1
    )
}

struct Asker {
    router: Router,
    speaker: Speaker,
    /// The partition of the Authorization header.
    identity: Option<Named>,
}

impl Asker {
    fn speaks(&self, speaker: Speaker) -> Self {
        Self {
            router: self.router.clone(),
            speaker,
            identity: None,
        }
    }

    fn with(&self, identity: Named) -> Self {
        Self {
            identity: Some(identity),
            ..self.speaks(self.speaker.clone())
        }
    }

    async fn ask(&self, method: &str, call: &str, form: &str) -> StatusCode {
        let mut request = match method {
            "GET" => Request::get(format!("/{call}?{form}")).body(Body::empty()),
            _ => Request::post(format!("/{call}")).body(Body::from(form.to_owned())),
        }
        .unwrap();
        if let Some((computer, partition)) = self.identity {
            let claim = format!(
                "X-SlapPartition computer_id={computer}, computer_partition_id={partition}"
            );
            let headers = request.headers_mut();
            headers.insert(header::AUTHORIZATION, claim.parse().unwrap());
        }
        request.extensions_mut().insert(Caller {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            is_tls: true,
            speaker: self.speaker.clone(),
            name: None,
        });
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    async fn request(&self, fields: &str) -> StatusCode {
        let form = format!("software_release=u&partition_reference=new&{fields}");
        self.ask("POST", "requestComputerPartition", &form).await
    }

    async fn describe(&self, computer: &str) -> StatusCode {
        let partition = |name| {
            format!("<dictionary><string>reference</string><string>{name}</string></dictionary>")
        };
        let form = format!(
            "xml=<marshal><dictionary><string>reference</string><string>{computer}</string>\
             <string>partition_list</string><list>{}{}{}</list></dictionary></marshal>",
            partition("p0"),
            partition("p1"),
            partition("p2"),
        );
        self.ask("POST", "loadComputerConfigurationFromXML", &form)
            .await
    }
}

/// A user, and two computers, each with an instance of its own name in p0.
async fn user(database: &Path) -> Asker {
    let storage = SqliteStorage::open(database, OWN).unwrap();
    let user = Asker {
        router: app(Settings::new(database, OWN), storage, String::new()),
        speaker: Speaker::User,
        identity: None,
    };
    for computer in [OWN, OTHER] {
        assert_eq!(user.describe(computer).await, StatusCode::OK);
        let form = format!(
            "software_release=u&partition_reference={computer}&filter_xml=<marshal><dictionary>\
             <string>computer_guid</string><string>{computer}</string></dictionary></marshal>"
        );
        let status = user.ask("POST", "requestComputerPartition", &form).await;
        assert_eq!(status, StatusCode::OK);
    }
    user
}

fn partition(computer: &str) -> Speaker {
    Speaker::Partition {
        computer: computer.to_owned(),
        partition: "p0".to_owned(),
    }
}

#[tokio::test]
async fn a_node_speaks_for_itself_only() {
    let directory = tempfile::tempdir().unwrap();
    let user = user(&directory.path().join("db")).await;
    let node = user.speaks(Speaker::Computer(OWN.to_owned()));
    let (own, other) = ((OWN, "p0"), (OTHER, "p0"));
    for (method, call, rest) in OF_COMPUTERS.into_iter().chain(OF_PARTITIONS) {
        let about_other = form(call, other, own, rest);
        let about_own = form(call, own, own, rest);
        let refused = node.ask(method, call, &about_other).await;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{call}");
        let refused = node.with(other).ask(method, call, &about_own).await;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{call}");
        let done = node.ask(method, call, &about_own).await;
        assert_eq!(done, StatusCode::OK, "{call}");
    }
    let supply = form("", own, own, "&url=u");
    let refused = node.ask("POST", "supplySupply", &supply).await;
    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert_eq!(node.describe(OTHER).await, StatusCode::FORBIDDEN);
    assert_eq!(node.describe(OWN).await, StatusCode::OK);
}

#[tokio::test]
async fn a_partition_speaks_for_itself_only() {
    let directory = tempfile::tempdir().unwrap();
    let user = user(&directory.path().join("db")).await;
    let speaker = user.speaks(partition(OWN));
    let own = (OWN, "p0");
    for (method, call, rest) in OF_COMPUTERS {
        let refused = speaker.ask(method, call, &form(call, own, own, rest)).await;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{call}");
    }
    for (method, call, rest) in OF_PARTITIONS {
        for about in [(OWN, "p1"), (OTHER, "p0")] {
            let form = form(call, about, own, rest);
            let refused = speaker.ask(method, call, &form).await;
            assert_eq!(refused, StatusCode::FORBIDDEN, "{call} {about:?}");
        }
        let done = speaker.ask(method, call, &form(call, own, own, rest)).await;
        assert_eq!(done, StatusCode::OK, "{call}");
    }
}

#[tokio::test]
async fn only_an_instance_requests_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let user = user(&directory.path().join("db")).await;
    let node = user.speaks(Speaker::Computer(OWN.to_owned()));
    let as_user = StatusCode::FORBIDDEN;
    let table = [
        ("", as_user),
        ("computer_id=COMP-1", as_user),
        (
            "computer_reference=COMP-1&computer_partition_reference=p0",
            as_user,
        ),
        (
            "computer_id=COMP-1&computer_partition_reference=p0",
            as_user,
        ),
        (
            "computer_reference=COMP-1&computer_partition_id=p0",
            as_user,
        ),
        ("computer_id=COMP-1&computer_partition_id=None", as_user),
        (
            "computer_id=COMP-2&computer_partition_id=p0",
            StatusCode::FORBIDDEN,
        ),
        (
            "computer_id=COMP-1&computer_partition_id=p0",
            StatusCode::OK,
        ),
        // Without instance, it would request as a user does.
        (
            "computer_id=COMP-1&computer_partition_id=p2",
            StatusCode::BAD_REQUEST,
        ),
    ];
    for (fields, expected) in table {
        assert_eq!(node.request(fields).await, expected, "{fields}");
    }
    for (identity, expected) in [
        ((OTHER, "p0"), StatusCode::FORBIDDEN),
        ((OWN, "p2"), StatusCode::BAD_REQUEST),
        ((OWN, "p0"), StatusCode::OK),
    ] {
        let status = node.with(identity).request("").await;
        assert_eq!(status, expected, "{identity:?}");
    }
    let nobody = user.speaks(Speaker::Nobody);
    assert_eq!(nobody.request("").await, StatusCode::FORBIDDEN);
    assert_eq!(
        nobody.with((OWN, "p0")).request("").await,
        StatusCode::FORBIDDEN
    );
}
