//! All runs of an experiment, spread over the cores.

use crate::cells::{Cells, Counted, Ended, RunIndex};
use crate::config::{EventDetail, Experiment};
use crate::results::{LogFile, Results, ResultsError};
use crate::run::{RunId, RunLogs, RunResult, run_guarded};
use byzlab_analysis::oracle::Violation;
use byzlab_analysis::{Aim, Metric, Outcome, Replications, RunRow};
use byzlab_network::Fault;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
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
    /// With `[sweep.stop]`, for each cell the runs that decided when it ends; else nothing.
    pub stopped: Vec<Replications>,
}

impl Campaign {
    /// Whether all runs kept all properties and none broke off.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.faults.is_empty()
    }

    fn count(&mut self, id: RunId, outcome: Outcome, fault: Option<Fault>, violations: Vec<Violation>) {
        match (fault, outcome) {
            (Some(fault), _) => self.faults.push((id, fault)),
            (None, Outcome::Completed) => self.completed += 1,
            (None, Outcome::Violation) => self.violations.push((id, violations)),
            (None, Outcome::Timeout) => self.timeouts += 1,
            // An error has its fault.
            (None, Outcome::Error) => {}
        }
    }
}

/// A run that has ended and belongs to the results.
#[derive(Clone, Debug)]
pub struct RunEnded {
    /// Its row of `runs.csv`.
    pub row: RunRow,
    /// Whether all runs of its cell have ended with it.
    pub ends_cell: bool,
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
    progress: impl Fn(&RunEnded) + Sync,
) -> Result<Campaign, ResultsError> {
    let events = (experiment.events != EventDetail::None).then_some(LogFile::Events);
    let parts = experiment.latency_parts.then_some(LogFile::LatencyParts);
    let logs: Vec<LogFile> = events.into_iter().chain(parts).collect();
    let count = experiment.cells.len();
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let jobs = jobs.min(count.saturating_mul(experiment.most_runs() as usize)).min(MOST_JOBS);
    let cells = match experiment.stop {
        Some(precision) => Cells::until_precise(count, precision, jobs),
        None => Cells::fixed(count, experiment.runs),
    };
    let (config, keys) = (experiment.to_toml(), experiment.swept_keys());
    let results = Results::create(out, &config, &keys, (&logs, experiment.compression), cells, options.replace)?;
    let workers = Workers {
        experiment,
        metric: experiment.stop.and_then(|precision| match precision.aim {
            Aim::Mean { metric, .. } => Some(metric),
            Aim::Success { .. } => None,
        }),
        results: Arc::new(results),
        ended: Mutex::default(),
        campaign: Mutex::default(),
        progress,
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(run) = workers.results.next() {
                    workers.run(run);
                }
            });
        }
    });
    let stopped = workers.results.close()?;
    let mut campaign = workers.campaign.into_inner().unwrap_or_else(PoisonError::into_inner);
    campaign.faults.sort_by_key(|(id, _)| (id.cell, id.run));
    campaign.violations.sort_by_key(|(id, _)| (id.cell, id.run));
    Ok(Campaign { stopped, ..campaign })
}

/// What the threads share.
struct Workers<'a, P> {
    experiment: &'a Experiment,
    /// What is measured of each run, if that decides on the end of its cell.
    metric: Option<Metric>,
    results: Arc<Results>,
    /// Runs of which it is not known yet whether they belong to the results.
    ended: Mutex<BTreeMap<RunIndex, (RunId, RunResult)>>,
    campaign: Mutex<Campaign>,
    progress: P,
}

impl<P: Fn(&RunEnded) + Sync> Workers<'_, P> {
    fn run(&self, index: RunIndex) {
        let (experiment, (cell_index, run)) = (self.experiment, index);
        let cell = &experiment.cells[cell_index as usize];
        let seed = experiment.run_seed(cell_index, run);
        let id = RunId { cell: cell_index, run, seed, parameters: cell.parameters.clone() };
        let part = |log| LogPart { results: Arc::clone(&self.results), run: index, log };
        let events = (experiment.events != EventDetail::None).then(|| (experiment.events, part(LogFile::Events)));
        let parts = experiment.latency_parts.then(|| part(LogFile::LatencyParts));
        let result = run_guarded(&id, &cell.settings, RunLogs { events, parts }, self.metric);
        // Where the log cannot be written, the results know why, or do not need the run; it does not count.
        if result.log_error.is_some() {
            return;
        }
        let (row, value) = (result.row.clone(), result.value);
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(index, (id, result));
        // Where the results cannot be written, they know why.
        let Ended { counted, surplus } = self.results.finish(index, row, value).unwrap_or_default();
        for counted in counted {
            self.count(counted);
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        for run in surplus {
            ended.remove(&run);
        }
    }

    fn count(&self, Counted { run, ends_cell }: Counted) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
        let Some((id, result)) = ended else { return };
        let violations: Vec<Violation> = result.violations().into_iter().cloned().collect();
        let RunResult { row, fault, .. } = result;
        let outcome = row.outcome;
        (self.progress)(&RunEnded { row, ends_cell });
        self.campaign.lock().unwrap_or_else(PoisonError::into_inner).count(id, outcome, fault, violations);
    }
}

/// A log of one run on its way into the results.
struct LogPart {
    results: Arc<Results>,
    run: RunIndex,
    log: LogFile,
}

impl Write for LogPart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.results.append(self.run, self.log, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
