//! Tests of all units, failures included: where those of B stand among those of A.

use super::comparison::{DistributionTest, RankTest, Sense};
use super::group::SampleName;
use crate::statistics::{Estimate, HodgesLehmann, hodges_lehmann, kolmogorov_smirnov, mann_whitney};

/// What the order of all units says.
pub(super) struct Ranks {
    pub(super) shift: Estimate,
    pub(super) mann_whitney: RankTest,
    pub(super) kolmogorov_smirnov: DistributionTest,
}

/// The tests of A's and B's units: their values, `None` for failures, which come above everything, of a rate below.
///
/// Both sides are taken as independent; if their runs met the same random numbers that errs towards no difference.
pub(super) fn tests(samples: &[Vec<Option<f64>>; 2], sense: Sense, names: &[SampleName; 2], confidence: f64) -> Ranks {
    let all = SampleName::all(names);
    let method = |name: &str, how: &str| format!("{name} over all {all}{how}");
    let [a, b] = samples;
    if let Some((_, name)) = samples.iter().zip(names).find(|(sample, _)| sample.is_empty()) {
        let note = Some(name.no_value.clone());
        let (mann_whitney, smirnov) = (method("Mann–Whitney", ""), method("two-sample Kolmogorov–Smirnov", ""));
        return Ranks {
            shift: Estimate::undefined(method("Hodges–Lehmann", ""), name.no_value.clone()),
            mann_whitney: RankTest { method: mann_whitney, note: note.clone(), ..RankTest::default() },
            kolmogorov_smirnov: DistributionTest { method: smirnov, note, ..DistributionTest::default() },
        };
    }
    // What is negated swaps sides: failures stay at +∞.
    let ordered = |sample: &[Option<f64>], sign: f64| -> Vec<f64> {
        sample.iter().map(|value| value.map_or(f64::INFINITY, |value| sign * value)).collect()
    };
    let (more, less) = match sense {
        Sense::Rate => (ordered(a, -1.0), ordered(b, -1.0)),
        Sense::Time | Sense::Unknown => (ordered(b, 1.0), ordered(a, 1.0)),
    };
    let ranks = mann_whitney(&more, &less);
    let is_exact = |exact: bool, otherwise: &'static str| if exact { ", exact" } else { otherwise };
    let how = is_exact(ranks.is_some_and(|it| it.p_exact.is_some()), ", normal, corrected for ties and continuity");
    let smirnov = kolmogorov_smirnov(&more, &less);
    let how_smirnov = is_exact(smirnov.is_some_and(|it| it.p_exact.is_some()), ", limit");
    Ranks {
        shift: shift(hodges_lehmann(&more, &less, confidence), method("Hodges–Lehmann", "")),
        mann_whitney: RankTest {
            u: ranks.map(|it| it.u),
            cliffs_delta: ranks.map(|it| it.cliffs_delta),
            p: ranks.map(|it| it.p),
            method: method("Mann–Whitney", how),
            ..RankTest::default()
        },
        kolmogorov_smirnov: DistributionTest {
            d: smirnov.map(|it| it.distance),
            p: smirnov.map(|it| it.p),
            method: method("two-sample Kolmogorov–Smirnov", how_smirnov),
            ..DistributionTest::default()
        },
    }
}

fn shift(it: Option<HodgesLehmann>, method: String) -> Estimate {
    let Some(it) = it else {
        return Estimate::undefined(method, "undefined");
    };
    let missing = |what: Option<f64>, name: &'static str| what.is_none().then_some(name);
    let ends = [missing(it.estimate, "estimate"), missing(it.lower, "lower end"), missing(it.upper, "upper end")];
    let ends: Vec<&str> = ends.into_iter().flatten().collect();
    let note = (!ends.is_empty()).then(|| {
        let reason =
            if it.rank.is_none() { "there are too few units for an interval" } else { "it falls among the failures" };
        format!("{} undefined: {reason}", ends.join(", "))
    });
    Estimate {
        estimate: it.estimate,
        lower: it.lower,
        upper: it.upper,
        method: method.into(),
        coverage: it.rank.and(Some(it.coverage)),
        note,
        ..Estimate::default()
    }
}
