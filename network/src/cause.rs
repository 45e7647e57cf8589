//! Causes: what made a node do what it did, as far back as anybody wants to know.
//!
//! A run that keeps them ([`crate::Simulation::keep_causes`]) remembers each reaction in which a node did something: to which message
//! or wake-up, when, and in which reaction that message was sent. A chain of causes leads from an event back to what began it, and
//! tells for each hop what the time went to. A run that does not keep them pays nothing.

use crate::link::Toll;
use crate::node::{Arrival, NodeId};
use crate::time::Time;
use std::collections::VecDeque;

/// The name of a reaction; [`Cause::NONE`] if it is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Cause(u64);

impl Cause {
    /// Nothing is known of it: the run keeps no causes, or the node did it of its own accord.
    pub const NONE: Cause = Cause(0);

    const SEAT_SHIFT: u32 = 48;

    /// The `number`-th reaction (from 0) at a seat.
    fn new(seat: usize, number: u64) -> Cause {
        Cause((seat as u64) << Cause::SEAT_SHIFT | (number + 1))
    }

    fn seat(self) -> usize {
        (self.0 >> Cause::SEAT_SHIFT) as usize
    }

    /// None for [`Cause::NONE`].
    fn number(self) -> Option<u64> {
        (self.0 & ((1 << Cause::SEAT_SHIFT) - 1)).checked_sub(1)
    }
}

/// Something that a node reacted to, and when.
#[derive(Clone, Debug)]
pub struct Reaction<M> {
    /// Who.
    pub node: NodeId,
    /// When.
    pub at: Time,
    /// To what.
    pub to: Stimulus<M>,
}

/// What a node reacts to.
#[derive(Clone, Debug)]
pub enum Stimulus<M> {
    /// A message.
    Message(Journey<M>),
    /// A wake-up that it had asked for in an earlier reaction.
    Wake(Cause),
}

/// The way of a message from the reaction in which it was sent to the one that it led to.
#[derive(Clone, Debug)]
pub struct Journey<M> {
    /// Who sent it.
    pub from: NodeId,
    /// The message.
    pub message: M,
    /// The reaction in which it was sent.
    pub cause: Cause,
    /// When its sender had done the work for it.
    pub sent: Time,
    /// What the network took besides the way.
    pub toll: Toll,
    /// When its last bit came to the receiver.
    pub arrived: Time,
    /// When it was through the receiver's line.
    pub received: Time,
    /// When a core of the receiver began with it.
    pub begun: Time,
}

/// In which reaction a message was sent, and when its sender had done the work for it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Origin {
    pub(crate) cause: Cause,
    pub(crate) sent: Time,
}

impl<M> Journey<M> {
    /// A journey whose message has not been looked at.
    pub(crate) fn new(from: NodeId, message: M, origin: Origin, toll: Toll, arrived: Time) -> Journey<M> {
        let Origin { cause, sent } = origin;
        Journey { from, message, cause, sent, toll, arrived, received: arrived, begun: arrived }
    }
}

/// What a seat remembers. Runs that keep no causes have none, so all of it stays out of their way.
#[derive(Debug)]
pub(crate) struct Ledger<M> {
    seat: usize,
    /// How many reactions were forgotten.
    forgotten: u64,
    reactions: VecDeque<Reaction<M>>,
    /// From which number on they are new to the observer.
    fresh: u64,
    /// What the process is reacting to; entered only if something comes of it.
    current: Option<Reaction<M>>,
    /// Its name, once it is entered.
    cause: Cause,
    /// Journeys whose messages have arrived and were not looked at yet.
    journeys: Vec<Option<Journey<M>>>,
    free: Vec<u32>,
}

impl<M> Ledger<M> {
    pub(crate) fn new(seat: usize) -> Ledger<M> {
        Ledger {
            seat,
            forgotten: 0,
            reactions: VecDeque::new(),
            fresh: 0,
            current: None,
            cause: Cause::NONE,
            journeys: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Keeps a journey until its message is looked at.
    pub(crate) fn keep(&mut self, journey: Journey<M>) -> JourneyId {
        let place = self.free.pop().unwrap_or(self.journeys.len() as u32);
        if place as usize == self.journeys.len() {
            self.journeys.push(None);
        }
        self.journeys[place as usize] = Some(journey);
        JourneyId(place + 1)
    }

    /// Its message is looked at, or goes elsewhere.
    pub(crate) fn take(&mut self, id: JourneyId) -> Option<Journey<M>> {
        let place = id.0.checked_sub(1)?;
        self.free.push(place);
        self.journeys[place as usize].take()
    }

    /// The process looks at a message that came through the line at `received`, and with which a core began at `begun`.
    #[inline(never)]
    pub(crate) fn react(&mut self, arrival: &Arrival<M>, received: Time, begun: Time) {
        self.cause = Cause::NONE;
        self.current = self.take(arrival.journey).map(|journey| Reaction {
            node: arrival.to(),
            at: arrival.time,
            to: Stimulus::Message(Journey { received, begun, ..journey }),
        });
    }

    /// A message is not looked at.
    pub(crate) fn discard(&mut self, arrival: &Arrival<M>) {
        self.take(arrival.journey);
    }

    /// The process wakes up.
    #[inline(never)]
    pub(crate) fn wake(&mut self, reaction: Option<Reaction<M>>) {
        self.cause = Cause::NONE;
        self.current = reaction;
    }

    /// The name of what the process is reacting to.
    #[inline(never)]
    pub(crate) fn cause(&mut self) -> Cause {
        if let Some(reaction) = self.current.take() {
            self.cause = Cause::new(self.seat, self.forgotten + self.reactions.len() as u64);
            self.reactions.push_back(reaction);
        }
        self.cause
    }

    fn get(&self, cause: Cause) -> Option<&Reaction<M>> {
        self.reactions.get(usize::try_from(cause.number()?.checked_sub(self.forgotten)?).ok()?)
    }

    /// The observer has seen everything. It is forgotten if it happened before an instant.
    pub(crate) fn turn_page(&mut self, time: Time) {
        self.fresh = self.forgotten + self.reactions.len() as u64;
        while self.reactions.front().is_some_and(|reaction| reaction.at < time) {
            self.reactions.pop_front();
            self.forgotten += 1;
        }
    }
}

/// Where the journey of an arrival is kept; 0 if nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct JourneyId(u32);

/// All that the seats of a run remember.
#[derive(Debug)]
pub struct Trail<'a, M>(pub(crate) &'a [Option<Box<Ledger<M>>>]);

impl<M> Trail<'_, M> {
    /// A reaction; none if it is not known, or forgotten.
    pub fn reaction(&self, cause: Cause) -> Option<&Reaction<M>> {
        cause.number()?;
        self.0.get(cause.seat())?.as_ref()?.get(cause)
    }

    /// The reactions that were not there when the observer was called last, seat by seat, those of a seat in the order of time.
    pub fn fresh(&self) -> impl Iterator<Item = (Cause, &Reaction<M>)> {
        self.0.iter().flatten().flat_map(|ledger| {
            let known = ledger.fresh.saturating_sub(ledger.forgotten) as usize;
            (ledger.fresh..)
                .zip(ledger.reactions.range(known..))
                .map(|(number, reaction)| (Cause::new(ledger.seat, number), reaction))
        })
    }
}
