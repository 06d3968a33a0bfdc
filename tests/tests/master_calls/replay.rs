//! What clients and nodes of both generations once asked their masters, asked again of both.

use slapos_tests::pair::{Meant, Pair, Step};

use crate::differences::*;

/// Asks what is recorded, in its order.
fn replay(computer: &str, recorded: &str, meant: &'static [&'static Meant]) {
    let mut pair = Pair::start(
        computer,
        "software_product_list =\n  tiny http://tiny/",
        meant,
    );
    recorded
        .lines()
        .for_each(|line| pair.ask(&Step::recorded(line)));
    pair.finish();
}

/// Tools of 1.26.1 and hand-made requests, and a client of 0.27 with the same master.
#[test]
fn requests_of_today() {
    replay(
        "COMP-NODE",
        include_str!("../../corpus/today.txt"),
        &[
            &UNKNOWN_IS_404,
            &WRONG_IS_400,
            &UNKNOWN_IS_REFUSED,
            &FIELDS_MAY_BE_ABSENT,
            &FRONTEND_IS_AN_INSTANCE,
            &HATEOAS_URL,
            &RUN_ID,
            &SLAVES_FOLLOW_THEIR_ROOT,
            &SLAVE_IS_RENAMED,
            &SLAVE_GOES,
            &CHILDREN_ARE_NAMED,
            &DESTRUCTION_IS_SEEN,
            &SUPPLY_NEEDS_NO_STATE,
            &SLAVE_ANSWER_IS_WHOLE,
            &REPORTS_ARE_KEPT,
            &OLD_NODES_REPORT,
            &RELATED_INSTANCES,
            &STATUS,
            &COMPUTER_BANG,
            &ADDRESSES_OF_A_TREE,
            &PRODUCT_OF_A_RELEASE,
        ],
    );
}

/// A node of 1.26.1 that runs as root.
#[test]
fn requests_of_a_whole_node() {
    replay(
        "COMP-ROOTA",
        include_str!("../../corpus/root.txt"),
        &[&REPORTS_ARE_KEPT, &RELATED_INSTANCES, &COMPUTER_BANG],
    );
}

/// A node and a client of 0.27, and a client of 1.26.1 with the same master.
#[test]
fn requests_of_the_older_generation() {
    replay(
        "COMP-OLDA",
        include_str!("../../corpus/old.txt"),
        &[
            &RUN_ID,
            &SLAVE_IS_RENAMED,
            &UNKNOWN_IS_404,
            &WRONG_IS_400,
            &UNKNOWN_IS_REFUSED,
            &SLAVE_ANSWER_IS_WHOLE,
            &REPORTS_ARE_KEPT,
            &OLD_NODES_REPORT,
            &RELATED_INSTANCES,
            &STATUS,
            &COMPUTER_BANG,
            &ADDRESSES_OF_A_TREE,
            &PRODUCT_OF_A_RELEASE,
        ],
    );
}
