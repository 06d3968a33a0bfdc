//! What our master does otherwise than the peer's, each with its reason. A scenario names those
//! that it shows; one that it no longer shows fails it.

use slapos_tests::pair::Meant;

/// Wherever something is wrong, the peer answers 500 with a page that tells nothing.
pub const UNKNOWN_IS_404: Meant = Meant {
    name: "unknown is 404",
    call: "getFullComputerInformation|registerComputerPartition",
    path: "answer.status",
    ours: "404",
    theirs: "500",
    why: "the protocol has a status for what does not exist",
};

pub const WRONG_IS_400: Meant = Meant {
    name: "wrong is 400",
    call: "supplySupply|requestComputerPartition|loadComputerConfigurationFromXML",
    path: "answer.status",
    ours: "400",
    theirs: "500|404",
    why: "the answer names the field, before anything is looked for",
};

pub const FIELDS_MAY_BE_ABSENT: Meant = Meant {
    name: "fields may be absent",
    call: "requestComputerPartition",
    path: "answer.*|db.partition.*",
    ours: "*",
    theirs: "500|(none)||free|unmoved",
    why: "the peer fails where filter, parameters or shared_xml are left out",
};

pub const RUN_ID: Meant = Meant {
    name: "each its own",
    call: "getRunId",
    path: "answer.body",
    ours: "*",
    theirs: "*",
    why: "by this text a master recognises itself",
};

pub const UNKNOWN_IS_REFUSED: Meant = Meant {
    name: "unknown is refused",
    call: "destroyedComputerPartition|setComputerPartitionConnectionXml|softwareInstanceRename\
        |softwareInstanceBang|computerBang|startedComputerPartition",
    path: "answer.status|answer.body",
    ours: "404|(none)",
    theirs: "200|done|OK|Ignored||Unknown partition *",
    why: "a caller whose order had no effect should know",
};

pub const NO_INSTANCE_NO_REQUESTS: Meant = Meant {
    name: "where no instance is, nothing requests",
    call: "requestComputerPartition",
    path: "answer.*|db.partition.*",
    ours: "400|(none)||free|unmoved",
    theirs: "*",
    why: "the peer takes a free partition for a user, who may change any root",
};

pub const NO_INSTANCE_NO_NAME: Meant = Meant {
    name: "where no instance is, nothing has a name",
    call: "softwareInstanceRename",
    path: "answer.status|answer.body|db.partition.COMP-1/slappart3.partition_reference",
    ours: "404|(none)",
    theirs: "200|done|of-nothing",
    why: "the peer destroys the children of the root whose name a free partition was given",
};

pub const OTHER_COMPUTERS_ADDRESSES: Meant = Meant {
    name: "only its own addresses",
    call: "requestComputerPartition",
    path: "answer.body.ip_list",
    ours: "*",
    theirs: "*",
    why: "the peer adds those of a partition of the same name on another computer",
};

pub const ADDRESSES_OF_A_TREE: Meant = Meant {
    name: "addresses of a tree",
    call: "getHostingSubscriptionIpList",
    path: "answer.*",
    ours: "200|[*",
    theirs: "404|(none)",
    why: "clients have the call, the peer's proxy does not serve it",
};

pub const STATE_IS_TOLD: Meant = Meant {
    name: "the stored state is told",
    call: "requestComputerPartition",
    path: "answer.body._requested_state",
    ours: "stopped|destroyed",
    theirs: "started",
    why: "a request without state changes none, and its answer should not claim so",
};

pub const EMPTY_TYPE_IS_NONE: Meant = Meant {
    name: "an empty type is none",
    call: "requestComputerPartition",
    path: "*software_type",
    ours: "default",
    theirs: "",
    why: "the peer reads it so in a first request only, and forgets the type in later ones",
};

pub const TYPE_MAY_BE_ABSENT: Meant = Meant {
    name: "a type may be absent",
    call: "requestComputerPartition",
    path: "answer.*",
    ours: "200|<SoftwareInstance>",
    theirs: "400|(none)",
    why: "clients of 0.27 may leave it out",
};

pub const SLAVE_ANSWER_IS_WHOLE: Meant = Meant {
    name: "a slave's answer is whole",
    call: "requestComputerPartition",
    path: "answer.body._instance_guid|answer.body._requested_state|answer.body.connection_xml",
    ours: "*",
    theirs: "(absent)",
    why: "without them clients fetch the host and show its connection parameters instead",
};

pub const SLAVE_MOVES: Meant = Meant {
    name: "a slave has one host",
    call: "requestComputerPartition",
    path: "*slave_instance_list._three|db.slave._three.hosted_by|answer.body.slap_computer_partition_id\
        |db.partition.COMP-1/slappart0.timestamp",
    ours: "slappart1|(absent)|moved",
    theirs: "slappart0|{*|unmoved",
    why: "sent to another instance, the peer's stays listed at both and answers for the first",
};

pub const SLAVE_GOES: Meant = Meant {
    name: "a slave that is gone is forgotten",
    call: "requestComputerPartition|destroyedComputerPartition",
    path: "db.slave.*|answer.body._connection_dict.url",
    ours: "(absent)",
    theirs: "*",
    why: "the peer keeps it for ever, after its destruction and after that of its host",
};

pub const SLAVE_LEAVES_WITH_REQUESTER: Meant = Meant {
    name: "a slave goes with who requested it",
    call: "destroyedComputerPartition",
    path: "db.partition.COMP-1/slappart0.slave_instance_list.root_of-root\
        |db.partition.COMP-1/slappart0.timestamp",
    ours: "(absent)|moved",
    theirs: "{*|unmoved",
    why: "nobody could ever destroy it otherwise",
};

pub const SLAVES_FOLLOW_THEIR_ROOT: Meant = Meant {
    name: "slaves follow their root",
    call: "softwareInstanceRename",
    path: "*slave_instance_list.*|db.slave.*|*.timestamp",
    ours: "{*|(absent)|moved",
    theirs: "{*|(absent)|unmoved",
    why: "as children do; the peer makes a second slave when the renamed root asks for its own",
};

pub const SLAVE_IS_RENAMED: Meant = Meant {
    name: "the slave is renamed, not its host",
    call: "softwareInstanceRename",
    path: "*.slave_instance_list.*|db.slave.*|*.timestamp|*.partition_reference|*.requested_by",
    ours: "*",
    theirs: "*",
    why: "slave_reference says which of both is meant; the peer does not look at it",
};

pub const NAMES_STAY_UNIQUE: Meant = Meant {
    name: "a name is given once",
    call: "softwareInstanceRename",
    path: "answer.status|answer.body|*partition_reference",
    ours: "400|(none)|two",
    theirs: "200|done|one",
    why: "of two instances of one name in a tree, requests would reach only the first",
};

pub const REQUESTER_IS_FOUND: Meant = Meant {
    name: "the requester is found on its computer",
    call: "setComputerPartitionConnectionXml",
    path: "*timestamp",
    ours: "moved|unmoved",
    theirs: "moved|unmoved",
    why: "the peer touches the partition of that name on the computer of what was requested",
};

pub const CHILDREN_ARE_NAMED: Meant = Meant {
    name: "our own words",
    call: "destroyedComputerPartition",
    path: "answer.body",
    ours: "Not destroyed yet, its children must go first: *",
    theirs: "Not destroying yet because this partition has child partitions: *",
    why: "a text for a log",
};

pub const DESTRUCTION_IS_SEEN: Meant = Meant {
    name: "a child's destruction is a change",
    call: "destroyedComputerPartition",
    path: "*timestamp",
    ours: "moved",
    theirs: "unmoved",
    why: "the state has changed; a node that skips what has not would leave the child",
};

pub const REPORTS_ARE_KEPT: Meant = Meant {
    name: "reports are kept",
    call: "*",
    path: "answer.body",
    ours: "OK",
    theirs: "Ignored",
    why: "getComputerStatus and the panel tell them",
};

pub const OLD_NODES_REPORT: Meant = Meant {
    name: "old nodes report too",
    call: "buildingComputerPartition|availableComputerPartition",
    path: "answer.*",
    ours: "200|OK",
    theirs: "404|(none)",
    why: "without these calls a node of 0.27 fails",
};

pub const RELATED_INSTANCES: Meant = Meant {
    name: "related instances are noted",
    call: "updateComputerPartitionRelatedInstanceList",
    path: "answer.*",
    ours: "200|OK",
    theirs: "404|(none)",
    why: "nodes of today post them after each pass, and warn of the 404",
};

pub const STATUS: Meant = Meant {
    name: "states are told",
    call: "getComputerStatus|getComputerPartitionStatus",
    path: "answer.*",
    ours: "200|{*",
    theirs: "404|(none)|Not implemented.",
    why: "clients have the calls, the peer's proxy does not know the answers",
};

pub const HATEOAS_URL: Meant = Meant {
    name: "the hateoas API is told",
    call: "getHateoasUrl",
    path: "answer.*",
    ours: "200|http://127.0.0.1:*/hateoas/",
    theirs: "404|(none)",
    why: "the peer's proxy serves the API, but its clients must be configured to find it",
};

pub const COMPUTER_BANG: Meant = Meant {
    name: "a computer's bang has an effect",
    call: "computerBang",
    path: "*timestamp",
    ours: "moved",
    theirs: "unmoved",
    why: "the peer's does nothing",
};

pub const SUPPLY_NEEDS_NO_STATE: Meant = Meant {
    name: "a supply needs no state",
    call: "supplySupply",
    path: "answer.*|db.software.*",
    ours: "200|Supplied *|{*",
    theirs: "400|(none)|(absent)",
    why: "clients of 0.27 may leave it out",
};

pub const PRODUCT_OF_A_RELEASE: Meant = Meant {
    name: "the product of a release",
    call: "getSoftwareReleaseListFromSoftwareProduct",
    path: "answer.*",
    ours: "200|[*",
    theirs: "500|(none)",
    why: "clients have the form, the peer fails on it",
};

pub const FRONTEND_IS_AN_INSTANCE: Meant = Meant {
    name: "a frontend's answer is one to a request",
    call: "requestComputerPartition",
    path: "answer.body",
    ours: "<SoftwareInstance>",
    theirs: "<ComputerPartition>",
    why: "clients expect the class that every other request is answered with",
};
