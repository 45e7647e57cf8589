//! Figures in which failures count.

use byzlab_analysis::statistics::{Attempt, FigureOptions, Figures, KaplanMeier, Observation, ProportionMethod};
use serde_json::Value;

use super::{assert_close, integer, number};

cases! {
    timeout_report => check_timeout_report,
}

fn check_timeout_report(case: &Value) {
    let (expected, timeout) = (&case["expected"], number(&case["params"]["timeout"]));
    let latencies = case["input"]["latency_or_null"].as_array().expect("an array");
    let attempt = |latency: &Value| latency.as_f64().map_or(Attempt::Beyond(timeout), Attempt::Success);
    let attempts: Vec<Attempt> = latencies.iter().map(attempt).collect();
    let confidence = number(&case["params"]["confidence"]);
    let options = FigureOptions { confidence, ..FigureOptions::default() };
    let figures = Figures::new(&attempts, &options, String::new);
    assert_eq!(figures.attempts, integer(&expected["runs"]));
    assert_eq!(figures.successes, integer(&expected["successes"]));
    assert_close(figures.success.lower.unwrap(), &expected["success_wilson"][0]);
    assert_close(figures.success.upper.unwrap(), &expected["success_wilson"][1]);

    let exact = FigureOptions { proportion: ProportionMethod::ClopperPearson, ..options };
    let exact = Figures::new(&attempts, &exact, String::new).success;
    assert_close(exact.lower.unwrap(), &expected["success_clopper_pearson"][0]);
    assert_close(exact.upper.unwrap(), &expected["success_clopper_pearson"][1]);

    let (conditional, of_completed) = (&figures.conditional, &expected["conditional_on_success"]);
    assert_eq!(conditional.n, integer(&of_completed["n"]));
    assert_close(conditional.mean.estimate.unwrap(), &of_completed["mean"]);
    assert_close(conditional.mean.half_width().unwrap(), &of_completed["half_width"]);
    assert_close(conditional.mean.lower.unwrap(), &of_completed["lower"]);
    assert_close(conditional.mean.upper.unwrap(), &of_completed["upper"]);
    assert_close(conditional.standard_deviation.estimate.unwrap(), &of_completed["sd"]);

    let all = &figures.unconditional;
    assert_eq!((all.n, all.limit), (integer(&expected["runs"]), Some(timeout)));
    assert_close(all.restricted_mean.estimate.unwrap(), &expected["rmst"]);
    assert_close(all.restricted_mean.estimate.unwrap(), &expected["rmst_equals_mean_of_min"]);
    assert_close(all.restricted_mean.lower.unwrap(), &expected["rmst_t_ci"][0]);
    assert_close(all.restricted_mean.upper.unwrap(), &expected["rmst_t_ci"][1]);
    assert_close(all.median.estimate.unwrap(), &expected["unconditional_median"]);
    assert_close(all.median.lower.unwrap(), &expected["median_ci_order"][0]);
    assert_close(all.median.upper.unwrap(), &expected["median_ci_order"][1]);
    assert!(expected["unconditional_p90"].is_null());
    assert_eq!((all.p90.estimate, all.p90.above), (None, Some(timeout)));

    // The Kaplan–Meier curve of the same runs has the same area.
    let curve = KaplanMeier::new(attempts.into_iter().map(Observation::from), confidence).unwrap();
    let area = curve.restricted_mean(timeout).unwrap();
    assert_close(area.mean, &expected["rmst"]);
    assert_close(area.standard_error, &expected["rmst_se_greenwood"]);
}
