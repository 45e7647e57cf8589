//! Sides and folders made by hand.

use std::fs::File;

use byzlab_analysis::compare::{
    CompareOptions, Comparison, GroupComparison, Quantity, Sense, Side, SideGroup, SideUnit, Stream, compare,
};
use byzlab_analysis::statistics::Attempt;
use byzlab_analysis::{Event, EventKind, EventWriter, Outcome, RunRow, RunWriter};
use tempfile::TempDir;

/// Runs 0, 1, …, whose seeds begin with `seed`; `None` is a run that did not complete within 1000 ms.
pub(crate) fn runs(seed: u64, values: &[Option<f64>]) -> SideGroup {
    let unit = |(run, value): (u32, &Option<f64>)| SideUnit {
        stream: Some(Stream { run, seed: seed + u64::from(run) }),
        ..value.map_or(Attempt::Beyond(LIMIT), Attempt::Success).into()
    };
    SideGroup {
        group: vec![("x".to_owned(), "1".to_owned())],
        units: (0..).zip(values).map(unit).collect(),
        limit: Some(LIMIT),
        no_value: None,
    }
}

pub(crate) const LIMIT: f64 = 1000.0;

pub(crate) fn all(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

pub(crate) fn side(name: &str, groups: Vec<SideGroup>) -> Side {
    Side { name: name.to_owned(), units: "runs", success: "completed", groups, notes: Vec::new() }
}

pub(crate) fn latency() -> Quantity {
    Quantity {
        name: "all_commit".to_owned(),
        words: "all_commit latency".to_owned(),
        unit: Some("ms".to_owned()),
        sense: Sense::Time,
    }
}

/// Of sides with any number of groups.
pub(crate) fn compared(a: Vec<SideGroup>, b: Vec<SideGroup>) -> Comparison {
    compare(&side("first", a), &side("second", b), latency(), &CompareOptions::default()).unwrap()
}

/// Of one group each.
pub(crate) fn single(a: SideGroup, b: SideGroup) -> GroupComparison {
    compared(vec![a], vec![b]).groups.remove(0)
}

pub(crate) fn near(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("defined");
    assert!((actual - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{actual} instead of {expected}");
}

/// One run for a folder: its cell and index, its seed, the values of its swept keys, and its latency in ms if it completed.
pub(crate) type Run<'a> = (u32, u32, u64, &'a [&'a str], Option<u64>);

/// A results folder with these runs of one request among four replicas; those without a latency ran out of time after 1 s.
pub(crate) fn folder(keys: &[&str], runs: &[Run<'_>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    let mut table = RunWriter::new(File::create(dir.path().join("runs.csv")).unwrap(), &keys).unwrap();
    let mut log = EventWriter::new(File::create(dir.path().join("events.csv")).unwrap()).unwrap();
    for &(cell, run, seed, parameters, latency_ms) in runs {
        table.write(&row(cell, run, seed, parameters, latency_ms)).unwrap();
        let event = |time_ns, node, kind| Event {
            view: Some(0),
            seq: Some(1),
            digest: Some(9),
            ..Event::new(cell, run, time_ns, node, kind)
        };
        if let Some(latency_ms) = latency_ms {
            log.write(&event(1_000, 0, EventKind::Propose)).unwrap();
            for replica in 0..4 {
                log.write(&event(1_000 + latency_ms * 1_000_000, replica, EventKind::Committed)).unwrap();
            }
        }
    }
    table.finish().unwrap();
    log.finish().unwrap();
    dir
}

fn row(cell: u32, run: u32, seed: u64, parameters: &[&str], latency_ms: Option<u64>) -> RunRow {
    RunRow {
        cell,
        run,
        seed,
        parameters: parameters.iter().map(|&value| value.to_owned()).collect(),
        replicas: 4,
        faults: 1,
        corrupted: 0,
        outcome: if latency_ms.is_some() { Outcome::Completed } else { Outcome::Timeout },
        agreement: true,
        validity: true,
        requests: 1,
        completed: u64::from(latency_ms.is_some()),
        messages: 30,
        bytes: 3_000,
        view_changes: 0,
        virtual_ns: 1_000_000_000,
        fingerprint: 5,
    }
}
