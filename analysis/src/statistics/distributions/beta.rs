//! The beta distribution, by its regularised incomplete beta function.

use std::f64::consts::PI;

use super::continued_fraction::continued_fraction;
use super::inversion::root;
use super::normal::normal_quantile;
use super::saddle_point::{deviance, ln_root, stirling_error};
use crate::statistics::is_inside_unit;

/// P(X ≤ x) for X ~ Beta(a, b): the regularised incomplete beta function Iₓ(a, b).
///
/// Formula: Iₓ(a, b) = xᵃ(1−x)ᵇ / B(a, b) divided by a continued fraction, for the tail that x lies in;
/// the other is its complement. Ten digits for a, b from ½ to 10⁹ and far into the tails; that
/// takes a few thousand terms at most. `None` unless 0 ≤ x ≤ 1, a and b are positive and a + b is at most
/// 2⁵³, up to where an `f64` counts.
///
/// Source: Didonato & Morris 1992, *Algorithm 708*, there BFRAC; Loader 2000 for the factor.
///
/// ```
/// # use byzlab_analysis::statistics::beta_cdf;
/// assert!((beta_cdf(0.5, 2.0, 3.0).unwrap() - 0.6875).abs() < 1e-15);
/// ```
pub fn beta_cdf(x: f64, a: f64, b: f64) -> Option<f64> {
    Some(BetaTails::at(x, 1.0 - x, a, b)?.lower)
}

/// The p-quantile of Beta(a, b).
///
/// A quantile below 10⁻³⁰⁸ is 0. `None` unless 0 < p < 1, and of parameters as there.
/// Source: Newton's method in ln x on [`beta_cdf`], bracketed.
///
/// ```
/// # use byzlab_analysis::statistics::beta_quantile;
/// assert!((beta_quantile(0.6875, 2.0, 3.0).unwrap() - 0.5).abs() < 1e-15);
/// ```
pub fn beta_quantile(p: f64, a: f64, b: f64) -> Option<f64> {
    if !is_inside_unit(p) {
        return None;
    }
    Some(split_at(p, 1.0 - p, a, b)?.0)
}

/// The x that Beta(a, b) exceeds with probability q, without the rounding of 1 − q; `None` as for
/// [`beta_quantile`].
pub(in crate::statistics) fn beta_upper_quantile(q: f64, a: f64, b: f64) -> Option<f64> {
    if !is_inside_unit(q) {
        return None;
    }
    split_at(1.0 - q, q, a, b).map(|(x, _)| x)
}

/// The x with lower tail p and upper tail q = 1 − p, and 1 − x: the smaller of both with all digits.
pub(super) fn split_at(p: f64, q: f64, a: f64, b: f64) -> Option<(f64, f64)> {
    if p <= BetaTails::at(0.5, 0.5, a, b)?.lower {
        lower_half_quantile(p, q, a, b).map(|x| (x, 1.0 - x))
    } else {
        lower_half_quantile(q, p, b, a).map(|y| (1.0 - y, y))
    }
}

/// The p-quantile where it is at most ½.
fn lower_half_quantile(p: f64, q: f64, a: f64, b: f64) -> Option<f64> {
    let least = f64::MIN_POSITIVE;
    if p == 0.0 || BetaTails::at(least, 1.0, a, b)?.lower >= p {
        return Some(0.0);
    }
    let mean = a / (a + b);
    let deviation = (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
    let start = mean + normal_quantile(p).unwrap_or(0.0) * deviation;
    root(least, 0.5_f64.next_up(), start, |x| {
        let tails = BetaTails::at(x, 1.0 - x, a, b)?;
        let slope = tails.factor / (1.0 - x);
        // Of both equations take the one whose tail is the smaller: it has more digits.
        Some(if p <= q {
            (libm::log(tails.lower / p), slope / tails.lower)
        } else {
            (libm::log(q / tails.upper), slope / tails.upper)
        })
    })
}

/// The greatest a + b: 2⁵³.
const MOST: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;

/// Both tails of a beta distribution at one point.
pub(super) struct BetaTails {
    /// P(X ≤ x).
    pub(super) lower: f64,
    /// P(X > x).
    pub(super) upper: f64,
    /// xᵃ yᵇ / B(a, b): the density times x y.
    factor: f64,
}

impl BetaTails {
    /// At x, given y = 1 − x as well: whichever is small has digits that the other lost.
    pub(super) fn at(x: f64, y: f64, a: f64, b: f64) -> Option<Self> {
        let sum = a + b;
        let defined = a >= f64::MIN_POSITIVE && b >= f64::MIN_POSITIVE && sum <= MOST;
        if !defined || !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) {
            return None;
        }
        if x == 0.0 || y == 0.0 {
            return Some(Self { lower: f64::from(y == 0.0), upper: f64::from(x == 0.0), factor: 0.0 });
        }
        // a − (a+b) x, rounded once.
        let excess = if x <= y { (-sum).mul_add(x, a) } else { sum.mul_add(y, -b) };
        let exponent = stirling_error(sum)
            - stirling_error(a)
            - stirling_error(b)
            - deviance(a, sum * x, excess)
            - deviance(b, sum * y, -excess);
        let factor = libm::exp(exponent + ln_root(a) + ln_root(b) - ln_root(sum)) / (2.0 * PI);
        Some(if x <= (a + 1.0) / (sum + 2.0) {
            let lower = (factor / fraction(a, b, x, excess)?).clamp(0.0, 1.0);
            Self { lower, upper: 1.0 - lower, factor }
        } else {
            let upper = (factor / fraction(b, a, y, -excess)?).clamp(0.0, 1.0);
            Self { lower: 1.0 - upper, upper, factor }
        })
    }
}

/// The continued fraction of Didonato & Morris at x; `excess` is a − (a+b) x.
///
/// Near the mean it takes about 4,400 terms at a = b = 5·10⁸, far from it less than 100.
fn fraction(a: f64, b: f64, x: f64, excess: f64) -> Option<f64> {
    continued_fraction(a * (excess + 1.0) / (a + 1.0), |m| {
        let before = a + 2.0 * m - 1.0;
        let numerator = (m * (a + m - 1.0) / before) * ((a + b + m - 1.0) / before) * (b - m) * x * x;
        let denominator = m + m * (b - m) * x / before + (a + m) * (excess + 1.0 + m * (2.0 - x)) / (a + 2.0 * m + 1.0);
        (numerator, denominator)
    })
}
