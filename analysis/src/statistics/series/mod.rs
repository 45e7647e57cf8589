//! Values in the order in which they came: what one long run says, although they depend on each other.

mod autocorrelation;
mod autocovariance;
mod batch_means;
mod effective_size;
mod warmup;
mod within_run;

pub use autocorrelation::{AutocorrelationTest, VonNeumann, autocorrelation, bartlett_z, ljung_box, von_neumann};
pub use batch_means::{
    BatchMeans, BatchingVerdict, OverlappingBatchMeans, TestedBatchMeans, batch_means, overlapping_batch_means,
    tested_batch_means,
};
pub use effective_size::{EffectiveSize, InitialSequence, effective_size};
pub use warmup::{Mser5, WarmUpVerdict, mser5};
pub use within_run::{WithinRun, within_run};

/// Whether an estimator of series can work on them: it needs finite values.
fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}
