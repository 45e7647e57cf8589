//! The protocol for a model checker: four replicas, of which the first primary lies.
//!
//! Honest replicas 1 to 3 run the real code. What they send is never lost from the model's sight: a message may arrive at any
//! time after it was sent, in any order, again, or never. Replica 0, the primary of view 0, may send any of its signed
//! statements to anybody at any time; what it could say is listed in [`liar`]. View 1 has an honest primary. Each honest
//! replica may lose patience once, in view 0; so no view after 1 is reached.
//!
//! # What the bounds leave out, and why little is lost
//!
//! * One client with one request, and one sequence number. The liar makes two different batches of that request, `A` and
//!   `B`; an honest new primary makes a third one.
//! * Votes of view 1 arrive once their receiver has entered it. Earlier ones would be kept, and handed in at that moment.
//! * Votes are not delivered to who has committed in their view; they would only tell it who is up to date.
//! * Two symmetries are broken on the way: the first batch to be accepted is `A`, and replica 3 accepts nothing in view 0
//!   before replica 2 has. A run that breaks this is one that keeps it, with the names of batches or replicas exchanged.
//!   (`CheckerBuilder::symmetry_fn` works with depth-first search alone, and it would have to rename replicas inside the
//!   private state of the real code.)

mod honest;
mod liar;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Authenticator, Cluster, Defects, Digest, Input, Message, ProtocolConfig, Replica, Request, Signer, Slot, View,
};
use honest::{Archive, Happening, Honest};
use liar::Liar;
use stateright::{Model, Property};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

/// The property that no two honest replicas commit different batches at a number.
pub(crate) const AGREEMENT: &str = "agreement";
/// The property that no two batches are prepared at honest replicas for one view and number.
pub(crate) const ONE_PREPARED: &str = "one digest prepared for each view and number";

/// The honest replicas.
const HONEST: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

/// How much of the world the search covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Which replicas may lose patience by themselves,
    pub(crate) impatient: &'static [u16],
    /// and how many of them.
    pub(crate) timeouts: usize,
    /// At which replicas votes arrive in any order: also before the pre-prepare, and for another batch than the accepted one.
    pub(crate) any_order_at: &'static [u16],
    /// To which replicas the liar sends proofs of what is committed.
    pub(crate) proofs_to: &'static [u16],
    /// Whether the liar votes in view 1 too.
    pub(crate) votes_on: bool,
}

/// The system as a whole.
#[derive(Clone)]
pub(crate) struct State {
    honest: [Arc<Honest>; 3],
}

impl State {
    fn numbers(&self) -> [u32; 3] {
        [0, 1, 2].map(|place: usize| self.honest[place].number)
    }

    /// Whether no two honest replicas, nor one with itself, contradict each other.
    fn agrees<T>(&self, said: fn(&Honest) -> &[T], agree: impl Fn(&T, &T) -> bool) -> bool {
        let all = || self.honest.iter().flat_map(|honest| said(honest));
        all().all(|one| all().all(|other| agree(one, other)))
    }

    fn commits_in(&self, view: View) -> bool {
        self.honest.iter().any(|honest| honest.committed.iter().any(|slot| slot.view == view))
    }
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        self.numbers() == other.numbers()
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.numbers().hash(hasher);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.honest.iter().map(|honest| &honest.past.facts)).finish()
    }
}

/// Something happens to the honest replica at this place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Action {
    place: usize,
    happening: Happening,
}

/// The model, and what the search has learnt of it.
pub(crate) struct Trial {
    bounds: Bounds,
    archive: Archive,
    liar: Liar,
    start: State,
}

impl Trial {
    /// Four replicas with these defects.
    pub(crate) fn new(bounds: Bounds, defects: Defects) -> Trial {
        let mut config = ProtocolConfig::new(Cluster::new(4, None).expect("a possible size"), 1);
        config.log_window = NonZeroU64::new(4).expect("positive");
        (config.request_timeout, config.view_change_timeout) = (Span::ZERO, Span::ZERO);
        config.defects = defects;
        let config = Arc::new(config);
        let signers: Vec<Signer> = Signer::deal(5).collect();
        let client = signers[4].node();
        let request = Arc::new(signers[4].sign(Request {
            client,
            timestamp: 1,
            operation: 1,
            reads: false,
            authenticator: Authenticator::All,
            payload: 0,
        }));
        let archive = Archive::default();
        // Each replica knows the request already: so each may lose patience from the start.
        let honest = HONEST.map(|node| {
            let replica = Replica::new(Arc::clone(&config), signers[node.index()].clone());
            archive.begin(replica, Input::Message(client, Message::Request(Arc::clone(&request))))
        });
        let liar = Liar::new(&signers, &request, &archive);
        Trial { bounds, archive, liar, start: State { honest } }
    }

    /// What the search has met of single replicas.
    pub(crate) fn summary(&self) -> String {
        let [states, letters] = self.archive.sizes();
        format!("{states} states of single replicas, {letters} different messages")
    }

    /// Whether a vote may be delivered to a replica.
    fn is_deliverable(&self, to: &Honest, view: View, digest: Digest) -> bool {
        let replica = &to.past.replica;
        let takes_part = replica.is_active() && replica.view() == view;
        let fits = to.accepted().is_some_and(|(_, accepted)| accepted == digest);
        takes_part && (fits || self.bounds.any_order_at.contains(&replica.id().0)) && !to.has_committed()
    }

    fn may_arrive(&self, to: &Honest, message: &Message) -> bool {
        match message {
            Message::Vote(vote) => self.is_deliverable(to, vote.view, vote.digest),
            Message::PrePrepare(pre_prepare) => {
                let replica = &to.past.replica;
                replica.is_active() && replica.view() == pre_prepare.vote.view && to.accepted().is_none()
            }
            _ => true,
        }
    }
}

impl Model for Trial {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.start.clone()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let timeouts = state.honest.iter().filter(|honest| honest.timed_out).count();
        for (place, honest) in state.honest.iter().enumerate() {
            let mut happens = |happening| actions.push(Action { place, happening });
            let may = timeouts < self.bounds.timeouts && self.bounds.impatient.contains(&HONEST[place].0);
            if may && honest.past.replica.view() == View(0) {
                happens(Happening::Timeout);
            }
            for (other, from) in state.honest.iter().zip(HONEST).filter(|(_, from)| *from != HONEST[place]) {
                let due = other.sent.iter().filter(|(_, message)| self.may_arrive(honest, message));
                due.for_each(|&(letter, _)| happens(Happening::Arrival(from, letter)));
            }
            self.liar.lies(self, state, place, |letter| happens(Happening::Arrival(NodeId(0), letter)));
        }
    }

    fn next_state(&self, last: &State, Action { place, happening }: Action) -> Option<State> {
        let next = self.archive.after(&last.honest[place], happening);
        (next.number != last.honest[place].number).then(|| {
            let mut state = last.clone();
            state.honest[place] = next;
            state
        })
    }

    fn properties(&self) -> Vec<Property<Trial>> {
        vec![
            Property::always(AGREEMENT, |_, state: &State| {
                state
                    .agrees(|honest| &honest.committed, |one, other| one.seq != other.seq || one.digest == other.digest)
            }),
            Property::always(ONE_PREPARED, |_, state: &State| {
                let differ = |one: &Slot, other: &Slot| (one.view, one.seq) != (other.view, other.seq);
                state.agrees(|honest| &honest.prepared, |one, other| differ(one, other) || one.digest == other.digest)
            }),
            Property::always("nobody honest votes for two digests", |_, state: &State| {
                state.honest.iter().all(|honest| !honest.is_two_faced)
            }),
            Property::always("each view has one O", |_, state: &State| {
                state.agrees(|honest| &honest.entered, |one, other| one.0 != other.0 || one.1 == other.1)
            }),
            Property::always("no view begins unless somebody honest lost patience", |_, state: &State| {
                let moved = state.honest.iter().any(|honest| honest.past.replica.view() > View(0));
                !moved || state.honest.iter().any(|honest| honest.timed_out)
            }),
            Property::sometimes("commits in view 0", |_, state: &State| state.commits_in(View(0))),
            Property::sometimes("commits in view 1", |_, state: &State| state.commits_in(View(1))),
            Property::sometimes("all commit", |_, state: &State| {
                state.honest.iter().all(|honest| !honest.committed.is_empty())
            }),
        ]
    }
}
