//! From logs to figures: reads a results folder, groups its runs, estimates with intervals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::attempts::{TimeLimits, attempts, milliseconds};
use crate::log::{AmbiguousFile, LogError, ReadOptions};
use crate::measure::RunValue;
use crate::metric::Metric;
use crate::parts::PartsError;
use crate::precision::{Aim, Precision, precision_note};
use crate::results::{ExpectedRuns, MeasuredRuns};
use crate::runs::{Outcome, RunRow, RunTable, RunsError};
use crate::statistics::{
    Attempt, Conditional, Estimate, FigureOptions, Figures, MeanMethod, ProportionMethod, Unconditional,
    is_usable_confidence, ratio_of_paired_means,
};

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
    /// Interval of shares; default Wilson.
    pub proportion: ProportionMethod,
    /// Interval of means; default Student t.
    pub mean: MeanMethod,
    /// The time limits of the runs, for restricted means of groups in which none ran out of time; default unknown.
    pub time_limits: TimeLimits,
    /// How precise each cell was to be; those that are not get a note. Default: nobody asked.
    pub precision: Option<Precision>,
    /// How many runs there should be; if there are fewer, the experiment was interrupted, and that is noted. Default: unknown.
    pub expected: Option<ExpectedRuns>,
    /// How the files are read; default strictly, with all cores.
    pub read: ReadOptions,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        Self {
            metric: Metric::AllCommit,
            by: None,
            confidence: 0.95,
            warmup_ns: 0,
            proportion: ProportionMethod::default(),
            mean: MeanMethod::default(),
            time_limits: TimeLimits::Unknown,
            precision: None,
            expected: None,
            read: ReadOptions::default(),
        }
    }
}

impl AnalysisOptions {
    fn figures(&self, limit: Option<f64>) -> FigureOptions {
        let Self { confidence, proportion, mean, .. } = *self;
        // Neither times nor rates are negative.
        FigureOptions { confidence, proportion, mean, limit, least: Some(0.0), ..FigureOptions::default() }
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
    /// A run that sent messages left no event.
    #[error(
        "{}: no event of cell {cell}, run {run}, though runs.csv says that it sent messages or completed; the log is \
         incomplete: restore it, run the experiment again, or pass --lenient to leave out such runs", path.display()
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
    /// The confidence is no probability between 0 and 1, or too near 1 to compute with.
    #[error("confidence {0} is not between 0 and 1; use for example 0.95")]
    Confidence(f64),
    /// A throughput is one number a run, and has no samples.
    #[error("a throughput has no samples within a run; choose a latency with --metric")]
    NoSamples,
}

/// The figures of one group of runs. The unit of analysis is the run.
///
/// Three views stand side by side, see [`Figures`]: `success`, the share of runs that completed; `mean`, `standard_deviation`,
/// `median` and `p99` of completed runs alone, of which `measured_runs` have a value; and `unconditional`, of all runs, in
/// which one that did not complete counts as +∞. What a run that failed counts as says [`attempts`].
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
    /// The same with its interval over runs.
    pub requests_success: Estimate,
    /// Number of completed runs that have a value: the sample size of the next four.
    pub measured_runs: u64,
    /// Mean of the values of completed runs. A run's value is the mean of its samples, or its throughput.
    pub mean: Estimate,
    /// Standard deviation of the values of completed runs: how much runs differ, not how sure the mean is.
    pub standard_deviation: Estimate,
    /// Median of the values of completed runs.
    pub median: Estimate,
    /// 99 % quantile of the values of completed runs.
    pub p99: Estimate,
    /// Of all runs: those that did not complete count as +∞.
    pub unconditional: Unconditional,
    /// Samples in completed runs that an honest node's silence left undefined.
    pub undefined_samples: u64,
    /// Share of the runs in which no two honest replicas disagreed.
    pub agreement: Estimate,
    /// What a reader must know.
    pub notes: Vec<String>,
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
    let runs = MeasuredRuns::read(dir, metrics, options)?;
    metrics.iter().map(|&metric| runs.summarize(&AnalysisOptions { metric, ..options.clone() })).collect()
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
    check_confidence(options.confidence)?;
    let groups = group_rows(table, options.by.as_deref())?;
    let attempts = values.map(|values| attempts(table, values, options.metric));
    let summarize_rows = |RowGroup { group, rows }| {
        let member = |&row: &usize| Member {
            row: &table.rows[row],
            undefined: values.map_or(0, |values| values[row].undefined),
            attempt: attempts.as_ref().and_then(|attempts| attempts[row]),
        };
        let members: Vec<Member<'_>> = rows.iter().map(member).collect();
        let mut summary = summarize_group(group, &members, values.is_some(), options);
        summary.notes.extend(imprecision(&members, values.is_some(), options));
        summary
    };
    Ok(groups.into_iter().map(summarize_rows).collect())
}

/// A run of a group.
struct Member<'a> {
    row: &'a RunRow,
    /// Samples that an honest node's silence left undefined.
    undefined: u64,
    /// What became of it; `None` if it has no value and should have none.
    attempt: Option<Attempt>,
}

/// What the cells of a group lack in precision, if they were to have some and the values are there to tell.
fn imprecision(members: &[Member<'_>], has_log: bool, options: &AnalysisOptions) -> Option<String> {
    let precision = options.precision.filter(|precision| has_log || matches!(precision.aim, Aim::Success { .. }))?;
    let value = |member: &Member<'_>| match member.attempt {
        Some(Attempt::Success(value)) => Some(value),
        _ => None,
    };
    let runs = members.iter().map(|member| (member.row.cell, member.row.outcome, value(member)));
    precision_note(&precision, options.metric, runs)
}

/// Fails unless it is a probability between 0 and 1, and 1 is not so near that the rest is lost to rounding.
pub(crate) fn check_confidence(confidence: f64) -> Result<(), AnalysisError> {
    if is_usable_confidence(confidence) { Ok(()) } else { Err(AnalysisError::Confidence(confidence)) }
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
    members: &[Member<'_>],
    has_log: bool,
    options: &AnalysisOptions,
) -> GroupSummary {
    let metric = options.metric;
    let rows = || members.iter().map(|member| member.row);
    let count = |holds: fn(&RunRow) -> bool| rows().filter(|row| holds(row)).count() as u64;
    let runs = members.len() as u64;
    let completed = count(|row| row.outcome == Outcome::Completed);
    let errors = count(|row| row.outcome == Outcome::Error);
    let timeouts = count(|row| row.outcome == Outcome::Timeout);
    let sum = |of: fn(&RunRow) -> u64| rows().map(of).fold(0, u64::saturating_add);
    let requests = sum(|row| row.requests);
    let requests_completed = sum(|row| row.completed);

    let no_value = || {
        if !has_log {
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
    let known_limits = rows().filter_map(|row| options.time_limits.of_cell(row.cell));
    let figure_options = options.figures(known_limits.min().map(milliseconds));
    // A completed run without a value is a success of which no more is known, not one that can be forgotten beside failures.
    let of_member = |member: &Member<'_>| {
        let without_value = || (member.row.outcome == Outcome::Completed).then_some(Attempt::Success(f64::NAN));
        member.attempt.or_else(without_value)
    };
    let attempts: Vec<Attempt> = members.iter().filter_map(of_member).collect();
    let Figures { conditional: Conditional { n, mean, standard_deviation, median, p99 }, mut unconditional, .. } =
        Figures::new(&attempts, &figure_options, no_value);

    let completed_members = || members.iter().filter(|member| member.row.outcome == Outcome::Completed);
    let known = completed_members().filter(|member| member.attempt.is_some()).count() as u64;
    if metric == Metric::Throughput {
        unconditional = Unconditional::undefined(runs, &figure_options, NO_WORST_THROUGHPUT);
    }

    let mut notes = Vec::new();
    if errors > 0 {
        notes.push(format!("{errors} of {runs} runs ended with an error and count as not completed"));
    }
    let cut_off = count(|row| row.outcome == Outcome::Timeout && row.completed > 0);
    if cut_off > 0 && metric != Metric::Throughput {
        notes.push(format!(
            "{cut_off} of {runs} runs reached the limit after some of their requests were accepted; as a whole each counts as +∞"
        ));
    }
    let undefined_samples = completed_members().map(|member| member.undefined).sum();
    if undefined_samples > 0 {
        notes.push(format!(
            "{undefined_samples} {metric} samples of completed runs are undefined (an honest node stayed silent) and \
             left out"
        ));
    }
    let silenced = completed_members().filter(|member| member.attempt == Some(Attempt::Never)).count();
    if silenced > 0 {
        notes.push(format!(
            "{silenced} completed runs have no {metric} sample, for an honest node stayed silent: of all runs they count as \
             +∞"
        ));
    }
    if known > 0 && known < completed {
        let lack = completed - known;
        notes.push(if metric == Metric::Throughput {
            format!("{lack} completed runs accepted no request after the warm-up and are left out of the throughput")
        } else {
            format!("{lack} completed runs have no {metric} sample and are left out of the latency")
        });
    }
    notes.extend(notes_on_figures(&unconditional, &p99, metric));
    GroupSummary {
        group,
        metric,
        unit: metric.unit(),
        confidence: options.confidence,
        runs,
        completed,
        errors,
        success: figure_options.share(completed, runs),
        requests,
        requests_completed,
        requests_share: (requests > 0).then(|| requests_completed as f64 / requests as f64),
        requests_success: accepted_share(rows(), &figure_options),
        measured_runs: n,
        mean,
        standard_deviation,
        median,
        p99,
        unconditional,
        undefined_samples,
        agreement: figure_options.share(count(|row| row.agreement), runs),
        notes,
    }
}

/// What a reader must know of figures that are not what they seem.
fn notes_on_figures(unconditional: &Unconditional, p99: &Estimate, metric: Metric) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(longest), Some(shortest)) = (&unconditional.kaplan_meier, unconditional.limit) {
        notes.push(format!(
            "time limits differ, from {shortest} to {} {}: quantiles of all runs are those of the Kaplan–Meier curve, which \
             supposes that the limits have nothing to do with the latencies",
            longest.limit,
            metric.unit()
        ));
    }
    // The interval is for the quantile of all possible runs, and that is most likely above all of so few.
    if p99.estimate.zip(p99.lower).is_some_and(|(estimate, lower)| estimate < lower) {
        notes.push(
            "p99 of completed runs: the interpolated estimate lies below its interval, which begins at the highest run"
                .to_owned(),
        );
    }
    notes
}

/// The share of requests that were accepted: the ratio of the sums, with an interval over runs.
///
/// Requests of one run succeed and fail together, so that they are no independent trials. Where each run had all of as many requests
/// accepted or none, the share is that of those runs; else it is a ratio of means over runs.
fn accepted_share<'a>(rows: impl Iterator<Item = &'a RunRow>, options: &FigureOptions) -> Estimate {
    let counts: Vec<(u64, u64)> = rows.map(|row| (row.completed, row.requests)).collect();
    let sum = |of: fn(&(u64, u64)) -> u64| counts.iter().map(of).fold(0, u64::saturating_add);
    let (accepted, requests) = (sum(|run| run.0), sum(|run| run.1));
    let method = "ratio of sums over runs, Fieller, within 0 and 1";
    if requests == 0 {
        return Estimate::undefined(method, "no request");
    }
    let each = counts[0].1;
    if counts.iter().all(|run| run.1 == each && (run.0 == 0 || run.0 == each)) {
        let whole = counts.iter().filter(|run| run.0 == each).count() as u64;
        let share = options.share(whole, counts.len() as u64);
        let method = format!("{} over runs, of each of which all requests were accepted or none", share.method);
        return Estimate { method: method.into(), ..share };
    }
    let share = Estimate::new(method, accepted as f64 / requests as f64);
    let is_that_of_all =
        |run: &(u64, u64)| u128::from(run.0) * u128::from(requests) == u128::from(accepted) * u128::from(run.1);
    if counts.len() < 2 {
        return share.with_note(format!("interval undefined: needs at least 2 {}", options.unit));
    }
    if counts.iter().all(is_that_of_all) {
        return share.with_note("interval undefined: of each run the same share was accepted");
    }
    let pairs: Vec<(f64, f64)> = counts.iter().map(|&(accepted, of)| (accepted as f64, of as f64)).collect();
    match ratio_of_paired_means(&pairs, options.confidence) {
        Some(ratio) => share.with_interval(ratio.lower.clamp(0.0, 1.0), ratio.upper.clamp(0.0, 1.0)),
        None => share.with_note("interval undefined: runs issued too different numbers of requests"),
    }
}

/// Why only completed runs have a throughput.
const NO_WORST_THROUGHPUT: &str =
    "of a throughput more is better, so that a run that fails is none of +∞: see the share of completed runs";
