//! A hunt: many runs of an experiment, each with faults of its own, and all of them judged; what breaks is made small and kept.
//!
//! ```text
//!            draw (run k, seed)      run, judge              shrink                 by cause
//! cell k mod cells ──► Schedule ──► RunResult ──violation──► minimal Schedule ──► Finding: experiment.toml, trace.txt
//! ```
//!
//! Run k is a function of the experiment, the hunt's seed and k. What a hunt finds depends on these and on how many runs it makes; not
//! on how many go on at once, nor on how often it was stopped and resumed on the way.

mod attacks;
mod draw;
#[cfg(test)]
mod draw_tests;
mod finding;
mod progress;
mod schedule;
mod shrink;

pub use finding::{Break, Finding};
pub use schedule::{Deed, Fault, NetworkFault, Schedule};

use crate::config::{Cell, ConfigError, Corrupted, EventDetail, Experiment, Settings};
use crate::run::{RunId, RunResult, run_guarded};
use byzlab_adversary::{AttackConfig, Need, Selection};
use byzlab_analysis::oracle::Invariant;
use byzlab_network::Key;
use draw::{Stage, stable_by};
use shrink::shrink;
use std::io::{self, Sink};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How to hunt.
#[derive(Clone, Debug)]
pub struct HuntOptions {
    /// How many runs in all, those of an earlier part of the same hunt included.
    pub budget: NonZeroU64,
    /// The hunt's seed; that of the experiment if none.
    pub seed: Option<u64>,
    /// How many runs go on at once; none means one for each core. Nothing in the results depends on it.
    pub jobs: Option<NonZeroUsize>,
    /// Whether the first run that breaks something is the last one.
    pub stop_at_first: bool,
    /// Whether schedules that break something are made smaller.
    pub shrink: bool,
    /// How many replicas are corrupted from the start of each run; if none, as the experiment says, or up to f if it says nothing of it.
    pub corrupt: Option<u16>,
    /// Where findings are written; nowhere if none.
    pub out: Option<PathBuf>,
    /// What becomes of a hunt that is there already.
    pub folder: Folder,
}

/// What becomes of a hunt that is in the folder already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folder {
    /// It stays, and the new one is refused.
    New,
    /// It is replaced.
    Replace,
    /// It goes on.
    Resume,
}

impl HuntOptions {
    /// A hunt of so many runs, in memory, with all that is usual.
    pub fn new(budget: NonZeroU64) -> HuntOptions {
        HuntOptions {
            budget,
            seed: None,
            jobs: None,
            stop_at_first: false,
            shrink: true,
            corrupt: None,
            out: None,
            folder: Folder::New,
        }
    }
}

/// What came of a hunt, or of its part so far.
#[derive(Clone, Debug)]
pub struct HuntReport {
    /// How many runs were made in all.
    pub runs: u64,
    /// How many of them were made before, by the part that this one resumed.
    pub resumed_at: u64,
    /// How many broke something, by what showed first; only what occurred, in order.
    pub broken: Vec<(Break, u64)>,
    /// What was found, by cause, in the order of the first runs.
    pub findings: Vec<Finding>,
}

impl HuntReport {
    /// How many runs broke something.
    pub fn violations(&self) -> u64 {
        self.broken.iter().map(|(_, count)| count).sum()
    }

    /// With 95 % confidence, the probability that a drawn schedule breaks something is at most this: the exact upper end after Clopper
    /// and Pearson (Biometrika 26(4), 1934), for which three by the number of runs is an approximation. None if something broke.
    pub fn upper_bound(&self) -> Option<f64> {
        (self.violations() == 0 && self.runs > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / self.runs as f64))
    }
}

/// Why a hunt cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The folder holds a hunt already.
    #[error("{} holds a hunt already ({found})\n  hint: go on with it with --resume, replace it with --force, or choose another folder with --out", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        found: &'static str,
    },
    /// The folder is not that of a hunt, and what is in it must not be lost.
    #[error("{} is not the folder of a hunt: it is not empty and has no hunt.toml\n  hint: choose another folder with --out", folder.display())]
    NoHunt {
        /// The folder.
        folder: PathBuf,
    },
    /// What should be a folder is a file.
    #[error("{} is a file, and findings take a folder\n  hint: choose another name with --out", path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
    /// So many replicas cannot be corrupted.
    #[error("--corrupt {count}: {problem}\n  hint: {remedy}")]
    Corrupt {
        /// How many.
        count: u16,
        /// Why not.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The file of a finding does not do it again.
    #[error("{} does not show what the hunt found: {problem}\n  hint: this is a defect of byzlab; please report it with that folder", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What it shows instead.
        problem: String,
    },
    /// The folder holds another hunt.
    #[error("{} cannot be resumed: its {what} is not that of this hunt{difference}\n  hint: give what it was started with, or another folder with --out", folder.display())]
    Differs {
        /// The folder.
        folder: PathBuf,
        /// What differs.
        what: String,
        /// How, if that is not said yet.
        difference: String,
    },
    /// A file of the folder is not there or cannot be read.
    #[error("{} cannot be read: {source}\n  hint: start anew with --force", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `hunt.toml` is not as it was written.
    #[error(transparent)]
    Progress(#[from] ConfigError),
    /// A file or folder cannot be written.
    #[error("{} cannot be written: {source}\n  hint: check the permissions and the free space of the disk; then go on with --resume", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// So many runs that break the same invariant are shrunk; more are only counted.
const MOST_SHRUNK: u64 = 20;

/// So many runs are made between two looks at what they showed.
const BLOCK: u64 = 512;

/// Hunts. `progress` is told now and then of what has come of it so far.
///
/// # Panics
///
/// If a run that broke something does not do so when it is made again: runs are functions of their settings and seeds.
///
/// ```
/// use byzlab::Experiment;
/// use byzlab::hunt::{HuntOptions, hunt};
/// use std::num::NonZeroU64;
///
/// let experiment = Experiment::parse("example", "", "".as_ref(), &[])?;
/// let report = hunt(&experiment, &HuntOptions::new(NonZeroU64::new(20).unwrap()), |_| {})?;
/// assert_eq!((report.runs, report.violations()), (20, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hunt(
    experiment: &Experiment,
    options: &HuntOptions,
    progress: impl Fn(&HuntReport),
) -> Result<HuntReport, HuntError> {
    let hunter = Hunter::new(experiment, options)?;
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let block = BLOCK.max(64 * jobs as u64);
    let mut state = match &options.out {
        Some(folder) => progress::open(&hunter, folder, options.folder)?,
        None => State::default(),
    };
    let resumed_at = state.runs;
    let budget = options.budget.get();
    while state.runs < budget && !(options.stop_at_first && state.has_broken()) {
        let numbers = state.runs..budget.min(state.runs + block);
        let mut broken = spread(jobs, numbers.clone(), options.stop_at_first, |number| hunter.run(number));
        if options.stop_at_first {
            broken.truncate(1);
        }
        state.runs = match broken.first() {
            Some((number, _)) if options.stop_at_first => number + 1,
            _ => numbers.end,
        };
        let to_shrink: Vec<(u64, Break)> = broken.into_iter().filter(|&(_, what)| state.note(what)).collect();
        let place = |index: u64| to_shrink[index as usize];
        let findings = spread(jobs, 0..to_shrink.len() as u64, false, |index| {
            let (number, what) = place(index);
            let finding = hunter.finding(number, what);
            Some(finding.unwrap_or_else(|| panic!("run {number} of the hunt broke {what}, and made again it does not")))
        });
        for (_, finding) in findings {
            let changed = state.merge(finding);
            if let (Some(folder), Some(place)) = (&options.out, changed) {
                state.findings[place].write(&hunter, place, folder)?;
            }
        }
        if let Some(folder) = &options.out {
            progress::save(&hunter, &state, folder)?;
        }
        progress(&state.report(resumed_at));
    }
    Ok(state.report(resumed_at))
}

/// Does `work` for all numbers, on several threads, and returns what came of it in their order. With `only_first`, numbers after the
/// first that something came of may be left out.
fn spread<T: Send>(
    jobs: usize,
    numbers: Range<u64>,
    only_first: bool,
    work: impl Fn(u64) -> Option<T> + Sync,
) -> Vec<(u64, T)> {
    let next = AtomicU64::new(numbers.start);
    let end = AtomicU64::new(numbers.end);
    let results = Mutex::new(Vec::new());
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end.load(Ordering::Relaxed) {
                return;
            }
            if let Some(result) = work(number) {
                if only_first {
                    end.fetch_min(number, Ordering::Relaxed);
                }
                results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.min((numbers.end - numbers.start) as usize) {
            scope.spawn(worker);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results
}

/// What a hunt is about, apart from how far it has come.
struct Hunter<'a> {
    experiment: &'a Experiment,
    /// What `--corrupt` said.
    corrupt: Option<u16>,
    /// By cell: who is corrupted there, and what faults can be drawn.
    cells: Vec<(Arc<Settings>, Stage)>,
    seed: u64,
    runs: Key,
    shrinks: bool,
}

impl<'a> Hunter<'a> {
    fn new(experiment: &'a Experiment, options: &HuntOptions) -> Result<Hunter<'a>, HuntError> {
        let seed = options.seed.unwrap_or(experiment.seed);
        let may_spare = options.corrupt.is_none() && !experiment.says_who_is_corrupted();
        let cells = hunted_cells(experiment, options.corrupt)?;
        let cells = cells.into_iter().map(|cell| (Arc::clone(&cell), Stage::of(&cell, may_spare))).collect();
        let runs = Key::root(seed).component("hunt");
        Ok(Hunter { experiment, corrupt: options.corrupt, cells, seed, runs, shrinks: options.shrink })
    }

    /// The cell of a run, the seed of an experiment whose first run it is, and its faults.
    fn plan(&self, number: u64) -> (u32, u64, Schedule) {
        let cell = number % self.cells.len() as u64;
        let (settings, stage) = &self.cells[cell as usize];
        let key = self.runs.child(number);
        // As an integer of TOML.
        let seed = key.as_u64() >> 1;
        let corrupted = settings.corrupted(run_key(seed));
        (cell as u32, seed, stage.schedule(corrupted, key))
    }

    /// What a run broke, if anything.
    fn run(&self, number: u64) -> Option<Break> {
        let (cell, seed, schedule) = self.plan(number);
        what_broke(&play(&schedule.settings(&self.cells[cell as usize].0), seed))
    }

    /// The finding that a run is which breaks this; none if it does not.
    fn finding(&self, run: u64, what: Break) -> Option<Finding> {
        let (cell, seed, mut schedule) = self.plan(run);
        let (base, stage) = &self.cells[cell as usize];
        if self.shrinks {
            let breaks = |schedule: &Schedule| says(&play(&schedule.settings(base), seed), what).is_some();
            schedule = shrink(schedule, stage, breaks);
        }
        let settings = Arc::new(schedule.settings(base));
        let violation = says(&play(&settings, seed), what)?;
        let kinds: Vec<String> = schedule.kinds().into_iter().collect();
        let causes = if kinds.is_empty() { "no fault".to_owned() } else { kinds.join(" + ") };
        let signature = format!("{what}: {causes}");
        Some(Finding { what, signature, count: 1, first_run: run, run, cell, seed, schedule, settings, violation })
    }
}

impl Experiment {
    /// Whether the file says how many replicas are corrupted, from the start or later. A budget of none counts too.
    pub(crate) fn says_who_is_corrupted(&self) -> bool {
        let says = |settings: &Settings| settings.corrupted_count() > 0 || settings.adversary.budget.is_some();
        self.cells.iter().any(|cell| says(&cell.settings))
    }
}

/// The settings of each cell as a hunt corrupts replicas in it, before it draws faults; with what `--corrupt` says.
pub fn hunted_cells(experiment: &Experiment, corrupt: Option<u16>) -> Result<Vec<Arc<Settings>>, HuntError> {
    let says_who = experiment.says_who_is_corrupted();
    let cell = |cell: &Cell| {
        let settings = &cell.settings;
        let count = match corrupt {
            Some(count) => check_count(count, settings)?,
            None if says_who => return Ok(Arc::clone(settings)),
            // Who is down by the file is one of the f.
            None => settings.protocol.cluster.faults().saturating_sub(settings.most_down()),
        };
        let mut settings = Settings::clone(settings);
        let selection = match settings.adversary.corrupted {
            Corrupted::Count(_, selection) | Corrupted::Faults(selection) => selection,
            Corrupted::Members(_) => Selection::Random,
        };
        settings.adversary.corrupted = Corrupted::Count(count, selection);
        Ok(Arc::new(settings))
    };
    experiment.cells.iter().map(cell).collect()
}

/// What the file allows of `--corrupt`.
fn check_count(count: u16, settings: &Settings) -> Result<u16, HuntError> {
    let refused = |problem: String, remedy| Err(HuntError::Corrupt { count, problem, remedy });
    let replicas = settings.protocol.cluster.replicas();
    if count > replicas {
        return refused(format!("there are {replicas} replicas"), "corrupt fewer, or raise cluster.replicas");
    }
    let cluster = settings.protocol.cluster;
    let Some(budget) = settings.adversary.budget.map(|budget| budget.of(cluster)) else { return Ok(count) };
    if count > budget {
        return refused(
            format!("more than adversary.budget = {budget} of the file"),
            "corrupt fewer, or raise the budget",
        );
    }
    let falls = |attack: &AttackConfig| attack.kind.about().needs.contains(&Need::Budget);
    if count == budget && settings.adversary.attacks.iter().any(falls) {
        let problem =
            format!("attacks of the file corrupt others later, and adversary.budget = {budget} is spent then");
        return refused(problem, "corrupt fewer, or raise the budget");
    }
    Ok(count)
}

/// In how many of these cells a hunt judges liveness (I11).
pub fn live_cells(cells: &[Arc<Settings>]) -> usize {
    cells.iter().filter(|settings| stable_by(settings).1).count()
}

/// The key of the first run of an experiment with this seed.
fn run_key(seed: u64) -> Key {
    Key::root(seed).component("run").child(0)
}

fn play(settings: &Settings, seed: u64) -> RunResult {
    let id = RunId { cell: 0, run: 0, seed: run_key(seed).as_u64(), parameters: Vec::new() };
    run_guarded(&id, settings, None::<(EventDetail, Sink)>.into(), None)
}

/// What showed first.
fn what_broke(result: &RunResult) -> Option<Break> {
    match &result.fault {
        Some(_) => Some(Break::Error),
        None => result.violations().first().map(|violation| Break::Invariant(violation.invariant)),
    }
}

/// What is to be said of this in a run, if it happened.
fn says(result: &RunResult, what: Break) -> Option<String> {
    match what {
        Break::Error => result.fault.as_ref().map(ToString::to_string),
        Break::Invariant(invariant) => {
            let violations = result.violations();
            let violation = violations.into_iter().find(|violation| violation.invariant == invariant)?;
            Some(violation.to_string().trim_end().to_owned())
        }
    }
}

/// How far a hunt has come.
#[derive(Debug, Default)]
struct State {
    runs: u64,
    /// How many runs broke something, in the order of [`Break::all`].
    broken: [u64; Invariant::ALL.len() + 1],
    findings: Vec<Finding>,
}

impl State {
    fn has_broken(&self) -> bool {
        self.broken.iter().any(|&count| count > 0)
    }

    /// Takes note of a run that broke something, and says whether it is to be looked at more closely.
    fn note(&mut self, what: Break) -> bool {
        let place = match what {
            Break::Invariant(invariant) => invariant as usize,
            Break::Error => Invariant::ALL.len(),
        };
        self.broken[place] += 1;
        self.broken[place] <= MOST_SHRUNK
    }

    /// Takes a finding, and says which entry shows something new now.
    fn merge(&mut self, finding: Finding) -> Option<usize> {
        let known = self.findings.iter().position(|other| other.signature == finding.signature);
        let Some(place) = known else {
            self.findings.push(finding);
            return Some(self.findings.len() - 1);
        };
        let before = self.findings[place].run;
        self.findings[place].merge(finding);
        (self.findings[place].run != before).then_some(place)
    }

    fn report(&self, resumed_at: u64) -> HuntReport {
        let broken = Break::all().zip(self.broken).filter(|&(_, count)| count > 0).collect();
        HuntReport { runs: self.runs, resumed_at, broken, findings: self.findings.clone() }
    }
}
