//! Throughput of the events log: writing rows, reading them, and the whole analysis, on one core and on two, compressed and not.

mod generated;

use std::hint::black_box;
use std::io;
use std::num::NonZeroUsize;

use byzlab_analysis::{AnalysisOptions, EventReader, EventWriter, ReadOptions, analyze};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::generated::{Compression, Folder, for_each_event, write_results};

/// `BYZLAB_LOG_MB=500 cargo bench …` measures on logs of 500 MB.
fn megabytes() -> u64 {
    std::env::var("BYZLAB_LOG_MB").map_or(64, |size| size.parse().expect("a number of megabytes"))
}

fn analysis(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events.csv");
    group.sample_size(10);
    let plain =
        Folder { bytes: megabytes() * 1_000_000, messages: false, one_run: false, compression: Compression::None };
    let folders = [
        ("protocol", plain),
        ("messages", Folder { messages: true, ..plain }),
        ("one run", Folder { one_run: true, ..plain }),
        ("zstd", Folder { compression: Compression::Zstd, ..plain }),
        ("gzip", Folder { compression: Compression::Gzip, ..plain }),
    ];
    for (kind, folder) in folders {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let bytes = write_results(dir.path(), &folder).expect("results");
        group.throughput(Throughput::Bytes(bytes));
        if folder.compression == Compression::None {
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
        }
        for jobs in [1, 2] {
            group.bench_function(BenchmarkId::new(format!("analyze, {jobs} jobs"), kind), |bencher| {
                let read = ReadOptions { jobs: NonZeroUsize::new(jobs), ..ReadOptions::default() };
                let options = AnalysisOptions { read, ..AnalysisOptions::default() };
                bencher.iter(|| analyze(dir.path(), &options).expect("a good log"));
            });
        }
    }
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    let mut events = Vec::new();
    for seq in 1..=20 {
        for_each_event((0, 0), seq, true, |event| events.push(event));
    }
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

criterion_group!(benches, writing, analysis);
criterion_main!(benches);
