//! Throughput of the oracles, in events a second: `BYZLAB_NUMBERS=1000000 cargo bench …` lets the run be longer.

use std::hint::black_box;

use byzlab_analysis::oracle::{Detail, Invariant, Judgement, Liveness, OracleSettings, Oracles};
use byzlab_analysis::{Event, EventKind, Value};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const CHECKPOINT_INTERVAL: u64 = 100;
/// One number is proposed after another, so several are under way at any time.
const PROPOSE_EVERY_NS: u64 = 1_000_000;
const CLIENTS: u64 = 10;
/// A run repeats the events of so many numbers with other numbers, times and requests, so that they come from the cache and not
/// from the memory, as they do in process.
const CYCLE: u64 = 100;
const CYCLE_NS: u64 = CYCLE * PROPOSE_EVERY_NS + 10_000_000;

fn oracles(criterion: &mut Criterion) {
    let numbers = std::env::var("BYZLAB_NUMBERS").map_or(10_000, |count| count.parse().expect("a number of numbers"));
    let mut group = criterion.benchmark_group("oracles");
    group.sample_size(10);
    for replicas in [4, 64] {
        for (name, detail) in [("protocol", Detail::Protocol), ("in process", Detail::InProcess)] {
            let events = cycle(replicas, detail);
            let cycles = numbers / CYCLE;
            group.throughput(Throughput::Elements(events.len() as u64 * cycles));
            group.bench_function(BenchmarkId::new(name, format!("n={replicas}")), |bencher| {
                bencher.iter(|| judge(replicas, detail, black_box(&events), cycles));
            });
        }
    }
}

fn judge(replicas: u32, detail: Detail, events: &[Event<'static>], cycles: u64) -> Vec<(Invariant, Judgement)> {
    let liveness = Liveness::Judge { stabilised_ns: 0, bound_ns: 1_000_000_000 };
    let settings = OracleSettings { liveness, detail, ..OracleSettings::new(replicas, (replicas - 1) / 3) };
    let mut oracles = Oracles::new(settings);
    for cycle in 0..cycles {
        for event in events {
            oracles.observe(&later(event, cycle)).expect("a good run");
        }
    }
    let judgements = oracles.finish(cycles * CYCLE_NS);
    assert!(judgements.iter().all(|(_, judgement)| judgement.violation().is_none()), "{judgements:?}");
    judgements
}

/// The event as it comes in a later cycle.
fn later(event: &Event<'static>, cycle: u64) -> Event<'static> {
    let is_of_client = matches!(event.kind, EventKind::Request | EventKind::Reply | EventKind::Send);
    let step = if is_of_client { CYCLE / CLIENTS } else { CYCLE };
    Event {
        time_ns: event.time_ns + cycle * CYCLE_NS,
        seq: event.seq.map(|seq| seq + cycle * step),
        digest: event.digest.map(|digest| digest.wrapping_add(cycle.wrapping_mul(0x94d0_49bb_1331_11eb))),
        ..*event
    }
}

/// The events of a good run with ten clients, in order.
fn cycle(replicas: u32, detail: Detail) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for seq in 1..=CYCLE {
        let client = replicas + (seq % CLIENTS) as u32;
        let number = Some((seq - 1) / CLIENTS + 1);
        let digest = Some(seq.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let request_digest = Some(seq.wrapping_mul(0xbf58_476d_1ce4_e5b9));
        let at = |offset: u64, node, kind| Event::new(0, 0, seq * PROPOSE_EVERY_NS + offset, node, kind);
        let of_batch = |event| Event { view: Some(0), seq: Some(seq), digest, ..event };
        events.push(Event { seq: number, digest: request_digest, ..at(0, client, EventKind::Request) });
        events.push(of_batch(at(500_000, 0, EventKind::Propose)));
        let ordered = of_batch(at(500_000, 0, EventKind::Ordered));
        events.push(Event { digest: request_digest, peer: Some(client), ..ordered });
        for node in 0..replicas {
            let late =
                |step: u64| step * 1_500_000 + (u64::from(node) * 7_919 + seq * 104_729 + step * 1_299_709) % 900_000;
            for (step, kind) in [(1, EventKind::PrePrepared), (2, EventKind::Prepared), (3, EventKind::Committed)] {
                // The primary accepts its own proposal at once.
                let offset = if node == 0 && step == 1 { 500_000 } else { late(step) };
                events.push(of_batch(at(offset, node, kind)));
            }
            // Executed once all before it are.
            let offset = 5_500_000 + u64::from(node);
            if detail.has_replies() {
                let reply = at(offset, node, EventKind::Send);
                let value = Some(Value::Digest(seq));
                events.push(Event { seq: number, peer: Some(client), message: Some("reply"), value, ..reply });
            }
            let state = Some(Value::Digest(!seq));
            events.push(Event { value: state, ..of_batch(at(offset, node, EventKind::Executed)) });
            if seq % CHECKPOINT_INTERVAL == 0 {
                let checkpoint = |offset, kind| Event { seq: Some(seq), value: state, ..at(offset, node, kind) };
                events.push(checkpoint(offset, EventKind::Checkpoint));
                events.push(checkpoint(offset + 2_000_000, EventKind::Stable));
            }
        }
        let reply = Event { seq: number, digest: request_digest, ..at(6_500_000, client, EventKind::Reply) };
        events.push(Event { value: Some(Value::Digest(seq)), ..reply });
    }
    // A stable sort keeps the order at each node.
    events.sort_by_key(|event| (event.time_ns, event.node));
    events
}

criterion_group!(benches, oracles);
criterion_main!(benches);
