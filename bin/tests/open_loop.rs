//! Open loops: requests that come whatever has been answered, and what becomes of them.

mod program;
mod recorded;

use byzlab::Experiment;
use byzlab_analysis::oracle::{Invariant, Judgement};
use byzlab_analysis::{EventKind, Outcome};
use program::Desk;
use recorded::{Recorded, parse, record, run};

const MS: u64 = 1_000_000;

/// All messages take 10 ms, so that a request takes 50 ms: request, three phases, reply.
fn open(workload: &str) -> Experiment {
    parse(&format!(
        r#"
        experiment = {{ seed = 5, runs = 3, time_limit = "60s" }}
        network = {{ latency = {{ distribution = "constant", value = "10ms" }} }}
        [workload]
        mode = "open"
        {workload}"#
    ))
}

/// For each request of a client: when it came, when it was first sent, and when its result was accepted.
fn fates(played: &Recorded, client: u32) -> Vec<[u64; 3]> {
    let of = |kind, seq| {
        let mut rows = played.rows.iter().filter(move |row| row.kind == kind && row.node == client && row.seq == seq);
        rows.next().map(|row| row.time_ns)
    };
    let numbers = (1..).map(Some);
    let fate = |seq| Some([of(EventKind::Request, seq)?, of(EventKind::Send, seq)?, of(EventKind::Reply, seq)?]);
    numbers.map_while(fate).collect()
}

/// A lone client whose requests come every 100 ms, or every 20 ms.
#[test]
fn latency_counts_from_when_a_request_came() {
    let idle = fates(&record(&open("rate = 10.0\narrivals = \"constant\"\nrequests = 20"), 0, 0), 4);
    assert_eq!(idle.len(), 20);
    for (index, &[came, sent, accepted]) in idle.iter().enumerate() {
        assert_eq!((came, sent, accepted), (idle[0][0] + index as u64 * 100 * MS, came, came + 50 * MS));
    }
    let busy = fates(&record(&open("rate = 50.0\narrivals = \"constant\"\nrequests = 20"), 0, 0), 4);
    for (index, &[came, sent, accepted]) in busy.iter().enumerate() {
        let index = index as u64;
        assert_eq!(came, busy[0][0] + index * 20 * MS, "they come all the same");
        assert_eq!((sent, accepted), (busy[0][0] + index * 50 * MS, sent + 50 * MS), "one after the other");
    }
}

#[test]
fn a_burst_waits_in_line() {
    let played = record(&open("rate = 1.0\narrivals = \"bursts\"\nburst_size = 4\nrequests = 4"), 0, 0);
    let fates = fates(&played, 4);
    let came = fates[0][0];
    let expected = [0, 1, 2, 3].map(|place| [came, came + place * 50 * MS, came + (place + 1) * 50 * MS]);
    assert_eq!(fates, expected);
    assert_eq!(played.result.row.outcome, Outcome::Completed);
}

/// Whatever else differs between cells: the protocol, the network, the number of clients, the share of reads.
#[test]
fn cells_with_the_same_rate_share_their_arrivals() {
    let came = |more: &str, latency: &str| -> Vec<(u32, u64)> {
        let experiment = parse(&format!(
            r#"
            experiment = {{ seed = 5, runs = 1 }}
            network = {{ latency = {{ distribution = "constant", value = "{latency}" }} }}
            [workload]
            mode = "open"
            clients = 2
            requests = 30
            rate = 40.0
            {more}"#
        ));
        let played = record(&experiment, 0, 0);
        played.of(EventKind::Request).map(|row| (row.node, row.time_ns)).collect()
    };
    let plain = came("", "1ms");
    assert_eq!(plain.len(), 60);
    assert_eq!(came("payload = \"1KiB\"\nreads = 0.5\n[protocol]\nbatch_size = 8\nread_only = true", "20ms"), plain);
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let experiment = open("rate = 30.0\nclients = 3\nrequests = 40\nramp = { to = 90.0, over = \"500ms\" }");
    let fingerprints: Vec<u64> = (0..3).map(|index| run(&experiment, 0, index).row.fingerprint).collect();
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        assert_eq!(record(&experiment, 0, index as u32).result.row.fingerprint, *fingerprint, "whatever is logged");
    }
    assert!(fingerprints[0] != fingerprints[1] && fingerprints[1] != fingerprints[2]);
    let again = parse(&experiment.to_toml());
    assert_eq!(run(&again, 0, 0).row.fingerprint, fingerprints[0]);
}

/// Requests come faster than they are answered, views change, some are read: all invariants but liveness are judged, and hold.
#[test]
fn the_invariants_hold_where_requests_wait() {
    for protocol in ["tentative = false", "tentative = true", "read_only = true", "tentative = true\nread_only = true"]
    {
        let experiment = parse(&format!(
            r#"
            experiment = {{ seed = 9, runs = 20, time_limit = "60s" }}
            [workload]
            mode = "open"
            clients = 5
            requests = 12
            rate = 25.0
            reads = 0.4
            arrivals = "bursts"
            burst_size = 3
            [network]
            latency = {{ distribution = "uniform", min = "5ms", max = "35ms" }}
            synchrony = {{ gst = "300ms", drop = 0.2 }}
            [adversary]
            count = 1
            selection = "primary"
            [[adversary.attack]]
            kind = "equivocate"
            probability = 0.2
            [protocol]
            checkpoint_interval = 4
            log_window = 8
            {protocol}"#
        ));
        for index in 0..20 {
            let result = run(&experiment, 0, index);
            assert_eq!((result.row.outcome, result.row.completed), (Outcome::Completed, 60), "{protocol}: {result:?}");
            for (invariant, judgement) in &result.judgements {
                match judgement {
                    Judgement::Held => {}
                    Judgement::NotJudged(reason) if *invariant == Invariant::I11 => {
                        assert!(reason.starts_with("in an open loop a request can wait"), "{reason}");
                    }
                    other => panic!("{protocol}, run {index}: {invariant:?} {other:?}"),
                }
            }
        }
    }
}

#[test]
fn liveness_is_judged_by_a_bound_that_is_given() {
    let judged = |bound: &str| {
        let workload = "rate = 50.0\narrivals = \"constant\"\nrequests = 20\n[oracles]\n";
        let result = run(&open(&format!("{workload}liveness_bound = \"{bound}\"")), 0, 0);
        let found = result.judgements.into_iter().find(|(invariant, _)| *invariant == Invariant::I11);
        found.map(|(_, judgement)| matches!(judgement, Judgement::Violated(_)))
    };
    // The last waits 19 · 30 ms, and takes 50 ms.
    assert_eq!((judged("620ms"), judged("619ms")), (Some(false), Some(true)));
}

#[test]
fn logs_of_open_loops_are_checked_and_analysed() {
    let toml = r#"
        experiment = { runs = 3, time_limit = "60s" }
        workload = { mode = "open", rate = 50.0, arrivals = "constant", requests = 20 }
        network = { latency = { distribution = "constant", value = "10ms" } }
        output = { events = "messages", metric = "client" }"#;
    let desk = Desk::with(toml);
    let finished = desk.byzlab("run e.toml --out out");
    // The mean of 50 ms + 0 … 19 times 30 ms.
    assert!(finished.code == Some(0) && finished.stdout.contains("335"), "{finished:?}");
    let checked = desk.byzlab("check out");
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("in an open loop a request can wait behind any number of others"), "{checked:?}");
}

#[test]
fn open_loops_are_written_back_as_they_were_read() {
    for (workload, lines) in [
        ("rate = 100", "rate = 100.0\narrivals = \"poisson\"\n"),
        ("rate = 0.5\narrivals = \"constant\"", "rate = 0.5\narrivals = \"constant\"\n"),
        (
            "rate = 7\narrivals = \"bursts\"\nburst_size = 3\nramp = { to = 1000, over = \"10s\" }",
            "rate = 7.0\narrivals = \"bursts\"\nburst_size = 3\nramp = { to = 1000.0, over = \"10s\" }\n",
        ),
    ] {
        let experiment = open(workload);
        let written = experiment.to_toml();
        assert!(written.contains("mode = \"open\"\n") && written.contains(lines), "{written}");
        let again = parse(&written);
        assert_eq!((&again.base.workload, again.to_toml()), (&experiment.base.workload, written));
    }
    let swept = parse("[workload]\nmode = \"open\"\nrate = 1.0\n[sweep]\n\"workload.rate\" = [10.0, 20.0]");
    let again = parse(&swept.to_toml());
    assert_eq!(again.cells[1].settings.workload, swept.cells[1].settings.workload);
}
