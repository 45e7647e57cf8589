//! Random schedules: any network that stabilises, with delays, losses, copies, partitions, rules and crashes, against at most f
//! faulty replicas. No oracle ever fires, and once the network is stable every request is answered and all states are equal.
//!
//! ```text
//! cargo test -p byzlab --test schedules                                       a bounded number of them
//! PROPTEST_CASES=20000 cargo test --release -p byzlab --test schedules        many more
//! ```
//!
//! A schedule that fails is shrunk, and printed as an experiment that `byzlab run` takes.

mod recorded;

use byzlab_analysis::{EventKind, Outcome};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use recorded::{Recorded, parse, record};
use std::collections::{BTreeMap, BTreeSet};

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_oracle_fires_and_every_request_is_answered(toml in schedule()) {
        let played = record(&parse(&toml), 0, 0);
        let violations = played.result.violations();
        prop_assert!(violations.is_empty(), "{}\n{toml}", violations[0]);
        prop_assert_eq!(played.result.row.outcome, Outcome::Completed, "{}", toml);
        let (states, numbers) = states(&played);
        prop_assert!(states.len() <= 1, "after {:?}\n{}", numbers, toml);
        // It ended because all had executed what was accepted, and not because it was tired of waiting for that.
        let accepted = played.of(EventKind::Reply).map(|row| row.time_ns).max().unwrap_or_default();
        prop_assert!(played.result.row.virtual_ns < accepted + DRAIN_NS, "{}", toml);
    }
}

const DRAIN_NS: u64 = 600_000_000_000;

/// A few seconds' worth, unless the environment says otherwise.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

/// The states of all replicas after the last number that all of them have executed, and how far each has come: a request that was
/// ordered twice may be under way still.
fn states(played: &Recorded) -> (BTreeSet<u64>, Vec<u64>) {
    let mut histories: BTreeMap<u32, BTreeMap<u64, u64>> = BTreeMap::new();
    for row in &played.rows {
        let history = histories.entry(row.node).or_default();
        match (row.kind, row.seq, row.value) {
            (EventKind::Executed | EventKind::StateTransfer, Some(seq), Some(state)) => _ = history.insert(seq, state),
            (EventKind::Rollback, Some(seq), _) => _ = history.remove(&seq),
            _ => {}
        }
    }
    histories.retain(|_, history| !history.is_empty());
    let numbers: Vec<u64> = histories.values().filter_map(|history| history.keys().next_back().copied()).collect();
    let common = numbers.iter().min().copied().unwrap_or_default();
    (histories.values().filter_map(|history| history.get(&common).copied()).collect(), numbers)
}

/// An experiment of one run.
fn schedule() -> impl Strategy<Value = String> {
    let cluster = (select(vec![1_u16, 2, 3, 4, 4, 4, 5, 6, 7, 10]), any::<prop::sample::Index>(), any::<bool>());
    cluster.prop_flat_map(|(n, share, crashes)| {
        // A replica that crashes is one of the f while it is down.
        let f = (n - 1) / 3;
        let crashes = crashes && f > 0;
        let corrupted = share.index(usize::from(f - u16::from(crashes)) + 1);
        let parts = (protocol(), workload(), network(n), adversary(corrupted), crash(n, crashes), any::<u32>());
        parts.prop_map(move |(protocol, workload, network, adversary, crash, seed)| {
            format!(
                "[experiment]\nruns = 1\nseed = {seed}\ntime_limit = \"1h\"\ndrain = \"600s\"\n\n[cluster]\nreplicas = {n}\n\
                 {crash}\n{protocol}\n{workload}\n{network}\n{adversary}\n"
            )
        })
    })
}

fn protocol() -> impl Strategy<Value = String> {
    let window = (select(vec![1_u64, 2, 5, 10, 100]), select(vec![1_u64, 2, 4]), any::<prop::sample::Index>());
    let waits = (select(vec![100, 500]), select(vec![100, 500]), select(vec![200, 1000]));
    let batches = (1..=3_u64, select(vec![0, 20]));
    let options = (any::<bool>(), any::<bool>(), select(vec!["counter", "key_value"]));
    (window, waits, batches, options).prop_map(|((interval, factor, share), waits, batches, options)| {
        let window = interval * factor;
        let in_flight = share.index(window as usize) + 1;
        let (request, view_change, status) = waits;
        let (size, delay) = batches;
        let (tentative, read_only, service) = options;
        format!(
            "[protocol]\nrequest_timeout = \"{request}ms\"\nview_change_timeout = \"{view_change}ms\"\n\
             status_interval = \"{status}ms\"\ncheckpoint_interval = {interval}\nlog_window = {window}\n\
             max_in_flight = {in_flight}\nbatch_size = {size}\nbatch_delay = \"{delay}ms\"\ntentative = {tentative}\n\
             read_only = {read_only}\nservice = \"{service}\"\n"
        )
    })
}

fn workload() -> impl Strategy<Value = String> {
    let load = (select(vec![1, 2, 5]), select(vec![3, 10, 30]), select(vec![0.0, 0.5]));
    (load, select(vec!["primary", "all"]), select(vec![300, 1000])).prop_map(
        |((clients, requests, reads), to, timeout)| {
            format!(
                "[workload]\nclients = {clients}\nrequests = {requests}\nreads = {reads:?}\nsend_to = \"{to}\"\n\
             client_timeout = \"{timeout}ms\"\n"
            )
        },
    )
}

fn network(n: u16) -> impl Strategy<Value = String> {
    let latency = select(vec![
        r#"{ distribution = "constant", value = "10ms" }"#,
        r#"{ distribution = "uniform", min = "1ms", max = "60ms" }"#,
        r#"{ distribution = "uniform", min = "5ms", max = "35ms" }"#,
    ]);
    let reorder = r#"reorder = { probability = 0.2, extra = { distribution = "uniform", min = "0ms", max = "80ms" } }"#;
    let disorder = (select(vec![0.0, 0.2]), select(vec!["", reorder]));
    let losses = select(vec![0.0, 0.1, 0.2, 0.5]).prop_flat_map(|drop| (select(vec![300, 1000, 3000]), Just(drop)));
    let rules = prop::collection::vec(rule(n), 0..4);
    (latency, disorder, losses, partition(n), rules).prop_map(
        |(latency, (duplicate, reorder), (gst, drop), partition, rules)| {
            let synchrony = match drop {
                0.0 => String::new(),
                drop => format!("synchrony = {{ gst = \"{gst}ms\", drop = {drop:?} }}\n"),
            };
            let rules = rules.concat();
            format!(
                "[network]\nlatency = {latency}\nduplicate = {duplicate:?}\n{reorder}\n{synchrony}{partition}{rules}"
            )
        },
    )
}

/// From when to when, in milliseconds.
fn span() -> impl Strategy<Value = (u32, u32)> {
    (0..1500_u32, 1..2000_u32).prop_map(|(start, length)| (start, start + length))
}

fn partition(n: u16) -> impl Strategy<Value = String> {
    let sides = prop::collection::vec(0..3_u8, usize::from(n));
    (sides, span(), select(vec!["drop", "hold"])).prop_map(|(sides, (start, end), mode)| {
        let side = |wanted: u8| -> Vec<usize> { (0..sides.len()).filter(|&node| sides[node] == wanted).collect() };
        // Who is on neither side is cut off from nobody.
        let (one, other) = (side(0), side(1));
        if one.is_empty() || other.is_empty() {
            return String::new();
        }
        format!(
            "[[network.partition]]\nstart = \"{start}ms\"\nend = \"{end}ms\"\ngroups = [{one:?}, {other:?}]\nmode = \"{mode}\"\n"
        )
    })
}

const KINDS: [&str; 10] =
    ["pre_prepare", "prepare", "commit", "checkpoint", "view_change", "new_view", "state", "status", "fetch", "reply"];

fn rule(n: u16) -> impl Strategy<Value = String> {
    (0..n, select(KINDS.to_vec()), span(), select(vec![0.3, 1.0]), select(vec!["drop", "hold", "duplicate"])).prop_map(
        |(to, kind, (start, end), probability, action)| {
            format!(
                "[[network.rule]]\nto = [{to}]\nmessages = [\"{kind}\"]\nstart = \"{start}ms\"\nend = \"{end}ms\"\n\
                 probability = {probability:?}\naction = \"{action}\"\n"
            )
        },
    )
}

fn crash(n: u16, wanted: bool) -> impl Strategy<Value = String> {
    (0..n, span()).prop_map(move |(node, (at, recover_at))| {
        let lines = format!("[[cluster.crash]]\nnode = {node}\nat = \"{at}ms\"\nrecover_at = \"{recover_at}ms\"\n");
        if wanted { lines } else { String::new() }
    })
}

fn adversary(corrupted: usize) -> impl Strategy<Value = String> {
    let attacks = prop::collection::vec(attack(), if corrupted == 0 { 0..1 } else { 0..4 });
    let twins = (any::<bool>(), select(vec!["each", "halves"]), any::<bool>());
    (select(vec!["random", "first", "primary"]), attacks, twins).prop_map(
        move |(selection, attacks, (twins, groups, share))| {
            let mut attacks = attacks.concat();
            // Twins know nothing of each other, so they do not collude.
            if twins && corrupted > 0 && !attacks.contains("collude = true") {
                let twins = format!("kind = \"twins\"\ngroups = \"{groups}\"\nshare_clients = {share}\n");
                attacks += "[[adversary.attack]]\n";
                attacks += &twins;
            }
            format!("[adversary]\ncount = {corrupted}\nselection = \"{selection}\"\n{attacks}")
        },
    )
}

fn attack() -> impl Strategy<Value = String> {
    let silent =
        subsequence(KINDS.to_vec(), 1..=5).prop_map(|kinds| format!("kind = \"silent\"\nmessages = {kinds:?}\n"));
    let votes =
        select(vec!["ignore", "fake_digest", "conflicting_votes"]).prop_map(|kind| format!("kind = \"{kind}\"\n"));
    let equivocate = (select(vec!["each", "halves"]), any::<bool>())
        .prop_map(|(groups, collude)| format!("kind = \"equivocate\"\ngroups = \"{groups}\"\ncollude = {collude}\n"));
    let lies = select(vec![
        "kind = \"mutate\"\n",
        "kind = \"mutate\"\nchange = \"any\"\n",
        "kind = \"replay\"\n",
        "kind = \"stale_view\"\n",
        "kind = \"stale_view\"\ndirection = \"later\"\n",
        "kind = \"forge_checkpoint\"\n",
        "kind = \"forged_certificate\"\n",
        "kind = \"forged_certificate\"\nclaim = \"checkpoint\"\n",
        "kind = \"bad_new_view\"\n",
        "kind = \"bad_new_view\"\nlie = \"swap\"\n",
        "kind = \"bad_new_view\"\nlie = \"invent\"\n",
        "kind = \"bad_new_view\"\nlie = \"few\"\n",
        "kind = \"withhold_new_view\"\n",
        "kind = \"double_new_view\"\n",
        "kind = \"double_new_view\"\ngroups = \"each\"\n",
    ])
    .prop_map(String::from);
    let attack = prop_oneof![silent, votes, equivocate, lies.clone(), lies];
    (attack, select(vec![0.3, 0.5, 1.0]))
        .prop_map(|(attack, probability)| format!("[[adversary.attack]]\n{attack}probability = {probability:?}\n"))
}
