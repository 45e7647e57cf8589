//! The empirical distribution function of all units of each group; those that failed are +∞.

use super::axis::ValueAxis;
use super::canvas::{Canvas, Hatch};
use super::distribution::{Distribution, Sample};
use super::frame::{Frame, draw_title_up};
use super::style::{
    Area, PLOT_HEIGHT, TOP, WIDTH, axis_width, color, dashes, draw_caption, draw_legend, draw_marker, draw_titles,
    legend_width, wrap,
};
use crate::statistics::dkw_half_width;

/// The bands of more groups hide each other.
const MOST_BANDS: usize = 3;
const HATCHES: [Hatch; MOST_BANDS] = [Hatch::Rising, Hatch::Falling, Hatch::Dots];
/// Steps smaller than this, in units of the SVG, are not seen.
const FINEST: f64 = 0.15;

pub(super) fn to_svg(distribution: &Distribution<'_>) -> String {
    let across = ValueAxis::fitting(&distribution.pooled());
    let up = ValueAxis::percent();
    let left = axis_width(&up).max(70.0);
    let right = WIDTH - legend_width(distribution.legend());
    let area = Area { left, right, top: TOP, bottom: TOP + PLOT_HEIGHT };
    let caption = wrap(&describe(distribution), left);
    let mut canvas = Canvas::new(WIDTH, area.height(&caption));
    let labels = distribution.labels;
    let unit = &labels.unit;
    let subtitle = format!("share of all {unit} with at most this value{}", distribution.failures_count());
    draw_titles(&mut canvas, &area, &format!("{}: distribution", labels.title), &subtitle);
    let frame = Frame::new(&area, &across, &up);
    frame.draw_axes(&mut canvas);
    frame.label_across(&mut canvas, &format!("{}{}", labels.value, across.scale_name()));
    draw_title_up(&mut canvas, (20.0, area.top.midpoint(area.bottom)), &format!("share of all {unit} [%]"));
    if has_bands(distribution) {
        for (index, sample) in distribution.samples.iter().enumerate() {
            draw_band(&mut canvas, &frame, index, sample, labels.confidence);
        }
    }
    for (index, sample) in distribution.samples.iter().enumerate() {
        draw_curve(&mut canvas, &frame, index, sample);
    }
    draw_legend(&mut canvas, &area, distribution.legend(), true);
    draw_caption(&mut canvas, &area, &caption);
    canvas.finish()
}

fn has_bands(distribution: &Distribution<'_>) -> bool {
    distribution.samples.len() <= MOST_BANDS
}

/// The corners of the distribution function shifted by `shift`, from the left end of the plot to the right one, within 0 and 100 %.
fn steps(frame: &Frame<'_>, sample: &Sample<'_>, shift: f64) -> Vec<(f64, f64)> {
    let n = sample.n() as f64;
    let y = |share: f64| frame.up.place((share + shift).clamp(0.0, 1.0) * 100.0);
    let mut corners = vec![(frame.area.left, y(0.0))];
    let mut last = corners[0];
    for (index, &value) in sample.values.iter().enumerate() {
        let (x, top) = (frame.across.place(value), y((index + 1) as f64 / n));
        let is_last = index + 1 == sample.values.len();
        if is_last || x - last.0 > FINEST || last.1 - top > FINEST {
            corners.extend([(x, last.1), (x, top)]);
            last = (x, top);
        }
    }
    corners.push((frame.area.right, last.1));
    corners
}

fn draw_band(canvas: &mut Canvas, frame: &Frame<'_>, index: usize, sample: &Sample<'_>, confidence: f64) {
    let Some(half) = dkw_half_width(sample.n() as u64, confidence) else { return };
    let name = format!("band{index}");
    canvas.pattern(&name, "none", HATCHES[index % MOST_BANDS], color(index));
    let mut corners = steps(frame, sample, half);
    corners.extend(steps(frame, sample, -half).into_iter().rev());
    canvas.surface(&corners, &format!("url(#{name})"), 0.45);
}

fn draw_curve(canvas: &mut Canvas, frame: &Frame<'_>, index: usize, sample: &Sample<'_>) {
    let color = color(index);
    let corners = steps(frame, sample, 0.0);
    canvas.path(&corners, color, 1.6, dashes(index));
    // Markers tell curves apart where dashes are short: at the quartiles of all units, and where the curve ends.
    let n = sample.n();
    let ranks = [n.div_ceil(4), n.div_ceil(2), (3 * n).div_ceil(4), sample.values.len()];
    for rank in ranks {
        if let Some(value) = sample.at_rank(rank as u64) {
            let share = rank as f64 / n as f64 * 100.0;
            draw_marker(canvas, index, frame.place(value, share), color, color);
        }
    }
}

fn describe(distribution: &Distribution<'_>) -> String {
    let labels = distribution.labels;
    let mut sentences = vec![distribution.sizes()];
    let lacking: Vec<String> = distribution
        .samples
        .iter()
        .filter(|sample| sample.failures > 0)
        .map(|sample| match sample.label {
            "" => format!("{} of {}", sample.failures, sample.n()),
            label => format!("{} of {} ({label})", sample.failures, sample.n()),
        })
        .collect();
    if !lacking.is_empty() {
        sentences.push(format!(
            "A curve ends at the share of those {0}. Not {0}: {1}.",
            labels.success,
            lacking.join(", ")
        ));
    }
    sentences.push("Markers: the quartiles of all, and the greatest value.".to_owned());
    let half = |sample: &Sample<'_>| dkw_half_width(sample.n() as u64, labels.confidence);
    let halves: Vec<f64> = distribution.samples.iter().filter_map(half).collect();
    let widest = halves.iter().copied().fold(0.0, f64::max).min(1.0) * 100.0;
    let confidence = distribution.confidence();
    sentences.push(if has_bands(distribution) {
        format!(
            "Hatched: the {confidence} band that holds the whole curve (Dvoretzky–Kiefer–Wolfowitz, Massart), ± {widest:.1} \
             points or less."
        )
    } else {
        format!(
            "Not drawn: the {confidence} bands that hold whole curves (Dvoretzky–Kiefer–Wolfowitz, Massart), ± {widest:.1} \
             points or less."
        )
    });
    sentences.push(distribution.omitted());
    sentences.join(" ").trim_end().to_owned()
}
