//! Times as people read them.

use jiff::Timestamp;
use maud::{Markup, html};

const EXACT: &str = "%Y-%m-%d %H:%M:%S UTC";

/// Of a time: how long ago it was, with the exact one at hand. The script keeps the words true.
pub(super) fn ago(now: f64, then: f64) -> Markup {
    let Some(time) = timestamp(then) else {
        return html! { "at an unknown time" };
    };
    html! {
        time datetime=(time.strftime("%Y-%m-%dT%H:%M:%SZ")) title=(time.strftime(EXACT)) { (since(now - then)) }
    }
}

/// A time as it is.
pub(super) fn exact(time: f64) -> String {
    timestamp(time).map_or_else(
        || "an unknown time".to_owned(),
        |time| time.strftime(EXACT).to_string(),
    )
}

fn timestamp(seconds: f64) -> Option<Timestamp> {
    // The cast saturates; what is out of range is refused then.
    Timestamp::from_second(seconds.floor() as i64).ok()
}

/// A length of time in its largest unit; the script has the same rules.
fn since(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        0..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_unit() {
        let table = [
            (-7.0, "just now"),
            (4.9, "just now"),
            (5.0, "5 s ago"),
            (59.9, "59 s ago"),
            (60.0, "1 min ago"),
            (3599.0, "59 min ago"),
            (3600.0, "1 h ago"),
            (172_799.0, "47 h ago"),
            (172_800.0, "2 days ago"),
        ];
        for (seconds, text) in table {
            assert_eq!(since(seconds), text);
        }
    }

    #[test]
    fn the_exact_time_is_in_the_title() {
        let html = ago(1_700_000_060.0, 1_700_000_000.9).into_string();
        assert_eq!(
            html,
            "<time datetime=\"2023-11-14T22:13:20Z\" title=\"2023-11-14 22:13:20 UTC\">59 s ago</time>"
        );
    }

    #[test]
    fn a_time_that_another_program_garbled_is_no_failure() {
        for then in [f64::NAN, f64::INFINITY, -1e300] {
            let html = ago(0.0, then).into_string();
            assert!(html.contains("unknown") || html.contains("1970"), "{html}");
        }
    }
}
