//! Differences of means: paired t where runs met the same random numbers, else Welch.

use super::comparison::Difference;
use super::group::SampleName;
use super::matching::Pairing;
use crate::statistics::{Attempt, Estimate, Moments, paired_t, ratio_of_means, ratio_of_paired_means, welch};

/// The means of what succeeded, beside each other.
pub(super) struct Means {
    pub(super) difference: Difference,
    /// B / A of the same means.
    pub(super) ratio: Estimate,
    /// Number of pairs in which both have a value, if runs are paired.
    pub(super) complete_pairs: Option<u64>,
    /// Correlation of the values of those.
    pub(super) correlation: Option<f64>,
    /// How many times as wide the interval would be had the same pairs been compared as independent.
    pub(super) narrowing: Option<f64>,
}

impl Means {
    /// Of A's and B's values; `None` where a unit has none.
    pub(super) fn new(
        values: &[Vec<Option<f64>>; 2],
        names: &[SampleName; 2],
        pairing: &Pairing,
        confidence: f64,
    ) -> Self {
        let what = format!("mean of {}", SampleName::successes(names));
        let complete_pairs = complete_pairs(values, pairing);
        if let Some(reason) = missing(values, names) {
            return Self {
                difference: Difference::undefined(what, &reason),
                ratio: Estimate::undefined(RATIO, reason),
                complete_pairs,
                correlation: None,
                narrowing: None,
            };
        }
        let sample = Sample::of(values, pairing);
        Self {
            difference: sample.difference(&what, confidence),
            ratio: sample.ratio(confidence),
            complete_pairs,
            correlation: sample.correlation(confidence),
            narrowing: sample.narrowing(confidence),
        }
    }
}

/// The difference of the means of min(x, τ) over all, failures counting as τ. What has no value is left out.
pub(super) fn restricted(
    samples: &[Vec<Option<Attempt>>; 2],
    names: &[SampleName; 2],
    tau: f64,
    pairing: &Pairing,
    confidence: f64,
) -> Difference {
    let values = samples.each_ref().map(|sample| {
        let restricted = |attempt: &Option<Attempt>| attempt.and_then(|attempt| attempt.restricted(tau));
        sample.iter().map(restricted).collect::<Vec<_>>()
    });
    let what = format!("{RESTRICTED} over all {}", SampleName::all(names));
    if let Some(reason) = missing(&values, names) {
        return Difference::undefined(what, reason);
    }
    let sample = Sample::of(&values, pairing);
    let difference = sample.difference(&what, confidence);
    // What counts as the limit everywhere has no spread, which is no certainty: that all failed so far does not say that all will.
    let is_limit = |values: &[f64]| values.iter().all(|value| *value >= tau);
    let (Sample::Paired(a, b) | Sample::Independent(a, b)) = &sample;
    let side = match (is_limit(a), is_limit(b)) {
        (false, false) => return difference,
        (true, false) => "A",
        (false, true) => "B",
        (true, true) => "A and of B",
    };
    let note = format!(
        "interval undefined: everything of {side} counts as the limit, and how much it would vary beyond that is not known"
    );
    Difference { lower: None, upper: None, p: None, note: Some(note), ..difference }
}

/// Which sides have no value, and why.
fn missing(values: &[Vec<Option<f64>>; 2], names: &[SampleName; 2]) -> Option<String> {
    let empty = values.iter().zip(names).filter(|(values, _)| values.iter().flatten().next().is_none());
    let reasons: Vec<&str> = empty.map(|(_, name)| &name.no_value[..]).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

const RATIO: &str = "ratio of the same means, B / A";

const RESTRICTED: &str = "mean of min(x, limit)";

/// Why there is no restricted mean.
pub(super) fn undefined_restricted(reason: &str) -> Difference {
    Difference::undefined(RESTRICTED, reason)
}

fn complete_pairs(values: &[Vec<Option<f64>>; 2], pairing: &Pairing) -> Option<u64> {
    let [of_a, of_b] = values;
    match pairing {
        Pairing::Paired { pairs, .. } => {
            Some(pairs.iter().filter(|&&(a, b)| of_a[a].is_some() && of_b[b].is_some()).count() as u64)
        }
        Pairing::Independent { .. } => None,
    }
}

/// The values that a difference of means is made of.
enum Sample {
    /// A's and B's values of the same runs, in the same order; at least two.
    Paired(Vec<f64>, Vec<f64>),
    /// At least one of each.
    Independent(Vec<f64>, Vec<f64>),
}

impl Sample {
    fn of([of_a, of_b]: &[Vec<Option<f64>>; 2], pairing: &Pairing) -> Self {
        if let Pairing::Paired { pairs, .. } = pairing {
            let complete = pairs.iter().filter_map(|&(a, b)| of_a[a].zip(of_b[b]));
            let (a, b): (Vec<f64>, Vec<f64>) = complete.unzip();
            if a.len() > 1 {
                return Self::Paired(a, b);
            }
        }
        let present = |values: &[Option<f64>]| values.iter().flatten().copied().collect();
        Self::Independent(present(of_a), present(of_b))
    }

    fn difference(&self, what: &str, confidence: f64) -> Difference {
        let (a, b) = self.moments();
        let (method, test) = match self {
            Self::Paired(of_a, of_b) => {
                let test = paired_t(of_b, of_a, confidence).map(|it| (it.difference, it.lower, it.upper, it.p));
                (format!("{what}, paired t, {} pairs", of_a.len()), test)
            }
            Self::Independent(of_a, of_b) => {
                let test = welch(&b, &a, confidence).map(|it| (it.difference, it.lower, it.upper, it.p));
                (format!("{what}, Welch, {} and {}", of_a.len(), of_b.len()), test)
            }
        };
        let Some((estimate, lower, upper, p)) = test else {
            let estimate = b.mean().zip(a.mean()).map(|(b, a)| b - a).filter(|it| it.is_finite());
            let note = "interval undefined: needs at least 2 values on each side, all of a finite size";
            return Difference { estimate, method, note: Some(note.to_owned()), ..Difference::default() };
        };
        let note = (lower >= upper).then(|| match self {
            Self::Paired(..) => "all pairs differ by the same, so the interval has no width".to_owned(),
            Self::Independent(..) => {
                "no value differs from the others of its side, so the interval has no width".to_owned()
            }
        });
        Difference {
            estimate: Some(estimate),
            lower: Some(lower),
            upper: Some(upper),
            method,
            p: Some(p),
            note,
            ..Difference::default()
        }
    }

    /// B / A.
    fn ratio(&self, confidence: f64) -> Estimate {
        let (a, b) = self.moments();
        let (method, interval) = match self {
            Self::Paired(of_a, of_b) => {
                let pairs: Vec<(f64, f64)> = of_b.iter().copied().zip(of_a.iter().copied()).collect();
                (format!("{RATIO}, Fieller for {} pairs", pairs.len()), ratio_of_paired_means(&pairs, confidence))
            }
            Self::Independent(..) => (format!("{RATIO}, Fieller"), ratio_of_means(&b, &a, confidence)),
        };
        let (Self::Paired(of_a, of_b) | Self::Independent(of_a, of_b)) = self;
        // A ratio of values that cannot be negative is not either: the interval is cut to what is possible.
        let least = if of_a.iter().chain(of_b).all(|value| *value >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
        if let Some(it) = interval {
            return Estimate::new(method, it.ratio).with_interval(it.lower.max(least), it.upper);
        }
        let ratio = b.mean().zip(a.mean()).map(|(b, a)| b / a).filter(|ratio| ratio.is_finite());
        let ratio = Estimate { estimate: ratio, ..Estimate::new(method, f64::NAN) };
        ratio
            .with_note("interval undefined: needs at least 2 values on each side, and a mean of A that is surely not 0")
    }

    fn correlation(&self, confidence: f64) -> Option<f64> {
        match self {
            Self::Paired(a, b) => paired_t(b, a, confidence)?.correlation,
            Self::Independent(..) => None,
        }
    }

    /// `None` where either interval has no width.
    fn narrowing(&self, confidence: f64) -> Option<f64> {
        let Self::Paired(of_a, of_b) = self else { return None };
        let (a, b) = self.moments();
        let paired = paired_t(of_b, of_a, confidence)?;
        let independent = welch(&b, &a, confidence)?;
        let ratio = (independent.upper - independent.lower) / (paired.upper - paired.lower);
        Some(ratio).filter(|ratio| ratio.is_finite() && *ratio > 0.0)
    }

    fn moments(&self) -> (Moments, Moments) {
        let (Self::Paired(a, b) | Self::Independent(a, b)) = self;
        (a.iter().copied().collect(), b.iter().copied().collect())
    }
}
