//! One change of this machine, as data.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use crate::network::Layer;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// A system group is made.
    Group {
        /// Its name.
        name: String,
    },
    /// A system user is made, who cannot log in.
    User {
        /// Its name, and that of its group.
        name: String,
        /// Its home directory.
        home: PathBuf,
        /// Whether its group is made, too.
        new_group: bool,
        /// The group that it belongs to besides.
        group: Option<String>,
    },
    /// A user joins a group; it stays in those of before.
    JoinGroup {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// The password of a user no longer opens anything.
    LockPassword {
        /// The user.
        user: String,
    },
    /// A directory is made, or its mode and owner are corrected.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        #[serde(serialize_with = "octal")]
        mode: u32,
        /// The user who owns it with its group, if that is to be set.
        owner: Option<String>,
    },
    /// A tap or tun that nobody has open is removed, to be made anew for its owner.
    RemoveTunnel {
        /// Its name.
        name: String,
    },
    /// A persistent tap or tun is made.
    Tunnel {
        /// Its name.
        name: String,
        /// Whether it is a tap or a tun.
        layer: Layer,
        /// The user who may open it.
        owner: String,
    },
    /// An interface is set up.
    LinkUp {
        /// The interface.
        interface: String,
    },
    /// An interface becomes part of a bridge.
    JoinBridge {
        /// The interface.
        interface: String,
        /// The bridge.
        bridge: String,
    },
    /// An interface that gets a network of its own leaves the bridge that it was part of.
    LeaveBridge {
        /// The interface.
        interface: String,
    },
    /// Something is plugged into a bridge without carrier for as long as the run takes; else the
    /// kernel would not look for duplicates of addresses.
    Carrier {
        /// The bridge.
        bridge: String,
    },
    /// An address of ours that is no longer wanted is given back.
    RemoveAddress {
        /// The interface that has it.
        interface: String,
        /// The address.
        address: IpNet,
    },
    /// An address is added.
    AddAddress {
        /// The interface that gets it.
        interface: String,
        /// The address.
        address: IpNet,
        /// Whether its network is reached over the interface.
        prefix_route: bool,
    },
    /// The kernel's search for duplicates of new addresses is awaited.
    AwaitDuplicates {
        /// The interface.
        interface: String,
        /// The addresses.
        addresses: Vec<IpAddr>,
    },
    /// Programs may bind to any address of a range that is routed here.
    NonlocalBind,
    /// A route is added.
    Route(RoutedTo),
    /// A route of ours that is no longer wanted is removed.
    RemoveRoute(RoutedTo),
    /// A file is made or replaced.
    File {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        #[serde(serialize_with = "octal")]
        mode: u32,
        /// What it shall hold.
        contents: String,
    },
    /// The description of a partition is written into it. Its user may stand in the way of that.
    Resource {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        #[serde(serialize_with = "octal")]
        mode: u32,
        /// What it shall hold.
        contents: String,
    },
    /// The present version of a file is kept beside it.
    Backup {
        /// The file.
        path: PathBuf,
    },
    /// A file is removed.
    RemoveFile {
        /// The file.
        path: PathBuf,
    },
}

/// A route as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoutedTo {
    /// Where it leads to.
    pub destination: IpNet,
    /// Over which interface.
    pub interface: String,
    /// Over which router.
    pub gateway: Option<IpAddr>,
    /// Whether packets end here.
    pub local: bool,
}

impl fmt::Display for RoutedTo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = if self.local { "local " } else { "" };
        write!(out, "{local}route to {}", self.destination)?;
        if let Some(gateway) = self.gateway {
            write!(out, " via {gateway}")?;
        }
        write!(out, " on {}", self.interface)
    }
}

// The signature is serde's.
fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:o}"))
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { name } => write!(out, "group {name}"),
            Self::User {
                name, home, group, ..
            } => {
                write!(out, "user {name} (home {}", home.display())?;
                match group {
                    Some(group) => write!(out, ", group {group})"),
                    None => out.write_str(")"),
                }
            }
            Self::JoinGroup { user, group } => write!(out, "user {user} joins the group {group}"),
            Self::LockPassword { user } => write!(out, "password of {user} locked"),
            Self::Directory { path, mode, owner } => {
                write!(out, "directory {} ({mode:o}", path.display())?;
                match owner {
                    Some(owner) => write!(out, ", owner {owner})"),
                    None => out.write_str(")"),
                }
            }
            Self::File { path, mode, .. } | Self::Resource { path, mode, .. } => {
                write!(out, "file {} ({mode:o})", path.display())
            }
            Self::Backup { path } => write!(out, "backup of {}", path.display()),
            Self::RemoveFile { path } => write!(out, "file {} removed", path.display()),
            network => network.fmt_network(out),
        }
    }
}

impl Step {
    fn fmt_network(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoveTunnel { name } => write!(out, "interface {name} of another owner removed"),
            Self::Tunnel { name, layer, owner } => {
                let layer = match layer {
                    Layer::Tap => "tap",
                    Layer::Tun => "tun",
                };
                write!(out, "{layer} {name} (owner {owner})")
            }
            Self::LinkUp { interface } => write!(out, "interface {interface} up"),
            Self::JoinBridge { interface, bridge } => {
                write!(out, "interface {interface} joins the bridge {bridge}")
            }
            Self::LeaveBridge { interface } => {
                write!(out, "interface {interface} leaves its bridge")
            }
            Self::Carrier { bridge } => {
                write!(
                    out,
                    "a tap plugged into {bridge} meanwhile, as it has no carrier"
                )
            }
            Self::RemoveAddress { interface, address } => {
                write!(out, "address {address} removed from {interface}")
            }
            Self::AddAddress {
                interface, address, ..
            } => {
                write!(out, "address {address} on {interface}")
            }
            Self::AwaitDuplicates {
                interface,
                addresses,
            } => match addresses.as_slice() {
                [address] => write!(
                    out,
                    "wait until {address} of {interface} is known to be free"
                ),
                _ => write!(
                    out,
                    "wait until {} new addresses of {interface} are known to be free",
                    addresses.len()
                ),
            },
            Self::NonlocalBind => out.write_str("sysctl net.ipv6.ip_nonlocal_bind = 1"),
            Self::Route(route) => write!(out, "{route}"),
            Self::RemoveRoute(route) => write!(out, "{route} removed"),
            // The others are no steps of the network.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_readable_by_people_and_programs() {
        let route = RoutedTo {
            destination: "2001:db8::/80".parse().unwrap(),
            interface: "tap0".to_owned(),
            gateway: Some("2001:db8::1".parse().unwrap()),
            local: false,
        };
        let text = "route to 2001:db8::/80 via 2001:db8::1 on tap0";
        assert_eq!(Step::Route(route.clone()).to_string(), text);
        let removed = Step::RemoveRoute(route);
        assert_eq!(removed.to_string(), format!("{text} removed"));
        let json = serde_json::to_value(&removed).unwrap();
        assert_eq!(
            (&json["step"], &json["interface"]),
            (&"remove_route".into(), &"tap0".into())
        );
        let directory = Step::Directory {
            path: "/p".into(),
            mode: 0o750,
            owner: Some("u".to_owned()),
        };
        assert_eq!(directory.to_string(), "directory /p (750, owner u)");
        let json = serde_json::to_string(&directory).unwrap();
        assert_eq!(
            json,
            r#"{"step":"directory","path":"/p","mode":"750","owner":"u"}"#
        );
    }
}
