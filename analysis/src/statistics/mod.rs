//! Estimators with their intervals: each says its name, formula and source.
//!
//! Everything here works on plain numbers and knows nothing of logs. What is undefined is `None`,
//! never NaN.
//!
//! | what | how | where |
//! |---|---|---|
//! | mean | Student t interval | [`Moments::interval`] |
//! | median, any quantile | type-7 estimate, order-statistic interval | [`quantile`], [`quantile_interval`] |
//! | a whole distribution | band of Dvoretzky, Kiefer and Wolfowitz; bins of a histogram | [`dkw_half_width`], [`freedman_diaconis_width`] |
//! | share | Wilson score interval | [`wilson`] |
//! | time until an event, some watched too short | Kaplan–Meier, log–log interval, restricted mean | [`KaplanMeier`] |
//! | what failures do to all of these | success, conditional and unconditional figures together | [`Figures`] |

mod attempt;
mod distributions;
mod estimate;
mod figures;
mod histogram;
mod mean;
mod proportion;
mod quantile;
mod survival;

pub use attempt::Attempt;
pub use distributions::{binomial_cdf, binomial_pmf, binomial_sf, normal_quantile, student_t_quantile};
pub use estimate::Estimate;
pub use figures::{Conditional, FigureOptions, Figures, LongestFollowUp, MeanMethod, ProportionMethod, Unconditional};
pub use histogram::{dkw_half_width, freedman_diaconis_width, sturges_bins};
pub use mean::{Moments, TInterval};
pub use proportion::{Proportion, wilson};
pub use quantile::{OrderStatistics, QuantileInterval, order_statistics, quantile, quantile_interval, quantile_min_n};
pub use survival::{KaplanMeier, Observation, RestrictedMean, SurvivalQuantile, SurvivalStep};

/// Whether this is a confidence level or a probability that leaves both outcomes open: 0 < p < 1.
pub fn is_inside_unit(p: f64) -> bool {
    p > 0.0 && p < 1.0
}
