//! Whether two samples come from one distribution.

use std::f64::consts::PI;

/// Up to so many points of the grid, n₁·n₂, the probability is exact: some 20 ms.
const EXACT_UP_TO: u128 = 10_000_000;

/// The two-sample test of Kolmogorov and Smirnov.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    /// D, the largest distance between the two empirical distribution functions.
    pub distance: f64,
    /// Size of the first sample.
    pub n1: usize,
    /// Size of the second sample.
    pub n2: usize,
    /// The exact p where there is one, else that of the limit.
    pub p: f64,
    /// Exact, ties included; up to n₁·n₂ = 10⁷.
    pub p_exact: Option<f64>,
    /// By Kolmogorov's limit, which is conservative where values are tied.
    pub p_limit: f64,
}

/// Tests whether two samples come from one distribution, whatever it is and in whatever they may differ.
///
/// Formula: D = max |F₁(x) − F₂(x)|. Exactly, p is the share of orders of the pooled sample that reach D, counted as
/// paths through a grid; where values are tied a path is looked at between groups only, so that p is exact for the ties
/// at hand. In the limit p = 2 Σ (−1)ᵏ⁻¹ exp(−2k²λ²), λ = D·√(n₁n₂/(n₁+n₂)). It assumes independent values. +∞ is above
/// all numbers. `None` of an empty sample, or with NaN or −∞.
///
/// Sources: Hodges 1958; Schröer & Trenkler 1995 (ties); Smirnov 1948.
///
/// ```
/// # use byzlab_analysis::statistics::kolmogorov_smirnov;
/// let test = kolmogorov_smirnov(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap();
/// assert_eq!(test.distance, 1.0);
/// assert!((test.p - 2.0 / 20.0).abs() < 1e-15);
/// ```
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> Option<KolmogorovSmirnov> {
    let (first, second) = (super::sorted(first)?, super::sorted(second)?);
    let (n1, n2) = (first.len(), second.len());
    if n1 == 0 || n2 == 0 {
        return None;
    }
    let grid = Grid { n1, n2, group_ends: group_ends(&first, &second) };
    let reached = grid.largest_distance(&first, &second);
    let pairs = n1 as u128 * n2 as u128;
    let distance = reached as f64 / pairs as f64;
    let p_exact = (pairs <= EXACT_UP_TO).then(|| grid.probability_of(reached));
    let effective = n1 as f64 * n2 as f64 / (n1 + n2) as f64;
    let p_limit = kolmogorov_sf(distance * effective.sqrt());
    Some(KolmogorovSmirnov { distance, n1, n2, p: p_exact.unwrap_or(p_limit), p_exact, p_limit })
}

/// For each position in the pooled sample, from 0, whether a group of equal values ends there.
fn group_ends(first: &[f64], second: &[f64]) -> Vec<bool> {
    let mut pooled: Vec<f64> = first.iter().chain(second).copied().collect();
    pooled.sort_unstable_by(f64::total_cmp);
    let mut ends: Vec<bool> = pooled.windows(2).map(|pair| pair[0] < pair[1]).collect();
    ends.push(true);
    ends
}

/// The orders of two samples as paths: a step right for a value of the first, up for one of the second.
#[derive(Debug)]
struct Grid {
    n1: usize,
    n2: usize,
    group_ends: Vec<bool>,
}

impl Grid {
    /// n₁n₂ times the distance of the two distribution functions after i and j values.
    fn distance(&self, i: usize, j: usize) -> u128 {
        (i as u128 * self.n2 as u128).abs_diff(j as u128 * self.n1 as u128)
    }

    /// n₁n₂·D.
    fn largest_distance(&self, first: &[f64], second: &[f64]) -> u128 {
        let (mut i, mut j, mut largest) = (0, 0, 0);
        for &ends in &self.group_ends {
            // Within a group of equals it does not matter which goes first.
            if j == second.len() || (i < first.len() && first[i] <= second[j]) {
                i += 1;
            } else {
                j += 1;
            }
            if ends {
                largest = self.distance(i, j).max(largest);
            }
        }
        largest
    }

    /// The share of paths that come to at least this distance.
    ///
    /// For each point, the share of the paths to it that already have: the last step to (i, j) comes from the left with
    /// probability i/(i+j). All terms are positive, so that small probabilities keep their digits.
    fn probability_of(&self, reached: u128) -> f64 {
        let is_outside = |i: usize, j: usize| i + j > 0 && self.group_ends[i + j - 1] && self.distance(i, j) >= reached;
        let mut column = vec![0.0_f64; self.n2 + 1];
        for i in 0..=self.n1 {
            for j in 0..=self.n2 {
                column[j] = if is_outside(i, j) {
                    1.0
                } else if j == 0 {
                    column[0]
                } else if i == 0 {
                    column[j - 1]
                } else {
                    let all = (i + j) as f64;
                    i as f64 / all * column[j] + j as f64 / all * column[j - 1]
                };
            }
        }
        column[self.n2]
    }
}

/// 1 − K(λ), with K the distribution function of Kolmogorov's limit.
fn kolmogorov_sf(lambda: f64) -> f64 {
    if lambda < 0.1 {
        // 1 − K(0.1) differs from 1 by 10⁻⁵².
        return 1.0;
    }
    if lambda < 1.0 {
        // The theta function's other series: three terms do where the alternating one needs many.
        let term = |k: f64| libm::exp(-(2.0 * k - 1.0) * (2.0 * k - 1.0) * PI * PI / (8.0 * lambda * lambda));
        return 1.0 - (2.0 * PI).sqrt() / lambda * (1..=4).map(|k| term(f64::from(k))).sum::<f64>();
    }
    let term = |k: f64| libm::exp(-2.0 * k * k * lambda * lambda);
    2.0 * (term(1.0) - term(2.0) + term(3.0) - term(4.0) + term(5.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_series_meet() {
        let (below, above) = (kolmogorov_sf(1.0 - 1e-13), kolmogorov_sf(1.0));
        assert!((below - above).abs() < 1e-12);
        // Smirnov 1948: K(0.83) = 0.504, K(1.36) = 0.950.
        assert!((kolmogorov_sf(0.83) - (1.0 - 0.503_809)).abs() < 1e-5);
        assert!((kolmogorov_sf(1.36) - (1.0 - 0.950_513)).abs() < 1e-5);
        assert!(kolmogorov_sf(0.1).to_bits() == 1.0_f64.to_bits() && kolmogorov_sf(40.0).abs() < f64::MIN_POSITIVE);
    }
}
