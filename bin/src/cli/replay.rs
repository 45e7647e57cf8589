//! `byzlab replay`.

use super::{CliError, experiment_of};
use crate::config::EventDetail;
use crate::run::{RunId, run_once};
use byzlab_analysis::{EVENT_COLUMNS, RunTable};
use clap::{Args, ValueEnum};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::{error, info, warn};

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// A results folder.
    dir: PathBuf,
    /// Which cell.
    #[arg(long, value_name = "I", default_value_t = 0)]
    cell: u32,
    /// Which run of the cell.
    #[arg(long, value_name = "J")]
    run: u32,
    /// What goes to standard output, as rows of `events.csv`.
    #[arg(long, value_enum, default_value_t = Detail::Messages)]
    events: Detail,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Detail {
    /// Nothing.
    None,
    /// What nodes do.
    Protocol,
    /// And each message.
    Messages,
}

/// Does one run of an experiment again, and shows its events.
pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode, CliError> {
    let ReplayArguments { dir, cell, run, .. } = arguments;
    let experiment = experiment_of(dir)?;
    let known = experiment.cells.get(*cell as usize).filter(|_| *run < experiment.most_runs());
    let Some(settings) = known.map(|cell| &cell.settings) else {
        let (cells, runs) = (experiment.cells.len() - 1, experiment.most_runs() - 1);
        return Err(CliError::NoSuchRun { cell: *cell, run: *run, cells, runs });
    };
    let id = RunId { cell: *cell, run: *run, seed: experiment.run_seed(*cell, *run), parameters: Vec::new() };
    let detail = match arguments.events {
        Detail::None => None,
        Detail::Protocol => Some(EventDetail::Protocol),
        Detail::Messages => Some(EventDetail::Messages),
    };
    let mut out = BufWriter::new(io::stdout());
    if detail.is_some() && writeln!(out, "{}", EVENT_COLUMNS.join(",")).is_err() {
        return Ok(ExitCode::SUCCESS);
    }
    let mut result = run_once(&id, settings, detail.map(|detail| (detail, out)));
    if let Some(error) = result.log_error.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        return Err(error.into());
    }
    let row = &result.row;
    info!("cell {cell}, run {run}, seed {}: {}, fingerprint {:016x}", id.seed, row.outcome, row.fingerprint);
    let recorded = RunTable::read(&dir.join("runs.csv")).ok();
    let before = recorded.iter().flat_map(|table| &table.rows).find(|other| (other.cell, other.run) == (*cell, *run));
    if let Some(before) = before.filter(|before| before.fingerprint != row.fingerprint) {
        let hint = "its config.toml was changed since, or another version of byzlab made it";
        warn!("runs.csv has the fingerprint {:016x}: {hint}", before.fingerprint);
    }
    for violation in result.violations() {
        error!("{}", violation.to_string().trim_end());
    }
    if let Some(fault) = &result.fault {
        error!("{fault}");
    }
    let clean = result.fault.is_none() && result.violations().is_empty();
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
