//! What a master tells users of their instances and computers: its hateoas API. Documents are found by
//! a search, and read by the path that it found; templates of both URLs are in the root document.

use std::path::Path;

use iri_string::spec::UriSpec;
use iri_string::template::UriTemplateStr;
use iri_string::template::simple_context::{SimpleContext, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use slap_client::{ClientError, Slap, without_user};
use slapos_cli::MasterOptions;
use slapos_config::{ConfigFile, ValueError};

/// Most documents that a search tells of: ERP5 tells of ten unless it is told more.
const LIMIT: &str = "10000";
/// The field that says where a document is.
const PATH: &str = "relative_url";
/// The view of documents that has what users want to know.
const VIEW: &str = "slaposjs_view";

/// The documents cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HateoasError {
    /// The master has no such API.
    #[error(
        "the master has no hateoas API, which this needs (master_rest_url of [slapos] names it)"
    )]
    None,
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// An answer is not what it should be.
    #[error("the master's hateoas API answers something else to {url}")]
    Document {
        /// The URL, without a user and password.
        url: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A template of URLs is none.
    #[error("the master's hateoas API has the template {0:?}, which is none")]
    Template(String),
}

/// The API of a master.
#[derive(Debug)]
pub struct Hateoas {
    slap: Slap,
    /// Of the root document.
    url: String,
    links: RootLinks,
}

#[derive(Debug, Deserialize)]
struct Root {
    #[serde(rename = "_links")]
    links: RootLinks,
}

#[derive(Debug, Deserialize)]
struct RootLinks {
    raw_search: Link,
    traverse: Link,
}

#[derive(Debug, Deserialize)]
struct Link {
    href: String,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(rename = "_embedded")]
    embedded: Contents,
}

#[derive(Debug, Deserialize)]
struct Contents {
    contents: Vec<Map<String, Json>>,
}

#[derive(Debug, Deserialize)]
struct Form {
    #[serde(rename = "_embedded")]
    embedded: FormView,
}

#[derive(Debug, Deserialize)]
struct FormView {
    #[serde(rename = "_view")]
    view: Map<String, Json>,
}

#[derive(Debug, Deserialize)]
struct Token {
    access_token: String,
}

impl Hateoas {
    /// That of the user's master.
    ///
    /// # Errors
    /// The configuration cannot be used, or as [`Hateoas::of`].
    pub(crate) fn of_user(
        configuration: &Path,
        master: &MasterOptions,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let file = ConfigFile::read(configuration)?;
        let slap = master.connect(&file, "slapconsole")?;
        Ok(Self::of(slap, rest_url(&file)?)?)
    }

    /// That of a master, at this URL, or where the master says that it is.
    ///
    /// # Errors
    /// There is none, or its root document cannot be had.
    pub fn of(slap: Slap, url: Option<String>) -> Result<Self, HateoasError> {
        let url = match url {
            Some(url) => url,
            None => slap.hateoas_url()?.ok_or(HateoasError::None)?,
        };
        let root: Root = document(&slap, &url)?;
        Ok(Self {
            slap,
            url,
            links: root.links,
        })
    }

    /// What is asked for of each document of a kind that is in use; `more` narrows the search.
    ///
    /// # Errors
    /// A call failed, or the answer is something else.
    pub(crate) fn search(
        &self,
        portal_type: &str,
        more: &str,
        select: &[&str],
    ) -> Result<Vec<Map<String, Json>>, HateoasError> {
        let query = format!("portal_type:\"{portal_type}\" AND validation_state:validated{more}");
        let mut context = SimpleContext::new();
        context.insert("query", query);
        context.insert("select_list", list(select));
        context.insert("limit", LIMIT);
        let url = expand(&self.links.raw_search.href, &context)?;
        let found: Found = document(&self.slap, &url)?;
        Ok(found.embedded.contents)
    }

    /// The fields of a document, by the path that a search found; `None` if it is gone.
    ///
    /// # Errors
    /// As [`Hateoas::search`].
    fn fields(&self, path: &str) -> Result<Option<Map<String, Json>>, HateoasError> {
        let mut context = SimpleContext::new();
        context.insert(PATH, path);
        context.insert("view", VIEW);
        let url = expand(&self.links.traverse.href, &context)?;
        let form: Form = match document(&self.slap, &url) {
            Err(HateoasError::Call(ClientError::NotFound { .. })) => return Ok(None),
            form => form?,
        };
        let fields = form.embedded.view.into_iter().filter_map(|(key, field)| {
            let name = key.strip_prefix("my_").or(key.strip_prefix("your_"))?;
            Some((name.to_owned(), field["default"].clone()))
        });
        Ok(Some(fields.collect()))
    }

    /// The fields of the document of a kind that alone has this text in a field; `None` if none has.
    ///
    /// # Errors
    /// As [`Hateoas::search`].
    pub(crate) fn find(
        &self,
        portal_type: &str,
        name: &str,
        text: &str,
    ) -> Result<Option<Map<String, Json>>, HateoasError> {
        let narrowed = format!(" AND {name}:={}", quoted(text));
        let found = self.search(portal_type, &narrowed, &[name, PATH])?;
        let found = found
            .iter()
            .find(|document| field(document, name) == Some(text));
        match found.and_then(|document| field(document, PATH)) {
            Some(path) => self.fields(path),
            None => Ok(None),
        }
    }

    /// A token that registers a computer.
    ///
    /// # Errors
    /// The call failed, or the answer is something else.
    pub fn computer_token(&self) -> Result<String, HateoasError> {
        let root = self.url.trim_end_matches('/');
        let url = format!("{root}/computer_module/Base_getComputerToken");
        let token: Token = document(&self.slap, &url)?;
        Ok(token.access_token)
    }
}

/// Where slapos.cfg says that the API is, if it does.
///
/// # Errors
/// The parameter cannot be read.
pub fn rest_url(file: &ConfigFile) -> Result<Option<String>, ValueError> {
    file.section("slapos").get_text("master_rest_url")
}

fn document<T: DeserializeOwned>(slap: &Slap, url: &str) -> Result<T, HateoasError> {
    log::debug!("reading {}", without_user(url));
    let body = slap.hateoas_document(url)?;
    serde_json::from_slice(&body).map_err(|source| HateoasError::Document {
        url: without_user(url),
        source,
    })
}

fn list(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The URL of a template (RFC 6570).
fn expand(template: &str, context: &SimpleContext) -> Result<String, HateoasError> {
    let wrong = || HateoasError::Template(template.to_owned());
    let parsed = UriTemplateStr::new(template).map_err(|_| wrong())?;
    let expanded = parsed.expand::<UriSpec, _>(context).map_err(|_| wrong())?;
    Ok(expanded.to_string())
}

/// A field that is a text.
pub(crate) fn field<'a>(fields: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

/// A text as it stands in quotes of a query.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_erp5_and_of_slapproxy_are_expanded() {
        let mut context = SimpleContext::new();
        context.insert("query", "title:=\"a b\"");
        context.insert("select_list", list(&["title", "url_string"]));
        for (template, expected) in [
            (
                "http://m/h?mode=search&query={query}&select_list={select_list}",
                "http://m/h?mode=search&query=title%3A%3D%22a%20b%22&select_list=title,url_string",
            ),
            (
                "http://m/h?mode=search{&query,select_list*,limit*}",
                "http://m/h?mode=search&query=title%3A%3D%22a%20b%22&select_list=title\
                 &select_list=url_string",
            ),
        ] {
            assert_eq!(expand(template, &context).unwrap(), expected);
        }
        assert!(expand("http://m/{", &context).is_err());
    }

    #[test]
    fn a_text_ends_no_quotes() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }
}
