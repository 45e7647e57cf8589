//! How many replications are enough.

use super::Moments;

/// How narrow the interval of a mean is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HalfWidth {
    /// A share γ of the true mean.
    Relative(f64),
    /// In the unit of the values.
    Absolute(f64),
}

/// Law's sequential procedure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppingRule {
    /// How narrow.
    pub half_width: HalfWidth,
    /// The confidence of the interval.
    pub confidence: f64,
    /// Fewer are never enough.
    pub min_runs: u64,
    /// More are never made.
    pub max_runs: u64,
}

impl StoppingRule {
    /// Whether the interval of these values is narrow enough.
    pub fn is_precise(&self, values: &Moments) -> bool {
        let Some(interval) = values.interval(self.confidence).filter(|_| values.count() >= self.min_runs) else {
            return false;
        };
        match self.half_width {
            HalfWidth::Absolute(wanted) => interval.half_width <= wanted,
            HalfWidth::Relative(share) => interval.half_width <= share / (1.0 + share) * interval.mean.abs(),
        }
    }
}
