//! What is known of attacks from the literature, or from counting votes: when one identity in two minds splits the others, and when not.

mod recorded;

use byzlab::Experiment;
use byzlab::config::Settings;
use byzlab_analysis::{EventKind, Outcome};
use recorded::{parse, record, run};
use std::collections::BTreeSet;
use std::path::Path;

const MS: u64 = 1_000_000;

/// All messages take 10 ms, both timeouts are 100 ms, and the clients send to all.
fn constant(n: u16, clients: u16, lie: &str) -> Experiment {
    parse(&format!(
        r#"
        experiment = {{ runs = 1, time_limit = "20s" }}
        cluster = {{ replicas = {n} }}
        protocol = {{ request_timeout = "100ms", view_change_timeout = "100ms" }}
        workload = {{ clients = {clients}, send_to = "all" }}
        network = {{ latency = {{ distribution = "constant", value = "10ms" }} }}
        [adversary]
        {lie}"#
    ))
}

/// One equivocating primary, and any two groups of backups: a digest is committed in view 0 just where those who were told it are a
/// quorum, the primary itself counted with the first group. Elsewhere the view changes. Nobody is ever split, also where n is not 3f+1.
#[test]
fn an_equivocating_primary_ends_in_a_view_change_where_no_quorum_forms() {
    for n in 4..=7_u16 {
        let quorum = usize::from((n + (n - 1) / 3 + 1).div_ceil(2));
        for split in 0..1_u16 << (n - 1) {
            let (first, second): (Vec<u16>, Vec<u16>) = (1..n).partition(|backup| split >> (backup - 1) & 1 == 0);
            let lie = format!(
                "members = [0]\nattack = [{{ kind = \"equivocate\", groups = [{first:?}, {second:?}], collude = true }}]"
            );
            let played = record(&constant(n, 1, &lie), 0, 0);
            let named = format!("n = {n}, {first:?}, {second:?}");
            assert_eq!(played.result.violations(), [] as [&_; 0], "{named}");
            assert_eq!(played.result.row.outcome, Outcome::Completed, "{named}");
            let is_quorum = first.len().max(second.len()) + 1 >= quorum;
            let committed = played.of(EventKind::Committed).any(|row| row.view == Some(0));
            assert_eq!(committed, is_quorum, "{named}");
            assert!(is_quorum || played.result.row.view_changes > 0, "{named}");
        }
    }
}

/// Twins (Bano et al., OPODIS 2021): with more than f of them each half has a quorum of its own, and they split it at the same moment
/// as colluders, three delays after the pre-prepare.
#[test]
fn more_than_f_twins_split_the_others_three_delays_after_the_pre_prepare() {
    for (n, members, groups) in [(4_u16, "[0, 3]", "[[1], [2]]"), (7, "[0, 5, 6]", "[[1, 2], [3, 4]]")] {
        let lie = format!("members = {members}\nattack = [{{ kind = \"twins\", groups = {groups} }}]");
        let played = record(&constant(n, 2, &lie), 0, 0);
        // Proposed at 10 ms.
        let first: Vec<_> = played.of(EventKind::Committed).filter(|row| row.seq == Some(1)).collect();
        assert!(first.iter().all(|row| row.time_ns == 40 * MS), "{first:?}");
        let digests: BTreeSet<_> = first.iter().map(|row| row.digest).collect();
        assert_eq!(digests.len(), 2, "n = {n}");
        assert_eq!((played.result.row.outcome, played.result.row.agreement), (Outcome::Violation, false));
        assert_eq!(played.result.violations()[0].time_ns, 40 * MS);
    }
}

#[test]
fn up_to_f_twins_never_split_the_others() {
    for n in [4, 5, 6, 7, 10] {
        for groups in ["\"each\"", "\"halves\"", "[[1, 2], [3]]", "[[1], [2, 3]]"] {
            for share in [false, true] {
                let experiment = parse(&format!(
                    "[adversary]\nselection = \"primary\"\ncount = \"f\"\n[[adversary.attack]]\nkind = \"twins\"\n\
                     groups = {groups}\nshare_clients = {share}\n[experiment]\nruns = 10\ntime_limit = \"60s\"\n[workload]\n\
                     clients = 2\nrequests = 3\n[cluster]\nreplicas = {n}\n[network]\n\
                     latency = {{ distribution = \"uniform\", min = \"1ms\", max = \"40ms\" }}"
                ));
                for index in 0..experiment.runs {
                    let result = run(&experiment, 0, index);
                    let named = format!("n = {n}, {groups}, {share}, run {index}");
                    assert_eq!(result.violations(), [] as [&_; 0], "{named}");
                    assert_eq!(result.row.outcome, Outcome::Completed, "{named}");
                }
            }
        }
    }
}

/// The examples of attacks keep to f, so nothing that is promised is ever broken; and each attack gets its chance.
#[test]
fn the_examples_of_attacks_act_and_violate_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/attacks");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.display();
        let experiment = parse(&std::fs::read_to_string(&file).unwrap());
        let mut acted = 0;
        for cell in 0..experiment.cells.len() as u32 {
            for index in 0..10 {
                let played = record(&experiment, cell, index);
                assert_eq!(played.result.violations(), [] as [&_; 0], "{name}, cell {cell}, run {index}");
                acted += played.of(EventKind::Attack).count();
            }
        }
        // What an adversary without a node does to the network nobody logs but the network.
        let logs = |settings: &Settings| settings.most_corrupted() > 0 || settings.adversary.clients > 0;
        if experiment.cells.iter().any(|cell| logs(&cell.settings)) {
            assert!(acted > 0, "{name}: nobody ever attacked");
        }
    }
}
