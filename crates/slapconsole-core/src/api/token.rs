//! Tokens that register computers.

use std::fmt;

use allocative::Allocative;
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkPagablePanic};

use super::{ApiError, api_type};
use crate::context::Access;

/// Where a token is had.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Token {
    #[allocative(skip)]
    access: Access,
}

impl Token {
    pub(super) fn new(access: &Access) -> Self {
        Self {
            access: access.clone(),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<Token of {}>", self.access.slap.master_url())
    }
}

api_type!(Token, "Token", TOKEN = methods);

/// Where a token is had that registers a computer.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// A new token, by which one computer can be registered.
    fn request(this: &Token) -> starlark::Result<String> {
        let hateoas = this.access.hateoas().map_err(ApiError::from)?;
        Ok(hateoas.computer_token().map_err(ApiError::from)?)
    }
}
