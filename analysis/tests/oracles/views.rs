//! I8 and I12.

use byzlab_analysis::oracle::Invariant::{I8, I12};
use byzlab_analysis::oracle::Judgement;
use byzlab_analysis::{Event, EventKind as Kind};

use crate::scenario::*;

#[test]
fn i8_views_do_not_decrease() {
    let mut events = vec![view(1, 2, Kind::Timeout, 0, None), view(1, 2, Kind::ViewChange, 1, None)];
    events.push(view(5, 2, Kind::ViewChange, 2, None));
    events.push(view(6, 2, Kind::NewView, 2, Some(0xaa)));
    violations(&events, []);
    events.push(view(9, 2, Kind::NewView, 1, Some(0xaa)));
    let [violation] = violations(&events, [I8]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (9, &[2][..]));
    assert_eq!(
        rows,
        "0,3,6000000,2,new_view,2,,,,,,00000000000000aa\n\
         0,3,9000000,2,new_view,1,,,,,,00000000000000aa\n"
    );
}

#[test]
fn i8_one_order_a_view() {
    let enter = |ms, node, order| view(ms, node, Kind::NewView, 1, Some(order));
    let timeout = view(1, 0, Kind::Timeout, 0, None);
    violations(&[timeout, enter(2, 1, 0xaa), enter(3, 2, 0xaa)], []);
    let [violation] = violations(&[timeout, enter(2, 1, 0xaa), enter(3, 2, 0xbb)], [I8]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (3, &[1, 2][..]));
    // The primary of view 1 enters it once.
    let [violation] = violations(&[timeout, enter(2, 1, 0xaa), enter(3, 1, 0xaa)], [I8]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (3, &[1][..]));
    violations(&[timeout, enter(2, 2, 0xaa), enter(3, 2, 0xaa)], []);
    // Unless it comes back with what it knew.
    violations(&[timeout, enter(2, 1, 0xaa), restart(3, 1, "durable"), enter(4, 1, 0xaa)], []);
}

#[test]
fn i12_somebody_honest_gave_up_first() {
    let enter = view(5, 2, Kind::NewView, 1, Some(0xaa));
    let timeout = |ms, node, given_up| view(ms, node, Kind::Timeout, given_up, None);
    violations(&[timeout(1, 3, 0), enter], []);
    violations(&[enter, timeout(5, 3, 0)], []);
    let [violation] = violations(&[enter, timeout(6, 3, 0)], [I12]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (5, &[2][..]));
    assert_eq!(rows, "0,3,5000000,2,new_view,1,,,,,,00000000000000aa\n");
    violations(&[timeout(1, 3, 1), enter], [I12]);
    // A corrupted one is no reason.
    violations(&[corrupt(0, 3), timeout(1, 3, 0), enter], [I12]);
    // View 0 needs none.
    violations(&[view(5, 2, Kind::NewView, 0, Some(0xaa))], []);
}

/// Rules 12 and 13: a request that was executed starts no timer, and the last one that executes stops it.
#[test]
fn i12_nobody_loses_patience_while_nobody_waits() {
    let timeout = view(90, 2, Kind::Timeout, 0, None);
    let mut events = good_run(1);
    violations(&events, []);
    events.push(timeout);
    let [violation] = violations(&events, [I12]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (90, &[2][..]));
    // It may be the new view that does not come.
    let mut events = good_run(1);
    events.extend([view(80, 2, Kind::ViewChange, 1, None), view(90, 2, Kind::Timeout, 1, None)]);
    violations(&events, []);
}

/// Number 1 is decided in view 0. Number 2 is prepared and committed at replica 1 alone when the primary crashes. View 1 decides both
/// again, and number 3.
fn view_change() -> Vec<Event<'static>> {
    let mut events = number(0, 1);
    events.push(request(10, CLIENT, 2));
    events.extend(propose(11, (0, 2, batch(2)), CLIENT, request_digest(CLIENT, 2)));
    for node in 1..4 {
        events.push(slot(12, node, Kind::PrePrepared, (0, 2, batch(2))));
        events.push(slot(13, node, Kind::Prepared, (0, 2, batch(2))));
    }
    events.push(slot(14, 1, Kind::Committed, (0, 2, batch(2))));
    events.push(executed(14, 1, (0, 2, batch(2)), state_after(2)));
    events.push(at(14, 0, Kind::Crash));
    events.push(view(20, 3, Kind::Timeout, 0, None));
    events.extend((1..4).map(|node| view(20 + u64::from(node) / 3, node, Kind::ViewChange, 1, None)));
    for node in 1..4 {
        events.push(view(22, node, Kind::NewView, 1, Some(0x0de6)));
        for (ms, kind) in [(22, Kind::PrePrepared), (23, Kind::Prepared), (24, Kind::Committed)] {
            events.extend([1, 2].map(|seq| slot(ms, node, kind, (1, seq, batch(seq)))));
        }
        if node != 1 {
            events.push(executed(24, node, (1, 2, batch(2)), state_after(2)));
        }
        events.push(answer(24, node, CLIENT, 2, 2));
        events.push(state(24, node, Kind::Checkpoint, (2, state_after(2))));
        events.push(state(25, node, Kind::Stable, (2, state_after(2))));
    }
    events.extend([accepted(26, CLIENT, 2, 2), request(27, CLIENT, 3)]);
    events.extend(propose(28, (1, 3, batch(3)), CLIENT, request_digest(CLIENT, 3)));
    for node in 1..4 {
        for (ms, kind) in [(29, Kind::PrePrepared), (30, Kind::Prepared), (31, Kind::Committed)] {
            events.push(slot(ms, node, kind, (1, 3, batch(3))));
        }
        events.push(executed(31, node, (1, 3, batch(3)), state_after(3)));
        events.push(answer(31, node, CLIENT, 3, 3));
    }
    events.push(accepted(33, CLIENT, 3, 3));
    // The old primary comes back and takes over the state of the checkpoint.
    events.push(restart(40, 0, "durable"));
    events.push(state(42, 0, Kind::StateTransfer, (2, state_after(2))));
    events.push(slot(43, 0, Kind::Committed, (1, 3, batch(3))));
    events.push(executed(43, 0, (1, 3, batch(3)), state_after(3)));
    in_order(events)
}

#[test]
fn a_good_view_change_keeps_every_promise() {
    for (invariant, judgement) in judge(settings(), &view_change()) {
        assert_eq!(judgement, Judgement::Held, "{invariant}");
    }
}
