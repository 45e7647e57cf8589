//! `byzlab analyze`: what a script and a reader get from a results folder.

mod program;

use byzlab_analysis::{LatencyParts, LatencyPartsWriter, Part, PartTimes};
use program::{Desk, Finished};
use serde_json::Value;

/// Four runs of ten complete with two corrupted replicas, whatever the seed: half of the runs of one cell never do.
const EXPERIMENT: &str = r#"
    experiment = { runs = 20, time_limit = "1s" }
    [workload]
    requests = 2
    [adversary]
    selection = "first"
    attack = [{ kind = "silent" }]
    [sweep]
    "adversary.count" = [0, 1]
    "network.latency.max" = ["35ms", "50ms"]
    [network]
    latency = { distribution = "uniform", min = "5ms", max = "35ms" }
"#;

#[test]
fn json_has_all_fields_with_their_types() {
    let desk = results(EXPERIMENT);
    let groups = json(&desk, "");
    assert_eq!(groups.len(), 4);
    for (group, (count, max)) in groups.iter().zip([(0, "35ms"), (0, "50ms"), (1, "35ms"), (1, "50ms")]) {
        // Numbers are numbers, texts are texts.
        assert_eq!(group["group"], serde_json::json!({ "adversary.count": count, "network.latency.max": max }));
        assert_eq!((&group["metric"], &group["unit"]), (&"all_commit".into(), &"ms".into()));
        assert_eq!((group["runs"].as_u64(), group["confidence"].as_f64()), (Some(20), Some(0.95)));
        assert_eq!(group["requests"].as_u64(), Some(40));
        assert!(group["notes"].is_array());
        for key in ["completed", "errors", "requests_completed", "measured_runs", "undefined_samples"] {
            assert!(group[key].is_u64(), "{key} in {group}");
        }
        let all = &group["unconditional"];
        assert_eq!((all["n"].as_u64(), all["limit"].as_f64()), (Some(20), Some(1000.0)), "the time limit is known");
        let of_some = ["success", "agreement", "mean", "standard_deviation", "median", "p99"].map(|key| &group[key]);
        let of_all = ["median", "p90", "p99", "restricted_mean"].map(|key| &all[key]);
        for estimate in of_some.into_iter().chain(of_all) {
            assert!(estimate["method"].is_string(), "{estimate} in {group}");
            for end in ["estimate", "lower", "upper"] {
                assert!(estimate[end].is_f64() || estimate[end].is_null(), "{end} of {estimate} in {group}");
            }
            let is_whole = ["estimate", "lower", "upper"].iter().all(|end| estimate[end].is_f64());
            assert!(is_whole || estimate["note"].is_string(), "{estimate} in {group}");
        }
        assert_eq!(group["agreement"]["estimate"], 1.0);
    }
}

/// A silent primary stops everything: the latency is undefined, and says why.
#[test]
fn what_is_undefined_is_null_with_a_note() {
    let desk = results(EXPERIMENT);
    let groups = json(&desk, "--by adversary.count");
    assert_eq!(groups.len(), 2);
    let [works, stuck] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!((works["completed"].as_u64(), works["success"]["estimate"].as_f64()), (Some(40), Some(1.0)));
    assert_eq!((stuck["completed"].as_u64(), stuck["success"]["estimate"].as_f64()), (Some(0), Some(0.0)));
    assert_eq!((works["requests_share"].as_f64(), stuck["requests_share"].as_f64()), (Some(1.0), Some(0.0)));
    for figure in ["mean", "median", "p99"] {
        let (works, stuck) = (&works[figure], &stuck[figure]);
        assert!((15.0..200.0).contains(&works["estimate"].as_f64().unwrap()), "{works}");
        for end in ["estimate", "lower", "upper"] {
            assert!(stuck[end].is_null(), "{stuck}");
        }
        assert_eq!(stuck["note"], "no completed run");
    }
    // Of all runs that is a result: it takes longer than the time limit.
    let (some, none) = (&works["unconditional"], &stuck["unconditional"]);
    for figure in ["median", "p90", "p99"] {
        assert!(some[figure]["estimate"].is_f64() && some[figure]["above"].is_null(), "{some}");
        assert_eq!((&none[figure]["estimate"], none[figure]["above"].as_f64()), (&Value::Null, Some(1000.0)), "{none}");
    }
    assert_eq!(none["restricted_mean"]["estimate"], 1000.0);
    assert_eq!(some["restricted_mean"]["estimate"], works["mean"]["estimate"]);
    // 40 runs are too few for the upper end of a 99 % quantile.
    assert!(works["p99"]["upper"].is_null());
    assert_eq!(works["p99"]["note"], "upper end undefined: needs at least 368 runs");
    assert!(works["mean"]["note"].is_null() && works["median"]["note"].is_null());
}

#[test]
fn runs_that_lack_time_say_what_to_do_and_which_picture_is_missing() {
    let desk = Desk::with(
        "[experiment]\nruns = 2\ntime_limit = \"100ms\"\n[workload]\nrequests = 100\n[sweep]\n\"workload.clients\" = [1, 2]",
    );
    let Finished { code, stdout, stderr } = desk.byzlab("run e.toml --out out");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("raise experiment.time_limit or ask for fewer requests"), "{stdout}");
    assert!(stderr.contains("no saturation.svg: no cell has both a client latency and a throughput"), "{stderr}");
    let Finished { stderr, .. } = desk.byzlab("run e.toml --out out --force --set workload.requests=1");
    assert!(!stderr.contains("no saturation.svg") && desk.path("out/saturation.svg").exists(), "{stderr}");
}

#[test]
fn runs_can_be_grouped_by_other_columns() {
    let desk = results(EXPERIMENT);
    for (by, groups, runs) in
        [("replicas", 1, 80), ("corrupted", 2, 40), ("cell", 4, 20), ("network.latency.max", 2, 40)]
    {
        let all = json(&desk, &format!("--by {by}"));
        assert_eq!(all.len(), groups, "{by}");
        for group in &all {
            assert_eq!(group["runs"], runs, "{by}");
            assert_eq!(group["group"].as_object().unwrap().keys().collect::<Vec<_>>(), [by]);
        }
    }
    let both = json(&desk, "--by corrupted network.latency.max");
    assert_eq!(both.len(), 4);
    for by in ["--by corrupted,network.latency.max", "--by corrupted --by network.latency.max"] {
        assert_eq!(json(&desk, by), both, "{by}");
    }
    // A folder behind the keys is the folder.
    for arguments in ["--by corrupted network.latency.max out", "--by corrupted,network.latency.max out"] {
        let Finished { code, stdout, stderr } = desk.byzlab(&format!("analyze --format json {arguments}"));
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(serde_json::from_str::<Vec<Value>>(&stdout).unwrap(), both, "{arguments}");
    }
    program::refused(&desk.byzlab("analyze --by corrupted nowhere"), "which results folder", &["analyze DIR --by"]);
    let nothing = desk.byzlab("analyze");
    assert!(nothing.code == Some(2) && nothing.stderr.contains("byzlab analyze [OPTIONS] <DIR>"), "{nothing:?}");
    let Finished { code, stderr, .. } = desk.byzlab("analyze out --by latency");
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("cannot group by `latency`; use some of adversary.count, network.latency.max, cell"),
        "{stderr}"
    );
}

#[test]
fn a_metric_can_be_chosen() {
    let desk = results(EXPERIMENT);
    let mean = |metric: &str| {
        let groups = json(&desk, &format!("--metric {metric}"));
        assert_eq!(groups[0]["metric"], metric);
        groups[0]["mean"]["estimate"].as_f64().unwrap()
    };
    let (first, quorum, all, client) =
        (mean("first_commit"), mean("quorum_commit"), mean("all_commit"), mean("client"));
    assert!(first < quorum && quorum < all, "{first} {quorum} {all}");
    assert!((first..all).contains(&mean("replica_commit")));
    // Request and reply take 20 ms each on average, of which the fastest of f+1 replies is a little less.
    assert!(client > quorum + 15.0, "{client} {quorum}");
    let from_request = mean("all_commit_from_request");
    assert!(from_request > all + 5.0 && from_request < all + 35.0, "{from_request} {all}");
}

#[test]
fn throughput_is_a_metric() {
    let toml = "experiment = { runs = 5 }\nworkload = { requests = 4 }\n[output]\nmetric = \"throughput\"\n\
                [sweep]\n\"workload.clients\" = [1, 2]";
    let desk = results(toml);
    let [one, two] = &json(&desk, "")[..] else { panic!("two cells") };
    assert_eq!((&one["metric"], &one["unit"]), (&"throughput".into(), &"requests/s".into()));
    let mean = |group: &Value| group["mean"]["estimate"].as_f64().unwrap();
    // Closed loop: one client's requests follow each other, two clients have two under way.
    let latency = mean(&json(&desk, "--metric client")[0]) / 1e3;
    assert!((mean(one) * latency - 1.0).abs() < 0.2, "{} requests/s at {latency} s", mean(one));
    assert!(mean(two) > 1.5 * mean(one), "{one} {two}");
    assert!(desk.path("out/throughput.svg").exists() && !desk.path("out/latency.svg").exists());
    assert!(desk.read("out/throughput.svg").contains("mean throughput [requests/s of virtual time]"));
    // And what is swept is the load.
    let curve = desk.read("out/saturation.svg");
    assert!(
        curve.contains("mean client latency [ms of virtual time]") && curve.contains("workload.clients"),
        "{curve}"
    );
}

/// The file is made by hand: one request of the first run, and one of the second.
#[test]
fn the_parts_of_latencies_are_shown() {
    let desk = results("experiment = { runs = 2 }");
    let Finished { code, stdout, stderr } = desk.byzlab("analyze out --parts");
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(
        stderr.contains("latency_parts.csv: cannot read it") && stderr.contains("latency_parts = true"),
        "{stderr}"
    );

    let mut writer = LatencyPartsWriter::new(Vec::new()).unwrap();
    for (run, ms) in [(0, 20), (1, 30)] {
        let mut parts = PartTimes::default();
        parts[Part::NetPrepare] = ms * 1_000_000;
        parts[Part::Order] = 5_000_000;
        let accepted_ns = (ms + 5) * 1_000_000;
        let path = "4 request 0 prepare 1 reply 4";
        let (prepare_from, commit_from, reply_from) = (Some(0), None, Some(1));
        let (cell, client, seq, issued_ns) = (0, 4, 1, 0);
        let row = LatencyParts {
            cell,
            run,
            client,
            seq,
            issued_ns,
            accepted_ns,
            parts,
            prepare_from,
            commit_from,
            reply_from,
            path,
        };
        writer.write(&row).unwrap();
    }
    desk.write("out/latency_parts.csv", String::from_utf8(writer.finish().unwrap()).unwrap());
    let groups = json(&desk, "--parts --confidence 0.9");
    assert_eq!((&groups[0]["total"]["estimate"], &groups[0]["confidence"]), (&30.0.into(), &0.9.into()));
    assert_eq!(groups[0]["parts"]["net_prepare"]["estimate"], 25.0);
    let table = desk.byzlab("analyze out --parts").stdout;
    assert!(table.contains("net_prepare ms") && table.contains("0 everywhere, not shown: client_wait"), "{table}");
    let csv = desk.byzlab("analyze out --parts --format csv --by replicas").stdout;
    assert!(csv.starts_with("replicas,unit,") && csv.contains("\n4,ms,0.95,2,2,0,2,2,"), "{csv}");
    assert_eq!(desk.byzlab("analyze out --parts --metric client").code, Some(2));
}

#[test]
fn more_confidence_means_wider_intervals() {
    let desk = results(EXPERIMENT);
    let (usual, sure) = (&json(&desk, "")[0], &json(&desk, "--confidence 0.99")[0]);
    assert_eq!(sure["confidence"], 0.99);
    for figure in ["success", "mean", "median"] {
        let width = |group: &Value| group[figure]["upper"].as_f64().unwrap() - group[figure]["lower"].as_f64().unwrap();
        assert_eq!(usual[figure]["estimate"], sure[figure]["estimate"]);
        assert!(width(sure) > width(usual), "{figure}");
    }
    for confidence in ["0", "1", "1.5", "nan", "-0.5"] {
        let Finished { code, stdout, stderr } = desk.byzlab(&format!("analyze out --confidence={confidence}"));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{confidence}");
        assert!(stderr.contains("not between 0 and 1; use for example 0.95"), "{stderr}");
    }
}

#[test]
fn intervals_are_made_as_asked() {
    let desk = results(EXPERIMENT);
    let usual = &json(&desk, "")[0];
    let exact = &json(&desk, "--proportion clopper-pearson")[0];
    assert_eq!(
        (&usual["success"]["method"], &exact["success"]["method"]),
        (&"Wilson score".into(), &"Clopper–Pearson".into())
    );
    assert!(exact["success"]["lower"].as_f64() < usual["success"]["lower"].as_f64(), "{exact}");

    let bootstrap = |arguments: &str| json(&desk, arguments).remove(0)["mean"].clone();
    let seven = bootstrap("--bootstrap=500 --seed 7");
    assert_eq!(seven["method"], "BCa bootstrap (500 resamples, seed 7, ties count half) over completed runs");
    assert_eq!((&seven["estimate"], &seven), (&usual["mean"]["estimate"], &bootstrap("--bootstrap=500 --seed 7")));
    assert_ne!(seven["lower"], bootstrap("--bootstrap=500 --seed 8")["lower"]);
    assert!(
        bootstrap("--bootstrap")["method"].as_str().unwrap().starts_with("BCa bootstrap (10000 resamples, seed 1,")
    );
    let table = desk.byzlab("analyze out --bootstrap=500").stdout;
    assert!(table.contains("BCa bootstrap (500 resamples, seed 1, ties count half) for means"), "{table}");
    for bad in ["--bootstrap=99", "--bootstrap=many", "--seed 3", "--proportion wald", "--jobs 0", "--lenient --parts"]
    {
        assert_eq!(desk.byzlab(&format!("analyze out {bad}")).code, Some(2), "{bad}");
    }
}

/// A log that ends in a row: refused, and on request read with a count of what that costs.
#[test]
fn damaged_logs_can_be_read_leniently() {
    let desk = results(EXPERIMENT);
    let whole = desk.byzlab("analyze out --format json").stdout;
    for jobs in ["--jobs 1", "--jobs 3", "--lenient"] {
        let Finished { stdout, stderr, .. } = desk.byzlab(&format!("analyze out --format json {jobs}"));
        assert_eq!((stdout == whole, stderr.as_str()), (true, ""), "{jobs}");
    }
    let text = desk.read("out/events.csv");
    let place = text.rfind("\n0,3,").unwrap();
    desk.write("out/events.csv", format!("{}\n0,3,damage{}", &text[..place], &text[place..]));
    let Finished { code, stderr, .. } = desk.byzlab("analyze out");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("events.csv:") && stderr.contains("--lenient"), "{stderr}");

    let Finished { code, stdout, stderr } = desk.byzlab("analyze out --lenient --format json");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("1 row of the whole log was skipped, the first: "), "{stderr}");
    let groups: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&groups[0]["completed"], &groups[0]["measured_runs"]), (&20.into(), &19.into()));
    let note = "1 run of this group has no value: rows of the log were skipped or are missing";
    let has_note = |group: &Value| group["notes"].as_array().unwrap().iter().any(|text| text == note);
    assert!(has_note(&groups[0]) && !has_note(&groups[1]), "{groups:?}");
}

#[test]
fn the_table_is_the_one_that_run_shows() {
    let desk = Desk::with(EXPERIMENT);
    let shown = desk.byzlab("run e.toml --out out");
    let again = desk.byzlab("analyze out");
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    assert_eq!(again.stdout, shown.stdout);
    for part in [
        "adversary.count  network.latency.max",
        "success %",
        "20/20",
        "0/20",
        "100 [83.9–100]",
        "95 % intervals",
        "of completed runs",
        "of all runs, failures as +∞",
        "mean to 1000 ms",
        "> 1000",
    ] {
        assert!(shown.stdout.contains(part), "no `{part}` in\n{}", shown.stdout);
    }
}

#[test]
fn csv_has_a_row_for_each_group() {
    let desk = results(EXPERIMENT);
    let Finished { code, stdout, .. } = desk.byzlab("analyze out --format csv");
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[0].starts_with("adversary.count,network.latency.max,metric,unit,confidence,runs,completed,"));
    assert!(lines[1].starts_with("0,35ms,all_commit,ms,0.95,20,20,"), "{}", lines[1]);
    assert!(lines[4].starts_with("1,50ms,all_commit,ms,0.95,20,0,"), "{}", lines[4]);
}

#[test]
fn without_events_there_is_success_but_no_latency() {
    let desk = results(&format!("{EXPERIMENT}\n[output]\nevents = \"none\""));
    assert!(!desk.path("out/saturation.svg").exists());
    let groups = json(&desk, "");
    assert_eq!(groups[0]["success"]["estimate"], 1.0);
    for figure in ["mean", "median", "p99"] {
        assert!(groups[0][figure]["estimate"].is_null());
        let note = groups[0][figure]["note"].as_str().unwrap();
        assert!(note.contains("no events.csv") && note.contains("events = \"protocol\""), "{note}");
    }
    let table = desk.byzlab("analyze out").stdout;
    assert!(table.contains("20/20") && table.contains("no events.csv"), "{table}");
}

/// The warm-up is part of the experiment, not of the command line.
#[test]
fn the_warm_up_is_left_out() {
    let toml = |warmup| format!("experiment = {{ runs = 5 }}\nworkload = {{ requests = 4, warmup = \"{warmup}\" }}");
    let sample = |warmup| json(&results(&toml(warmup)), "--metric client")[0]["mean"]["estimate"].as_f64();
    let (all, some) = (sample("0ms"), sample("150ms"));
    assert!(all.is_some() && some.is_some() && all != some, "{all:?} {some:?}");
    assert_eq!(sample("9s"), None);
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let cells: Vec<String> = (1..400).map(|ms| format!("\"{ms}ms\"")).collect();
    let sweep = format!("\"experiment.time_limit\" = [{}]", cells.join(", "));
    let desk = results(&format!("experiment = {{ runs = 2 }}\n[sweep]\n{sweep}"));
    for format in ["table", "json", "csv"] {
        // Of JSON and CSV that is more than fits into a pipe, so that the program meets the closed end.
        let line = format!("{{ \"$byzlab\" analyze out --format {format}; echo $? >code; }} | head -n 1");
        let finished = desk.shell(&line);
        assert_eq!((desk.read("code").as_str(), finished.stderr.as_str()), ("0\n", ""), "{format}");
        assert_eq!(finished.stdout.lines().count(), 1);
    }
}

fn results(toml: &str) -> Desk {
    let desk = Desk::with(toml);
    let finished = desk.byzlab("run e.toml --out out");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    desk
}

fn json(desk: &Desk, arguments: &str) -> Vec<Value> {
    let Finished { code, stdout, stderr } = desk.byzlab(&format!("analyze out --format json {arguments}"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments}");
    serde_json::from_str(&stdout).unwrap()
}
