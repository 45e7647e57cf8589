//! The client of the protocol.

use crate::arrivals::Arrivals;
use crate::config::ProtocolConfig;
use crate::defects::Defect;
use crate::digest::Digest;
use crate::message::{Authenticator, Message, Reply, Request, SeqNum, SignedRequest, View};
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

/// When a client's requests come into being.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pace {
    /// In a closed loop: the first at once, each other one after the result of the one before.
    Closed {
        /// So long after it.
        think_time: Span,
    },
    /// In an open loop: whatever has been answered. A replica keeps only the last request of a client, so what comes while another is
    /// under way waits at the client, and its latency counts from when it came.
    Open(Arrivals),
}

/// What a client does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Workload {
    /// How many requests it makes. It sends one after the other.
    pub requests: u64,
    /// When the next comes into being.
    pub pace: Pace,
    /// Where a request goes first; after each timeout it goes to all.
    pub send_to: SendTo,
    /// How long it waits for a result before it sends a request again.
    pub client_timeout: Span,
    /// How many matching replies of distinct replicas it waits for.
    pub reply_quorum: u16,
    /// The size of an operation's arguments in bytes.
    pub payload: u32,
    /// How many of a million requests only read, on average.
    pub reads_per_million: u32,
}

/// A client: sends a request, waits for enough matching replies, and goes on (section 4.1 of the paper).
///
/// A request is reported when it comes into being, which in an open loop may be long before its turn to be sent comes.
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
    /// The number of its last request that came into being,
    timestamp: u64,
    /// and of the last one that it sent.
    sent: u64,
    /// When the next one comes into being, in an open loop.
    next_arrival: Option<Time>,
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
    tentative: bool,
    read_at: Option<SeqNum>,
}

impl Client {
    /// A client that has not begun yet. The signer says which one it is; `operations` names what it asks for.
    pub fn new(config: Arc<ProtocolConfig>, workload: Arc<Workload>, signer: Signer, operations: Key) -> Client {
        Client {
            config,
            workload,
            signer,
            operations,
            timestamp: 0,
            sent: 0,
            next_arrival: None,
            pending: None,
            view: View(0),
        }
    }

    /// Which client it is.
    pub fn id(&self) -> NodeId {
        self.signer.node()
    }

    /// Its signer, for whoever takes it over.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Reacts to an input at `now`.
    pub fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        match input {
            Input::Start => match self.workload.pace {
                Pace::Closed { .. } => self.next_request(now, effects),
                Pace::Open(arrivals) => self.await_arrival(self.arrival_after(Time::START, arrivals), effects),
            },
            Input::Timer(Timer::NextRequest) => match self.workload.pace {
                Pace::Closed { .. } => self.next_request(now, effects),
                Pace::Open(arrivals) => self.take_arrivals(now, arrivals, effects),
            },
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

    /// In a closed loop: makes a request, and sends it.
    fn next_request(&mut self, now: Time, effects: &mut Effects) {
        if self.pending.is_some() || self.timestamp == self.workload.requests {
            return;
        }
        let request = self.issue(effects);
        self.send(now, request, effects);
    }

    /// In an open loop: when the request after one at `last` comes into being, if there is to be one.
    fn arrival_after(&self, last: Time, arrivals: Arrivals) -> Option<Time> {
        let is_left = self.timestamp < self.workload.requests;
        is_left.then(|| arrivals.next(self.operations.component("arrivals"), self.timestamp + 1, last))
    }

    fn await_arrival(&mut self, at: Option<Time>, effects: &mut Effects) {
        self.next_arrival = at;
        if let Some(at) = at {
            effects.set_timer(Timer::NextRequest, at);
        }
    }

    /// In an open loop: all that has come into being by now is reported, and the first that waits is sent.
    fn take_arrivals(&mut self, now: Time, arrivals: Arrivals, effects: &mut Effects) {
        let mut next = self.next_arrival;
        while let Some(at) = next.filter(|&at| at <= now) {
            self.issue(effects);
            next = self.arrival_after(at, arrivals);
        }
        if next != self.next_arrival {
            self.await_arrival(next, effects);
            self.send_waiting(now, effects);
        }
    }

    /// Sends the first request that waits, unless another is under way.
    fn send_waiting(&mut self, now: Time, effects: &mut Effects) {
        if self.pending.is_none() && self.sent < self.timestamp {
            let request = self.request(self.sent + 1);
            self.send(now, request, effects);
        }
    }

    /// The request with this number: always the same, so that those that wait need not be kept.
    fn request(&self, timestamp: u64) -> SignedRequest {
        let operation = self.operations.child(timestamp);
        Arc::new(self.signer.sign(Request {
            client: self.id(),
            timestamp,
            operation: operation.as_u64(),
            reads: operation.component("reads").chance(f64::from(self.workload.reads_per_million) / 1e6),
            authenticator: Authenticator::All,
            payload: self.workload.payload,
        }))
    }

    /// A request comes into being.
    fn issue(&mut self, effects: &mut Effects) -> SignedRequest {
        self.timestamp += 1;
        let request = self.request(self.timestamp);
        effects.event(Event::Request { timestamp: self.timestamp, digest: request.digest() });
        request
    }

    fn send(&mut self, now: Time, request: SignedRequest, effects: &mut Effects) {
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
        self.sent = request.timestamp;
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
        let Reply { view, result, tentative, read_at, .. } = **reply;
        pending.answers.push(Answer { replica: from, view, result, tentative, read_at });
        // A value that was read stands for the state that had it, and tentative results of different views for different orders; a
        // final result is final in every view.
        let alike = |answer: &&Answer| answer.result == result && answer.read_at == read_at;
        let alike: Vec<&Answer> = pending.answers.iter().filter(alike).collect();
        let counting = |view: View| alike.iter().filter(move |answer| !answer.tentative || answer.view == view);
        let most = alike.iter().map(|answer| counting(answer.view).count()).max();
        let trusts_few = self.config.read_only && self.config.defects.has(Defect::WeakReadQuorum);
        let needed = if trusts_few { self.config.cluster.weak_quorum() } else { self.workload.reply_quorum };
        if most < Some(usize::from(needed)) {
            return;
        }
        let mut views: Vec<View> = alike.iter().map(|answer| answer.view).collect();
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
        match self.workload.pace {
            Pace::Open(_) => self.send_waiting(now, effects),
            Pace::Closed { .. } if self.timestamp == self.workload.requests => {}
            Pace::Closed { think_time: Span::ZERO } => self.next_request(now, effects),
            Pace::Closed { think_time } => effects.set_timer(Timer::NextRequest, now + think_time),
        }
    }
}
