//! How many protocol messages a second byzlab simulates on one core, beside the yardstick.
//!
//! ```text
//! cargo bench -p byzlab --bench throughput                 everything: criterion's estimates, then the table
//! cargo bench -p byzlab --bench throughput -- table        the table alone
//! cargo bench -p byzlab --bench throughput -- n=64         what has this in its name
//! ```
//!
//! Both simulate the same closed loop with the same latencies and the same messages, whose number is checked. The table is
//! measured in pairs, so its ratios hold on a machine whose speed drifts; criterion's estimates are for comparisons with
//! an earlier state of the code.
//!
//! Memory is measured on the program itself (bar: below 400 MB). With n = 1024 and one request in flight:
//!
//! ```text
//! cargo build --release
//! /usr/bin/time -v target/release/byzlab run configs/normal250.toml --out big --force --jobs 1 --set experiment.runs=1 \
//!     --set cluster.replicas=1024 --set workload.requests=1 --set 'output.events="none"' \
//!     --set 'network.latency={ distribution = "uniform", min = "5ms", max = "40ms" }' 2>&1 | grep Maximum
//! ```

mod paired;
mod yardstick;

use byzlab::config::{EventDetail, Settings};
use byzlab::{Experiment, RunId, run_once};
use byzlab_network::Latency;
use byzlab_network::latency::Shape;
use byzlab_network::{Span, Time};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use paired::{measures, paired};
use std::cell::Cell;
use std::hint::black_box;
use std::io::Sink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yardstick::{Setting, message_count, simulate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// For information: no bar depends on these rows.
const MORE_CLIENTS: u16 = 10;

#[derive(Clone, Copy)]
enum Distribution {
    /// U(5,40) ms.
    Uniform,
    /// N(250,50) ms with floor 0.
    Normal,
}

impl Distribution {
    fn name(self) -> &'static str {
        match self {
            Distribution::Uniform => "U(5,40)",
            Distribution::Normal => "N(250,50)",
        }
    }

    fn toml(self) -> &'static str {
        match self {
            Distribution::Uniform => r#"{ distribution = "uniform", min = "5ms", max = "40ms" }"#,
            Distribution::Normal => r#"{ distribution = "normal", mean = "250ms", std_dev = "50ms", min = "0ms" }"#,
        }
    }

    fn latency(self) -> Latency {
        let ms = Span::from_millis;
        let shape = match self {
            Distribution::Uniform => Shape::Uniform { min: ms(5), max: ms(40) },
            Distribution::Normal => Shape::Normal { mean: ms(250), std_dev: ms(50) },
        };
        Latency::new(shape, Span::ZERO, Span::ZERO).expect("both are sound")
    }
}

/// What is measured, and what it must reach.
struct Case {
    replicas: u16,
    distribution: Distribution,
    /// In all, by byzlab and by the yardstick. So many that setting a run up hardly counts; speeds are for each message.
    requests: [u32; 2],
    /// How many pairs the table takes.
    pairs: usize,
    /// Messages a second, in millions.
    speed_bar: f64,
    /// byzlab's speed over the yardstick's.
    ratio_bar: Option<f64>,
}

impl Case {
    fn all() -> [Case; 6] {
        use Distribution::{Normal, Uniform};
        let case = |replicas, distribution, requests, pairs, speed_bar, ratio_bar| Case {
            replicas,
            distribution,
            requests,
            pairs,
            speed_bar,
            ratio_bar,
        };
        [
            case(4, Uniform, [20_000; 2], 9, 3.0, None),
            case(16, Uniform, [2_000; 2], 9, 6.0, None),
            case(64, Uniform, [200; 2], 9, 10.0, Some(1.0)),
            case(128, Uniform, [60; 2], 9, 10.0, Some(1.0)),
            // A single request is two million messages, and the yardstick takes seconds for them.
            case(1024, Uniform, [4, 1], 3, 8.0, Some(1.0)),
            case(32, Normal, [400; 2], 9, 3.0, None),
        ]
    }

    fn name(&self) -> String {
        format!("n={} {}", self.replicas, self.distribution.name())
    }

    fn contest(&self, clients: u16) -> Contest {
        Contest::new(
            self.replicas,
            clients,
            self.requests.map(|requests| requests / u32::from(clients)),
            self.distribution,
        )
    }
}

/// The same kind of run, ready to be done by either simulator.
struct Contest {
    id: RunId,
    settings: Arc<Settings>,
    setting: Setting,
    /// How many messages the run has in byzlab, and in the yardstick.
    messages: [u64; 2],
}

impl Contest {
    fn new(replicas: u16, clients: u16, requests: [u32; 2], distribution: Distribution) -> Contest {
        let toml = format!(
            r#"
            experiment = {{ seed = 11, runs = 1, time_limit = "10000h" }}
            cluster = {{ replicas = {replicas} }}
            workload = {{ clients = {clients}, requests = {requests}, client_timeout = "10000h" }}
            network = {{ latency = {latency} }}
            output = {{ events = "none" }}
            # Timers run, but a network as slow as N(250,50) must not make them run out: the yardstick has the normal case alone.
            [protocol]
            request_timeout = "10000h"
            status_interval = "10000h"
            "#,
            requests = requests[0],
            latency = distribution.toml()
        );
        let experiment =
            Experiment::parse("throughput", &toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"));
        let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: Vec::new() };
        let latency = distribution.latency();
        let setting = Setting { replicas, clients, requests: requests[1], latency, seed: id.seed };
        let messages = requests.map(|requests| message_count(replicas, u64::from(clients) * u64::from(requests)));
        Contest { id, settings: Arc::clone(&experiment.base), setting, messages }
    }

    fn byzlab(&self) {
        let result = run_once(&self.id, &self.settings, None::<(EventDetail, Sink)>);
        assert!(result.fault.is_none(), "{:?}", result.fault);
        assert_eq!(result.row.completed, self.settings.requests());
        assert_eq!(result.row.messages, self.messages[0], "the normal case has this many messages");
        black_box(result);
    }

    fn yardstick(&self) {
        let outcome = simulate(&self.setting);
        assert!(outcome.messages == self.messages[1] && outcome.ended > Time::START);
        black_box(outcome);
    }
}

fn main() {
    let cases = Case::all();
    if measures() && std::env::args().any(|argument| argument == "table") {
        print_table(cases.iter());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let chosen: Vec<&Case> = cases.iter().filter(|case| estimate(&mut criterion, case)).collect();
    criterion.final_summary();
    if measures() && !chosen.is_empty() {
        print_table(chosen.into_iter());
    }
}

/// Criterion's estimates of both simulators; false if the filter of the command line left both out.
fn estimate(criterion: &mut Criterion, case: &Case) -> bool {
    let chosen = Cell::new(false);
    let contest = case.contest(1);
    let mut group = criterion.benchmark_group("throughput");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(contest.messages[0]));
    group.bench_function(BenchmarkId::new("byzlab", case.name()), |bencher| {
        chosen.set(true);
        bencher.iter(|| contest.byzlab());
    });
    group.throughput(Throughput::Elements(contest.messages[1]));
    group.bench_function(BenchmarkId::new("yardstick", case.name()), |bencher| {
        chosen.set(true);
        bencher.iter(|| contest.yardstick());
    });
    group.finish();
    chosen.get()
}

fn print_table<'a>(cases: impl Iterator<Item = &'a Case> + Clone) {
    println!(
        "Millions of protocol messages a second on one core: medians, the best run, and the median of the ratios.\n"
    );
    println!("    n  latency     clients  byzlab  (best)  yardstick   ratio   bars");
    for case in cases.clone() {
        print_row(case, 1);
    }
    let several = cases.filter(|case| case.requests[1] >= u32::from(MORE_CLIENTS));
    several.for_each(|case| print_row(case, MORE_CLIENTS));
}

fn print_row(case: &Case, clients: u16) {
    let contest = case.contest(clients);
    let times = paired(case.pairs, || contest.byzlab(), || contest.yardstick());
    let [ours, theirs] = contest.messages.map(|messages| messages as f64);
    let speed = |messages: f64, time: Duration| messages / time.as_secs_f64() / 1e6;
    let (byzlab, best) = (speed(ours, times.first), speed(ours, times.first_best));
    let (yardstick, ratio) = (speed(theirs, times.second), times.ratio * ours / theirs);
    let (n, latency) = (case.replicas, case.distribution.name());
    print!("{n:>5}  {latency:<11}{clients:>8}{byzlab:>8.2}{best:>8.2}{yardstick:>11.2}{ratio:>8.2}   ");
    if clients > 1 {
        println!("none");
        return;
    }
    let verdict = |reached: bool| if reached { "reached" } else { "MISSED" };
    print!("speed >= {:<4} {}", case.speed_bar, verdict(byzlab >= case.speed_bar));
    if let Some(bar) = case.ratio_bar {
        print!(", ratio >= {bar} {}", verdict(ratio >= bar));
    }
    println!();
}
