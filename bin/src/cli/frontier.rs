//! `byzlab frontier`.

use super::{CliError, print};
use crate::config::Experiment;
use crate::frontier::{
    Finding, Frontier, FrontierOptions, check, check_folder, curves, frontier, most_runs, table, write_files,
};
use byzlab_analysis::{Metric, write_frontier_plot};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing::{error, info, warn};

#[derive(Debug, Args)]
pub(super) struct FrontierArguments {
    /// The experiment, a TOML file without a sweep. Its own attacks play no part.
    file: PathBuf,
    /// How many runs the search has for each number of corrupted replicas.
    #[arg(long, value_name = "N", default_value_t = FrontierOptions::BUDGET)]
    budget: NonZeroU64,
    /// The seed of the search; left out, it follows from the experiment's. What is found is measured with the latter.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// The folder for the results; `results/NAME-frontier` if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overrides a key of the file, for example `--set cluster.replicas=10`. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How many runs go on at once; one for each core if left out. The results do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Which latency is to become long: `client`, or one of those of `byzlab analyze`.
    #[arg(long, value_name = "METRIC", default_value = "client")]
    metric: Metric,
    /// The confidence of all intervals.
    #[arg(long, default_value_t = 0.95, value_name = "C")]
    confidence: f64,
    /// Replaces results that are in the folder already.
    #[arg(long)]
    force: bool,
}

/// Looks for the frontier, and shows it.
pub(super) fn search(arguments: &FrontierArguments) -> Result<ExitCode, CliError> {
    let FrontierArguments { budget, seed, jobs, metric, confidence, force, .. } = *arguments;
    let experiment = Experiment::load(&arguments.file, &arguments.set)?;
    let options = FrontierOptions { budget, seed, metric, confidence, jobs };
    check(&experiment, &options)?;
    let default = || Path::new("results").join(format!("{}-frontier", experiment.name));
    let out = arguments.out.clone().unwrap_or_else(default);
    check_folder(&out, force)?;
    let (faults, runs) = (experiment.base.protocol.cluster.faults(), experiment.runs);
    info!(
        "{}: 1 to {faults} corrupted replicas, each with {budget} runs of search, {runs} of measurement",
        experiment.name
    );
    if !experiment.base.adversary.attacks.is_empty() || experiment.base.corrupted_count() > 0 {
        warn!("the file's own attacks, and whom it corrupts, play no part: the search chooses both");
    }
    if experiment.stop.is_some() {
        warn!("[sweep.stop] plays no part: each attack is measured with experiment.runs = {runs}");
    }
    let bar = progress_bar(most_runs(&experiment, &options));
    let found = frontier(&experiment, &options, || bar.inc(1));
    bar.finish_and_clear();
    let found = found?;
    let files = write_files(&out, &found)?;
    print(&table(&found))?;
    report(&found, &files);
    for path in write_frontier_plot(&out, &curves(&found))? {
        info!("plotted {}", path.display());
    }
    info!("each attack found is an experiment of its own: byzlab run {}", out.join("attack-1.toml").display());
    Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn progress_bar(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} left");
    ProgressBar::new(runs).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Findings, loudly: each with what reproduces it.
fn report(frontier: &Frontier, files: &[PathBuf]) {
    for (index, (Finding { corrupted, line, run, what, .. }, file)) in frontier.findings.iter().zip(files).enumerate() {
        // The first with all that proves it.
        let shown = if index == 0 { what.trim_end() } else { what.lines().next().unwrap_or_default() };
        error!("{corrupted} corrupted, at most f: {line}: {shown}");
        let (file, folder) = (file.display(), file.with_extension(""));
        let folder = folder.display();
        error!(
            "reproduce it: byzlab run {file} --out {folder} && byzlab replay {folder} --run {run} --events messages"
        );
    }
    let (bad, shown) = (frontier.bad_runs, frontier.findings.len());
    if bad > 0 {
        error!("{bad} runs violated a property or broke off; {shown} attacks are shown, one run of each");
    }
}
