//! The statistics against published and independently computed values: `data/analysis_refs.json`.
//!
//! Each module states which cases it checks and with what, by [`cases!`]: a case that stands there is
//! a test of that name.

use std::collections::BTreeSet;

use serde_json::Value;

/// Makes a test of each case, and `CASES`, their names: `name => function that takes the case`.
macro_rules! cases {
    ($($name:ident => $check:ident),+ $(,)?) => {
        pub(crate) const CASES: &[&str] = &[$(stringify!($name)),+];

        mod case {
            $(
                #[test]
                fn $name() {
                    super::$check(&crate::case(stringify!($name)));
                }
            )+
        }
    };
}

mod comparison;
mod failures;
mod intervals;
mod series;

#[test]
fn every_case_is_checked_once() {
    let file: Vec<String> = all_cases().iter().map(|case| case["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(file.len(), 37);
    let checked: Vec<&str> = [failures::CASES, intervals::CASES, series::CASES, comparison::CASES].concat();
    let distinct: BTreeSet<&str> = checked.iter().copied().collect();
    assert_eq!(distinct.len(), checked.len(), "a case is checked twice");
    assert_eq!(distinct, file.iter().map(String::as_str).collect());
}

fn all_cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../data/analysis_refs.json")).expect("valid JSON")
}

/// The case of this name.
fn case(name: &str) -> Value {
    all_cases().into_iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("no case {name}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn integer(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(number).collect()
}

fn sorted(value: &Value) -> Vec<f64> {
    let mut values = numbers(value);
    values.sort_by(f64::total_cmp);
    values
}

/// Asserts `actual` = `expected` up to a relative error.
#[track_caller]
fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "{actual} instead of {expected}: relative error {:e}",
        error / expected.abs()
    );
}

/// Asserts `actual` = `expected` to the 10 digits that the cases promise.
#[track_caller]
fn assert_close(actual: f64, expected: &Value) {
    assert_near(actual, number(expected), 1e-10);
}

/// Asserts both ends of an interval that the case gives as a pair.
#[track_caller]
fn assert_interval(lower: f64, upper: f64, expected: &Value) {
    assert_close(lower, &expected[0]);
    assert_close(upper, &expected[1]);
}
