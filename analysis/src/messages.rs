//! What runs cost: messages and bytes from `runs.csv`, kinds of messages from the log.

use std::collections::BTreeMap;
use std::path::Path;

use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::log::{RunConsumer, read_runs};
use crate::runs::{Outcome, RunRow, RunTable};
use crate::statistics::{Estimate, FigureOptions, ratio_of_paired_means};
use crate::summary::{AnalysisError, AnalysisOptions, RowGroup, group_rows};

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
/// Groups come in the order of their first run; `by` as in [`AnalysisOptions`].
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
    let summarize = |group: RowGroup| {
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

/// How many messages of each kind the runs of one group sent.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageKinds {
    /// The columns that define the group, with their values.
    pub group: Vec<(String, String)>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of runs, without those that ended with an error or whose rows could be read only in part.
    pub runs: u64,
    /// The mean number sent a run, by kind, the same kinds for all groups.
    pub kinds: Vec<(String, Estimate)>,
}

/// Counts the `send` rows of a log by the kind of the message; of the options, the grouping, the confidence and how the log
/// is read matter. `None` without a log or without such rows, which only `[output] events = "messages"` writes.
///
/// All runs count but those that ended with an error, whether they completed or not.
///
/// ```no_run
/// use byzlab_analysis::{AnalysisOptions, read_message_kinds, write_message_kinds_plot};
/// let dir = "results".as_ref();
/// if let Some(groups) = read_message_kinds(dir, &AnalysisOptions::default())? {
///     write_message_kinds_plot(dir, &groups)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_message_kinds(dir: &Path, options: &AnalysisOptions) -> Result<Option<Vec<MessageKinds>>, AnalysisError> {
    let (table, _) = RunTable::open(dir, options.read.lenient)?;
    let groups = group_rows(&table, options.by.as_deref())?;
    let Some(found) = read_runs(dir, &table.rows, &options.read, |_| SentKinds::default())? else { return Ok(None) };
    let counts = |row: usize| table.rows[row].outcome != Outcome::Error && !found.damaged[row];
    let sent = |row: usize| found.outputs[row].as_ref();
    let rows = groups.iter().flat_map(|group| &group.rows).copied().filter(|&row| counts(row));
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, count) in rows.filter_map(sent).flatten() {
        *totals.entry(kind).or_default() += count;
    }
    if totals.is_empty() {
        return Ok(None);
    }
    let figures = FigureOptions { confidence: options.confidence, ..FigureOptions::default() };
    let summarize = |group: &RowGroup| {
        let rows: Vec<usize> = group.rows.iter().copied().filter(|&row| counts(row)).collect();
        let mean = |kind: &str| {
            let of_run =
                |sent: &Vec<(String, u64)>| sent.iter().find(|(known, _)| known == kind).map(|(_, count)| *count);
            let values = rows.iter().map(|&row| sent(row).and_then(of_run).unwrap_or(0) as f64);
            figures.mean(&values.collect::<Vec<f64>>(), || "no run without an error".to_owned())
        };
        MessageKinds {
            group: group.group.clone(),
            confidence: options.confidence,
            runs: rows.len() as u64,
            kinds: totals.keys().map(|kind| ((*kind).to_owned(), mean(kind))).collect(),
        }
    };
    Ok(Some(groups.iter().map(summarize).collect()))
}

/// The kinds that a run sent. There are few, so a list is searched faster than a map.
#[derive(Default)]
struct SentKinds(Vec<(String, u64)>);

impl RunConsumer for SentKinds {
    type Output = Vec<(String, u64)>;

    fn wants(kind: EventKind) -> bool {
        kind == EventKind::Send
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        // A row without one still counts.
        let kind = event.message.unwrap_or("unnamed");
        match self.0.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count += 1,
            None => self.0.push((kind.to_owned(), 1)),
        }
        Ok(())
    }

    fn finish(self) -> Self::Output {
        self.0
    }
}
