//! The steady state of long measurements, as a table for people, as JSON and as CSV.

use std::fmt::Write;

use super::csv::{optional, write_records};
use super::table::{align, mean, notes, percent_digits};
use crate::series::{SeriesOf, SeriesSummary};

/// The series as an aligned table, under it what the numbers mean and the notes.
///
/// ```
/// assert_eq!(byzlab_analysis::render::series_table(&[]), "no rows\n");
/// ```
pub fn series_table(series: &[SeriesSummary]) -> String {
    let Some(first) = series.first() else {
        return "no rows\n".to_owned();
    };
    let mut rows = vec![table_header(first)];
    rows.extend(series.iter().map(table_row));
    let mut text = align(&rows);
    let in_unit = first.unit.as_ref().map_or_else(String::new, |unit| format!(", in {unit}"));
    let (what, order) = match first.of {
        SeriesOf::Rows => (format!("Column `{}`", first.column), "The rows of a group, in the order of the file,"),
        SeriesOf::Samples => {
            (format!("{} latency", first.column), "The samples of a run, in the order of their start,")
        }
    };
    let _ = write!(
        text,
        "\n{what}{in_unit}. {order} are one long measurement; its warm-up \
         (MSER-5)\nis deleted, and the mean is that of what is left. ± are {} % intervals: by batches that are doubled until \
         their means are\nuncorrelated, and by overlapping batches of that length. The effective size (Geyer) says how many \
         independent values they\nare worth.\n",
        percent_digits(first.confidence),
    );
    for note in notes(series, |series| &series.group, |series| series.notes.clone()) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn table_header(series: &SeriesSummary) -> Vec<String> {
    let unit = series.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let keys = series.group.iter().map(|(key, _)| key.clone());
    let figures = [
        "values".to_owned(),
        "deleted".to_owned(),
        "warm-up".to_owned(),
        format!("mean by batches{unit}"),
        "batches".to_owned(),
        "batch means are".to_owned(),
        format!("by overlapping{unit}"),
        "effective size".to_owned(),
        "lag-1".to_owned(),
    ];
    keys.chain(figures).collect()
}

fn table_row(series: &SeriesSummary) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let values = series.group.iter().map(|(_, value)| value.clone());
    let figures = [
        or_dash(series.values.map(|count| count.to_string())),
        or_dash(series.deleted.map(|count| count.to_string())),
        or_dash(series.warm_up.map(str::to_owned)),
        mean(&series.batch_means),
        or_dash(series.batches.zip(series.batch_size).map(|(batches, size)| format!("{batches} of {size}"))),
        or_dash(series.batching.map(str::to_owned)),
        mean(&series.overlapping),
        or_dash(series.effective_size.map(|size| format!("{size:.0}"))),
        or_dash(series.lag1.map(|lag1| format!("{lag1:.2}"))),
    ];
    values.chain(figures).collect()
}

/// The series as a JSON array, indented, with a line end. What is undefined is `null`, with a note that says why.
///
/// ```
/// assert_eq!(byzlab_analysis::render::series_json(&[]), "[]\n");
/// ```
pub fn series_json(series: &[SeriesSummary]) -> String {
    // It cannot fail: a summary holds strings and numbers only, and its keys are strings.
    let text = serde_json::to_string_pretty(series).unwrap_or_default();
    text + "\n"
}

/// The series as CSV with a header; what is undefined is empty, the reasons stand in `notes`.
///
/// ```
/// assert_eq!(byzlab_analysis::render::series_csv(&[]), "");
/// ```
pub fn series_csv(series: &[SeriesSummary]) -> String {
    let header = series.first().map(csv_header).into_iter();
    write_records(header.chain(series.iter().map(csv_row)))
}

fn csv_header(series: &SeriesSummary) -> Vec<String> {
    let names = "column unit confidence values failures deleted warm_up batch_means batch_means_lower batch_means_upper \
                 batches batch_size batch_lag1 batching overlapping overlapping_lower overlapping_upper effective_size \
                 lag1 notes";
    series.group.iter().map(|(key, _)| key.clone()).chain(names.split_whitespace().map(str::to_owned)).collect()
}

fn csv_row(series: &SeriesSummary) -> Vec<String> {
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let text = |text: Option<&'static str>| text.unwrap_or_default().to_owned();
    let [batch_means, overlapping] = [&series.batch_means, &series.overlapping]
        .map(|estimate| [estimate.estimate, estimate.lower, estimate.upper].map(optional));
    let mut fields: Vec<String> = series.group.iter().map(|(_, value)| value.clone()).collect();
    fields.extend([series.column.clone(), series.unit.clone().unwrap_or_default(), series.confidence.to_string()]);
    fields.extend([count(series.values), series.failures.to_string(), count(series.deleted), text(series.warm_up)]);
    fields.extend(batch_means);
    fields.extend([
        count(series.batches),
        count(series.batch_size),
        optional(series.batch_lag1),
        text(series.batching),
    ]);
    fields.extend(overlapping);
    fields.extend([optional(series.effective_size), optional(series.lag1), series.notes.join("; ")]);
    fields
}
