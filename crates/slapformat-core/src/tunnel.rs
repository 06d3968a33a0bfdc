//! Taps and tuns, by /dev/net/tun: netlink cannot make them.

use std::io;
use std::path::Path;

use tappers::Interface;
use tappers::linux::{Tap, Tun};

use crate::network::Layer;

/// Name of the tap that is there only meanwhile; the kernel puts a number into it.
const TEMPORARY: &str = "slapformat%d";

/// What makes taps and tuns.
const DEVICE: &str = "/dev/net/tun";

/// Whether the kernel can make taps and tuns.
pub(crate) fn is_available() -> bool {
    Path::new(DEVICE).exists()
}

/// A tap or tun cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the interface {name}")]
pub struct TunnelError {
    /// The interface.
    pub name: String,
    /// Why.
    pub source: io::Error,
}

/// An interface that is there as long as this is held, however the process ends.
pub(crate) struct HeldTap {
    name: String,
    _tap: Tap,
}

impl HeldTap {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Makes an interface that stays, to be opened by its owner. Killed before it is complete, it
/// leaves none: only the last call makes it stay.
pub(crate) fn make(name: &str, layer: Layer, owner: u32) -> Result<(), TunnelError> {
    let make = || match layer {
        Layer::Tap => {
            let tap = Tap::create_named(Interface::new(name)?)?;
            tap.set_owner(owner)?;
            tap.set_persistent(true)
        }
        Layer::Tun => {
            let tun = Tun::create_named(Interface::new(name)?)?;
            tun.set_owner(owner)?;
            tun.set_persistent(true)
        }
    };
    make().map_err(|source| failed(name, source))
}

/// Makes a tap that vanishes when it is dropped.
pub(crate) fn hold() -> Result<HeldTap, TunnelError> {
    let make = || {
        let tap = Tap::create_named(Interface::new(TEMPORARY)?)?;
        let name = tap.name()?.name().to_string_lossy().into_owned();
        Ok(HeldTap { name, _tap: tap })
    };
    make().map_err(|source| failed(TEMPORARY, source))
}

fn failed(name: &str, source: io::Error) -> TunnelError {
    TunnelError {
        name: name.to_owned(),
        source,
    }
}
