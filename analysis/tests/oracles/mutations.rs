//! Each row of a good run that is falsified is found out.

use byzlab_analysis::oracle::Invariant::{I1, I2, I3, I4, I5, I7, I9, I10, I11};
use byzlab_analysis::oracle::{Invariant, Judgement};
use byzlab_analysis::{Event, EventKind as Kind, Value};

use crate::scenario::*;

fn is_violated(events: &[Event<'static>], invariant: Invariant) -> bool {
    matches!(judgement(settings(), events, invariant), Judgement::Violated(_))
}

/// What happens to a row; nothing is left of it in the end, or something else.
type Mutation = fn(Event<'static>) -> Option<Event<'static>>;

fn other_digest(event: Event<'static>) -> Option<Event<'static>> {
    Some(Event { digest: event.digest.map(|digest| digest ^ 0xf0_0000), ..event })
}

fn other_value(event: Event<'static>) -> Option<Event<'static>> {
    Some(Event { value: Some(Value::Digest(0xbad)), ..event })
}

fn dropped(_: Event<'static>) -> Option<Event<'static>> {
    None
}

#[test]
fn every_falsified_row_is_found_out() {
    let good = in_order(good_run(5));
    let mutations: [(Kind, Mutation, Invariant); 15] = [
        (Kind::Request, other_digest, I3),
        (Kind::Ordered, other_digest, I3),
        (Kind::Propose, other_digest, I3),
        (Kind::PrePrepared, other_digest, I7),
        (Kind::Prepared, other_digest, I2),
        (Kind::Prepared, other_digest, I7),
        (Kind::Committed, other_digest, I1),
        (Kind::Executed, other_digest, I1),
        (Kind::Executed, other_value, I4),
        (Kind::Checkpoint, other_value, I4),
        (Kind::Stable, other_value, I9),
        (Kind::Stable, other_value, I10),
        (Kind::Reply, other_value, I5),
        (Kind::Reply, dropped, I11),
        (Kind::Executed, dropped, I4),
    ];
    for (kind, mutation, invariant) in mutations {
        let rows = good.iter().enumerate().filter(|(_, event)| event.kind == kind);
        // A gap shows in the next row only.
        let rows = rows.filter(|(_, event)| kind != Kind::Executed || event.seq < Some(5));
        let rows: Vec<_> = rows.map(|(index, _)| index).collect();
        assert!(rows.len() >= 5, "{kind}");
        for index in rows {
            let mut events = good.clone();
            events.splice(index..=index, mutation(good[index]));
            assert!(is_violated(&events, invariant), "{invariant} in spite of {:?}", good[index]);
        }
    }
}
