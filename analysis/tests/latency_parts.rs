//! `latency_parts.csv`: the format, what follows from it, and what it looks like.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use byzlab_analysis::parts::LATENCY_PARTS_COLUMNS;
use byzlab_analysis::{
    LatencyParts, LatencyPartsReader, LatencyPartsWriter, Outcome, Part, PartTimes, PartsSummary, RunRow, RunWriter,
    render, summarize_parts, write_parts_plot,
};

/// A request of client 4 whose parts take these times in ms, issued at `start_ms`.
fn request(cell: u32, run: u32, seq: u64, start_ms: u64, times: &[(Part, u64)]) -> LatencyParts<'static> {
    let mut parts = PartTimes::default();
    for &(part, ms) in times {
        parts[part] += ms * 1_000_000;
    }
    let issued_ns = start_ms * 1_000_000;
    LatencyParts {
        cell,
        run,
        client: 4,
        seq,
        issued_ns,
        accepted_ns: issued_ns + parts.sum().unwrap(),
        parts,
        prepare_from: Some(2),
        commit_from: None,
        reply_from: Some(0),
        path: "4 request 0 pre_prepare 2 prepare 1 commit 3 reply 4",
    }
}

fn run_row(cell: u32, run: u32, parameters: &[&str], outcome: Outcome) -> RunRow {
    RunRow {
        cell,
        run,
        seed: 1,
        parameters: parameters.iter().map(|&value| value.to_owned()).collect(),
        replicas: 4,
        faults: 1,
        corrupted: 0,
        outcome,
        agreement: true,
        validity: true,
        requests: 2,
        completed: 2,
        messages: 0,
        bytes: 0,
        view_changes: 0,
        virtual_ns: 0,
        fingerprint: 0,
    }
}

fn write_folder(dir: &Path, keys: &[&str], rows: &[RunRow], requests: &[LatencyParts<'_>]) {
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    let mut runs = RunWriter::new(File::create(dir.join("runs.csv")).unwrap(), &keys).unwrap();
    for row in rows {
        runs.write(row).unwrap();
    }
    runs.finish().unwrap();
    let mut parts = LatencyPartsWriter::new(File::create(dir.join("latency_parts.csv")).unwrap()).unwrap();
    for request in requests {
        parts.write(request).unwrap();
    }
    parts.finish().unwrap();
}

/// Two cells of two runs of two requests; the last run has timed out with one.
fn small_folder() -> tempfile::TempDir {
    use Part::{NetReply, NetRequest, Queue};
    let dir = tempfile::tempdir().unwrap();
    let outcome = |cell, run| if (cell, run) == (1, 1) { Outcome::Timeout } else { Outcome::Completed };
    let row = |(cell, run): (u32, u32)| run_row(cell, run, &[["0", "0.1"][cell as usize]], outcome(cell, run));
    let requests = [
        request(0, 0, 1, 0, &[(NetRequest, 10), (NetReply, 20)]),
        request(0, 0, 2, 30, &[(NetRequest, 20), (NetReply, 30)]),
        request(0, 1, 1, 0, &[(NetRequest, 5), (NetReply, 10)]),
        request(0, 1, 2, 15, &[(NetRequest, 15), (NetReply, 10), (Queue, 4)]),
        request(1, 0, 1, 0, &[(NetRequest, 10), (NetReply, 10)]),
        request(1, 0, 2, 20, &[(NetRequest, 12), (NetReply, 10)]),
        request(1, 1, 1, 0, &[(NetRequest, 100)]),
    ];
    let rows: Vec<RunRow> = [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().map(row).collect();
    write_folder(dir.path(), &["network.drop"], &rows, &requests);
    dir
}

fn mean(group: &PartsSummary, part: Part) -> Option<f64> {
    group.parts[part as usize].mean.estimate
}

#[track_caller]
fn assert_near(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("defined");
    assert!((actual - expected).abs() < 1e-9, "{actual} instead of {expected}");
}

#[test]
fn what_is_written_reads_back() {
    let rows = [
        LatencyParts { path: "", reply_from: None, ..request(0, 0, 0, 0, &[]) },
        request(0, 0, 7, 5, &Part::ALL.map(|part| (part, part as u64 + 1))),
        LatencyParts { client: u32::MAX, seq: u64::MAX, ..request(3, u32::MAX, 1, 1, &[(Part::Order, 3)]) },
    ];
    let mut writer = LatencyPartsWriter::new(Vec::new()).unwrap();
    for row in &rows {
        writer.write(row).unwrap();
    }
    let file = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert!(file.starts_with("cell,run,client,seq,issued_ns,accepted_ns,client_wait_ns,net_request_ns,"), "{file}");
    for file in [file.clone(), file.replace('\n', "\r\n")] {
        let mut reader = LatencyPartsReader::new(file.as_bytes(), "latency_parts.csv").unwrap();
        for row in &rows {
            assert_eq!(reader.next_row().unwrap().as_ref(), Some(row));
        }
        assert_eq!(reader.next_row().unwrap(), None);
    }
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let good = request(0, 0, 1, 5, &[(Part::Cpu, 3)]);
    let mut writer = LatencyPartsWriter::without_header(Vec::new());
    for bad in [
        LatencyParts { path: "4 request, 0", ..good },
        LatencyParts { path: "4 \"request\" 0", ..good },
        LatencyParts { path: "4\n0", ..good },
        LatencyParts { accepted_ns: good.accepted_ns + 1, ..good },
        LatencyParts { accepted_ns: 0, ..good },
    ] {
        let error = writer.write(&bad).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{bad:?}");
    }
    assert_eq!(writer.finish().unwrap(), b"");
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let header = LATENCY_PARTS_COLUMNS.join(",");
    let good = "0,7,4,1,100,150,0,20,0,0,0,30,0,0,0,0,0,0,0,0,,,0,4 request 0 reply 4";
    let with = |column: &str, text: &str| {
        let index = LATENCY_PARTS_COLUMNS.iter().position(|name| *name == column).unwrap();
        let mut fields: Vec<&str> = good.split(',').collect();
        fields[index] = text;
        fields.join(",") + "\n"
    };
    let late = with("seq", "2").replace(",100,150,", ",50,100,");
    let huge = with("cpu_ns", &u64::MAX.to_string());
    let cases: &[(String, &[&str])] = &[
        (with("cell", "-1"), &[":2: column `cell` holds \"-1\"", "whole number"]),
        (with("run", "+7"), &[":2: column `run` holds \"+7\""]),
        (with("client", "4294967296"), &[":2 (cell 0, run 7): column `client`"]),
        (with("seq", ""), &["column `seq` holds \"\""]),
        (with("queue_ns", "1.5"), &["column `queue_ns` holds \"1.5\""]),
        (with("prepare_from", "x"), &["column `prepare_from` holds \"x\"", "node, or nothing"]),
        (with("path", "4 \"request\""), &["column `path`", "without quotes"]),
        (with("net_request_ns", "21"), &["add up to 51 ns", "it is 50 ns", "run again"]),
        (huge, &["add up to more than 2^64 ns", "it is 50 ns"]),
        (with("issued_ns", "200"), &["accepted at 150 ns, before it was issued at 200 ns"]),
        (format!("{good}\n{good}\n"), &[":3 (cell 0, run 7)", "request 1 of client 4 has a row already"]),
        (format!("{good}\n{late}"), &[":3 (cell 0, run 7)", "`accepted_ns` runs backwards, from 150 to 100 ns"]),
        (format!("{good}\n{}", with("run", "6")), &[":3 (cell 0, run 6)", "comes after cell 0, run 7", "again"]),
        (format!("{good},1\n"), &[":2 (cell 0, run 7): the row has 25 fields instead of 24"]),
        ("\n".to_owned(), &[":2: the row has 1 fields"]),
        (good.to_owned(), &[":2 (cell 0, run 7): the file ends in the middle of a row"]),
        (format!("{}\n", "x".repeat(70_000)), &[":2: the row is longer than 64 KiB"]),
    ];
    for (rows, words) in cases {
        let file = format!("{header}\n{rows}");
        let mut reader = LatencyPartsReader::new(file.as_bytes(), "latency_parts.csv").unwrap();
        let error = loop {
            match reader.next_row() {
                Ok(row) => assert!(row.is_some(), "no error in {rows:?}"),
                Err(error) => break error.to_string(),
            }
        };
        for word in *words {
            assert!(error.starts_with("latency_parts.csv:") && error.contains(word), "no {word:?} in: {error}");
        }
    }
    for file in ["", "cell,run\n", &header] {
        let error = LatencyPartsReader::new(file.as_bytes(), "latency_parts.csv").unwrap_err().to_string();
        assert!(error.contains("latency_parts.csv:1: this is not the header"), "{error}");
    }
}

#[test]
fn means_over_runs() {
    let dir = small_folder();
    let groups = summarize_parts(dir.path(), None, 0, 0.95).unwrap();
    let [first, second] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!(first.group, [("network.drop".to_owned(), "0".to_owned())]);
    assert_eq!((first.runs, first.completed, first.measured_runs, first.requests), (2, 2, 2, 4));
    // Run values: 15 and 10, 25 and 10, 0 and 2; totals 40 and 22.
    assert_near(mean(first, Part::NetRequest), 12.5);
    assert_near(mean(first, Part::NetReply), 17.5);
    assert_near(mean(first, Part::Queue), 1.0);
    assert_near(first.total.estimate, 31.0);
    // s = 18 / √2, and t(0.975; 1) = 12.706…
    assert_near(first.total.upper, 31.0 + 12.706_204_736_174_698 * 9.0);
    assert_eq!(mean(first, Part::Cpu), Some(0.0));
    // The run that timed out does not count.
    assert_eq!((second.completed, second.measured_runs, second.requests), (1, 1, 2));
    assert_near(second.total.estimate, 21.0);
    assert_eq!(second.total.lower, None);
    assert_near(second.success.estimate, 0.5);
}

#[test]
fn the_warm_up_is_left_out_by_issue() {
    let dir = small_folder();
    let groups = summarize_parts(dir.path(), Some(&[]), 16_000_000, 0.95).unwrap();
    let [all] = &groups[..] else { panic!("{groups:?}") };
    // The second requests of two runs; that of cell 0, run 1 was issued at 15 ms.
    assert_eq!((all.completed, all.measured_runs, all.requests), (3, 2, 2));
    assert_near(all.total.estimate, 36.0);
    assert_eq!(all.notes, ["1 completed runs have no request after the warm-up and are left out"]);
    let none = &summarize_parts(dir.path(), Some(&[]), 1_000_000_000, 0.95).unwrap()[0];
    assert_eq!((none.total.estimate, none.total.note.as_deref()), (None, Some("no request after the warm-up")));
}

#[test]
fn tables() {
    let dir = small_folder();
    let groups = summarize_parts(dir.path(), None, 0, 0.95).unwrap();
    let table = render::parts_table(&groups);
    let squeezed: Vec<String> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "network.drop 0 0.1",
        "completed 2/2 1/2",
        "net_reply ms 18 ± 95 10.00 ± ?",
        "total ms 30 ± 110 21.00 ± ?",
        "net_request request on its way",
        "0 everywhere, not shown: client_wait, net_pre_prepare, net_prepare, net_commit, net_other, recovery, \
         transmission, cpu_wait, cpu, timer, order",
        "note: network.drop 0.1: means: interval undefined: needs at least 2 runs",
    ] {
        assert!(squeezed.iter().any(|found| found == line), "no {line:?} in\n{table}");
    }
    let json: serde_json::Value = serde_json::from_str(&render::parts_json(&groups)).unwrap();
    assert_eq!(json[0]["group"], serde_json::json!({ "network.drop": 0 }));
    assert_eq!((&json[0]["unit"], &json[0]["requests"]), (&"ms".into(), &4.into()));
    assert_eq!((&json[0]["total"]["estimate"], &json[0]["parts"]["queue"]["estimate"]), (&31.0.into(), &1.0.into()));
    assert_eq!(json[0]["parts"].as_object().unwrap().len(), Part::COUNT);
    assert!(json[1]["total"]["lower"].is_null());
    let csv = render::parts_csv(&groups);
    assert!(
        csv.starts_with("network.drop,unit,confidence,runs,completed,errors,measured_runs,requests,success,"),
        "{csv}"
    );
    assert!(csv.lines().nth(1).unwrap().starts_with("0,ms,0.95,2,2,0,2,4,1,"), "{csv}");
    assert_eq!((render::parts_table(&[]), render::parts_csv(&[])), ("no runs\n".to_owned(), String::new()));
    // Many groups are a row each.
    let many: Vec<PartsSummary> = groups.iter().cycle().take(6).cloned().collect();
    let header = render::parts_table(&many).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(header, "network.drop completed success % requests net_request ms net_reply ms queue ms total ms");
}

#[test]
fn files_that_do_not_fit() {
    let dir = small_folder();
    let file = dir.path().join("latency_parts.csv");
    let refused = |confidence: f64, words: &[&str]| {
        let message = summarize_parts(dir.path(), None, 0, confidence).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "no {word:?} in: {message}");
        }
    };
    let good = fs::read_to_string(&file).unwrap();
    let without =
        |start: &str| -> String { good.split_inclusive('\n').filter(|line| !line.starts_with(start)).collect() };
    refused(1.0, &["confidence 1 is not between 0 and 1"]);
    fs::write(&file, without("0,1,")).unwrap();
    refused(0.95, &["latency_parts.csv: no row of cell 0, run 1", "again"]);
    // A run that timed out may have accepted nothing.
    fs::write(&file, without("1,1,")).unwrap();
    assert_eq!(summarize_parts(dir.path(), None, 0, 0.95).unwrap().len(), 2);
    fs::write(&file, good.replace("\n1,1,", "\n1,2,")).unwrap();
    refused(0.95, &["latency_parts.csv:8 (cell 1, run 2)", "runs.csv has no row"]);
    fs::remove_file(&file).unwrap();
    refused(0.95, &["latency_parts.csv: cannot read it", "`[output] latency_parts = true`"]);
}

/// Draws into a temporary folder, or below `BYZLAB_PLOTS` to look at it.
fn draw(name: &str, groups: &[PartsSummary]) -> (Vec<PathBuf>, String) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("BYZLAB_PLOTS").map_or_else(|| temporary.path().to_owned(), PathBuf::from).join(name);
    fs::create_dir_all(&dir).unwrap();
    let written = write_parts_plot(&dir, groups).unwrap();
    if let [_, png] = &written[..] {
        assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"));
    }
    let svg = fs::read_to_string(dir.join("latency_parts.svg")).unwrap_or_default();
    (written, svg)
}

/// Cells in which all parts occur, and rise; the third has not completed.
fn wide_folder(cells: u32, keys: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut rows, mut requests) = (Vec::new(), Vec::new());
    for (cell, run) in (0..cells).flat_map(|cell| (0..5).map(move |run| (cell, run))) {
        let values: Vec<String> = keys.iter().map(|_| (cell * 100).to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let is_stuck = cell == 2;
        rows.push(run_row(cell, run, &values, if is_stuck { Outcome::Timeout } else { Outcome::Completed }));
        if !is_stuck {
            let ms = |part: Part| 4 + u64::from(cell + run) + [9, 2, 0, 6][part as usize % 4];
            requests.push(request(cell, run, 1, 0, &Part::ALL.map(|part| (part, ms(part)))));
        }
    }
    write_folder(dir.path(), keys, &rows, &requests);
    dir
}

#[test]
fn a_bar_for_each_cell() {
    let dir = wide_folder(7, &["workload.clients"]);
    let (written, svg) = draw("parts", &summarize_parts(dir.path(), None, 0, 0.95).unwrap());
    assert!(written[0].ends_with("latency_parts.svg") && written[1].ends_with("latency_parts.png"), "{written:?}");
    for text in [
        ">Latency by part<",
        "mean latency [ms of virtual time]",
        ">workload.clients<",
        "net_pre_prepare: pre-prepare on its way",
        "url(#order)",
        ">no completed run<",
        "95 % Student t interval",
        "completed 0–5",
    ] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn what_cannot_be_seen_is_said_in_the_caption() {
    let dir = tempfile::tempdir().unwrap();
    // A wide interval: it begins below 0.
    let requests = [(0, 10), (1, 1000)]
        .map(|(run, ms)| request(0, run, 1, 0, &[(Part::NetRequest, ms), (Part::Cpu, 1), (Part::Queue, ms * 100)]));
    write_folder(dir.path(), &[], &[0, 1].map(|run| run_row(0, run, &[], Outcome::Completed)), &requests);
    let (_, svg) = draw("parts thin", &summarize_parts(dir.path(), None, 0, 0.95).unwrap());
    assert!(svg.contains(">queue: ") && !svg.contains(">cpu: "), "{svg}");
    assert!(svg.contains("cpu.</text>") && svg.contains("% of the axis in every bar, and not in the legend:"), "{svg}");
    assert!(svg.contains("One without a cap at") && svg.contains("its left goes on below 0."), "{svg}");
    let caps = svg.lines().filter(|line| line.starts_with("<line") && line.ends_with("stroke-width=\"1.3\"/>"));
    assert_eq!(caps.count(), 2, "the interval and its right cap in {svg}");
}

#[test]
fn one_bar_many_bars_and_none() {
    let dir = small_folder();
    let one = summarize_parts(dir.path(), Some(&[]), 0, 0.95).unwrap();
    let (_, svg) = draw("parts of one", &one);
    assert!(svg.contains("url(#net_reply)") && !svg.contains("cpu"), "{svg}");

    let dir = wide_folder(50, &["network.drop", "cluster.replicas"]);
    let (_, svg) = draw("parts of many", &summarize_parts(dir.path(), None, 0, 0.95).unwrap());
    assert!(svg.contains("40 of 50 bars") && svg.contains(">network.drop, cluster.replicas<"), "{svg}");

    let none = summarize_parts(small_folder().path(), None, 1_000_000_000, 0.95).unwrap();
    assert_eq!(draw("no parts", &none).0.len(), 0);
    assert_eq!(draw("no groups", &[]).0.len(), 0);
}
