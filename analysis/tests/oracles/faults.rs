//! Who is faulty, and what is left of the promises when too many are.

use byzlab_analysis::oracle::Invariant::{I1, I2, I4};
use byzlab_analysis::oracle::{Detail, Invariant, InvariantSet, Judgement, OracleSettings, Oracles};
use byzlab_analysis::{Event, EventKind as Kind, InvalidEvent};

use crate::scenario::*;

/// Replicas 1 and 2 commit different things at number 1, on quorums that prepared them.
fn split() -> Vec<Event<'static>> {
    let prepared = |node, digest| slot(3, node, Kind::Prepared, (0, 1, digest));
    vec![
        prepared(1, 0xaa),
        prepared(2, 0xbb),
        slot(4, 1, Kind::Committed, (0, 1, 0xaa)),
        slot(5, 2, Kind::Committed, (0, 1, 0xbb)),
    ]
}

#[test]
fn with_too_many_faulty_only_agreement_is_a_violation() {
    for breakers in [[corrupt(0, 0), corrupt(0, 3)], [corrupt(0, 0), restart(9, 3, "lost")]] {
        let mut events = split();
        events.extend(breakers);
        let judgements = judge(settings(), &in_order(events));
        for (invariant, judgement) in judgements {
            match (invariant, judgement) {
                (I1, Judgement::Violated(violation)) => {
                    assert_eq!((proof(&violation).0, proof(&violation).1), (5, &[1, 2][..]));
                }
                (I2, Judgement::AssumptionBroken(Some(violation))) => assert_eq!(proof(&violation).0, 3),
                (_, Judgement::AssumptionBroken(_)) => {}
                (invariant, judgement) => panic!("{invariant}: {judgement:?}"),
            }
        }
    }
}

#[test]
fn what_was_done_honestly_binds_and_nothing_later_does() {
    let commit = |ms, node, digest| slot(ms, node, Kind::Committed, (0, 1, digest));
    let prepared = (0..4).map(|node| slot(1, node, Kind::Prepared, (0, 1, 0xaa)));
    let events = |then: &[Event<'static>]| in_order(prepared.clone().chain(then.iter().copied()).collect());
    // Committed, then corrupted: others may not commit anything else.
    let judgements = judge(settings(), &events(&[commit(2, 1, 0xaa), corrupt(3, 1), commit(4, 2, 0xbb)]));
    assert!(matches!(judgements[0].1, Judgement::Violated(_)));
    // Corrupted, or back without its state: what it says is its own affair.
    for fault in [corrupt(3, 1), restart(3, 1, "lost")] {
        violations(&events(&[commit(2, 2, 0xaa), fault, commit(4, 1, 0xbb)]), []);
    }
    // With its state it stays honest.
    let durable = events(&[commit(2, 2, 0xaa), restart(3, 1, "durable"), commit(4, 1, 0xbb)]);
    assert!(matches!(judge(settings(), &durable)[0].1, Judgement::Violated(_)));
}

#[test]
fn answers_while_the_run_goes_on() {
    let mut oracles = Oracles::new(settings());
    for event in split() {
        assert!(oracles.agreement_held());
        oracles.observe(&event).unwrap();
    }
    assert!(!oracles.agreement_held() && oracles.validity_held());
    assert_eq!(oracles.first_violation().unwrap().invariant, I2);
    // With a broken assumption the first violation is that of agreement.
    oracles.observe(&corrupt(6, 0)).unwrap();
    oracles.observe(&corrupt(6, 3)).unwrap();
    assert_eq!(oracles.first_violation().unwrap().invariant, I1);
}

#[test]
fn what_is_switched_off_is_not_judged() {
    let enabled = InvariantSet::NONE.with(I2).with(I4);
    let settings = OracleSettings { enabled, ..settings() };
    let judgements = judge(settings, &split());
    for (invariant, judgement) in judgements {
        match invariant {
            I2 => assert!(matches!(judgement, Judgement::Violated(_))),
            I4 => assert_eq!(judgement, Judgement::Held),
            _ => assert_eq!(judgement, Judgement::Off),
        }
    }
}

#[test]
fn without_rows_nothing_is_judged() {
    let settings = OracleSettings { detail: Detail::None, ..settings() };
    for (invariant, judgement) in judge(settings, &[]) {
        assert!(matches!(judgement, Judgement::NotJudged(_)), "{invariant}");
    }
}

#[test]
fn names_and_codes() {
    for invariant in Invariant::ALL {
        assert_eq!(invariant.name().parse(), Ok(invariant));
        assert_eq!(invariant.code().parse(), Ok(invariant));
        assert!(InvariantSet::ALL.contains(invariant) && !InvariantSet::NONE.contains(invariant));
        let is_a_key = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(invariant.name().bytes().all(is_a_key));
    }
    let error = "agreemant".parse::<Invariant>().unwrap_err().to_string();
    assert!(error.contains("agreemant") && error.contains("agreement, one_prepared"), "{error}");
}

#[test]
fn damaged_events_are_refused() {
    let refused = |event: Event<'static>| Oracles::new(settings()).observe(&event).unwrap_err();
    assert_eq!(
        refused(slot(1, 9, Kind::Committed, (0, 1, 2))),
        InvalidEvent::NotAReplica { kind: Kind::Committed, node: 9, replicas: REPLICAS }
    );
    let missing = |kind, column| InvalidEvent::Missing { kind, column };
    assert_eq!(refused(at(1, 0, Kind::Prepared)), missing(Kind::Prepared, "view"));
    assert_eq!(refused(slot(1, 0, Kind::Executed, (0, 1, 2))), missing(Kind::Executed, "value"));
    assert_eq!(refused(at(1, 0, Kind::Restart)), missing(Kind::Restart, "value"));
    let [_, ordered] = propose(1, (0, 1, 2), CLIENT, 3);
    assert_eq!(refused(ordered), InvalidEvent::OrderedAlone);
    let mut oracles = Oracles::new(settings());
    oracles.observe(&corrupt(2, 0)).unwrap();
    let error = oracles.observe(&corrupt(1, 0)).unwrap_err();
    assert_eq!(error, InvalidEvent::TimeRunsBack { before: 2_000_000, now: 1_000_000 });
}
