//! Each distribution against an independent sampler (`rand_distr`) and against its own promises.

#![expect(clippy::float_cmp, reason = "draws are whole nanoseconds, so milliseconds compare exactly")]

use super::*;
use crate::random::Key;
use rand_distr::{Distribution, Exp, LogNormal, Normal, Pareto, Weibull};

const MS: u64 = 1_000_000;

fn ms(value: u64) -> Span {
    Span::from_nanos(value * MS)
}

fn draws(latency: &Latency, count: u64) -> Vec<f64> {
    let key = Key::root(3).component("latency");
    let mut values: Vec<f64> = (0..count).map(|i| latency.sample(&mut key.child(i).draw()).as_millis_f64()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The two-sample Kolmogorov–Smirnov distance of sorted samples.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let below = |sorted: &[f64], x: f64| sorted.partition_point(|&y| y <= x) as f64 / sorted.len() as f64;
    a.iter().chain(b).map(|&x| (below(a, x) - below(b, x)).abs()).fold(0.0, f64::max)
}

#[expect(clippy::needless_pass_by_value, reason = "reads better in the list of laws")]
fn same_law(shape: Shape, reference: impl Distribution<f64>) {
    const COUNT: u64 = 20_000;
    let ours = draws(&Latency::new(shape.clone(), Span::ZERO, Span::ZERO).unwrap(), COUNT);
    let mut generator = Key::root(4).generator();
    let mut theirs: Vec<f64> = (0..COUNT).map(|_| reference.sample(&mut generator)).collect();
    theirs.sort_by(f64::total_cmp);
    // Exceeded with probability 10⁻⁵ by equal laws: sqrt(-ln(10⁻⁵/2)/2 · 2/COUNT).
    let limit = (-(0.5e-5_f64).ln() / COUNT as f64).sqrt();
    let found = distance(&ours, &theirs);
    assert!(found < limit, "{shape:?}: distance {found} ≥ {limit}");
}

#[test]
fn shapes_follow_their_laws() {
    same_law(Shape::Uniform { min: ms(5), max: ms(35) }, rand_distr::Uniform::new(5.0, 35.0).unwrap());
    same_law(Shape::Normal { mean: ms(250), std_dev: ms(50) }, Normal::new(250.0, 50.0).unwrap());
    same_law(Shape::Exponential { mean: ms(10) }, Exp::new(0.1).unwrap());
    same_law(Shape::Lognormal { median: ms(20), sigma: 0.7 }, LogNormal::new(20.0_f64.ln(), 0.7).unwrap());
    same_law(Shape::Pareto { scale: ms(10), shape: 3.0 }, Pareto::new(10.0, 3.0).unwrap());
    same_law(Shape::Gamma { shape: 2.5, scale: ms(4) }, rand_distr::Gamma::new(2.5, 4.0).unwrap());
    same_law(Shape::Gamma { shape: 0.4, scale: ms(40) }, rand_distr::Gamma::new(0.4, 40.0).unwrap());
    same_law(Shape::Weibull { scale: ms(10), shape: 1.7 }, Weibull::new(10.0, 1.7).unwrap());
}

/// How often exactly this value came.
fn frequency(seen: &[f64], value: f64) -> f64 {
    seen.iter().filter(|&&other| other == value).count() as f64 / seen.len() as f64
}

#[test]
fn choices_come_as_often_as_their_weights_say() {
    let values: Arc<[Span]> = [ms(10), ms(20), ms(30)].into();
    let shape = Shape::Discrete { values: values.clone(), weights: [1.0, 0.0, 3.0].into() };
    let seen = draws(&Latency::new(shape, Span::ZERO, Span::ZERO).unwrap(), 10_000);
    assert!((frequency(&seen, 10.0) - 0.25).abs() < 0.02);
    assert!(frequency(&seen, 20.0) == 0.0, "a weight of 0 never comes");
    assert!((frequency(&seen, 30.0) - 0.75).abs() < 0.02);

    let seen = draws(&Latency::new(Shape::Empirical { values }, ms(1), Span::ZERO).unwrap(), 10_000);
    for value in [11.0, 21.0, 31.0] {
        assert!((frequency(&seen, value) - 1.0 / 3.0).abs() < 0.02);
    }
}

#[test]
fn floor_and_offset_hold_for_every_draw() {
    let normal = Shape::Normal { mean: ms(1), std_dev: ms(5) };
    let floored = Latency::new(normal.clone(), Span::ZERO, ms(2)).unwrap();
    assert_eq!(floored.least(), ms(2));
    assert_eq!(draws(&floored, 1000)[0], 2.0);
    let shifted = Latency::new(normal, ms(3), Span::ZERO).unwrap();
    assert_eq!(shifted.least(), ms(0));
    let seen = draws(&shifted, 10_000);
    let at_floor = seen.iter().filter(|&&x| x == 0.0).count() as f64 / 10_000.0;
    assert!((at_floor - 0.212).abs() < 0.02, "P(N(4, 5) < 0) = 0.212, found {at_floor}");
    let pareto = Latency::new(Shape::Pareto { scale: ms(7), shape: 2.0 }, Span::ZERO, Span::ZERO).unwrap();
    assert!(draws(&pareto, 1000)[0] >= pareto.least().as_millis_f64());
    assert!(pareto.least() > ms(6));
}

#[test]
fn only_some_shapes_have_an_upper_end() {
    let most = |shape| Latency::new(shape, ms(1), ms(4)).unwrap().most();
    let values: Arc<[Span]> = [ms(10), ms(30), ms(20)].into();
    assert_eq!(most(Shape::Constant { value: ms(7) }), Some(ms(8)));
    assert_eq!(most(Shape::Constant { value: ms(1) }), Some(ms(4)), "the floor is the least that it can be");
    assert_eq!(most(Shape::Uniform { min: ms(5), max: ms(35) }), Some(ms(36)));
    assert_eq!(most(Shape::Empirical { values: values.clone() }), Some(ms(31)));
    assert_eq!(most(Shape::Discrete { values, weights: [1.0, 1.0, 1.0].into() }), Some(ms(31)));
    assert_eq!(most(Shape::Normal { mean: ms(7), std_dev: ms(0) }), Some(ms(8)));
    for shape in [
        Shape::Normal { mean: ms(7), std_dev: ms(1) },
        Shape::Exponential { mean: ms(10) },
        Shape::Lognormal { median: ms(20), sigma: 0.7 },
        Shape::Pareto { scale: ms(10), shape: 3.0 },
        Shape::Gamma { shape: 2.5, scale: ms(4) },
        Shape::Weibull { scale: ms(10), shape: 1.7 },
    ] {
        assert_eq!(most(shape), None);
    }
}

#[test]
fn what_cannot_be_a_latency_is_refused() {
    let refused = |shape| Latency::new(shape, Span::ZERO, Span::ZERO).unwrap_err();
    assert_eq!(refused(Shape::Uniform { min: ms(2), max: ms(1) }), LatencyError::EmptyRange);
    assert_eq!(refused(Shape::Exponential { mean: Span::ZERO }), LatencyError::NotPositive("mean"));
    assert_eq!(refused(Shape::Lognormal { median: ms(1), sigma: f64::NAN }), LatencyError::NotPositive("sigma"));
    assert_eq!(refused(Shape::Lognormal { median: ms(1), sigma: 9.0 }), LatencyError::Unbounded);
    assert_eq!(refused(Shape::Pareto { scale: ms(1), shape: 0.01 }), LatencyError::Unbounded);
    assert_eq!(refused(Shape::Pareto { scale: ms(1), shape: -1.0 }), LatencyError::NotPositive("shape"));
    assert_eq!(refused(Shape::Empirical { values: [].into() }), LatencyError::NoValues);
    let discrete = |weights: &[f64]| Shape::Discrete { values: [ms(1), ms(2)].into(), weights: weights.into() };
    assert_eq!(refused(discrete(&[1.0])), LatencyError::Unpaired { values: 2, weights: 1 });
    assert_eq!(refused(discrete(&[1.0, -1.0])), LatencyError::BadWeights);
    assert_eq!(refused(discrete(&[0.0, 0.0])), LatencyError::BadWeights);
    assert_eq!(refused(discrete(&[f64::INFINITY, 1.0])), LatencyError::BadWeights);
}

/// Reference: mpmath, 30 digits.
#[test]
fn normal_quantiles_are_exact_to_fifteen_digits() {
    for (p, expected) in [
        (0.5, 0.0),
        (0.9, 1.281_551_565_544_600_4),
        (0.975, 1.959_963_984_540_054_2),
        (0.999, 3.090_232_306_167_813_5),
        (1e-10, -6.361_340_902_404_056),
        (1e-15, -7.941_345_326_170_998),
    ] {
        let found = normal_quantile(p);
        assert!((found - expected).abs() <= 1e-14 * expected.abs().max(1.0), "{p}: {found} instead of {expected}");
    }
}

/// The values themselves are part of the contract: a change here is value-breaking.
#[test]
fn sampled_values_stay_what_they_are() {
    let shapes = [
        Shape::Uniform { min: ms(5), max: ms(35) },
        Shape::Normal { mean: ms(250), std_dev: ms(50) },
        Shape::Exponential { mean: ms(10) },
        Shape::Lognormal { median: ms(20), sigma: 0.7 },
        Shape::Pareto { scale: ms(10), shape: 3.0 },
        Shape::Gamma { shape: 2.5, scale: ms(4) },
        Shape::Weibull { scale: ms(10), shape: 1.7 },
    ];
    let key = Key::root(1);
    let found: Vec<u64> = shapes
        .map(|shape| Latency::new(shape, Span::ZERO, Span::ZERO).unwrap().sample(&mut key.draw()).as_nanos())
        .to_vec();
    assert_eq!(found, [16_045_685, 233_167_385, 9_991_575, 15_801_039, 13_952_205, 6_831_785, 9_995_043]);
}
