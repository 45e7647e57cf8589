//! `byzlab check`.

use super::{CliError, experiment_of, print};
use byzlab_analysis::RunRow;
use byzlab_analysis::oracle::{CheckReport, check_results};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// A results folder.
    dir: PathBuf,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CliError> {
    let experiment = experiment_of(&arguments.dir)?;
    let settings = |row: &RunRow| {
        // Whoever joins logs of several experiments has cells that the configuration does not know.
        let cell = experiment.cells.get(row.cell as usize);
        let settings = cell.map_or(&experiment.base, |cell| &cell.settings);
        settings.oracle_settings(experiment.events.into())
    };
    let report = check_results(&arguments.dir, settings)?;
    print(&report.to_string())?;
    if let Some((cell, run)) = first_violated(&report) {
        let folder = arguments.dir.display();
        tracing::error!("reproduce it: byzlab replay {folder} --cell {cell} --run {run} --events messages");
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

fn first_violated(report: &CheckReport) -> Option<(u32, u32)> {
    report.runs.iter().find(|run| !run.is_clean()).map(|run| (run.cell, run.run))
}
