//! Measurements in pairs: A B A B …, and the median of the ratios. The speed of a machine drifts by tens of percent within a
//! minute; two runs that follow each other meet nearly the same machine.

use std::time::{Duration, Instant};

/// What pairs of measurements come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paired {
    /// The median time of the first.
    pub(crate) first: Duration,
    /// Its shortest time: what it takes when nobody else wants the machine.
    pub(crate) first_best: Duration,
    /// The median time of the second.
    pub(crate) second: Duration,
    /// The median of second / first.
    pub(crate) ratio: f64,
}

/// Runs both in turn, `pairs` times, after one run of each that does not count.
pub(crate) fn paired(pairs: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> Paired {
    first();
    second();
    let times: Vec<(f64, f64)> = (0..pairs).map(|_| (seconds(&mut first), seconds(&mut second))).collect();
    let time = |values: Vec<f64>| Duration::from_secs_f64(median(values));
    Paired {
        first: time(times.iter().map(|pair| pair.0).collect()),
        first_best: Duration::from_secs_f64(times.iter().map(|pair| pair.0).fold(f64::INFINITY, f64::min)),
        second: time(times.iter().map(|pair| pair.1).collect()),
        ratio: median(times.iter().map(|(first, second)| second / first).collect()),
    }
}

/// Whether the command line asks for measurements: `cargo bench` does; `cargo test`, `--list` and `--profile-time` do not.
pub(crate) fn measures() -> bool {
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    asked("--bench") && !["--test", "--list", "--profile-time"].into_iter().any(asked)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn seconds(run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}
