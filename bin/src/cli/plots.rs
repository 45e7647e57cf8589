//! What `byzlab analyze --plots` draws.

use super::CliError;
use byzlab_analysis::plot::distribution_groups;
use byzlab_analysis::{
    AnalysisOptions, GroupSummary, MeasuredRuns, read_message_kinds, read_timelines, summarize_messages,
    write_distribution_plots, write_figures_plot, write_message_kinds_plot, write_message_plot, write_sweep_plots,
    write_timeline_plot,
};
use std::path::{Path, PathBuf};
use tracing::info;

/// Draws all that can be said of a results folder, into `out`: what follows from `groups` and `runs`, and from two more passes
/// over the log the kinds of messages and the latency over time. Returns the files.
pub(super) fn draw_everything(
    dir: &Path,
    out: &Path,
    runs: &MeasuredRuns,
    groups: &[GroupSummary],
    options: &AnalysisOptions,
) -> Result<Vec<PathBuf>, CliError> {
    let mut written = write_sweep_plots(out, groups)?;
    written.extend(write_figures_plot(out, groups)?);
    let (distributions, labels) = distribution_groups(runs, options)?;
    written.extend(write_distribution_plots(out, &distributions, &labels)?);
    let messages = summarize_messages(&runs.table, options.by.as_deref(), options.confidence)?;
    written.extend(write_message_plot(out, &messages)?);
    if let Some(kinds) = read_message_kinds(dir, options)? {
        written.extend(write_message_kinds_plot(out, &kinds)?);
    }
    if let Some(timelines) = read_timelines(dir, options)? {
        if let Some(reason) = timelines.why_not_drawn() {
            info!("no timeline.svg: {reason}");
        }
        written.extend(write_timeline_plot(out, &timelines)?);
    }
    Ok(written)
}
