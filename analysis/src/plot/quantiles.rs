//! The quantiles of all units of each group, with order-statistic intervals; those that failed are +∞.

use super::axis::{ValueAxis, percentile_place};
use super::canvas::{Anchor, Canvas};
use super::distribution::{Distribution, Sample};
use super::frame::{Frame, draw_interval, draw_title_up};
use super::panel::draw_arrow;
use super::style::{
    Area, Bar, PLOT_HEIGHT, TOP, WIDTH, axis_width, color, dashes, draw_caption, draw_legend, draw_marker, draw_titles,
    legend_width, open_interval, wrap,
};
use crate::statistics::order_statistics;

/// The percentiles that carry an interval.
const WITH_INTERVAL: [u32; 7] = [10, 25, 50, 75, 90, 95, 99];
/// The least height of the strip for quantiles among failures, and the gap below it.
const STRIP: (f64, f64) = (26.0, 10.0);
/// Height of the arrows of one group in the strip.
const ARROWS: f64 = 16.0;

pub(super) fn to_svg(distribution: &Distribution<'_>) -> String {
    let bars: Vec<Bar> = distribution
        .samples
        .iter()
        .flat_map(|sample| (1..100).filter_map(|percent| bar(sample, percent, distribution.labels.confidence)))
        .collect();
    let across = ValueAxis::percentiles(&[1, 5, 10, 25, 50, 75, 90, 95, 99]);
    let up = ValueAxis::spanning(&bars);
    let is_above = |sample: &Sample<'_>| (1..100).any(|percent| at(sample, percent).is_none());
    // Arrows of one percentile stand one below the other: beside each other they would be at other percentiles.
    let above: Vec<usize> = (0..).zip(&distribution.samples).filter(|(_, it)| is_above(it)).map(|(at, _)| at).collect();
    let is_any_above = !above.is_empty();
    let strip_height = (ARROWS * above.len() as f64).max(STRIP.0);
    let left = axis_width(&up).max(76.0);
    let head = if is_any_above { strip_height + STRIP.1 } else { 0.0 };
    let top = TOP + head;
    let right = WIDTH - legend_width(distribution.legend());
    let area = Area { left, right, top, bottom: top + PLOT_HEIGHT };
    let caption = wrap(&describe(distribution, is_any_above), left);
    let mut canvas = Canvas::new(WIDTH, area.height(&caption));
    let labels = distribution.labels;
    let subtitle = format!("of all {}{}", labels.unit, distribution.failures_count());
    draw_titles(&mut canvas, &area, &format!("{}: quantiles", labels.title), &subtitle);
    let frame = Frame::new(&area, &across, &up);
    frame.draw_axes(&mut canvas);
    frame.label_across(&mut canvas, &format!("percentile of all {} (normal scale)", labels.unit));
    let title = format!("{}{}", labels.value, up.scale_name());
    draw_title_up(&mut canvas, (20.0, area.top.midpoint(area.bottom)), &title);
    let strip = TOP + strip_height / 2.0;
    if is_any_above {
        canvas.rectangle((left, TOP), (right - left, strip_height), "#ececec");
        let above = distribution.above();
        let (first, second) = above.split_once('\n').unwrap_or(("", &above));
        let shift = if first.is_empty() { 3.5 } else { 9.5 };
        canvas.text((left - 8.0, strip - 2.0), first, 10.0, Anchor::End, 0.0);
        canvas.text((left - 8.0, strip + shift), second, 10.0, Anchor::End, 0.0);
    }
    for (index, sample) in distribution.samples.iter().enumerate() {
        let row = above.iter().position(|known| *known == index).unwrap_or(0) as f64;
        let arrows = strip + (row - (above.len() as f64 - 1.0) / 2.0) * ARROWS;
        draw_line(&mut canvas, &frame, index, sample);
        draw_bars(&mut canvas, &frame, index, sample, (arrows, labels.confidence));
    }
    draw_legend(&mut canvas, &area, distribution.legend(), true);
    draw_caption(&mut canvas, &area, &caption);
    canvas.finish()
}

/// The type-1 quantile of all units; `None` if it falls among failures.
fn at(sample: &Sample<'_>, percent: u32) -> Option<f64> {
    sample.at_rank((sample.n() as u64 * u64::from(percent)).div_ceil(100))
}

/// With its interval, of which an end that does not exist or falls among failures is open.
fn bar(sample: &Sample<'_>, percent: u32, confidence: f64) -> Option<Bar> {
    let estimate = at(sample, percent)?;
    let interval = if WITH_INTERVAL.contains(&percent) { interval(sample, percent, confidence) } else { None };
    Some(Bar { estimate, interval })
}

fn interval(sample: &Sample<'_>, percent: u32, confidence: f64) -> Option<(f64, f64)> {
    let ranks = order_statistics(sample.n() as u64, f64::from(percent) / 100.0, confidence)?;
    let end = |rank: Option<u64>| rank.and_then(|rank| sample.at_rank(rank));
    open_interval(end(ranks.lower_rank), end(ranks.upper_rank))
}

fn draw_line(canvas: &mut Canvas, frame: &Frame<'_>, index: usize, sample: &Sample<'_>) {
    let points =
        (1..100).filter_map(|percent| Some(frame.place(percentile_place(f64::from(percent)), at(sample, percent)?)));
    canvas.path(&points.collect::<Vec<_>>(), color(index), 1.4, dashes(index));
}

/// All stand at their percentile: beside it a marker would be read as another one. Caps of different widths tell intervals apart.
fn draw_bars(
    canvas: &mut Canvas,
    frame: &Frame<'_>,
    index: usize,
    sample: &Sample<'_>,
    (arrows, confidence): (f64, f64),
) {
    let color = color(index);
    for percent in WITH_INTERVAL {
        let x = frame.across.place(percentile_place(f64::from(percent)));
        // Of a failing quantile the lower end may be known, but never an upper one.
        if let Some(interval) = interval(sample, percent, confidence) {
            draw_interval(canvas, frame.up, x, interval, (color, 1.1, 3.0 + 1.2 * index as f64));
        }
        match at(sample, percent) {
            Some(estimate) => draw_marker(canvas, index, (x, frame.up.place(estimate)), color, color),
            None => draw_arrow(canvas, (x, arrows), color),
        }
    }
}

fn describe(distribution: &Distribution<'_>, is_any_above: bool) -> String {
    let labels = distribution.labels;
    let mut sentences = vec![
        distribution.sizes(),
        format!(
            "Lines: order statistics (type 1) from the 1st to the 99th percentile. Bars: {} order-statistic intervals.",
            distribution.confidence()
        ),
    ];
    let is_open = |sample: &Sample<'_>| {
        WITH_INTERVAL.into_iter().any(|percent| {
            let ends = interval(sample, percent, labels.confidence);
            ends.is_none_or(|(lower, upper)| lower.is_infinite() || upper.is_infinite())
        })
    };
    if distribution.samples.iter().any(is_open) {
        let among = if distribution.has_failures() {
            format!(", or that falls among those not {}", labels.success)
        } else {
            String::new()
        };
        sentences.push(format!(
            "An arrow tip, or a missing cap below: an end that so few {} do not bound{}.",
            labels.unit, among
        ));
    }
    if is_any_above {
        sentences.push(format!("Arrows in the strip: the quantile falls among those not {}.", labels.success));
    }
    sentences.push(distribution.omitted());
    sentences.join(" ").trim_end().to_owned()
}
