//! Shares: how many of the runs.

use super::distributions::normal_quantile;

/// A share with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proportion {
    /// Successes divided by trials.
    pub estimate: f64,
    /// Lower end, at least 0.
    pub lower: f64,
    /// Upper end, at most 1.
    pub upper: f64,
}

/// The Wilson score interval of a share.
///
/// Formula: (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n). Unlike p̂ ± z·s it is neither empty
/// nor outside 0..1 when all or none succeed. `None` without trials, with more successes than
/// trials, or unless 0 < `confidence` < 1.
///
/// Source: Wilson 1927; Brown, Cai & `DasGupta` 2001.
///
/// ```
/// # use byzlab_analysis::statistics::wilson;
/// let share = wilson(0, 10, 0.95).unwrap();
/// assert_eq!((share.estimate, share.lower), (0.0, 0.0));
/// assert!((share.upper - 0.277_532_8).abs() < 1e-7);
/// ```
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Option<Proportion> {
    if trials == 0 || successes > trials || !super::is_inside_unit(confidence) {
        return None;
    }
    let z = normal_quantile(0.5 + confidence / 2.0)?;
    let n = trials as f64;
    let estimate = successes as f64 / n;
    let z2 = z * z;
    let center = estimate + z2 / (2.0 * n);
    let spread = z * (estimate * (1.0 - estimate) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula gives 0 and 1 up to rounding.
    let lower = if successes == 0 { 0.0 } else { (center - spread) / scale };
    let upper = if successes == trials { 1.0 } else { (center + spread) / scale };
    Some(Proportion { estimate, lower, upper })
}
