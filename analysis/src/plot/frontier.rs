//! The frontier: latency against the number of corrupted replicas, one line for what a search found and one for each known attack.

use super::axis::{KeyAxis, ValueAxis};
use super::figure::Figure;
use super::panel::{Panel, Point, Series};
use super::style::Bar;
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::statistics::Estimate;

/// What a figure of the frontier shows.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontierCurves {
    /// Which latency.
    pub metric: Metric,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// The lines, the most important first; more than five are not told apart in black and white.
    pub curves: Vec<FrontierCurve>,
    /// Sentences below the figure.
    pub caption: Vec<String>,
}

/// One line: a mean for each number of corrupted replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontierCurve {
    /// Its name.
    pub label: String,
    /// The number of corrupted replicas, and the mean in milliseconds.
    pub points: Vec<(u16, Estimate)>,
}

/// The figure; none without a value.
pub(super) fn figure(frontier: &FrontierCurves) -> Option<Figure> {
    let points = || frontier.curves.iter().flat_map(|curve| &curve.points);
    let bars: Vec<Bar> = points().filter_map(|(_, estimate)| Bar::new(estimate, 1.0)).collect();
    if bars.is_empty() {
        return None;
    }
    let mut counts: Vec<u16> = points().map(|&(count, _)| count).collect();
    counts.sort_unstable();
    counts.dedup();
    let line = |(style, curve): (usize, &FrontierCurve)| Series {
        label: curve.label.clone(),
        style,
        is_companion: false,
        points: curve
            .points
            .iter()
            .map(|(count, estimate)| Point { key: count.to_string(), value: Bar::new(estimate, 1.0).into() })
            .collect(),
    };
    let value_axis = ValueAxis::spanning(&bars);
    let scale = if value_axis.is_logarithmic { ", log scale" } else { "" };
    let intervals =
        format!("Bars: {} % Student t intervals of the mean over runs.", percent_digits(frontier.confidence));
    Some(Figure {
        title: "The worst latency found".to_owned(),
        subtitle: frontier.metric.description().to_owned(),
        caption: std::iter::once(intervals).chain(frontier.caption.iter().cloned()).collect(),
        panel: Panel {
            key: "corrupted replicas".to_owned(),
            value: format!("mean {} latency [ms of virtual time{scale}]", frontier.metric),
            absent: "no latency\nsample",
            above: String::new(),
            key_axis: KeyAxis::new(counts.iter().map(u16::to_string).collect()),
            value_axis,
            series: frontier.curves.iter().enumerate().map(line).collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_over_the_numbers_of_corrupted_replicas() {
        let mean = |mean: f64| Estimate::new("Student t over runs", mean).with_interval(mean - 1.0, mean + 1.0);
        let curve = |label: &str, means: &[f64]| FrontierCurve {
            label: label.to_owned(),
            points: (0..).zip(means.iter().map(|&value| mean(value))).collect(),
        };
        let curves = FrontierCurves {
            metric: Metric::Client,
            confidence: 0.95,
            curves: vec![curve("search", &[50.0, 900.0, 2500.0]), curve("silent", &[50.0, 700.0, 1500.0])],
            caption: vec!["100 runs a point.".to_owned()],
        };
        let svg = figure(&curves).unwrap().to_svg();
        for text in ["corrupted replicas", "search", "silent", "log scale", "95 % Student t", "100 runs a point."] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(figure(&FrontierCurves { curves: Vec::new(), ..curves }).is_none());
    }
}
