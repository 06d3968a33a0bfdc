//! Every call of a node and of a user, made at our master and at the peer's: answers and
//! databases are the same but for the differences that each scenario names.

mod computers;
mod differences;
mod instances;
mod replay;
mod slaves;
mod steps;

use slapos_tests::pair::{Meant, Pair, Step};

/// Makes the calls one after the other at both; `meant` are the differences that they show.
fn scenario(meant: &'static [&'static Meant], steps: &[Step]) {
    let mut pair = Pair::start(
        steps::COMPUTER,
        "software_product_list =\n  kvm http://kvm/1",
        meant,
    );
    steps.iter().for_each(|step| pair.ask(step));
    pair.finish();
}
