//! `byzlab stats`: what a script and a reader get from any CSV file, and what they are told of a bad one.

mod program;

use program::{Desk, Finished, refused};
use serde_json::Value;
use std::fmt::Write;

/// Twenty measurements of two systems; of the second a fourth fails.
fn measurements() -> Desk {
    let mut csv = "system,outcome,latency_ms\n".to_owned();
    for row in 0..20_u64 {
        writeln!(csv, "pbft,ok,{}", 10 + row * 7 % 20).unwrap();
        let outcome = if row % 4 == 3 { "timeout,2000" } else { "ok,90" };
        writeln!(csv, "slow,{outcome}").unwrap();
    }
    let desk = Desk::with("");
    desk.write("m.csv", csv);
    desk
}

fn json(desk: &Desk, arguments: &str) -> Vec<Value> {
    let Finished { code, stdout, stderr } = desk.byzlab(&format!("stats {arguments} --format json"));
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

#[test]
fn json_has_the_three_views_of_each_group() {
    let desk = measurements();
    let line = "\"$byzlab\" stats m.csv --column latency_ms --unit ms --by system --failed 'outcome != ok' --limit 2000 \
                --format json";
    let groups: Vec<Value> = serde_json::from_str(&desk.shell(line).stdout).unwrap();
    let [pbft, slow] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!(pbft["group"], serde_json::json!({ "system": "pbft" }));
    assert_eq!((&pbft["column"], &pbft["unit"]), (&"latency_ms".into(), &"ms".into()));
    assert_eq!(
        (pbft["rows"].as_u64(), pbft["succeeded"].as_u64(), pbft["missing"].as_u64()),
        (Some(20), Some(20), Some(0))
    );
    assert_eq!(
        (pbft["min"].as_f64(), pbft["max"].as_f64(), pbft["mean"]["estimate"].as_f64()),
        (Some(10.0), Some(29.0), Some(19.5))
    );
    assert_eq!((slow["rows"].as_u64(), slow["succeeded"].as_u64()), (Some(20), Some(15)));
    assert_eq!((slow["success"]["estimate"].as_f64(), slow["mean"]["estimate"].as_f64()), (Some(0.75), Some(90.0)));
    let all = &slow["unconditional"];
    assert_eq!((all["median"]["estimate"].as_f64(), all["p90"]["above"].as_f64()), (Some(90.0), Some(2000.0)));
    assert!(all["p90"]["estimate"].is_null() && all["p90"]["note"].is_string());
    assert_eq!(all["restricted_mean"]["estimate"].as_f64(), Some((15.0 * 90.0 + 5.0 * 2000.0) / 20.0));
}

#[test]
fn the_table_shows_what_failed() {
    let desk = measurements();
    let line =
        "\"$byzlab\" stats m.csv --column latency_ms --unit ms --by system --failed 'outcome != ok' --limit 2000";
    let Finished { code, stdout, stderr } = desk.shell(line);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for part in ["of successful rows", "of all rows, failures as +∞", "mean to 2000 ms", "15/20", "20/20", "> 2000"] {
        assert!(stdout.contains(part), "no `{part}` in\n{stdout}");
    }
    assert!(stdout.contains("Column `latency_ms`, in ms. The unit of analysis is the row."), "{stdout}");
}

#[test]
fn csv_has_one_row_a_group_with_the_reasons() {
    let desk = measurements();
    let Finished { code, stdout, .. } = desk.shell(
        "\"$byzlab\" stats m.csv --column latency_ms --by system --where 'outcome = ok' --where 'latency_ms < 12' --format csv",
    );
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].starts_with("system,column,unit,confidence,rows,succeeded,missing,skipped,excluded,min,max,"));
    assert!(lines[1].starts_with("pbft,latency_ms,,0.95,2,2,0,0,38,10,11,"), "{stdout}");
    assert!(lines[1].contains("needs at least"), "{stdout}");
}

#[test]
fn standard_input_other_delimiters_and_units() {
    let desk = Desk::with("");
    let piped = "printf 'time\\tok\\n1500000\\tyes\\n2500000\\tyes\\n' | \"$byzlab\" stats - --column time --delimiter tab \
                 --scale 1e-6 --unit ms --format json";
    let groups: Vec<Value> = serde_json::from_str(&desk.shell(piped).stdout).unwrap();
    assert_eq!((groups[0]["rows"].as_u64(), groups[0]["mean"]["estimate"].as_f64()), (Some(2), Some(2.0)));
    let finished = desk.shell("printf 'time\\nslow\\n' | \"$byzlab\" stats - --column time");
    refused(&finished, "standard input:2: column `time` holds `slow`", &["not a number", "--missing", "--lenient"]);
}

#[test]
fn what_is_left_out_is_said() {
    let desk = Desk::with("");
    desk.write("m.csv", "x,y\n1,a\n,b\nNaN,c\noops,d\n3,e\n4\n");
    refused(&desk.byzlab("stats m.csv --column x"), "m.csv:5: column `x` holds `oops`", &[]);
    let Finished { code, stdout, .. } = desk.byzlab("stats m.csv --column x --lenient");
    assert_eq!(code, Some(0));
    assert!(stdout.contains("note: 2 rows have no value and are left out\n"), "{stdout}");
    assert!(
        stdout.contains("note: 2 rows of the file are damaged and skipped; the first of them on line 5: "),
        "{stdout}"
    );
    let groups = json(&desk, "m.csv --column x --lenient");
    assert_eq!(
        (groups[0]["rows"].as_u64(), groups[0]["missing"].as_u64(), groups[0]["skipped"].as_u64()),
        (Some(2), Some(2), Some(2))
    );
    let failed = json(&desk, "m.csv --column x --lenient --empty-is-failure --limit 9");
    assert_eq!((failed[0]["rows"].as_u64(), failed[0]["succeeded"].as_u64()), (Some(4), Some(2)));
    let missing = json(&desk, "m.csv --column x --lenient --missing oops");
    assert_eq!((missing[0]["missing"].as_u64(), missing[0]["skipped"].as_u64()), (Some(3), Some(1)));
}

#[test]
fn bad_files_and_bad_arguments_are_refused() {
    let desk = Desk::with("");
    desk.write("m.csv", "latency,system,system\n1,a,b\n2,\"a,b\n");
    desk.write("empty.csv", "");
    desk.write("cut.csv", "x,y\n1,2\n3");
    let refused = |arguments: &str, place: &str, parts: &[&str]| {
        refused(&desk.byzlab(&format!("stats {arguments}")), place, parts);
    };
    refused("none.csv --column x", "none.csv: cannot read it", &["check the path"]);
    refused("empty.csv --column x", "empty.csv: the file is empty", &[]);
    refused(
        "m.csv --column latencies",
        "m.csv:1: there is no column `latencies`",
        &["did you mean `latency`?", "system"],
    );
    refused("m.csv --column latency --by system", "m.csv:1: columns 2 and 3 are both called `system`", &["rename"]);
    refused("m.csv --column latency", "m.csv:3: a quote is opened here and never closed", &["close the quote"]);
    refused(
        "cut.csv --column x",
        "cut.csv:3: the file ends in the middle of a row, after 1 field of 2",
        &["--lenient"],
    );
    refused("cut.csv --column x --confidence 95", "confidence is 95", &["between 0 and 1"]);
    refused("cut.csv --column x --scale 0", "scale is 0", &["above 0"]);
    for (arguments, parts) in [
        ("m.csv --column latency --where latency", ["no operator", "= != < <= > >="]),
        ("m.csv --column latency --where latency<few", ["no number", "few"]),
        ("m.csv --column latency --delimiter ab", ["--delimiter", "one character"]),
        ("m.csv", ["--column", "required"]),
    ] {
        let Finished { code, stderr, .. } = desk.byzlab(&format!("stats {arguments}"));
        assert_eq!(code, Some(2), "{arguments}: {stderr}");
        assert!(parts.iter().all(|part| stderr.contains(part)), "{arguments}: {stderr}");
    }
}
