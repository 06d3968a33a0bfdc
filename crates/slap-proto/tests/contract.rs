//! What every program may rely on: types that threads share, and errors that others can hold.

use std::error::Error;
use std::fmt::Debug;

use slap_proto::authorization::{MalformedAuthorization, PartitionIdentity};
use slap_proto::calls::{FieldProblem, Fields, FormError, RequestComputerPartition};
use slap_proto::documents::{
    Computer, ComputerConfiguration, DocumentError, SoftwareInstance, UnknownState,
};
use slap_proto::instance_xml::InstanceXmlError;
use slap_proto::marshal::{DecodeError, EncodeError, Problem, Value};

const fn is_data<T: Debug + Clone + PartialEq + Send + Sync + Unpin + 'static>() {}
const fn is_error<T: Error + Clone + PartialEq + Send + Sync + 'static>() {}

const _: () = {
    is_data::<Value>();
    is_data::<Fields>();
    is_data::<Computer>();
    is_data::<ComputerConfiguration>();
    is_data::<SoftwareInstance>();
    is_data::<PartitionIdentity>();
    is_data::<RequestComputerPartition>();
    is_error::<DecodeError>();
    is_error::<Problem>();
    is_error::<EncodeError>();
    is_error::<DocumentError>();
    is_error::<UnknownState>();
    is_error::<FormError>();
    is_error::<FieldProblem>();
    is_error::<InstanceXmlError>();
    is_error::<MalformedAuthorization>();
};

#[test]
fn errors_do_not_say_twice_what_their_sources_say() {
    let form = Fields::from_urlencoded(b"title=%ff").unwrap_err();
    let document = Computer::from_document(b"<marshal>").unwrap_err();
    for error in [&form as &dyn Error, &document] {
        let source = error.source().map(ToString::to_string);
        let repeats = source.is_some_and(|source| error.to_string().contains(&source));
        assert!(!repeats, "{error}");
    }
}
