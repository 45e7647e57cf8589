//! Failure-aware figures: success, what succeeded, and everything, always together.
//!
//! A mean over the units that succeeded makes a system that fails often look fast: the slow ones are those left out.
//! So three views stand side by side, and none is shown without the others:
//!
//! | view | question | failures |
//! |---|---|---|
//! | [`Figures::success`] | how often does it succeed? | count as not |
//! | [`Conditional`] | how long does it take *when it succeeds*? | left out, and `n` says so |
//! | [`Unconditional`] | how long does it take? | count as +∞ |
//!
//! Of all units, quantiles are order statistics of the values with +∞ for each failure: a quantile that falls among the
//! failures is only known to lie above the limit (`above`), which is a result and no gap. A mean does not exist then; the
//! restricted mean, of min(x, τ) with τ the limit, does. [`Attempt::Never`] is +∞ everywhere: neither a success nor
//! right-censored, for more time would not help it.
//!
//! Where units were watched for different times, one that was given up early might have come before one that succeeded late: an
//! order is not known. Then the quantiles are those of the Kaplan–Meier curve, and its area up to the longest limit stands
//! beside the restricted mean up to the shortest one. That supposes what order statistics do not, that being watched for
//! a shorter time says nothing about what would have come; the methods say which is which.
//!
//! Sources: Royston & Parmar 2013 and Uno et al. 2014 (restricted mean); Conover 1999, section 3.2 (order statistics, which
//! need no more than an order, so +∞ is a value like others); Kaplan & Meier 1958.

use serde::Serialize;

use super::attempt::Attempt;
use super::bootstrap::{BcaConvention, BcaInterval, bca_mean};
use super::deviation::{bca_deviation, deviation_interval};
use super::estimate::Estimate;
use super::moments::Moments;
use super::proportion::{clopper_pearson, wilson};
use super::quantile::{OrderStatistics, order_statistics, quantile_interval, quantile_min_n, quantile_type1};
use super::survival::{KaplanMeier, Observation};

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

/// The failure-aware figures of a group of units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Number of units.
    pub attempts: u64,
    /// Number of those that succeeded.
    pub successes: u64,
    /// Their share.
    pub success: Estimate,
    /// Of those that succeeded alone.
    pub conditional: Conditional,
    /// Of all: failures count as +∞.
    pub unconditional: Unconditional,
    /// Number of successes that have no finite value: they count in `success` and in nothing else.
    pub without_value: u64,
}

/// Of those that succeeded alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditional {
    /// How many have a value.
    pub n: u64,
    /// Mean.
    pub mean: Estimate,
    /// Standard deviation.
    pub standard_deviation: Estimate,
    /// Median, type 7.
    pub median: Estimate,
    /// 99 % quantile, type 7.
    pub p99: Estimate,
}

/// Of all: failures count as +∞.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unconditional {
    /// How many, without successes that have no value.
    pub n: u64,
    /// The limit τ of the restricted mean: the shortest. `None` if no limit is known.
    pub limit: Option<f64>,
    /// Median, type 1.
    pub median: Estimate,
    /// 90 % quantile, type 1.
    pub p90: Estimate,
    /// 99 % quantile, type 1.
    pub p99: Estimate,
    /// Mean of min(x, τ).
    pub restricted_mean: Estimate,
    /// Where limits differ, what the Kaplan–Meier curve says beyond the shortest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kaplan_meier: Option<LongestFollowUp>,
}

/// The restricted mean to the longest time that any unit was watched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LongestFollowUp {
    /// That time.
    pub limit: f64,
    /// The area under the Kaplan–Meier curve up to there.
    pub restricted_mean: Estimate,
}

impl Figures {
    /// The figures of these units. `no_value` says why there is no value at all, if there is none.
    ///
    /// ```
    /// use byzlab_analysis::statistics::{Attempt, FigureOptions, Figures};
    /// // Nineteen runs take 10, 11, … ms, one does not complete within 2000 ms.
    /// let mut runs: Vec<Attempt> = (10..29).map(|ms| Attempt::Success(f64::from(ms))).collect();
    /// runs.push(Attempt::Beyond(2000.0));
    /// let figures = Figures::new(&runs, &FigureOptions::default(), || "no completed run".to_owned());
    /// assert_eq!(figures.success.estimate, Some(0.95));
    /// assert_eq!(figures.conditional.mean.estimate, Some(19.0)); // of 19 runs
    /// assert_eq!(figures.unconditional.median.estimate, Some(19.0)); // of 20 runs
    /// assert_eq!(figures.unconditional.p99.estimate, None);
    /// assert_eq!(figures.unconditional.p99.above, Some(2000.0));
    /// assert_eq!(figures.unconditional.restricted_mean.estimate, Some((19.0 * 19.0 + 2000.0) / 20.0));
    /// ```
    pub fn new(attempts: &[Attempt], options: &FigureOptions, no_value: impl Fn() -> String) -> Self {
        let checked: Vec<Attempt> = attempts.iter().filter_map(|attempt| attempt.checked()).collect();
        let mut values: Vec<f64> = checked.iter().filter_map(|attempt| attempt.value()).collect();
        values.sort_by(f64::total_cmp);
        let without_value = (attempts.len() - checked.len()) as u64;
        let successes = values.len() as u64 + without_value;
        Self {
            attempts: attempts.len() as u64,
            successes,
            success: options.share(successes, attempts.len() as u64),
            conditional: Conditional::new(&values, options, &no_value),
            unconditional: if without_value > 0 && values.is_empty() {
                // The failures alone would say that everything fails.
                Unconditional::undefined(0, options, &no_value())
            } else {
                Unconditional::new(&checked, options, &no_value)
            },
            without_value,
        }
    }
}

impl Conditional {
    /// The figures of these values, which must be finite and in rising order.
    fn new(sorted: &[f64], options: &FigureOptions, no_value: &impl Fn() -> String) -> Self {
        let over = format!("over {} {}", options.success, options.unit);
        let quantile = |p| {
            let estimate = options.quantile(sorted, p, no_value);
            Estimate { method: format!("type 7, order statistics {over}").into(), ..estimate }
        };
        Self {
            n: sorted.len() as u64,
            mean: options.mean_over(sorted, &over, no_value),
            standard_deviation: options.deviation_over(sorted, &over, no_value),
            median: quantile(0.5),
            p99: quantile(0.99),
        }
    }
}

impl Unconditional {
    /// All undefined, for one reason.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{FigureOptions, Unconditional};
    /// let nothing = Unconditional::undefined(0, &FigureOptions::default(), "no log");
    /// assert_eq!((nothing.p99.above, nothing.p99.note.as_deref()), (None, Some("no log")));
    /// ```
    pub fn undefined(n: u64, options: &FigureOptions, reason: &str) -> Self {
        let quantile = || Estimate::undefined(quantile_method(options), reason);
        Self {
            n,
            limit: None,
            median: quantile(),
            p90: quantile(),
            p99: quantile(),
            restricted_mean: Estimate::undefined(restricted_method(options), reason),
            kaplan_meier: None,
        }
    }

    /// The figures of these units, whose values and limits must be finite.
    fn new(attempts: &[Attempt], options: &FigureOptions, no_value: &impl Fn() -> String) -> Self {
        if attempts.is_empty() {
            return Self::undefined(0, options, &no_value());
        }
        let limits = || attempts.iter().filter_map(|attempt| attempt.limit());
        let limit = limits().chain(options.limit).min_by(f64::total_cmp);
        let last = attempts.iter().filter_map(|attempt| attempt.value().or(attempt.limit())).max_by(f64::total_cmp);
        // What was given up before that might have come before it.
        let curve = last.filter(|last| limits().any(|limit| limit < *last)).and_then(|last| {
            let observations = attempts.iter().map(|&attempt| Observation::from(attempt));
            Some((last, KaplanMeier::new(observations, options.confidence)?))
        });
        let mut ordered: Vec<f64> = attempts.iter().map(|attempt| attempt.or_infinity()).collect();
        ordered.sort_by(f64::total_cmp);
        let quantile = |p| match &curve {
            Some((last, curve)) => curve_quantile(curve, p, *last, options),
            None => order_quantile(&ordered, p, limit, options),
        };
        Self {
            n: attempts.len() as u64,
            limit,
            median: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            restricted_mean: restricted_mean(attempts, limit, options),
            kaplan_meier: curve.and_then(|(last, curve)| longest_follow_up(&curve, last, options)),
        }
    }
}

impl From<Attempt> for Observation {
    /// A success is the event, [`Attempt::Never`] stays at risk to the end.
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Success(time) => Self::Event(time),
            Attempt::Beyond(limit) => Self::Censored(limit),
            Attempt::Never => Self::Never,
        }
    }
}

fn quantile_method(options: &FigureOptions) -> String {
    format!("order statistics over all {}, failures +∞ (type 1)", options.unit)
}

/// The p-quantile of values in rising order, of which those that failed are +∞.
fn order_quantile(ordered: &[f64], p: f64, limit: Option<f64>, options: &FigureOptions) -> Estimate {
    let n = ordered.len();
    let estimate = quantile_type1(ordered, p).unwrap_or(f64::INFINITY);
    let ranks = order_statistics(n as u64, p, options.confidence);
    let at = |rank: Option<u64>| rank.map(|rank| ordered[rank as usize - 1]);
    let (lower, upper) = (at(ranks.and_then(|it| it.lower_rank)), at(ranks.and_then(|it| it.upper_rank)));
    let finite = |value: &f64| value.is_finite();
    let above = |value: Option<f64>| value.filter(|it| it.is_infinite()).and(limit);
    let failures = ordered.iter().filter(|value| value.is_infinite()).count();
    let among = |end: &str| format!("{end} falls among the {failures} of {n} {} that did not succeed", options.unit);
    let failed = if estimate.is_infinite() {
        Some(among("it"))
    } else {
        upper.filter(|upper| upper.is_infinite()).map(|_| among("upper end"))
    };
    let missing = ranks.and_then(|ranks| missing_ends(&ranks, p, options));
    Estimate {
        estimate: Some(estimate).filter(finite),
        lower: lower.filter(finite),
        upper: upper.filter(finite),
        method: quantile_method(options).into(),
        coverage: ranks.and_then(|ranks| coverage(&ranks)),
        above: above(Some(estimate)),
        lower_above: above(lower),
        upper_above: above(upper),
        note: join(failed.into_iter().chain(missing)),
    }
}

/// The p-quantile of the curve, which ends at `last`.
fn curve_quantile(curve: &KaplanMeier, p: f64, last: f64, options: &FigureOptions) -> Estimate {
    let quantile = curve.quantile(p);
    let above = |value: Option<f64>| value.is_none().then_some(last);
    let end = if quantile.estimate.is_none() { Some("it") } else { quantile.upper.is_none().then_some("upper end") };
    Estimate {
        estimate: quantile.estimate,
        lower: quantile.lower,
        upper: quantile.upper,
        method: format!("Kaplan–Meier over all {}, log–log interval of Brookmeyer & Crowley", options.unit).into(),
        coverage: None,
        above: above(quantile.estimate),
        lower_above: above(quantile.lower),
        upper_above: above(quantile.upper),
        note: end.map(|end| format!("{end} lies beyond the last time at which any of the {} was seen", options.unit)),
    }
}

fn longest_follow_up(curve: &KaplanMeier, last: f64, options: &FigureOptions) -> Option<LongestFollowUp> {
    let area = curve.restricted_mean(last)?;
    let method = format!("Kaplan–Meier area over all {}, Greenwood", options.unit);
    let restricted_mean = Estimate::new(method, area.mean).with_interval(area.lower, area.upper);
    Some(LongestFollowUp { limit: last, restricted_mean })
}

fn restricted_method(options: &FigureOptions) -> String {
    format!("mean of min(x, limit) over all {}, {}", options.unit, options.mean.name())
}

/// The mean of min(x, τ), failures counting as τ.
fn restricted_mean(attempts: &[Attempt], limit: Option<f64>, options: &FigureOptions) -> Estimate {
    let failures = attempts.iter().filter(|attempt| attempt.value().is_none()).count();
    if failures > 0 && limit.is_none() {
        return Estimate::undefined(restricted_method(options), "no limit is known to restrict it to");
    }
    // Without failures the mean is the restricted one for every limit above all values.
    let tau = limit.unwrap_or(f64::INFINITY);
    let restricted: Vec<f64> = attempts.iter().filter_map(|attempt| attempt.restricted(tau)).collect();
    let mean = Estimate { method: restricted_method(options).into(), ..options.mean(&restricted, String::new) };
    if failures == attempts.len() && failures > 1 {
        // Nothing varies, which does not make it sure.
        let note = format!("interval undefined: all {} count as the limit", options.unit);
        return Estimate { lower: None, upper: None, ..mean }.with_note(note);
    }
    mean
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
            None => Estimate::undefined(method, format!("no {}", self.unit)),
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
        self.mean_over(values, &format!("over {}", self.unit), no_value)
    }

    fn mean_over(&self, values: &[f64], over: &str, no_value: impl Fn() -> String) -> Estimate {
        let method = format!("{} {over}", self.mean.name());
        let moments: Moments = values.iter().copied().collect();
        let Some(mean) = moments.mean() else {
            return Estimate::undefined(method, no_value());
        };
        let interval = match self.mean {
            MeanMethod::StudentT => moments.interval(self.confidence).map(|t| (t.lower, t.upper)),
            MeanMethod::Bca { replicates, seed } => {
                ends(bca_mean(values, self.confidence, replicates, seed, BcaConvention::Mid))
            }
        };
        self.with_ends(Estimate::new(method, mean), moments.count(), interval)
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

    fn deviation_over(&self, values: &[f64], over: &str, no_value: impl Fn() -> String) -> Estimate {
        let method = format!("{} {over}", self.mean.deviation_name());
        let moments: Moments = values.iter().copied().collect();
        let deviation = match (moments.count(), moments.standard_deviation()) {
            (0, _) => return Estimate::undefined(method, no_value()),
            (_, None) => return Estimate::undefined(method, format!("undefined: needs at least 2 {}", self.unit)),
            (_, Some(deviation)) => deviation,
        };
        let interval = match self.mean {
            MeanMethod::StudentT => {
                deviation_interval(&moments, self.confidence).map(|interval| (interval.lower, interval.upper))
            }
            MeanMethod::Bca { replicates, seed } => {
                ends(bca_deviation(values, self.confidence, replicates, seed, BcaConvention::Mid))
            }
        };
        self.with_ends(Estimate::new(method, deviation), moments.count(), interval)
    }

    /// The estimate from `count` values with its interval, or why there is none.
    fn with_ends(&self, estimate: Estimate, count: u64, interval: Option<(f64, f64)>) -> Estimate {
        if estimate.estimate.is_none() {
            return estimate;
        }
        match interval {
            Some((lower, upper)) => estimate.with_interval(lower, upper),
            None if count < 2 => estimate.with_note(format!("interval undefined: needs at least 2 {}", self.unit)),
            None => estimate.with_note(match self.mean {
                MeanMethod::StudentT => "interval undefined: the numbers are too large to compute with",
                MeanMethod::Bca { .. } => {
                    "interval undefined: the bootstrap needs more resamples, or more values that differ"
                }
            }),
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

fn ends(interval: Option<BcaInterval>) -> Option<(f64, f64)> {
    interval.map(|interval| (interval.lower, interval.upper))
}

/// The actual coverage; `None` without an end.
fn coverage(ranks: &OrderStatistics) -> Option<f64> {
    (ranks.lower_rank.is_some() || ranks.upper_rank.is_some()).then(|| ranks.coverage())
}

fn join(notes: impl Iterator<Item = String>) -> Option<String> {
    let notes: Vec<String> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Which ends do not exist, and from what number on they do.
fn missing_ends(ranks: &OrderStatistics, p: f64, options: &FigureOptions) -> Option<String> {
    let end = match (ranks.lower_rank, ranks.upper_rank) {
        (Some(_), Some(_)) => return None,
        (Some(_), None) => "upper end",
        (None, Some(_)) => "lower end",
        (None, None) => "interval",
    };
    let needed = quantile_min_n(p, options.confidence).unwrap_or(u64::MAX);
    Some(format!("{end} undefined: needs at least {needed} {}", options.unit))
}
