//! A node's machine around its process: the line in, and the cores that work on messages.
//!
//! ```text
//! network ──► line in ──► waiting ──► core: take in │ process reacts │ work on what it sends ──► line out
//!             (queue)     (FIFO)      ◄────────────── one message at a time ──────────────►
//! ```
//!
//! A core takes the message that has waited longest. What it costs to take it in ([`Process::work_of`]) comes first; then the process
//! reacts, at that instant; then the core works on what comes of it: what the process sends leaves at the times that it sends it for,
//! and the core is busy until the last of them ([`Outbox::busy_until`]). Work that follows a wake-up does not wait for a core: it
//! pushes in, and the core is free so much later.
//!
//! A node that changes hands takes its machine along, with everything in it: the desk goes from one station to the other.
//!
//! Arrival order decides here, and it is known at the receiver alone; so all of this lives in the receiver's actor.

use crate::bandwidth::{Bandwidth, LineIn};
use crate::node::{Arrival, Message, NodeId, Outbox, Process, Sending};
use crate::powers::Luggage;
use crate::router::SizeOf;
use crate::simulation::{Player, hand_over, log_delivery, lose};
use crate::time::{Span, Time};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZeroU16;
use std::rc::Rc;

/// What a node's machine is limited by.
pub(crate) struct Machine<M> {
    pub(crate) node: NodeId,
    /// None is unlimited.
    pub(crate) line: Option<LineIn>,
    /// How fast the lines out of all nodes are, by their ids; empty if they are unlimited.
    pub(crate) senders: Rc<[Option<Bandwidth>]>,
    /// What stands in for [`Message::size`].
    pub(crate) sizes: Option<SizeOf<M>>,
    /// None takes no time for anything.
    pub(crate) cores: Option<NonZeroU16>,
}

/// A process with the machines of the nodes that it plays.
pub(crate) struct Station<P, M> {
    process: P,
    desks: Vec<Desk<M>>,
    /// When the next thing happens at a desk; [`Time::END`], which never comes, if nothing is to happen.
    next: Time,
}

/// The machine of one node.
pub(crate) struct Desk<M> {
    node: NodeId,
    line: Option<LineIn>,
    senders: Rc<[Option<Bandwidth>]>,
    sizes: Option<SizeOf<M>>,
    /// Waiting for a core, in the order in which they are through the line: one from a slower line may be through before an earlier
    /// one.
    waiting: VecDeque<Waiting<M>>,
    /// Being taken in, in the order in which they will be.
    work: VecDeque<Task<M>>,
    cores: Option<Cores>,
    /// What is worked on and leaves then, in the order of time.
    leaving: VecDeque<Sending<M>>,
    /// When the work for what the process sent last is done.
    busy_until: Time,
}

struct Cores {
    count: u16,
    /// When the cores without a message are free.
    idle: BinaryHeap<Reverse<Time>>,
    /// Work that pushed in while all were busy.
    debt: Span,
}

struct Waiting<M> {
    received: Time,
    arrival: Arrival<M>,
}

struct Task<M> {
    done: Time,
    begun: Time,
    received: Time,
    arrival: Arrival<M>,
}

impl<M> Desk<M> {
    fn new(machine: Machine<M>) -> Desk<M> {
        let cores = |count: NonZeroU16| Cores {
            count: count.get(),
            idle: (0..count.get()).map(|_| Reverse(Time::START)).collect(),
            debt: Span::ZERO,
        };
        Desk {
            node: machine.node,
            line: machine.line,
            senders: machine.senders,
            sizes: machine.sizes,
            waiting: VecDeque::new(),
            work: VecDeque::new(),
            cores: machine.cores.map(cores),
            leaving: VecDeque::new(),
            busy_until: Time::START,
        }
    }

    /// The messages at it.
    fn arrivals(&mut self) -> impl Iterator<Item = &mut Arrival<M>> {
        let waiting = self.waiting.iter_mut().map(|waiting| &mut waiting.arrival);
        waiting.chain(self.work.iter_mut().map(|task| &mut task.arrival))
    }

    /// When something next happens. It is asked for several times for each message, hence no options.
    #[inline]
    fn next(&self) -> Time {
        let work = self.work.front().map_or(Time::END, |task| task.done);
        let leaving = self.leaving.front().map_or(Time::END, |sending| sending.time);
        work.min(leaving).min(self.begins_next())
    }

    /// When a core begins with the message that has waited longest; [`Time::END`] if none waits or all are at work.
    #[inline]
    fn begins_next(&self) -> Time {
        match (self.waiting.front(), self.free_core()) {
            (Some(head), Some(free)) => head.received.max(free),
            _ => Time::END,
        }
    }

    fn free_core(&self) -> Option<Time> {
        self.cores.as_ref().and_then(|cores| cores.idle.peek()).map(|&Reverse(free)| free)
    }

    /// Nearly all messages take as long as those before them.
    #[inline]
    fn add_task(&mut self, task: Task<M>) {
        if self.work.back().is_none_or(|last| last.done <= task.done) {
            return self.work.push_back(task);
        }
        self.insert_task(task);
    }

    fn insert_task(&mut self, task: Task<M>) {
        let place = self.work.iter().rposition(|other| other.done <= task.done).map_or(0, |place| place + 1);
        self.work.insert(place, task);
    }

    fn add_waiting(&mut self, waiting: Waiting<M>) {
        let place = self.waiting.iter().rposition(|other| other.received <= waiting.received);
        self.waiting.insert(place.map_or(0, |place| place + 1), waiting);
    }

    fn add_leaving(&mut self, sending: Sending<M>) {
        let place = self.leaving.iter().rposition(|other| other.time <= sending.time).map_or(0, |place| place + 1);
        self.leaving.insert(place, sending);
    }

    /// The core that was free first begins with a message.
    #[inline]
    fn begin<E>(&mut self, process: &mut impl Process<M, E>, free: Time, Waiting { received, arrival }: Waiting<M>) {
        if let Some(cores) = &mut self.cores {
            cores.idle.pop();
        }
        let begun = received.max(free);
        let done = begun + process.work_of(&arrival);
        self.add_task(Task { done, begun, received, arrival });
    }

    /// A core is done with a message, and with what came of it at `free`.
    fn release_core(&mut self, free: Time) {
        if let Some(cores) = &mut self.cores {
            cores.idle.push(Reverse(free + std::mem::take(&mut cores.debt)));
        }
    }

    /// Work that no core was waiting for.
    fn push_in(&mut self, now: Time, work: Span) {
        let Some(cores) = self.cores.as_mut().filter(|_| work > Span::ZERO) else { return };
        match cores.idle.pop() {
            Some(Reverse(free)) => cores.idle.push(Reverse(free.max(now) + work)),
            None => cores.debt = cores.debt + work,
        }
    }
}

impl<P, M: Message> Station<P, M> {
    pub(crate) fn new(process: P, machines: Vec<Machine<M>>) -> Station<P, M> {
        Station { process, desks: machines.into_iter().map(Desk::new).collect(), next: Time::END }
    }

    /// Hands waiting messages to cores that are free.
    fn assign<E>(&mut self, desk: usize, now: Time)
    where
        P: Process<M, E>,
    {
        let Station { process, desks, .. } = self;
        let desk = &mut desks[desk];
        while desk.begins_next() <= now
            && let (Some(free), Some(waiting)) = (desk.free_core(), desk.waiting.pop_front())
        {
            desk.begin(process, free, waiting);
        }
    }

    /// Lives through everything at the desks up to `now`.
    fn advance<E>(&mut self, now: Time, out: &mut Outbox<M, E>)
    where
        P: Process<M, E>,
    {
        loop {
            let (time, desk) = self.earliest();
            self.next = time;
            if time > now {
                return;
            }
            let is_due = |task: &Task<M>| task.done == time;
            if self.desks[desk].work.front().is_some_and(is_due) {
                if let Some(task) = self.desks[desk].work.pop_front() {
                    self.handle(desk, task, out);
                }
            } else if self.desks[desk].leaving.front().is_some_and(|sending| sending.time == time) {
                if let Some(sending) = self.desks[desk].leaving.pop_front() {
                    out.emit(sending);
                }
            } else {
                self.assign(desk, time);
            }
        }
    }

    /// When and at which desk something next happens.
    #[inline]
    fn earliest(&self) -> (Time, usize) {
        let nexts = self.desks.iter().zip(0..).map(|(desk, place)| (desk.next(), place));
        nexts.fold((Time::END, 0), |first, next| if next.0 < first.0 { next } else { first })
    }

    /// The process reacts to a message.
    fn handle<E>(&mut self, desk: usize, task: Task<M>, out: &mut Outbox<M, E>)
    where
        P: Process<M, E>,
    {
        debug_assert!(task.received >= task.arrival.time && task.begun >= task.received, "work before its time");
        let Task { done, begun, received, mut arrival } = task;
        arrival.time = done;
        let mut free = done;
        if self.process.hears(done) {
            if let Some(ledger) = &mut out.ledger {
                ledger.react(&arrival, received, begun);
            }
            self.divert(done, out, |process, out| process.receive(arrival, out));
            // What it executes, it executes for the node that the message was for.
            free = self.desks[desk].busy_until.max(out.busy_until);
        } else if let Some(ledger) = &mut out.ledger {
            ledger.discard(&arrival);
        }
        self.desks[desk].release_core(free);
        self.assign(desk, done);
    }

    /// Lets the process act, and keeps what it sends until the work for it is done.
    fn divert<E>(&mut self, now: Time, out: &mut Outbox<M, E>, act: impl FnOnce(&mut P, &mut Outbox<M, E>)) {
        let first = out.sends.len();
        out.busy_until = now;
        // What is sent is logged when it leaves.
        let log_messages = std::mem::take(&mut out.log_messages);
        act(&mut self.process, out);
        out.log_messages = log_messages;
        let alone = self.desks.len() == 1;
        for desk in &mut self.desks {
            desk.busy_until = if alone { out.busy_until } else { now };
        }
        // Most votes make a replica send nothing.
        if out.sends.len() == first {
            return;
        }
        for sending in out.sends.drain(first..) {
            let desk = self.desks.iter_mut().find(|desk| desk.node == sending.from);
            let desk =
                desk.unwrap_or_else(|| panic!("sent in the name of node {}, which is not played here", sending.from));
            desk.busy_until = desk.busy_until.max(sending.time);
            desk.add_leaving(sending);
        }
    }

    /// A node that has just crashed loses what it had not finished. It was delivered all the same: to a machine that is down now.
    fn clear<E>(&mut self, now: Time, out: &mut Outbox<M, E>) {
        for desk in &mut self.desks {
            let waiting = desk.waiting.drain(..).map(|waiting| waiting.arrival);
            for arrival in desk.work.drain(..).map(|task| task.arrival).chain(waiting) {
                if let Some(ledger) = &mut out.ledger {
                    ledger.discard(&arrival);
                }
            }
            // What leaves at this instant has left.
            while let Some(sending) = desk.leaving.pop_front().filter(|sending| sending.time <= now) {
                out.emit(sending);
            }
            desk.leaving.clear();
            if let Some(line) = &mut desk.line {
                line.clear();
            }
            if let Some(cores) = &mut desk.cores {
                cores.idle = (0..cores.count).map(|_| Reverse(now)).collect();
                cores.debt = Span::ZERO;
            }
        }
    }
}

impl<P: Process<M, E>, M: Message, E> Player<M, E> for Station<P, M> {
    fn hears(&self, now: Time) -> bool {
        self.process.hears(now)
    }

    fn arrive(&mut self, arrival: Arrival<M>, out: &mut Outbox<M, E>) {
        let (now, node) = (arrival.time, arrival.to());
        let Some(place) = self.desks.iter().position(|desk| desk.node == node) else { return };
        let desk = &mut self.desks[place];
        let received = match &mut desk.line {
            None => now,
            Some(line) => {
                let sender = desk.senders.get(arrival.from().index()).copied().flatten();
                let size = desk.sizes.as_ref().map_or_else(|| arrival.message.size(), |sizes| sizes(&arrival.message));
                match line.receive(now, size, sender) {
                    Some(end) => end,
                    None => return lose(arrival, out),
                }
            }
        };
        log_delivery(&arrival, out);
        match desk.free_core() {
            _ if desk.cores.is_none() => desk.add_task(Task { done: received, begun: received, received, arrival }),
            // The usual case: it need not wait.
            Some(free) if desk.waiting.is_empty() && free.max(received) <= now => {
                desk.begin(&mut self.process, free, Waiting { received, arrival });
            }
            _ => {
                desk.add_waiting(Waiting { received, arrival });
                self.assign(place, now);
            }
        }
        self.advance(now, out);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<M, E>) {
        self.advance(now, out);
        if self.process.next_wake().is_none_or(|due| due > now) {
            return;
        }
        if let Some(ledger) = &mut out.ledger {
            ledger.wake(None);
        }
        self.divert(now, out, |process, out| process.wake(now, out));
        for desk in &mut self.desks {
            desk.push_in(now, desk.busy_until.since(now));
        }
        if !self.process.hears(now) {
            self.clear(now, out);
        }
        self.advance(now, out);
    }

    fn next_wake(&self) -> Option<Time> {
        let next = self.process.next_wake().map_or(self.next, |process| process.min(self.next));
        (next < Time::END).then_some(next)
    }

    fn surrender(&mut self, node: NodeId, now: Time, out: &mut Outbox<M, E>) -> Luggage<M> {
        let what = hand_over(&mut self.process, node, now);
        let place = self.desks.iter().position(|desk| desk.node == node);
        let mut desk = self.desks.remove(place.expect("who plays a node has its desk"));
        self.next = self.earliest().0;
        // Their numbers mean something in the ledger of this seat alone.
        let journeys = match &mut out.ledger {
            Some(ledger) => desk.arrivals().map(|arrival| ledger.take(std::mem::take(&mut arrival.journey))).collect(),
            None => Vec::new(),
        };
        Luggage { what, desk: Some(desk), journeys }
    }

    fn take_over(&mut self, node: NodeId, luggage: Luggage<M>, now: Time, out: &mut Outbox<M, E>) {
        let Luggage { what, desk, journeys } = luggage;
        let mut desk = desk.expect("where one process has desks, all have");
        if let Some(ledger) = &mut out.ledger {
            for (arrival, journey) in desk.arrivals().zip(journeys) {
                arrival.journey = journey.map(|journey| ledger.keep(journey)).unwrap_or_default();
            }
            ledger.wake(None);
        }
        // In the order of nodes, whoever came first.
        let place = self.desks.partition_point(|other| other.node < node);
        self.desks.insert(place, desk);
        self.divert(now, out, |process, out| process.take_over(node, what, now, out));
        for desk in &mut self.desks {
            desk.push_in(now, desk.busy_until.since(now));
        }
        // What is due at this very instant is so in the next window, behind what arrives then.
        self.next = self.earliest().0;
    }
}
