//! `byzlab analyze`.

use super::figures::FigureArguments;
use super::plots::draw_everything;
use super::{CliError, print, usual_analysis};
use byzlab_analysis::log::ReadOptions;
use byzlab_analysis::{
    AnalysisOptions, MeasuredRuns, Metric, PlotError, render, summarize_parts, summarize_within_runs,
};
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing::{info, warn};

#[derive(Debug, Args)]
#[command(override_usage = "byzlab analyze [OPTIONS] <DIR>")]
pub(super) struct AnalyzeArguments {
    /// A results folder.
    #[arg(required_unless_present = "by")]
    dir: Option<PathBuf>,
    /// What to show: a latency, `all_commit`, `quorum_commit`, `first_commit`, `replica_commit`, each also with
    /// `_from_request`, or `client`; or the `throughput`. Left out: what the experiment says, `all_commit` by default.
    #[arg(long, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Shows instead what the latency from request to reply is made of, from `latency_parts.csv`.
    #[arg(
        long,
        conflicts_with_all = ["metric", "within_run", "proportion", "bootstrap", "lenient", "jobs", "plots"]
    )]
    parts: bool,
    /// Takes instead each run for one long measurement: deletes its warm-up, and gives the mean of its steady state with
    /// intervals that do not need independent samples.
    #[arg(long, conflicts_with_all = ["by", "proportion", "bootstrap", "plots"])]
    within_run: bool,
    /// Groups the runs by these keys instead of by all swept ones, as `--by a,b` or `--by a --by b`. If DIR stands behind them, it
    /// is the last.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    by: Option<Vec<String>>,
    #[command(flatten)]
    figures: FigureArguments,
    /// Skips and counts rows of the log that are damaged or contradict others, instead of refusing the log. Their runs have
    /// no value.
    #[arg(long)]
    lenient: bool,
    /// How many cores read the log; all if left out. The results do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Draws it all as well, as SVG and PNG into this folder: the three failure-aware figures, distributions, messages, latency
    /// over time. Into the results folder if left out.
    #[arg(long, value_name = "OUT", num_args = 0..=1, require_equals = true)]
    plots: Option<Vec<PathBuf>>,
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

impl AnalyzeArguments {
    /// Keys may be many, so that a folder behind them was taken for one.
    fn folder_and_keys(&self) -> Result<(PathBuf, Option<Vec<String>>), CliError> {
        if let Some(dir) = &self.dir {
            return Ok((dir.clone(), self.by.clone()));
        }
        match self.by.as_deref() {
            Some([keys @ .., last]) if !keys.is_empty() && Path::new(last).is_dir() => {
                Ok((PathBuf::from(last), Some(keys.to_vec())))
            }
            _ => Err(CliError::NoFolderGiven),
        }
    }
}

pub(super) fn analyze_folder(arguments: &AnalyzeArguments) -> Result<ExitCode, CliError> {
    let (dir, by) = &arguments.folder_and_keys()?;
    let usual = usual_analysis(dir)?;
    let figures = arguments.figures.options();
    let options = AnalysisOptions {
        metric: arguments.metric.unwrap_or(usual.metric),
        by: by.clone(),
        confidence: figures.confidence,
        proportion: figures.proportion,
        mean: figures.mean,
        read: ReadOptions { lenient: arguments.lenient, jobs: arguments.jobs },
        ..usual
    };
    let text = if arguments.parts {
        let groups = summarize_parts(dir, options.by.as_deref(), options.warmup_ns, options.confidence)?;
        match arguments.format {
            Format::Table => render::parts_table(&groups),
            Format::Json => render::parts_json(&groups),
            Format::Csv => render::parts_csv(&groups),
        }
    } else if arguments.within_run {
        let series = summarize_within_runs(dir, &options)?.ok_or_else(|| CliError::NoLog(dir.clone()))?;
        match arguments.format {
            Format::Table => render::series_table(&series),
            Format::Json => render::series_json(&series),
            Format::Csv => render::series_csv(&series),
        }
    } else {
        let runs = MeasuredRuns::read(dir, &[options.metric], &options)?;
        for warning in runs.warnings() {
            warn!("{warning}");
        }
        let groups = runs.summarize(&options)?;
        if let Some(out) = &arguments.plots {
            let out = out.first().unwrap_or(dir);
            std::fs::create_dir_all(out).map_err(|source| PlotError::Write { path: out.to_owned(), source })?;
            for path in draw_everything(dir, out, &runs, &groups, &options)? {
                info!("plotted {}", path.display());
            }
        }
        match arguments.format {
            Format::Table => render::table(&groups),
            Format::Json => render::json(&groups),
            Format::Csv => render::csv(&groups),
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
