//! The oracles on a log: what `byzlab check` does.

use std::path::Path;

use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::log::{ReadOptions, RunConsumer, find_file, read_log};
use crate::runs::{Outcome, RunRow, RunTable};
use crate::summary::AnalysisError;

use super::report::CheckReport;
use super::{Detail, Invariant, Judgement, OracleSettings, Oracles};

/// What the oracles say of one run of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCheck {
    /// Index of the cell.
    pub cell: u32,
    /// Index of the run in its cell.
    pub run: u32,
    /// Seed of the run.
    pub seed: u64,
    /// Number of its events in the log.
    pub events: u64,
    /// A judgement for each invariant, in order.
    pub judgements: Vec<(Invariant, Judgement)>,
}

impl RunCheck {
    /// Whether no invariant was violated that was promised.
    pub fn is_clean(&self) -> bool {
        !self.judgements.iter().any(|(_, judgement)| matches!(judgement, Judgement::Violated(_)))
    }
}

/// Judges all runs of a results folder; `settings` says what the oracles must know of each.
///
/// Without `events.csv` nothing is judged.
///
/// ```no_run
/// use byzlab_analysis::oracle::{Detail, OracleSettings, check_results};
/// let report = check_results("results".as_ref(), |row| OracleSettings {
///     detail: Detail::Protocol,
///     ..OracleSettings::new(row.replicas, row.faults)
/// })?;
/// print!("{report}");
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn check_results(
    dir: &Path,
    settings: impl Fn(&RunRow) -> OracleSettings + Sync,
) -> Result<CheckReport, AnalysisError> {
    let (table, _) = RunTable::open(dir, false)?;
    let Some(events) = find_file(dir, "events.csv")? else {
        let nothing = |row: &RunRow| OracleSettings { detail: Detail::None, ..settings(row) };
        let runs = table.rows.iter().map(|row| without_events(row, nothing(row))).collect();
        return Ok(CheckReport { runs });
    };
    let runs = check_log(&events, &table.rows, settings)?;
    Ok(CheckReport { runs })
}

/// Judges the runs of a log, in the order of their rows in `runs.csv`, with all cores.
///
/// Fails, like [`analyze`](crate::analyze), with a log that is damaged or of another experiment.
pub fn check_log(
    path: &Path,
    rows: &[RunRow],
    settings: impl Fn(&RunRow) -> OracleSettings + Sync,
) -> Result<Vec<RunCheck>, AnalysisError> {
    let start =
        |row: &RunRow| OpenCheck { row: row.clone(), oracles: Oracles::new(settings(row)), events: 0, last_ns: 0 };
    let is_logged = |row: &RunRow| settings(row).detail != Detail::None;
    let checks = read_log(path, rows, &ReadOptions::default(), start, is_logged)?.outputs.into_iter().zip(rows);
    Ok(checks.map(|(check, row)| check.unwrap_or_else(|| without_events(row, settings(row)))).collect())
}

/// A run that is being read.
struct OpenCheck {
    row: RunRow,
    oracles: Oracles,
    events: u64,
    last_ns: u64,
}

impl RunConsumer for OpenCheck {
    type Output = RunCheck;

    fn wants(_: EventKind) -> bool {
        true
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        (self.events, self.last_ns) = (self.events + 1, event.time_ns);
        self.oracles.observe(event)
    }

    fn finish(self) -> RunCheck {
        let Self { row: RunRow { cell, run, seed, outcome, virtual_ns, .. }, oracles, events, last_ns } = self;
        let mut judgements = oracles.finish(virtual_ns.max(last_ns));
        if outcome == Outcome::Error {
            withdraw(&mut judgements, "the run ended with an error, its log may be cut short");
        }
        RunCheck { cell, run, seed, events, judgements }
    }
}

fn without_events(row: &RunRow, settings: OracleSettings) -> RunCheck {
    let mut judgements = Oracles::new(settings).finish(row.virtual_ns);
    withdraw(&mut judgements, "the log has no event of this run");
    let RunRow { cell, run, seed, .. } = *row;
    RunCheck { cell, run, seed, events: 0, judgements }
}

/// What seemed to hold is not known to.
fn withdraw(judgements: &mut [(Invariant, Judgement)], reason: &str) {
    for (_, judgement) in judgements.iter_mut().filter(|(_, judgement)| *judgement == Judgement::Held) {
        *judgement = Judgement::NotJudged(reason.to_owned());
    }
}
