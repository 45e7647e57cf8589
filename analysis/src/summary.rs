//! From logs to figures: reads a results folder, groups its runs, estimates with intervals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::log::{AmbiguousFile, LogError, ReadOptions, Skipped};
use crate::measure::{RunValue, RunValues, read_values};
use crate::metric::Metric;
use crate::parts::PartsError;
use crate::runs::{Outcome, RunRow, RunTable, RunsError};
use crate::statistics::{Moments, Proportion, is_inside_unit, quantile_interval, quantile_min_n, wilson};

/// What to analyse, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysisOptions {
    /// What to report; default `all_commit`.
    pub metric: Metric,
    /// Group runs by these columns of `runs.csv`: swept keys, `cell`, `replicas`, `faults` or
    /// `corrupted`. Default: all swept keys.
    pub by: Option<Vec<String>>,
    /// Confidence of every interval; default 0.95.
    pub confidence: f64,
    /// What starts earlier, or for the throughput is accepted earlier, is left out; default 0.
    pub warmup_ns: u64,
    /// How the files are read; default strictly, with all cores.
    pub read: ReadOptions,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        Self { metric: Metric::AllCommit, by: None, confidence: 0.95, warmup_ns: 0, read: ReadOptions::default() }
    }
}

/// Why an analysis is impossible. The messages name file, line and remedy.
#[derive(Debug, Error)]
pub enum AnalysisError {
    /// `runs.csv` cannot be read.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// `events.csv` cannot be read, or contradicts itself or `runs.csv`.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file stands in the folder twice, plain and compressed.
    #[error(transparent)]
    Ambiguous(#[from] AmbiguousFile),
    /// A completed run left no event.
    #[error(
        "{}: no event of cell {cell}, run {run}, which runs.csv calls completed; \
         the log is incomplete, run the experiment again", path.display()
    )]
    NoEvents {
        /// The events log.
        path: PathBuf,
        /// The cell.
        cell: u32,
        /// The run.
        run: u32,
    },
    /// `latency_parts.csv` cannot be read, or contradicts itself or `runs.csv`.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A completed run left no parts of latencies.
    #[error(
        "{}: no row of cell {cell}, run {run}, which runs.csv calls completed; \
         the file is incomplete, run the experiment again", path.display()
    )]
    NoParts {
        /// The file.
        path: PathBuf,
        /// The cell.
        cell: u32,
        /// The run.
        run: u32,
    },
    /// Runs cannot be grouped by this column.
    #[error("cannot group by `{column}`; use some of {}", available.join(", "))]
    UnknownColumn {
        /// The column asked for.
        column: String,
        /// The columns that work.
        available: Vec<String>,
    },
    /// The confidence is no probability between 0 and 1.
    #[error("confidence {0} is not between 0 and 1; use for example 0.95")]
    Confidence(f64),
}

/// The figures of one group of runs. The unit of analysis is the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupSummary {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// What was measured.
    pub metric: Metric,
    /// Unit of its values, `ms` or `requests/s` of virtual time.
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
    /// Requests that honest clients issued, in all runs.
    pub requests: u64,
    /// Those that were accepted.
    pub requests_completed: u64,
    /// Share of the requests that were accepted; `None` without requests.
    pub requests_share: Option<f64>,
    /// Number of completed runs that have a value: the sample size of the next three.
    pub measured_runs: u64,
    /// Mean of the runs' values. A run's value is the mean of its samples, or its throughput.
    pub mean: Estimate,
    /// Median of the runs' values.
    pub median: Estimate,
    /// 99 % quantile of the runs' values.
    pub p99: Estimate,
    /// Samples in completed runs that an honest node's silence left undefined.
    pub undefined_samples: u64,
    /// Share of the runs in which no two honest replicas disagreed.
    pub agreement: Estimate,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// An estimate with its interval; what is undefined is `None` and `note` says why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The point estimate.
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub lower: Option<f64>,
    /// Upper end of the interval.
    pub upper: Option<f64>,
    /// How the interval was made.
    pub method: &'static str,
    /// Why something is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The group's values as JSON: numbers and booleans where they parse as such, else strings.
pub(crate) fn group_object<S: Serializer>(group: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(group.len()))?;
    for (key, text) in group {
        let parsed = serde_json::from_str(text).ok();
        let scalar = parsed.filter(|value: &serde_json::Value| value.is_number() || value.is_boolean());
        object.serialize_entry(key, &scalar.unwrap_or_else(|| text.as_str().into()))?;
    }
    object.end()
}

/// Reads `runs.csv` and, if present, `events.csv` of a results folder, and summarises its groups.
///
/// Groups come in the order of their first run. Without `events.csv` there are only shares.
///
/// ```no_run
/// use byzlab_analysis::{AnalysisOptions, analyze, render};
/// let groups = analyze("results".as_ref(), &AnalysisOptions::default())?;
/// println!("{}", render::table(&groups));
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn analyze(dir: &Path, options: &AnalysisOptions) -> Result<Vec<GroupSummary>, AnalysisError> {
    Ok(analyze_metrics(dir, &[options.metric], options)?.remove(0))
}

/// Like [`analyze`], for several metrics in one pass over the log: the groups for each of `metrics`, in this order.
/// The metric of `options` is not looked at.
pub fn analyze_metrics(
    dir: &Path,
    metrics: &[Metric],
    options: &AnalysisOptions,
) -> Result<Vec<Vec<GroupSummary>>, AnalysisError> {
    let (table, lost) = RunTable::open(dir, options.read.lenient)?;
    let values_of_log = read_values(dir, &table.rows, metrics, options.warmup_ns, &options.read)?;
    let summarize_metric = |(index, &metric): (usize, &Metric)| {
        let values = values_of_log.as_ref().map(|values| &values.by_metric[index][..]);
        let mut groups = summarize(&table, values, &AnalysisOptions { metric, ..options.clone() })?;
        if let Some(first) = &lost.first {
            let note = format!("{} runs are lost: their rows of runs.csv were skipped, the first: {first}", lost.rows);
            for group in &mut groups {
                group.notes.push(note.clone());
            }
        }
        if let Some(values) = &values_of_log {
            note_damage(&mut groups, &group_rows(&table, options.by.as_deref())?, values);
        }
        Ok(groups)
    };
    metrics.iter().enumerate().map(summarize_metric).collect()
}

/// Says what was skipped, and how many runs of each group that damaged.
fn note_damage(groups: &mut [GroupSummary], rows: &[RowGroup], values: &RunValues) {
    let Skipped { rows: skipped, first, .. } = &values.skipped;
    for (group, RowGroup { rows, .. }) in groups.iter_mut().zip(rows) {
        let damaged = rows.iter().filter(|row| values.damaged[**row]).count();
        if damaged > 0 {
            group.notes.push(format!("{damaged} runs have no value: rows of theirs were skipped or are missing"));
        }
        if let Some(first) = first {
            group.notes.push(format!("{skipped} rows of the log were skipped, the first: {first}"));
        }
    }
}

/// Summarises runs whose values are at hand, one for each row, of the metric of `options` (those of rows that did not
/// complete are not looked at); `None` if there was no log.
///
/// # Panics
///
/// If there are values, but not one for each row.
pub fn summarize(
    table: &RunTable,
    values: Option<&[RunValue]>,
    options: &AnalysisOptions,
) -> Result<Vec<GroupSummary>, AnalysisError> {
    if let Some(values) = values {
        assert_eq!(values.len(), table.rows.len(), "one for each row");
    }
    if !is_inside_unit(options.confidence) {
        return Err(AnalysisError::Confidence(options.confidence));
    }
    let groups = group_rows(table, options.by.as_deref())?;
    let summarize_rows = |RowGroup { group, rows }| {
        let members = rows.iter().map(|&row: &usize| (&table.rows[row], values.map(|values| values[row])));
        summarize_group(group, &members.collect::<Vec<_>>(), options)
    };
    Ok(groups.into_iter().map(summarize_rows).collect())
}

/// Runs that are summarised together.
pub(crate) struct RowGroup {
    /// The columns that define the group, with their values.
    pub(crate) group: Vec<(String, String)>,
    /// Which rows of the table are in it.
    pub(crate) rows: Vec<usize>,
}

/// The groups in the order of their first run; `by` as in [`AnalysisOptions`].
pub(crate) fn group_rows(table: &RunTable, by: Option<&[String]>) -> Result<Vec<RowGroup>, AnalysisError> {
    let columns = group_columns(table, by)?;
    let mut groups: Vec<RowGroup> = Vec::new();
    let mut index = BTreeMap::new();
    for (row_index, row) in table.rows.iter().enumerate() {
        let values: Vec<String> = columns.iter().map(|(_, value)| value(row)).collect();
        let place = *index.entry(values.clone()).or_insert(groups.len());
        if place == groups.len() {
            let group = columns.iter().map(|(name, _)| name.clone()).zip(values).collect();
            groups.push(RowGroup { group, rows: Vec::new() });
        }
        groups[place].rows.push(row_index);
    }
    Ok(groups)
}

/// A column to group by: its name and its value in a row.
type Column = (String, Box<dyn Fn(&RunRow) -> String>);

fn group_columns(table: &RunTable, by: Option<&[String]>) -> Result<Vec<Column>, AnalysisError> {
    let names = by.unwrap_or(&table.swept_keys);
    let column = |name: &String| -> Result<Column, AnalysisError> {
        let swept = table.swept_keys.iter().position(|key| key == name);
        let value: Box<dyn Fn(&RunRow) -> String> = match (swept, name.as_str()) {
            (Some(index), _) => Box::new(move |row| row.parameters[index].clone()),
            (None, "cell") => Box::new(|row| row.cell.to_string()),
            (None, "replicas") => Box::new(|row| row.replicas.to_string()),
            (None, "faults") => Box::new(|row| row.faults.to_string()),
            (None, "corrupted") => Box::new(|row| row.corrupted.to_string()),
            _ => {
                let others = ["cell", "replicas", "faults", "corrupted"].map(str::to_owned);
                return Err(AnalysisError::UnknownColumn {
                    column: name.clone(),
                    available: table.swept_keys.iter().cloned().chain(others).collect(),
                });
            }
        };
        Ok((name.clone(), value))
    };
    names.iter().map(column).collect()
}

fn summarize_group(
    group: Vec<(String, String)>,
    members: &[(&RunRow, Option<RunValue>)],
    options: &AnalysisOptions,
) -> GroupSummary {
    let confidence = options.confidence;
    let rows = || members.iter().map(|(row, _)| *row);
    let count = |holds: fn(&RunRow) -> bool| rows().filter(|row| holds(row)).count() as u64;
    let runs = members.len() as u64;
    let completed = count(|row| row.outcome == Outcome::Completed);
    let errors = count(|row| row.outcome == Outcome::Error);
    let timeouts = count(|row| row.outcome == Outcome::Timeout);
    let sum = |of: fn(&RunRow) -> u64| rows().map(of).fold(0, u64::saturating_add);
    let requests = sum(|row| row.requests);
    let requests_completed = sum(|row| row.completed);

    let metric = options.metric;
    let measured = || {
        let completed = members.iter().filter(|(row, _)| row.outcome == Outcome::Completed);
        completed.filter_map(|(_, value)| *value)
    };
    let mut values: Vec<f64> = measured().filter_map(|run| run.value).collect();
    values.sort_by(f64::total_cmp);
    let undefined_samples = measured().map(|run| run.undefined).sum();
    let no_value = || {
        if members.iter().any(|(_, value)| value.is_none()) {
            format!("no events.csv: {} needs `[output] events = \"protocol\"`", metric.quantity())
        } else if timeouts == runs && requests_completed > 0 {
            "no completed run, though requests were accepted: if only time was short, raise experiment.time_limit or ask \
             for fewer requests"
                .to_owned()
        } else if completed == 0 {
            "no completed run".to_owned()
        } else if metric == Metric::Throughput {
            "no request was accepted after the warm-up in the completed runs".to_owned()
        } else {
            format!("no {metric} sample in the completed runs")
        }
    };

    let mut notes = Vec::new();
    if errors > 0 {
        notes.push(format!("{errors} of {runs} runs ended with an error and count as not completed"));
    }
    if undefined_samples > 0 {
        notes.push(format!(
            "{undefined_samples} {metric} samples of completed runs are undefined (an honest node stayed silent) and \
             left out"
        ));
    }
    let measured_runs = values.len() as u64;
    if measured_runs > 0 && measured_runs < completed {
        let lack = completed - measured_runs;
        notes.push(if metric == Metric::Throughput {
            format!("{lack} completed runs accepted no request after the warm-up and are left out of the throughput")
        } else {
            format!("{lack} completed runs have no {metric} sample and are left out of the latency")
        });
    }
    let p99 = quantile(&values, 0.99, confidence, no_value);
    // The interval is for the quantile of all possible runs, and that is most likely above all of so few.
    if p99.estimate.zip(p99.lower).is_some_and(|(estimate, lower)| estimate < lower) {
        notes
            .push("p99: the interpolated estimate lies below its interval, which begins at the highest run".to_owned());
    }
    GroupSummary {
        group,
        metric,
        unit: metric.unit(),
        confidence,
        runs,
        completed,
        errors,
        success: share(completed, runs, confidence),
        requests,
        requests_completed,
        requests_share: (requests > 0).then(|| requests_completed as f64 / requests as f64),
        measured_runs,
        mean: mean(&values, confidence, no_value),
        median: quantile(&values, 0.5, confidence, no_value),
        p99,
        undefined_samples,
        agreement: share(count(|row| row.agreement), runs, confidence),
        notes,
    }
}

/// A share of the runs; groups have at least one.
pub(crate) fn share(successes: u64, runs: u64, confidence: f64) -> Estimate {
    let share = wilson(successes, runs, confidence);
    Estimate {
        estimate: share.map(|share: Proportion| share.estimate),
        lower: share.map(|share| share.lower),
        upper: share.map(|share| share.upper),
        method: "Wilson score",
        note: None,
    }
}

pub(crate) fn mean(values: &[f64], confidence: f64, no_value: impl Fn() -> String) -> Estimate {
    let moments: Moments = values.iter().copied().collect();
    let interval = moments.interval(confidence);
    let note = match values.len() {
        0 => Some(no_value()),
        1 => Some("interval undefined: needs at least 2 runs".to_owned()),
        _ => None,
    };
    Estimate {
        estimate: moments.mean(),
        lower: interval.map(|interval| interval.lower),
        upper: interval.map(|interval| interval.upper),
        method: "Student t over runs",
        note,
    }
}

fn quantile(sorted: &[f64], p: f64, confidence: f64, no_value: impl Fn() -> String) -> Estimate {
    let interval = quantile_interval(sorted, p, confidence);
    let note = match interval.map(|interval| (interval.lower, interval.upper)) {
        None => Some(no_value()),
        Some((Some(_), Some(_))) => None,
        Some((lower, upper)) => {
            let end = match (lower, upper) {
                (Some(_), _) => "upper end",
                (_, Some(_)) => "lower end",
                _ => "interval",
            };
            let needed = quantile_min_n(p, confidence).unwrap_or(u64::MAX);
            Some(format!("{end} undefined: needs at least {needed} runs"))
        }
    };
    Estimate {
        estimate: interval.map(|interval| interval.estimate),
        lower: interval.and_then(|interval| interval.lower),
        upper: interval.and_then(|interval| interval.upper),
        method: "order statistics over runs",
        note,
    }
}
