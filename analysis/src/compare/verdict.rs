//! What follows from an interval, alone and among others.

use std::fmt;

use serde::{Serialize, Serializer};

use super::comparison::{Difference, GroupComparison};

/// What follows from a difference B − A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// B has more: the interval lies above 0, and the test rejects that there is no difference.
    Higher,
    /// B has less: the interval lies below 0, and the test rejects that there is no difference.
    Lower,
    /// The interval covers 0.
    NotDistinguishable,
    /// The interval does not cover 0, but the p value is too large. An interval of a share is approximate and its test exact: with
    /// few units they may disagree.
    NotByTest,
    /// The interval does not cover 0, but of this many groups some do that by chance: Holm's p value is too large.
    NotAfterHolm(usize),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Higher => f.pad("higher"),
            Self::Lower => f.pad("lower"),
            Self::NotDistinguishable => f.pad("not distinguishable"),
            Self::NotByTest => {
                f.write_str("not distinguishable (the interval excludes 0, the exact test does not reject)")
            }
            Self::NotAfterHolm(groups) => {
                write!(f, "not distinguishable after Holm's correction for {groups} comparisons")
            }
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The p value of a test, and where Holm's goes.
type Slot = fn(&mut GroupComparison) -> (Option<f64>, &mut Option<f64>);

/// A difference that has a verdict.
type Decided = fn(&mut GroupComparison) -> &mut Difference;

/// Adjusts the p values of each kind of test over all groups, and decides each difference.
///
/// A family is one kind of test: whoever looks at one column of a table looks at one family.
pub(super) fn decide(groups: &mut [GroupComparison], confidence: f64) {
    let families: [Slot; 5] = [
        |group| (group.difference.p, &mut group.difference.p_holm),
        |group| (group.success_difference.p, &mut group.success_difference.p_holm),
        |group| (group.restricted_mean_difference.p, &mut group.restricted_mean_difference.p_holm),
        |group| (group.mann_whitney.p, &mut group.mann_whitney.p_holm),
        |group| (group.kolmogorov_smirnov.p, &mut group.kolmogorov_smirnov.p_holm),
    ];
    for family in families {
        adjust(groups, family);
    }
    let differences: [Decided; 3] = [
        |group| &mut group.difference,
        |group| &mut group.success_difference,
        |group| &mut group.restricted_mean_difference,
    ];
    for difference in differences {
        let comparisons = groups.iter_mut().map(|group| usize::from(difference(group).p.is_some())).sum();
        for group in &mut *groups {
            let difference = difference(group);
            difference.verdict = verdict(difference, comparisons, confidence);
        }
    }
}

/// Holm's adjustment over the groups in which the test is defined.
fn adjust(groups: &mut [GroupComparison], family: impl Fn(&mut GroupComparison) -> (Option<f64>, &mut Option<f64>)) {
    let p: Vec<Option<f64>> = groups.iter_mut().map(|group| family(group).0).collect();
    for (group, adjusted) in groups.iter_mut().zip(crate::statistics::holm(&p)) {
        *family(group).1 = adjusted;
    }
}

/// A difference is one that both say: the interval excludes 0, and p is at most 1 − confidence; among several comparisons so is
/// Holm's p.
fn verdict(difference: &Difference, comparisons: usize, confidence: f64) -> Option<Verdict> {
    let (lower, upper) = difference.interval()?;
    let side = if lower > 0.0 {
        Verdict::Higher
    } else if upper < 0.0 {
        Verdict::Lower
    } else {
        return Some(Verdict::NotDistinguishable);
    };
    let rejects = |p: Option<f64>| p.is_none_or(|p| p <= 1.0 - confidence);
    Some(if !rejects(difference.p) {
        Verdict::NotByTest
    } else if comparisons > 1 && !rejects(difference.p_holm) {
        Verdict::NotAfterHolm(comparisons)
    } else {
        side
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of((lower, upper): (f64, f64), (p, p_holm): (f64, f64), comparisons: usize) -> Option<Verdict> {
        let (lower, upper) = (Some(lower), Some(upper));
        let difference = Difference { lower, upper, p: Some(p), p_holm: Some(p_holm), ..Difference::default() };
        verdict(&difference, comparisons, 0.95)
    }

    #[test]
    fn the_interval_and_the_test_decide_and_holm_may_object() {
        assert_eq!(of((1.0, 2.0), (0.001, 0.001), 1), Some(Verdict::Higher));
        assert_eq!(of((-2.0, -1.0), (0.0002, 0.001), 5), Some(Verdict::Lower));
        assert_eq!(of((-1.0, 2.0), (0.06, 0.3), 5), Some(Verdict::NotDistinguishable));
        assert_eq!(of((-1.0, 2.0), (0.04, 0.04), 1), Some(Verdict::NotDistinguishable), "the test alone says nothing");
        assert_eq!(of((0.0, 0.0), (1.0, 1.0), 1), Some(Verdict::NotDistinguishable), "no difference at all");
        assert_eq!(of((0.1, 2.0), (0.04, 0.2), 5), Some(Verdict::NotAfterHolm(5)));
        assert_eq!(of((0.1, 2.0), (0.1, 0.1), 1), Some(Verdict::NotByTest));
        assert_eq!(of((0.1, 2.0), (0.1, 0.5), 5), Some(Verdict::NotByTest));
        assert_eq!(verdict(&Difference::default(), 1, 0.95), None);
    }

    #[test]
    fn verdicts_in_words() {
        let words = Verdict::NotAfterHolm(9).to_string();
        assert_eq!(words, "not distinguishable after Holm's correction for 9 comparisons");
        assert_eq!(format!("{:>7}", Verdict::Lower), "  lower");
    }
}
