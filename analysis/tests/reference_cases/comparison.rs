//! Two samples against each other.

use byzlab_analysis::statistics::{
    Moments, bonferroni, hodges_lehmann, holm, kolmogorov_smirnov, mann_whitney, paired_t, welch,
};
use serde_json::Value;

use crate::{assert_close, integer, number, numbers};

cases! {
    welch => unequal_variances,
    paired_t_crn => pairs,
    mwu_exact => exact_ranks,
    mwu_ties => tied_ranks,
    ks_exact => exact_distance,
    ks_large => large_distance,
    holm => adjustments,
}

/// The two samples of a case.
fn samples(case: &Value) -> (Vec<f64>, Vec<f64>) {
    (numbers(&case["input"][0]), numbers(&case["input"][1]))
}

fn unequal_variances(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let (first, second): (Moments, Moments) = (first.into_iter().collect(), second.into_iter().collect());
    let test = welch(&first, &second, number(&case["params"]["confidence"])).unwrap();
    assert_close(test.difference, &expected["diff"]);
    assert_close(test.t.unwrap(), &expected["t"]);
    assert_close(test.degrees_of_freedom.unwrap(), &expected["df"]);
    assert_close(test.p, &expected["p"]);
    assert_close(test.lower, &expected["lower"]);
    assert_close(test.upper, &expected["upper"]);
}

fn pairs(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let test = paired_t(&first, &second, number(&case["params"]["confidence"])).unwrap();
    assert_close(test.difference, &expected["diff"]);
    assert_close(test.t.unwrap(), &expected["t"]);
    assert_eq!(test.pairs - 1, integer(&expected["df"]));
    assert_close(test.p, &expected["p"]);
    assert_close(test.lower, &expected["lower"]);
    assert_close(test.upper, &expected["upper"]);
    assert_close(test.correlation.unwrap(), &expected["correlation"]);
}

fn exact_ranks(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let test = mann_whitney(&first, &second).unwrap();
    assert_close(test.u, &expected["U1"]);
    assert_close(test.p, &expected["p"]);
    assert_eq!(test.p_exact, Some(test.p));
    assert_close(test.cliffs_delta, &expected["cliffs_delta"]);
    let shift = hodges_lehmann(&first, &second, 0.95).unwrap();
    assert_close(shift.estimate.unwrap(), &expected["hodges_lehmann"]);
}

fn tied_ranks(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let test = mann_whitney(&first, &second).unwrap();
    assert_close(test.u, &expected["U1"]);
    assert_close(test.p_normal, &expected["p_continuity"]);
    assert_close(test.p_normal_without_continuity, &expected["p_no_continuity"]);
    assert!(test.has_ties);
}

fn exact_distance(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let test = kolmogorov_smirnov(&first, &second).unwrap();
    assert_close(test.distance, &expected["D"]);
    assert_close(test.p_exact.unwrap(), &expected["p"]);
}

/// What scipy calls asymptotic is another approximation, by the law of one sample; it is not made here.
fn large_distance(case: &Value) {
    let expected = &case["expected"];
    let (first, second) = samples(case);
    let test = kolmogorov_smirnov(&first, &second).unwrap();
    assert_close(test.distance, &expected["D"]);
    assert_close(test.p_exact.unwrap(), &expected["p_exact"]);
    assert_close(test.p_limit, &expected["p_kolmogorov_limit"]);
}

fn adjustments(case: &Value) {
    let p: Vec<Option<f64>> = numbers(&case["input"]).into_iter().map(Some).collect();
    for (adjusted, name) in [(holm(&p), "adjusted"), (bonferroni(&p), "bonferroni")] {
        let expected = case["expected"][name].as_array().unwrap();
        assert_eq!(adjusted.len(), expected.len());
        for (adjusted, expected) in adjusted.into_iter().zip(expected) {
            assert_close(adjusted.unwrap(), expected);
        }
    }
}
