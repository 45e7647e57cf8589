//! Two samples at the edge: nothing, one value, all equal, ties, infinities, NaN; and against the definitions, by brute force.

use byzlab_analysis::statistics::{
    Moments, bonferroni, hodges_lehmann, holm, kolmogorov_smirnov, mann_whitney, paired_t, welch,
};
use proptest::prelude::*;

const NEVER: f64 = f64::INFINITY;

fn moments(values: &[f64]) -> Moments {
    values.iter().copied().collect()
}

#[track_caller]
fn assert_near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-10 * expected.abs(), "{actual} instead of {expected}");
}

#[test]
fn of_nothing_nothing_follows() {
    let some = [1.0, 2.0, 4.0];
    for (first, second) in [(&[][..], &[][..]), (&[], &some), (&some, &[])] {
        assert_eq!(welch(&moments(first), &moments(second), 0.95), None);
        assert_eq!((mann_whitney(first, second), kolmogorov_smirnov(first, second)), (None, None));
        assert_eq!((hodges_lehmann(first, second, 0.95), paired_t(first, second, 0.95)), (None, None));
    }
    assert_eq!((holm(&[]), bonferroni(&[])), (vec![], vec![]));
}

#[test]
fn of_one_value_each_there_are_ranks_alone() {
    assert_eq!(welch(&moments(&[1.0]), &moments(&[2.0, 3.0]), 0.95), None);
    assert_eq!(paired_t(&[1.0], &[2.0], 0.95), None);
    let test = mann_whitney(&[1.0], &[2.0]).unwrap();
    assert_eq!((test.u, test.p, test.cliffs_delta), (0.0, 1.0, -1.0));
    assert_eq!(kolmogorov_smirnov(&[1.0], &[2.0]).map(|test| (test.distance, test.p)), Some((1.0, 1.0)));
    let shift = hodges_lehmann(&[1.0], &[2.0], 0.95).unwrap();
    assert_eq!((shift.estimate, shift.lower, shift.upper, shift.rank), (Some(-1.0), None, None, None));
    assert_near(shift.coverage, 1.0);
}

#[test]
fn what_does_not_vary_is_certain() {
    let (three, five) = (moments(&[3.0; 4]), moments(&[5.0; 6]));
    let test = welch(&three, &five, 0.95).unwrap();
    assert_eq!((test.difference, test.lower, test.upper, test.p), (-2.0, -2.0, -2.0, 0.0));
    assert_eq!((test.t, test.degrees_of_freedom), (None, None));
    assert_eq!(welch(&three, &three, 0.95).map(|test| (test.p, test.upper)), Some((1.0, 0.0)));
    // One side varies: its degrees of freedom count.
    let test = welch(&three, &moments(&[1.0, 2.0, 3.0]), 0.95).unwrap();
    assert_near(test.degrees_of_freedom.unwrap(), 2.0);

    let test = paired_t(&[1.0, 2.0, 3.0], &[3.0, 4.0, 5.0], 0.95).unwrap();
    assert_eq!((test.difference, test.lower, test.p, test.t), (-2.0, -2.0, 0.0, None));
    assert_eq!(test.variance_reduction, Some(1.0));
    let test = paired_t(&[1.0; 3], &[1.0; 3], 0.95).unwrap();
    assert_eq!((test.p, test.correlation, test.variance_reduction), (1.0, None, None));

    let test = mann_whitney(&[7.0; 4], &[7.0; 5]).unwrap();
    assert_eq!((test.u, test.p, test.p_normal_without_continuity, test.cliffs_delta), (10.0, 1.0, 1.0, 0.0));
    assert_eq!(kolmogorov_smirnov(&[7.0; 4], &[7.0; 5]).map(|test| (test.distance, test.p)), Some((0.0, 1.0)));
    let shift = hodges_lehmann(&[7.0; 8], &[7.0; 9], 0.95).unwrap();
    assert_eq!((shift.estimate, shift.lower, shift.upper), (Some(0.0), Some(0.0), Some(0.0)));
}

#[test]
fn what_is_no_measurement_is_rejected() {
    let some = [1.0, 2.0, 4.0];
    for bad in [[1.0, f64::NAN, 2.0], [1.0, f64::NEG_INFINITY, 2.0]] {
        assert_eq!((mann_whitney(&bad, &some), kolmogorov_smirnov(&some, &bad)), (None, None));
        assert_eq!((hodges_lehmann(&bad, &some, 0.95), paired_t(&bad, &some, 0.95)), (None, None));
        assert_eq!(welch(&moments(&bad), &moments(&some), 0.95), None);
    }
    assert_eq!(welch(&moments(&[1.0, NEVER]), &moments(&some), 0.95), None);
    assert_eq!((paired_t(&[1.0, 2.0, NEVER], &some, 0.95), paired_t(&[1.0], &some, 0.95)), (None, None));
    for confidence in [0.0, 1.0, f64::NAN] {
        assert_eq!(welch(&moments(&some), &moments(&some), confidence), None);
        assert_eq!((paired_t(&some, &some, confidence), hodges_lehmann(&some, &some, confidence)), (None, None));
    }
}

#[test]
fn what_never_came_is_above_all() {
    // As if it were any number above the others, tied.
    let (first, second) = ([1.0, 5.0, NEVER, NEVER, 6.0], [2.0, 3.0, 4.0, NEVER]);
    let as_number = |values: &[f64]| values.iter().map(|value| value.min(99.0)).collect::<Vec<f64>>();
    let (finite, other) = (as_number(&first), as_number(&second));
    assert_eq!(mann_whitney(&first, &second), mann_whitney(&finite, &other));
    assert_eq!(kolmogorov_smirnov(&first, &second), kolmogorov_smirnov(&finite, &other));

    // All failed against none: the shift lies beyond all numbers, in one direction.
    let shift = hodges_lehmann(&[NEVER; 10], &[1.0; 10], 0.95).unwrap();
    assert_eq!((shift.estimate, shift.lower, shift.upper), (None, None, None));
    // A few failures do not hide the median, nor bound it from above.
    let (late, early) = ([11.0, 12.0, 13.0, 14.0, NEVER], [1.0, 2.0, 3.0, 4.0, 5.0]);
    let shift = hodges_lehmann(&late, &early, 0.95).unwrap();
    assert_eq!((shift.estimate, shift.lower, shift.upper), (Some(10.0), Some(7.0), None));
    // ∞ − ∞ is a tie, half below and half above; the interval allows for anything.
    let shift = hodges_lehmann(&[1.0, NEVER, NEVER], &[2.0, NEVER, NEVER], 0.95).unwrap();
    assert_eq!((shift.estimate, shift.lower, shift.upper), (Some(-1.0), None, None));
    assert_eq!(hodges_lehmann(&[NEVER; 9], &[NEVER; 9], 0.95).unwrap().estimate, None);
}

#[test]
fn small_probabilities_keep_their_digits() {
    // Two samples apart: 2 of C(80, 40) orders are so extreme. C(80, 40) = 107507208733336176461620.
    let first: Vec<f64> = (0..40).map(f64::from).collect();
    let second: Vec<f64> = (40..80).map(f64::from).collect();
    let extreme = 2.0 / 107_507_208_733_336_176_461_620.0;
    assert_near(mann_whitney(&first, &second).unwrap().p, extreme);
    assert_near(kolmogorov_smirnov(&first, &second).unwrap().p, extreme);
}

#[test]
fn few_tied_values_have_an_exact_probability() {
    // Failures are tied at +∞. One of C(6, 3) = 20 ways to deal them to one side.
    let never = [f64::INFINITY; 3];
    let test = mann_whitney(&never, &[100.0; 3]).unwrap();
    assert_near(test.p, 0.1);
    assert!(test.p_normal < 0.05, "what the normal approximation takes for significant");
    assert_near(mann_whitney(&never, &[100.0]).unwrap().p, 0.5);
    assert_near(mann_whitney(&[f64::INFINITY; 30], &[1.0; 30]).unwrap().p, 2.0 / 118_264_581_564_861_424.0);
    // The largest samples; there the normal approximation is close.
    let sample = |shift: u32| (0..49).map(|i: u32| f64::from((i * i + shift) % 12)).collect::<Vec<f64>>();
    let test = mann_whitney(&sample(0), &sample(3)).unwrap();
    assert!(test.has_ties && test.p_exact.is_some());
    assert!((test.p - test.p_normal).abs() < 0.01, "{test:?}");
}

#[test]
fn the_exact_test_ends_where_it_says() {
    let sample = |n: u32, shift: f64| (0..n).map(|i| f64::from(i) + shift).collect::<Vec<f64>>();
    let small = mann_whitney(&sample(49, 0.0), &sample(49, 0.5)).unwrap();
    assert!(small.p_exact.is_some());
    // There both agree.
    assert!((small.p_exact.unwrap() - small.p_normal).abs() < 1e-3);
    assert_eq!(mann_whitney(&sample(50, 0.0), &sample(49, 0.5)).unwrap().p_exact, None);
    assert!(kolmogorov_smirnov(&sample(3163, 0.0), &sample(3163, 0.5)).unwrap().p_exact.is_none());
    // The intervals of both ways of counting are close, too.
    let (exact, normal) = (hodges_lehmann(&sample(49, 0.0), &sample(49, 0.5), 0.95).unwrap(), 0.95);
    let wider = hodges_lehmann(&sample(50, 0.0), &sample(50, 0.5), 0.95).unwrap();
    assert!((exact.coverage - normal).abs() < 0.001 && exact.coverage >= normal);
    assert!((exact.lower.unwrap() - wider.lower.unwrap()).abs() <= 1.0);
}

#[test]
fn large_samples_take_no_pairs_apart() {
    // 4·10¹⁰ differences, symmetric around −0.25.
    let sample = |shift: f64| (0..200_000).map(|i| f64::from(i) + shift).collect::<Vec<f64>>();
    let shift = hodges_lehmann(&sample(0.0), &sample(0.25), 0.95).unwrap();
    assert_eq!(shift.estimate, Some(-0.25));
    assert!(shift.lower.unwrap() < -100.0 && shift.upper.unwrap() > 100.0);
}

#[test]
fn adjustment_leaves_out_what_is_undefined() {
    let p = [Some(0.01), None, Some(f64::NAN), Some(0.04), Some(1.5), Some(0.03)];
    assert_eq!(holm(&p), [Some(0.03), None, None, Some(0.06), None, Some(0.06)]);
    assert_eq!(bonferroni(&p), [Some(0.03), None, None, Some(0.12), None, Some(0.09)]);
    assert_eq!(holm(&[Some(0.0), Some(1.0), Some(1.0)]), [Some(0.0), Some(1.0), Some(1.0)]);
}

/// Each way to choose which of the pooled values are the first sample.
fn splits(pooled: &[f64], size: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    (0_u32..1 << pooled.len())
        .filter(|mask| mask.count_ones() as usize == size)
        .map(|mask| {
            let chosen = |bit: u32| pooled.iter().enumerate().filter(move |(i, _)| mask >> i & 1 == bit);
            (chosen(1).map(|(_, &x)| x).collect(), chosen(0).map(|(_, &x)| x).collect())
        })
        .collect()
}

fn u_of(first: &[f64], second: &[f64]) -> f64 {
    let pairs = first.iter().flat_map(|x| second.iter().map(move |y| (x, y)));
    pairs
        .map(|(x, y)| {
            if x > y {
                1.0
            } else if x < y {
                0.0
            } else {
                0.5
            }
        })
        .sum()
}

/// D, times the sizes of both samples.
fn distance_of(first: &[f64], second: &[f64]) -> usize {
    let up_to = |values: &[f64], limit: f64| values.iter().filter(|&&value| value <= limit).count();
    let limits = first.iter().chain(second);
    limits
        .map(|&limit| (up_to(first, limit) * second.len()).abs_diff(up_to(second, limit) * first.len()))
        .max()
        .unwrap_or(0)
}

fn value() -> impl Strategy<Value = f64> {
    // Few numbers, so that many are tied.
    prop_oneof![(0..6_i32).prop_map(f64::from), Just(NEVER)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn kolmogorov_smirnov_counts_orders(
        first in prop::collection::vec(value(), 1..6), second in prop::collection::vec(value(), 1..6),
    ) {
        let test = kolmogorov_smirnov(&first, &second).unwrap();
        let reached = distance_of(&first, &second);
        prop_assert!((test.distance - reached as f64 / (first.len() * second.len()) as f64).abs() < 1e-12);
        let splits = splits(&[first.clone(), second].concat(), first.len());
        let so_far = splits.iter().filter(|(first, second)| distance_of(first, second) >= reached).count();
        prop_assert!((test.p - so_far as f64 / splits.len() as f64).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&test.p_limit));
    }

    #[test]
    fn mann_whitney_counts_orders(
        distinct in Just((0..9).map(f64::from).collect::<Vec<f64>>()).prop_shuffle(),
        tied in prop::collection::vec(value(), 9), size in 1..9_usize,
    ) {
        for order in [distinct, tied] {
            let (first, second) = order.split_at(size);
            let test = mann_whitney(first, second).unwrap();
            let u = u_of(first, second);
            prop_assert!((test.u - u).abs() < 1e-12);
            let splits = splits(&order, size);
            let share = |is_so: &dyn Fn(f64) -> bool| {
                splits.iter().filter(|(first, second)| is_so(u_of(first, second))).count() as f64 / splits.len() as f64
            };
            let expected = (2.0 * share(&|other| other <= u).min(share(&|other| other >= u))).min(1.0);
            prop_assert!((test.p - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn ranks_give_numbers(
        first in prop::collection::vec(value(), 1..70), second in prop::collection::vec(value(), 1..70),
    ) {
        let test = mann_whitney(&first, &second).unwrap();
        prop_assert!((test.u - u_of(&first, &second)).abs() < 1e-9);
        prop_assert!([test.p, test.p_normal, test.p_normal_without_continuity].iter().all(|p| (0.0..=1.0).contains(p)));
        prop_assert!((test.cliffs_delta - (2.0 * test.u / (first.len() * second.len()) as f64 - 1.0)).abs() < 1e-12);
        // The other way round it says the same.
        let other = mann_whitney(&second, &first).unwrap();
        prop_assert!((test.p - other.p).abs() < 1e-12 && (test.cliffs_delta + other.cliffs_delta).abs() < 1e-12);
    }

    #[test]
    fn the_shift_is_the_median_difference(
        first in prop::collection::vec(-50.0..50.0_f64, 1..60), second in prop::collection::vec(-50.0..50.0_f64, 1..60),
    ) {
        let shift = hodges_lehmann(&first, &second, 0.9).unwrap();
        let mut differences: Vec<f64> = first.iter().flat_map(|x| second.iter().map(move |y| x - y)).collect();
        differences.sort_by(f64::total_cmp);
        let n = differences.len();
        let median = differences[(n - 1) / 2].midpoint(differences[n / 2]);
        prop_assert!((shift.estimate.unwrap() - median).abs() < 1e-12);
        if let Some(rank) = shift.rank {
            prop_assert_eq!(shift.lower, Some(differences[rank as usize - 1]));
            prop_assert_eq!(shift.upper, Some(differences[n - rank as usize]));
            prop_assert!(shift.coverage >= 0.9 - 1e-12);
        }
    }

    #[test]
    fn the_shift_brackets_itself(
        first in prop::collection::vec(value(), 1..60), second in prop::collection::vec(value(), 1..60),
    ) {
        let shift = hodges_lehmann(&first, &second, 0.95).unwrap();
        if let Some(estimate) = shift.estimate {
            prop_assert!(estimate.is_finite());
            prop_assert!(shift.lower.is_none_or(|lower| lower <= estimate));
            prop_assert!(shift.upper.is_none_or(|upper| estimate <= upper));
        }
        prop_assert!((0.95 - 1e-12..=1.0).contains(&shift.coverage));
    }

    #[test]
    fn means_give_numbers(
        pairs in prop::collection::vec(((-3..3_i32).prop_map(f64::from), -1e9..1e9_f64), 2..30),
    ) {
        let (first, second): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        for (first, second) in [(&first, &second), (&second, &first), (&first, &first)] {
            let test = welch(&moments(first), &moments(second), 0.95).unwrap();
            prop_assert!((0.0..=1.0).contains(&test.p) && test.lower <= test.difference && test.difference <= test.upper);
            prop_assert_eq!(test.t.is_none(), test.standard_error <= 0.0);
            let test = paired_t(first, second, 0.95).unwrap();
            prop_assert!((0.0..=1.0).contains(&test.p) && test.lower <= test.difference && test.difference <= test.upper);
            prop_assert!(test.correlation.is_none_or(|r| (-1.0..=1.0).contains(&r)));
            prop_assert!(test.variance_reduction.is_none_or(|reduction| reduction <= 1.0));
        }
    }

    #[test]
    fn holm_lies_between_p_and_bonferroni(p in prop::collection::vec(prop::option::of(0.0..=1.0_f64), 0..12)) {
        for ((p, holm), bonferroni) in p.iter().zip(holm(&p)).zip(bonferroni(&p)) {
            prop_assert_eq!(p.is_some(), holm.is_some());
            prop_assert!(p <= &holm && holm <= bonferroni);
        }
    }
}
