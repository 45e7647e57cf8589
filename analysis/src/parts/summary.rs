//! What the latency of each group is made of.

use std::path::Path;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{LatencyParts, LatencyPartsReader, Part};
use crate::log::{RunOrder, Step, find_file};
use crate::measure::silent_run;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::statistics::{Estimate, FigureOptions};
use crate::summary::{AnalysisError, RowGroup, check_confidence, group_object, group_rows};

/// What the latency of one group of runs is made of. The unit of analysis is the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartsSummary {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// Unit of all means, `ms` of virtual time.
    pub unit: &'static str,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of runs, however they ended.
    pub runs: u64,
    /// Number of runs with outcome `completed`.
    pub completed: u64,
    /// Number of runs with outcome `error`: they say nothing about the system.
    pub errors: u64,
    /// Share of the runs that completed.
    pub success: Estimate,
    /// Number of completed runs with a request: the sample size of the means.
    pub measured_runs: u64,
    /// Requests behind the means: those of completed runs that were issued after the warm-up.
    pub requests: u64,
    /// Mean of the runs' latencies. A run's value is the mean over its requests.
    pub total: Estimate,
    /// For each part, in the order of [`Part::ALL`], the mean of the runs' values. The estimates add up to the total.
    #[serde(serialize_with = "parts_object")]
    pub parts: Vec<PartMean>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// The mean of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct PartMean {
    /// The part.
    pub part: Part,
    /// The mean of the runs' values.
    pub mean: Estimate,
}

fn parts_object<S: Serializer>(parts: &[PartMean], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(parts.len()))?;
    for PartMean { part, mean } in parts {
        object.serialize_entry(part.name(), mean)?;
    }
    object.end()
}

/// Reads `runs.csv` and `latency_parts.csv` of a results folder, and says for each group what its latency is made of.
///
/// `by` names the columns that define the groups, as in [`AnalysisOptions`](crate::AnalysisOptions); `None`: all swept
/// keys. Requests that were issued during the warm-up are left out. Only completed runs count.
///
/// ```no_run
/// use byzlab_analysis::{render, summarize_parts};
/// let groups = summarize_parts("results".as_ref(), None, 0, 0.95)?;
/// print!("{}", render::parts_table(&groups));
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn summarize_parts(
    dir: &Path,
    by: Option<&[String]>,
    warmup_ns: u64,
    confidence: f64,
) -> Result<Vec<PartsSummary>, AnalysisError> {
    check_confidence(confidence)?;
    let table = RunTable::open(dir, false)?.0;
    let groups = group_rows(&table, by)?;
    // A file that is missing is named as it usually is.
    let path = find_file(dir, "latency_parts.csv")?.unwrap_or_else(|| dir.join("latency_parts.csv"));
    let sums = read_sums(&path, &table.rows, warmup_ns)?;
    let summarize_rows = |RowGroup { group, rows }| {
        let members = rows.iter().map(|&row: &usize| (&table.rows[row], &sums[row]));
        summarize_group(group, &members.collect::<Vec<_>>(), confidence)
    };
    Ok(groups.into_iter().map(summarize_rows).collect())
}

/// Of one run.
#[derive(Clone, Copy, Debug, Default)]
struct RunSums {
    /// Issued after the warm-up.
    requests: u64,
    /// In nanoseconds; the sum of 2^64 requests fits.
    parts: [u128; Part::COUNT],
}

impl RunSums {
    fn add(&mut self, row: &LatencyParts<'_>) {
        self.requests += 1;
        for (sum, part) in self.parts.iter_mut().zip(Part::ALL) {
            *sum += u128::from(row.parts[part]);
        }
    }

    /// Mean over the requests of some of the parts together, in milliseconds; `None` without requests.
    fn mean_ms(&self, parts: &[u128]) -> Option<f64> {
        let sum: u128 = parts.iter().sum();
        (self.requests > 0).then(|| sum as f64 / self.requests as f64 / 1e6)
    }
}

/// The sums of each of `rows`.
fn read_sums(path: &Path, rows: &[RunRow], warmup_ns: u64) -> Result<Vec<RunSums>, AnalysisError> {
    let mut reader = LatencyPartsReader::open(path)?;
    let mut order = RunOrder::new(rows);
    let mut sums = vec![RunSums::default(); rows.len()];
    let mut current = 0;
    while let Some(row) = reader.next_row()? {
        match order.step((row.cell, row.run)) {
            Ok(Step::Next(next)) => current = next,
            Ok(Step::Same) => {}
            Err(problem) => return Err(reader.contradiction(problem).into()),
        }
        if row.issued_ns >= warmup_ns {
            sums[current].add(&row);
        }
    }
    match silent_run(rows, order.seen()) {
        Some(row) => Err(AnalysisError::NoParts { path: path.to_owned(), cell: row.cell, run: row.run }),
        None => Ok(sums),
    }
}

fn summarize_group(group: Vec<(String, String)>, members: &[(&RunRow, &RunSums)], confidence: f64) -> PartsSummary {
    let count = |outcome| members.iter().filter(|(row, _)| row.outcome == outcome).count() as u64;
    let (runs, completed, errors) = (members.len() as u64, count(Outcome::Completed), count(Outcome::Error));
    let measured = || {
        let counts = |(row, sums): &(&RunRow, &RunSums)| row.outcome == Outcome::Completed && sums.requests > 0;
        members.iter().copied().filter(counts).map(|(_, sums)| sums)
    };
    let measured_runs = measured().count() as u64;
    let figures = FigureOptions { confidence, ..FigureOptions::default() };
    let no_value = || {
        let reason = if completed == 0 { "no completed run" } else { "no request after the warm-up" };
        reason.to_owned()
    };
    let mean_of = |of: &dyn Fn(&RunSums) -> Option<f64>| {
        let values: Vec<f64> = measured().filter_map(of).collect();
        figures.mean(&values, no_value)
    };
    let part_mean = |(index, part): (usize, Part)| PartMean {
        part,
        mean: mean_of(&|sums| sums.mean_ms(&sums.parts[index..=index])),
    };
    let mut notes = Vec::new();
    if errors > 0 {
        notes.push(format!("{errors} of {runs} runs ended with an error and count as not completed"));
    }
    if measured_runs > 0 && measured_runs < completed {
        let lack = completed - measured_runs;
        notes.push(format!("{lack} completed runs have no request after the warm-up and are left out"));
    }
    PartsSummary {
        group,
        unit: "ms",
        confidence,
        runs,
        completed,
        errors,
        success: figures.share(completed, runs),
        measured_runs,
        requests: measured().map(|sums| sums.requests).sum(),
        total: mean_of(&|sums| sums.mean_ms(&sums.parts)),
        parts: Part::ALL.into_iter().enumerate().map(part_mean).collect(),
        notes,
    }
}
