//! The wide figures: the three failure-aware figures, and messages.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use byzlab_analysis::{
    AnalysisOptions, GroupSummary, Metric, Outcome, RunRow, RunTable, RunValue, RunWriter, read_message_kinds,
    summarize, summarize_messages, write_figures_plot, write_message_kinds_plot, write_message_plot,
};

/// A temporary folder, or one below `BYZLAB_PLOTS` to look at what is drawn.
fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("BYZLAB_PLOTS").map_or_else(|| temporary.path().to_owned(), PathBuf::from).join(name);
    fs::create_dir_all(&dir).unwrap();
    (temporary, dir)
}

/// The texts one after the other, as if no caption had been broken into lines.
fn texts(svg: &str) -> String {
    let text = |line: &str| Some(line.split_once('>')?.1.split_once('<')?.0.to_owned());
    let texts: Vec<String> = svg.lines().filter(|line| line.starts_with("<text")).filter_map(text).collect();
    texts.join(" ")
}

/// The SVG of these files; it was rendered, so it is well-formed.
fn read(written: &[PathBuf], name: &str) -> String {
    let Some([svg, png]) = written.first_chunk() else { return String::new() };
    assert!(svg.ends_with(format!("{name}.svg")) && png.ends_with(format!("{name}.png")), "{written:?}");
    assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"));
    let svg = fs::read_to_string(svg).unwrap();
    assert!(!svg.contains("NaN"), "{svg}");
    for line in svg.lines().filter(|line| !line.starts_with("<text")) {
        assert!(!line.contains("inf"), "{line}");
    }
    svg
}

/// One cell: the values of its keys, and of its runs those that completed; the others were out of time after 2 s.
type Cell<'a> = (&'a [&'a str], u32, u32, f64);

fn table(keys: &[&str], cells: &[Cell<'_>]) -> (RunTable, Vec<RunValue>) {
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (cell, &(parameters, runs, completed, ms)) in (0..).zip(cells) {
        for run in 0..runs {
            let is_completed = run < completed;
            // Evenly spread over ±20 %.
            let value = ms * (0.8 + 0.4 * f64::from(run * 37 % runs) / f64::from(runs));
            rows.push(RunRow {
                cell,
                run,
                seed: 1,
                parameters: parameters.iter().map(|&value| value.to_owned()).collect(),
                replicas: 10,
                faults: 3,
                corrupted: 0,
                outcome: if is_completed { Outcome::Completed } else { Outcome::Timeout },
                agreement: true,
                validity: true,
                requests: 2,
                completed: if is_completed { 2 } else { 0 },
                messages: 300 + u64::from(run % 7) + u64::from(cell) * 20,
                bytes: 40_000 + u64::from(run % 7) * 100,
                view_changes: 0,
                virtual_ns: if is_completed { (value * 1e6) as u64 } else { 2_000_000_000 },
                fingerprint: 0,
            });
            values.push(RunValue { value: is_completed.then_some(value), undefined: 0 });
        }
    }
    (RunTable { swept_keys: keys.iter().map(|&key| key.to_owned()).collect(), rows }, values)
}

fn groups(metric: Metric, keys: &[&str], cells: &[Cell<'_>]) -> Vec<GroupSummary> {
    let (table, values) = table(keys, cells);
    summarize(&table, Some(&values), &AnalysisOptions { metric, ..AnalysisOptions::default() }).unwrap()
}

fn figures(name: &str, groups: &[GroupSummary]) -> String {
    let (_temporary, dir) = folder(name);
    read(&write_figures_plot(&dir, groups).unwrap(), "figures")
}

#[test]
fn the_three_figures_side_by_side() {
    let counts: Vec<String> = (0..10).map(|count| count.to_string()).collect();
    let keys: Vec<[&str; 1]> = counts.iter().map(|count| [count.as_str()]).collect();
    let completed = [200, 180, 160, 131, 60, 0, 0, 0, 0, 0];
    let cells: Vec<Cell<'_>> = keys
        .iter()
        .zip(completed)
        .zip(0..)
        .map(|((key, done), index)| (&key[..], 200, done, 84.0 + 9.0 * f64::from(index)))
        .collect();
    let svg = figures("figures", &groups(Metric::AllCommit, &["adversary.count"], &cells));
    let texts = texts(&svg);
    for text in [
        "Consensus latency (all_commit), with its failures",
        "How often: success rate",
        "completed runs [%]",
        "Of completed runs alone: mean latency",
        "mean of completed runs [ms of virtual time]",
        "Of all runs: latency, failures counted",
        "of all runs [ms of virtual time] (log scale)",
        "right, filled: restricted mean to 2000 ms",
        "right, hollow: median",
        "the median lies among the failures",
        "&gt; 2000",
        "200 runs a cell, completed 0–200.",
        "95 % intervals over runs",
    ] {
        assert!(texts.contains(text), "{text}: {texts}");
    }
    // Crosses in the middle for five cells, arrows at the right for six: two strokes each, three each, of width 2.
    let strokes = |width: &str| svg.lines().filter(|line| line.starts_with("<line") && line.ends_with(width)).count();
    assert_eq!(strokes(r#"stroke-width="2"/>"#), 5 * 2 + 6 * 3 + 3, "with one arrow in the legend");
}

#[test]
fn a_family_of_lines() {
    let cells: Vec<[String; 2]> =
        (0..4).flat_map(|count| ["0", "0.001", "0.01"].map(|drop| [count.to_string(), drop.to_owned()])).collect();
    let keys: Vec<[&str; 2]> = cells.iter().map(|[count, drop]| [count.as_str(), drop.as_str()]).collect();
    let cells: Vec<Cell<'_>> = keys
        .iter()
        .zip(0..)
        .map(|(key, index)| (&key[..], 40, 40 - 3 * index, 60.0 + 4.0 * f64::from(index)))
        .collect();
    let groups = groups(Metric::Client, &["adversary.count", "network.drop"], &cells);
    let texts = texts(&figures("family figures", &groups));
    assert!(texts.contains("Client latency, with its failures") && texts.contains("network.drop = 0.001"), "{texts}");
    // Once in the legend, though drawn in three panels.
    assert_eq!(texts.matches("network.drop = 0.001").count(), 1);
}

#[test]
fn odd_groups() {
    assert_eq!(figures("none", &[]), "");
    let all: [Cell<'_>; 2] = [(&["1"], 30, 30, 50.0), (&["2"], 30, 30, 60.0)];
    let svg = texts(&figures("none failed", &groups(Metric::AllCommit, &["key"], &all)));
    assert!(!svg.contains("among the failures"), "{svg}");
    let none: [Cell<'_>; 2] = [(&["1"], 30, 0, 50.0), (&["2"], 30, 0, 60.0)];
    let svg = texts(&figures("all failed", &groups(Metric::AllCommit, &["key"], &none)));
    assert!(svg.contains("no completed") && svg.contains("among the failures"), "{svg}");
    // Numbers stand at the success rate, 0 to 100, and at the restricted means, which begin at 0; none are invented in the middle.
    assert!(svg.contains("no value") && !svg.contains("0.2"), "{svg}");
    let zeros = svg.split(' ').filter(|text| *text == "0").count();
    assert_eq!(zeros, 2, "{svg}");
    // One run, without a key; equal values.
    figures("one run", &groups(Metric::AllCommit, &[], &[(&[], 1, 1, 50.0)]));
    let svg = texts(&figures("no key", &groups(Metric::AllCommit, &[], &[(&[], 20, 15, 50.0)])));
    assert!(svg.contains("all runs"), "{svg}");
    figures("zero", &groups(Metric::AllCommit, &["key"], &[(&["1"], 5, 5, 0.0)]));
    // A throughput that failed is not known to be high.
    let svg = texts(&figures("throughput figures", &groups(Metric::Throughput, &["key"], &all)));
    assert!(svg.contains("nothing can be said of all runs") && !svg.contains("restricted"), "{svg}");
}

#[test]
fn messages_a_run_and_an_accepted_request() {
    let cells: [Cell<'_>; 3] = [(&["1"], 40, 40, 50.0), (&["2"], 40, 20, 60.0), (&["3"], 40, 0, 60.0)];
    let (table, _) = table(&["adversary.count"], &cells);
    let summaries = summarize_messages(&table, None, 0.95).unwrap();
    let [first, second, third] = &summaries[..] else { panic!("{summaries:?}") };
    // Run indices modulo 7: 0 to 6 five times, then 0 to 4.
    let mean = 300.0 + (21.0 * 5.0 + 10.0) / 40.0;
    assert!((first.messages.estimate.unwrap() - mean).abs() < 1e-9);
    assert!((first.messages_per_request.estimate.unwrap() - mean / 2.0).abs() < 1e-9);
    // All runs count, but only half of them accepted something.
    assert!((second.messages_per_request.estimate.unwrap() - (mean + 20.0)).abs() < 1e-9);
    assert_eq!(third.messages_per_request.estimate, None);
    let (_temporary, dir) = folder("messages");
    let svg = read(&write_message_plot(&dir, &summaries).unwrap(), "messages");
    let texts = texts(&svg);
    for text in [
        "Messages sent",
        "mean messages a run",
        "messages per accepted request",
        "mean size a run [kB]",
        "nothing",
        "40 runs a cell, completed 0–40; all count",
        "Student t",
    ] {
        assert!(texts.contains(text), "{text}: {texts}");
    }
    assert_eq!(write_message_plot(&dir, &[]).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn messages_by_kind() {
    let (_temporary, dir) = folder("kinds");
    let keys: [&[&str]; 4] = [&["1", "x"], &["1", "y"], &["2", "x"], &["2", "y"]];
    let cells = keys.map(|key| (key, 3, 3, 50.0));
    let (table, _) = table(&["cluster.replicas", "other"], &cells);
    let mut runs = RunWriter::new(Vec::new(), &table.swept_keys).unwrap();
    let mut log = "cell,run,time_ns,node,event,view,seq,digest,peer,message,bytes,value\n".to_owned();
    for row in &table.rows {
        runs.write(row).unwrap();
        let (cell, run) = (row.cell, row.run);
        writeln!(log, "{cell},{run},0,4,request,,1,00000000000000aa,,,,").unwrap();
        for number in 1..=row.completed {
            writeln!(log, "{cell},{run},3,4,reply,,{number},00000000000000aa,,,,").unwrap();
        }
        for (kind, count) in [("prepare", 20 + 10 * cell + run), ("commit", 10), ("status", 1)] {
            for _ in 0..count {
                writeln!(log, "{cell},{run},5,0,send,,,,1,{kind},100,").unwrap();
            }
        }
    }
    fs::write(dir.join("runs.csv"), runs.finish().unwrap()).unwrap();
    fs::write(dir.join("events.csv"), &log).unwrap();
    let options = AnalysisOptions::default();
    let groups = read_message_kinds(&dir, &options).unwrap().unwrap();
    let means: Vec<(&str, Option<f64>)> =
        groups[2].kinds.iter().map(|(kind, mean)| (kind.as_str(), mean.estimate)).collect();
    assert_eq!(means, [("commit", Some(10.0)), ("prepare", Some(41.0)), ("status", Some(1.0))]);
    let svg = read(&write_message_kinds_plot(&dir, &groups).unwrap(), "message_kinds");
    let texts = texts(&svg);
    for text in
        ["Messages sent, by kind", "mean messages a run", "prepare", "status", "the 2 of 4 cells with other = x"]
    {
        assert!(texts.contains(text), "{text}: {texts}");
    }
    // The most frequent kind comes first.
    assert!(texts.find("prepare") < texts.find("commit") && texts.find("commit") < texts.find("status"));
    // One message in one of many runs: its interval reaches below 0, the axis does not.
    let rare = |row: &str| !row.contains(",status,") || row.starts_with("0,0,");
    let rows = log.lines().filter(|row| rare(row));
    fs::write(dir.join("events.csv"), rows.fold(String::new(), |log, row| log + row + "\n")).unwrap();
    let groups = read_message_kinds(&dir, &options).unwrap().unwrap();
    let svg = read(&write_message_kinds_plot(&dir, &groups).unwrap(), "message_kinds");
    let seen: Vec<&str> = svg.lines().filter(|line| line.contains(">-")).collect();
    assert!(seen.is_empty(), "{seen:?}");
    let caption = svg.lines().filter_map(|line| line.split_once('>')?.1.split_once('<')).map(|(text, _)| text);
    assert!(caption.collect::<Vec<&str>>().join(" ").contains("goes on below 0"), "{svg}");
    // A log without messages.
    let rows = log.lines().filter(|row| !row.contains(",send,"));
    fs::write(dir.join("events.csv"), rows.fold(String::new(), |log, row| log + row + "\n")).unwrap();
    assert_eq!(read_message_kinds(&dir, &options).unwrap(), None);
    assert_eq!(write_message_kinds_plot(&dir, &[]).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn the_interval_of_a_ratio_is_that_of_equal_denominators_if_they_are_equal() {
    // With as many requests in each run the ratio is a mean, divided by a constant.
    let (table, _) = table(&[], &[(&[], 25, 25, 50.0)]);
    let summary = &summarize_messages(&table, None, 0.9).unwrap()[0];
    let (mean, ratio) = (&summary.messages, &summary.messages_per_request);
    for (of_mean, of_ratio) in [(mean.lower, ratio.lower), (mean.upper, ratio.upper)] {
        assert!((of_mean.unwrap() / 2.0 - of_ratio.unwrap()).abs() < 1e-9);
    }
}
