//! A plot of values with intervals against a key: axes, bars, the marks of what has no value.

use super::axis::{KeyAxis, Placement, ValueAxis};
use super::canvas::{Anchor, Canvas, INK, text_width};
use super::frame::{Scale, draw_interval, draw_lines_of_axes, draw_rungs, draw_title_up};
use super::style::{Area, Bar, axis_width, color, dashes, draw_marker, shorten};

/// Height of a strip above the plot, for what has no place on the axis.
const STRIP: f64 = 26.0;
/// The gap between the strips and the plot.
const STRIP_GAP: f64 = 12.0;
const STRIP_SIZE: f64 = 10.0;
/// Marks of one cell are at most so far apart.
const WIDEST_DODGE: f64 = 9.0;

/// Values with intervals against a key.
pub(super) struct Panel {
    pub(super) key: String,
    pub(super) value: String,
    /// What it means that a cell has no value.
    pub(super) absent: &'static str,
    /// What it means that a value lies above all that was watched.
    pub(super) above: String,
    pub(super) key_axis: KeyAxis,
    pub(super) value_axis: ValueAxis,
    pub(super) series: Vec<Series>,
}

/// One line.
pub(super) struct Series {
    /// Empty if it is the only one, or has no place in the legend.
    pub(super) label: String,
    /// Which colour, dashes and marker.
    pub(super) style: usize,
    /// Whether it accompanies another one of the same style: hollow markers, no line.
    pub(super) is_companion: bool,
    pub(super) points: Vec<Point>,
}

/// One cell.
pub(super) struct Point {
    pub(super) key: String,
    pub(super) value: Mark,
}

/// What is drawn for a cell.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A value.
    Bar(Bar),
    /// A value that is only known to lie above what was watched, and where its interval begins, if that is known.
    Above(Option<f64>),
    /// There is none.
    Absent,
}

impl From<Option<Bar>> for Mark {
    fn from(bar: Option<Bar>) -> Self {
        bar.map_or(Self::Absent, Self::Bar)
    }
}

impl Panel {
    /// How much room it needs to the left of the plot.
    pub(super) fn margin(&self) -> f64 {
        let strips = self.strips();
        let labels = strips.iter().flat_map(|(_, label)| label.split('\n'));
        let widest = labels.map(|label| text_width(label, STRIP_SIZE)).fold(0.0, f64::max);
        let least = if strips.is_empty() { 70.0 } else { (widest + 16.0).max(100.0) };
        axis_width(&self.value_axis).max(least)
    }

    /// How much room it needs above the plot.
    pub(super) fn head(&self) -> f64 {
        match self.strips().len() {
            0 => 0.0,
            count => STRIP * count as f64 + STRIP_GAP,
        }
    }

    /// Whether values of the key follow each other, so that lines may join them.
    pub(super) fn is_ordered(&self) -> bool {
        self.key_axis.placement != Placement::Category
    }

    /// Whether some value lies above all that was watched.
    pub(super) fn has_above(&self) -> bool {
        self.strips().iter().any(|(strip, _)| *strip == Strip::Above)
    }

    /// Draws all, with the title of the vertical axis at `beside`.
    pub(super) fn draw(&self, canvas: &mut Canvas, area: &Area, beside: f64) {
        self.draw_axes(canvas, area, beside);
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(canvas, area, index, series);
        }
    }

    /// The strips from top to bottom, with their labels.
    fn strips(&self) -> Vec<(Strip, &str)> {
        let has =
            |is: fn(&Mark) -> bool| self.series.iter().flat_map(|series| &series.points).any(|point| is(&point.value));
        let above = has(|mark| matches!(mark, Mark::Above(_))).then_some((Strip::Above, &self.above[..]));
        let absent = has(|mark| matches!(mark, Mark::Absent)).then_some((Strip::Absent, self.absent));
        above.into_iter().chain(absent).collect()
    }

    /// The middle of a strip.
    fn strip(&self, area: &Area, strip: Strip) -> f64 {
        let index = self.strips().iter().position(|(known, _)| *known == strip).unwrap_or(0);
        area.top - self.head() + STRIP * (index as f64 + 0.5)
    }

    fn draw_axes(&self, canvas: &mut Canvas, area: &Area, beside: f64) {
        draw_rungs(canvas, area, &self.value_axis);
        let width = area.right - area.left;
        let width_of = |label: &str| (text_width(&shorten(label, 20), 11.0) + 8.0) / width;
        for (position, label) in self.key_axis.ticks(width_of) {
            let x = area.left + position * width;
            canvas.line((x, area.bottom), (x, area.bottom + 5.0), INK, 1.0);
            canvas.text((x, area.bottom + 18.0), &shorten(label, 20), 11.0, Anchor::Middle, 0.0);
        }
        if self.value_axis.is_empty() {
            let middle = (area.left.midpoint(area.right), area.top.midpoint(area.bottom));
            canvas.text(middle, "no value", 12.0, Anchor::Middle, 0.0);
        }
        for (strip, label) in self.strips() {
            let middle = self.strip(area, strip);
            // A gap of one unit tells two strips apart.
            canvas.rectangle((area.left, middle - STRIP / 2.0), (width, STRIP - 1.0), "#ececec");
            let (x, place) = (area.left - 8.0, |y| (area.left - 8.0, middle + y));
            match label.split_once('\n') {
                Some((first, second)) => {
                    canvas.text(place(-2.0), first, STRIP_SIZE, Anchor::End, 0.0);
                    canvas.text(place(10.0), second, STRIP_SIZE, Anchor::End, 0.0);
                }
                None => canvas.text((x, middle + 3.5), label, STRIP_SIZE, Anchor::End, 0.0),
            }
        }
        draw_lines_of_axes(canvas, area);
        let key = match self.key_axis.placement {
            Placement::Logarithmic => format!("{} (log scale)", self.key),
            Placement::Linear | Placement::Category => self.key.clone(),
        };
        let below = (area.left.midpoint(area.right), area.bottom + 38.0);
        canvas.text(below, &key, 12.0, Anchor::Middle, 0.0);
        draw_title_up(canvas, (beside, area.top.midpoint(area.bottom)), &self.value);
    }

    fn draw_series(&self, canvas: &mut Canvas, area: &Area, index: usize, series: &Series) {
        let (color, scale) = (color(series.style), Scale::up(&self.value_axis, area));
        // Lines stand side by side, so that bars of one cell do not cover each other.
        let count = self.series.len() as f64;
        let cell = self.key_axis.closest() * (area.right - area.left);
        let step = (cell * 0.7 / count).min(WIDEST_DODGE).max((30.0 / count).min(7.0));
        let dodge = (index as f64 - (count - 1.0) / 2.0) * step;
        let x = |point: &Point| {
            let position = self.key_axis.position(&point.key);
            area.left + position * (area.right - area.left) + dodge
        };
        let has_companions = self.series.iter().any(|series| series.is_companion);
        // What accompanies a line is lighter than the line.
        let stroke = if series.is_companion { (color, 1.0, 3.0) } else { (color, 1.6, 4.5) };
        let mut points: Vec<&Point> = series.points.iter().collect();
        points.sort_by(|left, right| x(left).total_cmp(&x(right)));
        // A cell without a value interrupts the line; categories have no order to follow.
        if self.is_ordered() && !series.is_companion {
            for run in points.split(|point| !matches!(point.value, Mark::Bar(_))) {
                let ends = run.iter().filter_map(|point| match point.value {
                    Mark::Bar(bar) => Some((x(point), scale.place(bar.estimate))),
                    Mark::Above(_) | Mark::Absent => None,
                });
                canvas.path(&ends.collect::<Vec<_>>(), color, 1.2, dashes(series.style));
            }
        }
        for point in points {
            let x = x(point);
            match point.value {
                Mark::Absent => draw_cross(canvas, (x, self.strip(area, Strip::Absent)), color),
                Mark::Above(lower) => {
                    if let Some(lower) = lower.filter(|_| !self.value_axis.is_empty()) {
                        draw_interval(canvas, scale, x, (lower, f64::INFINITY), stroke);
                    }
                    draw_arrow(canvas, (x, self.strip(area, Strip::Above)), color);
                }
                Mark::Bar(bar) => {
                    if let Some(interval) = bar.interval {
                        draw_interval(canvas, scale, x, interval, stroke);
                    }
                    // Where companions are hollow, others are not, though they lack an interval.
                    let is_filled = !series.is_companion && (bar.interval.is_some() || has_companions);
                    let fill = if is_filled { color } else { "#ffffff" };
                    draw_marker(canvas, series.style, (x, scale.place(bar.estimate)), fill, color);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strip {
    Above,
    Absent,
}

fn draw_cross(canvas: &mut Canvas, (x, y): (f64, f64), color: &str) {
    let r = 4.5;
    canvas.line((x - r, y - r), (x + r, y + r), color, 2.0);
    canvas.line((x - r, y + r), (x + r, y - r), color, 2.0);
}

/// Up, for what lies above all that was watched.
pub(super) fn draw_arrow(canvas: &mut Canvas, (x, y): (f64, f64), color: &str) {
    canvas.line((x, y + 7.0), (x, y - 7.0), color, 2.0);
    for side in [-4.5, 4.5] {
        canvas.line((x + side, y - 1.5), (x, y - 7.0), color, 2.0);
    }
}
