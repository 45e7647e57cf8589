//! The standard normal distribution.

use std::f64::consts::SQRT_2;

use statrs::distribution::{ContinuousCDF, Normal};

/// P(Z ≤ x) of the standard normal distribution; `None` of NaN.
///
/// Formula: Φ(x) = erfc(−x/√2) / 2, which keeps its relative precision for x far below 0.
/// Source: Abramowitz & Stegun 1964, 26.2.29.
///
/// ```
/// # use byzlab_analysis::statistics::normal_cdf;
/// assert!((normal_cdf(1.959_963_984_540_054).unwrap() - 0.975).abs() < 1e-15);
/// assert!((normal_cdf(-30.0).unwrap() / 4.906_713_927_148_187e-198 - 1.0).abs() < 1e-12);
/// ```
pub fn normal_cdf(x: f64) -> Option<f64> {
    (!x.is_nan()).then(|| 0.5 * libm::erfc(-x / SQRT_2))
}

/// P(Z > x) of the standard normal distribution, without the cancellation of `1 - normal_cdf`; `None`
/// of NaN.
///
/// ```
/// # use byzlab_analysis::statistics::normal_sf;
/// assert!((normal_sf(30.0).unwrap() / 4.906_713_927_148_187e-198 - 1.0).abs() < 1e-12);
/// ```
pub fn normal_sf(x: f64) -> Option<f64> {
    normal_cdf(-x)
}

/// The p-quantile of the standard normal distribution; `None` unless 0 < p < 1.
///
/// ```
/// # use byzlab_analysis::statistics::normal_quantile;
/// let z = normal_quantile(0.975).unwrap();
/// assert!((z - 1.959_963_984_540_054).abs() < 1e-12);
/// ```
pub fn normal_quantile(p: f64) -> Option<f64> {
    crate::statistics::is_inside_unit(p).then(|| Normal::standard().inverse_cdf(p))
}
