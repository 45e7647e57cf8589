//! Failure-aware figures of more units than one cares to keep.

use super::attempt::Attempt;
use super::estimate::Estimate;
use super::figures::{
    Conditional, Counts, FigureOptions, Figures, MeanMethod, NO_LIMIT, Unconditional, coverage, join, missing_ends,
};
use super::moments::Moments;
use super::quantile::order_statistics;
use super::sketch::Sketch;

/// What becomes of any number of units, in bounded memory: for the same [`Figures`] as of units that are kept one by one.
///
/// Counts, shares, the mean, the standard deviation and the restricted mean are exact, up to rounding; quantiles come from a
/// [`Sketch`] and are within its relative error, [`RELATIVE_ERROR`](Self::RELATIVE_ERROR). The ends of their intervals are order
/// statistics moved outwards by this error, so that they cover at least as often as the exact ones. The sketch of two parts
/// is that of the whole, in whatever order.
///
/// What needs each unit is undefined, with the reason: quantiles and the restricted mean where limits differ, or a value lies
/// above a limit. A bootstrap is replaced by Student's t, which is the same for so many units.
///
/// ```
/// use byzlab_analysis::statistics::{Attempt, FigureOptions, SketchedAttempts};
/// let mut runs = SketchedAttempts::default();
/// for ms in 1..=999 {
///     runs.insert(Attempt::Success(f64::from(ms)));
/// }
/// runs.insert(Attempt::Beyond(2000.0));
/// let figures = runs.figures(&FigureOptions::default(), || "no completed run".to_owned());
/// assert_eq!(figures.success.estimate, Some(0.999));
/// assert_eq!(figures.unconditional.restricted_mean.estimate, Some(501.5));
/// let median = figures.unconditional.median.estimate.unwrap();
/// assert!((median - 500.0).abs() <= 0.005 * 500.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SketchedAttempts {
    values: Sketch,
    moments: Moments,
    beyond: u64,
    never: u64,
    /// The shortest and the longest limit of those that did not succeed.
    limits: Option<(f64, f64)>,
    /// Successes whose value is no number.
    without_value: u64,
}

impl Default for SketchedAttempts {
    fn default() -> Self {
        let values = Sketch::new(Self::RELATIVE_ERROR).expect("a relative error that sketches can have");
        Self { values, moments: Moments::default(), beyond: 0, never: 0, limits: None, without_value: 0 }
    }
}

impl SketchedAttempts {
    /// Quantiles are within this relative error of the exact ones.
    pub const RELATIVE_ERROR: f64 = 0.005;

    /// Adds a unit.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, SketchedAttempts};
    /// let mut rows = SketchedAttempts::default();
    /// rows.insert(Attempt::Never);
    /// assert_eq!((rows.len(), rows.successes()), (1, 0));
    /// ```
    pub fn insert(&mut self, attempt: Attempt) {
        match attempt.checked() {
            Some(Attempt::Success(value)) if self.values.insert(value) => self.moments.push(value),
            Some(Attempt::Beyond(limit)) => {
                self.beyond += 1;
                self.add_limits(limit, limit);
            }
            Some(Attempt::Never) => self.never += 1,
            _ => self.without_value += 1,
        }
    }

    /// Adds all that another holds.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, SketchedAttempts};
    /// let (mut left, mut right) = (SketchedAttempts::default(), SketchedAttempts::default());
    /// left.insert(Attempt::Success(3.0));
    /// right.insert(Attempt::Success(5.0));
    /// left.merge(&right);
    /// assert_eq!((left.len(), left.extremes()), (2, Some((3.0, 5.0))));
    /// ```
    pub fn merge(&mut self, other: &Self) {
        // All have the same relative error.
        let _ = self.values.merge(&other.values);
        self.moments.merge(&other.moments);
        self.beyond += other.beyond;
        self.never += other.never;
        self.without_value += other.without_value;
        if let Some((shortest, longest)) = other.limits {
            self.add_limits(shortest, longest);
        }
    }

    fn add_limits(&mut self, shortest: f64, longest: f64) {
        let (least, greatest) = self.limits.unwrap_or((shortest, longest));
        self.limits = Some((least.min(shortest), greatest.max(longest)));
    }

    /// Number of units.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::SketchedAttempts;
    /// assert_eq!(SketchedAttempts::default().len(), 0);
    /// ```
    pub fn len(&self) -> u64 {
        self.successes() + self.failures()
    }

    /// Whether there is none.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::SketchedAttempts;
    /// assert!(SketchedAttempts::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of units that succeeded.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, SketchedAttempts};
    /// let mut rows = SketchedAttempts::default();
    /// rows.insert(Attempt::Success(3.0));
    /// assert_eq!(rows.successes(), 1);
    /// ```
    pub fn successes(&self) -> u64 {
        self.values.count() + self.without_value
    }

    /// Number of units that never will succeed.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, SketchedAttempts};
    /// let mut rows = SketchedAttempts::default();
    /// rows.insert(Attempt::Beyond(f64::INFINITY));
    /// assert_eq!(rows.never(), 1);
    /// ```
    pub fn never(&self) -> u64 {
        self.never
    }

    /// The least and the greatest value, exactly; `None` if none succeeded.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::SketchedAttempts;
    /// assert_eq!(SketchedAttempts::default().extremes(), None);
    /// ```
    pub fn extremes(&self) -> Option<(f64, f64)> {
        self.values.min().zip(self.values.max())
    }

    /// The figures. `no_value` says why there is no value at all, if there is none.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{FigureOptions, SketchedAttempts};
    /// let figures = SketchedAttempts::default().figures(&FigureOptions::default(), || "no run".to_owned());
    /// assert_eq!((figures.attempts, figures.conditional.mean.note.as_deref()), (0, Some("no run")));
    /// ```
    pub fn figures(&self, options: &FigureOptions, no_value: impl Fn() -> String) -> Figures {
        Figures {
            attempts: self.len(),
            successes: self.successes(),
            success: options.share(self.successes(), self.len()),
            conditional: self.conditional(options, &no_value),
            unconditional: self.unconditional(options, &no_value),
            without_value: self.without_value,
        }
    }

    fn conditional(&self, options: &FigureOptions, no_value: &impl Fn() -> String) -> Conditional {
        let over = format!("over {} {}", options.success, options.unit);
        Conditional {
            n: self.values.count(),
            mean: options.cut_mean(options.t_mean_over(&self.moments, &over, no_value), None),
            standard_deviation: options.normal_deviation_over(&self.moments, &over, no_value),
            median: self.quantile(0.5, options, no_value),
            p99: self.quantile(0.99, options, no_value),
        }
    }

    /// The p-quantile of those that succeeded.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, FigureOptions, SketchedAttempts};
    /// let mut rows = SketchedAttempts::default();
    /// (1..=100).for_each(|x| rows.insert(Attempt::Success(f64::from(x))));
    /// let p90 = rows.quantile(0.9, &FigureOptions::default(), || "no row".to_owned());
    /// assert!((p90.estimate.unwrap() - 90.0).abs() <= 0.45);
    /// ```
    pub fn quantile(&self, p: f64, options: &FigureOptions, no_value: impl Fn() -> String) -> Estimate {
        let method = format!("type 1, order statistics over {} {}, {}", options.success, options.unit, precision());
        self.ranked(p, self.values.count(), method, None, options, no_value)
    }

    /// The p-quantile of all, failures counting as +∞.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{Attempt, FigureOptions, SketchedAttempts};
    /// let mut rows = SketchedAttempts::default();
    /// (1..=50).for_each(|x| rows.insert(Attempt::Success(f64::from(x))));
    /// (1..=50).for_each(|_| rows.insert(Attempt::Beyond(80.0)));
    /// let p90 = rows.quantile_of_all(0.9, &FigureOptions::default(), || "no row".to_owned());
    /// assert_eq!((p90.estimate, p90.above), (None, Some(80.0)));
    /// ```
    pub fn quantile_of_all(&self, p: f64, options: &FigureOptions, no_value: impl Fn() -> String) -> Estimate {
        let method = format!("order statistics over all {}, failures +∞ (type 1), {}", options.unit, precision());
        let counts = self.counts();
        if let Some(reason) = counts.unknown(options, &no_value) {
            return Estimate::undefined(method, reason);
        }
        if self.is_cut_short() {
            return Estimate::undefined(method, NEEDS_EACH);
        }
        let quantile = self.ranked(p, counts.with_value_or_failed(), method, self.limit(options), options, no_value);
        counts.note_on(quantile, options)
    }

    fn counts(&self) -> Counts {
        Counts { values: self.values.count(), failures: self.failures(), without_value: self.without_value }
    }

    fn failures(&self) -> u64 {
        self.beyond + self.never
    }

    /// The limit until which all were watched, if one is known.
    fn limit(&self, options: &FigureOptions) -> Option<f64> {
        let shortest = self.limits.map(|(shortest, _)| shortest);
        shortest.into_iter().chain(options.limit).min_by(f64::total_cmp)
    }

    /// Whether some were given up before others were: then those may lie anywhere above.
    fn is_cut_short(&self) -> bool {
        let last = self.values.max().unwrap_or(f64::NEG_INFINITY);
        self.limits.is_some_and(|(shortest, longest)| shortest < longest.max(last))
    }

    fn unconditional(&self, options: &FigureOptions, no_value: &impl Fn() -> String) -> Unconditional {
        let counts = self.counts();
        let n = counts.with_value_or_failed();
        if let Some(reason) = counts.unknown(options, no_value) {
            return Unconditional::undefined(n, options, &reason);
        }
        let quantile = |p| self.quantile_of_all(p, options, no_value);
        Unconditional {
            limit: self.limit(options),
            median: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            restricted_mean: counts.note_on(self.restricted_mean(options), options),
            ..Unconditional::undefined(n, options, "")
        }
    }

    /// The value of rank ⌈np⌉ of `n`, of which those above the values are +∞, between two order statistics.
    fn ranked(
        &self,
        p: f64,
        n: u64,
        method: String,
        limit: Option<f64>,
        options: &FigureOptions,
        no_value: impl Fn() -> String,
    ) -> Estimate {
        let Some(ranks) = order_statistics(n, p, options.confidence).filter(|_| n > 0) else {
            return Estimate::undefined(method, no_value());
        };
        let rank = ((n as f64 * p * (1.0 - 1e-12)).ceil() as u64).clamp(1, n);
        let is_failure = |rank: Option<u64>| rank.is_some_and(|rank| rank > self.values.count());
        let above = |rank: Option<u64>| if is_failure(rank) { limit } else { None };
        let outwards =
            |rank: Option<u64>, direction: f64| self.value_of_rank(rank?).map(|it| self.moved(it, direction));
        let mut notes = Vec::new();
        if is_failure(Some(rank)) {
            notes.push(format!("it falls among the {} of {n} {} that did not succeed", self.failures(), options.unit));
        }
        notes.extend(missing_ends(&ranks, p, options));
        if self.values.is_collapsed() {
            notes.push("the values differ by so many orders of magnitude that low quantiles are too high".to_owned());
        }
        Estimate {
            estimate: self.value_of_rank(rank),
            lower: outwards(ranks.lower_rank, -1.0),
            upper: outwards(ranks.upper_rank, 1.0),
            above: above(Some(rank)),
            lower_above: above(ranks.lower_rank),
            upper_above: above(ranks.upper_rank),
            // The ends are moved outwards: it is at least this.
            coverage: coverage(&ranks),
            note: join(notes.into_iter()),
            method: method.into(),
        }
        .finite()
    }

    /// The value of a rank from 1; `None` above all values.
    fn value_of_rank(&self, rank: u64) -> Option<f64> {
        let n = self.values.count();
        // In the middle of its step, where rounding does no harm.
        if rank > n { None } else { self.values.quantile((rank as f64 - 0.5) / n as f64) }
    }

    /// A value moved by the relative error, down or up: what it stands for lies between the two.
    fn moved(&self, value: f64, direction: f64) -> f64 {
        let is_outwards = value.is_sign_negative() == direction.is_sign_negative();
        let factor = if is_outwards { 1.0 / (1.0 - Self::RELATIVE_ERROR) } else { 1.0 / (1.0 + Self::RELATIVE_ERROR) };
        let (least, greatest) = self.extremes().unwrap_or((value, value));
        (value * factor).clamp(least, greatest)
    }

    /// The mean of min(x, τ): the values all lie below τ, failures count as τ.
    fn restricted_mean(&self, options: &FigureOptions) -> Estimate {
        let options = &FigureOptions { mean: MeanMethod::StudentT, ..*options };
        let limit = self.limit(options);
        if self.is_cut_short() || limit.zip(self.values.max()).is_some_and(|(limit, last)| last > limit) {
            return Estimate::undefined(options.restricted_method(), NEEDS_EACH);
        }
        let mut all = self.moments;
        match limit {
            Some(limit) => all.merge(&repeated(limit, self.failures())),
            None if self.failures() > 0 => return Estimate::undefined(options.restricted_method(), NO_LIMIT),
            None => {}
        }
        options.restricted_mean_of(&all, limit)
    }
}

/// Why something is undefined.
const NEEDS_EACH: &str = "undefined: limits differ or values lie above them, and there are too many to keep each";

fn precision() -> String {
    format!("approximate within {} %", SketchedAttempts::RELATIVE_ERROR * 100.0)
}

/// The same value so many times.
fn repeated(value: f64, times: u64) -> Moments {
    let (mut all, mut power) = (Moments::default(), Moments::from_iter([value]));
    for bit in 0..u64::BITS - times.leading_zeros() {
        if times >> bit & 1 == 1 {
            all.merge(&power);
        }
        power.merge(&power.clone());
    }
    all
}
