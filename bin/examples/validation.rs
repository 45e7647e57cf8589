//! What the model predicts beside what others published: the tables of `docs/validation.md`.
//!
//! ```text
//! cargo run --release --example validation -- rtt_aws21_ms.csv
//! ```
//!
//! The argument is the file of round trips that `configs/validation_wan.toml` tells of; without it the first table is left out.

use byzlab::{Experiment, RunOptions, run_experiment};
use byzlab_analysis::{Estimate, GroupSummary, Metric, analyze_metrics};
use std::error::Error;
use std::path::{Path, PathBuf};

/// A figure of a deployment in ms, and what the Shadow simulator said of it: BFT-SMaRt, four replicas, one client a site.
struct Deployment {
    what: &'static str,
    metric: Metric,
    measured: f64,
    shadow: f64,
}

/// The cells of `configs/validation_wan.toml` in their order; the consensus latency is the same in all of them.
const DEPLOYMENT: [Deployment; 5] = [
    Deployment { what: "consensus, at the leader", metric: Metric::FirstCommit, measured: 237.1, shadow: 249.0 },
    Deployment { what: "client in Oregon", metric: Metric::Client, measured: 353.9, shadow: 358.7 },
    Deployment { what: "client in Ireland", metric: Metric::Client, measured: 415.9, shadow: 428.0 },
    Deployment { what: "client in São Paulo", metric: Metric::Client, measured: 414.5, shadow: 429.2 },
    Deployment { what: "client in Sydney", metric: Metric::Client, measured: 437.6, shadow: 449.2 },
];

/// Thousands of requests a second of a published simulation of PBFT, for n = 4, 8, 16, 32, 64, 128.
const BANDWIDTH_BOUND: [f64; 6] = [292.985, 146.533, 73.333, 36.049, 18.709, 9.354];

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(matrix) => wide_area(&matrix)?,
        None => eprintln!("no file of round trips: the table of the wide area is left out"),
    }
    bandwidth_bound()
}

fn wide_area(matrix: &str) -> Result<(), Box<dyn Error>> {
    let matrix = format!("network.topology.matrix={}", std::path::absolute(matrix)?.display());
    let jitter = r#"network.topology.jitter={ distribution = "exponential", mean = "1%" }"#;
    let metrics = [Metric::FirstCommit, Metric::Client];
    let exact = run("validation_wan", std::slice::from_ref(&matrix), &metrics)?;
    let varied = run("validation_wan", &[matrix, jitter.to_owned()], &metrics)?;
    println!("| ms | measured | Shadow | byzlab | off by | with jitter of 1 % | closer than Shadow |");
    println!("|---|---|---|---|---|---|---|");
    for (place, row) in DEPLOYMENT.iter().enumerate() {
        let metric = usize::from(row.metric == Metric::Client);
        let of = |groups: &[Vec<GroupSummary>]| groups[metric][place.saturating_sub(1)].mean.clone();
        let (exact, varied) = (of(&exact), of(&varied));
        let predicted = exact.estimate.ok_or("a cell did not complete")?;
        let Deployment { what, measured, shadow, .. } = row;
        let closer = if (predicted - measured).abs() < (shadow - measured).abs() { "yes" } else { "NO" };
        println!(
            "| {what} | {measured:.1} | {shadow:.1} | {} | {:+.1} % | {} | {closer} |",
            interval(&exact, 1.0, 1),
            (predicted / measured - 1.0) * 100.0,
            interval(&varied, 1.0, 1)
        );
    }
    println!();
    Ok(())
}

fn bandwidth_bound() -> Result<(), Box<dyn Error>> {
    let groups = run("validation_bandwidth", &[], &[Metric::Throughput])?;
    println!("| replicas | published, thousand requests/s | byzlab | off by | within 10 % |");
    println!("|---|---|---|---|---|");
    for (group, published) in groups[0].iter().zip(BANDWIDTH_BOUND) {
        let replicas = &group.group[0].1;
        let predicted = group.mean.estimate.ok_or("a cell did not complete")? / 1e3;
        let error = predicted / published - 1.0;
        let within = if error.abs() <= 0.1 { "yes" } else { "NO" };
        let predicted = interval(&group.mean, 1e-3, 3);
        println!("| {replicas} | {published:.3} | {predicted} | {:+.1} % | {within} |", error * 100.0);
    }
    Ok(())
}

/// `238.2 ± 0.3`, times `scale`.
fn interval(mean: &Estimate, scale: f64, decimals: usize) -> String {
    let [estimate, lower, upper] =
        [mean.estimate, mean.lower, mean.upper].map(|end| end.map_or(f64::NAN, |end| end * scale));
    format!("{estimate:.decimals$} ± {:.decimals$}", (upper - lower) / 2.0)
}

/// Runs an experiment of `configs/` and summarises it for each metric.
fn run(name: &str, overrides: &[String], metrics: &[Metric]) -> Result<Vec<Vec<GroupSummary>>, Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs").join(name).with_extension("toml");
    let experiment = Experiment::load(&file, overrides)?;
    let folder = Scratch(std::env::temp_dir().join(format!("byzlab-validation-{}", std::process::id())));
    run_experiment(&experiment, &folder.0, RunOptions { replace: true, ..RunOptions::default() }, |_| {})?;
    Ok(analyze_metrics(&folder.0, metrics, &experiment.analysis())?)
}

/// A folder that goes when its results have been read.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
