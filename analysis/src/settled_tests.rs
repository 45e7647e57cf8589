//! What is forgotten changes nothing: the values are those of [`RunLatency`], which keeps everything.

use proptest::prelude::*;

use super::*;
use crate::latency::RunLatency;

const REPLICAS: u32 = 4;

/// A step of time, and what happens then.
fn steps(two_digests: bool) -> impl Strategy<Value = Vec<(u64, Event<'static>)>> {
    let kind = prop::sample::select(vec![
        EventKind::Committed,
        EventKind::Committed,
        EventKind::Committed,
        EventKind::Committed,
        EventKind::Propose,
        EventKind::Propose,
        EventKind::Ordered,
        EventKind::Request,
        EventKind::Reply,
        EventKind::Corrupt,
        EventKind::Stable,
    ]);
    let event = (0..4_u64, kind, 0..REPLICAS, 0..2_u32, 1..4_u64, 0..2_u64, 0..2_u64, 0..20_u32);
    let event = event.prop_map(move |(step, kind, replica, client, seq, view, digest, rare)| {
        let node = match kind {
            EventKind::Request | EventKind::Reply => REPLICAS + client,
            // Some clients too.
            EventKind::Corrupt => replica + client * 2,
            _ => replica,
        };
        let is_request = matches!(kind, EventKind::Request | EventKind::Reply | EventKind::Ordered);
        let has_one_digest = is_request || kind == EventKind::Committed && !two_digests;
        let digest = if has_one_digest { 100 + seq } else { 100 + seq + digest };
        let event = Event {
            view: Some(view),
            seq: (rare != 1).then_some(seq),
            digest: (rare != 2).then_some(digest),
            peer: (kind == EventKind::Ordered).then_some(REPLICAS + client),
            ..Event::new(0, 0, 0, node, kind)
        };
        (step, event)
    });
    prop::collection::vec(event, 0..120)
}

/// Both ways to the values of these events.
fn compare(
    steps: &[(u64, Event<'static>)],
    known: bool,
    warmup_ns: u64,
    most_recent: usize,
) -> Result<(), TestCaseError> {
    let corrupted: BTreeSet<u32> = steps
        .iter()
        .filter(|(_, event)| event.kind == EventKind::Corrupt && event.node < REPLICAS)
        .map(|(_, event)| event.node)
        .collect();
    let corrupted = known.then_some(corrupted.len() as u32);
    let mut latency = RunLatency::new(REPLICAS, 1).with_warmup(warmup_ns);
    let mut settled = SettledLatency::new(REPLICAS, 1, corrupted, warmup_ns, &Metric::ALL, Vec::new());
    settled.settled = Settled::new(most_recent);
    let mut now = 0;
    for (step, event) in steps {
        now += step;
        let event = Event { time_ns: now, ..*event };
        prop_assert_eq!(settled.record(&event), latency.record(&event));
    }
    let false_clients = settled.corrupted.range(REPLICAS..).next().is_some();
    let (values, samples) = settled.finish();
    for (metric, value) in Metric::ALL.into_iter().zip(values) {
        let expected = latency.samples(metric);
        prop_assert_eq!(value, RunValue::from(&expected), "{}", metric);
        let of_metric = samples.iter().filter(|sample| sample.metric == metric);
        let mut found: Vec<u64> = of_metric.map(|sample| sample.latency_ns).collect();
        let mut expected = expected.nanoseconds;
        found.sort_unstable();
        expected.sort_unstable();
        // What a client that turns out to be false said before has gone to the sink.
        if metric != Metric::Client || !false_clients {
            prop_assert_eq!(found, expected, "{}", metric);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever happens, while the digests of settled numbers are kept.
    #[test]
    fn anything_goes(steps in steps(true), known in any::<bool>(), warmup_ns in 0..40_u64) {
        compare(&steps, known, warmup_ns, RECENT)?;
    }

    /// Replicas that agree, though no digest is kept.
    #[test]
    fn agreement_needs_no_digests(steps in steps(false), warmup_ns in 0..40_u64, most_recent in 0..2_usize) {
        compare(&steps, true, warmup_ns, most_recent)?;
    }
}

#[test]
fn settled_batches_leave_nothing_behind() {
    let mut latency = SettledLatency::new(REPLICAS, 1, Some(1), 0, &[Metric::AllCommit, Metric::Client], ());
    latency.record(&Event::new(0, 0, 0, 0, EventKind::Corrupt)).unwrap();
    for seq in 1..=200_000_u64 {
        let at = |node, kind, digest| {
            let event = Event::new(0, 0, seq * 10, node, kind);
            Event { view: Some(0), seq: Some(seq), digest: Some(digest), ..event }
        };
        latency.record(&at(REPLICAS, EventKind::Request, seq)).unwrap();
        // The primary lies.
        latency.record(&at(0, EventKind::Propose, 1)).unwrap();
        latency.record(&at(0, EventKind::Propose, 2)).unwrap();
        for replica in 1..REPLICAS {
            latency.record(&at(replica, EventKind::Committed, 2)).unwrap();
        }
        latency.record(&at(REPLICAS, EventKind::Reply, seq)).unwrap();
    }
    assert!(latency.batches.slots.len() <= RECENT + 2, "{} batches", latency.batches.slots.len());
    assert_eq!(latency.settled.recent.len(), RECENT);
    assert!(latency.clients.values().all(|client| client.waiting.is_empty()));
    let (values, ()) = latency.finish();
    assert_eq!(values, [RunValue { value: Some(0.0), undefined: 0 }; 2]);
}

#[test]
fn more_corrupted_replicas_than_said() {
    let mut latency = SettledLatency::new(REPLICAS, 1, Some(1), 0, &[Metric::AllCommit], ());
    for client in [REPLICAS, REPLICAS + 1, 2, 2] {
        latency.record(&Event::new(0, 0, 5, client, EventKind::Corrupt)).unwrap();
    }
    let error = latency.record(&Event::new(0, 0, 6, 3, EventKind::Corrupt)).unwrap_err();
    assert_eq!(error, InvalidEvent::MoreCorrupted { expected: 1 });
    assert!(error.to_string().contains("runs.csv"), "{error}");
}

/// What the documentation says of memory follows from this.
#[test]
fn an_open_batch_is_small() {
    assert_eq!(size_of::<Batch>(), 96);
}
