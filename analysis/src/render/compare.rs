//! Two sides beside each other, as text for people, as JSON and as CSV.

use std::fmt::Write;

use super::csv::{optional, write_records};
use super::table::{align, decimals, mean, notes, percent_digits, rounded, share};
use crate::compare::{Comparison, Difference, GroupComparison, Quantity, Sense, SideFigures, Verdict};
use crate::statistics::Estimate;

/// Up to so many groups have a sentence each above the table; of more the table says it.
const MOST_SENTENCES: usize = 6;

/// What [`ratio`] shows.
const RELATIVE: &str = "change relative to A";

/// What differs, in a sentence a group; below it the figures, what they mean, and the notes.
pub fn comparison_table(comparison: &Comparison) -> String {
    let Comparison { quantity, groups, .. } = comparison;
    let unit = quantity.unit.as_ref().map_or_else(String::new, |unit| format!(", {unit}"));
    let mut text = format!(
        "A: {}\nB: {}\n{}{unit}. Differences are B − A; ± and brackets are {} % intervals.\n\n",
        comparison.a,
        comparison.b,
        quantity.words,
        percent_digits(comparison.confidence)
    );
    if groups.len() <= MOST_SENTENCES {
        for group in groups {
            let _ = writeln!(text, "{}", sentence(group, quantity));
        }
        text.push('\n');
    }
    if let [group] = &groups[..] {
        text.push_str(&align_first_left(&one_group(group, quantity)));
    } else {
        text.push_str(&align(&successes(groups, quantity)));
        text.push('\n');
        text.push_str(&align(&everything(groups, quantity)));
    }
    text.push('\n');
    text.push_str(&legend(comparison));
    for note in comparison.notes.iter().cloned().chain(worth_of_pairs(groups)) {
        let _ = writeln!(text, "note: {note}");
    }
    for note in notes(groups, |group| &group.group, notes_of) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// `adversary.count 2: B − A = +10.3 ms [+9.2, +11.4] (mean of completed runs, paired t, 157 pairs): B is slower`.
fn sentence(group: &GroupComparison, quantity: &Quantity) -> String {
    let name = name(group);
    let name = if name.is_empty() { name } else { format!("{name}: ") };
    let unit = quantity.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let difference = &group.difference;
    let Some(estimate) = difference.estimate else {
        let reason = difference.note.as_deref().unwrap_or("undefined");
        return format!("{name}B − A is undefined: {reason}; success {}", in_percent(&group.success_difference));
    };
    let interval = difference.interval().map_or_else(
        || ", interval undefined".to_owned(),
        |(lower, upper)| {
            let digits = decimals((upper - lower) / 2.0, estimate);
            format!(" [{}, {}]", signed(lower, digits), signed(upper, digits))
        },
    );
    let verdict = match difference.verdict {
        Some(verdict) => in_words(verdict, quantity.sense),
        None => difference.note.clone().unwrap_or_else(|| "undefined".to_owned()),
    };
    let estimate = signed(estimate, digits_of(difference));
    format!("{name}B − A = {estimate}{unit}{interval} ({}): {verdict}", difference.method)
}

fn in_words(verdict: Verdict, sense: Sense) -> String {
    match (verdict, sense) {
        (Verdict::Higher, Sense::Time) => "B is slower".to_owned(),
        (Verdict::Lower, Sense::Time) => "B is faster".to_owned(),
        (Verdict::Higher | Verdict::Lower, _) => format!("B is {verdict}"),
        (Verdict::NotDistinguishable | Verdict::NotByTest | Verdict::NotAfterHolm(_), _) => verdict.to_string(),
    }
}

/// `adversary.count 2`, with several keys `a 1 b 2`, nothing without.
fn name(group: &GroupComparison) -> String {
    group.group.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(" ")
}

/// The figures of the only group, a row each.
fn one_group(group: &GroupComparison, quantity: &Quantity) -> Vec<Vec<String>> {
    let unit = quantity.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let row = |cells: [String; 5]| cells.to_vec();
    let of = |figures: &SideFigures| format!("{}/{}", figures.completed, figures.runs);
    let (a, b) = (&group.a, &group.b);
    let nothing = String::new;
    let means = |estimates: [&Estimate; 2]| estimates.map(mean);
    let [mean_a, mean_b] = means([&a.conditional.mean, &b.conditional.mean]);
    let [restricted_a, restricted_b] = means([&a.unconditional.restricted_mean, &b.unconditional.restricted_mean]);
    let [median_a, median_b] = [a, b].map(|figures| bounded(&figures.unconditional.median));
    vec![
        row(["", "A", "B", "B − A", "p"].map(str::to_owned)),
        row(["completed".to_owned(), of(&group.a), of(&group.b), nothing(), nothing()]),
        row([
            "success %".to_owned(),
            share(&a.success),
            share(&b.success),
            in_percent(&group.success_difference),
            p_value(group.success_difference.p),
        ]),
        row([
            format!("mean of those{unit}"),
            mean_a,
            mean_b,
            difference(&group.difference),
            p_value(group.difference.p),
        ]),
        row([format!("  {RELATIVE}"), nothing(), nothing(), ratio(&group.ratio), nothing()]),
        row([
            format!("mean to the limit, all{unit}"),
            restricted_a,
            restricted_b,
            difference(&group.restricted_mean_difference),
            p_value(group.restricted_mean_difference.p),
        ]),
        row([
            format!("median, shift, all{unit}"),
            median_a,
            median_b,
            shift(&group.shift),
            p_value(group.mann_whitney.p),
        ]),
        row([
            "distribution, all".to_owned(),
            nothing(),
            nothing(),
            group.kolmogorov_smirnov.d.map_or_else(dash, |d| format!("D = {d:.3}")),
            p_value(group.kolmogorov_smirnov.p),
        ]),
    ]
}

/// How often they succeed, and how those that did differ: a row a group.
fn successes(groups: &[GroupComparison], quantity: &Quantity) -> Vec<Vec<String>> {
    let unit = quantity.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let columns = [
        "A".to_owned(),
        "B".to_owned(),
        "success %, B − A".to_owned(),
        "p (Holm)".to_owned(),
        format!("mean A{unit}"),
        format!("mean B{unit}"),
        format!("B − A{unit}"),
        RELATIVE.to_owned(),
        "p (Holm)".to_owned(),
        "B is".to_owned(),
    ];
    let row = |group: &GroupComparison| {
        let verdict = group.difference.verdict.map_or_else(dash, |verdict| match verdict {
            Verdict::NotAfterHolm(_) => "not distinguishable (Holm)".to_owned(),
            other => in_words(other, quantity.sense).trim_start_matches("B is ").to_owned(),
        });
        let cells = [
            format!("{}/{}", group.a.completed, group.a.runs),
            format!("{}/{}", group.b.completed, group.b.runs),
            in_percent(&group.success_difference),
            p_value(group.success_difference.p_holm),
            mean(&group.a.conditional.mean),
            mean(&group.b.conditional.mean),
            difference(&group.difference),
            ratio(&group.ratio),
            p_value(group.difference.p_holm),
            verdict,
        ];
        values(group).chain(cells).collect()
    };
    with_header(groups, columns.to_vec(), row)
}

/// How all differ, failures included: a row a group.
fn everything(groups: &[GroupComparison], quantity: &Quantity) -> Vec<Vec<String>> {
    let unit = quantity.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let columns = [
        format!("mean to the limit, B − A{unit}"),
        "p (Holm)".to_owned(),
        format!("shift{unit}"),
        "p (Holm)".to_owned(),
        "distribution D".to_owned(),
        "p (Holm)".to_owned(),
    ];
    let row = |group: &GroupComparison| {
        let cells = [
            difference(&group.restricted_mean_difference),
            p_value(group.restricted_mean_difference.p_holm),
            shift(&group.shift),
            p_value(group.mann_whitney.p_holm),
            group.kolmogorov_smirnov.d.map_or_else(dash, |d| format!("{d:.3}")),
            p_value(group.kolmogorov_smirnov.p_holm),
        ];
        values(group).chain(cells).collect()
    };
    with_header(groups, columns.to_vec(), row)
}

fn with_header(
    groups: &[GroupComparison],
    columns: Vec<String>,
    row: impl Fn(&GroupComparison) -> Vec<String>,
) -> Vec<Vec<String>> {
    let keys = groups.first().into_iter().flat_map(|group| &group.group).map(|(key, _)| key.clone());
    std::iter::once(keys.chain(columns).collect()).chain(groups.iter().map(row)).collect()
}

fn values(group: &GroupComparison) -> impl Iterator<Item = String> {
    group.group.iter().map(|(_, value)| value.clone())
}

/// What the figures are, and how they were made.
fn legend(comparison: &Comparison) -> String {
    let groups = &comparison.groups;
    let paired = groups.iter().filter(|group| group.pairs.is_some()).count();
    let means = match (paired, groups.len() - paired) {
        (_, 0) => "Runs with the same index and seed met the same random numbers and are compared in pairs: paired t for means, \
                   Newcombe\nfor pairs and McNemar's exact test for success."
            .to_owned(),
        (0, _) => "Both sides are taken as independent: Welch for means, Newcombe and Fisher's exact test for success.".to_owned(),
        (paired, _) => format!(
            "In {paired} of {} groups runs met the same random numbers and are compared in pairs (paired t, Newcombe for pairs, \
             McNemar);\nin the others both sides are taken as independent (Welch, Newcombe, Fisher).",
            groups.len()
        ),
    };
    let end = if comparison.quantity.sense == Sense::Rate { "are below everything" } else { "are +∞" };
    let mut text = format!(
        "{means}\nThe mean is over what succeeded alone. Of all: mean of min(x, limit), where failures count as the limit; Hodges and \
         Lehmann's shift\nwith Mann and Whitney's p, and Kolmogorov and Smirnov's D and p, where failures {end} and both sides count as \
         independent.\n"
    );
    if groups.len() > 1 {
        text.push_str(
            "p (Holm) is adjusted for the number of groups, each column by itself; a difference must withstand that too.\n",
        );
    }
    text
}

/// What pairs are worth, over all groups.
fn worth_of_pairs(groups: &[GroupComparison]) -> Option<String> {
    let of_pairs = groups.iter().filter_map(|group| group.correlation.zip(group.narrowing));
    let ends = |of: fn((f64, f64)) -> f64, decimals: usize| -> Option<String> {
        let least = of_pairs.clone().map(of).min_by(f64::total_cmp)?;
        let most = of_pairs.clone().map(of).max_by(f64::total_cmp)?;
        let [least, most] = [least, most].map(|end| format!("{end:.decimals$}"));
        Some(if least == most { least } else { format!("{least} to {most}") })
    };
    let (correlations, narrowings) = (ends(|it| it.0, 3)?, ends(|it| it.1, 1)?);
    Some(format!(
        "pairs correlate with {correlations}; as independent runs the interval of the difference of means would be \
         {narrowings} times as wide"
    ))
}

fn notes_of(group: &GroupComparison) -> Vec<String> {
    let mut notes = group.notes.clone();
    let named = [
        ("difference of means", &group.difference.note),
        (RELATIVE, &group.ratio.note),
        ("difference in success", &group.success_difference.note),
        ("mean to the limit", &group.restricted_mean_difference.note),
        ("shift", &group.shift.note),
        ("rank test", &group.mann_whitney.note),
        ("distribution test", &group.kolmogorov_smirnov.note),
    ];
    // One reason is said once, with all that it is about.
    let mut reasons: Vec<(&String, Vec<&str>)> = Vec::new();
    for (name, note) in named {
        let Some(note) = note else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == note) {
            Some((_, about)) => about.push(name),
            None => reasons.push((note, vec![name])),
        }
    }
    notes.extend(reasons.into_iter().map(|(note, about)| format!("{}: {note}", about.join(", "))));
    notes
}

/// The comparison as a JSON array with an object a group, indented, with a line end. What is undefined is `null`, with a
/// `note` that says why; notes on the whole stand in each group.
///
/// ```
/// use byzlab_analysis::compare::{CompareOptions, Quantity, Sense, Side, SideGroup, SideUnit, compare};
/// use byzlab_analysis::{render, statistics::Attempt};
/// let unit = |value| SideUnit::from(Attempt::Success(value));
/// let group = SideGroup { group: Vec::new(), units: vec![unit(1.0), unit(2.0)], limit: None, no_value: None };
/// let side = Side { name: "x".into(), units: "rows", success: "successful", groups: vec![group], notes: Vec::new() };
/// let quantity = Quantity { name: "x".into(), words: "column x".into(), unit: None, sense: Sense::Unknown };
/// let json = render::comparison_json(&compare(&side, &side, quantity, &CompareOptions::default())?);
/// assert!(json.starts_with("[\n  {\n    \"group\": {},\n    \"metric\": \"x\","));
/// # Ok::<(), byzlab_analysis::compare::CompareError>(())
/// ```
pub fn comparison_json(comparison: &Comparison) -> String {
    let groups: Vec<GroupComparison> =
        comparison.groups.iter().map(|group| with_all_notes(group, comparison)).collect();
    // It cannot fail: a comparison holds strings and numbers only, and its keys are strings.
    let text = serde_json::to_string_pretty(&groups).unwrap_or_default();
    text + "\n"
}

fn with_all_notes(group: &GroupComparison, comparison: &Comparison) -> GroupComparison {
    let mut group = group.clone();
    group.notes.splice(0..0, comparison.notes.iter().cloned());
    group
}

/// The comparison as CSV with a header, a row a group; what is undefined is empty, the reasons stand in `notes`.
pub fn comparison_csv(comparison: &Comparison) -> String {
    let rows = comparison.groups.iter().map(|group| csv_row(group, comparison));
    let header = rows.clone().next().map(|row| row.into_iter().map(|(name, _)| name).collect());
    write_records(header.into_iter().chain(rows.map(|row| row.into_iter().map(|(_, field)| field).collect())))
}

/// The fields of a group with the names of their columns.
fn csv_row(group: &GroupComparison, comparison: &Comparison) -> Vec<(String, String)> {
    let mut row: Vec<(String, String)> = group.group.clone();
    let mut field = |name: &str, value: String| row.push((name.to_owned(), value));
    field("metric", group.metric.clone());
    field("unit", group.unit.clone().unwrap_or_default());
    field("confidence", group.confidence.to_string());
    for (name, side) in [("a", &group.a), ("b", &group.b)] {
        field(name, side.name.clone());
        field(&format!("{name}_runs"), side.runs.to_string());
        field(&format!("{name}_completed"), side.completed.to_string());
        field(&format!("{name}_success"), optional(side.success.estimate));
        field(&format!("{name}_mean"), optional(side.conditional.mean.estimate));
        field(&format!("{name}_restricted_mean"), optional(side.unconditional.restricted_mean.estimate));
        field(&format!("{name}_median_of_all"), optional(side.unconditional.median.estimate));
    }
    for (name, difference) in [
        ("difference", &group.difference),
        ("success_difference", &group.success_difference),
        ("restricted_mean_difference", &group.restricted_mean_difference),
    ] {
        field(name, optional(difference.estimate));
        field(&format!("{name}_lower"), optional(difference.lower));
        field(&format!("{name}_upper"), optional(difference.upper));
        field(&format!("{name}_p"), optional(difference.p));
        field(&format!("{name}_p_holm"), optional(difference.p_holm));
        field(&format!("{name}_verdict"), difference.verdict.map_or_else(String::new, |verdict| verdict.to_string()));
    }
    for (name, estimate) in [("ratio", &group.ratio), ("shift", &group.shift)] {
        field(name, optional(estimate.estimate));
        field(&format!("{name}_lower"), optional(estimate.lower));
        field(&format!("{name}_upper"), optional(estimate.upper));
    }
    field("limit", optional(group.limit));
    field("mann_whitney_u", optional(group.mann_whitney.u));
    field("mann_whitney_p", optional(group.mann_whitney.p));
    field("mann_whitney_p_holm", optional(group.mann_whitney.p_holm));
    field("kolmogorov_smirnov_d", optional(group.kolmogorov_smirnov.d));
    field("kolmogorov_smirnov_p", optional(group.kolmogorov_smirnov.p));
    field("kolmogorov_smirnov_p_holm", optional(group.kolmogorov_smirnov.p_holm));
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    field("pairs", count(group.pairs));
    field("complete_pairs", count(group.complete_pairs));
    field("correlation", optional(group.correlation));
    field("narrowing", optional(group.narrowing));
    let notes: Vec<String> = comparison.notes.iter().cloned().chain(notes_of(group)).collect();
    field("notes", notes.join("; "));
    row
}

fn dash() -> String {
    "–".to_owned()
}

/// As many decimals as the interval justifies.
fn digits_of(difference: &Difference) -> i32 {
    let estimate = difference.estimate.unwrap_or(0.0);
    let half_width = difference.interval().map_or(0.0, |(lower, upper)| (upper - lower) / 2.0);
    decimals(half_width, estimate)
}

fn difference(it: &Difference) -> String {
    interval(it.estimate, it.lower, it.upper, digits_of(it))
}

/// A difference of shares in percentage points.
fn in_percent(it: &Difference) -> String {
    let [estimate, lower, upper] = [it.estimate, it.lower, it.upper].map(|share| share.map(|share| share * 100.0));
    interval(estimate, lower, upper, 1)
}

fn shift(it: &Estimate) -> String {
    let digits = decimals(it.half_width().unwrap_or(0.0), it.estimate.unwrap_or(0.0));
    interval(it.estimate, it.lower, it.upper, digits)
}

/// B / A as what it adds to A or takes away: `+5.2 % [+4.1, +6.3]`.
fn ratio(it: &Estimate) -> String {
    let [estimate, lower, upper] =
        [it.estimate, it.lower, it.upper].map(|ratio| ratio.map(|ratio| (ratio - 1.0) * 100.0));
    let Some(estimate) = estimate else { return dash() };
    let half_width = it.half_width().unwrap_or(0.0) * 100.0;
    let digits = decimals(half_width, estimate).min(3);
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| signed(end, digits));
    format!("{} % [{}, {}]", signed(estimate, digits), end(lower), end(upper))
}

fn interval(estimate: Option<f64>, lower: Option<f64>, upper: Option<f64>, digits: i32) -> String {
    if estimate.is_none() && lower.is_none() && upper.is_none() {
        return dash();
    }
    let number = |number: Option<f64>| number.map_or_else(|| "?".to_owned(), |number| signed(number, digits));
    format!("{} [{}, {}]", number(estimate), number(lower), number(upper))
}

/// A figure of all: it may be known only to lie above the limit.
fn bounded(it: &Estimate) -> String {
    match (it.estimate, it.above) {
        (Some(value), _) => rounded(value, decimals(it.half_width().unwrap_or(0.0), value)),
        (None, Some(limit)) => format!("> {limit}"),
        (None, None) => dash(),
    }
}

/// With its sign, also that of 0 left out: `+1.5`, `−1.5`, `0.0`.
fn signed(number: f64, digits: i32) -> String {
    let size = rounded(number.abs(), digits);
    let is_zero = size.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if is_zero {
        ""
    } else if number < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{size}")
}

/// `0.012`, `< 0.0001`, a dash if undefined.
fn p_value(p: Option<f64>) -> String {
    match p {
        None => dash(),
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) if p < 0.1 => format!("{p:.4}"),
        Some(p) => format!("{p:.2}"),
    }
}

/// Like a table of groups, but with names of rows on the left.
fn align_first_left(rows: &[Vec<String>]) -> String {
    let width = rows.iter().filter_map(|row| row.first()).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let padded = |row: &Vec<String>| {
        let mut row = row.clone();
        if let Some(first) = row.first_mut() {
            *first = format!("{first:<width$}");
        }
        row
    };
    align(&rows.iter().map(padded).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{p_value, signed};

    #[test]
    fn numbers_have_their_sign() {
        assert_eq!([1.25, -1.25, 0.0, -0.001].map(|number| signed(number, 1)), ["+1.2", "−1.2", "0.0", "0.0"]);
    }

    #[test]
    fn p_values_are_never_shown_as_0() {
        assert_eq!(
            [Some(0.0), Some(1e-5), Some(0.0123), Some(0.5), None].map(p_value),
            ["< 0.0001", "< 0.0001", "0.0123", "0.50", "–"]
        );
    }
}
