//! Lays a figure out: title, axes, interval bars, legend, caption.

use super::axis::{KeyAxis, Placement, ValueAxis};
use super::canvas::{Anchor, Canvas, INK, text_width};

const WIDTH: f64 = 720.0;
const PLOT_HEIGHT: f64 = 300.0;
const TOP: f64 = 54.0;
/// Height of the strip above the plot for cells without a value, and the gap below it.
const STRIP: f64 = 26.0;
const STRIP_GAP: f64 = 12.0;
const GRID: &str = "#dddddd";

/// The colours of Okabe & Ito 2008 that carry on white: distinct for the colour-blind.
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9"];
/// With the markers, they tell lines apart in black and white.
const DASHES: [&str; 5] = ["", "6 3", "2 2", "8 3 2 3", "4 4"];
const MARKERS: [Marker; 5] = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::TriangleDown];

#[derive(Clone, Copy)]
enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
}

/// A figure: values with intervals against a key.
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) caption: Vec<String>,
    /// What it means that a cell has no value.
    pub(super) absent: &'static str,
    pub(super) key_axis: KeyAxis,
    pub(super) value_axis: ValueAxis,
    pub(super) series: Vec<Series>,
}

/// One line of the figure; its label is empty if it is the only one.
pub(super) struct Series {
    pub(super) label: String,
    pub(super) points: Vec<Point>,
}

/// One cell.
pub(super) struct Point {
    pub(super) key: String,
    pub(super) value: Option<Bar>,
}

/// A value, with the ends of its interval if it has one.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    pub(super) estimate: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// Where the plot itself stands.
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Figure {
    pub(super) fn to_svg(&self) -> String {
        let area = self.area();
        let height = area.bottom + 52.0 + 15.0 * self.caption.len() as f64;
        let mut canvas = Canvas::new(WIDTH, height);
        let center = area.left.midpoint(area.right);
        canvas.text((center, 22.0), &self.title, 15.0, Anchor::Middle, 0.0);
        canvas.text((center, 41.0), &self.subtitle, 11.5, Anchor::Middle, 0.0);
        self.draw_axes(&mut canvas, &area);
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(&mut canvas, &area, index, series);
        }
        self.draw_legend(&mut canvas, &area);
        for (line, text) in (0..).zip(&self.caption) {
            let y = area.bottom + 60.0 + 15.0 * f64::from(line);
            canvas.text((area.left, y), text, 10.5, Anchor::Start, 0.0);
        }
        canvas.finish()
    }

    fn area(&self) -> Area {
        let labels = self.series.iter().map(|series| text_width(&short_label(series), 11.0));
        let legend = labels.fold(0.0, f64::max);
        let (left, strip) = if self.has_absent() { (100.0, STRIP + STRIP_GAP) } else { (70.0, 0.0) };
        Area {
            left,
            right: WIDTH - if legend > 0.0 { legend + 56.0 } else { 24.0 },
            top: TOP + strip,
            bottom: TOP + strip + PLOT_HEIGHT,
        }
    }

    fn has_absent(&self) -> bool {
        let mut points = self.series.iter().flat_map(|series| &series.points);
        points.any(|point| point.value.is_none())
    }

    fn draw_axes(&self, canvas: &mut Canvas, area: &Area) {
        for &tick in &self.value_axis.ticks {
            let y = self.y(area, tick);
            canvas.line((area.left, y), (area.right, y), GRID, 0.8);
            canvas.line((area.left - 5.0, y), (area.left, y), INK, 1.0);
            let label = format!("{tick:.*}", self.value_axis.decimals);
            canvas.text((area.left - 8.0, y + 4.0), &label, 11.0, Anchor::End, 0.0);
        }
        let width = area.right - area.left;
        let width_of = |label: &str| (text_width(&shorten(label, 20), 11.0) + 8.0) / width;
        for (position, label) in self.key_axis.ticks(width_of) {
            let x = area.left + position * width;
            canvas.line((x, area.bottom), (x, area.bottom + 5.0), INK, 1.0);
            let place = (x, area.bottom + 18.0);
            canvas.text(place, &shorten(label, 20), 11.0, Anchor::Middle, 0.0);
        }
        if self.has_absent() {
            canvas.rectangle((area.left, TOP), (width, STRIP), "#ececec");
            let (first, second) = self.absent.split_once('\n').unwrap_or((self.absent, ""));
            let x = area.left - 8.0;
            canvas.text((x, TOP + 11.0), first, 10.0, Anchor::End, 0.0);
            canvas.text((x, TOP + 23.0), second, 10.0, Anchor::End, 0.0);
        }
        let left_top = (area.left, area.top);
        canvas.line(left_top, (area.left, area.bottom), INK, 1.0);
        let right_bottom = (area.right, area.bottom);
        canvas.line((area.left, area.bottom), right_bottom, INK, 1.0);
        let key = match self.key_axis.placement {
            Placement::Logarithmic => format!("{} (log scale)", self.key),
            Placement::Linear | Placement::Category => self.key.clone(),
        };
        let below = (area.left.midpoint(area.right), area.bottom + 38.0);
        canvas.text(below, &key, 12.0, Anchor::Middle, 0.0);
        let beside = (20.0, area.top.midpoint(area.bottom));
        canvas.text(beside, &self.value, 12.0, Anchor::Middle, -90.0);
    }

    fn draw_series(&self, canvas: &mut Canvas, area: &Area, index: usize, series: &Series) {
        let color = COLORS[index % COLORS.len()];
        // Lines stand side by side, so that bars of one cell do not cover each other.
        let count = self.series.len() as f64;
        let dodge = (index as f64 - (count - 1.0) / 2.0) * (30.0 / count).min(7.0);
        let x = |point: &Point| {
            let position = self.key_axis.position(&point.key);
            area.left + position * (area.right - area.left) + dodge
        };
        let mut points: Vec<&Point> = series.points.iter().collect();
        points.sort_by(|left, right| x(left).total_cmp(&x(right)));
        // A cell without a value interrupts the line; categories have no order to follow.
        let is_ordered = self.key_axis.placement != Placement::Category;
        let runs = points.split(|point| point.value.is_none());
        for run in runs.filter(|_| is_ordered) {
            let ends = run.iter().filter_map(|point| {
                let bar = point.value?;
                Some((x(point), self.y(area, bar.estimate)))
            });
            let dashes = DASHES[index % DASHES.len()];
            canvas.path(&ends.collect::<Vec<_>>(), color, 1.2, dashes);
        }
        for point in points {
            let x = x(point);
            let Some(bar) = point.value else {
                draw_cross(canvas, (x, TOP + STRIP / 2.0), color);
                continue;
            };
            if let Some((lower, upper)) = bar.interval {
                let (lower, upper) = (self.y(area, lower), self.y(area, upper));
                canvas.line((x, lower), (x, upper), color, 1.6);
                for y in [lower, upper] {
                    canvas.line((x - 4.5, y), (x + 4.5, y), color, 1.6);
                }
            }
            let fill = if bar.interval.is_some() { color } else { "#ffffff" };
            let place = (x, self.y(area, bar.estimate));
            draw_marker(canvas, marker(index), place, fill, color);
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas, area: &Area) {
        let labelled = self.series.iter().enumerate();
        for (index, series) in labelled.filter(|(_, series)| !series.label.is_empty()) {
            let x = area.right + 14.0;
            let y = TOP + 8.0 + 18.0 * index as f64;
            let color = COLORS[index % COLORS.len()];
            let dashes = DASHES[index % DASHES.len()];
            if self.key_axis.placement != Placement::Category {
                canvas.path(&[(x, y), (x + 28.0, y)], color, 1.2, dashes);
            }
            draw_marker(canvas, marker(index), (x + 14.0, y), color, color);
            canvas.text((x + 34.0, y + 4.0), &short_label(series), 11.0, Anchor::Start, 0.0);
        }
    }

    fn y(&self, area: &Area, value: f64) -> f64 {
        area.bottom - self.value_axis.position(value) * (area.bottom - area.top)
    }
}

fn marker(index: usize) -> Marker {
    MARKERS[index % MARKERS.len()]
}

fn draw_marker(canvas: &mut Canvas, marker: Marker, (x, y): (f64, f64), fill: &str, color: &str) {
    let r = 4.0;
    match marker {
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
        Marker::Triangle | Marker::TriangleDown => {
            let up = if matches!(marker, Marker::Triangle) { 1.0 } else { -1.0 };
            let base = y + 0.8 * r * up;
            let corners = [(x - 1.1 * r, base), (x + 1.1 * r, base), (x, y - 1.2 * r * up)];
            canvas.polygon(&corners, fill, color);
        }
    }
}

fn draw_cross(canvas: &mut Canvas, (x, y): (f64, f64), color: &str) {
    let r = 4.5;
    canvas.line((x - r, y - r), (x + r, y + r), color, 2.0);
    canvas.line((x - r, y + r), (x + r, y - r), color, 2.0);
}

fn short_label(series: &Series) -> String {
    shorten(&series.label, 34)
}

/// At most this many characters.
fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let start: String = text.chars().take(length - 1).collect();
    format!("{start}…")
}
