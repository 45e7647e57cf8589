//! What the cells cost: messages and bytes, a run and an accepted request.

use super::axis::ValueAxis;
use super::panel::Panel;
use super::row::Row;
use super::style::Bar;
use super::sweep::{key_axis_of, series_of, span};
use crate::messages::MessageSummary;
use crate::render::percent_digits;
use crate::statistics::Estimate;

/// `None` without groups.
pub(super) fn row(groups: &[MessageSummary]) -> Option<Row> {
    let first = groups.first()?;
    let key = first.group.first().map_or("", |(key, _)| key);
    let panel = |value: &str, absent: &'static str, of: fn(&MessageSummary) -> &Estimate, scale: f64| {
        let bar = |group: &MessageSummary| Bar::new(of(group), scale).map(Bar::not_negative);
        let bars: Vec<Bar> = groups.iter().filter_map(bar).collect();
        let value_axis = ValueAxis::spanning(&bars);
        Panel {
            key: key.to_owned(),
            value: format!("{value}{}", value_axis.scale_name()),
            absent,
            above: String::new(),
            key_axis: key_axis_of(groups.iter().map(|group| &group.group[..])),
            value_axis,
            series: series_of(groups.iter().map(|group| (&group.group[..], bar(group).into()))),
        }
    };
    let largest = groups.iter().filter_map(|group| group.bytes.estimate).fold(0.0, f64::max);
    let (unit, scale) = match largest {
        1e9.. => ("GB", 1e-9),
        1e6.. => ("MB", 1e-6),
        1e3.. => ("kB", 1e-3),
        _ => ("bytes", 1.0),
    };
    let panels = vec![
        ("Messages a run".to_owned(), panel("mean messages a run", "no run", |group| &group.messages, 1.0)),
        (
            "Messages per accepted request".to_owned(),
            panel("messages per accepted request", "nothing\naccepted", |group| &group.messages_per_request, 1.0),
        ),
        ("Bytes a run".to_owned(), panel(&format!("mean size a run [{unit}]"), "no run", |group| &group.bytes, scale)),
    ];
    let confidence = percent_digits(first.confidence);
    let runs = span(groups.iter().map(|group| group.runs));
    let completed = span(groups.iter().map(|group| group.completed));
    let mut caption = format!(
        "{runs} runs a cell, completed {completed}; all count, and one that did not complete went on to its time limit. \
         Sent by all nodes, honest or corrupted, clients too. Bars: {confidence} % intervals over runs, Student t; middle: sum \
         of messages divided by sum of accepted requests, {}.",
        first.messages_per_request.method
    );
    let reaches_below = |group: &MessageSummary| {
        [&group.messages, &group.messages_per_request, &group.bytes]
            .into_iter()
            .any(|it| it.lower < Some(0.0) && it.lower.is_some())
    };
    if groups.iter().any(reaches_below) {
        caption.push_str(" A bar without a cap at its lower end goes on below 0.");
    }
    let is_hollow = |estimate: &Estimate| estimate.estimate.is_some() && estimate.lower.is_none();
    if groups.iter().any(|group| is_hollow(&group.messages)) {
        caption.push_str(" Hollow: a single run, no interval.");
    } else if groups.iter().any(|group| is_hollow(&group.messages_per_request)) {
        caption.push_str(" Hollow: so few requests were accepted that the interval has no bounds.");
    }
    Some(Row {
        title: "Messages sent".to_owned(),
        subtitle: "of all nodes and kinds, in all runs".to_owned(),
        panels,
        marks: Vec::new(),
        caption,
    })
}
