//! What is said of all runs and all rows, where some have no value, some requests were accepted, or limits differ.

use byzlab_analysis::statistics::FigureOptions;
use byzlab_analysis::table::{TableOptions, read_table, summarize_table};
use byzlab_analysis::{AnalysisOptions, GroupSummary, Metric, Outcome, RunTable, RunValue, render, summarize};

/// A run: outcome, requests, those accepted, value.
type Run = (Outcome, u64, u64, Option<f64>);

const LIMIT_MS: u64 = 2000;

fn summary_of(runs: &[Run], metric: Metric) -> GroupSummary {
    let header = "cell,run,seed,replicas,faults,corrupted,outcome,agreement,validity,requests,completed,messages,bytes,\
                  view_changes,virtual_ns,fingerprint\n";
    let line = |(run, (outcome, requests, accepted, _)): (usize, &Run)| {
        let outcome = match outcome {
            Outcome::Completed => "completed",
            Outcome::Timeout => "timeout",
            Outcome::Violation => "violation",
            Outcome::Error => "error",
        };
        let time = LIMIT_MS * 1_000_000;
        format!("0,{run},1,4,1,0,{outcome},true,true,{requests},{accepted},30,900,0,{time},00000000000000aa\n")
    };
    let csv: String = std::iter::once(header.to_owned()).chain(runs.iter().enumerate().map(line)).collect();
    let table = RunTable::parse(csv.as_bytes(), "runs.csv".as_ref()).unwrap();
    let values: Vec<RunValue> = runs.iter().map(|run| RunValue { value: run.3, undefined: 0 }).collect();
    summarize(&table, Some(&values), &AnalysisOptions { metric, ..AnalysisOptions::default() }).unwrap().remove(0)
}

fn latency_of(runs: &[Run]) -> GroupSummary {
    summary_of(runs, Metric::AllCommit)
}

fn completed(count: usize, value: Option<f64>) -> Vec<Run> {
    vec![(Outcome::Completed, 1, 1, value); count]
}

#[test]
fn completed_runs_without_a_value_are_not_forgotten_beside_failures() {
    let mut runs = completed(85, None);
    runs.extend((1..=5).flat_map(|ms| completed(1, Some(f64::from(ms)))));
    let all_completed = latency_of(&runs);
    runs.extend([(Outcome::Timeout, 1, 0, None); 10]);
    let some_failed = latency_of(&runs);

    assert_eq!((some_failed.success.estimate, some_failed.measured_runs), (Some(0.9), 5));
    assert_eq!(some_failed.mean.estimate, Some(3.0));
    let (median, mean) = (&some_failed.unconditional.median, &some_failed.unconditional.restricted_mean);
    assert_eq!((median.estimate, median.above, mean.estimate), (None, None, None));
    let reason = "undefined: 85 of 90 completed runs have no value, and nothing says where they lie among all";
    assert_eq!((median.note.as_deref(), mean.note.as_deref()), (Some(reason), Some(reason)));
    let table = render::table(&[some_failed]);
    assert_eq!(table.matches(reason).count(), 1, "{table}");
    assert!(table.contains(&format!("note: of all runs: {reason}")), "{table}");

    // Without a failure they are those that have a value, and the note says how many are not.
    let median = &all_completed.unconditional.median;
    assert_eq!(median.estimate, Some(3.0));
    assert!(median.note.as_ref().unwrap().ends_with("85 of 90 completed runs have no value and are left out"));
}

#[test]
fn timeouts_with_accepted_requests_are_named() {
    let runs = [
        (Outcome::Completed, 10, 10, Some(5.0)),
        (Outcome::Timeout, 10, 7, None),
        (Outcome::Timeout, 10, 0, None),
        (Outcome::Violation, 10, 3, None),
    ];
    let note = "1 of 4 runs reached the limit after some of their requests were accepted; as a whole each counts as +∞";
    assert!(latency_of(&runs).notes.iter().any(|it| it == note));
    assert!(!summary_of(&runs, Metric::Throughput).notes.iter().any(|it| it == note), "no throughput counts as +∞");
}

/// Ends of intervals of latencies stay between 0 and the limit.
#[test]
fn no_latency_is_negative() {
    let mut runs = completed(1, Some(1.0));
    runs.extend(completed(1, Some(900.0)));
    runs.push((Outcome::Timeout, 1, 0, None));
    let group = latency_of(&runs);
    assert_eq!((group.mean.lower, group.mean.method.as_ref()), (Some(0.0), "Student t over completed runs, cut at 0"));
    let all = &group.unconditional.restricted_mean;
    assert_eq!(all.interval(), Some((0.0, 2000.0)));
    assert!(all.upper > all.estimate);
}

#[test]
fn the_share_of_requests_has_an_interval_over_runs() {
    let run = |accepted, requests| {
        let outcome = if accepted == requests { Outcome::Completed } else { Outcome::Timeout };
        (outcome, requests, accepted, Some(1.0).filter(|_| accepted == requests))
    };
    // All or nothing: the share is that of the runs, and so is the interval.
    let whole = latency_of(&[run(10, 10), run(10, 10), run(0, 10), run(10, 10)]);
    let (requests, success) = (&whole.requests_success, &whole.success);
    assert_eq!((requests.estimate, requests.interval()), (success.estimate, success.interval()));
    assert!(requests.method.starts_with("Wilson score over runs"), "{requests:?}");
    let whole_table = render::table(std::slice::from_ref(&whole));
    assert!(whole_table.contains("Wilson score for shares, Student t"), "{whole_table}");
    let none = latency_of(&[run(0, 10), run(0, 10)]).requests_success;
    assert!(none.estimate == Some(0.0) && none.upper.unwrap() > 0.5, "{none:?}");

    // Of as many requests each it is the mean of the shares with its t interval: s = √0.01, t(0.975; 2) = 4.302653.
    let even = latency_of(&[run(7, 10), run(8, 10), run(9, 10)]).requests_success;
    let half_width = 4.302_652_729_696_144 * 0.1 / 3_f64.sqrt();
    assert_eq!((even.estimate, even.upper), (Some(0.8), Some(1.0)));
    assert!((even.lower.unwrap() - (0.8 - half_width)).abs() < 1e-9, "{even:?}");

    // Of different numbers it is the ratio of the sums.
    let group = latency_of(&[run(9, 10), run(70, 100), run(55, 90), run(33, 40), run(20, 20)]);
    let uneven = &group.requests_success;
    assert_eq!((uneven.estimate, group.requests_share), (Some(187.0 / 260.0), Some(187.0 / 260.0)));
    let (lower, upper) = uneven.interval().unwrap();
    assert!(0.0 < lower && lower < 187.0 / 260.0 && 187.0 / 260.0 < upper && upper <= 1.0, "{uneven:?}");
    let table = render::table(std::slice::from_ref(&group));
    assert!(table.contains("Wilson score for shares (Fieller for requests of runs"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&render::json(&[group])).unwrap();
    assert!(json[0]["requests_share"].is_number() && json[0]["requests_success"]["lower"].is_number());

    for (runs, reason) in [
        (vec![run(7, 10)], "interval undefined: needs at least 2 runs"),
        (vec![run(7, 10), run(14, 20)], "interval undefined: of each run the same share was accepted"),
        (vec![run(1, 1), run(3, 1000)], "interval undefined: runs issued too different numbers of requests"),
    ] {
        let group = latency_of(&runs);
        assert!(group.requests_success.estimate.is_some());
        assert_eq!((group.requests_success.interval(), group.requests_success.note.as_deref()), (None, Some(reason)));
        let table = render::table(&[group]);
        assert!(table.contains(&format!("note: requests: {reason}")), "{table}");
    }
    let idle = latency_of(&[(Outcome::Completed, 0, 0, None)]).requests_success;
    assert_eq!((idle.estimate, idle.note.as_deref()), (None, Some("no request")));
}

/// The caption names the curve where quantiles come from it, and not elsewhere.
#[test]
fn captions_name_kaplan_and_meier_where_they_are_used() {
    let options = TableOptions { limit_column: Some("limit".to_owned()), ..TableOptions::of("x") };
    let table_of = |rows: &str| {
        let data = read_table(format!("x,limit\n{rows}").as_bytes(), "t.csv", &options).unwrap();
        render::columns_table(&summarize_table(&data, &options, &FigureOptions::default()).unwrap())
    };
    let differ = table_of("3,20\n15,20\ninf,10\ninf,20\n");
    assert!(differ.contains("(type 1); where limits differ Kaplan–Meier with log–log intervals."), "{differ}");
    assert!(differ.contains("note: limits differ from 10 to 20, the last time that was watched"), "{differ}");
    let alike = table_of("3,20\n15,20\ninf,20\ninf,20\n");
    assert!(!alike.contains("Kaplan") && !alike.contains("limits differ"), "{alike}");
}
