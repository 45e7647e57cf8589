//! What latencies are made of: one stacked bar a group, the parts in the order of the path.

use super::axis::ValueAxis;
use super::canvas::{Anchor, Canvas, Hatch, INK, text_width};
use super::style::{Area, Bar, GRID, TOP, WIDTH, draw_titles, shorten, wrap};
use super::sweep::span;
use crate::parts::{Part, PartsSummary};
use crate::render::{percent_digits, shown_parts};

/// More bars than this are not readable; the rest is left out, and the caption says so.
const MOST_BARS: usize = 40;
/// The more bars, the thinner they are: of so many, texts fit into them.
const MOST_WITH_SHARES: usize = 20;
const LABEL_SIZE: f64 = 10.5;
/// A part below this share of the axis in every bar is too thin to be told from its neighbours.
const THINNEST: f64 = 0.005;
/// Height of a line of the legend.
const ENTRY: f64 = 17.0;

pub(super) struct PartsFigure<'a> {
    /// Those that are drawn.
    groups: &'a [PartsSummary],
    shown: Vec<Part>,
    /// Those of them that stand in the legend.
    told: Vec<Part>,
    axis: ValueAxis,
    caption: Vec<String>,
}

impl<'a> PartsFigure<'a> {
    /// `None` if there is no latency in any group that would be drawn.
    pub(super) fn new(groups: &'a [PartsSummary]) -> Option<Self> {
        let drawn = &groups[..groups.len().min(MOST_BARS)];
        let totals: Vec<Bar> = drawn.iter().filter_map(|group| Bar::new(&group.total, 1.0)).collect();
        if totals.is_empty() {
            return None;
        }
        let ends = totals.iter().map(|bar| bar.ends().1);
        let values: Vec<f64> = ends.chain([0.0]).collect();
        let (shown, _) = shown_parts(drawn);
        let axis = ValueAxis::covering(&values);
        let widest = |part: &Part| {
            let means = drawn.iter().filter_map(|group| group.parts[*part as usize].mean.estimate);
            axis.position(means.fold(0.0, f64::max))
        };
        let (told, thin): (Vec<Part>, Vec<Part>) = shown.iter().partition(|part| widest(part) >= THINNEST);
        let caption = describe(groups, drawn, &totals, &thin);
        Some(Self { groups: drawn, shown, told, axis, caption })
    }

    pub(super) fn to_svg(&self) -> String {
        let area = self.area();
        let lines = self.told.len().div_ceil(2) as f64;
        let legend = area.bottom + 60.0;
        let caption = legend + ENTRY * lines + 10.0;
        let mut canvas = Canvas::new(WIDTH, caption + 15.0 * self.caption.len() as f64);
        for part in &self.shown {
            let Style { fill, hatch, ink } = style(*part);
            canvas.pattern(part.name(), fill, hatch, ink);
        }
        let subtitle = "mean time of each part of the critical path, from request to reply";
        draw_titles(&mut canvas, &Area { left: 0.0, right: WIDTH, ..area }, "Latency by part", subtitle);
        self.draw_axis(&mut canvas, &area);
        for (index, group) in self.groups.iter().enumerate() {
            self.draw_bar(&mut canvas, &area, index, group);
        }
        canvas.line((area.left, area.top), (area.left, area.bottom), INK, 1.0);
        self.draw_legend(&mut canvas, legend);
        for (line, text) in (0..).zip(&self.caption) {
            canvas.text((24.0, caption + 15.0 * f64::from(line)), text, 10.5, Anchor::Start, 0.0);
        }
        canvas.finish()
    }

    fn area(&self) -> Area {
        let labels = self.groups.iter().map(|group| text_width(&label(group), LABEL_SIZE));
        // Room for the names of the keys, where there are any.
        let has_key = self.groups.first().is_some_and(|group| !group.group.is_empty());
        let top = if has_key { TOP + 14.0 } else { TOP };
        Area {
            left: labels.fold(0.0, f64::max) + 28.0,
            right: WIDTH - 70.0,
            top,
            bottom: top + self.step() * self.groups.len() as f64 + 6.0,
        }
    }

    /// From bar to bar.
    fn step(&self) -> f64 {
        (460.0 / self.groups.len() as f64).clamp(15.0, 46.0)
    }

    fn draw_axis(&self, canvas: &mut Canvas, area: &Area) {
        for &tick in &self.axis.ticks {
            let x = self.x(area, tick);
            canvas.line((x, area.top), (x, area.bottom), GRID, 0.8);
            canvas.line((x, area.bottom), (x, area.bottom + 5.0), INK, 1.0);
            canvas.text((x, area.bottom + 18.0), &self.axis.label(tick), 11.0, Anchor::Middle, 0.0);
        }
        canvas.line((area.left, area.bottom), (area.right, area.bottom), INK, 1.0);
        let below = (area.left.midpoint(area.right), area.bottom + 37.0);
        canvas.text(below, "mean latency [ms of virtual time]", 12.0, Anchor::Middle, 0.0);
        let keys: Vec<&str> =
            self.groups.iter().take(1).flat_map(|group| &group.group).map(|(key, _)| key.as_str()).collect();
        // Above the labels of the bars, but not into the plot's title.
        canvas.text((20.0, area.top - 5.0), &shorten(&keys.join(", "), 100), LABEL_SIZE, Anchor::Start, 0.0);
    }

    fn draw_bar(&self, canvas: &mut Canvas, area: &Area, index: usize, group: &PartsSummary) {
        let (step, height) = (self.step(), self.step() * 0.7);
        let top = area.top + step * index as f64 + (step - height) / 2.0;
        let (middle, bottom) = (top + height / 2.0, top + height);
        canvas.text((area.left - 8.0, middle + 4.0), &label(group), LABEL_SIZE, Anchor::End, 0.0);
        let Some(total) = Bar::new(&group.total, 1.0) else {
            let reason = group.total.note.as_deref().unwrap_or("nothing measured");
            canvas.text((area.left + 6.0, middle + 4.0), reason, LABEL_SIZE, Anchor::Start, 0.0);
            return;
        };
        let mut from = 0.0;
        let mut borders = vec![area.left];
        for part in &self.shown {
            let mean = group.parts[*part as usize].mean.estimate.unwrap_or(0.0);
            let (left, right) = (self.x(area, from), self.x(area, from + mean));
            from += mean;
            if right - left < 0.05 {
                continue;
            }
            canvas.rectangle((left, top), (right - left, height), &format!("url(#{part})"));
            borders.push(right);
            let share = format!("{:.0} %", mean / total.estimate * 100.0);
            let width = text_width(&share, 9.5);
            if self.groups.len() <= MOST_WITH_SHARES && right - left > width + 10.0 {
                let center = left.midpoint(right);
                canvas.rectangle((center - width / 2.0 - 2.0, middle - 6.5), (width + 4.0, 13.0), "#ffffff");
                canvas.text((center, middle + 3.5), &share, 9.5, Anchor::Middle, 0.0);
            }
        }
        for x in borders {
            canvas.line((x, top), (x, bottom), INK, 0.7);
        }
        let end = self.x(area, from);
        for y in [top, bottom] {
            canvas.line((area.left, y), (end, y), INK, 0.7);
        }
        let value = format!("{:.*}", decimals(total.estimate), total.estimate);
        canvas.text((end + 6.0, middle + 3.6), &value, LABEL_SIZE, Anchor::Start, 0.0);
        if let Some((lower, upper)) = total.interval {
            // Below the bar, so that it covers neither patterns nor shares.
            let gap = step - height;
            let (y, cap) = (bottom + gap / 2.0, (gap / 2.0 - 0.4).min(3.5));
            let is_cut = lower < 0.0;
            let (lower, upper) = (self.x(area, lower.max(0.0)), self.x(area, upper));
            canvas.line((lower, y), (upper, y), INK, 1.3);
            for x in [lower, upper].into_iter().skip(usize::from(is_cut)) {
                canvas.line((x, y - cap), (x, y + cap), INK, 1.3);
            }
        }
    }

    /// Two columns, in the order of the path from top to bottom.
    fn draw_legend(&self, canvas: &mut Canvas, top: f64) {
        let lines = self.told.len().div_ceil(2);
        for (index, part) in self.told.iter().enumerate() {
            let x = 24.0 + (index / lines) as f64 * (WIDTH - 40.0) / 2.0;
            let y = top + ENTRY * (index % lines) as f64;
            canvas.rectangle((x, y - 10.0), (26.0, 12.0), INK);
            canvas.rectangle((x + 0.7, y - 9.3), (24.6, 10.6), "#ffffff");
            canvas.rectangle((x + 0.7, y - 9.3), (24.6, 10.6), &format!("url(#{part})"));
            let text = format!("{part}: {}", part.description());
            canvas.text((x + 34.0, y), &text, LABEL_SIZE, Anchor::Start, 0.0);
        }
    }

    fn x(&self, area: &Area, ms: f64) -> f64 {
        area.left + self.axis.position(ms) * (area.right - area.left)
    }
}

/// The values of the keys.
fn label(group: &PartsSummary) -> String {
    let values: Vec<&str> = group.group.iter().map(|(_, value)| value.as_str()).collect();
    shorten(&values.join(", "), 30)
}

/// For four digits.
fn decimals(value: f64) -> usize {
    if value > 0.0 { (3 - value.log10().floor() as i32).clamp(0, 6) as usize } else { 0 }
}

fn describe(groups: &[PartsSummary], drawn: &[PartsSummary], totals: &[Bar], thin: &[Part]) -> Vec<String> {
    let confidence = drawn.first().map_or(0.0, |group| percent_digits(group.confidence));
    let of = |count: fn(&PartsSummary) -> u64| span(drawn.iter().map(count));
    let runs = of(|group| group.runs);
    let mut sentences = vec![format!(
        "{runs} {} a bar, completed {}; only these count. A run's value is the mean over its requests issued after the \
         warm-up ({} a bar).",
        if runs == "1" { "run" } else { "runs" },
        of(|group| group.completed),
        of(|group| group.requests),
    )];
    if drawn.len() <= MOST_WITH_SHARES {
        sentences.push("Percentages: shares of the total.".to_owned());
    }
    sentences.push(format!("Below a bar: {confidence} % Student t interval of the mean total."));
    if totals.iter().any(|bar| bar.ends().0 < 0.0) {
        sentences.push("One without a cap at its left goes on below 0.".to_owned());
    }
    if totals.iter().any(|bar| bar.interval.is_none()) {
        sentences.push("Without: a single run.".to_owned());
    }
    if !thin.is_empty() {
        let names: Vec<&str> = thin.iter().map(|part| part.name()).collect();
        sentences.push(format!(
            "Below {} % of the axis in every bar, and not in the legend: {}.",
            percent_digits(THINNEST),
            names.join(", ")
        ));
    }
    if drawn.len() < groups.len() {
        sentences.push(format!("The first {} of {} bars.", drawn.len(), groups.len()));
    }
    wrap(&sentences.join(" "), 24.0)
}

/// How a part is drawn: neighbours differ in brightness or hatching as well as in colour.
struct Style {
    fill: &'static str,
    hatch: Hatch,
    ink: &'static str,
}

/// Colours after Okabe & Ito 2008, by family: blue for propagation, green for the wire, purple for cores.
fn style(part: Part) -> Style {
    let (fill, hatch, ink) = match part {
        Part::ClientWait => ("#d9d9d9", Hatch::None, INK),
        Part::NetRequest => ("#a9d8f5", Hatch::Rising, "#00446b"),
        Part::NetPrePrepare => ("#0072b2", Hatch::None, INK),
        Part::NetPrepare => ("#a9d8f5", Hatch::Dots, "#00446b"),
        Part::NetCommit => ("#0072b2", Hatch::Falling, "#ffffff"),
        Part::NetReply => ("#a9d8f5", Hatch::Horizontal, "#00446b"),
        Part::NetOther => ("#0072b2", Hatch::Dots, "#ffffff"),
        Part::Recovery => ("#d55e00", Hatch::Cross, "#ffffff"),
        Part::Transmission => ("#b3e2d1", Hatch::Vertical, "#00523c"),
        Part::Queue => ("#009e73", Hatch::Rising, "#ffffff"),
        Part::CpuWait => ("#efcfe1", Hatch::Falling, "#6b2b51"),
        Part::Cpu => ("#b0588c", Hatch::Horizontal, "#ffffff"),
        Part::Timer => ("#f7ee9a", Hatch::Cross, "#6b6300"),
        Part::Order => ("#e69f00", Hatch::Vertical, "#ffffff"),
    };
    Style { fill, hatch, ink }
}
