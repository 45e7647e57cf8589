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
//! failures lies by this convention above the limit (`above`), which is a result and no gap. A mean does not exist then; the
//! restricted mean, of min(x, τ) with τ the limit, does. [`Attempt::Never`] is +∞ everywhere: neither a success nor
//! right-censored, for more time would not help it.
//!
//! Where units were watched for different times, one that was given up early might have come before one that succeeded late: an
//! order is not known. Then the quantiles are those of the Kaplan–Meier curve, and its area up to the longest limit stands
//! beside the restricted mean up to the shortest one. That supposes what order statistics do not, that being watched for
//! a shorter time says nothing about what would have come; the methods say which is which.
//!
//! A success without a value could lie anywhere. Beside failures, which all count, figures of all without it would make things
//! look worse than they are: then there are none. Where nothing failed, it is left out and a note says so.
//!
//! Sources: Royston & Parmar 2013 and Uno et al. 2014 (restricted mean); Conover 1999, section 3.2 (order statistics, which
//! need no more than an order, so +∞ is a value like others); Kaplan & Meier 1958.

use serde::Serialize;

use super::attempt::Attempt;
use super::estimate::Estimate;
use super::quantile::{order_statistics, quantile_type1};
use super::survival::{KaplanMeier, Observation};

mod options;

pub(crate) use options::is_usable_confidence;
pub use options::{FigureOptions, MeanMethod, ProportionMethod};
pub(super) use options::{coverage, join, missing_ends};

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
            unconditional: Unconditional::new(&checked, without_value, options, &no_value),
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
            mean: options.cut_mean(options.mean_over(sorted, &over, no_value), None),
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
            restricted_mean: Estimate::undefined(options.restricted_method(), reason),
            kaplan_meier: None,
        }
    }

    /// The figures of these units, whose values and limits must be finite, and of successes without a value.
    fn new(attempts: &[Attempt], without_value: u64, options: &FigureOptions, no_value: &impl Fn() -> String) -> Self {
        let counts = Counts::of(attempts, without_value);
        if let Some(reason) = counts.unknown(options, no_value) {
            return Self::undefined(counts.with_value_or_failed(), options, &reason);
        }
        let all = AllUnits::new(attempts, options);
        let quantile = |p| all.quantile(p, options);
        let limit = all.limit;
        let noted = |estimate| counts.note_on(estimate, options);
        Self {
            n: attempts.len() as u64,
            limit,
            median: noted(quantile(0.5)),
            p90: noted(quantile(0.9)),
            p99: noted(quantile(0.99)),
            restricted_mean: noted(restricted_mean(attempts, limit, options)),
            kaplan_meier: all.curve.and_then(|(last, curve)| longest_follow_up(&curve, last, options)),
        }
    }
}

/// How many units there are of each kind.
pub(super) struct Counts {
    pub(super) values: u64,
    pub(super) failures: u64,
    /// Successes without a value.
    pub(super) without_value: u64,
}

impl Counts {
    fn of(checked: &[Attempt], without_value: u64) -> Self {
        let values = checked.iter().filter(|attempt| attempt.value().is_some()).count() as u64;
        Self { values, failures: checked.len() as u64 - values, without_value }
    }

    pub(super) fn with_value_or_failed(&self) -> u64 {
        self.values + self.failures
    }

    fn successes(&self) -> u64 {
        self.values + self.without_value
    }

    /// Why nothing can be said about all, if nothing can be.
    pub(super) fn unknown(&self, options: &FigureOptions, no_value: impl Fn() -> String) -> Option<String> {
        if self.with_value_or_failed() == 0 || (self.values == 0 && self.without_value > 0) {
            // The failures alone would say that everything fails.
            return Some(no_value());
        }
        (self.without_value > 0 && self.failures > 0).then(|| {
            format!(
                "undefined: {} of {} {} {} have no value, and nothing says where they lie among all",
                self.without_value,
                self.successes(),
                options.success,
                options.unit
            )
        })
    }

    /// A figure of all, with a note on what is left out of it.
    pub(super) fn note_on(&self, estimate: Estimate, options: &FigureOptions) -> Estimate {
        let left_out = (self.without_value > 0).then(|| {
            format!(
                "{} of {} {} {} have no value and are left out",
                self.without_value,
                self.successes(),
                options.success,
                options.unit
            )
        });
        Estimate { note: join(estimate.note.into_iter().chain(left_out)), ..estimate }
    }
}

/// All units in order, failures as +∞; with the Kaplan–Meier curve where that is needed, and the end of it.
struct AllUnits {
    ordered: Vec<f64>,
    limit: Option<f64>,
    curve: Option<(f64, KaplanMeier)>,
}

impl AllUnits {
    /// Of units whose values and limits are finite.
    fn new(attempts: &[Attempt], options: &FigureOptions) -> Self {
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
        Self { ordered, limit, curve }
    }

    fn quantile(&self, p: f64, options: &FigureOptions) -> Estimate {
        match &self.curve {
            Some((last, curve)) => curve_quantile(curve, p, *last, options),
            None => order_quantile(&self.ordered, p, self.limit, options),
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
    let estimate = Estimate::new(method, area.mean);
    let restricted_mean = match area.lower.zip(area.upper) {
        Some((lower, upper)) => options.cut_mean(estimate.with_interval(lower, upper), Some(last)),
        None => estimate.with_note(
            "interval undefined: Greenwood's formula gives none where nothing happened before the limit, or where the last \
             still watched succeeded after others were given up",
        ),
    };
    Some(LongestFollowUp { limit: last, restricted_mean })
}

/// The mean of min(x, τ), failures counting as τ.
fn restricted_mean(attempts: &[Attempt], limit: Option<f64>, options: &FigureOptions) -> Estimate {
    if limit.is_none() && attempts.iter().any(|attempt| attempt.value().is_none()) {
        return Estimate::undefined(options.restricted_method(), NO_LIMIT);
    }
    // Without failures the mean is the restricted one for every limit above all values.
    let tau = limit.unwrap_or(f64::INFINITY);
    let restricted: Vec<f64> = attempts.iter().filter_map(|attempt| attempt.restricted(tau)).collect();
    options.restricted_mean(&restricted, limit)
}

/// Why there is no restricted mean.
pub(super) const NO_LIMIT: &str = "no limit is known to restrict it to";

impl FigureOptions {
    /// The p-quantile of all units, failures counting as +∞, as in [`Unconditional`].
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, FigureOptions};
    /// let runs = [Attempt::Success(3.0), Attempt::Success(5.0), Attempt::Beyond(9.0)];
    /// let quantile = |p| FigureOptions::default().quantile_of_all(&runs, p, || "no run".to_owned());
    /// assert_eq!((quantile(0.6).estimate, quantile(0.75).above), (Some(5.0), Some(9.0)));
    /// ```
    pub fn quantile_of_all(&self, attempts: &[Attempt], p: f64, no_value: impl Fn() -> String) -> Estimate {
        let checked: Vec<Attempt> = attempts.iter().filter_map(|attempt| attempt.checked()).collect();
        let counts = Counts::of(&checked, (attempts.len() - checked.len()) as u64);
        if let Some(reason) = counts.unknown(self, no_value) {
            return Estimate::undefined(quantile_method(self), reason);
        }
        if !super::is_inside_unit(p) {
            return Estimate::undefined(quantile_method(self), NO_SUCH_QUANTILE);
        }
        let quantile = AllUnits::new(&checked, self).quantile(p, self);
        counts.note_on(quantile, self)
    }
}

/// Why there is no quantile.
const NO_SUCH_QUANTILE: &str = "undefined: a quantile is for a share between 0 and 1";
