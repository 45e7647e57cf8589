//! The command line.

mod analyze;
mod attacks;
mod check;
mod compare;
mod figures;
mod frontier;
mod hunt;
mod plots;
mod replay;
mod run;
mod stats;
mod table;

use crate::config::{ConfigError, Experiment};
use crate::frontier::FrontierError;
use crate::hunt::HuntError;
use crate::results::ResultsError;
use analyze::AnalyzeArguments;
use attacks::AttacksArguments;
use byzlab_analysis::compare::CompareError;
use byzlab_analysis::table::TableError;
use byzlab_analysis::{AnalysisError, AnalysisOptions, Metric, PlotError};
use check::CheckArguments;
use clap::{Parser, Subcommand};
use compare::CompareArguments;
use frontier::FrontierArguments;
use hunt::HuntArguments;
use replay::ReplayArguments;
use run::RunArguments;
use stats::StatsArguments;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A laboratory for Practical Byzantine Fault Tolerance.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Data goes to stdout, progress and logs to stderr (RUST_LOG=debug shows more).\n\
    Exit code: 0 done; 1 a property was violated or a run failed; 2 bad usage, configuration or input."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment, write its logs, and show what they say.
    Run(RunArguments),
    /// Show what the logs of a results folder say.
    Analyze(AnalyzeArguments),
    /// Show the same figures of any CSV file, such as measurements of a real system.
    Stats(Box<StatsArguments>),
    /// Compare two results folders, or one with measurements, or measurements: what differs, by how much, and how sure that is.
    Compare(Box<CompareArguments>),
    /// Judge the logs of a results folder: which invariants held in which runs.
    Check(CheckArguments),
    /// Do one run of a results folder again, and print its events.
    Replay(ReplayArguments),
    /// Search for the worst latency that 0 … f corrupted replicas can cause.
    Frontier(FrontierArguments),
    /// List all attacks with their parameters and defaults, and all presets.
    Attacks(AttacksArguments),
    /// Run an experiment with random faults, again and again, and make small what violates an invariant.
    Hunt(HuntArguments),
}

/// Why the program cannot go on. Each says where and what to do.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Frontier(#[from] FrontierError),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error("{table}\n  hint: {hint}", table = .0, hint = .0.hint())]
    Table(#[from] TableError),
    #[error("{}{}", .0, .0.hint().map_or_else(String::new, |hint| format!("\n  hint: {hint}")))]
    Compare(#[from] CompareError),
    #[error("{side} ({}): there is no such folder or file\n  hint: give a folder that `byzlab run … --out DIR` made, or a CSV file", path.display())]
    NothingToCompare { side: &'static str, path: PathBuf },
    #[error("{side} ({}) is a table, and nothing says which column\n  hint: name it with --column or --column-{}; the columns are: {columns}", path.display(), side.to_lowercase())]
    NoColumn { side: &'static str, path: PathBuf, columns: String },
    #[error(
        "--{0} is for CSV files, but A and B are results folders\n  hint: leave it out; choose what to compare with --metric"
    )]
    NoTable(&'static str),
    #[error(
        "--metric is for results folders, but A and B are CSV files\n  hint: leave it out; choose what to compare with --column"
    )]
    NoFolder,
    #[error("A shows {0}, B {1}\n  hint: choose one of both with --metric")]
    TwoMetrics(Metric, Metric),
    #[error(
        "--unit is for CSV files alone, but {0} is a results folder, in {1}\n  hint: leave it out; convert values of a CSV file with --scale"
    )]
    UnitKnown(&'static str, &'static str),
    #[error("which results folder to analyze is not said\n  hint: byzlab analyze DIR --by KEY,KEY")]
    NoFolderGiven,
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// Of runs that were just made.
    #[error(transparent)]
    PlotOfRuns(PlotError),
    #[error(transparent)]
    Hunt(#[from] HuntError),
    #[error("{}: not a results folder, for it has no config.toml\n  hint: give a folder that `byzlab run … --out DIR` made", .0.display())]
    NoResults(PathBuf),
    #[error("{}: there is no events.csv in it\n  hint: samples need a log; run the experiment with [output] events = \"protocol\"", .0.display())]
    NoLog(PathBuf),
    #[error("there is no run {run} in cell {cell}\n  hint: cells are 0 to {cells}, runs 0 to {runs}")]
    NoSuchRun { cell: u32, run: u32, cells: usize, runs: u32 },
    #[error("there is no attack or preset \"{0}\"\n  hint: `byzlab attacks` lists all")]
    NoSuchAttack(String),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            // Runs had begun.
            CliError::Results(ResultsError::Write { complete: Some(_), .. }) | CliError::PlotOfRuns(_) => 1,
            _ => 2,
        }
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let colours = io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    subscriber.without_time().with_target(false).init();
    // A panic inside a run is reported as the fault of that run, with its cell, run and seed.
    std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() == Some("main") {
            eprintln!("error: {panic}\n  hint: this is a defect of byzlab, please report it");
        } else {
            tracing::debug!("{panic}");
        }
    }));
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Analyze(arguments) => analyze::analyze_folder(&arguments),
        Command::Stats(arguments) => stats::stats(&arguments),
        Command::Compare(arguments) => compare::compare_two(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Frontier(arguments) => frontier::search(&arguments),
        Command::Attacks(arguments) => attacks::attacks(&arguments),
        Command::Hunt(arguments) => hunt::hunt_file(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(error.exit_code())
    })
}

/// The experiment of a results folder.
fn experiment_of(folder: &Path) -> Result<Experiment, CliError> {
    let config = folder.join("config.toml");
    if !config.is_file() {
        return Err(CliError::NoResults(folder.to_owned()));
    }
    Ok(Experiment::load(&config, &[])?)
}

/// How the experiment of a results folder says that it is analysed: metric, warm-up and limits are part of it. Logs without one
/// count from their first event.
fn usual_analysis(folder: &Path) -> Result<AnalysisOptions, CliError> {
    let config = folder.join("config.toml");
    Ok(if config.exists() { Experiment::load(&config, &[])?.analysis() } else { AnalysisOptions::default() })
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_cannot_be_written_is_bad_input_unless_runs_were_made() {
        let error = || PlotError::Write { path: "figures.svg".into(), source: io::ErrorKind::StorageFull.into() };
        assert_eq!(CliError::Plot(error()).exit_code(), 2);
        assert_eq!(CliError::PlotOfRuns(error()).exit_code(), 1);
    }
}
