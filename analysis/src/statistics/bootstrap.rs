//! The bootstrap: intervals from resamples, for any statistic.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::distributions::{normal_cdf, normal_quantile};
use super::moments::Moments;
use super::quantile::quantile;

/// How resamples that equal the estimate count in the bias correction z₀.
///
/// Both are in use and differ where values are few or repeat; an interval says which it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BcaConvention {
    /// Half of them counts as below: `scipy.stats.bootstrap`.
    #[default]
    Mid,
    /// None of them counts as below: Efron 1987, and R's `boot.ci`.
    Strict,
}

/// A bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BcaInterval {
    /// The statistic of the sample itself.
    pub estimate: f64,
    /// Standard deviation of the statistic over the resamples.
    pub standard_error: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The ends of the plain percentile interval, for comparison.
    pub percentile: (f64, f64),
    /// z₀: how far the median of the resamples lies from the estimate, in normal standard deviations.
    pub bias_correction: f64,
    /// a: how fast the standard error changes with the estimate.
    pub acceleration: f64,
    /// The levels at which the ends are quantiles of the resamples.
    pub levels: (f64, f64),
    /// Number of resamples.
    pub replicates: usize,
    /// How ties count in z₀.
    pub convention: BcaConvention,
}

/// The bias-corrected and accelerated bootstrap interval of any statistic.
///
/// Formula: `replicates` resamples of n values each, with replacement; then [`bca_from_replicates`]
/// with the [`acceleration`] of the jackknife. `statistic` may reorder the values that it is given.
/// It assumes independent values. Of few its coverage is below the nominal one (20 normal values:
/// 92 % instead of 95 %), and it never looks beyond the values that were seen.
///
/// It costs one call of the statistic for each resample and one for each value left out: with n values and a statistic
/// that takes time n, some (`replicates` + n)·n. From some 10,000 values on the second part is the larger; for the mean
/// and the standard deviation [`bca_mean`] and [`bca_deviation`](super::bca_deviation) have it in closed form.
///
/// It is deterministic: xoshiro256++ seeded with `seed` by `SplitMix64`, indices by Lemire's unbiased
/// multiplication, resample after resample; the same on every machine. `None` of fewer than two
/// values, of a value that is not finite, if the statistic is `None` or not finite of the sample, of a
/// resample or of the sample less one value, and as [`bca_from_replicates`].
///
/// Source: Efron 1987; Efron & Tibshirani 1993, section 14.3; Lemire 2019.
///
/// ```
/// # use byzlab_analysis::statistics::{BcaConvention, bca, quantile};
/// let values: Vec<f64> = (1..=25).map(|i| f64::from(i * i)).collect();
/// let median = |resample: &mut [f64]| {
///     resample.sort_by(f64::total_cmp);
///     quantile(resample, 0.5)
/// };
/// let interval = bca(&values, median, 0.95, 2_000, 1, BcaConvention::Mid).unwrap();
/// assert_eq!(interval.estimate, 169.0);
/// assert!(interval.lower < 169.0 && interval.upper > 169.0);
/// ```
pub fn bca(
    values: &[f64],
    statistic: impl Fn(&mut [f64]) -> Option<f64>,
    confidence: f64,
    replicates: u32,
    seed: u64,
    convention: BcaConvention,
) -> Option<BcaInterval> {
    if !is_sample(values) {
        return None;
    }
    let mut buffer = values.to_vec();
    let estimate = statistic(&mut buffer)?;
    let jackknife: Option<Vec<f64>> = (0..values.len())
        .map(|left_out| {
            buffer.clear();
            buffer.extend_from_slice(&values[..left_out]);
            buffer.extend_from_slice(&values[left_out + 1..]);
            statistic(&mut buffer)
        })
        .collect();
    let acceleration = acceleration(&jackknife?)?;
    bca_of_resamples(values, statistic, (estimate, acceleration), confidence, (replicates, seed), convention)
}

/// [`bca`], given the estimate and the acceleration.
pub(super) fn bca_of_resamples(
    values: &[f64],
    statistic: impl Fn(&mut [f64]) -> Option<f64>,
    (estimate, acceleration): (f64, f64),
    confidence: f64,
    (replicates, seed): (u32, u64),
    convention: BcaConvention,
) -> Option<BcaInterval> {
    if !is_sample(values) {
        return None;
    }
    let mut buffer = values.to_vec();
    let mut indices = Indices::new(values.len(), seed);
    let replicates: Option<Vec<f64>> = (0..replicates)
        .map(|_| {
            buffer.fill_with(|| values[indices.draw()]);
            statistic(&mut buffer)
        })
        .collect();
    bca_from_replicates(estimate, replicates?, acceleration, confidence, convention)
}

/// The bias-corrected and accelerated bootstrap interval of the mean: [`bca`], made fast.
///
/// Its ends follow the skewness of the values: of means of skewed values it errs more evenly on both sides
/// than the t interval. It does not cover more often (20 exponential values: 91 %, t 92 %). The
/// acceleration is Σd³ / 6(Σd²)^(3/2), d = x − m. Where all values are equal both ends are that value. `None` as [`bca`].
///
/// Source: Efron & Tibshirani 1993, section 14.3.
///
/// ```
/// # use byzlab_analysis::statistics::{BcaConvention, bca_mean};
/// let interval = bca_mean(&[12.1, 10.4, 15.8, 11.0, 30.2], 0.90, 2_000, 1, BcaConvention::Mid).unwrap();
/// assert!((interval.estimate - 15.9).abs() < 1e-12);
/// assert!(interval.lower > 11.0 && interval.upper < 30.2);
/// ```
pub fn bca_mean(
    values: &[f64],
    confidence: f64,
    replicates: u32,
    seed: u64,
    convention: BcaConvention,
) -> Option<BcaInterval> {
    if !is_sample(values) {
        return None;
    }
    let mean = values.iter().copied().collect::<Moments>().mean()?;
    // Deviations keep their digits where values are large and lie close together.
    let deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let n = values.len() as f64;
    // Leaving out x moves the mean by −d/(n−1).
    let jackknife: Vec<f64> = deviations.iter().map(|deviation| -deviation / (n - 1.0)).collect();
    let acceleration = acceleration(&jackknife)?;
    let mut indices = Indices::new(values.len(), seed);
    let replicates = (0..replicates)
        .map(|_| mean + (0..deviations.len()).map(|_| deviations[indices.draw()]).sum::<f64>() / n)
        .collect();
    bca_from_replicates(mean, replicates, acceleration, confidence, convention)
}

/// The acceleration a of a statistic, from its values with one observation left out each.
///
/// Formula: Σ(θ̄−θᵢ)³ / 6(Σ(θ̄−θᵢ)²)^(3/2), with θ̄ the mean of the θᵢ; 0 where all are equal. `None` of
/// fewer than two values, or of one that is not finite.
///
/// Source: Efron 1987; Efron & Tibshirani 1993, eq. 14.15.
///
/// ```
/// # use byzlab_analysis::statistics::acceleration;
/// assert_eq!(acceleration(&[1.0, 2.0, 3.0]), Some(0.0));
/// assert!(acceleration(&[1.0, 5.0, 5.0]).unwrap() > 0.0);
/// ```
pub fn acceleration(jackknife: &[f64]) -> Option<f64> {
    if !is_sample(jackknife) {
        return None;
    }
    let mean = jackknife.iter().copied().collect::<Moments>().mean()?;
    let scale = jackknife.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    if scale == 0.0 {
        return Some(0.0);
    }
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in jackknife {
        let deviation = (mean - value) / scale;
        squares += deviation * deviation;
        cubes += deviation * deviation * deviation;
    }
    Some(cubes / (6.0 * squares * squares.sqrt())).filter(|acceleration| acceleration.is_finite())
}

/// The bias-corrected and accelerated bootstrap interval from statistics of resamples.
///
/// Formula: z₀ = Φ⁻¹(share of replicates below the estimate), see [`BcaConvention`]; the ends are the type-7
/// quantiles of the replicates at Φ(z₀ + (z₀+z)/(1−a(z₀+z))), z = Φ⁻¹(α/2) and Φ⁻¹(1−α/2). A replicate is
/// tied with the estimate if it differs by rounding alone: by at most 10⁻¹² of the range of the
/// replicates or four units in the last place of the estimate.
///
/// Where all replicates are tied with the estimate, both ends are it. `None` of fewer than two
/// replicates, of a number that is not finite, unless 0 < `confidence` < 1, if all replicates lie on
/// one side of the estimate (z₀ is infinite: the estimate is too biased, or the replicates too few), or
/// if a(z₀+z) ≥ 1 (the same, for a).
///
/// Source: Efron 1987; Efron & Tibshirani 1993, eq. 14.10 and 14.14.
///
/// ```
/// # use byzlab_analysis::statistics::{BcaConvention, bca_from_replicates};
/// let replicates: Vec<f64> = (1..=999).map(f64::from).collect();
/// // Neither bias nor acceleration: the percentile interval.
/// let interval = bca_from_replicates(500.0, replicates, 0.0, 0.90, BcaConvention::Mid).unwrap();
/// assert!((interval.lower - 50.9).abs() < 1e-9 && (interval.upper - 949.1).abs() < 1e-9);
/// ```
pub fn bca_from_replicates(
    estimate: f64,
    mut replicates: Vec<f64>,
    acceleration: f64,
    confidence: f64,
    convention: BcaConvention,
) -> Option<BcaInterval> {
    let defined = is_sample(&replicates) && estimate.is_finite() && acceleration.is_finite();
    if !defined || !super::is_inside_unit(confidence) {
        return None;
    }
    let standard_error = replicates.iter().copied().collect::<Moments>().standard_deviation()?;
    replicates.sort_unstable_by(f64::total_cmp);
    let range = replicates[replicates.len() - 1] - replicates[0];
    let rounding = 1e-12 * range + 4.0 * f64::EPSILON * estimate.abs();
    let below = replicates.partition_point(|&replicate| replicate < estimate - rounding);
    let not_above = replicates.partition_point(|&replicate| replicate <= estimate + rounding);
    let (tail, count) = ((1.0 - confidence) / 2.0, replicates.len() as f64);
    let all_tied = below == 0 && not_above == replicates.len();
    let (bias_correction, levels) = if all_tied {
        (0.0, (tail, 1.0 - tail))
    } else {
        let share = match convention {
            BcaConvention::Mid => (below + not_above) as f64 / (2.0 * count),
            BcaConvention::Strict => below as f64 / count,
        };
        let z0 = normal_quantile(share)?;
        let z = normal_quantile(tail)?;
        (z0, (corrected_level(z0, z, acceleration)?, corrected_level(z0, -z, acceleration)?))
    };
    let at = |level: f64| if all_tied { Some(estimate) } else { quantile(&replicates, level) };
    Some(BcaInterval {
        estimate,
        standard_error,
        lower: at(levels.0)?,
        upper: at(levels.1)?,
        percentile: (at(tail)?, at(1.0 - tail)?),
        bias_correction,
        acceleration,
        levels,
        replicates: replicates.len(),
        convention,
    })
}

/// Φ(z₀ + (z₀+z) / (1 − a(z₀+z))).
fn corrected_level(z0: f64, z: f64, acceleration: f64) -> Option<f64> {
    let denominator = 1.0 - acceleration * (z0 + z);
    if denominator <= 0.0 {
        return None;
    }
    normal_cdf(z0 + (z0 + z) / denominator)
}

/// At least two values, all finite.
fn is_sample(values: &[f64]) -> bool {
    values.len() > 1 && values.iter().all(|value| value.is_finite())
}

/// Draws of indices below a bound, all equally likely.
struct Indices {
    random: Xoshiro256PlusPlus,
    bound: u64,
    /// 2⁶⁴ mod bound: so many of the products must be drawn again.
    threshold: u64,
}

impl Indices {
    fn new(bound: usize, seed: u64) -> Self {
        let bound = bound as u64;
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed), bound, threshold: bound.wrapping_neg() % bound }
    }

    fn draw(&mut self) -> usize {
        loop {
            let product = u128::from(self.random.next_u64()) * u128::from(self.bound);
            if product as u64 >= self.threshold {
                return (product >> 64) as usize;
            }
        }
    }
}
