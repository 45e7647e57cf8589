//! A controller for some of seven replicas, message by message.

// Each test file needs a part of it.
#![allow(dead_code)]

use byzlab_adversary::{AttackConfig, Controller, Event};
use byzlab_network::{Arrival, Happening, Key, NodeId, Outbox, Process, Recipients, Span, Time};
use byzlab_replica::{
    Authenticator, Batch, Cluster, Digest, Event as ProtocolEvent, Message, MessageKind, PrePrepare, ProtocolConfig,
    Replica, Request, SeqNum, Signer, View,
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
        let config = Arc::new(ProtocolConfig::new(Cluster::new(REPLICAS, None).unwrap(), 1));
        let signers: Vec<Signer> = Signer::deal(usize::from(REPLICAS) + 1).collect();
        let replica = |&id: &usize| Replica::new(Arc::clone(&config), signers[id].clone());
        let replicas = corrupted.iter().map(replica).collect();
        let mut controller = Controller::new(config, replicas, vec![], attacks, Key::root(5));
        controller.wake(Time::START, &mut Outbox::new(false));
        Scene { controller, signers }
    }

    /// A proposal of replica 0, as it arrives at `to`.
    pub(crate) fn pre_prepare(&mut self, to: u16, seq: u64) -> Sent {
        let batch = Arc::new(Batch::new(vec![self.request(seq)], 0));
        let proposal = PrePrepare::new(&self.signers[0], View(0), SeqNum(seq), batch);
        let message = Message::PrePrepare(Arc::new(proposal));
        self.deliver(at(seq), 0, to, message)
    }

    pub(crate) fn request(&self, timestamp: u64) -> Arc<byzlab_replica::Signed<Request>> {
        let client = NodeId(REPLICAS);
        let request =
            Request { client, timestamp, operation: 1, reads: false, authenticator: Authenticator::All, payload: 0 };
        Arc::new(self.signers[usize::from(REPLICAS)].sign(request))
    }

    pub(crate) fn propose(&mut self, timestamp: u64) -> Sent {
        let request = self.request(timestamp);
        self.deliver(at(timestamp), REPLICAS, 0, Message::Request(request))
    }

    pub(crate) fn deliver(&mut self, time: Time, from: u16, to: u16, message: Message) -> Sent {
        let mut out = Outbox::new(false);
        self.controller.receive(Arrival::direct(time, NodeId(from), NodeId(to), message), &mut out);
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
