//! From data to positions, and where the ticks stand.

use super::style::Bar;
use crate::statistics::normal_quantile;

/// How the values of the swept key are placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Placement {
    /// By value.
    Linear,
    /// By logarithm: positive values that span more than a factor of 30.
    Logarithmic,
    /// One after the other: values that are no numbers.
    Category,
}

/// The horizontal axis: one position in 0..1 for each distinct value.
#[derive(Clone, Debug)]
pub(super) struct KeyAxis {
    pub(super) placement: Placement,
    values: Vec<String>,
    positions: Vec<f64>,
}

impl KeyAxis {
    /// Places distinct values, given in the order of the sweep.
    pub(super) fn new(values: Vec<String>) -> Self {
        let numbers: Option<Vec<f64>> =
            values.iter().map(|value| value.parse().ok().filter(|number: &f64| number.is_finite())).collect();
        let (placement, coordinates) = match numbers {
            None => (Placement::Category, (0..values.len()).map(|index| index as f64).collect()),
            Some(numbers) => {
                let (least, most) = range(&numbers);
                if least > 0.0 && numbers.len() > 2 && most / least > 30.0 {
                    let logarithms = numbers.iter().map(|number| number.ln()).collect();
                    (Placement::Logarithmic, logarithms)
                } else {
                    (Placement::Linear, numbers)
                }
            }
        };
        let (least, most) = range(&coordinates);
        let span = most - least;
        // Half a step of room on both sides.
        let margin = 0.5 / coordinates.len().max(1) as f64;
        let positions = coordinates
            .iter()
            .map(|coordinate| {
                if span > 0.0 && span.is_finite() {
                    margin + (coordinate - least) / span * (1.0 - 2.0 * margin)
                } else {
                    0.5
                }
            })
            .collect();
        Self { placement, values, positions }
    }

    pub(super) fn position(&self, value: &str) -> f64 {
        let index = self.values.iter().position(|known| known == value);
        index.map_or(0.5, |index| self.positions[index])
    }

    /// The least distance of two positions; 1 if there is only one.
    pub(super) fn closest(&self) -> f64 {
        let mut positions = self.positions.clone();
        positions.sort_by(f64::total_cmp);
        positions.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min)
    }

    /// Position and label of each tick; labels that would overlap are left out.
    pub(super) fn ticks(&self, width_of: impl Fn(&str) -> f64) -> Vec<(f64, &str)> {
        let mut ticks: Vec<(f64, &str)> =
            self.positions.iter().copied().zip(self.values.iter().map(String::as_str)).collect();
        ticks.sort_by(|left, right| left.0.total_cmp(&right.0));
        let mut free_from = f64::NEG_INFINITY;
        ticks.retain(|(position, label)| {
            let half = width_of(label) / 2.0;
            let fits = position - half >= free_from;
            if fits {
                free_from = position + half;
            }
            fits
        });
        ticks
    }
}

/// An axis of measured values with round ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueAxis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<f64>,
    pub(super) decimals: usize,
    pub(super) is_logarithmic: bool,
    /// What stands at the ticks, if not their numbers.
    names: Vec<String>,
}

impl ValueAxis {
    /// 0 to 100 %.
    pub(super) fn percent() -> Self {
        Self {
            from: 0.0,
            to: 100.0,
            ticks: (0..=5).map(|tick| f64::from(tick) * 20.0).collect(),
            decimals: 0,
            is_logarithmic: false,
            names: Vec::new(),
        }
    }

    /// Like [`covering`](Self::covering), but logarithmic where the estimates are positive and span more than a factor
    /// of 30. What then lies far below the least estimate is not covered.
    pub(super) fn spanning(bars: &[Bar]) -> Self {
        Self::spanning_over(bars, WIDE_SPAN)
    }

    /// Likewise with another factor; where it is not logarithmic it starts at 0.
    pub(super) fn spanning_from_zero(bars: &[Bar], factor: f64) -> Self {
        let axis = Self::spanning_over(bars, factor);
        if axis.is_logarithmic || bars.is_empty() {
            return axis;
        }
        let zero = Bar { estimate: 0.0, interval: None };
        Self::spanning_over(&[bars, &[zero]].concat(), factor)
    }

    fn spanning_over(bars: &[Bar], factor: f64) -> Self {
        let estimates: Vec<f64> = bars.iter().map(|bar| bar.estimate).collect();
        let ends = bars.iter().map(Bar::ends).flat_map(|(lower, upper)| [lower, upper]);
        let ends: Vec<f64> = ends.filter(|end| end.is_finite()).chain(estimates.iter().copied()).collect();
        let (least, most) = range(&estimates);
        if least > 0.0 && most / least > factor {
            let (lowest, highest) = range(&ends);
            Self::logarithmic(lowest.max(least / 4.0), highest)
        } else {
            Self::covering(&ends)
        }
    }

    /// Covers finite values of any sign with round numbers and little room to spare; logarithmic where they are positive and
    /// span more than a factor of 30.
    pub(super) fn fitting(values: &[f64]) -> Self {
        let (least, most) = range(values);
        if least > 0.0 && most / least > WIDE_SPAN {
            return Self::logarithmic(least, most);
        }
        let (least, most) = (within_reach(least), within_reach(most));
        let size = least.abs().max(most.abs());
        let span = if most > least { most - least } else { size * 0.2 };
        let span = if span > 0.0 { span } else { 1.0 };
        let low = if least >= 0.0 && least < span * 0.5 { 0.0 } else { least - span * 0.04 };
        Self::rounded(low, most + span * 0.04, 7.0, 0.0)
    }

    /// From 0 to exactly this positive end, with round ticks.
    pub(super) fn until(end: f64) -> Self {
        let mut axis = Self::rounded(0.0, end, 9.0, 0.0);
        axis.ticks.retain(|tick| *tick <= end);
        Self { to: end, ..axis }
    }

    /// From 0 to just above a count, in whole numbers, with about so many ticks.
    pub(super) fn counts(most: u64, ticks: f64) -> Self {
        let end = most.max(1) as f64 * 1.06;
        let mut axis = Self::rounded(0.0, end, ticks, 1.0);
        axis.ticks.retain(|tick| *tick <= end);
        Self { to: end, ..axis }
    }

    /// Percentiles from the 1st to the 99th, at even distance where values are normally distributed, with ticks at these: so
    /// there is room for the tails.
    pub(super) fn percentiles(ticks: &[u32]) -> Self {
        let end = percentile_place(99.5);
        Self {
            from: -end,
            to: end,
            ticks: ticks.iter().map(|&percent| percentile_place(f64::from(percent))).collect(),
            decimals: 0,
            is_logarithmic: false,
            names: ticks.iter().map(u32::to_string).collect(),
        }
    }

    /// From the round number below `low` to the one above `high`, both positive.
    fn logarithmic(low: f64, high: f64) -> Self {
        let high = within_reach(high).max(1e-280);
        // More decades than these are no longer told apart.
        let low = low.max(high * 1e-12);
        let decades = low.log10().floor() as i32..=high.log10().floor() as i32;
        let is_long = (high / low) > 3e3;
        let round: Vec<f64> = decades
            .flat_map(|decade| [1, 2, 5, 10].map(|digit| format!("{digit}e{decade}").parse().unwrap_or(1.0)))
            .collect();
        let from = round.iter().copied().filter(|tick| *tick <= low).fold(low, |_, tick| tick);
        let to = round.iter().copied().find(|tick| *tick >= high).unwrap_or(high);
        let is_shown = |tick: &f64| (from..=to).contains(tick) && !(is_long && tick.log10().fract().abs() > 1e-9);
        let mut ticks: Vec<f64> = round.into_iter().filter(is_shown).collect();
        ticks.dedup();
        Self { from, to, ticks, decimals: 0, is_logarithmic: true, names: Vec::new() }
    }

    /// Of nothing: no number stands at it, for any would be invented.
    fn without_values() -> Self {
        Self { from: 0.0, to: 1.0, ticks: Vec::new(), decimals: 0, is_logarithmic: false, names: Vec::new() }
    }

    /// Whether there is no value that it could show.
    pub(super) fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// Covers all values with round numbers; starts at 0 unless that would waste half of the height.
    pub(super) fn covering(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::without_values();
        }
        let (least, most) = range(values);
        let (least, most) = (within_reach(least), within_reach(most));
        let most = if most > 0.0 { most } else { 1.0 };
        let least = if least < most / 2.0 { least.min(0.0) } else { least };
        let span = if most > least { most - least } else { most * 0.2 };
        let (low, high) =
            if least == 0.0 { (0.0, most + span * 0.04) } else { (least - span * 0.08, most + span * 0.08) };
        Self::rounded(low, high, 6.0, 0.0)
    }

    /// From the round number below `low` to the one above `high`, in at most so many steps, none below `least_step`.
    fn rounded(low: f64, high: f64, steps: f64, least_step: f64) -> Self {
        let coarse = ((high - low) / steps).max(least_step).max(1e-300);
        let magnitude = 10_f64.powf(coarse.log10().floor());
        let factors = if least_step < 1.0 { [1.0, 2.0, 2.5, 5.0, 10.0] } else { [1.0, 2.0, 5.0, 10.0, 10.0] };
        let step = factors
            .map(|factor| factor * magnitude)
            .into_iter()
            .find(|step| *step >= coarse)
            .unwrap_or(10.0 * magnitude);
        let bottom = (low / step).floor() as i64;
        let top = (high / step).ceil() as i64;
        let quarter = ((step / magnitude) - 2.5).abs() < 1e-9;
        let decimals = f64::from(u8::from(quarter)) - magnitude.log10().round();
        Self {
            from: bottom as f64 * step,
            to: top as f64 * step,
            ticks: (bottom..=top).map(|tick| tick as f64 * step).collect(),
            decimals: decimals.clamp(0.0, 9.0) as usize,
            is_logarithmic: false,
            names: Vec::new(),
        }
    }

    /// Where a value stands, 0 at the beginning and 1 at the end. On a logarithmic axis that is also the place of what
    /// lies below it.
    pub(super) fn position(&self, value: f64) -> f64 {
        if self.is_logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }

    /// Whether the axis ends above a value.
    pub(super) fn cuts_off(&self, value: f64) -> bool {
        self.is_logarithmic && value < self.from
    }

    pub(super) fn label(&self, tick: f64) -> String {
        let is_this = |known: &f64| known.total_cmp(&tick).is_eq();
        if let Some(name) = self.ticks.iter().position(is_this).and_then(|index| self.names.get(index)) {
            return name.clone();
        }
        let size = self.from.abs().max(self.to.abs());
        if self.is_logarithmic {
            if (1e-4..1e7).contains(&tick) { tick.to_string() } else { format!("{tick:e}") }
        } else if (1e-6..1e10).contains(&size) {
            format!("{tick:.*}", self.decimals)
        } else if tick == 0.0 {
            "0".to_owned()
        } else {
            format!("{tick:.2e}")
        }
    }

    /// ` (log scale)`, where it is.
    pub(super) fn scale_name(&self) -> &'static str {
        if self.is_logarithmic { " (log scale)" } else { "" }
    }
}

/// Where a percentile stands on the axis of [`ValueAxis::percentiles`].
pub(super) fn percentile_place(percent: f64) -> f64 {
    normal_quantile(percent / 100.0).unwrap_or(0.0)
}

/// A span of values from which on their logarithm is drawn.
const WIDE_SPAN: f64 = 30.0;

/// A number of which sums and differences are still finite.
fn within_reach(value: f64) -> f64 {
    value.clamp(-1e300, 1e300)
}

/// Least and greatest; 0 and 0 of nothing.
fn range(values: &[f64]) -> (f64, f64) {
    let mut values = values.iter().copied();
    let first = values.next().unwrap_or(0.0);
    values.fold((first, first), |(least, most), value| (least.min(value), most.max(value)))
}
