//! By how much one sample lies above the other, whatever their distribution.

use super::rank::UDistribution;
use crate::statistics::normal_quantile;

/// The shift between two samples; an end that lies beyond all numbers, or that the samples do not fix, is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HodgesLehmann {
    /// The median of all differences x − y; `None` where it is not finite, or hangs on ∞ − ∞.
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// The ends are the differences of this rank from below and from above; `None` where the samples are too small.
    pub rank: Option<u128>,
    /// The actual coverage where no value is tied: exact for small samples, else the one asked for.
    pub coverage: f64,
}

/// By how much the first sample lies above the second: the shift of Hodges & Lehmann, with a distribution-free
/// interval.
///
/// Formula: the median of all n₁n₂ differences x − y; the interval from the k-th least difference to the k-th largest,
/// with the largest k for which P(U ≤ k−1) ≤ α/2. U's distribution is exact where both samples are below 50, else
/// normal with continuity: k = ⌊n₁n₂/2 − zσ + ½⌋, σ² = n₁n₂(n₁+n₂+1)/12. It assumes independent values of two
/// distributions of one shape; with ties it is conservative.
///
/// +∞ stands for what never came. ∞ − ∞ may be anything: the interval allows for all of it, and the estimate is
/// undefined where it matters. Differences are not stored: time O((n₁+n₂) log), memory O(n₁+n₂). `None` of an empty
/// sample, with NaN or −∞, or unless 0 < `confidence` < 1.
///
/// Sources: Hodges & Lehmann 1963; Hollander, Wolfe & Chicken 2014, sections 4.2 and 4.3.
///
/// ```
/// # use byzlab_analysis::statistics::hodges_lehmann;
/// let shift = hodges_lehmann(&[11.0, 12.0, 13.0, 15.0], &[1.0, 2.0, 4.0, 8.0], 0.95).unwrap();
/// assert_eq!(shift.estimate, Some(9.5));
/// assert_eq!((shift.lower, shift.upper), (Some(3.0), Some(14.0))); // k = 1 of 16
/// assert!((shift.coverage - (1.0 - 2.0 / 70.0)).abs() < 1e-12);
/// ```
pub fn hodges_lehmann(first: &[f64], second: &[f64], confidence: f64) -> Option<HodgesLehmann> {
    let (first, second) = (super::sorted(first)?, super::sorted(second)?);
    let (n1, n2) = (first.len(), second.len());
    if n1 == 0 || n2 == 0 || !crate::statistics::is_inside_unit(confidence) {
        return None;
    }
    let differences = Differences::new(&first, &second);
    let pairs = differences.count();
    let finite = |value: f64| value.is_finite().then_some(value);
    let median = |unknown| {
        let (low, high) = (pairs.div_ceil(2), pairs / 2 + 1);
        let below = differences.at(low, unknown);
        let above = if high == low { below } else { differences.at(high, unknown) };
        finite(below.midpoint(above))
    };
    let estimate = median(Unknown::Lowest);
    let (rank, coverage) = rank_of_ends(n1, n2, confidence)?;
    Some(HodgesLehmann {
        // Where it is the same with ∞ − ∞ at either end, it is the same with it anywhere.
        estimate: estimate.filter(|_| differences.unknown == 0 || estimate == median(Unknown::Highest)),
        lower: rank.and_then(|rank| finite(differences.at(rank, Unknown::Lowest))),
        upper: rank.and_then(|rank| finite(differences.at(pairs + 1 - rank, Unknown::Highest))),
        rank,
        coverage,
    })
}

/// The rank k of the ends, and the coverage.
fn rank_of_ends(n1: usize, n2: usize, confidence: f64) -> Option<(Option<u128>, f64)> {
    // Room for rounding: a probability that equals α/2 in exact arithmetic is not above it.
    let tail = (1.0 - confidence) / 2.0 * (1.0 + 1e-12);
    if UDistribution::is_exact(n1, n2) {
        let distribution = UDistribution::new(n1, n2);
        let rank = distribution.values_within(tail);
        let coverage = if rank > 0 { 1.0 - 2.0 * distribution.cdf(rank - 1) } else { 1.0 };
        return Some(((rank > 0).then_some(rank as u128), coverage));
    }
    let pairs = n1 as f64 * n2 as f64;
    let deviation = (pairs / 12.0 * ((n1 + n2) as f64 + 1.0)).sqrt();
    let rank = (pairs / 2.0 - normal_quantile(0.5 + confidence / 2.0)? * deviation + 0.5).floor();
    Some(if rank >= 1.0 { (Some(rank as u128), confidence) } else { (None, 1.0) })
}

/// Where ∞ − ∞ stands among the differences.
#[derive(Clone, Copy, Debug)]
enum Unknown {
    Lowest,
    Highest,
}

/// All differences of two sorted samples, in order, without storing them.
#[derive(Debug)]
struct Differences<'a> {
    /// Finite values.
    first: &'a [f64],
    second: &'a [f64],
    /// How many are −∞: a number minus +∞.
    lowest: u128,
    /// How many are +∞.
    highest: u128,
    /// How many are ∞ − ∞.
    unknown: u128,
}

impl<'a> Differences<'a> {
    fn new(first: &'a [f64], second: &'a [f64]) -> Self {
        let finite = |values: &'a [f64]| &values[..values.partition_point(|&value| value < f64::INFINITY)];
        let (some, others) = (finite(first), finite(second));
        let (endless, other_endless) = ((first.len() - some.len()) as u128, (second.len() - others.len()) as u128);
        Self {
            first: some,
            second: others,
            lowest: some.len() as u128 * other_endless,
            highest: endless * others.len() as u128,
            unknown: endless * other_endless,
        }
    }

    fn count(&self) -> u128 {
        self.finite() + self.lowest + self.highest + self.unknown
    }

    fn finite(&self) -> u128 {
        self.first.len() as u128 * self.second.len() as u128
    }

    /// The difference of this rank, from 1.
    fn at(&self, rank: u128, unknown: Unknown) -> f64 {
        let below = self.lowest + if matches!(unknown, Unknown::Lowest) { self.unknown } else { 0 };
        if rank <= below {
            f64::NEG_INFINITY
        } else if rank > below + self.finite() {
            f64::INFINITY
        } else {
            self.finite_at(rank - below)
        }
    }

    /// By bisection over all numbers: the least with `rank` differences up to it, which is one of them. There are
    /// finite ones.
    fn finite_at(&self, rank: u128) -> f64 {
        let (first, second) = (self.first, self.second);
        let mut low = place(first[0] - second[second.len() - 1]);
        let mut high = place(first[first.len() - 1] - second[0]);
        while low < high {
            let middle = ((i128::from(low) + i128::from(high)).div_euclid(2)) as i64;
            if self.up_to(number(middle)) >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        // −0.0 and 0.0 are one difference.
        number(low) + 0.0
    }

    /// How many are at most `limit`: x − y falls as y rises, so one pass over both does.
    fn up_to(&self, limit: f64) -> u128 {
        let mut too_far = 0;
        let mut count = 0;
        for x in self.first {
            while too_far < self.second.len() && x - self.second[too_far] > limit {
                too_far += 1;
            }
            count += (self.second.len() - too_far) as u128;
        }
        count
    }
}

/// The place of a number among all, in their order.
fn place(number: f64) -> i64 {
    let bits = number.to_bits() as i64;
    // Below zero the order of the bits is reversed.
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// The number at a place.
fn number(place: i64) -> f64 {
    f64::from_bits((if place < 0 { place ^ i64::MAX } else { place }) as u64)
}
