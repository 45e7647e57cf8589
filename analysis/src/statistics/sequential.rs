//! How many replications are enough: go on until the interval is narrow enough.

use thiserror::Error;

use super::distributions::normal_quantile;
use super::moments::Moments;
use super::proportion::wilson;

/// How narrow the interval of a mean is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HalfWidth {
    /// This share γ of the true mean, at most.
    Relative(f64),
    /// This much, in the unit of the values, at most.
    Absolute(f64),
}

/// When to stop adding replications.
///
/// Name: sequential procedure with fixed (relative) width. Formulas, with h the half-width of the t interval of the n
/// values so far: h ≤ γ/(1+γ)·|m| for [`HalfWidth::Relative`], which keeps the error within γ of the *true* mean; h ≤ d
/// for [`HalfWidth::Absolute`]. It assumes independent replications; as the data decide when to stop, the coverage of
/// the last interval is a little below its confidence, the less the larger `min_runs` is (Law advises 10 and γ ≤ 0.15).
/// [`new`](Self::new) checks the parts. A rule put together from parts out of range is never precise.
///
/// Sources: Law 2015, section 9.4.1; Chow & Robbins 1965.
///
/// ```
/// # use byzlab_analysis::statistics::{HalfWidth, Moments, StoppingRule};
/// let rule = StoppingRule::new(HalfWidth::Absolute(1.0), 0.95, 3, 100)?;
/// let values: Moments = [9.0, 10.0, 11.0].into_iter().collect(); // ± 2.48
/// assert!(!rule.is_precise(&values));
/// # Ok::<(), byzlab_analysis::statistics::InvalidStoppingRule>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppingRule {
    /// How narrow.
    pub half_width: HalfWidth,
    /// The confidence of the interval.
    pub confidence: f64,
    /// An interval of fewer values is never believed.
    pub min_runs: u64,
    /// With so many runs it ends, precise or not.
    pub max_runs: u64,
}

/// What is wrong with a rule.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum InvalidStoppingRule {
    /// The confidence leaves no room for doubt, or none for belief.
    #[error("the confidence is {0}; it must lie between 0 and 1, both excluded")]
    Confidence(f64),
    /// A width that no interval can have.
    #[error("the half-width is {0}; it must be a finite number above 0")]
    HalfWidth(f64),
    /// One run has no interval.
    #[error("the least number of runs is {0}; an interval needs 2")]
    MinRuns(u64),
    /// The range is empty.
    #[error("the most runs are {max_runs}, fewer than the least, {min_runs}")]
    MaxRuns {
        /// The least number of runs.
        min_runs: u64,
        /// The largest.
        max_runs: u64,
    },
}

impl StoppingRule {
    /// A rule with all its parts in range.
    ///
    /// Errors: a confidence outside 0..1, a width that is not finite or not above 0, `min_runs` < 2, `max_runs` <
    /// `min_runs`.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{HalfWidth, InvalidStoppingRule, StoppingRule};
    /// let error = StoppingRule::new(HalfWidth::Relative(0.05), 0.95, 10, 5).unwrap_err();
    /// assert_eq!(error, InvalidStoppingRule::MaxRuns { min_runs: 10, max_runs: 5 });
    /// assert_eq!(error.to_string(), "the most runs are 5, fewer than the least, 10");
    /// ```
    pub fn new(
        half_width: HalfWidth,
        confidence: f64,
        min_runs: u64,
        max_runs: u64,
    ) -> Result<Self, InvalidStoppingRule> {
        let (HalfWidth::Relative(width) | HalfWidth::Absolute(width)) = half_width;
        if !super::is_inside_unit(confidence) {
            return Err(InvalidStoppingRule::Confidence(confidence));
        }
        if !(width > 0.0 && width.is_finite()) {
            return Err(InvalidStoppingRule::HalfWidth(width));
        }
        if min_runs < 2 {
            return Err(InvalidStoppingRule::MinRuns(min_runs));
        }
        if max_runs < min_runs {
            return Err(InvalidStoppingRule::MaxRuns { min_runs, max_runs });
        }
        Ok(Self { half_width, confidence, min_runs, max_runs })
    }

    /// Whether the t interval of these values is narrow enough, and of enough values to be believed.
    ///
    /// Equal values are: their interval has no width. False of fewer than two values.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{HalfWidth, Moments, StoppingRule};
    /// let rule = StoppingRule::new(HalfWidth::Relative(0.1), 0.95, 2, 100)?;
    /// let near: Moments = [99.0, 100.0, 100.0, 101.0].into_iter().collect(); // ± 1.3 %
    /// let far: Moments = [80.0, 100.0, 100.0, 120.0].into_iter().collect(); // ± 26 %
    /// assert!(rule.is_precise(&near) && !rule.is_precise(&far));
    /// # Ok::<(), byzlab_analysis::statistics::InvalidStoppingRule>(())
    /// ```
    pub fn is_precise(&self, values: &Moments) -> bool {
        let Some(interval) = values.interval(self.confidence).filter(|_| values.count() >= self.min_runs) else {
            return false;
        };
        let allowed = match self.half_width {
            HalfWidth::Absolute(width) => width,
            HalfWidth::Relative(share) => share / (1.0 + share) * interval.mean.abs(),
        };
        interval.half_width <= allowed
    }

    /// Whether half the width of Wilson's interval of a share is small enough, of enough trials.
    ///
    /// An absolute width is in shares, 0..1; a relative one is γ/(1+γ) of the estimated share.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{HalfWidth, StoppingRule};
    /// let rule = StoppingRule::new(HalfWidth::Absolute(0.05), 0.95, 10, 1000)?;
    /// assert!(!rule.is_precise_share(10, 10)); // 0.72 to 1
    /// assert!(rule.is_precise_share(40, 40)); // 0.91 to 1
    /// # Ok::<(), byzlab_analysis::statistics::InvalidStoppingRule>(())
    /// ```
    pub fn is_precise_share(&self, successes: u64, trials: u64) -> bool {
        let Some(share) = wilson(successes, trials, self.confidence).filter(|_| trials >= self.min_runs) else {
            return false;
        };
        let allowed = match self.half_width {
            HalfWidth::Absolute(width) => width,
            HalfWidth::Relative(gamma) => gamma / (1.0 + gamma) * share.estimate,
        };
        (share.upper - share.lower) / 2.0 <= allowed
    }
}

/// Chow and Robbins' own rule for an interval m ± d: stop as soon as n ≥ z²·(V + 1/n)/d².
///
/// V is the variance with n in its denominator; the 1/n keeps a lucky start of equal values from stopping at once. Its
/// coverage tends to the confidence as d → 0. [`StoppingRule`] puts Student's t in its place, which stops a little
/// later and is closer to the confidence when n is small. `None` of nothing, or unless `half_width` > 0 and 0 <
/// `confidence` < 1.
///
/// Source: Chow & Robbins 1965.
///
/// ```
/// # use byzlab_analysis::statistics::{Moments, chow_robbins_stops};
/// let values: Moments = (0..100).map(|i| f64::from(i % 2)).collect(); // V = 0.25
/// assert_eq!(chow_robbins_stops(&values, 0.10, 0.95), Some(true)); // from 99.9 on
/// assert_eq!(chow_robbins_stops(&values, 0.09, 0.95), Some(false));
/// ```
pub fn chow_robbins_stops(values: &Moments, half_width: f64, confidence: f64) -> Option<bool> {
    if values.count() == 0 || half_width.is_nan() || half_width <= 0.0 || !super::is_inside_unit(confidence) {
        return None;
    }
    let z = normal_quantile(0.5 + confidence / 2.0)?;
    let n = values.count() as f64;
    let needed = z * z * (values.sum_of_squares()? / n + 1.0 / n) / (half_width * half_width);
    Some(n >= needed)
}
