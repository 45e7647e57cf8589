//! Series, stopping, sketches and times to events.

use byzlab_analysis::statistics::{
    HalfWidth, KaplanMeier, Moments, Observation, Sketch, StoppingRule, WarmUpVerdict, autocorrelation, bartlett_z,
    batch_means, chow_robbins_stops, effective_size, ljung_box, mser5, overlapping_batch_means, von_neumann,
};
use serde_json::Value;

use crate::{assert_close, assert_near, case, integer, number, numbers};

cases! {
    mser5_decay => warm_up,
    batch_means_20 => batches,
    batch_means_sqrt => batches,
    overlapping_batch_means => overlapping_batches,
    lag1_tests => correlation_tests,
    ess_geyer => effective_sizes,
    sequential_relative => relative_rule,
    sequential_absolute_chow_robbins => absolute_rules,
    km_freireich => survival_curve,
    ddsketch_buckets => buckets,
}

fn warm_up(case: &Value) {
    let expected = &case["expected"];
    let warm_up = mser5(&numbers(&case["input"])).unwrap();
    assert_eq!(warm_up.batches as u64, integer(&expected["num_batches"]));
    assert_eq!(warm_up.truncated_batches as u64, integer(&expected["d_star"]));
    assert_eq!(warm_up.truncated_batches_within_half as u64, integer(&expected["d_star_limited_to_half"]));
    assert_eq!(warm_up.truncated as u64, integer(&expected["truncate_observations"]));
    assert_close(warm_up.statistic, &expected["g_dstar"]);
    assert_close(warm_up.statistic_untruncated, &expected["g_0"]);
    assert_close(warm_up.mean_after, &expected["mean_after"]);
    assert_close(warm_up.mean_all, &expected["mean_all"]);
    assert_eq!(Some(warm_up.verdict == WarmUpVerdict::Ok), expected["ok"].as_bool());
}

fn batches(case: &Value) {
    let (params, expected) = (&case["params"], &case["expected"]);
    let batches = integer(&params["batches"]) as usize;
    let means = batch_means(&numbers(&case["input"]), batches, number(&params["confidence"])).unwrap();
    assert_eq!(means.batch_size as u64, integer(&expected["batch_size"]));
    assert_eq!(means.batches as u64, integer(&expected["batches"]));
    assert_eq!(means.dropped_front as u64, integer(&expected["dropped_front"]));
    assert_eq!(means.batches as u64 - 1, integer(&expected["df"]));
    assert_close(means.interval.mean, &expected["mean"]);
    assert_close(means.standard_deviation, &expected["batch_means_sd"]);
    assert_close(means.interval.standard_error, &expected["se"]);
    assert_close(means.interval.half_width / means.interval.standard_error, &expected["t_crit"]);
    assert_close(means.interval.half_width, &expected["half_width"]);
    assert_close(means.interval.lower, &expected["lower"]);
    assert_close(means.interval.upper, &expected["upper"]);
    assert_close(means.lag1.unwrap(), &expected["lag1_of_batch_means"]);
    assert_close(means.long_run_variance, &expected["sigma2_hat"]);
}

fn overlapping_batches(case: &Value) {
    let (params, expected) = (&case["params"], &case["expected"]);
    let values = numbers(&case["input"]);
    let batch_size = integer(&params["batch_size"]) as usize;
    let means = overlapping_batch_means(&values, batch_size, number(&params["confidence"])).unwrap();
    assert_eq!(values.len() as u64, integer(&expected["n"]));
    assert_eq!(means.batch_size as u64, integer(&expected["batch_size"]));
    assert_close(means.interval.mean, &expected["mean"]);
    assert_close(means.long_run_variance, &expected["sigma2_hat"]);
    assert_close(means.interval.standard_error, &expected["se"]);
    assert_close(means.degrees_of_freedom, &expected["df"]);
    assert_close(means.interval.half_width / means.interval.standard_error, &expected["t_crit"]);
    assert_close(means.interval.half_width, &expected["half_width"]);
    assert_close(means.interval.lower, &expected["lower"]);
    assert_close(means.interval.upper, &expected["upper"]);
}

fn correlation_tests(case: &Value) {
    let expected = &case["expected"];
    let values = numbers(&case["input"]);
    assert_close(autocorrelation(&values, 1).unwrap(), &expected["rho1"]);
    assert_close(bartlett_z(&values).unwrap(), &expected["bartlett_z"]);
    for (name, lags) in [("ljung_box_1", 1), ("ljung_box_10", 10)] {
        let test = ljung_box(&values, lags).unwrap();
        assert_close(test.statistic, &expected[name][0]);
        assert_close(test.p, &expected[name][1]);
    }
    let test = von_neumann(&values).unwrap();
    assert_close(test.c, &expected["von_neumann"]["C"]);
    assert_close(test.z, &expected["von_neumann"]["z"]);
    assert_close(test.p_positive, &expected["von_neumann"]["p_one_sided_positive"]);
}

fn effective_sizes(case: &Value) {
    let expected = &case["expected"];
    let size = effective_size(&numbers(&case["input"])).unwrap();
    assert_eq!(size.n as u64, integer(&expected["n"]));
    assert_close(size.variance, &expected["gamma0"]);
    assert_close(size.lag1, &expected["rho1"]);
    for (sequence, expected) in [(size.initial_positive, &expected["ips"]), (size.initial_monotone, &expected["ims"])] {
        let sequence = sequence.unwrap();
        assert_eq!(sequence.pairs as u64, integer(&expected["pairs"]));
        assert_close(sequence.long_run_variance, &expected["sigma2"]);
        assert_close(sequence.autocorrelation_time, &expected["tau"]);
        assert_close(sequence.effective_size, &expected["ess"]);
        assert_close(sequence.standard_error, &expected["se_mean"]);
    }
}

/// The values up to the first number of them, at least `least`, at which `stops` holds.
fn up_to_stop(values: &[f64], least: u64, stops: impl Fn(&Moments) -> bool) -> Moments {
    let mut moments = Moments::default();
    for &value in values {
        moments.push(value);
        if moments.count() >= least && stops(&moments) {
            return moments;
        }
    }
    panic!("{} values are not enough", values.len());
}

fn relative_rule(case: &Value) {
    let (params, expected) = (&case["params"], &case["expected"]);
    let values = numbers(&case["input"]);
    let (confidence, least) = (number(&params["confidence"]), integer(&params["n0"]));
    let gamma = number(&params["gamma"]);
    let rule = StoppingRule::new(HalfWidth::Relative(gamma), confidence, least, 400).unwrap();
    let stopped = up_to_stop(&values, 0, |moments| rule.is_precise(moments));
    assert_eq!(stopped.count(), integer(&expected["stop_n"]));
    let interval = stopped.interval(confidence).unwrap();
    assert_close(interval.mean, &expected["mean"]);
    assert_close(interval.half_width, &expected["half_width"]);
    assert_close(interval.half_width / interval.mean, &expected["relative_half_width"]);
    assert_close(gamma / (1.0 + gamma), &expected["gamma_adj"]);
}

fn absolute_rules(case: &Value) {
    let (params, expected) = (&case["params"], &case["expected"]);
    let values = numbers(&case["input"]);
    let (confidence, least) = (number(&params["confidence"]), integer(&params["n0"]));
    let width = number(&params["d"]);
    let original = up_to_stop(&values, least, |moments| chow_robbins_stops(moments, width, confidence).unwrap());
    assert_eq!(original.count(), integer(&expected["orig"]));
    let rule = StoppingRule::new(HalfWidth::Absolute(width), confidence, least, 400).unwrap();
    let student = up_to_stop(&values, 0, |moments| rule.is_precise(moments));
    assert_eq!(student.count(), integer(&expected["student"]));
}

fn survival_curve(case: &Value) {
    let (input, params, expected) = (&case["input"], &case["params"], &case["expected"]);
    let times = numbers(&input["time"]).into_iter().zip(numbers(&input["event"]));
    let observations =
        times.map(|(time, event)| if event > 0.0 { Observation::Event(time) } else { Observation::Censored(time) });
    let curve = KaplanMeier::new(observations, number(&params["confidence"])).unwrap();
    let table = expected["table"].as_array().unwrap();
    assert_eq!(curve.steps().len(), table.len());
    for (step, row) in curve.steps().zip(table) {
        assert_close(step.time, &row["time"]);
        assert_eq!(step.at_risk, integer(&row["at_risk"]));
        assert_eq!(step.events, integer(&row["events"]));
        assert_close(step.survival, &row["surv"]);
        assert_close(step.standard_error.unwrap(), &row["greenwood_se"]);
        assert_close(step.lower, &row["lower"]);
        assert_close(step.upper, &row["upper"]);
    }
    assert_eq!(curve.quantile(0.5).estimate, expected["median"].as_f64());
    let mean = curve.restricted_mean(number(&params["tau"])).unwrap();
    assert_close(mean.limit, &expected["rmst_tau"]);
    assert_close(mean.mean, &expected["rmst"]);
    assert_close(mean.standard_error, &expected["rmst_se"]);
}

fn buckets(case: &Value) {
    let sketch = Sketch::new(number(&case["params"]["alpha"])).unwrap();
    for expected in case["expected"].as_array().unwrap() {
        let index = sketch.bucket_index(number(&expected["x"])).unwrap();
        assert_eq!(Some(i64::from(index)), expected["index"].as_i64());
        assert_close(sketch.bucket_value(index), &expected["value"]);
    }
}

/// What the certified cases of NIST say about the lag-1 autocorrelation.
#[test]
fn nist_autocorrelations() {
    let numacc1 = case("nist_numacc1");
    let lag1 = autocorrelation(&numbers(&numacc1["input"]), 1).unwrap();
    assert_close(lag1, &numacc1["expected"]["lag1"]);
    let alternating = (0..1000).map(|i| if i % 2 == 0 { 10_000_000.1 } else { 10_000_000.3 });
    let values: Vec<f64> = std::iter::once(10_000_000.2).chain(alternating).collect();
    // The data themselves are rounded to 1.9·10⁻⁹ in binary.
    assert_near(autocorrelation(&values, 1).unwrap(), number(&case("nist_numacc4")["expected"]["lag1"]), 1e-7);
}

/// The restricted mean of the runs that timed out, and Greenwood's error of it.
#[test]
fn restricted_mean_of_timeouts() {
    let case = case("timeout_report");
    let (expected, limit) = (&case["expected"], number(&case["params"]["timeout"]));
    let latencies = case["input"]["latency_or_null"].as_array().unwrap();
    let observations = latencies.iter().map(|latency| match latency.as_f64() {
        Some(latency) => Observation::Event(latency),
        None => Observation::Censored(limit),
    });
    let curve = KaplanMeier::new(observations, number(&case["params"]["confidence"])).unwrap();
    let mean = curve.restricted_mean(limit).unwrap();
    assert_close(mean.mean, &expected["rmst"]);
    assert_close(mean.standard_error, &expected["rmst_se_greenwood"]);
    assert_close(curve.quantile(0.5).estimate.unwrap(), &expected["unconditional_median"]);
    assert_eq!(curve.quantile(0.9).estimate, expected["unconditional_p90"].as_f64());
}
