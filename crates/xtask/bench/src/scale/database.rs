//! The databases that are measured, filled once for each number of nodes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use slapos_tests::postgres::{Postgres, Setup};
use tempfile::TempDir;

use super::super::master::{self, Master, Side};
use super::super::process;
use super::{Engine, Plan, fill};
use crate::command;

/// What the tests' server does without.
const AS_IN_EARNEST: [&str; 1] = ["fsync=on"];

/// A filled database. It goes when it is dropped.
pub(super) enum Database {
    /// A file.
    Sqlite { uri: String, _directory: TempDir },
    /// In a server of its own, over a Unix socket.
    Postgres { server: Postgres, uri: String },
}

impl Database {
    /// A database of that many nodes.
    pub(super) fn filled(plan: &Plan, nodes: usize) -> Result<Self> {
        let begun = Instant::now();
        let directory = master::directory()?;
        let file = directory.path().join("proxy.db");
        let uri = file.display().to_string();
        // It makes the tables.
        drop(Master::start_on(plan.side(), &uri, "")?);
        fill::fill(&file, nodes, plan.partitions)?;
        let database = match plan.database {
            Engine::Sqlite => Self::Sqlite {
                uri,
                _directory: directory,
            },
            Engine::Postgresql => Self::taken_over(plan.side(), &file)?,
        };
        println!(
            "{nodes} nodes of {} partitions, in {:.0} s; {} MiB",
            plan.partitions,
            begun.elapsed().as_secs_f64(),
            database.size()? >> 20,
        );
        Ok(database)
    }

    /// One of PostgreSQL that holds what a file does.
    fn taken_over(side: Side, file: &Path) -> Result<Self> {
        let server = Postgres::start(&Setup {
            settings: &AS_IN_EARNEST.map(str::to_owned),
            ..Setup::default()
        });
        let uri = server.database();
        let mut migrate = side.program();
        migrate.args(["migrate", "--from"]).arg(file);
        command::output(migrate.args(["--to", &uri]))?;
        // As autovacuum would have, and a while ago.
        let name = Postgres::name(&uri);
        server.sql(name, "VACUUM ANALYZE");
        server.sql(name, "CHECKPOINT");
        Ok(Self::Postgres { server, uri })
    }

    /// The value of `database_uri`.
    pub(super) fn uri(&self) -> &str {
        match self {
            Self::Sqlite { uri, .. } | Self::Postgres { uri, .. } => uri,
        }
    }

    /// The CPU time of all of its processes; that of a file is the master's.
    pub(super) fn cpu(&self) -> Result<Duration> {
        match self {
            Self::Sqlite { .. } => Ok(Duration::ZERO),
            Self::Postgres { server, .. } => process::cpu_of_family(server.process()),
        }
    }

    /// The memory of all of its processes, in KiB.
    pub(super) fn memory(&self) -> Result<u64> {
        match self {
            Self::Sqlite { .. } => Ok(0),
            Self::Postgres { server, .. } => process::memory_of_family(server.process()),
        }
    }

    /// What it takes on the disk, in bytes.
    fn size(&self) -> Result<u64> {
        match self {
            Self::Sqlite { uri, .. } => Ok(Path::new(uri).metadata()?.len()),
            Self::Postgres { server, uri } => {
                let size = "SELECT pg_database_size(current_database())";
                Ok(server.sql(Postgres::name(uri), size).trim().parse()?)
            }
        }
    }
}
