//! What is expected of the trace of a scene.

mod script;

pub(crate) use script::{Expectation, Script};

use byzlab::trace::Trace;
use byzlab_network::{NodeId, Span, Time};
use std::collections::BTreeSet;

/// Says what is wrong if something is not as expected.
pub(crate) fn check(trace: &Trace, expected: &Expectation) -> Result<(), String> {
    let row = &trace.result().row;
    let (outcome, view_changes) = (row.outcome.name(), row.view_changes);
    match expected {
        Expectation::Outcome(wanted) if *wanted != outcome => Err(format!("expected {wanted}, but it is {outcome}")),
        Expectation::ViewChanges(wanted) if *wanted != view_changes => {
            Err(format!("expected {wanted} view changes, but there are {view_changes}"))
        }
        Expectation::Deed { who, deed, at } => {
            let doers = who_did(trace, deed, *at);
            let when = at.map_or(String::new(), |at| format!(" at {} ms", Span::as_millis_f64(at.since(Time::START))));
            let wrong = || format!("expected of {who:?}: {deed}{when}; but it was {doers:?}");
            if doers == *who { Ok(()) } else { Err(wrong()) }
        }
        _ => Ok(()),
    }
}

/// Who did something of which the trace says at least these words.
fn who_did(trace: &Trace, words: &str, at: Option<Time>) -> BTreeSet<NodeId> {
    let is_it = |text: &str| {
        let rest = text.strip_prefix(words);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let those = trace.deeds().filter(|&(time, _, text)| is_it(text) && at.is_none_or(|at| at == time));
    those.map(|(_, node, _)| node).collect()
}
