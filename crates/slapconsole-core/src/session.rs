//! Running programs, one after the other, that share their variables.

use slapos_cli::Aliases;
use starlark::environment::{Globals, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::Value;

use crate::api::Products;
use crate::context::{Context, Link, Output};
use crate::error::{Failure, exit_code};
use crate::globals::globals;
use crate::input::{check_depth, without_prompts};

/// What a program has come to.
pub(crate) enum Ended<'v> {
    /// The value of its last statement.
    Value(Value<'v>),
    /// It called `exit()`.
    Exit(u8),
}

/// Variables and the connection.
pub(crate) struct Session<'v> {
    pub(crate) module: Module<'v>,
    pub(crate) globals: Globals,
    pub(crate) context: Context,
}

const DIALECT: Dialect = Dialect {
    enable_load: false,
    enable_keyword_only_arguments: true,
    enable_top_level_stmt: true,
    enable_f_strings: true,
    ..Dialect::Standard
};

/// How deeply functions may call each other.
const CALLS: usize = 200;

impl<'v> Session<'v> {
    /// A session whose variables are the aliases and the products.
    pub(crate) fn new(module: Module<'v>, link: Link, aliases: &Aliases) -> Self {
        let session = Self {
            globals: globals(&link, aliases),
            context: Context {
                output: Output::new(link.interruption.clone()),
                link,
            },
            module,
        };
        for (name, url) in aliases
            .iter()
            .filter(|(name, _)| session.may_be_variable(name))
        {
            session.module.set(name, session.module.heap().alloc(url));
        }
        let products = Products::new(&session.context.link);
        let products = session.module.heap().alloc(products);
        session.module.set(Products::NAME, products);
        session
    }

    /// Whether an alias becomes a variable: it is a name, and none that means something else.
    pub(crate) fn may_be_variable(&self, name: &str) -> bool {
        let is_taken = self.globals.names().any(|taken| taken.as_str() == name);
        let is_name = AstModule::parse("", format!("{name} = 0"), &DIALECT).is_ok()
            && name.chars().all(|c| c == '_' || c.is_alphanumeric());
        is_name && !is_taken && name != Products::NAME
    }

    /// Runs a program; `name` is its file's.
    pub(crate) fn run(&self, name: &str, source: &str) -> Result<Ended<'v>, Failure> {
        let interruption = &self.context.link.interruption;
        let source = without_prompts(source);
        check_depth(&source)?;
        match self.evaluate(name, source.clone().into_owned()) {
            Ok(value) => Ok(Ended::Value(value)),
            Err(_) if interruption.is_requested() => Err(Failure::interrupted()),
            Err(error) => match exit_code(&error) {
                Some(code) => Ok(Ended::Exit(code)),
                None => {
                    let why = self.context.link.refusal.reason(&error);
                    let failure = Failure::of(&error, &source);
                    Err(match why {
                        Some(why) => failure.because(&why),
                        None => failure,
                    })
                }
            },
        }
    }

    fn evaluate(&self, name: &str, source: String) -> starlark::Result<Value<'v>> {
        let program = AstModule::parse(name, source, &DIALECT)?;
        let interruption = self.context.link.interruption.clone();
        let mut evaluator = Evaluator::new(&self.module);
        evaluator.set_max_callstack_size(CALLS)?;
        evaluator.set_print_handler(&self.context.output);
        evaluator.set_check_cancelled(Box::new(move || interruption.is_requested()));
        evaluator.extra = Some(&self.context);
        evaluator.eval_module(program, &self.globals)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use slap_client::Connection;
    use slapos_config::ConfigFile;

    use super::*;
    use crate::context::Access;
    use crate::interruption::Interruption;

    /// A session with a master that is away and the alias `kvm`.
    pub(crate) fn with_session(work: impl FnOnce(&Session<'_>)) {
        let text = b"[slapconsole]\nalias =\n  kvm http://k/\n  a-b http://a/\n  slap http://s/\n  product http://p/\n  in http://i/";
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text).unwrap();
        let aliases = Aliases::of(&file).unwrap();
        let slap = Connection::to("http://127.0.0.1:1/")
            .unwrap()
            .open()
            .unwrap();
        let access = Access {
            slap,
            rest_url: None,
        };
        let link = Link::new(access, Interruption::default());
        Module::with_temp_heap(|module| work(&Session::new(module, link, &aliases)));
    }

    #[test]
    fn only_aliases_that_are_names_of_nothing_else_are_variables() {
        with_session(|session| {
            let names: Vec<_> = session.module.names().collect();
            let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
            assert_eq!(names, ["kvm", "product"]);
            let product = session.variable("product").unwrap();
            assert_eq!(product.to_str(), "<products of http://127.0.0.1:1/>");
            let slap = session.variable("slap").unwrap();
            assert_eq!(slap.to_str(), "<slap http://127.0.0.1:1/>");
        });
    }

    #[test]
    fn variables_and_functions_stay_and_can_be_changed() {
        with_session(|session| {
            let run = |source| match session.run("input", source) {
                Ok(Ended::Value(value)) => value.to_str(),
                Ok(Ended::Exit(code)) => format!("exit {code}"),
                Err(failure) => failure.to_string(),
            };
            run("x = 1\ndef f():\n    return x + 1");
            assert_eq!(run("f()"), "2");
            run("x = 'a'");
            assert_eq!(run("x"), "a");
            run("def f(): return 'new'");
            assert_eq!(run("f()"), "new");
            run("request = 5");
            assert_eq!(run("request"), "5");
            assert_eq!(run("exit(4)"), "exit 4");
            assert_eq!(
                run("1\n\nqqqqq"),
                "input, line 3: Variable `qqqqq` not found"
            );
        });
    }

    #[test]
    fn what_is_interrupted_ends() {
        with_session(|session| {
            session.context.link.interruption.request();
            let endless = "for i in range(2000000000): i";
            let ended = session.run("input", endless).err().unwrap();
            assert_eq!(ended.to_string(), "interrupted");
        });
    }

    #[test]
    fn a_loop_of_pauses_or_of_prints_goes_no_further() {
        with_session(|session| {
            session.context.link.interruption.request();
            for step in ["sleep(0)", "print(i)"] {
                let source =
                    format!("done = []\nfor i in range(3):\n    {step}\n    done.append(i)");
                let ended = session.run("input", &source).err().unwrap();
                assert_eq!(ended.to_string(), "interrupted");
                assert_eq!(session.variable("done").unwrap().to_str(), "[]", "{step}");
            }
        });
    }
}
