//! Where sides come from: results folders and tables.

use std::collections::{BTreeMap, BTreeSet};

use super::CompareError;
use super::side::{Side, SideGroup, SideUnit, Stream, Value};
use crate::attempts::TimeLimits;
use crate::metric::Metric;
use crate::results::MeasuredRuns;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::statistics::Attempt;
use crate::table::{Condition, TableData, TableOptions};

/// Which runs of a results folder are compared, and in which groups.
#[derive(Clone, Copy, Debug)]
pub struct RunChoice<'a> {
    /// `A` or `B`, for messages.
    pub letter: &'static str,
    /// The folder, for tables and messages.
    pub name: &'a str,
    /// The columns of `runs.csv` that make the groups, as in [`AnalysisOptions::by`](crate::AnalysisOptions::by).
    pub by: &'a [String],
    /// Only runs that meet all of these: conditions on swept keys, `cell`, `run`, `seed`, `replicas`, `faults`, `corrupted`,
    /// `outcome`, `agreement` and `validity`.
    pub conditions: &'a [Condition],
    /// What is compared.
    pub metric: Metric,
    /// The time limits of the runs.
    pub time_limits: &'a TimeLimits,
}

impl Side {
    /// The runs of a results folder.
    ///
    /// # Errors
    ///
    /// If a condition or the grouping names a column that is not there, or a condition cannot be decided.
    ///
    /// ```no_run
    /// use byzlab_analysis::compare::{RunChoice, Side};
    /// use byzlab_analysis::{AnalysisOptions, MeasuredRuns, Metric, TimeLimits};
    /// let runs = MeasuredRuns::read("results".as_ref(), &[Metric::Client], &AnalysisOptions::default())?;
    /// let conditions = ["adversary.count = 2".parse()?];
    /// let choice = RunChoice {
    ///     letter: "A",
    ///     name: "results",
    ///     by: &[],
    ///     conditions: &conditions,
    ///     metric: Metric::Client,
    ///     time_limits: &TimeLimits::Unknown,
    /// };
    /// println!("{} runs", Side::of_runs(&runs, &choice)?.groups[0].units.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_runs(runs: &MeasuredRuns, choice: &RunChoice<'_>) -> Result<Self, CompareError> {
        let table = &runs.table;
        let chosen = chosen_rows(table, choice)?;
        let attempts = runs.attempts(choice.metric);
        let selected = RunTable {
            swept_keys: table.swept_keys.clone(),
            rows: chosen.iter().map(|&row| table.rows[row].clone()).collect(),
        };
        let groups = crate::summary::group_rows(&selected, Some(choice.by))?.into_iter().map(|it| {
            let rows = || it.rows.iter().map(|&row| &selected.rows[row]);
            let unit = |&row: &usize| {
                let attempt = attempts.as_ref().and_then(|attempts| attempts[chosen[row]]);
                unit_of(&selected.rows[row], attempt)
            };
            let limits = rows().map(|row| choice.time_limits.of_cell(row.cell));
            let limit = limits.flatten().min().map(|ns| ns as f64 / 1e6);
            SideGroup {
                units: it.rows.iter().map(unit).collect(),
                limit: limit.filter(|_| choice.metric != Metric::Throughput),
                no_value: no_value(rows(), attempts.is_none(), choice.metric),
                group: it.group.clone(),
            }
        });
        let damaged = chosen.iter().filter(|row| runs.damaged[**row]).count();
        let without = (damaged > 0)
            .then(|| format!("runs without a value, for rows of theirs were skipped or are missing: {damaged}"));
        Ok(Self {
            name: with_conditions(choice.name, choice.conditions),
            units: "runs",
            success: "completed",
            groups: groups.collect(),
            notes: pooled(&selected, choice.by).into_iter().chain(without).chain(runs.warnings()).collect(),
        })
    }

    /// The rows of a table, which was read with these options.
    ///
    /// # Errors
    ///
    /// If rows were summed up in a sketch: ranks need each row. [`TableOptions::exact`] says how many are kept.
    ///
    /// ```
    /// use byzlab_analysis::compare::Side;
    /// use byzlab_analysis::table::{TableOptions, read_table};
    /// let options = TableOptions { by: vec!["system".to_owned()], ..TableOptions::of("ms") };
    /// let data = read_table("system,ms\npbft,12\nraft,7\npbft,13\n".as_bytes(), "measured.csv", &options)?;
    /// let side = Side::of_table(&data, "measured.csv", &options)?;
    /// assert_eq!((side.groups[0].units.len(), &side.groups[0].group[0].1[..]), (2, "pbft"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_table(data: &TableData, name: &str, options: &TableOptions) -> Result<Self, CompareError> {
        let mut groups = Vec::new();
        for it in data.groups.iter().filter(|group| !group.sample.is_empty()) {
            let Some(attempts) = it.sample.attempts() else {
                return Err(CompareError::Sketched { name: name.to_owned(), rows: it.sample.len() });
            };
            groups.push(SideGroup {
                group: options.by.iter().cloned().zip(it.key.iter().cloned()).collect(),
                units: attempts.iter().copied().map(SideUnit::from).collect(),
                limit: options.limit,
                no_value: None,
            });
        }
        let mut notes = Vec::new();
        let missing: u64 = data.groups.iter().map(|group| group.missing).sum();
        let above: u64 = data.groups.iter().map(|group| group.above_limit).sum();
        for (count, what) in [
            (missing, "have no value and are left out"),
            (above, "have a value above their limit and count as failed"),
            (data.skipped, "cannot be used and are left out"),
        ] {
            if count > 0 {
                notes.push(format!("{count} of {} rows {what}", data.rows));
            }
        }
        Ok(Self {
            name: with_conditions(&format!("{name}, column {}", options.column), &options.conditions),
            units: "rows",
            success: "successful",
            groups,
            notes,
        })
    }
}

/// The columns by which the runs of two folders are matched if nobody says otherwise: the keys that both sweep, in the order
/// of A, but those that a condition of either side sets to one value.
///
/// ```
/// use byzlab_analysis::compare::common_keys;
/// let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
/// let conditions = ["adversary.count = 2".parse()?];
/// let (a, b) = (keys(&["adversary.count", "network.drop", "x"]), keys(&["network.drop", "adversary.count"]));
/// assert_eq!(common_keys(&a, &b, &conditions), ["network.drop"]);
/// # Ok::<(), byzlab_analysis::table::ConditionError>(())
/// ```
pub fn common_keys(a: &[String], b: &[String], conditions: &[Condition]) -> Vec<String> {
    let is_set = |key: &String| conditions.iter().any(|it| it.is_equality() && it.column() == key);
    a.iter().filter(|key| b.contains(key) && !is_set(key)).cloned().collect()
}

fn chosen_rows(table: &RunTable, choice: &RunChoice<'_>) -> Result<Vec<usize>, CompareError> {
    for condition in choice.conditions {
        let column = condition.column();
        if !table.swept_keys.iter().any(|key| key == column) && !OTHER_COLUMNS.contains(&column) {
            let swept = table.swept_keys.iter().cloned();
            return Err(CompareError::UnknownColumn {
                side: choice.letter,
                name: choice.name.to_owned(),
                condition: condition.to_string(),
                column: column.to_owned(),
                available: swept.chain(OTHER_COLUMNS.map(str::to_owned)).collect(),
            });
        }
    }
    let mut chosen = Vec::new();
    for (place, row) in table.rows.iter().enumerate() {
        let mut meets_all = true;
        for condition in choice.conditions {
            meets_all &= condition.matches(|column| field(table, row, column))?;
        }
        if meets_all {
            chosen.push(place);
        }
    }
    Ok(chosen)
}

/// The columns besides the swept keys by which runs can be chosen.
const OTHER_COLUMNS: [&str; 9] =
    ["cell", "run", "seed", "replicas", "faults", "corrupted", "outcome", "agreement", "validity"];

fn field(table: &RunTable, row: &RunRow, column: &str) -> Option<String> {
    if let Some(index) = table.swept_keys.iter().position(|key| key == column) {
        return Some(row.parameters[index].clone());
    }
    Some(match column {
        "cell" => row.cell.to_string(),
        "run" => row.run.to_string(),
        "seed" => row.seed.to_string(),
        "replicas" => row.replicas.to_string(),
        "faults" => row.faults.to_string(),
        "corrupted" => row.corrupted.to_string(),
        "outcome" => row.outcome.name().to_owned(),
        "agreement" => row.agreement.to_string(),
        "validity" => row.validity.to_string(),
        _ => return None,
    })
}

fn unit_of(row: &RunRow, attempt: Option<Attempt>) -> SideUnit {
    SideUnit {
        succeeded: row.outcome == Outcome::Completed,
        attempt,
        stream: Some(Stream { run: row.run, seed: row.seed }),
    }
}

fn no_value<'a>(mut rows: impl Iterator<Item = &'a RunRow>, no_log: bool, metric: Metric) -> Option<String> {
    if no_log {
        return Some(format!("no events.csv: {} needs `[output] events = \"protocol\"`", metric.quantity()));
    }
    let completed = rows.any(|row| row.outcome == Outcome::Completed);
    completed.then(|| format!("the completed runs have no {metric} value"))
}

/// Swept keys that take several values within a group.
fn pooled(table: &RunTable, by: &[String]) -> Vec<String> {
    let by_places: Vec<Option<usize>> =
        by.iter().map(|name| table.swept_keys.iter().position(|key| key == name)).collect();
    // Groups by `cell` pool nothing.
    if by.iter().any(|name| name == "cell") {
        return Vec::new();
    }
    let group = |row: &RunRow| -> Vec<String> {
        by_places.iter().flatten().map(|&place| row.parameters[place].clone()).collect()
    };
    let note = |(place, key): (usize, &String)| {
        let mut values: BTreeMap<Vec<String>, BTreeSet<Value>> = BTreeMap::new();
        for row in &table.rows {
            values.entry(group(row)).or_default().insert(Value::of(&row.parameters[place]));
        }
        let most = values.values().map(BTreeSet::len).max().unwrap_or(0);
        (most > 1).then(|| {
            format!(
                "a group holds runs with {most} values of {key}; choose one with a condition, or match by it with --by"
            )
        })
    };
    let others = table.swept_keys.iter().enumerate().filter(|(_, key)| !by.contains(key));
    others.filter_map(note).collect()
}

/// `results/tutorial where adversary.count=0`.
fn with_conditions(name: &str, conditions: &[Condition]) -> String {
    if conditions.is_empty() {
        return name.to_owned();
    }
    let conditions: Vec<String> = conditions.iter().map(Condition::to_string).collect();
    format!("{name} where {}", conditions.join(" and "))
}
