//! Where a run's warm-up ends.

use crate::statistics::Moments;

/// Values a batch.
const BATCH: usize = 5;
/// So many batches are left at least.
const LEAST_LEFT: usize = 5;

/// Whether the truncation can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUpVerdict {
    /// The warm-up ends in the first half of the run.
    Ok,
    /// The best truncation leaves less than half: the run may not have left its warm-up at all. Run longer.
    RunLonger,
}

/// The warm-up of a run as MSER-5 sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mser5 {
    /// Number of batches of five.
    pub batches: usize,
    /// Batches to delete, d*: where the statistic is least.
    pub truncated_batches: usize,
    /// The same among truncations of at most half of the batches.
    pub truncated_batches_within_half: usize,
    /// Values to delete, 5d*.
    pub truncated: usize,
    /// The statistic at d*.
    pub statistic: f64,
    /// The statistic without truncation.
    pub statistic_untruncated: f64,
    /// The mean of the values that are left.
    pub mean_after: f64,
    /// The mean of all.
    pub mean_all: f64,
    /// Whether to believe it.
    pub verdict: WarmUpVerdict,
}

impl Mser5 {
    /// Values to delete so that half at least are left; as many as [`truncated`](Self::truncated) where the verdict is
    /// good.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::mser5;
    /// let still_rising: Vec<f64> = (0..100).map(f64::from).collect();
    /// let warm_up = mser5(&still_rising).unwrap();
    /// assert!(warm_up.truncated > 50 && warm_up.truncated_within_half() <= 50);
    /// ```
    pub fn truncated_within_half(&self) -> usize {
        self.truncated_batches_within_half * BATCH
    }
}

/// The warm-up of a run: MSER-5, the marginal standard error rule on batches of five.
///
/// Formula: with the means y of m batches of five, g(d) = Σ_{j>d} (yⱼ − ȳ₍d₎)² / (m−d)², where ȳ₍d₎ is the mean after
/// d; d* is the first d ≤ m−5 with the least g. It is the truncation that makes the interval of the mean narrowest if
/// the rest were independent. Where d* > m/2 it is not to be believed: [`WarmUpVerdict::RunLonger`]. Values that fill
/// no batch at the end are in no batch mean, but in the means of values. `None` of fewer than 25 values, or unless all
/// are finite.
///
/// Sources: White 1997; White, Cobb & Spratt 2000; Hoad, Robinson & Davies 2010.
///
/// ```
/// # use byzlab_analysis::statistics::{WarmUpVerdict, mser5};
/// // It starts high, and settles after 20 values.
/// let values: Vec<f64> = (0..200).map(|i| f64::from(i % 3) + f64::from((20 - i).max(0))).collect();
/// let warm_up = mser5(&values).unwrap();
/// assert_eq!((warm_up.truncated, warm_up.verdict), (20, WarmUpVerdict::Ok));
/// ```
pub fn mser5(values: &[f64]) -> Option<Mser5> {
    let means: Vec<f64> = values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let batches = means.len();
    let all: Moments = values.iter().copied().collect();
    if batches < LEAST_LEFT || all.sum_of_squares().is_none() || !super::all_finite(&means) {
        return None;
    }
    // From the end, so that each step adds one mean; the earliest of equals wins.
    let mut rest = Moments::default();
    let mut best: Option<(usize, f64)> = None;
    let mut best_within_half: Option<(usize, f64)> = None;
    let mut statistic_untruncated = 0.0;
    for (truncation, &mean) in means.iter().enumerate().rev() {
        rest.push(mean);
        let left = batches - truncation;
        if left < LEAST_LEFT {
            continue;
        }
        let statistic = rest.sum_of_squares()? / (left as f64 * left as f64);
        statistic_untruncated = statistic;
        let candidates = if 2 * truncation > batches {
            [Some(&mut best), None]
        } else {
            [Some(&mut best), Some(&mut best_within_half)]
        };
        for candidate in candidates.into_iter().flatten() {
            if candidate.is_none_or(|(_, least)| statistic <= least) {
                *candidate = Some((truncation, statistic));
            }
        }
    }
    let (truncated_batches, statistic) = best?;
    let (truncated_batches_within_half, _) = best_within_half?;
    let truncated = truncated_batches * BATCH;
    let after: Moments = values[truncated..].iter().copied().collect();
    let believed = 2 * truncated_batches <= batches;
    Some(Mser5 {
        batches,
        truncated_batches,
        truncated_batches_within_half,
        truncated,
        statistic,
        statistic_untruncated,
        mean_after: after.mean()?,
        mean_all: all.mean()?,
        verdict: if believed { WarmUpVerdict::Ok } else { WarmUpVerdict::RunLonger },
    })
}
