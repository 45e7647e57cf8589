//! The thin shells between the state machines and the network's actors.

use crate::client::Client;
use crate::message::Message;
use crate::replica::Replica;
use crate::step::{Effects, Event, Input, Timer};
use byzlab_network::{Arrival, NodeId, Outbox, Process, Time};

/// A state machine of the protocol, for a shell to drive.
pub trait Machine {
    /// Which node it is.
    fn node(&self) -> NodeId;

    /// Reacts to an input at `now`.
    fn step(&mut self, now: Time, input: Input, effects: &mut Effects);
}

impl Machine for Replica {
    fn node(&self) -> NodeId {
        self.id()
    }

    #[inline(always)]
    fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        Replica::step(self, now, input, effects);
    }
}

impl Machine for Client {
    fn node(&self) -> NodeId {
        self.id()
    }

    fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        Client::step(self, now, input, effects);
    }
}

/// The timers of a node that are set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timers {
    due: [Option<Time>; Timer::ALL.len()],
    next: Option<Time>,
}

impl Timers {
    /// Sets a timer or switches it off.
    pub fn set(&mut self, timer: Timer, at: Option<Time>) {
        self.due[timer as usize] = at;
        self.next = self.due.iter().flatten().min().copied();
    }

    /// When the next one runs out.
    #[inline]
    pub fn next(&self) -> Option<Time> {
        self.next
    }

    /// Takes a timer that has run out by `now`.
    pub fn pop(&mut self, now: Time) -> Option<Timer> {
        let timer = Timer::ALL.into_iter().find(|&timer| self.due[timer as usize].is_some_and(|at| at <= now))?;
        self.set(timer, None);
        Some(timer)
    }
}

/// One honest node: a state machine with its timers.
#[derive(Debug)]
pub struct Shell<S> {
    machine: S,
    timers: Timers,
    started: bool,
    effects: Effects,
}

impl<S: Machine> Shell<S> {
    /// The node of this state machine.
    pub fn new(machine: S) -> Shell<S> {
        Shell { machine, timers: Timers::default(), started: false, effects: Effects::default() }
    }

    #[inline(always)]
    fn step<E: From<Event>>(&mut self, now: Time, input: Input, out: &mut Outbox<Message, E>) {
        self.machine.step(now, input, &mut self.effects);
        // Most votes change nothing but a count.
        if !self.effects.is_empty() {
            self.carry_out(now, out);
        }
    }

    fn carry_out<E: From<Event>>(&mut self, now: Time, out: &mut Outbox<Message, E>) {
        let node = self.machine.node();
        for event in self.effects.events.drain(..) {
            out.event(now, node, event.into());
        }
        for (to, message) in self.effects.sends.drain(..) {
            out.send(now, node, to, message);
        }
        for (timer, at) in self.effects.timers.drain(..) {
            self.timers.set(timer, at);
        }
    }
}

impl<S: Machine, E: From<Event>> Process<Message, E> for Shell<S> {
    #[inline]
    fn receive(&mut self, arrival: Arrival<Message>, out: &mut Outbox<Message, E>) {
        let from = arrival.from();
        self.step(arrival.time, Input::Message(from, arrival.message), out);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Message, E>) {
        if !self.started {
            self.started = true;
            self.step(now, Input::Start, out);
        }
        while let Some(timer) = self.timers.pop(now) {
            self.step(now, Input::Timer(timer), out);
        }
    }

    #[inline]
    fn next_wake(&self) -> Option<Time> {
        if self.started { self.timers.next() } else { Some(Time::START) }
    }
}
