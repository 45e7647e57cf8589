//! `byzlab frontier`: what it finds, that nothing in it depends on threads, and that its files say what it says.

mod program;
mod recorded;

use byzlab::Experiment;
use byzlab::frontier::{Frontier, FrontierOptions, frontier, measure, table};
use byzlab_analysis::statistics::Moments;
use byzlab_analysis::{EventKind, Metric};
use program::{Desk, refused};
use recorded::{parse, record};
use std::num::NonZeroUsize;
use std::path::Path;

const SMALL: &str = r#"
    experiment = { seed = 5, runs = 12, time_limit = "5s" }
    protocol = { request_timeout = "100ms", view_change_timeout = "100ms" }
    workload = { clients = 2, requests = 2, client_timeout = "200ms" }
    network = { latency = { distribution = "uniform", min = "5ms", max = "10ms" } }
"#;

fn options(budget: u64) -> FrontierOptions {
    FrontierOptions { budget: budget.try_into().unwrap(), ..FrontierOptions::default() }
}

fn search(toml: &str, budget: u64) -> Frontier {
    frontier(&parse(toml), &options(budget), || {}).unwrap()
}

#[test]
fn what_is_found_is_the_same_with_any_number_of_threads() {
    let experiment = parse(SMALL);
    let with = |jobs: usize| {
        let options = FrontierOptions { jobs: NonZeroUsize::new(jobs), ..options(400) };
        let frontier = frontier(&experiment, &options, || {}).unwrap();
        (table(&frontier), frontier.levels[0].found.latencies.clone())
    };
    let alone = with(1);
    assert_eq!(alone, with(3));
    let other_seed = FrontierOptions { seed: Some(99), ..options(400) };
    let other = frontier(&experiment, &other_seed, || {}).unwrap();
    assert_eq!(other.search_seed, 99);
    assert_ne!(alone.0, table(&other));
}

/// A corrupted primary of four makes clients wait for a timeout at least, and a search that begins with the known attacks ends with
/// nothing much weaker.
#[test]
fn the_search_finds_what_is_known_or_worse() {
    let Frontier { honest, levels, findings, .. } = search(SMALL, 600);
    assert!(findings.is_empty(), "{findings:?}");
    let found = &levels[0].found;
    let honest_ms = honest.mean().unwrap();
    assert!((25.0..50.0).contains(&honest_ms), "five delays of 5 to 10 ms: {honest_ms}");
    let by = found.slower_than(&honest, 0.99).unwrap();
    assert!(by.difference.lower > 100.0, "{by:?} by {}", found.line);
    let worst = levels[0].worst_known().unwrap();
    assert!(found.mean().unwrap() > 0.95 * worst.mean().unwrap(), "{} against {}", found.line, worst.name);
}

#[test]
fn the_honest_level_is_the_experiment_itself() {
    let frontier = search(SMALL, 100);
    let latency = |run| {
        let run = record(&parse(SMALL), 0, run);
        let at = |kind| run.of(kind).map(|row| row.time_ns as f64).sum::<f64>() / run.of(kind).count() as f64;
        (at(EventKind::Reply) - at(EventKind::Request)) / 1e6
    };
    let by_hand: Moments = (0..12).map(latency).collect();
    assert!((frontier.honest.mean().unwrap() - by_hand.mean().unwrap()).abs() < 1e-6);
    assert_eq!((frontier.honest.completed, frontier.honest.accepted), (12, 48));
}

/// What is not accepted counts until the time limit.
#[test]
fn a_run_that_stalls_is_slow_and_not_missing() {
    let stalled =
        format!("{SMALL}\nadversary = {{ count = 2, selection = \"first\", attack = [{{ kind = \"silent\" }}] }}");
    let measured = measure(&parse(&stalled), Metric::Client);
    assert_eq!((measured.completed, measured.accepted), (0, 0));
    // Each client issued its first request at the start, and waited for it until the end.
    assert!(measured.latencies.iter().all(|&latency| latency == Some(5000.0)), "{:?}", measured.latencies);
}

#[test]
fn the_file_of_an_attack_gives_its_figures() {
    let desk = Desk::with(SMALL);
    let finished = desk.byzlab("frontier e.toml --out out --budget 300 --seed 4");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stdout.contains("worst known"), "{}", finished.stdout);
    let row = |name: &str, corrupted: u16| {
        let csv = desk.read("out/frontier.csv");
        let row = csv.lines().find(|row| row.starts_with(&format!("{corrupted},{name},"))).unwrap().to_owned();
        row.split(',').nth(15).unwrap().parse::<f64>().unwrap()
    };
    for (file, name, corrupted) in [("attack-0.toml", "honest", 0), ("attack-1.toml", "search", 1)] {
        let experiment = Experiment::load(&desk.path("out").join(file), &[]).unwrap();
        assert_eq!((experiment.runs, experiment.seed), (12, 5));
        let mean = measure(&experiment, Metric::Client).mean().unwrap();
        assert!((mean - row(name, corrupted)).abs() < 1e-9, "{file}: {mean}");
        let again = desk.byzlab(&format!("run out/{file} --out again{corrupted}"));
        assert_eq!(again.code, Some(0), "{}", again.stderr);
    }
    for file in ["frontier.svg", "frontier.png"] {
        assert!(desk.path("out").join(file).exists(), "{file}");
    }

    let occupied = desk.byzlab("frontier e.toml --out out --budget 50");
    refused(&occupied, "out holds results already", &["--force"]);
    assert_eq!(desk.byzlab("frontier e.toml --out out --budget 50 --force").code, Some(0));
}

#[test]
fn questions_without_an_answer_are_refused() {
    for (toml, arguments, place, parts) in [
        (
            "[sweep]\n\"network.drop\" = [0.0, 0.1]",
            "",
            "the experiment sweeps network.drop",
            &["--set network.drop="][..],
        ),
        ("[cluster]\nreplicas = 3", "", "nothing to corrupt: 3 replicas", &["cluster.replicas"]),
        ("[cluster]\nreplicas = 4\nfaults = 0", "", "nothing to corrupt", &["cluster.faults"]),
        ("", "--metric throughput", "the throughput is no latency", &["client"]),
        ("", "--confidence 1", "a confidence of 1", &["0.95"]),
    ] {
        let desk = Desk::with(toml);
        let finished = desk.byzlab(&format!("frontier e.toml --out out {arguments}"));
        refused(&finished, place, parts);
        assert!(!desk.path("out").exists());
    }
    let finished = Desk::with("").byzlab("frontier e.toml --budget 0");
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{}", finished.stderr);
    assert!(finished.stderr.contains("--budget"), "{}", finished.stderr);
}

#[test]
fn the_ready_experiment_can_be_asked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/frontier.toml");
    let experiment = Experiment::load(&path, &["experiment.runs=2".into()]).unwrap();
    let frontier = frontier(&experiment, &options(40), || {}).unwrap();
    assert_eq!(frontier.levels.len(), 2);
}
