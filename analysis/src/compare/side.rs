//! One side of a comparison: units in groups, wherever they come from.

use std::cmp::Ordering;

use crate::statistics::Attempt;

/// One side of a comparison: the runs of a results folder, or the rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// What it is, for tables and messages: the folder or file, with the conditions that chose from it.
    pub name: String,
    /// What its units are called: `runs` or `rows`.
    pub units: &'static str,
    /// What a success is called: `completed` or `successful`.
    pub success: &'static str,
    /// Its groups, in the order of their first unit.
    pub groups: Vec<SideGroup>,
    /// What a reader must know of this side.
    pub notes: Vec<String>,
}

/// Units that are compared together.
#[derive(Clone, Debug, PartialEq)]
pub struct SideGroup {
    /// The columns that define the group, with their values.
    pub group: Vec<(String, String)>,
    /// Its units.
    pub units: Vec<SideUnit>,
    /// Until when all of them were watched, where that is known; failures show their limit themselves.
    pub limit: Option<f64>,
    /// Why those that succeeded have no value, if all of them lack one.
    pub no_value: Option<String>,
}

/// One run or row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SideUnit {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// What became of what was measured in it; `None` if there was nothing to be measured.
    pub attempt: Option<Attempt>,
    /// Which random numbers it met; `None` if that is not known.
    pub stream: Option<Stream>,
}

impl SideGroup {
    /// Adds the units of a group with the same values.
    pub(super) fn join(&mut self, other: &Self) {
        self.units.extend_from_slice(&other.units);
        // Known for all only if it is known for both.
        self.limit = self.limit.zip(other.limit).map(|(limit, other)| limit.min(other));
    }
}

impl From<Attempt> for SideUnit {
    /// A unit of which nobody knows what random numbers it met.
    ///
    /// ```
    /// use byzlab_analysis::{compare::SideUnit, statistics::Attempt};
    /// assert!(SideUnit::from(Attempt::Success(3.0)).succeeded && !SideUnit::from(Attempt::Never).succeeded);
    /// ```
    fn from(attempt: Attempt) -> Self {
        Self { succeeded: attempt.value().is_some(), attempt: Some(attempt), stream: None }
    }
}

/// Names the random numbers of a run. Two runs with the same index and the same seed meet the same network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// Index of the run in its cell.
    pub run: u32,
    /// Seed of the run.
    pub seed: u64,
}

/// A value of a column, as groups are matched by it: numbers as numbers, anything else as text.
///
/// `2`, `2.0` and `2e0` are one value; so are `0` and `-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Whole(i128),
    /// The bits of a number that is not whole, or too large for each whole number to be one of its own.
    Real(u64),
    Text(String),
}

impl Value {
    pub(super) fn of(text: &str) -> Self {
        /// From here on not every whole number is an `f64`.
        const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Self::Whole(whole);
        }
        // `inf` and `nan` are words here.
        match text.parse::<f64>() {
            Ok(real) if real.fract() == 0.0 && real.abs() < LARGEST_EXACT => Self::Whole(real as i128),
            Ok(real) if real.is_finite() => Self::Real(real.to_bits()),
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// The smallest and the largest limit of a group, if any is known.
pub(super) fn limits(group: &SideGroup) -> Option<(f64, f64)> {
    let of_units = group.units.iter().filter_map(|unit| unit.attempt?.limit());
    let finite = || of_units.clone().chain(group.limit).filter(|limit| limit.is_finite());
    let by_size = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    finite().min_by(by_size).zip(finite().max_by(by_size))
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn numbers_match_as_numbers_and_texts_as_texts() {
        for (left, right, same) in [
            ("2", "2.0", true),
            ("2", " 2e0", true),
            ("0", "-0.0", true),
            ("0.5", ".5", true),
            ("18446744073709551615", "18446744073709551614", false),
            ("5ms", "5 ms", false),
            ("5ms", "5ms", true),
            ("nan", "nan", true),
            ("inf", "infinity", false),
            ("2", "two", false),
        ] {
            assert_eq!(Value::of(left) == Value::of(right), same, "{left} and {right}");
        }
    }
}
