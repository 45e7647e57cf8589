//! How figures are made, and those of plain values: a share, a mean, a standard deviation, a quantile.

use crate::statistics::bootstrap::{BcaConvention, BcaInterval, bca_mean};
use crate::statistics::deviation::{bca_deviation, deviation_interval};
use crate::statistics::estimate::Estimate;
use crate::statistics::is_inside_unit;
use crate::statistics::moments::Moments;
use crate::statistics::proportion::{clopper_pearson, wilson};
use crate::statistics::quantile::{OrderStatistics, quantile_interval, quantile_min_n};

/// How figures are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FigureOptions {
    /// Confidence of every interval.
    pub confidence: f64,
    /// Interval of shares.
    pub proportion: ProportionMethod,
    /// Interval of means and standard deviations.
    pub mean: MeanMethod,
    /// What the units are called, in methods and notes: `runs`, `rows`.
    pub unit: &'static str,
    /// What a success is called, in methods: `completed`, `successful`.
    pub success: &'static str,
    /// The limit until which all units are watched, where it is known; failures show theirs themselves.
    pub limit: Option<f64>,
    /// No value can lie below this, as no time below 0: intervals of means are cut here. `None` if any can.
    pub least: Option<f64>,
}

impl Default for FigureOptions {
    /// 95 %, Wilson and Student t, over `runs` of which some are `completed`.
    fn default() -> Self {
        Self {
            confidence: 0.95,
            proportion: ProportionMethod::Wilson,
            mean: MeanMethod::StudentT,
            unit: "runs",
            success: "completed",
            limit: None,
            least: None,
        }
    }
}

/// How the interval of a share is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProportionMethod {
    /// Wilson's score interval: its coverage is the confidence on average.
    #[default]
    Wilson,
    /// The interval of Clopper & Pearson: its coverage is never below the confidence.
    ClopperPearson,
}

/// How the interval of a mean, and with it that of a standard deviation, is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeanMethod {
    /// Student's t; for standard deviations χ², which assumes a normal distribution.
    #[default]
    StudentT,
    /// The bias-corrected and accelerated bootstrap, in the [`Mid`](BcaConvention::Mid) convention.
    Bca {
        /// Number of resamples.
        replicates: u32,
        /// The seed from which they follow.
        seed: u64,
    },
}

impl MeanMethod {
    /// Its name in methods; of a bootstrap with all that it depends on.
    fn name(self) -> String {
        match self {
            Self::StudentT => "Student t".to_owned(),
            Self::Bca { replicates, seed } => {
                format!("BCa bootstrap ({replicates} resamples, seed {seed}, ties count half)")
            }
        }
    }

    fn deviation_name(self) -> String {
        match self {
            Self::StudentT => "χ² (normal values)".to_owned(),
            bootstrap @ Self::Bca { .. } => bootstrap.name(),
        }
    }
}

impl FigureOptions {
    /// A share.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::FigureOptions;
    /// let share = FigureOptions::default().share(15, 20);
    /// assert_eq!((share.estimate, &share.method[..]), (Some(0.75), "Wilson score"));
    /// ```
    pub fn share(&self, successes: u64, trials: u64) -> Estimate {
        let (method, interval) = match self.proportion {
            ProportionMethod::Wilson => ("Wilson score", wilson(successes, trials, self.confidence)),
            ProportionMethod::ClopperPearson => {
                ("Clopper–Pearson", clopper_pearson(successes, trials, self.confidence))
            }
        };
        match interval {
            Some(share) => Estimate::new(method, share.estimate).with_interval(share.lower, share.upper),
            None if trials == 0 => Estimate::undefined(method, format!("no {}", self.unit)),
            None => Estimate::new(method, successes as f64 / trials as f64).with_note(NO_SUCH_CONFIDENCE),
        }
    }

    /// A mean, with its interval from two values on.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::FigureOptions;
    /// let mean = FigureOptions::default().mean(&[1.0, 3.0], || "no run".to_owned());
    /// assert_eq!((mean.estimate, &mean.method[..]), (Some(2.0), "Student t over runs"));
    /// ```
    pub fn mean(&self, values: &[f64], no_value: impl Fn() -> String) -> Estimate {
        self.cut_mean(self.mean_over(values, &format!("over {}", self.unit), no_value), None)
    }

    /// A mean whose interval is not cut.
    pub(super) fn mean_over(&self, values: &[f64], over: &str, no_value: impl Fn() -> String) -> Estimate {
        let moments: Moments = values.iter().copied().collect();
        match self.mean {
            MeanMethod::StudentT => self.t_mean_over(&moments, over, no_value),
            MeanMethod::Bca { replicates, seed } => {
                let interval = || ends(bca_mean(values, self.confidence, replicates, seed, BcaConvention::Mid));
                self.with_mean(&moments, over, interval, no_value)
            }
        }
    }

    /// The mean of a sample with Student's t interval, not cut.
    pub(in crate::statistics) fn t_mean_over(
        &self,
        moments: &Moments,
        over: &str,
        no_value: impl Fn() -> String,
    ) -> Estimate {
        let interval = || moments.interval(self.confidence).map(|t| (t.lower, t.upper));
        Self { mean: MeanMethod::StudentT, ..*self }.with_mean(moments, over, interval, no_value)
    }

    fn with_mean(
        &self,
        moments: &Moments,
        over: &str,
        interval: impl Fn() -> Option<(f64, f64)>,
        no_value: impl Fn() -> String,
    ) -> Estimate {
        let method = format!("{} {over}", self.mean.name());
        match (moments.count(), moments.mean()) {
            (0, _) => Estimate::undefined(method, no_value()),
            (_, None) => Estimate::undefined(method, format!("undefined: {TOO_LARGE}")),
            (_, Some(mean)) => self.with_ends(Estimate::new(method, mean), moments, interval()),
        }
    }

    /// The mean of min(x, τ), of values that are that already; without τ nothing is restricted. An interval ends at τ, above
    /// which no such mean lies. If all are τ there is none: that nothing varied does not make it sure.
    pub(crate) fn restricted_mean(&self, values: &[f64], tau: Option<f64>) -> Estimate {
        self.restricted(
            self.mean_over(values, "", || format!("no {}", self.unit)),
            tau,
            tau.is_some_and(|tau| all_are(values, tau)),
        )
    }

    /// The same of a sample, with Student's t interval.
    pub(in crate::statistics) fn restricted_mean_of(&self, moments: &Moments, tau: Option<f64>) -> Estimate {
        let is_constant = moments.min().zip(tau).is_some_and(|(least, tau)| least >= tau);
        self.restricted(self.t_mean_over(moments, "", || format!("no {}", self.unit)), tau, is_constant)
    }

    fn restricted(&self, mean: Estimate, tau: Option<f64>, all_are_tau: bool) -> Estimate {
        let mean = Estimate { method: self.restricted_method().into(), ..mean };
        if all_are_tau && mean.estimate.is_some() {
            let note = format!("interval undefined: all {} count as the limit", self.unit);
            return Estimate { lower: None, upper: None, ..mean }.with_note(note);
        }
        self.cut_mean(mean, tau)
    }

    /// What a restricted mean is called.
    pub(in crate::statistics) fn restricted_method(&self) -> String {
        format!("mean of min(x, limit) over all {}, {}", self.unit, self.mean.name())
    }

    /// A mean with its interval cut where no mean can be: below the least value, and above τ if it is restricted.
    pub(in crate::statistics) fn cut_mean(&self, mean: Estimate, tau: Option<f64>) -> Estimate {
        cut(mean, self.least, tau)
    }

    /// A standard deviation, from two values on.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::FigureOptions;
    /// let deviation = FigureOptions::default().standard_deviation(&[1.0, 2.0, 3.0], || "no run".to_owned());
    /// assert_eq!(deviation.estimate, Some(1.0));
    /// ```
    pub fn standard_deviation(&self, values: &[f64], no_value: impl Fn() -> String) -> Estimate {
        self.deviation_over(values, &format!("over {}", self.unit), no_value)
    }

    pub(super) fn deviation_over(&self, values: &[f64], over: &str, no_value: impl Fn() -> String) -> Estimate {
        let moments: Moments = values.iter().copied().collect();
        match self.mean {
            MeanMethod::StudentT => self.normal_deviation_over(&moments, over, no_value),
            MeanMethod::Bca { replicates, seed } => {
                let interval = || ends(bca_deviation(values, self.confidence, replicates, seed, BcaConvention::Mid));
                self.with_deviation(&moments, over, interval, no_value)
            }
        }
    }

    /// The standard deviation of a sample with its χ² interval.
    pub(in crate::statistics) fn normal_deviation_over(
        &self,
        moments: &Moments,
        over: &str,
        no_value: impl Fn() -> String,
    ) -> Estimate {
        let interval = || deviation_interval(moments, self.confidence).map(|it| (it.lower, it.upper));
        Self { mean: MeanMethod::StudentT, ..*self }.with_deviation(moments, over, interval, no_value)
    }

    fn with_deviation(
        &self,
        moments: &Moments,
        over: &str,
        interval: impl Fn() -> Option<(f64, f64)>,
        no_value: impl Fn() -> String,
    ) -> Estimate {
        let method = format!("{} {over}", self.mean.deviation_name());
        let estimate = match (moments.count(), moments.standard_deviation()) {
            (0, _) => return Estimate::undefined(method, no_value()),
            (1, _) => return Estimate::undefined(method, format!("undefined: needs at least 2 {}", self.unit)),
            (_, None) => return Estimate::undefined(method, format!("undefined: {TOO_LARGE}")),
            (_, Some(deviation)) => Estimate::new(method, deviation),
        };
        self.with_ends(estimate, moments, interval())
    }

    /// The estimate from a sample with its interval, or why there is none.
    fn with_ends(&self, estimate: Estimate, moments: &Moments, interval: Option<(f64, f64)>) -> Estimate {
        if estimate.estimate.is_none() {
            return estimate;
        }
        match interval {
            Some((lower, upper)) => estimate.with_interval(lower, upper),
            None if moments.count() < 2 => {
                estimate.with_note(format!("interval undefined: needs at least 2 {}", self.unit))
            }
            None if !is_usable_confidence(self.confidence) => estimate.with_note(NO_SUCH_CONFIDENCE),
            None if self.mean == MeanMethod::StudentT || moments.standard_deviation().is_none() => {
                estimate.with_note(format!("interval undefined: {TOO_LARGE}"))
            }
            None => {
                estimate.with_note("interval undefined: the bootstrap needs more resamples, or more values that differ")
            }
        }
    }

    /// The p-quantile of values in rising order, type 7, with its order-statistic interval and the actual coverage of that.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::FigureOptions;
    /// let values: Vec<f64> = (1..=10).map(f64::from).collect();
    /// let median = FigureOptions::default().quantile(&values, 0.5, || "no run".to_owned());
    /// assert_eq!((median.estimate, median.lower, median.upper), (Some(5.5), Some(2.0), Some(9.0)));
    /// assert_eq!(median.coverage, Some(1.0 - 2.0 * 11.0 / 1024.0));
    /// ```
    pub fn quantile(&self, sorted: &[f64], p: f64, no_value: impl Fn() -> String) -> Estimate {
        let method = format!("order statistics over {}", self.unit);
        let Some(interval) = quantile_interval(sorted, p, self.confidence) else {
            return Estimate::undefined(method, no_value());
        };
        Estimate {
            estimate: Some(interval.estimate),
            lower: interval.lower,
            upper: interval.upper,
            method: method.into(),
            coverage: coverage(&interval.ranks),
            note: missing_ends(&interval.ranks, p, self),
            ..Estimate::default()
        }
        .finite()
    }
}

/// Whether intervals of this confidence can be computed: between 0 and 1, and not so near 1 that the rest is lost to rounding.
pub(crate) fn is_usable_confidence(confidence: f64) -> bool {
    is_inside_unit(confidence) && confidence <= 1.0 - 1e-12
}

const NO_SUCH_CONFIDENCE: &str =
    "interval undefined: the confidence is not between 0 and 1, or too near 1 to compute with";

/// Why a moment of at least two values, or one value's mean, is undefined.
const TOO_LARGE: &str = "the numbers are too large to compute with";

/// Whether all of these values of min(x, τ) are τ.
fn all_are(values: &[f64], tau: f64) -> bool {
    values.iter().all(|&value| value >= tau)
}

/// The estimate of what lies between two bounds, with an interval that does too. It covers as often as before.
fn cut(mut estimate: Estimate, least: Option<f64>, greatest: Option<f64>) -> Estimate {
    let Some((value, (lower, upper))) = estimate.estimate.zip(estimate.interval()) else { return estimate };
    // Rounding may have put the estimate itself an ulp beyond a bound.
    let new_lower = least.map_or(lower, |least| lower.max(least).min(value));
    let new_upper = greatest.map_or(upper, |greatest| upper.min(greatest).max(value));
    let below = least.filter(|_| lower < new_lower).map(|least| least.to_string());
    let above = (new_upper < upper).then(|| "the limit".to_owned());
    let cuts: Vec<String> = below.into_iter().chain(above).collect();
    if !cuts.is_empty() {
        (estimate.lower, estimate.upper) = (Some(new_lower), Some(new_upper));
        estimate.method = format!("{}, cut at {}", estimate.method, cuts.join(" and at ")).into();
    }
    estimate
}

fn ends(interval: Option<BcaInterval>) -> Option<(f64, f64)> {
    interval.map(|interval| (interval.lower, interval.upper))
}

/// The actual coverage; `None` without an end.
pub(in crate::statistics) fn coverage(ranks: &OrderStatistics) -> Option<f64> {
    (ranks.lower_rank.is_some() || ranks.upper_rank.is_some()).then(|| ranks.coverage())
}

pub(in crate::statistics) fn join(notes: impl Iterator<Item = String>) -> Option<String> {
    let notes: Vec<String> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Which ends do not exist, and from what number on they do.
pub(in crate::statistics) fn missing_ends(ranks: &OrderStatistics, p: f64, options: &FigureOptions) -> Option<String> {
    let end = match (ranks.lower_rank, ranks.upper_rank) {
        (Some(_), Some(_)) => return None,
        (Some(_), None) => "upper end",
        (None, Some(_)) => "lower end",
        (None, None) => "interval",
    };
    let needed = quantile_min_n(p, options.confidence).unwrap_or(u64::MAX);
    Some(format!("{end} undefined: needs at least {needed} {}", options.unit))
}
