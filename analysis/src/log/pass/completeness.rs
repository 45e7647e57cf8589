//! Whether a log has all that `runs.csv` says of its runs: a log that is cut between two rows looks whole otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{RunConsumer, RunOutputs};
use crate::event::{Event, EventKind};
use crate::latency::{InvalidEvent, required};
use crate::log::LogError;
use crate::runs::{Outcome, RunRow};
use crate::summary::AnalysisError;
use crate::throughput::Numbers;

/// A consumer, and beside it the requests that the run's honest clients accepted.
pub(super) struct Counted<C> {
    consumer: C,
    clients: BTreeMap<u32, Accepted>,
    corrupted: BTreeSet<u32>,
    has_clients: bool,
}

/// What a client has accepted.
#[derive(Default)]
struct Accepted {
    numbers: Numbers,
    count: u64,
}

/// What there is of a run.
pub(super) struct Count {
    /// Accepted requests of honest clients, each counted once.
    accepted: u64,
    /// Whether there is any row of a client.
    has_clients: bool,
}

impl<C> Counted<C> {
    pub(super) fn new(consumer: C) -> Self {
        Self { consumer, clients: BTreeMap::new(), corrupted: BTreeSet::new(), has_clients: false }
    }

    /// Not inlined: it is rare, and the loops over rows are to stay small.
    #[inline(never)]
    fn count(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        match event.kind {
            EventKind::Request => self.has_clients = true,
            EventKind::Reply => {
                self.has_clients = true;
                let number = required(event, event.seq, "seq")?;
                let client = self.clients.entry(event.node).or_default();
                client.count += u64::from(client.numbers.insert(number));
            }
            EventKind::Corrupt => _ = self.corrupted.insert(event.node),
            _ => {}
        }
        Ok(())
    }
}

impl<C: RunConsumer> RunConsumer for Counted<C> {
    type Output = (C::Output, Count);

    #[inline]
    fn wants(kind: EventKind) -> bool {
        is_counted(kind) || C::wants(kind)
    }

    #[inline]
    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if is_counted(event.kind) {
            self.count(event)?;
        }
        if C::wants(event.kind) { self.consumer.record(event) } else { Ok(()) }
    }

    fn finish(self) -> Self::Output {
        let honest = self.clients.iter().filter(|(client, _)| !self.corrupted.contains(client));
        let accepted = honest.map(|(_, accepted)| accepted.count).sum();
        (self.consumer.finish(), Count { accepted, has_clients: self.has_clients })
    }
}

#[inline]
fn is_counted(kind: EventKind) -> bool {
    matches!(kind, EventKind::Request | EventKind::Reply | EventKind::Corrupt)
}

/// Holds what was found against `runs.csv`: the first run of which requests are missing, or there are too many, or that left no row
/// though it sent messages, is an error; leniently such runs are damaged. Nothing is said of runs that ended with an error,
/// nor if no run of the log has rows of clients: it was written without them.
pub(super) fn hold_against<T>(
    found: RunOutputs<(T, Count)>,
    rows: &[RunRow],
    is_logged: impl Fn(&RunRow) -> bool,
    path: &Path,
    is_lenient: bool,
) -> Result<RunOutputs<T>, AnalysisError> {
    let RunOutputs { outputs, mut damaged, mut skipped } = found;
    let has_clients = outputs.iter().flatten().any(|(_, count)| count.has_clients);
    let is_checked = |row: &RunRow| has_clients && row.outcome != Outcome::Error && is_logged(row);
    let mut whole = Vec::with_capacity(outputs.len());
    for ((output, row), damaged) in outputs.into_iter().zip(rows).zip(&mut damaged) {
        let (output, accepted) = output.map(|(output, count)| (output, count.accepted)).unzip();
        // Where clients only begin behind the time limit, nothing is ever sent, and there are no rows.
        let is_whole = accepted.map_or(row.requests == 0 || row.messages == 0, |accepted| accepted == row.completed);
        if is_whole || *damaged || !is_checked(row) {
            whole.push(output);
            continue;
        }
        if !is_lenient {
            let (path, &RunRow { cell, run, completed, .. }) = (path.to_owned(), row);
            return Err(match accepted {
                Some(accepted) => LogError::Incomplete { path, cell, run, accepted, completed }.into(),
                None => AnalysisError::NoEvents { path, cell, run },
            });
        }
        *damaged = true;
        skipped.damaged_runs += 1;
        whole.push(None);
    }
    Ok(RunOutputs { outputs: whole, damaged, skipped })
}
