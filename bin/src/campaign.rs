//! All runs of an experiment, spread over the cores.

use crate::config::{EventDetail, Experiment};
use crate::results::{LogFile, Results, ResultsError};
use crate::run::{RunId, RunLogs, run_guarded};
use byzlab_analysis::oracle::Violation;
use byzlab_analysis::{Outcome, RunRow};
use byzlab_network::Fault;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// More threads than this help on no machine.
const MOST_JOBS: usize = 1024;

/// How to run an experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// How many runs go on at once; none means one for each core. Nothing in the results depends on it.
    pub jobs: Option<NonZeroUsize>,
    /// Whether results that are in the folder already are replaced.
    pub replace: bool,
}

/// What became of the runs of an experiment.
#[derive(Debug, Default)]
pub struct Campaign {
    /// Runs in which every request was accepted.
    pub completed: usize,
    /// Runs that reached the time limit before.
    pub timeouts: usize,
    /// Runs that violated a property, each with the violations, the earliest first.
    pub violations: Vec<(RunId, Vec<Violation>)>,
    /// Runs that broke off, in the order of cells and runs.
    pub faults: Vec<(RunId, Fault)>,
}

impl Campaign {
    /// Whether all runs kept all properties and none broke off.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.faults.is_empty()
    }
}

/// Runs an experiment into the folder `out`, which must not hold results yet.
///
/// `progress` is told of each run that has ended, from any thread and in no promised order.
///
/// ```
/// use byzlab::{Experiment, RunOptions, run_experiment};
/// # let folder = std::env::temp_dir().join(format!("byzlab-doctest-{}", std::process::id()));
/// let toml = r#"
///     experiment = { runs = 3 }
///     network = { latency = { distribution = "constant", value = "10ms" } }
/// "#;
/// let experiment = Experiment::parse("example", toml, "".as_ref(), &[])?;
/// let campaign = run_experiment(&experiment, &folder, RunOptions::default(), |_| {})?;
/// assert_eq!(campaign.completed, 3);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run_experiment(
    experiment: &Experiment,
    out: &Path,
    options: RunOptions,
    progress: impl Fn(&RunRow) + Sync,
) -> Result<Campaign, ResultsError> {
    let events = (experiment.events != EventDetail::None).then_some(LogFile::Events);
    let parts = experiment.latency_parts.then_some(LogFile::LatencyParts);
    let logs: Vec<LogFile> = events.into_iter().chain(parts).collect();
    let results = Results::create(out, &experiment.to_toml(), &experiment.swept_keys(), &logs, options.replace)?;
    let results = Arc::new(results);
    let total = experiment.cells.len() * experiment.runs as usize;
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let campaign = Mutex::new(Campaign::default());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= total || results.has_failed() {
                return;
            }
            run_number(experiment, number, &results, &campaign, &progress);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.min(total).min(MOST_JOBS) {
            scope.spawn(work);
        }
    });
    let mut campaign = campaign.into_inner().unwrap_or_else(PoisonError::into_inner);
    campaign.faults.sort_by_key(|(id, _)| (id.cell, id.run));
    campaign.violations.sort_by_key(|(id, _)| (id.cell, id.run));
    match results.failure() {
        Some(failure) => Err(failure),
        None => Ok(campaign),
    }
}

/// Does the run with this number, counted through all cells.
fn run_number(
    experiment: &Experiment,
    number: usize,
    results: &Arc<Results>,
    campaign: &Mutex<Campaign>,
    progress: &(impl Fn(&RunRow) + Sync),
) {
    let runs = experiment.runs as usize;
    let cell = &experiment.cells[number / runs];
    let (cell_index, run) = ((number / runs) as u32, (number % runs) as u32);
    let seed = experiment.run_seed(cell_index, run);
    let id = RunId { cell: cell_index, run, seed, parameters: cell.parameters.clone() };
    let part = |log| LogPart { results: Arc::clone(results), number, log };
    let events = (experiment.events != EventDetail::None).then(|| (experiment.events, part(LogFile::Events)));
    let parts = experiment.latency_parts.then(|| part(LogFile::LatencyParts));
    let result = run_guarded(&id, &cell.settings, RunLogs { events, parts });
    // Where the log cannot be written, the results know why, and the run does not count.
    if result.log_error.is_some() || results.finish(number, result.row.clone()).is_err() {
        return;
    }
    progress(&result.row);
    let mut campaign = campaign.lock().unwrap_or_else(PoisonError::into_inner);
    let violations: Vec<Violation> = result.violations().into_iter().cloned().collect();
    match (result.fault, result.row.outcome) {
        (Some(fault), _) => campaign.faults.push((id, fault)),
        (None, Outcome::Completed) => campaign.completed += 1,
        (None, Outcome::Violation) => campaign.violations.push((id, violations)),
        (None, Outcome::Timeout) => campaign.timeouts += 1,
        // An error has its fault.
        (None, Outcome::Error) => {}
    }
}

/// A log of one run on its way into the results.
struct LogPart {
    results: Arc<Results>,
    number: usize,
    log: LogFile,
}

impl Write for LogPart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.results.append(self.number, self.log, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
