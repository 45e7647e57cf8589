//! What is undefined is `None`, whatever comes in: nothing, one value, two, all equal, infinities, NaN.

use byzlab_analysis::statistics::{
    BcaConvention, BcaInterval, Moments, OrderStatistics, Proportion, RatioInterval, acceleration, agresti_coull, bca,
    bca_deviation, bca_from_replicates, bca_mean, beta_cdf, beta_quantile, binomial_cdf, binomial_pmf, binomial_sf,
    chi_squared_quantile, chi_squared_sf, clopper_pearson, deviation_interval, fisher_exact, jeffreys, newcombe,
    normal_cdf, normal_quantile, normal_sf, order_statistics, quantile, quantile_interval, quantile_min_n,
    quantile_min_n_one_sided, quantile_type1, ratio_of_geometric_means, ratio_of_means, ratio_of_paired_means,
    rule_of_three, student_t_cdf, student_t_quantile, student_t_two_sided, upper_bound_of_no_failures, wilson,
};
use proptest::num::f64::ANY;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::sample::select;

type Method = fn(u64, u64, f64) -> Option<Proportion>;

const METHODS: [Method; 4] = [wilson, clopper_pearson, jeffreys, agresti_coull];

fn sample(values: &[f64]) -> Moments {
    values.iter().copied().collect()
}

#[test]
fn of_nothing_there_is_nothing() {
    let nothing = Moments::default();
    let figures = [
        nothing.mean(),
        nothing.min(),
        nothing.max(),
        nothing.variance(),
        nothing.sum_of_squares(),
        nothing.skewness(),
        nothing.excess_kurtosis(),
        quantile(&[], 0.5),
        quantile_type1(&[], 0.5),
        acceleration(&[]),
        fisher_exact(0, 0, 1, 2),
        rule_of_three(0),
        upper_bound_of_no_failures(0, 0.95),
    ];
    assert_eq!(figures, [None; 13]);
    assert_eq!((nothing.interval(0.95), deviation_interval(&nothing, 0.95)), (None, None));
    assert_eq!(bca_mean(&[], 0.95, 100, 1, BcaConvention::Mid), None);
    assert_eq!((ratio_of_means(&nothing, &nothing, 0.95), ratio_of_geometric_means(&[], &[], 0.95)), (None, None));
    assert_eq!((quantile_interval(&[], 0.5, 0.95), newcombe(0, 0, 1, 2, 0.95)), (None, None));
    let ranks = order_statistics(0, 0.5, 0.95).unwrap();
    assert_eq!((ranks.lower_rank, ranks.upper_rank), (None, None));
    for method in METHODS {
        assert_eq!((method(0, 0, 0.95), method(3, 2, 0.95)), (None, None));
    }
}

#[test]
fn one_value_has_a_mean_but_no_interval() {
    let one = sample(&[1.5]);
    assert_eq!((one.mean(), one.min(), one.max(), one.sum_of_squares()), (Some(1.5), Some(1.5), Some(1.5), Some(0.0)));
    assert_eq!((one.variance(), one.skewness(), one.excess_kurtosis()), (None, None, None));
    assert_eq!((one.interval(0.95), deviation_interval(&one, 0.95)), (None, None));
    assert_eq!((quantile(&[1.5], 0.99), quantile_type1(&[1.5], 0.0)), (Some(1.5), Some(1.5)));
    let interval = quantile_interval(&[1.5], 0.5, 0.95).unwrap();
    assert_eq!((interval.estimate, interval.lower, interval.upper), (1.5, None, None));
    assert_eq!(bca_mean(&[1.5], 0.95, 100, 1, BcaConvention::Mid), None);
    assert_eq!(bca_from_replicates(1.0, vec![1.0], 0.0, 0.95, BcaConvention::Mid), None);
    assert_eq!(ratio_of_means(&one, &sample(&[1.0, 2.0]), 0.95), None);
    assert_eq!(ratio_of_paired_means(&[(1.0, 2.0)], 0.95), None);
}

#[test]
fn two_values_are_enough() {
    let two = sample(&[1.0, 3.0]);
    assert_eq!((two.mean(), two.variance(), two.skewness()), (Some(2.0), Some(2.0), Some(0.0)));
    assert_eq!(two.excess_kurtosis(), Some(-2.0));
    // t(0.975; 1) = 12.706…, s/√n = 1.
    assert!((two.interval(0.95).unwrap().half_width - 12.706_204_736).abs() < 1e-8);
    let deviation = deviation_interval(&two, 0.95).unwrap();
    assert!(deviation.lower > 0.6 && deviation.upper < 46.0);
    assert!(bca_mean(&[1.0, 3.0], 0.95, 1_000, 1, BcaConvention::Mid).is_some());
}

#[test]
fn equal_values_have_an_interval_without_width() {
    let equal = sample(&[0.1; 7]);
    let interval = equal.interval(0.95).unwrap();
    assert_eq!((interval.lower, interval.upper), (0.1, 0.1));
    assert_eq!((equal.variance(), equal.skewness(), equal.excess_kurtosis()), (Some(0.0), None, None));
    let deviation = deviation_interval(&equal, 0.95).unwrap();
    assert_eq!((deviation.lower, deviation.upper), (0.0, 0.0));
    for convention in [BcaConvention::Mid, BcaConvention::Strict] {
        let interval = bca_mean(&[0.1; 7], 0.95, 500, 1, convention).unwrap();
        assert_eq!((interval.lower, interval.upper, interval.standard_error), (0.1, 0.1, 0.0));
        assert_eq!((interval.bias_correction, interval.acceleration), (0.0, 0.0));
    }
    let ratio = ratio_of_means(&sample(&[3.0; 4]), &sample(&[2.0; 5]), 0.95).unwrap();
    assert_eq!((ratio.lower, ratio.upper, ratio.degrees_of_freedom), (1.5, 1.5, 7.0));
    assert_eq!(quantile(&[f64::INFINITY; 3], 0.3), Some(f64::INFINITY));
}

#[test]
fn values_that_are_not_finite_leave_no_figure() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for values in [[odd, 1.0, 2.0], [1.0, odd, 2.0], [1.0, 2.0, odd], [odd; 3]] {
            let whole = sample(&values);
            let mut merged = sample(&values[..1]);
            merged.merge(&sample(&values[1..]));
            for moments in [whole, merged] {
                assert_eq!((moments.count(), moments.mean(), moments.min(), moments.max()), (3, None, None, None));
                assert_eq!((moments.variance(), moments.skewness(), moments.interval(0.95)), (None, None, None));
                assert_eq!(deviation_interval(&moments, 0.95), None);
            }
            assert_eq!(bca_mean(&values, 0.95, 100, 1, BcaConvention::Mid), None);
            assert_eq!(bca_deviation(&values, 0.95, 100, 1, BcaConvention::Mid), None);
            assert_eq!(acceleration(&values), None);
            assert_eq!(bca_from_replicates(1.0, values.to_vec(), 0.0, 0.95, BcaConvention::Mid), None);
            assert_eq!(ratio_of_geometric_means(&values, &[1.0, 2.0], 0.95), None);
        }
    }
    // So do sums beyond the range of an f64, each figure for itself.
    let wide = sample(&[1e200, -1e200]);
    assert_eq!((wide.mean(), wide.variance(), wide.interval(0.95)), (Some(0.0), None, None));
    let widest = sample(&[f64::MAX, -f64::MAX]);
    assert_eq!((widest.count(), widest.mean(), widest.variance()), (2, None, None));
}

#[test]
fn quantiles_of_infinities() {
    let failures = [1.0, 2.0, f64::INFINITY, f64::INFINITY];
    assert_eq!(quantile(&failures, 1.0 / 3.0), Some(2.0));
    assert_eq!((quantile(&failures, 0.5), quantile(&failures, 0.9)), (Some(f64::INFINITY), Some(f64::INFINITY)));
    assert_eq!((quantile_type1(&failures, 0.5), quantile_type1(&failures, 0.51)), (Some(2.0), Some(f64::INFINITY)));
    assert_eq!(quantile(&[f64::NEG_INFINITY, f64::INFINITY], 0.5), None);
    assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5), Some(0.0));
    assert_eq!((quantile(&[f64::NAN], 0.5), quantile_type1(&[f64::NAN], 0.5)), (None, None));
    // 0.29 · 100 is 28.999999999999996 in binary, 0.07 · 100 is 7.000000000000001.
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!((quantile_type1(&hundred, 0.29), quantile_type1(&hundred, 0.07)), (Some(29.0), Some(7.0)));
}

#[test]
fn levels_outside_the_unit_interval() {
    let two = sample(&[1.0, 2.0]);
    for level in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
        assert_eq!((two.interval(level), deviation_interval(&two, level)), (None, None));
        assert_eq!((order_statistics(10, 0.5, level), order_statistics(10, level, 0.5)), (None, None));
        assert_eq!((quantile_min_n(0.5, level), quantile_min_n(level, 0.5)), (None, None));
        assert_eq!((quantile_min_n_one_sided(0.5, level), quantile_min_n_one_sided(level, 0.5)), (None, None));
        assert_eq!((student_t_quantile(level, 5.0), beta_quantile(level, 1.0, 2.0)), (None, None));
        assert_eq!((normal_quantile(level), chi_squared_quantile(level, 2.0)), (None, None));
        assert_eq!(bca_mean(&[1.0, 2.0], level, 100, 1, BcaConvention::Mid), None);
        assert_eq!((ratio_of_means(&two, &two, level), newcombe(1, 2, 1, 2, level)), (None, None));
        assert_eq!(upper_bound_of_no_failures(10, level), None);
        for method in METHODS {
            assert_eq!(method(1, 2, level), None);
        }
    }
    // More values than can be counted.
    assert_eq!((quantile_min_n(1e-300, 0.95), quantile_min_n_one_sided(1.0 - 1e-16, 0.95)), (None, None));
    assert_eq!((order_statistics(u64::MAX, 0.5, 0.95), fisher_exact(1, u64::MAX, 1, 2)), (None, None));
    assert!(clopper_pearson(1, u64::MAX, 0.95).is_none() && wilson(1, u64::MAX, 0.95).is_some());
}

#[test]
fn one_sided_replicates_have_no_bias_correction() {
    let above = vec![2.0, 3.0, 4.0];
    for convention in [BcaConvention::Mid, BcaConvention::Strict] {
        assert_eq!(bca_from_replicates(1.0, above.clone(), 0.0, 0.95, convention), None);
        assert_eq!(bca_from_replicates(5.0, above.clone(), 0.0, 0.95, convention), None);
    }
    // None lies below, but one is tied: half of it counts under one convention alone.
    assert!(bca_from_replicates(2.0, above.clone(), 0.0, 0.95, BcaConvention::Mid).is_some());
    assert_eq!(bca_from_replicates(2.0, above.clone(), 0.0, 0.95, BcaConvention::Strict), None);
    // An acceleration that turns the correction around.
    assert_eq!(bca_from_replicates(3.0, above, 0.9, 0.95, BcaConvention::Mid), None);
    // A statistic that is undefined of a resample.
    let needs_two = |values: &mut [f64]| (values.iter().any(|&value| value > 1.0)).then(|| values[0]);
    assert_eq!(bca(&[1.0, 1.0, 2.0], needs_two, 0.95, 200, 1, BcaConvention::Mid), None);
}

/// Any number, and often one that formulas break at.
fn odd() -> impl Strategy<Value = f64> {
    let breaking = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        1e-300,
        1e9,
        1e16,
        1e300,
        f64::EPSILON,
        1.0 - f64::EPSILON,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    prop_oneof![ANY, select(breaking.to_vec()), 0.0..1.0, -10.0..10.0]
}

/// Any level, most of them between 0 and 1.
fn level() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..1.0, 2 => Just(0.95), 1 => odd()]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        proptest::collection::vec(odd(), 0..12),
        proptest::collection::vec(-10.0..10.0, 0..12),
        (odd(), 0_usize..12).prop_map(|(value, n)| vec![value; n]),
        proptest::collection::vec(select(vec![1.0, 2.0, 2.0, 3.0]), 0..12),
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..30, 0_u64..=1_000_000_000, any::<u64>(), select(vec![u64::MAX, 1 << 53, (1 << 53) + 1])]
}

fn is_number(value: f64) -> bool {
    !value.is_nan()
}

fn all_numbers(value: &BcaInterval) -> bool {
    [value.estimate, value.standard_error, value.lower, value.upper, value.percentile.0, value.percentile.1]
        .into_iter()
        .chain([value.bias_correction, value.acceleration, value.levels.0, value.levels.1])
        .all(f64::is_finite)
}

fn is_share(share: Proportion) -> bool {
    let Proportion { estimate, lower, upper } = share;
    (0.0..=1.0).contains(&lower) && (0.0..=1.0).contains(&upper) && lower <= estimate && estimate <= upper
}

fn is_ratio(interval: RatioInterval) -> bool {
    let RatioInterval { ratio, lower, upper, degrees_of_freedom } = interval;
    ratio.is_finite() && lower.is_finite() && upper.is_finite() && lower <= upper && degrees_of_freedom > 0.0
}

fn ranks_in_order(ranks: OrderStatistics, n: u64) -> bool {
    let inside = |rank: Option<u64>| rank.is_none_or(|rank| (1..=n).contains(&rank));
    inside(ranks.lower_rank) && inside(ranks.upper_rank) && (0.0..=1.0).contains(&ranks.coverage())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn distributions_give_probabilities(x in odd(), a in odd(), b in odd(), k in count(), n in count()) {
        let probabilities = [
            normal_cdf(x),
            normal_sf(x),
            student_t_cdf(x, a),
            student_t_two_sided(x, a),
            beta_cdf(x, a, b),
            chi_squared_sf(x, a),
            binomial_pmf(k, n, x),
            binomial_cdf(k, n, x),
            binomial_sf(k, n, x),
        ];
        for (i, probability) in probabilities.into_iter().enumerate() {
            prop_assert!(probability.is_none_or(|p| (0.0..=1.0 + 1e-12).contains(&p)), "{i}: {probability:?}");
        }
        let quantiles = [
            normal_quantile(x),
            student_t_quantile(x, a),
            beta_quantile(x, a, b).filter(|q| *q > 1.0),
            chi_squared_quantile(x, a).filter(|q| *q < 0.0),
        ];
        prop_assert!(quantiles[..2].iter().all(|q| q.is_none_or(f64::is_finite)), "{quantiles:?}");
        prop_assert_eq_none(&quantiles[2..])?;
    }

    #[test]
    fn samples_give_numbers(values in values(), level in level(), p in level()) {
        let moments = sample(&values);
        let figures = [
            moments.mean(),
            moments.min(),
            moments.max(),
            moments.variance(),
            moments.standard_deviation(),
            moments.sum_of_squares(),
            moments.skewness(),
            moments.excess_kurtosis(),
        ];
        prop_assert!(figures.iter().all(|figure| figure.is_none_or(f64::is_finite)), "{figures:?}");
        if let Some(interval) = moments.interval(level) {
            prop_assert!(interval.lower <= interval.mean && interval.mean <= interval.upper);
            prop_assert!(interval.lower.is_finite() && interval.upper.is_finite());
        }
        if let Some(interval) = deviation_interval(&moments, level) {
            prop_assert!(interval.lower.is_finite() && interval.upper.is_finite() && interval.lower <= interval.upper);
        }
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        prop_assert!(quantile(&sorted, p).is_none_or(is_number));
        prop_assert!(quantile_type1(&sorted, p).is_none_or(is_number));
        prop_assert!(quantile_interval(&sorted, p, level).is_none_or(|interval| is_number(interval.estimate)));
    }

    #[test]
    fn resamples_give_numbers(values in values(), level in level(), seed in any::<u64>(), strict in any::<bool>()) {
        let convention = if strict { BcaConvention::Strict } else { BcaConvention::Mid };
        for interval in [
            bca_mean(&values, level, 50, seed, convention),
            bca_deviation(&values, level, 50, seed, convention),
            bca_from_replicates(level, values.clone(), level, 0.9, convention),
        ].into_iter().flatten() {
            prop_assert!(all_numbers(&interval) && interval.lower <= interval.upper, "{interval:?}");
        }
        prop_assert!(acceleration(&values).is_none_or(f64::is_finite));
    }

    #[test]
    fn ratios_give_numbers(first in values(), second in values(), level in level()) {
        prop_assert!(ratio_of_means(&sample(&first), &sample(&second), level).is_none_or(is_ratio));
        prop_assert!(ratio_of_geometric_means(&first, &second, level).is_none_or(is_ratio));
        let pairs: Vec<(f64, f64)> = first.iter().copied().zip(second.iter().copied()).collect();
        prop_assert!(ratio_of_paired_means(&pairs, level).is_none_or(is_ratio));
    }

    #[test]
    fn shares_lie_in_their_intervals(k in count(), n in count(), level in level()) {
        for (i, method) in METHODS.into_iter().enumerate() {
            let share = method(k, n, level);
            // Jeffreys' interval lies about the posterior's median: a narrow one may miss the estimate.
            let narrow = i == 2 && level < 0.5;
            prop_assert!(narrow || share.is_none_or(is_share), "{i}: {share:?}");
        }
        prop_assert!(upper_bound_of_no_failures(n, level).is_none_or(|bound| (0.0..=1.0).contains(&bound)));
        prop_assert!(order_statistics(n, level, 0.95).is_none_or(|ranks| ranks_in_order(ranks, n)));
    }

    #[test]
    fn two_shares_give_numbers(k1 in count(), n1 in 0_u64..10_000, k2 in count(), n2 in 0_u64..1_000_000, level in level()) {
        let (k1, k2) = (k1 % (n1 + 1), k2 % (n2 + 1));
        if let Some(difference) = newcombe(k1, n1, k2, n2, level) {
            prop_assert!(-1.0 - 1e-12 <= difference.lower && difference.upper <= 1.0 + 1e-12);
            prop_assert!(difference.lower <= difference.difference && difference.difference <= difference.upper);
        }
        prop_assert!(fisher_exact(k1, n1, k2, n2).is_none_or(|p| (0.0..=1.0).contains(&p)));
    }
}

/// Fails with the first value that there is.
fn prop_assert_eq_none(values: &[Option<f64>]) -> Result<(), proptest::test_runner::TestCaseError> {
    prop_assert!(values.iter().all(Option::is_none), "{values:?}");
    Ok(())
}
