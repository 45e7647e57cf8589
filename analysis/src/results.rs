//! A results folder, read once for all that is to be said of it.

use std::path::Path;

use crate::attempts::attempts;
use crate::log::Skipped;
use crate::measure::{RunValue, RunValues, read_values};
use crate::metric::Metric;
use crate::runs::RunTable;
use crate::statistics::Attempt;
use crate::summary::{AnalysisError, AnalysisOptions, GroupSummary, RowGroup, group_rows, summarize};

/// The runs of a results folder with their values: what summaries, plots and comparisons start from, so that the log is read once.
///
/// ```no_run
/// use byzlab_analysis::{AnalysisOptions, MeasuredRuns, Metric, render};
/// let options = AnalysisOptions::default();
/// let runs = MeasuredRuns::read("results".as_ref(), &[Metric::AllCommit, Metric::Client], &options)?;
/// for metric in [Metric::AllCommit, Metric::Client] {
///     print!("{}", render::table(&runs.summarize(&AnalysisOptions { metric, ..options.clone() })?));
/// }
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredRuns {
    /// What `runs.csv` says.
    pub table: RunTable,
    /// The metrics, each with a value for each row of the table; those of runs that did not complete are empty. `None` if there is no
    /// log.
    pub values: Option<Vec<(Metric, Vec<RunValue>)>>,
    /// For each row of the table whether rows of the log that belong to it were skipped, or all are missing: it has no value then. Only if
    /// the log was read leniently.
    pub damaged: Vec<bool>,
    /// What was skipped of the log.
    pub skipped: Skipped,
    /// What was skipped of the table: each of these rows was a run, and nobody knows of which group.
    pub lost: Skipped,
}

impl MeasuredRuns {
    /// Reads `runs.csv` and, if present, `events.csv` of a results folder, in one pass for all metrics. Of the options the warm-up
    /// and how to read matter.
    pub fn read(dir: &Path, metrics: &[Metric], options: &AnalysisOptions) -> Result<Self, AnalysisError> {
        let (table, lost) = RunTable::open(dir, options.read.lenient)?;
        let Some(found) = read_values(dir, &table.rows, metrics, options.warmup_ns, &options.read)? else {
            let damaged = vec![false; table.rows.len()];
            return Ok(Self { table, values: None, damaged, skipped: Skipped::default(), lost });
        };
        let RunValues { by_metric, damaged, skipped } = found;
        let values = metrics.iter().copied().zip(by_metric).collect();
        Ok(Self { table, values: Some(values), damaged, skipped, lost })
    }

    /// The values of a metric, one for each row of the table; `None` if there is no log, or it was not read for this metric.
    pub fn values_of(&self, metric: Metric) -> Option<&[RunValue]> {
        let (_, values) = self.values.as_ref()?.iter().find(|(known, _)| *known == metric)?;
        Some(values)
    }

    /// What became of each run, as [`attempts`] says; `None` as above.
    pub fn attempts(&self, metric: Metric) -> Option<Vec<Option<Attempt>>> {
        self.values_of(metric).map(|values| attempts(&self.table, values, metric))
    }

    /// The groups, for the metric of `options`, as [`analyze`](crate::analyze) gives them.
    pub fn summarize(&self, options: &AnalysisOptions) -> Result<Vec<GroupSummary>, AnalysisError> {
        let mut groups = summarize(&self.table, self.values_of(options.metric), options)?;
        let members = group_rows(&self.table, options.by.as_deref())?;
        for (group, RowGroup { rows, .. }) in groups.iter_mut().zip(members) {
            let damaged = rows.iter().filter(|row| self.damaged[**row]).count();
            if damaged > 0 {
                group.notes.push(format!("{damaged} runs have no value: rows of theirs were skipped or are missing"));
            }
            group.notes.extend(self.warnings());
        }
        Ok(groups)
    }

    /// What was skipped when the folder was read leniently, for whoever looks at any of it.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Skipped { rows, first: Some(first), .. } = &self.lost {
            warnings.push(format!("{rows} runs are lost: their rows of runs.csv were skipped, the first: {first}"));
        }
        if let Skipped { rows, first: Some(first), .. } = &self.skipped {
            warnings.push(format!("{rows} rows of the log were skipped, the first: {first}"));
        }
        warnings
    }
}
