//! What share of a run its oracles take, with one client and U(5,40) ms.
//!
//! ```text
//! cargo bench -p byzlab --bench oracles
//! ```
//!
//! Measured in pairs: a whole run, which feeds the oracles whatever is logged, and the oracles alone over the same events.

mod paired;
#[path = "../tests/recorded/mod.rs"]
mod recorded;

use byzlab::config::EventDetail;
use byzlab::{Experiment, RunId, run_once};
use byzlab_analysis::oracle::{Judgement, Liveness, OracleSettings, Oracles};
use byzlab_analysis::{Event, EventKind, EventReader};
use paired::{measures, paired};
use recorded::Log;
use std::io::{Sink, Write};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 15;
/// The oracles' share of the run time, at n = 64.
const BAR: f64 = 0.10;

fn main() {
    let pairs = if measures() { PAIRS } else { 1 };
    for (replicas, requests) in [(4_u16, 5_000), (16, 1_000), (64, 100), (128, 30)] {
        let requests = if measures() { requests } else { 5 };
        let experiment = experiment(replicas, requests);
        let events = events(&experiment);
        let settings = OracleSettings {
            liveness: Liveness::Judge { stabilised_ns: 0, bound_ns: u64::MAX },
            ..OracleSettings::new(u32::from(replicas), u32::from((replicas - 1) / 3))
        };
        let cost = paired(pairs, || run(&experiment, None::<Sink>), || judge(settings.clone(), &events));
        let bar = if replicas == 64 { format!(", bar {:.0} %", BAR * 100.0) } else { String::new() };
        println!(
            "n = {replicas}: run {:.1} ms (best {:.1}), its {} events through the oracles {:.2} ms: {:.1} % of the run{bar}",
            cost.first.as_secs_f64() * 1e3,
            cost.first_best.as_secs_f64() * 1e3,
            events.len(),
            cost.second.as_secs_f64() * 1e3,
            cost.ratio * 100.0,
        );
    }
}

fn experiment(replicas: u16, requests: u64) -> Experiment {
    let toml = format!(
        r#"
        experiment = {{ seed = 11, runs = 1, time_limit = "10000h" }}
        cluster = {{ replicas = {replicas} }}
        workload = {{ requests = {requests}, client_timeout = "10000h" }}
        network = {{ latency = {{ distribution = "uniform", min = "5ms", max = "40ms" }} }}
        "#
    );
    Experiment::parse("oracles", &toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn run(experiment: &Experiment, log: Option<impl Write + 'static>) {
    let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: Vec::new() };
    let result = run_once(&id, &experiment.cells[0].settings, log.map(|log| (EventDetail::Messages, log)));
    assert!(result.fault.is_none() && result.violations().is_empty(), "{result:?}");
}

/// What the oracles see in process: the events of the nodes, and the replies.
fn events(experiment: &Experiment) -> Vec<Event<'static>> {
    let log = Log::new();
    run(experiment, Some(log.clone()));
    let content = log.take();
    let mut reader = EventReader::new(content.as_slice(), "events.csv").expect("the log has a header");
    let mut events = Vec::new();
    while let Some(event) = reader.next_event().expect("the log is sound") {
        let is_message =
            matches!(event.kind, EventKind::Send | EventKind::Deliver | EventKind::Drop | EventKind::Duplicate);
        if !is_message || (event.kind == EventKind::Send && event.message == Some("reply")) {
            let message = event.message.map(|_| "reply");
            // No event of a run without an adversary has a text for its value.
            let value = event.value.map(|value| match value {
                byzlab_analysis::Value::Digest(digest) => byzlab_analysis::Value::Digest(digest),
                byzlab_analysis::Value::Text(text) => panic!("a text: {text}"),
            });
            let Event { cell, run, time_ns, node, kind, view, seq, digest, peer, bytes, .. } = event;
            events.push(Event { cell, run, time_ns, node, kind, view, seq, digest, peer, message, bytes, value });
        }
    }
    events
}

fn judge(settings: OracleSettings, events: &[Event<'static>]) {
    let mut oracles = Oracles::new(settings);
    for event in events {
        oracles.observe(event).expect("a good run");
    }
    let end = events.last().map_or(0, |event| event.time_ns);
    assert!(oracles.finish(end).iter().all(|(_, judgement)| *judgement == Judgement::Held));
}
