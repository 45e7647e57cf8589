//! Intervals by what defines them: tails, coverage equations and values of other programs.

use byzlab_analysis::statistics::{
    BcaConvention, Moments, agresti_coull, bca, bca_deviation, bca_mean, binomial_cdf, binomial_sf, chi_squared_sf,
    clopper_pearson, deviation_interval, fisher_exact, order_statistics, quantile, ratio_of_geometric_means,
    ratio_of_means, ratio_of_paired_means, student_t_quantile, student_t_two_sided, upper_bound_of_no_failures, wilson,
};

#[track_caller]
fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "{actual} instead of {expected}: relative error {:e}",
        error / expected.abs()
    );
}

#[test]
fn clopper_pearson_ends_have_their_tails() {
    for n in [10_u64, 1_000, 1_000_000, 1_000_000_000] {
        for k in [1, 2, n / 1_000, n / 10, n / 3, n / 2, n - n / 4, n - 2, n - 1] {
            let k = k.clamp(1, n - 1);
            for confidence in [0.5, 0.95, 0.999] {
                let share = clopper_pearson(k, n, confidence).unwrap();
                let tail = (1.0 - confidence) / 2.0;
                // Near 1 the ends are as coarse as an f64 is there: the next number moves the tail.
                let coarse = |end: f64| 1e-9_f64.max(30.0 * f64::EPSILON / (1.0 - end));
                assert_near(binomial_sf(k - 1, n, share.lower).unwrap(), tail, coarse(share.lower));
                assert_near(binomial_cdf(k, n, share.upper).unwrap(), tail, coarse(share.upper));
            }
        }
        let none = clopper_pearson(0, n, 0.95).unwrap();
        assert!(none.lower.abs() < f64::MIN_POSITIVE);
        // Two-sided 95 % above is one-sided 97.5 %.
        assert_near(none.upper, upper_bound_of_no_failures(n, 0.975).unwrap(), 1e-12);
        assert_near(clopper_pearson(n, n, 0.95).unwrap().upper, 1.0, 0.0);
    }
}

#[test]
fn intervals_of_shares_nest() {
    for (k, n) in [(0_u64, 5_u64), (3, 7), (50, 50), (12_345, 100_000), (999_999_999, 1_000_000_000)] {
        let (inner, outer) = (wilson(k, n, 0.95).unwrap(), agresti_coull(k, n, 0.95).unwrap());
        assert!(outer.lower <= inner.lower + 1e-15 && inner.upper <= outer.upper + 1e-15);
        let wider = clopper_pearson(k, n, 0.99).unwrap();
        let narrower = clopper_pearson(k, n, 0.95).unwrap();
        assert!(wider.lower <= narrower.lower && narrower.upper <= wider.upper);
    }
}

/// `scipy.stats.fisher_exact` 1.x; the first value and the last are known in closed form.
#[test]
fn fisher_exact_against_other_programs() {
    assert_near(fisher_exact(3, 4, 1, 4).unwrap(), 34.0 / 70.0, 1e-12);
    for (table, expected) in [
        ((0, 10, 5, 10), 0.032_507_739_938_080_496),
        ((2, 7, 8, 9), 0.034_965_034_965_034_97),
        ((100, 1_000, 140, 1_100), 0.054_446_463_723_794_99),
        ((3, 300_000, 17, 250_000), 0.000_417_500_252_471_010_14),
        ((50_000, 100_000, 50_500, 100_000), 0.025_639_596_625_392_31),
        ((1, 5, 0, 5), 1.0),
        ((0, 50, 0, 60), 1.0),
    ] {
        let (k1, n1, k2, n2) = table;
        assert_near(fisher_exact(k1, n1, k2, n2).unwrap(), expected, 1e-9);
        // Neither the order of the sides nor what counts as success matters.
        assert_near(fisher_exact(k2, n2, k1, n1).unwrap(), expected, 1e-9);
        assert_near(fisher_exact(n1 - k1, n1, n2 - k2, n2).unwrap(), expected, 1e-9);
    }
    // All of 500 against none of 500: two tables of C(1000, 500) each.
    let log_tables: f64 = (1..=500).map(|i| (f64::from(500 + i) / f64::from(i)).ln()).sum();
    assert_near(fisher_exact(500, 500, 0, 500).unwrap(), 2.0 * (-log_tables).exp(), 1e-10);
}

#[test]
fn fisher_exact_of_huge_tables_is_the_normal_test() {
    // √n (p₁ − p₂) / √(2pq) with the continuity correction: for 5·10⁸ on each side a matter of digits.
    let (k1, k2, n) = (250_000_000_u64, 250_020_000_u64, 500_000_000_u64);
    let share = (k1 + k2) as f64 / (2 * n) as f64;
    let z = ((k2 - k1) as f64 - 1.0) / (2.0 * n as f64 * share * (1.0 - share)).sqrt();
    assert_near(fisher_exact(k1, n, k2, n).unwrap(), chi_squared_sf(z * z, 1.0).unwrap(), 1e-7);
}

#[test]
fn fieller_ends_are_just_not_rejected() {
    // At an end θ the t test of m₁ − θ m₂ = 0 has the p-value α.
    let first: Moments = [20.4, 24.2, 15.4, 21.4, 20.2, 18.5, 21.5, 27.9].into_iter().collect();
    let second: Moments = [10.2, 8.9, 9.5, 8.3, 10.5, 14.1].into_iter().collect();
    for confidence in [0.5, 0.95, 0.999] {
        let ratio = ratio_of_means(&first, &second, confidence).unwrap();
        for end in [ratio.lower, ratio.upper] {
            let difference = first.mean().unwrap() - end * second.mean().unwrap();
            let variance = first.variance().unwrap() / 8.0 + end * end * second.variance().unwrap() / 6.0;
            let p = student_t_two_sided(difference / variance.sqrt(), ratio.degrees_of_freedom).unwrap();
            assert_near(p, 1.0 - confidence, 1e-9);
        }
        assert!(ratio.lower < ratio.ratio && ratio.ratio < ratio.upper);
    }
    // Paired, the same with the differences xᵢ − θ yᵢ.
    let pairs = [(20.4, 10.2), (24.2, 11.9), (15.4, 8.5), (21.4, 10.3), (20.2, 10.5)];
    let ratio = ratio_of_paired_means(&pairs, 0.95).unwrap();
    for end in [ratio.lower, ratio.upper] {
        let differences: Moments = pairs.iter().map(|(x, y)| x - end * y).collect();
        let t = differences.mean().unwrap() / (differences.variance().unwrap() / 5.0).sqrt();
        assert_near(student_t_two_sided(t, 4.0).unwrap(), 0.05, 1e-9);
    }
    assert_near(ratio.degrees_of_freedom, 4.0, 0.0);
    // A negative denominator only turns the sign.
    let mirrored = ratio_of_paired_means(&pairs.map(|(x, y)| (x, -y)), 0.95).unwrap();
    assert_near(mirrored.lower, -ratio.upper, 1e-12);
}

#[test]
fn ratio_without_bound_is_none() {
    // The interval of the denominator covers 0 at 95 %, not at 50 %.
    let numerator: Moments = [1.0, 2.0, 3.0].into_iter().collect();
    let denominator: Moments = [-0.5, 0.5, 1.5].into_iter().collect();
    assert_eq!(ratio_of_means(&numerator, &denominator, 0.95), None);
    assert!(ratio_of_means(&numerator, &denominator, 0.5).is_some());
    assert_eq!(ratio_of_geometric_means(&[1.0, -2.0], &[1.0, 2.0], 0.95), None);
}

#[test]
fn deviation_ends_have_their_tails() {
    for n in [2_u64, 10, 1_000] {
        let sample: Moments = (0..n).map(|i| (i * i % 17) as f64).collect();
        let interval = deviation_interval(&sample, 0.9).unwrap();
        let df = (n - 1) as f64;
        let at = |end: f64| chi_squared_sf(sample.sum_of_squares().unwrap() / (end * end), df).unwrap();
        assert_near(at(interval.lower), 0.05, 1e-10);
        assert_near(at(interval.upper), 0.95, 1e-10);
    }
}

#[test]
fn t_interval_of_a_billion_values() {
    // n = 2³⁰ values by doubling a sample thirty times.
    let mut sample: Moments = [1.0, 3.0].into_iter().collect();
    for _ in 1..30 {
        let copy = sample;
        sample.merge(&copy);
    }
    let n = sample.count() as f64;
    let interval = sample.interval(0.95).unwrap();
    assert_eq!((sample.count(), interval.mean, sample.skewness()), (1 << 30, 2.0, Some(0.0)));
    assert_near(sample.excess_kurtosis().unwrap(), -2.0, 1e-12);
    assert_near(interval.half_width, student_t_quantile(0.975, n - 1.0).unwrap() / (n - 1.0).sqrt(), 1e-12);
}

#[test]
fn moments_do_not_depend_on_the_split() {
    let values: Vec<f64> = (0..500).map(|i| f64::from(i * 7_919 % 1_009).powi(2) / 100.0).collect();
    let whole: Moments = values.iter().copied().collect();
    // By the definitions, in two passes.
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    assert_near(whole.skewness().unwrap(), central(3) / central(2).powf(1.5), 1e-12);
    assert_near(whole.excess_kurtosis().unwrap(), central(4) / central(2).powi(2) - 3.0, 1e-11);
    for chunk in [1, 3, 250, 499] {
        let mut merged = Moments::default();
        for part in values.chunks(chunk) {
            merged.merge(&part.iter().copied().collect());
        }
        assert_near(merged.mean().unwrap(), whole.mean().unwrap(), 1e-14);
        assert_near(merged.variance().unwrap(), whole.variance().unwrap(), 1e-13);
        assert_near(merged.skewness().unwrap(), whole.skewness().unwrap(), 1e-11);
        assert_near(merged.excess_kurtosis().unwrap(), whole.excess_kurtosis().unwrap(), 1e-11);
        assert_eq!((merged.count(), merged.min(), merged.max()), (whole.count(), whole.min(), whole.max()));
    }
}

/// An implementation of its own in Python (`SplitMix64`, xoshiro256++, Lemire, scipy.stats.norm) gives the same
/// ends. Changing them is breaking: reports would differ from those of the version before.
#[test]
fn bootstrap_is_the_same_everywhere() {
    let values = [12.1, 10.4, 15.8, 11.0, 30.2, 14.4, 9.7, 12.9];
    let interval = bca_mean(&values, 0.95, 1_000, 42, BcaConvention::Mid).unwrap();
    assert_near(interval.lower, 11.809_786_296_655_197, 1e-12);
    assert_near(interval.upper, 21.5, 1e-12);
    let other = bca_mean(&values, 0.95, 1_000, 43, BcaConvention::Mid).unwrap();
    assert!((other.lower - interval.lower).abs() > 1e-3);
    assert_eq!(bca_mean(&values, 0.95, 1_000, 42, BcaConvention::Mid), Some(interval));
}

#[test]
fn bootstrap_of_the_mean_is_the_general_one() {
    let values: Vec<f64> = (1..=30).map(|i| f64::from(i).powi(2) / 7.0).collect();
    let mean = |resample: &mut [f64]| Some(resample.iter().sum::<f64>() / resample.len() as f64);
    for convention in [BcaConvention::Mid, BcaConvention::Strict] {
        let fast = bca_mean(&values, 0.9, 2_000, 7, convention).unwrap();
        let general = bca(&values, mean, 0.9, 2_000, 7, convention).unwrap();
        assert_near(fast.lower, general.lower, 1e-12);
        assert_near(fast.upper, general.upper, 1e-12);
        assert_near(fast.acceleration, general.acceleration, 1e-9);
        assert_near(fast.standard_error, general.standard_error, 1e-12);
        // The standard error of a mean has a closed form.
        let exact: Moments = values.iter().copied().collect();
        let exact = (exact.sum_of_squares().unwrap() / 900.0).sqrt();
        assert_near(fast.standard_error, exact, 0.05);
    }
}

#[test]
fn bootstrap_keeps_digits_of_large_values() {
    // A shift by 10⁹ moves the interval by it, and ties stay ties.
    let values = [1.0, 2.0, 2.0, 4.0, 8.0];
    let shifted = values.map(|value| value + 1e9);
    for convention in [BcaConvention::Mid, BcaConvention::Strict] {
        let near = bca_mean(&values, 0.9, 3_000, 1, convention).unwrap();
        let far = bca_mean(&shifted, 0.9, 3_000, 1, convention).unwrap();
        assert_near(near.bias_correction, far.bias_correction, 0.0);
        assert!((far.lower - 1e9 - near.lower).abs() < 1e-6 && (far.upper - 1e9 - near.upper).abs() < 1e-6);
    }
}

#[test]
fn bootstrap_of_a_deviation_and_a_median() {
    let values: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 61)).collect();
    let deviation = bca_deviation(&values, 0.95, 2_000, 1, BcaConvention::Mid).unwrap();
    let sample: Moments = values.iter().copied().collect();
    assert_near(deviation.estimate, sample.standard_deviation().unwrap(), 1e-14);
    assert!(deviation.lower < deviation.estimate && deviation.estimate < deviation.upper);
    // The closed form of the jackknife is the jackknife.
    let by_definition = |resample: &mut [f64]| resample.iter().copied().collect::<Moments>().standard_deviation();
    for values in [values.clone(), (0..50).map(|i| 1e7 + f64::from(i * i)).collect(), vec![0.0, 0.0, 0.0, 0.0, 1e9]] {
        let fast = bca_deviation(&values, 0.9, 500, 7, BcaConvention::Mid);
        let general = bca(&values, by_definition, 0.9, 500, 7, BcaConvention::Mid);
        assert_eq!(fast.is_some(), general.is_some());
        if let Some((fast, general)) = fast.zip(general) {
            assert_near(fast.acceleration, general.acceleration, 1e-6);
            assert_near(fast.lower, general.lower, 1e-6);
            assert_near(fast.upper, general.upper, 1e-6);
        }
    }
    assert_eq!(bca_deviation(&[1.0, 2.0], 0.9, 100, 7, BcaConvention::Mid), None);
    // These values are flat (κ < 0): narrower than if they were normal.
    let normal = deviation_interval(&sample, 0.95).unwrap();
    assert!(deviation.upper - deviation.lower < normal.upper - normal.lower);
    let median = |resample: &mut [f64]| {
        resample.sort_by(f64::total_cmp);
        quantile(resample, 0.5)
    };
    let median = bca(&values, median, 0.95, 2_000, 1, BcaConvention::Mid).unwrap();
    let ranks = order_statistics(60, 0.5, 0.95).unwrap();
    let mut sorted = values;
    sorted.sort_by(f64::total_cmp);
    let end = |rank: Option<u64>| sorted[rank.unwrap() as usize - 1];
    assert!((median.lower - end(ranks.lower_rank)).abs() < 6.0 && (median.upper - end(ranks.upper_rank)).abs() < 6.0);
}
