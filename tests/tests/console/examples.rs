//! What the documentation of slapos.core shows, typed as it stands there.

use slapos_tests::{COMPUTER, Server, population};

use crate::{Console, KVM, write_configuration};

/// The lines of the documentation, and what the prompt shows after each; a line that goes on shows
/// nothing.
const EXAMPLES: &[(&str, Option<&str>)] = &[
    ("# Request instance", Some("")),
    (
        "request(kvm, \"myuniquekvm\")",
        Some("<ComputerPartition COMP-1/slappart0 started>\n"),
    ),
    ("# Request instance on specific computer", Some("")),
    ("request(kvm, \"myotheruniquekvm\",", None),
    (
        "filter_kw={ \"computer_guid\": \"COMP-12345\" })",
        Some("<ComputerPartition COMP-12345/slappart0 started>\n"),
    ),
    (
        "# Request instance, specifying parameters (here nbd_ip and nbd_port)",
        Some(""),
    ),
    ("request(kvm, \"mythirduniquekvm\",", None),
    (
        "partition_parameter_kw={\"nbd_ip\":\"2a01:e35:2e27:460:e2cb:4eff:fed9:48dc\",",
        None,
    ),
    (
        "\"nbd_port\":\"1024\"})",
        Some("<ComputerPartition COMP-1/slappart1 started>\n"),
    ),
    (
        "# Request software installation on owned computer",
        Some(""),
    ),
    (
        "supply(kvm, \"mycomputer\")",
        Some("<SoftwareRelease http://example.org/kvm/software.cfg available on mycomputer>\n"),
    ),
    ("# Fetch existing instance status", Some("")),
    (
        "request(kvm, \"myuniquekvm\").getState()",
        Some("\"started\"\n"),
    ),
    (
        "# Fetch instance informations on already launched instance",
        Some(""),
    ),
    (
        "request(kvm, \"myuniquekvm\").getConnectionParameter(\"url\")",
        Some("\"http://[2001:db8::1]/\"\n"),
    ),
];

#[test]
fn the_examples_run_as_they_are_written() {
    let console = Console::new();
    let url = "{'url': 'http://[2001:db8::1]/'}";
    console.value(&format!(
        "request(kvm, 'myuniquekvm').setConnectionDict({url})"
    ));
    let mut prompt = console.prompt();
    for (line, answer) in EXAMPLES {
        prompt.keys(&format!("{line}\r"));
        prompt.wait_for_end(&match answer {
            Some(answer) => format!("{line}\n{answer}>>>"),
            None => (*line).to_owned(),
        });
    }
    prompt.keys("\u{4}");
    assert_eq!(prompt.end().code(), Some(0));
}

#[test]
fn what_users_have_is_told() {
    let mut console = Console::new();
    let products = "software_product_list =\n  kvm http://example.org/kvm-2.cfg";
    console.master = Server::start(products, &[]);
    population::describe(&console.slap(), COMPUTER, 4);
    write_configuration(&console.configuration(), &console.master.url());
    console.value("request(kvm, 'one', partition_parameter_kw={'a': 'b'}).getState()");
    let order = "slap.registerOpenOrder()";
    for (expression, shown) in [
        ("product.kvm", "http://example.org/kvm-2.cfg"),
        ("product.get('kvm')", "http://example.org/kvm-2.cfg"),
        ("getInformation('one')['instance-parameters']['a']", "b"),
        (
            &format!("{order}.getInformation('one')['requested-state']"),
            "started",
        ),
        ("slap.getOpenOrderDict() == {'one': kvm}", "True"),
        ("slap.getComputerDict()['COMP-1'].getId()", "COMP-1"),
        (
            "slap.getComputerDict()['COMP-1'].getInformation()['title']",
            "COMP-1",
        ),
    ] {
        assert_eq!(console.value(expression), shown, "{expression}");
    }
    for (expression, said) in [
        (
            "product.none",
            "the master knows no release of the product none",
        ),
        ("product.get('a-b')", "no release of the product a-b"),
        ("getInformation('none')", "you have no instance \"none\""),
        (
            "slap.registerComputer('X').getInformation()",
            "you have no computer \"X\"",
        ),
        (
            "request(kvm, 'one').setUsage('<x/>')",
            "setUsage() tells the master nothing; Computer.reportUsage()",
        ),
        (
            "request(kvm, 'one').getInformation('one')",
            "getInformation(NAME) tells of instances that you requested",
        ),
        ("slap.registerToken().request()", "not found"),
        (
            "hasattr(product, 'none') or slap.none",
            "`slap` has no attribute `none`",
        ),
    ] {
        let message = console.mistake(expression);
        assert!(message.contains(said), "{expression}: {message}");
    }
}

#[test]
fn what_was_copied_with_its_prompts_runs() {
    let console = Console::new();
    let text = ">>> # Request instance on specific computer\n\
        >>> request(kvm, \"myotheruniquekvm\",\n\
        filter_kw={ \"computer_guid\": \"COMP-12345\" })\n\
        >>> for state in [\"stopped\", \"started\"]:\n\
        ...     instance = request(kvm, \"one\", state=state)\n\
        ...\n\
        >>> instance";
    assert_eq!(
        console.value(text),
        "<ComputerPartition COMP-1/slappart0 started>"
    );
}

#[test]
fn every_method_of_the_documentation_answers() {
    let console = Console::new();
    console.value("request(kvm, 'x', {'a': 'b'}).setConnectionDict({'url': 'http://x/'})");
    for (expression, expected) in [
        (
            "request(kvm, 'x').getConnectionParameter('url')",
            "http://x/",
        ),
        (
            "request(kvm, 'x').getConnectionParameterDict()",
            "{\"url\": \"http://x/\"}",
        ),
        (
            "request(kvm, 'x', {'a': 'b'}).getInstanceParameterDict()['a']",
            "b",
        ),
        (
            "request(kvm, 'x', {'a': 'b'}).getInstanceParameter('a')",
            "b",
        ),
        ("request(kvm, 'x').getId()", "slappart0"),
        ("request(kvm, 'x').getInstanceGuid()", "COMP-1-slappart0"),
        ("request(kvm, 'x').getType()", "default"),
        ("request(kvm, 'x').bang('why')", ""),
        ("request(kvm, 'x').rename('new')", ""),
        ("request(kvm, 'new').getId()", "slappart0"),
        ("supply(kvm, 'COMP-1').getURI()", KVM),
        (
            "slap.registerComputer('COMP-12345').getComputerPartitionList()",
            "[\n  <ComputerPartition COMP-12345/slappart0 free>,\n  \
             <ComputerPartition COMP-12345/slappart1 free>\n]",
        ),
        (
            "slap.registerComputer('COMP-1').getSoftwareReleaseList()",
            "[<SoftwareRelease http://example.org/kvm/software.cfg available on COMP-1>]",
        ),
        ("slap.registerComputer('COMP-1').bang('message')", ""),
        (
            "slap.registerOpenOrder().request(kvm, 'y')",
            "<ComputerPartition COMP-1/slappart1 started>",
        ),
        (
            "slap.registerSupply().supply(kvm, 'COMP-1', state='destroyed')",
            "<SoftwareRelease http://example.org/kvm/software.cfg destroyed on COMP-1>",
        ),
        (
            "slap.registerComputerPartition('COMP-1', 'slappart1')",
            "<ComputerPartition COMP-1/slappart1 started>",
        ),
    ] {
        assert_eq!(console.value(expression), expected, "{expression}");
    }
}
