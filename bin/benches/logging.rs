//! What logs cost, at n = 64 with U(5,40) ms: a whole experiment through [`run_experiment`] into a real folder.
//!
//! ```text
//! cargo bench -p byzlab --bench logging                 criterion's estimates, then the table
//! cargo bench -p byzlab --bench logging -- table        the table alone
//! ```
//!
//! The table is measured in pairs with the same experiment without a log. The folder is on the disk of `TMPDIR`.

mod paired;

use byzlab::{Experiment, RunOptions, run_experiment};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use paired::{measures, paired};
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 15;
/// A log of all messages takes a second to write.
const FEWER_PAIRS: usize = 7;
const REPLICAS: u64 = 64;
/// Of a run whose protocol events, or nothing, are logged,
const MANY_REQUESTS: u64 = 200;
/// and of a run whose messages are.
const FEW_REQUESTS: u64 = 50;
/// `events = "protocol"` over `"none"`, in time.
const PROTOCOL_BAR: f64 = 1.15;
/// Rows a second, in millions, with `events = "messages"`.
const MESSAGES_BAR: f64 = 1.5;

/// An experiment of one run, and where it puts its results.
struct Job<'a> {
    experiment: Experiment,
    folder: &'a Path,
}

impl Job<'_> {
    fn new<'a>(events: &str, requests: u64, folder: &'a Path) -> Job<'a> {
        let toml = format!(
            r#"
            experiment = {{ seed = 11, runs = 1, time_limit = "10000h" }}
            cluster = {{ replicas = {REPLICAS} }}
            workload = {{ requests = {requests}, client_timeout = "10000h" }}
            network = {{ latency = {{ distribution = "uniform", min = "5ms", max = "40ms" }} }}
            output = {{ events = "{events}" }}
            "#
        );
        let experiment =
            Experiment::parse("logging", &toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"));
        Job { experiment, folder }
    }

    fn run(&self) {
        let options = RunOptions { jobs: Some(NonZeroUsize::MIN), replace: true };
        let campaign = run_experiment(&self.experiment, self.folder, options, |_| {});
        let campaign = campaign.unwrap_or_else(|error| panic!("{error}"));
        assert!(campaign.completed == 1 && campaign.is_clean(), "{campaign:?}");
    }

    /// Rows and bytes of the log, after a run.
    fn log_size(&self) -> (u64, u64) {
        let log = fs::read_to_string(self.folder.join("events.csv")).expect("the log was written");
        (log.lines().count() as u64 - 1, log.len() as u64)
    }
}

/// Messages of a run: each request takes 2n² − n + 1, each checkpoint n(n−1).
fn messages(requests: u64) -> u64 {
    requests * (2 * REPLICAS * REPLICAS - REPLICAS + 1) + requests / 100 * REPLICAS * (REPLICAS - 1)
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    if measures() && std::env::args().any(|argument| argument == "table") {
        print_table(folder.path());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("logging");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3));
    let mut chosen = false;
    for (events, requests) in [("none", MANY_REQUESTS), ("protocol", MANY_REQUESTS), ("messages", FEW_REQUESTS)] {
        let job = Job::new(events, requests, folder.path());
        group.throughput(Throughput::Elements(messages(requests)));
        group.bench_function(BenchmarkId::new("events", events), |bencher| {
            chosen = true;
            bencher.iter(|| job.run());
        });
    }
    group.finish();
    criterion.final_summary();
    if measures() && chosen {
        print_table(folder.path());
    }
}

fn print_table(folder: &Path) {
    let job = |events, requests| Job::new(events, requests, folder);
    let verdict = |reached: bool| if reached { "reached" } else { "MISSED" };
    println!(
        "n = {REPLICAS}, U(5,40); medians of {PAIRS} and {FEWER_PAIRS} pairs with the same experiment without a log.\n"
    );

    let (none, protocol) = (job("none", MANY_REQUESTS), job("protocol", MANY_REQUESTS));
    let times = paired(PAIRS, || none.run(), || protocol.run());
    let (rows, bytes) = protocol.log_size();
    let speed = |time: Duration| messages(MANY_REQUESTS) as f64 / time.as_secs_f64() / 1e6;
    println!(
        "protocol  {:.2} of {:.2} (best {:.2}) M messages/s, {rows} rows, {:.1} MB: time x {:.3}   bar <= {PROTOCOL_BAR} {}",
        speed(times.second),
        speed(times.first),
        speed(times.first_best),
        bytes as f64 / 1e6,
        times.ratio,
        verdict(times.ratio <= PROTOCOL_BAR),
    );

    let (none, every) = (job("none", FEW_REQUESTS), job("messages", FEW_REQUESTS));
    let times = paired(FEWER_PAIRS, || none.run(), || every.run());
    let (rows, bytes) = every.log_size();
    let rate = rows as f64 / times.second.as_secs_f64() / 1e6;
    let writing = rows as f64 / (times.second.saturating_sub(times.first)).as_secs_f64() / 1e6;
    println!(
        "messages  {rate:.2} M rows/s, {rows} rows, {:.1} MB: time x {:.1}   bar >= {MESSAGES_BAR} M rows/s {}",
        bytes as f64 / 1e6,
        times.ratio,
        verdict(rate >= MESSAGES_BAR),
    );
    println!("          {writing:.2} M rows/s without the time of the simulation itself");
}
