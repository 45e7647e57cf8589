//! Small event streams of four replicas and client 4; times in milliseconds.

use byzlab_analysis::oracle::{Invariant, Judgement, Liveness, OracleSettings, Oracles, Violation};
use byzlab_analysis::{Event, EventKind, Value};

pub(crate) const REPLICAS: u32 = 4;
pub(crate) const CLIENT: u32 = REPLICAS;
/// K.
pub(crate) const INTERVAL: u64 = 2;

/// n = 4, f = 1, K = 2, L = 4; requests are to be accepted within 50 ms from the start on.
pub(crate) fn settings() -> OracleSettings {
    OracleSettings {
        checkpoint_interval: INTERVAL,
        log_window: 4,
        liveness: Liveness::Judge { stabilised_ns: 0, bound_ns: 50_000_000 },
        ..OracleSettings::new(REPLICAS, 1)
    }
}

pub(crate) fn at(ms: u64, node: u32, kind: EventKind) -> Event<'static> {
    Event::new(0, 3, ms * 1_000_000, node, kind)
}

/// An event about a digest at a view and number.
pub(crate) fn slot(ms: u64, node: u32, kind: EventKind, (view, seq, digest): (u64, u64, u64)) -> Event<'static> {
    Event { view: Some(view), seq: Some(seq), digest: Some(digest), ..at(ms, node, kind) }
}

/// A `checkpoint`, `stable` or `state_transfer`.
pub(crate) fn state(ms: u64, node: u32, kind: EventKind, (seq, state): (u64, u64)) -> Event<'static> {
    Event { seq: Some(seq), value: Some(Value::Digest(state)), ..at(ms, node, kind) }
}

/// A `timeout`, `view_change` or, with the digest of O, `new_view`.
pub(crate) fn view(ms: u64, node: u32, kind: EventKind, view: u64, order: Option<u64>) -> Event<'static> {
    Event { view: Some(view), value: order.map(Value::Digest), ..at(ms, node, kind) }
}

pub(crate) fn executed(ms: u64, node: u32, place: (u64, u64, u64), state: u64) -> Event<'static> {
    Event { value: Some(Value::Digest(state)), ..slot(ms, node, EventKind::Executed, place) }
}

pub(crate) fn request(ms: u64, client: u32, number: u64) -> Event<'static> {
    let digest = Some(request_digest(client, number));
    Event { seq: Some(number), digest, ..at(ms, client, EventKind::Request) }
}

pub(crate) fn accepted(ms: u64, client: u32, number: u64, result: u64) -> Event<'static> {
    Event { kind: EventKind::Reply, value: Some(Value::Digest(result)), ..request(ms, client, number) }
}

/// A replica answers a client.
pub(crate) fn answer(ms: u64, node: u32, client: u32, number: u64, result: u64) -> Event<'static> {
    let value = Some(Value::Digest(result));
    Event { seq: Some(number), peer: Some(client), message: Some("reply"), value, ..at(ms, node, EventKind::Send) }
}

pub(crate) fn corrupt(ms: u64, node: u32) -> Event<'static> {
    at(ms, node, EventKind::Corrupt)
}

pub(crate) fn restart(ms: u64, node: u32, how: &'static str) -> Event<'static> {
    Event { value: Some(Value::Text(how)), ..at(ms, node, EventKind::Restart) }
}

pub(crate) fn request_digest(client: u32, number: u64) -> u64 {
    0x1000 * u64::from(client) + number
}

/// The digest of the batch that good runs have at a number, and the state after it.
pub(crate) fn batch(seq: u64) -> u64 {
    0xba00 + seq
}

pub(crate) fn state_after(seq: u64) -> u64 {
    0x57a0 + seq
}

/// A proposal of one request, by the primary of its view.
pub(crate) fn propose(ms: u64, place: (u64, u64, u64), client: u32, request: u64) -> [Event<'static>; 2] {
    let (view, seq, _) = place;
    let primary = (view % u64::from(REPLICAS)) as u32;
    let ordered = slot(ms, primary, EventKind::Ordered, (view, seq, request));
    [slot(ms, primary, EventKind::Propose, place), Event { peer: Some(client), ..ordered }]
}

/// These replicas go through all phases of a number, in view 0: pre-prepared 2 ms from now, executed after 5.
pub(crate) fn phases(ms: u64, seq: u64, replicas: &[u32]) -> Vec<Event<'static>> {
    let place = (0, seq, batch(seq));
    let mut events = Vec::new();
    for (offset, kind) in [(2, EventKind::PrePrepared), (3, EventKind::Prepared), (4, EventKind::Committed)] {
        events.extend(replicas.iter().map(|&node| slot(ms + offset, node, kind, place)));
    }
    for &node in replicas {
        events.push(answer(ms + 5, node, CLIENT, seq, seq));
        events.push(executed(ms + 5, node, place, state_after(seq)));
        if seq.is_multiple_of(INTERVAL) {
            events.push(state(ms + 5, node, EventKind::Checkpoint, (seq, state_after(seq))));
        }
    }
    if seq.is_multiple_of(INTERVAL) {
        events.extend(replicas.iter().map(|&node| state(ms + 6, node, EventKind::Stable, (seq, state_after(seq)))));
    }
    events
}

/// Request `seq` of the client takes number `seq`, without a fault, in 8 ms.
pub(crate) fn number(ms: u64, seq: u64) -> Vec<Event<'static>> {
    let mut events = vec![request(ms, CLIENT, seq)];
    events.extend(propose(ms + 1, (0, seq, batch(seq)), CLIENT, request_digest(CLIENT, seq)));
    events.extend(phases(ms, seq, &[0, 1, 2, 3]));
    events.push(accepted(ms + 7, CLIENT, seq, seq));
    events
}

/// Numbers 1 to `last` from time 0 on, 10 ms each.
pub(crate) fn good_run(last: u64) -> Vec<Event<'static>> {
    (1..=last).flat_map(|seq| number(seq * 10, seq)).collect()
}

/// The events in the order of a log.
pub(crate) fn in_order(mut events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    events.sort_by_key(|event| (event.time_ns, event.node));
    events
}

/// Judges a run that ends after a second.
pub(crate) fn judge(settings: OracleSettings, events: &[Event<'static>]) -> Vec<(Invariant, Judgement)> {
    let mut oracles = Oracles::new(settings);
    for event in events {
        oracles.observe(event).unwrap();
    }
    oracles.finish(1_000_000_000)
}

pub(crate) fn judgement(settings: OracleSettings, events: &[Event<'static>], invariant: Invariant) -> Judgement {
    let judgements = judge(settings, events);
    judgements.into_iter().find(|(judged, _)| *judged == invariant).unwrap().1
}

/// These events violate these invariants and no other one; returns the violations.
#[track_caller]
pub(crate) fn violations<const N: usize>(events: &[Event<'static>], expected: [Invariant; N]) -> [Violation; N] {
    violations_with(settings(), events, expected)
}

#[track_caller]
pub(crate) fn violations_with<const N: usize>(
    settings: OracleSettings,
    events: &[Event<'static>],
    expected: [Invariant; N],
) -> [Violation; N] {
    let judgements = judge(settings, events);
    let violated = judgements.iter().filter_map(|(_, judgement)| match judgement {
        Judgement::Violated(violation) => Some(violation.clone()),
        _ => None,
    });
    let violated: Vec<_> = violated.collect();
    let found: Vec<_> = violated.iter().map(|violation| violation.invariant).collect();
    assert_eq!(found, expected, "{violated:#?}");
    violated.try_into().unwrap()
}

/// Time in milliseconds, nodes, and the evidence as rows.
pub(crate) fn proof(violation: &Violation) -> (u64, &[u32], String) {
    (violation.time_ns / 1_000_000, &violation.nodes, violation.evidence_rows())
}

#[test]
fn a_good_run_keeps_every_promise() {
    for (invariant, judgement) in judge(settings(), &in_order(good_run(9))) {
        assert_eq!(judgement, Judgement::Held, "{invariant}");
    }
}
