//! From results folders and tables to sides: conditions, keys, limits, and folders that do not fit.

use byzlab_analysis::compare::{
    CompareError, CompareOptions, Comparison, Quantity, RunChoice, Sense, Side, common_keys, compare,
};
use byzlab_analysis::table::{Condition, TableOptions, read_table};
use byzlab_analysis::{AnalysisOptions, MeasuredRuns, Metric, TimeLimits};
use tempfile::TempDir;

use crate::scenario::{Run, folder, latency, near};

const NS_PER_S: u64 = 1_000_000_000;

/// One cell for each value of `x`, in which runs with these latencies met seeds 100, 101, ….
fn sweep(cells: &[(&str, &[Option<u64>])]) -> TempDir {
    let values: Vec<[&str; 1]> = cells.iter().map(|(value, _)| [*value]).collect();
    let runs: Vec<Run<'_>> = (0..)
        .zip(cells)
        .flat_map(|(cell, (_, latencies))| {
            let values = &values;
            (0..).zip(*latencies).map(move |(run, latency): (u32, &Option<u64>)| {
                (cell, run, 100 + u64::from(run), &values[cell as usize][..], *latency)
            })
        })
        .collect();
    folder(&["x"], &runs)
}

fn conditions(texts: &[&str]) -> Vec<Condition> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn side(dir: &TempDir, letter: &'static str, by: &[&str], of: &[&str]) -> Result<Side, String> {
    let runs = MeasuredRuns::read(dir.path(), &[Metric::AllCommit], &AnalysisOptions::default()).unwrap();
    let by: Vec<String> = by.iter().map(|&name| name.to_owned()).collect();
    let choice = RunChoice {
        letter,
        name: "results",
        by: &by,
        conditions: &conditions(of),
        metric: Metric::AllCommit,
        time_limits: &TimeLimits::Common(NS_PER_S),
    };
    Side::of_runs(&runs, &choice).map_err(|error| message(&error))
}

fn compared(a: &Side, b: &Side) -> Comparison {
    compare(a, b, latency(), &CompareOptions::default()).unwrap()
}

/// What is wrong, and what to do.
fn message(error: &CompareError) -> String {
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

fn refused(a: &Side, b: &Side) -> String {
    message(&compare(a, b, latency(), &CompareOptions::default()).unwrap_err())
}

/// Two cells of one sweep share their seeds: they are compared in pairs.
#[test]
fn two_cells_of_one_sweep() {
    let dir = sweep(&[("0", &[Some(10), Some(20), Some(33), None]), ("2", &[Some(13), Some(22), Some(37), Some(50)])]);
    let (a, b) = (side(&dir, "A", &[], &["x = 0"]).unwrap(), side(&dir, "B", &[], &["x=2"]).unwrap());
    assert_eq!((a.name.as_str(), b.name.as_str()), ("results where x = 0", "results where x=2"));
    let comparison = compared(&a, &b);
    let [it] = &comparison.groups[..] else { panic!("one group") };
    assert_eq!((it.pairs, it.complete_pairs, it.group.len()), (Some(4), Some(3), 0));
    near(it.difference.estimate, 3.0);
    near(it.success_difference.estimate, 0.25);
    assert_eq!(it.limit, Some(1000.0));
    near(it.restricted_mean_difference.estimate, (3.0 + 2.0 + 4.0 + 50.0 - 1000.0) / 4.0);
    assert!(comparison.notes.is_empty(), "{:?}", comparison.notes);
}

#[test]
fn two_sweeps_are_matched_by_their_keys() {
    let latencies = [Some(10), Some(20), Some(33)];
    let later = [Some(15), Some(26), Some(38)];
    let one = sweep(&[("0", &latencies), ("1", &latencies), ("2", &latencies)]);
    let two = sweep(&[("2.0", &later), ("7", &later), ("0", &latencies)]);
    let (a, b) = (side(&one, "A", &["x"], &[]).unwrap(), side(&two, "B", &["x"], &[]).unwrap());
    let comparison = compared(&a, &b);
    let values: Vec<&str> = comparison.groups.iter().map(|group| group.group[0].1.as_str()).collect();
    assert_eq!(values, ["0", "2"]);
    assert_eq!(comparison.groups[0].difference.estimate, Some(0.0));
    near(comparison.groups[1].difference.estimate, 16.0 / 3.0);
    assert_eq!(comparison.notes, ["only A has x 1: not compared", "only B has x 7: not compared"]);
    // A message that names what both have.
    let c = side(&sweep(&[("9", &later)]), "B", &["x"], &[]).unwrap();
    let error = refused(&a, &c);
    for words in ["no group in common", "x 0, 1, 2", "x 9", "--where-a", "--by"] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn groups_that_pool_cells_are_not_paired_and_say_so() {
    let latencies = [Some(10), Some(20), Some(33)];
    let dir = sweep(&[("0", &latencies), ("1", &latencies)]);
    let (a, b) = (side(&dir, "A", &[], &[]).unwrap(), side(&dir, "B", &[], &["x = 1"]).unwrap());
    assert_eq!(
        a.notes,
        ["a group holds runs with 2 values of x; choose one with a condition, or match by it with --by"]
    );
    assert!(b.notes.is_empty());
    let comparison = compared(&a, &b);
    assert!(comparison.notes[0].starts_with("A: a group holds"), "{:?}", comparison.notes);
    let it = &comparison.groups[0];
    assert_eq!((it.pairs, it.a.runs, it.b.runs), (None, 6, 3));
    assert!(it.notes.iter().any(|note| note.contains("pools cells whose runs share their random numbers")));
}

#[test]
fn runs_can_be_chosen_by_any_column() {
    let dir = sweep(&[("0", &[Some(10), None, Some(33)]), ("1", &[Some(10), Some(11), None])]);
    for (condition, runs) in [
        ("outcome = completed", 4),
        ("outcome != completed", 2),
        ("cell = 1", 3),
        ("run < 2", 4),
        ("seed = 100", 2),
        ("corrupted = 0", 6),
        ("replicas >= 5", 0),
        ("faults = 1", 6),
        ("agreement = true", 6),
        ("x = 1.0", 3),
    ] {
        let groups = side(&dir, "A", &[], &[condition]).unwrap().groups;
        assert_eq!(groups.iter().map(|group| group.units.len()).sum::<usize>(), runs, "{condition}");
    }
    let error = side(&dir, "B", &[], &["y = 1"]).unwrap_err();
    for words in ["B (results)", "no column `y`", "`y = 1`", "x, cell, run", "outcome"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let error = side(&dir, "A", &[], &["outcome > 3"]).unwrap_err();
    assert!(error.contains("`completed`, which is no number"), "{error}");
    let error = side(&dir, "A", &["z"], &[]).unwrap_err();
    assert!(error.contains("cannot group by `z`"), "{error}");
    let empty = side(&dir, "A", &[], &["replicas >= 5"]).unwrap();
    let full = side(&dir, "B", &[], &[]).unwrap();
    let error = refused(&empty, &full);
    assert!(error.contains("A (results where replicas >= 5) has no runs") && error.contains("--where-a"), "{error}");
}

#[test]
fn without_a_log_there_is_success_alone() {
    let dir = sweep(&[("0", &[Some(10), None, Some(33)]), ("1", &[Some(10), Some(11), Some(12)])]);
    std::fs::remove_file(dir.path().join("events.csv")).unwrap();
    let (a, b) = (side(&dir, "A", &[], &["x=0"]).unwrap(), side(&dir, "B", &[], &["x=1"]).unwrap());
    let it = &compared(&a, &b).groups[0];
    near(it.success_difference.estimate, 1.0 / 3.0);
    assert!(it.difference.note.as_ref().unwrap().contains("no events.csv"), "{:?}", it.difference);
    for undefined in
        [it.difference.estimate, it.restricted_mean_difference.estimate, it.mann_whitney.u, it.kolmogorov_smirnov.d]
    {
        assert_eq!(undefined, None);
    }
    assert_eq!((it.a.unconditional.median.estimate, it.a.completed), (None, 2));
}

/// A simulation against a measurement, which counts in seconds and has had one failure.
#[test]
fn a_folder_against_a_table() {
    let dir = sweep(&[("0", &[Some(10), Some(20), Some(33)]), ("2", &[Some(13), Some(22), Some(37)])]);
    let a = side(&dir, "A", &["x"], &[]).unwrap();
    let csv = "x,seconds\n2,0.015\n2.0,0.024\n2,inf\n0,0.01\n0,0.011\n0,NaN\n";
    let options =
        TableOptions { by: vec!["x".to_owned()], limit: Some(1000.0), scale: 1000.0, ..TableOptions::of("seconds") };
    let b = Side::of_table(&read_table(csv.as_bytes(), "measured.csv", &options).unwrap(), "measured.csv", &options)
        .unwrap();
    assert_eq!(b.name, "measured.csv, column seconds");
    let comparison = compared(&a, &b);
    assert!(
        comparison.notes.contains(&"B: 1 of 6 rows have no value and are left out".to_owned()),
        "{:?}",
        comparison.notes
    );
    let it = &comparison.groups[1];
    // `2` and `2.0` are one value on the two sides, and one group of the table.
    assert_eq!((it.a.runs, it.b.runs, it.b.completed), (3, 3, 2));
    near(it.difference.estimate, 19.5 - 24.0);
    near(it.restricted_mean_difference.estimate, (15.0 + 24.0 + 1000.0) / 3.0 - 24.0);
    assert!(
        it.difference.method.contains("completed runs and successful rows, Welch, 3 and 2"),
        "{}",
        it.difference.method
    );
    assert_eq!(it.pairs, None);
}

#[test]
fn two_tables() {
    let read = |csv: &str| {
        let options = TableOptions::of("ms");
        Side::of_table(&read_table(csv.as_bytes(), "t.csv", &options).unwrap(), "t.csv", &options).unwrap()
    };
    let quantity = Quantity { name: "ms".into(), words: "ms".into(), unit: None, sense: Sense::Unknown };
    let (a, b) = (read("ms\n1\n2\n3\n"), read("ms\n4\n5\n9\n"));
    let it = compare(&a, &b, quantity, &CompareOptions::default()).unwrap().groups.remove(0);
    near(it.difference.estimate, 4.0);
    assert!(it.notes.is_empty(), "rows have no seeds that could differ: {:?}", it.notes);
    let error = refused(&a, &read("ms\n"));
    assert!(error.contains("B (t.csv, column ms) has no rows"), "{error}");
}

#[test]
fn rows_that_were_summed_up_have_no_ranks() {
    let options = TableOptions { exact: 2, ..TableOptions::of("ms") };
    let csv = format!("ms\n{}", "1\n2\n3\n".repeat(100));
    let data = read_table(csv.as_bytes(), "t.csv", &options).unwrap();
    let error = message(&Side::of_table(&data, "t.csv", &options).unwrap_err());
    assert!(error.contains("the 300 rows of a group were summed up") && error.contains("`exact`"), "{error}");
}

#[test]
fn keys_in_common() {
    let keys = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
    let common = |texts: &[&str]| common_keys(&keys(&["x", "y", "z"]), &keys(&["z", "x", "w"]), &conditions(texts));
    assert_eq!(common(&[]), ["x", "z"]);
    assert_eq!(common(&["x = 3", "w = 1"]), ["z"]);
    assert_eq!(common(&["x > 3"]), ["x", "z"], "several values remain");
}

/// What was skipped when a folder was read leniently is said of the side.
#[test]
fn damage_is_said() {
    let dir = sweep(&[("0", &[Some(10), Some(20), Some(30)])]);
    let path = dir.path().join("events.csv");
    let log = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = log.lines().collect();
    lines[2] = "0,0,what,0,committed";
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let options = AnalysisOptions {
        read: byzlab_analysis::log::ReadOptions { lenient: true, ..Default::default() },
        ..AnalysisOptions::default()
    };
    let runs = MeasuredRuns::read(dir.path(), &[Metric::AllCommit], &options).unwrap();
    let choice = |conditions| RunChoice {
        letter: "A",
        name: "results",
        by: &[],
        conditions,
        metric: Metric::AllCommit,
        time_limits: &TimeLimits::Common(NS_PER_S),
    };
    let notes = Side::of_runs(&runs, &choice(&[])).unwrap().notes;
    assert!(notes.iter().any(|note| note.starts_with("runs without a value") && note.ends_with(": 1")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("1 row of the whole log was skipped")), "{notes:?}");
    // Of the runs that were chosen, none.
    let whole = conditions(&["run > 0"]);
    let notes = Side::of_runs(&runs, &choice(&whole)).unwrap().notes;
    assert!(!notes.iter().any(|note| note.contains("without a value")), "{notes:?}");
}
