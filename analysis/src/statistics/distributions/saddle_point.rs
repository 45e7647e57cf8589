//! The saddle-point form of binomial, beta and gamma densities.
//!
//! A factor like n! / (k! (n−k)!) pᵏ qⁿ⁻ᵏ by log-gammas is a difference of huge numbers: at n = 10⁹
//! it costs ten digits. Written with the error of Stirling's formula and with deviances, the huge
//! parts are gone before anything is computed.
//!
//! Source: Loader 2000, *Fast and Accurate Computation of Binomial Probabilities*.

use std::f64::consts::{LN_2, PI};

/// From here on the series below has all digits of an `f64`.
const STIRLING_SERIES_FROM: f64 = 16.0;

/// ln Γ(x+1) minus Stirling's formula (x + ½) ln x − x + ½ ln 2π, for x > 0.
pub(super) fn stirling_error(x: f64) -> f64 {
    if x < STIRLING_SERIES_FROM {
        // From ln Γ(x+2) = ln Γ(x+1) + ln(x+1), with the parts that cancel left out.
        return stirling_error(x + 1.0) + ((x + 0.5) * libm::log1p(1.0 / x) - 1.0);
    }
    let x2 = x * x;
    let series = 1.0 / 1680.0 - 1.0 / (1188.0 * x2);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - series / x2) / x2) / x2) / x
}

/// x ln(x/m) + m − x, given x − m, without cancellation where x is close to m.
pub(super) fn deviance(x: f64, m: f64, difference: f64) -> f64 {
    if difference.abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) - difference;
    }
    let v = difference / (x + m);
    let v2 = v * v;
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    for j in 1.. {
        power *= v2;
        let term = power / f64::from(2 * j + 1);
        sum += term;
        if term.abs() <= sum.abs() * 1e-17 {
            break;
        }
    }
    sum
}

/// ln √(2π x).
pub(super) fn ln_root(x: f64) -> f64 {
    0.5 * (LN_2 + libm::log(PI) + libm::log(x))
}
