//! The same file and seed give the same bytes: whatever else the machine does, whatever is logged, in every build.

use byzlab::{Experiment, RunOptions, run_experiment};
use byzlab_analysis::{RunRow, RunTable};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use tempfile::TempDir;

/// Everything that draws random numbers, in four cells.
const EXPERIMENT: &str = r#"
    [experiment]
    seed = 99
    runs = 12
    time_limit = "3s"

    [cluster]
    replicas = 7

    [protocol]
    batch_size = 2

    [workload]
    clients = 2
    requests = 3
    client_timeout = "200ms"
    send_to = "all"

    [network]
    latency = { distribution = "lognormal", median = "12ms", sigma = 0.6 }
    drop = 0.01
    duplicate = 0.05
    reorder = { probability = 0.2, extra = { distribution = "gamma", shape = 2.0, scale = "4ms" } }

    [adversary]
    count = 1
    attack = [
        { kind = "equivocate", groups = "halves", probability = 0.5 },
        { kind = "ignore", probability = 0.3 },
        { kind = "fake_digest", probability = 0.5 },
    ]

    [sweep]
    "adversary.count" = [0, 2]
    "network.latency.median" = ["12ms", "30ms"]
"#;

#[test]
fn results_depend_neither_on_jobs_nor_on_when_they_are_made() {
    for events in ["protocol", "messages"] {
        let detail = format!("output.events={events}");
        let first = Results::of(EXPERIMENT, &[&detail], 1);
        assert!(first.events().lines().count() > 1000);
        for jobs in [1, 2, 5] {
            let again = Results::of(EXPERIMENT, &[&detail], jobs);
            for file in ["config.toml", "runs.csv", "events.csv"] {
                assert!(first.bytes(file) == again.bytes(file), "{file} of events = {events} differs with {jobs} jobs");
            }
        }
    }
}

#[test]
fn the_resolved_configuration_gives_the_same_results() {
    let first = Results::of(EXPERIMENT, &["output.events=messages"], 2);
    let resolved = Experiment::load(&first.0.path().join("config.toml"), &[]).unwrap();
    let again = Results::run(&resolved, 2);
    for file in ["config.toml", "runs.csv", "events.csv"] {
        assert!(first.bytes(file) == again.bytes(file), "{file} differs");
    }
}

#[test]
fn what_is_logged_changes_nothing_but_the_log() {
    let [none, protocol, messages] = ["none", "protocol", "messages"]
        .map(|events| Results::of(EXPERIMENT, &[&format!("output.events={events}")], 2));
    assert!(!none.0.path().join("events.csv").exists());
    assert_eq!(none.runs(), protocol.runs());
    assert_eq!(none.runs(), messages.runs());
    let traffic = [",send,", ",deliver,", ",drop,", ",duplicate,"];
    let rest: String =
        messages.events().split_inclusive('\n').filter(|row| !traffic.iter().any(|kind| row.contains(kind))).collect();
    assert!(rest == protocol.events(), "without its messages the detailed log is the usual one");
}

#[test]
fn runs_do_not_depend_on_how_many_there_are() {
    let more = Results::of(EXPERIMENT, &["experiment.runs=12"], 2).runs();
    let fewer = Results::of(EXPERIMENT, &["experiment.runs=5"], 2).runs();
    assert_eq!(fewer.len(), 4 * 5);
    for row in fewer {
        assert!(more.contains(&row), "{row:?}");
    }
}

#[test]
fn fingerprints_tell_runs_and_seeds_apart() {
    let fingerprints = |seed: &str| -> BTreeSet<u64> {
        let rows = Results::of(EXPERIMENT, &[seed], 2).runs();
        rows.iter().map(|row| row.fingerprint).collect()
    };
    let (one, other) = (fingerprints("experiment.seed=99"), fingerprints("experiment.seed=100"));
    assert_eq!((one.len(), other.len()), (4 * 12, 4 * 12), "no two runs are the same");
    assert!(one.is_disjoint(&other));
}

#[test]
fn cells_share_their_seeds_unless_they_are_to_be_independent() {
    let seeds = |setting: &str| -> BTreeSet<u64> {
        Results::of(EXPERIMENT, &[setting], 2).runs().iter().map(|row| row.seed).collect()
    };
    assert_eq!(seeds("experiment.independent_cells=false").len(), 12);
    assert_eq!(seeds("experiment.independent_cells=true").len(), 4 * 12);
}

const GOLDEN: &str = r#"
    experiment = { seed = 7, runs = 2, time_limit = "1s" }
    cluster = { replicas = 4 }
    output = { events = "messages" }

    [workload]
    requests = 2
    client_timeout = "150ms"

    [network]
    latency = { distribution = "uniform", min = "5ms", max = "40ms" }
    drop = 0.02
    duplicate = 0.05
    reorder = { probability = 0.2, extra = { distribution = "exponential", mean = "10ms" } }

    [adversary]
    members = [3]
    attack = [{ kind = "fake_digest", probability = 0.5 }]
"#;

/// The same bytes on every machine, in debug and in release.
#[test]
fn a_tiny_experiment_gives_the_golden_bytes() {
    let results = Results::of(GOLDEN, &[], 2);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (file, golden) in [("runs.csv", "golden_runs.csv"), ("events.csv", "golden_events.csv")] {
        let golden = folder.join(golden);
        let now = String::from_utf8(results.bytes(file)).unwrap();
        if std::env::var_os("BYZLAB_RENEW_GOLDEN").is_some() {
            std::fs::write(&golden, &now).unwrap();
        }
        // A checkout may have changed the line ends.
        let before = std::fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n");
        let rows = || before.lines().zip(now.lines()).zip(1..);
        if let Some(((before, now), line)) = rows().find(|((before, now), _)| before != now) {
            panic!("{}:{line}:\n before {before}\n now    {now}\n{RENEW}", golden.display());
        }
        assert!(before == now, "{}: the number of rows changed\n{RENEW}", golden.display());
    }
}

const RENEW: &str = "The results of all experiments change with these bytes, and earlier ones can no longer be repeated. If that is \
     meant, renew the files with\n    BYZLAB_RENEW_GOLDEN=1 cargo test -p byzlab --test determinism\nand say `value-breaking` in \
     the commit message and in CHANGELOG.md.";

/// A results folder.
struct Results(TempDir);

impl Results {
    fn of(toml: &str, overrides: &[&str], jobs: usize) -> Results {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        Results::run(&Experiment::parse("experiment.toml", toml, Path::new(""), &overrides).unwrap(), jobs)
    }

    fn run(experiment: &Experiment, jobs: usize) -> Results {
        let folder = tempfile::tempdir().unwrap();
        let options = RunOptions { jobs: NonZeroUsize::new(jobs), replace: false };
        let campaign = run_experiment(experiment, folder.path(), options, |_| {}).unwrap();
        assert!(campaign.is_clean(), "{campaign:?}");
        Results(folder)
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(file)).unwrap()
    }

    fn events(&self) -> String {
        String::from_utf8(self.bytes("events.csv")).unwrap()
    }

    fn runs(&self) -> Vec<RunRow> {
        RunTable::read(&self.0.path().join("runs.csv")).unwrap().rows
    }
}
