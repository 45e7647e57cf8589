//! A results folder, read once for all that is to be said of it.

use std::path::Path;

use crate::attempts::attempts;
use crate::log::Skipped;
use crate::measure::{RunValue, RunValues, read_values};
use crate::metric::Metric;
use crate::runs::{RunRow, RunTable};
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
    /// What is missing of the experiment, if [`AnalysisOptions::expected`] says how many runs there should be.
    pub interruption: Option<String>,
}

impl MeasuredRuns {
    /// Reads `runs.csv` and, if present, `events.csv` of a results folder, in one pass for all metrics. Of the options the warm-up
    /// and how to read matter.
    pub fn read(dir: &Path, metrics: &[Metric], options: &AnalysisOptions) -> Result<Self, AnalysisError> {
        let (table, lost) = RunTable::open(dir, options.read.lenient)?;
        let interruption = options.expected.and_then(|expected| expected.interruption(&table.rows, lost.rows));
        let Some(found) = read_values(dir, &table.rows, metrics, options.warmup_ns, &options.read)? else {
            let damaged = vec![false; table.rows.len()];
            return Ok(Self { table, values: None, damaged, skipped: Skipped::default(), lost, interruption });
        };
        let RunValues { by_metric, damaged, skipped } = found;
        let values = metrics.iter().copied().zip(by_metric).collect();
        Ok(Self { table, values: Some(values), damaged, skipped, lost, interruption })
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
                let (runs, have) = (count(damaged as u64, "run"), if damaged == 1 { "has" } else { "have" });
                group
                    .notes
                    .push(format!("{runs} of this group {have} no value: rows of the log were skipped or are missing"));
            }
            group.notes.extend(self.warnings());
        }
        Ok(groups)
    }

    /// What is wrong with the folder as a whole, for whoever looks at any of it: what is missing of the experiment, and what was skipped
    /// when it was read leniently.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.interruption.iter().cloned().collect();
        if let Skipped { rows, first: Some(first), .. } = &self.lost {
            let (runs, is) = (count(*rows, "run"), if *rows == 1 { "is" } else { "are" });
            warnings.push(format!(
                "{runs} of unknown outcome {is} missing from all figures: what runs.csv says of them was skipped, the first: {first}"
            ));
        }
        let Skipped { rows, damaged_runs, first, .. } = &self.skipped;
        if let Some(first) = first {
            let were = if *rows == 1 { "was" } else { "were" };
            warnings.push(format!("{} of the whole log {were} skipped, the first: {first}", count(*rows, "row")));
        } else if *damaged_runs > 0 {
            warnings.push(format!("the log lacks rows of {}", count(*damaged_runs, "run")));
        }
        warnings
    }
}

/// How many runs an experiment is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedRuns {
    /// Number of cells, which are numbered from 0.
    pub cells: u32,
    /// No cell has fewer runs.
    pub least: u32,
    /// No cell has more.
    pub most: u32,
}

impl ExpectedRuns {
    /// What is missing of the experiment; `None` if it is whole. Of so many runs the rows were lost, whichever they were.
    ///
    /// Where cells have different numbers of runs, as with a stopping rule, one that has the least may have been interrupted as
    /// well: nobody can know.
    fn interruption(&self, rows: &[RunRow], lost: u64) -> Option<String> {
        let Self { cells, least, most } = *self;
        let mut found = vec![0_u64; cells as usize];
        for row in rows {
            if let Some(found) = found.get_mut(row.cell as usize) {
                *found += 1;
            }
        }
        let missing: u64 = found.iter().map(|found| u64::from(least).saturating_sub(*found)).sum();
        if missing <= lost {
            return None;
        }
        let of = if least == most { "" } else { "at least " };
        let least = grouped(least.into());
        let all = grouped(u64::from(cells) * u64::from(self.least));
        let there = grouped(rows.len() as u64);
        // Neighbouring cells of which as much is there stand together.
        let mut parts = Vec::new();
        let mut first = 0;
        for group in found.chunk_by(|a, b| a == b) {
            let end = first + group.len();
            if group[0] < u64::from(self.least) {
                let cells =
                    if group.len() == 1 { format!("cell {first}") } else { format!("cells {first}–{}", end - 1) };
                let there =
                    if group[0] == 0 { "none".to_owned() } else { format!("{} of {of}{least}", grouped(group[0])) };
                parts.push(format!("{cells}: {there}"));
            }
            first = end;
        }
        if parts.len() > MOST_PARTS {
            parts.truncate(MOST_PARTS - 1);
            parts.push("…".to_owned());
        }
        let (verb, parts) = (if rows.len() == 1 { "is" } else { "are" }, parts.join("; "));
        Some(format!(
            "the experiment was interrupted or is still under way: {there} of {of}{all} runs {verb} there ({parts})"
        ))
    }
}

/// So many cells, or groups of them, are listed.
const MOST_PARTS: usize = 8;

/// `1 run`, `2 runs`.
fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let texts = [0, 999, 1_000, 28_728, 3_000_000].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "28,728", "3,000,000"]);
    }
}
