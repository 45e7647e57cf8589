//! What people, scripts and spreadsheets get to see.

use byzlab_analysis::compare::{CompareOptions, Comparison, Quantity, Sense, SideGroup, compare};
use byzlab_analysis::render::{comparison_csv, comparison_json, comparison_table};

use crate::scenario::{all, compared, latency, runs, side};

const SLOW: [f64; 8] = [78.7, 86.6, 67.9, 59.6, 75.2, 82.1, 63.9, 63.8];
const FAST: [f64; 8] = [74.4, 84.6, 66.1, 57.7, 72.3, 80.5, 60.9, 60.3];

fn group(x: u32, seed: u64, values: &[Option<f64>]) -> SideGroup {
    SideGroup { group: vec![("adversary.count".to_owned(), x.to_string())], ..runs(seed, values) }
}

/// One group in which B is slower, one in which it is not, and one in which it never completes.
fn three() -> Comparison {
    let a =
        vec![group(0, 1, &all(&FAST)), group(1, 1, &all(&FAST)), group(2, 1, &all(&FAST)), group(3, 1, &all(&FAST))];
    let b = vec![group(0, 1, &all(&SLOW)), group(1, 1, &all(&FAST)), group(2, 1, &[None; 8])];
    compared(a, b)
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn sentences_lead() {
    let text = comparison_table(&three());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["A: first", "B: second", "all_commit latency, ms. Differences are B − A; ± and brackets are 95 % intervals."]
    );
    assert_eq!(
        lines[4],
        "adversary.count 0: B − A = +2.63 ms [+1.82, +3.43] (mean of completed runs, paired t, 8 pairs): B is slower"
    );
    assert_eq!(
        lines[5],
        "adversary.count 1: B − A = 0 ms [0, 0] (mean of completed runs, paired t, 8 pairs): not distinguishable"
    );
    assert_eq!(lines[6], "adversary.count 2: B − A is undefined: B: no completed run; success −100.0 [−100.0, −54.1]");
    assert_has(&text, &["p (Holm)", "8/8", "0/8", "slower", "note: only A has adversary.count 3: not compared"]);
    assert_has(&text, &["note: pairs correlate with 0.995; as independent runs the interval", " times as wide"]);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn one_group_is_shown_in_rows() {
    let text = comparison_table(&compared(vec![group(0, 1, &all(&FAST))], vec![group(0, 900, &all(&SLOW))]));
    let row = |name: &str| {
        text.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"))
    };
    assert!(row("completed").contains("8/8"));
    for name in [
        "success %",
        "mean of those ms",
        "change relative to A",
        "mean to the limit, all ms",
        "median, shift, all ms",
        "distribution, all",
    ] {
        assert!(!row(name).is_empty());
    }
    assert_has(&text, &["not distinguishable", "Welch", "no run has the same index and seed on both sides"]);
}

#[test]
fn many_groups_are_a_table_without_sentences() {
    let groups = |values: &[f64]| -> Vec<SideGroup> { (0..9).map(|x| group(x, 1, &all(values))).collect() };
    let text = comparison_table(&compared(groups(&FAST), groups(&SLOW)));
    assert!(!text.contains("B − A = "), "{text}");
    assert_eq!(text.lines().filter(|line| line.ends_with("slower")).count(), 9, "{text}");
    assert_has(&text, &["Holm", "adjusted for the number of groups"]);
}

/// Without Holm's correction one in twenty would differ.
#[test]
fn what_holm_takes_back_is_said() {
    let (plain, later) = ([10.0, 11.0, 12.0, 13.0, 14.0, 15.0], [12.5, 14.0, 14.5, 16.0, 16.5, 17.5]);
    let groups = |seed, first: &[f64]| -> Vec<SideGroup> {
        (0..5).map(|x| group(x, seed, &all(if x == 0 { first } else { &plain }))).collect()
    };
    let text = comparison_table(&compared(groups(1, &plain), groups(100, &later)));
    assert_has(
        &text,
        &["adversary.count 0: B − A = +2.7 ms", "not distinguishable after Holm's correction for 5 comparisons"],
    );
    assert_has(&text, &["not distinguishable (Holm)"]);
}

#[test]
fn a_rate_is_higher_or_lower() {
    let quantity = Quantity {
        name: "throughput".to_owned(),
        words: "throughput".to_owned(),
        unit: Some("requests/s".to_owned()),
        sense: Sense::Rate,
    };
    let (a, b) = (side("a", vec![group(0, 1, &all(&FAST))]), side("b", vec![group(0, 1, &all(&SLOW))]));
    let text = comparison_table(&compare(&a, &b, quantity.clone(), &CompareOptions::default()).unwrap());
    assert_has(&text, &["+2.63 requests/s", "): B is higher", "below everything"]);
    let text = comparison_table(&compare(&b, &a, quantity, &CompareOptions::default()).unwrap());
    assert_has(&text, &["−2.63 requests/s", "): B is lower"]);
    let text = comparison_table(&compare(&b, &a, latency(), &CompareOptions::default()).unwrap());
    assert_has(&text, &["): B is faster"]);
}

#[test]
fn json_is_as_documented() {
    let json: serde_json::Value = serde_json::from_str(&comparison_json(&three())).unwrap();
    let groups = json.as_array().unwrap();
    assert_eq!(groups.len(), 3);
    let first = &groups[0];
    assert_eq!(first["group"], serde_json::json!({ "adversary.count": 0 }));
    assert_eq!(
        (&first["metric"], &first["unit"], &first["confidence"]),
        (&"all_commit".into(), &"ms".into(), &0.95.into())
    );
    for side in ["a", "b"] {
        assert_eq!((&first[side]["runs"], &first[side]["completed"]), (&8.into(), &8.into()));
        for figure in ["success", "conditional", "unconditional"] {
            assert!(first[side][figure].is_object(), "{side}.{figure}");
        }
    }
    for difference in ["difference", "success_difference", "restricted_mean_difference"] {
        let it = &first[difference];
        assert!(it["estimate"].is_f64() && it["lower"].is_f64() && it["upper"].is_f64() && it["method"].is_string());
        assert!(it["p"].is_f64() && it["p_holm"].is_f64() && it["verdict"].is_string(), "{difference}: {it}");
    }
    assert_eq!(
        (&first["difference"]["verdict"], &groups[1]["difference"]["verdict"]),
        (&"higher".into(), &"not distinguishable".into())
    );
    for (test, statistic) in [("mann_whitney", "u"), ("kolmogorov_smirnov", "d")] {
        assert!(
            first[test][statistic].is_f64() && first[test]["p"].is_f64() && first[test]["p_holm"].is_f64(),
            "{test}"
        );
    }
    assert!(first["shift"]["estimate"].is_f64() && first["ratio"]["upper"].is_f64());
    assert_eq!((&first["pairs"], &first["complete_pairs"], &first["limit"]), (&8.into(), &8.into(), &1000.0.into()));
    assert!(first["correlation"].is_f64() && first["narrowing"].is_f64());
    assert_eq!(first["notes"][0], "only A has adversary.count 3: not compared");
    let last = &groups[2];
    assert!(last["difference"]["estimate"].is_null() && last["difference"]["verdict"].is_null());
    assert_eq!(last["difference"]["note"], "B: no completed run");
    assert_eq!(last["success_difference"]["verdict"], "lower");
}

#[test]
fn csv_has_a_row_for_each_group() {
    let csv = comparison_csv(&three());
    let mut reader = csv_lines(&csv);
    let header = reader.remove(0);
    assert_eq!(reader.len(), 3);
    let place =
        |name: &str| header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}: {header:?}"));
    assert_eq!(header[0], "adversary.count");
    assert_eq!((&reader[0][place("difference_verdict")][..], &reader[0][place("a_runs")][..]), ("higher", "8"));
    assert_eq!(&reader[2][place("difference")], "");
    assert!(reader[2][place("notes")].contains("B: no completed run"), "{csv}");
    let distinct: std::collections::BTreeSet<&String> = header.iter().collect();
    assert_eq!(distinct.len(), header.len());
}

fn csv_lines(text: &str) -> Vec<Vec<String>> {
    // No field of this comparison holds a line end or a doubled quote.
    let fields = |line: &str| {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        for letter in line.chars() {
            match letter {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                other => fields.last_mut().unwrap().push(other),
            }
        }
        fields
    };
    text.lines().map(fields).collect()
}
