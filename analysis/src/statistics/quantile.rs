//! Quantiles, and their intervals between order statistics.

use super::distributions::{binomial_cdf, binomial_sf};

/// The p-quantile of sorted values: type 7 of Hyndman & Fan.
///
/// Formula: with h = (n−1)p, linear between the values at ⌊h⌋ and ⌊h⌋+1 (counted from 0); what R and
/// `NumPy` do by default. `None` without values or unless 0 ≤ p ≤ 1.
///
/// Source: Hyndman & Fan 1996.
///
/// ```
/// # use byzlab_analysis::statistics::quantile;
/// assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
/// ```
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let h = (sorted.len() - 1) as f64 * p;
    let below = h.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + (h - h.floor()) * (sorted[above] - sorted[below]))
}

/// Which order statistics bound a quantile, and with what probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderStatistics {
    /// Rank of the lower end, from 1; `None` where the sample is too small to bound it.
    pub lower_rank: Option<u64>,
    /// Rank of the upper end, from 1; `None` where the sample is too small to bound it.
    pub upper_rank: Option<u64>,
    /// Probability that the quantile lies below the lower end.
    pub probability_below: f64,
    /// Probability that the quantile lies above the upper end.
    pub probability_above: f64,
}

impl OrderStatistics {
    /// The actual coverage: at least the confidence asked for.
    pub fn coverage(&self) -> f64 {
        1.0 - self.probability_below - self.probability_above
    }
}

/// The ranks of the equal-tailed order-statistic interval for the p-quantile of n values.
///
/// Formula: with F the distribution function of Binomial(n, p), the lower rank is the largest r with
/// F(r−1) ≤ α/2, the upper rank the smallest s with 1 − F(s−1) ≤ α/2. It assumes independent values
/// and nothing about their distribution. `None` unless 0 < p < 1 and 0 < `confidence` < 1.
///
/// Source: Conover 1999, section 3.2; Hahn & Meeker 1991, chapter 5.
///
/// ```
/// # use byzlab_analysis::statistics::order_statistics;
/// let median = order_statistics(10, 0.5, 0.95).unwrap();
/// assert_eq!((median.lower_rank, median.upper_rank), (Some(2), Some(9)));
/// assert!((median.coverage() - 0.978_515_625).abs() < 1e-12);
/// ```
pub fn order_statistics(n: u64, p: f64, confidence: f64) -> Option<OrderStatistics> {
    if !super::is_inside_unit(p) || !super::is_inside_unit(confidence) {
        return None;
    }
    let tail = tail(confidence);
    // Both are given for every rank from 1, as 0 < p < 1.
    let below = |rank: u64| binomial_cdf(rank - 1, n, p).unwrap_or(1.0);
    let above = |rank: u64| binomial_sf(rank - 1, n, p).unwrap_or(1.0);
    // F rises: it holds for every rank up to r, and from s on.
    let lower_rank = Some(first_rank(n, |rank| below(rank) > tail) - 1).filter(|&rank| rank > 0);
    let upper_rank = Some(first_rank(n, |rank| above(rank) <= tail)).filter(|&rank| rank <= n);
    Some(OrderStatistics {
        lower_rank,
        upper_rank,
        probability_below: lower_rank.map_or(0.0, below),
        probability_above: upper_rank.map_or(0.0, above),
    })
}

/// α/2, with room for rounding: a probability that equals it in exact arithmetic is not above it.
fn tail(confidence: f64) -> f64 {
    (1.0 - confidence) / 2.0 * (1.0 + 1e-12)
}

/// The first rank of 1..=n for which `holds`, given that it then holds for all above; or n + 1.
fn first_rank(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (1, n + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The smallest sample for which both ends of the interval for the p-quantile exist.
///
/// Formula: the smallest n with max(p, 1−p)ⁿ ≤ α/2. `None` unless 0 < p < 1 and
/// 0 < `confidence` < 1. Source: Wilks 1941; Hahn & Meeker 1991.
///
/// ```
/// # use byzlab_analysis::statistics::quantile_min_n;
/// assert_eq!(quantile_min_n(0.5, 0.95), Some(6));
/// assert_eq!(quantile_min_n(0.99, 0.95), Some(368));
/// ```
pub fn quantile_min_n(p: f64, confidence: f64) -> Option<u64> {
    if !super::is_inside_unit(p) || !super::is_inside_unit(confidence) {
        return None;
    }
    let tail = tail(confidence);
    let heavier = p.max(1.0 - p);
    let least = (tail.ln() / heavier.ln()).floor().max(1.0);
    // Logarithms round: the condition itself decides at the boundary.
    Some(if heavier.powf(least) <= tail { least as u64 } else { least as u64 + 1 })
}

/// A quantile with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileInterval {
    /// The type-7 estimate.
    pub estimate: f64,
    /// Lower end; `None` where the sample is too small.
    pub lower: Option<f64>,
    /// Upper end; `None` where the sample is too small.
    pub upper: Option<f64>,
    /// The ranks of the ends.
    pub ranks: OrderStatistics,
}

/// The p-quantile of sorted values with its order-statistic interval, see [`quantile`] and
/// [`order_statistics`].
///
/// `None` without values, unless 0 < p < 1, or unless 0 < `confidence` < 1.
///
/// ```
/// # use byzlab_analysis::statistics::quantile_interval;
/// let values: Vec<f64> = (1..=10).map(f64::from).collect();
/// let median = quantile_interval(&values, 0.5, 0.95).unwrap();
/// assert_eq!((median.estimate, median.lower, median.upper), (5.5, Some(2.0), Some(9.0)));
/// let p99 = quantile_interval(&values, 0.99, 0.95).unwrap();
/// assert_eq!(p99.upper, None); // needs 368 values
/// ```
pub fn quantile_interval(sorted: &[f64], p: f64, confidence: f64) -> Option<QuantileInterval> {
    let estimate = quantile(sorted, p)?;
    let ranks = order_statistics(sorted.len() as u64, p, confidence)?;
    let at = |rank: Option<u64>| rank.map(|rank| sorted[rank as usize - 1]);
    Some(QuantileInterval { estimate, lower: at(ranks.lower_rank), upper: at(ranks.upper_rank), ranks })
}
