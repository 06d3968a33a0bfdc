//! The objects of the prompt: those of slapos.core's library, each type a module with its methods.
//! What a method's comment says is what `help()` shows.

#![allow(
    non_snake_case,
    clippy::too_many_arguments,
    reason = "the methods have the names and parameters of slapos.core's library"
)]
#![allow(
    unsafe_code,
    unused_qualifications,
    clippy::panic,
    reason = "what starlark derives for its values"
)]

mod computer;
mod master;
mod order;
mod partition;
mod product;
mod release;
mod token;

use slap_client::proto::documents::{DocumentError, UnknownState};
use slap_client::{ClientError, OpenError, UrlError};
use slapos_user::service::ServiceError;
use slapos_user::{HateoasError, ReleaseError};
use starlark::environment::Methods;

pub(crate) use master::Master;
pub(crate) use order::{Wish, ask_for, information, request_as_user};
pub(crate) use partition::Partition;
pub(crate) use product::{Products, Refusal};
pub(crate) use release::Release;

use crate::api::computer::COMPUTER;
use crate::api::master::MASTER;
use crate::api::order::{ORDER, SUPPLY};
use crate::api::partition::PARTITION;
use crate::api::product::PRODUCT;
use crate::api::release::RELEASE;
use crate::api::token::TOKEN;

/// Makes a structure a type of the language.
macro_rules! api_type {
    ($type:ident, $name:literal, $statics:ident = $methods:ident) => {
        starlark::starlark_simple_value!($type);
        starlark::methods_static!(pub(super) $statics = $methods);

        #[starlark::values::starlark_value(type = $name)]
        impl<'v> starlark::values::StarlarkValue<'v> for $type {
            fn get_methods() -> Option<&'static starlark::environment::Methods> {
                Some($statics.methods())
            }
        }
    };
}
pub(crate) use api_type;

/// Why a function or method of the API failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Call(#[from] ClientError),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Hateoas(#[from] HateoasError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("you have no {kind} {name:?}")]
    NotYours { kind: &'static str, name: String },
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error("{0}")]
    InVain(&'static str),
    #[error("a timeout has 1 or more seconds")]
    Timeout,
    #[error("the master is still preparing {reference:?}; request it again later")]
    NotReady { reference: String },
    #[error("there is no {kind} {name:?}; {}", there_is(.present))]
    NoParameter {
        kind: &'static str,
        name: String,
        present: Vec<String>,
    },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("the master has not said {0}")]
    Unsaid(&'static str),
    #[error("{name} must be a dictionary with texts as keys")]
    NoDict { name: &'static str },
    #[error("a value of type {kind} cannot be sent to a master")]
    Unsendable { kind: &'static str },
    #[error("{number} is too large to be sent to a master")]
    Large { number: String },
    #[error("what is sent to a master is at most {limit} lists and dictionaries deep")]
    Deep { limit: usize },
    #[error("the description cannot be read")]
    Description(#[source] DocumentError),
    #[error("a release can be available or destroyed")]
    State(#[source] UnknownState),
}

fn there_is(present: &[String]) -> String {
    if present.is_empty() {
        "there is none yet".to_owned()
    } else {
        format!("there is {}", present.join(", "))
    }
}

impl From<ApiError> for starlark::Error {
    fn from(error: ApiError) -> Self {
        starlark::Error::new_native(error)
    }
}

/// An error of slap-client as the language hands it on.
pub(crate) fn failed(error: ClientError) -> starlark::Error {
    ApiError::from(error).into()
}

/// The methods of a type of the API.
pub(crate) fn methods_of(type_name: &str) -> Option<&'static Methods> {
    let methods = match type_name {
        "slap" => MASTER.methods(),
        "Computer" => COMPUTER.methods(),
        "ComputerPartition" => PARTITION.methods(),
        "OpenOrder" => ORDER.methods(),
        "SoftwareRelease" => RELEASE.methods(),
        "Supply" => SUPPLY.methods(),
        "Token" => TOKEN.methods(),
        "product" => PRODUCT.methods(),
        _ => return None,
    };
    Some(methods)
}
