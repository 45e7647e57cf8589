//! Throughput of the events log: writing rows, reading them, and the whole analysis.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;

use byzlab_analysis::{
    AnalysisOptions, Event, EventKind, EventReader, EventWriter, Outcome, RunRow, RunWriter, Value, analyze,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const REPLICAS: u32 = 16;
const REQUESTS: u64 = 20;

/// `BYZLAB_LOG_MB=500 cargo bench …` measures on logs of 500 MB.
fn megabytes() -> u64 {
    std::env::var("BYZLAB_LOG_MB").map_or(64, |size| size.parse().expect("a number of megabytes"))
}

fn analysis(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events.csv");
    group.sample_size(10);
    for messages in [false, true] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = write_results(dir.path(), messages, megabytes() << 20).expect("results");
        let kind = if messages { "messages" } else { "protocol" };
        group.throughput(Throughput::Bytes(log));
        group.bench_function(BenchmarkId::new("read", kind), |bencher| {
            bencher.iter(|| {
                let mut reader = EventReader::open(&dir.path().join("events.csv")).expect("a log");
                let mut last = 0;
                while let Some(event) = reader.next_event().expect("a good log") {
                    last = black_box(event).time_ns;
                }
                last
            });
        });
        group.bench_function(BenchmarkId::new("analyze", kind), |bencher| {
            let options = AnalysisOptions::default();
            bencher.iter(|| analyze(dir.path(), &options).expect("a good log"));
        });
    }
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    let mut events = Vec::new();
    for_each_event(0, 0, true, |event| events.push(event));
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("rows", |bencher| {
        bencher.iter(|| {
            let mut writer = EventWriter::without_header(io::sink());
            for event in &events {
                writer.write(black_box(event)).expect("the sink takes everything");
            }
            writer.finish().expect("the sink takes everything");
        });
    });
}

/// Fills a folder with runs of a closed loop until the log has that many bytes; returns its size.
fn write_results(dir: &Path, messages: bool, bytes: u64) -> io::Result<u64> {
    let path = dir.join("events.csv");
    let mut runs = RunWriter::new(File::create(dir.join("runs.csv"))?, &["cluster.x".to_owned()])?;
    let mut log = EventWriter::new(File::create(&path)?)?;
    for run in 0.. {
        let mut result = Ok(());
        for_each_event(run / 100, run % 100, messages, |event| {
            if result.is_ok() {
                result = log.write(&event);
            }
        });
        result?;
        runs.write(&run_row(run / 100, run % 100))?;
        log.flush()?;
        if path.metadata()?.len() >= bytes {
            break;
        }
    }
    runs.finish()?.flush()?;
    log.finish()?.flush()?;
    Ok(path.metadata()?.len())
}

/// The log of one run: requests one after the other, every replica votes for each.
fn for_each_event(cell: u32, run: u32, messages: bool, mut take: impl FnMut(Event<'static>)) {
    let client = REPLICAS;
    let replicas = 0..REPLICAS;
    let others = || (1..REPLICAS).map(u64::from);
    for seq in 1..=REQUESTS {
        let start = seq * 100_000_000;
        let at = |offset: u64, node, kind| Event::new(cell, run, start + offset, node, kind);
        let digest = Some((seq + u64::from(run)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let request = Event { seq: Some(seq), digest, ..at(0, client, EventKind::Request) };
        let of_batch = |event| Event { view: Some(0), seq: Some(seq), digest, ..event };
        take(request);
        take(of_batch(at(20_123_456, 0, EventKind::Propose)));
        take(Event { peer: Some(client), ..of_batch(at(20_123_456, 0, EventKind::Ordered)) });
        let steps = [EventKind::PrePrepared, EventKind::Prepared, EventKind::Committed];
        for (step, kind) in (1..).zip(steps.into_iter().chain([EventKind::Executed])) {
            let offset = 20_123_456 + step * 15_000_321;
            if messages && kind != EventKind::Executed {
                for from in replicas.clone() {
                    let message = Some(["pre_prepare", "prepare", "commit"][step as usize - 1]);
                    let bytes = Some(112);
                    for to in others() {
                        let (from, to) = (Some(from), to as u32);
                        let send = of_batch(at(offset - 9_000_000, from.unwrap_or(0), EventKind::Send));
                        take(Event { peer: Some(to), message, bytes, ..send });
                        let deliver = of_batch(at(offset - 9_000_000, to, EventKind::Deliver));
                        take(Event { peer: from, message, bytes, ..deliver });
                    }
                }
            }
            for replica in replicas.clone() {
                let event = of_batch(at(offset + 1_013 * u64::from(replica), replica, kind));
                let executed = kind == EventKind::Executed;
                let value = executed.then_some(Value::Digest(0xfeed_0000_1111_2222 ^ seq));
                take(Event { value, ..event });
            }
        }
        take(Event { kind: EventKind::Reply, time_ns: start + 95_000_000, ..request });
    }
}

fn run_row(cell: u32, run: u32) -> RunRow {
    RunRow {
        cell,
        run,
        seed: 11,
        parameters: vec![cell.to_string()],
        replicas: REPLICAS,
        faults: 5,
        corrupted: 0,
        outcome: Outcome::Completed,
        agreement: true,
        validity: true,
        requests: REQUESTS,
        completed: REQUESTS,
        messages: 10_000,
        bytes: 1_000_000,
        view_changes: 0,
        virtual_ns: 2_100_000_000,
        fingerprint: 0x0123_4567_89ab_cdef,
    }
}

criterion_group!(benches, writing, analysis);
criterion_main!(benches);
