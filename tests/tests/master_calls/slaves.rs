//! Slaves: requested, published, renamed, gone.

use crate::differences::*;
use crate::scenario;
use crate::steps::*;

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
