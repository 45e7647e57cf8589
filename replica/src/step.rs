//! What goes into a state machine of the protocol, and what comes out.

use crate::digest::Digest;
use crate::message::{Message, SeqNum, View};
use byzlab_network::{NodeId, Recipients, Time};

/// What a state machine reacts to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// The run begins.
    Start,
    /// A message from a node, which the network vouches for.
    Message(NodeId, Message),
    /// A timer ran out. One that is not set any more must do nothing.
    Timer(Timer),
    /// The node is back after a crash, without its timers.
    Restart {
        /// Whether it has what it keeps on stable storage.
        durable: bool,
    },
}

/// The timers of replicas and clients. Each node has at most one of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// A primary closes its batch.
    Batch,
    /// A client sends its request again.
    Retransmit,
    /// A client's next request comes into being.
    NextRequest,
    /// A replica has waited long enough for a request, or for a new view.
    View,
    /// A replica says what it lacks.
    Status,
}

impl Timer {
    /// All of them, by their index.
    pub const ALL: [Timer; 5] = [Timer::Batch, Timer::Retransmit, Timer::NextRequest, Timer::View, Timer::Status];
}

/// What a step does to the world: the caller logs the events, sends the messages and sets the timers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Messages to be sent.
    pub sends: Vec<(Recipients, Message)>,
    /// Timers to be set to an instant, or switched off.
    pub timers: Vec<(Timer, Option<Time>)>,
    /// What happened.
    pub events: Vec<Event>,
    /// How many requests the service executed or read: what costs time, where processing does.
    pub executed: u32,
}

impl Effects {
    /// Whether nothing is to be done.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.sends.is_empty() && self.timers.is_empty() && self.events.is_empty()
    }

    pub(crate) fn send(&mut self, to: Recipients, message: Message) {
        self.sends.push((to, message));
    }

    pub(crate) fn set_timer(&mut self, timer: Timer, at: Time) {
        self.timers.push((timer, Some(at)));
    }

    pub(crate) fn clear_timer(&mut self, timer: Timer) {
        self.timers.push((timer, None));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// Something that happened at a replica or a client and that logs, oracles and fingerprints are made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A client's request came into being. In a closed loop it is sent at once, in an open one when its turn comes.
    Request {
        /// Its number.
        timestamp: u64,
        /// Its digest.
        digest: Digest,
    },
    /// A client accepted a result.
    Reply {
        /// The request's number.
        timestamp: u64,
        /// The request's digest.
        digest: Digest,
        /// The digest of the result.
        result: Digest,
    },
    /// A pre-prepare left its primary.
    Propose(Slot),
    /// Comes after `Propose`, once for each request of the batch.
    Ordered {
        /// View of the proposal.
        view: View,
        /// Its sequence number.
        seq: SeqNum,
        /// The request's digest.
        request: Digest,
        /// Whose request it is.
        client: NodeId,
    },
    /// A replica accepted a pre-prepare.
    PrePrepared(Slot),
    /// A replica is prepared.
    Prepared(Slot),
    /// A replica is committed-local.
    Committed(Slot),
    /// A replica executed a batch.
    Executed {
        /// What it executed.
        slot: Slot,
        /// The digest of its state afterwards.
        state: Digest,
    },
    /// A replica sent a checkpoint.
    Checkpoint {
        /// After which batch.
        seq: SeqNum,
        /// The state's digest.
        state: Digest,
    },
    /// A checkpoint became stable at a replica.
    Stable {
        /// After which batch.
        seq: SeqNum,
        /// The state's digest.
        state: Digest,
    },
    /// A replica took a tentative execution back.
    Rollback(Slot),
    /// A replica answered a request. Not part of the log: there the reply's `send` says it.
    Replied {
        /// Whose request.
        client: NodeId,
        /// Its number.
        timestamp: u64,
        /// The digest of the result.
        result: Digest,
    },
    /// A replica has waited too long in this view.
    Timeout(View),
    /// A replica starts to change to this view, or joins others who do.
    ViewChange(View),
    /// A replica enters a view.
    NewView {
        /// Which.
        view: View,
        /// The digest of O.
        order: Digest,
    },
    /// A replica took over a state from another.
    StateTransfer {
        /// After which batch.
        seq: SeqNum,
        /// The state's digest.
        state: Digest,
    },
    /// The node crashed.
    Crash,
    /// The node came back, with what it keeps on stable storage or without.
    Restart {
        /// With.
        durable: bool,
    },
}

/// A digest at its place in the order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot {
    /// The view.
    pub view: View,
    /// The sequence number.
    pub seq: SeqNum,
    /// The batch's digest.
    pub digest: Digest,
}
