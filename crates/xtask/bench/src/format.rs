//! slapformat beside `slapos node format`: the same new partitions, each in a network namespace of
//! its own, under the kernel's own rules for the search for duplicates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{command, places};

/// Exit code of either side when the machine is prepared and no master answers.
const PREPARED: i32 = 2;

/// Whose program is measured.
#[derive(Clone, Copy)]
enum Side {
    Ours,
    Peer,
}

/// Measures each amount with both sides and prints a line for each.
pub(super) fn run(amounts: &[usize]) -> Result<()> {
    if !places::is_root() {
        bail!("only root can make users and network namespaces");
    }
    let peer = super::peer()?.join("bin/slapos");
    let ours = build()?;
    println!(
        "{:>10} {:>12} {:>12} {:>8} {:>12}",
        "partitions", "slapformat", "peer", "ratio", "second run"
    );
    for amount in amounts {
        let (first, second) = {
            let place = Place::new(Side::Ours, *amount)?;
            let run = || place.measure(Command::new(&ours).arg("--now"));
            (run()?, run()?)
        };
        let place = Place::new(Side::Peer, *amount)?;
        let theirs =
            place.measure(Command::new(&peer).args(["node", "format", "--now", "--cfg"]))?;
        let ratio = theirs.as_secs_f64() / first.as_secs_f64();
        println!("{amount:>10} {first:>12.2?} {theirs:>12.2?} {ratio:>8.1} {second:>12.2?}");
    }
    Ok(())
}

/// Our slapformat, optimised.
fn build() -> Result<PathBuf> {
    let target = places::shared()?;
    command::run(
        Command::new(env!("CARGO"))
            .current_dir(places::workspace())
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--quiet", "--release", "--package", "slapformat"]),
    )?;
    Ok(target.join("release/slapformat"))
}

/// A directory with a configuration, and a network namespace. Dropping it removes both and the
/// users that were made.
struct Place {
    directory: PathBuf,
    name: String,
    amount: usize,
}

impl Place {
    fn new(side: Side, amount: usize) -> Result<Self> {
        let letter = match side {
            Side::Ours => 'o',
            Side::Peer => 'p',
        };
        let name = format!("sb{}{letter}", std::process::id());
        let place = Self {
            directory: std::env::temp_dir().join(format!("slapos-bench-{name}")),
            name,
            amount,
        };
        fs::create_dir(&place.directory)
            .with_context(|| format!("cannot make {}", place.directory.display()))?;
        let configuration = place.configuration();
        fs::write(&configuration, place.settings())
            .with_context(|| format!("cannot write {}", configuration.display()))?;
        place.lay_cables()?;
        Ok(place)
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("slapos.cfg")
    }

    fn settings(&self) -> String {
        let (here, name, amount) = (self.directory.display(), &self.name, self.amount);
        format!(
            "[slapos]\ncomputer_id = COMP-1\nmaster_url = http://127.0.0.1:5000/\n\
             software_root = {here}/software\ninstance_root = {here}/instance\n\
             [slapformat]\ncomputer_xml = {here}/computer.xml\nlog_file = {here}/format.log\n\
             partition_amount = {amount}\ninterface_name = br0\ntap_ipv6 = True\ntap_base_name = slaptap\npartition_base_name = slappart\n\
             ipv4_local_network = 10.77.0.0/16\nuser_base_name = {name}u\nsoftware_user = {name}s\n"
        )
    }

    /// A bridge with a cable, and addresses as an admin would configure them.
    fn lay_cables(&self) -> Result<()> {
        let name = &self.name;
        let lines = [
            format!("netns add {name}"),
            format!("-n {name} link set lo up"),
            format!("-n {name} link add br0 type bridge"),
            format!("-n {name} link add up0 type veth peer name up1"),
            format!("-n {name} link set up1 up"),
            format!("-n {name} link set up0 up master br0"),
            format!("-n {name} link set br0 up"),
            format!("-n {name} addr add 10.1.2.3/16 dev br0"),
            format!("-n {name} addr add 2001:db8:1::1/64 dev br0 nodad"),
        ];
        lines
            .iter()
            .try_for_each(|line| command::run(Command::new("ip").args(line.split(' '))))
    }

    /// Runs a program in the namespace, with the configuration as its last argument.
    fn measure(&self, program: &mut Command) -> Result<Duration> {
        let mut inside = Command::new("ip");
        inside
            .args(["netns", "exec", &self.name])
            .arg(program.get_program());
        inside.args(program.get_args()).arg(self.configuration());
        let output = self.directory.join("output");
        let file = fs::File::create(&output).context("cannot write the output")?;
        let begin = Instant::now();
        let code = command::exit_code(inside.stdout(file.try_clone()?).stderr(file))?;
        let time = begin.elapsed();
        if code != PREPARED {
            bail!("exit code {code}:\n{}", tail(&output));
        }
        Ok(time)
    }

    fn remove_accounts(&self) {
        let partitions = (0..self.amount).map(|number| format!("{}u{number}", self.name));
        for account in partitions.chain([format!("{}s", self.name)]) {
            for program in ["userdel", "groupdel"] {
                // userdel removes most of the groups, too.
                let _ = Command::new(program).arg(&account).output();
            }
        }
    }
}

/// The end of a file, for a message.
fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

impl Drop for Place {
    fn drop(&mut self) {
        self.remove_accounts();
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
