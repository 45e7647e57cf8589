//! Intervals of nominally 95 % contain the truth that often: dependent series, censored times, two samples.

use byzlab_analysis::statistics::{
    BatchingVerdict, KaplanMeier, Observation, TInterval, hodges_lehmann, normal_quantile, normal_sf, welch, within_run,
};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

struct Source(Xoshiro256PlusPlus);

impl Source {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn normal(&mut self) -> f64 {
        // The middle of one of 2⁵³ steps: never 0 or 1.
        let uniform = ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        normal_quantile(uniform).expect("inside 0..1")
    }

    fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    /// A stationary autoregressive series xₜ = φxₜ₋₁ + εₜ around 0.
    fn autoregressive(&mut self, phi: f64, n: usize) -> Vec<f64> {
        let mut x = self.normal() / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                x = phi * x + self.normal();
                x
            })
            .collect()
    }
}

/// The share of repetitions in which it holds.
fn share(repetitions: u32, mut holds: impl FnMut() -> bool) -> f64 {
    f64::from((0..repetitions).map(|_| u32::from(holds())).sum::<u32>()) / f64::from(repetitions)
}

#[test]
fn two_samples() {
    let mut source = Source::new(1);
    let covered = share(10_000, || {
        let (first, second) = (source.normals(12), source.normals(20));
        let second = second.into_iter().map(|x| 3.0 * x + 1.0);
        let test = welch(&first.into_iter().collect(), &second.collect(), 0.95).unwrap();
        test.lower <= -1.0 && -1.0 <= test.upper
    });
    assert!((0.94..=0.96).contains(&covered), "Welch: {covered}");
    let covered = share(10_000, || {
        let (first, second) = (source.normals(12), source.normals(20));
        let shift = hodges_lehmann(&first, &second.iter().map(|x| x + 1.0).collect::<Vec<_>>(), 0.95).unwrap();
        shift.lower.unwrap() <= -1.0 && -1.0 <= shift.upper.unwrap()
    });
    assert!((0.945..=0.96).contains(&covered), "Hodges–Lehmann: {covered}");
}

#[test]
fn censored_times() {
    // |Z|, watched until 3|Z'|: a fifth is censored. Its median, and E min(|Z|, 1) = √(2/π)(1 − e^(−1/2)) + P(|Z| > 1).
    let median = normal_quantile(0.75).unwrap();
    let restricted = (2.0 / std::f64::consts::PI).sqrt() * (1.0 - (-0.5_f64).exp()) + 2.0 * normal_sf(1.0).unwrap();
    let mut source = Source::new(2);
    let (mut medians, mut means) = (0_u32, 0_u32);
    let repetitions = 10_000;
    for _ in 0..repetitions {
        let observations = (0..60).map(|_| {
            let (event, end) = (source.normal().abs(), 3.0 * source.normal().abs());
            if event <= end { Observation::Event(event) } else { Observation::Censored(end) }
        });
        let curve = KaplanMeier::new(observations, 0.95).unwrap();
        let quantile = curve.quantile(0.5);
        let is_above = quantile.lower.is_none_or(|lower| lower <= median);
        medians += u32::from(is_above && quantile.upper.is_none_or(|upper| median <= upper));
        // Where everybody left before 1 there is no mean: with 60 that does not happen.
        let mean = curve.restricted_mean(1.0).unwrap();
        means += u32::from(mean.lower.unwrap() <= restricted && restricted <= mean.upper.unwrap());
    }
    let (medians, means) = (f64::from(medians) / f64::from(repetitions), f64::from(means) / f64::from(repetitions));
    assert!((0.94..=0.965).contains(&medians), "median: {medians}");
    assert!((0.94..=0.96).contains(&means), "restricted mean: {means}");
}

#[test]
fn dependent_series() {
    // φ, length, the least coverage: the intervals are a little too narrow while the series is short for its memory.
    for (phi, n, least) in [(0.0, 1000, 0.93), (0.5, 1000, 0.92), (0.9, 10_000, 0.92)] {
        let mut source = Source::new(3);
        let (mut separate, mut overlapping, mut sizes) = (0_u32, 0_u32, 0.0);
        let repetitions = 1000;
        for _ in 0..repetitions {
            let run = within_run(&source.autoregressive(phi, n), 0.95);
            let covers = |interval: TInterval| u32::from(interval.lower <= 0.0 && 0.0 <= interval.upper);
            separate += covers(run.batch_means.unwrap().means.interval);
            overlapping += covers(run.overlapping.unwrap().interval);
            let size = run.effective_size.unwrap().initial_monotone.unwrap();
            sizes += size.effective_size / (n - run.deleted) as f64 / f64::from(repetitions);
        }
        for covered in [separate, overlapping] {
            let covered = f64::from(covered) / f64::from(repetitions);
            assert!((least..=0.97).contains(&covered), "φ {phi}, n {n}: {covered}");
        }
        // In truth n(1−φ)/(1+φ).
        let truth = (1.0 - phi) / (1.0 + phi);
        assert!((sizes / truth - 1.0).abs() < 0.1, "φ {phi}, n {n}: {sizes} instead of {truth}");
    }
}

#[test]
fn a_series_that_is_too_short_is_said_to_be() {
    // 1000 values worth five: no batching can help.
    let mut source = Source::new(4);
    let said = share(500, || {
        let run = within_run(&source.autoregressive(0.99, 1000), 0.95);
        !run.notes.is_empty() && run.batch_means.is_some_and(|tested| tested.verdict == BatchingVerdict::Correlated)
    });
    assert!(said > 0.7, "{said}");
}
