//! What a group's comparison says: with pairs, without, with failures, and with next to nothing.

use byzlab_analysis::compare::{CompareOptions, Quantity, Sense, SideGroup, SideUnit, Verdict, compare};
use byzlab_analysis::statistics::Attempt;

use crate::scenario::{LIMIT, all, compared, latency, near, runs, side, single};

/// Common random numbers: a reference case of the paired t test, Law 2015, section 10.2.1.
const WITHOUT: [f64; 12] =
    [74.365, 84.578, 68.069, 54.717, 72.306, 80.504, 60.851, 60.331, 85.774, 53.157, 71.072, 81.51];
const WITH: [f64; 12] = [78.72, 86.655, 67.901, 59.649, 75.161, 82.139, 63.901, 63.845, 87.134, 55.771, 72.822, 83.386];

#[test]
fn runs_with_the_same_seeds_are_paired() {
    let it = single(runs(1, &all(&WITHOUT)), runs(1, &all(&WITH)));
    near(it.difference.estimate, 2.487_499_999_999_997);
    near(it.difference.lower, 1.607_098_745_274_144);
    near(it.difference.upper, 3.367_901_254_725_853_6);
    near(it.difference.p, 6.541_566_473_930_869e-5);
    near(it.correlation, 0.993_542_143_455_739_2);
    assert_eq!((it.pairs, it.complete_pairs), (Some(12), Some(12)));
    assert_eq!(it.difference.verdict, Some(Verdict::Higher));
    assert!(it.difference.method.contains("paired t, 12 pairs"), "{}", it.difference.method);
    // Independent samples of this size would say nothing: the standard deviations are 11 and 10.
    assert!(it.narrowing.unwrap() > 8.0, "{:?}", it.narrowing);
    // Without failures the restricted mean is the mean.
    assert_eq!(it.restricted_mean_difference.estimate, it.difference.estimate);
    assert_eq!((it.success_difference.estimate, it.success_difference.p), (Some(0.0), Some(1.0)));
}

#[test]
fn runs_with_other_seeds_are_independent() {
    let of = |seed| single(runs(1, &all(&WITHOUT)), runs(seed, &all(&WITH)));
    let it = of(1_000);
    assert_eq!((it.pairs, it.complete_pairs, it.correlation, it.narrowing), (None, None, None, None));
    near(it.difference.estimate, 2.487_5);
    assert_eq!(it.difference.verdict, Some(Verdict::NotDistinguishable));
    assert!(it.difference.method.contains("Welch, 12 and 12"), "{}", it.difference.method);
    assert!(it.notes[0].contains("no run has the same index and seed"), "{:?}", it.notes);
    // The same as if it had been asked for.
    let (a, b) = (side("a", vec![runs(1, &all(&WITHOUT))]), side("b", vec![runs(1, &all(&WITH))]));
    let options = CompareOptions { unpaired: true, ..CompareOptions::default() };
    let asked = compare(&a, &b, latency(), &options).unwrap().groups.remove(0);
    assert_eq!((asked.difference, asked.notes.len()), (it.difference, 0));
}

#[test]
fn welch_and_ranks_as_in_the_reference_cases() {
    let a = [20.4, 24.2, 15.4, 21.4, 20.2, 18.5, 21.5, 27.9];
    let b = [20.2, 16.9, 18.5, 17.3, 20.5, 29.1, 22.6, 25.0, 31.7, 26.4];
    let it = single(runs(1, &all(&a)), runs(100, &all(&b)));
    near(it.difference.estimate, 1.632_500_000_000_000_3);
    near(it.difference.lower, -2.768_640_217_005_067);
    near(it.difference.upper, 6.033_640_217_005_067);
    near(it.difference.p, 0.443_026_469_637_678);

    let it = single(runs(1, &all(&WITHOUT[..8])), runs(100, &all(&WITH[..9])));
    near(it.mann_whitney.u, 72.0 - 27.0);
    near(it.mann_whitney.p, 0.423_447_141_094_199_9);
    near(it.mann_whitney.cliffs_delta, 0.25);
    near(it.shift.estimate, 3.962_500_000_000_002);
    let it = single(runs(1, &all(&WITHOUT)), runs(100, &all(&WITH)));
    near(it.kolmogorov_smirnov.d, 1.0 / 6.0);
    near(it.kolmogorov_smirnov.p, 0.998_485_294_487_448_4);
}

#[test]
fn swapped_sides_give_the_negated_difference() {
    let (a, b) = (with_failures(&WITHOUT, &[3]), with_failures(&WITH, &[3, 5, 8]));
    for seed in [1, 1_000] {
        let forth = single(runs(1, &a), runs(seed, &b));
        let back = single(runs(seed, &b), runs(1, &a));
        for (forth, back) in [
            (&forth.difference, &back.difference),
            (&forth.success_difference, &back.success_difference),
            (&forth.restricted_mean_difference, &back.restricted_mean_difference),
        ] {
            near(forth.estimate, -back.estimate.unwrap());
            near(forth.lower, -back.upper.unwrap());
            near(forth.upper, -back.lower.unwrap());
            near(forth.p, back.p.unwrap());
        }
        near(forth.shift.estimate, -back.shift.estimate.unwrap());
        near(forth.mann_whitney.p, back.mann_whitney.p.unwrap());
        near(forth.mann_whitney.u, 144.0 - back.mann_whitney.u.unwrap());
        near(forth.kolmogorov_smirnov.p, back.kolmogorov_smirnov.p.unwrap());
        near(forth.ratio.estimate, 1.0 / back.ratio.estimate.unwrap());
    }
}

#[test]
fn the_same_on_both_sides_is_not_distinguishable() {
    let it = single(runs(1, &all(&WITH)), runs(1, &all(&WITH)));
    let difference = &it.difference;
    assert_eq!((difference.estimate, difference.interval()), (Some(0.0), Some((0.0, 0.0))));
    assert_eq!((difference.p, difference.verdict), (Some(1.0), Some(Verdict::NotDistinguishable)));
    assert!(difference.note.as_ref().unwrap().contains("no width"), "{:?}", difference.note);
    assert_eq!((it.ratio.estimate, it.shift.estimate), (Some(1.0), Some(0.0)));
    assert_eq!((it.kolmogorov_smirnov.d, it.kolmogorov_smirnov.p), (Some(0.0), Some(1.0)));
    near(it.correlation, 1.0);
    let failed = single(runs(1, &[None; 12]), runs(1, &[None; 12]));
    assert_eq!((failed.difference.estimate, failed.success_difference.estimate), (None, Some(0.0)));
    assert_eq!(failed.success_difference.verdict, Some(Verdict::NotDistinguishable));
    // That all failed so far does not make them equal for certain.
    let restricted = &failed.restricted_mean_difference;
    assert_eq!((restricted.estimate, restricted.interval(), restricted.verdict), (Some(0.0), None, None));
    assert_eq!(failed.difference.note.as_deref(), Some("A: no completed run; B: no completed run"));
    assert_eq!((failed.mann_whitney.p, failed.kolmogorov_smirnov.p), (Some(1.0), Some(1.0)));
    assert_eq!(failed.shift.estimate, None);
}

/// The values with failures at these places.
fn with_failures(values: &[f64], failed: &[usize]) -> Vec<Option<f64>> {
    values.iter().enumerate().map(|(place, value)| (!failed.contains(&place)).then_some(*value)).collect()
}

#[test]
fn pairs_of_which_one_failed_are_counted_and_left_out() {
    let it = single(runs(1, &with_failures(&WITHOUT, &[0])), runs(1, &with_failures(&WITH, &[0, 1, 2, 7])));
    assert_eq!((it.pairs, it.complete_pairs), (Some(12), Some(8)));
    assert!(
        it.notes.iter().any(|note| note.contains("4 of 12 pairs are not in the difference of means")),
        "{:?}",
        it.notes
    );
    let complete = [3, 4, 5, 6, 8, 9, 10, 11].map(|place| WITH[place] - WITHOUT[place]);
    near(it.difference.estimate, complete.iter().sum::<f64>() / 8.0);
    near(it.success_difference.estimate, -3.0 / 12.0);
    assert!(it.success_difference.method.contains("3 only A, 0 only B"), "{}", it.success_difference.method);
    near(it.success_difference.p, 2.0 / 8.0);
    // Failures count as the limit: three pairs differ by that, one not at all.
    let more = [1, 2, 7].map(|place| LIMIT - WITHOUT[place]).iter().sum::<f64>();
    near(it.restricted_mean_difference.estimate, (complete.iter().sum::<f64>() + more) / 12.0);
    assert_eq!(it.limit, Some(LIMIT));
    assert!(it.restricted_mean_difference.method.contains("paired t, 12 pairs"));
}

#[test]
fn too_few_complete_pairs_are_compared_as_independent() {
    let a = with_failures(&WITHOUT, &[0, 1, 2, 3, 4, 5]);
    let b = with_failures(&WITH, &[6, 7, 8, 9, 10]);
    let it = single(runs(1, &a), runs(1, &b));
    assert_eq!((it.pairs, it.complete_pairs), (Some(12), Some(1)));
    assert!(it.difference.method.contains("Welch, 6 and 7"), "{}", it.difference.method);
    assert!(it.notes.iter().any(|note| note.contains("leaves out what failed, 6 of 12 in A and 5 of 12 in B")));
}

#[test]
fn if_all_failed_on_one_side_the_rest_still_speaks() {
    for seed in [1, 1_000] {
        let it = single(runs(1, &all(&WITHOUT)), runs(seed, &[None; 12]));
        assert_eq!((it.difference.estimate, it.difference.p, it.difference.verdict), (None, None, None));
        assert_eq!(it.difference.note.as_deref(), Some("B: no completed run"));
        assert_eq!(it.ratio.note.as_deref(), Some("B: no completed run"));
        near(it.success_difference.estimate, -1.0);
        assert_eq!(it.success_difference.verdict, Some(Verdict::Lower));
        let restricted = &it.restricted_mean_difference;
        near(restricted.estimate, LIMIT - WITHOUT.iter().sum::<f64>() / 12.0);
        // B does not vary, for nobody watched it longer: its part of the interval is not known.
        assert_eq!((restricted.interval(), restricted.p, restricted.verdict), (None, None, None));
        assert!(restricted.note.as_ref().unwrap().contains("everything of B counts as the limit"), "{restricted:?}");
        assert_eq!((it.shift.estimate, it.mann_whitney.u), (None, Some(144.0)));
        assert!(it.shift.note.as_ref().unwrap().contains("among the failures"), "{:?}", it.shift.note);
        assert!(it.mann_whitney.p.unwrap() < 1e-4 && it.kolmogorov_smirnov.d == Some(1.0));
    }
}

/// Neither side varies, and yet nothing is certain.
#[test]
fn a_limit_has_no_width() {
    let failed = [None; 3];
    for seed in [1, 1_000] {
        let it = single(runs(1, &failed), runs(seed, &all(&[100.0; 3])));
        let restricted = &it.restricted_mean_difference;
        assert_eq!((restricted.estimate, restricted.interval(), restricted.p), (Some(-900.0), None, None));
        assert!(restricted.note.as_ref().unwrap().contains("everything of A counts as the limit"), "{restricted:?}");
        // With one success there is a spread to go by.
        let it = single(runs(1, &[None, None, Some(80.0)]), runs(seed, &all(&[100.0; 3])));
        assert!(it.restricted_mean_difference.p.is_some_and(|p| p > 0.05), "{:?}", it.restricted_mean_difference);
    }
}

/// 0 of 3 and 3 of 3: Newcombe's interval excludes 0, and Fisher's test gives 2/20.
#[test]
fn the_verdict_does_not_contradict_the_test() {
    let three = all(&[20.0, 21.0, 22.0]);
    let it = single(runs(1, &[None; 3]), runs(1_000, &three));
    let success = &it.success_difference;
    near(success.p, 0.1);
    assert!(success.lower.unwrap() > 0.2);
    assert_eq!(success.verdict, Some(Verdict::NotByTest));
    let words = "not distinguishable (the interval excludes 0, the exact test does not reject)";
    assert_eq!(success.verdict.unwrap().to_string(), words);
    // One more of each and the test agrees: 2/70.
    let four = all(&[20.0, 21.0, 22.0, 23.0]);
    let it = single(runs(1, &[None; 4]), runs(1_000, &four));
    near(it.success_difference.p, 2.0 / 70.0);
    assert_eq!(it.success_difference.verdict, Some(Verdict::Higher));
}

#[test]
fn a_ratio_of_times_is_never_negative() {
    let (a, b) = ([90.0, 100.0, 110.0], [0.1, 0.1, 30.0]);
    let it = single(runs(1, &all(&a)), runs(1_000, &all(&b)));
    assert_eq!(it.ratio.lower, Some(0.0));
    let text =
        byzlab_analysis::render::comparison_table(&compared(vec![runs(1, &all(&a))], vec![runs(1_000, &all(&b))]));
    assert!(text.contains("−100, ") && text.contains("change relative to A"), "{text}");
    // Of values that may be negative so may the ratio.
    let it = single(runs(1, &all(&a)), runs(1_000, &all(&[-0.1, 0.1, 30.0])));
    assert!(it.ratio.lower.unwrap() < 0.0, "{:?}", it.ratio);
}

#[test]
fn one_run_has_no_interval() {
    let it = single(runs(1, &[Some(5.0)]), runs(1, &[Some(7.0)]));
    assert_eq!((it.difference.estimate, it.difference.interval(), it.difference.verdict), (Some(2.0), None, None));
    assert_eq!((it.pairs, it.difference.p), (None, None));
    for words in ["A has one run only", "B has one run only", "only one run has the same index and seed"] {
        assert!(it.notes.iter().any(|note| note.contains(words)), "{words}: {:?}", it.notes);
    }
    assert!(it.difference.note.as_ref().unwrap().contains("at least 2"));
    assert_eq!(it.shift.interval(), None);
}

#[test]
fn a_difference_that_does_not_vary_is_said_so() {
    let later: Vec<f64> = (0..5).map(|run| f64::from(run) + 8.0).collect();
    let it = single(runs(1, &all(&[0.0, 1.0, 2.0, 3.0, 4.0])), runs(1, &all(&later)));
    assert_eq!((it.difference.interval(), it.difference.p), (Some((8.0, 8.0)), Some(0.0)));
    assert_eq!((it.difference.verdict, it.narrowing), (Some(Verdict::Higher), None));
    assert!(it.difference.note.as_ref().unwrap().contains("no width"));
    let it = single(runs(1, &all(&[3.0, 3.0])), runs(9, &all(&[3.0, 3.0])));
    assert_eq!((it.difference.estimate, it.difference.verdict), (Some(0.0), Some(Verdict::NotDistinguishable)));
}

#[test]
fn failures_that_more_time_would_not_have_helped() {
    let never = |group: SideGroup| SideGroup {
        units: group.units.into_iter().chain([SideUnit::from(Attempt::Never)]).collect(),
        ..group
    };
    let it = single(never(runs(1, &all(&WITHOUT))), runs(1_000, &all(&WITH)));
    near(it.success_difference.estimate, 1.0 / 13.0);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    near(it.restricted_mean_difference.estimate, mean(&WITH) - (12.0 * mean(&WITHOUT) + LIMIT) / 13.0);
    // Without any limit there is no such mean.
    let unlimited = |group: SideGroup| SideGroup { limit: None, ..group };
    let it = single(unlimited(never(runs(1, &all(&WITHOUT)))), unlimited(runs(1_000, &all(&WITH))));
    assert_eq!(it.restricted_mean_difference.estimate, None);
    assert!(it.restricted_mean_difference.note.as_ref().unwrap().contains("no limit is known"));
}

#[test]
fn limits_that_differ_are_said_and_the_smaller_holds() {
    let longer = SideGroup { limit: Some(3_000.0), ..runs(1_000, &all(&[1_500.0, 10.0, 20.0])) };
    let it = single(runs(1, &[Some(10.0), Some(20.0), None]), longer);
    assert!(it.notes.iter().any(|note| note.contains("time limits differ, from 1000 ms to 3000 ms")), "{:?}", it.notes);
    assert_eq!(it.limit, Some(LIMIT));
    near(it.restricted_mean_difference.estimate, 0.0);
}

/// More of a rate is better: what failed is worst of all, not best.
#[test]
fn failures_of_a_rate_come_last() {
    let rate = Quantity { name: "throughput".into(), words: "throughput".into(), unit: None, sense: Sense::Rate };
    let group = |units: &[Option<f64>]| {
        let mut group = runs(1, units);
        for unit in group.units.iter_mut().filter(|unit| !unit.succeeded) {
            unit.attempt = None;
        }
        SideGroup { limit: None, ..group }
    };
    let (a, b) = (side("a", vec![group(&all(&WITHOUT))]), side("b", vec![group(&with_failures(&WITH, &[0, 1, 2]))]));
    let it = compare(&a, &b, rate, &CompareOptions { unpaired: true, ..CompareOptions::default() })
        .unwrap()
        .groups
        .remove(0);
    // Of 144 pairs, B has more in fewer than half.
    let more = WITH[3..].iter().flat_map(|b| WITHOUT.iter().filter(move |a| b > *a)).count();
    near(it.mann_whitney.u, more as f64);
    assert_eq!((it.b.completed, it.b.conditional.n), (9, 9));
    assert_eq!(it.restricted_mean_difference.estimate, None);
    assert!(it.restricted_mean_difference.note.as_ref().unwrap().contains("a rate has no time limit"));
}

#[test]
fn among_several_groups_a_difference_must_withstand_holm() {
    let group = |x: u32, seed, values: &[f64]| SideGroup {
        group: vec![("x".to_owned(), x.to_string())],
        ..runs(seed, &all(values))
    };
    // One group with a slight difference, p = 0.03; five others without any.
    let (slight_a, slight_b) = ([10.0, 11.0, 12.0, 13.0, 14.0, 15.0], [12.5, 14.0, 14.5, 16.0, 16.5, 17.5]);
    let alone = single(group(0, 1, &slight_a), group(0, 100, &slight_b));
    assert!((0.01..0.05).contains(&alone.difference.p.unwrap()), "{:?}", alone.difference);
    assert_eq!((alone.difference.verdict, alone.difference.p_holm), (Some(Verdict::Higher), alone.difference.p));
    let groups = |values: &[f64], seed| -> Vec<SideGroup> {
        let others = (1..6).map(|x| group(x, seed, &slight_a));
        std::iter::once(group(0, seed, values)).chain(others).collect()
    };
    let comparison = compared(groups(&slight_a, 1), groups(&slight_b, 100));
    let first = &comparison.groups[0].difference;
    near(first.p_holm, 6.0 * alone.difference.p.unwrap());
    assert_eq!(first.interval(), alone.difference.interval());
    assert_eq!(first.verdict, Some(Verdict::NotAfterHolm(6)));
    assert_eq!(comparison.groups[1].difference.verdict, Some(Verdict::NotDistinguishable));
    assert_eq!(comparison.groups[1].difference.p_holm, Some(1.0));
}

#[test]
fn numbers_that_are_none_do_no_harm() {
    let strange = [Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(1e308), Some(-1e308), Some(2.0)];
    for seed in [1, 1_000] {
        let it = compared(vec![runs(1, &strange)], vec![runs(seed, &strange)]);
        let json = byzlab_analysis::render::comparison_json(&it);
        assert!(!json.contains("NaN") && !json.contains("inf,"), "{json}");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        // Their squares are too large for an interval.
        assert!(parsed[0]["difference"]["lower"].is_null() && parsed[0]["difference"]["note"].is_string(), "{json}");
        assert!(parsed[0]["shift"]["estimate"] == 0.0, "{json}");
    }
}
