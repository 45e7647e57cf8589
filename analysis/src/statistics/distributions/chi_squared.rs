//! The χ² distribution, by the regularised incomplete gamma functions.

use std::f64::consts::PI;

use super::continued_fraction::continued_fraction;
use super::inversion::root;
use super::normal::normal_quantile;
use super::saddle_point::{deviance, ln_root, stirling_error};
use crate::statistics::is_inside_unit;

/// P(X > x) for X ~ χ² with `df` degrees of freedom: the p-value of a χ² test.
///
/// Formula: Q(ν/2, x/2) = 1 − P(ν/2, x/2); a continued fraction above the mean, the power series below
/// it. Ten digits however small. `None` of NaN, of x < 0, or unless 0 < `df` ≤ 10¹² (beyond, the
/// expansions take too long).
///
/// Source: Abramowitz & Stegun 1964, 6.5.29, 6.5.31 and 26.4.19.
///
/// ```
/// # use byzlab_analysis::statistics::chi_squared_sf;
/// // With two degrees of freedom it is exponential.
/// assert!((chi_squared_sf(1.0, 2.0).unwrap() - (-0.5_f64).exp()).abs() < 1e-15);
/// ```
pub fn chi_squared_sf(x: f64, df: f64) -> Option<f64> {
    Some(GammaTails::at(x / 2.0, df / 2.0)?.upper)
}

/// The p-quantile of χ² with `df` degrees of freedom.
///
/// A quantile below 10⁻³⁰⁸ is 0. `None` unless 0 < p < 1 and 0 < `df` ≤ 10¹².
/// Source: Newton's method in ln x on [`chi_squared_sf`], bracketed, from the approximation of Wilson &
/// Hilferty 1931.
///
/// ```
/// # use byzlab_analysis::statistics::chi_squared_quantile;
/// assert!((chi_squared_quantile(0.95, 10.0).unwrap() - 18.307_038_053_275_146).abs() < 1e-12);
/// ```
pub fn chi_squared_quantile(p: f64, df: f64) -> Option<f64> {
    if !is_inside_unit(p) {
        return None;
    }
    let shape = df / 2.0;
    let least = f64::MIN_POSITIVE;
    if GammaTails::at(least, shape)?.lower >= p {
        return Some(0.0);
    }
    let ninth = 2.0 / (9.0 * df);
    let cube_root = 1.0 - ninth + normal_quantile(p)? * ninth.sqrt();
    let start = shape * cube_root * cube_root * cube_root;
    let x = root(least, f64::MAX, start, |x| {
        let tails = GammaTails::at(x, shape)?;
        Some(if p <= 0.5 {
            (libm::log(tails.lower / p), tails.factor / tails.lower)
        } else {
            (libm::log((1.0 - p) / tails.upper), tails.factor / tails.upper)
        })
    })?;
    Some(2.0 * x)
}

/// Both tails of a gamma distribution with rate 1 at one point.
struct GammaTails {
    /// P(X ≤ x).
    lower: f64,
    /// P(X > x).
    upper: f64,
    /// xᵃ e⁻ˣ / Γ(a): the density times x.
    factor: f64,
}

impl GammaTails {
    fn at(x: f64, shape: f64) -> Option<Self> {
        if x.is_nan() || x < 0.0 || !(f64::MIN_POSITIVE..=0.5e12).contains(&shape) {
            return None;
        }
        if x == 0.0 || x.is_infinite() {
            return Some(Self { lower: f64::from(x > 0.0), upper: f64::from(x == 0.0), factor: 0.0 });
        }
        let exponent = ln_root(shape) - stirling_error(shape) - deviance(shape, x, shape - x);
        let factor = libm::exp(exponent) / (2.0 * PI);
        Some(if x < shape + 1.0 {
            let lower = (factor * series(x, shape)?).min(1.0);
            Self { lower, upper: 1.0 - lower, factor }
        } else {
            let upper = (factor / fraction(x, shape)?).min(1.0);
            Self { lower: 1.0 - upper, upper, factor }
        })
    }
}

/// Σ xⁿ / (a (a+1) … (a+n)): the lower tail divided by the factor.
///
/// Its terms fall like a normal density of standard deviation √a: at 10¹² degrees of freedom about six
/// million count. `None` after ten million.
fn series(x: f64, shape: f64) -> Option<f64> {
    let mut term = 1.0 / shape;
    let mut sum = term;
    for n in 1..10_000_000 {
        term *= x / (shape + f64::from(n));
        sum += term;
        if term <= sum * 1e-17 {
            return Some(sum);
        }
    }
    None
}

/// The factor divided by the upper tail.
fn fraction(x: f64, shape: f64) -> Option<f64> {
    continued_fraction(x - shape + 1.0, |m| (m * (shape - m), x - shape + 1.0 + 2.0 * m))
}
