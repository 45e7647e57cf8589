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

/// A measurement that starts too high, and whose neighbours depend on each other.
#[test]
fn a_series_has_a_warm_up_and_a_wider_interval() {
    let desk = Desk::with("");
    let (mut csv, mut state, mut noise) = ("x\n".to_owned(), 1_u32, 0.0);
    for row in 0..4000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise = 0.8 * noise + f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5;
        writeln!(csv, "{}", 100.0 + noise + 50.0 * (-f64::from(row) / 20.0).exp()).unwrap();
    }
    desk.write("m.csv", csv);
    let plain = desk.byzlab("stats m.csv --column x");
    assert!(plain.stdout.contains("rows are correlated in the order of the file (lag-1 0."), "{}", plain.stdout);
    let series = json(&desk, "m.csv --column x --series").remove(0);
    assert_eq!((series["values"].as_u64(), series["warm_up"].as_str()), (Some(4000), Some("ok")));
    assert!((20..400).contains(&series["deleted"].as_u64().unwrap()), "{series}");
    let mean = &series["batch_means"];
    assert!(mean["lower"].as_f64() < Some(100.0) && Some(100.0) < mean["upper"].as_f64(), "{mean}");
    assert!(series["effective_size"].as_f64() < Some(1000.0), "{series}");
    let Finished { code, stdout, .. } = desk.byzlab("stats m.csv --column x --series --unit ms");
    assert_eq!(code, Some(0));
    for part in ["mean by batches ms", "warm-up", "effective size", "independent"] {
        assert!(stdout.contains(part), "no `{part}` in\n{stdout}");
    }
    let few = json(&desk, "m.csv --column x --series --exact 1000").remove(0);
    assert!(few["batch_means"]["estimate"].is_null() && few["notes"][0].as_str().unwrap().contains("--exact"), "{few}");
    let csv = desk.byzlab("stats m.csv --column x --series --format csv").stdout;
    let lengths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(lengths.len() == 2 && lengths[0] == lengths[1], "{csv}");
}

#[test]
fn intervals_and_quantiles_are_made_as_asked() {
    let desk = measurements();
    let group =
        json(&desk, "m.csv --column latency_ms --proportion clopper-pearson --bootstrap=200 --quantile 0.95").remove(0);
    assert!(group["success"]["method"].as_str().unwrap().contains("Clopper"), "{group}");
    assert!(group["mean"]["method"].as_str().unwrap().contains("BCa bootstrap (200 resamples, seed 1"), "{group}");
    assert_eq!(group["quantiles"][0]["p"].as_f64(), Some(0.95));
    assert_eq!(group["quantiles"][0]["unconditional"]["estimate"].as_f64(), Some(2000.0));
    assert!(desk.byzlab("stats m.csv --column latency_ms --quantile 0.95").stdout.contains("p95"));
    refused(&desk.byzlab("stats m.csv --column latency_ms --quantile 95"), "quantile is 95", &["between 0 and 1"]);
}

#[test]
fn many_rows_are_marked_as_approximate() {
    let desk = Desk::with("");
    desk.write("m.csv", (0..5000).fold("x\n".to_owned(), |csv, row| csv + &format!("{}\n", row * 7919 % 5000)));
    let Finished { stdout, .. } = desk.byzlab("stats m.csv --column x --exact 100");
    assert!(stdout.contains("≈ 2") && stdout.contains("note: quantiles are approximate, within 0.5 %"), "{stdout}");
    assert_eq!(json(&desk, "m.csv --column x --exact 100")[0]["relative_error"].as_f64(), Some(0.005));
}

#[test]
fn compressed_files_are_read_as_they_are() {
    let desk = measurements();
    let plain = desk.byzlab("stats m.csv --column latency_ms --by system");
    assert_eq!(desk.shell("gzip -k m.csv").code, Some(0));
    let compressed = desk.byzlab("stats m.csv.gz --column latency_ms --by system");
    assert_eq!((compressed.code, compressed.stdout), (Some(0), plain.stdout));
    let whole = std::fs::read(desk.path("m.csv.gz")).unwrap();
    desk.write("cut.csv.gz", &whole[..whole.len() - 20]);
    let finished = desk.byzlab("stats cut.csv.gz --column latency_ms");
    refused(&finished, "cut.csv.gz:", &["the compressed file ends in the middle", "write or copy it again"]);
}
