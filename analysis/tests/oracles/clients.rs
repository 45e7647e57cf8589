//! I3, I5, I11: what clients ask for and what they get.

use byzlab_analysis::oracle::Invariant::{I3, I5, I11};
use byzlab_analysis::oracle::{Detail, Judgement, Liveness, OracleSettings};
use byzlab_analysis::{Event, EventKind as Kind};

use crate::scenario::*;

const OTHER: u32 = CLIENT + 1;

/// Replicas execute a batch with this request at number 1.
fn executed_request(client: u32, digest: u64) -> Vec<Event<'static>> {
    let mut events = propose(1, (0, 1, batch(1)), client, digest).to_vec();
    events.extend(phases(0, 1, &[0, 1, 2, 3]));
    events
}

#[test]
fn i3_a_request_that_nobody_issued() {
    let forged = in_order(executed_request(CLIENT, 0xf0));
    let [violation] = violations(&forged, [I3]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (5, &[0][..]));
    assert_eq!(
        rows,
        "0,3,1000000,0,propose,0,1,000000000000ba01,,,,\n\
         0,3,1000000,0,ordered,0,1,00000000000000f0,4,,,\n\
         0,3,5000000,0,executed,0,1,000000000000ba01,,,,00000000000057a1\n"
    );
    // A corrupted client may have signed it.
    violations(&in_order([forged.clone(), vec![corrupt(0, CLIENT)]].concat()), []);
    // Another client's request of the same digest is another request.
    let other = Event { digest: Some(0xf0), ..request(0, OTHER, 1) };
    let mut events = forged.clone();
    events.push(other);
    events.push(accepted(9, OTHER, 1, 1));
    violations_with(OracleSettings { detail: Detail::Protocol, ..settings() }, &in_order(events), [I3]);
}

#[test]
fn i3_a_batch_that_nobody_proposed() {
    let events = in_order(phases(0, 1, &[0, 1, 2, 3]));
    let [violation] = violations(&events, [I3]);
    assert!(violation.what.contains("which nobody proposed there"), "{}", violation.what);
    // The null request of a new view is never proposed.
    let null = events.iter().map(|&event| match event.kind {
        Kind::Send => event,
        _ => Event { digest: event.digest.map(|_| 0), ..event },
    });
    violations(&null.collect::<Vec<_>>(), []);
}

#[test]
fn i3_an_old_request_may_be_proposed_again() {
    let mut events = good_run(20);
    let place = (0, 21, batch(21));
    events.extend(propose(211, place, CLIENT, request_digest(CLIENT, 1)));
    events.extend(phases(210, 21, &[0, 1, 2, 3]));
    violations(&in_order(events), []);
}

#[test]
fn i5_a_result_that_no_honest_replica_gave() {
    let mut events = number(0, 1);
    events.pop();
    events.push(accepted(7, CLIENT, 1, 0xbad));
    let [violation] = violations(&in_order(events.clone()), [I5]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (7, &[CLIENT][..]));
    assert_eq!(rows.lines().count(), 2);
    // Nor counts what a corrupted one said.
    events.push(corrupt(0, 3));
    events.push(answer(6, 3, CLIENT, 1, 0xbad));
    violations(&in_order(events.clone()), [I5]);
    // Without replies in the log nobody can tell.
    let settings = OracleSettings { detail: Detail::Protocol, ..settings() };
    events.retain(|event| event.kind != Kind::Send);
    let Judgement::NotJudged(reason) = judgement(settings, &in_order(events), I5) else { panic!("judged") };
    assert!(reason.contains("no replies"), "{reason}");
}

/// Number 1 holds the other client's request, number 3 that of the first client.
fn two_clients(other_issued: u64) -> Vec<Event<'static>> {
    let mut events = vec![request(0, CLIENT, 3), request(other_issued, OTHER, 1)];
    events.extend(propose(40, (0, 1, batch(1)), OTHER, request_digest(OTHER, 1)));
    events.extend(propose(1, (0, 3, batch(3)), CLIENT, request_digest(CLIENT, 3)));
    events.extend(phases(40, 1, &[0, 1, 2, 3]));
    events.extend(phases(1, 3, &[0, 1, 2, 3]));
    events.extend((0..4).map(|node| answer(45, node, OTHER, 1, 1)));
    events.push(accepted(10, CLIENT, 3, 3));
    events.push(accepted(47, OTHER, 1, 1));
    in_order(events)
}

#[test]
fn i5_a_request_that_comes_before_what_was_accepted_before_it() {
    // That the numbers are executed in the wrong order is another matter.
    for detail in [Detail::InProcess, Detail::Protocol] {
        let settings = OracleSettings { detail, ..settings() };
        let late = judgement(settings.clone(), &two_clients(20), I5);
        let violation = late.violation().expect("I5");
        let (ms, nodes, rows) = proof(violation);
        assert_eq!((ms, nodes), (47, &[CLIENT, OTHER][..]));
        assert_eq!(rows.lines().count(), 3);
        // Issued before, or in the very instant, of the acceptance, it is concurrent.
        for concurrent in [0, 10] {
            assert_eq!(judgement(settings.clone(), &two_clients(concurrent), I5).violation(), None);
        }
    }
}

/// After number 1 was accepted the other client reads, answered by these replicas.
fn read(answers: &[Event<'static>]) -> Vec<Event<'static>> {
    let mut events = number(0, 1);
    // Replica 3 has not executed it yet.
    events.retain(|event| !(event.node == 3 && event.kind == Kind::Executed));
    events.push(request(20, OTHER, 1));
    events.extend(answers);
    events.push(accepted(40, OTHER, 1, 0x77));
    in_order(events)
}

#[test]
fn i5_reads_see_what_was_accepted_before() {
    let of = |ms, node| answer(ms, node, OTHER, 1, 0x77);
    violations(&read(&[of(30, 0), of(30, 3)]), []);
    let [violation] = violations(&read(&[of(30, 3)]), [I5]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (40, &[CLIENT, OTHER, 3][..]));
    assert!(rows.contains("0,3,30000000,3,send,,1,,5,reply,,0000000000000077\n"), "{rows}");
    // In a log of messages the digest says the result, and the execution may stand behind the reply of the same instant.
    let logged = Event { digest: Some(0x77), value: None, ..of(30, 3) };
    let executed = executed(30, 3, (0, 1, batch(1)), state_after(1));
    violations(&read(&[logged, executed]), []);
}

#[test]
fn i5_reads_do_not_go_back_behind_reads() {
    let third = OTHER + 1;
    let mut events = number(0, 1);
    // Nobody accepted number 1, but a read saw it.
    events.retain(|event| event.kind != Kind::Reply && !(event.node == 3 && event.kind == Kind::Executed));
    events.extend([request(20, OTHER, 1), answer(21, 0, OTHER, 1, 1), accepted(22, OTHER, 1, 1)]);
    events.extend([request(30, third, 1), answer(31, 3, third, 1, 0), accepted(32, third, 1, 0)]);
    let settings = OracleSettings { liveness: Liveness::NotJudged("no matter".to_owned()), ..settings() };
    let [violation] = violations_with(settings, &in_order(events), [I5]);
    assert_eq!(proof(&violation).1, [OTHER, third, 3]);
}

/// In an open loop requests are issued while earlier ones of the same client wait.
#[test]
fn i5_a_client_s_requests_take_effect_one_after_the_other() {
    let second = |node| {
        let mut events = number(0, 1);
        events.retain(|event| !(event.node == 3 && event.kind == Kind::Executed));
        events.extend([request(3, CLIENT, 2), request(4, CLIENT, 3)]);
        events.extend([answer(30, node, CLIENT, 2, 0x77), accepted(31, CLIENT, 2, 0x77)]);
        events.extend([answer(40, 0, CLIENT, 3, 0x88), accepted(41, CLIENT, 3, 0x88)]);
        in_order(events)
    };
    violations(&second(0), []);
    let [violation] = violations(&second(3), [I5]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (31, &[CLIENT, 3][..]));
    // The request came before the first was accepted, but it was sent after.
    let first = rows.lines().take(2).map(|row| row.split(',').take(7).collect::<Vec<_>>().join(","));
    assert_eq!(first.collect::<Vec<_>>(), ["0,3,3000000,4,request,,2", "0,3,7000000,4,reply,,1"]);
}

#[test]
fn i11_late_and_never() {
    let issued = request(0, CLIENT, 1);
    // 50 ms are allowed.
    let in_time = [issued, answer(40, 0, CLIENT, 1, 1), accepted(50, CLIENT, 1, 1)];
    violations(&in_time, []);
    let late = [issued, answer(40, 0, CLIENT, 1, 1), accepted(51, CLIENT, 1, 1)];
    let [violation] = violations(&late, [I11]);
    // It is violated at the deadline, not when the reply comes.
    assert_eq!((proof(&violation).0, proof(&violation).1), (50, &[CLIENT][..]));
    let [violation] = violations(&[issued, request(3, OTHER, 1)], [I11]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (50, &[CLIENT][..]));
    // The run ends after a second: nothing is late, but nothing can be said of it either.
    violations(&[request(951, CLIENT, 1)], []);
    let reason = "the run ended while 1 request was not due yet";
    assert_eq!(judgement(settings(), &[request(951, CLIENT, 1)], I11), Judgement::NotJudged(reason.to_owned()));
    // Corrupted and crashed clients are on their own.
    violations(&[issued, corrupt(1, CLIENT)], []);
    violations(&[issued, at(1, CLIENT, Kind::Crash)], []);
    // Before stabilisation the clock does not run.
    let liveness = Liveness::Judge { stabilised_ns: 1_000_000, bound_ns: 50_000_000 };
    violations_with(OracleSettings { liveness, ..settings() }, &late, []);
}

#[test]
fn i11_is_not_promised_with_too_many_down() {
    let issued = request(0, CLIENT, 1);
    let crash = |ms, node| at(ms, node, Kind::Crash);
    violations(&[issued, crash(1, 0)], [I11]);
    for too_many in [[crash(1, 0), crash(1, 1)], [corrupt(1, 0), crash(1, 1)]] {
        let Judgement::NotJudged(reason) = judgement(settings(), &[&[issued][..], &too_many].concat(), I11) else {
            panic!("judged")
        };
        assert_eq!(reason, "more than f replicas were down or corrupted at once");
    }
    // One after the other is one at a time.
    let turns = [issued, crash(1, 0), restart(2, 0, "durable"), crash(3, 1)];
    violations(&turns, [I11]);
    // What was over when the network became stable is no excuse.
    let over = [issued, crash(1, 0), crash(1, 1), restart(2, 0, "durable"), restart(2, 1, "durable")];
    let stable = |ms: u64| {
        let liveness = Liveness::Judge { stabilised_ns: ms * 1_000_000, bound_ns: 50_000_000 };
        OracleSettings { liveness, ..settings() }
    };
    violations_with(stable(2), &over, [I11]);
    assert!(matches!(judgement(stable(1), &over, I11), Judgement::NotJudged(_)));
    let never = OracleSettings { liveness: Liveness::NotJudged("loss never ends".to_owned()), ..settings() };
    assert_eq!(judgement(never, &[issued], I11), Judgement::NotJudged("loss never ends".to_owned()));
}
