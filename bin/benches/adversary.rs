//! What an adversary that does nothing costs: whole runs on one core with f corrupted replicas, beside the same run without any.
//!
//! ```text
//! cargo bench -p byzlab --bench adversary
//! ```
//!
//! The closed loop of the benchmark of features, U(5,40) ms, without a log. Corrupted replicas without an attack are honest in all that
//! they say, so both runs send the same messages, which is checked. "idle attack" is one that looks at each message and leaves it alone.

mod paired;

use byzlab::config::{EventDetail, Settings};
use byzlab::{Experiment, RunId, run_once};
use paired::{measures, paired};
use std::hint::black_box;
use std::io::Sink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 9;
/// About so many messages make a run.
const MESSAGES: u32 = 1_500_000;
/// The adversary may cost at most this share.
const BAR: f64 = 0.05;

struct Ready {
    id: RunId,
    settings: Arc<Settings>,
}

impl Ready {
    fn new(replicas: u32, requests: u32, adversary: &str) -> Ready {
        let toml = format!(
            r#"
            experiment = {{ seed = 11, runs = 1, time_limit = "10000h" }}
            cluster = {{ replicas = {replicas} }}
            # No timer runs out, so that the messages are those of the normal case.
            protocol = {{ request_timeout = "10000h", status_interval = "10000h" }}
            workload = {{ requests = {requests}, client_timeout = "10000h" }}
            network = {{ latency = {{ distribution = "uniform", min = "5ms", max = "40ms" }} }}
            output = {{ events = "none" }}
            adversary = {{ {adversary} }}
            "#
        );
        let experiment =
            Experiment::parse("adversary", &toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"));
        let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: Vec::new() };
        Ready { id, settings: Arc::clone(&experiment.base) }
    }

    /// How many messages it took.
    fn run(&self) -> u64 {
        let result = run_once::<Sink>(&self.id, &self.settings, None::<(EventDetail, Sink)>);
        assert!(result.fault.is_none(), "{:?}", result.fault);
        assert_eq!(result.row.completed, self.settings.requests());
        black_box(result).row.messages
    }
}

fn main() {
    let (pairs, messages) = if measures() { (PAIRS, MESSAGES) } else { (1, 10_000) };
    println!(
        "Millions of protocol messages a second on one core: medians of {pairs} pairs, and what the adversary costs.\n"
    );
    println!("{:<6}{:<14}{:>8}{:>8}{:>10}{:>8}   bar", "n", "adversary", "speed", "(best)", "without", "cost");
    for replicas in [4, 16, 64] {
        let requests = (messages / (2 * replicas * replicas)).max(4);
        let base = Ready::new(replicas, requests, "");
        let sent = base.run();
        let idle_attack = "count = \"f\", attack = [{ kind = \"silent\", probability = 0.0 }]";
        for (name, adversary, bar) in [("no attack", "count = \"f\"", Some(BAR)), ("idle attack", idle_attack, None)] {
            let ready = Ready::new(replicas, requests, adversary);
            assert_eq!(ready.run(), sent, "what is corrupted and does nothing sends the same");
            let times = paired(pairs, || _ = ready.run(), || _ = base.run());
            let [speed, best, without] = [times.first, times.first_best, times.second]
                .map(|time: Duration| sent as f64 / time.as_secs_f64() / 1e6);
            let cost = 1.0 / times.ratio - 1.0;
            print!("{replicas:<6}{name:<14}{speed:>8.2}{best:>8.2}{without:>10.2}{:>7.1} %", cost * 100.0);
            if let Some(bar) = bar {
                print!("   cost < {:.0} % {}", bar * 100.0, if cost < bar { "reached" } else { "MISSED" });
            }
            println!();
        }
    }
}
