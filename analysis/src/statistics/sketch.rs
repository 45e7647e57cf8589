//! Quantiles of more values than one cares to keep.

use thiserror::Error;

/// A summary of any number of values, from which any quantile follows with a stated relative error.
///
/// Name: `DDSketch`. Formula: with γ = (1+α)/(1−α), a value x > 0 is counted in bucket ⌈ln x / ln γ⌉, whose value
/// 2γⁱ/(γ+1) is within α of all that it holds; values below zero likewise, by their size. Count, least, largest and sum
/// are exact (the sum up to rounding). Merging gives the sketch of all values, in whatever order.
///
/// Memory is bounded: where values span more than 8192 buckets, the lowest are joined to one. Then
/// [`is_collapsed`](Self::is_collapsed), and quantiles that fall there are too high, though never outside
/// the least and the largest value; the guarantee holds for all others. A number
/// smaller than 2.2·10⁻³⁰⁸ counts as zero.
///
/// Source: Masson, Rim & Lee 2019, *`DDSketch`: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
/// Guarantees*.
///
/// ```
/// # use byzlab_analysis::statistics::Sketch;
/// let mut sketch = Sketch::new(0.01)?;
/// for value in 1..=1000 {
///     assert!(sketch.insert(f64::from(value)));
/// }
/// let p99 = sketch.quantile(0.99).unwrap();
/// assert!((p99 - 990.0).abs() <= 0.01 * 990.0);
/// assert_eq!((sketch.count(), sketch.min(), sketch.max()), (1000, Some(1.0), Some(1000.0)));
/// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    relative_error: f64,
    log_gamma: f64,
    positive: Buckets,
    /// By the size of the value: the largest are the lowest.
    negative: Buckets,
    zeros: u64,
    count: u64,
    min: f64,
    max: f64,
    sum: f64,
    /// What rounding took from the sum.
    lost: f64,
}

/// What a sketch cannot do.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum SketchError {
    /// It must leave distinct buckets that can be numbered.
    #[error("the relative error of a sketch is {0}; it must lie between 1e-6 and 0.5")]
    RelativeError(f64),
    /// Buckets of different widths do not add up.
    #[error("sketches of different relative errors, {0} and {1}, do not merge")]
    DifferentErrors(f64, f64),
}

impl Sketch {
    /// Buckets a side of zero. At a relative error of 1 % they span a ratio of e¹⁶³, at 0.1 % of 10⁷.
    pub(crate) const MOST_BUCKETS: usize = 8192;

    /// A sketch of nothing, whose quantiles will be within this relative error.
    ///
    /// Errors: a relative error outside 10⁻⁶..0.5.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// assert_eq!(Sketch::new(0.01)?.quantile(0.5), None);
    /// assert!(Sketch::new(0.0).is_err() && Sketch::new(f64::NAN).is_err());
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn new(relative_error: f64) -> Result<Self, SketchError> {
        if !(1e-6..=0.5).contains(&relative_error) {
            return Err(SketchError::RelativeError(relative_error));
        }
        Ok(Self {
            relative_error,
            // ln (1+α)/(1−α), with full precision for small α.
            log_gamma: libm::log1p(relative_error) - libm::log1p(-relative_error),
            positive: Buckets::joining(Joined::Lowest),
            negative: Buckets::joining(Joined::Highest),
            zeros: 0,
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
            lost: 0.0,
        })
    }

    /// The relative error of the quantiles.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// assert_eq!(Sketch::new(0.01)?.relative_error(), 0.01);
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn relative_error(&self) -> f64 {
        self.relative_error
    }

    /// The bucket of a positive number: ⌈ln x / ln γ⌉. `None` unless x is finite and at least 2.2·10⁻³⁰⁸.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let sketch = Sketch::new(0.01)?;
    /// assert_eq!((sketch.bucket_index(75.3), sketch.bucket_index(-1.0)), (Some(217), None));
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn bucket_index(&self, x: f64) -> Option<i32> {
        (x.is_finite() && x >= f64::MIN_POSITIVE).then(|| self.index(x))
    }

    fn index(&self, x: f64) -> i32 {
        (libm::log(x) / self.log_gamma).ceil() as i32
    }

    /// The value that stands for a bucket, 2γⁱ/(γ+1): no number in the bucket is further than the relative error from
    /// it.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let sketch = Sketch::new(0.01)?;
    /// assert!((sketch.bucket_value(217) - 75.951_451_452_697_1).abs() < 1e-10);
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn bucket_value(&self, index: i32) -> f64 {
        // 2/(γ+1) = 1 − α.
        libm::exp(f64::from(index) * self.log_gamma) * (1.0 - self.relative_error)
    }

    /// Adds a value; `false` if it is not finite, and then nothing changes: infinities and NaN must be counted apart.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!(sketch.insert(-3.0) && sketch.insert(0.0) && !sketch.insert(f64::NAN));
    /// assert_eq!(sketch.count(), 2);
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    #[must_use = "a value that is not finite is not in the sketch"]
    pub fn insert(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if value >= f64::MIN_POSITIVE {
            self.positive.add(self.index(value), 1);
        } else if value <= -f64::MIN_POSITIVE {
            self.negative.add(self.index(-value), 1);
        } else {
            self.zeros += 1;
        }
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.add_to_sum(value);
        true
    }

    /// Neumaier's compensated sum.
    fn add_to_sum(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { self.sum - sum + value } else { value - sum + self.sum };
        self.sum = sum;
    }

    /// Adds all that another sketch holds.
    ///
    /// Errors: another relative error.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let (mut left, mut right) = (Sketch::new(0.01)?, Sketch::new(0.01)?);
    /// assert!(left.insert(1.0) && right.insert(5.0));
    /// left.merge(&right)?;
    /// assert_eq!((left.count(), left.sum(), left.max()), (2, Some(6.0), Some(5.0)));
    /// assert!(left.merge(&Sketch::new(0.02)?).is_err());
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if self.relative_error.to_bits() != other.relative_error.to_bits() {
            return Err(SketchError::DifferentErrors(self.relative_error, other.relative_error));
        }
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
        self.zeros += other.zeros;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.add_to_sum(other.sum);
        self.lost += other.lost;
        Ok(())
    }

    /// The p-quantile: within the relative error of the value of rank ⌈np⌉ (type 1).
    ///
    /// Exact at p = 0 and 1. `None` of nothing, or unless 0 ≤ p ≤ 1.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!([-100.0, 0.0, 0.0, 100.0].into_iter().all(|value| sketch.insert(value)));
    /// assert_eq!((sketch.quantile(0.0), sketch.quantile(0.5)), (Some(-100.0), Some(0.0)));
    /// assert_eq!(sketch.quantile(1.0), Some(100.0));
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&p) {
            return None;
        }
        // Room for rounding: 0.07 · 100 is above 7 in binary.
        let rank = ((self.count as f64 * p * (1.0 - 1e-15)).ceil() as u64).clamp(1, self.count);
        // The ends are known exactly.
        if rank == 1 {
            return Some(self.min);
        }
        if rank == self.count {
            return Some(self.max);
        }
        Some(self.value_of_rank(rank).clamp(self.min, self.max))
    }

    fn value_of_rank(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for (index, count) in self.negative.ascending().rev() {
            seen += count;
            if seen >= rank {
                return -self.bucket_value(index);
            }
        }
        seen += self.zeros;
        if seen >= rank {
            return 0.0;
        }
        for (index, count) in self.positive.ascending() {
            seen += count;
            if seen >= rank {
                return self.bucket_value(index);
            }
        }
        self.max
    }

    /// Number of values.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// assert_eq!(Sketch::new(0.01)?.count(), 0);
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least value; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!(sketch.insert(7.3) && sketch.insert(2.1));
    /// assert_eq!(sketch.min(), Some(2.1));
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest value; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!(sketch.insert(7.3) && sketch.insert(2.1));
    /// assert_eq!(sketch.max(), Some(7.3));
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The sum of the values; `None` where it is too large for a number.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!([1e16, 1.0, -1e16].into_iter().all(|value| sketch.insert(value)));
    /// assert_eq!(sketch.sum(), Some(1.0));
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn sum(&self) -> Option<f64> {
        Some(self.sum + self.lost).filter(|sum| sum.is_finite())
    }

    /// Whether the lowest buckets were joined, so that low quantiles have lost their guarantee.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Sketch;
    /// let mut sketch = Sketch::new(0.01)?;
    /// assert!(sketch.insert(1e-60) && sketch.insert(1.0) && !sketch.is_collapsed());
    /// assert!(sketch.insert(1e60) && sketch.is_collapsed());
    /// # Ok::<(), byzlab_analysis::statistics::SketchError>(())
    /// ```
    pub fn is_collapsed(&self) -> bool {
        self.positive.is_collapsed || self.negative.is_collapsed
    }
}

/// Which end of the buckets is joined where they are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    Lowest,
    Highest,
}

/// Counts of a contiguous range of buckets.
#[derive(Clone, Debug, PartialEq)]
struct Buckets {
    joined: Joined,
    /// The index of the first count.
    first: i32,
    counts: Vec<u64>,
    is_collapsed: bool,
}

impl Buckets {
    fn joining(joined: Joined) -> Self {
        Self { joined, first: 0, counts: Vec::new(), is_collapsed: false }
    }

    /// Index and count of all buckets that hold something.
    fn ascending(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        let counts = self.counts.iter().enumerate().filter(|&(_, &count)| count > 0);
        counts.map(|(place, &count)| (self.first + place as i32, count))
    }

    fn add(&mut self, index: i32, count: u64) {
        let place = usize::try_from(index - self.first).ok().filter(|&place| place < self.counts.len());
        let place = place.unwrap_or_else(|| self.place_outside(index));
        self.counts[place] += count;
    }

    /// Makes room for a bucket outside the range; gives the place that counts for it.
    fn place_outside(&mut self, index: i32) -> usize {
        if self.counts.is_empty() {
            self.first = index;
            self.counts.push(0);
            return 0;
        }
        let last = self.first + (self.counts.len() - 1) as i32;
        let (mut low, mut high) = (self.first.min(index), last.max(index));
        let width = (Sketch::MOST_BUCKETS - 1) as i32;
        if high - low > width {
            self.is_collapsed = true;
            match self.joined {
                Joined::Lowest => low = high - width,
                Joined::Highest => high = low + width,
            }
        }
        if (low, high) != (self.first, last) {
            let mut counts = vec![0; (high - low) as usize + 1];
            for (index, count) in self.ascending() {
                counts[(index.clamp(low, high) - low) as usize] += count;
            }
            (self.first, self.counts) = (low, counts);
        }
        (index.clamp(low, high) - low) as usize
    }

    fn merge(&mut self, other: &Self) {
        self.is_collapsed |= other.is_collapsed;
        for (index, count) in other.ascending() {
            self.add(index, count);
        }
    }
}
