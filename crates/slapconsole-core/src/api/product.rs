//! `product`: releases by the names of what they are releases of.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use allocative::Allocative;
use slapos_user::newest_release;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value,
    starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

use super::ApiError;
use crate::context::Link;

/// The products of the master: each attribute is the URL of the newest release of the product of that
/// name. It is a variable of a session and no global: the language asks for the attributes of globals when
/// it compiles, whether they are ever used or not.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Products {
    #[allocative(skip)]
    link: Link,
}

impl Products {
    /// The variable.
    pub(crate) const NAME: &str = "product";

    pub(crate) fn new(link: &Link) -> Self {
        Self { link: link.clone() }
    }

    fn newest(&self, name: &str) -> Result<String, ApiError> {
        Ok(newest_release(&self.link.access().slap, name)?)
    }
}

impl fmt::Display for Products {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = self.link.access();
        write!(formatter, "<products of {}>", access.slap.master_url())
    }
}

/// Why there is no attribute: the language takes no reason from whoever has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal(Arc<Mutex<Option<ApiError>>>);

impl Refusal {
    fn note(&self, why: Option<ApiError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The reason for an error of the language that is about a product; it is forgotten.
    pub(crate) fn reason(&self, error: &starlark::Error) -> Option<ApiError> {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_of_product = |error: &starlark::Error| {
            let text = error.without_diagnostic().to_string();
            text.contains("Object of type `product` has no attribute")
        };
        why.filter(|_| is_of_product(error))
    }
}

starlark_simple_value!(Products);
methods_static!(pub(super) PRODUCT = methods);

#[starlark_value(type = "product")]
impl<'v> StarlarkValue<'v> for Products {
    fn get_methods() -> Option<&'static Methods> {
        Some(PRODUCT.methods())
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let newest = self.newest(attribute);
        let (newest, why) = match newest {
            Ok(url) => (Some(heap.alloc(url)), None),
            Err(why) => (None, Some(why)),
        };
        self.link.refusal.note(why);
        newest
    }
}

/// The products of the master: product.NAME is the URL of the newest release of NAME.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The URL of the newest release of a product, whose name need be none of the language.
    fn get(this: &Products, software_product: &str) -> starlark::Result<String> {
        Ok(this.newest(software_product)?)
    }
}
