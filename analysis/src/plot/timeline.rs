//! Latency over the time of the runs, group below group; behind it when the adversary acted, below it what else happened.

use super::axis::ValueAxis;
use super::canvas::{Anchor, Canvas, Hatch, INK};
use super::frame::{Frame, draw_title_up};
use super::style::{Area, TOP, WIDTH, axis_width, color, draw_caption, draw_titles, shorten, wrap};
use super::sweep::name;
use crate::event::EventKind;
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::timeline::{TIMELINE_EVENTS, Timeline, TimelineBin, Timelines};

/// Room above each plot for its name.
const HEAD: f64 = 22.0;
/// Height of a lane below a plot, and its gap to the next.
const LANE: (f64, f64) = (9.0, 4.0);
/// The gap between a plot's lanes and the next plot.
const GAP: f64 = 14.0;
/// Acts of the adversary that are at most so many bins apart belong to one phase.
const LONGEST_PAUSE: usize = 5;
/// The quantiles of fewer samples than these are drawn without weight.
const FEW: u64 = 10;
/// The least opacity of something that happened in one run of many.
const FAINTEST: f64 = 0.15;
/// The opacity of a phase of an attack.
const PHASE: f64 = 0.5;

/// What a lane shows: an event, or requests that were never accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Event(usize),
    Unaccepted,
}

pub(super) struct TimelineFigure<'a> {
    timelines: &'a Timelines,
    /// The same below each plot.
    lanes: Vec<Lane>,
    across: ValueAxis,
    up: ValueAxis,
    /// Nanoseconds in a unit of the horizontal axis, and its name.
    unit: (f64, &'static str),
}

impl<'a> TimelineFigure<'a> {
    /// `None` if [they are not worth it](Timelines::why_not_drawn).
    pub(super) fn new(timelines: &'a Timelines) -> Option<Self> {
        let bins = || timelines.groups.iter().flat_map(|group| &group.bins);
        if timelines.why_not_drawn().is_some() {
            return None;
        }
        let happened = |lane: &Lane| bins().any(|bin| amount(*lane, bin) > 0);
        let lanes: Vec<Lane> =
            (0..TIMELINE_EVENTS.len()).map(Lane::Event).chain([Lane::Unaccepted]).filter(happened).collect();
        let end = timelines.groups.iter().map(|group| group.bins.len()).max()? as f64 * timelines.bin_ns as f64;
        let unit = match end {
            1e10.. => (1e9, "s"),
            1e7.. => (1e6, "ms"),
            _ => (1e3, "µs"),
        };
        let values: Vec<f64> = bins().filter_map(|bin| bin.quantiles_ms).flatten().collect();
        let least = values.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let up = if least > 0.0 && most / least > 30.0 {
            ValueAxis::fitting(&[least, most])
        } else {
            ValueAxis::covering(&values)
        };
        Some(Self { timelines, lanes, across: ValueAxis::until(end / unit.0), up, unit })
    }

    pub(super) fn to_svg(&self) -> String {
        let Timelines { metric, groups, .. } = self.timelines;
        let height = (420.0 / groups.len() as f64).clamp(130.0, 300.0);
        let lanes = (LANE.0 + LANE.1) * self.lanes.len() as f64 + 4.0;
        let step = HEAD + height + lanes + GAP;
        let left = axis_width(&self.up).max(if self.lanes.is_empty() { 70.0 } else { 112.0 });
        let bottom = TOP + step * groups.len() as f64 - GAP;
        let whole = Area { left, right: WIDTH - 24.0, top: TOP + HEAD, bottom };
        let caption = wrap(&self.describe(), left);
        let mut canvas = Canvas::new(WIDTH, whole.height(&caption));
        canvas.pattern("attack", "#f3d9c6", Hatch::Rising, "#d55e00");
        canvas.pattern("band", "none", Hatch::Dots, color(0));
        let title = match metric {
            Metric::Client => "Client latency over time".to_owned(),
            latency => format!("Consensus latency ({latency}) over time"),
        };
        draw_titles(&mut canvas, &whole, &title, metric.description());
        for (index, group) in groups.iter().enumerate() {
            let top = TOP + step * index as f64 + HEAD;
            let area = Area { top, bottom: top + height, ..whole };
            self.draw_group(&mut canvas, &area, group);
        }
        let across = Frame::new(&whole, &self.across, &self.up);
        across.label_across(&mut canvas, &format!("start of the sample [{} of virtual time]", self.unit.1));
        let title = format!("latency [ms of virtual time]{}", self.up.scale_name());
        draw_title_up(&mut canvas, (20.0, whole.top.midpoint(whole.bottom)), &title);
        draw_caption(&mut canvas, &whole, &caption);
        canvas.finish()
    }

    fn draw_group(&self, canvas: &mut Canvas, area: &Area, group: &Timeline) {
        let samples: u64 = group.bins.iter().map(|bin| bin.samples).sum();
        let of = |count: fn(&TimelineBin) -> u64| group.bins.iter().map(count).sum::<u64>();
        let (requests, unaccepted) = (of(|bin| bin.requests), of(|bin| bin.unaccepted));
        let unaccepted = if unaccepted > 0 { format!(", {unaccepted} never accepted") } else { String::new() };
        let runs = counted(group.runs, "run");
        let right = format!("{runs}, {}, {}{unaccepted}", counted(samples, "sample"), counted(requests, "request"));
        canvas.text((area.left + 4.0, area.top - 6.0), &shorten(&name(&group.group), 60), 10.5, Anchor::Start, 0.0);
        canvas.text((area.right, area.top - 6.0), &right, 10.5, Anchor::End, 0.0);
        let frame = Frame::new(area, &self.across, &self.up);
        let attack = TIMELINE_EVENTS.iter().position(|kind| *kind == EventKind::Attack).map(Lane::Event);
        if let Some(attack) = attack {
            for (from, to) in phases(group.bins.iter().map(|bin| amount(attack, bin) > 0)) {
                let (from, to) = (frame.across.place(self.time(from)), frame.across.place(self.time(to)));
                let corners = [(from, area.top), (to, area.top), (to, area.bottom), (from, area.bottom)];
                canvas.surface(&corners, "url(#attack)", PHASE);
            }
        }
        frame.draw_axes(canvas);
        let warmup = self.timelines.warmup_ns as f64 / self.unit.0;
        if warmup > 0.0 && warmup < self.across.to {
            let x = frame.across.place(warmup);
            canvas.path(&[(x, area.top), (x, area.bottom)], INK, 1.0, "5 4");
            canvas.text((x + 4.0, area.top + 11.0), "end of the warm-up", 9.5, Anchor::Start, 0.0);
        }
        if group.bins.iter().all(|bin| bin.quantiles_ms.is_none()) {
            let middle = (area.left.midpoint(area.right), area.top.midpoint(area.bottom));
            canvas.text(middle, "no value", 12.0, Anchor::Middle, 0.0);
        }
        self.draw_latency(canvas, &frame, group);
        for (index, &lane) in self.lanes.iter().enumerate() {
            let top = area.bottom + 8.0 + (LANE.0 + LANE.1) * index as f64;
            canvas.rectangle((area.left, top), (area.right - area.left, LANE.0), "#f2f2f2");
            self.draw_bars(canvas, &frame, group, lane, (top, top + LANE.0));
            let label = match lane {
                Lane::Event(kind) => TIMELINE_EVENTS[kind].name().replace('_', " "),
                Lane::Unaccepted => "not accepted".to_owned(),
            };
            canvas.text((area.left - 8.0, top + LANE.0 - 1.0), &label, 9.5, Anchor::End, 0.0);
        }
    }

    /// Each bin in which something happened, the darker the more.
    fn draw_bars(
        &self,
        canvas: &mut Canvas,
        frame: &Frame<'_>,
        group: &Timeline,
        lane: Lane,
        (top, bottom): (f64, f64),
    ) {
        let is_attack =
            lane != Lane::Unaccepted && matches!(lane, Lane::Event(kind) if TIMELINE_EVENTS[kind] == EventKind::Attack);
        let fill = if is_attack { "url(#attack)" } else { INK };
        for (index, bin) in group.bins.iter().enumerate() {
            let of = match lane {
                Lane::Event(_) => group.runs,
                Lane::Unaccepted => bin.requests,
            };
            let amount = amount(lane, bin);
            if amount > 0 {
                let share = amount as f64 / of.max(1) as f64;
                let (from, to) = (frame.across.place(self.time(index)), frame.across.place(self.time(index + 1)));
                let corners = [(from, top), (to, top), (to, bottom), (from, bottom)];
                canvas.surface(&corners, fill, FAINTEST + (1.0 - FAINTEST) * share.min(1.0));
            }
        }
    }

    /// The band from the 10th to the 90th percentile, and the median; interrupted where no sample began, and hollow and thin where few
    /// did.
    fn draw_latency(&self, canvas: &mut Canvas, frame: &Frame<'_>, group: &Timeline) {
        let bins: Vec<(usize, &TimelineBin)> = group.bins.iter().enumerate().collect();
        for stretch in bins.split(|(_, bin)| bin.quantiles_ms.is_none()).filter(|stretch| !stretch.is_empty()) {
            let curve = |bins: &[(usize, &TimelineBin)], quantile: usize| -> Vec<(f64, f64)> {
                let steps = bins.iter().filter_map(|(index, bin)| {
                    let y = bin.quantiles_ms?[quantile];
                    Some([frame.place(self.time(*index), y), frame.place(self.time(index + 1), y)])
                });
                steps.flatten().collect()
            };
            for quantile in [0, 2] {
                canvas.path(&curve(stretch, quantile), color(0), 0.5, "");
            }
            canvas.path(&curve(stretch, 1), INK, 0.8, "");
            let parts = stretch.chunk_by(|(_, left), (_, right)| is_few(left) == is_few(right));
            for part in parts.filter(|part| part.first().is_some_and(|(_, bin)| !is_few(bin))) {
                let (low, high) = (curve(part, 0), curve(part, 2));
                let band: Vec<(f64, f64)> = high.iter().copied().chain(low.iter().rev().copied()).collect();
                canvas.surface(&band, "#ffffff", 0.6);
                canvas.surface(&band, "url(#band)", 0.9);
                canvas.path(&low, color(0), 0.8, "");
                canvas.path(&high, color(0), 0.8, "");
                canvas.path(&curve(part, 1), INK, 2.0, "");
            }
        }
    }

    /// Where a bin begins, in units of the axis.
    fn time(&self, bin: usize) -> f64 {
        bin as f64 * self.timelines.bin_ns as f64 / self.unit.0
    }

    fn describe(&self) -> String {
        let Timelines { bin_ns, relative_error, groups, of_groups, damaged_runs, .. } = self.timelines;
        let mut sentences = vec![
            format!(
                "Bins of {} {}. Line: median of the samples of all runs that began in a bin; dotted: from their 10th to their 90th percentile, which is no interval of an estimate (quantiles within {} %).",
                *bin_ns as f64 / self.unit.0,
                self.unit.1,
                percent_digits(*relative_error)
            ),
            "All runs count, whether they completed or not.".to_owned(),
        ];
        if groups.iter().flat_map(|group| &group.bins).any(|bin| bin.samples > 0 && is_few(bin)) {
            sentences.push(format!("Thin and without dots: fewer than {FEW} samples."));
        }
        let has = |lane: fn(&Lane) -> bool| self.lanes.iter().any(lane);
        if has(|lane| matches!(lane, Lane::Event(kind) if TIMELINE_EVENTS[*kind] == EventKind::Attack)) {
            sentences.push(format!(
                "Hatched: from the first act of the adversary in any run to the last, pauses of up to {LONGEST_PAUSE} bins included."
            ));
        }
        if has(|lane| matches!(lane, Lane::Event(_))) {
            sentences.push("The darker a bar, the more runs had such an event in this bin.".to_owned());
        }
        if has(|lane| *lane == Lane::Unaccepted) {
            sentences.push(
                "Not accepted: the share of the requests issued in this bin that never were; they have no latency."
                    .to_owned(),
            );
        }
        if groups.len() < *of_groups {
            let which = if groups.len() == 1 { "the only one" } else { "the first and the last" };
            sentences.push(format!("Drawn: of {of_groups} groups {which} with samples."));
        }
        if *damaged_runs > 0 {
            sentences
                .push(format!("Not drawn are damaged runs, of whose rows only a part could be read: {damaged_runs}."));
        }
        sentences.join(" ")
    }
}

/// Where something goes on: from the first bin of each phase to behind its last.
fn phases(acts: impl Iterator<Item = bool>) -> Vec<(usize, usize)> {
    let mut phases: Vec<(usize, usize)> = Vec::new();
    for (bin, _) in acts.enumerate().filter(|(_, acts)| *acts) {
        match phases.last_mut() {
            Some((_, end)) if bin - *end <= LONGEST_PAUSE => *end = bin + 1,
            _ => phases.push((bin, bin + 1)),
        }
    }
    phases
}

/// Whether so few samples began that their quantiles say little.
fn is_few(bin: &TimelineBin) -> bool {
    bin.samples < FEW
}

/// `1 run`, `5 runs`
fn counted(count: u64, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// How many runs had such an event, or how many requests were never accepted.
fn amount(lane: Lane, bin: &TimelineBin) -> u64 {
    match lane {
        Lane::Event(kind) => bin.runs_with[kind],
        Lane::Unaccepted => bin.unaccepted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_end_a_phase_unless_they_are_long() {
        let acts = |text: &str| phases(text.chars().map(|bin| bin == 'x'));
        assert_eq!(acts("..x.x.....x"), [(2, 11)]);
        assert_eq!(acts("x......xx"), [(0, 1), (7, 9)]);
        assert_eq!(acts("...."), []);
    }
}
