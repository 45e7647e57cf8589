//! What became of the rows of a group.

use crate::statistics::{Attempt, Moments};

/// What became of the rows of a group, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    attempts: Vec<Attempt>,
}

impl Sample {
    /// Number of rows.
    ///
    /// ```
    /// use byzlab_analysis::{statistics::Attempt, table::Sample};
    /// let sample: Sample = [Attempt::Success(3.0), Attempt::Never].into_iter().collect();
    /// assert_eq!((sample.len(), sample.successes()), (2, 1));
    /// ```
    pub fn len(&self) -> u64 {
        self.attempts.len() as u64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of rows that succeeded.
    pub fn successes(&self) -> u64 {
        self.attempts.iter().filter(|attempt| attempt.value().is_some()).count() as u64
    }

    /// The rows one by one.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The values of those that succeeded.
    pub fn values(&self) -> impl Iterator<Item = f64> + Clone {
        self.attempts.iter().filter_map(|attempt| attempt.value())
    }

    /// The least and the greatest value.
    pub fn extremes(&self) -> Option<(f64, f64)> {
        self.values().fold(None, |ends, value| {
            let (least, greatest) = ends.unwrap_or((value, value));
            Some((value.min(least), value.max(greatest)))
        })
    }

    pub(super) fn extend(&mut self, attempts: &[Attempt]) {
        self.attempts.extend_from_slice(attempts);
    }
}

impl FromIterator<Attempt> for Sample {
    fn from_iter<I: IntoIterator<Item = Attempt>>(attempts: I) -> Self {
        Self { attempts: attempts.into_iter().collect() }
    }
}

/// The correlation of each value with the one before it: r = Σ (xᵢ−m)(xᵢ₋₁−m) / Σ (xᵢ−m)². `None` of fewer than two
/// values, and where all are equal. Source: Box, Jenkins & Reinsel 2008, section 2.1.5.
pub(super) fn lag_one(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let moments: Moments = values.clone().collect();
    let (mean, squares) = (moments.mean()?, moments.sum_of_squares());
    let products: f64 =
        values.clone().zip(values.skip(1)).map(|(before, value)| (before - mean) * (value - mean)).sum();
    Some(products / squares?).filter(|correlation| correlation.is_finite())
}
