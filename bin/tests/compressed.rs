//! `[output] compression`: smaller files, and everything that reads a results folder as before.

mod program;

use byzlab_analysis::log::Source;
use program::{Desk, Finished};
use std::io::Read;

const EXPERIMENT: &str = r#"
    [experiment]
    runs = 40
    time_limit = "1s"

    [workload]
    requests = 3
    client_timeout = "200ms"

    [network]
    drop = 0.005

    [adversary]
    attack = [{ kind = "silent" }]

    [sweep]
    "adversary.count" = [0, 1]

    [output]
    events = "messages"
    latency_parts = true
"#;

const KINDS: [(&str, &str); 2] = [("zstd", ".zst"), ("gzip", ".gz")];

/// A desk with the results in `plain`, and those of each kind in a folder of its name.
fn results() -> Desk {
    let desk = Desk::with(EXPERIMENT);
    for kind in ["none", "zstd", "gzip"] {
        let finished = desk.byzlab(&format!("run e.toml --out {kind} --set output.compression={kind}"));
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    desk
}

fn decompressed(desk: &Desk, file: &str) -> String {
    let mut text = String::new();
    Source::open(&desk.path(file)).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_text_is_the_same_and_takes_less() {
    let desk = results();
    for (kind, suffix) in KINDS {
        for log in ["events.csv", "latency_parts.csv"] {
            let (plain, compressed) = (format!("none/{log}"), format!("{kind}/{log}{suffix}"));
            assert!(!desk.path(&format!("{kind}/{log}")).exists(), "{compressed} stands alone");
            assert!(decompressed(&desk, &compressed) == desk.read(&plain), "{compressed}");
            let size = |file: &str| std::fs::metadata(desk.path(file)).unwrap().len();
            assert!(size(&compressed) * 3 < size(&plain), "{compressed}: {} of {}", size(&compressed), size(&plain));
        }
        assert_eq!(desk.read(&format!("{kind}/runs.csv")), desk.read("none/runs.csv"));
        assert!(desk.read(&format!("{kind}/config.toml")).contains(&format!("compression = \"{kind}\"")));
    }
}

#[test]
fn all_that_reads_a_folder_says_the_same() {
    let desk = results();
    for arguments in ["analyze", "analyze --metric client --format json", "analyze --parts", "check"] {
        let said = |kind: &str| {
            let (command, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
            let Finished { code, stdout, stderr } = desk.byzlab(&format!("{command} {kind} {rest}"));
            assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments} of {kind}");
            stdout
        };
        let plain = said("none");
        for (kind, _) in KINDS {
            assert_eq!(said(kind), plain, "{arguments} of {kind}");
        }
    }
    for (kind, suffix) in KINDS {
        // The resolved configuration gives the same bytes, and so do other jobs.
        let again = desk.byzlab(&format!("run {kind}/config.toml --out again --force --jobs 3"));
        assert_eq!(again.code, Some(0), "{again:?}");
        for log in ["events.csv", "latency_parts.csv"] {
            let bytes = |folder: &str| std::fs::read(desk.path(&format!("{folder}/{log}{suffix}"))).unwrap();
            assert!(bytes("again") == bytes(kind), "{log}{suffix}");
        }
        let replayed = desk.byzlab(&format!("replay {kind} --cell 1 --run 39"));
        assert!(replayed.code == Some(0) && !replayed.stderr.contains("runs.csv has the fingerprint"), "{replayed:?}");
        let rows = decompressed(&desk, &format!("{kind}/events.csv{suffix}"));
        let of_run: Vec<&str> = rows.lines().filter(|row| row.starts_with("1,39,")).collect();
        assert_eq!(replayed.stdout.lines().skip(1).collect::<Vec<_>>(), of_run);
    }
}

#[test]
fn compressed_results_are_not_overwritten_nor_left_beside_others() {
    let desk = Desk::with("experiment = { runs = 2 }");
    std::fs::create_dir(desk.path("out")).unwrap();
    for (_, suffix) in KINDS {
        for log in ["events.csv", "latency_parts.csv"] {
            let file = format!("{log}{suffix}");
            desk.write(&format!("out/{file}"), "mine");
            let finished = desk.byzlab("run e.toml --out out");
            assert_eq!(finished.code, Some(2));
            assert!(finished.stderr.contains(&format!("holds results already ({file})")), "{}", finished.stderr);
            assert_eq!(desk.byzlab("run e.toml --out out --force").code, Some(0));
            assert!(!desk.path(&format!("out/{file}")).exists(), "{file} is of other results");
            std::fs::remove_dir_all(desk.path("out")).unwrap();
            std::fs::create_dir(desk.path("out")).unwrap();
        }
    }
}

/// What is cut back ends with a whole frame, and with the same run in all files.
#[cfg(unix)]
#[test]
fn when_the_disk_is_full_the_complete_runs_can_be_analysed() {
    let desk = Desk::with("experiment = { runs = 3000 }\noutput = { events = \"messages\" }");
    for (kind, suffix) in KINDS {
        for jobs in [1, 3] {
            let arguments = format!("--set output.compression={kind} --jobs {jobs}");
            // 250 or 500 KiB, as the shell counts in 512 or 1024 bytes.
            let line = "trap '' XFSZ; ulimit -f 500; exec \"$byzlab\" run e.toml --out out --force";
            let finished = desk.shell(&format!("{line} {arguments}"));
            let whole = desk.read("out/runs.csv").matches('\n').count() - 1;
            assert_eq!(finished.code, Some(1), "{finished:?}");
            for part in [
                format!("out/events.csv{suffix} cannot be written"),
                format!("the first {whole} runs are complete in the folder"),
            ] {
                assert!(finished.stderr.contains(&part), "no `{part}` in {}", finished.stderr);
            }
            assert!((1..3000).contains(&whole), "{finished:?}");
            let Finished { code, stdout, stderr } = desk.byzlab("analyze out");
            assert_eq!(code, Some(0), "{arguments}: {stderr}");
            assert!(stderr.contains("was interrupted") && stderr.contains(" of 3,000 runs"), "{stderr}");
            assert!(stdout.contains(&format!("{whole}/{whole}")), "{stdout}");
            let events = decompressed(&desk, &format!("out/events.csv{suffix}"));
            let last = events.lines().next_back().unwrap();
            assert!(
                last.starts_with(&format!("0,{},", whole - 1)),
                "no event of a run that is not in runs.csv: {last}"
            );
        }
    }
}
