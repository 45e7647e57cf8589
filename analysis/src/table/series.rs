//! The rows of each group as one long measurement: its steady state.

use std::path::Path;

use serde::Serialize;

use super::read::{TableData, TableGroup, read_table_file};
use super::summary::no_value;
use super::{TableError, TableOptions, check_confidence};
use crate::statistics::{BatchingVerdict, Estimate, TInterval, WarmUpVerdict, WithinRun, within_run};
use crate::summary::group_object;

/// What the rows of a group say as one long measurement, in the order of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesSummary {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// What was measured.
    pub column: String,
    /// Unit of its values; `None` if nobody said.
    pub unit: Option<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of values; `None` if they are too many to keep each.
    pub values: Option<u64>,
    /// Number of rows that did not succeed: they have no value, and are left out.
    pub failures: u64,
    /// Number of values at the front that are left out as warm-up.
    pub deleted: Option<u64>,
    /// Whether the warm-up is over: `ok`, or `run longer`.
    pub warm_up: Option<&'static str>,
    /// The mean of the steady state, by separate batches.
    pub batch_means: Estimate,
    /// Number of these batches.
    pub batches: Option<u64>,
    /// Number of values in each.
    pub batch_size: Option<u64>,
    /// Correlation of each batch with the one before.
    pub batch_lag1: Option<f64>,
    /// Whether the batches can be taken for independent: `independent`, or `correlated`.
    pub batching: Option<&'static str>,
    /// The mean by overlapping batches of the same length.
    pub overlapping: Estimate,
    /// How many independent values the steady state is worth.
    pub effective_size: Option<f64>,
    /// Correlation of each value of the steady state with the one before.
    pub lag1: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Reads a column of a file, and takes the rows of each group for one long measurement: [`read_table_file`] and
/// [`summarize_series`]; options are checked before.
///
/// ```no_run
/// use byzlab_analysis::{render, table::{TableOptions, analyze_series}};
/// let series = analyze_series("t.csv".as_ref(), &TableOptions::of("latency"), 0.95)?;
/// print!("{}", render::series_table(&series));
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn analyze_series(path: &Path, options: &TableOptions, confidence: f64) -> Result<Vec<SeriesSummary>, TableError> {
    check_confidence(confidence)?;
    summarize_series(&read_table_file(path, options)?, options, confidence)
}

/// Takes the rows of each group for one long measurement, see [`within_run`].
///
/// # Errors
///
/// If the confidence is not between 0 and 1.
///
/// ```
/// use byzlab_analysis::table::{TableOptions, read_table, summarize_series};
/// let csv = (0..2000).fold("x\n".to_owned(), |csv, row: u64| csv + &format!("{}\n", row * 7919 % 1009));
/// let options = TableOptions::of("x");
/// let series = summarize_series(&read_table(csv.as_bytes(), "t.csv", &options)?, &options, 0.95)?.remove(0);
/// assert_eq!((series.values, series.warm_up, series.batching), (Some(2000), Some("ok"), Some("independent")));
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn summarize_series(
    data: &TableData,
    options: &TableOptions,
    confidence: f64,
) -> Result<Vec<SeriesSummary>, TableError> {
    check_confidence(confidence)?;
    Ok(data.groups.iter().map(|group| summarize_group(group, data, options, confidence)).collect())
}

fn summarize_group(group: &TableGroup, data: &TableData, options: &TableOptions, confidence: f64) -> SeriesSummary {
    let failures = group.sample.len() - group.sample.successes();
    let values = group.sample.values();
    let run = values.as_deref().map(|values| within_run(values, confidence));
    let mut notes = Vec::new();
    if failures > 0 {
        notes.push(format!("{failures} of {} rows did not succeed and are left out of the series", group.sample.len()));
    }
    if group.missing > 0 {
        notes.push(format!("rows without a value are left out: {}", group.missing));
    }
    if let Some((line, problem)) = &data.first_skipped {
        notes.push(format!(
            "rows of the file that are damaged and skipped: {}; the first on line {line}: {problem}",
            data.skipped
        ));
    }
    let nothing = || match &run {
        None => format!("undefined: more than {} rows are not kept one by one; raise --exact", options.exact),
        Some(run) if run.n == 0 => no_value(group, data),
        Some(_) => "undefined: see the notes".to_owned(),
    };
    match &run {
        Some(run) if run.n > 0 => notes.extend(run.notes.iter().cloned()),
        _ => notes.push(nothing()),
    }
    let steady = run.as_ref();
    let batches = steady.and_then(|run| run.batch_means);
    let overlapping = steady.and_then(|run| run.overlapping.as_ref()).map(|means| means.interval);
    let size = steady.and_then(|run| run.effective_size.as_ref());
    SeriesSummary {
        group: options.by.iter().cloned().zip(group.key.iter().cloned()).collect(),
        column: options.column.clone(),
        unit: options.unit.clone(),
        confidence,
        values: steady.map(|run| run.n as u64),
        failures,
        deleted: steady.map(|run| run.deleted as u64),
        warm_up: steady.and_then(warm_up),
        batch_means: estimate("batch means", batches.map(|tested| tested.means.interval), nothing),
        batches: batches.map(|tested| tested.means.batches as u64),
        batch_size: batches.map(|tested| tested.means.batch_size as u64),
        batch_lag1: batches.and_then(|tested| tested.means.lag1),
        batching: batches.map(|tested| match tested.verdict {
            BatchingVerdict::Independent => "independent",
            BatchingVerdict::Correlated => "correlated",
        }),
        overlapping: estimate("overlapping batch means", overlapping, nothing),
        effective_size: size.and_then(|size| Some(size.initial_monotone.as_ref()?.effective_size)),
        lag1: size.map(|size| size.lag1),
        notes,
    }
}

fn warm_up(run: &WithinRun) -> Option<&'static str> {
    run.warm_up.as_ref().map(|warm_up| match warm_up.verdict {
        WarmUpVerdict::RunLonger => "run longer",
        WarmUpVerdict::Ok => "ok",
    })
}

fn estimate(method: &'static str, interval: Option<TInterval>, nothing: impl Fn() -> String) -> Estimate {
    match interval {
        Some(interval) => Estimate::new(method, interval.mean).with_interval(interval.lower, interval.upper),
        None => Estimate::undefined(method, nothing()),
    }
}
