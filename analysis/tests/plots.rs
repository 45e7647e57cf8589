//! The plots of a sweep: files, marks for what is missing, odd keys.

use std::fs;
use std::path::PathBuf;

use byzlab_analysis::{
    AnalysisOptions, GroupSummary, Metric, Outcome, RunRow, RunTable, RunValue, summarize, write_saturation_plot,
    write_sweep_plots,
};

/// `runs` runs in each cell, of which `completed(cell)` have a latency of about `latency_ms(cell)`.
fn groups(
    keys: &[&str],
    cells: &[&[&str]],
    runs: u32,
    completed: impl Fn(u32) -> u32,
    latency_ms: impl Fn(u32) -> f64,
) -> Vec<GroupSummary> {
    measured(Metric::AllCommit, keys, cells, runs, completed, latency_ms)
}

/// Likewise, of any metric.
fn measured(
    metric: Metric,
    keys: &[&str],
    cells: &[&[&str]],
    runs: u32,
    completed: impl Fn(u32) -> u32,
    value: impl Fn(u32) -> f64,
) -> Vec<GroupSummary> {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for (cell, parameters) in (0..).zip(cells) {
        for run in 0..runs {
            rows.push(RunRow {
                cell,
                run,
                seed: 1,
                parameters: parameters.iter().map(|&value| value.to_owned()).collect(),
                replicas: 10,
                faults: 3,
                corrupted: 0,
                outcome: if run < completed(cell) { Outcome::Completed } else { Outcome::Timeout },
                agreement: true,
                validity: true,
                requests: 1,
                completed: u64::from(run < completed(cell)),
                messages: 0,
                bytes: 0,
                view_changes: 0,
                virtual_ns: 0,
                fingerprint: 0,
            });
            // Evenly spread over ±20 %.
            let spread = 0.8 + 0.4 * f64::from(run * 37 % runs) / f64::from(runs);
            values.push(RunValue { value: Some(value(cell) * spread), undefined: 0 });
        }
    }
    let swept_keys = keys.iter().map(|&key| key.to_owned()).collect();
    let table = RunTable { swept_keys, rows };
    summarize(&table, Some(&values), &AnalysisOptions { metric, ..AnalysisOptions::default() }).expect("good options")
}

/// A temporary folder, or one below `BYZLAB_PLOTS` to look at what is drawn.
fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("BYZLAB_PLOTS").map_or_else(|| temporary.path().to_owned(), PathBuf::from).join(name);
    fs::create_dir_all(&dir).unwrap();
    (temporary, dir)
}

fn assert_png(written: &[PathBuf]) {
    for path in written.iter().filter(|path| path.extension().is_some_and(|end| end == "png")) {
        assert!(fs::read(path).unwrap().starts_with(b"\x89PNG"));
    }
}

/// Draws a sweep; returns both SVGs.
fn draw(name: &str, groups: &[GroupSummary]) -> (Vec<PathBuf>, String, String) {
    let (_temporary, dir) = folder(name);
    let written = write_sweep_plots(&dir, groups).unwrap();
    assert_png(&written);
    let svg = |file: &str| fs::read_to_string(dir.join(file)).unwrap_or_default();
    (written, svg("latency.svg"), svg("success.svg"))
}

#[test]
fn tutorial() {
    let cells: Vec<String> = (0..10).map(|count| count.to_string()).collect();
    let cells: Vec<[&str; 1]> = cells.iter().map(|cell| [cell.as_str()]).collect();
    let cells: Vec<&[&str]> = cells.iter().map(<[_; 1]>::as_slice).collect();
    let completed = |cell| if cell < 4 { 200 - 20 * cell } else { 0 };
    let groups = groups(&["adversary.count"], &cells, 200, completed, |cell| 84.0 + 9.0 * f64::from(cell));
    let (written, latency, success) = draw("tutorial", &groups);
    let names: Vec<_> = written.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["latency.svg", "latency.png", "success.svg", "success.png"]);
    for text in [
        "Consensus latency (all_commit)",
        "adversary.count",
        "mean latency [ms of virtual time]",
        "no completed",
        "95 % Student t intervals",
        "200 runs a cell",
    ] {
        assert!(latency.contains(text), "{text}");
    }
    assert!(success.contains("completed runs [%]") && success.contains("95 % Wilson"));
    assert!(!success.contains("no completed"));
}

#[test]
fn family_of_lines_on_a_logarithmic_key() {
    let cells: Vec<[String; 2]> = ["4", "16", "64", "256", "1024"]
        .iter()
        .flat_map(|n| ["0", "0.01", "0.1"].map(|drop| [(*n).to_owned(), drop.to_owned()]))
        .collect();
    let cells: Vec<[&str; 2]> = cells.iter().map(|[n, drop]| [n.as_str(), drop.as_str()]).collect();
    let cells: Vec<&[&str]> = cells.iter().map(<[_; 2]>::as_slice).collect();
    let groups = groups(
        &["cluster.replicas", "network.drop"],
        &cells,
        30,
        |cell| if cell == 14 { 0 } else { 30 - 5 * (cell % 3) },
        |cell| 60.0 + 4.0 * f64::from(cell) + 12.0 * f64::from(cell % 3),
    );
    let (_, latency, _) = draw("family", &groups);
    assert!(latency.contains("cluster.replicas (log scale)"));
    assert!(latency.contains("network.drop = 0.01"));
}

#[test]
fn categories_single_runs_and_markup() {
    let cells: [&[&str]; 3] = [&["a<b> & c"], &["5ms"], &["a quite long name of a category, really"]];
    let groups = groups(&["net\u{1}work"], &cells, 1, |_| 1, |cell| 3.0 + f64::from(cell));
    let (_, latency, _) = draw("categories", &groups);
    assert!(latency.contains("a&lt;b&gt; &amp; c") && latency.contains("Hollow"));
}

#[test]
fn nothing_to_draw() {
    assert_eq!(draw("none", &[]).0.len(), 0);
    let one: [&[&str]; 1] = [&["1"]];
    let mut no_key = groups(&["key"], &one, 5, |_| 5, |_| 1.0);
    no_key[0].group.clear();
    assert_eq!(draw("no key", &no_key).0.len(), 0);
    // No completed run at all: the success share only.
    assert_eq!(draw("failed", &groups(&["key"], &one, 5, |_| 0, |_| 1.0)).0.len(), 2);
    // One cell, huge and tiny values.
    assert_eq!(draw("one", &groups(&["key"], &one, 5, |_| 5, |_| 1e9)).0.len(), 4);
    let extreme: [&[&str]; 3] = [&["-1e308"], &["1e308"], &["NaN"]];
    assert_eq!(draw("extreme", &groups(&["key"], &extreme, 2, |_| 2, |_| 0.0)).0.len(), 4);
}

/// Where the vertical axis stands: there the lines of the grid begin.
fn left_of(svg: &str) -> f64 {
    let grid = svg.lines().find(|line| line.starts_with("<line")).unwrap();
    grid.split('"').nth(1).unwrap().parse().unwrap()
}

#[test]
fn long_numbers_leave_room_for_the_title() {
    let cells: [&[&str]; 2] = [&["1"], &["2"]];
    let keys = ["workload.clients"];
    let of = |metric, scale: f64| measured(metric, &keys, &cells, 5, |_| 5, |cell| scale * f64::from(cell + 1));
    let (_temporary, dir) = folder("long numbers");
    let draw = |scale| {
        write_sweep_plots(&dir, &of(Metric::Throughput, scale)).unwrap();
        write_saturation_plot(&dir, &of(Metric::Client, scale), &of(Metric::Throughput, scale)).unwrap();
        ["throughput.svg", "saturation.svg"].map(|file| left_of(&fs::read_to_string(dir.join(file)).unwrap()))
    };
    assert_eq!(format!("{:?}", draw(90.0)), "[70.0, 76.0]");
    // Seven digits of 7 units each, from 8 before the axis, end right of the title, whose letters reach to 24.
    assert!(draw(900_000.0).iter().all(|left| left - 8.0 - 49.0 > 24.0), "{:?}", draw(900_000.0));
}

#[test]
fn the_latency_of_clients_is_not_called_that_of_consensus() {
    let cells: [&[&str]; 2] = [&["1"], &["2"]];
    let groups = measured(Metric::Client, &["workload.clients"], &cells, 5, |_| 5, |_| 9.0);
    let (_, latency, _) = draw("client", &groups);
    assert!(latency.contains(">Client latency<") && !latency.contains("Consensus"), "{latency}");
}

#[test]
fn throughput_has_a_figure_of_its_own() {
    let cells: [&[&str]; 2] = [&["1"], &["2"]];
    let groups =
        measured(Metric::Throughput, &["workload.clients"], &cells, 5, |_| 5, |cell| 90.0 * f64::from(cell + 1));
    let (_temporary, dir) = folder("throughput");
    let written = write_sweep_plots(&dir, &groups).unwrap();
    assert!(written[0].ends_with("throughput.svg") && written[1].ends_with("throughput.png"), "{written:?}");
    let svg = fs::read_to_string(&written[0]).unwrap();
    assert!(svg.contains(">Throughput<") && svg.contains("mean throughput [requests/s of virtual time]"), "{svg}");
    assert!(!svg.contains("atency"), "{svg}");
}

/// A server of 2,000 requests a second: throughput and latency follow the load as in a closed loop of 40 ms.
fn closed_loop(
    keys: &[&str],
    cells: &[&[&str]],
    place: usize,
    completed: impl Fn(u32) -> u32,
    slow: impl Fn(u32) -> f64,
) -> [Vec<GroupSummary>; 2] {
    let clients = |cell: u32| cells[cell as usize][place].parse::<f64>().unwrap();
    let latency = |cell| (40.0 * slow(cell)).max(clients(cell) / 2.0 * slow(cell)) + clients(cell).sqrt();
    let throughput = |cell| clients(cell) / latency(cell) * 1e3;
    [
        measured(Metric::Client, keys, cells, 30, &completed, latency),
        measured(Metric::Throughput, keys, cells, 30, &completed, throughput),
    ]
}

fn draw_saturation(name: &str, [client, throughput]: &[Vec<GroupSummary>; 2]) -> String {
    let (_temporary, dir) = folder(name);
    let written = write_saturation_plot(&dir, client, throughput).unwrap();
    assert_png(&written);
    assert!(written.is_empty() || written[0].ends_with("saturation.svg") && written[1].ends_with("saturation.png"));
    written.first().map(|path| fs::read_to_string(path).unwrap()).unwrap_or_default()
}

#[test]
fn saturation() {
    // The order of the curve is that of the load, not of the cells.
    let cells: [&[&str]; 9] = [&["1000"], &["1"], &["2"], &["5"], &["20"], &["50"], &["100"], &["200"], &["500"]];
    let svg = draw_saturation("saturation", &closed_loop(&["workload.clients"], &cells, 0, |_| 30, |_| 1.0));
    for text in [
        ">Saturation<",
        "as workload.clients rises",
        "mean throughput [requests/s of virtual time]",
        "mean client latency [ms of virtual time]",
        "95 % Student t intervals",
        "30 runs a cell, completed 30",
        "Numbers at the points: workload.clients",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(!svg.contains("Not drawn") && !svg.contains("Hollow"), "{svg}");
    let line = svg.lines().find(|line| line.starts_with("<polyline")).unwrap();
    let points = line.split('"').nth(1).unwrap().split(' ').map(|point| point.split_once(',').unwrap());
    let up: Vec<f64> = points.map(|(_, y)| y.parse().unwrap()).collect();
    assert!(up.len() == 9 && up.is_sorted_by(|lower, upper| lower > upper), "{line}");
}

#[test]
fn a_family_of_saturation_curves_and_cells_that_are_not_drawn() {
    let cells: Vec<[String; 2]> = ["1", "3", "10", "32", "100", "316", "1000"]
        .iter()
        .flat_map(|clients| ["4", "7", "16"].map(|n| [n.to_owned(), (*clients).to_owned()]))
        .collect();
    let cells: Vec<[&str; 2]> = cells.iter().map(|[n, clients]| [n.as_str(), clients.as_str()]).collect();
    let cells: Vec<&[&str]> = cells.iter().map(<[_; 2]>::as_slice).collect();
    let completed = |cell| match cell {
        17 | 19 | 20 => 0,
        16 => 1,
        _ => 30,
    };
    let keys = ["cluster.replicas", "workload.clients"];
    let curves = closed_loop(&keys, &cells, 1, completed, |cell| 1.0 + f64::from(cell % 3) / 2.0);
    let svg = draw_saturation("saturation family", &curves);
    assert!(svg.contains("cluster.replicas = 16") && svg.contains("Hollow"), "{svg}");
    assert!(svg.contains("Not drawn, no completed run: workload.clients = 316 (cluster.replicas = 16), 1000"), "{svg}");
}

#[test]
fn no_saturation_to_draw() {
    let cells: [&[&str]; 2] = [&["1"], &["2"]];
    assert_eq!(draw_saturation("no load", &closed_loop(&["network.drop"], &cells, 0, |_| 30, |_| 1.0)), "");
    assert_eq!(draw_saturation("no run", &closed_loop(&["workload.rate"], &cells, 0, |_| 0, |_| 1.0)), "");
    assert_eq!(draw_saturation("no group", &[Vec::new(), Vec::new()]), "");
    // Zero, huge, and a single cell.
    for value in [0.0, 1e-9, 1e12] {
        let of = |metric| measured(metric, &["workload.rate"], &cells[..1], 2, |_| 2, |_| value);
        let svg = draw_saturation("odd", &[of(Metric::Client), of(Metric::Throughput)]);
        assert!(svg.contains("Saturation") && !svg.contains("NaN"), "{svg}");
    }
}
