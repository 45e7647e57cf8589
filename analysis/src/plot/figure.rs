//! Lays a figure out: title, axes, interval bars, legend, caption.

use super::axis::{KeyAxis, Placement, ValueAxis};
use super::canvas::{Anchor, Canvas, INK, text_width};
use super::style::{
    Area, Bar, GRID, PLOT_HEIGHT, TICK_SIZE, TOP, WIDTH, axis_width, color, dashes, draw_caption, draw_legend,
    draw_marker, draw_titles, legend_width, shorten,
};

/// Height of the strip above the plot for cells without a value, and the gap below it.
const STRIP: f64 = 26.0;
const STRIP_GAP: f64 = 12.0;
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

impl Figure {
    pub(super) fn to_svg(&self) -> String {
        let area = self.area();
        let mut canvas = Canvas::new(WIDTH, area.height(&self.caption));
        draw_titles(&mut canvas, &area, &self.title, &self.subtitle);
        self.draw_axes(&mut canvas, &area);
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(&mut canvas, &area, index, series);
        }
        let is_ordered = self.key_axis.placement != Placement::Category;
        draw_legend(&mut canvas, &area, self.labels(), is_ordered);
        draw_caption(&mut canvas, &area, &self.caption);
        canvas.finish()
    }

    fn area(&self) -> Area {
        let (least, strip) = if self.has_absent() { (100.0, STRIP + STRIP_GAP) } else { (70.0, 0.0) };
        let left = axis_width(&self.value_axis).max(least);
        Area { left, right: WIDTH - legend_width(self.labels()), top: TOP + strip, bottom: TOP + strip + PLOT_HEIGHT }
    }

    fn labels(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.label.as_str())
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
            canvas.text((area.left - 8.0, y + 4.0), &self.value_axis.label(tick), TICK_SIZE, Anchor::End, 0.0);
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
        let color = color(index);
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
            canvas.path(&ends.collect::<Vec<_>>(), color, 1.2, dashes(index));
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
            draw_marker(canvas, index, place, fill, color);
        }
    }

    fn y(&self, area: &Area, value: f64) -> f64 {
        area.bottom - self.value_axis.position(value) * (area.bottom - area.top)
    }
}

fn draw_cross(canvas: &mut Canvas, (x, y): (f64, f64), color: &str) {
    let r = 4.5;
    canvas.line((x - r, y - r), (x + r, y + r), color, 2.0);
    canvas.line((x - r, y + r), (x + r, y - r), color, 2.0);
}
