//! The other calls of users, and what anyone may ask.

use slap_proto::calls::{GetRunId, GetSoftwareReleaseListFromSoftwareProduct, SupplySupply};
use slap_proto::marshal::Value;

use super::{Answer, Context, Serve};
use crate::MasterError;
use crate::storage::Records;

impl Serve for SupplySupply {
    const WRITES: bool = true;

    /// A computer may be supplied before it is formatted.
    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let state = self.state.unwrap_or_default().as_str();
        records.set_software(&self.computer_id, &self.url, state)?;
        Ok(Answer::Text(format!(
            "Supplied '{}' to be {state}",
            self.url
        )))
    }
}

impl Serve for GetRunId {
    const WRITES: bool = false;

    fn serve(self, context: &Context<'_>, _: &dyn Records) -> Result<Answer, MasterError> {
        Answer::text(context.run_id)
    }
}

impl Serve for GetSoftwareReleaseListFromSoftwareProduct {
    const WRITES: bool = false;

    fn serve(self, context: &Context<'_>, _: &dyn Records) -> Result<Answer, MasterError> {
        let products = &context.settings.software_products;
        let url = match (&self.software_product_reference, &self.software_release_url) {
            (Some(reference), _) => products.get(reference),
            (None, Some(url)) => products.values().find(|listed| *listed == url),
            (None, None) => {
                let message = "software_product_reference or software_release_url is missing";
                return Err(MasterError::BadRequest(message.to_owned()));
            }
        };
        let urls = url.into_iter().map(|url| Value::from(url.as_str()));
        Ok(Answer::Document(Value::list(urls.collect())))
    }
}
