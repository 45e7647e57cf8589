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
//! The quorum is Q = ⌈(n+f+1)/2⌉ for any n ≥ 3f+1. When a request does not execute in time, a new primary takes over:
//!
//! ```text
//!            primary 0    primary 1    backup 2     backup 3
//!                ╳            │            │            │       request timers run out
//!                             │◄view-change┼────────────┤       what each has prepared, with proofs
//!                             ├─new-view───┼───────────►│       Q of them, and the order that follows from them
//!                             │◄prepare───►│◄──────────►│       and on as above
//! ```
//!
//! `docs/protocol.md` lists the rules that this crate keeps, the tests that show it, and where it deviates from the papers.

mod arrivals;
mod certificate;
mod client;
mod clock;
mod config;
mod defects;
mod digest;
mod log;
mod message;
mod processing;
mod quorum;
mod replica;
mod requests;
mod service;
mod shell;
mod signature;
mod state;
mod step;
mod transfer;
mod view_change;
mod wire;

pub use arrivals::{Arrivals, Pattern, Ramp, Rate};
pub use certificate::{Certificate, Prepared, Votes};
pub use client::{Client, Pace, SendTo, Workload};
pub use clock::Clock;
pub use config::ProtocolConfig;
pub use defects::{Defect, Defects};
pub use digest::Digest;
pub use log::{Earlier, Entry, Log, Phase};
pub use message::{
    Authenticator, Batch, Message, MessageKind, PrePrepare, Reply, Request, SeqNum, SignedRequest, View, Vote, VoteKind,
};
pub use processing::{Costs, Processing};
pub use quorum::{Cluster, ClusterError, NodeSet};
pub use replica::{Replica, ordered_events};
pub use service::{Counter, KeyValue, Null, Service, ServiceKind};
pub use shell::{Estate, Machine, Outage, Shell, Timers};
pub use signature::{Signed, Signer, Statement};
pub use state::Snapshot;
pub use step::{Effects, Event, Input, Slot, Timer};
pub use transfer::{Content, Fetch, State, Status, Wanted};
pub use view_change::{NewView, Plan, ViewChange};
pub use wire::{Authentication, Proofs, Wire};
