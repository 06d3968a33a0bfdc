//! A software release on a computer.

use std::fmt;

use allocative::Allocative;
use slap_client::proto::documents::{self, SoftwareState};
use slap_client::{Slap, SoftwareRelease};
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkPagablePanic};

use super::{ApiError, api_type, failed};

/// A software release, mostly on a computer.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Release {
    #[allocative(skip)]
    slap: Slap,
    url: Option<String>,
    computer: Option<String>,
    /// The state that is wanted, if the master was asked or told.
    #[allocative(skip)]
    state: Option<SoftwareState>,
}

impl Release {
    pub(super) fn named(slap: &Slap, url: &str, computer: Option<&str>) -> Self {
        Self {
            slap: slap.clone(),
            url: Some(url.to_owned()),
            computer: computer.map(str::to_owned),
            state: None,
        }
    }

    pub(super) fn supplied(slap: &Slap, url: &str, computer: &str, state: SoftwareState) -> Self {
        Self {
            state: Some(state),
            ..Self::named(slap, url, Some(computer))
        }
    }

    pub(super) fn of_computer(
        slap: &Slap,
        computer: &str,
        release: documents::SoftwareRelease,
    ) -> Self {
        Self {
            slap: slap.clone(),
            url: release.url,
            computer: release.computer_guid.or_else(|| Some(computer.to_owned())),
            state: Some(release.requested_state),
        }
    }

    fn url(&self) -> Result<&str, ApiError> {
        self.url.as_deref().ok_or(ApiError::Unsaid("its URL"))
    }

    fn computer(&self) -> Result<&str, ApiError> {
        let computer = self.computer.as_deref();
        computer.ok_or(ApiError::Missing(
            "computer_guid (of registerSoftwareRelease)",
        ))
    }

    fn handle(&self) -> Result<SoftwareRelease, ApiError> {
        Ok(self
            .slap
            .register_software_release(self.url()?, self.computer()?))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_deref().unwrap_or("without URL");
        write!(formatter, "<SoftwareRelease {url}")?;
        if let Some(state) = self.state {
            write!(formatter, " {}", state.as_str())?;
        }
        match &self.computer {
            Some(computer) => write!(formatter, " on {computer}>"),
            None => formatter.write_str(">"),
        }
    }
}

api_type!(Release, "SoftwareRelease", RELEASE = methods);

/// A software release on a computer.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// URL of the release.
    fn getURI(this: &Release) -> starlark::Result<String> {
        Ok(this.url()?.to_owned())
    }

    /// Reference of the computer.
    fn getComputerId(this: &Release) -> starlark::Result<String> {
        Ok(this.computer()?.to_owned())
    }

    /// What is wanted: available, or destroyed.
    fn getState(this: &Release) -> starlark::Result<String> {
        let state = this.state.ok_or(ApiError::Unsaid("its state"))?;
        Ok(state.as_str().to_owned())
    }

    /// Reports, as the node, that the installation begins.
    fn building(this: &Release) -> starlark::Result<NoneType> {
        this.handle()?.building().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the release is installed.
    fn available(this: &Release) -> starlark::Result<NoneType> {
        this.handle()?.available().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the release is removed.
    fn destroyed(this: &Release) -> starlark::Result<NoneType> {
        this.handle()?.destroyed().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the release cannot be installed.
    fn error(this: &Release, error_log: &str) -> starlark::Result<NoneType> {
        this.handle()?.error(error_log).map_err(failed)?;
        Ok(NoneType)
    }
}
