//! The binomial distribution.

use std::f64::consts::PI;

use super::beta::BetaTails;
use super::saddle_point::{deviance, stirling_error};
use crate::statistics::is_inside_unit;

/// P(X = k) for X ~ Binomial(n, p); `None` unless 0 ≤ p ≤ 1.
///
/// By Loader's saddle-point expansion it keeps full precision where a difference of log-gammas loses
/// it (n = 10⁹ costs those 10 digits).
///
/// Source: Loader 2000, *Fast and Accurate Computation of Binomial Probabilities*.
///
/// ```
/// # use byzlab_analysis::statistics::binomial_pmf;
/// assert!((binomial_pmf(2, 4, 0.5).unwrap() - 0.375).abs() < 1e-14);
/// ```
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k > n {
        return Some(0.0);
    }
    let (hits, misses, size) = (k as f64, (n - k) as f64, n as f64);
    if n == 0 {
        return Some(1.0);
    }
    if k == 0 {
        return Some(libm::exp(size * libm::log1p(-p)));
    }
    if k == n {
        return Some(libm::exp(size * libm::log(p)));
    }
    if !is_inside_unit(p) {
        return Some(0.0);
    }
    let excess = (-size).mul_add(p, hits);
    let exponent = stirling_error(size)
        - stirling_error(hits)
        - stirling_error(misses)
        - deviance(hits, size * p, excess)
        - deviance(misses, size * (1.0 - p), -excess);
    Some(libm::exp(exponent) * (size / (2.0 * PI * hits * misses)).sqrt())
}

/// P(X ≤ k) for X ~ Binomial(n, p), to ten digits also for n = 10⁹; `None` unless 0 ≤ p ≤ 1, or
/// if n is above 2⁵³.
///
/// Formula: Iq(n−k, k+1) with q = 1 − p, see [`beta_cdf`](super::beta_cdf).
/// Source: Abramowitz & Stegun 1964, 26.5.24.
///
/// ```
/// # use byzlab_analysis::statistics::binomial_cdf;
/// assert!((binomial_cdf(1, 10, 0.5).unwrap() - 11.0 / 1024.0).abs() < 1e-15);
/// ```
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k >= n {
        return Some(1.0);
    }
    Some(BetaTails::at(1.0 - p, p, (n - k) as f64, k as f64 + 1.0)?.lower)
}

/// P(X > k) for X ~ Binomial(n, p), without the cancellation of `1 - binomial_cdf`; `None` as there.
///
/// ```
/// # use byzlab_analysis::statistics::binomial_sf;
/// assert!((binomial_sf(9, 10, 0.5).unwrap() - 1.0 / 1024.0).abs() < 1e-16);
/// ```
pub fn binomial_sf(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k >= n {
        return Some(0.0);
    }
    Some(BetaTails::at(1.0 - p, p, (n - k) as f64, k as f64 + 1.0)?.upper)
}
