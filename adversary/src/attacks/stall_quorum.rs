//! A rushing replica that never closes a quorum: it keeps its vote until enough votes of others are in that the quorum closes
//! without it, and then sends it after all, so that nobody can say that it did not vote.
//!
//! Of the others' votes it sees what arrives at corrupted replicas.

use crate::attack::{About, Attack, Departure, Family, Reception, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{NodeId, Span, Time};
use byzlab_replica::{Digest, Message, MessageKind, SeqNum, View, Vote, VoteKind};
use std::collections::{BTreeMap, BTreeSet};

/// A rushing replica that never closes a quorum: it keeps its vote until enough votes of others are in that the quorum closes
/// without it, and then sends it after all.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct StallQuorum {
    /// How long it keeps a vote at most; as long as it takes if left out. When the attack ends it keeps none.
    pub hold: Option<Span>,
    /// Who else has voted.
    voters: BTreeMap<Place, BTreeSet<NodeId>>,
    /// What is held back, by when it leaves, and at one instant in the order in which it came.
    held: BTreeMap<(Time, u64), Held>,
    count: u64,
}

/// What is voted on: the oldest come first.
type Place = (SeqNum, View, VoteKind, Digest);

#[derive(Clone, PartialEq, Debug)]
struct Held {
    node: NodeId,
    place: Place,
    departure: Departure,
}

/// So many places are remembered, and so many votes held back.
const MEMORY: usize = 4096;

impl Attack for StallQuorum {
    fn about(&self) -> About {
        let summary = "Keeps its votes until the quorum closes without them.";
        let messages = &[MessageKind::Prepare, MessageKind::Commit];
        About::saying("stall_quorum", Family::Timing, summary, messages).both_ways()
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "how long it keeps a vote at most";
        visit.span(Parameter::or("hold", about, "as long as it takes"), &mut self.hold);
    }

    fn receive(&mut self, scene: &mut Scene<'_>, from: NodeId, message: &Message) -> Reception {
        if let Message::Vote(vote) = message
            && vote.replica == from
            && !(vote.kind == VoteKind::Prepare && from == scene.config.cluster.primary(vote.view))
        {
            let place = place_of(vote);
            self.voters.entry(place).or_default().insert(from);
            if self.voters.len() > MEMORY {
                self.voters.pop_first();
            }
            if self.is_closed(scene, place) {
                self.release(place, scene.now);
            }
        }
        Reception::Heard
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let Message::Vote(vote) = &departure.message else { return scene.send(departure) };
        let place = place_of(vote);
        if self.is_closed(scene, place) {
            return scene.send(departure);
        }
        let held = Held { node: scene.node(), place, departure };
        let is_repeated = |other: &Held| (other.node, other.place) == (held.node, held.place);
        // A repetition says no more, but to others it may be the first.
        if self.held.values().any(|other| is_repeated(other) && other.departure.to == held.departure.to) {
            return;
        }
        if self.held.len() >= MEMORY {
            return scene.send(held.departure);
        }
        // In the last instant in which the attack can still wake.
        let last = if scene.end < Time::END { Time::from_nanos(scene.end.as_nanos() - 1) } else { Time::END };
        let until = self.hold.map_or(Time::END, |hold| held.departure.at + hold);
        self.keep(until.min(last).max(scene.now), held);
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        let (now, node) = (scene.now, scene.node());
        for (_, Held { departure, .. }) in self.held.extract_if(..=(now, u64::MAX), |_, held| held.node == node) {
            scene.send(departure.not_before(now));
        }
    }

    fn next_wake(&self, _: Option<Time>) -> Option<Time> {
        self.held.first_key_value().map(|(&(at, _), _)| at)
    }
}

impl StallQuorum {
    /// Whether the others' votes are enough for everybody.
    fn is_closed(&self, scene: &Scene<'_>, place: Place) -> bool {
        let quorum = usize::from(scene.config.cluster.quorum());
        let needed = if place.2 == VoteKind::Prepare { quorum - 1 } else { quorum };
        self.voters.get(&place).map_or(0, BTreeSet::len) >= needed
    }

    fn keep(&mut self, until: Time, held: Held) {
        self.held.insert((until, self.count), held);
        self.count += 1;
    }

    /// All colluders let go of their votes for a place.
    fn release(&mut self, place: Place, now: Time) {
        let due: Vec<_> = self.held.extract_if(.., |_, held| held.place == place).collect();
        for (_, held) in due {
            self.keep(now, held);
        }
    }
}

fn place_of(vote: &Vote) -> Place {
    (vote.seq, vote.view, vote.kind, vote.digest)
}
