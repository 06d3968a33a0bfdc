//! Sockets that are listened on.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::settings::ListenAddress;

/// Who may connect to a Unix socket: user and group of the server.
const SOCKET_MODE: u32 = 0o660;

/// The sockets that are listened on. They take turns, so that none must wait for another.
#[derive(Default)]
pub(super) struct Listeners {
    all: Vec<Listener>,
    /// Whose turn it is.
    turn: usize,
}

impl Listeners {
    /// Listens on an address, too; says where, with the port that was taken.
    pub(super) async fn add(&mut self, address: &ListenAddress) -> io::Result<ListenAddress> {
        let listener = Listener::bind(address).await?;
        let address = listener.address()?;
        self.all.push(listener);
        Ok(address)
    }

    /// The next connection. Nothing is lost when it is no longer waited for.
    pub(super) async fn accept(&mut self) -> io::Result<Accepted> {
        std::future::poll_fn(|context| self.poll_accept(context)).await
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let count = self.all.len();
        for number in (0..count).map(|offset| (self.turn + offset) % count) {
            if let Poll::Ready(accepted) = self.all[number].poll_accept(context) {
                self.turn = number + 1;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

/// A socket that is listened on.
enum Listener {
    Tcp(TcpListener),
    Unix(SocketFile),
}

/// A connection as it was accepted.
pub(super) enum Accepted {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Listener {
    async fn bind(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            ListenAddress::Unix(path) => SocketFile::bind(path).map(Self::Unix),
        }
    }

    fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(socket) => Ok(ListenAddress::Unix(socket.path.clone())),
        }
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let accepted = match self {
            Self::Tcp(listener) => {
                let (stream, address): (_, SocketAddr) = ready!(listener.poll_accept(context))?;
                // Answers are written as a whole; nothing is won by waiting for more.
                stream.set_nodelay(true)?;
                Accepted::Tcp(stream, address.ip())
            }
            Self::Unix(socket) => Accepted::Unix(ready!(socket.listener.poll_accept(context))?.0),
        };
        Poll::Ready(Ok(accepted))
    }
}

/// A Unix socket, whose file is removed with it.
struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    /// Takes the place of a socket that nobody listens on any more.
    fn bind(path: &Path) -> io::Result<Self> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        if fs::symlink_metadata(path).is_ok_and(|found| !is_socket(&found)) {
            return Err(io::Error::other("a file that is no socket is there"));
        }
        let directory = path.parent().filter(|parent| *parent != Path::new(""));
        // Under its name, it has its mode from the first moment.
        let bound = tempfile::Builder::new()
            .prefix(".s-")
            .rand_bytes(4)
            .make_in(directory.unwrap_or(Path::new(".")), |path| {
                UnixListener::bind(path)
            })?;
        fs::set_permissions(bound.path(), fs::Permissions::from_mode(SOCKET_MODE))?;
        let inode = fs::symlink_metadata(bound.path())?.ino();
        let listener = bound.persist(path).map_err(|error| error.error)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode,
        })
    }
}

fn is_socket(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_socket()
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have put its own there.
        let own = fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode);
        if own && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_socket_does_not_keep_others_waiting() {
        let mut listeners = Listeners::default();
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let bound = listeners
                .add(&"127.0.0.1:0".parse().unwrap())
                .await
                .unwrap();
            let ListenAddress::Tcp(address) = bound else {
                panic!("{bound}");
            };
            addresses.push(address);
        }
        // Three wait at the first and one at the second, which is the second to be let in.
        let mut clients = Vec::new();
        for address in [addresses[0], addresses[0], addresses[0], addresses[1]] {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let mut let_in = Vec::new();
        for _ in 0..4 {
            match listeners.accept().await.unwrap() {
                Accepted::Tcp(stream, _) => let_in.push(stream.local_addr().unwrap()),
                Accepted::Unix(_) => panic!("no Unix socket is listened on"),
            }
        }
        assert_eq!(let_in[1], addresses[1], "{let_in:?}");
    }

    #[tokio::test]
    async fn a_socket_is_for_user_and_group_and_goes_with_its_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let socket = SocketFile::bind(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, SOCKET_MODE);
        drop(socket);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_a_live_one_and_a_file_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = SocketFile::bind(&path).unwrap();
        let error = SocketFile::bind(&path).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(path.exists());
        drop(socket);
        fs::write(&path, "precious").unwrap();
        assert!(SocketFile::bind(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }
}
