//! SVG elements, and their rendering as PNG.

use std::fmt::Write;
use std::sync::Arc;

use resvg::{tiny_skia, usvg};

/// The font `DejaVu Sans`, see `assets/DejaVuSans.LICENSE.txt`.
static FONT: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");

/// Families that look alike, for viewers without the first.
const FAMILIES: &str = "'DejaVu Sans', Verdana, 'Bitstream Vera Sans', sans-serif";

/// Pixels of the PNG for each unit of the SVG: 300 dpi at a width of 7.2 inches.
const PNG_SCALE: f32 = 3.0;

/// Colour of axes and texts.
pub(super) const INK: &str = "#222222";

/// Where a text is anchored.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a surface is hatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hatch {
    None,
    Rising,
    Falling,
    Cross,
    Horizontal,
    Vertical,
    Dots,
}

impl Hatch {
    /// What it draws on a tile of 6 by 6, as the data of an SVG path.
    fn path(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Rising => "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2",
            Self::Falling => "M-1,5 l2,2 M0,0 l6,6 M5,-1 l2,2",
            Self::Cross => "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2 M-1,5 l2,2 M0,0 l6,6 M5,-1 l2,2",
            Self::Horizontal => "M0,3 h6",
            Self::Vertical => "M3,0 v6",
            // Short strokes of their own width.
            Self::Dots => "M0.8,1.5 h1.4 M3.8,4.5 h1.4",
        }
    }
}

/// An SVG that grows element by element.
pub(super) struct Canvas {
    body: String,
    width: f64,
    height: f64,
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
        let _ = writeln!(
            self.body,
            r#"<line x1="{:.2}" y1="{:.2}" x2="{:.2}" y2="{:.2}" stroke="{color}" stroke-width="{width}"/>"#,
            from.0, from.1, to.0, to.1
        );
    }

    /// Lines from point to point; `dashes` is an SVG dash array, empty for a solid line.
    pub(super) fn path(&mut self, points: &[(f64, f64)], color: &str, width: f64, dashes: &str) {
        if points.len() < 2 {
            return;
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="{width}" stroke-dasharray="{}"/>"#,
            points.join(" "),
            if dashes.is_empty() { "none" } else { dashes },
        );
    }

    pub(super) fn polygon(&mut self, corners: &[(f64, f64)], fill: &str, stroke: &str) {
        let corners: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        let _ = writeln!(
            self.body,
            r#"<polygon points="{}" fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>"#,
            corners.join(" ")
        );
    }

    /// A surface without an outline.
    pub(super) fn surface(&mut self, corners: &[(f64, f64)], fill: &str, opacity: f64) {
        let corners: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        let corners = corners.join(" ");
        let _ = writeln!(self.body, r#"<polygon points="{corners}" fill="{fill}" opacity="{opacity:.2}"/>"#);
    }

    pub(super) fn circle(&mut self, (x, y): (f64, f64), radius: f64, fill: &str, stroke: &str) {
        let _ = writeln!(
            self.body,
            r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>"#
        );
    }

    pub(super) fn rectangle(&mut self, (x, y): (f64, f64), size: (f64, f64), fill: &str) {
        let _ = writeln!(
            self.body,
            r#"<rect x="{x:.2}" y="{y:.2}" width="{:.2}" height="{:.2}" fill="{fill}"/>"#,
            size.0, size.1
        );
    }

    /// A hatched surface that `url(#NAME)` fills with.
    pub(super) fn pattern(&mut self, name: &str, fill: &str, hatch: Hatch, ink: &str) {
        let path = hatch.path();
        let width = if hatch == Hatch::Dots { 1.5 } else { 1.0 };
        let _ = writeln!(
            self.body,
            r#"<defs><pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="{fill}"/><path d="{path}" stroke="{ink}" stroke-width="{width}"/></pattern></defs>"#
        );
    }

    /// A text on its base line, turned by `angle` degrees.
    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, size: f64, anchor: Anchor, angle: f64) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = if angle == 0.0 { String::new() } else { format!(r#" transform="rotate({angle} {x:.2} {y:.2})""#) };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" text-anchor="{anchor}"{turn}>{}</text>"#,
            escape(text)
        );
    }

    /// A text in a colour of its own, from left to right.
    pub(super) fn colored_text(&mut self, (x, y): (f64, f64), text: &str, size: f64, color: &str) {
        let text = escape(text);
        let _ = writeln!(self.body, r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" fill="{color}">{text}</text>"#);
    }

    pub(super) fn finish(self) -> String {
        let Self { body, width, height } = self;
        format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FAMILIES}" fill="{INK}">
<rect width="{width}" height="{height}" fill="#ffffff"/>
{body}</svg>
"##
        )
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML has no way to write these.
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Width of a text in the bundled font, roughly.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.32,
            'm' | 'w' | 'M' | 'W' | '%' => 0.95,
            _ => 0.62,
        })
        .sum::<f64>()
        * size
}

/// Renders an SVG with the bundled font.
pub(super) fn to_png(svg: &str) -> Result<Vec<u8>, String> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_source(usvg::fontdb::Source::Binary(Arc::new(FONT)));
    fonts.set_sans_serif_family("DejaVu Sans");
    let options =
        usvg::Options { fontdb: Arc::new(fonts), font_family: "DejaVu Sans".to_owned(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size();
    let (width, height) = (size.width() * PNG_SCALE, size.height() * PNG_SCALE);
    let mut pixels = tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| format!("{width} × {height} pixels are too many"))?;
    let scale = tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
