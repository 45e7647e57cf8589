//! The rows of each group as one long measurement: its steady state.

use std::path::Path;

use super::read::{TableData, TableGroup, read_table_file};
use super::summary::{check_rows, no_value, open_row};
use super::{TableError, TableOptions, check_confidence};
use crate::series::{SeriesBase, SeriesOf, SeriesSummary};
use crate::statistics::within_run;

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
/// If the confidence is not between 0 and 1, or there are rows but none meets the conditions.
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
    check_rows(data, options)?;
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
    notes.extend(open_row(data));
    let base = SeriesBase {
        group: options.by.iter().cloned().zip(group.key.iter().cloned()).collect(),
        of: SeriesOf::Rows,
        column: options.column.clone(),
        unit: options.unit.clone(),
        confidence,
        failures,
        notes,
    };
    SeriesSummary::new(base, run.as_ref(), || match &run {
        None => format!("undefined: more than {} rows are not kept one by one; raise --exact", options.exact),
        Some(run) if run.n == 0 => no_value(group),
        Some(_) => "undefined: see the notes".to_owned(),
    })
}
