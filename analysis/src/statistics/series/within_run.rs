//! All that one long run says about its mean.

use super::batch_means::{
    BatchingVerdict, OverlappingBatchMeans, TestedBatchMeans, overlapping_batch_means, tested_batch_means,
};
use super::effective_size::{EffectiveSize, effective_size};
use super::warmup::{Mser5, WarmUpVerdict, mser5};

/// The steady state of one run: its warm-up deleted, and the mean of what is left in several ways.
#[derive(Clone, Debug, PartialEq)]
pub struct WithinRun {
    /// Number of values.
    pub n: usize,
    /// Values that the estimates below leave out at the front.
    pub deleted: usize,
    /// Where the warm-up ends; `None` of too few values.
    pub warm_up: Option<Mser5>,
    /// The mean by separate batches, as long as their independence asks for.
    pub batch_means: Option<TestedBatchMeans>,
    /// The mean by overlapping batches of the same length.
    pub overlapping: Option<OverlappingBatchMeans>,
    /// How many independent values they are worth.
    pub effective_size: Option<EffectiveSize>,
    /// What is undefined and why, and what is not to be believed.
    pub notes: Vec<String>,
}

/// Analyses one run: deletes the warm-up ([`mser5`]), then [`tested_batch_means`], [`overlapping_batch_means`] with the
/// same batch, and [`effective_size`].
///
/// Where MSER-5 says to run longer, at most half of the values are deleted and a note says so. It never fails: what is
/// undefined is `None`, with its reason among the notes.
///
/// ```
/// # use byzlab_analysis::statistics::within_run;
/// // Independent-looking values after a start that is too high.
/// let values: Vec<f64> = (0..2000_u64).map(|i| (i * 7919 % 1009) as f64 + 5e4 * (-(i as f64) / 9.0).exp()).collect();
/// let run = within_run(&values, 0.95);
/// assert!((50..150).contains(&run.deleted) && run.notes.is_empty());
/// let mean = run.batch_means.unwrap().means.interval;
/// assert!(mean.lower < 504.0 && 504.0 < mean.upper);
/// assert_eq!(within_run(&[1.0, 2.0], 0.95).notes[0], "2 values: a warm-up is not looked for in fewer than 25");
/// ```
pub fn within_run(values: &[f64], confidence: f64) -> WithinRun {
    let n = values.len();
    let mut run = WithinRun {
        n,
        deleted: 0,
        warm_up: None,
        batch_means: None,
        overlapping: None,
        effective_size: None,
        notes: Vec::new(),
    };
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        run.notes.push(format!("value {} of {n} is {}: a series needs finite values", place + 1, values[place]));
        return run;
    }
    run.warm_up = mser5(values);
    match &run.warm_up {
        None if n < 25 => run.notes.push(format!("{n} values: a warm-up is not looked for in fewer than 25")),
        None => run.notes.push("the values are too far apart to find a warm-up".to_owned()),
        Some(warm_up) => {
            run.deleted = warm_up.truncated_within_half();
            if warm_up.verdict == WarmUpVerdict::RunLonger {
                run.notes.push(format!(
                    "run longer: the warm-up may not be over (MSER-5 deletes {} of {n} values, more than half; {} are \
                     deleted here)",
                    warm_up.truncated, run.deleted
                ));
            }
        }
    }
    let rest = &values[run.deleted..];
    run.batch_means = tested_batch_means(rest, confidence);
    match &run.batch_means {
        None if rest.len() < 10 => run.notes.push(format!("{} values: batch means need 10", rest.len())),
        None => run.notes.push("batch means are undefined at this confidence, or overflow".to_owned()),
        Some(tested) => {
            if tested.verdict == BatchingVerdict::Correlated {
                run.notes.push(format!(
                    "correlated: the means of {} batches of {} values still depend on each other, so that the interval is \
                     too narrow; run longer",
                    tested.means.batches, tested.means.batch_size
                ));
            }
            run.overlapping = overlapping_batch_means(rest, tested.means.batch_size, confidence);
        }
    }
    run.effective_size = effective_size(rest);
    match &run.effective_size {
        None if rest.len() < 2 => run.notes.push("an effective size needs 2 values".to_owned()),
        None => run.notes.push("all values are equal: their effective size is undefined".to_owned()),
        Some(size) if size.initial_monotone.is_none() => {
            run.notes.push("neighbours are opposed so strongly that the effective size is undefined".to_owned());
        }
        Some(_) => {}
    }
    run
}
