//! A table for people.

use std::fmt::Write;

use crate::metric::Metric;
use crate::summary::{Estimate, GroupSummary};

/// The groups as an aligned table, under it what the numbers mean and the notes.
///
/// Values have as many decimals as their interval justifies; `?` is an undefined end.
pub fn table(groups: &[GroupSummary]) -> String {
    let Some(first) = groups.first() else {
        return "no runs\n".to_owned();
    };
    let mut rows = vec![header(first)];
    rows.extend(groups.iter().map(row));
    let mut text = align(&rows);
    let _ = write!(
        text,
        "\n{}: {}; {} of virtual time.\n\
         Over completed runs only; the unit is the run, {}.\n\
         Brackets and ± are {} % intervals over runs: Wilson for shares, Student t for the mean, \
         order statistics\nfor quantiles (estimated by linear interpolation, type 7).\n",
        match first.metric {
            Metric::Throughput => "throughput".to_owned(),
            latency => format!("{latency} latency"),
        },
        first.metric.description(),
        first.unit,
        match first.metric {
            Metric::Throughput => "each has one throughput",
            _ => "a run's value is the mean of its samples",
        },
        percent_digits(first.confidence),
    );
    for note in notes(groups, |group| &group.group, notes_of) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn header(group: &GroupSummary) -> Vec<String> {
    let keys = group.group.iter().map(|(key, _)| key.clone());
    let shares = ["completed", "success %", "requests %"].map(str::to_owned);
    let figures = ["mean", "median", "p99"].map(|figure| format!("{figure} {}", group.unit));
    keys.chain(shares).chain(figures).chain(["agreement %".to_owned()]).collect()
}

fn row(group: &GroupSummary) -> Vec<String> {
    let values = group.group.iter().map(|(_, value)| value.clone());
    let figures = [
        format!("{}/{}", group.completed, group.runs),
        share(&group.success),
        group.requests_share.map_or_else(|| "–".to_owned(), percent),
        mean(&group.mean),
        quantile(&group.median),
        quantile(&group.p99),
        share(&group.agreement),
    ];
    values.chain(figures).collect()
}

/// Right-aligned columns, two spaces apart.
pub(super) fn align(rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; rows[0].len()];
    for row in rows {
        for (width, field) in widths.iter_mut().zip(row) {
            *width = (*width).max(field.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        for (index, (field, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if index == 0 { "" } else { "  " };
            let _ = write!(text, "{gap}{field:>width$}");
        }
        text.push('\n');
    }
    text
}

/// Each note once, with the groups that it is about.
pub(super) fn notes<G>(
    groups: &[G],
    keys_of: impl Fn(&G) -> &Keys,
    notes_of: impl Fn(&G) -> Vec<String>,
) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&Keys>)> = Vec::new();
    for group in groups {
        for note in notes_of(group) {
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, about)) => about.push(keys_of(group)),
                None => notes.push((note, vec![keys_of(group)])),
            }
        }
    }
    let with_names = |(note, about): (String, Vec<&Keys>)| {
        if about.len() == groups.len() { note } else { format!("{}: {note}", names(&about)) }
    };
    notes.into_iter().map(with_names).collect()
}

/// The columns that define a group, with their values.
type Keys = Vec<(String, String)>;

/// `adversary.count 4, 5, 6`, or with several keys `a 1 b 2, a 1 b 3`.
fn names(groups: &[&Keys]) -> String {
    let name = |group: &&Keys| match &group[..] {
        [(_, value)] => value.clone(),
        pairs => {
            let pairs = pairs.iter().map(|(key, value)| format!("{key} {value}"));
            pairs.collect::<Vec<_>>().join(" ")
        }
    };
    let names = groups.iter().map(name).collect::<Vec<_>>().join(", ");
    match groups.first().map(|group| &group[..]) {
        Some([(key, _)]) => format!("{key} {names}"),
        _ => names,
    }
}

fn notes_of(group: &GroupSummary) -> Vec<String> {
    let mut notes = group.notes.clone();
    let figures = [("mean", &group.mean), ("median", &group.median), ("p99", &group.p99)];
    if group.measured_runs == 0 {
        // The reason is the same for all three.
        notes.extend(group.mean.note.clone());
    } else {
        let named = |(name, estimate): (&str, &Estimate)| {
            let note = estimate.note.as_ref()?;
            Some(format!("{name}: {note}"))
        };
        notes.extend(figures.into_iter().filter_map(named));
    }
    notes
}

pub(super) fn mean(estimate: &Estimate) -> String {
    match (estimate.estimate, estimate.lower, estimate.upper) {
        (Some(mean), Some(lower), Some(upper)) => {
            let half_width = (upper - lower) / 2.0;
            let digits = decimals(half_width, mean);
            format!("{mean:.digits$} ± {half_width:.digits$}")
        }
        (Some(mean), ..) => format!("{mean:.*} ± ?", decimals(0.0, mean)),
        _ => "–".to_owned(),
    }
}

fn quantile(estimate: &Estimate) -> String {
    let Some(value) = estimate.estimate else {
        return "–".to_owned();
    };
    let widest = match (estimate.lower, estimate.upper) {
        (Some(lower), Some(upper)) => (upper - value).max(value - lower),
        _ => 0.0,
    };
    let digits = decimals(widest, value);
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.digits$}"));
    format!("{value:.digits$} [{}–{}]", end(estimate.lower), end(estimate.upper))
}

pub(super) fn share(share: &Estimate) -> String {
    match (share.estimate, share.lower, share.upper) {
        (Some(estimate), Some(lower), Some(upper)) => {
            format!("{} [{}–{}]", percent(estimate), percent(lower), percent(upper))
        }
        _ => "–".to_owned(),
    }
}

/// One decimal, except at 0 and 100; never rounded to these two.
fn percent(share: f64) -> String {
    if share <= 0.0 || share >= 1.0 {
        format!("{:.0}", share * 100.0)
    } else {
        format!("{:.1}", (share * 100.0).clamp(0.1, 99.9))
    }
}

/// A confidence such as 95 or 99.9, without the noise of binary fractions.
pub(crate) fn percent_digits(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// Decimals that show two significant digits of the uncertainty; without one, four of the value.
fn decimals(uncertainty: f64, value: f64) -> usize {
    let (scale, significant) = if uncertainty > 0.0 { (uncertainty, 2) } else { (value.abs(), 4) };
    if scale <= 0.0 || !scale.is_finite() {
        return 0;
    }
    let magnitude = scale.log10().floor() as i32;
    (significant - 1 - magnitude).clamp(0, 6) as usize
}
