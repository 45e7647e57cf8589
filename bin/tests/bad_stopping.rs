//! Mistakes in `[sweep.stop]` and `output.compression`: each is answered with its place, what is wrong and a remedy.

mod program;

use program::{Desk, refused, run};

fn stop(lines: &str) -> String {
    format!("[sweep]\n\"network.drop\" = [0.0, 0.1]\n[sweep.stop]\n{lines}")
}

#[test]
fn the_width_is_given_once() {
    let neither = "sweep.stop: how narrow the interval is to be is missing";
    refused(
        &run(&stop(""), ""),
        "e.toml:3",
        &[neither, "relative_half_width = 0.05", "absolute_half_width = \"0.5ms\""],
    );
    let throughput = run(&stop("metric = \"throughput\""), "");
    refused(&throughput, "e.toml:3", &[neither, "absolute_half_width = 5.0"]);
    let success = run(&stop("metric = \"success\""), "");
    refused(&success, "e.toml:3", &[neither, "absolute_half_width = 0.05` for ± 5 points"]);
    let both = run(&stop("relative_half_width = 0.1\nabsolute_half_width = \"1ms\""), "");
    let parts = ["sweep.stop.absolute_half_width = \"1ms\"", "given twice", "keep one of"];
    refused(&both, "e.toml:5", &parts);
}

#[test]
fn widths_are_in_range_and_in_the_unit_of_the_metric() {
    for (lines, place, parts) in [
        (
            "relative_half_width = 0",
            "e.toml:4",
            ["sweep.stop.relative_half_width = 0: too small", "above 0 and below 1"],
        ),
        ("relative_half_width = 1.0", "e.toml:4", ["relative_half_width = 1.0: too large", "above 0 and below 1"]),
        ("relative_half_width = nan", "e.toml:4", ["not a finite number", "above 0 and below 1"]),
        ("relative_half_width = \"5%\"", "e.toml:4", ["this is text", "a number above 0 and below 1"]),
        ("absolute_half_width = 0.5", "e.toml:4", ["a unit is missing", "write \"0.5ms\""]),
        ("absolute_half_width = \"0ms\"", "e.toml:4", ["too small", "a duration such as"]),
        (
            "metric = \"throughput\"\nabsolute_half_width = \"1ms\"",
            "e.toml:5",
            ["this is text", "a finite number, above 0"],
        ),
        ("metric = \"throughput\"\nabsolute_half_width = 0", "e.toml:5", ["too small", "a finite number, above 0"]),
        ("metric = \"success\"\nabsolute_half_width = 0.5", "e.toml:5", ["too large", "above 0 and below 0.5"]),
        ("metric = \"success\"\nabsolute_half_width = \"1ms\"", "e.toml:5", ["this is text", "above 0 and below 0.5"]),
        (
            "metric = \"success\"\nrelative_half_width = 0.1",
            "e.toml:5",
            ["a share has no relative width", "absolute_half_width = 0.05"],
        ),
    ] {
        refused(&run(&stop(lines), ""), place, &parts);
    }
}

#[test]
fn the_other_keys_are_in_range() {
    let width = "relative_half_width = 0.1\n";
    for (line, parts) in [
        ("min_runs = 1", ["sweep.stop.min_runs = 1: too small", "a whole number, at least 2"]),
        (
            "max_runs = 9",
            ["no more runs than 9 are allowed, and at least 10", "give at least 10, or a lower `min_runs`"],
        ),
        ("confidence = 95", ["sweep.stop.confidence = 95: too large", "above 0 and below 1"]),
        ("confidence = 0", ["sweep.stop.confidence = 0: too small", "above 0 and below 1"]),
        ("metric = \"latency\"", ["unknown word", "\"client\" or \"throughput\""]),
        ("metric = \"sucess\"", ["unknown word", "did you mean \"success\"?"]),
        ("minruns = 3", ["unknown key `sweep.stop.minruns`", "did you mean `min_runs`?"]),
        ("warmup = 3", ["unknown key `sweep.stop.warmup`", "the keys here are metric, "]),
    ] {
        refused(&run(&stop(&format!("{width}{line}")), ""), "e.toml:5", &parts);
    }
    let set = run(&stop(width), "--set sweep.stop.max_runs=3");
    refused(&set, "--set sweep.stop.max_runs=3", &["no more runs than 3", "give at least 10"]);
}

#[test]
fn stop_is_a_table_and_its_keys_cannot_be_swept() {
    refused(&run("[sweep]\nstop = 3", ""), "e.toml:2", &["sweep.stop = 3: this is a whole number", "[sweep.stop]"]);
    let swept = run("[sweep]\n\"sweep.stop.max_runs\" = [20, 30]", "");
    refused(&swept, "e.toml:2", &["this key holds for the whole experiment"]);
    let compression = run("[sweep]\n\"output.compression\" = [\"zstd\", \"gzip\"]", "");
    refused(&compression, "e.toml:2", &["this key holds for the whole experiment"]);
}

#[test]
fn compression_is_one_of_three_words() {
    let parts = ["output.compression = \"zst\"", "did you mean \"zstd\"?", "\"none\" or \"zstd\" or \"gzip\""];
    refused(&run("[output]\ncompression = \"zst\"", ""), "e.toml:2", &parts);
    refused(&run("[output]\ncompression = true", ""), "e.toml:2", &["this is a boolean", "\"none\" or \"zstd\""]);
}

/// What is measured of an attack has as many runs for each.
#[test]
fn the_frontier_says_that_it_does_not_stop() {
    let desk = Desk::with(
        "experiment = { runs = 2, time_limit = \"1s\" }\n[sweep.stop]\nrelative_half_width = 0.1\nmetric = \"client\"",
    );
    let finished = desk.byzlab("frontier e.toml --budget 30 --out out");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stderr.contains("[sweep.stop] plays no part: each attack is measured with experiment.runs = 2"));
    let attack = desk.read("out/attack-1.toml");
    assert!(attack.contains("runs = 2\n") && !attack.contains("[sweep.stop]"), "{attack}");
}
