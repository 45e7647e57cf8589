//! Does each value depend on the one before it?

use super::autocovariance::Deviations;
use crate::statistics::{chi_squared_sf, normal_sf};

/// A test of the hypothesis that nothing is correlated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutocorrelationTest {
    /// The statistic.
    pub statistic: f64,
    /// The probability of one at least so large if the hypothesis holds.
    pub p: f64,
}

/// Von Neumann's test for correlation of neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VonNeumann {
    /// C, close to the lag-1 autocorrelation.
    pub c: f64,
    /// C divided by its standard deviation.
    pub z: f64,
    /// One-sided: the probability of such a positive correlation, or more, if there is none.
    pub p_positive: f64,
}

/// The autocorrelation at a lag, rₖ = Σ dₜdₜ₊ₖ / Σ dₜ², with d the deviations from the mean.
///
/// `None` unless all values are finite and not all equal, and unless `lag` is less than their number.
/// Source: Box, Jenkins & Reinsel 2008, section 2.1.
///
/// ```
/// # use byzlab_analysis::statistics::autocorrelation;
/// assert_eq!(autocorrelation(&[10_000_001.0, 10_000_003.0, 10_000_002.0], 1), Some(-0.5)); // NIST NumAcc1
/// assert_eq!(autocorrelation(&[5.0, 5.0, 5.0], 1), None);
/// ```
pub fn autocorrelation(values: &[f64], lag: usize) -> Option<f64> {
    let deviations = Deviations::new(values).filter(|deviations| lag < deviations.len())?;
    let scale = deviations.products(0);
    (scale > 0.0).then(|| deviations.products(lag) / scale)
}

/// Bartlett's test statistic for the lag-1 autocorrelation, z = r₁√n: standard normal if nothing is correlated.
///
/// `None` where [`autocorrelation`] is. Source: Bartlett 1946.
///
/// ```
/// # use byzlab_analysis::statistics::bartlett_z;
/// let alternating: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
/// assert!((bartlett_z(&alternating).unwrap() + 9.9).abs() < 1e-12); // r₁ = −0.99
/// ```
pub fn bartlett_z(values: &[f64]) -> Option<f64> {
    Some(autocorrelation(values, 1)? * (values.len() as f64).sqrt())
}

/// The test of Ljung & Box: are all the first `lags` autocorrelations zero?
///
/// Formula: Q = n(n+2) Σ rₖ²/(n−k), χ² with `lags` degrees of freedom if so. `None` unless all values are finite and
/// not all equal, and 1 ≤ `lags` < n. Source: Ljung & Box 1978.
///
/// ```
/// # use byzlab_analysis::statistics::ljung_box;
/// let test = ljung_box(&[1.0, 2.0, 3.0, 4.0, 5.0], 1).unwrap(); // r₁ = 0.4
/// assert!((test.statistic - 1.4).abs() < 1e-12);
/// assert!((test.p - 0.236_723_570_6).abs() < 1e-9);
/// ```
pub fn ljung_box(values: &[f64], lags: usize) -> Option<AutocorrelationTest> {
    let deviations = Deviations::new(values).filter(|deviations| (1..deviations.len()).contains(&lags))?;
    let n = values.len() as f64;
    let scale = deviations.products(0);
    if scale <= 0.0 {
        return None;
    }
    let terms = deviations.all_products().zip(0..).skip(1).take(lags);
    let sum: f64 = terms.map(|(product, lag)| (product / scale).powi(2) / (n - f64::from(lag))).sum();
    let statistic = n * (n + 2.0) * sum;
    Some(AutocorrelationTest { statistic, p: chi_squared_sf(statistic, lags as f64)? })
}

/// Von Neumann's test: are neighbours positively correlated?
///
/// Formula: C = 1 − Σ(xₜ₊₁−xₜ)² / 2Σdₜ², z = C/√((n−2)/(n²−1)), normal from about 8 values on. It is the test to judge
/// batch means by. `None` of fewer than three values, or unless all are finite and not all equal.
///
/// Sources: von Neumann 1941; Fishman 1978, *Grouping Observations in Digital Simulation*.
///
/// ```
/// # use byzlab_analysis::statistics::von_neumann;
/// let rising: Vec<f64> = (0..10).map(f64::from).collect();
/// let test = von_neumann(&rising).unwrap();
/// assert!((test.c - (1.0 - 9.0 / 165.0)).abs() < 1e-12);
/// assert!(test.p_positive < 0.001);
/// ```
pub fn von_neumann(values: &[f64]) -> Option<VonNeumann> {
    let deviations = Deviations::new(values).filter(|deviations| deviations.len() > 2)?;
    let n = values.len() as f64;
    let scale = deviations.products(0);
    if scale <= 0.0 {
        return None;
    }
    let jumps: f64 = deviations.as_slice().windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let c = 1.0 - jumps / (2.0 * scale);
    let z = c / ((n - 2.0) / (n * n - 1.0)).sqrt();
    Some(VonNeumann { c, z, p_positive: normal_sf(z)? })
}
