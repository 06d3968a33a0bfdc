//! Computers: their description, their releases, and what they report.

use slap_proto::marshal::Value;

use crate::differences::*;
use crate::scenario;
use crate::steps::*;

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
