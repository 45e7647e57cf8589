//! Quantiles, and their intervals between order statistics.

use super::distributions::{binomial_cdf, binomial_sf};

/// The p-quantile of sorted values: type 7 of Hyndman & Fan.
///
/// Formula: with h = (n−1)p, linear between the values at ⌊h⌋ and ⌊h⌋+1 (counted from 0); what R and
/// `NumPy` do by default. Values may be infinite: between a number and ∞ lies ∞. `None` without values,
/// unless 0 ≤ p ≤ 1, between −∞ and ∞, and where it meets NaN.
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
    let (low, weight) = (sorted[h.floor() as usize], h - h.floor());
    if weight == 0.0 {
        return Some(low).filter(|value| !value.is_nan());
    }
    let high = sorted[h.floor() as usize + 1];
    let distance = high - low;
    let value = if distance.is_finite() { low + weight * distance } else { (1.0 - weight) * low + weight * high };
    Some(value).filter(|value| !value.is_nan())
}

/// The p-quantile of sorted values: type 1 of Hyndman & Fan, the inverse of the empirical distribution.
///
/// Formula: the value of rank ⌈np⌉ (of rank 1 for p = 0): the least with at least the share p at or
/// below it. It is one of the values, so it is also defined where some are +∞. A product np within
/// four roundings of a whole number counts as that number. `None` without values, unless
/// 0 ≤ p ≤ 1, and where it meets NaN.
///
/// Source: Hyndman & Fan 1996.
///
/// ```
/// # use byzlab_analysis::statistics::quantile_type1;
/// assert_eq!(quantile_type1(&[1.0, 2.0, 4.0, f64::INFINITY], 0.75), Some(4.0));
/// assert_eq!(quantile_type1(&[1.0, 2.0, 4.0, f64::INFINITY], 0.76), Some(f64::INFINITY));
/// ```
pub fn quantile_type1(sorted: &[f64], p: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let exact = sorted.len() as f64 * p;
    let rank = (exact - 4.0 * f64::EPSILON * exact).ceil().max(1.0) as usize;
    Some(sorted[rank.min(sorted.len()) - 1]).filter(|value| !value.is_nan())
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
    ///
    /// ```
    /// # use byzlab_analysis::statistics::order_statistics;
    /// // Between the least and the greatest of six: all but two of 2⁶ ways to lie above or below the median.
    /// assert_eq!(order_statistics(6, 0.5, 0.95).unwrap().coverage(), 62.0 / 64.0);
    /// ```
    pub fn coverage(&self) -> f64 {
        1.0 - self.probability_below - self.probability_above
    }
}

/// The ranks of the equal-tailed order-statistic interval for the p-quantile of n values.
///
/// Formula: with F the distribution function of Binomial(n, p), the lower rank is the largest r with
/// F(r−1) ≤ α/2, the upper rank the smallest s with 1 − F(s−1) ≤ α/2. It assumes independent values
/// and nothing about their distribution. `None` unless 0 < p < 1 and 0 < `confidence` < 1, or if n is
/// above 2⁵³, where an `f64` no longer counts.
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
    if !super::is_inside_unit(p) || !super::is_inside_unit(confidence) || n > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let tail = tail(confidence);
    let below = |rank: u64| binomial_cdf(rank - 1, n, p);
    let above = |rank: u64| binomial_sf(rank - 1, n, p);
    // F rises: it holds for every rank up to r, and from s on.
    let lower_rank = first_rank(n, |rank| Some(below(rank)? > tail))? - 1;
    let upper_rank = first_rank(n, |rank| Some(above(rank)? <= tail))?;
    let lower_rank = (lower_rank > 0).then_some(lower_rank);
    let upper_rank = (upper_rank <= n).then_some(upper_rank);
    Some(OrderStatistics {
        lower_rank,
        upper_rank,
        probability_below: lower_rank.map_or(Some(0.0), below)?,
        probability_above: upper_rank.map_or(Some(0.0), above)?,
    })
}

/// α/2, with room for rounding: a probability that equals it in exact arithmetic is not above it.
fn tail(confidence: f64) -> f64 {
    (1.0 - confidence) / 2.0 * (1.0 + 1e-12)
}

/// The first rank of 1..=n for which `holds`, given that it then holds for all above; or n + 1.
fn first_rank(n: u64, holds: impl Fn(u64) -> Option<bool>) -> Option<u64> {
    let (mut low, mut high) = (1, n + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// The smallest sample for which both ends of the interval for the p-quantile exist.
///
/// Formula: the smallest n with max(p, 1−p)ⁿ ≤ α/2. `None` unless 0 < p < 1 and
/// 0 < `confidence` < 1, or if no sample is large enough to count. Source: Wilks 1941; Hahn & Meeker
/// 1991.
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
    min_n(p.min(1.0 - p), tail(confidence))
}

/// The smallest sample whose greatest value is an upper bound of the p-quantile with this confidence.
///
/// Formula: the smallest n with pⁿ ≤ α. For a lower bound by the least value take 1 − p. `None` unless
/// 0 < p < 1 and 0 < `confidence` < 1, or if no sample is large enough to count. Source: Wilks 1941;
/// Hahn & Meeker 1991.
///
/// ```
/// # use byzlab_analysis::statistics::quantile_min_n_one_sided;
/// assert_eq!(quantile_min_n_one_sided(0.99, 0.95), Some(299));
/// ```
pub fn quantile_min_n_one_sided(p: f64, confidence: f64) -> Option<u64> {
    if !super::is_inside_unit(p) || !super::is_inside_unit(confidence) {
        return None;
    }
    min_n(1.0 - p, 2.0 * tail(confidence))
}

/// The smallest n with (1 − `miss`)ⁿ ≤ `tail`.
fn min_n(miss: f64, tail: f64) -> Option<u64> {
    let logarithm = libm::log1p(-miss);
    let least = (libm::log(tail) / logarithm).floor().max(1.0);
    if least >= (1_u64 << f64::MANTISSA_DIGITS) as f64 {
        return None;
    }
    // The quotient rounds: the condition itself decides at the boundary.
    Some(if libm::exp(least * logarithm) <= tail { least as u64 } else { least as u64 + 1 })
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
