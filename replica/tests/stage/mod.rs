//! A stage for whole clusters: the state machines, a network with one constant delay, and exact timers.
//!
//! What happens is what the tests say: messages are lost where [`Stage::lose`] says so, nodes that are [`Stage::silence`]d are
//! nobody's, and in their name a test sends whatever it likes with [`Stage::inject`].

#![allow(dead_code, reason = "each test file uses its part of the stage")]

use byzlab_network::{Key, NodeId, Span, Time};
use byzlab_replica::{
    Authenticator, Batch, Certificate, Client, Cluster, Defect, Defects, Digest, Effects, Event, Input, Message,
    MessageKind, Pace, PrePrepare, Prepared, ProtocolConfig, Replica, Request, SendTo, SeqNum, Signed, SignedRequest,
    Signer, Slot, Timer, View, ViewChange, VoteKind, Votes, Workload,
};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

/// The delay of each message.
pub(crate) const DELAY: Span = Span::from_millis(10);
/// T: both timeouts of replicas.
pub(crate) const TIMEOUT: Span = Span::from_millis(500);

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    pub(crate) at: Time,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) message: Message,
}

impl Passage {
    pub(crate) fn is(&self, kind: MessageKind) -> bool {
        self.message.kind() == kind
    }
}

/// A cluster with its clients.
pub(crate) struct Stage {
    pub(crate) config: Arc<ProtocolConfig>,
    pub(crate) signers: Vec<Signer>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) clients: Vec<Client>,
    /// Everything that was sent, lost messages included.
    pub(crate) sent: Vec<Passage>,
    /// Everything that happened.
    pub(crate) events: Vec<(Time, NodeId, Event)>,
    pub(crate) now: Time,
    lost: Box<dyn FnMut(&Passage) -> bool>,
    silent: BTreeSet<NodeId>,
    /// By arrival and order of sending.
    queue: BTreeMap<(Time, usize), Passage>,
    timers: BTreeSet<(Time, NodeId, Timer)>,
    due: BTreeMap<(NodeId, Timer), Time>,
}

impl Stage {
    /// `replicas` replicas and two clients that do nothing by themselves.
    pub(crate) fn new(replicas: u16) -> Stage {
        Stage::with(replicas, |_| {})
    }

    /// The same with another configuration. The default one has K = 10 and L = 20.
    pub(crate) fn with(replicas: u16, change: impl FnOnce(&mut ProtocolConfig)) -> Stage {
        let mut config = ProtocolConfig::new(Cluster::new(replicas, None).unwrap(), 2);
        config.checkpoint_interval = NonZeroU64::new(10).unwrap();
        config.log_window = NonZeroU64::new(20).unwrap();
        config.max_in_flight = NonZeroU64::new(20).unwrap();
        (config.request_timeout, config.view_change_timeout) = (TIMEOUT, TIMEOUT);
        change(&mut config);
        let config = Arc::new(config);
        let signers: Vec<Signer> = Signer::deal(usize::from(replicas) + 2).collect();
        let replica = |signer: &Signer| Replica::new(Arc::clone(&config), signer.clone());
        Stage {
            replicas: signers[..usize::from(replicas)].iter().map(replica).collect(),
            clients: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            now: Time::START,
            lost: Box::new(|_| false),
            silent: BTreeSet::new(),
            queue: BTreeMap::new(),
            timers: BTreeSet::new(),
            due: BTreeMap::new(),
            config,
            signers,
        }
    }

    // What a test arranges.

    /// Seats a client that makes so many requests, one after the other, and lets it begin.
    pub(crate) fn begin_client(&mut self, requests: u64, change: impl FnOnce(&mut Workload)) {
        let mut workload = Workload {
            requests,
            send_to: SendTo::Primary,
            client_timeout: Span::from_millis(1000),
            reply_quorum: self.config.cluster.weak_quorum(),
            pace: Pace::Closed { think_time: Span::ZERO },
            payload: 0,
            reads_per_million: 0,
        };
        change(&mut workload);
        let signer = self.signers[self.replicas.len() + self.clients.len()].clone();
        let client = Client::new(Arc::clone(&self.config), Arc::new(workload), signer, Key::root(1));
        let node = client.id();
        self.clients.push(client);
        self.step(node, Input::Start);
    }

    /// From now on, loses the messages that `lost` picks at the moment they are sent.
    pub(crate) fn lose(&mut self, lost: impl FnMut(&Passage) -> bool + 'static) {
        self.lost = Box::new(lost);
    }

    /// From now on, loses nothing.
    pub(crate) fn heal(&mut self) {
        self.lose(|_| false);
    }

    /// Takes a node off the stage: it neither hears nor does anything any more.
    pub(crate) fn silence(&mut self, node: usize) {
        self.silent.insert(NodeId::new(node));
    }

    /// Puts a silenced node back, without its timers: with what it keeps on stable storage, or without.
    pub(crate) fn restart(&mut self, node: usize, durable: bool) {
        let node = NodeId::new(node);
        self.silent.remove(&node);
        let set: Vec<_> = self.due.keys().filter(|(other, _)| *other == node).copied().collect();
        for (node, timer) in set {
            self.set_timer(node, timer, None);
        }
        self.step(node, Input::Restart { durable });
    }

    /// Sends a message in the name of a node.
    pub(crate) fn inject(&mut self, from: usize, to: usize, message: Message) {
        let passage = Passage { at: self.now, from: NodeId::new(from), to: NodeId::new(to), message };
        self.dispatch(passage);
    }

    /// Sends a message in the name of a node to all other replicas.
    pub(crate) fn inject_to_all(&mut self, from: usize, message: &Message) {
        let others = (0..self.replicas.len()).filter(|&to| to != from);
        others.for_each(|to| self.inject(from, to, message.clone()));
    }

    /// Hands a message to a replica at once, and gives what it does about it. That goes its way too.
    pub(crate) fn deliver(&mut self, from: usize, to: usize, message: Message) -> Effects {
        self.step(NodeId::new(to), Input::Message(NodeId::new(from), message))
    }

    // What nodes say.

    /// The node of a client.
    pub(crate) fn client(&self, client: usize) -> usize {
        self.replicas.len() + client
    }

    /// A request of a client.
    pub(crate) fn request(&self, client: usize, timestamp: u64) -> SignedRequest {
        let signer = &self.signers[self.client(client)];
        Arc::new(signer.sign(Request {
            client: signer.node(),
            timestamp,
            operation: 1,
            reads: false,
            authenticator: Authenticator::All,
            payload: 0,
        }))
    }

    /// Sends a request of a client to all replicas.
    pub(crate) fn ask(&mut self, client: usize, timestamp: u64) {
        let request = Message::Request(self.request(client, timestamp));
        self.inject_to_all(self.client(client), &request);
    }

    /// Sends a request of a client to one replica.
    pub(crate) fn ask_one(&mut self, client: usize, timestamp: u64, to: usize) {
        let request = Message::Request(self.request(client, timestamp));
        self.inject(self.client(client), to, request);
    }

    /// A batch with one request of the first client.
    pub(crate) fn batch(&self, timestamp: u64, nonce: u64) -> Arc<Batch> {
        Arc::new(Batch::new(vec![self.request(0, timestamp)], nonce))
    }

    /// A proposal.
    pub(crate) fn proposal(&self, from: usize, view: u32, seq: u64, batch: &Arc<Batch>) -> Message {
        let signer = &self.signers[from];
        Message::PrePrepare(Arc::new(PrePrepare::new(signer, View(view), SeqNum(seq), Arc::clone(batch))))
    }

    /// A vote.
    pub(crate) fn vote(&self, kind: VoteKind, from: usize, view: u32, seq: u64, digest: Digest) -> Message {
        Message::Vote(self.signers[from].vote(kind, View(view), SeqNum(seq), digest))
    }

    /// A VIEW-CHANGE without checkpoint and certificates.
    pub(crate) fn empty_change(&self, from: usize, view: u32) -> Arc<Signed<ViewChange>> {
        let replica = NodeId::new(from);
        let (stable, checkpoint, prepared) = (SeqNum(0), None, Vec::new());
        Arc::new(self.signers[from].sign(ViewChange { view: View(view), stable, checkpoint, prepared, replica }))
    }

    /// A VIEW-CHANGE with these certificates and nothing stable.
    pub(crate) fn change(&self, from: usize, view: u32, prepared: Vec<Prepared>) -> Arc<Signed<ViewChange>> {
        let ViewChange { view, stable, checkpoint, replica, .. } = ViewChange::clone(&self.empty_change(from, view));
        Arc::new(self.signers[from].sign(ViewChange { view, stable, checkpoint, prepared, replica }))
    }

    /// A prepared certificate: a PRE-PREPARE of `primary`, and PREPAREs of `backups`.
    pub(crate) fn prepared(&self, primary: usize, backups: &[usize], slot: Slot) -> Prepared {
        let Slot { view, seq, digest } = slot;
        let pre_prepare = self.signers[primary].vote(VoteKind::PrePrepare, view, seq, digest);
        Prepared { pre_prepare, prepares: self.certificate(VoteKind::Prepare, backups, slot) }
    }

    /// Votes of some nodes for the same.
    pub(crate) fn certificate(&self, kind: VoteKind, voters: &[usize], slot: Slot) -> Certificate {
        let mut tally = Votes::default();
        for &voter in voters {
            tally.insert(&self.signers[voter].vote(kind, slot.view, slot.seq, slot.digest));
        }
        tally.certificate(slot.digest)
    }

    // Time passes.

    /// Lets everything happen up to this instant, and at it.
    pub(crate) fn run_until(&mut self, end: Time) {
        while self.happen_next(end) {}
        self.now = end;
    }

    /// Lets everything happen for so long.
    pub(crate) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    /// Lets everything happen until nothing is left to happen; a minute at most.
    pub(crate) fn run(&mut self) {
        let end = self.now + Span::from_millis(60_000);
        while self.happen_next(end) {}
    }

    /// At one instant messages arrive before timers run out.
    fn happen_next(&mut self, end: Time) -> bool {
        let arrival = self.queue.keys().next().map(|&(at, _)| at);
        let timer = self.timers.first().copied();
        match (arrival, timer) {
            (Some(at), other) if at <= end && other.is_none_or(|(then, ..)| at <= then) => {
                let Some((_, passage)) = self.queue.pop_first() else { return false };
                self.now = at;
                self.step(passage.to, Input::Message(passage.from, passage.message));
            }
            (_, Some((at, node, timer))) if at <= end => {
                self.now = at;
                self.set_timer(node, timer, None);
                self.step(node, Input::Timer(timer));
            }
            _ => return false,
        }
        true
    }

    fn set_timer(&mut self, node: NodeId, timer: Timer, at: Option<Time>) {
        if let Some(before) = self.due.remove(&(node, timer)) {
            self.timers.remove(&(before, node, timer));
        }
        if let Some(at) = at {
            self.due.insert((node, timer), at);
            self.timers.insert((at, node, timer));
        }
    }

    fn dispatch(&mut self, passage: Passage) {
        let place = (self.now + DELAY, self.sent.len());
        self.sent.push(passage.clone());
        if !(self.lost)(&passage) {
            self.queue.insert(place, passage);
        }
    }

    fn step(&mut self, node: NodeId, input: Input) -> Effects {
        let mut effects = Effects::default();
        if self.silent.contains(&node) {
            return effects;
        }
        match node.index().checked_sub(self.replicas.len()) {
            None => self.replicas[node.index()].step(self.now, input, &mut effects),
            // A client that a test plays itself.
            Some(client) if client >= self.clients.len() => {}
            Some(client) => self.clients[client].step(self.now, input, &mut effects),
        }
        for (to, message) in &effects.sends {
            let mut all = Vec::new();
            to.for_each(node, |to| all.push(to));
            for to in all {
                self.dispatch(Passage { at: self.now, from: node, to, message: message.clone() });
            }
        }
        effects.timers.iter().for_each(|&(timer, at)| self.set_timer(node, timer, at));
        self.events.extend(effects.events.iter().map(|&event| (self.now, node, event)));
        effects
    }

    // What can be seen.

    /// When a replica's timer is due.
    pub(crate) fn due(&self, replica: usize, timer: Timer) -> Option<Time> {
        self.due.get(&(NodeId::new(replica), timer)).copied()
    }

    /// How many messages of a kind replicas and clients have sent.
    pub(crate) fn count(&self, kind: MessageKind) -> usize {
        self.sent.iter().filter(|passage| passage.is(kind)).count()
    }

    /// The messages of a kind that a node has sent.
    pub(crate) fn sent_by(&self, node: usize, kind: MessageKind) -> Vec<&Passage> {
        self.sent.iter().filter(|passage| passage.from == NodeId::new(node) && passage.is(kind)).collect()
    }

    /// The instants of the events that `pick` picks, with their node.
    pub(crate) fn instants<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<(Time, usize, T)> {
        self.events.iter().filter_map(|(at, node, event)| Some((*at, node.index(), pick(event)?))).collect()
    }

    /// When and where batches were executed.
    pub(crate) fn executions(&self) -> Vec<(Time, usize, Slot)> {
        self.instants(|event| if let Event::Executed { slot, .. } = event { Some(*slot) } else { None })
    }

    /// When and where batches were committed.
    pub(crate) fn commits(&self) -> Vec<(Time, usize, Slot)> {
        self.instants(|event| if let Event::Committed(slot) = event { Some(*slot) } else { None })
    }

    /// Whether two batches were committed at one number, which rule 7 forbids whatever the views.
    pub(crate) fn disagrees(&self) -> bool {
        let mut first = BTreeMap::new();
        self.commits().into_iter().any(|(.., slot)| *first.entry(slot.seq).or_insert(slot.digest) != slot.digest)
    }

    /// When clients accepted results.
    pub(crate) fn accepted(&self) -> Vec<Time> {
        let replies = self.instants(|event| matches!(event, Event::Reply { .. }).then_some(()));
        replies.into_iter().map(|(at, ..)| at).collect()
    }

    /// When replicas ran out of patience, in which view.
    pub(crate) fn timeouts(&self) -> Vec<(Time, usize, View)> {
        self.instants(|event| if let Event::Timeout(view) = event { Some(*view) } else { None })
    }

    /// When replicas entered views.
    pub(crate) fn entries(&self) -> Vec<(Time, usize, View)> {
        self.instants(|event| if let Event::NewView { view, .. } = event { Some(*view) } else { None })
    }

    /// The digests of the states of some replicas; the same if all is well.
    pub(crate) fn states(&self, replicas: &[usize]) -> BTreeSet<(SeqNum, Digest)> {
        replicas.iter().map(|&id| (self.replicas[id].last_executed(), self.replicas[id].state_digest())).collect()
    }
}

/// What a script shows of a defect: that something goes wrong with it which does not without it.
pub(crate) fn shows(defect: Defect, goes_wrong: impl Fn(Defects) -> bool) {
    assert!(!goes_wrong(Defects::default()), "all is well without {defect}");
    assert!(goes_wrong(Defects::plant(defect)), "{defect} does no harm");
}

/// A digest at its place.
pub(crate) fn slot(view: u32, seq: u64, digest: Digest) -> Slot {
    Slot { view: View(view), seq: SeqNum(seq), digest }
}

/// So many milliseconds after the start.
pub(crate) fn ms(millis: u64) -> Time {
    Time::START + Span::from_millis(millis)
}

/// The kinds of the messages that a step sends, and how often.
pub(crate) fn kinds(effects: &Effects) -> Vec<MessageKind> {
    effects.sends.iter().map(|(_, message)| message.kind()).collect()
}

/// A span some times over.
pub(crate) fn times(span: Span, factor: u64) -> Span {
    Span::from_nanos(span.as_nanos() * factor)
}
