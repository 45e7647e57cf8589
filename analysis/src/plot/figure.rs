//! Lays out a figure of one panel: title, plot, legend, caption.

use super::canvas::Canvas;
use super::panel::Panel;
use super::style::{Area, PLOT_HEIGHT, TOP, WIDTH, draw_caption, draw_legend, draw_titles, legend_width};

/// A figure: values with intervals against a key.
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) caption: Vec<String>,
    pub(super) panel: Panel,
}

impl Figure {
    pub(super) fn to_svg(&self) -> String {
        let labels = || self.panel.series.iter().map(|series| series.label.as_str());
        let top = TOP + self.panel.head();
        let right = WIDTH - legend_width(labels());
        let area = Area { left: self.panel.margin(), right, top, bottom: top + PLOT_HEIGHT };
        let mut canvas = Canvas::new(WIDTH, area.height(&self.caption));
        draw_titles(&mut canvas, &area, &self.title, &self.subtitle);
        self.panel.draw(&mut canvas, &area, 20.0);
        draw_legend(&mut canvas, &area, labels(), self.panel.is_ordered());
        draw_caption(&mut canvas, &area, &self.caption);
        canvas.finish()
    }
}
