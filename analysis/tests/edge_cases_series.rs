//! Series, stopping, sketches and times to events at the edge: nothing, one value, all equal, ties, infinities, NaN.

use byzlab_analysis::statistics::{
    BatchingVerdict, HalfWidth, InvalidStoppingRule, KaplanMeier, Moments, Observation, Sketch, SketchError,
    StoppingRule, WarmUpVerdict, autocorrelation, bartlett_z, batch_means, chow_robbins_stops, effective_size,
    ljung_box, mser5, overlapping_batch_means, tested_batch_means, von_neumann, within_run,
};
use proptest::prelude::*;

use Observation::{Censored, Event, Never};

fn curve(observations: &[Observation]) -> KaplanMeier {
    KaplanMeier::new(observations.iter().copied(), 0.95).expect("finite times")
}

#[test]
fn survival_of_nothing() {
    let nothing = curve(&[]);
    assert_eq!((nothing.count(), nothing.steps().len()), (0, 0));
    assert_eq!(nothing.quantile(0.5).estimate, None);
    assert_eq!((nothing.survival(0.0), nothing.restricted_mean(1.0)), (None, None));
}

#[test]
fn survival_when_all_are_censored() {
    let censored = curve(&[Censored(1.0), Censored(2.0)]);
    assert_eq!((censored.steps().len(), censored.quantile(0.01).estimate), (0, None));
    assert_eq!((censored.survival(2.0), censored.survival(2.5)), (Some(1.0), None));
    let mean = censored.restricted_mean(2.0).unwrap();
    assert_eq!((mean.mean, mean.standard_error, mean.upper), (2.0, 0.0, None));
    assert_eq!(censored.restricted_mean(2.5), None);
}

#[test]
fn survival_when_none_ever_comes() {
    let never = curve(&[Never, Event(f64::INFINITY), Censored(f64::INFINITY)]);
    assert_eq!((never.count(), never.survival(1e300)), (3, Some(1.0)));
    assert_eq!(never.restricted_mean(7.0).map(|mean| mean.mean), Some(7.0));
    assert_eq!(never.restricted_mean(f64::INFINITY), None);
}

#[test]
fn survival_when_all_come_at_once() {
    let tied = curve(&[Event(3.0); 5]);
    let step = tied.steps().next().unwrap();
    assert_eq!((step.at_risk, step.events, step.survival), (5, 5, 0.0));
    assert_eq!((step.standard_error, step.lower, step.upper), (None, 0.0, 1.0));
    let median = tied.quantile(0.5);
    assert_eq!((median.estimate, median.lower, median.upper), (Some(3.0), Some(3.0), None));
    // The curve has ended at 0: its area is known however far one looks.
    let mean = tied.restricted_mean(10.0).unwrap();
    assert_eq!((mean.mean, mean.standard_error), (3.0, 0.0));
    assert_eq!(tied.survival(1e9), Some(0.0));
}

#[test]
fn an_event_goes_before_a_censoring_at_the_same_time() {
    let steps: Vec<_> = curve(&[Censored(1.0), Event(1.0), Event(2.0)]).steps().collect();
    assert_eq!((steps[0].at_risk, steps[1].at_risk), (3, 1));
}

#[test]
fn the_last_step_keeps_what_the_one_before_allows() {
    let steps: Vec<_> = curve(&[Event(1.0), Event(2.0), Event(3.0)]).steps().collect();
    assert_eq!((steps[2].survival, steps[2].lower), (0.0, 0.0));
    assert_eq!(steps[2].upper.to_bits(), steps[1].upper.to_bits());
}

#[test]
fn survival_rejects_what_is_no_time() {
    assert!(KaplanMeier::new([Event(f64::NAN)], 0.95).is_none());
    assert!(KaplanMeier::new([Censored(f64::NAN)], 0.95).is_none());
    assert!(KaplanMeier::new([Event(f64::NEG_INFINITY)], 0.95).is_none());
    for confidence in [0.0, 1.0, f64::NAN] {
        assert!(KaplanMeier::new([Event(1.0)], confidence).is_none());
    }
    let one = curve(&[Event(1.0)]);
    for p in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(one.quantile(p).estimate, None);
    }
    assert_eq!((one.restricted_mean(f64::NAN), one.survival(f64::NAN)), (None, None));
}

#[test]
fn without_censoring_survival_is_the_share_above() {
    // Also after many steps: no rounding gathers.
    let n = 100_000_u32;
    let whole = curve(&(0..n).map(|i| Event(f64::from(i))).collect::<Vec<_>>());
    for (i, step) in whole.steps().enumerate() {
        assert_eq!(step.survival.to_bits(), ((n as usize - 1 - i) as f64 / f64::from(n)).to_bits());
    }
    assert_eq!(whole.quantile(0.25).estimate, Some(24_999.0));
}

fn observation() -> impl Strategy<Value = Observation> {
    // Few times, so that many are tied; negative ones too.
    let time = prop_oneof![(-3..12_i32).prop_map(f64::from), -1e6..1e6];
    prop_oneof![time.clone().prop_map(Event), time.prop_map(Censored), Just(Never)]
}

/// Where Greenwood's formula is blind there is no interval, and where it sees there is.
#[test]
fn a_restricted_mean_without_spread_has_no_interval() {
    let interval = |observations: &[Observation], limit| {
        let mean = curve(observations).restricted_mean(limit).unwrap();
        (mean.mean, mean.lower.is_some())
    };
    let (happened, left) = (Observation::Event, Observation::Censored);
    assert_eq!(interval(&[left(1.0), left(2.0)], 2.0), (2.0, false));
    assert_eq!(interval(&[left(1.0), happened(5.0)], 5.0), (5.0, false));
    // The last at risk is gone, and the one that left at 1 might have lasted longer: no term says so.
    assert_eq!(interval(&[happened(0.5), left(1.0), happened(5.0)], 5.0), (3.5, false));
    assert_eq!(interval(&[happened(0.5), left(1.0), happened(5.0)], 3.5), (2.5, true));
    // Nobody left: the mean of all.
    assert_eq!(interval(&[happened(1.0), happened(2.0), happened(6.0)], 6.0), (3.0, true));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn survival_is_always_a_number(
        observations in prop::collection::vec(observation(), 0..40), limit in -20.0..20.0, p in 0.001..0.999,
    ) {
        let curve = curve(&observations);
        let mut before = 1.0;
        for step in curve.steps() {
            prop_assert!(step.survival < before && step.events <= step.at_risk);
            prop_assert!(0.0 <= step.lower && step.lower <= step.survival && step.survival <= step.upper);
            prop_assert!(step.upper <= 1.0);
            prop_assert!(step.standard_error.is_none_or(|error| error >= 0.0 && error.is_finite()));
            before = step.survival;
        }
        let quantile = curve.quantile(p);
        if let (Some(lower), Some(estimate)) = (quantile.lower, quantile.estimate) {
            prop_assert!(lower <= estimate && quantile.upper.is_none_or(|upper| estimate <= upper));
        }
        if let Some(mean) = curve.restricted_mean(limit) {
            prop_assert!(mean.mean <= limit + 1e-9);
            prop_assert_eq!(mean.lower.is_some(), mean.upper.is_some());
            prop_assert!(mean.lower.is_none_or(|lower| lower < mean.mean && mean.standard_error > 0.0));
            prop_assert!(mean.upper.is_none_or(|upper| mean.mean < upper));
        }
    }

    #[test]
    fn without_censoring_the_restricted_mean_is_that_of_the_lesser(
        times in prop::collection::vec(-5.0..20.0_f64, 1..40), never in 0..5_usize, limit in -3.0..15.0,
    ) {
        let observations: Vec<_> = times.iter().map(|&t| Event(t)).chain(std::iter::repeat_n(Never, never)).collect();
        let mean = curve(&observations).restricted_mean(limit).unwrap();
        let n = observations.len() as f64;
        let expected = (times.iter().map(|t| t.min(limit)).sum::<f64>() + never as f64 * limit) / n;
        prop_assert!((mean.mean - expected).abs() < 1e-9);
        // And its standard error is that of a mean, with n in place of n − 1.
        let variance = times.iter().map(|t| (t.min(limit) - expected).powi(2)).sum::<f64>()
            + never as f64 * (limit - expected).powi(2);
        prop_assert!((mean.standard_error - (variance / n / n).sqrt()).abs() < 1e-9);
    }
}

#[test]
fn a_series_of_nothing_and_of_one() {
    for values in [&[][..], &[3.0]] {
        assert_eq!((mser5(values), autocorrelation(values, 1), bartlett_z(values)), (None, None, None));
        assert_eq!((ljung_box(values, 1), von_neumann(values)), (None, None));
        assert_eq!((batch_means(values, 2, 0.95), tested_batch_means(values, 0.95)), (None, None));
        assert_eq!((overlapping_batch_means(values, 1, 0.95), effective_size(values)), (None, None));
        let run = within_run(values, 0.95);
        assert_eq!((run.n, run.deleted, run.notes.len()), (values.len(), 0, 3));
    }
}

#[test]
fn a_series_of_two() {
    let pair = [1.0, 3.0];
    assert_eq!((autocorrelation(&pair, 1), autocorrelation(&pair, 2)), (Some(-0.5), None));
    assert!(ljung_box(&pair, 1).is_some() && ljung_box(&pair, 2).is_none() && ljung_box(&pair, 0).is_none());
    assert_eq!(von_neumann(&pair), None);
    assert_eq!(batch_means(&pair, 2, 0.95).map(|means| means.interval.mean), Some(2.0));
    // γ₀ = 1, γ₁ = −½: σ² = −1 + 2·½ = 0, which is no variance.
    assert_eq!(effective_size(&pair).map(|size| (size.variance, size.initial_positive)), Some((1.0, None)));
}

#[test]
fn a_series_without_variance() {
    let equal = [0.1; 100];
    let warm_up = mser5(&equal).unwrap();
    assert_eq!((warm_up.truncated, warm_up.verdict), (0, WarmUpVerdict::Ok));
    assert_eq!((autocorrelation(&equal, 1), von_neumann(&equal), effective_size(&equal)), (None, None, None));
    let tested = tested_batch_means(&equal, 0.95).unwrap();
    assert_eq!((tested.verdict, tested.test, tested.means.lag1), (BatchingVerdict::Independent, None, None));
    assert!(tested.means.interval.half_width.abs() < 1e-15);
    let run = within_run(&equal, 0.95);
    assert_eq!(run.notes, ["all values are equal: their effective size is undefined"]);
}

#[test]
fn a_series_with_holes() {
    for hole in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values[41] = hole;
        assert_eq!((mser5(&values), autocorrelation(&values, 1), ljung_box(&values, 3)), (None, None, None));
        assert_eq!((batch_means(&values, 10, 0.95), tested_batch_means(&values, 0.95)), (None, None));
        assert_eq!((overlapping_batch_means(&values, 10, 0.95), effective_size(&values)), (None, None));
        let run = within_run(&values, 0.95);
        assert_eq!(run.notes, [format!("value 42 of 100 is {hole}: a series needs finite values")]);
    }
    // Finite, but not their squares.
    let huge: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 1e308 } else { -1e308 }).collect();
    assert_eq!((mser5(&huge), effective_size(&huge), batch_means(&huge, 20, 0.95)), (None, None, None));
    assert_eq!(within_run(&huge, 0.95).batch_means, None);
}

#[test]
fn a_run_that_never_settles_is_said_to_be_too_short() {
    let rising: Vec<f64> = (0..1000).map(f64::from).collect();
    let run = within_run(&rising, 0.95);
    assert_eq!(run.warm_up.map(|warm_up| warm_up.verdict), Some(WarmUpVerdict::RunLonger));
    assert_eq!(run.deleted, 500);
    assert_eq!(run.batch_means.map(|tested| tested.verdict), Some(BatchingVerdict::Correlated));
    assert!(run.notes[0].starts_with("run longer: ") && run.notes[1].starts_with("correlated: "), "{:?}", run.notes);
}

#[test]
fn a_wrong_confidence_has_no_interval() {
    let values: Vec<f64> = (0..100).map(|i| f64::from(i * i % 17)).collect();
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(batch_means(&values, 10, confidence), None);
        assert_eq!(tested_batch_means(&values, confidence), None);
        assert_eq!(overlapping_batch_means(&values, 10, confidence), None);
    }
    for batch_size in [0, 100, 101] {
        assert_eq!(overlapping_batch_means(&values, batch_size, 0.95), None);
    }
    assert_eq!((batch_means(&values, 1, 0.95), batch_means(&values, 101, 0.95)), (None, None));
}

#[test]
fn a_long_trend_is_no_quadratic_sum() {
    // The first pair of autocovariances that is not positive comes after some 50,000 lags.
    let rising: Vec<f64> = (0..200_000).map(f64::from).collect();
    let size = effective_size(&rising).unwrap().initial_positive.unwrap();
    assert!(size.pairs > 20_000 && size.effective_size < 5.0, "{size:?}");
}

#[test]
fn rules_are_checked() {
    let rule = |half_width, confidence, min, max| StoppingRule::new(half_width, confidence, min, max);
    let wide = HalfWidth::Absolute(1.0);
    assert!(rule(wide, 0.95, 2, 2).is_ok());
    assert_eq!(rule(wide, 1.0, 2, 2), Err(InvalidStoppingRule::Confidence(1.0)));
    assert!(rule(wide, f64::NAN, 2, 2).is_err());
    assert_eq!(rule(wide, 0.95, 1, 2), Err(InvalidStoppingRule::MinRuns(1)));
    assert_eq!(rule(wide, 0.95, 3, 2), Err(InvalidStoppingRule::MaxRuns { min_runs: 3, max_runs: 2 }));
    for width in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        assert!(rule(HalfWidth::Absolute(width), 0.95, 2, 2).is_err());
        assert!(rule(HalfWidth::Relative(width), 0.95, 2, 2).is_err());
    }
}

#[test]
fn stopping_at_the_edge() {
    let relative = StoppingRule::new(HalfWidth::Relative(0.1), 0.95, 3, 9).unwrap();
    let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
    assert!(!relative.is_precise(&moments(&[])) && !relative.is_precise(&moments(&[5.0, 5.0])));
    assert!(relative.is_precise(&moments(&[5.0; 3])) && relative.is_precise(&moments(&[0.0; 3])));
    // Around zero there is no relative precision.
    assert!(!relative.is_precise(&moments(&[-1.0, 0.0, 1.0])));
    assert!(!relative.is_precise(&moments(&[f64::NAN; 3])) && !relative.is_precise(&moments(&[f64::INFINITY; 3])));
    assert!(
        !relative.is_precise_share(0, 0) && !relative.is_precise_share(5, 4) && !relative.is_precise_share(0, 1000)
    );
    assert_eq!(chow_robbins_stops(&moments(&[]), 1.0, 0.95), None);
    assert_eq!(chow_robbins_stops(&moments(&[1.0]), 0.0, 0.95), None);
    // Equal values do not stop it at once: 3 < 3.84/3 · 4.
    assert_eq!(chow_robbins_stops(&moments(&[1.0; 3]), 0.5, 0.95), Some(false));
}

#[test]
fn a_sketch_of_what_is_no_number() {
    let mut sketch = Sketch::new(0.01).unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!sketch.insert(value));
    }
    assert_eq!(sketch, Sketch::new(0.01).unwrap());
    assert_eq!((sketch.quantile(0.5), sketch.min(), sketch.max(), sketch.sum()), (None, None, None, Some(0.0)));
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(sketch.insert(1.0));
        assert_eq!(sketch.quantile(p), None);
    }
    for error in [0.0, -1.0, 0.6, 1e-7, f64::INFINITY] {
        assert_eq!(Sketch::new(error), Err(SketchError::RelativeError(error)));
    }
}

#[test]
fn a_sketch_of_extremes() {
    let mut sketch = Sketch::new(0.01).unwrap();
    for value in [f64::MAX, -f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.0, -0.0] {
        assert!(sketch.insert(value));
    }
    assert!(sketch.is_collapsed());
    assert_eq!((sketch.count(), sketch.min(), sketch.max()), (6, Some(-f64::MAX), Some(f64::MAX)));
    assert_eq!((sketch.quantile(0.5), sketch.quantile(1.0)), (Some(0.0), Some(f64::MAX)));
    assert!(sketch.insert(f64::MAX));
    assert_eq!(sketch.sum().map(f64::is_finite), Some(true));
    assert!(sketch.insert(f64::MAX));
    assert_eq!(sketch.sum(), None);
}

#[test]
fn a_collapsed_sketch_keeps_its_high_quantiles() {
    // Both signs and 240 orders of magnitude: the lowest of each side are joined.
    let mut values: Vec<f64> = (-120..=120).flat_map(|e| [10.0_f64.powi(e), -(10.0_f64.powi(e))]).collect();
    let mut sketch = Sketch::new(0.01).unwrap();
    assert!(values.iter().all(|&value| sketch.insert(value)) && sketch.is_collapsed());
    values.sort_by(f64::total_cmp);
    for p in [0.9, 0.95, 0.99] {
        let exact = values[(p * values.len() as f64).ceil() as usize - 1];
        assert!((sketch.quantile(p).unwrap() - exact).abs() <= 0.01 * exact);
    }
    // What is joined is too high, never too low.
    for rank in 1..=values.len() {
        let exact = values[rank - 1];
        let estimate = sketch.quantile(rank as f64 / values.len() as f64).unwrap();
        assert!(estimate >= exact - 0.0101 * exact.abs(), "{estimate} for {exact}");
    }
}

fn sketch_of(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::new(0.02).unwrap();
    assert!(values.iter().all(|&value| sketch.insert(value)));
    sketch
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sketch_is_within_its_error(
        values in prop::collection::vec(prop_oneof![-1e6..1e6, -1e-3..1e-3, Just(0.0), Just(7.0)], 1..200), p in 0.0..=1.0_f64,
    ) {
        let sketch = sketch_of(&values);
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        // Type 1: the value of rank ⌈np⌉.
        let rank = (sorted.len() as f64 * p).ceil().max(1.0) as usize;
        let exact = sorted[rank - 1];
        let estimate = sketch.quantile(p).unwrap();
        prop_assert!((estimate - exact).abs() <= exact.abs() * 0.02 * (1.0 + 1e-9), "{} for {}", estimate, exact);
        prop_assert_eq!((sketch.min(), sketch.max()), (sorted.first().copied(), sorted.last().copied()));
    }

    #[test]
    fn merged_sketches_are_the_sketch_of_all(
        left in prop::collection::vec(prop_oneof![-1e6..1e6, 1e-300..1e-200], 0..60),
        right in prop::collection::vec(prop_oneof![-1e6..1e6, 1e200..1e300], 0..60),
    ) {
        let mut merged = sketch_of(&left);
        merged.merge(&sketch_of(&right)).unwrap();
        let all = sketch_of(&[left, right].concat());
        prop_assert_eq!(merged.is_collapsed(), all.is_collapsed());
        prop_assert_eq!((merged.count(), merged.min(), merged.max()), (all.count(), all.min(), all.max()));
        for p in [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0] {
            prop_assert_eq!(merged.quantile(p), all.quantile(p));
        }
        let (sum, total) = (merged.sum().unwrap(), all.sum().unwrap());
        prop_assert!((sum - total).abs() <= 1e-9 * total.abs().max(1.0));
    }

    #[test]
    fn a_series_gives_numbers(
        values in prop::collection::vec(prop_oneof![(-3..3_i32).prop_map(f64::from), -1e9..1e9], 0..120),
    ) {
        let run = within_run(&values, 0.95);
        let mut numbers = Vec::new();
        if let Some(warm_up) = run.warm_up {
            numbers.extend([warm_up.statistic, warm_up.statistic_untruncated, warm_up.mean_after, warm_up.mean_all]);
            prop_assert!(warm_up.truncated + 25 <= values.len() && run.deleted <= values.len() / 2);
        }
        if let Some(tested) = run.batch_means {
            let means = tested.means;
            numbers.extend([means.interval.lower, means.interval.upper, means.standard_deviation, means.long_run_variance]);
            numbers.extend(means.lag1);
            numbers.extend(tested.test.map(|test| test.z));
            prop_assert!(means.batches >= 10);
            prop_assert_eq!(means.batches * means.batch_size + means.dropped_front + run.deleted, values.len());
            prop_assert!(tested.test.is_none_or(|test| (0.0..=1.0).contains(&test.p_positive)));
        }
        if let Some(means) = run.overlapping {
            numbers.extend([means.interval.lower, means.interval.upper, means.long_run_variance]);
            prop_assert!(means.long_run_variance >= 0.0);
        }
        if let Some(size) = run.effective_size {
            prop_assert!((-1.0..=1.0).contains(&size.lag1));
            if let (Some(positive), Some(monotone)) = (size.initial_positive, size.initial_monotone) {
                numbers.extend([positive.effective_size, monotone.effective_size]);
                prop_assert!(monotone.long_run_variance <= positive.long_run_variance * (1.0 + 1e-12));
            }
        }
        prop_assert!(numbers.iter().all(|number| number.is_finite()), "{:?}", numbers);
        if values.len() > 3 && let Some(test) = ljung_box(&values, 3) {
            prop_assert!(test.statistic >= 0.0 && (0.0..=1.0).contains(&test.p));
        }
    }
}
