//! However much comes, an archive of a million entries or a list, no more memory is needed. A program of
//! its own, so that the process does nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use netcache::{Limits, unpack};
use tar::{EntryType, Header};

const NAME: &str = "0123456789abcdef";
const MILLION: u64 = 1_000_000;
/// Entries that are compressed together.
const TOGETHER: u64 = 10_000;
/// Directories with long names; then one comes again and again.
const DIRECTORIES: u64 = 10_000;
/// In KiB.
const MOST_MEMORY: u64 = 64 << 10;

/// An archive that is made while it is read.
struct Million {
    made: u64,
    part: Cursor<Vec<u8>>,
}

impl Million {
    fn new() -> Self {
        let part = Cursor::default();
        Self { made: 0, part }
    }

    /// The next entries, or the end.
    fn next_part(&mut self) -> Vec<u8> {
        let entries = self.made..MILLION.min(self.made + TOGETHER);
        if entries.is_empty() {
            self.made += 1;
            return vec![0; 1024];
        }
        self.made = entries.end;
        let last = directory(DIRECTORIES);
        let mut part = Vec::new();
        for number in entries {
            match number {
                0..DIRECTORIES => part.extend_from_slice(directory(number).as_bytes()),
                _ => part.extend_from_slice(last.as_bytes()),
            }
        }
        part
    }
}

impl Read for Million {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 || self.made > MILLION {
            return Ok(read);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.next_part())?;
        self.part = Cursor::new(encoder.finish()?);
        self.part.read(buffer)
    }
}

/// The first one is the release itself.
fn directory(number: u64) -> Header {
    let path = match number {
        0 => NAME.to_owned(),
        number => format!("{NAME}/{number:070}"),
    };
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_path(path).unwrap();
    header.set_mode(0o755);
    header.set_mtime(MILLION);
    header.set_size(0);
    header.set_cksum();
    header
}

/// The most that this process has used, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().strip_suffix(" kB").unwrap();
    peak.parse().unwrap()
}

#[test]
fn a_million_entries_are_counted_and_not_remembered() {
    let root = tempfile::tempdir().unwrap();
    let release = root.path().join(NAME);
    let limits = Limits {
        bytes: u64::MAX,
        entries: MILLION,
    };
    unpack(Million::new(), &release, limits, None, &|| false).unwrap();
    // The last one comes in addition, as does the mark; the release itself does not count.
    let count = fs::read_dir(&release).unwrap().count() as u64;
    assert_eq!(count, DIRECTORIES + 1);
    let peak = peak_memory();
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

#[test]
fn a_list_of_a_million_things_is_not_remembered() {
    let json = format!("[{}7]", "[{}],".repeat(2 * MILLION as usize));
    let entries = netcache::parse_list(json.as_bytes()).unwrap();
    assert_eq!(entries.len(), 1000);
    let peak = peak_memory();
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}
