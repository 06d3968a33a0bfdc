//! Releases to the network cache and back, beside the peer's library, and beside what is the limit:
//! tar with compressors, copying, hashing. Both sides use our slapproxy as the server.
//!
//! Nothing is deleted before the end: ext4 does not use the inodes of deleted files again for some
//! minutes, and looks at each of them whenever it makes a file. After 20 000 files were deleted, making
//! as many others takes several times as long, for whoever comes next. So this needs some 18 GB for
//! three rounds of the usual release.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use slapos_tests::{Node, Side};
use tempfile::TempDir;

use super::process;
use super::release;
use crate::{command, places};

/// The steps of the peer's library.
const PEER: &str = include_str!("cache_client.py");
const URL: &str = "http://releases.invalid/measured/software.cfg";
/// The MD5 of that, which is the name of the release's directory.
const NAME: &str = "0ed9dbf3c96339c19e6494c2309cf282";

/// What is measured.
pub(super) struct Plan {
    pub(super) files: usize,
    pub(super) megabytes: u64,
    /// How often each figure is taken; the median is shown.
    pub(super) rounds: usize,
}

/// What a step took.
#[derive(Clone, Copy)]
struct Figures {
    wall: Duration,
    /// Of the step and all that it started.
    cpu: Duration,
    /// The most memory that was used, in KiB, of the programs that say so.
    memory: Option<u64>,
}

/// Measures every step of both sides and prints a table.
pub(super) fn run(plan: &Plan) -> Result<()> {
    let bench = Bench::new(plan)?;
    println!(
        "{:<9} {:<26} {:>8} {:>8} {:>8} {:>9} {:>10}",
        "step", "by", "seconds", "CPU s", "MB/s", "size MB", "memory MB"
    );
    bench.pack()?;
    bench.unpack()?;
    bench.over_the_network()?;
    bench.limits()
}

struct Bench<'a> {
    plan: &'a Plan,
    directory: TempDir,
    /// Our steps, as a program.
    ours: PathBuf,
    peer: PathBuf,
    server: Node,
    /// Of the release, in bytes.
    bytes: u64,
    /// How many directories were put aside.
    aside: Cell<usize>,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan) -> Result<Self> {
        let (peer, target) = (super::peer()?, places::shared()?);
        build(&target)?;
        slapos_tests::places::set(target.join("release"), peer.clone());
        let directory = TempDir::with_prefix("slapos-bench-").context("cannot make a directory")?;
        fs::write(directory.path().join("client.py"), PEER)?;
        let mut bench = Self {
            plan,
            directory,
            ours: target.join("release/examples/release"),
            peer,
            server: server()?,
            bytes: 0,
            aside: Cell::new(0),
        };
        for name in ["soft", "copy", "aside"] {
            fs::create_dir(bench.path(name))?;
        }
        fs::create_dir(bench.release())?;
        release::make(&bench.release(), plan.files, plan.megabytes * 1_000_000)?;
        bench.bytes = size(&bench.release())?;
        bench.configure()?;
        Ok(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn release(&self) -> PathBuf {
        self.path("soft").join(NAME)
    }

    /// Where the release is unpacked: it must have the name that the archive says.
    fn copy(&self) -> PathBuf {
        self.path("copy").join(NAME)
    }

    /// A slapos.cfg for both sides, and a key that both trust.
    fn configure(&self) -> Result<()> {
        let key = self.path("key");
        let made = Command::new(&self.ours)
            .arg("make-key")
            .arg(&key)
            .output()?;
        let certificate = String::from_utf8(made.stdout)?;
        let certificate = certificate.trim().replace('\n', "\n  ");
        let url = format!("{}shacache", self.server.master_url());
        let services = [("cache", "cache"), ("binary-cache", "cache")];
        let services = services
            .into_iter()
            .chain([("dir", "dir"), ("binary-dir", "dir")]);
        let services: String = services
            .flat_map(|(name, path)| {
                ["download", "upload"].map(|way| format!("{way}-{name}-url = {url}/{path}\n"))
            })
            .collect();
        let text = format!(
            "[networkcache]\n{services}signature-private-key-file = {}\n\
             signature-certificate-list =\n  {certificate}\n",
            key.display()
        );
        Ok(fs::write(self.path("slapos.cfg"), text)?)
    }

    fn pack(&self) -> Result<()> {
        let release = self.release();
        for (who, archive, format) in [
            ("slapos-rs, tar.gz", "ours.tar.gz", "tar.gz"),
            ("slapos-rs, tar.zst", "ours.tar.zst", "tar.zst"),
        ] {
            let archive = self.path(archive);
            let figures =
                self.measure(|| self.ours("pack", &[&release, &archive, Path::new(format)]))?;
            self.print("pack", who, figures, Some(&archive))?;
        }
        let archive = self.path("peer.tar.gz");
        let figures = self.measure(|| self.theirs("pack", &[&release, &archive]))?;
        self.print("pack", "libnetworkcache, tar.gz", figures, Some(&archive))?;
        for (who, archive, filter) in [
            ("tar | gzip", "tar.tar.gz", "gzip"),
            ("tar | zstd -T0", "tar.tar.zst", "zstd -q -T0"),
        ] {
            let archive = self.path(archive);
            let script = format!("tar -c -C soft {NAME} | {filter} > {}", archive.display());
            let figures = self.measure(|| self.shell(&script))?;
            self.print("pack", who, figures, Some(&archive))?;
        }
        Ok(())
    }

    fn unpack(&self) -> Result<()> {
        let copy = self.copy();
        for (who, archive) in [
            ("slapos-rs, own tar.gz", "ours.tar.gz"),
            ("slapos-rs, peer's tar.gz", "peer.tar.gz"),
            ("slapos-rs, own tar.zst", "ours.tar.zst"),
        ] {
            let archive = self.path(archive);
            let figures = self.measure(|| self.ours("unpack", &[&archive, &copy]))?;
            self.print("unpack", who, figures, None)?;
        }
        for (who, archive) in [
            ("libnetworkcache, own", "peer.tar.gz"),
            ("libnetworkcache, ours", "ours.tar.gz"),
        ] {
            let archive = self.path(archive);
            let figures = self.measure(|| self.theirs("unpack", &[&archive, &copy]))?;
            self.print("unpack", who, figures, None)?;
        }
        for (who, archive, filter) in [
            ("gzip -d | tar", "tar.tar.gz", "gzip"),
            ("zstd -d | tar", "tar.tar.zst", "zstd -q"),
        ] {
            let script = format!("{filter} -d < {archive} | tar -x -C copy");
            let figures = self.measure(|| self.shell(&script))?;
            self.print("unpack", who, figures, None)?;
        }
        Ok(())
    }

    /// The server is emptied before each upload, and before each side's first.
    fn over_the_network(&self) -> Result<()> {
        let configuration = self.path("slapos.cfg");
        let (release, url) = (self.release(), Path::new(URL));
        type Step<'b> = &'b dyn Fn(&str, &[&Path]) -> Result<Figures>;
        let sides: [(&str, Step); 2] = [
            ("slapos-rs", &|step, words| self.ours(step, words)),
            ("libnetworkcache", &|step, words| self.theirs(step, words)),
        ];
        for (who, step) in sides {
            let figures = self.measure(|| {
                self.empty_server()?;
                step("upload", &[&configuration, url, &release])
            })?;
            self.print("upload", who, figures, None)?;
            // Entries say where the release lay: there it is downloaded to, too.
            let original = self.path("original");
            fs::rename(&release, &original)?;
            let figures = self.measure(|| {
                self.put_aside(&release)?;
                step("download", &[&configuration, url, &release])
            });
            self.put_aside(&release)?;
            fs::rename(&original, &release)?;
            self.print("download", who, figures?, None)?;
        }
        Ok(())
    }

    fn limits(&self) -> Result<()> {
        let copy = format!("cp -a soft/{NAME} copy/{NAME}");
        let hash = format!("find soft/{NAME} -type f -print0 | xargs -0 cat | sha512sum");
        for (who, script) in [("cp -a", copy), ("SHA-512 of all files", hash)] {
            let figures = self.measure(|| self.shell(&script))?;
            self.print("limit", who, figures, None)?;
        }
        Ok(())
    }

    /// Medians of several runs, each with nothing at the place that is unpacked to, and with nothing that
    /// is still to be written to the disk.
    fn measure(&self, run: impl Fn() -> Result<Figures>) -> Result<Figures> {
        let mut all = Vec::new();
        for _ in 0..self.plan.rounds.max(1) {
            self.put_aside(&self.copy())?;
            command::run(&mut Command::new("sync"))?;
            all.push(run()?);
        }
        all.sort_by_key(|figures| figures.wall);
        all.get(all.len() / 2)
            .copied()
            .context("nothing was measured")
    }

    /// Makes room without deleting anything.
    fn put_aside(&self, directory: &Path) -> Result<()> {
        let number = self.aside.get();
        self.aside.set(number + 1);
        let aside = self.path("aside").join(number.to_string());
        match fs::rename(directory, aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot rename {}", directory.display()))
            }
            _ => Ok(()),
        }
    }

    fn ours(&self, step: &str, arguments: &[&Path]) -> Result<Figures> {
        figures(Command::new(&self.ours).arg(step).args(arguments))
    }

    fn theirs(&self, step: &str, arguments: &[&Path]) -> Result<Figures> {
        let mut command = Command::new(self.peer.join("bin/python"));
        figures(
            command
                .arg(self.path("client.py"))
                .arg(step)
                .args(arguments),
        )
    }

    fn shell(&self, script: &str) -> Result<Figures> {
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", script]);
        let (before, begin) = (process::cpu_of_children()?, Instant::now());
        command::run(
            shell
                .current_dir(self.directory.path())
                .stdout(Stdio::null()),
        )?;
        Ok(Figures {
            wall: begin.elapsed(),
            cpu: process::cpu_of_children()?.saturating_sub(before),
            memory: None,
        })
    }

    fn empty_server(&self) -> Result<()> {
        for name in ["content", "metadata"] {
            for entry in fs::read_dir(self.server.path().join(name))? {
                fs::remove_file(entry?.path())?;
            }
        }
        Ok(())
    }

    fn print(&self, step: &str, who: &str, figures: Figures, archive: Option<&Path>) -> Result<()> {
        let seconds = figures.wall.as_secs_f64();
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let size = archive.map(fs::metadata).transpose()?;
        let size = size.map_or_else(String::new, |size| format!("{:.1}", megabytes(size.len())));
        let memory = figures.memory.map(|kib| megabytes(kib * 1024));
        let memory = memory.map_or_else(String::new, |memory| format!("{memory:.0}"));
        println!(
            "{step:<9} {who:<26} {seconds:>8.2} {:>8.2} {:>8.0} {size:>9} {memory:>10}",
            figures.cpu.as_secs_f64(),
            megabytes(self.bytes) / seconds
        );
        Ok(())
    }
}

/// Our steps and our server, optimised.
fn build(target: &Path) -> Result<()> {
    let parts = [
        ["--package=netcache", "--example=release"],
        ["--package=slapproxy", "--bins"],
    ];
    for part in parts {
        command::run(
            Command::new(env!("CARGO"))
                .current_dir(places::workspace())
                .env("CARGO_TARGET_DIR", target)
                .args(["build", "--quiet", "--release"])
                .args(part),
        )?;
    }
    Ok(())
}

/// A master that serves the cache.
fn server() -> Result<Node> {
    let mut server = Node::new();
    let here = server.path().display().to_string();
    let settings = fs::read_to_string(server.configuration())?;
    let text = format!(
        "{settings}shacache_content_directory = {here}/content\n\
         shacache_metadata_directory = {here}/metadata\n"
    );
    server.write("slapos.cfg", &text);
    for name in ["content", "metadata"] {
        fs::create_dir(server.path().join(name))?;
    }
    server.start_master(Side::Ours);
    Ok(server)
}

/// Runs a step that prints what it took.
fn figures(command: &mut Command) -> Result<Figures> {
    let before = process::cpu_of_children()?;
    let output = command.output().context("cannot start a step")?;
    let cpu = process::cpu_of_children()?.saturating_sub(before);
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut words = printed.split_whitespace();
    match (words.next(), words.next()) {
        (Some(seconds), Some(memory)) if output.status.success() => Ok(Figures {
            wall: Duration::try_from_secs_f64(seconds.parse()?)?,
            cpu,
            memory: Some(memory.parse()?),
        }),
        _ => bail!("a step failed: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn size(directory: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += match metadata.is_dir() {
            true => size(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(total)
}
