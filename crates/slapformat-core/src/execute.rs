//! Carrying out steps; decisions were made in the plan.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use nix::net::if_::if_nametoindex;
use nix::unistd::User;
use slapos_fs::{DirectoryError, FileAttributes, Owner, WriteError, ensure_directory, write_file};

use crate::allocate::{Conflict, Conflicts};
use crate::backups::{self, BackupError};
use crate::listing::some_of;
use crate::netlink::{DuplicateWatch, Kernel, NetlinkError, Verdict};
use crate::network::Route;
use crate::plan::{Plan, RoutedTo, SHELL, Step};
use crate::program::{self, Program, ProgramError};
use crate::sysctl;
use crate::tunnel::{self, HeldTap, TunnelError};

/// A step failed. Those before it are done; the next run does the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// A directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A version of before.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file that was to be removed.
    #[error("cannot remove {path}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A user or group.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A user who ought to exist by now.
    #[error("the user {name} cannot be found")]
    User {
        /// The user.
        name: String,
        /// Why, if the system said so.
        source: Option<nix::errno::Errno>,
    },
    /// A tap or tun.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// The network as a whole.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// An interface.
    #[error("interface {interface}")]
    Interface {
        /// The interface.
        interface: String,
        /// What it did not take.
        source: NetlinkError,
    },
    /// An interface that takes no IPv6 address at all.
    #[error(
        "IPv6 is disabled on {interface}, which shall have {address}: see sysctl net.ipv6.conf"
    )]
    NoV6 {
        /// The interface.
        interface: String,
        /// The address.
        address: IpNet,
        /// What the kernel says.
        source: NetlinkError,
    },
    /// An interface that was there before.
    #[error("the interface {interface} is gone")]
    Gone {
        /// The interface.
        interface: String,
        /// What the kernel says.
        source: nix::errno::Errno,
    },
    /// Addresses were taken away while they were waited for.
    #[error("{addresses} vanished from {interface} meanwhile: is the interface still there?")]
    Vanished {
        /// The interface.
        interface: String,
        /// The addresses.
        addresses: String,
    },
    /// The kernel did not finish its search for duplicates.
    #[error(
        "the kernel still does not tell whether another machine has {addresses} of {interface}: \
         does the interface transmit?"
    )]
    Undecided {
        /// The interface.
        interface: String,
        /// The addresses.
        addresses: String,
    },
    /// A kernel parameter.
    #[error("cannot set net.ipv6.ip_nonlocal_bind")]
    Sysctl(#[source] io::Error),
}

/// How far a plan was carried out.
pub(crate) enum Execution {
    /// All of it, but for what users of partitions stood in the way of.
    Complete {
        /// Why partitions could not be told their description.
        failures: Vec<WriteError>,
    },
    /// As far as the addresses, some of which turned out not to be usable.
    Conflicts {
        /// Which, and why.
        conflicts: Conflicts,
        /// How many steps were done.
        done: usize,
    },
}

/// Carries out a plan; `lock` keeps other runs away.
pub(crate) fn execute(plan: &Plan, lock: &File) -> Result<Execution, ExecuteError> {
    let mut executor = Executor::new(plan, lock)?;
    let mut failures = Vec::new();
    for (done, step) in plan.steps.iter().enumerate() {
        log::info!("{step}");
        let conflicts = match step {
            Step::Resource {
                path,
                mode,
                contents,
            } => {
                failures.extend(write(path, *mode, contents).err());
                Conflicts::new()
            }
            step => executor.carry_out(step)?,
        };
        if !conflicts.is_empty() {
            return Ok(Execution::Conflicts { conflicts, done });
        }
    }
    Ok(Execution::Complete { failures })
}

fn write(path: &Path, mode: u32, contents: &str) -> Result<(), WriteError> {
    let attributes = FileAttributes { mode, owner: None };
    write_file(path, contents.as_bytes(), attributes)
}

struct Executor<'a> {
    lock: &'a File,
    kernel: Kernel,
    /// Begun before the first address is added.
    watch: Option<DuplicateWatch>,
    /// What is plugged into a bridge meanwhile.
    carrier: Vec<HeldTap>,
}

impl<'a> Executor<'a> {
    fn new(plan: &Plan, lock: &'a File) -> Result<Self, ExecuteError> {
        let waits = plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::AwaitDuplicates { .. }));
        Ok(Self {
            lock,
            kernel: Kernel::open()?,
            watch: waits.then(DuplicateWatch::begin).transpose()?,
            carrier: Vec::new(),
        })
    }

    /// Does one step; says which addresses it found not to be usable.
    fn carry_out(&mut self, step: &Step) -> Result<Conflicts, ExecuteError> {
        match step {
            Step::AddAddress {
                interface,
                address,
                prefix_route,
            } => {
                let link = index(interface)?;
                match self.kernel.add_address(link, *address, *prefix_route) {
                    Err(error) if error.is_present() => {
                        return Ok([(address.addr(), Conflict::Foreign)].into());
                    }
                    // The kernel's answer, also to root, where IPv6 is disabled.
                    Err(source) if address.addr().is_ipv6() && source.is_refused() => {
                        let (interface, address) = (interface.clone(), *address);
                        return Err(ExecuteError::NoV6 {
                            interface,
                            address,
                            source,
                        });
                    }
                    outcome => of_interface(interface, outcome)?,
                }
            }
            Step::AwaitDuplicates {
                interface,
                addresses,
            } => {
                return self.await_duplicates(interface, addresses);
            }
            step if is_of_network(step) => self.change_network(step)?,
            step => change_machine(step, self.lock)?,
        }
        Ok(Conflicts::new())
    }

    fn await_duplicates(
        &mut self,
        interface: &str,
        addresses: &[IpAddr],
    ) -> Result<Conflicts, ExecuteError> {
        let Some(watch) = &self.watch else {
            return Ok(Conflicts::new());
        };
        let (link, addresses) = (index(interface)?, addresses.iter().copied().collect());
        let verdict = watch.settle(&mut self.kernel, link, &addresses)?;
        let Verdict {
            duplicates,
            vanished,
            undecided,
        } = verdict;
        let interface = interface.to_owned();
        if !vanished.is_empty() {
            let addresses = some_of(&vanished);
            return Err(ExecuteError::Vanished {
                interface,
                addresses,
            });
        }
        if !undecided.is_empty() {
            let addresses = some_of(&undecided);
            return Err(ExecuteError::Undecided {
                interface,
                addresses,
            });
        }
        let conflicts = duplicates.into_iter();
        Ok(conflicts
            .map(|address| (address, Conflict::Duplicate))
            .collect())
    }

    fn change_network(&mut self, step: &Step) -> Result<(), ExecuteError> {
        let kernel = &mut self.kernel;
        match step {
            Step::RemoveTunnel { name } => of_interface(name, kernel.remove_link(index(name)?)),
            Step::LinkUp { interface } => of_interface(interface, kernel.set_up(index(interface)?)),
            Step::JoinBridge { interface, bridge } => {
                let (link, bridge) = (index(interface)?, index(bridge)?);
                of_interface(interface, kernel.join_bridge(link, bridge))
            }
            Step::Carrier { bridge } => self.plug_into(bridge),
            Step::RemoveAddress { interface, address } => {
                match kernel.remove_address(index(interface)?, *address) {
                    Err(error) if error.is_absent() => Ok(()),
                    outcome => of_interface(interface, outcome),
                }
            }
            Step::LeaveBridge { interface } => {
                of_interface(interface, kernel.leave_bridge(index(interface)?))
            }
            Step::Route(to) => of_interface(&to.interface, kernel.add_route(&route(to)?)),
            Step::RemoveRoute(to) => match kernel.remove_route(&route(to)?) {
                Err(error) if error.is_absent() => Ok(()),
                outcome => of_interface(&to.interface, outcome),
            },
            _ => Ok(()),
        }
    }

    /// Gives a bridge a carrier for as long as this process lives.
    fn plug_into(&mut self, bridge: &str) -> Result<(), ExecuteError> {
        let held = tunnel::hold()?;
        let (link, bridge) = (index(held.name())?, index(bridge)?);
        of_interface(held.name(), self.kernel.join_bridge(link, bridge))?;
        of_interface(held.name(), self.kernel.set_up(link))?;
        self.carrier.push(held);
        Ok(())
    }
}

fn is_of_network(step: &Step) -> bool {
    matches!(
        step,
        Step::RemoveTunnel { .. }
            | Step::LinkUp { .. }
            | Step::JoinBridge { .. }
            | Step::LeaveBridge { .. }
            | Step::Carrier { .. }
            | Step::RemoveAddress { .. }
            | Step::Route(_)
            | Step::RemoveRoute(_)
    )
}

/// Does a step that needs no netlink.
fn change_machine(step: &Step, lock: &File) -> Result<(), ExecuteError> {
    match step {
        Step::Directory { path, mode, owner } => {
            let owner = owner.as_deref().map(owner_of).transpose()?;
            let attributes = FileAttributes { mode: *mode, owner };
            ensure_directory(path, attributes)?;
        }
        Step::File {
            path,
            mode,
            contents,
        } => write(path, *mode, contents)?,
        Step::Backup { path } => backups::keep(path)?,
        Step::RemoveFile { path } => remove_file(path)?,
        Step::Tunnel { name, layer, owner } => {
            tunnel::make(name, *layer, owner_of(owner)?.uid)?;
        }
        Step::NonlocalBind => sysctl::set_nonlocal_bind().map_err(ExecuteError::Sysctl)?,
        step => change_accounts(step, lock)?,
    }
    Ok(())
}

fn change_accounts(step: &Step, lock: &File) -> Result<(), ProgramError> {
    match step {
        Step::Group { name } => program::run(Program::Groupadd, &["-r", "--", name], lock),
        Step::User {
            name,
            home,
            new_group,
            group,
        } => {
            let home = home.to_string_lossy();
            let mut arguments = vec!["-r", "-d", &home, "-s", SHELL];
            if *new_group {
                arguments.push("-U");
            } else {
                arguments.extend(["-g", name]);
            }
            if let Some(group) = group {
                arguments.extend(["-G", group]);
            }
            arguments.extend(["--", name]);
            program::run(Program::Useradd, &arguments, lock)
        }
        Step::JoinGroup { user, group } => {
            program::run(Program::Usermod, &["-a", "-G", group, "--", user], lock)
        }
        Step::LockPassword { user } => program::run(Program::Usermod, &["-L", "--", user], lock),
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> Result<(), ExecuteError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ExecuteError::Remove {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

fn owner_of(name: &str) -> Result<Owner, ExecuteError> {
    let failed = |source| ExecuteError::User {
        name: name.to_owned(),
        source,
    };
    let user = User::from_name(name).map_err(|errno| failed(Some(errno)))?;
    let user = user.ok_or_else(|| failed(None))?;
    Ok(Owner {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}

/// The kernel's number of an interface; a name may denote another one than before.
fn index(interface: &str) -> Result<u32, ExecuteError> {
    if_nametoindex(interface).map_err(|source| ExecuteError::Gone {
        interface: interface.to_owned(),
        source,
    })
}

fn route(to: &RoutedTo) -> Result<Route, ExecuteError> {
    Ok(Route {
        destination: to.destination,
        link: Some(index(&to.interface)?),
        gateway: to.gateway,
        local: to.local,
        in_use: true,
        automatic: false,
    })
}

fn of_interface(interface: &str, outcome: Result<(), NetlinkError>) -> Result<(), ExecuteError> {
    outcome.map_err(|source| ExecuteError::Interface {
        interface: interface.to_owned(),
        source,
    })
}
