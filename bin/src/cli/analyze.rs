//! `byzlab analyze`.

use super::{CliError, print};
use crate::config::Experiment;
use byzlab_analysis::{AnalysisOptions, Metric, ReadOptions, analyze, render, summarize_parts};
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct AnalyzeArguments {
    /// A results folder.
    dir: PathBuf,
    /// What to show: a latency, `all_commit`, `quorum_commit`, `first_commit`, `replica_commit`, each also with
    /// `_from_request`, or `client`; or the `throughput`. Left out: what the experiment says, `all_commit` by default.
    #[arg(long, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Shows instead what the latency from request to reply is made of, from `latency_parts.csv`.
    #[arg(long, conflicts_with = "metric")]
    parts: bool,
    /// Groups the runs by these keys instead of by all swept ones.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    by: Option<Vec<String>>,
    /// The confidence of all intervals.
    #[arg(long, default_value_t = 0.95, value_name = "C")]
    confidence: f64,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Skips and counts rows that cannot be read, instead of refusing the files; runs with such rows have no value.
    #[arg(long, conflicts_with = "parts")]
    lenient: bool,
    /// How many threads read the log; default: all cores.
    #[arg(long, value_name = "N", conflicts_with = "parts")]
    jobs: Option<NonZeroUsize>,
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
    // Warm-up and metric are part of the experiment; logs without one count from their first event.
    let config = arguments.dir.join("config.toml");
    let experiment = if config.exists() { Some(Experiment::load(&config, &[])?) } else { None };
    let warmup_ns = experiment.as_ref().map_or(0, |experiment| experiment.base.warmup.as_nanos());
    let (dir, by, confidence) = (&arguments.dir, &arguments.by, arguments.confidence);
    let text = if arguments.parts {
        let groups = summarize_parts(dir, by.as_deref(), warmup_ns, confidence)?;
        match arguments.format {
            Format::Table => render::parts_table(&groups),
            Format::Json => render::parts_json(&groups),
            Format::Csv => render::parts_csv(&groups),
        }
    } else {
        let usual = experiment.map_or(Metric::AllCommit, |experiment| experiment.metric);
        let metric = arguments.metric.unwrap_or(usual);
        let read = ReadOptions { lenient: arguments.lenient, jobs: arguments.jobs };
        let groups = analyze(dir, &AnalysisOptions { metric, by: by.clone(), confidence, warmup_ns, read })?;
        match arguments.format {
            Format::Table => render::table(&groups),
            Format::Json => render::json(&groups),
            Format::Csv => render::csv(&groups),
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
