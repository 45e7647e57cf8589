//! Histograms of the values of the units that succeeded, one below the other.

use super::axis::ValueAxis;
use super::canvas::{Anchor, Canvas, INK, text_width};
use super::distribution::{Distribution, one};
use super::frame::{Frame, draw_title_up};
use super::style::{Area, TOP, WIDTH, axis_width, draw_caption, draw_titles, shorten, wrap};
use crate::statistics::{freedman_diaconis_width, sturges_bins};

/// More bins than these are not told apart.
const MOST_BINS: f64 = 60.0;
/// The quartiles of fewer values do not decide how wide bins are.
const LEAST_VALUES: usize = 20;
const FILL: &str = "#9fcbe8";
/// The gap between two panels; their texts stand in it.
const GAP: f64 = 24.0;

pub(super) fn to_svg(distribution: &Distribution<'_>) -> String {
    let labels = distribution.labels;
    let bins = Bins::new(&distribution.pooled(), distribution.samples.iter().map(|sample| &sample.values[..]));
    let counts: Vec<Vec<u64>> = distribution.samples.iter().map(|sample| bins.count(&sample.values)).collect();
    let most = counts.iter().flatten().copied().max().unwrap_or(0);
    let panels = counts.len() as f64;
    let height = (360.0 / panels).clamp(70.0, 280.0);
    let across = if bins.is_logarithmic {
        ValueAxis::fitting(&bins.edges)
    } else {
        ValueAxis::fitting(&[bins.edges[0], bins.edges[bins.edges.len() - 1]])
    };
    let up = ValueAxis::counts(most, (height / 26.0).clamp(2.0, 7.0));
    let left = axis_width(&up).max(70.0);
    let whole = Area { left, right: WIDTH - 24.0, top: TOP + GAP, bottom: TOP + panels * (height + GAP) };
    let caption = wrap(&describe(distribution, &bins), left);
    let mut canvas = Canvas::new(WIDTH, whole.height(&caption));
    let subtitle = format!("of the {} {} alone", labels.success, labels.unit);
    draw_titles(&mut canvas, &whole, &format!("{}: histogram", labels.title), &subtitle);
    for (index, (sample, counts)) in distribution.samples.iter().zip(&counts).enumerate() {
        let top = TOP + GAP + index as f64 * (height + GAP);
        let area = Area { top, bottom: top + height, ..whole };
        let frame = Frame::new(&area, &across, &up);
        frame.draw_axes(&mut canvas);
        for (edges, &count) in bins.edges.windows(2).zip(counts).filter(|(_, count)| **count > 0) {
            let ((from, top), to) = (frame.place(edges[0], count as f64), frame.across.place(edges[1]));
            canvas.polygon(&[(from, area.bottom), (from, top), (to, top), (to, area.bottom)], FILL, INK);
        }
        let lacking = match sample.failures {
            0 if sample.n() == 1 => format!("the one {} {}", one(&labels.unit), labels.success),
            0 => format!("all {} {}", sample.n(), labels.success),
            lacking => format!("+ {lacking} of {} not {}", sample.n(), labels.success),
        };
        let room = (area.right - left - text_width(&lacking, 10.5) - 12.0) / 6.8;
        let name = shorten(sample.label, room as usize);
        canvas.text((left + 4.0, top - 5.0), &name, 10.5, Anchor::Start, 0.0);
        canvas.text((area.right, top - 5.0), &lacking, 10.5, Anchor::End, 0.0);
        if index + 1 == distribution.samples.len() {
            frame.label_across(&mut canvas, &format!("{}{}", labels.value, across.scale_name()));
        }
    }
    draw_title_up(&mut canvas, (20.0, whole.top.midpoint(whole.bottom)), &format!("{} a bin", labels.unit));
    draw_caption(&mut canvas, &whole, &caption);
    canvas.finish()
}

fn describe(distribution: &Distribution<'_>, bins: &Bins) -> String {
    let sizes = distribution.sizes();
    format!("{sizes} The groups share their bins: {} {}", bins.origin, distribution.omitted()).trim_end().to_owned()
}

/// The bins of a histogram.
struct Bins {
    /// In rising order, at least two.
    edges: Vec<f64>,
    /// Whether their logarithms are at even distance, not they themselves.
    is_logarithmic: bool,
    /// How they were made.
    origin: String,
}

impl Bins {
    /// For the values of all groups in rising order, of which there is at least one, and for those of each.
    ///
    /// The narrowest group decides: bins that fit all of them together would show it as one bar.
    fn new<'a>(sorted: &[f64], groups: impl Iterator<Item = &'a [f64]>) -> Self {
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        let is_logarithmic = ValueAxis::fitting(sorted).is_logarithmic;
        let scale = |values: &[f64]| -> Vec<f64> {
            if is_logarithmic { values.iter().map(|value| value.log10()).collect() } else { values.to_vec() }
        };
        let scaled = scale(sorted);
        let (from, to) = (scaled[0], scaled[scaled.len() - 1]);
        let span = to - from;
        if !(span > 0.0 && span.is_finite()) {
            let width = if least == 0.0 { 1.0 } else { least.abs() * 0.1 };
            let (low, high) = if span > 0.0 { (least, most) } else { (least - width / 2.0, least + width / 2.0) };
            return Self { edges: vec![low, high], is_logarithmic: false, origin: "a single one.".to_owned() };
        }
        let large: Vec<&[f64]> = groups.filter(|values| values.len() >= LEAST_VALUES).collect();
        let narrowest =
            large.iter().filter_map(|values| freedman_diaconis_width(&scale(values))).min_by(f64::total_cmp);
        let (ideal, rule) = match narrowest.or_else(|| freedman_diaconis_width(&scaled)) {
            Some(width) if narrowest.is_some() && large.len() > 1 => {
                (width, "Freedman and Diaconis for the narrowest group")
            }
            Some(width) => (width, "Freedman and Diaconis"),
            None => (span / f64::from(sturges_bins(scaled.len() as u64)), "Sturges"),
        };
        let least_width = span / MOST_BINS;
        let limited = if ideal < least_width { ", limited to 60 bins" } else { "" };
        // Logarithms are not read, so they need not be round.
        let width = if is_logarithmic {
            ideal.clamp(least_width, span)
        } else {
            round_down(ideal).max(round_up(least_width)).min(round_up(span))
        };
        let (begin, end) = ((from / width).floor(), (to / width).floor() + 1.0);
        let edges: Vec<f64> = (0..=(end - begin) as u32).map(|step| (begin + f64::from(step)) * width).collect();
        if is_logarithmic {
            let edges = edges.into_iter().map(|edge| 10_f64.powf(edge)).collect();
            let factor = 10_f64.powf(width);
            let factor = if factor < 1e4 { format!("{factor:.3}") } else { format!("{factor:.1e}") };
            let origin =
                format!("each reaches {factor} times as far as it begins (rule of {rule} on the logarithms{limited}).");
            return Self { edges, is_logarithmic, origin };
        }
        let origin = format!("width {width}, a round number near the {ideal:.3} of the rule of {rule}{limited}.");
        Self { edges, is_logarithmic, origin }
    }

    /// How many values lie in each; all lie in some.
    fn count(&self, sorted: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; self.edges.len() - 1];
        for value in sorted {
            let above = self.edges.partition_point(|edge| edge <= value);
            counts[above.clamp(1, self.edges.len() - 1) - 1] += 1;
        }
        counts
    }
}

/// 1, 2 or 5 times a power of ten, not above `width`.
fn round_down(width: f64) -> f64 {
    let power = 10_f64.powf(width.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|digit| digit * power).find(|round| *round <= width).unwrap_or(width)
}

/// 1, 2 or 5 times a power of ten, not below `width`.
fn round_up(width: f64) -> f64 {
    let power = 10_f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|round| *round >= width).unwrap_or(width)
}
