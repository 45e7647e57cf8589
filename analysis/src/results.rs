//! A results folder, read once for all that is to be said of it.

use std::io;
use std::path::Path;

use crate::attempts::attempts;
use crate::measure::{RunValue, read_values};
use crate::metric::Metric;
use crate::runs::RunTable;
use crate::statistics::Attempt;
use crate::summary::{AnalysisError, AnalysisOptions, GroupSummary, summarize};

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
}

impl MeasuredRuns {
    /// Reads `runs.csv` and, if present, `events.csv` of a results folder, in one pass for all metrics. Of the options the warm-up
    /// matters.
    pub fn read(dir: &Path, metrics: &[Metric], options: &AnalysisOptions) -> Result<Self, AnalysisError> {
        let table = RunTable::read(&dir.join("runs.csv"))?;
        let events = dir.join("events.csv");
        if std::fs::metadata(&events).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(Self { table, values: None });
        }
        let values = read_values(&events, &table.rows, metrics, options.warmup_ns)?;
        Ok(Self { table, values: Some(metrics.iter().copied().zip(values).collect()) })
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
        summarize(&self.table, self.values_of(options.metric), options)
    }
}
