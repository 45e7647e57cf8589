//! A controller for some of seven replicas, message by message.

// Each test file needs a part of it.
#![allow(dead_code)]

use byzlab_adversary::{AttackConfig, Controller, Event};
use byzlab_network::{Arrival, Happening, Key, NodeId, Outbox, Process, Recipients, Span, Time};
use byzlab_replica::{
    Authenticator, Batch, Client, Cluster, Digest, Event as ProtocolEvent, Message, MessageKind, NewView, Pace,
    PrePrepare, Prepared, ProtocolConfig, Replica, Request, SendTo, SeqNum, Signed, SignedRequest, Signer, View,
    ViewChange, VoteKind, Votes, Workload,
};
use std::sync::Arc;

pub(crate) const REPLICAS: u16 = 7;

/// What clients do that are corrupted.
const WORKLOAD: Workload = Workload {
    requests: 1,
    pace: Pace::Closed { think_time: Span::ZERO },
    send_to: SendTo::Primary,
    client_timeout: Span::from_millis(1000),
    reply_quorum: 3,
    payload: 0,
    reads_per_million: 0,
};

pub(crate) fn at(milliseconds: u64) -> Time {
    Time::START + Span::from_millis(milliseconds)
}

/// A controller for some of seven replicas, or for their client, and the signers of all nodes.
pub(crate) struct Scene {
    pub(crate) controller: Controller,
    pub(crate) signers: Vec<Signer>,
    pub(crate) config: Arc<ProtocolConfig>,
    /// What left when it began.
    pub(crate) start: Sent,
}

impl Scene {
    pub(crate) fn new(corrupted: &[usize], attacks: &[AttackConfig]) -> Scene {
        let workload =
            Workload { requests: 10, send_to: SendTo::All, client_timeout: Span::from_millis(100), ..WORKLOAD };
        Scene::set(corrupted, attacks, 2, workload, Key::root(3))
    }

    /// The same, with what leaves at the start. Node 7 is the first of two clients, and can be corrupted like the others.
    pub(crate) fn begin(corrupted: &[usize], attacks: &[AttackConfig]) -> (Scene, Sent) {
        let mut scene = Scene::set(corrupted, attacks, 2, WORKLOAD, Key::root(1));
        let mut start = std::mem::take(&mut scene.start);
        start.events.retain(|event| *event != Event::Corrupt);
        (scene, start)
    }

    fn set(corrupted: &[usize], attacks: &[AttackConfig], clients: u16, workload: Workload, operations: Key) -> Scene {
        let config = Arc::new(ProtocolConfig::new(Cluster::new(REPLICAS, None).unwrap(), clients));
        let signers: Vec<Signer> = Signer::deal(usize::from(REPLICAS + clients)).collect();
        let workload = Arc::new(workload);
        let (replicas, clients): (Vec<usize>, Vec<usize>) =
            corrupted.iter().partition(|&&node| node < usize::from(REPLICAS));
        let replica = |&id: &usize| Replica::new(Arc::clone(&config), signers[id].clone());
        let client =
            |&id: &usize| Client::new(Arc::clone(&config), Arc::clone(&workload), signers[id].clone(), operations);
        let (replicas, clients) = (replicas.iter().map(replica).collect(), clients.iter().map(client).collect());
        let controller = Controller::new(Arc::clone(&config), replicas, clients, attacks, Key::root(5));
        let mut scene = Scene { controller, signers, config, start: Sent::default() };
        scene.start = scene.wake(Time::START);
        scene
    }

    /// A proposal of replica 0, as it arrives at `to`.
    pub(crate) fn pre_prepare(&mut self, to: u16, seq: u64) -> Sent {
        let batch = Arc::new(Batch::new(vec![self.request(seq)], 0));
        let proposal = PrePrepare::new(&self.signers[0], View(0), SeqNum(seq), batch);
        let message = Message::PrePrepare(Arc::new(proposal));
        self.deliver(at(seq), 0, to, message)
    }

    /// A request of client 7.
    pub(crate) fn request(&self, timestamp: u64) -> SignedRequest {
        self.request_of(REPLICAS, timestamp)
    }

    pub(crate) fn request_of(&self, client: u16, timestamp: u64) -> SignedRequest {
        let (signer, authenticator) = (&self.signers[usize::from(client)], Authenticator::All);
        let client = NodeId(client);
        Arc::new(signer.sign(Request { client, timestamp, operation: 1, reads: false, authenticator, payload: 0 }))
    }

    /// A vote for what `pre_prepare` proposes at a number.
    pub(crate) fn vote(&self, kind: VoteKind, from: u16, seq: u64) -> Message {
        let digest = Batch::new(vec![self.request(seq)], 0).digest();
        Message::Vote(self.signers[usize::from(from)].vote(kind, View(0), SeqNum(seq), digest))
    }

    pub(crate) fn propose(&mut self, timestamp: u64) -> Sent {
        let request = self.request(timestamp);
        self.deliver(at(timestamp), REPLICAS, 0, Message::Request(request))
    }

    pub(crate) fn deliver(&mut self, time: Time, from: u16, to: u16, message: Message) -> Sent {
        let mut out = Outbox::new(false);
        self.controller.receive(Arrival::direct(time, NodeId(from), NodeId(to), message), &mut out);
        Sent::of(out)
    }

    /// What leaves when the controller is woken.
    pub(crate) fn wake(&mut self, time: Time) -> Sent {
        let mut out = Outbox::new(false);
        self.controller.wake(time, &mut out);
        Sent::of(out)
    }

    /// What leaves until this instant, and when: the controller is woken whenever it asks for it.
    pub(crate) fn play_until(&mut self, end: Time) -> Vec<(Time, Sent)> {
        let mut played = Vec::new();
        while let Some(time) = self.controller.next_wake().filter(|&time| time <= end) {
            played.push((time, self.wake(time)));
        }
        played.retain(|(_, sent)| !sent.messages.is_empty() || !sent.events.is_empty());
        played
    }

    /// What replica 0 proposed with this number for view 0 is prepared and committed at `to` by the votes of the others.
    pub(crate) fn commit(&mut self, to: u16, seq: u64) -> Sent {
        let digest = self.pre_prepared_digest(seq);
        let mut sent = self.pre_prepare(to, seq);
        for kind in [VoteKind::Prepare, VoteKind::Commit] {
            for voter in (0..REPLICAS).filter(|&voter| voter != to && (kind == VoteKind::Commit || voter > 0)) {
                let vote = self.signers[usize::from(voter)].vote(kind, View(0), SeqNum(seq), digest);
                let more = self.deliver(at(seq), voter, to, Message::Vote(vote));
                sent.messages.extend(more.messages);
                sent.events.extend(more.events);
            }
        }
        sent
    }

    fn pre_prepared_digest(&self, seq: u64) -> Digest {
        Batch::new(vec![self.request(seq)], 0).digest()
    }

    /// A VIEW-CHANGE for view 1 that claims what was prepared with these numbers in view 0.
    pub(crate) fn view_change(&self, author: u16, prepared: &[u64]) -> Message {
        let certificate = |&seq: &u64| {
            let (view, digest) = (View(0), self.pre_prepared_digest(seq));
            let mut votes = Votes::default();
            for backup in &self.signers[1..6] {
                votes.insert(&backup.vote(VoteKind::Prepare, view, SeqNum(seq), digest));
            }
            let pre_prepare = self.signers[0].vote(VoteKind::PrePrepare, view, SeqNum(seq), digest);
            Prepared { pre_prepare, prepares: votes.certificate(digest) }
        };
        let signer = &self.signers[usize::from(author)];
        let prepared = prepared.iter().map(certificate).collect();
        let (view, stable, checkpoint) = (View(1), SeqNum(0), None);
        let change = ViewChange { view, stable, checkpoint, prepared, replica: signer.node() };
        Message::ViewChange(Arc::new(signer.sign(change)))
    }

    /// Replicas 2 to 5 want view 1, and replica 2 has prepared these numbers: replica 1 joins them, and makes the new view.
    pub(crate) fn make_view_1(&mut self, prepared: &[u64]) -> Sent {
        let mut sent = Sent::default();
        for author in 2..=5 {
            let change = self.view_change(author, if author == 2 { prepared } else { &[] });
            let more = self.deliver(at(500), author, 1, change);
            sent.messages.extend(more.messages);
            sent.events.extend(more.events);
        }
        sent
    }
}

/// What left the controller.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) messages: Vec<(Recipients, Message)>,
    pub(crate) events: Vec<Event>,
}

impl Sent {
    fn of(mut out: Outbox<Message, Event>) -> Sent {
        let messages = out.take_sends().into_iter().map(|sending| (sending.to, sending.message)).collect();
        let event = |happening| match happening {
            Happening::Event(event) => event,
            other => panic!("{other:?}"),
        };
        Sent { messages, events: out.take_records().into_iter().map(|record| event(record.what)).collect() }
    }

    /// How often an attack said that it acted.
    pub(crate) fn attacks(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Attack(_))).count()
    }

    /// The messages of a kind.
    pub(crate) fn only(self, kind: MessageKind) -> Sent {
        let messages = self.messages.into_iter().filter(|(_, message)| message.kind() == kind).collect();
        Sent { messages, events: self.events }
    }

    pub(crate) fn new_views(&self) -> Vec<Arc<Signed<NewView>>> {
        let new_view = |(_, message): &(Recipients, Message)| match message {
            Message::NewView(new_view) => Some(Arc::clone(new_view)),
            _ => None,
        };
        self.messages.iter().filter_map(new_view).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<MessageKind> {
        self.messages.iter().map(|(_, message)| message.kind()).collect()
    }

    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.messages.iter().map(|(_, message)| message.digest()).collect()
    }

    pub(crate) fn recipients(&self) -> Vec<Vec<u16>> {
        let list = |to: &Recipients| {
            let mut nodes = Vec::new();
            to.for_each(NodeId(0), |node| nodes.push(node.0));
            nodes
        };
        self.messages.iter().map(|(to, _)| list(to)).collect()
    }

    /// The digests of the `propose` events.
    pub(crate) fn proposed(&self) -> Vec<Digest> {
        let digest = |event: &Event| match event {
            Event::Protocol(ProtocolEvent::Propose(slot)) => Some(slot.digest),
            _ => None,
        };
        self.events.iter().filter_map(digest).collect()
    }
}
