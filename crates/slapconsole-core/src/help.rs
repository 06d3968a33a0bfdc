//! What `help()` says.

use std::fmt::Write as _;

use starlark::docs::{DocFunction, DocItem, DocMember, DocString, DocType};
use starlark::environment::Module;
use starlark::typing::Ty;
use starlark::values::Value;

use crate::api::{Products, methods_of};

const OVERVIEW: &str = "\
Statements and expressions as in Python; what an expression gives is shown.

  request(RELEASE, \"NAME\")         request an instance; help(request) lists the parameters
  supply(RELEASE, \"COMPUTER\")      have a computer install a release
  request(RELEASE, \"NAME\").getState()
  request(RELEASE, \"NAME\").getConnectionParameterDict()
  slap                             the master: slap.registerComputer(\"COMPUTER\"), ...
  software_list                    the releases of [slapconsole] alias
  product.NAME                     the newest release of a product of the master
  getInformation(\"NAME\")         what the master knows of an instance of yours
  slap.getOpenOrderDict()          your instances; slap.getComputerDict(): your computers
  help(x)                          explains a function, or what can be done with an object
  sleep(SECONDS), exit()

Tab completes names, methods and parameters. Ctrl-C interrupts, Ctrl-D leaves.
What is typed is kept for the next time, except for what begins with a blank.
";

/// What there is: the variables of `module` as well.
pub(crate) fn overview(module: &Module<'_>) -> String {
    let mut text = OVERVIEW.to_owned();
    let names: Vec<_> = module
        .names()
        .map(|name| name.as_str().to_owned())
        .filter(|name| name != Products::NAME)
        .collect();
    if !names.is_empty() {
        let _ = writeln!(text, "Variables: {}", names.join(", "));
    }
    text
}

/// What an object is, and what can be done with it.
pub(crate) fn about(object: Value<'_>) -> String {
    if let Some(methods) = methods_of(object.get_type()) {
        let documentation = methods.documentation(Ty::any());
        return format!("{}\n\n{}", object.to_repr(), type_text(&documentation));
    }
    match object.documentation() {
        DocItem::Member(DocMember::Function(function)) => {
            let name = object.to_str();
            function_text(name.rsplit('.').next().unwrap_or_default(), &function)
        }
        DocItem::Type(documentation) => type_text(&documentation),
        _ => plain(object),
    }
}

fn plain(object: Value<'_>) -> String {
    let mut text = format!("a value of type {}\n", object.get_type());
    let names = object.dir_attr();
    if !names.is_empty() {
        let _ = writeln!(text, "methods: {}", names.join(", "));
    }
    text
}

fn type_text(documentation: &DocType) -> String {
    let mut text = lines(documentation.docs.as_ref(), "");
    for (name, member) in &documentation.members {
        if let DocMember::Function(function) = member {
            let summary = function.docs.as_ref().map(|docs| docs.summary.as_str());
            let _ = write!(text, "\n  {}", signature(name, function));
            let _ = write!(text, "\n      {}", summary.unwrap_or_default());
        }
    }
    text.push('\n');
    text
}

fn function_text(name: &str, function: &DocFunction) -> String {
    let docs = lines(function.docs.as_ref(), "  ");
    format!("{}\n\n{docs}", signature(name, function))
}

/// A function as it is called.
fn signature(name: &str, function: &DocFunction) -> String {
    let parameters =
        function
            .params
            .regular_params()
            .map(|parameter| match &parameter.default_value {
                Some(value) => format!("{}={value}", parameter.name),
                None => parameter.name.clone(),
            });
    format!("{name}({})", parameters.collect::<Vec<_>>().join(", "))
}

fn lines(docs: Option<&DocString>, indent: &str) -> String {
    let Some(docs) = docs else {
        return String::new();
    };
    let details = docs.details.iter().flat_map(|text| text.lines());
    let gap = docs.details.as_ref().map(|_| "");
    std::iter::once(docs.summary.as_str())
        .chain(gap)
        .chain(details)
        .map(|line| format!("{indent}{line}").trim_end().to_owned() + "\n")
        .collect()
}
