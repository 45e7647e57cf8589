//! A table for people.

use std::fmt::Write;
use std::ops::Range;

use crate::metric::Metric;
use crate::statistics::Estimate;
use crate::summary::GroupSummary;

/// The groups as an aligned table, under it what the numbers mean and the notes.
///
/// Three views stand side by side: success; what completed, with its number; and all runs, failures as +∞. Values have as many
/// decimals as their interval justifies; `> 2000` lies beyond the time limit of 2000 ms, `?` is an undefined end.
pub fn table(groups: &[GroupSummary]) -> String {
    let Some(first) = groups.first() else {
        return "no runs\n".to_owned();
    };
    let columns = Columns::of(first.metric, groups);
    let mut rows = vec![columns.header(first)];
    rows.extend(groups.iter().map(|group| columns.row(group)));
    let mut text = align_under(&columns.spans(first), &rows);
    text.push('\n');
    text += &columns.explanation(first);
    for note in notes(groups, |group| &group.group, |group| columns.notes(group)) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// What the table shows of a metric.
struct Columns {
    /// Whether failures count as +∞, so that there are figures of all runs; else there are only those of completed runs.
    has_failures: bool,
    /// The limit of all restricted means; `None` if it differs, or is not known.
    limit: Option<f64>,
    /// Whether quantiles of a group come from the Kaplan–Meier curve.
    has_curve: bool,
    /// Whether the share of requests of a group is a ratio of sums, and not a share of runs.
    has_ratio: bool,
}

impl Columns {
    fn of(metric: Metric, groups: &[GroupSummary]) -> Self {
        let mut limits = groups.iter().filter_map(|group| group.unconditional.limit);
        let first = limits.next();
        let is_common = first.is_some_and(|first| limits.all(|limit| limit.total_cmp(&first).is_eq()));
        let has_curve = groups.iter().any(|group| group.unconditional.kaplan_meier.is_some());
        let has_ratio = groups.iter().any(|group| {
            let requests = &group.requests_success;
            requests.interval().is_some() && requests.method.starts_with("ratio")
        });
        Self { has_failures: metric != Metric::Throughput, limit: first.filter(|_| is_common), has_curve, has_ratio }
    }

    /// The titles above the columns, each with the columns that it spans.
    fn spans(&self, group: &GroupSummary) -> Vec<(&'static str, Range<usize>)> {
        let first = group.group.len() + 2;
        if self.has_failures {
            vec![("of completed runs", first..first + 2), ("of all runs, failures as +∞", first + 2..first + 5)]
        } else {
            vec![("of completed runs", first..first + 4)]
        }
    }

    fn header(&self, group: &GroupSummary) -> Vec<String> {
        let keys = group.group.iter().map(|(key, _)| key.clone());
        let named = |figure: &str| format!("{figure} {}", group.unit);
        let restricted = match self.limit {
            Some(limit) => format!("mean to {limit} {}", group.unit),
            None => named("restricted mean"),
        };
        let shown = ["completed", "success %", "n"].map(str::to_owned);
        let figures = ["mean", "median", "p99"].map(named);
        let shares = ["requests %", "agreement %"].map(str::to_owned);
        let restricted = self.has_failures.then_some(restricted);
        keys.chain(shown).chain(figures).chain(restricted).chain(shares).collect()
    }

    fn row(&self, group: &GroupSummary) -> Vec<String> {
        let values = group.group.iter().map(|(_, value)| value.clone());
        let all = &group.unconditional;
        let (median, p99) = if self.has_failures { (&all.median, &all.p99) } else { (&group.median, &group.p99) };
        let mut restricted = mean(&all.restricted_mean);
        if let (None, Some(limit), Some(_)) = (self.limit, all.limit, all.restricted_mean.estimate) {
            let _ = write!(restricted, " to {limit}");
        }
        let shown = [format!("{}/{}", group.completed, group.runs), share(&group.success)];
        let figures = [group.measured_runs.to_string(), mean(&group.mean), quantile(median), quantile(p99)];
        let requests = share(&group.requests_success);
        let restricted = self.has_failures.then_some(restricted);
        values.chain(shown).chain(figures).chain(restricted).chain([requests, share(&group.agreement)]).collect()
    }

    fn explanation(&self, first: &GroupSummary) -> String {
        let (quantity, value) = match first.metric {
            Metric::Throughput => ("", "each has one throughput"),
            _ => (" latency", "its value is the mean of its samples"),
        };
        let mut text = format!(
            "{}{quantity}: {}; {} of virtual time.\n\
             The unit is the run: {value}.\n\
             Of completed runs: what did not complete is left out, which makes what often fails look good; n are left.\n",
            first.metric,
            first.metric.description(),
            first.unit,
        );
        let of_quantiles = if self.has_failures {
            let limit = self.limit.map_or("limit".to_owned(), |limit| limit.to_string());
            let _ = writeln!(
                text,
                "Of all runs: one that did not complete counts as +∞, as a whole, whatever of its requests was accepted.\n\
                 \"> {limit}\" lies beyond the time limit; the mean is that of min(value, {limit})."
            );
            if self.has_curve { TYPE_1_OR_CURVE } else { TYPE_1 }
        } else {
            "order statistics\nfor quantiles (estimated by linear interpolation, type 7)"
        };
        let _ = writeln!(
            text,
            "Brackets and ± are {} % intervals over runs: {} for shares{}, {} for means, {of_quantiles}.",
            percent_digits(first.confidence),
            first.success.method,
            if self.has_ratio { " (Fieller for requests of runs that had some accepted)" } else { "" },
            first.mean.method.split(" over ").next().unwrap_or_default(),
        );
        text
    }

    /// The notes on what is shown.
    fn notes(&self, group: &GroupSummary) -> Vec<String> {
        let mut notes = group.notes.clone();
        let all = &group.unconditional;
        if group.measured_runs == 0 {
            // The reason is the same for all figures of completed runs.
            notes.extend(group.mean.note.clone());
        } else {
            notes.extend(group.mean.note.iter().map(|note| format!("mean: {note}")));
        }
        if group.requests > 0 && group.requests_success.interval().is_none() {
            notes.extend(group.requests_success.note.iter().map(|note| format!("requests: {note}")));
        }
        let figures = [&all.median, &all.p99, &all.restricted_mean];
        let is_one_reason = |it: &&Estimate| it.estimate.is_none() && it.above.is_none() && it.note == all.median.note;
        if self.has_failures && group.measured_runs > 0 && figures.iter().all(is_one_reason) {
            notes.extend(all.median.note.iter().map(|note| format!("of all runs: {note}")));
            return notes;
        }
        let (median, p99) = if self.has_failures { (&all.median, &all.p99) } else { (&group.median, &group.p99) };
        for (name, estimate) in [("median", median), ("p99", p99)] {
            // That it lies beyond the limit is shown, and a lacking value is explained by that of the mean.
            let has_upper = estimate.upper.or(estimate.upper_above).is_some();
            if estimate.estimate.is_some() && (estimate.lower.is_none() || !has_upper) {
                notes.extend(estimate.note.iter().map(|note| format!("{name}: {note}")));
            } else if estimate.estimate.is_none() && estimate.above.is_none() && group.measured_runs > 0 {
                notes.extend(estimate.note.iter().map(|note| format!("{name}: {note}")));
            }
        }
        if self.has_failures && all.restricted_mean.interval().is_none() && all.restricted_mean.note != group.mean.note
        {
            notes.extend(all.restricted_mean.note.iter().map(|note| format!("restricted mean: {note}")));
        }
        notes
    }
}

/// How quantiles of all runs are made.
const TYPE_1: &str = "order statistics\nfor quantiles (of all runs without interpolation, type 1)";

const TYPE_1_OR_CURVE: &str = "order statistics\nfor quantiles (of all runs without interpolation, type 1; where limits differ \
                               Kaplan–Meier with log–log intervals)";

/// Aligned columns under a line of titles, each of which spans some of them.
pub(super) fn align_under(spans: &[(&str, Range<usize>)], rows: &[Vec<String>]) -> String {
    let mut widths = column_widths(rows);
    for (title, columns) in spans {
        let gaps = 2 * (columns.len() - 1);
        let width = widths[columns.clone()].iter().sum::<usize>() + gaps;
        widths[columns.start] += (title.chars().count()).saturating_sub(width);
    }
    let mut titles = String::new();
    let mut end = 0;
    for (title, columns) in spans {
        let start: usize = widths[..columns.start].iter().map(|width| width + 2).sum();
        let width = widths[columns.clone()].iter().map(|width| width + 2).sum::<usize>() - 2;
        let rule = width.saturating_sub(title.chars().count() + 2);
        let (left, right) = ("─".repeat(rule / 2), "─".repeat(rule - rule / 2));
        let title = if rule > 1 { format!("{left} {title} {right}") } else { format!("{title:>width$}") };
        let _ = write!(titles, "{:gap$}{title}", "", gap = start - end);
        end = start + width;
    }
    titles + "\n" + &lines(&widths, rows)
}

/// Right-aligned columns, two spaces apart.
pub(super) fn align(rows: &[Vec<String>]) -> String {
    lines(&column_widths(rows), rows)
}

fn column_widths(rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths = vec![0; rows[0].len()];
    for row in rows {
        for (width, field) in widths.iter_mut().zip(row) {
            *width = (*width).max(field.chars().count());
        }
    }
    widths
}

fn lines(widths: &[usize], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        for (index, (field, width)) in row.iter().zip(widths).enumerate() {
            let gap = if index == 0 { "" } else { "  " };
            let _ = write!(text, "{gap}{field:>width$}");
        }
        text.push('\n');
    }
    text
}

/// Each note once, with the groups that it is about.
pub(super) fn notes<G>(
    groups: &[G],
    keys_of: impl Fn(&G) -> &Keys,
    notes_of: impl Fn(&G) -> Vec<String>,
) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&Keys>)> = Vec::new();
    for group in groups {
        for note in notes_of(group) {
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, about)) => about.push(keys_of(group)),
                None => notes.push((note, vec![keys_of(group)])),
            }
        }
    }
    let with_names = |(note, about): (String, Vec<&Keys>)| {
        if about.len() == groups.len() { note } else { format!("{}: {note}", names(&about)) }
    };
    notes.into_iter().map(with_names).collect()
}

/// The columns that define a group, with their values.
type Keys = Vec<(String, String)>;

/// `adversary.count 4, 5, 6`, or with several keys `a 1 b 2, a 1 b 3`.
fn names(groups: &[&Keys]) -> String {
    let name = |group: &&Keys| match &group[..] {
        [(_, value)] => value.clone(),
        pairs => {
            let pairs = pairs.iter().map(|(key, value)| format!("{key} {value}"));
            pairs.collect::<Vec<_>>().join(" ")
        }
    };
    let names = groups.iter().map(name).collect::<Vec<_>>().join(", ");
    match groups.first().map(|group| &group[..]) {
        Some([(key, _)]) => format!("{key} {names}"),
        _ => names,
    }
}

/// `94.3 ± 1.3`; with ends in brackets where the interval is not symmetric.
pub(super) fn mean(estimate: &Estimate) -> String {
    let Some(mean) = estimate.estimate else {
        return "–".to_owned();
    };
    let Some((lower, upper)) = estimate.interval() else {
        return format!("{} ± ?", rounded(mean, decimals(0.0, mean)));
    };
    let half_width = (upper - lower) / 2.0;
    let digits = decimals(half_width, mean);
    let [mean_text, lower_text, upper_text] = [mean, lower, upper].map(|number| rounded(number, digits));
    // A bootstrap's interval has no one half-width.
    if ((upper - mean) - (mean - lower)).abs() > 1e-6 * half_width {
        format!("{mean_text} [{lower_text}–{upper_text}]")
    } else {
        format!("{mean_text} ± {}", rounded(half_width, digits))
    }
}

/// `97.0 [95.9–99.9]`; `> 2000` is beyond the limit.
pub(super) fn quantile(estimate: &Estimate) -> String {
    let beyond = |limit: f64| format!("> {limit}");
    let (value, digits) = match (estimate.estimate, estimate.above) {
        (Some(value), _) => {
            let widest = estimate.interval().map_or(0.0, |(lower, upper)| (upper - value).max(value - lower));
            let digits = decimals(widest, value);
            (rounded(value, digits), digits)
        }
        (None, Some(limit)) => match estimate.lower {
            Some(lower) => (beyond(limit), decimals(0.0, lower)),
            None => return beyond(limit),
        },
        (None, None) => return "–".to_owned(),
    };
    let end = |end: Option<f64>, above: Option<f64>| match (end, above) {
        (Some(end), _) => rounded(end, digits),
        (None, Some(limit)) => beyond(limit),
        (None, None) => "?".to_owned(),
    };
    let (lower, upper) = (end(estimate.lower, estimate.lower_above), end(estimate.upper, estimate.upper_above));
    format!("{value} [{lower}–{upper}]")
}

pub(super) fn share(share: &Estimate) -> String {
    match (share.estimate, share.lower, share.upper) {
        (Some(estimate), Some(lower), Some(upper)) => {
            format!("{} [{}–{}]", percent(estimate), percent(lower), percent(upper))
        }
        (Some(estimate), ..) => percent(estimate),
        _ => "–".to_owned(),
    }
}

/// One decimal, except at 0 and 100; never rounded to these two.
fn percent(share: f64) -> String {
    if share <= 0.0 || share >= 1.0 {
        format!("{:.0}", share * 100.0)
    } else {
        format!("{:.1}", (share * 100.0).clamp(0.1, 99.9))
    }
}

/// A confidence such as 95 or 99.9, without the noise of binary fractions.
pub(crate) fn percent_digits(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// Decimals that show two significant digits of the uncertainty; without one, four of the value. Negative: tens, hundreds, ….
pub(super) fn decimals(uncertainty: f64, value: f64) -> i32 {
    let (scale, significant) = if uncertainty > 0.0 { (uncertainty, 2) } else { (value.abs(), 4) };
    if scale <= 0.0 || !scale.is_finite() {
        return 0;
    }
    let magnitude = scale.log10().floor() as i32;
    let least = if uncertainty > 0.0 { -15 } else { 0 };
    (significant - 1 - magnitude).clamp(least, 6)
}

/// With so many decimals; with fewer than none it is rounded to tens, hundreds, ….
pub(super) fn rounded(number: f64, decimals: i32) -> String {
    if decimals >= 0 {
        return format!("{number:.*}", decimals as usize);
    }
    let unit = 10_f64.powi(-decimals);
    format!("{:.0}", (number / unit).round() * unit)
}
