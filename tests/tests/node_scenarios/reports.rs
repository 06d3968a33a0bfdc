//! What is reported of consumption.

use super::*;

scenarios! {
    usage: "usage reports", |world| {
        deployed(world, &usage_script());
        let node_report = world.node.instance_root().join("var/xml_report/slappart0");
        fs::create_dir_all(&node_report).expect("the instance root is ours");
        fs::write(node_report.join("disk.xml"), consumption("DISK", "7")).expect("it is ours");
        fs::write(world.node.partition(0).join("var/xml_report/broken"), "no report").expect("it is ours");
        world.report(&[]);
        world.note_files("instance/slappart0/var");
        world.note_files("instance/var/xml_report");
    }, [
        Difference {
            name: "reports of the node are removed",
            side: Peer,
            line: "file instance/var/xml_report/slappart0/disk.xml",
            because: "a defect of the peer: it looks for them in the other directory, and sends them again",
        },
    ];

    usage_refused: "usage that the master refuses, of an instance to destroy", |world| {
        deployed(world, &usage_script());
        want(world, "destroyed", "1700000001");
        world.master.script().fail_once("useComputer", Misbehaviour::Answer(500, String::new()));
        world.report(&[]);
        world.note_services();
        world.note_files("instance/slappart0/var");
        world.report(&[]);
        world.note_files("instance/slappart0");
    }, [
        Difference {
            name: NOTHING_LOST,
            side: Ours,
            line: "file instance/slappart0/var/xml_report/slapreport.RANDOM",
            because: "the peer removes reports before it sends them",
        },
        Difference {
            name: NOTHING_LOST,
            side: Ours,
            line: "call useComputer [slappart0: 42 CPU]",
            because: "what was refused is sent again",
        },
        Difference {
            name: "a failure of the master is an exit code",
            side: Peer,
            line: "exit 0",
            because: "the usage was not reported",
        },
        Difference {
            name: "a failure of the master is an exit code",
            side: Ours,
            line: "exit 1",
            because: "the usage was not reported",
        },
        Difference {
            name: "a failing master is not told that it fails",
            side: Peer,
            line: "call softwareInstanceError slappart0",
            because: "the instance is not to blame",
        },
    ];

    failing_report: "a report script fails", |world| {
        deployed(world, "program report bad 'echo oops >&2; exit 3'");
        world.report(&[]);
    }, [];
}

fn consumption(resource: &str, quantity: &str) -> String {
    format!(
        "<consumption><movement><resource>{resource}</resource><reference></reference>\
         <quantity>{quantity}</quantity><price>0.00</price><VAT>None</VAT></movement></consumption>"
    )
}

/// An instance with a program that reports 42 CPU.
fn usage_script() -> String {
    format!(
        "mkdir -p var/xml_report; program report usage 'echo \"{}\" > $1'",
        consumption("CPU", "42")
    )
}
