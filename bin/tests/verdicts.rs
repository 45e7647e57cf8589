//! What is said of runs: by the run itself, by `byzlab check` of its log, and by `byzlab replay`.

mod program;
mod recorded;

use byzlab_analysis::oracle::{Invariant, Judgement};
use byzlab_analysis::{EventKind, Outcome};
use program::Desk;
use recorded::{parse, record};

const QUIET: &str = r#"
experiment = { runs = 3 }
network = { latency = { distribution = "uniform", min = "5ms", max = "35ms" } }
workload = { clients = 2, requests = 5 }
"#;

#[test]
fn a_good_run_holds_everything_and_its_log_says_the_same() {
    let played = record(&parse(QUIET), 0, 0);
    assert!(played.result.judgements.iter().all(|(_, judgement)| *judgement == Judgement::Held), "{:?}", played.result);
    for (detail, not_judged) in [("protocol", 1), ("messages", 0), ("none", 12)] {
        let desk = Desk::with(&format!("{QUIET}output = {{ events = \"{detail}\" }}"));
        assert_eq!(desk.byzlab("run e.toml --out out").code, Some(0));
        let checked = desk.byzlab("check out");
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let rows = |text: &str| checked.stdout.lines().filter(|line| line.contains(text)).count();
        assert_eq!(rows(" 3         0           0  "), 12 - not_judged, "{}", checked.stdout);
        assert_eq!(rows(" 0         0           3  "), not_judged, "{}", checked.stdout);
        if detail == "protocol" {
            assert!(checked.stdout.contains("I5 not judged in 3 runs: the log has no replies"), "{}", checked.stdout);
        }
    }
}

/// A log is judged as it is, whoever wrote it.
#[test]
fn a_log_that_was_tampered_with_is_found_out() {
    let desk = Desk::with(QUIET);
    desk.byzlab("run e.toml --out out");
    let log = desk.read("out/events.csv");
    let line = log.lines().filter(|line| line.contains(",committed,")).nth(5).unwrap();
    let digest = line.split(',').nth(7).unwrap();
    desk.write("out/events.csv", log.replacen(line, &line.replace(digest, "00000000000000ff"), 1));
    let checked = desk.byzlab("check out");
    assert_eq!(checked.code, Some(1));
    for part in ["I1 (agreement) violated at", "00000000000000ff", "cell 0, run 0, seed"] {
        assert!(checked.stdout.contains(part), "{}", checked.stdout);
    }
    assert!(checked.stderr.contains("reproduce it: byzlab replay out --cell 0 --run 0"), "{}", checked.stderr);
}

#[test]
fn what_cannot_be_checked_or_replayed_says_why() {
    let desk = Desk::with(QUIET);
    for arguments in ["check out", "replay out --run 0", "replay e.toml --run 0"] {
        let missing = desk.byzlab(arguments);
        assert_eq!(missing.code, Some(2));
        let parts =
            ["not a results folder, for it has no config.toml", "hint: give a folder that `byzlab run … --out DIR`"];
        assert!(parts.iter().all(|part| missing.stderr.contains(part)), "{}", missing.stderr);
    }
    desk.byzlab("run e.toml --out out");
    for (arguments, part) in [
        ("replay out --run 3", "there is no run 3 in cell 0\n  hint: cells are 0 to 0, runs 0 to 2"),
        ("replay out --run 0 --cell 1", "there is no run 0 in cell 1"),
        ("replay out --run 0 --events all", "possible values: none, protocol, messages"),
        ("replay out", "--run <J>"),
    ] {
        let finished = desk.byzlab(arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(finished.stderr.contains(part), "{arguments}: {}", finished.stderr);
    }
    let silent = desk.byzlab("replay out --run 1 --events none");
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(0), ""));
    assert!(silent.stderr.contains("cell 0, run 1, seed") && silent.stderr.contains("completed"), "{}", silent.stderr);
    let log = desk.read("out/events.csv");
    let (kept, _) = log.rsplit_once(",executed").unwrap();
    desk.write("out/events.csv", kept);
    let cut = desk.byzlab("check out");
    assert_eq!(cut.code, Some(2), "{cut:?}");
    assert!(cut.stderr.contains("out/events.csv:"), "{}", cut.stderr);
}

#[test]
fn oracles_can_be_switched_off_one_by_one() {
    let split = r#"
        experiment = { runs = 1 }
        network = { latency = { distribution = "constant", value = "10ms" } }
        [adversary]
        members = [0, 3]
        attack = [{ kind = "equivocate", groups = [[1], [2]], collude = true }]
        "#;
    let outcome = |oracles: &str| record(&parse(&format!("{split}\n[oracles]\n{oracles}")), 0, 0).result;
    assert_eq!(outcome("").row.outcome, Outcome::Violation);
    let blind = outcome("agreement = false");
    assert_eq!(blind.row.outcome, Outcome::Completed);
    assert_eq!(blind.judgements[0], (Invariant::I1, Judgement::Off));
    assert!(!blind.row.agreement, "the column of runs.csv tells what happened all the same");
}

/// I11 is promised only where the network stabilises, views change and a quorum is there.
#[test]
fn liveness_is_judged_only_where_it_is_promised() {
    let liveness = |more: &str| {
        let toml = format!("experiment = {{ runs = 1, time_limit = \"100s\" }}\n{more}");
        record(&parse(&toml), 0, 0).result.judgements.remove(10)
    };
    let not_judged = |more: &str, part: &str| match liveness(more) {
        (Invariant::I11, Judgement::NotJudged(reason)) => assert!(reason.contains(part), "{more}: {reason}"),
        other => panic!("{more}: {other:?}"),
    };
    assert_eq!(liveness("").1, Judgement::Held);
    not_judged("protocol = { view_change = false }", "without view changes");
    not_judged("network = { drop = 0.01 }", "never stabilises");
    let exponential = "network = { latency = { distribution = \"exponential\", mean = \"10ms\" } }";
    not_judged(exponential, "delays have no bound");
    assert_eq!(liveness(&format!("{exponential}\noracles = {{ liveness_bound = \"50s\" }}")).1, Judgement::Held);
    not_judged("network = { partition = [{ groups = [[0, 1], [2, 3]] }] }", "too few replicas stay connected");
    let down = "cluster = { crash = [{ node = 0, at = \"0s\" }, { node = 1, at = \"0s\" }] }";
    not_judged(down, "more than f replicas were down or corrupted at once");
    let mute = "network = { rule = [{ messages = [\"reply\"], end = \"99990ms\", action = \"drop\" }] }\n";
    not_judged(mute, "the run ended while 1 request was not due yet");
    // A bound that cannot be kept is found broken.
    let Judgement::Violated(violation) = liveness("oracles = { liveness_bound = \"1ms\" }").1 else { panic!() };
    assert_eq!((violation.time_ns, violation.nodes.as_slice()), (1_000_000, &[4][..]));
}

/// A run waits for the honest replicas that can still come, and for no others.
#[test]
fn a_run_does_not_wait_for_who_is_down_or_cut_off_for_good() {
    let ended = |more: &str| {
        let toml = format!(
            "experiment = {{ runs = 1 }}\nnetwork = {{ latency = {{ distribution = \"constant\", value = \"10ms\" }} {more}"
        );
        let played = record(&parse(&toml), 0, 0);
        assert_eq!(played.result.row.outcome, Outcome::Completed, "{more}");
        let crashes = played.of(EventKind::Crash).count() + played.of(EventKind::Restart).count();
        (played.result.row.virtual_ns / 1_000_000, crashes)
    };
    let crash = |lines: &str| format!("}}\n[[cluster.crash]]\nnode = 3\nat = \"5ms\"\n{lines}");
    assert_eq!(ended("}"), (50, 0));
    assert_eq!(ended(&crash("")), (50, 1));
    assert_eq!(ended(", partition = [{ groups = [[0, 1, 2], [3]] }] }"), (50, 0));
    // One that comes back is waited for: it asks at 300 ms, and has the answers 20 ms later.
    assert_eq!(ended(&crash("recover_at = \"300ms\"")), (320, 2));
    // One without its state is not honest any more.
    assert_eq!(ended(&crash("recover_at = \"300ms\"\ndurable = false")), (300, 2));
}
