//! Two shares of the same units: how often A and B succeeded where they met the same conditions.

use super::distributions::binomial_cdf;
use super::proportion::wilson;
use super::two_proportions::ProportionDifference;

/// How often two trials of the same units succeeded together, a cell of the 2 × 2 table each.
///
/// ```
/// # use byzlab_analysis::statistics::PairedCounts;
/// let counts: PairedCounts = [(true, true), (true, false), (true, false), (false, false)].into_iter().collect();
/// assert_eq!(counts, PairedCounts { both: 1, only_first: 2, only_second: 0, neither: 1 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    /// Pairs in which both succeeded.
    pub both: u64,
    /// Pairs in which the first alone did.
    pub only_first: u64,
    /// Pairs in which the second alone did.
    pub only_second: u64,
    /// Pairs in which both failed.
    pub neither: u64,
}

impl PairedCounts {
    /// Number of pairs.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::PairedCounts;
    /// assert_eq!(PairedCounts { both: 1, only_first: 2, only_second: 3, neither: 4 }.pairs(), 10);
    /// ```
    pub fn pairs(&self) -> u64 {
        [self.both, self.only_first, self.only_second, self.neither].into_iter().fold(0, u64::saturating_add)
    }

    /// Newcombe's interval for the difference of two shares that were seen on the same pairs, first minus second.
    ///
    /// Name: square-and-add for paired data, method 10 of Newcombe 1998b. Formula: with the Wilson intervals (l₁, u₁), (l₂, u₂)
    /// of the shares p₁, p₂ and the correlation φ of the 2 × 2 table, its numerator lessened by n/2 but not below 0 where it is
    /// positive, the ends of p₁ − p₂ are Δ − √(a² − 2φab + b²) with a = p₁ − l₁, b = u₂ − p₂, and Δ + √(a² − 2φab + b²) with
    /// a = u₁ − p₁, b = p₂ − l₂. It assumes independent pairs. `None` without pairs, or unless 0 < `confidence` < 1.
    ///
    /// Source: Newcombe 1998, *Improved confidence intervals for the difference between binomial proportions based on paired
    /// data*, Statistics in Medicine 17; Fagerland, Lydersen & Laake 2014.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::PairedCounts;
    /// // Airway hyper-responsiveness before and after a transplantation, Fagerland et al. 2014: −0.286 [−0.507, −0.026].
    /// let counts = PairedCounts { both: 1, only_first: 1, only_second: 7, neither: 12 };
    /// let it = counts.newcombe(0.95).unwrap();
    /// assert!((it.difference + 0.2857).abs() < 1e-4);
    /// assert!((it.lower + 0.507).abs() < 1e-3 && (it.upper + 0.026).abs() < 1e-3);
    /// ```
    pub fn newcombe(&self, confidence: f64) -> Option<ProportionDifference> {
        let n = self.pairs();
        let first = wilson(self.both.saturating_add(self.only_first), n, confidence)?;
        let second = wilson(self.both.saturating_add(self.only_second), n, confidence)?;
        let phi = self.corrected_phi();
        // Rounding must not make it negative.
        let distance = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        let difference = (self.only_first as f64 - self.only_second as f64) / n as f64;
        let below = distance(first.estimate - first.lower, second.upper - second.estimate);
        let above = distance(first.upper - first.estimate, second.estimate - second.lower);
        Some(ProportionDifference {
            difference,
            lower: (difference - below).max(-1.0),
            upper: (difference + above).min(1.0),
        })
    }

    /// The correlation of the table, towards 0 by the continuity correction; 0 where it is undefined.
    fn corrected_phi(&self) -> f64 {
        let [both, only_first, only_second, neither] =
            [self.both, self.only_first, self.only_second, self.neither].map(|count| count as f64);
        let margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither);
        if margins <= 0.0 {
            return 0.0;
        }
        let determinant = both * neither - only_first * only_second;
        let n = both + only_first + only_second + neither;
        let corrected = if determinant > 0.0 { (determinant - n / 2.0).max(0.0) } else { determinant };
        corrected / margins.sqrt()
    }

    /// The p value of `McNemar`'s exact test that both succeed equally often.
    ///
    /// Formula: 2 P(X ≤ min(b, c)), at most 1, for X ~ Binomial(b + c, ½), with b and c the pairs in which one alone succeeded:
    /// the others say nothing about a difference. 1 without such pairs. It assumes independent pairs.
    ///
    /// Source: `McNemar` 1947; Conover 1999, section 3.5.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::PairedCounts;
    /// let counts = PairedCounts { both: 90, only_first: 1, only_second: 7, neither: 2 };
    /// assert!((counts.mcnemar().unwrap() - 18.0 / 256.0).abs() < 1e-12);
    /// ```
    pub fn mcnemar(&self) -> Option<f64> {
        let discordant = self.only_first.saturating_add(self.only_second);
        binomial_cdf(self.only_first.min(self.only_second), discordant, 0.5).map(|tail| (2.0 * tail).min(1.0))
    }
}

impl FromIterator<(bool, bool)> for PairedCounts {
    fn from_iter<I: IntoIterator<Item = (bool, bool)>>(pairs: I) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            let count = match pair {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.only_first,
                (false, true) => &mut counts.only_second,
                (false, false) => &mut counts.neither,
            };
            *count += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::PairedCounts;

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-4, "{actual} instead of {expected}");
    }

    #[test]
    fn a_case_of_the_paper() {
        let it = PairedCounts { both: 36, only_first: 12, only_second: 2, neither: 0 }.newcombe(0.95).unwrap();
        near(it.lower, 0.0569);
        near(it.upper, 0.3404);
    }

    /// Without any pair in which both agree the shares are p and 1 − p; φ = −1.
    #[test]
    fn opposites() {
        let it = PairedCounts { both: 0, only_first: 6, only_second: 4, neither: 0 }.newcombe(0.95).unwrap();
        near(it.difference, 0.2);
        assert!(it.lower < -0.3 && it.upper > 0.6, "{it:?}");
    }

    #[test]
    fn the_same_on_both_sides_is_no_difference() {
        for counts in [
            PairedCounts { both: 10, ..PairedCounts::default() },
            PairedCounts { neither: 10, ..PairedCounts::default() },
            PairedCounts { both: 100, neither: 100, ..PairedCounts::default() },
        ] {
            let it = counts.newcombe(0.95).unwrap();
            assert!(it.difference == 0.0 && it.lower <= 0.0 && it.upper >= 0.0, "{it:?}");
            assert_eq!(counts.mcnemar(), Some(1.0));
        }
        assert_eq!(PairedCounts::default().newcombe(0.95), None);
        assert_eq!(PairedCounts { both: 1, ..PairedCounts::default() }.newcombe(1.0), None);
    }

    /// Swapped sides negate the interval.
    #[test]
    fn swapping_negates() {
        let counts = PairedCounts { both: 31, only_first: 9, only_second: 2, neither: 8 };
        let swapped = PairedCounts { only_first: 2, only_second: 9, ..counts };
        let (it, other) = (counts.newcombe(0.9).unwrap(), swapped.newcombe(0.9).unwrap());
        near(it.lower, -other.upper);
        near(it.upper, -other.lower);
        assert_eq!(counts.mcnemar(), swapped.mcnemar());
    }
}
