//! From a results folder to figures: groups, estimates, notes, and folders that do not fit.

use std::fs::{self, File};
use std::path::Path;

use byzlab_analysis::{
    AnalysisOptions, Event, EventKind, EventWriter, GroupSummary, Metric, Outcome, RunRow, RunWriter, TimeLimits,
    analyze, analyze_metrics, render,
};
use tempfile::TempDir;

const REPLICAS: u32 = 4;

/// The row of a run with one request.
fn row(cell: u32, run: u32, parameters: &[&str], outcome: Outcome) -> RunRow {
    RunRow {
        cell,
        run,
        seed: 1,
        parameters: parameters.iter().map(|&value| value.to_owned()).collect(),
        replicas: REPLICAS,
        faults: 1,
        corrupted: 0,
        outcome,
        agreement: outcome != Outcome::Violation,
        validity: true,
        requests: 1,
        completed: u64::from(outcome == Outcome::Completed),
        messages: 30,
        bytes: 3_000,
        view_changes: 0,
        virtual_ns: 2_000_000_000,
        fingerprint: 5,
    }
}

/// The events of such a run, in which all replicas commit after `latency_ms`.
fn log_run(log: &mut EventWriter<File>, cell: u32, run: u32, latency_ms: u64) {
    let of_batch = |time_ns, node, kind| Event {
        view: Some(0),
        seq: Some(1),
        digest: Some(9),
        ..Event::new(cell, run, time_ns, node, kind)
    };
    log.write(&of_batch(1_000, 0, EventKind::Propose)).unwrap();
    for replica in 0..REPLICAS {
        let time = 1_000 + latency_ms * 1_000_000;
        log.write(&of_batch(time, replica, EventKind::Committed)).unwrap();
    }
}

/// Writes both files; the latency of run r of a cell is 10 (cell + 1) + r ms.
fn folder(keys: &[&str], rows: &[RunRow]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_runs(dir.path(), keys, rows);
    let mut log = EventWriter::new(File::create(dir.path().join("events.csv")).unwrap()).unwrap();
    for row in rows.iter().filter(|row| row.outcome == Outcome::Completed) {
        log_run(&mut log, row.cell, row.run, u64::from(10 * (row.cell + 1) + row.run));
    }
    log.finish().unwrap();
    dir
}

fn write_runs(dir: &Path, keys: &[&str], rows: &[RunRow]) {
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    let mut runs = RunWriter::new(File::create(dir.join("runs.csv")).unwrap(), &keys).unwrap();
    for row in rows {
        runs.write(row).unwrap();
    }
    runs.finish().unwrap();
}

/// Cell 0: 10 runs, all completed; cell 1: 10 runs, 2 completed, one violated; cell 2: none.
fn sweep() -> Vec<RunRow> {
    let outcome = |cell, run| match (cell, run) {
        (0, _) | (1, 0..2) => Outcome::Completed,
        (1, 2) => Outcome::Violation,
        (1, 3) => Outcome::Error,
        _ => Outcome::Timeout,
    };
    let runs = (0..3).flat_map(|cell| (0..10).map(move |run| (cell, run)));
    let row = |(cell, run): (u32, u32)| row(cell, run, &[&cell.to_string()], outcome(cell, run));
    runs.map(row).collect()
}

fn default_analysis(dir: &TempDir) -> Vec<GroupSummary> {
    analyze(dir.path(), &AnalysisOptions::default()).unwrap()
}

fn assert_near(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("defined");
    assert!((actual - expected).abs() < 1e-9, "{actual} instead of {expected}");
}

#[test]
fn figures_of_a_sweep() {
    let groups = default_analysis(&folder(&["adversary.count"], &sweep()));
    assert_eq!(groups.len(), 3);
    let all = &groups[0];
    assert_eq!((all.runs, all.completed, all.measured_runs), (10, 10, 10));
    // Values 10, 11, …, 19 ms: s = 3.0276…, t(0.975; 9) = 2.2621…
    assert_near(all.mean.estimate, 14.5);
    assert_near(all.mean.lower, 14.5 - 2.262_157_162_798_205 * 3.027_650_354_097_492 / 10_f64.sqrt());
    assert_near(all.median.estimate, 14.5);
    assert_near(all.median.lower, 11.0);
    assert_near(all.median.upper, 18.0);
    assert_near(all.p99.estimate, 18.91);
    assert_eq!(all.p99.upper, None);
    let note = all.p99.note.as_ref().unwrap();
    assert_eq!(note, "upper end undefined: needs at least 368 runs");
    assert_near(all.success.estimate, 1.0);
    assert_near(all.success.lower, 1.0 - 0.277_532_799_862_889_2);

    let some = &groups[1];
    assert_eq!((some.completed, some.errors, some.measured_runs), (2, 1, 2));
    assert_near(some.mean.estimate, 20.5);
    assert_near(some.agreement.estimate, 0.9);
    assert_near(some.requests_share, 0.2);
    assert!(some.notes[0].contains("1 of 10 runs ended with an error"));

    let failed = &groups[2];
    assert_eq!((failed.completed, failed.mean.estimate, failed.p99.lower), (0, None, None));
    assert_eq!(failed.median.note.as_deref(), Some("no completed run"));
}

#[test]
fn runs_that_were_under_way_when_time_was_up_get_a_hint() {
    let some = |run| RunRow { requests: 9, completed: 3, ..row(0, run, &[], Outcome::Timeout) };
    let note = |rows: &[RunRow]| default_analysis(&folder(&[], rows))[0].mean.note.clone().unwrap();
    let hinted = note(&[some(0), row(0, 1, &[], Outcome::Timeout)]);
    assert!(hinted.starts_with("no completed run, though requests were accepted"), "{hinted}");
    assert!(hinted.ends_with("raise experiment.time_limit or ask for fewer requests"), "{hinted}");
    // More time would not have helped these.
    assert_eq!(note(&[row(0, 0, &[], Outcome::Timeout)]), "no completed run");
    assert_eq!(note(&[some(0), row(0, 1, &[], Outcome::Violation)]), "no completed run");
}

#[test]
fn an_estimate_below_its_interval_is_explained() {
    let of = |count| {
        let rows: Vec<RunRow> = (0..count).map(|run| row(0, run, &[], Outcome::Completed)).collect();
        default_analysis(&folder(&[], &rows)).remove(0)
    };
    // With a probability of 0.98 the quantile is above both of two runs; the estimate lies between them.
    let two = of(2);
    assert!(two.p99.estimate < two.p99.lower, "{two:?}");
    assert_eq!(
        two.notes,
        ["p99 of completed runs: the interpolated estimate lies below its interval, which begins at the highest run"]
    );
    assert!(of(10).notes.is_empty());
}

#[test]
fn json_is_as_documented() {
    let rows = [row(0, 0, &["2", "5ms"], Outcome::Completed), row(1, 0, &["0.5", "010"], Outcome::Timeout)];
    let groups = default_analysis(&folder(&["adversary.count", "net"], &rows));
    let json: serde_json::Value = serde_json::from_str(&render::json(&groups)).unwrap();
    let first = &json[0];
    assert_eq!(first["group"], serde_json::json!({"adversary.count": 2, "net": "5ms"}));
    assert_eq!(first["metric"], "all_commit");
    assert_eq!(first["unit"], "ms");
    assert_eq!((&first["runs"], &first["completed"]), (&1.into(), &1.into()));
    assert_eq!(first["mean"]["estimate"], 10.0);
    assert!(first["mean"]["lower"].is_null());
    assert_eq!(first["mean"]["note"], "interval undefined: needs at least 2 runs");
    assert_eq!(first["success"]["method"], "Wilson score");
    assert!(first["success"].get("note").is_none());
    assert_eq!(json[1]["group"], serde_json::json!({"adversary.count": 0.5, "net": "010"}));
    assert!(json[1]["p99"]["estimate"].is_null());
    assert!(!render::json(&groups).contains("NaN"));
}

#[test]
fn table_and_csv() {
    let groups = default_analysis(&folder(&["adversary.count"], &sweep()));
    let table = render::table(&groups);
    let expected = "\
── of completed runs ──  ─── of all runs, failures as +∞ ───
adversary.count  completed  success %  n  mean ms  median ms  p99 ms  mean to 2000 ms  requests %  agreement %
0  10/10  100 [72.2–100]  10  14.5 ± 2.2  14.0 [11.0–18.0]  19.00 [18.00–?]  14.5 ± 2.2  100 [72.2–100]  100 [72.2–100]
1  2/10  20.0 [5.7–51.0]  2  20.5 ± 6.4  > 2000 [21.00–> 2000]  > 2000  1600 [1010–2000]  20.0 [5.7–51.0]  90.0 [59.6–98.2]
2  0/10  0 [0–27.8]  0  –  > 2000  > 2000  2000 ± ?  0 [0–27.8]  100 [72.2–100]";
    let squeeze = |text: &str| text.replace('─', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeeze(&table).starts_with(&squeeze(expected)), "{table}");
    for words in [
        "Of completed runs: what did not complete is left out",
        "\"> 2000\" lies beyond the time limit; the mean is that of min(value, 2000)",
        "95 % intervals over runs: Wilson score for shares, Student t for means",
        "adversary.count 2: no completed run",
        "adversary.count 0: p99: upper end undefined: needs at least 368 runs",
        "adversary.count 2: restricted mean: interval undefined: all runs count as the limit",
    ] {
        assert!(table.contains(words), "no {words:?} in\n{table}");
    }
    let widths: Vec<usize> = table.lines().take(5).map(|line| line.trim_end().chars().count()).collect();
    assert!(widths[1..].iter().all(|width| *width == widths[1] && *width <= 160), "{widths:?}");
    let csv = render::csv(&groups);
    assert!(csv.starts_with("adversary.count,metric,unit,confidence,runs,completed,"));
    assert_eq!(csv.lines().count(), 4);
    assert!(csv.lines().nth(1).unwrap().starts_with("0,all_commit,ms,0.95,10,10,0,10,10,1,10,0,1,"));
    assert_eq!((render::table(&[]), render::csv(&[])), ("no runs\n".to_owned(), String::new()));
}

/// All figures of a group stand in JSON and CSV, with the limit and what lies beyond it.
#[test]
fn failures_in_json_and_csv() {
    let groups = default_analysis(&folder(&["adversary.count"], &sweep()));
    let json: serde_json::Value = serde_json::from_str(&render::json(&groups)).unwrap();
    let some = &json[1];
    assert_eq!((&some["runs"], &some["completed"], &some["measured_runs"]), (&10.into(), &2.into(), &2.into()));
    for (key, method) in [
        ("mean", "Student t over completed runs"),
        ("median", "type 7, order statistics over completed runs"),
        ("p99", "type 7, order statistics over completed runs"),
    ] {
        assert_eq!(some[key]["method"], method);
    }
    assert_eq!(some["standard_deviation"]["estimate"], 0.5_f64.sqrt());
    let all = &some["unconditional"];
    assert_eq!((&all["n"], &all["limit"]), (&10.into(), &2000.0.into()));
    let median = &all["median"];
    assert!(median["estimate"].is_null() && median["upper"].is_null());
    assert_eq!(
        (&median["above"], &median["lower"], &median["upper_above"]),
        (&2000.0.into(), &21.0.into(), &2000.0.into())
    );
    assert_eq!(median["note"], "it falls among the 8 of 10 runs that did not succeed");
    assert_eq!(median["method"], "order statistics over all runs, failures +∞ (type 1)");
    assert!(median["coverage"].as_f64().unwrap() >= 0.95);
    assert_eq!(all["restricted_mean"]["estimate"], (20.0 + 21.0 + 8.0 * 2000.0) / 10.0);
    assert!(all.get("kaplan_meier").is_none());

    let csv = render::csv(&groups);
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let row = lines.nth(1).unwrap();
    let field = |name: &str| row[header.iter().position(|column| *column == name).unwrap()];
    assert_eq!((field("unconditional_n"), field("unconditional_limit")), ("10", "2000"));
    assert_eq!((field("unconditional_median"), field("unconditional_median_above")), ("", "2000"));
    assert_eq!((field("unconditional_median_lower"), field("unconditional_restricted_mean")), ("21", "1604.1"));
    assert_eq!((field("mean"), field("measured_runs")), ("20.5", "2"));
    let columns = header.len();
    assert!(lines.all(|row| row.len() >= columns));
}

/// What the runs show of their limit they show only when they run out of time.
#[test]
fn limits_of_runs_that_completed() {
    let rows: Vec<RunRow> = (0..4).map(|cell| row(cell, 0, &["1"], Outcome::Completed)).collect();
    let dir = folder(&["x"], &rows);
    let of = |time_limits| {
        let groups = analyze(dir.path(), &AnalysisOptions { time_limits, ..AnalysisOptions::default() }).unwrap();
        let all = &groups[0].unconditional;
        (all.limit, all.restricted_mean.estimate)
    };
    assert_eq!(of(TimeLimits::Unknown), (None, Some(25.0)));
    assert_eq!(of(TimeLimits::Common(100_000_000)), (Some(100.0), Some(25.0)));
    let swept = [50, 30, 20, 40].map(|ms| ms * 1_000_000);
    assert_eq!(of(TimeLimits::ByCell(swept.to_vec())), (Some(20.0), Some((10.0 + 3.0 * 20.0) / 4.0)));
}

#[test]
fn different_limits_in_one_group() {
    let at = |cell, run, outcome, ms: u64| RunRow { virtual_ns: ms * 1_000_000, ..row(cell, run, &["1"], outcome) };
    let mut rows: Vec<RunRow> = (0..8).map(|run| at(0, run, Outcome::Completed, 20)).collect();
    rows.extend((0..4).map(|run| at(1, run, Outcome::Timeout, 15)));
    rows.push(at(2, 0, Outcome::Timeout, 40));
    let groups = default_analysis(&folder(&["x"], &rows));
    let all = &groups[0].unconditional;
    assert_eq!((all.n, all.limit), (13, Some(15.0)));
    assert!(all.median.method.starts_with("Kaplan–Meier"), "{all:?}");
    assert_eq!((all.median.estimate, all.p99.above), (Some(16.0), Some(40.0)));
    assert_eq!(all.kaplan_meier.as_ref().map(|longest| longest.limit), Some(40.0));
    let table = render::table(&groups);
    assert!(table.contains("mean to 15 ms") && table.contains("> 40"), "{table}");
    assert!(
        table.contains("note: time limits differ, from 15 to 40 ms: quantiles of all runs are those of"),
        "{table}"
    );
}

/// One pass gives both metrics, and nothing calls a throughput a latency.
#[test]
fn throughput_beside_latency() {
    let rows = [row(0, 0, &["1"], Outcome::Completed), row(0, 1, &["1"], Outcome::Completed)];
    let dir = folder(&["x"], &rows);
    let mut log = EventWriter::new(File::create(dir.path().join("events.csv")).unwrap()).unwrap();
    for (run, reply_ms) in [(0, 100), (1, 50)] {
        for (time, kind) in [(0, EventKind::Request), (reply_ms, EventKind::Reply)] {
            let event = Event::new(0, run, time * 1_000_000, REPLICAS, kind);
            log.write(&Event { seq: Some(1), digest: Some(7), ..event }).unwrap();
        }
    }
    log.finish().unwrap();
    let metrics = [Metric::Client, Metric::Throughput];
    let both = analyze_metrics(dir.path(), &metrics, &AnalysisOptions::default()).unwrap();
    for (metric, groups) in metrics.into_iter().zip(&both) {
        assert_eq!(groups, &analyze(dir.path(), &AnalysisOptions { metric, ..AnalysisOptions::default() }).unwrap());
    }
    let [client, throughput] = &both[..] else { panic!("{both:?}") };
    assert_near(client[0].mean.estimate, 75.0);
    assert_near(throughput[0].mean.estimate, 15.0);

    let table = render::table(throughput);
    assert!(table.contains("mean requests/s") && table.contains("; requests/s of virtual time."), "{table}");
    assert!(!table.contains("latency") && !table.contains(" ms") && !table.contains("samples"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&render::json(throughput)).unwrap();
    assert_eq!((&json[0]["metric"], &json[0]["unit"]), (&"throughput".into(), &"requests/s".into()));
    assert!(render::csv(throughput).contains("\n1,throughput,requests/s,0.95,2,2,"));
    let words = [render::json(throughput), render::csv(throughput)].concat();
    assert!(!words.contains("latency"), "{words}");

    let options = AnalysisOptions { warmup_ns: 60_000_000, ..AnalysisOptions::default() };
    let late = &analyze_metrics(dir.path(), &metrics, &options).unwrap()[1][0];
    assert_near(late.mean.estimate, 25.0);
    assert!(late.notes[0].contains("1 completed runs accepted no request after the warm-up"), "{:?}", late.notes);
    let options = AnalysisOptions { warmup_ns: 100_000_000, ..options };
    let nothing = &analyze_metrics(dir.path(), &metrics, &options).unwrap()[1][0];
    let reason = nothing.mean.note.as_deref();
    assert_eq!(reason, Some("no request was accepted after the warm-up in the completed runs"));
}

#[test]
fn grouping() {
    let rows = [
        row(0, 0, &["1", "a"], Outcome::Completed),
        row(1, 0, &["1", "b"], Outcome::Completed),
        row(2, 0, &["2", "a"], Outcome::Completed),
    ];
    let dir = folder(&["x", "y"], &rows);
    let by = |columns: &[&str]| {
        let by = Some(columns.iter().map(|&column| column.to_owned()).collect());
        analyze(dir.path(), &AnalysisOptions { by, ..AnalysisOptions::default() })
    };
    let groups = by(&["y"]).unwrap();
    let runs: Vec<u64> = groups.iter().map(|group| group.runs).collect();
    assert_eq!(runs, [2, 1]);
    assert_near(groups[0].mean.estimate, 20.0);
    assert_eq!(by(&[]).unwrap().len(), 1);
    assert_eq!(by(&["replicas"]).unwrap()[0].group, [("replicas".to_owned(), "4".to_owned())]);
    let error = by(&["z"]).unwrap_err().to_string();
    assert!(error.contains("`z`") && error.contains("x, y, cell"), "{error}");
}

#[test]
fn without_a_log_there_is_no_latency() {
    let dir = tempfile::tempdir().unwrap();
    write_runs(dir.path(), &["x"], &[row(0, 0, &["1"], Outcome::Completed)]);
    let groups = default_analysis(&dir);
    assert_eq!((groups[0].measured_runs, groups[0].mean.estimate), (0, None));
    let note = groups[0].mean.note.as_ref().unwrap();
    assert!(note.contains("[output] events = \"protocol\""), "{note}");
    assert!(render::table(&groups).contains(note));
}

#[test]
fn samples_that_silence_leaves_undefined_are_counted() {
    let dir = folder(&["x"], &[row(0, 0, &["1"], Outcome::Completed)]);
    let log = dir.path().join("events.csv");
    // The last replica's commit is lost from the log: as if it never committed.
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replace(",3,committed,", ",3,prepared,")).unwrap();
    let groups = default_analysis(&dir);
    assert_eq!((groups[0].undefined_samples, groups[0].mean.estimate), (1, None));
    // The run was over and it had not happened: among all runs it counts as a failure.
    assert_eq!((groups[0].unconditional.n, groups[0].unconditional.median.estimate), (1, None));
    let table = render::table(&groups);
    assert!(table.contains("1 all_commit samples of completed runs are undefined"), "{table}");
    let metric = Metric::QuorumCommit;
    let quorum = analyze(dir.path(), &AnalysisOptions { metric, ..AnalysisOptions::default() });
    assert_near(quorum.unwrap()[0].mean.estimate, 10.0);
}

#[test]
fn empty_tables() {
    let dir = folder(&["x"], &[]);
    assert!(default_analysis(&dir).is_empty());
}

#[test]
fn files_that_do_not_fit() {
    let rows = [row(0, 0, &["1"], Outcome::Completed), row(0, 1, &["1"], Outcome::Completed)];
    let dir = folder(&["x"], &rows);
    let refused = |options: &AnalysisOptions, words: &[&str]| {
        let message = analyze(dir.path(), options).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "no {word:?} in: {message}");
        }
    };
    let options = AnalysisOptions::default();
    let log = dir.path().join("events.csv");
    let good = fs::read_to_string(&log).unwrap();
    let (header, rows_text) = good.split_once('\n').unwrap();
    let (first, second) = rows_text.split_at(rows_text.len() / 2);
    assert!(second.starts_with("0,1,"));

    fs::write(&log, format!("{header}\n{first}")).unwrap();
    refused(&options, &["events.csv", "no event of cell 0, run 1", "again"]);
    fs::write(&log, format!("{header}\n{first}{second}{first}")).unwrap();
    refused(&options, &["events.csv:12", "(cell 0, run 0)", "apart"]);
    fs::write(&log, good.replace("\n0,1,", "\n0,2,")).unwrap();
    refused(&options, &["events.csv:7", "(cell 0, run 2)", "runs.csv has no row"]);
    fs::write(&log, good.replace(",3,committed,", ",4,committed,")).unwrap();
    refused(&options, &["events.csv:6", "node 4", "4 replicas only"]);
    fs::write(&log, &good[..good.len() - 3]).unwrap();
    refused(&options, &["events.csv:11", "middle of a row"]);
    fs::write(&log, "a,b\n").unwrap();
    refused(&options, &["events.csv:1", "header"]);
    fs::write(&log, &good).unwrap();
    for confidence in [0.0, 1.0, 95.0, f64::NAN] {
        refused(&AnalysisOptions { confidence, ..options.clone() }, &["confidence", "0.95"]);
    }
    fs::remove_file(dir.path().join("runs.csv")).unwrap();
    refused(&options, &["runs.csv", "cannot read it", "byzlab run --out"]);
}

#[test]
fn huge_numbers_do_no_harm() {
    let huge = RunRow {
        replicas: u32::MAX,
        faults: u32::MAX,
        requests: u64::MAX,
        completed: u64::MAX,
        ..row(u32::MAX, u32::MAX, &["1e400"], Outcome::Completed)
    };
    let dir = tempfile::tempdir().unwrap();
    write_runs(dir.path(), &["x"], &[huge.clone(), RunRow { run: 0, ..huge }]);
    let mut log = EventWriter::new(File::create(dir.path().join("events.csv")).unwrap()).unwrap();
    log_run(&mut log, u32::MAX, u32::MAX, 10_000_000_000_000);
    log_run(&mut log, u32::MAX, 0, 1);
    log.finish().unwrap();
    let groups = default_analysis(&dir);
    assert_eq!(groups[0].measured_runs, 0);
    assert!(render::json(&groups).contains("\"1e400\""));
}
