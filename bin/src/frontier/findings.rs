//! What must not be: runs that violate a property with at most f corrupted replicas, or break off.

use super::candidate::line;
use super::trial::Trial;
use crate::config::{Experiment, Settings};
use std::sync::Arc;

/// So many are kept; more of them would say no more.
const MOST_KEPT: usize = 20;

/// A run that violated what was promised, or broke off.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How many replicas are corrupted.
    pub corrupted: u16,
    /// Who is corrupted and what they do, on one line of TOML.
    pub line: String,
    /// An experiment that reproduces it: with its last run.
    pub experiment: Experiment,
    /// The index of that run.
    pub run: u32,
    /// What happened, as people read it.
    pub what: String,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<Finding>,
    /// How many runs there were in all.
    pub(super) count: u64,
}

impl Findings {
    /// Takes note of a run, if it is one. Its seed is that of run `run` of an experiment with seed `seed`.
    pub(super) fn take(&mut self, corrupted: u16, experiment: &Experiment, (seed, run): (u64, u32), trial: Trial) {
        let what = match (trial.fault, trial.violations.as_slice()) {
            (Some(fault), _) => fault.to_string(),
            (None, []) => return,
            (None, violations) => violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        self.count += 1;
        let line = line(experiment);
        // One run of an attack is enough.
        let is_known = self.kept.iter().any(|known| known.corrupted == corrupted && known.line == line);
        if is_known || self.kept.len() >= MOST_KEPT {
            return;
        }
        let settings: Arc<Settings> = Arc::clone(&experiment.base);
        let experiment = Experiment { seed, runs: run + 1, base: settings, ..experiment.clone() };
        self.kept.push(Finding { corrupted, line, experiment, run, what });
    }
}
