//! Ratios: how many times as much.

use super::distributions::student_t_quantile;
use super::moments::Moments;

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioInterval {
    /// The ratio of both estimates.
    pub ratio: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Degrees of freedom of the t quantile.
    pub degrees_of_freedom: f64,
}

/// Fieller's interval for the ratio of the means of two independent samples.
///
/// Formula: all θ with (m₁ − θm₂)² ≤ t² (s₁²/n₁ + θ²s₂²/n₂), where t has Welch's degrees of freedom at the
/// estimated ratio. It assumes means that are about normal. `None` of fewer than two values on one
/// side, unless 0 < `confidence` < 1, and where the interval of the denominator covers 0: then the
/// ratio is bounded on no side, or on one.
///
/// Source: Fieller 1954; Tamhane & Logan 2004 for the degrees of freedom.
///
/// ```
/// # use byzlab_analysis::statistics::{Moments, ratio_of_means};
/// let slow: Moments = [20.0, 22.0, 21.0, 19.0].into_iter().collect();
/// let fast: Moments = [10.0, 11.0, 9.0, 10.0].into_iter().collect();
/// let ratio = ratio_of_means(&slow, &fast, 0.95).unwrap();
/// assert!((ratio.ratio - 2.05).abs() < 1e-12 && ratio.lower > 1.7 && ratio.upper < 2.4);
/// let around_zero: Moments = [-1.0, 1.0, 0.5].into_iter().collect();
/// assert_eq!(ratio_of_means(&slow, &around_zero, 0.95), None);
/// ```
pub fn ratio_of_means(numerator: &Moments, denominator: &Moments, confidence: f64) -> Option<RatioInterval> {
    let scale = denominator.mean()?;
    let ratio = numerator.mean()? / scale;
    // Squared standard errors in units of the denominator's mean.
    let squared = |sample: &Moments| Some(sample.variance()? / sample.count() as f64 / scale / scale);
    let (first, second) = (squared(numerator)?, squared(denominator)?);
    let df = welch_degrees_of_freedom(first, numerator.count(), ratio * ratio * second, denominator.count())?;
    fieller(ratio, first, second, 0.0, df, confidence)
}

/// Fieller's interval for the ratio of the means of pairs (numerator, denominator).
///
/// As [`ratio_of_means`], with the covariance of both and n − 1 degrees of freedom: pairs that share
/// their chance (common random numbers) have a narrower interval. `None` as there.
///
/// Source: Fieller 1954.
///
/// ```
/// # use byzlab_analysis::statistics::ratio_of_paired_means;
/// let pairs = [(20.0, 10.0), (22.0, 11.1), (18.1, 9.0), (20.0, 9.9)];
/// let ratio = ratio_of_paired_means(&pairs, 0.95).unwrap();
/// assert!(ratio.lower > 1.97 && ratio.upper < 2.04);
/// ```
pub fn ratio_of_paired_means(pairs: &[(f64, f64)], confidence: f64) -> Option<RatioInterval> {
    let numerator: Moments = pairs.iter().map(|pair| pair.0).collect();
    let denominator: Moments = pairs.iter().map(|pair| pair.1).collect();
    let (scale, top) = (denominator.mean()?, numerator.mean()?);
    let n = pairs.len() as f64;
    let squared = |sample: &Moments| Some(sample.variance()? / n / scale / scale);
    let products: f64 = pairs.iter().map(|pair| (pair.0 - top) / scale * ((pair.1 - scale) / scale)).sum();
    let covariance = products / (n - 1.0) / n;
    fieller(top / scale, squared(&numerator)?, squared(&denominator)?, covariance, n - 1.0, confidence)
}

/// The roots of (r − θ)² = t² (e₁ − 2θc + θ²e₂), all in units of the denominator's mean.
fn fieller(
    ratio: f64,
    numerator: f64,
    denominator: f64,
    covariance: f64,
    degrees_of_freedom: f64,
    confidence: f64,
) -> Option<RatioInterval> {
    let t = student_t_quantile(level(confidence)?, degrees_of_freedom)?;
    let (first, second, both) = (t * t * numerator, t * t * denominator, t * t * covariance);
    let lead = 1.0 - second;
    if lead.is_nan() || lead <= 0.0 {
        return None;
    }
    // (r − c)² − (1 − e₂)(r² − e₁), multiplied out so that r² cancels.
    let discriminant = first * lead + second * ratio * ratio - 2.0 * ratio * both + both * both;
    let (center, spread) = ((ratio - both) / lead, discriminant.max(0.0).sqrt() / lead);
    interval(ratio, center - spread, center + spread, degrees_of_freedom)
}

/// The ratio of the geometric means of two independent samples of positive values.
///
/// Formula: Welch's interval for the difference of the means of the logarithms, raised to the power of e:
/// of values that are about log-normal, as times and rates often are, also the ratio of the medians.
/// `None` of fewer than two values on one side, of a value that is not positive and finite, or
/// unless 0 < `confidence` < 1.
///
/// Source: Welch 1947; Bland & Altman 1996.
///
/// ```
/// # use byzlab_analysis::statistics::ratio_of_geometric_means;
/// let ratio = ratio_of_geometric_means(&[2.0, 8.0], &[1.0, 4.0], 0.95).unwrap();
/// assert!((ratio.ratio - 2.0).abs() < 1e-12);
/// assert_eq!(ratio_of_geometric_means(&[2.0, 0.0], &[1.0, 4.0], 0.95), None);
/// ```
pub fn ratio_of_geometric_means(numerator: &[f64], denominator: &[f64], confidence: f64) -> Option<RatioInterval> {
    let logarithms = |values: &[f64]| {
        let usable = values.iter().all(|&value| value > 0.0 && value.is_finite());
        usable.then(|| values.iter().map(|&value| libm::log(value)).collect::<Moments>())
    };
    let (first, second) = (logarithms(numerator)?, logarithms(denominator)?);
    let difference = first.mean()? - second.mean()?;
    let squared = |sample: &Moments| Some(sample.variance()? / sample.count() as f64);
    let (above, below) = (squared(&first)?, squared(&second)?);
    let df = welch_degrees_of_freedom(above, first.count(), below, second.count())?;
    let half_width = student_t_quantile(level(confidence)?, df)? * (above + below).sqrt();
    interval(libm::exp(difference), libm::exp(difference - half_width), libm::exp(difference + half_width), df)
}

/// The level of the upper end.
fn level(confidence: f64) -> Option<f64> {
    super::is_inside_unit(confidence).then(|| 0.5 + confidence / 2.0)
}

fn interval(ratio: f64, lower: f64, upper: f64, degrees_of_freedom: f64) -> Option<RatioInterval> {
    let finite = ratio.is_finite() && lower.is_finite() && upper.is_finite();
    finite.then_some(RatioInterval { ratio, lower, upper, degrees_of_freedom })
}

/// Welch's degrees of freedom for the sum of two estimates with these squared standard errors.
///
/// Formula: (v₁ + v₂)² / (v₁²/(n₁−1) + v₂²/(n₂−1)); n₁ + n₂ − 2 where both are 0. `None` of fewer than two
/// values on one side. Source: Welch 1947; Satterthwaite 1946.
pub(super) fn welch_degrees_of_freedom(first: f64, n1: u64, second: f64, n2: u64) -> Option<f64> {
    let sum = first + second;
    if n1 < 2 || n2 < 2 || !sum.is_finite() {
        return None;
    }
    let (df1, df2) = ((n1 - 1) as f64, (n2 - 1) as f64);
    if sum == 0.0 {
        return Some(df1 + df2);
    }
    let (share1, share2) = (first / sum, second / sum);
    Some(1.0 / (share1 * share1 / df1 + share2 * share2 / df2))
}
