//! Consensus latency against theory: constant delays, exact distributions, and a Monte Carlo of order statistics that
//! shares no code with the protocol. The reference values and their model are in `data/latency_refs.json`.

mod recorded;

use byzlab::config::EventDetail;
use byzlab::{Experiment, RunId, run_once};
use byzlab_analysis::{Event, EventKind, EventReader, Metric, Outcome, RunLatency};
use recorded::Log;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const MS: u64 = 1_000_000;

/// From four replicas on a commit takes pre-prepare, prepare and commit, one after the other.
#[test]
fn constant_delays_give_exactly_three_of_them() {
    for n in [4, 5, 6, 7, 8, 9, 10, 13] {
        for run in simulate(n, "{ distribution = 'constant', value = '10ms' }", 3) {
            assert_eq!(run.commits_ns, vec![30 * MS; n], "n = {n}");
            assert_eq!(run.client_ns, 50 * MS, "n = {n}");
        }
    }
}

/// One replica is a quorum. Two replicas without faults (Q = 2) are prepared with one prepare: the backup with its own, after one
/// delay, so that its commit reaches the primary together with its prepare; only the backup then waits for the primary's commit. With
/// three the two backups also meet each other's commits.
#[test]
fn small_clusters_need_fewer_delays() {
    for (n, commits, client) in [(1, &[0][..], 20), (2, &[20, 30], 40), (3, &[20, 20, 20], 40)] {
        for run in simulate(n, "{ distribution = 'constant', value = '10ms' }", 3) {
            let expected: Vec<u64> = commits.iter().map(|ms| ms * MS).collect();
            assert_eq!((run.commits_ns, run.client_ns), (expected, client * MS), "n = {n}");
        }
    }
}

/// Delays of 10 or 20 ms, each with probability 1/2, or 20 ms with 1/10.
#[test]
fn two_point_delays_match_the_exact_distribution() {
    for reference in references()["two_point"].as_array().unwrap() {
        let p = reference["probability_of_20ms"].as_f64().unwrap();
        let latency =
            format!("{{ distribution = 'discrete', values = ['10ms', '20ms'], weights = [{}, {p}] }}", 1.0 - p);
        let runs = simulate(4, &latency, 10_000);
        let check = |name: &str, metric: &str, value: &dyn Fn(&Run) -> u64| {
            let observed: Vec<u64> = runs.iter().map(value).collect();
            chi_square(&format!("P = {p}, {name}"), &observed, &reference[metric]);
        };
        check("primary", "primary", &|run| run.commits_ns[0]);
        for backup in 1..4 {
            check(&format!("backup {backup}"), "backup", &|run| run.commits_ns[backup]);
        }
        check("all", "all", &|run| run.commits_ns.iter().copied().max().unwrap());
    }
}

#[test]
fn uniform_delays_agree_with_the_monte_carlo_for_4_replicas() {
    agrees_with_the_monte_carlo("uniform(5,40)", "{ distribution = 'uniform', min = '5ms', max = '40ms' }", 4, 12_000);
}

#[test]
fn uniform_delays_agree_with_the_monte_carlo_for_10_replicas() {
    agrees_with_the_monte_carlo("uniform(5,40)", "{ distribution = 'uniform', min = '5ms', max = '40ms' }", 10, 5_000);
}

#[test]
fn exponential_delays_agree_with_the_monte_carlo_for_4_replicas() {
    agrees_with_the_monte_carlo("exp(mean=10)", "{ distribution = 'exponential', mean = '10ms' }", 4, 12_000);
}

#[test]
fn exponential_delays_agree_with_the_monte_carlo_for_10_replicas() {
    agrees_with_the_monte_carlo("exp(mean=10)", "{ distribution = 'exponential', mean = '10ms' }", 10, 5_000);
}

/// Means, medians and 99 % quantiles, each within 4 standard errors: ours and the reference's together.
fn agrees_with_the_monte_carlo(dist: &str, latency: &str, n: usize, runs: u32) {
    let references = references();
    let all = references["monte_carlo"].as_array().unwrap();
    let reference = all.iter().find(|entry| entry["dist"] == dist && entry["n"] == n).unwrap();
    let runs = simulate(n, latency, runs);
    let samples = |of: &dyn Fn(&Run) -> Vec<u64>| -> Vec<Vec<f64>> {
        runs.iter().map(|run| of(run).into_iter().map(|ns| ns as f64 / MS as f64).collect()).collect()
    };
    let quorum = n - (n - 1) / 3;
    let metrics: [(&str, Vec<Vec<f64>>); 4] = [
        ("replica", samples(&|run| run.commits_ns.clone())),
        ("primary", samples(&|run| vec![run.commits_ns[0]])),
        ("quorum", samples(&|run| vec![run.sorted()[quorum - 1]])),
        ("all", samples(&|run| vec![run.sorted()[n - 1]])),
    ];
    for (metric, samples) in metrics {
        let figures =
            [("mean", mean(&samples)), ("median", quantile(&samples, 0.5)), ("p99", quantile(&samples, 0.99))];
        for (figure, (value, error)) in figures {
            let expected = reference[metric][figure].as_f64().unwrap();
            let expected_error = reference[metric][format!("{figure}_se")].as_f64().unwrap();
            let distance = (value - expected) / error.hypot(expected_error);
            assert!(
                distance.abs() <= 4.0,
                "{dist}, n = {n}, {figure} of {metric}: {value:.3} ± {error:.3} ms instead of {expected:.3} ± \
                 {expected_error:.3} ms, {distance:.1} standard errors apart"
            );
        }
    }
}

/// One run of one request.
struct Run {
    /// From the pre-prepare to each replica's commit.
    commits_ns: Vec<u64>,
    /// From the request to the client's accepting its result.
    client_ns: u64,
}

impl Run {
    fn sorted(&self) -> Vec<u64> {
        let mut commits = self.commits_ns.clone();
        commits.sort_unstable();
        commits
    }
}

/// Runs a cluster of n without any faults. What the events say is compared with what the analysis makes of them.
fn simulate(n: usize, latency: &str, runs: u32) -> Vec<Run> {
    let toml =
        format!("experiment = {{ seed = 20 }}\ncluster = {{ replicas = {n} }}\nnetwork = {{ latency = {latency} }}");
    let experiment = Experiment::parse("theory", &toml, Path::new(""), &[]).unwrap();
    let log = Log::new();
    for run in 0..runs {
        let id = RunId { cell: 0, run, seed: experiment.run_seed(0, run), parameters: Vec::new() };
        let result = run_once(&id, &experiment.base, Some((EventDetail::Protocol, log.clone())));
        assert!(result.fault.is_none() && result.row.outcome == Outcome::Completed, "{result:?}");
    }
    let content = log.take();
    let mut reader = EventReader::new(content.as_slice(), "events.csv").unwrap();
    let mut watches: Vec<Watch> = (0..runs).map(|_| Watch::new(n)).collect();
    while let Some(event) = reader.next_event().unwrap() {
        watches[event.run as usize].record(&event);
    }
    watches.into_iter().map(Watch::finish).collect()
}

/// Reads the moments of a run from its events, and gives them to the analysis too.
struct Watch {
    analysis: RunLatency,
    /// The first of each kind.
    moments: BTreeMap<&'static str, u64>,
    commits: Vec<Option<u64>>,
}

impl Watch {
    fn new(n: usize) -> Watch {
        let faults = (n - 1) / 3;
        Watch { analysis: RunLatency::new(n as u32, faults as u32), moments: BTreeMap::new(), commits: vec![None; n] }
    }

    fn record(&mut self, event: &Event<'_>) {
        self.analysis.record(event).unwrap();
        self.moments.entry(event.kind.name()).or_insert(event.time_ns);
        if event.kind == EventKind::Committed {
            let before = self.commits[event.node as usize].replace(event.time_ns);
            assert_eq!(before, None, "one request is committed once");
        }
    }

    fn finish(self) -> Run {
        let moment = |name: &str| self.moments[name];
        let propose = moment("propose");
        let commits = self.commits.iter().map(|commit| commit.expect("every replica commits") - propose);
        let run = Run { commits_ns: commits.collect(), client_ns: moment("reply") - moment("request") };

        let (n, sorted) = (run.commits_ns.len(), run.sorted());
        let quorum = (n + (n - 1) / 3 + 2) / 2;
        let wait = propose - moment("request");
        let later = |times: &[u64]| times.iter().map(|time| time + wait).collect::<Vec<_>>();
        let samples = |metric| self.analysis.samples(metric).nanoseconds;
        assert_eq!(samples(Metric::ReplicaCommit), sorted);
        assert_eq!(samples(Metric::FirstCommit), sorted[..1]);
        assert_eq!(samples(Metric::QuorumCommit), [sorted[quorum - 1]]);
        assert_eq!(samples(Metric::AllCommit), [sorted[n - 1]]);
        assert_eq!(samples(Metric::Client), [run.client_ns]);
        assert_eq!(samples(Metric::ReplicaCommitFromRequest), later(&sorted));
        assert_eq!(samples(Metric::FirstCommitFromRequest), later(&sorted[..1]));
        assert_eq!(samples(Metric::QuorumCommitFromRequest), later(&[sorted[quorum - 1]]));
        assert_eq!(samples(Metric::AllCommitFromRequest), later(&[sorted[n - 1]]));
        run
    }
}

/// Pearson's test of values in ns against probabilities by ms.
fn chi_square(name: &str, observed: &[u64], pmf: &Value) {
    let total = observed.len() as f64;
    let mut cells: Vec<(f64, f64)> = Vec::new();
    let mut matched = 0;
    for (ms, probability) in pmf.as_object().unwrap() {
        let value = ms.parse::<u64>().unwrap() * MS;
        let count = observed.iter().filter(|&&observed| observed == value).count();
        matched += count;
        cells.push((count as f64, probability.as_f64().unwrap() * total));
    }
    assert_eq!(matched, observed.len(), "{name}: a value that cannot be");
    // The values rise, and the rare ones are the last or the first.
    while cells.len() > 2 && cells[cells.len() - 1].1 < 5.0 {
        let (count, expected) = cells.pop().unwrap();
        let last = cells.len() - 1;
        cells[last] = (cells[last].0 + count, cells[last].1 + expected);
    }
    assert!(cells.iter().all(|(_, expected)| *expected >= 5.0), "{name}: {cells:?}");
    let statistic: f64 = cells.iter().map(|(count, expected)| (count - expected).powi(2) / expected).sum();
    // Exceeded with probability 10⁻⁴ with 1, 2, 3 degrees of freedom.
    let critical = [15.137, 18.421, 21.108][cells.len() - 2];
    assert!(statistic < critical, "{name}: chi-square {statistic:.1} ≥ {critical}: observed and expected {cells:?}");
}

/// The mean of all samples, and its standard error from the averages of the runs.
fn mean(runs: &[Vec<f64>]) -> (f64, f64) {
    let averages: Vec<f64> = runs.iter().map(|samples| samples.iter().sum::<f64>() / samples.len() as f64).collect();
    mean_of(&averages)
}

/// The quantile of all samples, and its standard error from the quantiles of 50 batches of runs.
fn quantile(runs: &[Vec<f64>], p: f64) -> (f64, f64) {
    let of = |runs: &[Vec<f64>]| {
        let mut samples = runs.concat();
        samples.sort_by(f64::total_cmp);
        let place = p * (samples.len() - 1) as f64;
        let (below, above) = (samples[place.floor() as usize], samples[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    let batches: Vec<f64> = runs.chunks_exact(runs.len() / 50).map(of).collect();
    (of(runs), mean_of(&batches).1)
}

/// The mean of independent values with its standard error.
fn mean_of(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

fn references() -> Value {
    serde_json::from_str(include_str!("data/latency_refs.json")).unwrap()
}
