//! The adversary's powers in whole runs: it corrupts replicas while the run goes on, and acts on the network.

mod recorded;

use byzlab_analysis::{EventKind, Outcome};
use recorded::{Recorded, parse, record};

fn run(adversary: &str) -> Recorded {
    record(&parse(&format!("{SCENE}\n[adversary]\n{adversary}")), 0, 0)
}

const SCENE: &str = r#"
    experiment = { time_limit = "20s" }
    protocol = { request_timeout = "100ms", view_change_timeout = "100ms" }
    workload = { clients = 2, requests = 6 }
    network = { latency = { distribution = "constant", value = "10ms" } }
    oracles = { liveness_bound = "15s" }
"#;

fn times(run: &Recorded, kind: EventKind) -> Vec<(u64, u32)> {
    run.of(kind).map(|row| (row.time_ns / 1_000_000, row.node)).collect()
}

/// What clients see, to the nanosecond.
fn replies(run: &Recorded) -> Vec<(u64, u32, Option<u64>)> {
    run.of(EventKind::Reply).map(|row| (row.time_ns, row.node, row.value)).collect()
}

/// Whoever takes a replica over and goes on as it would have gone on changes nothing: whatever was under way, waited for a line or a core,
/// or was being worked on, goes along.
#[test]
fn a_takeover_without_an_attack_changes_nothing() {
    const MACHINES: &str = r#"
        processing = { preset = "ed25519", cores = 2 }
        workload = { clients = 8, requests = 10, payload = "1KiB" }
        network = { latency = { distribution = "uniform", min = "1ms", max = "3ms" }, bandwidth = "20Mbit/s" }
        protocol = { checkpoint_interval = 5, log_window = 20 }
        cluster = { replicas = 7 }
    "#;
    for scene in [SCENE, MACHINES] {
        let honest = record(&parse(scene), 0, 0);
        assert_eq!(honest.result.row.outcome, Outcome::Completed);
        for at in ["0ms", "7ms", "21ms", "33ms", "57ms"] {
            for nodes in ["[0]", "[3]"] {
                let attack = format!("attack = [{{ kind = \"corrupt_at\", at = \"{at}\", nodes = {nodes} }}]");
                let taken = record(&parse(&format!("{scene}\n[adversary]\nbudget = 1\n{attack}")), 0, 0);
                assert_eq!(taken.result.row.corrupted, 1, "{at} {nodes}");
                assert_eq!(taken.of(EventKind::Corrupt).count(), 1);
                assert_eq!(replies(&taken), replies(&honest), "{at} {nodes}");
                assert!(taken.result.violations().is_empty(), "{:?}", taken.result.violations());
            }
        }
    }
}

#[test]
fn a_chased_primary_falls_when_its_view_begins_until_the_budget_is_spent() {
    let chased = run("budget = 1\nattack = [{ kind = \"chase_primary\" }, { kind = \"silent\" }]");
    assert_eq!(times(&chased, EventKind::Corrupt), [(10, 0)]);
    assert_eq!((chased.result.row.corrupted, chased.result.row.view_changes), (1, 1));
    assert_eq!(chased.result.row.outcome, Outcome::Completed);

    let seven = format!(
        "{SCENE}\n[cluster]\nreplicas = 7\n[adversary]\nbudget = 2\n\
                         attack = [{{ kind = \"chase_primary\" }}, {{ kind = \"silent\", messages = [\"pre_prepare\"] }}]"
    );
    let chased = record(&parse(&seven), 0, 0);
    let fallen: Vec<u32> = chased.of(EventKind::Corrupt).map(|row| row.node).collect();
    assert_eq!(fallen, [0, 1], "the primaries of views 0 and 1; then the budget is spent");
    assert_eq!((chased.result.row.view_changes, chased.result.row.outcome), (2, Outcome::Completed));
}

/// What a replica did before it fell counts as done by an honest one, and nothing after it.
#[test]
fn a_fallen_replica_logs_nothing_more_of_its_own() {
    let fallen = run("budget = 1\nattack = [{ kind = \"corrupt_at\", at = \"55ms\", nodes = [2] }]");
    let commits: Vec<u64> =
        fallen.of(EventKind::Committed).filter(|row| row.node == 2).map(|row| row.time_ns / 1_000_000).collect();
    assert!(!commits.is_empty() && commits.iter().all(|&at| at <= 65), "{commits:?}");
}

#[test]
fn the_network_is_cut_exactly_as_long_as_granted() {
    let network = "network = { actions = [\"drop\"], until = \"500ms\" }";
    let cut = run(&format!("{network}\nattack = [{{ kind = \"isolate\", targets = [3], start = \"20ms\" }}]"));
    let lost: Vec<(u64, u32)> = times(&cut, EventKind::Drop);
    assert!(!lost.is_empty() && lost.iter().all(|&(at, _)| (20..500).contains(&at)), "{lost:?}");
    let concerned = cut.of(EventKind::Drop).all(|row| row.node == 3 || row.peer == Some(3));
    assert!(
        concerned
            && cut.of(EventKind::Deliver).all(|row| {
                let sent = row.time_ns / 1_000_000 - 10;
                !(20..500).contains(&sent) || (row.node != 3 && row.peer != Some(3))
            })
    );
}

#[test]
fn held_messages_arrive_after_the_attack() {
    let network = "network = { actions = [\"hold\"] }";
    let attack = "attack = [{ kind = \"partition\", action = \"hold\", end = \"300ms\" }]";
    let held = run(&format!("{network}\n{attack}"));
    let first = held.of(EventKind::Committed).map(|row| row.time_ns / 1_000_000).min();
    assert!(first >= Some(310), "{first:?}");
    assert_eq!(held.result.row.outcome, Outcome::Completed);
}

/// The adversary hears of a new view, and cuts its primary off too.
#[test]
fn isolation_follows_the_primary() {
    let network = "members = [3]\nnetwork = { actions = [\"drop\"], until = \"3s\" }";
    let cut = run(&format!("{network}\nattack = [{{ kind = \"isolate\" }}]"));
    for primary in [0, 1] {
        assert!(cut.of(EventKind::Drop).any(|row| row.node == primary || row.peer == Some(primary)), "{primary}");
    }
    assert_eq!(cut.result.row.outcome, Outcome::Completed);
}

/// A view that begins in the middle of a partition is no hole in it: nothing passes, whenever the adversary hears of it.
#[test]
fn a_new_view_is_no_hole_in_a_partition() {
    let network = "members = [2]\nnetwork = { actions = [\"drop\"], until = \"4s\" }";
    let cut = run(&format!("{network}\nattack = [{{ kind = \"partition\", groups = [[0], [1, 2, 3]] }}]"));
    assert!(cut.result.row.view_changes > 0);
    let across =
        |row: &&recorded::Row| (row.node == 0) != (row.peer == Some(0)) && row.peer.is_some_and(|peer| peer < 4);
    let passed = cut.of(EventKind::Deliver).filter(|row| row.node < 4).filter(across);
    let early: Vec<&recorded::Row> = passed.filter(|row| row.time_ns < 4_000_000_000).collect();
    assert!(early.is_empty(), "{early:?}");
    // It is imposed once, not anew with each view.
    assert_eq!(cut.of(EventKind::Attack).count(), 1);
}
