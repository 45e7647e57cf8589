//! Which of two samples tends to be larger, by ranks alone.

use crate::statistics::normal_sf;

/// The test is exact if both samples are smaller than this, as in R's `wilcox.test` (which is so without ties alone).
const EXACT_BELOW: usize = 50;

/// The rank-sum test of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// U of the first sample: in how many pairs its value is the larger, ties by halves.
    pub u: f64,
    /// Size of the first sample.
    pub n1: usize,
    /// Size of the second sample.
    pub n2: usize,
    /// Whether any value stands twice, in one sample or in both; +∞ is tied with +∞.
    pub has_ties: bool,
    /// Two-sided p: the exact one where there is one, else the normal one with continuity correction.
    pub p: f64,
    /// Exact, given the ties: where both samples are below 50.
    pub p_exact: Option<f64>,
    /// Normal approximation with tie correction and continuity correction.
    pub p_normal: f64,
    /// Normal approximation with tie correction, without continuity correction.
    pub p_normal_without_continuity: f64,
    /// Cliff's delta, P(x > y) − P(x < y), from −1 to 1: 2U/(n₁n₂) − 1.
    pub cliffs_delta: f64,
}

/// Tests whether values of one sample tend to be larger than those of the other.
///
/// Formula: U = #(x > y) + ½·#(x = y) over all pairs. Exactly, two-sided p = 2·min(P(U ≤ u), P(U ≥ u)) where all orders of the samples
/// are alike probable: with ties, over all ways to deal the midranks to the samples. For large samples z = (|U − n₁n₂/2| − ½)/σ, σ² = n₁n₂/12 · (N + 1 − Σ(t³−t)/(N(N−1)))
/// over the groups of t tied values. It assumes independent values of one distribution each, and asks nothing of it; +∞
/// is above all numbers. Where all values are equal p is 1. `None` of an empty sample, or with NaN or −∞.
///
/// Sources: Mann & Whitney 1947; Streitberg & Röhmel 1986 for ties; Hollander, Wolfe & Chicken 2014, section 4.1; Cliff 1993.
///
/// ```
/// # use byzlab_analysis::statistics::mann_whitney;
/// let test = mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, f64::INFINITY]).unwrap();
/// assert_eq!((test.u, test.cliffs_delta), (0.0, -1.0));
/// assert!((test.p - 2.0 / 20.0).abs() < 1e-15); // of 20 orders two are so extreme
/// let never = [f64::INFINITY; 3];
/// let test = mann_whitney(&never, &[100.0; 3]).unwrap();
/// assert!((test.p - 2.0 / 20.0).abs() < 1e-15); // and as many of 20 ways to deal the failures
/// ```
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    let (first, second) = (super::sorted(first)?, super::sorted(second)?);
    let (n1, n2) = (first.len(), second.len());
    if n1 == 0 || n2 == 0 {
        return None;
    }
    let counted = Counted::new(&first, &second);
    let (pairs, all) = (n1 as f64 * n2 as f64, (n1 + n2) as f64);
    // Twice U, to stay with whole numbers.
    let twice_u = 2 * counted.above + counted.equal;
    let u = twice_u as f64 / 2.0;
    let distance = (u - pairs / 2.0).abs();
    let tied = if n1 + n2 > 1 { counted.tie_term as f64 / (all * (all - 1.0)) } else { 0.0 };
    let variance = (pairs / 12.0 * (all + 1.0 - tied)).max(0.0);
    let p_normal = |distance: f64| {
        if variance > 0.0 { normal_sf(distance / variance.sqrt()).map(|tail| (2.0 * tail).min(1.0)) } else { Some(1.0) }
    };
    let has_ties = counted.tie_term > 0;
    let p_exact = UDistribution::is_exact(n1, n2).then(|| {
        if has_ties {
            return MidranksDealt::new(&counted.ties, n1).two_sided(twice_u as usize);
        }
        let distribution = UDistribution::new(n1, n2);
        // Symmetrical: the tail towards the nearer end.
        let nearer = (twice_u / 2).min((n1 * n2) as u128 - twice_u / 2);
        (2.0 * distribution.cdf(nearer as usize)).min(1.0)
    });
    let with_continuity = p_normal(distance - 0.5)?;
    Some(MannWhitney {
        u,
        n1,
        n2,
        has_ties,
        p: p_exact.unwrap_or(with_continuity),
        p_exact,
        p_normal: with_continuity,
        p_normal_without_continuity: p_normal(distance)?,
        cliffs_delta: (counted.above as f64 - (pairs - counted.above as f64 - counted.equal as f64)) / pairs,
    })
}

/// What one pass over both sorted samples counts.
#[derive(Debug, Default)]
struct Counted {
    /// Pairs whose first value is larger.
    above: u128,
    /// Pairs of equal values.
    equal: u128,
    /// Σ t³ − t over groups of equal values.
    tie_term: u128,
    /// Sizes of the groups of equal values, rising; kept where both samples are small.
    ties: Vec<usize>,
}

impl Counted {
    fn new(first: &[f64], second: &[f64]) -> Self {
        let mut counted = Self::default();
        let is_small = UDistribution::is_exact(first.len(), second.len());
        let (mut i, mut j) = (0, 0);
        while i < first.len() || j < second.len() {
            let value = match (first.get(i), second.get(j)) {
                (Some(&x), Some(&y)) => x.min(y),
                (Some(&x), None) => x,
                (None, y) => y.copied().unwrap_or_default(),
            };
            let tied = |rest: &[f64]| rest.iter().take_while(|&&other| other <= value).count();
            let (left, right) = (tied(&first[i..]), tied(&second[j..]));
            counted.above += left as u128 * j as u128;
            counted.equal += left as u128 * right as u128;
            let group = (left + right) as u128;
            counted.tie_term += group * group * group - group;
            if is_small {
                counted.ties.push(left + right);
            }
            i += left;
            j += right;
        }
        counted
    }
}

/// The distribution of U where all orders of two samples without ties are alike probable.
#[derive(Debug)]
pub(super) struct UDistribution(Vec<f64>);

impl UDistribution {
    /// Whether samples of these sizes have an exact distribution here.
    pub(super) fn is_exact(n1: usize, n2: usize) -> bool {
        n1 < EXACT_BELOW && n2 < EXACT_BELOW
    }

    /// By the value that comes last: it belongs to the first sample with probability n₁/(n₁+n₂), and is then above all
    /// n₂ of the second. All terms are positive, so that small probabilities keep their digits.
    pub(super) fn new(n1: usize, n2: usize) -> Self {
        // For each size of the second sample, with the first of the size at hand.
        let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n2 + 1];
        for i in 1..=n1 {
            for j in 1..=n2 {
                let share = i as f64 / (i + j) as f64;
                let (without_first, without_second) = (&row[j], &row[j - 1]);
                let mut next = vec![0.0; i * j + 1];
                for (u, probability) in without_first.iter().enumerate() {
                    next[u + j] += share * probability;
                }
                for (u, probability) in without_second.iter().enumerate() {
                    next[u] += (1.0 - share) * probability;
                }
                row[j] = next;
            }
        }
        Self(row.pop().unwrap_or_default())
    }

    /// P(U ≤ u).
    pub(super) fn cdf(&self, u: usize) -> f64 {
        self.0.iter().take(u + 1).sum()
    }

    /// How many of the lowest values of U have together a probability of at most `tail`.
    pub(super) fn values_within(&self, tail: f64) -> usize {
        let mut sum = 0.0;
        self.0
            .iter()
            .take_while(|&&probability| {
                sum += probability;
                sum <= tail
            })
            .count()
    }
}

/// The distribution of 2U where all ways to deal the midranks of tied values to two samples are alike probable.
///
/// Name: shift algorithm. Formula: with whole scores aᵢ, the number of subsets of j scores with sum s among the first i is
/// that among the first i − 1, plus that of j − 1 scores with sum s − aᵢ. All terms are positive, so that small
/// probabilities keep their digits. Source: Streitberg & Röhmel 1986.
#[derive(Debug)]
struct MidranksDealt {
    /// For each 2U, how many ways lead to it.
    ways: Vec<f64>,
}

impl MidranksDealt {
    /// For groups of equal values of these sizes, rising, of which `n1` values go to the first sample.
    fn new(ties: &[usize], n1: usize) -> Self {
        // Twice the midrank, less 2: a sample's sum of these is 2U more than that of its own ranks.
        let mut scores = Vec::new();
        for &size in ties {
            let score = 2 * scores.len() + size - 1;
            scores.resize(scores.len() + size, score);
        }
        let own = n1 * n1.saturating_sub(1);
        let most = own + 2 * n1 * (scores.len() - n1);
        let mut ways = vec![vec![0.0; most + 1]; n1 + 1];
        ways[0][0] = 1.0;
        // The largest sum of the scores so far that a sample can have: no more than all of them.
        let mut reached = 0;
        for &score in &scores {
            reached = (reached + score).min(most);
            for taken in (1..=n1).rev() {
                let (fewer, more) = ways.split_at_mut(taken);
                let from = &fewer[taken - 1][..(reached + 1).saturating_sub(score)];
                for (to, from) in more[0][score.min(most + 1)..].iter_mut().zip(from) {
                    *to += from;
                }
            }
        }
        Self { ways: ways.pop().unwrap_or_default().split_off(own) }
    }

    /// Twice the probability of the tail from here to the nearer end, at most 1.
    fn two_sided(&self, twice_u: usize) -> f64 {
        let all: f64 = self.ways.iter().sum();
        let below: f64 = self.ways.iter().take(twice_u + 1).sum();
        let above: f64 = self.ways.iter().skip(twice_u).sum();
        (2.0 * below.min(above) / all).min(1.0)
    }
}
