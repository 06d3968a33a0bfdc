//! What was once asked of the peer, in its order.

use slapos_tests::pair::Step;

use crate::differences::*;
use crate::scenarios::Scenario;

/// From lines of a path, the header Authorization (`-` if there is none) and the body, tabs between
/// them.
pub fn scenario() -> Scenario {
    let step = |line: &str| {
        let parts: Vec<_> = line.split('\t').collect();
        let [path, authorization, body] = parts[..] else {
            panic!("not a recorded request: {line}");
        };
        match authorization {
            "-" => Step::json(path, body),
            value => Step::json(path, body).header(&format!("Authorization: {value}")),
        }
    };
    Scenario {
        meant: &[
            &REPORTS_ARE_KEPT,
            &SHARES_HAVE_ADDRESSES,
            &CHILDREN_FOLLOW_THEIR_ROOT,
            &COMPUTER_BANG,
            &USAGE_IS_KEPT,
            &STATUS_IS_TOLD,
            &DESTRUCTION_IS_SEEN,
            &SHARES_GO_WITH_THEIR_HOST,
        ],
        steps: include_str!("../../corpus/json_rpc.txt")
            .lines()
            .map(step)
            .collect(),
    }
}
