//! Two samples: how far apart they are, and whether that may be chance.

mod kolmogorov_smirnov;
mod multiplicity;
mod paired;
mod rank;
mod shift;
mod welch;

pub use kolmogorov_smirnov::{KolmogorovSmirnov, kolmogorov_smirnov};
pub use multiplicity::{bonferroni, holm};
pub use paired::{PairedTest, paired_t};
pub use rank::{MannWhitney, mann_whitney};
pub use shift::{HodgesLehmann, hodges_lehmann};
pub use welch::{WelchTest, welch};

/// The values in order; `None` if one is NaN or −∞. +∞ stands for what never came, and is above all.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().any(|value| value.is_nan() || *value == f64::NEG_INFINITY) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}
