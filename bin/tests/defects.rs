//! Planted defects in whole runs, in builds that have them: they are named in the configuration, and oracles find them.
//!
//! ```text
//! cargo test -p byzlab --features planted-defects --test defects
//! ```

mod program;
mod recorded;

use byzlab_analysis::oracle::Invariant;
use byzlab_replica::Defect;
use program::{refused, run};
use recorded::{parse, record, settings};

#[test]
fn the_resolved_configuration_names_the_defect_that_is_planted() {
    for defect in Defect::ALL {
        let experiment = parse(&format!("[protocol]\ndefect = \"{defect}\""));
        assert_eq!(settings(&experiment, 0).protocol.defects.planted(), Some(defect));
        let resolved = experiment.to_toml();
        assert!(resolved.contains(&format!("\ndefect = \"{defect}\"\n")), "{resolved}");
        assert_eq!(parse(&resolved).to_toml(), resolved);
    }
    let sound = parse("");
    assert_eq!(settings(&sound, 0).protocol.defects.planted(), None);
    assert!(!sound.to_toml().contains("defect"));
}

#[test]
fn a_sweep_goes_through_defects() {
    let experiment = parse("[sweep]\n\"protocol.defect\" = [\"votes_counted\", \"first_certificate\"]");
    let planted = [0, 1].map(|cell| settings(&experiment, cell).protocol.defects.planted());
    assert_eq!(planted, [Some(Defect::VotesCounted), Some(Defect::FirstCertificate)]);
}

#[test]
fn an_unknown_defect_is_refused() {
    let finished = run("[protocol]\ndefect = \"vote_counted\"", "");
    refused(&finished, "e.toml:2", &["protocol.defect", "unknown word", "did you mean \"votes_counted\"?"]);
}

/// Within a few runs the defect breaks this invariant, and without it nothing is broken.
fn is_found(defect: Defect, invariant: Invariant, toml: &str) {
    let finds = |toml: &str| {
        let experiment = parse(toml);
        let runs = (0..20).map(|run| record(&experiment, 0, run).result);
        runs.flat_map(|result| result.violations().into_iter().map(|found| found.invariant).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(finds(toml), [], "without {defect}");
    let planted = toml.replacen("[protocol]\n", &format!("[protocol]\ndefect = \"{defect}\"\n"), 1);
    assert!(finds(&planted).contains(&invariant), "{defect} goes unnoticed");
}

/// Delays that differ, and nothing else.
const QUIET: &str = r#"
[experiment]
runs = 20
[protocol]
[workload]
clients = 3
requests = 20
[network]
latency = { distribution = "uniform", min = "5ms", max = "35ms" }
"#;

#[test]
fn commits_without_a_quorum_behind_them_are_found_without_any_fault() {
    is_found(Defect::CommitBeforePrepared, Invariant::I6, QUIET);
    is_found(Defect::CommitQuorum2f, Invariant::I6, QUIET);
}

#[test]
fn votes_that_count_twice_are_found_where_the_network_makes_copies() {
    is_found(Defect::VotesCounted, Invariant::I6, &format!("{QUIET}duplicate = 0.3\n"));
}

#[test]
fn stale_reads_are_found_where_some_replicas_lag() {
    let toml = QUIET
        .replace("[protocol]\n", "[protocol]\nread_only = true\n")
        .replace("[network]\n", "reads = 0.5\n[network]\n");
    let late = "[[network.rule]]\nto = [2, 3]\nmessages = [\"commit\"]\nprobability = 0.5\nend = \"400ms\"\naction = \"hold\"\n";
    is_found(Defect::WeakReadQuorum, Invariant::I5, &format!("{toml}{late}"));
}

#[test]
fn lost_view_changes_that_nobody_sends_again_are_found() {
    let toml = QUIET.replace("runs = 20\n", "runs = 20\ntime_limit = \"600s\"\n");
    let lossy = "synchrony = { gst = \"2s\", drop = 0.5 }\n[adversary]\ncount = 1\nselection = \"primary\"\n\
                 attack = [{ kind = \"silent\" }]\n";
    is_found(Defect::ViewChangeSentOnce, Invariant::I11, &format!("{toml}{lossy}"));
}
