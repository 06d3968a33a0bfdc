//! Instances: requested, published, renamed, banged, destroyed, in trees.

use slap_proto::marshal::Value;

use crate::differences::*;
use crate::scenario;
use crate::steps::*;

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
            &NO_INSTANCE_NO_REQUESTS,
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
fn instances_are_renamed() {
    let rename = |partition, name| on(partition, "softwareInstanceRename", &[("new_name", name)]);
    scenario(
        &[&UNKNOWN_IS_REFUSED, &NO_INSTANCE_NO_NAME],
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
