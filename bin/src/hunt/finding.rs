//! What a hunt found: its cause, and the files that show it.

use super::schedule::Schedule;
use super::{HuntError, Hunter, play, says};
use crate::config::{Cell, EventDetail, Experiment, Settings};
use crate::trace::Trace;
use byzlab_analysis::Compression;
use byzlab_analysis::oracle::Invariant;
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What went wrong in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Break {
    /// An invariant was violated.
    Invariant(Invariant),
    /// The run broke off: something panicked.
    Error,
}

impl Break {
    /// All of them, in order.
    pub(super) fn all() -> impl Iterator<Item = Break> {
        Invariant::ALL.into_iter().map(Break::Invariant).chain([Break::Error])
    }

    /// Its code, such as `I1`.
    pub fn code(self) -> &'static str {
        match self {
            Break::Invariant(invariant) => invariant.code(),
            Break::Error => "error",
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Something that goes wrong by one cause, with the smallest schedule known that does it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What goes wrong.
    pub what: Break,
    /// Its cause: what goes wrong, and the kinds of the faults that it takes.
    pub signature: String,
    /// How many runs had it, of those that were shrunk.
    pub count: u64,
    /// The first of them.
    pub first_run: u64,
    /// The one that the schedule is of.
    pub run: u64,
    /// Its cell.
    pub cell: u32,
    /// The seed of an experiment whose first run it is.
    pub seed: u64,
    /// The faults.
    pub schedule: Schedule,
    /// The settings with them.
    pub settings: Arc<Settings>,
    /// What went wrong, in words and with the rows that prove it.
    pub violation: String,
}

impl Finding {
    /// The folder of the finding with this place in the list, within that of the hunt.
    pub fn folder(&self, place: usize) -> String {
        format!("findings/{:03}-{}", place + 1, self.what)
    }

    /// An experiment of one cell and one run that does it again.
    pub fn experiment(&self, hunted: &Experiment, place: usize) -> Experiment {
        let cell = Cell { parameters: Vec::new(), settings: Arc::clone(&self.settings) };
        Experiment {
            name: format!("{}-{:03}-{}", hunted.name, place + 1, self.what),
            seed: self.seed,
            runs: 1,
            stop: None,
            runs_in_vain: false,
            independent_cells: false,
            events: EventDetail::Protocol,
            metric: hunted.metric,
            latency_parts: false,
            compression: Compression::None,
            base: Arc::clone(&self.settings),
            cells: vec![cell],
            axes: Vec::new(),
        }
    }

    /// Takes another run with the same signature.
    pub(super) fn merge(&mut self, other: Finding) {
        let (count, first_run) = (self.count + other.count, self.first_run);
        if other.schedule.faults.len() < self.schedule.faults.len() {
            *self = other;
        }
        (self.count, self.first_run) = (count, first_run);
    }

    /// Writes `experiment.toml` and `trace.txt`.
    pub(super) fn write(&self, hunter: &Hunter<'_>, place: usize, folder: &Path) -> Result<(), HuntError> {
        let own = folder.join(self.folder(place));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| HuntError::Write { path, source }
        };
        fs::create_dir_all(&own).map_err(failed(&own))?;
        let experiment = self.experiment(hunter.experiment, place);
        let story = self.story(hunter);
        let comment = story.lines().map(|line| if line.is_empty() { "#".to_owned() } else { format!("# {line}") });
        let comment = comment.collect::<Vec<_>>().join("\n");
        let toml = format!("{comment}\n#\n# byzlab run experiment.toml --out again\n\n{}", experiment.to_toml());
        let trace = Trace::of(&self.settings, experiment.run_seed(0, 0)).render(&story);
        for (name, text) in [("experiment.toml", toml), ("trace.txt", trace + "\n" + &self.violation + "\n")] {
            let path = own.join(name);
            fs::write(&path, text).map_err(failed(&path))?;
        }
        self.reproduce(&experiment, &own)
    }

    /// Whether the file that was written is read as what was run, and breaks the same: a finding that cannot be shown again is none.
    fn reproduce(&self, experiment: &Experiment, own: &Path) -> Result<(), HuntError> {
        let path = own.join("experiment.toml");
        let lost = |problem: String| HuntError::Lost { path: path.clone(), problem };
        let again = Experiment::parse(&path.display().to_string(), &experiment.to_toml(), own, &[])
            .map_err(|error| lost(format!("it is refused: {error}")))?;
        let shown = says(&play(&again.base, again.seed), self.what);
        if shown.as_ref() != Some(&self.violation) {
            let shown = shown.unwrap_or_else(|| format!("no violation of {}", self.what));
            return Err(lost(format!("it shows {shown}\n  instead of {}", self.violation)));
        }
        Ok(())
    }

    /// What it is about, before a reader sees the details.
    fn story(&self, hunter: &Hunter<'_>) -> String {
        let statement = match self.what {
            Break::Invariant(invariant) => format!("{invariant} is violated: {}.", invariant.statement()),
            Break::Error => "The run breaks off.".to_owned(),
        };
        let first = self.violation.lines().next().unwrap_or_default();
        let (name, seed, run, cell) = (&hunter.experiment.name, hunter.seed, self.run, self.cell);
        let keys = hunter.experiment.swept_keys();
        let parameters = &hunter.experiment.cells[cell as usize].parameters;
        let parameters: Vec<String> =
            keys.iter().zip(parameters).map(|(key, value)| format!(" {key} = {value}")).collect();
        let mut text = format!("{statement}\n{first}\n\n");
        let _ =
            writeln!(text, "Run {run} of the hunt of {name} with seed {seed}; cell {cell}{}.", parameters.join(","));
        let corrupted: Vec<String> = self.schedule.corrupted.iter().map(ToString::to_string).collect();
        let corrupted = if corrupted.is_empty() { "nobody".to_owned() } else { corrupted.join(" ") };
        let _ = writeln!(text, "Corrupted: {corrupted}. It takes {}:", self.schedule.size());
        for fault in &self.schedule.faults {
            let _ = writeln!(text, "* {fault}");
        }
        text
    }
}
