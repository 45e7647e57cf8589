//! CSV: one row a group.

use crate::summary::{Estimate, GroupSummary};

/// The groups as CSV with a header; what is undefined is empty, the reasons stand in `notes`.
///
/// Columns: the group's own, then metric, unit and confidence, counts, and for each estimate the
/// value, `_lower` and `_upper`.
pub fn csv(groups: &[GroupSummary]) -> String {
    let header = groups.first().map(header).into_iter();
    write_records(header.chain(groups.iter().map(row)))
}

/// Records with the same number of fields as CSV.
pub(super) fn write_records(records: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    for record in records {
        // It cannot fail: a `Vec` takes everything, and all groups have the same columns.
        let _ = out.write_record(record);
    }
    let bytes = out.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn header(group: &GroupSummary) -> Vec<String> {
    let mut columns: Vec<String> = group.group.iter().map(|(key, _)| key.clone()).collect();
    let names = "metric unit confidence runs completed errors requests requests_completed \
                 requests_share measured_runs undefined_samples";
    columns.extend(names.split(' ').map(str::to_owned));
    for (name, _) in estimates(group) {
        columns.extend([name.to_owned(), format!("{name}_lower"), format!("{name}_upper")]);
    }
    columns.push("notes".to_owned());
    columns
}

fn row(group: &GroupSummary) -> Vec<String> {
    let mut fields: Vec<String> = group.group.iter().map(|(_, value)| value.clone()).collect();
    fields.extend([
        group.metric.to_string(),
        group.unit.to_owned(),
        group.confidence.to_string(),
        group.runs.to_string(),
        group.completed.to_string(),
        group.errors.to_string(),
        group.requests.to_string(),
        group.requests_completed.to_string(),
        optional(group.requests_share),
        group.measured_runs.to_string(),
        group.undefined_samples.to_string(),
    ]);
    let mut notes = group.notes.clone();
    for (name, estimate) in estimates(group) {
        fields.extend([estimate.estimate, estimate.lower, estimate.upper].map(optional));
        notes.extend(estimate.note.iter().map(|note| format!("{name}: {note}")));
    }
    fields.push(notes.join("; "));
    fields
}

fn estimates(group: &GroupSummary) -> [(&'static str, &Estimate); 5] {
    [
        ("success", &group.success),
        ("agreement", &group.agreement),
        ("mean", &group.mean),
        ("median", &group.median),
        ("p99", &group.p99),
    ]
}

pub(super) fn optional(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
