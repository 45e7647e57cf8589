//! Each row of a good run that is falsified is found out.

use byzlab_analysis::oracle::Invariant::{I1, I2, I3, I4, I5, I7, I9, I10, I11};
use byzlab_analysis::oracle::{Invariant, Judgement};
use byzlab_analysis::{Event, EventKind as Kind, Value};

use crate::scenario::*;

fn is_violated(events: &[Event<'static>], invariant: Invariant) -> bool {
    matches!(judgement(settings(), events, invariant), Judgement::Violated(_))
}

/// What happens to a row.
#[derive(Clone, Copy, Debug)]
enum Mutation {
    OtherDigest,
    OtherValue,
    Dropped,
}

impl Mutation {
    fn of(self, event: Event<'static>) -> Option<Event<'static>> {
        match self {
            Self::OtherDigest => Some(Event { digest: event.digest.map(|digest| digest ^ 0xf0_0000), ..event }),
            Self::OtherValue => Some(Event { value: Some(Value::Digest(0xbad)), ..event }),
            Self::Dropped => None,
        }
    }
}

#[test]
fn every_falsified_row_is_found_out() {
    let good = in_order(good_run(5));
    let mutations: [(Kind, Mutation, Invariant); 15] = [
        (Kind::Request, Mutation::OtherDigest, I3),
        (Kind::Ordered, Mutation::OtherDigest, I3),
        (Kind::Propose, Mutation::OtherDigest, I3),
        (Kind::PrePrepared, Mutation::OtherDigest, I7),
        (Kind::Prepared, Mutation::OtherDigest, I2),
        (Kind::Prepared, Mutation::OtherDigest, I7),
        (Kind::Committed, Mutation::OtherDigest, I1),
        (Kind::Executed, Mutation::OtherDigest, I1),
        (Kind::Executed, Mutation::OtherValue, I4),
        (Kind::Checkpoint, Mutation::OtherValue, I4),
        (Kind::Stable, Mutation::OtherValue, I9),
        (Kind::Stable, Mutation::OtherValue, I10),
        (Kind::Reply, Mutation::OtherValue, I5),
        (Kind::Reply, Mutation::Dropped, I11),
        (Kind::Executed, Mutation::Dropped, I4),
    ];
    for (kind, mutation, invariant) in mutations {
        let rows = good.iter().enumerate().filter(|(_, event)| event.kind == kind);
        // A gap shows in the next row only.
        let rows = rows.filter(|(_, event)| kind != Kind::Executed || event.seq < Some(5));
        let rows: Vec<_> = rows.map(|(index, _)| index).collect();
        assert!(rows.len() >= 5, "{kind}");
        for index in rows {
            let mut events = good.clone();
            events.splice(index..=index, mutation.of(good[index]));
            assert!(is_violated(&events, invariant), "{invariant} in spite of {:?}", good[index]);
        }
    }
}
