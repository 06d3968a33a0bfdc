//! Man pages that are about no tool.

use roff::{Inline, Roff, bold, italic, roman};

use crate::configuration::{DEFINITION_SECTIONS, Fallback, Key, SECTIONS, Section};

/// How values and sections are written.
const FORMAT: [&str; 4] = [
    "Sections begin with their names in brackets, parameters are lines NAME = VALUE, and lines that begin with # or ; are comments. Lines that are indented continue the value before them.",
    "In names of parameters, - and _ are the same, and so are upper and lower case. A parameter without value counts as not given.",
    "%(NAME)s in a value is replaced by the parameter NAME of the same section or of [DEFAULT]; a percent sign is written %%. Truth values are true, yes, on, 1 and false, no, off, 0.",
    "Options of the tools win over this file. In the lists of tools below, slapgrid stands for slapgrid, slapgrid-sr, slapgrid-cp and slapgrid-ur.",
];

/// The page slapos.cfg(5), in roff.
pub(crate) fn slapos_cfg(version: &str) -> String {
    let mut page = titled("slapos.cfg", 5, version);
    page.control("SH", ["NAME"]);
    page.text([roman(
        "slapos.cfg - configuration of the tools of a SlapOS node",
    )]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([roman(
        "The tools of a SlapOS node, its users and its master read one file in the format of Python's ConfigParser, which they are given on the command line.",
    )]);
    for paragraph in FORMAT {
        page.control("PP", []).text([roman(paragraph)]);
    }
    for section in SECTIONS {
        let title = format!("SECTION [{}]", section.name);
        page.control("SH", [title.as_str()]);
        describe(&mut page, section);
    }
    page.control("SH", ["DEFINITION FILES"]);
    page.text([roman(
        "input_definition_file and output_definition_file name files in the same format.",
    )]);
    for section in DEFINITION_SECTIONS {
        let title = format!("[{}]", section.name);
        page.control("SS", [title.as_str()]);
        describe(&mut page, section);
    }
    see_also(
        &mut page,
        &[("slapgrid", 8), ("slapformat", 8), ("slapproxy", 8)],
    );
    page.to_roff()
}

/// A page with its title.
pub(crate) fn titled(name: &str, section: u8, version: &str) -> Roff {
    let (section, version) = (section.to_string(), format!("slapos-rs {version}"));
    let mut page = Roff::new();
    page.control("TH", [name, &section, "", &version, "SlapOS"]);
    page
}

/// The section that names other pages.
pub(crate) fn see_also(page: &mut Roff, pages: &[(&str, u8)]) {
    let mut words: Vec<Inline> = Vec::new();
    for (name, section) in pages {
        if !words.is_empty() {
            words.push(roman(", "));
        }
        words.push(bold(*name));
        words.push(roman(format!("({section})")));
    }
    page.control("SH", ["SEE ALSO"]).text(words);
}

fn describe(page: &mut Roff, section: &Section) {
    page.text([roman(section.about)]);
    for key in section.keys {
        page.control("TP", [])
            .text([bold(key.name)])
            .text([roman(key.meaning)])
            .control("br", [])
            .text(facts(key));
    }
}

/// Default and readers of a parameter.
fn facts(key: &Key) -> Vec<Inline> {
    let mut words = match key.default {
        Fallback::Required => vec![roman("Must be given.")],
        Fallback::Unset => vec![roman("Default: none.")],
        Fallback::Value(value) => vec![roman("Default: "), bold(value), roman(".")],
        Fallback::Described(text) => vec![roman(format!("Default: {text}."))],
    };
    words.push(roman(" Read by: "));
    words.push(italic(key.tools.join(", ")));
    words
}
