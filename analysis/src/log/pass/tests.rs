//! Whatever the number of workers and the size of blocks, a pass finds what reading row by row finds.

use std::num::NonZeroUsize;
use std::path::Path;

use proptest::prelude::*;

use super::blocks::Blocks;
use super::{ReadOptions, RunConsumer, RunOutputs, Skipped, read_blocks};
use crate::event::{EVENT_COLUMNS, Event, EventKind, Value};
use crate::latency::InvalidEvent;
use crate::log::{EventReader, LogError, RunOrder, Step};
use crate::runs::{Outcome, RunRow};

const RUNS: u32 = 6;

/// Notes what it is given, and refuses events of view 13.
#[derive(Default)]
struct Notes(Vec<String>);

impl RunConsumer for Notes {
    type Output = Vec<String>;

    fn wants(kind: EventKind) -> bool {
        kind != EventKind::Deliver
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if event.view == Some(13) {
            return Err(InvalidEvent::OrderedAlone);
        }
        self.0.push(format!("{event:?}"));
        Ok(())
    }

    fn finish(self) -> Vec<String> {
        self.0
    }
}

fn runs() -> Vec<RunRow> {
    let row = |run| RunRow {
        cell: 0,
        run,
        seed: 1,
        parameters: Vec::new(),
        replicas: 4,
        faults: 1,
        corrupted: 0,
        outcome: Outcome::Completed,
        agreement: true,
        validity: true,
        requests: 1,
        completed: 1,
        messages: 1,
        bytes: 1,
        view_changes: 0,
        virtual_ns: 1,
        fingerprint: 1,
    };
    (0..RUNS).map(row).collect()
}

type Found = Result<(RunOutputs<Vec<String>>, Option<usize>), String>;

fn pass(log: &[u8], lenient: bool, jobs: usize, block: usize) -> Found {
    let path = Path::new("events.csv");
    let blocks = Blocks::new(log, path, block).map_err(|error| error.to_string())?;
    let options = ReadOptions { lenient, jobs: NonZeroUsize::new(jobs) };
    let start = |_: &RunRow| Notes::default();
    read_blocks(blocks, path, &runs(), &options, &start, |_| true).map_err(|error| error.to_string())
}

/// Reads row by row, and fails with the first problem.
fn row_by_row(log: &[u8]) -> Result<Vec<Option<Vec<String>>>, LogError> {
    let mut reader = EventReader::new(log, "events.csv")?;
    let mut order = RunOrder::new(&runs());
    let mut outputs: Vec<Option<Vec<String>>> = vec![None; RUNS as usize];
    let (mut current, mut last_ns) = (Notes::default(), 0);
    let mut row = None;
    while let Some(event) = reader.next_event()? {
        let problem = match order.step((event.cell, event.run)) {
            Err(problem) => Some(problem.to_owned()),
            Ok(step) => {
                if let Step::Next(next) = step {
                    if let Some(row) = row.replace(next) {
                        outputs[row] = Some(std::mem::take(&mut current).finish());
                    }
                    last_ns = 0;
                }
                let before = std::mem::replace(&mut last_ns, event.time_ns);
                if event.time_ns < before {
                    Some(InvalidEvent::TimeRunsBack { before, now: event.time_ns }.to_string())
                } else if Notes::wants(event.kind) {
                    current.record(&event).err().map(|problem| problem.to_string())
                } else {
                    None
                }
            }
        };
        if let Some(problem) = problem {
            return Err(reader.contradiction(problem));
        }
    }
    if let Some(row) = row {
        outputs[row] = Some(current.finish());
    }
    Ok(outputs)
}

fn header() -> String {
    EVENT_COLUMNS.join(",")
}

/// A good log with so many rows of each run.
fn log_of(counts: &[usize]) -> Vec<String> {
    let mut rows = Vec::new();
    for (run, &count) in (0..).zip(counts) {
        for row in 0..count as u64 {
            let kind = EventKind::ALL[(row as usize * 7 + run as usize) % EventKind::ALL.len()];
            let digest = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let event = Event {
                view: (row % 3 > 0).then_some(row % 2),
                seq: (row % 2 > 0).then_some(row),
                digest: (row % 5 > 0).then_some(digest),
                message: (row % 4 > 0).then_some("prepare"),
                value: [None, Some(Value::Digest(digest)), Some(Value::Text("größer"))][row as usize % 3],
                ..Event::new(0, run, row / 2, row as u32 % 4, kind)
            };
            rows.push(event);
        }
    }
    let mut writer = crate::log::EventWriter::without_header(Vec::new());
    for event in &rows {
        writer.write(event).expect("rows without commas");
    }
    let text = String::from_utf8(writer.finish().expect("a vector takes everything")).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// One way to damage a log at a row.
#[derive(Clone, Debug)]
enum Damage {
    Replace(&'static str),
    Remove,
    MoveTo(usize),
    RepeatTo(usize),
    Truncate(usize),
    Lengthen,
}

fn damages() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
    let garbage = prop::sample::select(vec![
        "",
        "garbage",
        "0,2",
        "0,1,-5,0,send,,,,,,,",
        "0,3,0,0,send,,,,,,,",
        "0,3,1,0,send,13,,,,,,",
        "0,77,1,0,send,,,,,,,",
        "0,77,x,0,send,,,,,,,",
        "0,4,1,0,send,,,,,,",
        "0,4,999999999,0,deliver,,,,,,,",
        "cell,run,time_ns,node,event,view,seq,digest,peer,message,bytes,value",
    ]);
    let damage = prop_oneof![
        4 => garbage.prop_map(Damage::Replace),
        1 => Just(Damage::Remove),
        2 => any::<prop::sample::Index>().prop_map(|to| Damage::MoveTo(to.index(1 << 16))),
        1 => any::<prop::sample::Index>().prop_map(|to| Damage::RepeatTo(to.index(1 << 16))),
        1 => (0..60_usize).prop_map(Damage::Truncate),
        1 => Just(Damage::Lengthen),
    ];
    (any::<prop::sample::Index>(), damage)
}

fn apply(rows: &mut Vec<String>, at: usize, damage: &Damage) {
    match damage {
        Damage::Replace(text) => rows[at] = (*text).to_owned(),
        Damage::Remove => _ = rows.remove(at),
        Damage::MoveTo(to) => {
            let row = rows.remove(at);
            rows.insert(to % (rows.len() + 1), row);
        }
        Damage::RepeatTo(to) => rows.insert(to % (rows.len() + 1), rows[at].clone()),
        Damage::Truncate(length) => {
            let end = (0..=rows[at].len().min(*length)).rev().find(|&end| rows[at].is_char_boundary(end));
            rows[at].truncate(end.unwrap_or(0));
        }
        Damage::Lengthen => rows[at].push_str(&"x".repeat(70_000)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn neither_jobs_nor_blocks_matter(
        counts in prop::collection::vec(0..40_usize, RUNS as usize),
        damages in prop::collection::vec(damages(), 0..4),
        cut in prop::option::of(1..50_usize),
        passes in prop::collection::vec((1..5_usize, 1..3_000_usize), 4),
    ) {
        let mut rows = log_of(&counts);
        for (at, damage) in &damages {
            if !rows.is_empty() {
                let at = at.index(rows.len());
                apply(&mut rows, at, damage);
            }
        }
        let mut log = format!("{}\n", header());
        for row in &rows {
            log.push_str(row);
            log.push('\n');
        }
        let mut log = log.into_bytes();
        log.truncate(log.len() - cut.unwrap_or(0));

        let strict = pass(&log, false, 1, 1 << 20);
        let expected = row_by_row(&log).map_err(|error| error.to_string());
        let outputs = strict.clone().map(|(found, _)| found.outputs);
        // Whether an overlong last row is cut or too long is all the same.
        let is_overlong = |result: &Result<_, String>| result.as_ref().is_err_and(|error| error.contains("64 KiB"));
        if !is_overlong(&outputs) {
            prop_assert_eq!(outputs, expected);
        }
        let lenient = pass(&log, true, 1, 1 << 20);
        if let (Ok((strict, _)), Ok((lenient, _))) = (&strict, &lenient) {
            prop_assert_eq!(&lenient.skipped.first, &None);
            prop_assert_eq!(&strict.outputs, &lenient.outputs);
        }
        if let (Err(error), Ok((lenient, _))) = (&strict, &lenient) {
            // Without what to do about it.
            let is_start = lenient.skipped.first.as_ref().is_some_and(|first| error.starts_with(&format!("{first}; ")));
            prop_assert!(is_start, "{} {:?}", error, lenient.skipped.first);
        }
        for (jobs, block) in passes {
            prop_assert_eq!(&pass(&log, false, jobs, block), &strict, "{} jobs, blocks of {}", jobs, block);
            prop_assert_eq!(&pass(&log, true, jobs, block), &lenient, "{} jobs, blocks of {}", jobs, block);
        }
    }
}

/// The log with these lines, read leniently.
fn lenient(lines: &[&str], rest: &str) -> (Skipped, Vec<Option<usize>>) {
    let log = [&[header().as_str()], lines].concat().join("\n") + "\n" + rest;
    let (found, silent) = pass(log.as_bytes(), true, 2, 64).expect("lenient");
    assert_eq!(silent, None);
    (found.skipped, found.outputs.iter().map(|output| output.as_ref().map(Vec::len)).collect())
}

#[test]
fn damaged_runs_have_no_value() {
    let row = |run: u32, time: u32| format!("0,{run},{time},0,send,,,,,,,");
    let good: Vec<String> = (0..RUNS).flat_map(|run| [row(run, 1), row(run, 2)]).collect();
    let replaced = |at: usize, text: &str| {
        let mut lines: Vec<&str> = good.iter().map(String::as_str).collect();
        lines[at] = text;
        let (skipped, outputs) = lenient(&lines, "");
        let has_value = outputs.iter().map(|output| if output.is_some() { '+' } else { '-' }).collect::<String>();
        (skipped.rows, skipped.unknown_run_rows, skipped.damaged_runs, has_value)
    };
    // It says whose row it is.
    assert_eq!(replaced(3, "0,1,x,0,send,,,,,,,"), (1, 0, 1, "+-++++".to_owned()));
    assert_eq!(replaced(3, "0,1,0,0,send,,,,,,,"), (1, 0, 1, "+-++++".to_owned()));
    assert_eq!(replaced(3, "0,1,2,0,send,13,,,,,,"), (1, 0, 1, "+-++++".to_owned()));
    // It does not.
    assert_eq!(replaced(3, ""), (1, 0, 2, "+--+++".to_owned()));
    assert_eq!(replaced(3, &header()), (1, 0, 2, "+--+++".to_owned()));
    assert_eq!(replaced(0, ""), (1, 0, 1, "-+++++".to_owned()));
    // Another run's row within a run is one that lost its number.
    assert_eq!(replaced(3, "0,77,2,0,send,,,,,,,"), (1, 1, 0, "++++++".to_owned()));
    let mut lines: Vec<&str> = good.iter().map(String::as_str).collect();
    lines.insert(3, "0,77,2,0,send,,,,,,,");
    assert_eq!(lenient(&lines, "").0.damaged_runs, 1);
    lines[3] = "0,0,9,0,send,,,,,,,";
    let (skipped, outputs) = lenient(&lines, "0,5,3");
    assert_eq!(outputs, [None, None, Some(2), Some(2), Some(2), None]);
    assert_eq!((skipped.rows, skipped.damaged_runs), (2, 3));
    let first = skipped.first.expect("a first row");
    assert!(first.starts_with("events.csv:5 (cell 0, run 0): other rows of this run stand further up"), "{first}");
    // A run without rows, and one whose rows are all lost.
    let (skipped, outputs) = lenient(&lines[..2], "");
    assert_eq!((skipped.rows, skipped.damaged_runs, outputs[0]), (0, 5, Some(2)));
}

/// A consumer that panics ends the pass, whoever waits for it.
#[test]
fn a_panic_is_no_deadlock() {
    struct Fuse;
    impl RunConsumer for Fuse {
        type Output = ();
        fn wants(_: EventKind) -> bool {
            true
        }
        fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
            assert!(event.time_ns < 100, "burnt");
            Ok(())
        }
        fn finish(self) {}
    }
    let log = format!("{}\n{}\n", header(), log_of(&[4_000]).join("\n"));
    let path = Path::new("events.csv");
    let result = std::panic::catch_unwind(|| {
        let blocks = Blocks::new(log.as_bytes(), path, 100).expect("a header");
        let options = ReadOptions { lenient: false, jobs: NonZeroUsize::new(4) };
        read_blocks(blocks, path, &runs(), &options, &|_: &RunRow| Fuse, |_| false).is_ok()
    });
    assert!(result.is_err());
}
