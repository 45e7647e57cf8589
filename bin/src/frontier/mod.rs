//! The frontier: the worst latency that 0 … f corrupted replicas can cause, as far as a search finds it.
//!
//! ```text
//! for each count 1 … f:   search (seeds of its own) ─► one attack ─► measured anew with the experiment's seeds ─┐
//!                         known attacks ───────────────────────────► measured with the same seeds ─────────────┼─► report
//! nobody corrupted: ────────────────────────────────────────────────► measured with the same seeds ────────────┘
//! ```
//!
//! The winner of a search did well in the runs of the search, partly by chance. So its reported figure comes from runs that the search
//! never saw: it is free of selection bias. It remains a *lower* bound of the worst case, for nobody knows what was not tried.
//!
//! - A run's value is the mean over the requests that its honest clients issued, where one that was not accepted counts with the
//!   time from its issue to the time limit ([`RunLatency::restricted_mean_ms`](byzlab_analysis::RunLatency::restricted_mean_ms)).
//!   Stalling is bad and never missing.
//! - Kinds of attacks are known here through [`Visit`](byzlab_adversary::Visit) alone, so that a new one takes part at once.
//! - A run that violates a property is a finding, with the experiment that reproduces it.

mod candidate;
mod dice;
mod findings;
mod known;
mod measured;
mod report;
mod search;
mod trial;

pub use candidate::LeftOut;
pub use findings::Finding;
pub use measured::{Comparison, Measured};
pub use report::{curves, table, write_files};

pub(crate) use report::check_folder;

use crate::config::Experiment;
use byzlab_analysis::Metric;
use byzlab_network::Key;
use candidate::{Space, kinds_for, line};
use findings::Findings;
use known::known_attacks;
use search::{Entry, Means, Search};
use std::num::{NonZeroU64, NonZeroUsize};
use std::thread;
use trial::{Task, trials};

/// How to look for the frontier.
#[derive(Clone, Debug)]
pub struct FrontierOptions {
    /// How many runs the search has for each number of corrupted replicas.
    pub budget: NonZeroU64,
    /// The seed of the search; none means that it follows from the experiment's. What is found is measured with the experiment's
    /// own seed in any case.
    pub seed: Option<u64>,
    /// Which latency is to become long.
    pub metric: Metric,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// How many runs go on at once; none means one for each core. Nothing in the results depends on it.
    pub jobs: Option<NonZeroUsize>,
}

impl FrontierOptions {
    /// So many runs for each number of corrupted replicas, if nobody says another number.
    pub const BUDGET: NonZeroU64 = NonZeroU64::new(40_000).unwrap();
}

impl Default for FrontierOptions {
    fn default() -> FrontierOptions {
        let (budget, metric) = (FrontierOptions::BUDGET, Metric::Client);
        FrontierOptions { budget, seed: None, metric, confidence: 0.95, jobs: None }
    }
}

/// Why there is no frontier to look for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FrontierError {
    /// The experiment has a sweep.
    #[error(
        "the experiment sweeps {0}, and a frontier belongs to one setting\n  hint: remove [sweep], or fix the key with --set {0}=…"
    )]
    Swept(String),
    /// f is 0.
    #[error(
        "nothing to corrupt: {0} replicas tolerate no fault\n  hint: raise cluster.replicas to 4 or more, and cluster.faults to 1 or more"
    )]
    NothingToCorrupt(u16),
    /// The metric is no latency.
    #[error("the throughput is no latency\n  hint: give a latency with --metric, for example client")]
    NoLatency,
    /// The confidence is no probability between 0 and 1.
    #[error("a confidence of {0} leaves nothing open\n  hint: give one between 0 and 1, for example 0.95")]
    Confidence(f64),
    /// The search has no kind of attack to draw.
    #[error("no kind of attack is left for the search\n  hint: grant the adversary more, or allow view changes")]
    NoAttacks,
}

/// The worst latency against the number of corrupted replicas.
#[derive(Clone, Debug)]
pub struct Frontier {
    /// Which latency.
    pub metric: Metric,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// How many runs each reported figure is of.
    pub runs: u32,
    /// How many runs the search had for each number of corrupted replicas.
    pub budget: u64,
    /// Its seed.
    pub search_seed: u64,
    /// The experiment without any corrupted replica.
    pub honest: Measured,
    /// One level for each number of corrupted replicas, from 1 to f.
    pub levels: Vec<Level>,
    /// Kinds of attacks that took no part.
    pub left_out: Vec<LeftOut>,
    /// Runs that violated a property or broke off, at most 20 of them, one an attack.
    pub findings: Vec<Finding>,
    /// How many such runs there were.
    pub bad_runs: u64,
}

/// What so many corrupted replicas can do.
#[derive(Clone, Debug)]
pub struct Level {
    /// So many.
    pub corrupted: u16,
    /// What the search found.
    pub found: Measured,
    /// The known attacks, in a fixed order.
    pub known: Vec<Measured>,
}

impl Level {
    /// The known attack with the longest latency.
    pub fn worst_known(&self) -> Option<&Measured> {
        let mean = |measured: &Measured| measured.mean().unwrap_or(f64::NEG_INFINITY);
        self.known.iter().reduce(|worst, next| if mean(next) > mean(worst) { next } else { worst })
    }
}

/// How many runs a search for the frontier takes at most.
pub(crate) fn most_runs(experiment: &Experiment, options: &FrontierOptions) -> u64 {
    let runs = u64::from(experiment.runs);
    let levels = 1..=experiment.base.protocol.cluster.faults();
    let known = |count| known_attacks(&Space::new(experiment, options.metric, count)).len() as u64;
    runs + levels.map(|count| options.budget.get() + runs * (1 + known(count))).sum::<u64>()
}

/// Searches the attacks of up to f corrupted replicas for the longest latency, and measures what it finds.
///
/// The experiment's own attacks, and whom it corrupts, play no part; what it grants the adversary does (clients, power over the
/// network, and with a budget takeovers while a run goes on). `has_ended` is told of each run that has ended, from any thread.
///
/// ```
/// use byzlab::Experiment;
/// use byzlab::frontier::{FrontierOptions, frontier};
/// let toml = r#"
///     experiment = { runs = 4, time_limit = "5s" }
///     protocol = { request_timeout = "100ms", view_change_timeout = "100ms" }
///     network = { latency = { distribution = "uniform", min = "5ms", max = "10ms" } }
/// "#;
/// let experiment = Experiment::parse("example", toml, "".as_ref(), &[])?;
/// let options = FrontierOptions { budget: 200.try_into()?, ..FrontierOptions::default() };
/// let frontier = frontier(&experiment, &options, || {})?;
/// // One corrupted replica of four makes clients wait for a timeout at least.
/// assert!(frontier.levels[0].found.mean() > frontier.honest.mean().map(|mean| mean + 100.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn frontier(
    experiment: &Experiment,
    options: &FrontierOptions,
    has_ended: impl Fn() + Sync,
) -> Result<Frontier, FrontierError> {
    check(experiment, options)?;
    // Each attack is measured with as many runs.
    let experiment = &Experiment { stop: None, runs_in_vain: false, ..experiment.clone() };
    let FrontierOptions { metric, confidence, .. } = *options;
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    // A seed that reads well in a file, and whose runs are none of the experiment's.
    let search_seed =
        options.seed.unwrap_or_else(|| Key::root(experiment.seed).component("frontier").as_u64() % 1_000_000_007);
    let seeding = Experiment { seed: search_seed, ..experiment.clone() };
    let means = Means { metric, budget: options.budget.get(), jobs, seeding: &seeding, has_ended: &has_ended };
    let mut findings = Findings::default();
    let measure = |name: &str, corrupted: u16, experiment: Experiment, findings: &mut Findings| {
        let runs = 0..experiment.runs;
        let task = |run| Task { settings: experiment.base.clone(), seed: experiment.run_seed(0, run) };
        let results = trials(&runs.map(task).collect::<Vec<_>>(), metric, jobs, &has_ended);
        let measured = Measured::new(name, &experiment, &results);
        for (run, trial) in (0..).zip(results) {
            findings.take(corrupted, &experiment, (experiment.seed, run), trial);
        }
        measured
    };

    let honest = Space::new(experiment, metric, 0).honest().ok_or(FrontierError::NoAttacks)?;
    let honest = measure("honest", 0, honest, &mut findings);
    let mut levels = Vec::new();
    let mut best: Vec<Entry> = Vec::new();
    for corrupted in 1..=experiment.base.protocol.cluster.faults() {
        let space = Space::new(experiment, metric, corrupted);
        best = Search::new(&space, means, &mut findings).run(&best);
        let winner = best.first().ok_or(FrontierError::NoAttacks)?.experiment.clone();
        let found = measure("search", corrupted, winner, &mut findings);
        let known = known_attacks(&space).into_iter();
        let known = known.map(|(name, _, experiment)| measure(name, corrupted, experiment, &mut findings)).collect();
        tracing::debug!("{corrupted} corrupted: {}", found.line);
        levels.push(Level { corrupted, found, known });
    }
    let (_, left_out) = kinds_for(&experiment.base);
    Ok(Frontier {
        metric,
        confidence,
        runs: experiment.runs,
        budget: options.budget.get(),
        search_seed,
        honest,
        levels,
        left_out,
        findings: findings.kept,
        bad_runs: findings.count,
    })
}

/// Measures an experiment as the frontier does: all its runs, with what was not accepted counted until the time limit.
///
/// For whoever wants to check the file of an attack that was found.
pub fn measure(experiment: &Experiment, metric: Metric) -> Measured {
    let jobs = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let task = |run| Task { settings: experiment.base.clone(), seed: experiment.run_seed(0, run) };
    let tasks: Vec<Task> = (0..experiment.runs).map(task).collect();
    Measured::new(&line(experiment), experiment, &trials(&tasks, metric, jobs, &|| {}))
}

/// What is wrong with the question.
pub(crate) fn check(experiment: &Experiment, options: &FrontierOptions) -> Result<(), FrontierError> {
    if let Some(axis) = experiment.axes.first() {
        return Err(FrontierError::Swept(axis.key.clone()));
    }
    let cluster = experiment.base.protocol.cluster;
    if cluster.faults() == 0 {
        return Err(FrontierError::NothingToCorrupt(cluster.replicas()));
    }
    if options.metric == Metric::Throughput {
        return Err(FrontierError::NoLatency);
    }
    if !byzlab_analysis::statistics::is_inside_unit(options.confidence) {
        return Err(FrontierError::Confidence(options.confidence));
    }
    let (kinds, _) = kinds_for(&experiment.base);
    if kinds.is_empty() { Err(FrontierError::NoAttacks) } else { Ok(()) }
}
