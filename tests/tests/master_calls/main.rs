//! Every call of a node and of a user, made at our master and at the peer's: answers and
//! databases are the same but for the differences that each scenario names.

mod differences;
mod replay;
mod steps;

use differences::*;
use slap_proto::marshal::Value;
use slapos_tests::pair::{Meant, Pair, Step};
use steps::*;

fn scenario(meant: &'static [&'static Meant], steps: &[Step]) {
    let mut pair = Pair::start(
        COMPUTER,
        "software_product_list =\n  kvm http://kvm/1",
        meant,
    );
    steps.iter().for_each(|step| pair.ask(step));
    pair.finish();
}

#[test]
fn a_computer_is_described() {
    scenario(
        &[
            &UNKNOWN_IS_404,
            &OTHER_COMPUTERS_ADDRESSES,
            &SLAVE_ANSWER_IS_WHOLE,
        ],
        &[
            full(COMPUTER),
            format(COMPUTER, 3),
            format("COMP-2", 2),
            full(COMPUTER),
            full("COMP-2"),
            get("getComputerInformation", &[("computer_id", "COMP-2")]),
            register("slappart1"),
            format(COMPUTER, 3),
            format(COMPUTER, 2),
            full(COMPUTER),
            request("one"),
            request("two"),
            request("shared").shared(),
            // slappart1 and slappart0 go with what they hold.
            format(COMPUTER, 1),
            format(COMPUTER, 0),
            format(COMPUTER, 2),
            full(COMPUTER),
            full("nowhere"),
            register("nowhere"),
        ],
    );
}

#[test]
fn releases_are_supplied_and_removed() {
    let release = |call, more: &[(&str, &str)]| {
        let named = [("url", RELEASE), ("computer_id", COMPUTER)];
        post(call, &[&named[..], more].concat())
    };
    scenario(
        &[
            &REPORTS_ARE_KEPT,
            &UNKNOWN_IS_404,
            &WRONG_IS_400,
            &SUPPLY_NEEDS_NO_STATE,
            &PRODUCT_OF_A_RELEASE,
        ],
        &[
            format(COMPUTER, 1),
            release("supplySupply", &[("state", "available")]),
            full(COMPUTER),
            release("buildingSoftwareRelease", &[]),
            release("availableSoftwareRelease", &[]),
            release("softwareReleaseError", &[("error_log", "no space")]),
            release("supplySupply", &[("state", "destroyed")]),
            full(COMPUTER),
            release("destroyedSoftwareRelease", &[]),
            release("destroyedSoftwareRelease", &[]),
            full(COMPUTER),
            release("supplySupply", &[("state", "weird")]),
            release("supplySupply", &[]),
            post(
                "supplySupply",
                &[
                    ("url", RELEASE),
                    ("computer_id", "COMP-9"),
                    ("state", "available"),
                ],
            ),
            full("COMP-9"),
            get(
                "getSoftwareReleaseListFromSoftwareProduct",
                &[("software_product_reference", "kvm")],
            ),
            get(
                "getSoftwareReleaseListFromSoftwareProduct",
                &[("software_product_reference", "nothing")],
            ),
            get(
                "getSoftwareReleaseListFromSoftwareProduct",
                &[("software_release_url", "http://kvm/1")],
            ),
        ],
    );
}

#[test]
fn instances_are_requested_by_a_user() {
    let typed = document(&Value::dict([
        ("flag", Value::Bool(true)),
        ("float", Value::Float(1.5)),
        ("int", Value::Int(7)),
        ("list", Value::list(vec![1_i64.into(), "a".into()])),
        ("none", Value::None),
        ("text", "é <&> \"'\n\t".into()),
    ]));
    scenario(
        &[
            &OTHER_COMPUTERS_ADDRESSES,
            &STATE_IS_TOLD,
            &EMPTY_TYPE_IS_NONE,
            &TYPE_MAY_BE_ABSENT,
        ],
        &[
            format(COMPUTER, 3),
            format("COMP-2", 1),
            request("one"),
            request("one"),
            request("one").parameters(&[("a", "1")]),
            request("one").parameters(&[("a", "1")]),
            request("one").with("software_type", "other"),
            request("one").with("software_release", "http://other/"),
            request("one").state("stopped"),
            // No state: it stays as it is.
            request("one"),
            register("slappart0"),
            request("one").state("started"),
            request("two").with("partition_parameter_xml", typed),
            register("slappart1"),
            request("two").with("software_type", ""),
            request("three").with("software_type", ""),
            request("three").without("software_type"),
            request("four"),
            request("elsewhere").filter(&[("computer_guid", "COMP-2")]),
            request("nowhere").filter(&[("computer_guid", "COMP-9")]),
            full(COMPUTER),
            full("COMP-2"),
            request("one").filter(&[("computer_guid", "COMP-2")]),
            request("one").state("destroyed"),
            register("slappart0"),
            on("slappart0", "destroyedComputerPartition", &[]),
            register("slappart0"),
            request("four").state("destroyed"),
            request("five").state("None"),
        ],
    );
}

#[test]
fn partitions_request_children() {
    let child = |name| request(name).acting_for(COMPUTER, "slappart0");
    scenario(
        &[
            &ADDRESSES_OF_A_TREE,
            &STATE_IS_TOLD,
            &CHILDREN_ARE_NAMED,
            &DESTRUCTION_IS_SEEN,
            &UNKNOWN_IS_REFUSED,
        ],
        &[
            format(COMPUTER, 5),
            request("root"),
            child("child"),
            child("child"),
            request("child").acting_for(COMPUTER, "slappart1"),
            request("by-form")
                .with("computer_id", COMPUTER)
                .with("computer_partition_id", "slappart0"),
            // The header goes before the fields.
            child("child")
                .with("computer_id", COMPUTER)
                .with("computer_partition_id", "slappart1"),
            // A root of the same name as a child is another instance.
            request("child"),
            full(COMPUTER),
            get(
                "getHostingSubscriptionIpList",
                &[
                    ("computer_id", COMPUTER),
                    ("computer_partition_id", "slappart1"),
                ],
            ),
            request("root").state("stopped"),
            full(COMPUTER),
            child("child"),
            child("child").state("started"),
            register("slappart1"),
            request("root").state("started"),
            child("child"),
            child("child").state("started"),
            request("root").state("destroyed"),
            child("child").state("started"),
            on("slappart0", "destroyedComputerPartition", &[]),
            full(COMPUTER),
            on("slappart0", "destroyedComputerPartition", &[]),
            on("slappart1", "destroyedComputerPartition", &[]),
            on("slappart2", "destroyedComputerPartition", &[]),
            on("slappart0", "destroyedComputerPartition", &[]),
            full(COMPUTER),
            on("slappart0", "destroyedComputerPartition", &[]),
            on("nowhere", "destroyedComputerPartition", &[]),
            child("orphan"),
            request("orphan").acting_for(COMPUTER, "nowhere"),
            request("orphan").acting_for("COMP-9", "slappart0"),
            request("basic").header("Authorization: Basic YTpi"),
        ],
    );
}

#[test]
fn instances_publish_connection_parameters() {
    scenario(
        &[&UNKNOWN_IS_REFUSED],
        &[
            format(COMPUTER, 3),
            request("root"),
            request("child").acting_for(COMPUTER, "slappart0"),
            publish("slappart0", &[("url", "http://root/")]),
            request("root"),
            publish("slappart1", &[("url", "http://child/ <é&>")]),
            full(COMPUTER),
            publish("slappart1", &[("url", "http://child/ <é&>")]),
            full(COMPUTER),
            publish("slappart1", &[("url", "http://child/2"), ("more", "")]),
            request("child").acting_for(COMPUTER, "slappart0"),
            publish("slappart1", &[]),
            register("slappart1"),
            publish("slappart1", &[("a", "b")]).with("slave_reference", "None"),
            publish("slappart2", &[("free", "partition")]),
            publish("nowhere", &[("a", "b")]),
            publish("slappart1", &[("a", "b")]).with("slave_reference", "no-such-slave"),
            publish("slappart1", &[("a", "b")]).acting_for(COMPUTER, "slappart1"),
        ],
    );
}

#[test]
fn slaves_share_an_instance() {
    let slave = |name| request(name).shared();
    scenario(
        &[
            &SLAVE_ANSWER_IS_WHOLE,
            &EMPTY_TYPE_IS_NONE,
            &SLAVE_MOVES,
            &SLAVE_GOES,
            &SLAVE_LEAVES_WITH_REQUESTER,
            &REPORTS_ARE_KEPT,
        ],
        &[
            format(COMPUTER, 4),
            slave("early"),
            request("host").with("software_type", "shared"),
            slave("one").parameters(&[("k", "v")]),
            slave("one")
                .with("software_type", "shared")
                .parameters(&[("k", "v")]),
            register("slappart0"),
            slave("one")
                .with("software_type", "shared")
                .parameters(&[("k", "v")]),
            slave("one")
                .with("software_type", "shared")
                .parameters(&[("k", "w")]),
            register("slappart0"),
            slave("two").with("software_type", ""),
            request("second-host").with("software_type", "shared"),
            slave("three").with("software_type", "shared"),
            slave("three")
                .with("software_type", "shared")
                .filter(&[("instance_guid", "COMP-1-slappart1")]),
            slave("four")
                .with("software_type", "shared")
                .filter(&[("instance_guid", "COMP-1-slappart1")]),
            slave("five")
                .with("software_type", "shared")
                .filter(&[("instance_guid", "COMP-1-slappart9")]),
            request("root"),
            slave("of-root")
                .with("software_type", "shared")
                .acting_for(COMPUTER, "slappart2"),
            full(COMPUTER),
            publish("slappart0", &[("url", "http://one/")]).with("slave_reference", "_one"),
            publish("slappart0", &[("url", "http://one/")]).with("slave_reference", "_one"),
            slave("one")
                .with("software_type", "shared")
                .parameters(&[("k", "w")]),
            publish("slappart0", &[("url", "http://of-root/")])
                .with("slave_reference", "root_of-root"),
            full(COMPUTER),
            slave("of-root")
                .with("software_type", "shared")
                .acting_for(COMPUTER, "slappart2"),
            slave("one")
                .with("software_type", "shared")
                .state("stopped"),
            slave("one")
                .with("software_type", "shared")
                .state("destroyed"),
            slave("one")
                .with("software_type", "shared")
                .state("destroyed"),
            register("slappart0"),
            slave("never")
                .with("software_type", "shared")
                .state("destroyed"),
            on(
                "slappart0",
                "softwareInstanceError",
                &[("error_log", "bad"), ("slave_reference", "two")],
            ),
            on("slappart2", "destroyedComputerPartition", &[]),
            on("slappart0", "destroyedComputerPartition", &[]),
            full(COMPUTER),
        ],
    );
}

#[test]
fn instances_are_renamed() {
    let rename = |partition, name| on(partition, "softwareInstanceRename", &[("new_name", name)]);
    scenario(
        &[&UNKNOWN_IS_REFUSED],
        &[
            format(COMPUTER, 4),
            request("root"),
            request("child").acting_for(COMPUTER, "slappart0"),
            request("grandchild").acting_for(COMPUTER, "slappart1"),
            rename("slappart0", "new-root"),
            full(COMPUTER),
            request("child").acting_for(COMPUTER, "slappart0"),
            rename("slappart1", "new-child"),
            request("grandchild").acting_for(COMPUTER, "slappart1"),
            request("new-child").acting_for(COMPUTER, "slappart0"),
            full(COMPUTER),
            rename("slappart3", "of-nothing"),
            rename("nowhere", "name"),
            rename("slappart0", "new-root"),
        ],
    );
}

#[test]
fn names_stay_unique() {
    let rename = |partition, name| on(partition, "softwareInstanceRename", &[("new_name", name)]);
    scenario(
        &[&NAMES_STAY_UNIQUE],
        &[
            format(COMPUTER, 4),
            request("one"),
            request("two"),
            request("one").acting_for(COMPUTER, "slappart0"),
            rename("slappart1", "one"),
            full(COMPUTER),
        ],
    );
}

#[test]
fn slaves_are_renamed() {
    let slave = |name| request(name).shared();
    let root_slave = || slave("shared").acting_for(COMPUTER, "slappart1");
    let rename =
        |partition, fields: &[(&str, &str)]| on(partition, "softwareInstanceRename", fields);
    scenario(
        &[
            &SLAVE_ANSWER_IS_WHOLE,
            &SLAVES_FOLLOW_THEIR_ROOT,
            &SLAVE_IS_RENAMED,
        ],
        &[
            format(COMPUTER, 2),
            request("host"),
            request("root").with("software_release", "http://other/"),
            root_slave(),
            rename("slappart1", &[("new_name", "new-root")]),
            root_slave(),
            register("slappart0"),
            slave("of-user"),
            rename(
                "slappart0",
                &[("new_name", "new"), ("slave_reference", "_of-user")],
            ),
        ],
    );
}

#[test]
fn trees_span_computers() {
    let child = |name| request(name).acting_for(COMPUTER, "slappart1");
    let elsewhere = [("computer_guid", "COMP-2")];
    let publish_elsewhere =
        |partition, value| publish(partition, &[("url", value)]).with("computer_id", "COMP-2");
    scenario(
        &[
            &OTHER_COMPUTERS_ADDRESSES,
            &SLAVE_ANSWER_IS_WHOLE,
            &REQUESTER_IS_FOUND,
            &COMPUTER_BANG,
            &CHILDREN_ARE_NAMED,
            &DESTRUCTION_IS_SEEN,
        ],
        &[
            format(COMPUTER, 3),
            format("COMP-2", 3),
            request("first"),
            request("root"),
            child("near"),
            child("far").filter(&elsewhere),
            request("far-root").filter(&elsewhere),
            full("COMP-2"),
            publish_elsewhere("slappart0", "http://far/"),
            full(COMPUTER),
            full("COMP-2"),
            child("far").filter(&elsewhere),
            child("far"),
            request("host")
                .filter(&elsewhere)
                .with("software_release", "http://shared/"),
            child("slave")
                .shared()
                .with("software_release", "http://shared/"),
            child("slave")
                .shared()
                .with("software_release", "http://shared/")
                .filter(&elsewhere),
            publish_elsewhere("slappart2", "http://slave/").with("slave_reference", "root_slave"),
            full(COMPUTER),
            full("COMP-2"),
            post("computerBang", &[("computer_id", "COMP-2")]),
            on("slappart1", "softwareInstanceBang", &[("message", "why")]),
            request("root").state("destroyed"),
            child("far"),
            on("slappart1", "destroyedComputerPartition", &[]),
            full("COMP-2"),
            // Destruction is taken back before it is done.
            request("far-root").state("destroyed"),
            request("far-root").state("started"),
        ],
    );
}

#[test]
fn bangs_have_instances_processed_again() {
    let bang = |partition| on(partition, "softwareInstanceBang", &[("message", "why")]);
    scenario(
        &[&UNKNOWN_IS_REFUSED, &COMPUTER_BANG],
        &[
            format(COMPUTER, 5),
            request("root"),
            request("child").acting_for(COMPUTER, "slappart0"),
            request("grandchild").acting_for(COMPUTER, "slappart1"),
            request("other"),
            full(COMPUTER),
            bang("slappart0"),
            full(COMPUTER),
            bang("slappart2"),
            full(COMPUTER),
            bang("slappart3"),
            full(COMPUTER),
            bang("slappart4"),
            bang("nowhere"),
            post(
                "computerBang",
                &[("computer_id", COMPUTER), ("message", "why")],
            ),
            full(COMPUTER),
            post(
                "computerBang",
                &[("computer_id", "COMP-9"), ("message", "why")],
            ),
        ],
    );
}

#[test]
fn nodes_report() {
    let usage = "<?xml version='1.0' encoding='utf-8'?><journal/>";
    let error = [("error_log", "traceback é")];
    scenario(
        &[
            &REPORTS_ARE_KEPT,
            &OLD_NODES_REPORT,
            &RELATED_INSTANCES,
            &STATUS,
            &HATEOAS_URL,
            &UNKNOWN_IS_REFUSED,
        ],
        &[
            format(COMPUTER, 2),
            request("one"),
            on("slappart0", "buildingComputerPartition", &[]),
            on("slappart0", "availableComputerPartition", &[]),
            on("slappart0", "startedComputerPartition", &[]),
            on("slappart0", "stoppedComputerPartition", &[]),
            on("slappart0", "softwareInstanceError", &error),
            on("slappart0", "startedComputerPartition", &[]).acting_for(COMPUTER, "slappart0"),
            on(
                "slappart0",
                "updateComputerPartitionRelatedInstanceList",
                &[(
                    "instance_reference_xml",
                    &document(&Value::list(Vec::new())),
                )],
            ),
            post(
                "useComputer",
                &[("computer_id", COMPUTER), ("use_string", usage)],
            ),
            get("getComputerStatus", &[("computer_id", COMPUTER)]),
            get(
                "getComputerPartitionStatus",
                &[
                    ("computer_id", COMPUTER),
                    ("computer_partition_id", "slappart0"),
                ],
            ),
            get(
                "getComputerPartitionCertificate",
                &[
                    ("computer_id", COMPUTER),
                    ("computer_partition_id", "slappart0"),
                ],
            ),
            get("getHateoasUrl", &[]),
            post("requestComputer", &[("computer_title", "new")]),
            post("generateComputerCertificate", &[("computer_id", COMPUTER)]),
            post("revokeComputerCertificate", &[("computer_id", COMPUTER)]),
            on("nowhere", "startedComputerPartition", &[]),
        ],
    );
}
