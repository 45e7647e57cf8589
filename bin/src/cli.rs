//! The command line.

use crate::campaign::{Campaign, RunOptions, run_experiment};
use crate::config::{ConfigError, EventDetail, Experiment};
use crate::results::ResultsError;
use crate::run::RunId;
use byzlab_analysis::{
    AnalysisError, AnalysisOptions, GroupSummary, LatencyMetric, PlotError, analyze, render, write_sweep_plots,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing::{info, warn};

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
}

#[derive(Debug, Args)]
struct RunArguments {
    /// The experiment, a TOML file.
    file: PathBuf,
    /// The folder for the results; `results/NAME` if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overrides a key of the file, for example `--set adversary.count=3`. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How many runs go on at once; one for each core if left out. The results do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Replaces results that are in the folder already.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct AnalyzeArguments {
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
enum Format {
    /// Aligned text.
    Table,
    /// An array with one object for each group.
    Json,
    /// One row for each group.
    Csv,
}

/// Why the program cannot go on. Each says where and what to do.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            // Runs had begun.
            CliError::Results(ResultsError::Write { complete: Some(_), .. }) | CliError::Plot(_) => 1,
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
        Command::Run(arguments) => run(&arguments),
        Command::Analyze(arguments) => analyze_folder(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(error.exit_code())
    })
}

fn run(arguments: &RunArguments) -> Result<ExitCode, CliError> {
    let experiment = Experiment::load(&arguments.file, &arguments.set)?;
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(&experiment.name));
    let (cells, runs) = (experiment.cells.len(), experiment.runs);
    info!("{}: {cells} cells of {runs} runs, seed {}, into {}", experiment.name, experiment.seed, out.display());
    for line in assumptions(&experiment) {
        warn!("{line}");
    }
    let bar = progress_bar(cells as u64 * u64::from(runs));
    let options = RunOptions { jobs: arguments.jobs, replace: arguments.force };
    let campaign = run_experiment(&experiment, &out, options, |_| bar.inc(1));
    bar.finish_and_clear();
    let campaign = campaign?;
    report(&campaign, &experiment);
    let code = if campaign.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) };
    info!("the resolved configuration is in {}", out.join("config.toml").display());

    let options = AnalysisOptions { warmup_ns: experiment.base.warmup.as_nanos(), ..AnalysisOptions::default() };
    let groups = analyze(&out, &options)?;
    print(&render::table(&groups))?;
    if !experiment.axes.is_empty() {
        for path in write_sweep_plots(&out, &groups)? {
            info!("plotted {}", path.display());
        }
    }
    Ok(code)
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// What a reader of the results must keep in mind.
fn assumptions(experiment: &Experiment) -> Vec<String> {
    let mut lines = Vec::new();
    let broken = |settings: &crate::config::Settings| {
        settings.corrupted_count() > usize::from(settings.protocol.cluster.faults())
    };
    let count = experiment.cells.iter().filter(|cell| broken(&cell.settings)).count();
    if count > 0 {
        lines.push(format!(
            "assumption broken: in {count} of {} cells more replicas are corrupted than the quorums tolerate",
            experiment.cells.len()
        ));
    }
    lines.extend(experiment.idle_scenes());
    if experiment.events == EventDetail::None {
        lines.push("output.events = \"none\": there will be no latency in the results".to_owned());
    }
    lines
}

fn progress_bar(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} left");
    ProgressBar::new(runs).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn report(campaign: &Campaign, experiment: &Experiment) {
    let describe = |id: &RunId| {
        let keys = experiment.swept_keys();
        let parameters: Vec<String> =
            keys.iter().zip(&id.parameters).map(|(key, value)| format!("{key} = {value}")).collect();
        let cell = if parameters.is_empty() { String::new() } else { format!(" ({})", parameters.join(", ")) };
        format!("cell {}{cell}, run {}, seed {}", id.cell, id.run, id.seed)
    };
    for id in &campaign.violations {
        tracing::error!("{}: honest replicas disagree or executed what nobody asked for", describe(id));
    }
    for (id, fault) in &campaign.faults {
        tracing::error!("{}: {fault}", describe(id));
    }
}

fn analyze_folder(arguments: &AnalyzeArguments) -> Result<ExitCode, CliError> {
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
