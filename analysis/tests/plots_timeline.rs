//! Latency over time: what is read from a log, and how it is drawn.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use byzlab_analysis::timeline::TIMELINE_EVENTS;
use byzlab_analysis::{
    AnalysisOptions, EventKind, Metric, ReadOptions, Timelines, read_message_kinds, read_timelines, write_timeline_plot,
};

const RUNS: &str = "cell,run,seed,key,replicas,faults,corrupted,outcome,agreement,validity,requests,completed,messages,bytes,\
                    view_changes,virtual_ns,fingerprint\n";
const EVENTS: &str = "cell,run,time_ns,node,event,view,seq,digest,peer,message,bytes,value\n";
const MS: u64 = 1_000_000;

/// A temporary folder, or one below `BYZLAB_PLOTS` to look at what is drawn.
fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("BYZLAB_PLOTS").map_or_else(|| temporary.path().to_owned(), PathBuf::from).join(name);
    fs::create_dir_all(&dir).unwrap();
    (temporary, dir)
}

/// Each run has a request every 10 ms for 400 ms, accepted after 5 ms, and from 100 to 200 ms after 50 ms; node 3 is corrupted at the
/// start and acts meanwhile. The last request of odd runs is never accepted. Cell 2 has no requests.
fn write_results(dir: &Path, cells: u32, runs: u32) {
    let (mut table, mut log) = (RUNS.to_owned(), EVENTS.to_owned());
    for (cell, run) in (0..cells).flat_map(|cell| (0..runs).map(move |run| (cell, run))) {
        let is_odd = run % 2 == 1;
        let (outcome, end) = if is_odd { ("timeout", 400 * MS) } else { ("completed", 395 * MS) };
        let requests = if cell == 2 { 0 } else { 40 };
        let accepted = if is_odd && cell != 2 { 39 } else { requests };
        writeln!(
            table,
            "{cell},{run},1,{cell},4,1,1,{outcome},true,true,{requests},{accepted},100,1000,1,{end},00000000000000aa"
        )
        .unwrap();
        let mut rows = vec![(0, "3,corrupt,,,,,,,".to_owned()), (220 * MS, "1,view_change,1,,,,,,".to_owned())];
        for number in 0..requests {
            let start = number * 10 * MS;
            let is_attacked = (100..200).contains(&(start / MS));
            rows.push((start, format!("4,request,,{number},{number:016x},,,,")));
            if is_attacked {
                rows.push((start + 1, "3,attack,,,,,,,delay".to_owned()));
            }
            if !(is_odd && number == 39) {
                let reply = start + if is_attacked { 50 } else { 5 } * MS;
                rows.push((reply, format!("4,reply,,{number},{number:016x},,,,")));
            }
        }
        rows.sort();
        for (time, row) in rows {
            writeln!(log, "{cell},{run},{time},{row}").unwrap();
        }
    }
    fs::write(dir.join("runs.csv"), table).unwrap();
    fs::write(dir.join("events.csv"), log).unwrap();
}

/// Leaves only such rows in the log, and says in `runs.csv` what is then left of requests.
fn keep(dir: &Path, log: &str, is_kept: impl Fn(&str) -> bool) {
    let kept: Vec<&str> = log.lines().filter(|row| row.starts_with("cell") || is_kept(row)).collect();
    fs::write(dir.join("events.csv"), kept.join("\n") + "\n").unwrap();
    let table = fs::read_to_string(dir.join("runs.csv")).unwrap();
    let counted = table.lines().map(|row| {
        let mut fields: Vec<String> = row.split(',').map(str::to_owned).collect();
        let run = format!("{},{},", fields[0], fields[1]);
        let count = |event: &str| kept.iter().filter(|row| row.starts_with(&run) && row.contains(event)).count();
        if !row.starts_with("cell") {
            (fields[10], fields[11]) = (count(",request,").to_string(), count(",reply,").to_string());
        }
        fields.join(",") + "\n"
    });
    fs::write(dir.join("runs.csv"), counted.collect::<String>()).unwrap();
}

fn options() -> AnalysisOptions {
    AnalysisOptions { metric: Metric::Client, ..AnalysisOptions::default() }
}

fn read(dir: &Path) -> Timelines {
    read_timelines(dir, &options()).unwrap().expect("a log")
}

fn draw(dir: &Path, timelines: &Timelines) -> String {
    let written = write_timeline_plot(dir, timelines).unwrap();
    let [svg, png] = &written[..] else { panic!("{written:?}") };
    assert!(svg.ends_with("timeline.svg") && fs::read(png).unwrap().starts_with(b"\x89PNG"));
    let svg = fs::read_to_string(svg).unwrap();
    for line in svg.lines().filter(|line| !line.starts_with("<text")) {
        assert!(!line.contains("NaN") && !line.contains("inf"), "{line}");
    }
    svg
}

/// The texts one after the other, as if no caption had been broken into lines.
fn texts(svg: &str) -> String {
    let text = |line: &str| Some(line.split_once('>')?.1.split_once('<')?.0.to_owned());
    let texts: Vec<String> = svg.lines().filter(|line| line.starts_with("<text")).filter_map(text).collect();
    texts.join(" ")
}

#[test]
fn latency_rises_while_the_adversary_acts() {
    let (_temporary, dir) = folder("timeline");
    write_results(&dir, 2, 6);
    let timelines = read(&dir);
    // 400 ms in at most 80 bins: 5 ms each. Nothing happens in the last one.
    assert_eq!((timelines.bin_ns, timelines.groups.len(), timelines.of_groups), (5 * MS, 2, 2));
    let group = &timelines.groups[0];
    assert_eq!((group.runs, group.bins.len()), (6, 79));
    let near = |quantiles: Option<[f64; 3]>, ms: f64| {
        quantiles.is_some_and(|quantiles| quantiles.iter().all(|quantile| (quantile / ms - 1.0).abs() <= 0.001))
    };
    let attack = TIMELINE_EVENTS.iter().position(|kind| *kind == EventKind::Attack).unwrap();
    for (index, bin) in group.bins.iter().enumerate() {
        let (is_start, is_attacked) = (index % 2 == 0, (20..40).contains(&index));
        assert_eq!(bin.requests, if is_start { 6 } else { 0 }, "{index}");
        assert_eq!(bin.unaccepted, if index == 78 { 3 } else { 0 }, "{index}");
        assert_eq!(bin.samples, bin.requests - bin.unaccepted, "{index}");
        assert_eq!(bin.runs_with[attack], if is_start && is_attacked { 6 } else { 0 }, "{index}");
        if is_start {
            assert!(near(bin.quantiles_ms, if is_attacked { 50.0 } else { 5.0 }), "{index}: {bin:?}");
        } else {
            assert_eq!(bin.quantiles_ms, None);
        }
    }
    let of = |kind: EventKind, bin: usize| {
        group.bins[bin].runs_with[TIMELINE_EVENTS.iter().position(|known| *known == kind).unwrap()]
    };
    assert_eq!((of(EventKind::Corrupt, 0), of(EventKind::Corrupt, 1), of(EventKind::ViewChange, 44)), (6, 0, 6));
    let svg = draw(&dir, &timelines);
    for text in [
        "Client latency over time",
        "start of the sample [ms of virtual time]",
        "latency [ms of virtual time]",
        "key = 1",
        "6 runs, 237 samples, 240 requests, 3 never accepted",
        "Bins of 5 ms",
        "Hatched: from the first act of the adversary",
        "view change",
        "not accepted",
        "All runs count",
    ] {
        assert!(texts(&svg).contains(text), "{text}: {}", texts(&svg));
    }
    assert!(!texts(&svg).contains("crash"), "a lane for what did not happen");
    // In each of two groups one phase in the plot, and ten bins with an attack in the lane below it.
    assert_eq!(svg.matches("url(#attack)").count(), 22);
}

#[test]
fn it_does_not_depend_on_the_number_of_threads() {
    let (_temporary, dir) = folder("threads");
    write_results(&dir, 2, 9);
    let with = |jobs: usize| {
        let read = ReadOptions { jobs: jobs.try_into().ok(), ..ReadOptions::default() };
        read_timelines(&dir, &AnalysisOptions { read, ..options() }).unwrap().unwrap()
    };
    assert_eq!(with(1), with(3));
}

/// Where a block holds garbage, its runs are read twice; they count once.
#[test]
fn of_a_damaged_log_each_run_counts_once_however_many_threads_read_it() {
    let (_temporary, dir) = folder("damaged threads");
    write_results(&dir, 1, 600);
    let log = fs::read_to_string(dir.join("events.csv")).unwrap();
    assert!(log.len() > 1 << 20, "several blocks: {}", log.len());
    let mut damaged = 0;
    let with_garbage = log.lines().fold(String::new(), |mut text, row| {
        text += row;
        text.push('\n');
        // Inside every fortieth run.
        let run = row.strip_prefix("0,").and_then(|row| row.split_once(",220000000,1,view_change"));
        if run.is_some_and(|(run, _)| run.parse::<u32>().unwrap() % 40 == 7) {
            damaged += 1;
            text += "garbage\n";
        }
        text
    });
    fs::write(dir.join("events.csv"), with_garbage).unwrap();
    let with = |jobs: usize| {
        let read = ReadOptions { jobs: jobs.try_into().ok(), lenient: true };
        read_timelines(&dir, &AnalysisOptions { read, ..options() }).unwrap().unwrap()
    };
    let alone = with(1);
    assert_eq!((alone.damaged_runs, alone.groups[0].runs), (damaged, 600 - damaged));
    // All the damaged runs are odd, and so each of the others that is odd lacks a sample.
    let samples: u64 = alone.groups[0].bins.iter().map(|bin| bin.samples).sum();
    assert_eq!(samples, 300 * 40 + (300 - damaged) * 39);
    for jobs in [2, 4] {
        assert_eq!(with(jobs), alone, "{jobs} threads");
    }
}

#[test]
fn of_many_groups_the_first_and_the_last_are_drawn() {
    let (_temporary, dir) = folder("many groups");
    write_results(&dir, 5, 2);
    let timelines = read(&dir);
    let names: Vec<&str> = timelines.groups.iter().map(|group| group.group[0].1.as_str()).collect();
    assert_eq!((names, timelines.of_groups), (vec!["0", "4"], 5));
    assert!(texts(&draw(&dir, &timelines)).contains("of 5 groups the first and the last with samples"));
}

#[test]
fn of_many_groups_those_without_a_sample_are_not_drawn() {
    let (_temporary, dir) = folder("groups without samples");
    write_results(&dir, 5, 2);
    // The first two cells and the last have no events but that of a replica that is corrupted.
    let log = fs::read_to_string(dir.join("events.csv")).unwrap();
    // Cell 2 has none either.
    keep(&dir, &log, |row| !["0,", "1,", "4,"].iter().any(|cell| row.starts_with(cell)) || row.contains("corrupt"));
    let timelines = read(&dir);
    let names: Vec<&str> = timelines.groups.iter().map(|group| group.group[0].1.as_str()).collect();
    assert_eq!(names, ["3"]);
}

#[test]
fn the_warm_up_is_shown_and_marked() {
    let (_temporary, dir) = folder("warm-up");
    write_results(&dir, 1, 2);
    let timelines = read_timelines(&dir, &AnalysisOptions { warmup_ns: 50 * MS, ..options() }).unwrap().expect("a log");
    assert_eq!(timelines.groups[0].bins[0].samples, 2);
    assert!(texts(&draw(&dir, &timelines)).contains("end of the warm-up"));
}

#[test]
fn few_samples_are_drawn_thin_and_a_group_without_any_has_no_value() {
    let (_temporary, dir) = folder("few samples");
    // Cell 2 has no requests, the others two and twelve samples a bin.
    write_results(&dir, 3, 2);
    let svg = draw(&dir, &read(&dir));
    assert!(texts(&svg).contains("Thin and without dots: fewer than 10 samples."), "{}", texts(&svg));
    assert!(texts(&svg).contains("2 runs, 0 samples, 0 requests") && texts(&svg).contains("no value"));
    assert!(!svg.contains("url(#band)"));
    write_results(&dir, 2, 12);
    let svg = draw(&dir, &read(&dir));
    assert!(!texts(&svg).contains("no value") && svg.contains("url(#band)"));
    // Those that begin last: half of them are never accepted.
    assert!(texts(&svg).contains("Thin and without dots"));
    write_results(&dir, 1, 1);
    assert!(texts(&draw(&dir, &read(&dir))).contains("1 run, 40 samples, 40 requests"));
}

#[test]
fn nothing_to_draw() {
    let (_temporary, dir) = folder("nothing over time");
    // No request in any run: cell 2 alone.
    write_results(&dir, 3, 2);
    let only = |text: &str, key: &str| {
        let rows = text.lines().enumerate().filter(|(line, row)| *line == 0 || row.starts_with(key));
        rows.fold(String::new(), |rows, (_, row)| rows + row + "\n")
    };
    for file in ["runs.csv", "events.csv"] {
        let text = fs::read_to_string(dir.join(file)).unwrap();
        fs::write(dir.join(file), only(&text, "2,")).unwrap();
    }
    assert_eq!(write_timeline_plot(&dir, &read(&dir)).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(read(&dir).why_not_drawn(), Some("no sample began"));
    // No log; no run.
    fs::remove_file(dir.join("events.csv")).unwrap();
    assert_eq!(read_timelines(&dir, &options()).unwrap(), None);
    fs::write(dir.join("runs.csv"), RUNS).unwrap();
    assert_eq!(read_timelines(&dir, &options()).unwrap(), None);
}

#[test]
fn a_table_that_is_compressed_or_cut_is_read() {
    let (_temporary, dir) = folder("compressed");
    write_results(&dir, 1, 3);
    let whole = read(&dir);
    let table = fs::read_to_string(dir.join("runs.csv")).unwrap();
    fs::write(dir.join("runs.csv"), format!("{table}0,3,1,")).unwrap();
    assert!(read_timelines(&dir, &options()).is_err());
    let lenient = AnalysisOptions { read: ReadOptions { lenient: true, ..ReadOptions::default() }, ..options() };
    assert_eq!(read_timelines(&dir, &lenient).unwrap().unwrap(), whole);
    assert_eq!(read_message_kinds(&dir, &lenient).unwrap(), None);
    fs::remove_file(dir.join("runs.csv")).unwrap();
    let file = fs::File::create(dir.join("runs.csv.gz")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, table.as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(read(&dir), whole);
    assert_eq!(read_message_kinds(&dir, &options()).unwrap(), None);
}

#[test]
fn samples_that_begin_at_nearly_the_same_time_are_not_drawn() {
    let (_temporary, dir) = folder("one bin");
    write_results(&dir, 2, 2);
    let log = fs::read_to_string(dir.join("events.csv")).unwrap();
    // Only the requests and the replies of so many numbers.
    let first = |count: u64| {
        keep(&dir, &log, |row| {
            let number = row.split(',').nth(6).and_then(|number| number.parse::<u64>().ok());
            row.contains("corrupt") || number.is_some_and(|number| number < count)
        });
        let timelines = read(&dir);
        (timelines.why_not_drawn(), write_timeline_plot(&dir, &timelines).unwrap().len())
    };
    assert_eq!(first(1), (Some("all samples begin within one bin"), 0));
    assert_eq!(first(2), (Some("all samples begin within two bins"), 0));
    assert_eq!(first(3), (None, 2));
}

#[test]
fn a_damaged_log_is_an_error_and_leniently_a_note() {
    let (_temporary, dir) = folder("damaged");
    write_results(&dir, 1, 3);
    let log = fs::read_to_string(dir.join("events.csv")).unwrap();
    fs::write(dir.join("events.csv"), log.replacen("0,1,220000000,1,view_change", "0,1,220000000,1,view_shift", 1))
        .unwrap();
    let error = read_timelines(&dir, &options()).unwrap_err().to_string();
    assert!(error.contains("view_shift"), "{error}");
    let read = ReadOptions { lenient: true, ..ReadOptions::default() };
    let timelines = read_timelines(&dir, &AnalysisOptions { read, ..options() }).unwrap().unwrap();
    assert_eq!(timelines.damaged_runs, 1);
    assert!(texts(&draw(&dir, &timelines)).contains("only a part could be read: 1."));
}
