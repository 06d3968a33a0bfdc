//! Reading tar, as Python and GNU tar write it, from bytes that are not trusted: what is kept in memory of
//! an entry is bounded, and what is not understood is refused.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header, PaxExtensions};

const BLOCK: usize = 512;
/// Longest path or target that an extension of a header may hold, in bytes; also what the kernel takes.
const LONGEST_NAME: u64 = 4096;
/// Longest list of extensions in the POSIX form, in bytes.
const LONGEST_EXTENSIONS: u64 = 64 << 10;

/// An archive is not well-formed, or holds what it must not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// It cannot be read or decompressed.
    #[error("the archive cannot be read")]
    Read(#[source] io::Error),
    /// It ends too early.
    #[error("the archive is truncated")]
    Truncated,
    /// Something follows its end.
    #[error("something follows the end of the archive")]
    Trailing,
    /// A header makes no sense.
    #[error("a header of the archive is wrong: {0}")]
    Header(&'static str),
    /// An entry is none of those that a release may have.
    #[error("{} is {what}", path.display())]
    Kind {
        /// The entry.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
}

/// One entry of an archive; its contents are read from the archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// With setuid, setgid and sticky bits.
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) modified: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    /// Of so many bytes.
    File(u64),
    SymbolicLink(PathBuf),
    HardLink(PathBuf),
}

/// What headers before an entry say in place of its own.
#[derive(Debug, Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

/// An archive that is read from its beginning.
pub(crate) struct Tarball<R> {
    reader: R,
    /// Bytes of contents that are left of the current entry.
    left: u64,
    /// Bytes that fill its last block.
    padding: u64,
}

impl<R: Read> Tarball<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            left: 0,
            padding: 0,
        }
    }

    /// The next entry; `None` once the end was reached and checked.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, TarError> {
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            match header.entry_type() {
                EntryType::GNULongName => extensions.path = Some(self.long_name()?),
                EntryType::GNULongLink => extensions.link = Some(self.long_name()?),
                EntryType::XHeader => extensions.read(&self.contents(LONGEST_EXTENSIONS)?)?,
                EntryType::XGlobalHeader => drop(self.contents(LONGEST_EXTENSIONS)?),
                _ => {
                    if let Some(size) = extensions.size {
                        self.expect(size);
                    }
                    return self.item(&header, extensions).map(Some);
                }
            }
        }
    }

    /// Contents of the current entry.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        fill(&mut self.reader, &mut buffer[..most])?;
        self.left -= most as u64;
        Ok(most)
    }

    fn header(&mut self) -> Result<Option<Header>, TarError> {
        self.skip()?;
        let mut header = Header::new_old();
        fill(&mut self.reader, header.as_mut_bytes())?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return self.check_end().map(|()| None);
        }
        let wrong = |what| move |_: io::Error| TarError::Header(what);
        if header.cksum().map_err(wrong("checksum"))? != checksum(header.as_bytes()) {
            return Err(TarError::Header("checksum"));
        }
        let size = header.entry_size().map_err(wrong("size"))?;
        self.expect(size);
        Ok(Some(header))
    }

    fn expect(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Passes over what is left of the current entry.
    fn skip(&mut self) -> Result<(), TarError> {
        let left = self.left.saturating_add(self.padding);
        let skipped = io::copy(&mut self.reader.by_ref().take(left), &mut io::sink());
        if skipped.map_err(TarError::Read)? < left {
            return Err(TarError::Truncated);
        }
        self.expect(0);
        Ok(())
    }

    /// Only zeros may follow the end.
    fn check_end(&mut self) -> Result<(), TarError> {
        let mut buffer = [0; 8192];
        loop {
            match self.reader.read(&mut buffer).map_err(TarError::Read)? {
                0 => return Ok(()),
                length if buffer[..length].iter().any(|byte| *byte != 0) => {
                    return Err(TarError::Trailing);
                }
                _ => {}
            }
        }
    }

    fn long_name(&mut self) -> Result<Vec<u8>, TarError> {
        // One byte more, which is a zero.
        let mut name = self.contents(LONGEST_NAME + 1)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn contents(&mut self, most: u64) -> Result<Vec<u8>, TarError> {
        if self.left > most {
            return Err(TarError::Header("an extension is too long"));
        }
        let mut contents = vec![0; usize::try_from(self.left).unwrap_or(0)];
        self.read(&mut contents)?;
        Ok(contents)
    }

    fn item(&mut self, header: &Header, extensions: Extensions) -> Result<Item, TarError> {
        let path = extensions
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let path = to_path(&path)?;
        let target = || {
            let own = || header.link_name_bytes().map(|link| link.into_owned());
            to_path(&extensions.link.clone().or_else(own).unwrap_or_default())
        };
        let refuse = |what| {
            let path = path.clone();
            Err(TarError::Kind { path, what })
        };
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous if is_directory(header) => Kind::Directory,
            EntryType::Regular | EntryType::Continuous => Kind::File(self.left),
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::SymbolicLink(target()?),
            EntryType::Link => Kind::HardLink(target()?),
            EntryType::Char | EntryType::Block => return refuse("a device"),
            EntryType::Fifo => return refuse("a named pipe"),
            EntryType::GNUSparse => return refuse("a sparse file in a form that is not known"),
            _ => return refuse("of a kind that is not known"),
        };
        if !matches!(kind, Kind::File(_)) {
            // Some write the size of what a hard link is to, without contents.
            self.expect(if kind == Kind::Directory {
                self.left
            } else {
                0
            });
        }
        let mode = header.mode().map_err(|_| TarError::Header("mode"))?;
        let modified = header.mtime().map_err(|_| TarError::Header("time"))?;
        let modified = i64::try_from(modified).unwrap_or(0);
        Ok(Item {
            path,
            kind,
            mode,
            modified,
        })
    }
}

impl Extensions {
    fn read(&mut self, records: &[u8]) -> Result<(), TarError> {
        let wrong = TarError::Header("extensions");
        for record in PaxExtensions::new(records) {
            let Ok(record) = record else {
                return Err(wrong);
            };
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or(TarError::Header("size"))?);
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(TarError::Header(
                        "a sparse file in a form that is not known",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Old archives tell directories by the slash at the end of their names only.
fn is_directory(header: &Header) -> bool {
    header.as_ustar().is_none() && header.as_gnu().is_none() && header.path_bytes().ends_with(b"/")
}

fn to_path(bytes: &[u8]) -> Result<PathBuf, TarError> {
    if bytes.contains(&0) || bytes.len() as u64 > LONGEST_NAME {
        return Err(TarError::Header("a name cannot be one"));
    }
    Ok(Path::new(OsStr::from_bytes(bytes)).to_owned())
}

/// The sum of a header's bytes, where those of the sum itself count as spaces.
fn checksum(header: &[u8; BLOCK]) -> u32 {
    let sum = |bytes: &[u8]| -> u32 { bytes.iter().copied().map(u32::from).sum() };
    let field = 148..156;
    sum(&header[..field.start]) + 8 * u32::from(b' ') + sum(&header[field.end..])
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), TarError> {
    reader
        .read_exact(buffer)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => TarError::Truncated,
            _ => TarError::Read(error),
        })
}
