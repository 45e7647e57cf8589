//! The router: it owns virtual time, and everything under way.
//!
//! It works in conservative windows (Chandy & Misra 1979; YAWNS, Nicol 1993):
//!
//! ```text
//!            t                     t + lookahead
//!  ──────────┼──────────────────────┼──────────────────►  virtual time
//!            │ every arrival and    │
//!            │ timer in here is     │ whatever is sent in the window
//!            │ handled by its own   │ arrives here or later
//!            │ process, alone       │
//! ```
//!
//! No message is faster than the lookahead, so nothing that happens inside a window can reach another process inside it. The
//! router therefore sends each process that has something to do *one* parcel with all its arrivals of the window, waits for all
//! of them to come back, puts what they sent on the network, and opens the next window at the earliest thing that is pending.
//!
//! Between two windows nodes can change hands, and the rules of the network with them: [`crate::powers`] says in which order. The router
//! asks the process of the node to give it away, and then the other one to take it, with a parcel each; both of them live at the end of the
//! window then, before anything else does.
//!
//! What is here is plain code; [`crate::simulation`] wraps it into an actor.

use crate::cause::{Journey, JourneyId, Ledger, Origin, Trail};
use crate::link::{Fate, Links, NetworkModel, Toll};
use crate::node::{Arrival, Event, Happening, Label, Message, NodeId, Outbox, Rank, Record, Sending};
use crate::powers::{Act, Errand, Powers};
use crate::queue::{Copy, Transit, TransitQueue};
use crate::random::Key;
use crate::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::rc::Rc;

/// What travels between the router and a process, there with arrivals, and back with what the process did. The same box goes
/// back and forth, so that nothing is allocated.
pub(crate) struct Parcel<M, E> {
    pub(crate) seat: usize,
    pub(crate) errand: Errand,
    pub(crate) until: Time,
    pub(crate) arrivals: Vec<Arrival<M>>,
    pub(crate) outbox: Outbox<M, E>,
    pub(crate) wake_at: Option<Time>,
    /// What went wrong: the text of a panic.
    pub(crate) fault: Option<String>,
}

/// Parcels on their way back. Boxed: they move from hand to hand all the time.
#[allow(clippy::vec_box)]
pub(crate) type Parcels<M, E> = Vec<Box<Parcel<M, E>>>;

/// Watches a run while it goes on.
pub trait Observer<M, E>: 'static {
    /// Called after each window in which something happened, with all of it ordered by time, then node, then the order in
    /// which the node reported it.
    fn observe(&mut self, records: &[Record<M, E>]) -> Verdict;

    /// Called in place of [`Observer::observe`] in a run that keeps causes, with all of them that were not forgotten.
    fn observe_causes(&mut self, records: &[Record<M, E>], _trail: &Trail<'_, M>) -> Verdict {
        self.observe(records)
    }

    /// Reactions before this instant will not be asked for any more, and can be forgotten.
    fn needs_since(&self) -> Time {
        Time::START
    }
}

/// What an observer decides after a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The run goes on.
    Continue,
    /// It goes on, but not beyond this instant.
    StopAfter(Time),
    /// It is over.
    Stop,
}

/// How much went over the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent, one for each recipient, lost ones included.
    pub messages: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The observer had seen enough.
    Stopped,
    /// Nothing was under way any more and nobody wanted to be woken.
    Quiet,
    /// The time limit came first.
    TimeLimit,
}

/// A message under way: kept once for all its recipients.
struct Letter<M> {
    /// Stays until the place is used again.
    message: M,
    copies: u32,
}

/// A process at the table.
struct Seat<M, E> {
    /// Arrivals of the window that is being opened.
    arrivals: Vec<Arrival<M>>,
    /// Here unless it is under way.
    parcel: Option<Box<Parcel<M, E>>>,
    wake_at: Option<Time>,
}

/// A window ends early when it holds so many arrivals a seat: the parcels of very large clusters would leave the cache.
const ARRIVALS_A_SEAT: usize = 16;

/// What a run keeps beyond its course.
pub(crate) struct RouterOptions {
    /// Of each seat.
    pub(crate) powers: Vec<Powers>,
    pub(crate) time_limit: Time,
    pub(crate) log_messages: bool,
    pub(crate) keep_causes: bool,
}

pub(crate) struct Router<M, E> {
    links: Links,
    queue: TransitQueue,
    /// What arrives in the window that is being opened.
    due: Vec<Transit>,
    letters: Vec<Letter<M>>,
    free: Vec<u32>,
    /// How many copies are under way.
    under_way: usize,
    /// Which seat plays a node.
    seat_of: Vec<usize>,
    seats: Vec<Seat<M, E>>,
    wakes: BTreeSet<(Time, usize)>,
    /// How many messages each node has sent.
    sequence: Vec<u32>,
    lookahead: Span,
    time_limit: Time,
    /// At most the time limit.
    stop_after: Time,
    /// The seats that have something to do in this window.
    at_work: Vec<usize>,
    records: Vec<Record<M, E>>,
    observer: Box<dyn Observer<M, E>>,
    log_messages: bool,
    /// Of each seat what it remembers, while it is not at work; empty if the run keeps no causes.
    ledgers: Vec<Option<Box<Ledger<M>>>>,
    /// Of each letter how it came to be sent, in a run that keeps causes. What the copies of a letter have in common is kept once;
    origins: Vec<Origin>,
    /// and what a copy paid, here, if it did.
    tolls: BTreeMap<(Rank, u8), Toll>,
    /// What stands in for [`Message::size`].
    sizes: Option<SizeOf<M>>,
    traffic: Traffic,
    now: Time,
    /// Whether any process has powers.
    has_powers: bool,
    /// Which seat is to take over which node before the next window opens.
    takeovers: VecDeque<(usize, NodeId)>,
    /// What the parcels under way are about.
    errand: Errand,
}

/// The length of a message on the wire in bytes.
/// Measures messages in bytes, in place of [`Message::size`].
pub(crate) type SizeOf<M> = Rc<dyn Fn(&M) -> u64>;

/// What the router wants next.
pub(crate) enum Next {
    /// Parcels are to be fetched with [`Router::take_parcel`] and brought back.
    Deliver,
    /// The run is over.
    End(Ending),
}

impl<M: Message, E: Event> Router<M, E> {
    pub(crate) fn new(
        model: NetworkModel,
        run: Key,
        seat_of: Vec<usize>,
        RouterOptions { powers, time_limit, log_messages, keep_causes }: RouterOptions,
        sizes: Option<SizeOf<M>>,
        observer: Box<dyn Observer<M, E>>,
    ) -> Self {
        let new_seat = |(seat, powers): (usize, &Powers)| {
            let (until, errand) = (Time::START, Errand::Live);
            let outbox = Outbox::with_powers(log_messages, *powers);
            let parcel = Parcel { seat, errand, until, arrivals: Vec::new(), outbox, wake_at: None, fault: None };
            Seat { arrivals: Vec::new(), parcel: Some(Box::new(parcel)), wake_at: None }
        };
        let seats = if keep_causes { powers.len() } else { 0 };
        let lookahead = model.lookahead();
        Router {
            queue: TransitQueue::new(lookahead, model.typical_longest()),
            due: Vec::new(),
            links: Links::new(model, seat_of.len(), run, time_limit),
            letters: Vec::new(),
            free: Vec::new(),
            under_way: 0,
            sequence: vec![0; seat_of.len()],
            seat_of,
            seats: powers.iter().enumerate().map(new_seat).collect(),
            wakes: BTreeSet::new(),
            lookahead,
            time_limit,
            stop_after: time_limit,
            at_work: Vec::new(),
            records: Vec::new(),
            observer,
            log_messages,
            ledgers: (0..seats).map(|seat| Some(Box::new(Ledger::new(seat)))).collect(),
            origins: Vec::new(),
            tolls: BTreeMap::new(),
            sizes,
            traffic: Traffic::default(),
            now: Time::START,
            has_powers: powers.iter().any(|&powers| powers != Powers::NONE),
            takeovers: VecDeque::new(),
            errand: Errand::Live,
        }
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The end of the last window, or the time of the last thing that happened if the run is over.
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// The nodes that a seat plays.
    pub(crate) fn nodes_at(&self, seat: usize) -> impl Iterator<Item = NodeId> {
        self.seat_of.iter().enumerate().filter(move |&(_, &other)| other == seat).map(|(node, _)| NodeId::new(node))
    }

    /// The seats whose parcels are to be delivered.
    pub(crate) fn at_work(&self) -> &[usize] {
        &self.at_work
    }

    /// The parcel for a seat, with its arrivals of this window.
    pub(crate) fn take_parcel(&mut self, seat: usize) -> Option<Box<Parcel<M, E>>> {
        let Seat { arrivals, parcel, .. } = &mut self.seats[seat];
        let mut parcel = parcel.take()?;
        sort_nearly_sorted(arrivals);
        std::mem::swap(&mut parcel.arrivals, arrivals);
        parcel.until = self.now;
        parcel.errand = self.errand;
        if let Some(ledger) = self.ledgers.get_mut(seat) {
            parcel.outbox.ledger = ledger.take();
        }
        Some(parcel)
    }

    /// When a process next wants to be woken. The end of time never comes.
    pub(crate) fn set_wake(&mut self, seat: usize, wake_at: Option<Time>) {
        let wake_at = wake_at.filter(|&time| time < Time::END);
        let seat_state = &mut self.seats[seat];
        if seat_state.wake_at == wake_at {
            return;
        }
        if let Some(old) = seat_state.wake_at {
            self.wakes.remove(&(old, seat));
        }
        if let Some(new) = wake_at {
            self.wakes.insert((new, seat));
        }
        seat_state.wake_at = wake_at;
    }

    /// What comes next: the parcels for a node that changes hands, or those of the next window.
    pub(crate) fn go_on(&mut self) -> Next {
        if self.has_powers && self.next_errand() {
            return Next::Deliver;
        }
        let next = self.open_window();
        // What was reported since the last window belongs to one that will not come.
        if matches!(next, Next::End(_)) && self.observe().is_break() {
            return Next::End(Ending::Stopped);
        }
        next
    }

    /// The next step of the takeovers at the end of this window. False if there is none.
    fn next_errand(&mut self) -> bool {
        let is_over = self.now > self.stop_after;
        let Some(&(taker, node)) = self.takeovers.front().filter(|_| !is_over) else {
            self.takeovers.clear();
            self.errand = Errand::Live;
            return false;
        };
        self.at_work.clear();
        if let Errand::Surrender(_) = self.errand {
            self.errand = Errand::TakeOver(node);
            self.at_work.push(taker);
            return true;
        }
        let nodes = self.seat_of.len();
        assert!(
            node.index() < nodes,
            "the process at seat {taker} takes over node {node}, but there are only {nodes} nodes"
        );
        let owner = self.seat_of[node.index()];
        assert!(owner != taker, "the process at seat {taker} takes over node {node}, which it plays already");
        self.errand = Errand::Surrender(node);
        self.at_work.push(owner);
        true
    }

    /// Opens the next window.
    fn open_window(&mut self) -> Next {
        let wake = self.wakes.first().map(|&(time, _)| time);
        let start = match (self.queue.earliest(), wake) {
            (Some(arrival), Some(wake)) => arrival.min(wake),
            (Some(time), None) | (None, Some(time)) => time,
            (None, None) => return Next::End(Ending::Quiet),
        };
        if start > self.stop_after {
            self.now = self.stop_after;
            let stopped = self.stop_after < self.time_limit;
            return Next::End(if stopped { Ending::Stopped } else { Ending::TimeLimit });
        }
        if start == Time::END {
            return Next::End(Ending::TimeLimit);
        }
        // What happens at the limit itself still counts.
        let mut until = (start + self.lookahead).min(self.stop_after + Span::NANOSECOND);
        let enough = ARRIVALS_A_SEAT * self.seats.len();
        if self.under_way > enough {
            until = self.queue.bounded_window(until, enough);
        }
        self.now = until;
        self.at_work.clear();
        self.collect_arrivals(until);
        while let Some(&(time, seat)) = self.wakes.first() {
            if time >= until {
                break;
            }
            self.wakes.pop_first();
            self.seats[seat].wake_at = None;
            if self.seats[seat].arrivals.is_empty() {
                self.at_work.push(seat);
            }
        }
        // In the order of seats, whatever came first.
        self.at_work.sort_unstable();
        Next::Deliver
    }

    /// Puts the arrivals before `until` into the seats they are for.
    fn collect_arrivals(&mut self, until: Time) {
        let Router { queue, due, letters, free, seats, seat_of, at_work, under_way, .. } = self;
        let Router { ledgers, origins, tolls, .. } = self;
        let keeps_causes = !ledgers.is_empty();
        queue.take_before(until, due);
        *under_way -= due.len();
        for Transit { time, rank, copy } in due.drain(..) {
            let letter = &mut letters[copy.letter() as usize];
            letter.copies -= 1;
            if letter.copies == 0 {
                free.push(copy.letter());
            }
            let seat = seat_of[rank.to().index()];
            let arrivals = &mut seats[seat].arrivals;
            if arrivals.is_empty() {
                at_work.push(seat);
            }
            let (place, copy) = (copy.letter() as usize, copy.number());
            let mut journey = JourneyId::default();
            if keeps_causes && let Some(ledger) = &mut ledgers[seat] {
                let toll = tolls.remove(&(rank, copy)).unwrap_or_default();
                journey = ledger.keep(Journey::new(rank.from(), letter.message.clone(), origins[place], toll, time));
            }
            arrivals.push(Arrival { time, rank, copy, journey, message: letter.message.clone() });
        }
    }

    /// Takes the parcels back. Everything in them takes effect, and the answer says whether the run goes on.
    pub(crate) fn take_back(&mut self, parcels: &mut Parcels<M, E>) -> ControlFlow<()> {
        while let Some(parcel) = parcels.pop() {
            let seat = parcel.seat;
            self.seats[seat].parcel = Some(parcel);
        }
        if let Errand::TakeOver(node) = self.errand {
            self.seat_of[node.index()] = self.at_work[0];
            self.takeovers.pop_front();
        }
        if self.has_powers {
            self.apply_acts();
        }
        self.dispatch_all();
        // What happens at the end of the window is seen with the next one, for that begins there.
        if self.errand == Errand::Live { self.observe() } else { ControlFlow::Continue(()) }
    }

    /// Rules count at once, takeovers when the window is over.
    fn apply_acts(&mut self) {
        let Router { at_work, seats, links, takeovers, .. } = self;
        for &seat in &*at_work {
            let Some(parcel) = &mut seats[seat].parcel else { continue };
            for act in parcel.outbox.acts.drain(..) {
                match act {
                    Act::TakeOver(node) => takeovers.push_back((seat, node)),
                    Act::Impose(name, rule) => links.impose(name, rule),
                    Act::Lift(name) => links.lift(name),
                }
            }
        }
    }

    /// Everything that was sent goes on the network.
    fn dispatch_all(&mut self) {
        let at_work = std::mem::take(&mut self.at_work);
        for &seat in &at_work {
            let Some(mut parcel) = self.seats[seat].parcel.take() else { continue };
            self.set_wake(seat, parcel.wake_at);
            self.records.append(&mut parcel.outbox.records);
            if let Some(ledger) = self.ledgers.get_mut(seat) {
                *ledger = parcel.outbox.ledger.take();
            }
            for sending in parcel.outbox.sends.drain(..) {
                assert!(
                    self.seat_of[sending.from.index()] == seat,
                    "the process at seat {seat} sent in the name of node {}, which it does not play",
                    sending.from
                );
                self.dispatch(sending);
            }
            self.seats[seat].parcel = Some(parcel);
        }
        self.at_work = at_work;
    }

    /// Shows the observer what was reported.
    fn observe(&mut self) -> ControlFlow<()> {
        if self.records.is_empty() {
            return ControlFlow::Continue(());
        }
        // Stable: what one node reports for one instant stays in its order.
        self.records.sort_by_key(|record| (record.time, record.node));
        let verdict = if self.ledgers.is_empty() {
            self.observer.observe(&self.records)
        } else {
            let verdict = self.observer.observe_causes(&self.records, &Trail(&self.ledgers));
            let since = self.observer.needs_since();
            self.ledgers.iter_mut().flatten().for_each(|ledger| ledger.turn_page(since));
            verdict
        };
        self.records.clear();
        match verdict {
            Verdict::Continue => ControlFlow::Continue(()),
            Verdict::StopAfter(time) => {
                self.stop_after = self.stop_after.min(time);
                ControlFlow::Continue(())
            }
            Verdict::Stop => ControlFlow::Break(()),
        }
    }

    /// Puts a message on the network.
    fn dispatch(&mut self, Sending { time, from, to, message, cause }: Sending<M>) {
        let Router { links, queue, letters, free, sequence, seat_of, traffic, under_way, sizes, .. } = self;
        assert!(to.end() <= seat_of.len(), "node {from} sent to {to:?}, but there are only {} nodes", seat_of.len());
        let letter = free.last().copied().unwrap_or(letters.len() as u32);
        let number = sequence[from.index()];
        sequence[from.index()] = number.checked_add(1).expect("a node sends fewer than 2³² messages");
        let size = sizes.as_ref().map_or_else(|| message.size(), |sizes| sizes(&message));
        let mut copies: u32 = 0;
        let mut sent: u32 = 0;
        let mut departure = links.depart(from, to.end());
        if departure.is_eventful() {
            let label = if departure.is_scripted() { message.label() } else { Label::default() };
            let Router { records, log_messages, ledgers, tolls, now, .. } = self;
            to.for_each(from, |to| {
                sent += 1;
                let Fate { delay, duplicate, toll } = departure.fate(to, time, size, label);
                let rank = Rank::new(from, number, to);
                for (copy, delay) in (0..).zip([delay, duplicate]) {
                    let Some(delay) = delay else { continue };
                    debug_assert!(time + delay >= *now, "a message arrives in the window in which it was sent");
                    queue.push(time + delay, rank, Copy::new(copy, letter));
                    copies += 1;
                    if !ledgers.is_empty() && toll != Toll::default() {
                        tolls.insert((rank, copy), toll);
                    }
                }
                if *log_messages && delay.is_none() {
                    records.push(Record::of(time, from, Happening::Dropped(to, message.clone())));
                }
                if *log_messages && duplicate.is_some() {
                    records.push(Record::of(time, from, Happening::Duplicated(to, message.clone())));
                }
            });
        } else {
            let copy = Copy::new(0, letter);
            let mut post = |to, delay| {
                sent += 1;
                debug_assert!(time + delay >= self.now, "a message arrives in the window in which it was sent");
                queue.push(time + delay, Rank::new(from, number, to), copy);
            };
            // Which delays they are is asked for once.
            match departure.everywhere() {
                Some(latency) => to.for_each(from, |to| post(to, departure.delay_by(latency, to))),
                None => to.for_each(from, |to| post(to, departure.delay(to))),
            }
            copies = sent;
        }
        traffic.messages += u64::from(sent);
        traffic.bytes += u64::from(sent) * size;
        *under_way += copies as usize;
        if copies == 0 {
            return;
        }
        if !self.ledgers.is_empty() {
            self.origins.resize(self.origins.len().max(letter as usize + 1), Origin::default());
            self.origins[letter as usize] = Origin { cause, sent: time };
        }
        let kept = Letter { message, copies };
        if free.pop().is_some() {
            letters[letter as usize] = kept;
        } else {
            letters.push(kept);
        }
    }
}

/// Arrivals come bucket by bucket, so each is only a few places from where it belongs: insertion sort is then linear. Where it
/// is not (everything arrives within one bucket), a general sort takes over.
fn sort_nearly_sorted<M>(arrivals: &mut [Arrival<M>]) {
    let mut budget = 4 * arrivals.len();
    for end in 1..arrivals.len() {
        let mut place = end;
        while place > 0 && arrivals[place - 1].order() > arrivals[place].order() {
            arrivals.swap(place - 1, place);
            place -= 1;
        }
        budget = budget.saturating_sub(end - place);
        if budget == 0 {
            arrivals.sort_unstable_by_key(Arrival::order);
            return;
        }
    }
}
