//! What all figures share: sizes, colours, markers, titles, legend and caption.

use super::axis::ValueAxis;
use super::canvas::{Anchor, Canvas, text_width};
use crate::statistics::Estimate;

pub(super) const WIDTH: f64 = 720.0;
pub(super) const PLOT_HEIGHT: f64 = 300.0;
pub(super) const TOP: f64 = 54.0;
/// Height of the letters at the ticks.
pub(super) const TICK_SIZE: f64 = 11.0;
pub(super) const GRID: &str = "#dddddd";

/// The colours of Okabe & Ito 2008 that carry on white: distinct for the colour-blind.
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9"];
/// With the markers, they tell lines apart in black and white.
const DASHES: [&str; 6] = ["", "6 3", "2 2", "8 3 2 3", "4 4", "1 3"];
const MARKERS: [Marker; 6] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::TriangleDown, Marker::Saltire];

#[derive(Clone, Copy)]
enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Saltire,
}

/// A value, with the ends of its interval if it has one. An end that is infinite is open.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    pub(super) estimate: f64,
    pub(super) interval: Option<(f64, f64)>,
}

impl Bar {
    /// `None` without an estimate; everything times `scale`.
    pub(super) fn new(estimate: &Estimate, scale: f64) -> Option<Self> {
        let ends = estimate.lower.zip(estimate.upper);
        Some(Self {
            estimate: estimate.estimate? * scale,
            interval: ends.map(|(lower, upper)| (lower * scale, upper * scale)),
        })
    }

    /// Likewise, but with an interval also where one end of it is unknown, which then is open.
    pub(super) fn open(estimate: &Estimate) -> Option<Self> {
        Some(Self { estimate: estimate.estimate?, interval: open_interval(estimate.lower, estimate.upper) })
    }

    /// Of what is never below 0: an end of the interval that lies there is open.
    pub(super) fn not_negative(self) -> Self {
        let cut = |(lower, upper)| (if lower < 0.0 { f64::NEG_INFINITY } else { lower }, upper);
        Self { interval: self.interval.map(cut), ..self }
    }

    /// The ends of its interval; without one, twice the value itself.
    pub(super) fn ends(&self) -> (f64, f64) {
        self.interval.unwrap_or((self.estimate, self.estimate))
    }
}

/// The interval between these ends, open where one is unknown; none where both are.
pub(super) fn open_interval(lower: Option<f64>, upper: Option<f64>) -> Option<(f64, f64)> {
    let is_known = lower.is_some() || upper.is_some();
    is_known.then(|| (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY)))
}

/// How much room a vertical axis needs to the left of the plot, for its title and its widest label.
pub(super) fn axis_width(axis: &ValueAxis) -> f64 {
    let labels = axis.ticks.iter().map(|tick| text_width(&axis.label(*tick), TICK_SIZE));
    labels.fold(0.0, f64::max) + 40.0
}

/// Where the plot itself stands.
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// Height of the whole figure.
    pub(super) fn height(&self, caption: &[String]) -> f64 {
        self.bottom + 52.0 + 15.0 * caption.len() as f64
    }
}

/// The colour of the line with this index.
pub(super) fn color(index: usize) -> &'static str {
    COLORS[index % COLORS.len()]
}

/// The dash array of the line with this index.
pub(super) fn dashes(index: usize) -> &'static str {
    DASHES[index % DASHES.len()]
}

/// The marker of the line with this index.
pub(super) fn draw_marker(canvas: &mut Canvas, index: usize, (x, y): (f64, f64), fill: &str, color: &str) {
    let r = 4.0;
    match MARKERS[index % MARKERS.len()] {
        Marker::Circle => canvas.circle((x, y), r, fill, color),
        Marker::Square => {
            let r = r * 0.9;
            let corners = [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)];
            canvas.polygon(&corners, fill, color);
        }
        Marker::Diamond => {
            let r = r * 1.25;
            let corners = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
            canvas.polygon(&corners, fill, color);
        }
        Marker::Saltire => {
            let (r, w) = (r * 1.2, r * 0.55);
            let quarter = [(0.0, -w), (r - w, -r), (r, w - r)];
            // The same corner four times, turned by a right angle each time.
            let turned = |(dx, dy): (f64, f64), turns: i32| match turns {
                0 => (dx, dy),
                1 => (-dy, dx),
                2 => (-dx, -dy),
                _ => (dy, -dx),
            };
            let corners = (0..4).flat_map(|turns| quarter.map(|corner| turned(corner, turns)));
            let corners: Vec<(f64, f64)> = corners.map(|(dx, dy)| (x + dx, y + dy)).collect();
            canvas.polygon(&corners, fill, color);
        }
        marker @ (Marker::Triangle | Marker::TriangleDown) => {
            let up = if matches!(marker, Marker::Triangle) { 1.0 } else { -1.0 };
            let base = y + 0.8 * r * up;
            let corners = [(x - 1.1 * r, base), (x + 1.1 * r, base), (x, y - 1.2 * r * up)];
            canvas.polygon(&corners, fill, color);
        }
    }
}

pub(super) fn draw_titles(canvas: &mut Canvas, area: &Area, title: &str, subtitle: &str) {
    let center = area.left.midpoint(area.right);
    canvas.text((center, 22.0), title, 15.0, Anchor::Middle, 0.0);
    canvas.text((center, 41.0), subtitle, 11.5, Anchor::Middle, 0.0);
}

/// How much room the legend needs to the right of the plot, its margin included.
pub(super) fn legend_width<'a>(labels: impl Iterator<Item = &'a str>) -> f64 {
    let width = labels.map(|label| text_width(&short_label(label), 11.0)).fold(0.0, f64::max);
    if width > 0.0 { width + 56.0 } else { 24.0 }
}

/// Names the lines that have a label.
pub(super) fn draw_legend<'a>(
    canvas: &mut Canvas,
    area: &Area,
    labels: impl Iterator<Item = &'a str>,
    has_lines: bool,
) {
    for (index, label) in labels.enumerate().filter(|(_, label)| !label.is_empty()) {
        let x = area.right + 14.0;
        let y = TOP + 8.0 + 18.0 * index as f64;
        let color = color(index);
        if has_lines {
            canvas.path(&[(x, y), (x + 28.0, y)], color, 1.2, dashes(index));
        }
        draw_marker(canvas, index, (x + 14.0, y), color, color);
        canvas.text((x + 34.0, y + 4.0), &short_label(label), 11.0, Anchor::Start, 0.0);
    }
}

pub(super) fn draw_caption(canvas: &mut Canvas, area: &Area, lines: &[String]) {
    draw_lines(canvas, (area.left, area.bottom + 60.0), lines);
}

/// The lines of a caption, the first on this base line.
pub(super) fn draw_lines(canvas: &mut Canvas, (x, y): (f64, f64), lines: &[String]) {
    for (line, text) in (0..).zip(lines) {
        canvas.text((x, y + LINE * f64::from(line)), text, CAPTION_SIZE, Anchor::Start, 0.0);
    }
}

const CAPTION_SIZE: f64 = 10.5;
/// From line to line of a caption.
pub(super) const LINE: f64 = 15.0;

/// Breaks a sentence of the caption into lines that fit beside `left`.
pub(super) fn wrap(text: &str, left: f64) -> Vec<String> {
    wrap_to(text, WIDTH - left - 16.0)
}

/// Breaks a text into lines of at most this width.
pub(super) fn wrap_to(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), CAPTION_SIZE) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text of the legend in as many characters as have room. Of a long one the keys lose their sections, and then the beginning goes: what
/// tells lines apart stands at the end.
fn short_label(label: &str) -> String {
    let room = 34;
    if label.chars().count() <= room {
        return label.to_owned();
    }
    let without_section = |pair: &str| match pair.split_once(" = ") {
        Some((key, value)) => format!("{} = {value}", key.rsplit('.').next().unwrap_or(key)),
        None => pair.to_owned(),
    };
    let pairs: Vec<String> = label.split(", ").map(without_section).collect();
    let label = pairs.join(", ");
    let length = label.chars().count();
    if length <= room {
        return label;
    }
    let end: String = label.chars().skip(length + 1 - room).collect();
    format!("…{end}")
}

/// At most this many characters.
pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let start: String = text.chars().take(length - 1).collect();
    format!("{start}…")
}
