//! Plots of a sweep, as SVG and PNG.
//!
//! ```text
//! groups ─► sweep (what is drawn) ─► figure (where: axes, bars, legend) ─► canvas (SVG) ─► PNG
//! ```
//!
//! The SVG is written by hand, the PNG is that SVG rendered with the bundled font, so both look the
//! same on every machine and no system library is needed.

mod axis;
mod canvas;
mod figure;
mod sweep;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::summary::GroupSummary;

/// Why a plot cannot be written.
#[derive(Debug, Error)]
pub enum PlotError {
    /// A file cannot be written.
    #[error("{}: cannot write the plot: {source}; check permissions and free space", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The drawing cannot be rendered: a defect of this program.
    #[error("{}: cannot render the plot: {reason}; the SVG beside it is whole, please report this", path.display())]
    Render {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

/// Draws latency or throughput, whichever was measured, and success share against the first swept key, with
/// interval bars.
///
/// Writes `success.svg` and `success.png`, and, unless no group has a value, `latency.svg` and
/// `latency.png` or `throughput.svg` and `throughput.png`, into `dir`; returns their paths. Each combination of the
/// other keys is a line of its own. Cells without a value are marked as such. Draws nothing if the groups have no key.
pub fn write_sweep_plots(dir: &Path, groups: &[GroupSummary]) -> Result<Vec<PathBuf>, PlotError> {
    let mut written = Vec::new();
    for (name, figure) in sweep::figures(groups) {
        let svg = figure.to_svg();
        let path = dir.join(format!("{name}.svg"));
        write(&path, svg.as_bytes())?;
        written.push(path);
        let path = dir.join(format!("{name}.png"));
        let png = canvas::to_png(&svg).map_err(|reason| PlotError::Render { path: path.clone(), reason })?;
        write(&path, &png)?;
        written.push(path);
    }
    Ok(written)
}

fn write(path: &Path, content: &[u8]) -> Result<(), PlotError> {
    std::fs::write(path, content).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}
