//! I1, I2, I6, I7.

use byzlab_analysis::EventKind as Kind;
use byzlab_analysis::oracle::Invariant::{I1, I2, I4, I6, I7};
use byzlab_analysis::oracle::OracleSettings;

use crate::scenario::*;

#[test]
fn i1_two_commits_at_one_number() {
    let mut events = in_order(good_run(1));
    events.push(slot(30, 2, Kind::Prepared, (1, 1, 0xbad)));
    events.push(slot(31, 2, Kind::Committed, (1, 1, 0xbad)));
    let [agreement, _] = violations(&events, [I1, I6]);
    let (ms, nodes, rows) = proof(&agreement);
    assert_eq!((ms, nodes), (31, &[0, 2][..]));
    // The first honest commit, and the one that contradicts it.
    assert_eq!(
        rows,
        "0,3,14000000,0,committed,0,1,000000000000ba01,,,,\n\
         0,3,31000000,2,committed,1,1,0000000000000bad,,,,\n"
    );
    assert!(
        agreement.what.contains("at number 1 replica 2 committed 0000000000000bad in view 1"),
        "{}",
        agreement.what
    );
}

#[test]
fn i1_an_execution_of_something_else_than_was_committed() {
    let mut events = in_order(phases(0, 1, &[1, 2, 3]));
    // The primary commits like the others but executes something else.
    events.extend(
        [(2, Kind::PrePrepared), (3, Kind::Prepared), (4, Kind::Committed)]
            .map(|(ms, kind)| slot(ms, 0, kind, (0, 1, batch(1)))),
    );
    events.extend(propose(1, (0, 1, batch(1)), CLIENT, request_digest(CLIENT, 1)));
    events.extend(propose(1, (9, 1, 0xbad), CLIENT, request_digest(CLIENT, 1)));
    events.push(request(0, CLIENT, 1));
    events.push(accepted(7, CLIENT, 1, 1));
    events.push(executed(9, 0, (0, 1, 0xbad), state_after(1)));
    let [agreement, history] = violations(&in_order(events), [I1, I4]);
    assert_eq!(proof(&agreement).0, 9);
    assert_eq!(proof(&history).1, [1, 0]);
}

#[test]
fn i1_a_state_taken_over_that_nobody_had() {
    let mut events = in_order(good_run(2));
    events.push(state(40, 3, Kind::StateTransfer, (2, 0xbad)));
    let judgements = judge(settings(), &events);
    let violation = judgements[0].1.violation().expect("I1");
    let (ms, nodes, rows) = proof(violation);
    assert_eq!((ms, nodes), (40, &[0, 3][..]));
    assert!(rows.ends_with("0,3,40000000,3,state_transfer,,2,,,,,0000000000000bad\n"), "{rows}");
}

#[test]
fn i2_two_digests_prepared_in_one_view() {
    let events = [slot(3, 1, Kind::Prepared, (0, 1, 0xaa)), slot(4, 2, Kind::Prepared, (0, 1, 0xbb))];
    let [violation] = violations(&events, [I2]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (4, &[1, 2][..]));
    assert_eq!(rows.lines().count(), 2);
    // In another view it is allowed: the first may not have been committed.
    violations(&[slot(3, 1, Kind::Prepared, (0, 1, 0xaa)), slot(4, 2, Kind::Prepared, (1, 1, 0xbb))], []);
}

#[test]
fn i6_a_commit_without_a_prepared_quorum() {
    let prepared = |ms, node| slot(ms, node, Kind::Prepared, (0, 1, 0xaa));
    let commit = slot(4, 1, Kind::Committed, (0, 1, 0xaa));
    let [violation] = violations(&[prepared(3, 1), prepared(3, 2), commit], [I6]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (4, &[1, 2][..]));
    assert_eq!(rows.lines().count(), 3);
    // The third one in the same instant is early enough, a millisecond later is not.
    violations(&[prepared(3, 1), prepared(3, 2), commit, prepared(4, 3)], []);
    violations(&[prepared(3, 1), prepared(3, 2), commit, prepared(5, 3)], [I6]);
    // Nobody knows what a faulty one did.
    violations(&[corrupt(0, 3), prepared(3, 1), prepared(3, 2), commit], []);
    // What it did while honest counts once.
    violations(&[prepared(2, 3), corrupt(3, 3), prepared(3, 1), commit], [I6]);
}

#[test]
fn i6_a_later_view_that_lost_a_commit() {
    let commit = |node| slot(4, node, Kind::Committed, (0, 1, 0xaa));
    let mut events: Vec<_> = (0..3).map(|node| slot(3, node, Kind::Prepared, (0, 1, 0xaa))).collect();
    events.push(commit(1));
    let before = events.clone();
    // View 2 orders the null request there.
    events.push(slot(20, 3, Kind::PrePrepared, (2, 1, 0)));
    let [violation] = violations(&events, [I6]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (20, &[1, 3][..]));
    assert_eq!(
        rows,
        "0,3,4000000,1,committed,0,1,00000000000000aa,,,,\n\
         0,3,20000000,3,pre_prepared,2,1,0000000000000000,,,,\n"
    );
    // Also if the commit of the earlier view comes to light later.
    let late = [events[0], events[1], events[2], events[4], slot(30, 2, Kind::Committed, (0, 1, 0xaa))];
    let [violation] = violations(&late, [I6]);
    assert_eq!(proof(&violation).0, 30);
    // The same digest is what is to be carried.
    let mut good = before;
    good.push(slot(20, 3, Kind::PrePrepared, (2, 1, 0xaa)));
    violations(&good, []);
}

#[test]
fn i7_two_votes_of_one_replica() {
    let accept = |ms, view, digest| slot(ms, 1, Kind::PrePrepared, (view, 1, digest));
    let [violation] = violations(&[accept(2, 0, 0xaa), accept(3, 0, 0xbb)], [I7]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (3, &[1][..]));
    assert_eq!(rows.lines().count(), 2);
    violations(&[accept(2, 0, 0xaa), accept(3, 1, 0xbb)], []);
    violations(&[accept(2, 0, 0xaa), slot(3, 2, Kind::PrePrepared, (0, 1, 0xbb))], []);
    // Across phases too.
    violations(&[accept(2, 0, 0xaa), slot(3, 1, Kind::Prepared, (0, 1, 0xbb))], [I7]);
}

#[test]
fn i7_two_proposals_of_an_honest_primary() {
    let proposals = |ms, digest| propose(ms, (0, 1, digest), CLIENT, request_digest(CLIENT, 1));
    let events = [proposals(1, 0xaa), proposals(2, 0xbb)].concat();
    let [violation] = violations(&events, [I7]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (2, &[0][..]));
    // A corrupted one may do as it likes.
    violations(&[vec![corrupt(0, 0)], events].concat(), []);
}

#[test]
fn more_replicas_than_bits_in_a_word() {
    // n = 100, f = 33, Q = 67.
    let settings = || OracleSettings::new(100, 33);
    let prepared = |node| slot(3, node, Kind::Prepared, (0, 1, 0xaa));
    let commit = slot(4, 99, Kind::Committed, (0, 1, 0xaa));
    let by = |voters: std::ops::Range<u32>| voters.map(prepared).chain([commit]).collect::<Vec<_>>();
    violations_with(settings(), &by(33..100), []);
    let [violation] = violations_with(settings(), &by(34..100), [I6]);
    assert_eq!(violation.evidence.len(), 67);
    // The same replica again is no other one.
    violations_with(settings(), &[vec![prepared(99); 3], by(34..100)].concat(), [I6]);
    let mut events = by(33..100);
    events.push(slot(5, 70, Kind::PrePrepared, (0, 1, 0xbb)));
    let [violation] = violations_with(settings(), &events, [I7]);
    assert_eq!(
        proof(&violation).2,
        "0,3,3000000,70,prepared,0,1,00000000000000aa,,,,\n\
         0,3,5000000,70,pre_prepared,0,1,00000000000000bb,,,,\n"
    );
}

#[test]
fn a_primary_that_tells_everybody_something_else() {
    let lies = (1..100).map(|node| slot(3, node, Kind::PrePrepared, (0, 1, 0xa00 + u64::from(node))));
    violations_with(OracleSettings::new(100, 33), &lies.clone().collect::<Vec<_>>(), []);
    let two = [slot(4, 50, Kind::Prepared, (0, 1, 0xa32)), slot(5, 51, Kind::Prepared, (0, 1, 0xa33))];
    let [violation] = violations_with(OracleSettings::new(100, 33), &lies.chain(two).collect::<Vec<_>>(), [I2]);
    assert_eq!(violation.nodes, [50, 51]);
}
