//! The mean of dependent values, by means of batches.

use super::autocorrelation::{VonNeumann, autocorrelation, von_neumann};
use crate::statistics::{Moments, TInterval, student_t_quantile};

/// The mean of a series with an interval from the means of its batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMeans {
    /// Values a batch.
    pub batch_size: usize,
    /// Number of batches.
    pub batches: usize,
    /// Values left out at the front, where the warm-up is: they fill no batch.
    pub dropped_front: usize,
    /// The mean of the batch means, with Student's interval of `batches` − 1 degrees of freedom.
    pub interval: TInterval,
    /// Standard deviation of the batch means.
    pub standard_deviation: f64,
    /// Lag-1 autocorrelation of the batch means; `None` where all are equal.
    pub lag1: Option<f64>,
    /// The variance that each value adds to the sum in the long run: batch size times the variance of the batch means.
    pub long_run_variance: f64,
}

/// The mean of a series into so many equal batches, with Student's interval from their means.
///
/// Formula: batches of ⌊n/b⌋ values, those left over dropped from the front; m ± t(1−α/2; b−1)·s/√b with s the standard
/// deviation of the b batch means. It assumes batches so long that their means are nearly independent and normal, and a
/// series without trend. Ten to thirty batches do. `None` of fewer values than batches or fewer than two batches,
/// unless all values are finite, and unless 0 < `confidence` < 1.
///
/// Sources: Schmeiser 1982; Law 2015, section 9.5.3; Alexopoulos & Goldsman 2004.
///
/// ```
/// # use byzlab_analysis::statistics::batch_means;
/// let means = batch_means(&[9.0, 1.0, 3.0, 4.0, 6.0], 2, 0.95).unwrap();
/// assert_eq!((means.batch_size, means.dropped_front, means.interval.mean), (2, 1, 3.5));
/// assert_eq!(means.long_run_variance, 9.0); // 2 × the variance of 2 and 5
/// ```
pub fn batch_means(values: &[f64], batches: usize, confidence: f64) -> Option<BatchMeans> {
    if batches < 2 || values.len() < batches || !super::all_finite(values) {
        return None;
    }
    let batch_size = values.len() / batches;
    let means = means_of_batches(values, batch_size, batches)?;
    let moments: Moments = means.iter().copied().collect();
    let interval = moments.interval(confidence).filter(|interval| interval.half_width.is_finite())?;
    Some(BatchMeans {
        batch_size,
        batches,
        dropped_front: values.len() - batches * batch_size,
        interval,
        standard_deviation: moments.standard_deviation()?,
        lag1: autocorrelation(&means, 1),
        long_run_variance: batch_size as f64 * moments.variance()?,
    })
}

/// Means of the last `batches` batches; `None` where one is beyond the range of a number.
fn means_of_batches(values: &[f64], batch_size: usize, batches: usize) -> Option<Vec<f64>> {
    let dropped = values.len() - batches * batch_size;
    values[dropped..].chunks_exact(batch_size).map(|batch| batch.iter().copied().collect::<Moments>().mean()).collect()
}

/// Whether batch means can be taken for independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchingVerdict {
    /// The test found no correlation.
    Independent,
    /// The batch means are correlated still, and longer batches would be too few: the interval is too narrow. Run
    /// longer.
    Correlated,
}

/// Batch means with batches as long as a test of their independence asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestedBatchMeans {
    /// The batch means at the last batch size.
    pub means: BatchMeans,
    /// Von Neumann's test of them; `None` where all batch means are equal.
    pub test: Option<VonNeumann>,
    /// How often the batch was doubled.
    pub doublings: u32,
    /// What the test says.
    pub verdict: BatchingVerdict,
}

/// Fewer batches than this are not tested, nor trusted.
const LEAST_BATCHES: usize = 10;
/// The level of the test.
const TEST_LEVEL: f64 = 0.10;

/// Batch means with the batch doubled until von Neumann's test finds its means uncorrelated.
///
/// Rule: the first batch has ⌊√n⌋ values, or ⌊n/10⌋ if that is less. While [`von_neumann`] rejects independence against
/// positive correlation at 10 %, the batch is doubled; if fewer than 10 batches would be left, the verdict is
/// [`BatchingVerdict::Correlated`]. Leftovers are dropped from the front. `None` of fewer than 10 values, unless all
/// are finite, and unless 0 < `confidence` < 1.
///
/// Sources: Fishman 1978, *Grouping Observations in Digital Simulation* (test and doubling); Fishman & Yarberry 1997
/// (batches that grow as √n); Schmeiser 1982 (10 to 30 batches do). The level of 10 % is a choice: a larger one asks
/// for longer batches.
///
/// ```
/// # use byzlab_analysis::statistics::{BatchingVerdict, tested_batch_means};
/// let rising: Vec<f64> = (0..1000).map(f64::from).collect();
/// let tested = tested_batch_means(&rising, 0.95).unwrap();
/// assert_eq!((tested.verdict, tested.means.batches), (BatchingVerdict::Correlated, 16));
/// let cyclic: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 7)).collect();
/// assert_eq!(tested_batch_means(&cyclic, 0.95).unwrap().verdict, BatchingVerdict::Independent);
/// ```
pub fn tested_batch_means(values: &[f64], confidence: f64) -> Option<TestedBatchMeans> {
    let n = values.len();
    let mut batch_size = n.isqrt().min(n / LEAST_BATCHES);
    if batch_size == 0 {
        return None;
    }
    let mut doublings = 0;
    loop {
        let batches = n / batch_size;
        let test = von_neumann(&means_of_batches(values, batch_size, batches)?);
        let is_independent = test.is_none_or(|test| test.p_positive >= TEST_LEVEL);
        if is_independent || n / (2 * batch_size) < LEAST_BATCHES {
            let verdict = if is_independent { BatchingVerdict::Independent } else { BatchingVerdict::Correlated };
            let means = batch_means_of_size(values, batch_size, confidence)?;
            return Some(TestedBatchMeans { means, test, doublings, verdict });
        }
        batch_size *= 2;
        doublings += 1;
    }
}

/// Batch means with batches of this many values.
fn batch_means_of_size(values: &[f64], batch_size: usize, confidence: f64) -> Option<BatchMeans> {
    let batches = values.len() / batch_size;
    // ⌊n/b⌋ may be more than the size that gave b: drop what is too much first.
    let dropped = values.len() - batches * batch_size;
    let means = batch_means(&values[dropped..], batches, confidence)?;
    Some(BatchMeans { dropped_front: dropped, ..means })
}

/// The mean of a series with an interval from all its batches, overlapping ones too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlappingBatchMeans {
    /// Values a batch.
    pub batch_size: usize,
    /// The mean of all values, with its interval.
    pub interval: TInterval,
    /// Degrees of freedom, 3/2·(n/m − 1).
    pub degrees_of_freedom: f64,
    /// The variance that each value adds to the sum in the long run.
    pub long_run_variance: f64,
}

/// The mean of a series with an interval from the means of all n − m + 1 batches of m neighbours.
///
/// Formula: σ̂² = nm/((n−m)(n−m+1)) · Σ (Ȳⱼ − m̄)², standard error σ̂/√n, Student's t with 3/2·(n/m − 1) degrees of
/// freedom. At the same batch size its variance is a third less than that of separate batches. It assumes what
/// [`batch_means`] does. `None` unless 1 ≤ m < n, all values are finite, and 0 < `confidence` < 1.
///
/// Source: Meketon & Schmeiser 1984.
///
/// ```
/// # use byzlab_analysis::statistics::overlapping_batch_means;
/// let means = overlapping_batch_means(&[1.0, 3.0, 4.0, 6.0], 2, 0.95).unwrap();
/// assert_eq!((means.interval.mean, means.degrees_of_freedom), (3.5, 1.5));
/// assert!((means.long_run_variance - 4.0 / 3.0 * 4.5).abs() < 1e-12); // batch means 2, 3.5, 5
/// ```
pub fn overlapping_batch_means(values: &[f64], batch_size: usize, confidence: f64) -> Option<OverlappingBatchMeans> {
    let moments: Moments = values.iter().copied().collect();
    let overall = moments.mean().filter(|_| super::all_finite(values) && moments.sum_of_squares().is_some())?;
    if batch_size == 0 || batch_size >= values.len() || !crate::statistics::is_inside_unit(confidence) {
        return None;
    }
    let (n, m) = (values.len() as f64, batch_size as f64);
    // Of deviations, not of values: the running sum stays small.
    let mut sum: f64 = values[..batch_size].iter().map(|value| value - overall).sum();
    let mut squares = (sum / m).powi(2);
    for (enters, leaves) in values[batch_size..].iter().zip(values) {
        sum += enters - leaves;
        squares += (sum / m).powi(2);
    }
    let long_run_variance = n * m / ((n - m) * (n - m + 1.0)) * squares;
    let degrees_of_freedom = 1.5 * (n / m - 1.0);
    let standard_error = (long_run_variance / n).sqrt();
    let half_width = student_t_quantile(0.5 + confidence / 2.0, degrees_of_freedom)? * standard_error;
    let (lower, upper) = (overall - half_width, overall + half_width);
    let interval = TInterval { mean: overall, standard_error, half_width, lower, upper };
    half_width.is_finite().then_some(OverlappingBatchMeans {
        batch_size,
        interval,
        degrees_of_freedom,
        long_run_variance,
    })
}
