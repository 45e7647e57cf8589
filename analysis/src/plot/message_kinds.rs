//! Messages a run by kind, a line a kind.

use super::axis::ValueAxis;
use super::distribution::enumerate;
use super::figure::Figure;
use super::panel::{Mark, Panel, Point, Series};
use super::style::{Bar, wrap};
use super::sweep::{Keys, first_value, interval_name, key_axis_of, name, span};
use crate::messages::MessageKinds;
use crate::render::percent_digits;

/// More lines than these are not told apart.
const MOST_KINDS: usize = 6;

/// `None` without groups or kinds. Of several keys, only the groups with the first values of all keys after the first are drawn.
pub(super) fn figure(groups: &[MessageKinds]) -> Option<Figure> {
    let first = groups.first()?;
    let drawn: Vec<&MessageKinds> = groups.iter().filter(|group| others(group) == others(first)).collect();
    let sum = |kind: usize| drawn.iter().filter_map(|group| group.kinds[kind].1.estimate).sum::<f64>();
    let mut kinds: Vec<usize> = (0..first.kinds.len()).filter(|&kind| sum(kind) > 0.0).collect();
    if kinds.is_empty() {
        return None;
    }
    kinds.sort_by(|left, right| sum(*right).total_cmp(&sum(*left)));
    let rare = kinds.split_off(kinds.len().min(MOST_KINDS));
    let bar = |group: &MessageKinds, kind: usize| Bar::new(&group.kinds[kind].1, 1.0).map(Bar::not_negative);
    let bars: Vec<Bar> =
        kinds.iter().flat_map(|&kind| drawn.iter().filter_map(move |group| bar(group, kind))).collect();
    let line = |(style, &kind): (usize, &usize)| Series {
        label: first.kinds[kind].0.clone(),
        style,
        is_companion: false,
        points: drawn
            .iter()
            .map(|group| Point { key: first_value(&group.group).to_owned(), value: Mark::from(bar(group, kind)) })
            .collect(),
    };
    let value_axis = ValueAxis::spanning(&bars);
    let mut caption = vec![format!(
        "{} runs a cell; all count, and one that did not complete went on to its time limit. Bars: {} % {} intervals over runs.",
        span(drawn.iter().map(|group| group.runs)),
        percent_digits(first.confidence),
        first.kinds.first().map_or("", |(_, mean)| interval_name(mean)),
    )];
    if !rare.is_empty() {
        let names: Vec<&str> = rare.iter().map(|&kind| first.kinds[kind].0.as_str()).collect();
        caption.push(format!("Not drawn, sent less often: {}.", enumerate(&names)));
    }
    if drawn.len() < groups.len() {
        caption.push(format!("Drawn: the {} of {} cells with {}.", drawn.len(), groups.len(), name(others(first))));
    }
    if bars.iter().any(|bar| bar.ends().0.is_infinite()) {
        caption.push("A bar without a cap at its lower end goes on below 0.".to_owned());
    }
    if bars.iter().any(|bar| bar.interval.is_none()) {
        caption.push("Hollow: a single run, no interval.".to_owned());
    }
    Some(Figure {
        title: "Messages sent, by kind".to_owned(),
        subtitle: "by all nodes, honest or corrupted, clients too, in all runs".to_owned(),
        caption: wrap(&caption.join(" "), 100.0),
        panel: Panel {
            key: first.group.first().map_or("", |(key, _)| key).to_owned(),
            value: format!("mean messages a run{}", value_axis.scale_name()),
            absent: "no run",
            above: String::new(),
            key_axis: key_axis_of(drawn.iter().map(|group| &group.group[..])),
            value_axis,
            series: kinds.iter().enumerate().map(line).collect(),
        },
    })
}

/// The keys after the first.
fn others(group: &MessageKinds) -> &Keys {
    group.group.get(1..).unwrap_or_default()
}
