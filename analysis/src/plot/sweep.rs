//! What is drawn of a sweep: latency or throughput, and success share, against the first key.

use super::axis::{KeyAxis, ValueAxis};
use super::figure::Figure;
use super::panel::{Mark, Panel, Point, Series};
use super::style::Bar;
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::statistics::Estimate;
use crate::summary::GroupSummary;

/// The figures with their file names; none without a key.
pub(super) fn figures(groups: &[GroupSummary]) -> Vec<(&'static str, Figure)> {
    let Some(first) = groups.first() else {
        return Vec::new();
    };
    let Some((key, _)) = first.group.first() else {
        return Vec::new();
    };
    let mut figures = vec![("success", success(key, first, groups))];
    // Without any value there is nothing to draw, be it for want of a log or of a completed run.
    if groups.iter().any(|group| group.measured_runs > 0) {
        figures.insert(0, (first.metric.quantity(), measured(key, first, groups)));
    }
    figures
}

fn measured(key: &str, first: &GroupSummary, groups: &[GroupSummary]) -> Figure {
    let bar = |group: &GroupSummary| Bar::new(&group.mean, 1.0);
    let drawn: Vec<Bar> = groups.iter().filter_map(bar).collect();
    let values: Vec<f64> = drawn.iter().map(Bar::ends).flat_map(|(lower, upper)| [lower, upper]).collect();
    let mut caption = vec![format!(
        "Bars: {} % {} intervals of the mean over runs. {}, completed {}.",
        percent_digits(first.confidence),
        interval_name(&first.mean),
        runs_a_cell(groups),
        span(groups.iter().map(|group| group.completed)),
    )];
    let (quantity, title, no_value) = match first.metric {
        Metric::Throughput => ("Throughput", "Throughput".to_owned(), "nothing\naccepted"),
        Metric::Client => ("Latency", "Client latency".to_owned(), "no latency\nsample"),
        latency => ("Latency", format!("Consensus latency ({latency})"), "no latency\nsample"),
    };
    caption.push(format!("{quantity} is over completed runs only; see success.svg."));
    if drawn.iter().any(|bar| bar.interval.is_none()) {
        caption.push("Hollow: a single run, no interval.".to_owned());
    }
    let only_failed = |group: &GroupSummary| group.measured_runs > 0 || group.completed == 0;
    Figure {
        title,
        subtitle: first.metric.description().to_owned(),
        caption,
        panel: Panel {
            key: key.to_owned(),
            value: format!("mean {} [{} of virtual time]", first.metric.quantity(), first.unit),
            absent: if groups.iter().all(only_failed) { "no completed\nrun" } else { no_value },
            above: String::new(),
            key_axis: key_axis(groups),
            value_axis: ValueAxis::covering(&values),
            series: series(groups, |group| bar(group).into()),
        },
    }
}

fn success(key: &str, first: &GroupSummary, groups: &[GroupSummary]) -> Figure {
    Figure {
        title: "Success rate".to_owned(),
        subtitle: "share of the runs in which every request of an honest client was accepted in time".to_owned(),
        caption: vec![format!(
            "Bars: {} % {} intervals. {}.",
            percent_digits(first.confidence),
            interval_name(&first.success),
            runs_a_cell(groups),
        )],
        panel: success_panel(key, groups),
    }
}

/// The success rate alone.
pub(super) fn success_panel(key: &str, groups: &[GroupSummary]) -> Panel {
    Panel {
        key: key.to_owned(),
        value: "completed runs [%]".to_owned(),
        absent: "no run",
        above: String::new(),
        key_axis: key_axis(groups),
        value_axis: ValueAxis::percent(),
        series: series(groups, |group| Bar::new(&group.success, 100.0).into()),
    }
}

/// The distinct values of the first key, in the order of the sweep.
pub(super) fn key_axis(groups: &[GroupSummary]) -> KeyAxis {
    key_axis_of(groups.iter().map(|group| &group.group[..]))
}

/// One line for each combination of the keys after the first.
pub(super) fn series(groups: &[GroupSummary], mark: impl Fn(&GroupSummary) -> Mark) -> Vec<Series> {
    series_of(groups.iter().map(|group| (&group.group[..], mark(group))))
}

/// A group's keys with their values.
pub(super) type Keys = [(String, String)];

/// The distinct values of the first key.
pub(super) fn key_axis_of<'a>(groups: impl Iterator<Item = &'a Keys>) -> KeyAxis {
    let mut values: Vec<String> = Vec::new();
    for group in groups {
        let value = first_value(group);
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    KeyAxis::new(values)
}

/// One line for each combination of the keys after the first.
pub(super) fn series_of<'a>(groups: impl Iterator<Item = (&'a Keys, Mark)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (group, value) in groups {
        let label = name(group.get(1..).unwrap_or_default());
        let point = Point { key: first_value(group).to_owned(), value };
        if let Some(series) = series.iter_mut().find(|series| series.label == label) {
            series.points.push(point);
        } else {
            let style = series.len();
            series.push(Series { label, style, is_companion: false, points: vec![point] });
        }
    }
    series
}

/// `key = value, …`
pub(super) fn name(group: &Keys) -> String {
    let pairs: Vec<String> = group.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    pairs.join(", ")
}

/// Without a key all runs are one.
pub(super) fn first_value(group: &Keys) -> &str {
    group.first().map_or("all runs", |(_, value)| value)
}

/// How an interval was made, without of what.
pub(super) fn interval_name(estimate: &Estimate) -> &str {
    estimate.method.split_once(" over ").map_or(&estimate.method, |(name, _)| name)
}

pub(super) fn runs_a_cell(groups: &[GroupSummary]) -> String {
    let runs = span(groups.iter().map(|group| group.runs));
    format!("{runs} {} a cell", if runs == "1" { "run" } else { "runs" })
}

/// `200`, or `100–200` where they differ.
pub(super) fn span(counts: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
    if least == most { most.to_string() } else { format!("{least}–{most}") }
}
