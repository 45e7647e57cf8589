//! The oracles on a log: what `byzlab check` does.

use std::io;
use std::path::Path;

use crate::log::{EventReader, RunOrder, Step};
use crate::measure::silent_run;
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
pub fn check_results(dir: &Path, settings: impl Fn(&RunRow) -> OracleSettings) -> Result<CheckReport, AnalysisError> {
    let table = RunTable::read(&dir.join("runs.csv"))?;
    let events = dir.join("events.csv");
    if std::fs::metadata(&events).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        let nothing = |row: &RunRow| OracleSettings { detail: Detail::None, ..settings(row) };
        let runs = table.rows.iter().map(|row| without_events(row, nothing(row))).collect();
        return Ok(CheckReport { runs });
    }
    let runs = check_log(&events, &table.rows, settings)?;
    Ok(CheckReport { runs })
}

/// Judges the runs of a log, in the order of their rows in `runs.csv`.
///
/// Fails, like [`analyze`](crate::analyze), with a log that is damaged or of another experiment.
pub fn check_log(
    path: &Path,
    rows: &[RunRow],
    settings: impl Fn(&RunRow) -> OracleSettings,
) -> Result<Vec<RunCheck>, AnalysisError> {
    let mut reader = EventReader::open(path)?;
    let mut order = RunOrder::new(rows);
    let mut checks: Vec<Option<RunCheck>> = vec![None; rows.len()];
    let mut current: Option<OpenCheck> = None;
    while let Some(event) = reader.next_event()? {
        let problem = match order.step((event.cell, event.run)) {
            Err(problem) => Some(problem.to_owned()),
            Ok(step) => {
                if let Step::Next(row) = step {
                    close(&mut checks, rows, current.take());
                    current =
                        Some(OpenCheck { row, oracles: Oracles::new(settings(&rows[row])), events: 0, last_ns: 0 });
                }
                current.as_mut().and_then(|open| {
                    (open.events, open.last_ns) = (open.events + 1, event.time_ns);
                    open.oracles.observe(&event).err().map(|problem| problem.to_string())
                })
            }
        };
        if let Some(problem) = problem {
            return Err(reader.contradiction(problem).into());
        }
    }
    close(&mut checks, rows, current);
    let needs_events = |row: &RunRow| settings(row).detail != Detail::None;
    if let Some(row) = silent_run(rows, order.seen()).filter(|row| needs_events(row)) {
        return Err(AnalysisError::NoEvents { path: path.to_owned(), cell: row.cell, run: row.run });
    }
    let checks = checks.into_iter().zip(rows);
    Ok(checks.map(|(check, row)| check.unwrap_or_else(|| without_events(row, settings(row)))).collect())
}

/// The run that is being read.
struct OpenCheck {
    row: usize,
    oracles: Oracles,
    events: u64,
    last_ns: u64,
}

fn close(checks: &mut [Option<RunCheck>], rows: &[RunRow], open: Option<OpenCheck>) {
    let Some(OpenCheck { row: index, oracles, events, last_ns }) = open else { return };
    let row = &rows[index];
    let mut judgements = oracles.finish(row.virtual_ns.max(last_ns));
    if row.outcome == Outcome::Error {
        withdraw(&mut judgements, "the run ended with an error, its log may be cut short");
    }
    let RunRow { cell, run, seed, .. } = *row;
    checks[index] = Some(RunCheck { cell, run, seed, events, judgements });
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
