//! Plots, as SVG and PNG.
//!
//! ```text
//! groups ────┬► sweep (what is drawn) ──────────────────────► figure ─► panel ─┬► canvas (SVG) ─► PNG
//!            ├► figures, messages (three views side by side) ─► row ──► panel ─┤
//!            ├► message_kinds (what messages) ───────────────► figure ─► panel ─┤
//!            ├► saturation (throughput against latency) ─────────────► frame ──┤
//!            └► parts (what latencies are made of) ────────────────────────────┤
//! attempts ──► distribution ─► ecdf, histogram, quantiles ───────────► frame ──┤
//! timelines ─► timeline (latency over time, and attacks) ────────────► frame ──┤
//! curves ────► frontier (latency against corrupted replicas) ─► figure ────────┘
//! ```
//!
//! A panel draws values with intervals against a key, a frame values against values; both share ticks, grid, bars, colours, dashes
//! and markers. Lines, surfaces and marks differ in more than colour: all figures can be read in black and white.
//!
//! The SVG is written by hand, the PNG is that SVG rendered with the bundled font, so both look the
//! same on every machine and no system library is needed.

mod axis;
mod canvas;
mod distribution;
mod ecdf;
mod figure;
mod figures;
mod frame;
mod frontier;
mod histogram;
mod message_kinds;
mod messages;
mod panel;
mod parts;
mod quantiles;
mod row;
mod saturation;
mod style;
mod sweep;
mod timeline;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::messages::{MessageKinds, MessageSummary};
use crate::parts::PartsSummary;
use crate::summary::GroupSummary;
use crate::timeline::Timelines;
use distribution::Distribution;
use parts::PartsFigure;
use saturation::Saturation;
use timeline::TimelineFigure;

pub use distribution::{DistributionGroup, DistributionLabels, distribution_groups, distribution_groups_of_table};
pub use frontier::{FrontierCurve, FrontierCurves};
pub use saturation::load_key;

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
        written.extend(write_both(dir, name, &figure.to_svg())?);
    }
    Ok(written)
}

/// Draws the distribution of the groups' values in three ways.
///
/// - `ecdf`: the empirical distribution functions of all units, those that failed counting as +∞, with the band of
///   Dvoretzky, Kiefer and Wolfowitz ([`dkw_half_width`](crate::statistics::dkw_half_width)) around three or fewer;
/// - `histogram`: of the units that succeeded alone, one below the other, with how many are missing;
/// - `quantiles`: the percentiles of all units, with order-statistic intervals.
///
/// Writes each as SVG and PNG into `dir` and returns their paths; nothing without any value. Draws at most six groups:
/// of more, those with values are the first, the last and others at even distance. The caption says what is left out.
pub fn write_distribution_plots(
    dir: &Path,
    groups: &[DistributionGroup],
    labels: &DistributionLabels,
) -> Result<Vec<PathBuf>, PlotError> {
    let Some(distribution) = Distribution::new(groups, labels) else {
        return Ok(Vec::new());
    };
    let mut written = Vec::new();
    written.extend(write_both(dir, "ecdf", &ecdf::to_svg(&distribution))?);
    written.extend(write_both(dir, "histogram", &histogram::to_svg(&distribution))?);
    written.extend(write_both(dir, "quantiles", &quantiles::to_svg(&distribution))?);
    Ok(written)
}

/// Draws the three failure-aware figures side by side against the first key: success rate, mean of the completed runs, and of
/// all runs the mean restricted to the time limit and the median, which may lie among the failures.
///
/// Writes `figures.svg` and `figures.png` into `dir` and returns their paths; nothing without groups. Each combination of the
/// other keys is a line of its own. Of throughput there is no figure of all runs: one that did not complete has none.
pub fn write_figures_plot(dir: &Path, groups: &[GroupSummary]) -> Result<Vec<PathBuf>, PlotError> {
    match figures::row(groups) {
        Some(row) => Ok(write_both(dir, "figures", &row.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws messages a run, messages per accepted request and bytes a run against the first key, with interval bars.
///
/// Writes `messages.svg` and `messages.png` into `dir` and returns their paths; nothing without groups. Each combination of
/// the other keys is a line of its own.
pub fn write_message_plot(dir: &Path, groups: &[MessageSummary]) -> Result<Vec<PathBuf>, PlotError> {
    match messages::row(groups) {
        Some(row) => Ok(write_both(dir, "messages", &row.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws the mean number of messages a run by kind against the first key, a line for each of the six most frequent kinds, with
/// interval bars.
///
/// Writes `message_kinds.svg` and `message_kinds.png` into `dir` and returns their paths; nothing without groups. Of
/// several keys only the groups with the first values of all keys after the first are drawn, and the caption says so.
pub fn write_message_kinds_plot(dir: &Path, groups: &[MessageKinds]) -> Result<Vec<PathBuf>, PlotError> {
    match message_kinds::figure(groups) {
        Some(figure) => Ok(write_both(dir, "message_kinds", &figure.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws mean client latency against mean throughput, one point a cell with interval bars both ways, joined in the
/// order of the load ([`load_key`]); each combination of the other keys is a line of its own.
///
/// Takes the groups of [`Metric::Client`](crate::Metric::Client) and of
/// [`Metric::Throughput`](crate::Metric::Throughput), of the same runs in the same order, as
/// [`analyze_metrics`](crate::analyze_metrics) gives them. Writes `saturation.svg` and `saturation.png` into `dir` and
/// returns their paths; nothing if no key says how much clients ask for, or no cell has both values. The caption names
/// the cells that are left out.
pub fn write_saturation_plot(
    dir: &Path,
    client: &[GroupSummary],
    throughput: &[GroupSummary],
) -> Result<Vec<PathBuf>, PlotError> {
    match Saturation::new(client, throughput) {
        Some(figure) => Ok(write_both(dir, "saturation", &figure.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws latency over the time of the runs, group below group: median and 10th to 90th percentile of the samples of all runs by
/// the time at which they began, hatched where the adversary acted, and below each plot when replicas were corrupted, crashed,
/// came back and changed views, and which samples never ended.
///
/// Writes `timeline.svg` and `timeline.png` into `dir` and returns their paths; nothing if samples began in fewer than three bins in every
/// group: [`Timelines::why_not_drawn`] says so.
pub fn write_timeline_plot(dir: &Path, timelines: &Timelines) -> Result<Vec<PathBuf>, PlotError> {
    match TimelineFigure::new(timelines) {
        Some(figure) => Ok(write_both(dir, "timeline", &figure.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws what the latency of each group is made of, a stacked bar a group and at most 40 of them, with the interval of
/// the total.
///
/// Writes `latency_parts.svg` and `latency_parts.png` into `dir` and returns their paths; nothing if no group has a
/// latency.
pub fn write_parts_plot(dir: &Path, groups: &[PartsSummary]) -> Result<Vec<PathBuf>, PlotError> {
    match PartsFigure::new(groups) {
        Some(figure) => Ok(write_both(dir, "latency_parts", &figure.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Draws latency against the number of corrupted replicas, a line for each curve, with interval bars; on a logarithmic axis where the
/// means span more than a factor of 30.
///
/// Writes `frontier.svg` and `frontier.png` into `dir` and returns their paths; nothing without any value.
pub fn write_frontier_plot(dir: &Path, curves: &FrontierCurves) -> Result<Vec<PathBuf>, PlotError> {
    match frontier::figure(curves) {
        Some(figure) => Ok(write_both(dir, "frontier", &figure.to_svg())?.into()),
        None => Ok(Vec::new()),
    }
}

/// Writes NAME.svg and NAME.png.
fn write_both(dir: &Path, name: &str, svg: &str) -> Result<[PathBuf; 2], PlotError> {
    let (path, rendered) = (dir.join(format!("{name}.svg")), dir.join(format!("{name}.png")));
    write(&path, svg.as_bytes())?;
    let png = canvas::to_png(svg).map_err(|reason| PlotError::Render { path: rendered.clone(), reason })?;
    write(&rendered, &png)?;
    Ok([path, rendered])
}

fn write(path: &Path, content: &[u8]) -> Result<(), PlotError> {
    std::fs::write(path, content).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}
