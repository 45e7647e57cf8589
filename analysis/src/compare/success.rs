//! The difference of the shares that succeeded.

use super::comparison::Difference;
use super::group::SampleName;
use super::matching::Pairing;
use crate::statistics::{PairedCounts, ProportionDifference, fisher_exact, newcombe};

/// Of A's and B's units: whether each succeeded.
///
/// Runs that met the same random numbers succeed together more often than by chance; then Newcombe's interval is the one for
/// pairs, and the test that of `McNemar`. Groups have at least one unit.
pub(super) fn difference(
    [of_a, of_b]: &[Vec<bool>; 2],
    names: &[SampleName; 2],
    pairing: &Pairing,
    confidence: f64,
) -> Difference {
    let units = SampleName::all(names);
    if let Pairing::Paired { pairs, .. } = pairing {
        // B first: the difference is B − A.
        let counts: PairedCounts = pairs.iter().map(|&(a, b)| (of_b[b], of_a[a])).collect();
        let method = format!(
            "share of {units}, Newcombe for {} pairs, McNemar's exact test ({} only A, {} only B)",
            counts.pairs(),
            counts.only_second,
            counts.only_first
        );
        return described(counts.newcombe(confidence), counts.mcnemar(), method);
    }
    let count = |sample: &[bool]| (sample.iter().filter(|success| **success).count() as u64, sample.len() as u64);
    let ((successes_a, runs_a), (successes_b, runs_b)) = (count(of_a), count(of_b));
    let interval = newcombe(successes_b, runs_b, successes_a, runs_a, confidence);
    let p = fisher_exact(successes_b, runs_b, successes_a, runs_a);
    described(interval, p, format!("share of {units}, Newcombe, Fisher's exact test"))
}

fn described(interval: Option<ProportionDifference>, p: Option<f64>, method: String) -> Difference {
    Difference {
        estimate: interval.map(|it| it.difference),
        lower: interval.map(|it| it.lower),
        upper: interval.map(|it| it.upper),
        method,
        p,
        ..Difference::default()
    }
}
