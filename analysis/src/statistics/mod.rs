//! Estimators with their intervals: each says its name, formula and source.
//!
//! Everything here works on plain numbers and knows nothing of logs. What is undefined is `None`,
//! never NaN.
//!
//! | what | how | where |
//! |---|---|---|
//! | mean | Student t interval | [`Moments::interval`] |
//! | mean with uneven ends, any statistic | BCa bootstrap | [`bca_mean`], [`bca`] |
//! | a whole distribution | band of Dvoretzky, Kiefer and Wolfowitz; bins of a histogram | [`dkw_half_width`], [`freedman_diaconis_width`], [`sturges_bins`] |
//! | median, any quantile | type-7 or type-1 estimate, order-statistic interval | [`quantile`], [`quantile_type1`], [`quantile_interval`] |
//! | values that a quantile's interval needs | Wilks | [`quantile_min_n`], [`quantile_min_n_one_sided`] |
//! | standard deviation | χ² interval (normal values), BCa bootstrap | [`deviation_interval`], [`bca_deviation`] |
//! | share | Wilson score interval; Clopper–Pearson, Jeffreys, Agresti–Coull | [`wilson`], [`clopper_pearson`], [`jeffreys`], [`agresti_coull`] |
//! | share, no failure seen | one-sided Clopper–Pearson, rule of three | [`upper_bound_of_no_failures`], [`rule_of_three`] |
//! | difference of two shares | Newcombe's hybrid score interval, Fisher's exact test | [`newcombe`], [`fisher_exact`] |
//! | difference of two shares of the same units | Newcombe's interval for pairs, McNemar's exact test | [`PairedCounts`] |
//! | ratio of two means | Fieller's interval, independent or paired | [`ratio_of_means`], [`ratio_of_paired_means`] |
//! | ratio of two geometric means | Welch's interval of the logarithms | [`ratio_of_geometric_means`] |
//! | quantile of more values than fit | sketch of stated relative error | [`Sketch`] |
//! | are there enough replications? | half-width of the interval, absolute or relative | [`StoppingRule`], [`chow_robbins_stops`] |
//! | warm-up of a run | MSER-5 | [`mser5`] |
//! | mean of one run's dependent values | batch means, overlapping batch means | [`tested_batch_means`], [`batch_means`], [`overlapping_batch_means`], [`within_run`] |
//! | how many independent values they are worth | Geyer's initial sequences | [`effective_size`] |
//! | are neighbours correlated? | Bartlett, Ljung–Box, von Neumann | [`autocorrelation`], [`bartlett_z`], [`ljung_box`], [`von_neumann`] |
//! | difference of two means | Welch's t, paired t | [`welch`], [`paired_t`] |
//! | which of two samples is larger | Mann–Whitney, Cliff's delta; Hodges–Lehmann shift | [`mann_whitney`], [`hodges_lehmann`] |
//! | are two samples alike? | Kolmogorov–Smirnov | [`kolmogorov_smirnov`] |
//! | many tests at once | Holm, Bonferroni | [`holm`], [`bonferroni`] |
//! | time until an event, some watched too short | Kaplan–Meier, log–log interval, restricted mean | [`KaplanMeier`] |
//! | what failures do to all of these | success, conditional and unconditional figures together | [`Figures`] |
//! | the same of more units than fit | exact moments and a sketch | [`SketchedAttempts`] |

mod attempt;
mod bootstrap;
mod comparison;
mod deviation;
mod distributions;
mod estimate;
mod figures;
mod histogram;
mod mean;
mod moments;
mod paired_proportions;
mod proportion;
mod quantile;
mod ratio;
mod sequential;
mod series;
mod sketch;
mod sketched_attempts;
mod survival;
mod two_proportions;

pub use attempt::Attempt;
pub use bootstrap::{BcaConvention, BcaInterval, acceleration, bca, bca_from_replicates, bca_mean};
pub use comparison::{
    HodgesLehmann, KolmogorovSmirnov, MannWhitney, PairedTest, WelchTest, bonferroni, hodges_lehmann, holm,
    kolmogorov_smirnov, mann_whitney, paired_t, welch,
};
pub use deviation::{DeviationInterval, bca_deviation, deviation_interval};
pub use distributions::{
    beta_cdf, beta_quantile, binomial_cdf, binomial_pmf, binomial_sf, chi_squared_quantile, chi_squared_sf, normal_cdf,
    normal_quantile, normal_sf, student_t_cdf, student_t_quantile, student_t_two_sided,
};
pub use estimate::Estimate;
pub(crate) use figures::is_usable_confidence;
pub use figures::{Conditional, FigureOptions, Figures, LongestFollowUp, MeanMethod, ProportionMethod, Unconditional};
pub use histogram::{dkw_half_width, freedman_diaconis_width, sturges_bins};
pub use mean::TInterval;
pub use moments::Moments;
pub use paired_proportions::PairedCounts;
pub use proportion::{
    Proportion, agresti_coull, clopper_pearson, jeffreys, rule_of_three, upper_bound_of_no_failures, wilson,
};
pub use quantile::{
    OrderStatistics, QuantileInterval, order_statistics, quantile, quantile_interval, quantile_min_n,
    quantile_min_n_one_sided, quantile_type1,
};
pub use ratio::{RatioInterval, ratio_of_geometric_means, ratio_of_means, ratio_of_paired_means};
pub use sequential::{HalfWidth, InvalidStoppingRule, StoppingRule, chow_robbins_stops};
pub use series::{
    AutocorrelationTest, BatchMeans, BatchingVerdict, EffectiveSize, InitialSequence, Mser5, OverlappingBatchMeans,
    TestedBatchMeans, VonNeumann, WarmUpVerdict, WithinRun, autocorrelation, bartlett_z, batch_means, effective_size,
    ljung_box, mser5, overlapping_batch_means, tested_batch_means, von_neumann, within_run,
};
pub use sketch::{Sketch, SketchError};
pub use sketched_attempts::SketchedAttempts;
pub use survival::{KaplanMeier, Observation, RestrictedMean, SurvivalQuantile, SurvivalStep};
pub use two_proportions::{ProportionDifference, fisher_exact, newcombe};

/// Whether this is a confidence level or a probability that leaves both outcomes open: 0 < p < 1.
///
/// ```
/// # use byzlab_analysis::statistics::is_inside_unit;
/// assert!(is_inside_unit(0.95) && !is_inside_unit(1.0) && !is_inside_unit(f64::NAN));
/// ```
pub fn is_inside_unit(p: f64) -> bool {
    p > 0.0 && p < 1.0
}
