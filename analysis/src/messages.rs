//! What runs cost in messages and bytes, from `runs.csv` alone.

use crate::runs::{Outcome, RunRow, RunTable};
use crate::statistics::{Estimate, FigureOptions, ratio_of_paired_means};
use crate::summary::{AnalysisError, group_rows};

/// Messages and bytes of the runs of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageSummary {
    /// The columns that define the group, with their values.
    pub group: Vec<(String, String)>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of runs, without those that ended with an error: they say nothing about the system.
    pub runs: u64,
    /// Number of those that completed.
    pub completed: u64,
    /// Mean number of messages sent a run.
    pub messages: Estimate,
    /// Mean number of bytes sent a run.
    pub bytes: Estimate,
    /// All messages divided by all accepted requests; undefined if no request was accepted.
    pub messages_per_request: Estimate,
}

/// Summarises messages and bytes of all runs but those that ended with an error, whether they completed or not.
///
/// Groups come in the order of their first run; `by` as in [`AnalysisOptions`](crate::AnalysisOptions).
///
/// ```
/// use byzlab_analysis::{RunTable, summarize_messages};
/// let table = RunTable { swept_keys: Vec::new(), rows: Vec::new() };
/// assert_eq!(summarize_messages(&table, None, 0.95)?, []);
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn summarize_messages(
    table: &RunTable,
    by: Option<&[String]>,
    confidence: f64,
) -> Result<Vec<MessageSummary>, AnalysisError> {
    let options = FigureOptions { confidence, ..FigureOptions::default() };
    let summarize = |group: crate::summary::RowGroup| {
        let rows = group.rows.iter().map(|&row| &table.rows[row]);
        let rows: Vec<&RunRow> = rows.filter(|row| row.outcome != Outcome::Error).collect();
        let mean = |of: fn(&RunRow) -> u64| {
            let values: Vec<f64> = rows.iter().map(|row| of(row) as f64).collect();
            options.mean(&values, || "no run without an error".to_owned())
        };
        let pairs: Vec<(f64, f64)> = rows.iter().map(|row| (row.messages as f64, row.completed as f64)).collect();
        MessageSummary {
            group: group.group,
            confidence,
            runs: rows.len() as u64,
            completed: rows.iter().filter(|row| row.outcome == Outcome::Completed).count() as u64,
            messages: mean(|row| row.messages),
            bytes: mean(|row| row.bytes),
            messages_per_request: ratio(&pairs, confidence),
        }
    };
    Ok(group_rows(table, by)?.into_iter().map(summarize).collect())
}

/// Σy / Σx with Fieller's interval for pairs: each run has messages and accepted requests.
fn ratio(pairs: &[(f64, f64)], confidence: f64) -> Estimate {
    let method = "Fieller's interval over runs";
    let (messages, requests) = pairs.iter().fold((0.0, 0.0), |(y, x), pair| (y + pair.0, x + pair.1));
    if requests <= 0.0 {
        return Estimate::undefined(method, "no request was accepted");
    }
    let ratio = Estimate::new(method, messages / requests);
    match ratio_of_paired_means(pairs, confidence) {
        Some(interval) => ratio.with_interval(interval.lower, interval.upper),
        None if pairs.len() < 2 => ratio.with_note("interval undefined: needs at least 2 runs"),
        None => ratio.with_note("interval unbounded: the mean of the accepted requests may be 0"),
    }
}
