//! Searching: the few queries that clients make.

use std::str::FromStr;

use serde_json::{Value, json};

use super::documents::Key;
use crate::MasterError;
use crate::naming::{self, Tree};
use crate::storage::Records;

/// What is searched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// Every tree, or the one of a title.
    Trees(Option<String>),
    /// Every computer, or the one of a title, which is its reference.
    Computers(Option<String>),
}

const TREES: &str = r#"portal_type:"Instance Tree" AND validation_state:validated"#;
const COMPUTERS: &str = r#"portal_type:"Compute Node" AND validation_state:validated"#;

impl FromStr for Query {
    type Err = MasterError;

    fn from_str(text: &str) -> Result<Self, MasterError> {
        let unknown = || MasterError::BadRequest(format!("the query {text} is none of the known"));
        let (query, rest): (fn(_) -> _, _) =
            match (text.strip_prefix(TREES), text.strip_prefix(COMPUTERS)) {
                (Some(rest), _) => (Self::Trees, rest),
                (_, Some(rest)) => (Self::Computers, rest),
                _ => return Err(unknown()),
            };
        if rest.is_empty() {
            return Ok(query(None));
        }
        // Clients do not escape what they put between the quotes.
        let title = [r#" AND title:=""#, r#" AND reference:=""#]
            .iter()
            .find_map(|condition| rest.strip_prefix(condition))
            .and_then(|rest| rest.strip_suffix('"'));
        Ok(query(Some(title.ok_or_else(unknown)?.to_owned())))
    }
}

/// What is found.
pub(super) fn search(records: &dyn Records, query: &Query) -> Result<Value, MasterError> {
    let contents: Vec<_> = match query {
        Query::Trees(None) => naming::trees(records)?.into_iter().map(tree).collect(),
        Query::Trees(Some(title)) => {
            let found = naming::root(records, title)?.into_iter();
            found.map(|found| tree(found.into())).collect()
        }
        Query::Computers(wanted) => {
            let rows = records.computers()?.into_iter().filter(|row| row.described);
            let references = rows.map(|row| row.reference);
            let is_wanted = |found: &String| wanted.as_ref().is_none_or(|wanted| wanted == found);
            references.filter(is_wanted).map(computer).collect()
        }
    };
    Ok(json!({"_embedded": {"contents": contents}}))
}

fn tree(tree: Tree) -> Value {
    let title = tree.title.clone();
    let key = if tree.shared {
        Key::Slave(title)
    } else {
        Key::Instance(title)
    };
    json!({
        "title": tree.title,
        "url_string": tree.release,
        "relative_url": key.to_string(),
    })
}

fn computer(reference: String) -> Value {
    json!({
        "title": reference,
        "reference": reference,
        "relative_url": Key::Computer(reference.clone()).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_of_clients() {
        for (text, query) in [
            (TREES.to_owned(), Query::Trees(None)),
            (
                format!(r#"{TREES} AND title:="it's "x"""#),
                Query::Trees(Some(r#"it's "x""#.to_owned())),
            ),
            (COMPUTERS.to_owned(), Query::Computers(None)),
            (
                format!(r#"{COMPUTERS} AND reference:="COMP-1""#),
                Query::Computers(Some("COMP-1".to_owned())),
            ),
        ] {
            assert_eq!(text.parse::<Query>().unwrap(), query);
        }
    }

    #[test]
    fn other_queries_are_refused_by_name() {
        for text in [
            String::new(),
            r#"portal_type:"Person""#.to_owned(),
            format!("{TREES} OR title:%"),
            format!(r#"{TREES} AND title:="x"#),
        ] {
            let error = text.parse::<Query>().unwrap_err();
            assert!(error.to_string().contains(&text), "{error}");
        }
    }
}
