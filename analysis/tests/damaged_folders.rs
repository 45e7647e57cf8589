//! Results folders that are compressed, cut or damaged: strictly, and leniently.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use byzlab_analysis::{
    AnalysisOptions, Event, EventKind, EventWriter, GroupSummary, Outcome, ReadOptions, RunRow, RunTable, RunWriter,
    analyze,
};
use tempfile::TempDir;

const RUNS: u32 = 8;

fn row(run: u32) -> RunRow {
    RunRow {
        cell: 0,
        run,
        seed: 1,
        parameters: vec!["1".to_owned()],
        replicas: 4,
        faults: 1,
        corrupted: 0,
        outcome: Outcome::Completed,
        agreement: true,
        validity: true,
        requests: 1,
        completed: 1,
        messages: 30,
        bytes: 3_000,
        view_changes: 0,
        virtual_ns: 100,
        fingerprint: 5,
    }
}

fn runs_csv() -> String {
    let mut runs = RunWriter::new(Vec::new(), &["x".to_owned()]).unwrap();
    for run in 0..RUNS {
        runs.write(&row(run)).unwrap();
    }
    String::from_utf8(runs.finish().unwrap()).unwrap()
}

/// Run r commits its 50 batches after r + 1 ms.
fn events_csv() -> String {
    let mut log = EventWriter::new(Vec::new()).unwrap();
    for run in 0..RUNS {
        for seq in 1..=50_u64 {
            let start = seq * 1_000_000_000;
            let at = |time_ns, node, kind| Event {
                view: Some(0),
                seq: Some(seq),
                digest: Some(seq * 77),
                ..Event::new(0, run, time_ns, node, kind)
            };
            log.write(&at(start, 0, EventKind::Propose)).unwrap();
            for replica in 0..4 {
                let end = start + u64::from(run + 1) * 1_000_000;
                log.write(&at(end, replica, EventKind::Committed)).unwrap();
            }
        }
    }
    String::from_utf8(log.finish().unwrap()).unwrap()
}

fn zstd(content: &str) -> Vec<u8> {
    // Two frames, as where two files were put together.
    let (first, second) = content.split_at(content.len() / 3);
    [first, second].map(|part| zstd::encode_all(part.as_bytes(), 3).unwrap()).concat()
}

fn gzip(content: &str) -> Vec<u8> {
    let member = |part: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(part.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let (first, second) = content.split_at(content.len() / 3);
    [first, second].map(member).concat()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

fn read(dir: &TempDir, lenient: bool) -> Result<GroupSummary, String> {
    let of = |jobs| {
        let read = ReadOptions { lenient, jobs: NonZeroUsize::new(jobs) };
        let groups = analyze(dir.path(), &AnalysisOptions { read, ..AnalysisOptions::default() });
        groups.map(|mut groups| groups.remove(0)).map_err(|error| error.to_string())
    };
    let (one, three) = (of(1), of(3));
    assert_eq!(one, three);
    one
}

#[track_caller]
fn assert_refused(dir: &TempDir, words: &[&str]) {
    let message = read(dir, false).expect_err("a damaged folder");
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}

#[test]
fn compressed_folders_say_the_same() {
    let (runs, events) = (runs_csv(), events_csv());
    let plain = read(&folder(&[("runs.csv", runs.as_bytes()), ("events.csv", events.as_bytes())]), false).unwrap();
    assert_eq!((plain.measured_runs, plain.mean.estimate), (8, Some(4.5)));
    assert!(plain.notes.iter().all(|note| !note.contains("skipped")));
    for files in [
        [("runs.csv.zst", zstd(&runs)), ("events.csv.gz", gzip(&events))],
        [("runs.csv.gz", gzip(&runs)), ("events.csv.zst", zstd(&events))],
        // The content counts, not the name.
        [("runs.csv.gz", zstd(&runs)), ("events.csv", gzip(&events))],
        [("runs.csv", runs.clone().into_bytes()), ("events.csv.gz", events.clone().into_bytes())],
    ] {
        let dir = folder(&files.each_ref().map(|(name, content)| (*name, &content[..])));
        assert_eq!(read(&dir, false).as_ref(), Ok(&plain));
        assert_eq!(read(&dir, true).as_ref(), Ok(&plain));
    }
}

#[test]
fn two_files_of_one_kind_are_ambiguous() {
    let (runs, events) = (runs_csv(), events_csv());
    let (runs, events) = (runs.as_bytes(), events.as_bytes());
    let dir = folder(&[("runs.csv", runs), ("events.csv", events), ("events.csv.zst", events)]);
    assert_refused(&dir, &["events.csv and events.csv.zst", "remove one"]);
    assert!(read(&dir, true).is_err());
    assert_refused(&folder(&[("runs.csv.gz", runs), ("runs.csv.zst", runs)]), &["runs.csv.zst and runs.csv.gz"]);
}

#[test]
fn cut_files() {
    let (runs, events) = (runs_csv(), events_csv());
    let kinds = [
        ("events.csv", events.clone().into_bytes(), "middle of a row"),
        ("events.csv.zst", zstd(&events), "the compressed file ends in the middle, behind line"),
        ("events.csv.gz", gzip(&events), "the compressed file ends in the middle, behind line"),
    ];
    for (name, content, problem) in kinds {
        let dir = folder(&[("runs.csv", runs.as_bytes()), (name, &content[..content.len() * 7 / 10])]);
        assert_refused(&dir, &[name, problem, "interrupted", "--lenient"]);
        let found = read(&dir, true).unwrap();
        assert!((1..8).contains(&found.measured_runs), "{found:?}");
        let mean = (0..found.measured_runs).map(|run| run as f64 + 1.0).sum::<f64>() / found.measured_runs as f64;
        assert!((found.mean.estimate.unwrap() - mean).abs() < 1e-12, "{found:?}");
        let damaged = 8 - found.measured_runs;
        let notes = found.notes.join("\n");
        assert!(notes.contains(&format!("{damaged} runs have no value: rows of theirs were skipped")), "{notes}");
        assert!(notes.contains("1 rows of the log were skipped, the first: "), "{notes}");
    }
    // Bits that changed are no cut: there is no telling what else is wrong.
    let mut changed = zstd(&events);
    let middle = changed.len() / 2;
    changed[middle..middle + 8].fill(0xff);
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv.zst", &changed)]);
    assert!(read(&dir, false).is_err());
}

#[test]
fn damaged_rows_of_the_log() {
    let (runs, events) = (runs_csv(), events_csv());
    let lines: Vec<&str> = events.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        folder(&[("runs.csv", runs.as_bytes()), ("events.csv", (lines.join("\n") + "\n").as_bytes())])
    };
    let negative = with(600, "0,2,-7,0,committed,0,1,000000000000004d,,,,");
    assert_refused(&negative, &["events.csv:601 (cell 0, run 2)", "`time_ns`", "negative: virtual time starts at 0"]);
    let backwards = with(600, "0,2,7,0,committed,0,1,000000000000004d,,,,");
    assert_refused(&backwards, &["events.csv:601 (cell 0, run 2)", "time runs backwards", "to 7 ns"]);
    let mixed = with(600, "0,2,7,0,committed,0,1,000000000000004d,,,,,,");
    assert_refused(&mixed, &["events.csv:601", "14 fields instead of 12", "--lenient"]);
    for dir in [negative, backwards, mixed] {
        let found = read(&dir, true).unwrap();
        assert_eq!((found.completed, found.measured_runs), (8, 7));
        let mean = (36.0 - 3.0) / 7.0;
        assert!((found.mean.estimate.unwrap() - mean).abs() < 1e-12, "{found:?}");
        assert!(found.notes.iter().any(|note| note.contains("events.csv:601")), "{:?}", found.notes);
    }
    let header = with(600, lines[0]);
    assert_refused(&header, &["events.csv:601", "a second header: two logs were put together; analyse them apart"]);
    assert_eq!(read(&header, true).unwrap().measured_runs, 7);
}

#[test]
fn damaged_tables_of_runs() {
    let (good, events) = (runs_csv(), events_csv());
    let lines: Vec<&str> = good.lines().collect();
    let with = |replacement: &str, end: &str| {
        let mut lines = lines.clone();
        lines[3] = replacement;
        let runs = lines.join("\n") + end;
        folder(&[("runs.csv", runs.as_bytes()), ("events.csv", events.as_bytes())])
    };
    let cases = [
        (with(&lines[3].replace(",100,", ",-100,"), "\n"), "negative: virtual time starts at 0"),
        (with(&lines[3].replace(",completed,", ",finished,"), "\n"), "`outcome`"),
        (with("0,2,1", "\n"), "3 fields instead of 17"),
        (with(lines[0], "\n"), "a second header"),
    ];
    for (dir, words) in cases {
        assert_refused(&dir, &["runs.csv:4", words]);
        let found = read(&dir, true).unwrap();
        assert_eq!((found.runs, found.measured_runs), (7, 7), "{words}");
        let notes = found.notes.join("\n");
        assert!(notes.contains("1 runs are lost") && notes.contains("runs.csv:4"), "{notes}");
        // Their rows in the log are of nobody.
        assert!(notes.contains("250 rows of the log were skipped"), "{notes}");
    }
    let cut = with(lines[3], "");
    assert_refused(&cut, &["runs.csv:9", "in the middle of a row", "--lenient"]);
    assert_eq!(read(&cut, true).unwrap().runs, 7);
    let twice = with(lines[4], "\n");
    assert_refused(&twice, &["runs.csv:5", "cell 0, run 3 has a row already"]);
    assert!(read(&twice, true).unwrap_err().contains("has a row already"));

    let cut = zstd(&good);
    let dir = folder(&[("runs.csv.zst", &cut[..cut.len() - 4]), ("events.csv", events.as_bytes())]);
    assert_refused(&dir, &["runs.csv.zst", "ends in the middle", "interrupted"]);
    let missing = RunTable::open(Path::new("no such folder"), true).unwrap_err().to_string();
    assert!(missing.contains("runs.csv: cannot read it"), "{missing}");
}
