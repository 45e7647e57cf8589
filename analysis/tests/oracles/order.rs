//! I4, I9, I10, and what is remembered.

use byzlab_analysis::oracle::Invariant::{I4, I9, I10};
use byzlab_analysis::oracle::{OracleSettings, Oracles, Tracked};
use byzlab_analysis::{Event, EventKind as Kind};

use crate::scenario::*;

#[test]
fn i4_a_gap() {
    let mut events = good_run(2);
    events.retain(|event| !(event.node == 2 && event.seq == Some(1) && event.kind == Kind::Executed));
    let [violation] = violations(&in_order(events), [I4]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (25, &[2][..]));
    assert_eq!(rows, "0,3,25000000,2,executed,0,2,000000000000ba02,,,,00000000000057a2\n");
    assert!(violation.what.contains("executed number 2, but its state covers those up to 0"), "{}", violation.what);
}

#[test]
fn i4_one_batch_twice() {
    let mut events = in_order(good_run(1));
    events.push(executed(30, 1, (0, 1, batch(1)), state_after(1)));
    let [violation] = violations(&events, [I4]);
    assert_eq!(proof(&violation).2.lines().count(), 2);
}

#[test]
fn i4_different_states_after_the_same_batch() {
    let mut events = good_run(1);
    for event in &mut events {
        if event.node == 3 && event.kind == Kind::Executed {
            *event = executed(16, 3, (0, 1, batch(1)), 0xbad);
        }
    }
    let [violation] = violations(&in_order(events), [I4]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (16, &[0, 3][..]));
}

#[test]
fn i4_a_state_or_a_restart_may_skip_numbers() {
    let skips = |node: u32, events: Vec<Event<'static>>| {
        let of_two = |event: &Event<'static>| event.node == node && event.seq < Some(3) && event.time_ns > 0;
        let mut kept = events;
        kept.retain(|event| !of_two(event) || event.kind == Kind::StateTransfer);
        in_order(kept)
    };
    let mut events = good_run(3);
    events.push(state(28, 3, Kind::StateTransfer, (2, state_after(2))));
    violations(&skips(3, events), []);
    // After a restart a replica may execute again from its checkpoint on.
    let mut events = good_run(3);
    events.extend([at(40, 3, Kind::Crash), restart(41, 3, "durable")]);
    events.push(executed(42, 3, (0, 3, batch(3)), state_after(3)));
    violations(&in_order(events), []);
}

/// Replica 3 executes another batch at number 1 in view 0 than is committed there in view 1.
fn tentative(then: &[Event<'static>]) -> Vec<Event<'static>> {
    let mut events = number(0, 1);
    events.retain(|event| event.node != 3);
    for event in events.iter_mut().filter(|event| event.time_ns >= 2_000_000) {
        event.time_ns += 10_000_000;
    }
    events.extend(propose(1, (4, 1, 0xbad), CLIENT, request_digest(CLIENT, 1)));
    events.push(slot(1, 3, Kind::Prepared, (4, 1, 0xbad)));
    events.push(executed(2, 3, (4, 1, 0xbad), 0xbad));
    events.extend(then);
    in_order(events)
}

#[test]
fn i4_tentative_executions_bind_when_they_are_committed() {
    let settings = OracleSettings { tentative_execution: true, ..settings() };
    // Taken back, or left open: nothing happened.
    violations_with(settings.clone(), &tentative(&[]), []);
    let roll_back = slot(5, 3, Kind::Rollback, (4, 1, 0xbad));
    let again = executed(20, 3, (0, 1, batch(1)), state_after(1));
    violations_with(settings.clone(), &tentative(&[roll_back, again]), []);
    // Executing the next one on top says that it is committed.
    let on_top = executed(20, 3, (4, 2, 0), 0);
    let judgements = judge(settings.clone(), &tentative(&[on_top]));
    let (ms, nodes, rows) = proof(judgements[0].1.violation().expect("I1"));
    assert_eq!((ms, nodes), (20, &[3, 0][..]));
    assert_eq!(rows.lines().count(), 3);
    // What is committed cannot be taken back.
    let mut events = in_order(good_run(1));
    events.push(slot(30, 2, Kind::Rollback, (0, 1, batch(1))));
    let [violation] = violations_with(settings, &events, [I4]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (30, &[2][..]));
}

/// A hunt found this: a replica learns that something else was committed where it had executed tentatively, and takes that back in the
/// same instant, but after it has said that it knows of the commit.
#[test]
fn i4_a_commit_of_something_else_leaves_an_instant_to_take_the_execution_back() {
    let settings = OracleSettings { tentative_execution: true, ..settings() };
    let committed = slot(20, 3, Kind::Committed, (0, 1, batch(1)));
    let roll_back = |ms| slot(ms, 3, Kind::Rollback, (4, 1, 0xbad));
    let again = |ms| executed(ms, 3, (0, 1, batch(1)), state_after(1));
    let events = [committed, roll_back(20), again(20)];
    violations_with(settings.clone(), &tentative(&events), []);
    // Later is too late, and so is never.
    for then in [vec![committed, roll_back(21), again(21)], vec![committed]] {
        let judgements = judge(settings.clone(), &tentative(&then));
        let (ms, nodes, rows) = proof(judgements[0].1.violation().expect("I1"));
        assert_eq!((ms, nodes), (20, &[3, 0][..]));
        assert_eq!(rows.lines().count(), 3);
    }
}

#[test]
fn i9_votes_outside_the_window() {
    let vote = |ms, seq| slot(ms, 1, Kind::PrePrepared, (0, seq, 0xaa));
    violations(&[vote(1, 1), vote(1, 4)], []);
    let [violation] = violations(&[vote(1, 5)], [I9]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (1, &[1][..]));
    let mut events = in_order(good_run(2));
    // h is 2 from 26 ms on; in that very instant what lay in the old window is fine too.
    let late = |ms| slot(ms, 1, Kind::Prepared, (0, 2, batch(2)));
    let stable = events.iter().position(|event| event.kind == Kind::Stable && event.node == 1).unwrap();
    events.insert(stable + 1, late(26));
    violations(&events, []);
    events.push(vote(30, 6));
    violations(&events, []);
    events.push(vote(30, 7));
    let [violation] = violations(&events, [I9]);
    assert!(violation.what.ends_with("at number 7, outside its window (2, 6]"), "{}", violation.what);
    assert_eq!(
        proof(&violation).2,
        "0,3,26000000,1,stable,,2,,,,,00000000000057a2\n\
         0,3,30000000,1,pre_prepared,0,7,00000000000000aa,,,,\n"
    );
}

#[test]
fn i9_checkpoints_are_certified_and_only_move_forward() {
    let vouch = |ms, node| state(ms, node, Kind::Checkpoint, (2, 0x57));
    let stable = |ms, node| state(ms, node, Kind::Stable, (2, 0x57));
    violations(&[vouch(1, 0), vouch(1, 1), stable(2, 0), vouch(2, 2)], []);
    violations(&[corrupt(0, 3), vouch(1, 0), vouch(1, 1), stable(2, 0)], []);
    let [violation] = violations(&[vouch(1, 0), vouch(1, 1), stable(2, 0), vouch(3, 2)], [I9]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (2, &[0, 1][..]));
    assert_eq!(rows.lines().count(), 3);
    let mut events = in_order(good_run(4));
    events.push(state(60, 2, Kind::Stable, (2, state_after(2))));
    let [violation] = violations(&events, [I9]);
    assert!(violation.what.contains("back from 4 to 2"), "{}", violation.what);
    // K = 2.
    let odd = |node| state(1, node, Kind::Checkpoint, (3, 0x57));
    violations(&[odd(0), odd(1), odd(2), state(2, 0, Kind::Stable, (3, 0x57))], [I9]);
}

#[test]
fn i10_two_stable_checkpoints_at_one_number() {
    let row = |ms, node, kind, digest| state(ms, node, kind, (2, digest));
    let mut events: Vec<_> = (0..3).map(|node| row(1, node, Kind::Checkpoint, 0xaa)).collect();
    events.extend([row(2, 0, Kind::Stable, 0xaa), row(3, 1, Kind::Stable, 0xbb)]);
    let [_, violation] = violations(&events, [I9, I10]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (3, &[0, 1][..]));
    assert_eq!(
        rows,
        "0,3,2000000,0,stable,,2,,,,,00000000000000aa\n\
         0,3,3000000,1,stable,,2,,,,,00000000000000bb\n"
    );
}

/// What is remembered at most in a good run of so many numbers, in which some replicas take no part.
fn most_tracked(last: u64, silent: &[u32]) -> Tracked {
    let mut oracles = Oracles::new(settings());
    let mut most = oracles.tracked();
    for seq in 1..=last {
        for event in in_order(number(seq * 10, seq)).iter().filter(|event| !silent.contains(&event.node)) {
            oracles.observe(event).unwrap();
            let now = oracles.tracked();
            most.numbers = most.numbers.max(now.numbers);
            most.decisions = most.decisions.max(now.decisions);
            most.checkpoints = most.checkpoints.max(now.checkpoints);
            most.requests = most.requests.max(now.requests);
        }
    }
    assert_eq!(oracles.first_violation(), None);
    most
}

#[test]
fn memory_stays_flat() {
    let (short, long) = (most_tracked(100, &[]), most_tracked(10_000, &[]));
    assert_eq!(short, long);
    assert_eq!((long.numbers, long.decisions, long.checkpoints, long.requests), (2, 4, 2, 1));
    // One that is dead and could come back keeps the decisions, but not what led to them.
    let lagging = most_tracked(10_000, &[3]);
    assert!(lagging.numbers <= 6, "{lagging:?}");
    assert!(lagging.decisions < 10_000);
}

#[test]
fn a_replica_that_lags_far_behind_is_still_compared() {
    let mut oracles = Oracles::new(settings());
    for event in in_order(good_run(100)).iter().filter(|event| event.node != 3) {
        oracles.observe(event).unwrap();
    }
    oracles.observe(&slot(2_000, 3, Kind::Committed, (0, 1, batch(1)))).unwrap();
    oracles.observe(&executed(2_000, 3, (0, 1, batch(1)), state_after(1))).unwrap();
    assert!(oracles.agreement_held());
    oracles.observe(&slot(2_001, 3, Kind::Committed, (0, 2, 0xbad))).unwrap();
    assert!(!oracles.agreement_held());
    let violation = oracles.first_violation().unwrap();
    assert_eq!(
        proof(violation).2,
        "0,3,25000000,0,executed,0,2,000000000000ba02,,,,00000000000057a2\n\
         0,3,2001000000,3,committed,0,2,0000000000000bad,,,,\n"
    );
}

#[test]
fn numbers_far_beyond_the_window_cost_nothing_but_themselves() {
    let mut oracles = Oracles::new(settings());
    let far = u64::MAX - 1;
    for node in 0..3 {
        oracles.observe(&slot(1, node, Kind::Committed, (0, far, 0xa0 + u64::from(node)))).unwrap();
    }
    assert!(!oracles.agreement_held());
    assert_eq!(oracles.tracked().numbers, 1);
    oracles.observe(&state(2, 0, Kind::Stable, (far, 1))).unwrap();
    oracles.observe(&slot(3, 1, Kind::Committed, (0, 7, 1))).unwrap();
    assert!(oracles.tracked().decisions < 10);
}
