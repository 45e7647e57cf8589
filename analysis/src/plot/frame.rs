//! Two axes of values around a plot, shared by all figures: where a value stands, grid, ticks, titles, interval bars.

use super::axis::ValueAxis;
use super::canvas::{Anchor, Canvas, INK, text_width};
use super::style::{Area, GRID, TICK_SIZE};

/// An axis that stands on the canvas.
#[derive(Clone, Copy)]
pub(super) struct Scale<'a> {
    pub(super) axis: &'a ValueAxis,
    /// Where it begins and where it ends.
    pub(super) from: f64,
    pub(super) to: f64,
}

impl<'a> Scale<'a> {
    /// From left to right.
    pub(super) fn across(axis: &'a ValueAxis, area: &Area) -> Self {
        Self { axis, from: area.left, to: area.right }
    }

    /// From bottom to top.
    pub(super) fn up(axis: &'a ValueAxis, area: &Area) -> Self {
        Self { axis, from: area.bottom, to: area.top }
    }

    /// Where a value stands; what lies outside stands at the end of the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        self.from + self.axis.position(value).clamp(0.0, 1.0) * (self.to - self.from)
    }
}

/// A plot of values against values.
pub(super) struct Frame<'a> {
    pub(super) area: &'a Area,
    pub(super) across: Scale<'a>,
    pub(super) up: Scale<'a>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(area: &'a Area, across: &'a ValueAxis, up: &'a ValueAxis) -> Self {
        Self { area, across: Scale::across(across, area), up: Scale::up(up, area) }
    }

    /// Where a point stands.
    pub(super) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (self.across.place(x), self.up.place(y))
    }

    /// Grid, ticks and lines of both axes, without texts below the horizontal one.
    pub(super) fn draw_axes(&self, canvas: &mut Canvas) {
        draw_rungs(canvas, self.area, self.up.axis);
        let Area { top, bottom, .. } = *self.area;
        for &tick in &self.across.axis.ticks {
            let x = self.across.place(tick);
            canvas.line((x, top), (x, bottom), GRID, 0.8);
            canvas.line((x, bottom), (x, bottom + 5.0), INK, 1.0);
        }
        draw_lines_of_axes(canvas, self.area);
    }

    /// The texts at the ticks of the horizontal axis, as far as there is room, and its title.
    pub(super) fn label_across(&self, canvas: &mut Canvas, title: &str) {
        let Area { left, right, bottom, .. } = *self.area;
        let mut free_from = f64::NEG_INFINITY;
        for &tick in &self.across.axis.ticks {
            let (x, label) = (self.across.place(tick), self.across.axis.label(tick));
            let half = text_width(&label, TICK_SIZE) / 2.0 + 3.0;
            if x - half >= free_from {
                canvas.text((x, bottom + 18.0), &label, TICK_SIZE, Anchor::Middle, 0.0);
                free_from = x + half;
            }
        }
        canvas.text((left.midpoint(right), bottom + 38.0), title, 12.0, Anchor::Middle, 0.0);
    }
}

/// Grid lines, ticks and numbers of the vertical axis.
pub(super) fn draw_rungs(canvas: &mut Canvas, area: &Area, axis: &ValueAxis) {
    let scale = Scale::up(axis, area);
    for &tick in &axis.ticks {
        let y = scale.place(tick);
        canvas.line((area.left, y), (area.right, y), GRID, 0.8);
        canvas.line((area.left - 5.0, y), (area.left, y), INK, 1.0);
        canvas.text((area.left - 8.0, y + 4.0), &axis.label(tick), TICK_SIZE, Anchor::End, 0.0);
    }
}

pub(super) fn draw_lines_of_axes(canvas: &mut Canvas, area: &Area) {
    canvas.line((area.left, area.top), (area.left, area.bottom), INK, 1.0);
    canvas.line((area.left, area.bottom), (area.right, area.bottom), INK, 1.0);
}

/// The title of a vertical axis, turned, with its middle at this height.
pub(super) fn draw_title_up(canvas: &mut Canvas, place: (f64, f64), title: &str) {
    canvas.text(place, title, 12.0, Anchor::Middle, -90.0);
}

/// An upright interval bar with caps, of this colour, width of lines and reach of caps to both sides. An end that is open goes
/// on to the end of the axis: upwards with the tip of an arrow, downwards without a cap, as does one that lies below a
/// logarithmic axis.
pub(super) fn draw_interval(
    canvas: &mut Canvas,
    scale: Scale<'_>,
    x: f64,
    (lower, upper): (f64, f64),
    (color, width, reach): (&str, f64, f64),
) {
    let place = |end: f64, open: f64| if end.is_finite() { scale.place(end) } else { open };
    let (from, to) = (place(lower, scale.from), place(upper, scale.to));
    canvas.line((x, from), (x, to), color, width);
    if lower.is_finite() && !scale.axis.cuts_off(lower) {
        canvas.line((x - reach, from), (x + reach, from), color, width);
    }
    if upper.is_finite() {
        canvas.line((x - reach, to), (x + reach, to), color, width);
    } else {
        for side in [-4.0, 4.0] {
            canvas.line((x + side, to + 6.0), (x, to), color, width);
        }
    }
}
