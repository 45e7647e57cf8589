//! What the plots of a distribution share: the groups that are drawn, their values and failures, and their words.

use super::sweep::{name, span};
use crate::metric::Metric;
use crate::render::percent_digits;
use crate::results::MeasuredRuns;
use crate::statistics::Attempt;
use crate::summary::{AnalysisError, AnalysisOptions, group_rows};
use crate::table::{TableData, TableOptions};

/// More lines than these are not told apart.
const MOST_GROUPS: usize = 6;

/// Units that are drawn as one: a cell's runs, a table's rows.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionGroup {
    /// Its name; may be empty if it is the only one.
    pub label: String,
    /// What became of each unit.
    pub attempts: Vec<Attempt>,
}

/// What the groups' values are.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionLabels {
    /// What stands in the title, such as `Consensus latency (all_commit)`.
    pub title: String,
    /// What a value is, with its unit, such as `mean latency of a run [ms of virtual time]`.
    pub value: String,
    /// What the units are called: `runs`, `rows`.
    pub unit: String,
    /// What a unit that succeeded is: `completed`, `successful`.
    pub success: String,
    /// Confidence of bands and intervals.
    pub confidence: f64,
}

/// The values of the runs of a results folder by group, and what they are called; of the options, metric, grouping and
/// confidence matter. No groups if there is no log, or it was not read for this metric.
///
/// A run that failed has no throughput, not even an infinite one: with that metric only the completed runs are there.
///
/// ```no_run
/// use byzlab_analysis::plot::distribution_groups;
/// use byzlab_analysis::{AnalysisOptions, MeasuredRuns, write_distribution_plots};
/// let (dir, options) = ("results".as_ref(), AnalysisOptions::default());
/// let runs = MeasuredRuns::read(dir, &[options.metric], &options)?;
/// let (groups, labels) = distribution_groups(&runs, &options)?;
/// write_distribution_plots(dir, &groups, &labels)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn distribution_groups(
    runs: &MeasuredRuns,
    options: &AnalysisOptions,
) -> Result<(Vec<DistributionGroup>, DistributionLabels), AnalysisError> {
    let metric = options.metric;
    let (title, value) = match metric {
        Metric::Throughput => ("Throughput".to_owned(), "throughput of a run".to_owned()),
        Metric::Client => ("Client latency".to_owned(), "mean latency of a run".to_owned()),
        latency => (format!("Consensus latency ({latency})"), "mean latency of a run".to_owned()),
    };
    let (unit, success) = match metric {
        Metric::Throughput => ("completed runs", "with a value"),
        _ => ("runs", "completed"),
    };
    let labels = DistributionLabels {
        title,
        value: format!("{value} [{} of virtual time]", metric.unit()),
        unit: unit.to_owned(),
        success: success.to_owned(),
        confidence: options.confidence,
    };
    let Some(attempts) = runs.attempts(metric) else {
        return Ok((Vec::new(), labels));
    };
    let groups = group_rows(&runs.table, options.by.as_deref())?.into_iter().map(|group| DistributionGroup {
        label: name(&group.group),
        attempts: group.rows.iter().filter_map(|&row| attempts[row]).collect(),
    });
    Ok((groups.collect(), labels))
}

/// The rows of a table by group, and what they are called, as [`distribution_groups`] gives those of a results folder; and how many groups
/// are left out, for their rows are too many to be kept one by one.
///
/// ```
/// use byzlab_analysis::plot::distribution_groups_of_table;
/// use byzlab_analysis::table::{TableOptions, read_table};
/// let options = TableOptions { by: vec!["system".to_owned()], ..TableOptions::of("latency") };
/// let data = read_table("system,latency\npbft,12\nhotstuff,20\n".as_bytes(), "t.csv", &options)?;
/// let (groups, labels, left_out) = distribution_groups_of_table(&data, &options, 0.95);
/// assert_eq!((groups[0].label.as_str(), groups.len(), left_out), ("system = pbft", 2, 0));
/// assert_eq!(labels.value, "latency");
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn distribution_groups_of_table(
    data: &TableData,
    options: &TableOptions,
    confidence: f64,
) -> (Vec<DistributionGroup>, DistributionLabels, usize) {
    let unit = options.unit.as_ref().map_or_else(String::new, |unit| format!(" [{unit}]"));
    let labels = DistributionLabels {
        title: options.column.clone(),
        value: format!("{}{unit}", options.column),
        unit: "rows".to_owned(),
        success: "successful".to_owned(),
        confidence,
    };
    let exact = data.groups.iter().filter_map(|group| {
        let keys: Vec<_> = options.by.iter().cloned().zip(group.key.iter().cloned()).collect();
        Some(DistributionGroup { label: name(&keys), attempts: group.sample.attempts()?.to_vec() })
    });
    let groups: Vec<DistributionGroup> = exact.collect();
    let left_out = data.groups.len() - groups.len();
    (groups, labels, left_out)
}

/// A group that is drawn.
pub(super) struct Sample<'a> {
    pub(super) label: &'a str,
    /// The values of the units that succeeded, finite and in rising order.
    pub(super) values: Vec<f64>,
    /// Number of units that did not.
    pub(super) failures: usize,
    /// The least limit of those, if it is known.
    pub(super) limit: Option<f64>,
}

impl Sample<'_> {
    /// Number of units.
    pub(super) fn n(&self) -> usize {
        self.values.len() + self.failures
    }

    /// The value of this rank, counted from 1; `None` for a failure, which is +∞.
    pub(super) fn at_rank(&self, rank: u64) -> Option<f64> {
        self.values.get(rank as usize - 1).copied()
    }
}

/// What is drawn, and what is not.
pub(super) struct Distribution<'a> {
    pub(super) labels: &'a DistributionLabels,
    /// At most six, all with a value.
    pub(super) samples: Vec<Sample<'a>>,
    /// Sentences about all that is left out.
    omitted: Vec<String>,
}

impl<'a> Distribution<'a> {
    /// `None` without any value.
    pub(super) fn new(groups: &'a [DistributionGroup], labels: &'a DistributionLabels) -> Option<Self> {
        let mut left_out = 0;
        let (mut drawable, mut empty) = (Vec::new(), Vec::new());
        for group in groups {
            let checked: Vec<Attempt> = group.attempts.iter().filter_map(|attempt| attempt.checked()).collect();
            left_out += group.attempts.len() - checked.len();
            let mut values: Vec<f64> = checked.iter().filter_map(|attempt| attempt.value()).collect();
            values.sort_by(f64::total_cmp);
            let failures = checked.len() - values.len();
            let limit = checked.iter().filter_map(|attempt| attempt.limit()).min_by(f64::total_cmp);
            if values.is_empty() {
                empty.push(group.label.as_str());
            } else {
                drawable.push(Sample { label: &group.label, values, failures, limit });
            }
        }
        if drawable.is_empty() {
            return None;
        }
        let mut omitted = Vec::new();
        let count = drawable.len();
        if count > MOST_GROUPS {
            omitted.push(format!(
                "Drawn are {MOST_GROUPS} of {count} groups with values: the first, the last and others at even distance between them."
            ));
            // Whole numbers: the places 0, …, count − 1 in five steps, rounded.
            let steps = MOST_GROUPS - 1;
            let places: Vec<usize> = (0..=steps).map(|step| (step * (count - 1) * 2 + steps) / (2 * steps)).collect();
            let mut index = 0;
            drawable.retain(|_| {
                index += 1;
                places.contains(&(index - 1))
            });
        }
        if !empty.is_empty() {
            let names = enumerate(&empty);
            omitted.push(format!("Not drawn, none {}: {names}.", labels.success));
        }
        if left_out > 0 {
            omitted.push(format!("Left out: {left_out} {} without a number.", labels.unit));
        }
        Some(Self { labels, samples: drawable, omitted })
    }

    /// All values of all groups.
    pub(super) fn pooled(&self) -> Vec<f64> {
        let mut pooled: Vec<f64> = self.samples.iter().flat_map(|sample| &sample.values).copied().collect();
        pooled.sort_by(f64::total_cmp);
        pooled
    }

    pub(super) fn legend(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|sample| sample.label)
    }

    /// `95 %`
    pub(super) fn confidence(&self) -> String {
        format!("{} %", percent_digits(self.labels.confidence))
    }

    /// `200 runs a group, of which 131–200 completed.`
    pub(super) fn sizes(&self) -> String {
        let DistributionLabels { unit, success, .. } = self.labels;
        let all = span(self.samples.iter().map(|sample| sample.n() as u64));
        let successes = span(self.samples.iter().map(|sample| sample.values.len() as u64));
        let group = if self.samples.len() > 1 { " a group" } else { "" };
        let unit = if all == "1" { one(unit) } else { unit };
        let successes = match (self.has_failures(), &all[..]) {
            (true, _) => format!("{successes} "),
            // A single one is not all of many.
            (false, "1") => String::new(),
            (false, _) => "all ".to_owned(),
        };
        format!("{all} {unit}{group}, {successes}{success}.")
    }

    /// Whether any unit of those that are drawn failed.
    pub(super) fn has_failures(&self) -> bool {
        self.samples.iter().any(|sample| sample.failures > 0)
    }

    /// What a subtitle says of failures, if there are any.
    pub(super) fn failures_count(&self) -> String {
        let success = &self.labels.success;
        if self.has_failures() { format!("; those not {success} count as +∞") } else { String::new() }
    }

    /// The name of what lies above all values: the limit, where all failures share one.
    pub(super) fn above(&self) -> String {
        let mut limits: Vec<f64> = self.samples.iter().filter_map(|sample| sample.limit).collect();
        limits.dedup();
        match limits[..] {
            [limit] => format!("> {limit}"),
            _ => format!("not\n{}", self.labels.success),
        }
    }

    /// The sentences about what is left out.
    pub(super) fn omitted(&self) -> String {
        self.omitted.join(" ")
    }
}

/// `run` of `runs`.
pub(super) fn one(units: &str) -> &str {
    units.strip_suffix('s').unwrap_or(units)
}

/// The first dozen, and how many more there are. Of a single key only the values are repeated: `key = 1, 2, 3`.
pub(super) fn enumerate(names: &[&str]) -> String {
    let shown = &names[..names.len().min(12)];
    let more =
        if shown.len() < names.len() { format!(" and {} more", names.len() - shown.len()) } else { String::new() };
    let pairs: Option<Vec<(&str, &str)>> = shown.iter().map(|name| name.split_once(" = ")).collect();
    let shown = match pairs.as_deref() {
        Some([(key, first), others @ ..])
            if !first.contains(" = ") && others.iter().all(|(other, value)| other == key && !value.contains(" = ")) =>
        {
            let values: Vec<&str> = [*first].into_iter().chain(others.iter().map(|(_, value)| *value)).collect();
            format!("{key} = {}", values.join(", "))
        }
        _ => shown.join("; "),
    };
    shown + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_key_is_named_once() {
        assert_eq!(enumerate(&["a = 1", "a = 2", "a = 3"]), "a = 1, 2, 3");
        assert_eq!(enumerate(&["a = 1", "b = 2"]), "a = 1; b = 2");
        assert_eq!(enumerate(&["a = 1, b = 2", "a = 1, b = 3"]), "a = 1, b = 2; a = 1, b = 3");
        assert_eq!(enumerate(&["x"]), "x");
        assert_eq!(enumerate(&[]), "");
        let many: Vec<String> = (0..14).map(|value| format!("a = {value}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(enumerate(&many), "a = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more");
    }
}
