//! `--plots`: which pictures there are, and where.

mod program;

use program::{Desk, Finished};

fn pictures(desk: &Desk, folder: &str) -> Vec<String> {
    let files =
        std::fs::read_dir(desk.path(folder)).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut pictures: Vec<String> = files.filter_map(|name| Some(name.strip_suffix(".svg")?.to_owned())).collect();
    pictures.sort();
    for name in &pictures {
        let svg = desk.read(&format!("{folder}/{name}.svg"));
        assert!(svg.starts_with("<?xml") && !svg.contains("NaN") && !svg.contains("inf\""), "{name}");
        let png = std::fs::read(desk.path(&format!("{folder}/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 1000, "{name}");
    }
    pictures
}

#[test]
fn a_sweep_has_its_three_figures_and_analyze_draws_everything() {
    let desk = Desk::with(
        r#"
        experiment = { runs = 5, time_limit = "5s" }
        workload = { requests = 10 }
        [adversary]
        attack = [{ kind = "silent", start = "5ms" }]
        [sweep]
        "adversary.count" = [0, 1]
        [output]
        events = "messages"
        "#,
    );
    assert_eq!(desk.byzlab("run e.toml --out r").code, Some(0));
    assert_eq!(pictures(&desk, "r"), ["figures", "latency", "success"]);
    let Finished { code, stderr, .. } = desk.byzlab("analyze r --plots=p");
    assert_eq!(code, Some(0), "{stderr}");
    let everything =
        ["ecdf", "figures", "histogram", "latency", "message_kinds", "messages", "quantiles", "success", "timeline"];
    assert_eq!(pictures(&desk, "p"), everything);
    // Without a folder of their own they stand beside the logs, and a new run with --force takes them away.
    assert_eq!(desk.byzlab("analyze --plots r").code, Some(0));
    assert_eq!(pictures(&desk, "r"), everything);
    assert_eq!(desk.byzlab("run e.toml --out r --force").code, Some(0));
    assert_eq!(pictures(&desk, "r"), ["figures", "latency", "success"]);
}

fn files(desk: &Desk, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(desk.path(folder)).unwrap();
    let mut files: Vec<String> = entries.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

/// With --force nothing stays of what an experiment, and an analysis of it, left in the folder.
#[test]
fn a_new_run_leaves_nothing_of_an_old_one() {
    let desk = Desk::with(
        r#"
        experiment = { runs = 3 }
        workload = { requests = 6 }
        [sweep]
        "workload.clients" = [1, 2]
        [output]
        events = "messages"
        latency_parts = true
        "#,
    );
    desk.write("bare.toml", "experiment = { runs = 1 }\noutput = { events = \"none\" }");
    assert_eq!(desk.byzlab("run bare.toml --out bare").code, Some(0));
    let bare = files(&desk, "bare");
    assert_eq!(bare, ["config.toml", "runs.csv"]);
    for compression in ["none", "zstd", "gzip"] {
        let set = format!("--set output.compression={compression}");
        let Finished { code, stderr, .. } = desk.byzlab(&format!("run e.toml --out r --force {set}"));
        assert_eq!(code, Some(0), "{stderr}");
        for arguments in ["analyze --plots r", "analyze --plots r --metric throughput"] {
            let Finished { code, stderr, .. } = desk.byzlab(arguments);
            assert_eq!(code, Some(0), "{stderr}");
        }
        let made = files(&desk, "r");
        for name in ["saturation.svg", "latency_parts.png", "timeline.svg", "message_kinds.png", "throughput.svg"] {
            assert!(made.iter().any(|file| file == name), "{name}: {made:?}");
        }
        assert!(made.iter().any(|file| file.starts_with("latency_parts.csv")), "{made:?}");
        // Tables of runs may be compressed by hand.
        desk.write("r/runs.csv.zst", "");
        desk.write("r/runs.csv.gz", "");
        assert_eq!(desk.byzlab("run bare.toml --out r --force").code, Some(0));
        assert_eq!(files(&desk, "r"), bare, "{compression}");
    }
}

/// Bad output is bad input: nothing had begun.
#[test]
fn pictures_that_cannot_be_written_end_an_analysis() {
    let desk = Desk::with("experiment = { runs = 2 }");
    assert_eq!(desk.byzlab("run e.toml --out r").code, Some(0));
    desk.write("occupied", "a file");
    let Finished { code, stdout, stderr } = desk.byzlab("analyze r --plots=occupied/p");
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("error: ") && stderr.contains("occupied/p"), "{stderr}");
}

#[test]
fn stats_draws_any_column() {
    let desk = Desk::with("");
    let rows: Vec<String> =
        (0..50).map(|row: u64| format!("{},{}", ["a", "b"][row as usize % 2], row * 7 % 40)).collect();
    desk.write("m.csv", format!("system,ms\n{}\n", rows.join("\n")));
    let Finished { code, stderr, .. } = desk.byzlab("stats m.csv --column ms --unit ms --by system --plots p");
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(pictures(&desk, "p"), ["ecdf", "histogram", "quantiles"]);
    assert!(desk.read("p/ecdf.svg").contains("system = b") && desk.read("p/ecdf.svg").contains("ms [ms]"));
    desk.write("m.csv", format!("system,ms\n{}", (rows.join("\n") + "\n").repeat(40)));
    let few = desk.byzlab("stats m.csv --column ms --by system --exact 10 --plots q");
    assert!(few.stderr.contains("not drawn: 2 of the groups"), "{}", few.stderr);
}
