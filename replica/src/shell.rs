//! The thin shells between the state machines and the network's actors.

use crate::client::Client;
use crate::clock::Clock;
use crate::message::Message;
use crate::processing::Costs;
use crate::replica::Replica;
use crate::step::{Effects, Event, Input, Timer};
use byzlab_network::{Arrival, Cause, NodeId, Outbox, Process, Span, Time};
use std::any::Any;
use std::collections::VecDeque;

/// A state machine of the protocol, for a shell to drive.
pub trait Machine: Clone + 'static {
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
    /// What each was set for, in a run that keeps causes.
    because: [Cause; Timer::ALL.len()],
    /// When to be woken: at the latest when the first is due. Timers are put off far more often than they run out, and to be
    /// woken once too early costs less than to tell the router each time.
    wake: Option<Time>,
}

impl Timers {
    /// Sets a timer or switches it off, in the reaction `because`.
    pub fn set(&mut self, timer: Timer, at: Option<Time>, because: Cause) {
        self.due[timer as usize] = at;
        self.because[timer as usize] = because;
        if let Some(at) = at {
            self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
        }
    }

    /// When to call [`Timers::pop`] next.
    #[inline]
    pub fn next(&self) -> Option<Time> {
        self.wake
    }

    /// Takes a timer that has run out by `now`, and the reaction in which it was set; none if there is none left.
    pub fn pop(&mut self, now: Time) -> Option<(Timer, Cause)> {
        let timer = Timer::ALL.into_iter().find(|&timer| self.due[timer as usize].is_some_and(|at| at <= now));
        match timer {
            Some(timer) => self.due[timer as usize] = None,
            None => self.wake = self.due.iter().flatten().min().copied(),
        }
        Some((timer?, self.because[timer? as usize]))
    }
}

/// A time in which a node is down: it hears, does and sends nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outage {
    /// It crashes at this instant, after what arrives at it.
    pub at: Time,
    /// It comes back at this one, before what arrives after it; or never.
    pub recover_at: Option<Time>,
    /// Whether it comes back with what it keeps on stable storage, or without (rule 30).
    pub durable: bool,
}

/// What a shell leaves to whoever takes its node over.
#[derive(Debug)]
pub struct Estate<S> {
    /// The state machine, with its signer.
    pub machine: S,
    /// Its timers, by true time.
    pub timers: Timers,
    /// The clock that it goes by.
    pub clock: Clock,
    /// What its work costs.
    pub costs: Option<Box<Costs>>,
    /// Whether the node is down.
    pub is_down: bool,
}

/// One honest node: a state machine with its timers.
#[derive(Debug)]
pub struct Shell<S> {
    machine: S,
    clock: Clock,
    /// None if nothing that it does takes time.
    costs: Option<Box<Costs>>,
    timers: Timers,
    started: bool,
    /// Outages to come, the current one first.
    outages: VecDeque<Outage>,
    is_down: bool,
    effects: Effects,
}

impl<S: Machine> Shell<S> {
    /// The node of this state machine.
    pub fn new(machine: S) -> Shell<S> {
        Shell::with_outages(machine, [])
    }

    /// The same, with outages in the order of time.
    pub fn with_outages(machine: S, outages: impl IntoIterator<Item = Outage>) -> Shell<S> {
        Shell {
            machine,
            clock: Clock::default(),
            costs: None,
            timers: Timers::default(),
            started: false,
            outages: outages.into_iter().collect(),
            is_down: false,
            effects: Effects::default(),
        }
    }

    /// The same, with a clock that its timers go by.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Shell<S> {
        self.clock = clock;
        self
    }

    /// The same, with what messages and requests cost it; none costs nothing.
    #[must_use]
    pub fn with_costs(mut self, costs: Option<Costs>) -> Shell<S> {
        self.costs = costs.map(Box::new);
        self
    }

    #[inline(always)]
    fn step<E: From<Event>>(&mut self, now: Time, input: Input, out: &mut Outbox<Message, E>) {
        self.machine.step(self.clock.read(now), input, &mut self.effects);
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
        // First it executes, then one message after the other leaves.
        let executed = std::mem::take(&mut self.effects.executed);
        let mut done = now;
        if let Some(costs) = &mut self.costs {
            done = done + costs.execute(executed);
            out.busy_until(done);
        }
        for (to, message) in self.effects.sends.drain(..) {
            if let Some(costs) = &mut self.costs {
                done = done + costs.send_out(&to, &message);
            }
            out.send(done, node, to, message);
        }
        for (timer, at) in self.effects.timers.drain(..) {
            self.timers.set(timer, at.map(|at| self.clock.when(at)), out.cause());
        }
    }

    /// When it next crashes or comes back.
    fn next_turn(&self) -> Option<Time> {
        let outage = self.outages.front()?;
        if self.is_down { outage.recover_at } else { Some(outage.at) }
    }

    /// Crashes or comes back.
    fn turn<E: From<Event>>(&mut self, now: Time, out: &mut Outbox<Message, E>) {
        out.woken(now, self.machine.node(), Cause::NONE);
        if !self.is_down {
            self.is_down = true;
            self.timers = Timers::default();
            out.event(now, self.machine.node(), Event::Crash.into());
        } else if let Some(outage) = self.outages.pop_front() {
            self.is_down = false;
            self.step(now, Input::Restart { durable: outage.durable }, out);
        }
    }
}

impl<S: Machine, E: From<Event>> Process<Message, E> for Shell<S> {
    fn work_of(&mut self, arrival: &Arrival<Message>) -> Span {
        self.costs.as_mut().map_or(Span::ZERO, |costs| costs.take_in(&arrival.message))
    }

    #[inline(always)]
    fn receive(&mut self, arrival: Arrival<Message>, out: &mut Outbox<Message, E>) {
        let from = arrival.from();
        // Whoever looks for the way of a request wants to know when it came, by itself or with its batch, even where it only waits.
        let brings =
            |message: &Message| matches!(message, Message::Request(_) | Message::Read(_) | Message::PrePrepare(_));
        if out.keeps_causes() && brings(&arrival.message) {
            out.cause();
        }
        self.step(arrival.time, Input::Message(from, arrival.message), out);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Message, E>) {
        if !self.started {
            self.started = true;
            out.woken(now, self.machine.node(), Cause::NONE);
            self.step(now, Input::Start, out);
        }
        while !self.is_down
            && let Some((timer, because)) = self.timers.pop(now)
        {
            out.woken(now, self.machine.node(), because);
            self.step(now, Input::Timer(timer), out);
        }
        while self.next_turn().is_some_and(|at| at <= now) {
            self.turn(now, out);
        }
    }

    #[inline]
    fn next_wake(&self) -> Option<Time> {
        if !self.started {
            return Some(Time::START);
        }
        match (self.timers.next(), self.next_turn()) {
            (Some(timer), Some(turn)) => Some(timer.min(turn)),
            (timer, turn) => timer.or(turn),
        }
    }

    #[inline]
    fn hears(&self, _: Time) -> bool {
        !self.is_down
    }

    /// Leaves its [`Estate`]. From then on there is nothing that it wants to be woken for.
    fn surrender(&mut self, _: NodeId, _: Time) -> Option<Box<dyn Any>> {
        self.started = true;
        self.outages.clear();
        let (machine, timers) = (self.machine.clone(), std::mem::take(&mut self.timers));
        let (clock, costs, is_down) = (self.clock, self.costs.take(), self.is_down);
        Some(Box::new(Estate { machine, timers, clock, costs, is_down }))
    }
}
