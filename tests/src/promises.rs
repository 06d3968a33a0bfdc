//! Promises for the tests, and what is kept of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Node, places};

/// A buildout for instances that are already as they shall be. Its interpreter is the Python of the
/// instance, with slapos.core.
pub fn idle_buildout() -> String {
    format!("#!{}\n", places::peer_program("python").display())
}

/// A Python promise: the body of its class, indented by two spaces.
pub fn plugin(body: &str) -> String {
    format!(
        "import sys\nsys.path[0:0] = [{:?}]\n\
         import os\n\
         from zope.interface import implementer\n\
         from slapos.grid.promise import interface\n\
         from slapos.grid.promise.generic import GenericPromise\n\n\
         @implementer(interface.IPromise)\n\
         class RunPromise(GenericPromise):\n{body}\n",
        places::peer_packages()
    )
}

/// A Python promise that is broken while the partition has a file `broken`; `setup` is run by its
/// constructor.
pub fn switch(setup: &str) -> String {
    plugin(&format!(
        "  def __init__(self, config):\n    super(RunPromise, self).__init__(config)\n    {setup}\n\
         \x20 def sense(self):\n    if os.path.exists('broken'):\n      self.logger.error('out of order')\n\
         \x20   else:\n      self.logger.info('in order')\n"
    ))
}

/// Gives an instance a promise that is a program.
pub fn add_program(node: &Node, partition: usize, name: &str, body: &str) {
    let text = format!("#!/bin/sh\n{body}\n");
    node.write_in_partition(partition, &format!("etc/promise/{name}"), &text, 0o755);
}

/// Gives an instance a promise that is a plugin.
pub fn add_plugin(node: &Node, partition: usize, name: &str, text: &str) {
    node.write_in_partition(partition, &format!("etc/plugin/{name}"), text, 0o644);
}

/// Makes every promise of an instance due: its time has come.
pub fn make_due(node: &Node, partition: usize) {
    set_next_check(node, partition, 0);
}

/// Sets the Unix time after which the promises of an instance are due.
pub fn set_next_check(node: &Node, partition: usize, seconds: u64) {
    for path in files(&kept(&node.partition(partition)).join("cache")) {
        let mut cache = json(&path);
        cache["next_run_after"] = Value::from(seconds);
        fs::write(&path, cache.to_string()).expect("the cache is writable");
    }
}

/// How many results the log of a promise holds.
pub fn logged(node: &Node, partition: usize, title: &str) -> usize {
    let log = kept(&node.partition(partition))
        .join("log")
        .join(format!("{title}.log"));
    log_entries(&log).len()
}

/// The status file of a promise.
pub fn status(node: &Node, partition: usize, title: &str) -> Value {
    let directory = kept(&node.partition(partition)).join("result");
    json(&directory.join(format!("{title}.status.json")))
}

/// The files that are kept of promises, and what they say: a line for each fact, without times.
pub fn records(partition: &Path) -> Vec<String> {
    let kept = kept(partition);
    let mut lines = Vec::new();
    for path in files(&kept.join("result")) {
        let (status, name) = (json(&path), name(&path));
        let result = &status["result"];
        lines.push(format!(
            "result {name} {} {} {} failed={} {}",
            status["title"], status["name"], result["type"], result["failed"], result["message"]
        ));
    }
    for path in files(&kept.join("cache")) {
        let (cache, name) = (json(&path), name(&path));
        let number = |key: &str| cache[key].as_f64().unwrap_or(f64::NAN);
        let pause = number("next_run_after") - number("timestamp");
        lines.push(format!(
            "cache {name} tested={} anomalies={} every {} min, next in {:.0} s",
            cache["is_tested"],
            cache["is_anomaly_detected"],
            number("periodicity"),
            pause.max(0.0)
        ));
    }
    for path in files(&kept.join("log")) {
        let name = name(&path);
        lines.extend(
            log_entries(&path)
                .iter()
                .map(|entry| format!("log {name} {entry}")),
        );
    }
    lines
}

fn kept(partition: &Path) -> PathBuf {
    partition.join(".slapgrid/promise")
}

/// Level and text of the entries of a log.
fn log_entries(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let entry = |line: &str| {
        let mut parts = line.splitn(4, " - ");
        let (_date, level, _result) = (parts.next()?, parts.next()?, parts.next()?);
        Some(format!("{level} {}", parts.next()?))
    };
    text.lines().filter_map(entry).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn json(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
