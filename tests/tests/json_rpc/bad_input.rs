//! What is wrong is refused by its name, as the description says, and changes nothing.

use serde_json::{Map, Value, json};
use slapos_tests::pair::{Master, Pair, Step, database};
use slapos_tests::{COMPUTER, Side, http};

use crate::description::Description;
use crate::differences::REFUSED_CHANGES_NOTHING;
use crate::examples::{examples, prepare};
use crate::scenarios::request;

/// Every value of another JSON type.
fn of_other_types(value: &Value) -> impl Iterator<Item = Value> {
    let kind = |value: &Value| std::mem::discriminant(value);
    let own = kind(value);
    let all = [
        json!(null),
        json!(true),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
    ];
    all.into_iter().filter(move |other| kind(other) != own)
}

/// The parameters with one left out, of another type, or one too many; and the name of it.
fn wrong_ones(parameters: &Value, required: &[String]) -> Vec<(String, Value)> {
    let fields = parameters.as_object().expect("parameters are an object");
    let with = |name: &str, value: Option<Value>| {
        let mut changed: Map<String, Value> = fields.clone();
        match value {
            Some(value) => changed.insert(name.to_owned(), value),
            None => changed.remove(name),
        };
        (name.to_owned(), Value::Object(changed))
    };
    let mut wrong = vec![with("unexpected", Some(json!(1)))];
    wrong.extend(required.iter().map(|name| with(name, None)));
    for (name, value) in fields {
        wrong.extend(of_other_types(value).map(|other| with(name, Some(other))));
    }
    wrong
}

#[test]
fn parameters_that_are_missing_unknown_or_of_another_type() {
    let mut pair = Pair::start(COMPUTER, "", &[]);
    let description = Description::of(pair.our_address());
    prepare().iter().for_each(|step| pair.ask(step));
    for (method, parameters) in examples() {
        let path = format!("slapos.{method}");
        let schema = description.request(&path);
        assert!(schema.is_valid(&parameters), "{path} {parameters}");
        for (name, wrong) in wrong_ones(&parameters, &description.required(&path)) {
            assert!(!schema.is_valid(&wrong), "{path} {wrong}");
            pair.ask_and(&Step::json(&path, wrong.to_string()), |status, body| {
                let text = String::from_utf8_lossy(body);
                assert_eq!(status, 400, "{path} {wrong}: {text}");
                assert!(text.contains(&name), "{path} {wrong}: {text}");
                description.check_answer(&path, status, body);
            });
        }
    }
    pair.finish();
}

/// Our master, ready for the examples, and what it says of itself.
struct Ours {
    master: Master,
    description: Description,
    dump: Vec<String>,
}

impl Ours {
    fn start() -> Self {
        let master = Master::start(Side::Ours, COMPUTER, "");
        for step in prepare() {
            assert_eq!(step.send(&master.address).0, 200, "{step}");
        }
        Self {
            description: Description::of(&master.address),
            dump: database::dump(&master.database()),
            master,
        }
    }

    /// The title of the problem that a call ends in; it must change nothing.
    fn refused(&self, step: &Step, expected: u16) -> String {
        let (status, body) = step.send(&self.master.address);
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, expected, "{step}: {text}");
        self.description.check_answer(step.call(), status, &body);
        assert_eq!(database::dump(&self.master.database()), self.dump, "{step}");
        let problem: Value = serde_json::from_slice(&body).expect("it was checked");
        problem["title"]
            .as_str()
            .expect("it was checked")
            .to_owned()
    }

    fn finish(self) {
        for (method, parameters) in examples() {
            let step = Step::json(&format!("slapos.{method}"), parameters.to_string());
            let (status, body) = step.send(&self.master.address);
            assert_eq!(status, 200, "{step}");
            self.description.check_answer(step.call(), status, &body);
        }
        let log = self.master.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn values_that_no_parameter_may_have() {
    let ours = Ours::start();
    let example = |method: &str| {
        let found = examples().into_iter().find(|(name, _)| *name == method);
        found.expect("every method has an example").1
    };
    let long = |length: usize| json!("é".repeat(length));
    let partition = |value: Value| json!([value]);
    let address = |value: Value| json!([{"partition_id": "p", "ip_list": [value]}]);
    const REQUEST: &str = "post.v0.software_instance";
    const FORMAT: &str = "put.v0.compute_node_format";
    const LIST: &str = "compute_partition_list";
    for (method, name, value, told) in [
        (REQUEST, "title", json!(""), "title: empty"),
        (REQUEST, "title", long(201), "title: 201 characters"),
        (
            REQUEST,
            "title",
            long(5_000_000),
            "title: 5000000 characters",
        ),
        (
            REQUEST,
            "title",
            json!("a\u{0}"),
            "title: the character U+0000",
        ),
        (
            REQUEST,
            "software_release_uri",
            json!(""),
            "software_release_uri: empty",
        ),
        (
            REQUEST,
            "software_release_uri",
            long(4097),
            "software_release_uri: 4097",
        ),
        (REQUEST, "software_type", long(256), "software_type: 256"),
        (
            REQUEST,
            "state",
            json!("weird"),
            "state: unknown state \"weird\"",
        ),
        (
            REQUEST,
            "state",
            json!({"started": null}),
            "state: invalid type",
        ),
        (
            REQUEST,
            "sla_parameters",
            json!({"computer_guid": 1}),
            "computer_guid is not a text",
        ),
        (
            REQUEST,
            "sla_parameters",
            json!({"other": null}),
            "other is not a text",
        ),
        (
            REQUEST,
            "sla_parameters",
            json!({"retention_delay": "1"}),
            "retention_delay is not",
        ),
        (
            REQUEST,
            "parameters",
            json!({"a": {"b": ["\u{b}"]}}),
            "parameters.a.b[0]: the char",
        ),
        (
            REQUEST,
            "parameters",
            json!({"\u{1}": 1}),
            "parameters: the character U+0001",
        ),
        (
            REQUEST,
            "parameters",
            json!({"a": 1e20}),
            "parameters.a: invalid value",
        ),
        (
            REQUEST,
            "parameters",
            json!({"a": long(5_000_000)}),
            "parameters: 10000001 bytes",
        ),
        (
            "get.v0.compute_partition",
            "computer_guid",
            json!(""),
            "computer_guid: empty",
        ),
        (
            "get.v0.compute_partition",
            "computer_guid",
            long(256),
            "computer_guid: 256",
        ),
        (
            "get.v0.software_instance",
            "instance_guid",
            json!(""),
            "instance_guid: empty",
        ),
        (
            "get.v0.software_instance",
            "instance_guid",
            long(601),
            "instance_guid: 601",
        ),
        (
            "post.v0.compute_node_usage",
            "tioxml",
            json!(""),
            "tioxml: empty",
        ),
        (
            "post.v0.compute_node_usage",
            "tioxml",
            long(4_194_305),
            "tioxml: 4194305",
        ),
        (
            "put.v0.software_instance_bang",
            "message",
            long(1_048_577),
            "message: 1048577",
        ),
        (
            "put.v0.software_installation_reported_state",
            "reported_state",
            json!("x"),
            "unknown state \"x\"",
        ),
        (
            "put.v0.software_instance_reported_state",
            "reported_state",
            json!("building"),
            "unknown state",
        ),
        (
            FORMAT,
            LIST,
            partition(json!({})),
            "missing field `partition_id`",
        ),
        (
            FORMAT,
            LIST,
            partition(json!(["p", []])),
            "compute_partition_list[0]: invalid type",
        ),
        (
            FORMAT,
            LIST,
            partition(json!({"partition_id": ""})),
            "[0].partition_id: empty",
        ),
        (
            FORMAT,
            LIST,
            partition(json!({"partition_id": "p", "ip_list": {}})),
            "[0].ip_list: invalid",
        ),
        (
            FORMAT,
            LIST,
            address(json!({})),
            "missing field `ip-address`",
        ),
        (
            FORMAT,
            LIST,
            address(json!({"ip-address": "::1", "netmask": null})),
            "ip_list[0].netmask: invalid type",
        ),
        (
            FORMAT,
            LIST,
            address(json!({"ip-address": 4})),
            "ip_list[0].ip-address: invalid type",
        ),
        (
            FORMAT,
            LIST,
            address(json!(["::1"])),
            "ip_list[0]: invalid type",
        ),
    ] {
        let mut parameters = example(method);
        parameters[name] = value;
        let step = Step::json(&format!("slapos.{method}"), parameters.to_string());
        let title = ours.refused(&step, 400);
        assert!(title.contains(told), "{step}: {title}");
    }
    ours.finish();
}

#[test]
fn bodies_that_are_no_object_of_parameters() {
    let ours = Ours::start();
    for (method, parameters) in examples() {
        let path = format!("slapos.{method}");
        let text = parameters.to_string();
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let bodies: [&[u8]; 11] = [
            b"",
            b"hello",
            b"null",
            b"[]",
            br#"["x"]"#,
            b"{",
            b"{\"\xff\": 1}",
            b"{\"a\": \"\xff\"}",
            br#"{"a": "\ud800"}"#,
            deep.as_bytes(),
            &[text.as_bytes(), b" {}"].concat(),
        ];
        for body in bodies {
            ours.refused(&Step::json(&path, body), 400);
        }
        for value in parameters
            .as_object()
            .expect("parameters are an object")
            .keys()
        {
            let twice = format!("{{\"{value}\": \"x\", \"{value}\": \"x\"}}");
            ours.refused(&Step::json(&path, twice), 400);
        }
    }
    let nested = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let parameters =
        json!({"instance_guid": "one______0", "connection_parameter_dict": {"a": nested}});
    let step = Step::json(
        "slapos.put.v0.software_instance_connection_parameter",
        parameters.to_string(),
    );
    assert!(ours.refused(&step, 400).contains("recursion limit"));
    let long = "é".repeat(1_000_000);
    let unknown = json!({"instance_guid": "one______0", &long: 1});
    let not_an_object = json!({"instance_guid": "one______0", "connection_parameter_dict": long});
    for parameters in [unknown, not_an_object] {
        let path = "slapos.put.v0.software_instance_connection_parameter";
        let title = ours.refused(&Step::json(path, parameters.to_string()), 400);
        assert!(title.chars().count() < 1000, "{} characters", title.len());
    }
    let huge = vec![b' '; (12 << 20) + 1];
    ours.refused(&Step::json("slapos.get.v0.hateoas_url", huge), 413);
    ours.finish();
}

#[test]
fn headers_and_methods_of_http() {
    let mut pair = Pair::start(COMPUTER, "", &[&REFUSED_CHANGES_NOTHING]);
    let description = Description::of(pair.our_address());
    prepare().iter().for_each(|step| pair.ask(step));
    let mut both = |step: &Step, expected: u16| {
        pair.ask_and(step, |status, body| {
            assert_eq!(status, expected, "{step}");
            description.check_answer(step.call(), status, body);
        });
    };
    for (method, parameters) in examples() {
        let step = |content_type: &str| {
            Step::json(&format!("slapos.{method}"), "").body(content_type, parameters.to_string())
        };
        both(&step("text/plain"), 415);
        both(&step("application/x-www-form-urlencoded"), 415);
        both(&step("application/json").header("Accept: text/html"), 406);
        both(&step("application/json").header("Accept: */*;q=0"), 406);
    }
    let url =
        |content_type: &str| Step::json("slapos.get.v0.hateoas_url", "").body(content_type, "{}");
    both(&url("application/json; charset=utf-8"), 200);
    both(&url("application/vnd.x+json"), 200);
    both(
        &url("application/json").header("Accept: text/html, */*;q=0.1"),
        200,
    );
    both(&url("application/json").header("Accept:"), 200);
    let (status, _) =
        http::get(pair.our_address(), "/slapos.get.v0.hateoas_url").expect("it answers");
    assert_eq!(status, 405);
    pair.finish();
}

#[test]
fn what_is_named_is_not_there() {
    let ours = Ours::start();
    for (method, parameters) in examples() {
        for (name, value) in [
            ("computer_guid", "nowhere"),
            ("compute_partition_id", "nowhere"),
            ("instance_guid", "nothing______0"),
            ("instance_guid", "nothing______1"),
            ("instance_guid", "nothing"),
        ] {
            // These take computers that are not there yet.
            let is_known = [
                "put.v0.compute_node_format",
                "post.v0.software_installation",
            ];
            if parameters.get(name).is_none() || is_known.contains(&method) {
                continue;
            }
            let mut unknown = parameters.clone();
            unknown[name] = json!(value);
            let step = Step::json(&format!("slapos.{method}"), unknown.to_string());
            assert!(ours.refused(&step, 403).contains(value), "{step}");
        }
    }
    let unknown_requester = request("two", json!({})).acting_for(COMPUTER, "nowhere");
    assert!(ours.refused(&unknown_requester, 400).contains("nowhere"));
    let half_a_requester =
        request("two", json!({})).header("Authorization: X-SlapPartition computer_id=a");
    ours.refused(&half_a_requester, 400);
    let no_room = request(
        "two",
        json!({"sla_parameters": {"computer_guid": "nowhere"}}),
    );
    assert!(ours.refused(&no_room, 403).contains("nowhere"));
    ours.finish();
}
