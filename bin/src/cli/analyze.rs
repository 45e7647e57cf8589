//! `byzlab analyze`.

use super::{CliError, print};
use crate::config::Experiment;
use byzlab_analysis::{AnalysisOptions, GroupSummary, LatencyMetric, analyze, render};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct AnalyzeArguments {
    /// A results folder.
    dir: PathBuf,
    /// The latency to show: `all_commit`, `quorum_commit`, `first_commit`, `replica_commit`, each also with
    /// `_from_request`, or `client`.
    #[arg(long, default_value = "all_commit", value_name = "METRIC")]
    metric: LatencyMetric,
    /// Groups the runs by these keys instead of by all swept ones.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    by: Option<Vec<String>>,
    /// The confidence of all intervals.
    #[arg(long, default_value_t = 0.95, value_name = "C")]
    confidence: f64,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// Aligned text.
    Table,
    /// An array with one object for each group.
    Json,
    /// One row for each group.
    Csv,
}

pub(super) fn analyze_folder(arguments: &AnalyzeArguments) -> Result<ExitCode, CliError> {
    let groups = read_groups(arguments)?;
    let text = match arguments.format {
        Format::Table => render::table(&groups),
        Format::Json => render::json(&groups),
        Format::Csv => render::csv(&groups),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn read_groups(arguments: &AnalyzeArguments) -> Result<Vec<GroupSummary>, CliError> {
    // The warm-up is part of the experiment; logs without one count from their first event.
    let config = arguments.dir.join("config.toml");
    let warmup = if config.exists() { Experiment::load(&config, &[])?.base.warmup.as_nanos() } else { 0 };
    let options = AnalysisOptions {
        metric: arguments.metric,
        by: arguments.by.clone(),
        confidence: arguments.confidence,
        warmup_ns: warmup,
    };
    Ok(analyze(&arguments.dir, &options)?)
}
