//! `[sweep.stop]`: how many runs a cell has follows from its runs in their order, and from nothing else.

mod program;

use byzlab::{Campaign, Experiment, RunOptions, run_experiment};
use byzlab_analysis::statistics::{Moments, wilson};
use byzlab_analysis::{EventReader, Metric, Outcome, Replications, RunMeasures, RunTable};
use program::Desk;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use tempfile::TempDir;

/// Four cells: two quiet ones, one with long latencies now and then, and one in which nothing works.
const EXPERIMENT: &str = r#"
    [experiment]
    seed = 3
    time_limit = "2s"

    [protocol]
    view_change = false

    [workload]
    requests = 3
    client_timeout = "100ms"
    warmup = "1ms"

    [network]
    latency = { distribution = "exponential", mean = "4ms", offset = "2ms" }

    [adversary]
    selection = "first"
    attack = [{ kind = "silent" }]

    [sweep]
    "adversary.count" = [0, 1]
    "network.drop" = [0.0, 0.03]

    [output]
    metric = "client"
"#;

const RELATIVE: &str = "[sweep.stop]\nrelative_half_width = 0.15\nmin_runs = 5\nmax_runs = 60";

/// A results folder, and what the campaign said.
struct Results {
    folder: TempDir,
    campaign: Campaign,
}

impl Results {
    fn of(toml: &str, overrides: &[&str], jobs: usize) -> Results {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        let experiment = Experiment::parse("e.toml", toml, Path::new(""), &overrides).unwrap();
        Results::run(&experiment, jobs)
    }

    fn run(experiment: &Experiment, jobs: usize) -> Results {
        let folder = tempfile::tempdir().unwrap();
        let options = RunOptions { jobs: NonZeroUsize::new(jobs), replace: false };
        let campaign = run_experiment(experiment, folder.path(), options, |_| {}).unwrap();
        Results { folder, campaign }
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(file)).unwrap()
    }

    /// The number of runs of each cell, which are numbered from 0 without gaps.
    fn counts(&self) -> Vec<u32> {
        let table = RunTable::read(&self.folder.path().join("runs.csv")).unwrap();
        let mut counts = Vec::new();
        for row in &table.rows {
            counts.resize(counts.len().max(row.cell as usize + 1), 0);
            let last = counts.len() - 1;
            assert_eq!((row.cell as usize, row.run), (last, counts[last]), "in order, without gaps");
            counts[last] += 1;
        }
        counts
    }

    /// The value of each completed run from the log, by cell and run.
    fn values(&self, metric: Metric, warmup_ns: u64) -> BTreeMap<(u32, u32), Option<f64>> {
        let table = RunTable::read(&self.folder.path().join("runs.csv")).unwrap();
        let measures = |row: &byzlab_analysis::RunRow| {
            ((row.cell, row.run), RunMeasures::new(&[metric], row.replicas, row.faults, warmup_ns))
        };
        let mut runs: BTreeMap<_, _> = table.rows.iter().map(measures).collect();
        let mut reader = EventReader::open(&self.folder.path().join("events.csv")).unwrap();
        while let Some(event) = reader.next_event().unwrap() {
            runs.get_mut(&(event.cell, event.run)).unwrap().record(&event).unwrap();
        }
        let value = |row: &byzlab_analysis::RunRow| {
            let run = (row.cell, row.run);
            (run, (row.outcome == Outcome::Completed).then(|| runs[&run].value(metric).value).flatten())
        };
        table.rows.iter().map(value).collect()
    }
}

/// The rows of a fixed number of runs: with the first of each cell an experiment that stops must have the same.
fn rows_of_first(rows: &str, counts: &[u32]) -> String {
    let keep = |row: &&str| {
        let mut fields = row.split(',').map(str::parse::<u32>);
        let (cell, run) = (fields.next().unwrap(), fields.next().unwrap());
        cell.map_or(true, |cell| run.unwrap() < counts[cell as usize])
    };
    rows.split_inclusive('\n').filter(keep).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn each_cell_ends_where_the_rule_says_of_its_runs_in_order() {
    let fixed = Results::of(EXPERIMENT, &["experiment.runs=60"], 2);
    let values = fixed.values(Metric::Client, 1_000_000);
    let end = |cell: u32| {
        let mut so_far = Moments::default();
        let is_enough = |run: &u32| {
            so_far.extend(values[&(cell, *run)]);
            let interval = so_far.interval(0.95).filter(|_| so_far.count() >= 5);
            interval.is_some_and(|interval| interval.half_width <= 0.15 / 1.15 * interval.mean.abs())
        };
        (0..60).find(is_enough).map_or(60, |run| run + 1)
    };
    let expected: Vec<u32> = (0..4).map(end).collect();
    // The cells differ, the silent primary lets none be precise, and a rule that looked at what ended first would differ.
    assert!(expected[0] < expected[1] && expected[1] < 60, "{expected:?}");
    assert_eq!(expected[2..], [60, 60]);

    let stopping = Results::of(&format!("{EXPERIMENT}\n{RELATIVE}"), &[], 2);
    assert_eq!(stopping.counts(), expected);
    for file in ["runs.csv", "events.csv"] {
        let (fixed, stopping) = (text(fixed.read(file)), text(stopping.read(file)));
        assert!(rows_of_first(&fixed, &expected) == stopping, "{file} has the same rows of the first runs");
    }
    let campaign = &stopping.campaign;
    let precise: Vec<bool> = campaign.stopped.iter().map(Replications::is_precise).collect();
    assert_eq!(precise, [true, true, false, false]);
    assert_eq!(campaign.stopped.iter().map(Replications::runs).collect::<Vec<_>>(), expected);
    assert_eq!(campaign.completed + campaign.timeouts, expected.iter().sum::<u32>() as usize, "and no surplus run");
    assert!(campaign.is_clean());
}

#[test]
fn nothing_depends_on_the_jobs() {
    let toml = format!("{EXPERIMENT}latency_parts = true\n{RELATIVE}");
    for compression in ["none", "zstd", "gzip"] {
        let setting = format!("output.compression={compression}");
        let first = Results::of(&toml, &[&setting], 1);
        let suffix = match compression {
            "none" => "",
            "zstd" => ".zst",
            _ => ".gz",
        };
        for jobs in [2, 5] {
            let again = Results::of(&toml, &[&setting], jobs);
            for file in
                ["config.toml", "runs.csv", &format!("events.csv{suffix}"), &format!("latency_parts.csv{suffix}")]
            {
                assert!(first.read(file) == again.read(file), "{file} differs with {jobs} jobs");
            }
            let runs = |results: &Results| (results.campaign.completed, results.campaign.timeouts);
            assert_eq!(runs(&first), runs(&again));
        }
    }
}

#[test]
fn the_least_and_the_most_runs_are_kept() {
    let counts = |min: &str, max: &str| {
        let toml = format!("{EXPERIMENT}\n{RELATIVE}");
        Results::of(&toml, &[&format!("sweep.stop.min_runs={min}"), &format!("sweep.stop.max_runs={max}")], 2).counts()
    };
    assert_eq!(counts("12", "12"), [12, 12, 12, 12]);
    let some = counts("20", "25");
    assert!(some.iter().all(|count| (20..=25).contains(count)), "{some:?}");
    assert_eq!((some[0], some[2]), (20, 25));
}

#[test]
fn one_cell_without_a_sweep_stops_too() {
    let toml = r#"
        network = { latency = { distribution = "constant", value = "10ms" } }
        [sweep.stop]
        absolute_half_width = "1us"
    "#;
    // Without any randomness the least number of runs is enough.
    assert_eq!(Results::of(toml, &[], 2).counts(), [10]);
    let random = r#"network.latency={ distribution = "uniform", min = "5ms", max = "35ms" }"#;
    let throughput = ["sweep.stop.metric=throughput", "sweep.stop.absolute_half_width=0.5", random];
    let results = Results::of(toml, &throughput, 2);
    let count = results.counts()[0];
    let half_width = results.campaign.stopped[0].half_width();
    assert!(count > 10 && half_width.is_some_and(|half_width| half_width <= 0.5), "{count} runs, {half_width:?}");
    // One run fewer was not enough.
    let values = results.values(Metric::Throughput, 0);
    let before: Moments = values.values().take(count as usize - 1).flatten().copied().collect();
    assert!(before.interval(0.95).unwrap().half_width > 0.5);
}

#[test]
fn the_share_of_success_decides_without_any_log() {
    let toml = format!(
        "{EXPERIMENT}events = \"none\"\n[sweep.stop]\nmetric = \"success\"\nabsolute_half_width = 0.1\nmax_runs = 200"
    );
    let results = Results::of(&toml, &["experiment.time_limit=150ms"], 2);
    assert!(!results.folder.path().join("events.csv").exists());
    let rows = RunTable::read(&results.folder.path().join("runs.csv")).unwrap().rows;
    let half_width = |cell: u32, runs: usize| {
        let of_cell = rows.iter().filter(|row| row.cell == cell).take(runs);
        let completed = of_cell.filter(|row| row.outcome == Outcome::Completed).count();
        let share = wilson(completed as u64, runs as u64, 0.95).unwrap();
        (share.upper - share.lower) / 2.0
    };
    let counts = results.counts();
    for (cell, &count) in (0..).zip(&counts) {
        let count = count as usize;
        assert!(half_width(cell, count) <= 0.1, "cell {cell}");
        assert!((10..count).all(|fewer| half_width(cell, fewer) > 0.1), "cell {cell} could have ended before");
    }
    // All or none complete: few runs are enough. Some do: more are needed.
    assert!(counts[1] > counts[0] && counts[0] == counts[2], "{counts:?}");
}

/// The resolved configuration spells the rule out, and gives the same results.
#[test]
fn the_resolved_configuration_says_the_same() {
    for (stop, spelled) in [
        (
            "relative_half_width = 0.2",
            "metric = \"client\"\nrelative_half_width = 0.2\nconfidence = 0.95\nmin_runs = 10\nmax_runs = 10000",
        ),
        (
            "absolute_half_width = \"1.5ms\"\nconfidence = 0.9\nmin_runs = 3\nmax_runs = 30",
            "metric = \"client\"\nabsolute_half_width = \"1.5ms\"\nconfidence = 0.9\nmin_runs = 3\nmax_runs = 30",
        ),
        ("metric = \"throughput\"\nabsolute_half_width = 4\nmax_runs = 30", "absolute_half_width = 4.0"),
        ("metric = \"success\"\nabsolute_half_width = 0.2", "metric = \"success\"\nabsolute_half_width = 0.2"),
    ] {
        let toml = format!("{EXPERIMENT}\n[sweep.stop]\n{stop}");
        let experiment = Experiment::parse("e.toml", &toml, Path::new(""), &[]).unwrap();
        let config = experiment.to_toml();
        assert!(config.contains("[sweep.stop]") && config.contains(spelled), "{config}");
        assert!(!config.contains("\nruns = ") && config.contains("# how many runs a cell has follows"), "{config}");
        let again = Experiment::parse("e.toml", &config, Path::new(""), &[]).unwrap();
        assert_eq!((again.stop, again.runs_in_vain), (experiment.stop, false));
        assert_eq!(again.to_toml(), config);
    }
}

#[test]
fn what_is_not_reached_is_said_and_runs_are_replayed() {
    let desk = Desk::with(&format!("{EXPERIMENT}\n{RELATIVE}"));
    let finished = desk.byzlab("run e.toml --out out --set experiment.runs=7 --set sweep.stop.max_runs=30");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for part in [
        "4 cells of 5 to 30 runs, until client is precise enough",
        "experiment.runs does not count beside [sweep.stop]: sweep.stop.min_runs and sweep.stop.max_runs do",
        "cell 2 (adversary.count = 1, network.drop = 0.0): precision not reached: 0 of 30 runs completed with a client \
         value, and no fewer than 5 are believed",
        "nothing completes in 2 cells, whatever sweep.stop.max_runs: use sweep.stop.metric = \"success\"",
    ] {
        assert!(finished.stderr.contains(part), "no `{part}` in {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("cell 0"), "{}", finished.stderr);
    // So do the tables, here and later.
    let again = desk.byzlab("analyze out");
    let note = "note: adversary.count 1 network.drop 0.0, adversary.count 1 network.drop 0.03: precision not reached: 0 of 30 runs \
                completed with a client value";
    assert!(again.stdout.contains(note), "{}", again.stdout);
    assert_eq!(again.stdout, finished.stdout);
    let together = desk.byzlab("analyze out --by adversary.count");
    assert!(
        together.stdout.contains("adversary.count 1: precision not reached in 2 of the 2 cells in it"),
        "{together:?}"
    );
    // Of another metric nothing was wanted.
    let other = desk.byzlab("analyze out --metric all_commit");
    assert!(other.code == Some(0) && !other.stdout.contains("precision"), "{}", other.stdout);

    let replayed = desk.byzlab("replay out --cell 2 --run 29 --events none");
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    assert!(!replayed.stderr.contains("runs.csv has the fingerprint"), "{replayed:?}");
    let unknown = desk.byzlab("replay out --cell 2 --run 30");
    assert!(unknown.stderr.contains("runs 0 to 29"), "{unknown:?}");

    let unlogged = desk.byzlab("run e.toml --out unlogged --set output.events=none --set sweep.stop.max_runs=5");
    let warning = "the precision of client, by which [sweep.stop] ends cells, cannot be checked later";
    assert!(unlogged.code == Some(0) && unlogged.stderr.contains(warning), "{unlogged:?}");

    // Nothing is said where all is precise, and a mean says how far it came.
    let far = desk.byzlab("run e.toml --out far --set sweep.stop.max_runs=5 --set adversary.count=0");
    assert!(far.stderr.contains("precision not reached: mean client ± "), "{}", far.stderr);
    assert!(far.stderr.contains("raise sweep.stop.max_runs"), "{}", far.stderr);
    assert!(!far.stderr.contains("nothing completes"), "{}", far.stderr);
    assert!(far.stderr.contains("% with 5 runs, wanted ± 13 % (γ/(1+γ) of 0.15) at 95 % confidence"), "{}", far.stderr);
    let enough = desk.byzlab("run e.toml --out enough --set adversary.count=0 --set sweep.stop.max_runs=1000");
    assert!(enough.code == Some(0) && !enough.stderr.contains("precision not reached"), "{}", enough.stderr);
}
