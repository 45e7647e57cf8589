//! The saturation curve: what latency a system has at what throughput, as the load on it rises.

use super::axis::ValueAxis;
use super::canvas::{Canvas, text_width};
use super::frame::{Frame, draw_title_up};
use super::style::{
    Area, Bar, PLOT_HEIGHT, TOP, WIDTH, axis_width, color, dashes, draw_caption, draw_legend, draw_marker, draw_titles,
    legend_width, shorten, wrap,
};
use super::sweep::{interval_name, runs_a_cell, span};
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::summary::GroupSummary;

/// The keys that say how much clients ask of the system, the one to follow first.
const LOADS: [&str; 2] = ["workload.rate", "workload.clients"];

const LABEL_SIZE: f64 = 9.5;

/// The key among these that says how much clients ask of the system: `workload.rate`, or else `workload.clients`.
///
/// ```
/// use byzlab_analysis::plot::load_key;
/// let keys = ["network.drop", "workload.clients"].map(str::to_owned);
/// assert_eq!(load_key(&keys), Some("workload.clients"));
/// assert_eq!(load_key(&keys[..1]), None);
/// ```
pub fn load_key(keys: &[String]) -> Option<&'static str> {
    LOADS.into_iter().find(|load| keys.iter().any(|key| key == load))
}

/// Throughput and latency of the cells, and how they are told.
pub(super) struct Saturation {
    load: &'static str,
    series: Vec<Series>,
    across: ValueAxis,
    up: ValueAxis,
    /// Where the plot begins.
    left: f64,
    caption: Vec<String>,
}

/// One combination of the keys other than the load; its label is empty if there is no other.
struct Series {
    label: String,
    /// By rising load.
    points: Vec<Point>,
}

struct Point {
    load: String,
    throughput: Bar,
    latency: Bar,
}

impl Saturation {
    /// `None` without a load among the keys, or without any cell that has both values.
    pub(super) fn new(client: &[GroupSummary], throughput: &[GroupSummary]) -> Option<Self> {
        let first = client.first()?;
        let keys: Vec<String> = first.group.iter().map(|(key, _)| key.clone()).collect();
        let load = load_key(&keys)?;
        let mut series: Vec<Series> = Vec::new();
        let (mut failed, mut unmeasured) = (Vec::new(), Vec::new());
        for (client, throughput) in client.iter().zip(throughput) {
            let (loads, others): (Vec<_>, Vec<_>) = client.group.iter().partition(|(key, _)| key == load);
            let value = loads.first().map_or("", |(_, value)| value);
            let label: Vec<String> = others.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let label = label.join(", ");
            let bars = Bar::new(&throughput.mean, 1.0).zip(Bar::new(&client.mean, 1.0));
            let place = series.iter().position(|series| series.label == label).unwrap_or_else(|| {
                series.push(Series { label: label.clone(), points: Vec::new() });
                series.len() - 1
            });
            if let Some((throughput, latency)) = bars {
                series[place].points.push(Point { load: value.to_owned(), throughput, latency });
            } else {
                let cell = if label.is_empty() { value.to_owned() } else { format!("{value} ({label})") };
                if client.completed == 0 { failed.push(cell) } else { unmeasured.push(cell) }
            }
        }
        for series in &mut series {
            let number = |point: &Point| point.load.parse().unwrap_or(f64::NAN);
            series.points.sort_by(|left, right| number(left).total_cmp(&number(right)));
        }
        let points = || series.iter().flat_map(|series| &series.points);
        let across: Vec<Bar> = points().map(|point| point.throughput).collect();
        let up: Vec<Bar> = points().map(|point| point.latency).collect();
        if across.is_empty() {
            return None;
        }
        let (across, up) = (ValueAxis::spanning(&across), ValueAxis::spanning(&up));
        let left = axis_width(&up).max(76.0);
        let mut caption = describe(load, client, points().any(Point::is_single), left);
        let is_cut = |point: &Point| across.cuts_off(point.throughput.ends().0) || up.cuts_off(point.latency.ends().0);
        if points().any(is_cut) {
            caption.push("A bar without a cap at its lower end goes on below the axis.".to_owned());
        }
        for (why, cells) in [("no completed run", failed), ("nothing measured", unmeasured)] {
            if !cells.is_empty() {
                caption.extend(wrap(&format!("Not drawn, {why}: {load} = {}.", enumerate(&cells)), left));
            }
        }
        Some(Self { load, series, across, up, left, caption })
    }

    pub(super) fn to_svg(&self) -> String {
        let labels = || self.series.iter().map(|series| series.label.as_str());
        let right = WIDTH - legend_width(labels());
        let area = Area { left: self.left, right, top: TOP, bottom: TOP + PLOT_HEIGHT };
        let mut canvas = Canvas::new(WIDTH, area.height(&self.caption));
        let subtitle = format!("mean latency of clients against mean throughput, as {} rises", self.load);
        draw_titles(&mut canvas, &area, "Saturation", &subtitle);
        let frame = Frame::new(&area, &self.across, &self.up);
        frame.draw_axes(&mut canvas);
        let title = |what: &str, metric: Metric, axis: &ValueAxis| {
            format!("mean {what} [{} of virtual time]{}", metric.unit(), axis.scale_name())
        };
        frame.label_across(&mut canvas, &title("throughput", Metric::Throughput, &self.across));
        let beside = (20.0, area.top.midpoint(area.bottom));
        draw_title_up(&mut canvas, beside, &title("client latency", Metric::Client, &self.up));
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(&mut canvas, &area, index, series);
        }
        self.draw_loads(&mut canvas, &area);
        draw_legend(&mut canvas, &area, labels(), true);
        draw_caption(&mut canvas, &area, &self.caption);
        canvas.finish()
    }

    fn draw_series(&self, canvas: &mut Canvas, area: &Area, index: usize, series: &Series) {
        let color = color(index);
        let places: Vec<(f64, f64)> = series.points.iter().map(|point| self.place(area, point)).collect();
        canvas.path(&places, color, 1.2, dashes(index));
        for (point, &(x, y)) in series.points.iter().zip(&places) {
            // A cap within the marker would only change the marker's shape.
            let is_seen = |end: f64, middle: f64| (end - middle).abs() > 5.5;
            if let Some(ends) = point.throughput.interval {
                let (from, to) = (self.x(area, ends.0), self.x(area, ends.1));
                canvas.line((from, y), (to, y), color, 1.6);
                let is_cut = self.across.cuts_off(ends.0);
                for x in [from, to].into_iter().skip(usize::from(is_cut)).filter(|end| is_seen(*end, x)) {
                    canvas.line((x, y - 4.5), (x, y + 4.5), color, 1.6);
                }
            }
            if let Some(ends) = point.latency.interval {
                let (from, to) = (self.y(area, ends.0), self.y(area, ends.1));
                canvas.line((x, from), (x, to), color, 1.6);
                let is_cut = self.up.cuts_off(ends.0);
                for y in [from, to].into_iter().skip(usize::from(is_cut)).filter(|end| is_seen(*end, y)) {
                    canvas.line((x - 4.5, y), (x + 4.5, y), color, 1.6);
                }
            }
            let fill = if point.is_single() { "#ffffff" } else { color };
            draw_marker(canvas, index, (x, y), fill, color);
        }
    }

    /// The loads beside their points, where there is room.
    fn draw_loads(&self, canvas: &mut Canvas, area: &Area) {
        let mut taken: Vec<Rectangle> = Vec::new();
        for series in &self.series {
            let places: Vec<(f64, f64)> = series.points.iter().map(|point| self.place(area, point)).collect();
            taken.extend(places.iter().map(|&(x, y)| Rectangle::around(x, y, 6.0)));
            taken.extend(places.windows(2).flat_map(along));
            taken.extend(series.points.iter().flat_map(|point| self.interval_bars(area, point)));
        }
        let by_series = self.series.iter().enumerate();
        let points = by_series.flat_map(|(index, series)| series.points.iter().map(move |point| (index, point)));
        for (index, point) in points {
            let (x, y) = self.place(area, point);
            let text = shorten(&point.load, 12);
            let (width, height) = (text_width(&text, LABEL_SIZE), LABEL_SIZE);
            // Right, left, above and below; then at the corners.
            let (left, middle) = (-width, -width / 2.0);
            let corners = [(8.0, -height / 2.0), (left - 8.0, -height / 2.0), (middle, -18.0), (middle, 8.0)]
                .into_iter()
                .chain([(7.0, 5.0), (7.0, -16.0), (left - 7.0, -16.0), (left - 7.0, 5.0)]);
            let boxes = corners.map(|(dx, dy)| Rectangle {
                left: x + dx,
                right: x + dx + width,
                top: y + dy,
                bottom: y + dy + height,
            });
            let fits = |place: &Rectangle| {
                let inside = place.left > area.left && place.right < area.right + 20.0;
                inside && place.bottom < area.bottom && taken.iter().all(|other| !place.overlaps(other))
            };
            if let Some(place) = { boxes }.find(fits) {
                canvas.colored_text((place.left, place.bottom - 1.5), &text, LABEL_SIZE, color(index));
                taken.push(place);
            }
        }
    }

    fn interval_bars(&self, area: &Area, point: &Point) -> [Rectangle; 2] {
        let (x, y) = self.place(area, point);
        let ((left, right), (lower, upper)) = (point.throughput.ends(), point.latency.ends());
        [
            Rectangle { left: self.x(area, left), right: self.x(area, right), top: y - 2.0, bottom: y + 2.0 },
            Rectangle { left: x - 2.0, right: x + 2.0, top: self.y(area, upper), bottom: self.y(area, lower) },
        ]
    }

    fn place(&self, area: &Area, point: &Point) -> (f64, f64) {
        (self.x(area, point.throughput.estimate), self.y(area, point.latency.estimate))
    }

    fn x(&self, area: &Area, throughput: f64) -> f64 {
        area.left + self.across.position(throughput) * (area.right - area.left)
    }

    fn y(&self, area: &Area, latency: f64) -> f64 {
        area.bottom - self.up.position(latency) * (area.bottom - area.top)
    }
}

impl Point {
    fn is_single(&self) -> bool {
        self.throughput.interval.is_none() || self.latency.interval.is_none()
    }
}

fn describe(load: &str, groups: &[GroupSummary], has_single: bool, left: f64) -> Vec<String> {
    let confidence = groups.first().map_or(0.0, |group| percent_digits(group.confidence));
    let completed = span(groups.iter().map(|group| group.completed));
    let mut caption = wrap(
        &format!(
            "Latency: {}. Throughput: {}. Numbers at the points: {load}.",
            Metric::Client.description(),
            Metric::Throughput.description(),
        ),
        left,
    );
    caption.extend(wrap(
        &format!(
            "{}, completed {completed}; only these count. Bars: {confidence} % {} intervals of both means, where they \
             reach out of the marker.",
            runs_a_cell(groups),
            groups.first().map_or("", |group| interval_name(&group.mean)),
        ),
        left,
    ));
    if has_single {
        caption.push("Hollow: a single run, no interval.".to_owned());
    }
    caption
}

/// The first dozen, and how many more there are.
fn enumerate(cells: &[String]) -> String {
    let shown = cells.len().min(12);
    let more = if shown < cells.len() { format!(" and {} more", cells.len() - shown) } else { String::new() };
    cells[..shown].join(", ") + &more
}

/// What a label must not cover.
#[derive(Clone, Copy)]
struct Rectangle {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Rectangle {
    fn around(x: f64, y: f64, half: f64) -> Self {
        Self { left: x - half, right: x + half, top: y - half, bottom: y + half }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let across = self.left < other.right && other.left < self.right;
        across && self.top < other.bottom && other.top < self.bottom
    }
}

/// Small squares along the line between two points.
fn along(ends: &[(f64, f64)]) -> Vec<Rectangle> {
    let [(x0, y0), (x1, y1)] = *ends else { return Vec::new() };
    let steps = ((x1 - x0).hypot(y1 - y0) / 4.0).min(500.0) as u32;
    let share = |step| f64::from(step) / f64::from(steps.max(1));
    (0..=steps).map(|step| Rectangle::around(x0 + share(step) * (x1 - x0), y0 + share(step) * (y1 - y0), 1.5)).collect()
}
