//! Lays out a wide figure: panels side by side, a legend and a caption below all of them.

use super::canvas::{Anchor, Canvas, INK, text_width};
use super::panel::{Panel, draw_arrow};
use super::style::{Area, LINE, TOP, color, dashes, draw_lines, draw_marker, draw_titles, shorten, wrap_to};

const WIDTH: f64 = 1080.0;
const HEIGHT: f64 = 250.0;
/// Room above each panel for its own title.
const HEAD: f64 = 30.0;
const MARGIN: f64 = 20.0;
const LEGEND_SIZE: f64 = 11.0;

/// Panels side by side.
pub(super) struct Row {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// Each with its title.
    pub(super) panels: Vec<(String, Panel)>,
    /// What stands in the legend besides the lines of the first panel.
    pub(super) marks: Vec<(Sign, String)>,
    /// Sentences.
    pub(super) caption: String,
}

/// What stands before a text of the legend.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    /// The line of this style.
    Line(usize),
    Filled,
    Hollow,
    Arrow,
}

impl Row {
    pub(super) fn to_svg(&self) -> String {
        let slot = (WIDTH - MARGIN) / self.panels.len() as f64;
        let head = self.panels.iter().map(|(_, panel)| panel.head()).fold(0.0, f64::max);
        let top = TOP + HEAD + head;
        let bottom = top + HEIGHT;
        let entries = self.legend();
        let legend = bottom + 66.0;
        let lines = entries.last().map_or(0.0, |entry| entry.line + 1.0);
        let caption = wrap_to(&self.caption, WIDTH - 2.0 * MARGIN);
        let first_line = legend + 18.0 * lines + if lines > 0.0 { 6.0 } else { 0.0 };
        let mut canvas = Canvas::new(WIDTH, first_line + LINE * caption.len() as f64);
        let whole = Area { left: 0.0, right: WIDTH, top, bottom };
        draw_titles(&mut canvas, &whole, &self.title, &self.subtitle);
        for (index, (title, panel)) in self.panels.iter().enumerate() {
            let from = slot * index as f64;
            let area = Area { left: from + panel.margin(), right: from + slot - 6.0, top, bottom };
            canvas.text((area.left.midpoint(area.right), TOP + HEAD - 14.0), title, 12.5, Anchor::Middle, 0.0);
            panel.draw(&mut canvas, &area, from + 20.0);
        }
        let is_ordered = self.panels.first().is_some_and(|(_, panel)| panel.is_ordered());
        for entry in entries {
            let (x, y) = (MARGIN + entry.x, legend + 18.0 * entry.line);
            match entry.sign {
                Sign::Line(style) => {
                    if is_ordered {
                        canvas.path(&[(x, y), (x + 28.0, y)], color(style), 1.2, dashes(style));
                    }
                    draw_marker(&mut canvas, style, (x + 14.0, y), color(style), color(style));
                }
                Sign::Filled => draw_marker(&mut canvas, 0, (x + 14.0, y), INK, INK),
                Sign::Hollow => draw_marker(&mut canvas, 0, (x + 14.0, y), "#ffffff", INK),
                Sign::Arrow => draw_arrow(&mut canvas, (x + 14.0, y), INK),
            }
            canvas.text((x + 34.0, y + 4.0), &entry.label, LEGEND_SIZE, Anchor::Start, 0.0);
        }
        draw_lines(&mut canvas, (MARGIN, first_line), &caption);
        canvas.finish()
    }

    /// The entries one after the other, as many lines of them as are needed.
    fn legend(&self) -> Vec<Entry> {
        let lines = self.panels.first().into_iter().flat_map(|(_, panel)| &panel.series);
        let named =
            lines.filter(|series| !series.label.is_empty()).map(|series| (Sign::Line(series.style), &series.label));
        let mut entries: Vec<Entry> = Vec::new();
        let (mut x, mut line) = (0.0, 0.0);
        for (sign, label) in named.chain(self.marks.iter().map(|(sign, label)| (*sign, label))) {
            let label = shorten(label, 60);
            let width = 34.0 + text_width(&label, LEGEND_SIZE) + 22.0;
            if x > 0.0 && x + width > WIDTH - 2.0 * MARGIN {
                (x, line) = (0.0, line + 1.0);
            }
            entries.push(Entry { sign, label, x, line });
            x += width;
        }
        entries
    }
}

struct Entry {
    sign: Sign,
    label: String,
    x: f64,
    line: f64,
}
