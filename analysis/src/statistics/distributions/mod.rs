//! Normal, Student t, beta, binomial and χ² distribution, right for samples from 1 to 10⁹.
//!
//! ```text
//! student_t ──┐
//! binomial ───┴─► beta ──┬─► continued_fraction  the lighter tail; the other is its complement
//! chi_squared ───────────┼─► saddle_point        the factor before it, without differences of log-gammas
//!                        └─► inversion           quantiles: Newton's method, bracketed
//! normal
//! ```
//!
//! Tails keep their relative precision: a p-value of 10⁻²⁰⁰ has its ten digits like one of 0.2.

mod beta;
mod binomial;
mod chi_squared;
mod continued_fraction;
mod inversion;
mod normal;
mod saddle_point;
mod student_t;

pub(super) use beta::beta_upper_quantile;
pub use beta::{beta_cdf, beta_quantile};
pub use binomial::{binomial_cdf, binomial_pmf, binomial_sf};
pub use chi_squared::{chi_squared_quantile, chi_squared_sf};
pub use normal::{normal_cdf, normal_quantile, normal_sf};
pub use student_t::{student_t_cdf, student_t_quantile, student_t_two_sided};
