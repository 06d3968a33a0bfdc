//! A blocking netlink socket for typed messages of the kernel's network configuration.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::datagram;

/// Room for one datagram, in bytes: the kernel fills at most 32 KiB of it.
const DATAGRAM: usize = 64 << 10;
/// Bytes of notifications that may wait for us: those of some thousand addresses.
const WAITING: u32 = 8 << 20;
/// How often an interrupted dump is begun anew before what it tells is taken as it is.
const DUMP_ATTEMPTS: usize = 5;

/// A socket to the kernel's network configuration.
#[derive(Debug)]
pub(super) struct RouteSocket {
    socket: Socket,
    sequence: u32,
}

/// What a dump told, and whether it can be relied on.
struct Dump {
    messages: Vec<RouteNetlinkMessage>,
    interrupted: bool,
}

impl RouteSocket {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// A socket that is told what happens to the subjects of a multicast group.
    pub(super) fn listening(group: u32) -> io::Result<Self> {
        let listening = Self::open()?;
        // Without the right to more room, losses are noticed and made good by asking again.
        let _ = listening.socket.set_rx_buf_sz(WAITING);
        listening.socket.add_membership(group)?;
        Ok(listening)
    }

    /// Asks for all objects of a kind.
    pub(super) fn dump(
        &mut self,
        request: &RouteNetlinkMessage,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut dump = self.dump_once(request)?;
        for _ in 1..DUMP_ATTEMPTS {
            if !dump.interrupted {
                break;
            }
            dump = self.dump_once(request)?;
        }
        Ok(dump.messages)
    }

    fn dump_once(&mut self, request: &RouteNetlinkMessage) -> io::Result<Dump> {
        self.send(request.clone(), NLM_F_REQUEST | NLM_F_DUMP)?;
        let mut dump = Dump {
            messages: Vec::new(),
            interrupted: false,
        };
        loop {
            for message in self.receive()? {
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                dump.interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
                match message.payload {
                    NetlinkPayload::InnerMessage(inner) => dump.messages.push(inner),
                    // A dump that the kernel gave up ends with why.
                    NetlinkPayload::Done(end) if end.code < 0 => {
                        return Err(io::Error::from_raw_os_error(-end.code));
                    }
                    NetlinkPayload::Done(_) => return Ok(dump),
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        return Err(error.to_io());
                    }
                    _ => {}
                }
            }
        }
    }

    /// Has something changed and waits until it is done.
    pub(super) fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(message, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        loop {
            for message in self.receive()? {
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                if let NetlinkPayload::Error(answer) = message.payload {
                    return match answer.code {
                        None => Ok(()),
                        Some(_) => Err(answer.to_io()),
                    };
                }
            }
        }
    }

    fn send(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(message);
        message.header.flags = flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map(|_| ())
    }

    /// The messages of the next datagram; waits for it.
    fn receive(&self) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
        let mut bytes = Vec::with_capacity(DATAGRAM);
        loop {
            match self.socket.recv(&mut bytes, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) => return datagram::parse(&bytes),
            }
        }
    }

    /// The notifications of the next datagram; `None` when none has come by the deadline.
    pub(super) fn next_notifications(
        &self,
        deadline: Instant,
    ) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
        if !self.wait(deadline)? {
            return Ok(None);
        }
        let notifications = self.receive()?.into_iter();
        let inner = notifications.filter_map(|message| match message.payload {
            NetlinkPayload::InnerMessage(inner) => Some(inner),
            _ => None,
        });
        Ok(Some(inner.collect()))
    }

    /// Whether something can be received by the deadline.
    fn wait(&self, deadline: Instant) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut watched = [PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN)];
            match poll(&mut watched, Some(&timeout)) {
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(ready) => return Ok(ready > 0),
            }
        }
    }
}
