//! `byzlab compare`: two cells of one experiment, two experiments, a simulation and a measurement, and what cannot be compared.

mod program;

use program::{Desk, Finished, refused};
use serde_json::Value;

/// The tutorial, made small: ten replicas of which two or none are malicious, without view changes.
const TUTORIAL: &str = r#"
    [experiment]
    seed = 11
    runs = 40
    time_limit = "2s"
    [cluster]
    replicas = 10
    [protocol]
    view_change = false
    [network]
    latency = { distribution = "uniform", min = "5ms", max = "35ms" }
    [adversary]
    selection = "random"
    attack = [{ kind = "equivocate", groups = "each" }, { kind = "silent", messages = ["commit", "reply"] }]
    [sweep]
    "adversary.count" = [0, 2]
"#;

const TWO_CELLS: &str = "compare out out --where-a adversary.count=0 --where-b adversary.count=2";

fn results(toml: &str) -> Desk {
    let desk = Desk::with(toml);
    let finished = desk.byzlab("run e.toml --out out");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    desk
}

fn said(desk: &Desk, arguments: &str) -> String {
    let Finished { code, stdout, stderr } = desk.byzlab(arguments);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments}");
    stdout
}

fn json(desk: &Desk, arguments: &str) -> Vec<Value> {
    serde_json::from_str(&said(desk, &format!("{arguments} --format json"))).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// Cells of one sweep share the networks of their runs: they are compared in pairs, and that narrows the interval.
#[test]
fn two_cells_of_the_tutorial() {
    let desk = results(TUTORIAL);
    let text = said(&desk, TWO_CELLS);
    assert!(
        text.starts_with("A: out where adversary.count=0\nB: out where adversary.count=2\nall_commit latency: "),
        "{text}"
    );
    assert!(text.contains(" pairs): B is slower") && text.contains("mean of completed runs, paired t"), "{text}");

    let groups = json(&desk, TWO_CELLS);
    let [it] = &groups[..] else { panic!("one group: {groups:?}") };
    assert_eq!((&it["group"], &it["unit"], &it["pairs"]), (&serde_json::json!({}), &"ms".into(), &40.into()));
    let (a, b, difference) = (&it["a"], &it["b"], &it["difference"]);
    assert_eq!((a["runs"].as_u64(), a["completed"].as_u64(), b["runs"].as_u64()), (Some(40), Some(40), Some(40)));
    // The runs whose primary is malicious do not complete.
    let completed = b["completed"].as_u64().unwrap();
    assert!((20..40).contains(&completed), "{completed}");
    assert_eq!(it["complete_pairs"].as_u64(), Some(completed));
    assert!(number(&difference["lower"]) > 0.0 && difference["verdict"] == "higher", "{difference}");
    let share = (completed as f64 - 40.0) / 40.0;
    assert!((number(&it["success_difference"]["estimate"]) - share).abs() < 1e-12);
    assert_eq!((number(&it["limit"]), &it["restricted_mean_difference"]["verdict"]), (2000.0, &"higher".into()));
    assert!(number(&it["correlation"]) > 0.2 && number(&it["narrowing"]) > 1.0, "{it}");

    // As independent runs: the same difference of all that completed, and a wider interval of the same size of sample.
    let unpaired = &json(&desk, &format!("{TWO_CELLS} --unpaired"))[0];
    assert!(unpaired["pairs"].is_null() && unpaired["difference"]["method"].as_str().unwrap().contains("Welch"));
    let mean = |side: &Value| number(&side["conditional"]["mean"]["estimate"]);
    let estimate = number(&unpaired["difference"]["estimate"]);
    assert!((estimate - (mean(&unpaired["b"]) - mean(&unpaired["a"]))).abs() < 1e-9);

    // Swapped, it is faster by as much.
    let swapped = &json(&desk, "compare out out --where-a adversary.count=2 --where-b adversary.count=0")[0];
    assert!((number(&swapped["difference"]["estimate"]) + number(&difference["estimate"])).abs() < 1e-9);
    assert_eq!(swapped["difference"]["verdict"], "lower");

    let csv = said(&desk, &format!("{TWO_CELLS} --format csv"));
    assert_eq!(csv.lines().count(), 2);
    assert!(
        csv.starts_with("metric,unit,confidence,a,a_runs,") && csv.contains("all_commit,ms,0.95,out where"),
        "{csv}"
    );
}

#[test]
fn an_experiment_does_not_differ_from_itself() {
    let desk = results(TUTORIAL);
    let groups = json(&desk, "compare out out");
    assert_eq!(groups.len(), 2);
    for (group, count) in groups.iter().zip([0, 2]) {
        assert_eq!(group["group"], serde_json::json!({ "adversary.count": count }));
        let difference = &group["difference"];
        for figure in ["estimate", "lower", "upper"] {
            assert_eq!(difference[figure], 0.0, "{figure}");
        }
        assert_eq!((&difference["verdict"], number(&difference["p_holm"])), (&"not distinguishable".into(), 1.0));
    }
    assert!(said(&desk, "compare out out").contains("adversary.count 0: B − A = 0 ms [0, 0]"));
}

/// Another network, the same seeds; other seeds; and a group that one alone has.
#[test]
fn two_experiments() {
    let desk = results(TUTORIAL);
    let other = TUTORIAL.replace("max = \"35ms\"", "max = \"40ms\"").replace("[0, 2]", "[0, 1]");
    desk.write("other.toml", &other);
    assert_eq!(desk.byzlab("run other.toml --out other").code, Some(0));
    let groups = json(&desk, "compare out other");
    let [it] = &groups[..] else { panic!("one in common: {groups:?}") };
    assert_eq!((&it["pairs"], &it["difference"]["verdict"]), (&40.into(), &"higher".into()));
    let notes = it["notes"].to_string();
    assert!(
        notes.contains("only A has adversary.count 2") && notes.contains("only B has adversary.count 1"),
        "{notes}"
    );
    let table = said(&desk, "compare out other");
    assert!(table.contains("note: only A has adversary.count 2: not compared"), "{table}");

    assert_eq!(desk.byzlab("run other.toml --out seeds --set experiment.seed=12").code, Some(0));
    let it = &json(&desk, "compare out seeds --confidence 0.9")[0];
    assert!(it["pairs"].is_null() && it["notes"].to_string().contains("no run has the same index and seed"), "{it}");
    assert_eq!(it["confidence"], 0.9);

    // Its limits and its warm-up are its own.
    assert_eq!(
        desk.byzlab("run other.toml --out short --set experiment.time_limit=1s --set workload.warmup=1ms").code,
        Some(0)
    );
    let it = &json(&desk, "compare out short")[0];
    let notes = it["notes"].to_string();
    assert!(notes.contains("from 1000 ms to 2000 ms") && notes.contains("its warm-up is 1 ms"), "{notes}");
    assert_eq!(it["limit"], 1000.0);
}

#[test]
fn a_simulation_against_a_measurement() {
    let desk = results(TUTORIAL);
    let mean = number(&json(&desk, TWO_CELLS)[0]["a"]["conditional"]["mean"]["estimate"]) / 1e3;
    // In seconds, and later by 5 ms; two calls failed.
    let rows: Vec<String> = (0..30).map(|i| format!("0,{},ok", mean + 0.005 + 1e-4 * f64::from(i % 5))).collect();
    desk.write("measured.csv", format!("adversary.count,rtt_s,state\n{}\n0,inf,ok\n0,0.07,error\n", rows.join("\n")));
    let arguments =
        "compare out measured.csv --column rtt_s --scale 1000 --by adversary.count --limit 2000 --failed state=error";
    let groups = json(&desk, arguments);
    let [it] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!(
        (&it["metric"], &it["unit"], &it["group"]["adversary.count"]),
        (&"all_commit".into(), &"ms".into(), &0.into())
    );
    assert_eq!((it["b"]["runs"].as_u64(), it["b"]["completed"].as_u64()), (Some(32), Some(30)));
    assert!((number(&it["difference"]["estimate"]) - 5.2).abs() < 1e-6, "{}", it["difference"]);
    assert!((number(&it["success_difference"]["estimate"]) + 2.0 / 32.0).abs() < 1e-12);
    assert!(it["pairs"].is_null() && it["notes"].to_string().contains("only A has adversary.count 2"), "{it}");
    // Without a word on the scale the table says what it assumes.
    let text = said(&desk, "compare measured.csv out --column rtt_s --where-b adversary.count=0");
    assert!(
        text.contains("note: A: its values are taken as ms; --scale converts them") && text.contains("B is slower"),
        "{text}"
    );
}

#[test]
fn two_measurements() {
    let desk = Desk::with("");
    desk.write("a.csv", "system,ms\npbft,10\npbft,11\npbft,12\nraft,5\nraft,6\n");
    desk.write("b.csv", "name,system,us\nx,pbft,20000\ny,pbft,21000\nz,pbft,22500\n");
    let text = said(&desk, "compare a.csv b.csv --column-a ms --column-b us --scale-b 0.001 --by system");
    assert!(text.contains("column ms and us") && text.contains("system pbft: B − A = +10.2"), "{text}");
    assert!(text.contains("B is higher") && text.contains("only A has system raft"), "{text}");
    let text = said(&desk, "compare a.csv a.csv --column ms --where-a system=raft --where-b system=pbft");
    assert!(text.contains("B − A = +5.5"), "{text}");
}

/// What the messages of `stats` recommend works here as well.
#[test]
fn tables_are_read_as_by_stats() {
    let desk = Desk::with("");
    desk.write("a.csv", ";system;ms;watched\n1;pbft;10;90\n2;pbft;-;90\n3;pbft;11;90\n4;pbft;12;90\n5;pbft;inf;90\n");
    desk.write("b.csv", ";system;ms;watched\n1;pbft;20;80\n2;pbft;;80\n3;pbft;21;80\n4;pbft;x;80\n5;pbft;22;80\n");
    let table = "compare a.csv b.csv --column ms --delimiter ; --missing - --lenient --jobs 2 --limit-column watched";
    let it = &json(&desk, &format!("{table} --by system --unit ms"))[0];
    assert_eq!((&it["unit"], &it["limit"], number(&it["difference"]["estimate"])), (&"ms".into(), &90.0.into(), 10.0));
    assert_eq!((it["a"]["runs"].as_u64(), it["b"]["runs"].as_u64()), (Some(4), Some(3)));
    let notes = it["notes"].to_string();
    for note in ["A: 1 of 5 rows have no value", "B: 1 of 5 rows have no value", "B: 1 of 5 rows cannot be used"] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    let it = &json(&desk, &format!("{table} --empty-is-failure --never system=raft"))[0];
    assert_eq!((it["b"]["runs"].as_u64(), it["b"]["completed"].as_u64()), (Some(4), Some(3)), "{it}");

    // Everything may lie below 0, and so may the limit.
    desk.write("c.csv", "x\n-5\n-4\n-1\n");
    let it = &json(&desk, "compare c.csv c.csv --column x --limit -2")[0];
    assert_eq!((number(&it["limit"]), it["a"]["completed"].as_u64()), (-2.0, Some(2)));
}

#[test]
fn damaged_folders_are_compared_on_request() {
    let desk = results(TUTORIAL);
    let log = desk.read("out/events.csv");
    let mut lines: Vec<&str> = log.lines().collect();
    lines[2] = "0,0,nonsense";
    desk.write("out/events.csv", lines.join("\n") + "\n");
    let refused = desk.byzlab(TWO_CELLS);
    assert!(refused.code == Some(2) && refused.stderr.contains("--lenient"), "{refused:?}");
    let it = &json(&desk, &format!("{TWO_CELLS} --lenient"))[0];
    let notes = it["notes"].to_string();
    assert!(notes.contains("A: runs without a value, for rows of theirs were skipped or are missing: 1"), "{notes}");
    assert!(notes.contains("A: 2 rows of the whole log were skipped, the first: "), "{notes}");
    assert!(!notes.contains("B: runs without a value"), "{notes}");
}

#[test]
fn groups_are_given_in_one_word_or_in_several() {
    let desk = results(TUTORIAL);
    let groups = json(&desk, "compare out out --by adversary.count,cell");
    assert_eq!((groups.len(), groups[1]["group"].clone()), (2, serde_json::json!({ "adversary.count": 2, "cell": 1 })));
    for by in ["--by adversary.count cell", "--by adversary.count --by cell"] {
        assert_eq!(json(&desk, &format!("compare out out {by}")), groups, "{by}");
    }
}

#[test]
fn what_cannot_be_compared_is_said_with_its_remedy() {
    let desk = results(TUTORIAL);
    desk.write("t.csv", "adversary.count,ms\n7,1\n7,2\n");
    desk.write("na.csv", "ms\n1\n-\n");
    let cases: [(&str, &str, &[&str]); 19] = [
        ("compare na.csv na.csv --column ms", "na.csv:3: column `ms` holds `-`", &["--missing", "--lenient"]),
        ("compare t.csv t.csv --column ms --delimiter ;", "t.csv:1: there is no column", &["--delimiter"]),
        ("compare t.csv t.csv --delimiter tab", "A (t.csv) is a table", &["the columns are: adversary.count,ms"]),
        ("compare out out --missing NA", "--missing is for CSV files", &["--metric"]),
        (
            "compare out t.csv --column ms --unit s",
            "--unit is for CSV files alone, but A is a results folder, in ms",
            &["--scale"],
        ),
        ("compare out nowhere", "B (nowhere): there is no such folder or file", &["byzlab run"]),
        ("compare nothing.csv out", "A (nothing.csv): there is no such folder or file", &["CSV"]),
        ("compare out t.csv", "B (t.csv) is a table", &["--column-b", "adversary.count, ms"]),
        ("compare out t.csv --column m", "t.csv:1: there is no column `m`", &["the columns are: adversary.count, ms"]),
        (
            "compare out t.csv --column ms --by adversary.count",
            "A and B have no group in common",
            &["adversary.count 0, 2", "7"],
        ),
        ("compare out out --where adversary.count=5", "A (out where adversary.count=5) has no runs", &["--where"]),
        ("compare out out --where-b flavour=5", "B (out) has no column `flavour`", &["adversary.count, cell"]),
        ("compare out out --column ms", "--column is for CSV files", &["--metric"]),
        ("compare t.csv t.csv --column ms --metric client", "--metric is for results folders", &["--column"]),
        ("compare out out --confidence=95", "confidence 95 is not between 0 and 1", &["0.95"]),
        (
            "compare out out --where-a adversary.count=0 --where-b adversary.count=2 --by adversary.count",
            "A and B have no group",
            &["--by"],
        ),
        ("compare t.csv out --column ms --scale 0", "", &["scale"]),
        ("compare out t.csv --column ms --where-b ms>5", "B (t.csv, column ms where ms>5) has no rows", &["--where-b"]),
        ("compare t.csv t.csv --column-b ms", "A (t.csv) is a table", &["--column-a"]),
    ];
    for (arguments, message, parts) in cases {
        refused(&desk.byzlab(arguments), message, parts);
    }
    for (arguments, words) in [
        ("compare out out --by flavour", "cannot group by `flavour`; use some of adversary.count"),
        ("compare out . ", "runs.csv: cannot read it"),
        ("compare out out --where count", "has no operator"),
    ] {
        let Finished { code, stdout, stderr } = desk.byzlab(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(stderr.contains(words), "{arguments}: {stderr}");
    }
}

#[test]
fn experiments_that_show_different_metrics_need_a_word() {
    let toml = "experiment = { runs = 5 }\nworkload = { requests = 4 }";
    let desk = results(toml);
    desk.write("other.toml", format!("{toml}\n[output]\nmetric = \"throughput\""));
    assert_eq!(desk.byzlab("run other.toml --out other").code, Some(0));
    refused(&desk.byzlab("compare out other"), "A shows all_commit, B throughput", &["--metric"]);
    let it = &json(&desk, "compare out other --metric throughput")[0];
    assert_eq!(
        (&it["metric"], &it["unit"], number(&it["difference"]["estimate"])),
        (&"throughput".into(), &"requests/s".into(), 0.0)
    );
    assert!(it["restricted_mean_difference"]["note"].as_str().unwrap().contains("a rate has no time limit"));
}
