//! What our methods do otherwise than the peer's, each with its reason. A scenario names those
//! that it shows; one that it no longer shows fails it.

use slapos_tests::pair::Meant;

pub const UNKNOWN_IS_REFUSED: Meant = Meant {
    name: "unknown is refused",
    call: "slapos.*",
    path: "answer.status|answer.body|db.software.nowhere/*",
    ours: "403|Forbidden|{*",
    theirs: "200|{*|(absent)",
    why: "a caller whose order had no effect should know",
};

pub const REFUSED_CHANGES_NOTHING: Meant = Meant {
    name: "what is refused changes nothing",
    call: "slapos.p*",
    path: "db.*",
    ours: "*",
    theirs: "*",
    why: "the peer looks at the header Accept after the change is made",
};

pub const ADDRESS_IS_KEPT: Meant = Meant {
    name: "the computer's address is kept",
    call: "slapos.put.v0.compute_node_format",
    path: "db.computer.COMP-3.*",
    ours: "127.0.0.1|255.0.0.0",
    theirs: "(none)",
    why: "the method says nothing of it",
};

pub const THE_DEFAULT_COMPUTER_IS_KNOWN: Meant = Meant {
    name: "the default computer is known",
    call: "slapos.allDocs.v0.compute_node_instance_list",
    path: "answer.status|answer.body",
    ours: "200|{'result_list': []}",
    theirs: "403|Forbidden",
    why: "the computer of the configuration is known before it is formatted, as it is to the calls",
};

pub const STATUS_IS_TOLD: Meant = Meant {
    name: "states are told",
    call: "slapos.get.v0.compute_node_status",
    path: "answer.body.*",
    ours: "*",
    theirs: "(absent)|Unknown (not implemented)",
    why: "the peer keeps no reports",
};

pub const USAGE_IS_KEPT: Meant = Meant {
    name: "usage is kept",
    call: "slapos.post.v0.compute_node_usage",
    path: "answer.body.title",
    ours: "Recorded",
    theirs: "Ignored",
    why: "the peer keeps no reports",
};

pub const REPORTS_ARE_KEPT: Meant = Meant {
    name: "reports are kept",
    call: "slapos.put.v0.software_installation_*|slapos.put.v0.software_instance_*",
    path: "answer.body.title",
    ours: "Recorded",
    theirs: "Ignored",
    why: "the peer keeps no reports",
};

pub const REPORT_IS_TOLD: Meant = Meant {
    name: "the last report is told",
    call: "slapos.get.v0.software_instance|slapos.post.v0.software_instance",
    path: "answer.body.access_status_message",
    ours: "#error m",
    theirs: "",
    why: "the peer keeps no reports",
};

pub const COMPUTER_BANG: Meant = Meant {
    name: "a computer's bang has an effect",
    call: "slapos.put.v0.compute_node_bang",
    path: "answer.body.title|db.partition.*.timestamp",
    ours: "Bang handled|moved",
    theirs: "Ignored|unmoved",
    why: "whoever bangs a computer wants its instances processed",
};

pub const BANG_REACHES_THE_TREE: Meant = Meant {
    name: "a bang reaches the tree",
    call: "slapos.put.v0.software_instance_bang",
    path: "db.partition.*.timestamp",
    ours: "moved",
    theirs: "unmoved",
    why: "softwareInstanceBang has every instance of the tree processed, in the peer, too",
};

pub const DESTRUCTION_IS_SEEN: Meant = Meant {
    name: "destruction is seen",
    call: "slapos.put.v0.software_instance_reported_state",
    path: "db.partition.*.timestamp",
    ours: "moved",
    theirs: "unmoved",
    why: "a node processes what has a new timestamp",
};

pub const ONLY_ITS_OWN_ADDRESSES: Meant = Meant {
    name: "only its own addresses",
    call: "slapos.post.v0.software_instance",
    path: "answer.body.ip_list",
    ours: "*",
    theirs: "*",
    why: "the peer adds those of a partition of the same name on another computer",
};

pub const ADDRESSES_MAY_BE_INCOMPLETE: Meant = Meant {
    name: "addresses may be incomplete",
    call: "slapos.put.v0.compute_node_format",
    path: "answer.status|answer.body|db.partition_network.*",
    ours: "200|{*",
    theirs: "500|Internal Server Error|(absent)",
    why: "its description says so, too",
};

pub const EMPTY_TYPE_IS_NONE: Meant = Meant {
    name: "the empty type is none",
    call: "slapos.post.v0.software_instance",
    path: "*.software_type|*.timestamp",
    ours: "other|unmoved",
    theirs: "|moved",
    why: "an instance without type cannot be found by its slaves",
};

pub const TITLES_MAY_HOLD_SEPARATORS: Meant = Meant {
    name: "titles may hold separators",
    call: "slapos.get.v0.software_instance",
    path: "answer.status|answer.body",
    ours: "200|{*'instance_guid': 'a___b______0'*",
    theirs: "403|Forbidden",
    why: "what has been requested can be asked for",
};

pub const UNDERSCORES_ARE_NO_SEPARATORS: Meant = Meant {
    name: "underscores do not end titles",
    call: "slapos.get.v0.software_instance|slapos.allDocs.v0.instance_node_instance_list",
    path: "answer.*_guid|answer.*title",
    ours: "of_root*|root_1",
    theirs: "1_of_root*|root",
    why: "titles are told as they were requested",
};

pub const NAMES_STAY_UNIQUE: Meant = Meant {
    name: "names stay unique",
    call: "slapos.put.v0.software_instance_title",
    path: "answer.status|answer.body|db.partition.COMP-1/slappart1.partition_reference",
    ours: "400|Bad Request|other",
    theirs: "200|{*|new",
    why: "two instances of one name could not be told apart",
};

pub const SHARES_HAVE_ADDRESSES: Meant = Meant {
    name: "shares have addresses",
    call: "slapos.get.v0.software_instance|slapos.get.v0.instance_tree",
    path: "answer.body.ip_list",
    ours: "[*",
    theirs: "[]",
    why: "the same as in the answer to their request",
};

pub const SHARES_ARE_DESTROYED: Meant = Meant {
    name: "shares are destroyed",
    call: "slapos.post.v0.software_instance|slapos.get.v0.software_instance",
    path: "answer.body.state|answer.status|answer.body|db.slave._one",
    ours: "stopped|destroyed|403|Forbidden|(absent)",
    theirs: "started|500|Internal Server Error|{*",
    why: "the peer forgets a part of it, and stumbles over the rest",
};

pub const SHARES_ARE_RENAMED: Meant = Meant {
    name: "shares are renamed",
    call: "slapos.put.v0.software_instance_title|slapos.get.v0.software_instance|slapos.allDocs.v0.instance_tree_list",
    path: "answer.*|db.*",
    ours: "200|{*|(absent)|moved|new|two",
    theirs: "403|Forbidden|(absent)|{*|unmoved|one|three",
    why: "the call can do it",
};

pub const HOSTS_MAY_BE_NAMED: Meant = Meant {
    name: "hosts may be named",
    call: "slapos.post.v0.software_instance|slapos.allDocs.v0.instance_tree_list",
    path: "answer.*|db.*",
    ours: "200|{*|[*|moved",
    theirs: "403|Forbidden|[*|(absent)|(none)|unmoved",
    why: "methods know instances by no other name",
};

pub const CHILDREN_FOLLOW_THEIR_ROOT: Meant = Meant {
    name: "children follow their root",
    call: "slapos.put.v0.software_instance_title",
    path: "db.partition.*.requested_by",
    ours: "new|jren",
    theirs: "again|jinst",
    why: "the call renames them, in the peer, too",
};

pub const SHARES_GO_WITH_THEIR_HOST: Meant = Meant {
    name: "shares go with their host",
    call: "slapos.put.v0.software_instance_reported_state",
    path: "db.slave.*",
    ours: "(absent)",
    theirs: "{*",
    why: "the next instance in the partition would be told to host them",
};
