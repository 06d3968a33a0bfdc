//! Takes a release to and from the binary cache without a node, and says what that took:
//!
//! ```text
//! release pack DIRECTORY ARCHIVE tar.gz|tar.zst
//! release unpack ARCHIVE DIRECTORY
//! release upload SLAPOS_CFG URL DIRECTORY
//! release download SLAPOS_CFG URL DIRECTORY
//! release make-key FILE
//! ```
//!
//! Prints the seconds, and the most memory that was used, in KiB. `make-key` prints a certificate.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use netcache::{KeyKind, Limits, Place, ReleaseKey, Servers, Settings};
use slapos_config::ConfigFile;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const UNLIMITED: Limits = Limits {
    bytes: u64::MAX,
    entries: u64::MAX,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let begin = Instant::now();
    match words[..] {
        ["pack", directory, archive, format] => pack(directory, archive, format)?,
        ["unpack", archive, directory] => {
            let archive = File::open(archive)?;
            netcache::unpack(archive, Path::new(directory), UNLIMITED, None, &|| false)?;
        }
        ["upload", configuration, url, directory] => upload(configuration, url, directory)?,
        ["download", configuration, url, directory] => download(configuration, url, directory)?,
        ["make-key", file] => {
            let file = PathBuf::from(file);
            println!(
                "{}",
                netcache::generate_key(KeyKind::Rsa, "me", &file, None)?
            );
            return Ok(());
        }
        _ => return Err("usage: see the beginning of this example".into()),
    }
    println!("{} {}", begin.elapsed().as_secs_f64(), peak_memory()?);
    Ok(())
}

fn pack(directory: &str, archive: &str, format: &str) -> Result<()> {
    let packed = netcache::pack(Path::new(directory), format.parse()?, &|| false)?;
    let mut file = packed.file;
    io::Seek::rewind(&mut file)?;
    io::copy(&mut file, &mut File::create(archive)?)?;
    Ok(())
}

fn upload(configuration: &str, url: &str, directory: &str) -> Result<()> {
    let settings = Settings::from_config(&ConfigFile::read(Path::new(configuration))?, None)?;
    let servers = servers(settings.upload.as_ref())?;
    let name = netcache::url_key(url);
    let release = key(url, &name, directory)?;
    netcache::publish(servers, &settings, &release, &place(directory), &|| false)?;
    Ok(())
}

fn download(configuration: &str, url: &str, directory: &str) -> Result<()> {
    let settings = Settings::for_reading(&ConfigFile::read(Path::new(configuration))?)?;
    let servers = servers(settings.download.as_ref())?;
    let name = netcache::url_key(url);
    let release = key(url, &name, directory)?;
    netcache::fetch(servers, &settings, &release, &place(directory), &|| false)?;
    Ok(())
}

fn servers(servers: Option<&Servers>) -> Result<&Servers> {
    servers.ok_or_else(|| "slapos.cfg names no binary cache".into())
}

fn key<'a>(url: &'a str, name: &'a str, directory: &'a str) -> Result<ReleaseKey<'a>> {
    let parent = Path::new(directory).parent().and_then(Path::to_str);
    Ok(ReleaseKey {
        url,
        name,
        software_root: parent.ok_or("the directory has no parent")?,
    })
}

fn place(directory: &str) -> Place<'_> {
    Place {
        directory: Path::new(directory),
        space: u64::MAX,
        owner: None,
    }
}

/// As the kernel has counted it, in KiB.
fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(peak
        .ok_or("the kernel does not count memory")?
        .trim()
        .parse()?)
}
