//! What latencies are made of, as a table for people, as JSON and as CSV.

use std::fmt::Write;

use super::csv::{optional, write_records};
use super::table::{align, mean, notes, percent_digits, share};
use crate::parts::{Part, PartMean, PartsSummary};
use crate::statistics::Estimate;

/// Up to so many groups stand side by side, with the parts below each other; more are a row each.
const MOST_COLUMNS: usize = 4;

/// The groups as an aligned table, under it what the numbers mean and the notes. Parts that are 0 everywhere are named
/// below.
pub fn parts_table(groups: &[PartsSummary]) -> String {
    let Some(first) = groups.first() else {
        return "no runs\n".to_owned();
    };
    let (shown, absent) = shown_parts(groups);
    let mut rows = vec![table_header(first, &shown)];
    rows.extend(groups.iter().map(|group| table_row(group, &shown)));
    if groups.len() <= MOST_COLUMNS {
        rows = transpose(&rows);
    }
    let mut text = align(&rows);
    let _ = write!(
        text,
        "\nParts of the latency from request to reply, along the critical path of each request; mean {} of virtual \
         time.\nThey add up to the total. Over completed runs only; the unit is the run, a run's value is the mean over \
         its requests\nissued after the warm-up. Brackets and ± are {} % intervals over runs: Wilson for shares, Student \
         t for means.\n",
        first.unit,
        percent_digits(first.confidence),
    );
    for part in shown {
        let _ = writeln!(text, "  {part:<15}  {}", part.description());
    }
    if !absent.is_empty() {
        let names: Vec<&str> = absent.into_iter().map(Part::name).collect();
        let _ = writeln!(text, "0 everywhere, not shown: {}", names.join(", "));
    }
    let all_notes = |group: &PartsSummary| {
        let reason = group.total.note.iter().map(|note| format!("means: {note}"));
        group.notes.iter().cloned().chain(reason).collect()
    };
    for note in notes(groups, |group| &group.group, all_notes) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// Parts that are not 0 in some group, and the others; all are shown if none is measured.
pub(crate) fn shown_parts(groups: &[PartsSummary]) -> (Vec<Part>, Vec<Part>) {
    let is_measured = groups.iter().any(|group| group.measured_runs > 0);
    let some = |part: &Part| {
        let mean_of = |group: &PartsSummary| group.parts[*part as usize].mean.estimate;
        !is_measured || groups.iter().filter_map(mean_of).any(|mean| mean > 0.0)
    };
    Part::ALL.into_iter().partition(some)
}

fn table_header(group: &PartsSummary, shown: &[Part]) -> Vec<String> {
    let keys = group.group.iter().map(|(key, _)| key.clone());
    let counts = ["completed", "success %", "requests"].map(str::to_owned);
    let parts = shown.iter().map(|part| format!("{part} {}", group.unit));
    keys.chain(counts).chain(parts).chain([format!("total {}", group.unit)]).collect()
}

fn table_row(group: &PartsSummary, shown: &[Part]) -> Vec<String> {
    let values = group.group.iter().map(|(_, value)| value.clone());
    let counts = [format!("{}/{}", group.completed, group.runs), share(&group.success), group.requests.to_string()];
    let parts = shown.iter().map(|part| mean(&group.parts[*part as usize].mean));
    values.chain(counts).chain(parts).chain([mean(&group.total)]).collect()
}

fn transpose(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns).map(|column| rows.iter().map(|row| row[column].clone()).collect()).collect()
}

/// The groups as a JSON array, indented, with a line end. What is undefined is `null`, with a `note` that says why.
///
/// ```
/// assert_eq!(byzlab_analysis::render::parts_json(&[]), "[]\n");
/// ```
pub fn parts_json(groups: &[PartsSummary]) -> String {
    // It cannot fail: a summary holds strings and numbers only, and its keys are strings.
    let text = serde_json::to_string_pretty(groups).unwrap_or_default();
    text + "\n"
}

/// The groups as CSV with a header; what is undefined is empty, the reasons stand in `notes`.
///
/// Columns: the group's own, then unit, confidence and counts, and for success, total and each part the value, `_lower`
/// and `_upper`.
pub fn parts_csv(groups: &[PartsSummary]) -> String {
    let header = groups.first().map(csv_header).into_iter();
    write_records(header.chain(groups.iter().map(csv_row)))
}

fn csv_header(group: &PartsSummary) -> Vec<String> {
    let mut columns: Vec<String> = group.group.iter().map(|(key, _)| key.clone()).collect();
    let names = "unit confidence runs completed errors measured_runs requests";
    columns.extend(names.split(' ').map(str::to_owned));
    for (name, _) in estimates(group) {
        columns.extend([name.to_owned(), format!("{name}_lower"), format!("{name}_upper")]);
    }
    columns.push("notes".to_owned());
    columns
}

fn csv_row(group: &PartsSummary) -> Vec<String> {
    let mut fields: Vec<String> = group.group.iter().map(|(_, value)| value.clone()).collect();
    fields.extend([group.unit.to_owned(), group.confidence.to_string()]);
    let counts = [group.runs, group.completed, group.errors, group.measured_runs, group.requests];
    fields.extend(counts.map(|count| count.to_string()));
    for (_, estimate) in estimates(group) {
        fields.extend([estimate.estimate, estimate.lower, estimate.upper].map(optional));
    }
    // The reason is the same for all means.
    let reason = group.total.note.iter().map(|note| format!("means: {note}"));
    fields.push(group.notes.iter().cloned().chain(reason).collect::<Vec<_>>().join("; "));
    fields
}

fn estimates(group: &PartsSummary) -> impl Iterator<Item = (&'static str, &Estimate)> {
    let parts = group.parts.iter().map(|PartMean { part, mean }| (part.name(), mean));
    [("success", &group.success), ("total", &group.total)].into_iter().chain(parts)
}
