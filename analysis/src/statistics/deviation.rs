//! The standard deviation, with its interval.

use super::bootstrap::{BcaConvention, BcaInterval, acceleration, bca_of_resamples};
use super::distributions::chi_squared_quantile;
use super::moments::Moments;

/// A standard deviation with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviationInterval {
    /// The standard deviation s.
    pub deviation: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The χ² interval of the standard deviation of a normal distribution.
///
/// Formula: from s √((n−1)/χ²(1−α/2; n−1)) to s √((n−1)/χ²(α/2; n−1)). It assumes a normal distribution,
/// and more values do not help where that is wrong: with an excess kurtosis κ it is too narrow by about
/// √(1 + κ/2). For other distributions there is [`bca_deviation`]. `None` of fewer than two values,
/// where the deviation is, or unless 0 < `confidence` < 1.
///
/// Source: NIST/SEMATECH e-Handbook, 7.2.3.1; Box 1953 for what it costs where values are not normal.
///
/// ```
/// # use byzlab_analysis::statistics::{Moments, deviation_interval};
/// let sample: Moments = [1.0, 2.0, 3.0, 4.0, 5.0].into_iter().collect();
/// let interval = deviation_interval(&sample, 0.95).unwrap();
/// assert!((interval.lower - 0.947_313).abs() < 1e-6 && (interval.upper - 4.543_490).abs() < 1e-6);
/// ```
pub fn deviation_interval(sample: &Moments, confidence: f64) -> Option<DeviationInterval> {
    let deviation = sample.standard_deviation()?;
    if !super::is_inside_unit(confidence) {
        return None;
    }
    let df = (sample.count() - 1) as f64;
    let tail = (1.0 - confidence) / 2.0;
    let lower = deviation * (df / chi_squared_quantile(1.0 - tail, df)?).sqrt();
    let upper = deviation * (df / chi_squared_quantile(tail, df)?).sqrt();
    (lower.is_finite() && upper.is_finite()).then_some(DeviationInterval { deviation, lower, upper })
}

/// The bootstrap interval of a standard deviation, for values of any distribution: [`bca`](super::bca), made fast.
///
/// It needs no normal distribution, but enough values to show their own tails: with fewer than about
/// 30 it is too narrow. The jackknife has a closed form: without x the sum of squares is M₂ − (x − m)² n/(n−1). `None` as
/// [`bca`](super::bca), so of fewer than three values.
///
/// ```
/// # use byzlab_analysis::statistics::{BcaConvention, bca_deviation};
/// let values: Vec<f64> = (0..40).map(|i| f64::from(i * i % 41)).collect();
/// let interval = bca_deviation(&values, 0.95, 2_000, 1, BcaConvention::Mid).unwrap();
/// assert!(interval.lower < interval.estimate && interval.estimate < interval.upper);
/// ```
pub fn bca_deviation(
    values: &[f64],
    confidence: f64,
    replicates: u32,
    seed: u64,
    convention: BcaConvention,
) -> Option<BcaInterval> {
    let deviation = |resample: &mut [f64]| resample.iter().copied().collect::<Moments>().standard_deviation();
    let sample: Moments = values.iter().copied().collect();
    let (mean, squares) = (sample.mean()?, sample.sum_of_squares()?);
    if values.len() < 3 {
        return None;
    }
    let n = values.len() as f64;
    let without = |value: &f64| {
        let rest = squares - (value - mean) * (value - mean) * (n / (n - 1.0));
        // Rounding may leave less than nothing where all others are equal.
        (rest.max(0.0) / (n - 2.0)).sqrt()
    };
    let jackknife: Vec<f64> = values.iter().map(without).collect();
    let known = (sample.standard_deviation()?, acceleration(&jackknife)?);
    bca_of_resamples(values, deviation, known, confidence, (replicates, seed), convention)
}
