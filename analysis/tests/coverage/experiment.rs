//! How often an interval of nominally 95 % contains the truth: by simulation, and for shares exactly.
//!
//! A simulated coverage has a standard error of its own, √(c(1−c)/repetitions): 0.22 points at 95 % and
//! 10,000 repetitions. Everything is drawn from xoshiro256++ with a fixed seed, by inversion.

use byzlab_analysis::statistics::{Proportion, binomial_cdf, binomial_pmf, normal_quantile};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub(crate) const CONFIDENCE: f64 = 0.95;

/// Draws by inversion.
pub(crate) struct Source(Xoshiro256PlusPlus);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Uniform between 0 and 1, neither included.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform()).expect("between 0 and 1")
    }

    /// Mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }
}

/// The share of repetitions in which `covers` holds.
pub(crate) fn simulated(repetitions: u32, seed: u64, mut covers: impl FnMut(&mut Source) -> bool) -> f64 {
    let mut source = Source::new(seed);
    let hits = (0..repetitions).filter(|_| covers(&mut source)).count();
    hits as f64 / f64::from(repetitions)
}

/// The standard error of a simulated coverage.
pub(crate) fn monte_carlo_error(coverage: f64, repetitions: u32) -> f64 {
    (coverage * (1.0 - coverage) / f64::from(repetitions)).sqrt()
}

/// An interval of a share.
pub(crate) type ShareMethod = fn(u64, u64, f64) -> Option<Proportion>;

/// The intervals of all outcomes of n trials: for several shares computed once.
pub(crate) struct ShareIntervals(Vec<Proportion>);

impl ShareIntervals {
    pub(crate) fn new(method: ShareMethod, n: u64) -> Self {
        Self((0..=n).map(|k| method(k, n, CONFIDENCE).expect("trials and a level")).collect())
    }

    fn covers(&self, k: usize, share: f64) -> bool {
        self.0[k].lower <= share && share <= self.0[k].upper
    }

    /// The coverage of this share: the probabilities of the outcomes whose interval contains it, added.
    pub(crate) fn exact(&self, share: f64) -> f64 {
        let n = self.0.len() as u64 - 1;
        let probability = |k: usize| binomial_pmf(k as u64, n, share).expect("a share");
        (0..self.0.len()).filter(|&k| self.covers(k, share)).map(probability).sum()
    }

    /// The coverage of this share in repeated draws of n trials.
    pub(crate) fn simulated(&self, share: f64, repetitions: u32, seed: u64) -> f64 {
        let n = self.0.len() as u64 - 1;
        let cumulative: Vec<f64> = (0..=n).map(|k| binomial_cdf(k, n, share).expect("a share")).collect();
        simulated(repetitions, seed, |source| {
            let uniform = source.uniform();
            self.covers(cumulative.partition_point(|&below| below < uniform).min(n as usize), share)
        })
    }
}
