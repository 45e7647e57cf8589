//! What each metric measures, on small hand-made runs.

use byzlab_analysis::{Event, EventKind, InvalidEvent, Metric as M, RunLatency, RunThroughput};

/// A run of n = 4, f = 1 (quorum 3) with client 4.
struct Run(RunLatency);

impl Run {
    fn new() -> Self {
        Self(RunLatency::new(4, 1))
    }

    fn record(&mut self, event: Event<'_>) -> &mut Self {
        self.0.record(&event).expect("a good event");
        self
    }

    fn batch(&mut self, time: u64, node: u32, kind: EventKind, seq: u64, digest: u64) -> &mut Self {
        self.record(batch(time, node, kind, seq, digest))
    }

    fn client(&mut self, time: u64, kind: EventKind, number: u64) -> &mut Self {
        let digest = Some(100 + number);
        self.record(Event { seq: Some(number), digest, ..Event::new(0, 0, time, 4, kind) })
    }

    fn ordered(&mut self, time: u64, node: u32, seq: u64, number: u64) -> &mut Self {
        let event = batch(time, node, EventKind::Ordered, seq, 100 + number);
        self.record(Event { peer: Some(4), ..event })
    }

    fn commits(&mut self, times: &[(u64, u32)], seq: u64, digest: u64) -> &mut Self {
        for &(time, replica) in times {
            self.batch(time, replica, EventKind::Committed, seq, digest);
        }
        self
    }

    fn corrupt(&mut self, time: u64, node: u32) -> &mut Self {
        self.record(Event::new(0, 0, time, node, EventKind::Corrupt))
    }

    #[track_caller]
    fn assert(&self, metric: M, samples: &[u64], undefined: u64) {
        let found = self.0.samples(metric);
        assert_eq!((&found.nanoseconds[..], found.undefined), (samples, undefined), "{metric}");
    }
}

fn batch(time: u64, node: u32, kind: EventKind, seq: u64, digest: u64) -> Event<'static> {
    Event { view: Some(0), seq: Some(seq), digest: Some(digest), ..Event::new(0, 0, time, node, kind) }
}

#[test]
fn metrics_of_one_request() {
    let mut run = Run::new();
    run.client(10, EventKind::Request, 1)
        .client(20, EventKind::Request, 1) // sent again
        .batch(30, 0, EventKind::Propose, 1, 7)
        .ordered(30, 0, 1, 1)
        .commits(&[(50, 2), (60, 0), (61, 1)], 1, 7)
        .client(75, EventKind::Reply, 1)
        .commits(&[(90, 3)], 1, 7);
    run.assert(M::ReplicaCommit, &[20, 30, 31, 60], 0);
    run.assert(M::FirstCommit, &[20], 0);
    run.assert(M::QuorumCommit, &[31], 0);
    run.assert(M::AllCommit, &[60], 0);
    run.assert(M::Client, &[65], 0);
    run.assert(M::ReplicaCommitFromRequest, &[40, 50, 51, 80], 0);
    run.assert(M::FirstCommitFromRequest, &[40], 0);
    run.assert(M::QuorumCommitFromRequest, &[51], 0);
    run.assert(M::AllCommitFromRequest, &[80], 0);
}

#[test]
fn a_silent_honest_replica_leaves_metrics_undefined() {
    let mut run = Run::new();
    run.batch(30, 0, EventKind::Propose, 1, 7)
        .commits(&[(50, 0), (60, 1), (70, 2)], 1, 7)
        .batch(80, 0, EventKind::Propose, 2, 8)
        .commits(&[(90, 3), (95, 3)], 2, 8); // the same replica twice
    run.assert(M::ReplicaCommit, &[20, 30, 40, 10], 1 + 3);
    run.assert(M::FirstCommit, &[20, 10], 0);
    run.assert(M::QuorumCommit, &[40], 1);
    run.assert(M::AllCommit, &[], 2);
    assert_eq!(run.0.samples(M::AllCommit).mean_ms(), None);
}

#[test]
fn corrupted_replicas_do_not_count() {
    let mut run = Run::new();
    run.corrupt(0, 3).batch(30, 0, EventKind::Propose, 1, 7).commits(&[(50, 0), (60, 1), (70, 2)], 1, 7);
    run.assert(M::AllCommit, &[40], 0);
    // Corrupted later: its earlier commit does not count either, and no quorum is left.
    run.corrupt(80, 2);
    run.assert(M::AllCommit, &[30], 0);
    run.assert(M::QuorumCommit, &[], 1);
}

#[test]
fn an_equivocators_other_proposal_gives_no_sample() {
    let mut run = Run::new();
    run.client(10, EventKind::Request, 1)
        .client(10, EventKind::Request, 2)
        .corrupt(10, 0)
        .batch(30, 0, EventKind::Propose, 1, 7)
        .ordered(30, 0, 1, 1)
        .batch(31, 0, EventKind::Propose, 1, 8)
        .ordered(31, 0, 1, 2)
        .commits(&[(50, 1), (60, 2), (70, 3)], 1, 8);
    run.assert(M::AllCommit, &[39], 0);
    run.assert(M::AllCommitFromRequest, &[60], 0);
    run.assert(M::Client, &[], 2);
}

#[test]
fn a_later_view_does_not_restart_the_clock() {
    let mut run = Run::new();
    run.batch(30, 0, EventKind::Propose, 1, 7)
        .record(Event { view: Some(1), ..batch(500, 1, EventKind::Propose, 1, 7) })
        .commits(&[(600, 0), (600, 1), (600, 2), (600, 3)], 1, 7);
    run.assert(M::AllCommit, &[570], 0);
}

#[test]
fn what_has_no_start_gives_no_sample() {
    let mut run = Run::new();
    // A null request of a new view is never proposed.
    run.commits(&[(600, 0), (600, 1), (600, 2), (600, 3)], 1, 0);
    run.assert(M::AllCommit, &[], 0);
    // An empty batch has no request, one of a corrupted client no `request` row.
    run.batch(700, 0, EventKind::Propose, 2, 9)
        .commits(&[(800, 0), (800, 1), (800, 2), (800, 3)], 2, 9)
        .batch(810, 0, EventKind::Propose, 3, 9)
        .ordered(810, 0, 3, 77)
        .commits(&[(900, 0), (900, 1), (900, 2), (900, 3)], 3, 9);
    run.assert(M::AllCommit, &[100, 90], 0);
    run.assert(M::AllCommitFromRequest, &[], 0);
}

#[test]
fn the_earliest_request_of_a_batch_counts() {
    let mut run = Run::new();
    run.client(10, EventKind::Request, 1)
        .client(20, EventKind::Request, 2)
        .batch(30, 0, EventKind::Propose, 1, 7)
        .ordered(30, 0, 1, 2)
        .ordered(30, 0, 1, 1)
        .commits(&[(50, 0), (50, 1), (50, 2), (50, 3)], 1, 7);
    run.assert(M::AllCommitFromRequest, &[40], 0);
}

#[test]
fn warm_up_is_left_out() {
    let mut run = Run(RunLatency::new(4, 1).with_warmup(30));
    run.client(10, EventKind::Request, 1).batch(30, 0, EventKind::Propose, 1, 7).ordered(30, 0, 1, 1).commits(
        &[(50, 0), (50, 1), (50, 2), (50, 3)],
        1,
        7,
    );
    run.assert(M::AllCommit, &[20], 0);
    run.assert(M::AllCommitFromRequest, &[], 0);
    run.assert(M::Client, &[], 0);
}

/// A run with replicas 0 to 3: replies as (time in ms, client, number).
fn throughput(warmup_ms: u64, replies: &[(u64, u32, u64)]) -> RunThroughput {
    let mut throughput = RunThroughput::new(warmup_ms * 1_000_000);
    for &(ms, client, number) in replies {
        let event = Event { seq: Some(number), ..Event::new(0, 0, ms * 1_000_000, client, EventKind::Reply) };
        throughput.record(&event).expect("a good event");
    }
    throughput
}

#[track_caller]
fn assert_throughput(run: &RunThroughput, requests: u32, ms: u32) {
    assert_eq!(run.requests_per_second(), Some(f64::from(requests) * 1e9 / (f64::from(ms) * 1e6)));
}

#[test]
fn throughput_is_accepted_requests_over_time() {
    assert_eq!(throughput(0, &[]).requests_per_second(), None);
    // Sent again and accepted again, out of order, by two clients with the same numbers.
    let replies = [(10, 4, 1), (10, 5, 1), (11, 4, 1), (20, 4, 3), (30, 4, 2), (32, 4, 2), (40, 5, 2), (50, 4, 1)];
    assert_throughput(&throughput(0, &replies), 5, 40);
    assert!(RunLatency::new(4, 1).samples(M::Throughput).nanoseconds.is_empty());
}

#[test]
fn throughput_counts_what_is_accepted_after_the_warm_up() {
    let replies = [(10, 4, 1), (20, 4, 2), (25, 4, 3), (30, 4, 1), (40, 4, 4), (50, 4, 3)];
    // At its very end is not after it, and what was accepted before does not count when it is accepted again.
    assert_throughput(&throughput(20, &replies), 2, 20);
    assert_throughput(&throughput(39, &replies), 1, 1);
    assert_eq!(throughput(40, &replies).requests_per_second(), None);
}

#[test]
fn throughput_leaves_corrupted_clients_out() {
    let mut run = throughput(0, &[(10, 4, 1), (20, 5, 1), (30, 4, 2)]);
    run.record(&Event::new(0, 0, 30_000_000, 4, EventKind::Corrupt)).unwrap();
    assert_throughput(&run, 1, 20);
    let late = run.record(&Event { seq: Some(2), ..Event::new(0, 0, 29_000_000, 5, EventKind::Reply) });
    assert_eq!(late, Err(InvalidEvent::TimeRunsBack { before: 30_000_000, now: 29_000_000 }));
    let lacking = run.record(&Event::new(0, 0, 30_000_000, 5, EventKind::Reply)).unwrap_err().to_string();
    assert!(lacking.contains("`reply` needs the column `seq`"), "{lacking}");
}

#[test]
fn contradictions_are_errors() {
    let mut latency = RunLatency::new(4, 1);
    let commit = batch(50, 1, EventKind::Committed, 1, 7);
    let ordered = Event { peer: Some(4), ..batch(50, 0, EventKind::Ordered, 1, 7) };
    latency.record(&commit).unwrap();
    let cases = [
        (Event { seq: None, ..commit }, "`committed` needs the column `seq`"),
        (Event { digest: None, ..commit }, "`digest`"),
        (Event { node: 4, ..commit }, "4 replicas only"),
        (ordered, "without the `propose`"),
        (Event { time_ns: 49, ..commit }, "time runs backwards, from 50 to 49 ns"),
    ];
    for (event, words) in cases {
        let message = latency.record(&event).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    let backwards = latency.record(&Event { time_ns: 0, ..commit });
    assert_eq!(backwards, Err(InvalidEvent::TimeRunsBack { before: 50, now: 0 }));
}

#[test]
fn names() {
    for metric in M::ALL {
        assert_eq!(metric.to_string().parse(), Ok(metric));
        assert_eq!(metric.unit() == "requests/s", metric == M::Throughput);
    }
    let error = "latency".parse::<M>().unwrap_err().to_string();
    assert!(error.contains("`latency`") && error.contains("all_commit_from_request"), "{error}");
}
