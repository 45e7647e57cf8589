//! Two shares: how far apart they are, and whether they differ.

use super::distributions::binomial_pmf;
use super::proportion::wilson;

/// The difference of two shares with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProportionDifference {
    /// The first share minus the second.
    pub difference: f64,
    /// Lower end, at least −1.
    pub lower: f64,
    /// Upper end, at most 1.
    pub upper: f64,
}

/// Newcombe's hybrid score interval for the difference of two independent shares, k₁/n₁ − k₂/n₂.
///
/// Formula: with the [`wilson`] intervals (l₁, u₁) and (l₂, u₂), from d − √((p₁−l₁)² + (u₂−p₂)²) to
/// d + √((u₁−p₁)² + (p₂−l₂)²). `None` where one of these is.
///
/// Source: Newcombe 1998, method 10.
///
/// ```
/// # use byzlab_analysis::statistics::newcombe;
/// let change = newcombe(56, 70, 48, 80, 0.95).unwrap();
/// assert!((change.lower - 0.052_4).abs() < 1e-4 && (change.upper - 0.333_9).abs() < 1e-4);
/// ```
pub fn newcombe(k1: u64, n1: u64, k2: u64, n2: u64, confidence: f64) -> Option<ProportionDifference> {
    let first = wilson(k1, n1, confidence)?;
    let second = wilson(k2, n2, confidence)?;
    let difference = first.estimate - second.estimate;
    let below = libm::hypot(first.estimate - first.lower, second.upper - second.estimate);
    let above = libm::hypot(first.upper - first.estimate, second.estimate - second.lower);
    Some(ProportionDifference { difference, lower: difference - below, upper: difference + above })
}

/// Tables whose probabilities agree to this count as equally likely, as their computed values round.
const AS_LIKELY: f64 = 1.0 + 1e-7;

/// Fisher's exact test: the two-sided p-value of k₁/n₁ and k₂/n₂ being one share.
///
/// Formula: with both margins given k₁ is hypergeometric; the probabilities of all tables that are at
/// most as likely as this one are added. Good for n₁ + n₂ up to 10⁹ (it adds about √n terms). `None`
/// without trials on one side, with more successes than trials, or above 10¹² trials.
///
/// Source: Fisher 1935; Agresti 2002, section 3.5.
///
/// ```
/// # use byzlab_analysis::statistics::fisher_exact;
/// // The lady tasting tea: three of four cups right.
/// assert!((fisher_exact(3, 4, 1, 4).unwrap() - 34.0 / 70.0).abs() < 1e-12);
/// ```
pub fn fisher_exact(k1: u64, n1: u64, k2: u64, n2: u64) -> Option<f64> {
    if n1 == 0 || n2 == 0 || k1 > n1 || k2 > n2 || n1.checked_add(n2)? > 1_000_000_000_000 {
        return None;
    }
    let tables = Tables { n1, n2, hits: k1 + k2 };
    let (least, greatest) = (tables.hits.saturating_sub(n2), n1.min(tables.hits));
    let limit = tables.probability(k1)? * AS_LIKELY;
    let unlikely = |k: u64| tables.probability(k).is_some_and(|probability| probability <= limit);
    let mode = tables.mode().clamp(least, greatest);
    // Probabilities rise up to the mode and fall behind it: each tail ends where they pass the limit.
    let lower_end = partition(least, mode + 1, unlikely);
    let upper_start = partition(mode + 1, greatest + 1, |k| !unlikely(k));
    let lower = if lower_end > least { tables.sum_down(lower_end - 1, least)? } else { 0.0 };
    let upper = if upper_start <= greatest { tables.sum_up(upper_start, greatest)? } else { 0.0 };
    Some((lower + upper).min(1.0))
}

/// The first of `start..end` for which `holds` does not, given that it holds for those before; or `end`.
fn partition(start: u64, end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// All tables with these margins, told apart by the successes on the first side.
struct Tables {
    n1: u64,
    n2: u64,
    hits: u64,
}

impl Tables {
    /// Two binomial probabilities over a third: for every share the same, but this keeps all digits.
    fn probability(&self, k: u64) -> Option<f64> {
        let trials = self.n1 + self.n2;
        let share = self.hits as f64 / trials as f64;
        let split = binomial_pmf(k, self.n1, share)? * binomial_pmf(self.hits - k, self.n2, share)?;
        Some(split / binomial_pmf(self.hits, trials, share)?)
    }

    fn mode(&self) -> u64 {
        let product = (u128::from(self.n1) + 1) * (u128::from(self.hits) + 1);
        (product / (u128::from(self.n1) + u128::from(self.n2) + 2)) as u64
    }

    /// P(k + 1) / P(k).
    fn ratio(&self, k: u64) -> f64 {
        let up = (self.n1 - k) as f64 * (self.hits - k) as f64;
        // hits − k successes on the second side, so one of its misses fewer than n₂ − (hits − k) + 1.
        let down = (k + 1) as f64 * (self.n2 + k + 1 - self.hits) as f64;
        up / down
    }

    /// P(from) + P(from − 1) + … + P(least).
    fn sum_down(&self, from: u64, least: u64) -> Option<f64> {
        let (mut term, mut sum) = (1.0, 1.0);
        for k in (least..from).rev() {
            term /= self.ratio(k);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        Some(self.probability(from)? * sum)
    }

    /// P(from) + P(from + 1) + … + P(greatest).
    fn sum_up(&self, from: u64, greatest: u64) -> Option<f64> {
        let (mut term, mut sum) = (1.0, 1.0);
        for k in from..greatest {
            term *= self.ratio(k);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        Some(self.probability(from)? * sum)
    }
}
