//! One group of A beside the one of B.

use super::comparison::{GroupComparison, Quantity, Sense, SideFigures};
use super::matching::{Pairing, paired};
use super::means::Means;
use super::side::{Side, SideGroup, SideUnit, limits};
use super::{CompareOptions, means, ranks, success};
use crate::statistics::{Attempt, FigureOptions, Figures, Unconditional};

/// What all groups of a comparison have in common.
pub(super) struct Sides<'a> {
    pub(super) a: &'a Side,
    pub(super) b: &'a Side,
    pub(super) quantity: &'a Quantity,
    pub(super) options: &'a CompareOptions,
}

/// How a sample is called in methods and notes.
pub(super) struct SampleName {
    /// `runs` or `rows`.
    pub(super) units: &'static str,
    /// `completed` or `successful`.
    pub(super) success: &'static str,
    /// Why it is empty, if it is.
    pub(super) no_value: String,
}

/// Why nothing is said of all.
const GAPS: &str = "some that succeeded have no value, and nothing says where they lie among all";
/// Why a rate has no restricted mean.
const NO_LIMIT_OF_RATE: &str = "a rate has no time limit to be restricted to";

/// Why nothing is said of a rate of all units.
const NO_WORST_RATE: &str = "of a rate more is better, and a failure is no infinite one";

impl Sides<'_> {
    /// All but what needs the other groups: Holm's p values and the verdicts.
    pub(super) fn compare(&self, a: &SideGroup, b: &SideGroup) -> GroupComparison {
        let confidence = self.options.confidence;
        let pairing = paired(a, b, self.options.unpaired);
        let names = [name("A", self.a, a), name("B", self.b, b)];
        let samples = [a, b].map(checked);

        let value = |attempt: &Option<Attempt>| attempt.and_then(Attempt::value);
        let values = samples.each_ref().map(|sample| sample.iter().map(value).collect::<Vec<_>>());
        let means = Means::new(&values, &names, &pairing, confidence);

        let bounds = [limits(a), limits(b)];
        let limit = bounds.iter().flatten().map(|(least, _)| *least).min_by(f64::total_cmp);
        let everything_succeeded = samples.iter().flatten().flatten().all(|attempt| attempt.value().is_some());
        // Without failures the mean is the restricted one for every limit above all values.
        let tau = limit.or(everything_succeeded.then_some(f64::INFINITY));
        let restricted_mean_difference = match (self.quantity.sense, tau) {
            (Sense::Rate, _) => means::undefined_restricted(NO_LIMIT_OF_RATE),
            (_, None) => means::undefined_restricted("no limit is known to restrict it to"),
            _ if has_gaps(a) || has_gaps(b) => means::undefined_restricted(GAPS),
            (_, Some(tau)) => means::restricted(&samples, &names, tau, &pairing, confidence),
        };
        let trials = [a, b].map(|group| group.units.iter().map(|unit| unit.succeeded).collect::<Vec<_>>());
        let ranks = ranks::tests(&[a, b].map(ordered), self.quantity.sense, &names, confidence);

        let mut comparison = GroupComparison {
            group: a.group.clone(),
            metric: self.quantity.name.clone(),
            unit: self.quantity.unit.clone(),
            confidence,
            a: self.figures(self.a, a),
            b: self.figures(self.b, b),
            difference: means.difference,
            ratio: means.ratio,
            success_difference: success::difference(&trials, &names, &pairing, confidence),
            restricted_mean_difference,
            limit,
            shift: ranks.shift,
            mann_whitney: ranks.mann_whitney,
            kolmogorov_smirnov: ranks.kolmogorov_smirnov,
            pairs: match &pairing {
                Pairing::Paired { pairs, .. } => Some(pairs.len() as u64),
                Pairing::Independent { .. } => None,
            },
            complete_pairs: means.complete_pairs,
            correlation: means.correlation,
            narrowing: means.narrowing,
            notes: Vec::new(),
        };
        comparison.notes = self.notes(&comparison, &pairing, [a, b], &bounds);
        comparison
    }

    fn figures(&self, side: &Side, group: &SideGroup) -> SideFigures {
        let options = FigureOptions {
            confidence: self.options.confidence,
            unit: side.units,
            success: side.success,
            limit: group.limit,
            ..FigureOptions::default()
        };
        let no_value = || no_value(side, group);
        // A success without a value is one all the same: where it lies among all, nobody knows.
        let unknown = |unit: &SideUnit| unit.succeeded.then_some(Attempt::Success(f64::NAN));
        let place = |(unit, attempt): (&SideUnit, Option<Attempt>)| attempt.or_else(|| unknown(unit));
        let attempts: Vec<Attempt> = group.units.iter().zip(checked(group)).filter_map(place).collect();
        let figures = Figures::new(&attempts, &options, no_value);
        let runs = group.units.len() as u64;
        let completed = group.units.iter().filter(|unit| unit.succeeded).count() as u64;
        let unconditional = match self.quantity.sense {
            Sense::Rate => Unconditional::undefined(runs, &options, NO_WORST_RATE),
            _ if is_unmeasured(group) => Unconditional::undefined(0, &options, &no_value()),
            _ => figures.unconditional,
        };
        SideFigures {
            name: side.name.clone(),
            runs,
            completed,
            success: options.share(completed, runs),
            conditional: figures.conditional,
            unconditional,
        }
    }

    fn notes(
        &self,
        it: &GroupComparison,
        pairing: &Pairing,
        groups: [&SideGroup; 2],
        bounds: &[Option<(f64, f64)>; 2],
    ) -> Vec<String> {
        let mut notes = Vec::new();
        match pairing {
            Pairing::Paired { left_out_a: 0, left_out_b: 0, .. } => {}
            Pairing::Paired { left_out_a, left_out_b, .. } => notes.push(format!(
                "{left_out_a} runs of A and {left_out_b} of B have no partner on the other side and are left out of all that is \
                 paired"
            )),
            Pairing::Independent { reason } => notes.extend(reason.clone()),
        }
        let [of_a, of_b] = groups;
        for (name, side, group, figures) in [("A", self.a, of_a, &it.a), ("B", self.b, of_b, &it.b)] {
            if figures.runs == 1 {
                notes.push(format!("{name} has one {} only: no interval", singular(side.units)));
            }
            let lacking = |unit: &&SideUnit| unit.succeeded && unit.attempt.and_then(Attempt::value).is_none();
            let lack = group.units.iter().filter(lacking).count();
            if lack > 0 && figures.conditional.n > 0 {
                notes.push(format!("{lack} {} {} of {name} have no value", side.success, side.units));
            }
        }
        notes.extend(left_out_failures(it));
        let all = bounds.iter().flatten();
        let (least, most) = (all.clone().map(|it| it.0), all.map(|it| it.1));
        if let (Some(least), Some(most)) = (least.min_by(f64::total_cmp), most.max_by(f64::total_cmp))
            && least < most
        {
            let unit = self.quantity.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
            notes.push(format!(
                "the time limits differ, from {least}{unit} to {most}{unit}: success is not the same everywhere, and means to \
                 the limit are to the smallest"
            ));
        }
        notes
    }
}

impl SampleName {
    /// `completed runs`, and both where they differ.
    pub(super) fn successes(names: &[Self; 2]) -> String {
        both(names.each_ref().map(|name| format!("{} {}", name.success, name.units)))
    }

    /// `runs`, and both where they differ.
    pub(super) fn all(names: &[Self; 2]) -> String {
        both(names.each_ref().map(|name| name.units.to_owned()))
    }
}

fn both([a, b]: [String; 2]) -> String {
    if a == b { a } else { format!("{a} and {b}") }
}

fn name(letter: &str, side: &Side, group: &SideGroup) -> SampleName {
    let no_value = format!("{letter}: {}", no_value(side, group));
    SampleName { units: side.units, success: side.success, no_value }
}

fn no_value(side: &Side, group: &SideGroup) -> String {
    group.no_value.clone().unwrap_or_else(|| format!("no {} {}", side.success, singular(side.units)))
}

/// What was measured, with finite numbers alone.
fn checked(group: &SideGroup) -> Vec<Option<Attempt>> {
    let is_unmeasured = is_unmeasured(group);
    group.units.iter().map(|unit| unit.attempt.and_then(Attempt::checked).filter(|_| !is_unmeasured)).collect()
}

/// Whether nothing was measured in what succeeded: the failures alone would say that nothing succeeds.
fn is_unmeasured(group: &SideGroup) -> bool {
    let mut successes = group.units.iter().filter(|unit| unit.succeeded).peekable();
    successes.peek().is_some() && successes.all(|unit| unit.attempt.and_then(Attempt::checked).is_none())
}

/// Whether something failed, and something that succeeded has no value: nobody knows where that lies among all.
fn has_gaps(group: &SideGroup) -> bool {
    let lacks = |unit: &SideUnit| unit.succeeded && unit.attempt.and_then(Attempt::checked).is_none();
    group.units.iter().any(lacks) && group.units.iter().any(|unit| !unit.succeeded)
}

/// Values, `None` for failures; a success without anything that could be measured is left out.
fn ordered(group: &SideGroup) -> Vec<Option<f64>> {
    if is_unmeasured(group) || has_gaps(group) {
        return Vec::new();
    }
    let place = |unit: &SideUnit| match unit.attempt {
        Some(attempt) => attempt.checked().map(Attempt::value),
        None => (!unit.succeeded).then_some(None),
    };
    group.units.iter().filter_map(place).collect()
}

/// How many the difference of means does not see.
fn left_out_failures(it: &GroupComparison) -> Option<String> {
    let failed = |figures: &SideFigures| figures.runs - figures.completed;
    let (of_a, of_b) = (failed(&it.a), failed(&it.b));
    if (of_a == 0 && of_b == 0) || it.difference.estimate.is_none() {
        return None;
    }
    Some(match it.pairs.zip(it.complete_pairs) {
        Some((pairs, complete)) if complete > 1 => format!(
            "{} of {pairs} pairs are not in the difference of means, for A, B or both failed; success, mean to the limit and \
             shift count them",
            pairs - complete
        ),
        _ => format!(
            "the difference of means leaves out what failed, {of_a} of {} in A and {of_b} of {} in B; success, mean to the \
             limit and shift count it",
            it.a.runs, it.b.runs
        ),
    })
}

/// `run` of `runs`.
fn singular(units: &str) -> &str {
    units.strip_suffix('s').unwrap_or(units)
}
