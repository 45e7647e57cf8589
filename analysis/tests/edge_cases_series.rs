//! Series and times to events at the edge: nothing, one value, all equal, ties, infinities, NaN.

use byzlab_analysis::statistics::{KaplanMeier, Observation};
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
    assert_eq!((mean.mean, mean.standard_error, mean.upper), (2.0, 0.0, 2.0));
    assert_eq!(censored.restricted_mean(2.5), None);
}

#[test]
fn survival_when_none_ever_comes() {
    let never = curve(&[Never, Event(f64::INFINITY), Censored(f64::INFINITY)]);
    assert_eq!((never.count(), never.survival(1e300)), (3, Some(1.0)));
    assert_eq!(never.restricted_mean(7.0).unwrap().mean, 7.0);
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
            prop_assert!(mean.mean <= limit + 1e-9 && mean.lower <= mean.mean && mean.mean <= mean.upper);
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
