//! What became of the rows of a group.

use super::neighbours::Neighbours;
use crate::statistics::{Attempt, FigureOptions, Figures, Sketch, SketchedAttempts};

/// What became of the rows of a group: one by one in the order of the file, or, where they are too many, as a sketch.
///
/// ```
/// use byzlab_analysis::{statistics::Attempt, table::Sample};
/// let sample: Sample = [Attempt::Success(3.0), Attempt::Never].into_iter().collect();
/// assert_eq!((sample.len(), sample.successes(), sample.never()), (2, 1, 1));
/// assert_eq!(sample.extremes(), Some((3.0, 3.0)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// One by one.
    Exact(Vec<Attempt>),
    /// Summed up: quantiles are approximate.
    Sketched(Box<SketchedAttempts>),
}

impl Sample {
    /// Number of rows.
    pub fn len(&self) -> u64 {
        match self {
            Self::Exact(attempts) => attempts.len() as u64,
            Self::Sketched(attempts) => attempts.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of rows that succeeded.
    pub fn successes(&self) -> u64 {
        match self {
            Self::Exact(attempts) => attempts.iter().filter(|attempt| attempt.value().is_some()).count() as u64,
            Self::Sketched(attempts) => attempts.successes(),
        }
    }

    /// Number of rows that never will succeed.
    pub fn never(&self) -> u64 {
        match self {
            Self::Exact(attempts) => attempts.iter().filter(|attempt| **attempt == Attempt::Never).count() as u64,
            Self::Sketched(attempts) => attempts.never(),
        }
    }

    /// The rows one by one; `None` if they are too many.
    ///
    /// ```
    /// use byzlab_analysis::{statistics::Attempt, table::Sample};
    /// let sample: Sample = [Attempt::Never].into_iter().collect();
    /// assert_eq!(sample.attempts(), Some(&[Attempt::Never][..]));
    /// ```
    pub fn attempts(&self) -> Option<&[Attempt]> {
        match self {
            Self::Exact(attempts) => Some(attempts),
            Self::Sketched(_) => None,
        }
    }

    /// The values of rows that succeeded, in the order of the file; `None` if they are too many.
    ///
    /// ```
    /// use byzlab_analysis::{statistics::Attempt, table::Sample};
    /// let sample: Sample = [Attempt::Success(2.0), Attempt::Never, Attempt::Success(1.0)].into_iter().collect();
    /// assert_eq!(sample.values(), Some(vec![2.0, 1.0]));
    /// ```
    pub fn values(&self) -> Option<Vec<f64>> {
        self.attempts().map(|attempts| attempts.iter().filter_map(|attempt| attempt.value()).collect())
    }

    /// The least and the greatest value.
    pub fn extremes(&self) -> Option<(f64, f64)> {
        match self {
            Self::Exact(attempts) => attempts.iter().filter_map(|attempt| attempt.value()).fold(None, |ends, value| {
                let (least, greatest) = ends.unwrap_or((value, value));
                Some((value.min(least), value.max(greatest)))
            }),
            Self::Sketched(attempts) => attempts.extremes(),
        }
    }

    /// The relative error of quantiles; `None` if they are exact.
    pub fn relative_error(&self) -> Option<f64> {
        match self {
            Self::Exact(_) => None,
            Self::Sketched(_) => Some(SketchedAttempts::RELATIVE_ERROR),
        }
    }

    /// The figures. `no_value` says why there is no value at all, if there is none.
    ///
    /// ```
    /// use byzlab_analysis::{statistics::{Attempt, FigureOptions}, table::Sample};
    /// let sample: Sample = [Attempt::Success(2.0), Attempt::Success(4.0)].into_iter().collect();
    /// let figures = sample.figures(&FigureOptions::default(), || "no row".to_owned());
    /// assert_eq!(figures.conditional.mean.estimate, Some(3.0));
    /// ```
    pub fn figures(&self, options: &FigureOptions, no_value: impl Fn() -> String) -> Figures {
        match self {
            Self::Exact(attempts) => Figures::new(attempts, options, no_value),
            Self::Sketched(attempts) => attempts.figures(options, no_value),
        }
    }

    /// How many rows are kept one by one.
    pub(super) fn kept(&self) -> usize {
        self.attempts().map_or(0, <[Attempt]>::len)
    }

    pub(super) fn extend(&mut self, attempts: Vec<Attempt>) {
        match self {
            // The first block's rows need no copy.
            Self::Exact(all) if all.is_empty() => *all = attempts,
            Self::Exact(all) => all.extend(attempts),
            Self::Sketched(all) => {
                for attempt in attempts {
                    all.insert(attempt);
                }
            }
        }
    }

    /// Whether a sketch of the rows would take less memory: it has a counter for each bucket from the least to the greatest
    /// value on either side of zero.
    pub(super) fn is_smaller_as_sketch(&self) -> bool {
        let (Self::Exact(attempts), Ok(sketch)) = (self, Sketch::new(SketchedAttempts::RELATIVE_ERROR)) else {
            return false;
        };
        let mut sides: [Option<(f64, f64)>; 2] = [None; 2];
        for value in attempts.iter().filter_map(|attempt| attempt.value()) {
            let (ends, size) = (&mut sides[usize::from(value < 0.0)], value.abs());
            let (least, greatest) = ends.unwrap_or((size, size));
            // What is smaller counts as zero.
            if size >= f64::MIN_POSITIVE {
                *ends = Some((least.min(size), greatest.max(size)));
            }
        }
        let buckets = sides.into_iter().flatten().map(|(least, greatest)| {
            let indices = sketch.bucket_index(greatest).zip(sketch.bucket_index(least));
            indices.map_or(0, |(last, first)| (last - first) as usize + 1).min(Sketch::MOST_BUCKETS)
        });
        let fixed = size_of::<SketchedAttempts>() + size_of::<Neighbours>();
        buckets.sum::<usize>() * size_of::<u64>() + fixed < attempts.len() * size_of::<Attempt>()
    }

    /// Sums the rows up.
    pub(super) fn sketch(&mut self) {
        if let Self::Exact(attempts) = self {
            let mut all = SketchedAttempts::default();
            for attempt in std::mem::take(attempts) {
                all.insert(attempt);
            }
            *self = Self::Sketched(Box::new(all));
        }
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl FromIterator<Attempt> for Sample {
    fn from_iter<I: IntoIterator<Item = Attempt>>(attempts: I) -> Self {
        Self::Exact(attempts.into_iter().collect())
    }
}
