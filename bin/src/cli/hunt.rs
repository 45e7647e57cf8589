//! `byzlab hunt`.

use super::{CliError, print};
use crate::config::{Experiment, Settings};
use crate::hunt::{Folder, HuntError, HuntOptions, HuntReport, hunt, hunted_cells, live_cells};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tracing::{info, warn};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct HuntArguments {
    /// The experiment whose runs get faults, a TOML file; for example configs/hunt.toml.
    file: PathBuf,
    /// How many runs in all, those before a --resume included.
    #[arg(long, value_name = "N", default_value_t = const { NonZeroU64::new(10_000).unwrap() })]
    budget: NonZeroU64,
    /// The seed of the hunt; that of the experiment if left out.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// The folder for what is found; `hunts/NAME` if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overrides a key of the file, for example `--set cluster.replicas=7`. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How many replicas are corrupted from the start of each run. If left out, as the file says, or up to f if it says nothing of it.
    #[arg(long, value_name = "N")]
    corrupt: Option<u16>,
    /// How many runs go on at once; one for each core if left out. What is found does not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Goes on with the hunt that is in the folder.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replaces the hunt that is in the folder.
    #[arg(long)]
    force: bool,
    /// Stops at the first run that violates something.
    #[arg(long)]
    stop_at_first: bool,
    /// Keeps schedules as they were drawn, without looking for smaller ones.
    #[arg(long)]
    no_shrink: bool,
}

pub(super) fn hunt_file(arguments: &HuntArguments) -> Result<ExitCode, CliError> {
    let experiment = Experiment::load(&arguments.file, &arguments.set)?;
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("hunts").join(&experiment.name));
    let options = HuntOptions {
        seed: arguments.seed,
        jobs: arguments.jobs,
        stop_at_first: arguments.stop_at_first,
        shrink: !arguments.no_shrink,
        corrupt: arguments.corrupt,
        out: Some(out.clone()),
        folder: match (arguments.resume, arguments.force) {
            (true, _) => Folder::Resume,
            (false, true) => Folder::Replace,
            (false, false) => Folder::New,
        },
        ..HuntOptions::new(arguments.budget)
    };
    let (cells, seed) = (experiment.cells.len(), arguments.seed.unwrap_or(experiment.seed));
    info!(
        "{}: up to {} runs over {cells} cells, seed {seed}, into {}",
        experiment.name,
        arguments.budget,
        out.display()
    );
    announce(&experiment, arguments.corrupt)?;

    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} left; {msg}");
    let bar = ProgressBar::new(arguments.budget.get());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let show = |report: &HuntReport| {
        if bar.position() == 0 && report.resumed_at > 0 {
            bar.reset_eta();
        }
        bar.set_position(report.runs);
        bar.set_message(format!("{} violations, {} causes", report.violations(), report.findings.len()));
    };
    let report = hunt(&experiment, &options, show)?;
    let elapsed = bar.elapsed();
    bar.finish_and_clear();
    if report.resumed_at >= arguments.budget.get() {
        warn!("all of the {} runs were made before: give a greater --budget to go on", report.resumed_at);
    }
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let cores = arguments.jobs.map_or(cores, |jobs| jobs.get().min(cores));
    print(&render(&report, elapsed, cores))?;
    info!("what was found, and how far it came, is in {}", out.display());
    Ok(if report.violations() == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Who is corrupted, and what cannot be judged.
fn announce(experiment: &Experiment, corrupt: Option<u16>) -> Result<(), HuntError> {
    let cells = hunted_cells(experiment, corrupt)?;
    let faults = |settings: &Settings| usize::from(settings.protocol.cluster.faults());
    match corrupt {
        Some(0) => info!("nobody is corrupted from the start: only the network and crashes go wrong"),
        Some(1) => info!("1 replica is corrupted in each run"),
        Some(count) => info!("{count} replicas are corrupted in each run"),
        None if experiment.says_who_is_corrupted() => info!("who is corrupted follows the file"),
        None => info!(
            "the file corrupts nobody, so up to f = {} replicas are corrupted in each run; --corrupt 0 hunts without",
            cells.iter().map(|settings| faults(settings)).max().unwrap_or(0)
        ),
    }
    let broken = cells.iter().filter(|settings| settings.most_corrupted() > faults(settings)).count();
    if broken > 0 {
        warn!(
            "assumption broken: in {broken} of {} cells more than f replicas are corrupted; there only agreement (I1) is judged",
            cells.len()
        );
    }
    let is_weak = |settings: &Settings| {
        let corrupted = settings.most_corrupted();
        corrupted <= faults(settings) && corrupted + usize::from(settings.most_down()) > faults(settings)
    };
    let weak = cells.iter().filter(|settings| is_weak(settings)).count();
    if weak > 0 {
        warn!(
            "assumption broken: in {weak} of {} cells more than f replicas are corrupted or down at once by the crashes of the file",
            cells.len()
        );
    }
    let live = live_cells(&cells);
    if live < cells.len() {
        warn!(
            "in {} of {} cells liveness (I11) is not judged\n  hint: raise experiment.time_limit, lower the timeouts, or give [oracles] liveness_bound",
            cells.len() - live,
            cells.len()
        );
    }
    for line in experiment.idle_scenes() {
        warn!("{line}");
    }
    Ok(())
}

/// What came of it.
fn render(report: &HuntReport, elapsed: Duration, cores: usize) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        let rows: Vec<[String; 5]> = report
            .findings
            .iter()
            .enumerate()
            .map(|(place, finding)| {
                let numbers = [finding.schedule.faults.len() as u64, finding.count, finding.first_run];
                let [faults, count, first] = numbers.map(|number| number.to_string());
                [finding.signature.clone(), faults, count, first, finding.folder(place)]
            })
            .collect();
        let width = rows.iter().map(|row| row[0].chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(text, "{:<width$}  faults  runs  first run  folder", "cause");
        for [signature, faults, count, first, folder] in &rows {
            let _ = writeln!(text, "{signature:<width$}  {faults:>6}  {count:>4}  {first:>9}  {folder}");
        }
        text += "\n";
    }
    let runs = report.runs - report.resumed_at;
    let before = match report.resumed_at {
        0 => String::new(),
        before => format!(" (and {before} before)"),
    };
    let seconds = elapsed.as_secs_f64();
    let rate = if runs > 0 { runs as f64 / seconds / cores as f64 } else { 0.0 };
    let violations = report.violations();
    let _ = writeln!(
        text,
        "{runs} runs{before} in {seconds:.1} s, {rate:.0} a second a core of {cores}; {violations} of {} violated something",
        report.runs
    );
    if !report.broken.is_empty() {
        let broken: Vec<String> = report.broken.iter().map(|(what, count)| format!("{what} in {count}")).collect();
        let shrunk: u64 = report.findings.iter().map(|finding| finding.count).sum();
        let _ = writeln!(
            text,
            "first violated: {}; {shrunk} of these runs were looked at closely and told apart by cause",
            broken.join(", ")
        );
        if shrunk < violations {
            text += "the others were only counted: other causes may hide among them\n";
        }
    }
    if let Some(bound) = report.upper_bound() {
        let _ = writeln!(
            text,
            "With 95 % confidence at most {} of all schedules that can be drawn violate something\n\
             (Clopper-Pearson: 1 - 0.05^(1/n) with n = {} runs and no violation).",
            percent(bound),
            report.runs
        );
    }
    text
}

/// With two digits that count, rounded up: it is an upper end.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = (1.0 - percent.log10().floor()).clamp(0.0, 12.0) as usize;
    let unit = 10_f64.powi(digits as i32);
    format!("{:.digits$} %", (percent * unit).ceil() / unit)
}
