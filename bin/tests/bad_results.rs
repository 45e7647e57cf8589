//! Results folders that cannot be written, must not be overwritten, or are damaged: nothing is lost, nothing silently mixed.

mod program;

use program::{Desk, Finished};
use std::collections::BTreeMap;

const EXPERIMENT: &str = "experiment = { runs = 4 }\n[sweep]\n\"adversary.count\" = [0, 1]";

#[test]
fn results_are_not_overwritten() {
    let desk = finished_experiment();
    let before = content(&desk);
    for arguments in
        ["run e.toml --out out", "run out/config.toml --out out", "run e.toml --out out --set experiment.seed=2"]
    {
        let finished = desk.byzlab(arguments);
        refused(&finished, 2, &["out holds results already", "--out", "--force"]);
        assert!(finished.stderr.starts_with("error: "), "nothing is said before: {finished:?}");
        assert!(content(&desk) == before, "{arguments} changed something");
    }
    for file in ["runs.csv", "events.csv", "config.toml", "success.svg", "saturation.png", "latency_parts.csv"] {
        let desk = Desk::with(EXPERIMENT);
        std::fs::create_dir(desk.path("out")).unwrap();
        desk.write(&format!("out/{file}"), "mine");
        refused(&desk.byzlab("run e.toml --out out"), 2, &["out holds results already", file, "--force"]);
        assert_eq!(desk.read(&format!("out/{file}")), "mine");
        assert_eq!(content(&desk).len(), 1, "nothing was added");
    }
}

#[test]
fn force_replaces_results_and_leaves_the_rest_alone() {
    let desk = finished_experiment();
    let before = content(&desk);
    desk.write("out/notes.txt", "mine");
    // The second experiment has neither plots nor events; those of the first must not stay.
    desk.write("f.toml", "experiment = { runs = 2 }\noutput = { events = \"none\" }");
    let finished = desk.byzlab("run f.toml --out out --force");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(desk.read("out/notes.txt"), "mine");
    assert_eq!(desk.read("out/runs.csv").lines().count(), 3);
    let names: Vec<String> = content(&desk).into_keys().collect();
    assert_eq!(names, ["config.toml", "notes.txt", "runs.csv"]);

    std::fs::remove_file(desk.path("out/notes.txt")).unwrap();
    assert_eq!(desk.byzlab("run e.toml --out out --force").code, Some(0));
    assert!(content(&desk) == before, "the same experiment gives the same results and plots");
}

#[test]
fn a_bad_experiment_does_not_cost_the_old_results() {
    let desk = finished_experiment();
    let before = content(&desk);
    let finished = desk.byzlab("run e.toml --out out --force --set network.drop=2");
    refused(&finished, 2, &["--set network.drop=2", "a probability from 0 to 1"]);
    assert!(content(&desk) == before);
}

#[test]
fn an_unwritable_folder_is_named() {
    let desk = Desk::with(EXPERIMENT);
    for out in ["e.toml", "e.toml/out"] {
        refused(&desk.byzlab(&format!("run e.toml --out {out}")), 2, &[&format!("{out} cannot be written"), "hint: "]);
    }
    assert_eq!(desk.read("e.toml"), EXPERIMENT);
}

/// A limit on the size of files stands for a full disk: writing fails, with an error and in the middle of a row.
#[cfg(unix)]
mod full_disk {
    use super::{Desk, Finished, refused};

    #[test]
    fn when_events_fill_it_the_complete_runs_can_be_analysed() {
        for events in ["protocol", "messages"] {
            for jobs in [1, 3] {
                check("events.csv", &format!("--set output.events={events} --jobs {jobs}"));
            }
        }
    }

    #[test]
    fn when_runs_fill_it_the_complete_runs_can_be_analysed() {
        check("runs.csv", "--set output.events=none --jobs 2");
    }

    fn check(full: &str, arguments: &str) {
        let desk = Desk::with("experiment = { runs = 2000 }");
        // 20 or 40 KiB, as the shell counts in 512 or 1024 bytes.
        let line = format!("trap '' XFSZ; ulimit -f 40; exec \"$byzlab\" run e.toml --out out {arguments}");
        let finished = desk.shell(&line);
        let whole = desk.read("out/runs.csv").matches('\n').count() - 1;
        let complete = format!("the first {whole} runs are complete");
        refused(&finished, 1, &[&format!("out/{full} cannot be written"), &complete, "free space of the disk"]);
        assert!((1..2000).contains(&whole), "{finished:?}");

        let Finished { code, stdout, stderr } = desk.byzlab("analyze out");
        assert_eq!(code, Some(0), "{arguments}: {} bytes, {stderr}", desk.read("out/runs.csv").len());
        assert!(stderr.contains("the experiment was interrupted") && stderr.contains("of 2,000"), "{stderr}");
        assert!(stdout.contains(&format!("{whole}/{whole}")), "{stdout}");
    }

    #[test]
    fn when_nothing_fits_no_run_begins() {
        let desk = Desk::with("experiment = { runs = 2 }");
        let finished = desk.shell("trap '' XFSZ; ulimit -f 0; exec \"$byzlab\" run e.toml --out out");
        refused(&finished, 2, &["out/config.toml cannot be written", "free space of the disk"]);
    }
}

#[test]
fn events_that_are_cut_in_a_row_are_refused() {
    let desk = finished_experiment();
    let whole = desk.read("out/events.csv");
    let rows = whole.matches('\n').count();
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    // Anywhere in the last row, and without its line end.
    for length in [last + 1, last + 5, last + 20, whole.len() - 2, whole.len() - 1] {
        desk.write("out/events.csv", &whole[..length]);
        let place = format!("out/events.csv:{rows}");
        refused(&desk.byzlab("analyze out"), 2, &[&place, "ends in the middle of a row", "run it again"]);
    }
    let middle = whole.len() / 2;
    desk.write("out/events.csv", whole[..middle].to_owned() + &whole[middle + 30..]);
    refused(&desk.byzlab("analyze out"), 2, &["out/events.csv:"]);
}

#[test]
fn runs_that_are_cut_in_a_row_are_refused() {
    let desk = finished_experiment();
    let whole = desk.read("out/runs.csv");
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    for length in [last + 1, last + 20, whole.len() - 10, whole.len() - 2, whole.len() - 1] {
        desk.write("out/runs.csv", &whole[..length]);
        refused(&desk.byzlab("analyze out"), 2, &["out/runs.csv:9", "run"]);
    }
}

#[test]
fn logs_that_lack_runs_are_refused() {
    let desk = finished_experiment();
    let runs = desk.read("out/runs.csv");
    let last = runs.trim_end().rfind('\n').unwrap() + 1;
    desk.write("out/runs.csv", &runs[..last]);
    let finished = desk.byzlab("analyze out");
    refused(&finished, 2, &["out/events.csv:", "(cell 1, run 3)", "runs.csv has no row of this run", "again"]);

    desk.write("out/runs.csv", &runs);
    let events = desk.read("out/events.csv");
    let first_of_last_run = events.find("\n1,3,").unwrap() + 1;
    desk.write("out/events.csv", &events[..first_of_last_run]);
    refused(&desk.byzlab("analyze out"), 2, &["out/events.csv: no event of cell 1, run 3", "again"]);
}

#[test]
fn a_foreign_header_is_refused() {
    let desk = finished_experiment();
    for (file, needs) in [("events.csv", "expected \"cell,run,time_ns,"), ("runs.csv", "expected cell,run,seed,")] {
        let file = format!("out/{file}");
        let whole = desk.read(&file);
        let without_header = whole.split_once('\n').unwrap().1;
        for foreign in ["", "\n", "a,b,c\n1,2,3\n", without_header, &whole.replacen("run", "Run", 1), "\u{0}\u{1}"] {
            desk.write(&file, foreign);
            refused(&desk.byzlab("analyze out"), 2, &[&format!("{file}:1: this is not the header"), needs]);
        }
        desk.write(&file, &whole);
    }
}

#[test]
fn two_experiments_in_one_file_are_not_mixed() {
    let desk = finished_experiment();
    for file in ["out/runs.csv", "out/events.csv"] {
        let whole = desk.read(file);
        let rows = whole.split_once('\n').unwrap().1;
        desk.write(file, format!("{whole}{rows}"));
        refused(&desk.byzlab("analyze out"), 2, &[&format!("{file}:")]);
        desk.write(file, &whole);
    }
}

#[test]
fn a_folder_without_results_says_what_is_wanted() {
    let desk = Desk::with("");
    for folder in ["nowhere", "."] {
        refused(
            &desk.byzlab(&format!("analyze {folder}")),
            2,
            &[&format!("{folder}/runs.csv: cannot read it"), "byzlab run --out"],
        );
    }
}

/// A reader that has seen enough, such as `head`, costs neither the plots nor the verdict.
#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_cost_the_plots() {
    let desk = Desk::with(EXPERIMENT);
    let finished = desk.shell("{ \"$byzlab\" run e.toml --out out; echo $? >code; } | true");
    assert_eq!(desk.read("code"), "0\n", "{finished:?}");
    for file in ["latency.svg", "latency.png", "success.svg", "success.png"] {
        assert!(desk.path("out").join(file).exists(), "no {file}");
    }
}

fn finished_experiment() -> Desk {
    let desk = Desk::with(EXPERIMENT);
    let finished = desk.byzlab("run e.toml --out out");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    desk
}

/// Each file of the results with its bytes.
fn content(desk: &Desk) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(desk.path("out")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

/// One error, nothing on stdout, no panic.
fn refused(finished: &Finished, code: i32, parts: &[&str]) {
    let Finished { stdout, stderr, .. } = finished;
    assert_eq!((finished.code, stdout.as_str()), (Some(code), ""), "{stderr}");
    assert_eq!(stderr.matches("error: ").count(), 1, "one message: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "no `{part}` in {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}
