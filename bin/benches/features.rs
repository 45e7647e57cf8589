//! What each feature of the network and of the machines costs: whole runs on one core, beside the same run without it.
//!
//! ```text
//! cargo bench -p byzlab --bench features                   the whole table
//! cargo bench -p byzlab --bench features -- bandwidth      the rows that have this in their name
//! ```
//!
//! All rows are the same closed loop at n = 64 without a log, with U(5,40) ms where nothing else is said, and send the same messages,
//! which is checked. Each is measured in pairs with the run that has no feature and as many clients, so the ratios hold on a machine
//! whose speed drifts.

mod paired;

use byzlab::config::Settings;
use byzlab::{Experiment, RunId, RunLogs, run_once};
use paired::{measures, paired};
use std::hint::black_box;
use std::io::Sink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 9;
const REPLICAS: u16 = 64;
/// Of all clients together: so many that setting a run up hardly counts.
const REQUESTS: u32 = 200;

const UNIFORM: &str = r#"latency = { distribution = "uniform", min = "5ms", max = "40ms" }"#;
/// Six regions on four continents; 1 ms within one is the least delay, and so the lookahead.
const SITES: &str = r#"topology = { sites = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1"], within_site = "1ms" }"#;
const JITTERY: &str = r#"topology = { sites = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1"], within_site = "1ms", jitter = { distribution = "exponential", mean = "5%" } }"#;
const BANDWIDTH: &str = r#"bandwidth = "10Gbit/s""#;
const RELIABLE: &str = r#"transport = "reliable""#;
const ED25519: &str = r#"processing = { preset = "ed25519", cores = 4 }"#;

/// A row of the table.
#[derive(Clone, Copy)]
struct Feature {
    name: &'static str,
    /// What stands in `[network]`.
    network: &'static [&'static str],
    /// What stands beside it.
    more: &'static str,
    latency_parts: bool,
    clients: u32,
    /// Messages a second, in millions.
    bar: Option<f64>,
}

const BASE: Feature =
    Feature { name: "nothing", network: &[UNIFORM], more: "", latency_parts: false, clients: 1, bar: None };

const FEATURES: [Feature; 10] = [
    Feature { name: "topology", network: &[SITES], ..BASE },
    Feature { name: "topology with jitter", network: &[JITTERY], ..BASE },
    Feature { name: "bandwidth", network: &[UNIFORM, BANDWIDTH], ..BASE },
    Feature { name: "processing", more: ED25519, ..BASE },
    Feature { name: "bandwidth + processing", network: &[UNIFORM, BANDWIDTH], more: ED25519, ..BASE },
    Feature { name: "transport = \"reliable\"", network: &[UNIFORM, RELIABLE], ..BASE },
    Feature { name: "latency_parts", latency_parts: true, ..BASE },
    Feature {
        name: "topology + bandwidth + processing",
        network: &[SITES, BANDWIDTH],
        more: ED25519,
        bar: Some(5.0),
        ..BASE
    },
    Feature {
        name: "topology with jitter + bandwidth + processing",
        network: &[JITTERY, BANDWIDTH],
        more: ED25519,
        ..BASE
    },
    Feature {
        name: "topology with jitter + bandwidth + processing",
        network: &[JITTERY, BANDWIDTH],
        more: ED25519,
        clients: 10,
        ..BASE
    },
];

/// A run that is ready to be done.
struct Ready {
    id: RunId,
    settings: Arc<Settings>,
    latency_parts: bool,
}

impl Feature {
    fn ready(&self, requests: u32) -> Ready {
        let toml = format!(
            r#"
            experiment = {{ seed = 11, runs = 1, time_limit = "10000h" }}
            cluster = {{ replicas = {REPLICAS} }}
            # No timer runs out, so that the messages are those of the normal case.
            protocol = {{ request_timeout = "10000h", status_interval = "10000h" }}
            workload = {{ clients = {clients}, requests = {requests}, client_timeout = "10000h" }}
            output = {{ events = "none" }}
            {more}
            [network]
            {network}
            "#,
            clients = self.clients,
            requests = requests / self.clients,
            more = self.more,
            network = self.network.join("\n"),
        );
        let experiment =
            Experiment::parse("features", &toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"));
        let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: Vec::new() };
        Ready { id, settings: Arc::clone(&experiment.base), latency_parts: self.latency_parts }
    }
}

impl Ready {
    /// How many messages it took.
    fn run(&self) -> u64 {
        let parts = self.latency_parts.then_some(std::io::sink());
        let result = run_once::<Sink>(&self.id, &self.settings, RunLogs { events: None, parts });
        assert!(result.fault.is_none(), "{:?}", result.fault);
        assert_eq!(result.row.completed, self.settings.requests());
        black_box(result).row.messages
    }
}

fn main() {
    let (pairs, requests) = if measures() { (PAIRS, REQUESTS) } else { (1, 10) };
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_wanted = |feature: &&Feature| filter.as_ref().is_none_or(|part| feature.name.contains(part.as_str()));
    println!(
        "Millions of protocol messages a second on one core, n = {REPLICAS}: medians, the best run, the speed without"
    );
    println!("any feature, and the ratio of the two: medians of {pairs} pairs.\n");
    println!("{:<46}clients   speed  (best)  without   ratio   bar", "feature");
    for feature in std::iter::once(&BASE).chain(&FEATURES).filter(is_wanted) {
        let (base, ready) = (Feature { clients: feature.clients, ..BASE }.ready(requests), feature.ready(requests));
        let messages = base.run();
        assert_eq!(ready.run(), messages, "{}: the normal case has so many messages", feature.name);
        let times = paired(pairs, || _ = ready.run(), || _ = base.run());
        let [speed, best, without] = [times.first, times.first_best, times.second]
            .map(|time: Duration| messages as f64 / time.as_secs_f64() / 1e6);
        let Feature { name, clients, .. } = feature;
        print!("{name:<46}{clients:>7}{speed:>8.2}{best:>8.2}{without:>9.2}{:>8.2}", times.ratio);
        if let Some(bar) = feature.bar {
            print!("   speed >= {bar} {}", if speed >= bar { "reached" } else { "MISSED" });
        }
        println!();
    }
}
