//! Honest replicas as the model sees them: the real state machine, with what it has said and reached so far.
//!
//! A replica reacts to the same input in the same state in the same way, and there are far fewer states of one replica than of
//! three together. So each is kept once, under a number, and so is where each input leads from it: the real code runs once
//! for each such step, and a state of the whole system is three numbers.

use byzlab_network::{NodeId, Time};
use byzlab_replica::{
    Digest, Effects, Event, Input, Message, MessageKind, Phase, Replica, SeqNum, Slot, Timer, View, Vote, VoteKind,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

/// A message that was sent: its number, and what a reader of a counterexample wants to know of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Letter {
    number: u32,
    kind: MessageKind,
    view: Option<View>,
    digest: Digest,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view.map_or(0, |view| view.0);
        write!(f, "{} {} of view {view} about {}", self.kind, self.number, self.digest)
    }
}

/// What reaches a replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Happening {
    /// A message of this node.
    Arrival(NodeId, Letter),
    /// Its view timer runs out.
    Timeout,
}

/// What a replica has once been through; a replica itself may forget it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Fact {
    /// It was prepared.
    Prepared(Slot),
    /// It was committed-local.
    Committed(Slot),
    /// It entered a view with this O.
    Entered(View, Digest),
    /// It ran out of patience by itself.
    TimedOut,
}

/// An honest replica, and its past as far as properties speak of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Past {
    /// The state machine.
    pub(crate) replica: Replica,
    /// What it has sent to other replicas: votes, VIEW-CHANGE, NEW-VIEW.
    pub(crate) sent: BTreeSet<Letter>,
    /// What it has been through.
    pub(crate) facts: BTreeSet<Fact>,
}

/// One of the states that a replica can be in, and what follows from it.
pub(crate) struct Honest {
    /// Its number, which no other state has.
    pub(crate) number: u32,
    /// The state itself.
    pub(crate) past: Past,
    /// The messages that it has sent.
    pub(crate) sent: Vec<(Letter, Message)>,
    /// Where it was prepared.
    pub(crate) prepared: Vec<Slot>,
    /// Where it was committed-local.
    pub(crate) committed: Vec<Slot>,
    /// The views that it entered, with the O of each.
    pub(crate) entered: Vec<(View, Digest)>,
    /// Whether it ran out of patience by itself.
    pub(crate) timed_out: bool,
    /// Whether it has signed two digests for one view, number and kind.
    pub(crate) is_two_faced: bool,
    next: Mutex<BTreeMap<Happening, Arc<Honest>>>,
}

impl Honest {
    /// What the replica has accepted for number 1 in the view in which it takes part, and the view.
    pub(crate) fn accepted(&self) -> Option<(View, Digest)> {
        let replica = &self.past.replica;
        let entry = replica.log().get(SeqNum(1)).filter(|_| replica.is_active())?;
        entry.pre_prepare.as_ref().map(|accepted| (accepted.vote.view, accepted.vote.digest))
    }

    /// Whether it is committed-local in the view in which it takes part.
    pub(crate) fn has_committed(&self) -> bool {
        self.past.replica.log().get(SeqNum(1)).is_some_and(|entry| entry.phase == Phase::Committed)
    }

    /// Whether it has executed number 1.
    pub(crate) fn is_done(&self) -> bool {
        self.past.replica.last_executed() >= SeqNum(1)
    }

    /// Whether it has ever accepted a proposal of this view: then it has voted for it.
    pub(crate) fn has_accepted(&self, view: View) -> bool {
        let prepare = |message: &Message| matches!(message, Message::Vote(vote) if vote.view == view);
        self.sent.iter().any(|(_, message)| prepare(message))
    }

    fn new(number: u32, past: Past, sent: Vec<(Letter, Message)>) -> Honest {
        let facts = || past.facts.iter().copied();
        Honest {
            number,
            prepared: facts()
                .filter_map(|fact| if let Fact::Prepared(slot) = fact { Some(slot) } else { None })
                .collect(),
            committed: facts()
                .filter_map(|fact| if let Fact::Committed(slot) = fact { Some(slot) } else { None })
                .collect(),
            entered: facts()
                .filter_map(|fact| if let Fact::Entered(view, order) = fact { Some((view, order)) } else { None })
                .collect(),
            timed_out: past.facts.contains(&Fact::TimedOut),
            is_two_faced: is_two_faced(&sent),
            sent,
            past,
            next: Mutex::default(),
        }
    }
}

/// Each value once, under its number.
struct Numbered<T> {
    values: Vec<T>,
    by_hash: BTreeMap<u64, Vec<u32>>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Numbered<T> {
        Numbered { values: Vec::new(), by_hash: BTreeMap::new() }
    }
}

impl<T> Numbered<T> {
    /// The number under which `same` finds the value, or a new one with what `make` makes of that number.
    fn number(&mut self, hash: u64, same: impl Fn(&T) -> bool, make: impl FnOnce(u32) -> T) -> u32 {
        let alike = self.by_hash.entry(hash).or_default();
        if let Some(&number) = alike.iter().find(|&&number| same(&self.values[number as usize])) {
            return number;
        }
        let number = u32::try_from(self.values.len()).expect("fewer than 2³² values");
        alike.push(number);
        self.values.push(make(number));
        number
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// All messages and all states of single replicas that the search has met.
#[derive(Default)]
pub(crate) struct Archive {
    letters: Mutex<Numbered<Message>>,
    states: Mutex<Numbered<Arc<Honest>>>,
}

impl Archive {
    /// The number of a message.
    pub(crate) fn letter(&self, message: &Message) -> Letter {
        let mut letters = self.letters.lock().unwrap();
        let number = letters.number(hash_of(message), |other| other == message, |_| message.clone());
        Letter { number, kind: message.kind(), view: message.view(), digest: message.digest() }
    }

    /// The message with a number.
    pub(crate) fn message(&self, letter: Letter) -> Message {
        self.letters.lock().unwrap().values[letter.number as usize].clone()
    }

    /// How many states single replicas have been in, and how many messages there are.
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.states.lock().unwrap().values.len(), self.letters.lock().unwrap().values.len()]
    }

    /// A replica after its first input.
    pub(crate) fn begin(&self, replica: Replica, input: Input) -> Arc<Honest> {
        self.honest(&self.step(Past { replica, sent: BTreeSet::new(), facts: BTreeSet::new() }, input))
    }

    fn honest(&self, past: &Past) -> Arc<Honest> {
        let sent = || past.sent.iter().map(|&letter| (letter, self.message(letter))).collect();
        let mut states = self.states.lock().unwrap();
        let make = |number| Arc::new(Honest::new(number, past.clone(), sent()));
        let number = states.number(hash_of(past), |other| other.past == *past, make);
        Arc::clone(&states.values[number as usize])
    }

    /// Where something leads. What nothing comes of leads to the same state.
    pub(crate) fn after(&self, honest: &Arc<Honest>, happening: Happening) -> Arc<Honest> {
        if let Some(next) = honest.next.lock().unwrap().get(&happening) {
            return Arc::clone(next);
        }
        let input = match happening {
            Happening::Arrival(from, letter) => Input::Message(from, self.message(letter)),
            Happening::Timeout => Input::Timer(Timer::View),
        };
        let next = self.honest(&self.step(honest.past.clone(), input));
        honest.next.lock().unwrap().insert(happening, Arc::clone(&next));
        next
    }

    /// Lets the real code take a step. All timeouts are zero, so a timer that is set runs out whenever the model says so, and time
    /// stands still.
    fn step(&self, mut past: Past, input: Input) -> Past {
        let mut effects = Effects::default();
        past.replica.step(Time::START, input, &mut effects);
        let fact = |event: &Event| match *event {
            Event::Prepared(slot) => Some(Fact::Prepared(slot)),
            Event::Committed(slot) => Some(Fact::Committed(slot)),
            Event::NewView { view, order } => Some(Fact::Entered(view, order)),
            Event::Timeout(_) => Some(Fact::TimedOut),
            _ => None,
        };
        past.facts.extend(effects.events.iter().filter_map(fact));
        // Replies and relayed requests go to nodes that the model leaves out, and so does what asks for contents: the liar has them
        // all, and sends them wherever they are wanted.
        let matters = |message: &&Message| {
            use MessageKind::{Commit, NewView, PrePrepare, Prepare, ViewChange};
            matches!(message.kind(), PrePrepare | Prepare | Commit | ViewChange | NewView)
        };
        let letters = effects.sends.iter().map(|(_, message)| message).filter(matters);
        past.sent.extend(letters.map(|message| self.letter(message)));
        past
    }
}

/// Whether somebody has signed two digests for a place, PRE-PREPAREs within NEW-VIEWs included.
fn is_two_faced(sent: &[(Letter, Message)]) -> bool {
    let mut signed: BTreeMap<(VoteKind, View, SeqNum), Digest> = BTreeMap::new();
    let mut contradicts =
        |vote: &Vote| *signed.entry((vote.kind, vote.view, vote.seq)).or_insert(vote.digest) != vote.digest;
    sent.iter().any(|(_, message)| match message {
        Message::Vote(vote) => contradicts(vote),
        Message::PrePrepare(pre_prepare) => contradicts(&pre_prepare.vote),
        Message::NewView(new_view) => new_view.order.iter().any(|vote| contradicts(vote)),
        _ => false,
    })
}
