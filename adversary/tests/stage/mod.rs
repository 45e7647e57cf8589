//! A controller for some of seven replicas, message by message.

// Each test file needs a part of it.
#![allow(dead_code)]

use byzlab_adversary::{AttackConfig, Controller, Event};
use byzlab_network::{Arrival, Happening, Key, NodeId, Outbox, Process, Recipients, Span, Time};
use byzlab_replica::{
    Authenticator, Batch, Client, Cluster, Digest, Event as ProtocolEvent, Message, MessageKind, Pace, PrePrepare,
    ProtocolConfig, Replica, Request, SendTo, SeqNum, SignedRequest, Signer, View, VoteKind, Workload,
};
use std::sync::Arc;

pub(crate) const REPLICAS: u16 = 7;

pub(crate) fn at(milliseconds: u64) -> Time {
    Time::START + Span::from_millis(milliseconds)
}

/// A controller for some of seven replicas, and the signers of all nodes.
pub(crate) struct Scene {
    pub(crate) controller: Controller,
    pub(crate) signers: Vec<Signer>,
}

impl Scene {
    pub(crate) fn new(corrupted: &[usize], attacks: &[AttackConfig]) -> Scene {
        Scene::begin(corrupted, attacks).0
    }

    /// The same, with what leaves at the start. Node 7 is the first of two clients, and can be corrupted like the others.
    pub(crate) fn begin(corrupted: &[usize], attacks: &[AttackConfig]) -> (Scene, Sent) {
        let config = Arc::new(ProtocolConfig::new(Cluster::new(REPLICAS, None).unwrap(), 2));
        let signers: Vec<Signer> = Signer::deal(usize::from(REPLICAS) + 2).collect();
        let workload = Arc::new(Workload {
            requests: 1,
            pace: Pace::Closed { think_time: Span::ZERO },
            send_to: SendTo::Primary,
            client_timeout: Span::from_millis(1000),
            reply_quorum: config.cluster.weak_quorum(),
            payload: 0,
            reads_per_million: 0,
        });
        let (replicas, clients): (Vec<_>, Vec<_>) =
            corrupted.iter().copied().partition(|&id| id < usize::from(REPLICAS));
        let replica = |id: usize| Replica::new(Arc::clone(&config), signers[id].clone());
        let client =
            |id: usize| Client::new(Arc::clone(&config), Arc::clone(&workload), signers[id].clone(), Key::root(1));
        let replicas = replicas.into_iter().map(replica).collect();
        let clients = clients.into_iter().map(client).collect();
        let controller = Controller::new(Arc::clone(&config), replicas, clients, attacks, Key::root(5));
        let mut scene = Scene { controller, signers };
        let mut sent = scene.wake(Time::START);
        sent.events.retain(|event| *event != Event::Corrupt);
        (scene, sent)
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
}

/// What left the controller.
pub(crate) struct Sent {
    pub(crate) messages: Vec<(Recipients, Message)>,
    pub(crate) events: Vec<Event>,
}

impl Sent {
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
