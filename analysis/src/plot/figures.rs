//! The three failure-aware figures side by side: how often it succeeds, how long it takes then, and how long it takes at all.

use super::axis::ValueAxis;
use super::panel::{Mark, Panel, Series};
use super::row::{Row, Sign};
use super::style::Bar;
use super::sweep::{interval_name, key_axis, runs_a_cell, series, span, success_panel};
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::statistics::Estimate;
use crate::summary::GroupSummary;

/// Failures count with the limit, which lies far above most values: from this factor on a logarithm shows both.
const WIDE_SPAN: f64 = 8.0;

/// `None` without groups.
pub(super) fn row(groups: &[GroupSummary]) -> Option<Row> {
    let first = groups.first()?;
    let key = first.group.first().map_or("", |(key, _)| key);
    let (quantity, unit) = (first.metric.quantity(), format!("[{} of virtual time]", first.unit));
    let mut panels = vec![
        ("How often: success rate".to_owned(), success_panel(key, groups)),
        (format!("Of completed runs alone: mean {quantity}"), conditional(key, &unit, groups)),
    ];
    let mut marks = Vec::new();
    let limit = limit(groups);
    let has_unconditional = first.metric != Metric::Throughput;
    if has_unconditional {
        let panel = unconditional(key, &unit, groups);
        let to = limit.map_or_else(|| "to the time limit".to_owned(), |limit| format!("to {limit} {}", first.unit));
        let is_any_above = panel.has_above();
        panels.push((format!("Of all runs: {quantity}, failures counted"), panel));
        marks.push((Sign::Filled, format!("right, filled: restricted mean {to}")));
        marks.push((Sign::Hollow, "right, hollow: median, failures as +∞".to_owned()));
        if is_any_above {
            marks.push((Sign::Arrow, "right: the median lies among the failures".to_owned()));
        }
    }
    Some(Row {
        title: match first.metric {
            Metric::Throughput => "Throughput, with its failures".to_owned(),
            Metric::Client => "Client latency, with its failures".to_owned(),
            latency => format!("Consensus latency ({latency}), with its failures"),
        },
        subtitle: first.metric.description().to_owned(),
        panels,
        marks,
        caption: describe(groups, first, has_unconditional),
    })
}

fn conditional(key: &str, unit: &str, groups: &[GroupSummary]) -> Panel {
    let bar = |group: &GroupSummary| Bar::new(&group.mean, 1.0);
    let bars: Vec<Bar> = groups.iter().filter_map(bar).collect();
    let value_axis = ValueAxis::spanning(&bars);
    let only_failed = groups.iter().all(|group| group.measured_runs > 0 || group.completed == 0);
    Panel {
        key: key.to_owned(),
        value: format!("mean of completed runs {unit}{}", value_axis.scale_name()),
        absent: if only_failed { "no completed\nrun" } else { "no value" },
        above: String::new(),
        key_axis: key_axis(groups),
        value_axis,
        series: series(groups, |group| bar(group).into()),
    }
}

/// The restricted mean, and the median as a companion of each line.
fn unconditional(key: &str, unit: &str, groups: &[GroupSummary]) -> Panel {
    let means = series(groups, |group| Bar::open(&group.unconditional.restricted_mean).into());
    let medians = series(groups, |group| median(&group.unconditional.median, group.unconditional.n));
    let bars: Vec<Bar> = means
        .iter()
        .chain(&medians)
        .flat_map(|series| &series.points)
        .filter_map(|point| match point.value {
            Mark::Bar(bar) => Some(bar),
            // The beginning of its interval is drawn.
            Mark::Above(lower) => lower.map(|estimate| Bar { estimate, interval: None }),
            Mark::Absent => None,
        })
        .collect();
    let value_axis = ValueAxis::spanning_from_zero(&bars, WIDE_SPAN);
    let companions = medians.into_iter().map(|median| Series { label: String::new(), is_companion: true, ..median });
    // Each mean beside its median.
    let pairs = means.into_iter().zip(companions).flat_map(|(mean, median)| [mean, median]);
    Panel {
        key: key.to_owned(),
        value: format!("of all runs {unit}{}", value_axis.scale_name()),
        absent: "no value",
        above: limit(groups).map_or_else(|| "among\nfailures".to_owned(), |limit| format!("> {limit}")),
        key_axis: key_axis(groups),
        value_axis,
        series: pairs.collect(),
    }
}

fn median(median: &Estimate, n: u64) -> Mark {
    match Bar::open(median) {
        Some(bar) => Mark::Bar(bar),
        None if n > 0 => Mark::Above(median.lower),
        None => Mark::Absent,
    }
}

/// The time limit, if all groups share one.
fn limit(groups: &[GroupSummary]) -> Option<f64> {
    let mut limits: Vec<f64> = groups.iter().filter_map(|group| group.unconditional.limit).collect();
    limits.dedup();
    if let [limit] = limits[..] { Some(limit) } else { None }
}

fn describe(groups: &[GroupSummary], first: &GroupSummary, has_unconditional: bool) -> String {
    let confidence = percent_digits(first.confidence);
    let mut sentences = vec![
        format!("{}, completed {}.", runs_a_cell(groups), span(groups.iter().map(|group| group.completed))),
        format!(
            "Bars: {confidence} % intervals over runs: left {}; middle {}, of completed runs alone.",
            interval_name(&first.success),
            interval_name(&first.mean),
        ),
    ];
    if has_unconditional {
        sentences.push(format!(
            "Right: {}, a lower bound of the mean; median by {}, a tip where its upper end is not bounded.",
            first.unconditional.restricted_mean.method, first.unconditional.median.method,
        ));
    } else {
        sentences.push("A run that did not complete has no throughput: nothing can be said of all runs.".to_owned());
    }
    if groups.iter().any(|group| group.mean.estimate.is_some() && group.mean.lower.is_none()) {
        sentences.push("Middle, hollow: no interval, of a single run.".to_owned());
    }
    sentences.join(" ")
}
