//! Stopping when precise enough: how narrow an interval the runs of a cell are to give, and when they do.
//!
//! The rule is [`StoppingRule`]; here it is followed from run to run, failed ones among them.

use std::collections::BTreeMap;

use crate::metric::Metric;
use crate::render::percent_digits;
use crate::runs::Outcome;
use crate::statistics::{HalfWidth, Moments, StoppingRule, wilson};

/// How precise a figure of a cell is to be; the runs of the cell go on until it is.
///
/// Name: sequential procedure with fixed width, or fixed relative width, by replications. Assumption: runs are
/// independent, and enough of them for the t interval of their mean; stopping by the data makes the coverage of the last
/// interval a little smaller than its confidence, the less the larger `min_runs` is. Source: Law 2015, §9.4.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Which figure, and how narrow its interval is to be.
    pub aim: Aim,
    /// The confidence of that interval.
    pub confidence: f64,
    /// With fewer runs that count for the figure, its interval is never believed.
    pub min_runs: u32,
    /// With so many runs a cell ends, precise or not.
    pub max_runs: u32,
}

/// A figure, with half the width of its interval at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// The share of the runs that completed, by Wilson's interval.
    Success {
        /// A share.
        half_width: f64,
    },
    /// The mean over the completed runs, by Student's interval.
    Mean {
        /// Of what.
        metric: Metric,
        /// In the unit of the metric, or relative.
        half_width: HalfWidth,
    },
}

impl Aim {
    /// `success`, or the name of the metric.
    pub fn name(&self) -> &'static str {
        match self {
            Aim::Success { .. } => "success",
            Aim::Mean { metric, .. } => metric.name(),
        }
    }
}

/// The runs of one cell, in order, up to the one with which it ends.
///
/// ```
/// use byzlab_analysis::statistics::HalfWidth;
/// use byzlab_analysis::{Aim, Metric, Outcome, Precision, Replications};
/// let aim = Aim::Mean { metric: Metric::Client, half_width: HalfWidth::Absolute(2.0) };
/// let mut cell = Replications::new(Precision { aim, confidence: 0.95, min_runs: 3, max_runs: 100 });
/// for value in [40.0, 41.0] {
///     cell.take(Outcome::Completed, Some(value));
/// }
/// assert!(!cell.is_over()); // Two are fewer than `min_runs`.
/// cell.take(Outcome::Timeout, None);
/// cell.take(Outcome::Completed, Some(42.0));
/// // 41 ± 2.48: t(0.975; 2) = 4.303 times 1/√3.
/// assert!(!cell.is_over() && cell.half_width().is_some_and(|half_width| (half_width - 2.484).abs() < 1e-3));
/// cell.take(Outcome::Completed, Some(41.0));
/// // 41 ± 1.30
/// assert!(cell.is_over() && cell.is_precise());
/// assert_eq!(cell.runs(), 5);
/// ```
#[derive(Clone, Debug)]
pub struct Replications {
    precision: Precision,
    runs: u32,
    completed: u32,
    values: Moments,
}

impl Replications {
    /// None so far.
    pub fn new(precision: Precision) -> Self {
        Self { precision, runs: 0, completed: 0, values: Moments::default() }
    }

    /// Takes the next run. Only a completed one has a value: what else it is given is not looked at, nor are values that
    /// are no finite numbers.
    pub fn take(&mut self, outcome: Outcome, value: Option<f64>) {
        self.runs += 1;
        if outcome == Outcome::Completed {
            self.completed += 1;
            self.values.extend(value.filter(|value| value.is_finite()));
        }
    }

    /// How many there were.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// How many of them completed.
    ///
    /// ```
    /// # use byzlab_analysis::{Aim, Outcome, Precision, Replications};
    /// let aim = Aim::Success { half_width: 0.1 };
    /// let mut cell = Replications::new(Precision { aim, confidence: 0.95, min_runs: 2, max_runs: 9 });
    /// cell.take(Outcome::Timeout, None);
    /// cell.take(Outcome::Completed, None);
    /// assert_eq!((cell.runs(), cell.completed(), cell.is_of_success()), (2, 1, true));
    /// ```
    pub fn completed(&self) -> u32 {
        self.completed
    }

    /// Whether the share that completed is what is to be precise, for which runs that do not complete count as well.
    ///
    /// ```
    /// # use byzlab_analysis::{Aim, Metric, Precision, Replications, statistics::HalfWidth};
    /// let aim = Aim::Mean { metric: Metric::Client, half_width: HalfWidth::Absolute(2.0) };
    /// assert!(!Replications::new(Precision { aim, confidence: 0.95, min_runs: 2, max_runs: 9 }).is_of_success());
    /// ```
    pub fn is_of_success(&self) -> bool {
        matches!(self.precision.aim, Aim::Success { .. })
    }

    /// Whether the cell ends with them: they are precise enough, or as many as there may be.
    pub fn is_over(&self) -> bool {
        self.runs >= self.precision.max_runs || self.is_precise()
    }

    /// Whether the interval is narrow enough, of enough runs.
    pub fn is_precise(&self) -> bool {
        let Precision { aim, confidence, min_runs, max_runs } = self.precision;
        let (min_runs, max_runs) = (min_runs.into(), max_runs.into());
        let rule = |half_width| StoppingRule { half_width, confidence, min_runs, max_runs };
        match aim {
            Aim::Success { half_width } => {
                rule(HalfWidth::Absolute(half_width)).is_precise_share(self.completed.into(), self.runs.into())
            }
            Aim::Mean { half_width, .. } => rule(half_width).is_precise(&self.values),
        }
    }

    /// Half the width of the interval, in the unit of the figure; `None` as long as that is undefined.
    pub fn half_width(&self) -> Option<f64> {
        let confidence = self.precision.confidence;
        match self.precision.aim {
            Aim::Success { .. } => {
                let share = wilson(self.completed.into(), self.runs.into(), confidence)?;
                Some((share.upper - share.lower) / 2.0)
            }
            Aim::Mean { .. } => Some(self.values.interval(confidence)?.half_width),
        }
    }

    /// What was reached and what was wanted, in words, if it is not precise enough: `1.2 ms, wanted 0.5 ms`.
    pub fn shortfall(&self) -> Option<String> {
        if self.is_precise() {
            return None;
        }
        let Precision { aim, confidence, min_runs, .. } = self.precision;
        let percent = percent_digits(confidence);
        let name = aim.name();
        let counted = match aim {
            Aim::Success { .. } => u64::from(self.runs),
            Aim::Mean { .. } => self.values.count(),
        };
        if counted < min_runs.into() {
            return Some(match aim {
                Aim::Success { .. } => format!("{counted} runs, and no fewer than {min_runs} are believed"),
                Aim::Mean { .. } => format!(
                    "{counted} of {} runs completed with {} {name} value, and no fewer than {min_runs} are believed",
                    self.runs,
                    if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
                ),
            });
        }
        let Some(half_width) = self.half_width() else {
            return Some(format!("the interval of {counted} runs is undefined"));
        };
        Some(match aim {
            Aim::Success { half_width: wanted } => {
                let (half_width, wanted) = (short(100.0 * half_width), short(100.0 * wanted));
                let runs = self.runs;
                format!(
                    "success share ± {half_width} points with {runs} runs, wanted ± {wanted} at {percent} % confidence"
                )
            }
            Aim::Mean { metric, half_width: HalfWidth::Absolute(wanted) } => {
                let (unit, half_width, wanted) = (metric.unit(), short(half_width), short(wanted));
                format!(
                    "mean {name} ± {half_width} {unit} with {counted} runs, wanted ± {wanted} at {percent} % confidence"
                )
            }
            Aim::Mean { half_width: HalfWidth::Relative(wanted), .. } => {
                let mean = self.values.mean().unwrap_or_default().abs();
                // A relative error of γ of the true mean is one of γ/(1+γ) of the estimate.
                let adjusted = short(100.0 * wanted / (1.0 + wanted));
                let reached = if mean > 0.0 { short(100.0 * half_width / mean) } else { "∞".to_owned() };
                format!(
                    "mean {name} ± {reached} % with {counted} runs, wanted ± {adjusted} % \
                     (γ/(1+γ) of {}) at {percent} % confidence",
                    short(wanted)
                )
            }
        })
    }
}

/// Of runs that are summarised together, in the order of the log: whether the cells among them are precise enough, and if not, what
/// they lack. A run is its cell, its outcome and its value of the metric, if there is one. Nothing is said where the values are of
/// another metric than the one that was to be precise.
///
/// ```
/// use byzlab_analysis::precision::precision_note;
/// use byzlab_analysis::statistics::HalfWidth;
/// use byzlab_analysis::{Aim, Metric, Outcome, Precision};
/// let aim = Aim::Mean { metric: Metric::Client, half_width: HalfWidth::Absolute(2.0) };
/// let precision = Precision { aim, confidence: 0.95, min_runs: 2, max_runs: 3 };
/// let runs = [40.0, 41.0, 42.0].map(|value| (0, Outcome::Completed, Some(value)));
/// let note = precision_note(&precision, Metric::Client, runs).unwrap();
/// assert_eq!(note, "precision not reached: mean client ± 2.48 ms with 3 runs, wanted ± 2 at 95 % confidence");
/// assert_eq!(precision_note(&precision, Metric::AllCommit, runs), None);
/// ```
pub fn precision_note(
    precision: &Precision,
    metric: Metric,
    runs: impl IntoIterator<Item = (u32, Outcome, Option<f64>)>,
) -> Option<String> {
    if matches!(precision.aim, Aim::Mean { metric: wanted, .. } if wanted != metric) {
        return None;
    }
    let mut cells: BTreeMap<u32, Replications> = BTreeMap::new();
    for (cell, outcome, value) in runs {
        cells.entry(cell).or_insert_with(|| Replications::new(*precision)).take(outcome, value);
    }
    let imprecise: Vec<String> = cells.values().filter_map(Replications::shortfall).collect();
    match &imprecise[..] {
        [] => None,
        [shortfall] if cells.len() == 1 => Some(format!("precision not reached: {shortfall}")),
        _ => Some(format!("precision not reached in {} of the {} cells in it", imprecise.len(), cells.len())),
    }
}

/// Three significant digits.
fn short(value: f64) -> String {
    let digits = if value > 0.0 && value.is_finite() { (2 - value.log10().floor() as i32).clamp(0, 9) } else { 0 };
    let text = format!("{value:.*}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(aim: Aim, min_runs: u32, max_runs: u32) -> Replications {
        Replications::new(Precision { aim, confidence: 0.95, min_runs, max_runs })
    }

    const RELATIVE: Aim = Aim::Mean { metric: Metric::Client, half_width: HalfWidth::Relative(0.1) };

    #[test]
    fn equal_values_are_precise_as_soon_as_they_may_be() {
        let mut cell = cell(RELATIVE, 4, 100);
        for run in 1..=4 {
            assert!(!cell.is_over(), "before run {run}");
            cell.take(Outcome::Completed, Some(7.0));
        }
        assert!(cell.is_over() && cell.shortfall().is_none());
    }

    #[test]
    fn a_cell_without_values_ends_with_the_most_runs() {
        let mut cell = cell(RELATIVE, 2, 5);
        for outcome in [Outcome::Timeout, Outcome::Error, Outcome::Violation, Outcome::Completed] {
            // What a run that did not complete has measured is no value.
            cell.take(outcome, (outcome != Outcome::Completed).then_some(7.0));
            assert!(!cell.is_over());
        }
        cell.take(Outcome::Completed, Some(f64::NAN));
        assert!(cell.is_over() && !cell.is_precise());
        assert_eq!(cell.half_width(), None);
        assert!(cell.shortfall().is_some_and(|text| text.starts_with("0 of 5 runs completed with a client value")));
    }

    #[test]
    fn a_name_has_its_article() {
        let aim = Aim::Mean { metric: Metric::AllCommit, half_width: HalfWidth::Relative(0.1) };
        let shortfall = cell(aim, 2, 5).shortfall().unwrap();
        assert!(shortfall.starts_with("0 of 0 runs completed with an all_commit value"), "{shortfall}");
    }

    #[test]
    fn the_relative_width_is_adjusted() {
        // Two values m ± d: half-width t(0.975; 1)·d = 12.706 d. With m = 1 it is below 0.1 up to d = 0.00787, and below
        // 0.1/1.1 up to d = 0.007154.
        for (deviation, is_precise) in [(0.0071, true), (0.0073, false)] {
            let mut cell = cell(RELATIVE, 2, 100);
            cell.take(Outcome::Completed, Some(1.0 - deviation));
            cell.take(Outcome::Completed, Some(1.0 + deviation));
            assert_eq!(cell.is_precise(), is_precise, "{deviation}");
        }
    }

    #[test]
    fn the_success_share_counts_all_runs() {
        // Wilson's interval of 5 of 10 is 0.2366 to 0.7634.
        for (wanted, is_precise) in [(0.264, true), (0.263, false)] {
            let mut cell = cell(Aim::Success { half_width: wanted }, 2, 100);
            for run in 0..10 {
                cell.take(if run % 2 == 0 { Outcome::Completed } else { Outcome::Timeout }, None);
            }
            assert_eq!(cell.is_precise(), is_precise, "{wanted}");
            assert_eq!(cell.shortfall().is_none(), is_precise);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (value, text) in
            [(0.0, "0"), (4.0, "4"), (4.761_904, "4.76"), (0.000_123_4, "0.000123"), (12345.6, "12346"), (0.5, "0.5")]
        {
            assert_eq!(short(value), text);
        }
    }
}
