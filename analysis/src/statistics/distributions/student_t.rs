//! Student's t distribution.

use super::beta::{BetaTails, split_at};
use super::normal::{normal_quantile, normal_sf};
use crate::statistics::is_inside_unit;

/// Above this many degrees of freedom t is normal up to a correction of the order 1/ν, whose square
/// has no digit left; below, the beta distribution has them all.
const NORMAL_FROM: f64 = 1e12;

/// P(T ≤ t) of Student's t with `df` degrees of freedom (not necessarily whole).
///
/// Formula: for t < 0 half of [`student_t_two_sided`], for t > 0 its complement. `None` of NaN or unless
/// `df` > 0. Source: Abramowitz & Stegun 1964, 26.7.1 and 26.5.27.
///
/// ```
/// # use byzlab_analysis::statistics::student_t_cdf;
/// assert!((student_t_cdf(2.262_157_162_798_205, 9.0).unwrap() - 0.975).abs() < 1e-12);
/// assert_eq!(student_t_cdf(0.0, 9.0), Some(0.5));
/// ```
pub fn student_t_cdf(t: f64, df: f64) -> Option<f64> {
    let tail = student_t_two_sided(t, df)? / 2.0;
    Some(if t < 0.0 { tail } else { 1.0 - tail })
}

/// P(|T| > |t|) of Student's t with `df` degrees of freedom: the two-sided p-value.
///
/// Formula: Iₓ(ν/2, ½) with x = ν / (ν + t²), see [`beta_cdf`](super::beta_cdf): ten digits however
/// small. |t| from 10¹⁵⁰ √ν on counts as infinite. `None` of NaN or unless `df` > 0.
/// Source: Abramowitz & Stegun 1964, 26.7.1 and 26.5.27.
///
/// ```
/// # use byzlab_analysis::statistics::student_t_two_sided;
/// assert!((student_t_two_sided(1.0, 1.0).unwrap() - 0.5).abs() < 1e-15);
/// ```
pub fn student_t_two_sided(t: f64, df: f64) -> Option<f64> {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return None;
    }
    if df > NORMAL_FROM {
        let t = t.abs().min(1e3);
        return normal_sf(t - (t * t + 1.0) * t / (4.0 * df)).map(|tail| 2.0 * tail);
    }
    let ratio = (t / df.sqrt()).abs();
    let (x, y) = if ratio < 1.0 {
        let square = ratio * ratio;
        (1.0 / (1.0 + square), square / (1.0 + square))
    } else {
        let square = (1.0 / ratio) * (1.0 / ratio);
        (square / (1.0 + square), 1.0 / (1.0 + square))
    };
    Some(BetaTails::at(x, y, df / 2.0, 0.5)?.lower)
}

/// The p-quantile of Student's t with `df` degrees of freedom (not necessarily whole).
///
/// Formula: t = √(ν (1−x)/x), where Iₓ(ν/2, ½) = 2 min(p, 1−p). Ten digits for 1 to 10⁹ degrees of
/// freedom and beyond. `None` unless 0 < p < 1 and `df` > 0, or if the quantile is too large for an
/// `f64` (`df` far below 1). Source: Abramowitz & Stegun 1964, 26.7.1 and 26.5.27.
///
/// ```
/// # use byzlab_analysis::statistics::student_t_quantile;
/// let t = student_t_quantile(0.975, 9.0).unwrap();
/// assert!((t - 2.262_157_162_798_205).abs() < 1e-12);
/// ```
pub fn student_t_quantile(p: f64, df: f64) -> Option<f64> {
    if !is_inside_unit(p) || df.is_nan() || df <= 0.0 {
        return None;
    }
    if df > NORMAL_FROM {
        let z = normal_quantile(p)?;
        return Some(z + (z * z + 1.0) * z / (4.0 * df));
    }
    let both_tails = 2.0 * p.min(1.0 - p);
    let (x, y) = split_at(both_tails, 1.0 - both_tails, df / 2.0, 0.5)?;
    let t = df.sqrt() * (y.sqrt() / x.sqrt());
    t.is_finite().then_some(if p < 0.5 { -t } else { t })
}
