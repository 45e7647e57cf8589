//! Figures of any table's column, as a table for people, as JSON and as CSV.

use std::fmt::Write;

use super::csv::{optional, write_records};
use super::table::{align_under, decimals, mean, notes, percent_digits, quantile, rounded, share};
use crate::statistics::Estimate;
use crate::table::{ColumnSummary, FurtherQuantile};

/// The groups as an aligned table, under it what the numbers mean and the notes.
///
/// Three views stand side by side: success; the rows that succeeded; and all rows, failures as +∞.
///
/// ```
/// assert_eq!(byzlab_analysis::render::columns_table(&[]), "no rows\n");
/// ```
pub fn columns_table(groups: &[ColumnSummary]) -> String {
    let Some(first) = groups.first() else {
        return "no rows\n".to_owned();
    };
    let shown = Shown::of(groups);
    let mut rows = vec![shown.header(first)];
    rows.extend(groups.iter().map(|group| shown.row(group)));
    let mut text = align_under(&shown.spans(first), &rows);
    text.push('\n');
    text += &shown.explanation(first);
    for note in notes(groups, |group| &group.group, notes_of) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// What the table shows besides what it always does.
struct Shown {
    /// Whether any row failed or a limit is known: then the restricted mean differs from the mean.
    has_limit: bool,
    /// The limit of all restricted means; `None` if it differs, or is not known.
    limit: Option<f64>,
    /// Whether quantiles of a group come from the Kaplan–Meier curve.
    has_curve: bool,
}

impl Shown {
    fn of(groups: &[ColumnSummary]) -> Self {
        let mut limits = groups.iter().filter_map(|group| group.unconditional.limit);
        let first = limits.next();
        let is_common = first.is_some_and(|first| limits.all(|limit| limit.total_cmp(&first).is_eq()));
        let has_limit = first.is_some() || groups.iter().any(|group| group.succeeded < group.rows);
        let has_curve = groups.iter().any(|group| group.unconditional.kaplan_meier.is_some());
        Self { has_limit, limit: first.filter(|_| is_common), has_curve }
    }

    /// The titles above the columns, each with the columns that it spans.
    fn spans(&self, group: &ColumnSummary) -> Vec<(&'static str, std::ops::Range<usize>)> {
        let first = group.group.len() + 2;
        let last = first + 6 + group.quantiles.len() + usize::from(self.has_limit);
        vec![("of successful rows", first..first + 4), ("of all rows, failures as +∞", first + 4..last)]
    }

    fn header(&self, group: &ColumnSummary) -> Vec<String> {
        let unit = unit(group);
        let keys = group.group.iter().map(|(key, _)| key.clone());
        let named = |figure: &str| format!("{figure}{unit}");
        let shares = ["succeeded", "success %"].map(str::to_owned);
        let figures = ["mean", "sd", "min", "max", "median", "p99"].map(named);
        let restricted = match self.limit {
            Some(limit) => format!("mean to {limit}{unit}"),
            None => named("restricted mean"),
        };
        let further = group.quantiles.iter().map(|quantile| named(&quantile_name(quantile)));
        keys.chain(shares).chain(figures).chain(further).chain(self.has_limit.then_some(restricted)).collect()
    }

    fn row(&self, group: &ColumnSummary) -> Vec<String> {
        let values = group.group.iter().map(|(_, value)| value.clone());
        let all = &group.unconditional;
        let mut restricted = mean(&all.restricted_mean);
        if let (None, Some(limit), Some(_)) = (self.limit, all.limit, all.restricted_mean.estimate) {
            let _ = write!(restricted, " to {limit}");
        }
        // They have no interval here that says how many digits matter.
        let plain = |number: Option<f64>| number.map_or_else(|| "–".to_owned(), |it| rounded(it, decimals(0.0, it)));
        let approximate = |text: String| if group.relative_error.is_some() { format!("≈ {text}") } else { text };
        let figures = [
            format!("{}/{}", group.succeeded, group.rows),
            share(&group.success),
            mean(&group.mean),
            plain(group.standard_deviation.estimate),
            plain(group.min),
            plain(group.max),
            approximate(quantile(&all.median)),
            approximate(quantile(&all.p99)),
        ];
        let further = group.quantiles.iter().map(|it| approximate(quantile(&it.unconditional)));
        values.chain(figures).chain(further).chain(self.has_limit.then_some(restricted)).collect()
    }

    fn explanation(&self, first: &ColumnSummary) -> String {
        let in_unit = first.unit.as_ref().map_or_else(String::new, |unit| format!(", in {unit}"));
        let mut text = format!("Column `{}`{in_unit}. The unit of analysis is the row.\n", first.column);
        if self.has_limit {
            let limit = self.limit.map_or("the limit".to_owned(), |limit| format!("{limit}{}", unit(first)));
            let _ = writeln!(
                text,
                "Of successful rows: failures are left out, which flatters what often fails.\n\
                 Of all rows: failures count as +∞; a quantile among them is \"> limit\", and the mean is that of min(value, \
                 {limit})."
            );
        }
        let _ = writeln!(
            text,
            "Brackets and ± are {} % intervals over rows, taken as independent: {} for shares, {} for means,\norder \
             statistics for quantiles, without interpolation (type 1){}.",
            percent_digits(first.confidence),
            first.success.method,
            first.mean.method.split(" over ").next().unwrap_or_default(),
            if self.has_curve { "; where limits differ Kaplan–Meier with log–log intervals" } else { "" },
        );
        if first.excluded > 0 {
            let _ = writeln!(text, "{} rows of the file do not meet the conditions.", first.excluded);
        }
        text
    }
}

/// Such as `p95`, or `p99.9`.
fn quantile_name(quantile: &FurtherQuantile) -> String {
    format!("p{}", percent_digits(quantile.p))
}

/// The unit behind a name.
fn unit(group: &ColumnSummary) -> String {
    group.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"))
}

/// The notes on what is shown.
fn notes_of(group: &ColumnSummary) -> Vec<String> {
    let mut notes = group.notes.clone();
    let all = &group.unconditional;
    if let Some((longest, shortest)) = all.kaplan_meier.as_ref().zip(all.limit) {
        notes.push(format!(
            "limits differ from {shortest} to {}{}, the last time that was watched: quantiles of all rows are those of the \
             Kaplan–Meier curve, which supposes that the limits have nothing to do with the values",
            longest.limit,
            unit(group)
        ));
    }
    let named = |(name, estimate): (&str, &Estimate)| Some(format!("{name}: {}", estimate.note.as_ref()?));
    if group.succeeded == 0 {
        // The reason is the same for all figures of successful rows.
        notes.extend(group.mean.note.clone());
    } else {
        notes.extend(named(("mean", &group.mean)));
    }
    if group.rows > 0 {
        // That it lies beyond the limit is shown.
        let figures = [("median", &all.median), ("p99", &all.p99), ("restricted mean", &all.restricted_mean)];
        let unexplained = |(_, estimate): &(&str, &Estimate)| {
            let has_lower = estimate.lower.or(estimate.lower_above).is_some();
            let has_upper = estimate.upper.or(estimate.upper_above).is_some();
            !(has_lower && has_upper) && estimate.note != group.mean.note
        };
        notes.extend(figures.into_iter().filter(unexplained).filter_map(named));
        for quantile in &group.quantiles {
            let figure = (&quantile_name(quantile)[..], &quantile.unconditional);
            notes.extend(Some(figure).filter(unexplained).and_then(named));
        }
    }
    notes
}

/// The groups as a JSON array, indented, with a line end. What is undefined is `null`, with a `note` that says why.
///
/// ```
/// assert_eq!(byzlab_analysis::render::columns_json(&[]), "[]\n");
/// ```
pub fn columns_json(groups: &[ColumnSummary]) -> String {
    // It cannot fail: a summary holds strings and numbers only, and its keys are strings.
    let text = serde_json::to_string_pretty(groups).unwrap_or_default();
    text + "\n"
}

/// The groups as CSV with a header; what is undefined is empty, the reasons stand in `notes`.
///
/// Columns: the group's own, then column, unit and confidence, counts, and for each estimate the value, `_lower` and `_upper`;
/// of a quantile of all also `_above`, what it is known to exceed where it falls among failures. Those that begin with
/// `unconditional_` are of all rows, failures as +∞; the others are of the rows that succeeded.
///
/// ```
/// assert_eq!(byzlab_analysis::render::columns_csv(&[]), "");
/// ```
pub fn columns_csv(groups: &[ColumnSummary]) -> String {
    let header = groups.first().map(csv_header).into_iter();
    write_records(header.chain(groups.iter().map(csv_row)))
}

fn csv_header(group: &ColumnSummary) -> Vec<String> {
    let mut columns: Vec<String> = group.group.iter().map(|(key, _)| key.clone()).collect();
    let names = "column unit confidence rows succeeded missing skipped excluded min max unconditional_limit";
    columns.extend(names.split(' ').map(str::to_owned));
    for (name, _) in estimates(group) {
        columns.extend(["", "_lower", "_upper"].map(|end| format!("{name}{end}")));
        if has_above(&name) {
            columns.push(format!("{name}_above"));
        }
    }
    columns.push("notes".to_owned());
    columns
}

fn csv_row(group: &ColumnSummary) -> Vec<String> {
    let mut fields: Vec<String> = group.group.iter().map(|(_, value)| value.clone()).collect();
    fields.extend([group.column.clone(), group.unit.clone().unwrap_or_default(), group.confidence.to_string()]);
    let counts = [group.rows, group.succeeded, group.missing, group.skipped, group.excluded];
    fields.extend(counts.map(|count| count.to_string()));
    fields.extend([group.min, group.max, group.unconditional.limit].map(optional));
    let mut notes = group.notes.clone();
    for (name, estimate) in estimates(group) {
        fields.extend([estimate.estimate, estimate.lower, estimate.upper].map(optional));
        if has_above(&name) {
            fields.push(optional(estimate.above));
        }
        notes.extend(estimate.note.iter().map(|note| format!("{name}: {note}")));
    }
    fields.push(notes.join("; "));
    fields
}

/// Only quantiles of all rows can fall among failures.
fn has_above(name: &str) -> bool {
    name.starts_with("unconditional_") && name != "unconditional_restricted_mean"
}

fn estimates(group: &ColumnSummary) -> Vec<(String, &Estimate)> {
    let all = &group.unconditional;
    let usual = [
        ("success", &group.success),
        ("mean", &group.mean),
        ("standard_deviation", &group.standard_deviation),
        ("median", &group.median),
        ("p99", &group.p99),
        ("unconditional_median", &all.median),
        ("unconditional_p90", &all.p90),
        ("unconditional_p99", &all.p99),
        ("unconditional_restricted_mean", &all.restricted_mean),
    ];
    let further = group.quantiles.iter().flat_map(|quantile| {
        let name = format!("quantile_{}", quantile.p);
        [(name.clone(), &quantile.conditional), (format!("unconditional_{name}"), &quantile.unconditional)]
    });
    usual.into_iter().map(|(name, estimate)| (name.to_owned(), estimate)).chain(further).collect()
}
