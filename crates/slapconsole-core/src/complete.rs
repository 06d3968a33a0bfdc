//! What Tab offers: variables and functions, methods, and the names of parameters.

use starlark::docs::{DocItem, DocMember};
use starlark::values::Value;

use crate::infer::infer;
use crate::input::{Kind, Token, is_of_name, tokens};
use crate::session::Session;

/// Words of the language.
const WORDS: &[&str] = &[
    "True", "False", "None", "and", "break", "continue", "def", "elif", "else", "for", "if", "in",
    "lambda", "not", "or", "pass", "return",
];
/// One level of a block.
const INDENT: &str = "    ";

/// Where what is completed begins in the line, and what it may become.
pub(crate) fn complete(session: &Session<'_>, before: &str) -> (usize, Vec<String>) {
    let line = before.rsplit('\n').next().unwrap_or_default();
    if line.trim().is_empty() && line.len() < before.len() {
        return (before.len(), vec![INDENT.to_owned()]);
    }
    let start = before.trim_end_matches(is_of_name).len();
    let (context, word) = before.split_at(start);
    let context = tokens(context);
    let mut offers = match context.last().map(|token| token.kind) {
        Some(Kind::Text { ends: false, .. }) => Vec::new(),
        Some(Kind::Dot) => attributes(session, &context[..context.len() - 1]),
        _ => {
            let mut offers = parameters(session, &context);
            // Everything else may follow as well; of no use where nothing is typed of it.
            if offers.is_empty() || !word.is_empty() {
                offers.extend(session.names());
            }
            offers
        }
    };
    offers.retain(|offer| offer.starts_with(word));
    offers.sort();
    offers.dedup();
    (start, offers)
}

/// Methods, ready to be called.
fn attributes(session: &Session<'_>, object: &[Token<'_>]) -> Vec<String> {
    let known = infer(session, object);
    let names = known.map(|known| known.attributes(session));
    names.into_iter().flatten().map(|name| name + "(").collect()
}

/// The parameters of the call that is being typed, where one may begin.
fn parameters(session: &Session<'_>, context: &[Token<'_>]) -> Vec<String> {
    let significant = |token: &&Token<'_>| !matches!(token.kind, Kind::Newline | Kind::Joint);
    let last = context.iter().rev().find(significant);
    if !last.is_some_and(|token| matches!(token.kind, Kind::Open | Kind::Comma)) {
        return Vec::new();
    }
    let Some(open) = innermost_open(context) else {
        return Vec::new();
    };
    let is_call = context[open].text == "(";
    let called = infer(session, &context[..open]).filter(|_| is_call);
    let Some(function) = called.and_then(|known| known.function()) else {
        return Vec::new();
    };
    let positional = function.params.pos_only.len();
    let parameters = function.params.regular_params().skip(positional);
    parameters
        .map(|parameter| format!("{}=", parameter.name))
        .collect()
}

/// Where the last bracket is that is still open.
fn innermost_open(tokens: &[Token<'_>]) -> Option<usize> {
    let mut closed = 0_usize;
    tokens.iter().rposition(|token| match token.kind {
        Kind::Close => {
            closed += 1;
            false
        }
        Kind::Open if closed > 0 => {
            closed -= 1;
            false
        }
        kind => kind == Kind::Open,
    })
}

impl<'v> Session<'v> {
    /// The value of a variable, of the user's or from the beginning.
    pub(crate) fn variable(&self, name: &str) -> Option<Value<'v>> {
        let own = self.module.get(name);
        own.or_else(|| {
            let mut globals = self.globals.iter();
            let (_, value) = globals.find(|(global, _)| *global == name)?;
            Some(value.to_value())
        })
    }

    /// All names; those of functions ready to be called.
    fn names(&self) -> Vec<String> {
        let own = self.module.names().map(|name| name.as_str().to_owned());
        let globals = self.globals.names().map(|name| name.as_str().to_owned());
        let names = own.chain(globals).map(|name| {
            let is_called = self.variable(&name).is_some_and(is_function);
            if is_called { name + "(" } else { name }
        });
        names
            .chain(WORDS.iter().map(|word| (*word).to_owned()))
            .collect()
    }
}

fn is_function(value: Value<'_>) -> bool {
    matches!(
        value.documentation(),
        DocItem::Member(DocMember::Function(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::with_session;

    #[test]
    fn offers_fit_what_is_typed() {
        with_session(|session| {
            for (before, offers) in [
                ("req", "request("),
                ("x = kv", "kvm"),
                ("for x in soft", "software_list"),
                ("slap.registerSup", "registerSupply("),
                ("slap.registerOpenOrder().req", "request( requestComputer("),
                ("slap\\\n.registerOpenO", ""),
                ("request(kvm, sh", "shared="),
                ("supply(kvm, ", "computer_guid= software_release= state="),
                ("request(\nkvm,\n  filt", "filter( filter_kw="),
                ("request(kvm, 'x', [sh", ""),
                ("request(kvm, f(sh", ""),
                (
                    "request(kvm).getConnectionParameterD",
                    "getConnectionParameterDict(",
                ),
                ("supply(request(kvm).getComp", "getComputerId("),
                (
                    "slap.registerComputer('a').getSoftwareReleaseList()[0].getU",
                    "getURI(",
                ),
                (
                    "slap.registerComputer('a').getComputerPartitionList().appe",
                    "append(",
                ),
                ("request(kvm).getId().upp", "upper("),
                ("'text'.upp", "upper("),
                ("nobody.x", ""),
                ("'in a text req", ""),
                ("1.re", ""),
                ("", "*"),
                ("def f():\n", INDENT),
            ] {
                let (_, found) = complete(session, before);
                let found = found.join(" ");
                let fits = if offers == "*" {
                    found.len() > 300
                } else {
                    found == offers
                };
                assert!(fits, "{before:?}: {found:?}");
            }
        });
    }
}
