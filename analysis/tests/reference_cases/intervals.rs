//! Means, quantiles, shares and the distributions behind their intervals.

use byzlab_analysis::statistics::{
    Moments, normal_quantile, order_statistics, quantile, quantile_interval, quantile_min_n, student_t_quantile, wilson,
};
use serde_json::Value;

use crate::{assert_close, assert_near, integer, number, numbers, sorted};

cases! {
    mean_t_law => mean_t,
    mean_t_latency24 => mean_t,
    nist_numacc4 => numacc4,
    nist_numacc1 => numacc1,
    merge_moments => merged_chunks,
    quantiles_24 => quantiles,
    order_stat_indices => order_statistic_ranks,
    median_ci_24 => quantile_with_interval,
    p99_ci_small_n => quantile_with_interval,
    quantile_min_n => smallest_samples,
    proportion_cis => shares,
    t_quantiles => student_quantiles,
    normal_quantiles => gauss_quantiles,
}

fn mean_t(case: &Value) {
    let expected = &case["expected"];
    let sample: Moments = numbers(&case["input"]).into_iter().collect();
    let interval = sample.interval(number(&case["params"]["confidence"])).expect("enough values");
    assert_eq!(sample.count(), integer(&expected["n"]));
    assert_close(interval.mean, &expected["mean"]);
    assert_close(sample.standard_deviation().unwrap(), &expected["sd"]);
    assert_close(interval.standard_error, &expected["se"]);
    assert_close(interval.half_width / interval.standard_error, &expected["t_crit"]);
    assert_close(interval.half_width, &expected["half_width"]);
    assert_close(interval.lower, &expected["lower"]);
    assert_close(interval.upper, &expected["upper"]);
}

/// Its tolerance: the data themselves are rounded to 1.9·10⁻⁹ in binary.
fn numacc4(case: &Value) {
    let expected = &case["expected"];
    let alternating = (0..1000).map(|i| if i % 2 == 0 { 10_000_000.1 } else { 10_000_000.3 });
    let sample: Moments = std::iter::once(10_000_000.2).chain(alternating).collect();
    assert_eq!(sample.count(), integer(&expected["n"]));
    assert_near(sample.mean().unwrap(), number(&expected["mean"]), 1e-15);
    assert_near(sample.standard_deviation().unwrap(), number(&expected["sd"]), 1e-7);
}

fn numacc1(case: &Value) {
    let expected = &case["expected"];
    let sample: Moments = numbers(&case["input"]).into_iter().collect();
    assert_eq!(sample.count(), integer(&expected["n"]));
    assert_close(sample.mean().unwrap(), &expected["mean"]);
    assert_close(sample.standard_deviation().unwrap(), &expected["sd"]);
}

fn merged_chunks(case: &Value) {
    let expected = &case["expected"];
    let mut merged = Moments::default();
    for chunk in case["input"].as_array().unwrap() {
        merged.merge(&numbers(chunk).into_iter().collect());
    }
    merged.merge(&Moments::default());
    assert_eq!(merged.count(), integer(&expected["n"]));
    assert_close(merged.mean().unwrap(), &expected["mean"]);
    assert_close(merged.sum_of_squares(), &expected["m2"]);
    assert_close(merged.variance().unwrap(), &expected["var"]);
}

fn quantiles(case: &Value) {
    let values = sorted(&case["input"]);
    let expected = numbers(&case["expected"]["type7"]);
    for (p, expected) in numbers(&case["params"]["p"]).into_iter().zip(expected) {
        assert_near(quantile(&values, p).unwrap(), expected, 1e-10);
    }
}

fn order_statistic_ranks(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let n = integer(&expected["n"]);
        let p = number(&expected["p"]);
        let ranks = order_statistics(n, p, number(&expected["confidence"])).unwrap();
        assert_eq!(ranks.lower_rank, expected["r"].as_u64(), "{expected}");
        assert_eq!(ranks.upper_rank, expected["s"].as_u64(), "{expected}");
        assert_close(ranks.probability_below, &expected["prob_below"]);
        assert_close(ranks.probability_above, &expected["prob_above"]);
        assert_close(ranks.coverage(), &expected["coverage"]);
    }
}

fn quantile_with_interval(case: &Value) {
    let expected = &case["expected"];
    let params = &case["params"];
    let (p, confidence) = (number(&params["p"]), number(&params["confidence"]));
    let interval = quantile_interval(&sorted(&case["input"]), p, confidence).unwrap();
    assert_close(interval.estimate, &expected["estimate"]);
    assert_eq!(interval.lower, expected["lower"].as_f64());
    assert_eq!(interval.upper, expected["upper"].as_f64());
    assert_eq!(interval.ranks.lower_rank, expected["r"].as_u64());
    assert_eq!(interval.ranks.upper_rank, expected["s"].as_u64());
    assert_close(interval.ranks.probability_below, &expected["prob_below"]);
    assert_close(interval.ranks.probability_above, &expected["prob_above"]);
    assert_close(interval.ranks.coverage(), &expected["coverage"]);
    if let Some(status) = expected["status"].as_str() {
        let needed = quantile_min_n(p, confidence).unwrap();
        assert_eq!(status, format!("upper unbounded: need n>={needed}"));
    }
}

fn smallest_samples(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let (p, confidence) = (number(&expected["p"]), number(&expected["confidence"]));
        let n = quantile_min_n(p, confidence).unwrap();
        assert_eq!(n, integer(&expected["two_sided"]), "{expected}");
        // The ranks agree: both ends exist from n on, and not before.
        let both = |n| {
            let ranks = order_statistics(n, p, confidence).unwrap();
            ranks.lower_rank.is_some() && ranks.upper_rank.is_some()
        };
        assert!(both(n) && !both(n - 1), "{expected}");
    }
}

fn shares(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let (successes, n) = (integer(&expected["successes"]), integer(&expected["n"]));
        let share = wilson(successes, n, number(&expected["confidence"])).unwrap();
        assert_close(share.estimate, &expected["p_hat"]);
        assert_close(share.lower, &expected["wilson"][0]);
        assert_close(share.upper, &expected["wilson"][1]);
    }
}

fn student_quantiles(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let q = student_t_quantile(number(&expected["p"]), number(&expected["df"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}

fn gauss_quantiles(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let q = normal_quantile(number(&expected["p"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}
