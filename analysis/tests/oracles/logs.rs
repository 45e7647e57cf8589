//! The oracles on results folders.

use std::fs::File;

use byzlab_analysis::oracle::Invariant::{I1, I5};
use byzlab_analysis::oracle::{CheckReport, Detail, Judgement, OracleSettings, check_results};
use byzlab_analysis::{AnalysisError, Event, EventKind as Kind, EventWriter, Outcome, RunRow, RunWriter};
use tempfile::TempDir;

use crate::scenario::*;

fn row(run: u32, outcome: Outcome, events: &[Event<'static>]) -> RunRow {
    let completed = events.iter().filter(|event| event.kind == Kind::Reply).count() as u64;
    RunRow {
        cell: 0,
        run,
        seed: 100 + u64::from(run),
        parameters: Vec::new(),
        replicas: REPLICAS,
        faults: 1,
        corrupted: 0,
        outcome,
        agreement: true,
        validity: true,
        requests: completed.max(1),
        completed,
        messages: 10 * events.len() as u64,
        bytes: 3_000,
        view_changes: 0,
        virtual_ns: 1_000_000_000,
        fingerprint: 5,
    }
}

/// A folder with these runs, numbered from 0; without a log if there is none.
fn folder(runs: &[(Outcome, Vec<Event<'static>>)], has_log: bool) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut table = RunWriter::new(File::create(dir.path().join("runs.csv")).unwrap(), &[]).unwrap();
    for (run, (outcome, events)) in (0..).zip(runs) {
        table.write(&row(run, *outcome, events)).unwrap();
    }
    table.finish().unwrap();
    if has_log {
        let mut log = EventWriter::new(File::create(dir.path().join("events.csv")).unwrap()).unwrap();
        for (run, (_, events)) in (0..).zip(runs) {
            for event in events {
                log.write(&Event { run, ..*event }).unwrap();
            }
        }
        log.finish().unwrap();
    }
    dir
}

fn check(dir: &TempDir, detail: Detail) -> Result<CheckReport, AnalysisError> {
    check_results(dir.path(), |_| OracleSettings { detail, ..settings() })
}

fn good() -> Vec<Event<'static>> {
    in_order(good_run(4))
}

/// The same, and a replica that commits something else in the end.
fn bad() -> Vec<Event<'static>> {
    let mut events = good();
    events.push(slot(100, 2, Kind::Committed, (0, 4, 0xbad)));
    events
}

#[test]
fn a_log_says_the_same_as_the_run_itself() {
    let dir = folder(&[(Outcome::Completed, good()), (Outcome::Completed, bad())], true);
    let report = check(&dir, Detail::Messages).unwrap();
    let renumbered = |events: Vec<Event<'static>>, run| {
        judge(settings(), &events.iter().map(|event| Event { run, ..*event }).collect::<Vec<_>>())
    };
    assert_eq!(report.runs[0].judgements, renumbered(good(), 0));
    assert_eq!(report.runs[1].judgements, renumbered(bad(), 1));
    assert_eq!((report.runs[1].run, report.runs[1].seed), (1, 101));
    assert_eq!(report.runs[1].events, bad().len() as u64);
    assert!(report.runs[0].is_clean() && !report.runs[1].is_clean() && !report.is_clean());
}

#[test]
fn the_report_shows_run_seed_time_nodes_and_rows() {
    let outcomes = [good(), bad(), bad(), good()].map(|events| (Outcome::Completed, events));
    let report = check(&folder(&outcomes, true), Detail::Protocol).unwrap();
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "     invariant             held  violated  not judged  assumption broken     off");
    assert_eq!(lines[1], "I1   agreement                2         2           0                  0       0");
    assert_eq!(lines[5], "I5   linearizable             0         0           4                  0       0");
    let violation = "\
cell 0, run 1, seed 101: I1 (agreement) violated at 100.000000 ms, nodes 0, 2
  promised: honest replicas that commit or execute at the same number have the same digest, across views
  but: at number 4 replica 2 committed 0000000000000bad in view 0, but replica 0 executed 000000000000ba04 in view 0
  cell,run,time_ns,node,event,view,seq,digest,peer,message,bytes,value
  0,1,45000000,0,executed,0,4,000000000000ba04,,,,00000000000057a4
  0,1,100000000,2,committed,0,4,0000000000000bad,,,,
I1 violated in 1 run more: cell 0 run 2
";
    assert!(text.contains(violation), "{text}");
    assert!(text.contains("I5 not judged in 4 runs: the log has no replies"), "{text}");
}

#[test]
fn what_a_log_cannot_show_is_not_judged() {
    let runs = [
        (Outcome::Completed, good()),
        (Outcome::Timeout, Vec::new()),
        (Outcome::Error, good()),
        (Outcome::Error, bad()),
    ];
    let reasons = |report: &CheckReport, run: usize| {
        let judgements = report.runs[run].judgements.clone();
        judgements.into_iter().filter_map(|(invariant, judgement)| match judgement {
            Judgement::NotJudged(reason) => Some((invariant, reason)),
            _ => None,
        })
    };
    let report = check(&folder(&runs, true), Detail::Protocol).unwrap();
    assert_eq!(reasons(&report, 0).map(|(invariant, _)| invariant).collect::<Vec<_>>(), [I5]);
    assert_eq!(reasons(&report, 1).count(), 12);
    assert!(reasons(&report, 1).any(|(_, reason)| reason == "the log has no event of this run"));
    assert_eq!(reasons(&report, 2).count(), 12);
    assert!(reasons(&report, 2).any(|(_, reason)| reason.contains("ended with an error")));
    assert!(matches!(report.runs[3].judgements[0], (I1, Judgement::Violated(_))));

    let nothing = check(&folder(&runs, false), Detail::Messages).unwrap();
    assert_eq!(reasons(&nothing, 0).count(), 12);
    assert!(nothing.is_clean());
}

#[test]
fn a_damaged_log_is_an_error() {
    let silent = folder(&[(Outcome::Completed, Vec::new())], true);
    assert!(matches!(check(&silent, Detail::Protocol), Err(AnalysisError::NoEvents { cell: 0, run: 0, .. })));
    assert!(check(&silent, Detail::None).is_ok());

    let backwards = folder(&[(Outcome::Completed, vec![corrupt(2, 0), corrupt(1, 0)])], true);
    let error = check(&backwards, Detail::Protocol).unwrap_err().to_string();
    assert!(error.contains("events.csv:3 (cell 0, run 0): time runs backwards"), "{error}");

    let dir = folder(&[(Outcome::Completed, good())], true);
    std::fs::write(dir.path().join("runs.csv"), std::fs::read(folder(&[], false).path().join("runs.csv")).unwrap())
        .unwrap();
    let error = check(&dir, Detail::Protocol).unwrap_err().to_string();
    assert!(error.contains("runs.csv has no row of this run"), "{error}");
}
