//! What an expression that is being typed will be, as far as that can be told without running it.

use starlark::docs::{DocFunction, DocItem, DocMember};
use starlark::typing::Ty;
use starlark::values::Value;
use starlark::values::dict::AllocDict;
use starlark::values::list::AllocList;

use crate::api::methods_of;
use crate::input::{Kind, Token};
use crate::session::Session;

/// What is known of an expression.
pub(crate) enum Known<'v> {
    /// It is this value.
    Value(Value<'v>),
    /// It is a function.
    Function(Box<DocFunction>),
    /// It will be a value of this type.
    Type(String),
}

/// What follows a name in an expression, read from its end.
enum Step<'a> {
    Attribute(&'a str),
    Call,
    Index,
}

/// What the expression is that ends these tokens.
pub(crate) fn infer<'v>(session: &Session<'v>, tokens: &[Token<'_>]) -> Option<Known<'v>> {
    let (first, steps) = expression(tokens)?;
    let known = match first.kind {
        Kind::Name => Known::Value(session.variable(first.text)?),
        _ => Known::Type("str".to_owned()),
    };
    steps.into_iter().try_fold(known, follow)
}

/// The name or text that the last expression begins with, and what follows it.
fn expression<'a>(tokens: &[Token<'a>]) -> Option<(Token<'a>, Vec<Step<'a>>)> {
    let mut steps = Vec::new();
    let mut end = tokens.len();
    loop {
        let token = *tokens[..end].last()?;
        match token.kind {
            Kind::Close => {
                let open = opening(&tokens[..end])?;
                steps.push(if token.text == ")" {
                    Step::Call
                } else {
                    Step::Index
                });
                end = open;
            }
            Kind::Name if follows_dot(&tokens[..end]) => {
                steps.push(Step::Attribute(token.text));
                end -= 2;
            }
            Kind::Name | Kind::Text { ends: true, .. } => {
                steps.reverse();
                return Some((token, steps));
            }
            _ => return None,
        }
    }
}

fn follows_dot(tokens: &[Token<'_>]) -> bool {
    let before = tokens.len().checked_sub(2).and_then(|at| tokens.get(at));
    before.is_some_and(|token| token.kind == Kind::Dot)
}

/// Where the bracket opens that the last token closes.
fn opening(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().rposition(|token| {
        match token.kind {
            Kind::Close => depth += 1,
            Kind::Open => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

fn follow<'v>(known: Known<'v>, step: Step<'_>) -> Option<Known<'v>> {
    match step {
        Step::Attribute(name) => {
            let methods = methods_of(known.type_name()?)?;
            match methods.documentation(Ty::any()).members.get(name)? {
                DocMember::Function(function) => Some(Known::Function(Box::new(function.clone()))),
                DocMember::Property(_) => None,
            }
        }
        Step::Call => Some(Known::Type(known.function()?.ret.typ.to_string())),
        Step::Index => {
            let list = known
                .type_name()?
                .strip_prefix("list[")?
                .strip_suffix(']')?;
            Some(Known::Type(list.to_owned()))
        }
    }
}

impl<'v> Known<'v> {
    fn type_name(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value.get_type()),
            Self::Type(name) => Some(name),
            Self::Function(_) => None,
        }
    }

    /// How it is called, if it can be.
    pub(crate) fn function(&self) -> Option<DocFunction> {
        match self {
            Self::Function(function) => Some((**function).clone()),
            Self::Value(value) => match value.documentation() {
                DocItem::Member(DocMember::Function(function)) => Some(function),
                _ => None,
            },
            Self::Type(_) => None,
        }
    }

    /// The names that may follow a dot.
    pub(crate) fn attributes(&self, session: &Session<'v>) -> Vec<String> {
        let heap = session.module.heap();
        match self {
            Self::Value(value) => value.dir_attr(),
            Self::Function(_) => Vec::new(),
            Self::Type(name) => match methods_of(name) {
                Some(methods) => {
                    let members = methods.documentation(Ty::any()).members;
                    members.keys().cloned().collect()
                }
                None if name == "str" => heap.alloc("").dir_attr(),
                None if name.starts_with("list") => heap.alloc(AllocList::EMPTY).dir_attr(),
                None if name.starts_with("dict") => heap.alloc(AllocDict::EMPTY).dir_attr(),
                None => Vec::new(),
            },
        }
    }
}
