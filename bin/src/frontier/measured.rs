//! An attack with its figures, from the runs of the experiment's own seed.

use super::candidate::line;
use super::trial::Trial;
use crate::config::Experiment;
use byzlab_analysis::statistics::{Moments, Proportion, TInterval, wilson};

/// An attack, and what its runs came to.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name: `search`, `honest`, or that of a known attack.
    pub name: String,
    /// Who is corrupted and what they do, on one line of TOML.
    pub line: String,
    /// The complete experiment; its runs are those that were measured.
    pub experiment: Experiment,
    /// The latency of each run in milliseconds; none of one that asked for nothing or broke off.
    pub latencies: Vec<Option<f64>>,
    /// Runs in which all requests of honest clients were accepted.
    pub completed: u64,
    /// The requests of honest clients, of all runs.
    pub requests: u64,
    /// How many of them were accepted.
    pub accepted: u64,
}

/// A difference of means with its interval, from pairs of runs with equal seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The mean difference in milliseconds, and its Student t interval.
    pub difference: TInterval,
    /// Of how many pairs.
    pub pairs: u64,
}

impl Measured {
    pub(super) fn new(name: &str, experiment: &Experiment, trials: &[Trial]) -> Measured {
        let requests = experiment.base.requests();
        Measured {
            name: name.to_owned(),
            line: line(experiment),
            experiment: experiment.clone(),
            latencies: trials.iter().map(|trial| trial.latency).collect(),
            completed: trials.iter().filter(|trial| trial.fault.is_none() && trial.accepted == requests).count() as u64,
            requests: requests * trials.len() as u64,
            accepted: trials.iter().map(|trial| trial.accepted).sum(),
        }
    }

    /// Number, mean and spread of the runs' latencies.
    pub fn moments(&self) -> Moments {
        self.latencies.iter().copied().flatten().collect()
    }

    /// The mean latency in milliseconds; none without any.
    pub fn mean(&self) -> Option<f64> {
        self.moments().mean()
    }

    /// The share of runs that completed, with its Wilson interval.
    pub fn completed_share(&self, confidence: f64) -> Option<Proportion> {
        wilson(self.completed, self.latencies.len() as u64, confidence)
    }

    /// The share of requests that were accepted, with its Wilson interval, which takes requests of a run for independent.
    pub fn accepted_share(&self, confidence: f64) -> Option<Proportion> {
        wilson(self.accepted, self.requests, confidence)
    }

    /// By how much this one is slower than another that met the same runs; none with fewer than two pairs.
    pub fn slower_than(&self, other: &Measured, confidence: f64) -> Option<Comparison> {
        let pairs = self.latencies.iter().zip(&other.latencies);
        let differences: Moments = pairs.filter_map(|(own, other)| Some((*own)? - (*other)?)).collect();
        let difference = differences.interval(confidence)?;
        Some(Comparison { difference, pairs: differences.count() })
    }
}
