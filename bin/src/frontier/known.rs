//! The known attacks: a fixed list that the search is held against, and starts from.

use super::candidate::{Candidate, Space};
use crate::config::{Corrupted, Experiment};
use byzlab_adversary::attacks::Delay;
use byzlab_adversary::{AttackConfig, AttackKind, Scope, Selection};
use byzlab_network::{Latency, Span};
use byzlab_replica::MessageKind;

/// A name, whom it corrupts, and its attacks with the messages that they are limited to.
type Known = (&'static str, Selection, &'static [(&'static str, &'static [MessageKind])]);

/// The list. A `delay` is set to just below the request timeout; the long one to just below the time after which backups give the view
/// up that hear of a request only from its client, when that loses patience.
const LIST: [Known; 11] = [
    ("silent", Selection::First, &[("silent", &[])]),
    ("silent backups", Selection::Last, &[("silent", &[])]),
    ("slow_primary", Selection::First, &[("slow_primary", &[])]),
    ("delay", Selection::First, &[("delay", &[])]),
    (LONG_DELAY, Selection::First, &[("delay", &[])]),
    ("equivocate", Selection::First, &[("equivocate", &[])]),
    ("stall_quorum", Selection::First, &[("stall_quorum", &[])]),
    ("withhold_new_view", Selection::First, &[("silent", &[MessageKind::PrePrepare]), ("withhold_new_view", &[])]),
    ("in_dark", Selection::First, &[("in_dark", &[])]),
    ("starve", Selection::First, &[("starve", &[])]),
    ("chase_primary", Selection::First, &[("chase_primary", &[]), ("silent", &[])]),
];

const LONG_DELAY: &str = "long delay";

/// So many delays come on top of that of a late message until a backup sees what its timer waits for.
const DELAYS: u64 = 6;

/// The known attacks that this experiment can have, with their names.
pub(super) fn known_attacks(space: &Space) -> Vec<(&'static str, Candidate, Experiment)> {
    let known = LIST.into_iter().filter_map(|(name, order, kinds)| {
        let attacks: Option<Vec<AttackConfig>> = kinds.iter().map(|(kind, of)| attack(space, name, kind, of)).collect();
        // It corrupts nobody from the start, to have something left.
        let from_start = if name == "chase_primary" { 0 } else { space.count };
        let candidate = Candidate { corrupted: Corrupted::Count(from_start, order), attacks: attacks? };
        let experiment = space.resolve(&candidate)?;
        Some((name, candidate, experiment))
    });
    known.collect()
}

fn attack(space: &Space, name: &str, kind: &str, of: &[MessageKind]) -> Option<AttackConfig> {
    let mut kind = space.kind(kind)?;
    if let AttackKind::Delay(Delay { delay }) = &mut kind {
        let patience = if name == LONG_DELAY { space.base().workload.client_timeout } else { Span::ZERO };
        let timeout = (space.base().protocol.request_timeout + patience).as_nanos();
        let margin = (space.scales.delay().as_nanos() * DELAYS).min(timeout / 2);
        *delay = Latency::constant(Span::from_nanos(timeout - margin));
    }
    let messages = (!of.is_empty()).then(|| of.to_vec());
    Some(AttackConfig { kind, scope: Scope { messages, ..Scope::default() } })
}
