//! `byzlab hunt`: what it finds is small, the same each time, and does it again; and on the protocol as it is it finds nothing.

mod program;

use byzlab::config::EventDetail;
use byzlab::hunt::{Break, Fault, Finding, Folder, HuntOptions, HuntReport, hunt, hunted_cells, live_cells};
use byzlab::{Experiment, RunId, run_once};
use byzlab_analysis::oracle::Invariant;
use program::{Desk, Finished};
use std::io::Sink;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;

/// More than f corrupted: once they collude as an equivocating primary, agreement breaks.
const BROKEN: &str = r#"
    [experiment]
    name = "broken"
    seed = 3
    time_limit = "10s"
    [workload]
    requests = 2
    [network]
    latency = { distribution = "uniform", min = "1ms", max = "10ms" }
    [protocol]
    request_timeout = "40ms"
    view_change_timeout = "60ms"
    status_interval = "50ms"
    [adversary]
    count = 2
    [sweep]
    "protocol.batch_size" = [1, 2]
"#;

fn experiment(toml: &str) -> Experiment {
    Experiment::parse("e.toml", toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn ready() -> Experiment {
    Experiment::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/hunt.toml"), &[]).unwrap()
}

fn options(budget: u64, jobs: usize) -> HuntOptions {
    HuntOptions { jobs: NonZeroUsize::new(jobs), ..HuntOptions::new(NonZeroU64::new(budget).unwrap()) }
}

fn hunted(experiment: &Experiment, options: &HuntOptions) -> HuntReport {
    hunt(experiment, options, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// All that a hunt says, its settings aside.
fn said(report: &HuntReport) -> Vec<String> {
    let finding = |finding: &Finding| {
        let Finding { signature, count, first_run, run, seed, schedule, violation, .. } = finding;
        format!("{signature} {count} {first_run} {run} {seed} {schedule:?} {violation}")
    };
    let broken = report.broken.iter().map(|(what, count)| format!("{what} {count}"));
    broken.chain(report.findings.iter().map(finding)).collect()
}

#[test]
fn the_ready_experiment_is_judged_in_full() {
    let cells = hunted_cells(&ready(), None).unwrap();
    assert_eq!(live_cells(&cells), ready().cells.len(), "I11 too");
}

#[test]
fn the_protocol_as_it_is_breaks_nothing() {
    let report = hunted(&ready(), &HuntOptions { seed: Some(2024), ..options(4_000, 2) });
    assert_eq!(said(&report), Vec::<String>::new());
    let bound = report.upper_bound().unwrap();
    assert!((bound - 7.486e-4).abs() < 1e-6, "1 - 0.05^(1/4000) is {bound}");
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_threads() {
    let broken = experiment(BROKEN);
    let (one, three) = (hunted(&broken, &options(700, 1)), hunted(&broken, &options(700, 3)));
    assert!(!one.findings.is_empty());
    assert_eq!(said(&one), said(&three));
    let other = hunted(&broken, &HuntOptions { seed: Some(4), ..options(700, 2) });
    assert_ne!(said(&one), said(&other), "another seed, other schedules");
}

#[test]
fn the_first_break_is_the_same_with_and_without_a_stop() {
    let broken = experiment(BROKEN);
    let all = hunted(&broken, &options(700, 2));
    for jobs in [1, 2] {
        let first = hunted(&broken, &HuntOptions { stop_at_first: true, ..options(700, jobs) });
        assert_eq!((first.violations(), first.findings.len()), (1, 1));
        assert_eq!(first.runs, first.findings[0].run + 1);
        assert_eq!(first.findings[0].first_run, all.findings.iter().map(|finding| finding.first_run).min().unwrap());
    }
}

#[test]
fn a_finding_is_minimal_and_its_experiment_does_it_again() {
    let report = hunted(&experiment(BROKEN), &options(4000, 2));
    let bare = HuntOptions { shrink: false, ..options(4000, 2) };
    let drawn = hunted(&experiment(BROKEN), &bare);
    let largest = |report: &HuntReport| report.findings.iter().map(|found| found.schedule.faults.len()).max().unwrap();
    assert!(largest(&drawn) > 5, "schedules as drawn have many faults");
    for (place, finding) in report.findings.iter().enumerate() {
        assert_eq!(finding.what, Break::Invariant(Invariant::I1));
        assert!(finding.schedule.faults.len() <= 3, "{:?}", finding.schedule);
        let has_attack = finding.schedule.faults.iter().any(|fault| matches!(fault, Fault::Attack(_)));
        assert!(has_attack, "without a lie agreement holds: {:?}", finding.schedule);

        let toml = finding.experiment(&experiment(BROKEN), place).to_toml();
        let again = experiment(&toml);
        assert_eq!(again.to_toml(), toml);
        let id = RunId { cell: 0, run: 0, seed: again.run_seed(0, 0), parameters: vec![] };
        let result = run_once(&id, &again.base, None::<(EventDetail, Sink)>);
        let texts: Vec<String> =
            result.violations().iter().map(|violation| violation.to_string().trim_end().to_owned()).collect();
        assert!(texts.contains(&finding.violation), "{texts:?} is not {}", finding.violation);
    }
    let signatures: Vec<&str> = report.findings.iter().map(|finding| finding.signature.as_str()).collect();
    assert!(signatures.contains(&"I1: equivocate"), "{signatures:?}");
}

#[test]
fn a_hunt_that_was_stopped_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let into = |name: &str, how: Folder, budget| HuntOptions {
        out: Some(folder.path().join(name)),
        folder: how,
        ..options(budget, 2)
    };
    let broken = experiment(BROKEN);
    let whole = hunted(&broken, &into("whole", Folder::New, 900));
    hunted(&broken, &into("parts", Folder::New, 100));
    hunted(&broken, &into("parts", Folder::Resume, 613));
    let parts = hunted(&broken, &into("parts", Folder::Resume, 900));
    assert_eq!((parts.runs, parts.resumed_at), (900, 613));
    assert_eq!(said(&whole), said(&parts));
    let files = |name: &str| {
        let mut files = Vec::new();
        list_files(&folder.path().join(name), Path::new(""), &mut files);
        files
    };
    assert!(files("whole").len() >= 4);
    assert_eq!(files("whole"), files("parts"));
}

/// The files below a folder with what is in them.
fn list_files(folder: &Path, path: &Path, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder.join(path)).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = path.join(entry.file_name());
        if entry.path().is_dir() {
            list_files(folder, &path, files);
        } else {
            files.push((path.display().to_string(), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

#[test]
fn the_program_says_what_it_found_and_its_files_reproduce_it() {
    let desk = Desk::with(BROKEN);
    let Finished { code, stdout, stderr } = desk.byzlab("hunt e.toml --budget 300 --out h");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("only agreement (I1) is judged"), "{stderr}");
    for part in
        ["cause", "I1: equivocate", "findings/001-I1", "300 runs in", "a second a core", "first violated: I1 in"]
    {
        assert!(stdout.contains(part), "no `{part}` in {stdout}");
    }
    let experiment = desk.read("h/findings/001-I1/experiment.toml");
    let trace = desk.read("h/findings/001-I1/trace.txt");
    for part in ["I1 is violated", "[[adversary.attack]]", "runs = 1\n"] {
        assert!(experiment.contains(part), "no `{part}` in {experiment}");
    }
    for part in ["I1 is violated", "PRE-PREPARE(v0, n1", "fell to the adversary", "of 2 requests", "violated: I1"] {
        assert!(trace.contains(part), "no `{part}` in {trace}");
    }
    let again = desk.byzlab("run h/findings/001-I1/experiment.toml --out again");
    assert_eq!(again.code, Some(1), "{again:?}");
    let violation = trace.lines().rev().find(|line| line.starts_with("I1")).unwrap();
    assert!(again.stderr.contains(violation), "no `{violation}` in {}", again.stderr);
}

#[test]
fn a_clean_hunt_says_how_rare_a_violation_can_be() {
    let desk = Desk::with("experiment = { time_limit = \"10s\" }\nworkload = { requests = 2 }");
    let Finished { code, stdout, stderr } = desk.byzlab("hunt e.toml --budget 60 --out h --seed 9");
    assert_eq!(code, Some(0), "{stderr}{stdout}");
    assert!(stderr.contains("the file corrupts nobody, so up to f = 1"), "{stderr}");
    assert!(stdout.contains("0 of 60 violated something"), "{stdout}");
    // 1 - 0.05^(1/60) is 4.8703 %.
    assert!(stdout.contains("at most 4.9 % of all schedules"), "{stdout}");
    let more = desk.byzlab("hunt e.toml --budget 100 --out h --seed 9 --resume");
    assert!(more.stdout.starts_with("40 runs (and 60 before)"), "{more:?}");
    let none = desk.byzlab("hunt e.toml --budget 100 --out h --seed 9 --resume");
    assert!(none.stderr.contains("give a greater --budget"), "{none:?}");
}

#[test]
fn bad_input_is_refused_with_a_remedy() {
    let desk = Desk::with("workload = { requests = 2 }\nexperiment = { time_limit = \"10s\" }");
    let refused = |arguments: &str, parts: &[&str]| {
        let Finished { code, stdout, stderr } = desk.byzlab(&format!("hunt {arguments}"));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments}: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{arguments}: no `{part}` in {stderr}");
        }
    };
    refused("e.toml --budget 0", &["--budget"]);
    refused("e.toml --jobs 0", &["--jobs"]);
    refused("nowhere.toml", &["nowhere.toml", "hint: "]);
    refused("e.toml --resume --force", &["--force"]);
    refused("e.toml --corrupt many", &["--corrupt"]);
    assert_eq!(desk.byzlab("hunt e.toml --budget 5 --out h").code, Some(0));
    refused("e.toml --budget 5 --out h", &["holds a hunt already", "--resume", "--force"]);
    refused("e.toml --budget 9 --out h --resume --seed 7", &["its seed, 1, is not", "hint: "]);
    refused("e.toml --budget 9 --out h --resume --corrupt 0", &["--corrupt", "hint: "]);
    refused(
        "e.toml --budget 9 --out h --resume --set cluster.replicas=7",
        &["its configuration is not", "[cluster] has `replicas = 4", "`replicas = 7", "hint: "],
    );
    desk.write("h/hunt.toml", "[hunt]\nseed = 1\nshrink = true\nruns = \"many\"\n");
    refused("e.toml --budget 9 --out h --resume", &["hunt.toml:4", "runs"]);
    std::fs::remove_file(desk.path("h/hunt.toml")).unwrap();
    for how in ["", "--resume", "--force"] {
        refused(&format!("e.toml --budget 9 --out h {how}"), &["is not the folder of a hunt", "--out"]);
        refused(&format!("e.toml --budget 9 --out e.toml {how}"), &["is a file", "--out"]);
    }
    assert!(desk.path("h/config.toml").exists(), "it stays");
    desk.write("h/hunt.toml", "");
    assert_eq!(desk.byzlab("hunt e.toml --budget 5 --out h --force").code, Some(0));
    refused("e.toml --corrupt 9", &["--corrupt 9: there are 4 replicas", "hint: "]);
    refused("e.toml --corrupt 2 --set adversary.budget=1", &["more than adversary.budget = 1", "hint: "]);
    refused("e.toml --corrupt 1 --set adversary.preset=chase", &["is spent then", "hint: "]);
    assert_eq!(
        desk.byzlab("hunt e.toml --budget 5 --out fresh --resume").code,
        Some(0),
        "nothing is there to go on from"
    );
}

#[test]
fn who_falls_later_counts_among_the_corrupted() {
    let desk = Desk::with("workload = { requests = 2 }\nexperiment = { time_limit = \"10s\" }");
    let said = |arguments: &str| desk.byzlab(&format!("hunt e.toml --budget 3 --force --out h {arguments}")).stderr;
    assert!(said("--set adversary.preset=chase").contains("follows the file"));
    assert!(said("--set adversary.budget=2").contains("only agreement (I1) is judged"));
    let crashed = said("--corrupt 1 --set cluster.crash=[{node=1,at=\"1ms\"}]");
    assert!(crashed.contains("corrupted or down at once"), "{crashed}");
}
