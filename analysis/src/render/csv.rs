//! CSV: one row a group.

use crate::statistics::Estimate;
use crate::summary::GroupSummary;

/// The groups as CSV with a header; what is undefined is empty, the reasons stand in `notes`.
///
/// Columns: the group's own, then metric, unit and confidence, counts, and for each estimate the
/// value, `_lower` and `_upper`; of a quantile also the actual `_coverage` of the interval. Those that begin with `unconditional_` are
/// of all runs, failures as +∞, and those quantiles have an `_above` besides: what the quantile is known to exceed where it falls
/// among failures. The others are of completed runs.
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
    for column in estimates(group) {
        columns.extend(column.names());
    }
    columns.extend(["unconditional_n", "unconditional_limit"].map(str::to_owned));
    for column in all_estimates(group) {
        columns.extend(column.names());
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
    fields.extend(estimates(group).iter().flat_map(Column::fields));
    fields.extend([group.unconditional.n.to_string(), optional(group.unconditional.limit)]);
    fields.extend(all_estimates(group).iter().flat_map(Column::fields));
    for Column { name, estimate, .. } in estimates(group).into_iter().chain(all_estimates(group)) {
        notes.extend(estimate.note.iter().map(|note| format!("{name}: {note}")));
    }
    fields.push(notes.join("; "));
    fields
}

/// The columns of one estimate.
struct Column<'a> {
    name: &'static str,
    estimate: &'a Estimate,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A share, a mean, a standard deviation.
    Plain,
    /// A quantile of what completed.
    Quantile,
    /// A quantile of all.
    QuantileOfAll,
}

impl Column<'_> {
    fn names(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            Kind::Plain => &["", "_lower", "_upper"],
            Kind::Quantile => &["", "_lower", "_upper", "_coverage"],
            Kind::QuantileOfAll => &["", "_lower", "_upper", "_coverage", "_above"],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }

    fn fields(&self) -> Vec<String> {
        let Estimate { estimate, lower, upper, coverage, above, .. } = *self.estimate;
        let fields = [estimate, lower, upper, coverage, above].map(optional);
        fields.into_iter().take(self.names().len()).collect()
    }
}

fn estimates(group: &GroupSummary) -> [Column<'_>; 7] {
    use Kind::{Plain, Quantile};
    [
        Column { name: "requests_success", estimate: &group.requests_success, kind: Plain },
        Column { name: "success", estimate: &group.success, kind: Plain },
        Column { name: "agreement", estimate: &group.agreement, kind: Plain },
        Column { name: "mean", estimate: &group.mean, kind: Plain },
        Column { name: "standard_deviation", estimate: &group.standard_deviation, kind: Plain },
        Column { name: "median", estimate: &group.median, kind: Quantile },
        Column { name: "p99", estimate: &group.p99, kind: Quantile },
    ]
}

fn all_estimates(group: &GroupSummary) -> [Column<'_>; 4] {
    let all = &group.unconditional;
    [
        Column { name: "unconditional_median", estimate: &all.median, kind: Kind::QuantileOfAll },
        Column { name: "unconditional_p90", estimate: &all.p90, kind: Kind::QuantileOfAll },
        Column { name: "unconditional_p99", estimate: &all.p99, kind: Kind::QuantileOfAll },
        Column { name: "unconditional_restricted_mean", estimate: &all.restricted_mean, kind: Kind::Plain },
    ]
}

pub(super) fn optional(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
