//! How many independent values a dependent series is worth.

use super::autocovariance::Deviations;

/// The effective size of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectiveSize {
    /// Number of values.
    pub n: usize,
    /// Their variance, with n in its denominator: the autocovariance γ₀ at lag 0.
    pub variance: f64,
    /// Lag-1 autocorrelation.
    pub lag1: f64,
    /// By the initial positive sequence; `None` where neighbours are so opposed that it gives no positive variance.
    pub initial_positive: Option<InitialSequence>,
    /// By the initial monotone sequence, whose estimate is never larger, and steadier; `None` likewise.
    pub initial_monotone: Option<InitialSequence>,
}

/// What a sum of autocovariances says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialSequence {
    /// How many pairs of autocovariances are in the sum.
    pub pairs: usize,
    /// The variance that each value adds to the sum in the long run, σ².
    pub long_run_variance: f64,
    /// The integrated autocorrelation time τ = σ²/γ₀: so many values are worth one independent one.
    pub autocorrelation_time: f64,
    /// n/τ.
    pub effective_size: f64,
    /// Standard error of the mean, σ/√n.
    pub standard_error: f64,
}

/// How many independent values these are worth, by Geyer's initial sequences.
///
/// Formula: with the biased autocovariances γₖ (1/n) and their pairs Γᵢ = γ₂ᵢ + γ₂ᵢ₊₁, σ² = −γ₀ + 2Σ Γᵢ up to the first
/// pair that is not positive; for the monotone sequence each Γᵢ is at most the one before. It assumes a stationary
/// series, strictly a reversible Markov chain, whose Γᵢ are positive and fall. O(n log n) at worst. `None` of fewer
/// than two values, or unless all are finite and not all equal.
///
/// Source: Geyer 1992, section 3.3.
///
/// ```
/// # use byzlab_analysis::statistics::effective_size;
/// // Each value stands four times.
/// let values: Vec<f64> = (0..4000_u64).map(|i| ((i / 4).pow(3) % 1009) as f64).collect();
/// let size = effective_size(&values).unwrap().initial_positive.unwrap();
/// assert!((size.effective_size - 1072.222_057_7).abs() < 1e-6);
/// ```
pub fn effective_size(values: &[f64]) -> Option<EffectiveSize> {
    let deviations = Deviations::new(values).filter(|deviations| deviations.len() > 1)?;
    let n = values.len();
    let scale = n as f64;
    let variance = deviations.products(0) / scale;
    if variance <= 0.0 {
        return None;
    }
    let (mut positive, mut monotone) = (0.0, 0.0);
    let mut before = f64::INFINITY;
    let mut pairs = 0;
    let mut products = deviations.all_products();
    while let (Some(even), Some(odd)) = (products.next(), products.next()) {
        let pair = (even + odd) / scale;
        if pair <= 0.0 {
            break;
        }
        before = pair.min(before);
        positive += pair;
        monotone += before;
        pairs += 1;
    }
    let sequence = |sum: f64| {
        let long_run_variance = 2.0 * sum - variance;
        let autocorrelation_time = long_run_variance / variance;
        (long_run_variance > 0.0).then(|| InitialSequence {
            pairs,
            long_run_variance,
            autocorrelation_time,
            effective_size: scale / autocorrelation_time,
            standard_error: (long_run_variance / scale).sqrt(),
        })
    };
    Some(EffectiveSize {
        n,
        variance,
        lag1: deviations.products(1) / deviations.products(0),
        initial_positive: sequence(positive),
        initial_monotone: sequence(monotone),
    })
}
