//! What the protocol promises, on whole runs: exact times, counts of messages, liveness once nothing is lost any more, and
//! agreement up to f liars, and what is said beyond.

mod program;
mod recorded;

use byzlab_analysis::{EventKind, Outcome};
use program::Desk;
use recorded::{Row, parse, record, run};
use std::collections::{BTreeMap, BTreeSet};

const MS: u64 = 1_000_000;

/// All messages take 10 ms, both timeouts are 100 ms, and the client sends to all.
fn constant(n: u16, more: &str) -> byzlab::Experiment {
    parse(&format!(
        r#"
        experiment = {{ runs = 1, time_limit = "10s" }}
        protocol = {{ request_timeout = "100ms", view_change_timeout = "100ms" }}
        workload = {{ send_to = "all" }}
        network = {{ latency = {{ distribution = "constant", value = "10ms" }} }}
        [cluster]
        replicas = {n}
        {more}"#
    ))
}

/// The happy path: pre-prepare n−1, prepare (n−1)², commit n(n−1), reply n.
#[test]
fn the_happy_path_takes_its_exact_number_of_messages() {
    for n in 1..=20_u16 {
        for f in 0..=(n - 1) / 3 {
            let played = record(&constant(n, &format!("faults = {f}")), 0, 0);
            let n = usize::from(n);
            let counts = ["pre_prepare", "prepare", "commit", "reply"].map(|kind| played.sent(kind));
            assert_eq!(counts, [n - 1, (n - 1) * (n - 1), n * (n - 1), n], "n = {n}, f = {f}");
            assert_eq!(played.result.row.outcome, Outcome::Completed);
            for kind in ["checkpoint", "view_change", "new_view", "fetch", "state", "status"] {
                assert_eq!(played.sent(kind), 0, "nobody lacks anything: {kind}");
            }
        }
    }
}

/// One silent primary of four: the commit comes at T + 5d in view 1. k silent primaries in a row of n = 3k+1: at (k+4)d + 2^(k−1)·T
/// in view k.
#[test]
fn silent_primaries_cost_exactly_their_timeouts() {
    for k in 1..=6_u64 {
        let members: Vec<u64> = (0..k).collect();
        let silent = format!("[adversary]\nmembers = {members:?}\n[[adversary.attack]]\nkind = \"silent\"");
        let played = record(&constant(3 * k as u16 + 1, &silent), 0, 0);
        let commits: BTreeSet<_> = played.of(EventKind::Committed).map(|row| (row.time_ns, row.view)).collect();
        let expected = (k + 4) * 10 * MS + (1 << (k - 1)) * 100 * MS;
        assert_eq!(commits, BTreeSet::from([(expected, Some(k))]), "k = {k}");
        assert_eq!(played.of(EventKind::Committed).count() as u64, 2 * k + 1);
    }
}

/// 20 % loss until 1 s, none after: every request is answered, and all replicas come to the same state. 1,000 seeds each.
#[test]
fn what_was_lost_is_made_good() {
    let experiment = parse(
        r#"
        experiment = { runs = 1000, time_limit = "60s", drain = "60s" }
        workload = { clients = 3, requests = 10 }
        sweep = { "cluster.replicas" = [4, 7, 10] }
        [network]
        latency = { distribution = "uniform", min = "5ms", max = "35ms" }
        synchrony = { gst = "1s", drop = 0.2 }"#,
    );
    for cell in 0..3 {
        for index in 0..experiment.runs {
            let result = run(&experiment, cell, index);
            let row = &result.row;
            let named = format!("cell {cell}, run {index}: {result:?}");
            assert_eq!((row.outcome, row.completed), (Outcome::Completed, 30), "{named}");
            // It ended because all had executed all, not because the drain was over.
            assert!(row.virtual_ns < 30_000 * MS, "{named}");
        }
    }
    for cell in 0..3 {
        let played = record(&experiment, cell, 0);
        let mut states: BTreeMap<u32, (Option<u64>, Option<u64>)> = BTreeMap::new();
        let reached = |row: &&Row| matches!(row.kind, EventKind::Executed | EventKind::StateTransfer);
        for row in played.rows.iter().filter(reached) {
            states.insert(row.node, (row.seq, row.value));
        }
        assert_eq!(states.len(), [4, 7, 10][cell as usize]);
        assert_eq!(states.values().collect::<BTreeSet<_>>().len(), 1, "all states are equal: {states:?}");
    }
}

/// Where n is not 3f+1 a quorum of 2f+1 would let an equivocating primary split the others (n = 5 and 6); Q does not.
#[test]
fn up_to_f_liars_never_split_the_others() {
    for n in [4, 5, 6, 7] {
        for groups in ["\"each\"", "\"halves\"", "[[1, 2], [3]]", "[[1], [2, 3]]"] {
            let lie = format!(
                "[adversary]\nselection = \"primary\"\ncount = {}\n[[adversary.attack]]\nkind = \"equivocate\"\n\
                 groups = {groups}\ncollude = true\n[experiment]\nruns = 50\n[workload]\nrequests = 3\n[network]\n\
                 latency = {{ distribution = \"uniform\", min = \"1ms\", max = \"40ms\" }}\n[cluster]\nreplicas = {n}",
                (n - 1) / 3
            );
            let experiment = parse(&lie);
            for index in 0..experiment.runs {
                let result = run(&experiment, 0, index);
                assert_eq!(result.violations(), [] as [&_; 0], "n = {n}, {groups}, run {index}");
                assert_eq!(result.row.outcome, Outcome::Completed, "n = {n}, {groups}, run {index}");
            }
        }
    }
}

/// Beyond f nothing is promised, but a broken agreement is said: f+1 colluders split the others three delays after the pre-prepare.
#[test]
fn more_than_f_colluders_split_the_others_and_that_is_a_violation() {
    for (n, members, groups) in [(4, "[0, 3]", "[[1], [2]]"), (7, "[0, 5, 6]", "[[1, 2], [3, 4]]")] {
        let lie = format!(
            "[adversary]\nmembers = {members}\n[[adversary.attack]]\nkind = \"equivocate\"\ngroups = {groups}\ncollude = true"
        );
        let played = record(&constant(n, &lie), 0, 0);
        // Proposed at 10 ms.
        let commits: Vec<_> = played.of(EventKind::Committed).map(|row| row.time_ns).collect();
        assert_eq!(commits, vec![40 * MS; usize::from(n) - members.matches(',').count() - 1]);
        let digests: BTreeSet<_> = played.of(EventKind::Committed).map(|row| row.digest).collect();
        assert_eq!(digests.len(), 2);
        assert_eq!((played.result.row.outcome, played.result.row.agreement), (Outcome::Violation, false));

        let desk = Desk::with(&format!(
            "{lie}\n[experiment]\nruns = 2\n[cluster]\nreplicas = {n}\n[network]\n\
             latency = {{ distribution = \"constant\", value = \"10ms\" }}"
        ));
        let finished = desk.byzlab("run e.toml --out out");
        assert_eq!(finished.code, Some(1));
        let said = ["I1 (agreement) violated at 40.000000 ms", "byzlab replay out --cell 0 --run 0 --events messages"];
        for part in said {
            assert!(finished.stderr.contains(part), "no {part} in {}", finished.stderr);
        }
        let replayed = desk.byzlab("replay out --run 1 --events protocol");
        assert_eq!(replayed.code, Some(1));
        assert!(replayed.stderr.contains("I1 (agreement) violated"), "{}", replayed.stderr);
        let logged: Vec<_> =
            desk.read("out/events.csv").lines().filter(|line| line.starts_with("0,1,")).map(String::from).collect();
        let again: Vec<_> = replayed.stdout.lines().skip(1).map(String::from).collect();
        assert_eq!(again, logged, "the same run again");
        let checked = desk.byzlab("check out");
        assert_eq!(checked.code, Some(1));
        assert!(checked.stdout.contains("I1   agreement                0         2"), "{}", checked.stdout);
    }
}
