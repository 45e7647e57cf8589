//! Means of two samples that were drawn in pairs.

use super::welch::p_without_variance;
use crate::statistics::{Moments, student_t_two_sided};

/// The mean difference of pairs, with its interval and the paired t test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedTest {
    /// Number of pairs.
    pub pairs: u64,
    /// Mean of first minus second.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The difference in standard errors, of `pairs` − 1 degrees of freedom; `None` where that is 0.
    pub t: Option<f64>,
    /// Two-sided: the probability of a t at least so far from 0 if the means are equal.
    pub p: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Pearson's correlation of the pairs; `None` where either side does not vary.
    pub correlation: Option<f64>,
    /// What pairing saves: the share by which the variance of the difference is less than that of independent samples,
    /// 1 − s²(x−y)/(s²(x)+s²(y)); below 0 where pairing harms, `None` where nothing varies.
    pub variance_reduction: Option<f64>,
}

/// Compares the means of two samples of which each value of the first belongs to one of the second.
///
/// Formula: Student's interval and test of the differences x − y. It assumes independent pairs and differences that are
/// normal, or many; the two sides of a pair may depend on each other, and where they share their random numbers they
/// should. Where all differences are equal the interval has no width and p is 1 if they are 0, else 0. `None` unless
/// both have the same number of values, two at least, all finite, and 0 < `confidence` < 1.
///
/// Source: Law 2015, section 10.2.1 (paired-t), section 11.2 (common random numbers).
///
/// ```
/// # use byzlab_analysis::statistics::paired_t;
/// let test = paired_t(&[10.0, 20.0, 30.0], &[11.0, 22.0, 33.0], 0.95).unwrap();
/// assert_eq!((test.difference, test.pairs), (-2.0, 3));
/// assert!((test.t.unwrap() + 12.0_f64.sqrt()).abs() < 1e-12);
/// assert!((test.correlation.unwrap() - 1.0).abs() < 1e-12);
/// assert!((test.variance_reduction.unwrap() - (1.0 - 1.0 / 221.0)).abs() < 1e-12);
/// ```
pub fn paired_t(first: &[f64], second: &[f64], confidence: f64) -> Option<PairedTest> {
    if first.len() != second.len() || first.iter().chain(second).any(|value| !value.is_finite()) {
        return None;
    }
    let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
    let differences: Moments = first.iter().zip(second).map(|(x, y)| x - y).collect();
    let interval = differences.interval(confidence).filter(|interval| interval.half_width.is_finite())?;
    let (x, y) = (moments(first), moments(second));
    let t = (interval.standard_error > 0.0).then(|| interval.mean / interval.standard_error);
    let p = match t {
        Some(t) => student_t_two_sided(t, (differences.count() - 1) as f64)?,
        None => p_without_variance(interval.mean),
    };
    let apart = x.variance()? + y.variance()?;
    Some(PairedTest {
        pairs: differences.count(),
        difference: interval.mean,
        standard_error: interval.standard_error,
        t,
        p,
        lower: interval.lower,
        upper: interval.upper,
        correlation: correlation(first, second, &x, &y),
        variance_reduction: Some(1.0 - differences.variance()? / apart).filter(|reduction| reduction.is_finite()),
    })
}

/// Pearson's correlation.
fn correlation(first: &[f64], second: &[f64], x: &Moments, y: &Moments) -> Option<f64> {
    let (mean_x, mean_y) = (x.mean()?, y.mean()?);
    let scale = x.sum_of_squares()?.sqrt() * y.sum_of_squares()?.sqrt();
    let products: f64 = first.iter().zip(second).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    Some(products / scale).filter(|r| r.is_finite()).map(|r| r.clamp(-1.0, 1.0))
}
