//! The figures of each group of rows.

use std::path::Path;

use serde::Serialize;

use super::read::{TableData, TableGroup, read_table_file};
use super::sample::Sample;
use super::{TableError, TableOptions, check_confidence};
use crate::statistics::{Conditional, Estimate, FigureOptions, Unconditional, normal_quantile};
use crate::summary::group_object;

/// The figures of one group of rows. The unit of analysis is the row.
///
/// Three views stand side by side, see [`Figures`](crate::statistics::Figures): `success`, the share of rows that succeeded; `mean`,
/// `standard_deviation`, `median` and `p99` of those alone; and `unconditional`, of all, in which one that did not succeed
/// counts as +∞.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// What was measured.
    pub column: String,
    /// Unit of its values; `None` if nobody said.
    pub unit: Option<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of rows that succeeded or failed.
    pub rows: u64,
    /// Number of those that succeeded.
    pub succeeded: u64,
    /// Number of further rows, which have no value and are left out.
    pub missing: u64,
    /// Number of rows of the whole file that cannot be used and were skipped.
    pub skipped: u64,
    /// Number of rows of the whole file that do not meet the conditions.
    pub excluded: u64,
    /// Share of the rows that succeeded.
    pub success: Estimate,
    /// Mean of the rows that succeeded.
    pub mean: Estimate,
    /// Standard deviation of the rows that succeeded.
    pub standard_deviation: Estimate,
    /// Median of the rows that succeeded.
    pub median: Estimate,
    /// 99 % quantile of the rows that succeeded.
    pub p99: Estimate,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// The quantiles are approximate, within this relative error; `None` if they are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_error: Option<f64>,
    /// Of all rows: those that did not succeed count as +∞.
    pub unconditional: Unconditional,
    /// Those of [`TableOptions::quantiles`].
    pub quantiles: Vec<FurtherQuantile>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// A quantile that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FurtherQuantile {
    /// Which one.
    pub p: f64,
    /// Of the rows that succeeded.
    pub conditional: Estimate,
    /// Of all rows: those that did not succeed count as +∞.
    pub unconditional: Estimate,
}

/// Reads a column of a file and gives its figures: [`read_table_file`] and [`summarize_table`]; options are checked before.
///
/// ```no_run
/// use byzlab_analysis::{render, statistics::FigureOptions, table::{TableOptions, analyze_table}};
/// let groups = analyze_table("t.csv".as_ref(), &TableOptions::of("latency"), &FigureOptions::default())?;
/// print!("{}", render::columns_table(&groups));
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn analyze_table(
    path: &Path,
    options: &TableOptions,
    figures: &FigureOptions,
) -> Result<Vec<ColumnSummary>, TableError> {
    check_confidence(figures.confidence)?;
    summarize_table(&read_table_file(path, options)?, options, figures)
}

/// The figures of each group, in their order; `figures` says how they are made, but units and limit come from `options`.
///
/// # Errors
///
/// If the confidence is not between 0 and 1, or there are rows but none meets the conditions.
///
/// ```
/// use byzlab_analysis::statistics::FigureOptions;
/// use byzlab_analysis::table::{TableOptions, read_table, summarize_table};
/// let options = TableOptions { limit: Some(10.0), ..TableOptions::of("t") };
/// let data = read_table("t\n1\n2\n3\n12\n".as_bytes(), "t.csv", &options)?;
/// let group = summarize_table(&data, &options, &FigureOptions::default())?.remove(0);
/// assert_eq!(group.success.estimate, Some(0.75));
/// assert_eq!(group.unconditional.restricted_mean.estimate, Some(4.0));
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn summarize_table(
    data: &TableData,
    options: &TableOptions,
    figures: &FigureOptions,
) -> Result<Vec<ColumnSummary>, TableError> {
    check_confidence(figures.confidence)?;
    check_rows(data, options)?;
    let figures = FigureOptions { unit: "rows", success: "successful", limit: options.limit, ..*figures };
    Ok(data.groups.iter().map(|group| summarize_group(group, data, options, &figures)).collect())
}

/// Refuses figures of nothing where conditions have left nothing.
pub(super) fn check_rows(data: &TableData, options: &TableOptions) -> Result<(), TableError> {
    if data.rows == 0 || data.excluded < data.rows {
        return Ok(());
    }
    let conditions = options.conditions.iter().map(|condition| format!("`{condition}`")).collect();
    Err(TableError::NoRowMeets { path: data.path.clone(), conditions, rows: data.rows })
}

fn summarize_group(
    group: &TableGroup,
    data: &TableData,
    options: &TableOptions,
    figure_options: &FigureOptions,
) -> ColumnSummary {
    let no_value = || no_value(group);
    let figures = group.sample.figures(figure_options, no_value);
    let Conditional { mean, standard_deviation, median, p99, .. } = figures.conditional;
    let (min, max) = group.sample.extremes().unzip();
    ColumnSummary {
        group: options.by.iter().cloned().zip(group.key.iter().cloned()).collect(),
        column: options.column.clone(),
        unit: options.unit.clone(),
        confidence: figure_options.confidence,
        rows: figures.attempts,
        succeeded: figures.successes,
        missing: group.missing,
        skipped: data.skipped,
        excluded: data.excluded,
        success: figures.success,
        mean,
        standard_deviation,
        median,
        p99,
        min,
        max,
        relative_error: group.sample.relative_error(),
        unconditional: figures.unconditional,
        quantiles: quantiles(&group.sample, &options.quantiles, figure_options, no_value),
        notes: notes(group, data, options),
    }
}

fn quantiles(
    sample: &Sample,
    quantiles: &[f64],
    options: &FigureOptions,
    no_value: impl Fn() -> String,
) -> Vec<FurtherQuantile> {
    let mut sorted = sample.values().unwrap_or_default();
    sorted.sort_by(f64::total_cmp);
    let further = |&p: &f64| {
        let (conditional, unconditional) = match sample {
            Sample::Exact(attempts) => {
                (options.quantile(&sorted, p, &no_value), options.quantile_of_all(attempts, p, &no_value))
            }
            Sample::Sketched(attempts) => {
                (attempts.quantile(p, options, &no_value), attempts.quantile_of_all(p, options, &no_value))
            }
        };
        FurtherQuantile { p, conditional, unconditional }
    };
    quantiles.iter().map(further).collect()
}

/// Why a group has no value.
pub(super) fn no_value(group: &TableGroup) -> String {
    if !group.sample.is_empty() {
        "no row succeeded".to_owned()
    } else if group.missing > 0 {
        "no row has a value".to_owned()
    } else {
        "no row".to_owned()
    }
}

fn notes(group: &TableGroup, data: &TableData, options: &TableOptions) -> Vec<String> {
    let mut notes = Vec::new();
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let verb = |count: u64, one: &'static str, many: &'static str| if count == 1 { one } else { many };
    if group.missing > 0 {
        let (has, is) = (verb(group.missing, "has", "have"), verb(group.missing, "is", "are"));
        notes.push(format!("{} {has} no value and {is} left out", rows(group.missing)));
    }
    if group.above_limit > 0 && group.above_limit == group.sample.len() {
        let limit = options.limit.map_or_else(|| "its limit".to_owned(), |limit| format!("the limit, {limit}"));
        notes.push(format!("every row lies above {limit}, and none counts as a success; limits are in the unit of the values after scaling"));
    } else if group.above_limit > 0 {
        let (lies, counts) = (verb(group.above_limit, "lies", "lie"), verb(group.above_limit, "counts", "count"));
        notes.push(format!(
            "{} of the values {lies} above the limit and {counts} as not succeeded within it",
            group.above_limit
        ));
    }
    let never = group.sample.never();
    if never > 0 && options.limit.is_none() && options.limit_column.is_none() && options.never.is_empty() {
        notes.push(format!(
            "{} failed without a known limit; --limit or --limit-column says how long failures were watched",
            rows(never)
        ));
    }
    if let Some((line, problem)) = &data.first_skipped {
        let (is, first) = (verb(data.skipped, "is", "are"), verb(data.skipped, "it", "the first of them"));
        notes.push(format!(
            "{} of the file {is} damaged and skipped; {first} on line {line}: {problem}",
            rows(data.skipped)
        ));
    }
    notes.extend(open_row(data));
    if let Some(error) = group.sample.relative_error() {
        notes.push(format!(
            "quantiles are approximate, within {} % of the exact ones, for there are too many rows to keep each (--exact)",
            error * 100.0
        ));
    }
    notes.extend(correlation(group));
    notes
}

/// What a last row without its line end may mean.
pub(super) fn open_row(data: &TableData) -> Option<String> {
    let note = "the last row has no line end: if the file was cut, its last value is incomplete";
    data.is_open.then(|| note.to_owned())
}

/// A correlation of each row with the one before that is too large for independent rows (one-sided at 1 %, where r is
/// nearly normal with variance 1/n: Bartlett 1946), and large enough to matter: 0.1 makes an interval a tenth too narrow.
fn correlation(group: &TableGroup) -> Option<String> {
    const LEAST_ROWS: u64 = 30;
    const LEAST: f64 = 0.1;
    let (correlation, values) = group.lag_one().filter(|(_, values)| *values >= LEAST_ROWS)?;
    let significant = normal_quantile(0.99)? / (values as f64).sqrt();
    ( correlation > LEAST.max(significant)).then(|| {
        format!(
            "rows are correlated in the order of the file (lag-1 {correlation:.2}), but the intervals assume independent \
             rows: if they are one long measurement, use --series"
        )
    })
}
