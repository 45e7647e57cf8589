//! How many hunted runs a second one core does: draw a schedule, run it, judge it.
//!
//! ```text
//! cargo bench -p byzlab --bench hunt
//! ```
//!
//! The bar is 2,000 runs a second with `configs/hunt.toml`, four replicas.

use byzlab::Experiment;
use byzlab::hunt::{HuntOptions, hunt};
use criterion::{Criterion, SamplingMode, Throughput};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// All cells come equally often.
const RUNS: NonZeroU64 = NonZeroU64::new(1024).unwrap();

fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/hunt.toml");
    let experiment = Experiment::load(&file, &[]).unwrap_or_else(|error| panic!("{error}"));
    let options = HuntOptions { jobs: NonZeroUsize::new(1), ..HuntOptions::new(RUNS) };
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("hunt");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(RUNS.get()));
    group.bench_function("n=4", |bencher| {
        bencher.iter(|| {
            let report = hunt(&experiment, &options, |_| {}).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((report.runs, report.violations()), (RUNS.get(), 0));
        });
    });
    group.finish();
    criterion.final_summary();
}
