//! `byzlab run`.

use super::{CliError, print};
use crate::campaign::{Campaign, RunEnded, RunOptions, run_experiment};
use crate::config::{EventDetail, Experiment};
use crate::results::refuse_results;
use crate::run::RunId;
use byzlab_analysis::plot::load_key;
use byzlab_analysis::{
    Aim, AnalysisOptions, GroupSummary, Metric, Precision, Replications, analyze_metrics, render, summarize_parts,
    write_figures_plot, write_parts_plot, write_saturation_plot, write_sweep_plots,
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::{error, info, warn};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
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

pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, CliError> {
    let experiment = Experiment::load(&arguments.file, &arguments.set)?;
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(&experiment.name));
    if !arguments.force {
        // Before anything is said of runs that will not be.
        refuse_results(&out)?;
    }
    let (cells, runs) = (experiment.cells.len(), how_many_runs(&experiment));
    info!("{}: {cells} cells of {runs}, seed {}, into {}", experiment.name, experiment.seed, out.display());
    for line in assumptions(&experiment) {
        warn!("{line}");
    }
    let bar = progress_bar(&experiment);
    let runs_ended = AtomicU64::new(0);
    let options = RunOptions { jobs: arguments.jobs, replace: arguments.force };
    let campaign = run_experiment(&experiment, &out, options, |ended| count(&bar, &experiment, &runs_ended, ended));
    bar.finish_and_clear();
    let campaign = campaign?;
    report(&campaign, &experiment, &out);
    let code = if campaign.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) };
    info!("the resolved configuration is in {}", out.join("config.toml").display());

    let options = experiment.analysis();
    // The log is read once, whatever is drawn of it.
    let mut metrics = vec![options.metric];
    if load_key(&experiment.swept_keys()).is_some() {
        metrics.extend([Metric::Client, Metric::Throughput]);
    }
    let groups = analyze_metrics(&out, &metrics, &options)?;
    print(&render::table(&groups[0]))?;
    for path in draw(&experiment, &out, &groups, &options)? {
        info!("plotted {}", path.display());
    }
    Ok(code)
}

/// Draws what the experiment is about. Returns the files.
fn draw(
    experiment: &Experiment,
    out: &Path,
    groups: &[Vec<GroupSummary>],
    options: &AnalysisOptions,
) -> Result<Vec<PathBuf>, CliError> {
    let failed = CliError::PlotOfRuns;
    let mut plots = Vec::new();
    if !experiment.axes.is_empty() {
        plots.extend(write_sweep_plots(out, &groups[0]).map_err(failed)?);
        plots.extend(write_figures_plot(out, &groups[0]).map_err(failed)?);
    }
    if let [_, client, throughput] = groups {
        let saturation = write_saturation_plot(out, client, throughput).map_err(failed)?;
        if saturation.is_empty() {
            info!("no saturation.svg: no cell has both a client latency and a throughput");
        }
        plots.extend(saturation);
    }
    if experiment.latency_parts {
        let parts = summarize_parts(out, None, options.warmup_ns, options.confidence)?;
        plots.extend(write_parts_plot(out, &parts).map_err(failed)?);
    }
    Ok(plots)
}

/// What a reader of the results must keep in mind.
fn assumptions(experiment: &Experiment) -> Vec<String> {
    let mut lines = Vec::new();
    let broken = |settings: &crate::config::Settings| {
        settings.most_corrupted() > usize::from(settings.protocol.cluster.faults())
    };
    let count = experiment.cells.iter().filter(|cell| broken(&cell.settings)).count();
    if count > 0 {
        lines.push(format!(
            "assumption broken: in {count} of {} cells more replicas are corrupted than the quorums tolerate",
            experiment.cells.len()
        ));
    }
    lines.extend(experiment.idle_scenes());
    if experiment.runs_in_vain {
        let instead = "sweep.stop.min_runs and sweep.stop.max_runs do";
        lines.push(format!("experiment.runs does not count beside [sweep.stop]: {instead}"));
    }
    if experiment.events == EventDetail::None {
        lines.push("output.events = \"none\": there will be no latency and no throughput in the results".to_owned());
        if let Some(Precision { aim: Aim::Mean { metric, .. }, .. }) = experiment.stop {
            lines.push(format!(
                "output.events = \"none\": the precision of {metric}, by which [sweep.stop] ends cells, cannot be checked later; \
                 output.events = \"protocol\" keeps what it is made of"
            ));
        }
    }
    lines
}

/// How many runs a cell has, in words.
fn how_many_runs(experiment: &Experiment) -> String {
    match experiment.stop {
        None => format!("{} runs", experiment.runs),
        Some(Precision { aim, min_runs, max_runs, .. }) => {
            format!("{min_runs} to {max_runs} runs, until {} is precise enough", aim.name())
        }
    }
}

/// By runs; by cells where nobody knows how many runs there will be.
fn progress_bar(experiment: &Experiment) -> ProgressBar {
    let cells = experiment.cells.len() as u64;
    let (length, template) = match experiment.stop {
        None => (cells * u64::from(experiment.runs), "{bar:40} {pos}/{len} runs, {per_sec}, {eta} left"),
        Some(_) => (cells, "{bar:40} {pos}/{len} cells, {msg} runs, {elapsed}"),
    };
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn count(bar: &ProgressBar, experiment: &Experiment, runs: &AtomicU64, ended: &RunEnded) {
    if experiment.stop.is_none() {
        return bar.inc(1);
    }
    bar.set_message((runs.fetch_add(1, Ordering::Relaxed) + 1).to_string());
    if ended.ends_cell {
        bar.inc(1);
    }
}

/// So many violations are shown with all that proves them.
const SHOWN: usize = 1;

/// So many cells that are not precise enough are named.
const SHOWN_CELLS: usize = 5;

fn report(campaign: &Campaign, experiment: &Experiment, out: &Path) {
    let keys = experiment.swept_keys();
    let name = |cell: u32, parameters: &[String]| {
        let parameters: Vec<String> =
            keys.iter().zip(parameters).map(|(key, value)| format!("{key} = {value}")).collect();
        if parameters.is_empty() { format!("cell {cell}") } else { format!("cell {cell} ({})", parameters.join(", ")) }
    };
    let describe = |id: &RunId| format!("{}, run {}, seed {}", name(id.cell, &id.parameters), id.run, id.seed);
    for (index, (id, violations)) in campaign.violations.iter().enumerate() {
        for violation in violations.iter().take(if index < SHOWN { usize::MAX } else { 1 }) {
            let text = violation.to_string();
            let shown = if index < SHOWN { text.trim_end() } else { text.lines().next().unwrap_or_default() };
            error!("{}: {shown}", describe(id));
        }
        if index < SHOWN {
            let folder = out.display();
            error!("reproduce it: byzlab replay {folder} --cell {} --run {} --events messages", id.cell, id.run);
        }
    }
    for (id, fault) in &campaign.faults {
        error!("{}: {fault}", describe(id));
    }
    let cells = (0..).zip(&experiment.cells).zip(&campaign.stopped);
    let imprecise: Vec<(String, &Replications)> = cells
        .filter_map(|((index, cell), runs)| {
            let shortfall = runs.shortfall()?;
            Some((format!("{}: precision not reached: {shortfall}", name(index, &cell.parameters)), runs))
        })
        .collect();
    for (line, _) in imprecise.iter().take(SHOWN_CELLS) {
        warn!("{line}");
    }
    match imprecise.len().saturating_sub(SHOWN_CELLS) {
        0 => {}
        1 => warn!("precision not reached in 1 more cell"),
        more => warn!("precision not reached in {more} more cells"),
    }
    // A mean of what completes has no use for more runs where nothing does.
    let hopeless = imprecise.iter().filter(|(_, runs)| runs.completed() == 0 && !runs.is_of_success()).count();
    if hopeless > 0 {
        let cells = if hopeless == 1 { "1 cell".to_owned() } else { format!("{hopeless} cells") };
        warn!("nothing completes in {cells}, whatever sweep.stop.max_runs: use sweep.stop.metric = \"success\"");
    }
    if hopeless < imprecise.len() {
        warn!("raise sweep.stop.max_runs, or be content with wider intervals");
    }
}
