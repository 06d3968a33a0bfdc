//! `cargo xtask demo`: a master, a node and an instance on this machine, all under one directory.
//!
//! Every step is what an administrator would type; all of them are idempotent, so that running
//! the demo again completes what is missing and otherwise changes nothing.

mod account;
mod http;
mod master;
mod place;

use std::fs;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{command, needs, places, python};
use account::Account;
use place::Demo;

/// The instance that the demo requests.
const INSTANCE: &str = "hello-1";
/// Its parameter: what its page says.
const GREETING: &str = "Hello from a SlapOS partition!";

/// Brings everything up and says where to look.
pub(crate) fn run() -> Result<ExitCode> {
    let started = Instant::now();
    needs::of_demo().ensure()?;
    let demo = Demo::locate()?;
    step("Building the tools (the first time takes some minutes)");
    build()?;
    step("Preparing supervisor and buildout");
    python::environment(
        &demo.python(),
        &places::workspace().join("tests/python/demo-requirements.txt"),
    )?;
    let account = Account::ensure(&demo)?;
    demo.write_files(&account)?;
    step("Starting the master: slapproxy");
    master::ensure_running(&demo)?;
    deploy(&demo, &account)?;
    report(&demo, started)
}

/// The tools of a node and of a user, in the order of the main job.
fn deploy(demo: &Demo, account: &Account) -> Result<()> {
    step("Preparing the partitions: slapformat");
    command::run(
        tool(demo, "slapformat")
            .arg("--now")
            .arg(demo.configuration()),
    )?;
    account.own_software_root(demo)?;
    step("Asking for the software release: slapos-supply");
    command::run(
        tool(demo, "slapos-supply")
            .arg(demo.configuration())
            .arg(demo.release())
            .arg(place::COMPUTER),
    )?;
    step("Installing it: slapgrid-sr (buildout fetches from the Python package index)");
    command::run(
        tool(demo, "slapgrid-sr")
            .args(["--now", "-c"])
            .arg(demo.configuration()),
    )?;
    step("Requesting an instance: slapos-request");
    let code = command::exit_code(request(demo)?.stdout(std::process::Stdio::null()))?;
    // 2: the master has taken the order and the instance is not there yet.
    if code != 0 && code != 2 {
        bail!("slapos-request failed with exit code {code}");
    }
    step("Running it: slapgrid-cp");
    command::run(
        tool(demo, "slapgrid-cp")
            .args(["--now", "-c"])
            .arg(demo.configuration()),
    )
}

/// The request, the same each time: the master only notes what differs.
fn request(demo: &Demo) -> Result<Command> {
    let mut request = tool(demo, "slapos-request");
    request
        .arg(demo.configuration())
        .arg("hello")
        .arg(INSTANCE)
        .arg("--parameters")
        .arg(format!("greeting={GREETING}"))
        .arg(format!("port={}", demo.page_port()?));
    Ok(request)
}

/// Shows what the instance published, fetches its page, and tells how to go on.
fn report(demo: &Demo, started: Instant) -> Result<ExitCode> {
    step("What the instance published: slapos-request");
    command::run(&mut request(demo)?)?;
    let url = format!("http://{}:{}/", place::ADDRESS, demo.page_port()?);
    let page = page(&url).with_context(|| format!("{url} does not answer"))?;
    let configuration = demo.configuration();
    let bin = demo.tools();
    println!(
        "\nThe instance runs. {url} answers:\n\n    {}\n\n\
         Look further:\n    \
         curl {url}\n    \
         a browser at http://{address}:{master_port}/panel/\n    \
         export PATH={bin}:{python}:$PATH\n    \
         slapgrid-supervisorctl {conf} status\n    \
         slapos-request {conf} hello {INSTANCE} --parameters greeting=Bonjour port={port}\n    \
         slapgrid-cp --now -c {conf}\n    \
         less {logs}/*.log\n\
         Stop it; it goes on at the next `cargo xtask demo`:\n    \
         cargo xtask demo --stop\n\
         Stop and remove everything:\n    \
         cargo xtask demo --clean\n\
         ({:.1} s)",
        page.trim_end(),
        started.elapsed().as_secs_f32(),
        bin = bin.display(),
        python = demo.python().join("bin").display(),
        conf = configuration.display(),
        port = demo.page_port()?,
        address = place::ADDRESS,
        master_port = demo.master_port()?,
        logs = demo.directory().display(),
    );
    Ok(ExitCode::SUCCESS)
}

/// Fetches the page of the instance. Services that were started again may take a moment.
fn page(url: &str) -> Result<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match http::get(url, Duration::from_secs(10)) {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            answer => return answer,
        }
    }
}

/// Whether there is a demo; says so where there is nothing to do about it.
fn is_there(demo: &Demo, task: &str) -> bool {
    let directory = demo.directory();
    let is_there = directory.exists();
    if !is_there {
        println!("Nothing to {task}: {} does not exist", directory.display());
    }
    is_there
}

/// Stops what the demo started; what it made stays, for the next run.
pub(crate) fn stop() -> Result<ExitCode> {
    let demo = Demo::locate()?;
    if !is_there(&demo, "stop") {
        return Ok(ExitCode::SUCCESS);
    }
    stop_services(&demo)?;
    step("Stopping the master");
    master::stop(&demo)?;
    println!("Stopped. `cargo xtask demo` starts it again.");
    Ok(ExitCode::SUCCESS)
}

/// Stops what the demo started and removes what it made.
pub(crate) fn clean() -> Result<ExitCode> {
    let demo = Demo::locate()?;
    if !is_there(&demo, "clean") {
        return Ok(ExitCode::SUCCESS);
    }
    stop_services(&demo)?;
    step("Stopping the master");
    master::stop(&demo)?;
    Account::remove(&demo)?;
    fs::remove_dir_all(demo.directory())
        .with_context(|| format!("cannot remove {}", demo.directory().display()))?;
    println!("Removed {}", demo.directory().display());
    Ok(ExitCode::SUCCESS)
}

/// Ends supervisord and with it the instance.
fn stop_services(demo: &Demo) -> Result<()> {
    if UnixStream::connect(demo.supervisor_socket()).is_err() {
        return Ok(());
    }
    step("Stopping the services");
    command::exit_code(
        tool(demo, "slapgrid-supervisorctl")
            .arg(demo.configuration())
            .arg("shutdown"),
    )?;
    master::wait_until("supervisord has ended", || {
        UnixStream::connect(demo.supervisor_socket()).is_err()
    })
}

/// Builds the tools of the demo, without optimisation: that is quicker, and the demo is fast enough.
fn build() -> Result<()> {
    let packages = place::TOOLS.iter().flat_map(|name| ["--package", name]);
    command::run(
        Command::new(env!("CARGO"))
            .current_dir(places::workspace())
            .arg("build")
            .args(packages),
    )
}

/// One of our tools, with the tools and the Python environment in its PATH.
fn tool(demo: &Demo, name: &str) -> Command {
    let mut command = Command::new(demo.tools().join(name));
    command
        .env("PATH", demo.path())
        .current_dir(demo.directory());
    command
}

/// Headline of a step.
fn step(title: &str) {
    println!("==> {title}");
}
