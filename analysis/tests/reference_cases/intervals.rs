//! Means, quantiles, shares and the distributions behind their intervals.

use byzlab_analysis::statistics::{
    BcaConvention, Moments, Proportion, acceleration, agresti_coull, bca_from_replicates, beta_quantile,
    clopper_pearson, fisher_exact, jeffreys, newcombe, normal_quantile, order_statistics, quantile, quantile_interval,
    quantile_min_n, quantile_min_n_one_sided, quantile_type1, ratio_of_geometric_means, rule_of_three,
    student_t_quantile, upper_bound_of_no_failures, wilson,
};
use serde_json::Value;

use crate::{assert_close, assert_interval, assert_near, integer, number, numbers, sorted};

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
    zero_failures => no_failures,
    two_proportions => two_shares,
    bca_enumerated_n5 => bca_of_all_resamples,
    bca_given_replicates_median => bca_of_given_replicates,
    geomean_ratio => geometric_means,
    t_quantiles => student_quantiles,
    beta_quantiles => beta_quantiles,
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
    assert_close(merged.sum_of_squares().unwrap(), &expected["m2"]);
    assert_close(merged.variance().unwrap(), &expected["var"]);
    assert_close(merged.skewness().unwrap(), &expected["skewness_g1"]);
    assert_close(merged.excess_kurtosis().unwrap(), &expected["excess_kurtosis_g2"]);
    assert_eq!((merged.min(), merged.max()), (expected["min"].as_f64(), expected["max"].as_f64()));
}

fn quantiles(case: &Value) {
    let values = sorted(&case["input"]);
    let (type7, type1) = (&case["expected"]["type7"], &case["expected"]["type1_inverse_ecdf"]);
    for (i, p) in numbers(&case["params"]["p"]).into_iter().enumerate() {
        assert_close(quantile(&values, p).unwrap(), &type7[i]);
        assert_eq!(quantile_type1(&values, p), type1[i].as_f64());
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
        let one_sided = quantile_min_n_one_sided(p, confidence).unwrap();
        assert_eq!(one_sided, integer(&expected["one_sided_upper"]), "{expected}");
        // The ranks agree: both ends exist from n on, and not before.
        let both = |n| {
            let ranks = order_statistics(n, p, confidence).unwrap();
            ranks.lower_rank.is_some() && ranks.upper_rank.is_some()
        };
        assert!(both(n) && !both(n - 1), "{expected}");
    }
}

fn shares(case: &Value) {
    type Method = fn(u64, u64, f64) -> Option<Proportion>;
    let methods: [(&str, Method); 4] = [
        ("wilson", wilson),
        ("clopper_pearson", clopper_pearson),
        ("jeffreys_bcd", jeffreys),
        ("agresti_coull_unclipped", agresti_coull),
    ];
    for expected in case["expected"].as_array().unwrap() {
        let (successes, n) = (integer(&expected["successes"]), integer(&expected["n"]));
        for (name, method) in methods {
            let share = method(successes, n, number(&expected["confidence"])).unwrap();
            assert_close(share.estimate, &expected["p_hat"]);
            assert_interval(share.lower, share.upper, &expected[name]);
        }
    }
}

fn no_failures(case: &Value) {
    let confidence = number(&case["params"]["confidence"]);
    for (i, expected) in case["expected"].as_array().unwrap().iter().enumerate() {
        let n = integer(&expected["n"]);
        assert_eq!(n, integer(&case["params"]["n"][i]));
        assert_close(upper_bound_of_no_failures(n, confidence).unwrap(), &expected["upper_one_sided"]);
        assert_close(rule_of_three(n).unwrap(), &expected["approx"]);
    }
}

fn two_shares(case: &Value) {
    let [k1, n1, k2, n2] = ["k1", "n1", "k2", "n2"].map(|name| integer(&case["params"][name]));
    let difference = newcombe(k1, n1, k2, n2, number(&case["params"]["confidence"])).unwrap();
    assert_close(difference.difference, &case["expected"]["diff"]);
    assert_interval(difference.lower, difference.upper, &case["expected"]["newcombe"]);
    assert_close(fisher_exact(k1, n1, k2, n2).unwrap(), &case["expected"]["fisher_exact_p"]);
}

/// The means of all nⁿ resamples, each as likely as any other.
fn bca_of_all_resamples(case: &Value) {
    let values = numbers(&case["input"]);
    let n = values.len();
    let mean = |indices: &[usize]| indices.iter().map(|&i| values[i]).sum::<f64>() / indices.len() as f64;
    let replicates: Vec<f64> = (0..n.pow(n as u32))
        .map(|code| {
            let digits: Vec<usize> = (0..n as u32).map(|place| code / n.pow(place) % n).collect();
            mean(&digits)
        })
        .collect();
    let all: Vec<usize> = (0..n).collect();
    let jackknife: Vec<f64> =
        (0..n).map(|out| mean(&all.iter().copied().filter(|&i| i != out).collect::<Vec<_>>())).collect();
    check_bca(mean(&all), &replicates, &jackknife, case);
}

fn bca_of_given_replicates(case: &Value) {
    let values = sorted(&case["input"]["data"]);
    let median = |values: &[f64]| quantile(values, 0.5).unwrap();
    let jackknife: Vec<f64> = (0..values.len())
        .map(|out| {
            let mut rest = values.clone();
            rest.remove(out);
            median(&rest)
        })
        .collect();
    check_bca(median(&values), &numbers(&case["input"]["replicates"]), &jackknife, case);
}

fn check_bca(estimate: f64, replicates: &[f64], jackknife: &[f64], case: &Value) {
    let expected = &case["expected"];
    let confidence = number(&case["params"]["confidence"]);
    assert_close(estimate, &expected["theta"]);
    let acceleration = acceleration(jackknife).unwrap();
    assert!((acceleration - number(&expected["a"])).abs() < 1e-12);
    let count = number(&expected["B"]);
    let below = number(&expected["n_less"]) / count;
    let middle = (number(&expected["n_less"]) + number(&expected["n_less_equal"])) / (2.0 * count);
    for (name, convention, share) in [("mid", BcaConvention::Mid, middle), ("strict", BcaConvention::Strict, below)] {
        let interval =
            bca_from_replicates(estimate, replicates.to_vec(), acceleration, confidence, convention).unwrap();
        let expected = &expected[name];
        assert_eq!((interval.replicates as f64, interval.convention), (count, convention));
        assert_close(interval.bias_correction, &expected["z0"]);
        assert_near(interval.bias_correction, normal_quantile(share).unwrap(), 1e-12);
        assert_close(interval.levels.0, &expected["alpha1"]);
        assert_close(interval.levels.1, &expected["alpha2"]);
        assert_close(interval.lower, &expected["lower"]);
        assert_close(interval.upper, &expected["upper"]);
        assert_interval(interval.percentile.0, interval.percentile.1, &case["expected"]["percentile"]);
        assert_close(interval.standard_error, &case["expected"]["boot_se"]);
    }
}

fn geometric_means(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = (numbers(&case["input"][0]), numbers(&case["input"][1]));
    let ratio = ratio_of_geometric_means(&first, &second, number(&case["params"]["confidence"])).unwrap();
    assert_close(ratio.ratio, &expected["ratio"]);
    assert_close(ratio.lower, &expected["lower"]);
    assert_close(ratio.upper, &expected["upper"]);
}

fn student_quantiles(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let q = student_t_quantile(number(&expected["p"]), number(&expected["df"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}

fn beta_quantiles(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let (p, a, b) = (number(&expected["p"]), number(&expected["a"]), number(&expected["b"]));
        assert_close(beta_quantile(p, a, b).unwrap(), &expected["q"]);
    }
}

fn gauss_quantiles(case: &Value) {
    for expected in case["expected"].as_array().unwrap() {
        let q = normal_quantile(number(&expected["p"])).unwrap();
        assert_close(q, &expected["q"]);
    }
}
