//! Practical Byzantine Fault Tolerance (Castro & Liskov, OSDI 1999; TOCS 20(4), 2002).
//!
//! [`Replica`] and [`Client`] are pure state machines: an [`Input`] goes in, [`Effects`] come out. They know neither clock nor
//! network, draw no random numbers, and can be cloned, compared and hashed, so that a model checker can hold them. [`Shell`]
//! seats one of them in a [`byzlab_network::Simulation`].
//!
//! ```text
//!   client   primary 0    backup 1     backup 2     backup 3
//!     │ request │            │            │            │
//!     ├────────►│            │            │            │
//!     │         ├─pre-prepare┼───────────►┼───────────►│   one digest for (view, number)
//!     │         │◄──prepare──┼───────────►┼───────────►│   Q−1 backups: prepared
//!     │         │◄──commit──►│◄──────────►│◄──────────►│   Q replicas: committed, executed in order
//!     │◄────────┴───reply────┴────────────┴────────────┤   f+1 matching: accepted
//! ```
//!
//! The quorum is Q = ⌈(n+f+1)/2⌉ for any n ≥ 3f+1. This version has the normal case, with checkpoints and the window; it has
//! no view changes, no retransmission between replicas and no state transfer: a replica that lost a message stays behind.

mod client;
mod config;
mod digest;
mod log;
mod message;
mod quorum;
mod replica;
mod service;
mod shell;
mod signature;
mod step;

pub use client::{Client, SendTo, Workload};
pub use config::ProtocolConfig;
pub use digest::Digest;
pub use log::{Entry, Log, Phase, Votes};
pub use message::{
    Batch, Message, MessageKind, PrePrepare, Reply, Request, SeqNum, SignedRequest, View, Vote, VoteKind,
};
pub use quorum::{Cluster, ClusterError, NodeSet};
pub use replica::{Replica, ordered_events};
pub use service::Counter;
pub use shell::{Machine, Shell, Timers};
pub use signature::{Signed, Signer, Statement};
pub use step::{Effects, Event, Input, Slot, Timer};
