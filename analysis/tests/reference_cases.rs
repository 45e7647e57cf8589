//! The statistics against published and independently computed values.

use byzlab_analysis::statistics::{
    Moments, binomial_cdf, binomial_pmf, binomial_sf, normal_quantile, order_statistics, quantile, quantile_interval,
    quantile_min_n, student_t_quantile, wilson,
};
use serde_json::Value;

/// The case of this name in `data/analysis_refs.json`.
fn case(name: &str) -> Value {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/analysis_refs.json")).expect("valid JSON");
    cases.into_iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("no case {name}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(number).collect()
}

#[track_caller]
fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "{actual} instead of {expected}: relative error {:e}",
        error / expected.abs()
    );
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value) {
    assert_near(actual, number(expected), 1e-10);
}

#[test]
fn mean_t() {
    for name in ["mean_t_law", "mean_t_latency24"] {
        let case = case(name);
        let expected = &case["expected"];
        let sample: Moments = numbers(&case["input"]).into_iter().collect();
        let interval = sample.interval(number(&case["params"]["confidence"])).expect("enough values");
        assert_close(interval.mean, &expected["mean"]);
        assert_close(sample.standard_deviation().unwrap(), &expected["sd"]);
        assert_close(interval.standard_error, &expected["se"]);
        assert_close(interval.half_width, &expected["half_width"]);
        assert_close(interval.lower, &expected["lower"]);
        assert_close(interval.upper, &expected["upper"]);
    }
}

#[test]
fn nist_moments() {
    let expected = &case("nist_numacc4")["expected"];
    let alternating = (0..1000).map(|i| if i % 2 == 0 { 10_000_000.1 } else { 10_000_000.3 });
    let sample: Moments = std::iter::once(10_000_000.2).chain(alternating).collect();
    assert_near(sample.mean().unwrap(), number(&expected["mean"]), 1e-15);
    assert_near(sample.standard_deviation().unwrap(), number(&expected["sd"]), 1e-7);

    let case = case("nist_numacc1");
    let sample: Moments = numbers(&case["input"]).into_iter().collect();
    assert_close(sample.mean().unwrap(), &case["expected"]["mean"]);
    assert_close(sample.standard_deviation().unwrap(), &case["expected"]["sd"]);
}

#[test]
fn merge_moments() {
    let case = case("merge_moments");
    let expected = &case["expected"];
    let mut merged = Moments::default();
    for chunk in case["input"].as_array().unwrap() {
        merged.merge(&numbers(chunk).into_iter().collect());
    }
    merged.merge(&Moments::default());
    assert_eq!(merged.count(), expected["n"].as_u64().unwrap());
    assert_close(merged.mean().unwrap(), &expected["mean"]);
    assert_close(merged.sum_of_squares(), &expected["m2"]);
    assert_close(merged.variance().unwrap(), &expected["var"]);
}

#[test]
fn quantiles() {
    let case = case("quantiles_24");
    let mut values = numbers(&case["input"]);
    values.sort_by(f64::total_cmp);
    let expected = numbers(&case["expected"]["type7"]);
    for (p, expected) in numbers(&case["params"]["p"]).into_iter().zip(expected) {
        assert_near(quantile(&values, p).unwrap(), expected, 1e-10);
    }
}

#[test]
fn order_statistic_ranks() {
    for expected in case("order_stat_indices")["expected"].as_array().unwrap() {
        let n = expected["n"].as_u64().unwrap();
        let p = number(&expected["p"]);
        let ranks = order_statistics(n, p, number(&expected["confidence"])).unwrap();
        assert_eq!(ranks.lower_rank, expected["r"].as_u64(), "{expected}");
        assert_eq!(ranks.upper_rank, expected["s"].as_u64(), "{expected}");
        assert_close(ranks.probability_below, &expected["prob_below"]);
        assert_close(ranks.probability_above, &expected["prob_above"]);
        assert_close(ranks.coverage(), &expected["coverage"]);
    }
}

#[test]
fn quantile_intervals() {
    for name in ["median_ci_24", "p99_ci_small_n"] {
        let case = case(name);
        let expected = &case["expected"];
        let mut values = numbers(&case["input"]);
        values.sort_by(f64::total_cmp);
        let params = &case["params"];
        let interval = quantile_interval(&values, number(&params["p"]), number(&params["confidence"])).unwrap();
        assert_close(interval.estimate, &expected["estimate"]);
        assert_eq!(interval.lower, expected["lower"].as_f64());
        assert_eq!(interval.upper, expected["upper"].as_f64());
        assert_eq!(interval.ranks.lower_rank, expected["r"].as_u64());
        assert_eq!(interval.ranks.upper_rank, expected["s"].as_u64());
        assert_close(interval.ranks.coverage(), &expected["coverage"]);
    }
}

#[test]
fn smallest_samples() {
    for expected in case("quantile_min_n")["expected"].as_array().unwrap() {
        let (p, confidence) = (number(&expected["p"]), number(&expected["confidence"]));
        let n = quantile_min_n(p, confidence).unwrap();
        assert_eq!(Some(n), expected["two_sided"].as_u64(), "{expected}");
        // The ranks agree: both ends exist from n on, and not before.
        let both = |n| {
            let ranks = order_statistics(n, p, confidence).unwrap();
            ranks.lower_rank.is_some() && ranks.upper_rank.is_some()
        };
        assert!(both(n) && !both(n - 1), "{expected}");
    }
}

#[test]
fn smallest_sample_at_the_boundary() {
    // 0.5³ is exactly half of 1 − 0.75.
    assert_eq!(quantile_min_n(0.5, 0.75), Some(3));
    let ranks = order_statistics(3, 0.5, 0.75).unwrap();
    assert_eq!((ranks.lower_rank, ranks.upper_rank), (Some(1), Some(3)));
}

#[test]
fn wilson_intervals() {
    for expected in case("proportion_cis")["expected"].as_array().unwrap() {
        let share = wilson(
            expected["successes"].as_u64().unwrap(),
            expected["n"].as_u64().unwrap(),
            number(&expected["confidence"]),
        )
        .unwrap();
        assert_close(share.estimate, &expected["p_hat"]);
        assert_close(share.lower, &expected["wilson"][0]);
        assert_close(share.upper, &expected["wilson"][1]);
    }
}

#[test]
fn t_quantiles() {
    for expected in case("t_quantiles")["expected"].as_array().unwrap() {
        let q = student_t_quantile(number(&expected["p"]), number(&expected["df"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}

#[test]
fn t_quantile_has_no_step() {
    // Both methods meet: neighbours on both sides of the switch lie on one smooth curve.
    for p in [0.9, 0.975, 0.995, 0.9995, 0.01] {
        let at = |inverse_df: f64| student_t_quantile(p, 1.0 / inverse_df).unwrap();
        let (x, h) = (1e-3, 1e-7);
        let bend = at(x - h) - 2.0 * at(x) + at(x + h);
        assert!(bend.abs() < 1e-10 * at(x).abs(), "p {p}: {bend:e}");
    }
    // And it tends to the normal quantile.
    let z = normal_quantile(0.975).unwrap();
    assert_near(student_t_quantile(0.975, 1e9).unwrap(), z, 1e-8);
    assert_near(student_t_quantile(0.975, 1e300).unwrap(), z, 1e-15);
}

#[test]
fn normal_quantiles() {
    for expected in case("normal_quantiles")["expected"].as_array().unwrap() {
        let q = normal_quantile(number(&expected["p"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}

#[test]
fn binomial_of_huge_samples() {
    // Symmetry fixes the exact values: P(X ≤ n/2 − 1) = (1 − P(X = n/2)) / 2, and the central
    // term follows from Wallis' series, C(2m, m)/4^m = 1/√(πm) · (1 − 1/8m + 1/128m² + …).
    for n in [10_000_u64, 1_000_000, 100_000_000, 1_000_000_000] {
        let m = (n / 2) as f64;
        let central = (1.0 - 1.0 / (8.0 * m) + 1.0 / (128.0 * m * m)) / (std::f64::consts::PI * m).sqrt();
        assert_near(binomial_pmf(n / 2, n, 0.5), central, 1e-12);
        let below = (1.0 - central) / 2.0;
        assert_near(binomial_cdf(n / 2 - 1, n, 0.5), below, 1e-10);
        assert_near(binomial_sf(n / 2, n, 0.5), below, 1e-10);
    }
    // Far below and far above: Poisson limits and the single last term.
    assert_near(binomial_cdf(0, 1_000_000_000, 1e-9), (-1.0_f64).exp(), 1e-8);
    assert_near(binomial_sf(999_999_999, 1_000_000_000, 1.0 - 1e-9), (-1.0_f64).exp(), 1e-6);
    // The median's ranks lie z√n/2 around the middle.
    let ranks = order_statistics(1_000_000_000, 0.5, 0.95).unwrap();
    let half_width = 500_000_000.0 - ranks.lower_rank.unwrap() as f64;
    assert_near(half_width, 1.959_964 * 1e9_f64.sqrt() / 2.0, 1e-4);
    assert!(ranks.coverage() >= 0.95 && ranks.coverage() < 0.9501);
}

#[test]
fn undefined_is_none() {
    let one: Moments = [1.0].into_iter().collect();
    assert_eq!((Moments::default().mean(), one.variance(), one.interval(0.95)), (None, None, None));
    let two: Moments = [1.0, 1.0].into_iter().collect();
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(two.interval(confidence), None);
        assert_eq!(wilson(1, 2, confidence), None);
        assert_eq!(order_statistics(10, 0.5, confidence), None);
        assert_eq!(quantile_min_n(0.5, confidence), None);
    }
    assert!(two.interval(0.95).unwrap().half_width.abs() < f64::MIN_POSITIVE);
    assert_eq!((wilson(0, 0, 0.95), wilson(3, 2, 0.95)), (None, None));
    assert_eq!((quantile(&[], 0.5), quantile(&[1.0], f64::NAN)), (None, None));
    assert_eq!(student_t_quantile(0.975, f64::NAN), None);
    assert_eq!(student_t_quantile(1.0, 5.0), None);
    let nothing = order_statistics(0, 0.5, 0.95).unwrap();
    assert_eq!((nothing.lower_rank, nothing.upper_rank), (None, None));
}
