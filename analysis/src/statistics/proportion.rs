//! Shares: how many of the runs.

use super::distributions::{beta_quantile, beta_upper_quantile, normal_quantile};

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
    let estimate = share(successes, trials, confidence)?;
    let z = normal_quantile(0.5 + confidence / 2.0)?;
    let n = trials as f64;
    let z2 = z * z;
    let center = estimate + z2 / (2.0 * n);
    let spread = z * (estimate * (1.0 - estimate) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // The share lies inside, and at the ends the formula gives 0 and 1, up to rounding.
    let lower = if successes == 0 { 0.0 } else { ((center - spread) / scale).clamp(0.0, estimate) };
    let upper = if successes == trials { 1.0 } else { ((center + spread) / scale).clamp(estimate, 1.0) };
    Some(Proportion { estimate, lower, upper })
}

/// The Clopper–Pearson interval of a share: it covers at least what it says, whatever the share.
///
/// Formula: the α/2-quantile of Beta(k, n−k+1) and the (1−α/2)-quantile of Beta(k+1, n−k): the shares at
/// which k or more, and k or fewer, successes have the probability α/2. It is wider than
/// [`wilson`]. `None` as there, and above 2⁵³ trials.
///
/// Source: Clopper & Pearson 1934.
///
/// ```
/// # use byzlab_analysis::statistics::clopper_pearson;
/// let share = clopper_pearson(0, 10, 0.95).unwrap();
/// assert_eq!(share.lower, 0.0);
/// assert!((share.upper - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-14);
/// ```
pub fn clopper_pearson(successes: u64, trials: u64, confidence: f64) -> Option<Proportion> {
    let estimate = share(successes, trials, confidence)?;
    let tail = (1.0 - confidence) / 2.0;
    let (hits, misses) = (successes as f64, (trials - successes) as f64);
    let lower = if successes == 0 { 0.0 } else { beta_quantile(tail, hits, misses + 1.0)? };
    let upper = if successes == trials { 1.0 } else { beta_upper_quantile(tail, hits + 1.0, misses)? };
    Some(Proportion { estimate, lower, upper })
}

/// The Jeffreys interval of a share: equal tails of its posterior under the prior Beta(½, ½).
///
/// Formula: the α/2- and the (1−α/2)-quantile of Beta(k+½, n−k+½); the lower end is 0 where none succeed, the
/// upper 1 where all do. `None` as for [`clopper_pearson`].
///
/// Source: Brown, Cai & `DasGupta` 2001.
///
/// ```
/// # use byzlab_analysis::statistics::jeffreys;
/// let share = jeffreys(0, 10, 0.95).unwrap();
/// assert_eq!(share.lower, 0.0);
/// assert!((share.upper - 0.217_196_3).abs() < 1e-7);
/// ```
pub fn jeffreys(successes: u64, trials: u64, confidence: f64) -> Option<Proportion> {
    let estimate = share(successes, trials, confidence)?;
    let tail = (1.0 - confidence) / 2.0;
    let (a, b) = (successes as f64 + 0.5, (trials - successes) as f64 + 0.5);
    let lower = if successes == 0 { 0.0 } else { beta_quantile(tail, a, b)? };
    let upper = if successes == trials { 1.0 } else { beta_upper_quantile(tail, a, b)? };
    Some(Proportion { estimate, lower, upper })
}

/// The Agresti–Coull interval of a share: Wald's about the center of [`wilson`], cut at 0 and 1.
///
/// Formula: ñ = n + z², p̃ = (k + z²/2)/ñ, p̃ ± z √(p̃(1−p̃)/ñ). It contains the Wilson interval. `None` as
/// there.
///
/// Source: Agresti & Coull 1998.
///
/// ```
/// # use byzlab_analysis::statistics::agresti_coull;
/// let share = agresti_coull(0, 10, 0.95).unwrap();
/// assert!((share.upper - 0.320_887_3).abs() < 1e-7);
/// ```
pub fn agresti_coull(successes: u64, trials: u64, confidence: f64) -> Option<Proportion> {
    let estimate = share(successes, trials, confidence)?;
    let z = normal_quantile(0.5 + confidence / 2.0)?;
    let n = trials as f64 + z * z;
    let center = (successes as f64 + z * z / 2.0) / n;
    let spread = z * (center * (1.0 - center) / n).sqrt();
    Some(Proportion {
        estimate,
        lower: (center - spread).clamp(0.0, estimate),
        upper: (center + spread).clamp(estimate, 1.0),
    })
}

/// The upper bound of a probability of failure when no trial failed: one-sided Clopper–Pearson.
///
/// Formula: 1 − α^(1/n), the probability at which n trials without failure have the probability α. `None`
/// without trials or unless 0 < `confidence` < 1. Source: Clopper & Pearson 1934; Hanley &
/// Lippman-Hand 1983.
///
/// ```
/// # use byzlab_analysis::statistics::{rule_of_three, upper_bound_of_no_failures};
/// let bound = upper_bound_of_no_failures(1_000, 0.95).unwrap();
/// assert!((bound - 0.002_991_25).abs() < 1e-8);
/// assert_eq!(rule_of_three(1_000), Some(0.003));
/// ```
pub fn upper_bound_of_no_failures(trials: u64, confidence: f64) -> Option<f64> {
    share(0, trials, confidence)?;
    Some(-libm::expm1(libm::log1p(-confidence) / trials as f64))
}

/// The rule of three: about [`upper_bound_of_no_failures`] at a confidence of 0.95, for use by heart.
///
/// Formula: 3/n, at most 1, as −ln 0.05 ≈ 3; it is a little above the exact bound. `None` without trials.
/// Source: Hanley & Lippman-Hand 1983.
///
/// ```
/// # use byzlab_analysis::statistics::rule_of_three;
/// assert_eq!(rule_of_three(300), Some(0.01));
/// ```
pub fn rule_of_three(trials: u64) -> Option<f64> {
    (trials > 0).then(|| (3.0 / trials as f64).min(1.0))
}

/// Successes divided by trials, where an interval for it is defined.
fn share(successes: u64, trials: u64, confidence: f64) -> Option<f64> {
    let defined = trials > 0 && successes <= trials && super::is_inside_unit(confidence);
    defined.then(|| successes as f64 / trials as f64)
}
