//! Nodes, what reaches them and what they send.

use crate::cause::{Cause, JourneyId, Ledger, Reaction, Stimulus};
use crate::powers::{Act, Powers};
use crate::time::{Span, Time};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A replica or a client: an index below the number of nodes of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The most nodes that a run can have.
    pub const MAX_NODES: usize = u16::MAX as usize;

    /// The node with this index.
    ///
    /// # Panics
    /// If `index` is not below [`NodeId::MAX_NODES`].
    pub fn new(index: usize) -> NodeId {
        assert!(index < NodeId::MAX_NODES, "node index {index} is not below {}", NodeId::MAX_NODES);
        NodeId(index as u16)
    }

    /// Its index, for tables.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What nodes send each other. It is copied for each receiver, so keep big contents behind an `Arc`.
pub trait Message: Clone + Send + Unpin + 'static {
    /// Its length on the wire in bytes.
    fn size(&self) -> u64;

    /// What rules of the network can go by. It is asked for only where there are such rules.
    fn label(&self) -> Label {
        Label::default()
    }
}

/// What is written on a message for the network to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// What kind of message it is, as the protocol numbers them.
    pub kind: u8,
    /// Its view or epoch, where it has one.
    pub view: Option<u64>,
    /// Its sequence number, where it has one.
    pub seq: Option<u64>,
}

/// What nodes report of themselves: any plain data.
pub trait Event: Clone + Send + Unpin + 'static {}

impl<T: Clone + Send + Unpin + 'static> Event for T {}

/// A message on its arrival.
///
/// Arrivals are ordered by time, then sender, then the sender's sequence number, then receiver, then copy: a total order.
#[derive(Clone, Debug)]
pub struct Arrival<M> {
    /// When it arrives.
    pub time: Time,
    pub(crate) rank: Rank,
    pub(crate) copy: u8,
    /// Where its way here is kept, in a run that keeps causes.
    pub(crate) journey: JourneyId,
    /// What arrives.
    pub message: M,
}

impl<M> Arrival<M> {
    /// A message that arrives by other means than the router, for tests of a process.
    pub fn direct(time: Time, from: NodeId, to: NodeId, message: M) -> Arrival<M> {
        Arrival { time, rank: Rank::new(from, 0, to), copy: 0, journey: JourneyId::default(), message }
    }

    /// Who sent it. The network vouches for it: channels are authenticated.
    #[inline]
    pub fn from(&self) -> NodeId {
        self.rank.from()
    }

    /// Whom it is for.
    #[inline]
    pub fn to(&self) -> NodeId {
        self.rank.to()
    }

    #[inline]
    pub(crate) fn order(&self) -> (Time, Rank, u8) {
        (self.time, self.rank, self.copy)
    }
}

/// Sender, the sender's sequence number and receiver in one word that sorts in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Rank(u64);

impl Rank {
    #[inline]
    pub(crate) fn new(from: NodeId, sequence: u32, to: NodeId) -> Rank {
        Rank(u64::from(from.0) << 48 | u64::from(sequence) << 16 | u64::from(to.0))
    }

    #[inline]
    pub(crate) fn from(self) -> NodeId {
        NodeId((self.0 >> 48) as u16)
    }

    #[inline]
    pub(crate) fn to(self) -> NodeId {
        NodeId(self.0 as u16)
    }
}

/// For whom a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// One node.
    One(NodeId),
    /// The nodes `0..end` except the sender: all replicas but oneself.
    OthersBelow(NodeId),
    /// These nodes, each once.
    List(Arc<[NodeId]>),
}

impl Recipients {
    /// All recipients' indices are below this.
    pub(crate) fn end(&self) -> usize {
        match self {
            Recipients::One(to) => to.index() + 1,
            Recipients::OthersBelow(end) => end.index(),
            Recipients::List(list) => list.iter().map(|to| to.index() + 1).max().unwrap_or(0),
        }
    }

    /// Calls `visit` for each recipient of a message from `from`, in the order of the list or of the ids.
    #[inline(always)]
    pub fn for_each(&self, from: NodeId, mut visit: impl FnMut(NodeId)) {
        match self {
            Recipients::One(to) => visit(*to),
            Recipients::OthersBelow(end) => (0..end.0).filter(|&to| to != from.0).for_each(|to| visit(NodeId(to))),
            Recipients::List(list) => list.iter().for_each(|&to| visit(to)),
        }
    }
}

/// A message on its way out, to one node or several.
#[derive(Clone, Debug)]
pub struct Sending<M> {
    /// When it leaves.
    pub time: Time,
    /// Who sends it.
    pub from: NodeId,
    /// For whom.
    pub to: Recipients,
    /// What is sent.
    pub message: M,
    /// In which reaction.
    pub(crate) cause: Cause,
}

/// Something that happened at a node.
#[derive(Clone, Debug)]
pub struct Record<M, E> {
    /// When.
    pub time: Time,
    /// Where.
    pub node: NodeId,
    /// What.
    pub what: Happening<M, E>,
    /// In which reaction, in a run that keeps causes.
    pub cause: Cause,
}

impl<M, E> Record<M, E> {
    /// Something of which no cause is known.
    pub(crate) fn of(time: Time, node: NodeId, what: Happening<M, E>) -> Record<M, E> {
        Record { time, node, what, cause: Cause::NONE }
    }
}

/// What happened: an event of the protocol, or one of a message.
#[derive(Clone, Debug)]
pub enum Happening<M, E> {
    /// An event of the protocol itself.
    Event(E),
    /// The node sent a message.
    Sent(Recipients, M),
    /// A message from this node arrived.
    Delivered(NodeId, M),
    /// The copy for this node was lost: by the network, at the time of sending, or because this node was down, at the time of
    /// arrival.
    Dropped(NodeId, M),
    /// The network made a second copy for this node.
    Duplicated(NodeId, M),
}

/// What a process does in a window: messages that it sends and events that it reports, in time order.
#[derive(Debug)]
pub struct Outbox<M, E> {
    pub(crate) sends: Vec<Sending<M>>,
    pub(crate) records: Vec<Record<M, E>>,
    pub(crate) log_messages: bool,
    /// Until when the machine works for what the process did last.
    pub(crate) busy_until: Time,
    pub(crate) ledger: Option<Box<Ledger<M>>>,
    pub(crate) acts: Vec<Act>,
    /// What is left of them.
    powers: Powers,
}

impl<M: Clone, E> Outbox<M, E> {
    /// An empty outbox, for tests of a process: it allows any [`Act`]. With `log_messages` it also records each message.
    pub fn new(log_messages: bool) -> Self {
        Outbox::with_powers(log_messages, Powers::ALL)
    }

    /// The outbox of a process that was granted these powers.
    pub(crate) fn with_powers(log_messages: bool, powers: Powers) -> Self {
        Outbox {
            sends: Vec::new(),
            records: Vec::new(),
            log_messages,
            busy_until: Time::START,
            ledger: None,
            acts: Vec::new(),
            powers,
        }
    }

    /// Sends `message` at `time`: now, or when the work for it is done, where the run models that.
    #[inline(always)]
    pub fn send(&mut self, time: Time, from: NodeId, to: Recipients, message: M) {
        let cause = self.cause();
        self.emit(Sending { time, from, to, message, cause });
    }

    /// Sends and logs.
    #[inline(always)]
    pub(crate) fn emit(&mut self, sending: Sending<M>) {
        if self.log_messages {
            let what = Happening::Sent(sending.to.clone(), sending.message.clone());
            self.records.push(Record { time: sending.time, node: sending.from, what, cause: sending.cause });
        }
        self.sends.push(sending);
    }

    /// Reports an event of the protocol.
    #[inline(always)]
    pub fn event(&mut self, time: Time, node: NodeId, event: E) {
        let cause = self.cause();
        self.records.push(Record { time, node, what: Happening::Event(event), cause });
    }

    /// Acts on the run itself, when the window closes: see [`Act`].
    ///
    /// # Panics
    /// If the process was not granted the power for it, or has used it up. As any panic of a process that ends the run, with a
    /// [`crate::Fault`].
    pub fn act(&mut self, act: Act) {
        self.powers.spend(&act);
        self.acts.push(act);
    }

    /// The machine works until then for what the process is doing, whatever that sends.
    #[inline]
    pub fn busy_until(&mut self, time: Time) {
        self.busy_until = self.busy_until.max(time);
    }

    /// Whether the run keeps causes.
    #[inline]
    pub fn keeps_causes(&self) -> bool {
        self.ledger.is_some()
    }

    /// What the process is reacting to; from now on it is remembered, even if nothing else comes of it. Whoever asks for a wake-up keeps it, and says so when the wake-up comes
    /// ([`Outbox::woken`]).
    #[inline(always)]
    pub fn cause(&mut self) -> Cause {
        self.ledger.as_mut().map_or(Cause::NONE, |ledger| ledger.cause())
    }

    /// From now on the process reacts to a wake-up of a node that it asked for in the reaction `because`.
    #[inline]
    pub fn woken(&mut self, now: Time, node: NodeId, because: Cause) {
        if let Some(ledger) = &mut self.ledger {
            ledger.wake(Some(Reaction { node, at: now, to: Stimulus::Wake(because) }));
        }
    }

    /// Takes what was sent so far, for tests of a process.
    pub fn take_sends(&mut self) -> Vec<Sending<M>> {
        std::mem::take(&mut self.sends)
    }

    /// Takes what was reported so far, for tests of a process.
    pub fn take_records(&mut self) -> Vec<Record<M, E>> {
        std::mem::take(&mut self.records)
    }

    /// Takes what was done to the run so far, for tests of a process.
    pub fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }
}

/// A state machine that plays one node, or several.
///
/// The router calls it in time order: `receive` for each arrival, `wake` when [`Process::next_wake`] is due; at one instant
/// arrivals come first. `now` never goes backwards. A wake-up that is no longer wanted must do nothing.
pub trait Process<M, E> {
    /// Whether it hears what arrives at `now`. A node that is down does not: the arrival is lost, and never reaches `receive`. Wake-ups
    /// come all the same, for how else would it get up again.
    #[inline]
    fn hears(&self, _now: Time) -> bool {
        true
    }

    /// How long a core works to take in a message, before the process receives it. It is asked for once for each message, in a run that
    /// models cores.
    fn work_of(&mut self, _arrival: &Arrival<M>) -> Span {
        Span::ZERO
    }

    /// A message arrives for a node that this process plays.
    fn receive(&mut self, arrival: Arrival<M>, out: &mut Outbox<M, E>);

    /// The time that `next_wake` asked for has come.
    fn wake(&mut self, now: Time, out: &mut Outbox<M, E>);

    /// When it next wants to be woken, whatever arrives.
    fn next_wake(&self) -> Option<Time>;

    /// Gives a node that it plays to another process, at `now`: whatever that needs to go on with it. It plays the node no more, so wake-ups
    /// on its behalf are not for it to ask for any longer. None refuses, and the run ends with a [`crate::Fault`].
    fn surrender(&mut self, _node: NodeId, _now: Time) -> Option<Box<dyn Any>> {
        None
    }

    /// Plays a node from now on which another process has given away. Everything before `now` has been lived through; what happens at `now`
    /// itself has not.
    fn take_over(&mut self, _node: NodeId, _what: Box<dyn Any>, _now: Time, _out: &mut Outbox<M, E>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(to: &Recipients, from: u16) -> Vec<u16> {
        let mut seen = Vec::new();
        to.for_each(NodeId(from), |node| seen.push(node.0));
        seen
    }

    #[test]
    fn others_leaves_out_the_sender_alone() {
        let others = Recipients::OthersBelow(NodeId(4));
        assert_eq!(list(&others, 0), [1, 2, 3]);
        assert_eq!(list(&others, 2), [0, 1, 3]);
        assert_eq!(list(&others, 3), [0, 1, 2]);
        assert_eq!(list(&others, 9), [0, 1, 2, 3]);
        assert_eq!(list(&Recipients::OthersBelow(NodeId(1)), 0), [0; 0]);
    }

    #[test]
    fn rank_sorts_by_sender_then_sequence_then_receiver() {
        let rank = |from, sequence, to| Rank::new(NodeId(from), sequence, NodeId(to));
        assert!(rank(1, u32::MAX, 9) < rank(2, 0, 0));
        assert!(rank(1, 1, 9) < rank(1, 2, 0));
        assert!(rank(1, 1, 8) < rank(1, 1, 9));
        assert_eq!((rank(7, 5, 9).from(), rank(7, 5, 9).to()), (NodeId(7), NodeId(9)));
    }
}
