//! The client of the protocol.

use crate::config::ProtocolConfig;
use crate::digest::Digest;
use crate::message::{Message, Reply, Request, SeqNum, SignedRequest, View};
use crate::signature::{Signed, Signer};
use crate::step::{Effects, Event, Input, Timer};
use byzlab_network::{Key, NodeId, Recipients, Span, Time};
use std::sync::Arc;

/// Where a client sends a request first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SendTo {
    /// To the primary that it believes in.
    Primary,
    /// To all replicas.
    All,
}

/// What a client does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Workload {
    /// How many requests it makes, one after the other.
    pub requests: u64,
    /// Where a request goes first; after each timeout it goes to all.
    pub send_to: SendTo,
    /// How long it waits for a result before it sends a request again.
    pub client_timeout: Span,
    /// How many matching replies of distinct replicas it waits for.
    pub reply_quorum: u16,
    /// How long it waits between a result and the next request.
    pub think_time: Span,
    /// The size of an operation's arguments in bytes.
    pub payload: u32,
    /// How many of a million requests only read, on average.
    pub reads_per_million: u32,
}

/// A client: sends a request, waits for enough matching replies, and goes on (section 4.1 of the paper).
///
/// With the read-only option a request that only reads goes to all replicas, which answer at once; if too few answers match in
/// time, it is ordered like any other (section 4.4, rule 29).
///
/// [`Client::step`] is called as that of a [`crate::Replica`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Client {
    config: Arc<ProtocolConfig>,
    workload: Arc<Workload>,
    signer: Signer,
    /// Names the operations that it draws.
    operations: Key,
    /// The number of its last request.
    timestamp: u64,
    pending: Option<Pending>,
    /// The view that it believes the replicas are in.
    view: View,
}

/// A request that has no result yet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Pending {
    request: SignedRequest,
    /// For each replica that replied, its last answer.
    answers: Vec<Answer>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Answer {
    replica: NodeId,
    view: View,
    result: u64,
    read_at: Option<SeqNum>,
}

impl Client {
    /// A client that has not begun yet. The signer says which one it is; `operations` names what it asks for.
    pub fn new(config: Arc<ProtocolConfig>, workload: Arc<Workload>, signer: Signer, operations: Key) -> Client {
        Client { config, workload, signer, operations, timestamp: 0, pending: None, view: View(0) }
    }

    /// Which client it is.
    pub fn id(&self) -> NodeId {
        self.signer.node()
    }

    /// Reacts to an input at `now`.
    pub fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        match input {
            Input::Start | Input::Timer(Timer::NextRequest) => self.next_request(now, effects),
            Input::Message(from, Message::Reply(reply)) => self.on_reply(now, from, &reply, effects),
            Input::Timer(Timer::Retransmit) => {
                if let Some(pending) = &self.pending {
                    let message = Message::Request(Arc::clone(&pending.request));
                    effects.send(self.all_replicas(), message);
                    effects.set_timer(Timer::Retransmit, now + self.workload.client_timeout);
                }
            }
            // Not a client's business.
            Input::Message(..) | Input::Timer(Timer::Batch | Timer::View | Timer::Status) | Input::Restart { .. } => {}
        }
    }

    fn all_replicas(&self) -> Recipients {
        self.config.other_replicas()
    }

    fn next_request(&mut self, now: Time, effects: &mut Effects) {
        if self.pending.is_some() || self.timestamp == self.workload.requests {
            return;
        }
        self.timestamp += 1;
        let operation = self.operations.child(self.timestamp);
        let request = Arc::new(self.signer.sign(Request {
            client: self.id(),
            timestamp: self.timestamp,
            operation: operation.as_u64(),
            reads: operation.component("reads").chance(f64::from(self.workload.reads_per_million) / 1e6),
            payload: self.workload.payload,
        }));
        effects.event(Event::Request { timestamp: self.timestamp, digest: request.digest() });
        match self.workload.send_to {
            _ if request.reads && self.config.read_only => {
                effects.send(self.all_replicas(), Message::Read(Arc::clone(&request)));
            }
            SendTo::Primary => {
                let primary = self.config.cluster.primary(self.view);
                effects.send(Recipients::One(primary), Message::Request(Arc::clone(&request)));
            }
            SendTo::All => effects.send(self.all_replicas(), Message::Request(Arc::clone(&request))),
        }
        effects.set_timer(Timer::Retransmit, now + self.workload.client_timeout);
        self.pending = Some(Pending { request, answers: Vec::new() });
    }

    fn on_reply(&mut self, now: Time, from: NodeId, reply: &Signed<Reply>, effects: &mut Effects) {
        let Some(pending) = &mut self.pending else { return };
        let acceptable = reply.replica == from
            && self.config.cluster.is_replica(from)
            && reply.client == self.signer.node()
            && reply.timestamp == pending.request.timestamp;
        if !acceptable {
            return;
        }
        // An honest replica may change its mind when it takes back what it executed tentatively: its last word counts.
        pending.answers.retain(|answer| answer.replica != from);
        let Reply { view, result, read_at, .. } = **reply;
        pending.answers.push(Answer { replica: from, view, result, read_at });
        // Tentative results of different views stand for different orders, and a value that was read for the state that had it.
        let same_view = |other: View| !self.config.tentative || other == view;
        let matches = |answer: &&Answer| answer.result == result && answer.read_at == read_at && same_view(answer.view);
        let mut views: Vec<View> = pending.answers.iter().filter(matches).map(|answer| answer.view).collect();
        if views.len() < usize::from(self.workload.reply_quorum) {
            return;
        }
        // At most f of them lie, so an honest replica has been in the (f+1)-th highest view or a later one.
        views.sort_unstable_by(|a, b| b.cmp(a));
        let honest = views.get(usize::from(self.config.cluster.faults())).copied();
        self.view = self.view.max(honest.unwrap_or_default());

        effects.event(Event::Reply {
            timestamp: reply.timestamp,
            digest: pending.request.digest(),
            result: Digest::of([reply.result]),
        });
        self.pending = None;
        effects.clear_timer(Timer::Retransmit);
        if self.timestamp == self.workload.requests {
            return;
        }
        if self.workload.think_time == Span::ZERO {
            self.next_request(now, effects);
        } else {
            effects.set_timer(Timer::NextRequest, now + self.workload.think_time);
        }
    }
}
