//! Attacks on timing and floods in whole runs: what they cost to the nanosecond, and what they cannot do.

mod recorded;

use byzlab::Experiment;
use byzlab_analysis::oracle::{Invariant, Judgement};
use byzlab_analysis::{EventKind, Outcome};
use recorded::{Recorded, parse, record, run};
use std::collections::{BTreeMap, BTreeSet};

const MS: u64 = 1_000_000;

/// Messages take 10 ms, timeouts are 500 ms, and clients send to all.
fn constant(n: u16, more: &str) -> Experiment {
    parse(&format!(
        r#"
        experiment = {{ runs = 1, time_limit = "60s" }}
        network.latency = {{ distribution = "constant", value = "10ms" }}
        cluster = {{ replicas = {n} }}
        {more}"#
    ))
}

fn clients(clients: u16, requests: u16) -> String {
    format!("workload = {{ send_to = \"all\", clients = {clients}, requests = {requests} }}\n")
}

fn attack(adversary: &str, kind: &str) -> String {
    format!("[adversary]\n{adversary}\n[[adversary.attack]]\nkind = {kind}\n")
}

/// From each request to its reply, by client and number.
fn latencies(played: &Recorded) -> BTreeMap<(u32, Option<u64>), u64> {
    let issued: BTreeMap<_, _> = played.of(EventKind::Request).map(|row| ((row.node, row.seq), row.time_ns)).collect();
    let accepted = played.of(EventKind::Reply);
    accepted.map(|row| ((row.node, row.seq), row.time_ns - issued[&(row.node, row.seq)])).collect()
}

fn assert_clean(played: &Recorded, what: &str) {
    let (result, row) = (&played.result, &played.result.row);
    assert_eq!((row.outcome, row.completed), (Outcome::Completed, row.requests), "{what}");
    assert_eq!(result.violations(), [] as [&_; 0], "{what}");
}

#[test]
fn a_slow_primary_just_under_the_timeout_keeps_its_view_and_stretches_latency_by_its_delay() {
    for n in [4, 7] {
        for count in [1, 3, 20] {
            let workload = clients(count, 4);
            let honest = record(&constant(n, &workload), 0, 0);
            // A backup holds a request 10 ms after it was sent, and has executed it 30 ms after the proposal.
            for (kind, delay) in
                [("\"slow_primary\"", 400 * MS), ("\"slow_primary\"\ndelay = \"469999999ns\"", 470 * MS - 1)]
            {
                let what = format!("n = {n}, {count} clients, {kind}");
                let lie = attack("count = \"f\"\nselection = \"primary\"", kind);
                let played = record(&constant(n, &(workload.clone() + &lie)), 0, 0);
                assert_clean(&played, &what);
                assert_eq!((played.result.row.view_changes, played.of(EventKind::Timeout).count()), (0, 0), "{what}");
                let stretched = latencies(&honest).into_iter().map(|(request, latency)| (request, latency + delay));
                assert_eq!(latencies(&played), stretched.collect(), "{what}");
            }
            let lie = attack("members = [0]", "\"slow_primary\"\ndelay = \"470000001ns\"");
            let deposed = record(&constant(n, &(workload.clone() + &lie)), 0, 0);
            assert_clean(&deposed, "two nanoseconds more");
            assert_eq!(deposed.result.row.view_changes, 1, "n = {n}, {count} clients");
        }
    }
}

/// The bound of I11 counts that each pipeline may take nearly T.
#[test]
fn a_slow_primary_is_no_violation_of_liveness_however_many_wait_in_line() {
    let line =
        "protocol = { max_in_flight = 1 }\nworkload = { send_to = \"all\", clients = 60, client_timeout = \"2s\" }\n";
    let attack_of_primary = attack("members = [0]", "\"slow_primary\"");
    let played = record(&constant(4, &(line.to_owned() + &attack_of_primary)), 0, 0);
    assert_clean(&played, "60 in line");
    assert_eq!(played.result.row.view_changes, 0);
    let longest = latencies(&played).into_values().max().unwrap();
    assert!(longest > 20_000 * MS, "{longest}");
}

#[test]
fn an_adaptive_slow_primary_learns_from_the_views_that_it_lost() {
    let lie = attack("members = [0, 1]", "\"slow_primary\"\nadaptive = true");
    let played = record(&constant(7, &(clients(1, 40) + &lie)), 0, 0);
    assert_clean(&played, "adaptive");
    let issued: Vec<u64> = played.of(EventKind::Request).map(|row| row.time_ns).collect();
    let held = |view| -> Vec<u64> {
        let proposals = played.of(EventKind::Propose).filter(|row| row.view == Some(view));
        let from = |time| issued.iter().rev().find(|&&issued| issued + 10 * MS <= time);
        proposals.map(|row| row.time_ns - from(row.time_ns).unwrap() - 10 * MS).collect()
    };
    let first = held(0);
    // 25 ms and half as long again each time, as far as that was executed within 470 ms.
    assert_eq!(first[..4], [25 * MS, 37_500_000, 56_250_000, 84_375_000]);
    assert!(first.is_sorted() && first.iter().any(|&delay| delay > 400 * MS), "{first:?}");
    let timeouts: BTreeSet<_> = played.of(EventKind::Timeout).map(|row| row.view).collect();
    let lost: Vec<_> = timeouts.into_iter().flatten().collect();
    assert_eq!(lost, [0], "it goes no more where it was deposed, and keeps view 1 with a longer delay");
    // The first of the new view had waited before it began.
    let longest = held(1)[1..].iter().copied().max().unwrap();
    assert!((430 * MS..470 * MS).contains(&longest), "{longest}");
}

/// Requests and replies of corrupted clients are nobody's business: not the judge's, nor the oracles', nor the metrics'.
#[test]
fn corrupted_clients_that_behave_are_served_and_not_counted() {
    for send_to in ["primary", "all"] {
        let workload = format!("workload = {{ send_to = \"{send_to}\", clients = 5, requests = 6 }}\n");
        let honest = record(&constant(4, &workload), 0, 0);
        let played = record(&constant(4, &(workload.clone() + "adversary = { clients = 2 }")), 0, 0);
        assert_clean(&played, send_to);
        assert_eq!((played.result.row.requests, honest.result.row.requests), (18, 30));
        for kind in [EventKind::Request, EventKind::Reply] {
            let nodes: BTreeSet<u32> = played.of(kind).map(|row| row.node).collect();
            assert_eq!(nodes, BTreeSet::from([4, 5, 6]), "{kind:?}");
        }
        let served: BTreeSet<_> = played.of(EventKind::Ordered).filter_map(|row| row.peer).collect();
        assert_eq!(served, (4..9).collect(), "the replicas serve them all alike");
        let mut expected = latencies(&honest);
        expected.retain(|&(client, _), _| client < 7);
        assert_eq!(latencies(&played), expected);
        assert!(played.result.judgements.iter().all(|(_, judgement)| *judgement == Judgement::Held));
    }
}

/// I11, judged or not, of a run.
fn liveness(played: &Recorded) -> &Judgement {
    &played.result.judgements.iter().find(|(invariant, _)| *invariant == Invariant::I11).unwrap().1
}

#[test]
fn runs_end_while_clients_flood() {
    let workload = "workload = { clients = 3, requests = 5 }\n";
    let honest = record(&constant(4, workload), 0, 0);
    for to in ["all", "primary"] {
        let kind = format!("\"request_flood\"\nrate = 500\nto = \"{to}\"");
        let toml = workload.to_owned() + &attack("clients = 2", &kind);
        let played = record(&constant(4, &toml), 0, 0);
        assert_clean(&played, to);
        assert!(played.result.row.virtual_ns < 300 * MS, "{:?}", played.result.row);
        let ordered = played.of(EventKind::Ordered).filter(|row| row.peer.is_some_and(|client| client > 4)).count();
        assert!(ordered > 100, "{ordered} requests of the flood were ordered");
        let mut expected = latencies(&honest);
        expected.retain(|&(client, _), _| client == 4);
        assert_eq!(latencies(&played), expected, "where nothing takes time a flood takes none");
        match liveness(&played) {
            Judgement::NotJudged(reason) => assert!(reason.contains("clients flood the replicas"), "{reason}"),
            other => panic!("{other:?}"),
        }
        let judged = record(&constant(4, &format!("oracles = {{ liveness_bound = \"1s\" }}\n{toml}")), 0, 0);
        assert_eq!(liveness(&judged), &Judgement::Held);
    }
}

#[test]
fn a_flood_makes_honest_clients_wait_where_work_takes_time() {
    let workload = "workload = { clients = 2, requests = 10 }\nprocessing = { preset = \"ed25519\" }\n";
    let mean = |more: &str| {
        let played = record(&constant(7, &(workload.to_owned() + more)), 0, 0);
        assert_clean(&played, more);
        let latencies: Vec<u64> = latencies(&played)
            .into_iter()
            .filter(|((client, _), _)| *client == 7)
            .map(|(_, latency)| latency)
            .collect();
        latencies.iter().sum::<u64>() / latencies.len() as u64
    };
    let flood = |rate: u32| mean(&attack("clients = 1", &format!("\"request_flood\"\nrate = {rate}")));
    let (none, some, much) = (mean("adversary = { clients = 1 }"), flood(500), flood(1500));
    assert!(none < some && some < much, "{none} {some} {much}");
}

#[test]
fn view_change_spam_changes_nothing_for_honest_replicas() {
    for n in [4, 7] {
        let workload = clients(2, 20);
        let honest = record(&constant(n, &workload), 0, 0);
        let spam = attack("count = \"f\"\nselection = \"last\"", "\"view_change_spam\"\nrate = 1000");
        let played = record(&constant(n, &(workload.clone() + &spam)), 0, 0);
        assert_clean(&played, "spam");
        assert!(played.sent("view_change") > 500);
        for kind in [EventKind::Timeout, EventKind::ViewChange, EventKind::NewView] {
            assert_eq!(played.of(kind).count(), 0, "{kind:?}");
        }
        assert_eq!(latencies(&played), latencies(&honest));
        // Nor does it keep honest replicas from changing the view when they want to.
        let silent = "[[adversary.attack]]\nkind = \"silent\"\nmessages = [\"pre_prepare\"]\n";
        let spam = attack("members = [0]", "\"view_change_spam\"\nrate = 1000");
        let played = record(&constant(n, &(workload.clone() + &spam + silent)), 0, 0);
        assert_clean(&played, "spam of a silent primary");
        assert_eq!(played.result.row.view_changes, 1);
    }
}

/// The starved client turns to all after its timeout of 1 s, and 500 ms later the view goes; all others notice only that.
#[test]
fn a_starved_client_costs_the_primary_its_view() {
    let workload = "workload = { clients = 3, requests = 3 }\n";
    let lie = attack("members = [0]", "\"starve\"");
    let played = record(&constant(4, &(workload.to_owned() + &lie)), 0, 0);
    assert_clean(&played, "starve");
    let latencies = latencies(&played);
    // It is with the backups at 1,010 ms, whose patience ends at 1,510 ms; VIEW-CHANGE, NEW-VIEW and proposal, PREPARE, COMMIT, and
    // REPLY take 10 ms each.
    assert_eq!(latencies[&(4, Some(1))], 1_560 * MS);
    assert!((5..=6).all(|client| (1..=3).all(|number| latencies[&(client, Some(number))] == 50 * MS)), "{latencies:?}");
    assert_eq!(played.result.row.view_changes, 1);
    let starved =
        |view| played.of(EventKind::Ordered).filter(|row| row.peer == Some(4) && row.view == Some(view)).count();
    assert_eq!((starved(0), starved(1)), (0, 3));
}

/// Clients notice nothing; who is in the dark learns of it all a status interval later.
#[test]
fn replicas_in_the_dark_catch_up_by_asking() {
    let workload = "workload = { clients = 2, requests = 3 }\n";
    for (n, dark) in [(4, 3..=3), (7, 5..=6)] {
        let honest = record(&constant(n, workload), 0, 0);
        let members: Vec<usize> = (0..dark.clone().count()).collect();
        let lie = attack(&format!("members = {members:?}"), "\"in_dark\"");
        let played = record(&constant(n, &(workload.to_owned() + &lie)), 0, 0);
        assert_clean(&played, "in the dark");
        assert_eq!(latencies(&played), latencies(&honest));
        let last =
            |node| played.of(EventKind::Executed).filter(|row| row.node == node).map(|row| row.time_ns).max().unwrap();
        for node in dark {
            assert!((1_000 * MS..1_200 * MS).contains(&last(node)), "replica {node}: {}", last(node));
        }
        assert_eq!(played.result.row.view_changes, 0);
    }
}

/// With constant delays all votes come at once: the quorum closes without the corrupted ones, and nothing is slower. With one slow
/// honest replica, each phase waits for it.
#[test]
fn stalled_quorums_wait_for_the_slowest_honest_replica() {
    let workload = "workload = { requests = 3 }\n";
    let slow = "network.rule = [{ from = [1], action = \"delay\", delay = { distribution = \"constant\", value = \"40ms\" } }]\n";
    let lie = attack("members = [3]", "\"stall_quorum\"");
    let all = |more: &str| {
        let played = record(&constant(4, &(workload.to_owned() + more)), 0, 0);
        assert_clean(&played, more);
        latencies(&played).into_values().collect::<BTreeSet<u64>>()
    };
    assert_eq!(all(&lie), BTreeSet::from([50 * MS]));
    assert_eq!(all(slow), BTreeSet::from([50 * MS]), "without an attack three of four are enough");
    assert!(all(&(slow.to_owned() + &lie)).iter().all(|&latency| latency >= 90 * MS));
}

/// One corrupted client, and no corrupted replica: with MACs view after view is lost, with signatures none.
#[test]
fn requests_that_only_the_primary_can_verify_depose_one_primary_after_the_other() {
    let lie = attack("clients = 1", "\"bad_authenticator\"");
    for n in [4, 7] {
        let macs = format!(
            "protocol = {{ authentication = \"mac\" }}\nworkload = {{ send_to = \"all\", clients = 3, requests = 4 }}\n{lie}"
        );
        let played = record(&constant(n, &macs), 0, 0);
        assert_clean(&played, "MACs");
        assert!(played.result.row.view_changes >= 2, "{}", played.result.row.view_changes);
        let latencies: Vec<u64> = latencies(&played).into_values().collect();
        assert!(latencies.iter().any(|&latency| latency > 500 * MS), "{latencies:?}");
        assert!(matches!(liveness(&played), Judgement::NotJudged(reason) if reason.contains("each primary stalls")));
    }
    let error =
        Experiment::parse("e.toml", &format!("workload = {{ clients = 2 }}\n{lie}"), std::path::Path::new(""), &[]);
    assert!(error.unwrap_err().to_string().contains("authentication = \"mac\""));
}

/// Up to f corrupted replicas, whatever they do about time, break no promise, at random delays as well.
#[test]
fn no_timing_attack_breaks_a_promise() {
    let kinds = [
        "\"slow_cpu\"",
        "\"slow_primary\"",
        "\"slow_primary\"\nadaptive = true",
        "\"stall_quorum\"",
        "\"stall_quorum\"\nhold = \"20ms\"",
        "\"in_dark\"",
        "\"starve\"",
        "\"view_change_spam\"",
    ];
    for kind in kinds {
        for n in [4, 7] {
            let experiment = parse(&format!(
                "experiment = {{ runs = 20, time_limit = \"120s\", drain = \"20s\" }}\ncluster = {{ replicas = {n} }}\n\
                 workload = {{ clients = 3, requests = 4 }}\n[network]\nsynchrony = {{ gst = \"1s\", drop = 0.1 }}\n\
                 latency = {{ distribution = \"uniform\", min = \"1ms\", max = \"40ms\" }}\n{}",
                attack("count = \"f\"\nselection = \"first\"", kind)
            ));
            for index in 0..experiment.runs {
                let result = run(&experiment, 0, index);
                assert_eq!(result.violations(), [] as [&_; 0], "{kind}, n = {n}, run {index}");
                assert_eq!(result.row.outcome, Outcome::Completed, "{kind}, n = {n}, run {index}");
            }
        }
    }
}
