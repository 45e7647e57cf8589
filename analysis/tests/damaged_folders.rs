//! Results folders that are compressed, cut or damaged: strictly, and leniently.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use byzlab_analysis::{
    AnalysisOptions, Event, EventKind, EventWriter, ExpectedRuns, GroupSummary, MeasuredRuns, Outcome, ReadOptions,
    RunRow, RunTable, RunWriter, analyze,
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
        assert!(
            notes.contains(&format!("{damaged} runs of this group have no value: rows of the log were skipped")),
            "{notes}"
        );
        assert!(notes.contains("1 row of the whole log was skipped, the first: "), "{notes}");
        assert!(!notes.contains("--lenient") && !notes.contains("delete this line"), "{notes}");
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
        assert!(
            notes.contains("1 run of unknown outcome is missing from all figures") && notes.contains("runs.csv:4"),
            "{notes}"
        );
        // Their rows in the log are of nobody.
        assert!(notes.contains("250 rows of the whole log were skipped"), "{notes}");
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

/// Ten requests in each run, each accepted 1 ms after it was issued; then once more. A corrupted client accepts what it likes.
fn log_with_clients() -> Vec<String> {
    let mut log = EventWriter::new(Vec::new()).unwrap();
    for run in 0..RUNS {
        log.write(&Event::new(0, run, 0, 5, EventKind::Corrupt)).unwrap();
        for number in 1..=10_u64 {
            let at = |ms: u64, node, kind| Event {
                seq: Some(number),
                digest: Some(number * 77),
                ..Event::new(0, run, number * 10_000_000 + ms * 1_000_000, node, kind)
            };
            for (ms, node, kind) in [
                (0, 4, EventKind::Request),
                (1, 4, EventKind::Reply),
                (1, 5, EventKind::Reply),
                (2, 4, EventKind::Reply),
            ] {
                log.write(&at(ms, node, kind)).unwrap();
            }
        }
    }
    let text = String::from_utf8(log.finish().unwrap()).unwrap();
    text.lines().map(|line| format!("{line}\n")).collect()
}

/// The table of those runs, of which some timed out.
fn table_with_clients(outcome: impl Fn(u32) -> Outcome) -> String {
    let mut runs = RunWriter::new(Vec::new(), &["x".to_owned()]).unwrap();
    for run in 0..RUNS {
        runs.write(&RunRow { requests: 10, completed: 10, outcome: outcome(run), ..row(run) }).unwrap();
    }
    String::from_utf8(runs.finish().unwrap()).unwrap()
}

#[test]
fn a_log_that_is_cut_between_two_rows() {
    let lines = log_with_clients();
    let whole = lines.concat();
    for last in [Outcome::Completed, Outcome::Timeout, Outcome::Violation, Outcome::Error] {
        let runs = table_with_clients(|run| if run + 1 == RUNS { last } else { Outcome::Completed });
        let measured = u64::from(RUNS) - u64::from(last != Outcome::Completed);
        let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", whole.as_bytes())]);
        assert_eq!(read(&dir, false).unwrap().completed, measured);
        // The last run has 41 rows: the one of the corruption, and four for each request.
        for kept in 1..41 {
            let cut = lines[..lines.len() - 41 + kept].concat();
            let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", cut.as_bytes())]);
            let accepted = (kept + 1) / 4;
            if accepted == 10 || last == Outcome::Error {
                assert!(read(&dir, false).is_ok(), "{kept}");
                continue;
            }
            let words = format!("the log of cell 0, run 7 has {accepted} of its 10 accepted requests");
            assert_refused(&dir, &[&words, "cut or damaged", "--lenient"]);
            let notes = read(&dir, true).unwrap().notes.join("\n");
            assert!(notes.contains("1 run of this group has no value"), "{notes}");
            assert!(notes.contains("the log lacks rows of 1 run"), "{notes}");
        }
    }
    let runs = table_with_clients(|_| Outcome::Completed).replace(",10,10,", ",9,9,");
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", whole.as_bytes())]);
    assert_refused(&dir, &["cell 0, run 0 has 10 accepted requests, runs.csv only 9"]);
}

#[test]
fn a_run_that_ran_out_of_time_leaves_rows_too() {
    let lines = log_with_clients();
    let without: String = lines.iter().filter(|line| !line.starts_with("0,3,")).map(String::as_str).collect();
    let runs = table_with_clients(|run| if run == 3 { Outcome::Timeout } else { Outcome::Completed });
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", without.as_bytes())]);
    assert_refused(&dir, &["no event of cell 0, run 3", "--lenient"]);
    assert!(read(&dir, true).unwrap().notes.iter().any(|note| note.starts_with("1 run of this group has no value")));
    // One in which nobody ever sent anything does not.
    let silent = runs.replace(",timeout,true,true,10,10,30,", ",timeout,true,true,10,0,0,");
    let dir = folder(&[("runs.csv", silent.as_bytes()), ("events.csv", without.as_bytes())]);
    assert!(read(&dir, false).is_ok());
}

/// All of the text can be read, and then the file ends in the middle.
fn killed_zstd(text: &str) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

#[test]
fn a_run_of_which_nothing_is_known_taints_no_other() {
    let (runs, events) = (runs_csv(), events_csv());
    let first_four: String = runs.split_inclusive('\n').take(5).collect();
    let start = events.find("\n0,4,").unwrap() + 5;
    for end in (start..start + 200).chain([start + 3_000, start + 20_000]) {
        let log = killed_zstd(&events[..end]);
        let dir = folder(&[("runs.csv", first_four.as_bytes()), ("events.csv.zst", &log)]);
        assert!(read(&dir, false).is_err());
        let found = read(&dir, true).unwrap();
        assert_eq!((found.measured_runs, found.mean.estimate), (4, Some(2.5)), "{end}");
        assert!(found.notes.iter().all(|note| !note.contains("--lenient") && !note.contains("delete this line")));
    }
}

#[test]
fn a_compressed_log_with_a_changed_byte() {
    let (runs, events) = (runs_csv(), events_csv());
    let frame = |text: &str| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // The first frame ends within run 3.
    let (first, second) = events.split_at(events.find("\n0,3,").unwrap() + 500);
    let (first, second) = (frame(first), frame(second));
    let mut seen = 0;
    for at in (8..second.len()).step_by(second.len() / 40) {
        let mut changed = [&first[..], &second[..]].concat();
        changed[first.len() + at] ^= 0x10;
        let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv.zst", &changed)]);
        let refused = read(&dir, false).unwrap_err();
        let found = read(&dir, true);
        if refused.contains("the compressed file is damaged") {
            seen += 1;
            assert!(refused.contains("--lenient"), "{refused}");
            let found = found.unwrap();
            assert_eq!((found.measured_runs, found.mean.estimate), (3, Some(2.0)), "{at}");
            let notes = found.notes.join("\n");
            assert!(notes.contains("5 runs of this group have no value"), "{notes}");
            assert!(notes.contains("1 row of the whole log was skipped"), "{notes}");
        } else {
            assert!(refused.contains("ends in the middle"), "{refused}");
        }
    }
    assert!(seen > 20, "{seen}");
    // Where not even one frame is whole, nothing can be trusted.
    let mut changed = first.clone();
    changed[first.len() / 2] ^= 0x10;
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv.zst", &changed)]);
    assert!(read(&dir, true).is_err());
}

#[test]
fn two_logs_in_one_file() {
    let (runs, events) = (runs_csv(), events_csv());
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", [&events[..], &events].concat().as_bytes())]);
    assert_refused(&dir, &["events.csv:2002", "a second header"]);
    let refused = read(&dir, true).unwrap_err();
    assert!(refused.contains("nothing is left") && refused.contains("a second log begins at line 2002"), "{refused}");
}

#[test]
fn a_file_in_place_of_a_folder() {
    let dir = folder(&[("tutorial.toml", b"")]);
    let error = analyze(&dir.path().join("tutorial.toml"), &AnalysisOptions::default()).unwrap_err().to_string();
    assert!(error.contains("tutorial.toml: this is a file; give the folder"), "{error}");
}

#[test]
fn any_number_of_jobs() {
    let (runs, events) = (runs_csv(), events_csv());
    let dir = folder(&[("runs.csv", runs.as_bytes()), ("events.csv", events.as_bytes())]);
    let read = ReadOptions { jobs: NonZeroUsize::new(usize::MAX), lenient: false };
    let groups = analyze(dir.path(), &AnalysisOptions { read, ..AnalysisOptions::default() }).unwrap();
    assert_eq!(groups[0].mean.estimate, Some(4.5));
}

#[test]
fn an_interrupted_experiment() {
    let runs = runs_csv();
    let dir = folder(&[("runs.csv", runs.as_bytes())]);
    let warnings = |cells, least, most| {
        let expected = Some(ExpectedRuns { cells, least, most });
        let options = AnalysisOptions { expected, ..AnalysisOptions::default() };
        let runs = MeasuredRuns::read(dir.path(), &[], &options).unwrap();
        let notes = &runs.summarize(&options).unwrap()[0].notes;
        assert!(runs.warnings().iter().all(|warning| notes.contains(warning)));
        runs.warnings().join("\n")
    };
    assert_eq!(warnings(1, 8, 8), "");
    assert_eq!(warnings(1, 5, 20), "");
    let start = "the experiment was interrupted or is still under way: 8 of ";
    assert_eq!(warnings(1, 9, 9), format!("{start}9 runs are there (cell 0: 8 of 9)"));
    let text = format!("{start}3,000 runs are there (cell 0: 8 of 1,000; cells 1–2: none)");
    assert_eq!(warnings(3, 1_000, 1_000), text);
    let text = format!("{start}at least 10 runs are there (cell 1: none)");
    assert_eq!(warnings(2, 5, 20), text);
}
