//! What messages and requests cost the CPU of a node.
//!
//! The protocol's state machines take no time, and their signatures cost nothing. What real ones would cost is modelled: a [`Processing`]
//! says how long each operation takes, and a node's [`Costs`] add up what a message or an execution comes to. When the node gets
//! round to it, is the affair of whoever drives it.

use crate::message::Message;
use crate::wire::{Proofs, Wire};
use byzlab_network::{Key, Latency, NodeId, Recipients, Span};
use std::num::NonZeroU16;

/// How long one node's CPU takes for each operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Processing {
    /// Taking one message from the network.
    pub receive: Latency,
    /// Giving one copy of a message to the network.
    pub send: Latency,
    /// Making a signature.
    pub sign: Latency,
    /// Checking a signature.
    pub verify: Latency,
    /// Making or checking a MAC.
    pub mac: Latency,
    /// Hashing 1,024 bytes of a message.
    pub hash_per_kib: Latency,
    /// Executing a request.
    pub execute: Latency,
    /// How many of these operations it can do at once.
    pub cores: NonZeroU16,
}

/// Nothing costs anything.
impl Default for Processing {
    fn default() -> Processing {
        let free = || Latency::constant(Span::ZERO);
        Processing {
            receive: free(),
            send: free(),
            sign: free(),
            verify: free(),
            mac: free(),
            hash_per_kib: free(),
            execute: free(),
            cores: NonZeroU16::MIN,
        }
    }
}

impl Processing {
    /// What operations cost where messages are signed with Ed25519; the service is free, and there is one core.
    ///
    /// Rounded medians of `cargo bench -p byzlab --bench crypto` on one core of an AMD EPYC (Zen 4, in a virtual machine), November
    /// 2026: ed25519-dalek 3.0.0 over a vote of 120 bytes, SHA-256 with the processor's instructions for it, and a datagram of 120
    /// bytes through a loopback socket as a stand-in for a network stack.
    pub fn ed25519() -> Processing {
        let cost = |nanoseconds| Latency::constant(Span::from_nanos(nanoseconds));
        Processing {
            receive: cost(550),
            send: cost(2_400),
            sign: cost(17_000),
            verify: cost(34_000),
            hash_per_kib: cost(620),
            ..Processing::default()
        }
    }

    /// The same where they carry MACs, but for VIEW-CHANGE, NEW-VIEW and certificates, which are signed all the same: HMAC-SHA-256 over
    /// 120 bytes, with the key prepared.
    pub fn hmac() -> Processing {
        Processing { mac: Latency::constant(Span::from_nanos(190)), ..Processing::ed25519() }
    }

    /// Whether nothing costs anything, so that it need not be modelled.
    pub fn is_free(&self) -> bool {
        let Processing { receive, send, sign, verify, mac, hash_per_kib, execute, cores: _ } = self;
        [receive, send, sign, verify, mac, hash_per_kib, execute].into_iter().all(is_free)
    }
}

/// Whether an operation never takes any time.
fn is_free(cost: &Latency) -> bool {
    cost.most() == Some(Span::ZERO)
}

/// What one node's CPU spends.
///
/// A random cost is drawn anew for each single operation, each of the signatures of a certificate included; it is named by the node,
/// the operation and how many of them the node has done before. A constant one draws nothing.
#[derive(Clone, Debug)]
pub struct Costs {
    node: NodeId,
    wire: Wire,
    receive: Cost,
    send: Cost,
    sign: Cost,
    verify: Cost,
    mac: Cost,
    hash_per_kib: Cost,
    execute: Cost,
}

/// What one operation costs at one node.
#[derive(Clone, Debug)]
struct Cost {
    latency: Latency,
    /// Where it does not vary.
    constant: Option<Span>,
    key: Key,
    drawn: u64,
}

impl Costs {
    /// The costs of a node; `run` names all random draws of the run.
    pub fn new(processing: &Processing, wire: Wire, node: NodeId, run: Key) -> Costs {
        let Processing { receive, send, sign, verify, mac, hash_per_kib, execute, cores: _ } = processing;
        let family = run.component("processing").child(u64::from(node.0));
        let cost = |name, latency: &Latency| {
            let constant = latency.most().filter(|&most| most == latency.least());
            Cost { latency: latency.clone(), constant, key: family.component(name), drawn: 0 }
        };
        Costs {
            node,
            wire,
            receive: cost("receive", receive),
            send: cost("send", send),
            sign: cost("sign", sign),
            verify: cost("verify", verify),
            mac: cost("mac", mac),
            hash_per_kib: cost("hash", hash_per_kib),
            execute: cost("execute", execute),
        }
    }

    /// What it takes to take a message in: to receive it, to check each signature or MAC that it brings, and to hash all of it.
    pub fn take_in(&mut self, message: &Message) -> Span {
        let Proofs { signatures, macs } = self.wire.checked(message);
        self.receive.times(1) + self.verify.times(signatures) + self.mac.times(macs) + self.hash(message)
    }

    /// What it takes to send a message: to hash and to authenticate it, if it is the node's own, and to send each copy.
    ///
    /// What the node passes on is authenticated already. What it says again counts as said anew: its state machine keeps what was
    /// said, and not the signature. A message for nobody costs nothing.
    pub fn send_out(&mut self, to: &Recipients, message: &Message) -> Span {
        let copies = copies(self.node, to);
        if copies == 0 {
            return Span::ZERO;
        }
        let sending = self.send.times(copies);
        if message.author() != self.node {
            return sending;
        }
        let Proofs { signatures, macs } = self.wire.made(message);
        sending + self.sign.times(signatures) + self.mac.times(macs) + self.hash(message)
    }

    /// What it takes to execute so many requests.
    pub fn execute(&mut self, requests: u32) -> Span {
        self.execute.times(u64::from(requests))
    }

    fn hash(&mut self, message: &Message) -> Span {
        let size = self.wire.size(message);
        let for_all = u128::from(self.hash_per_kib.times(1).as_nanos()) * u128::from(size);
        // Rounded to whole nanoseconds once.
        Span::from_nanos(u64::try_from((for_all + 512) >> 10).unwrap_or(u64::MAX))
    }
}

impl Cost {
    /// What so many of the operation cost.
    #[inline]
    fn times(&mut self, count: u64) -> Span {
        match self.constant {
            Some(cost) => Span::from_nanos(cost.as_nanos().saturating_mul(count)),
            None => self.draw(count),
        }
    }

    fn draw(&mut self, count: u64) -> Span {
        let first = self.drawn;
        self.drawn += count;
        (first..self.drawn)
            .map(|number| self.latency.sample(&mut self.key.child(number).draw()))
            .fold(Span::ZERO, |sum, cost| sum + cost)
    }
}

/// To how many nodes a message of `from` goes.
fn copies(from: NodeId, to: &Recipients) -> u64 {
    match to {
        Recipients::One(_) => 1,
        Recipients::OthersBelow(end) => u64::from(end.0) - u64::from(from < *end),
        Recipients::List(list) => list.len() as u64,
    }
}

#[cfg(test)]
#[path = "processing_tests.rs"]
mod tests;
