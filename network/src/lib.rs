//! Virtual time and a simulated network for distributed protocols.
//!
//! A protocol is a set of [`Process`]es: state machines that get messages and wake-ups and send messages. [`Simulation`] seats
//! them around a router, which delays, loses, duplicates and reorders what they send according to a [`NetworkModel`], or as a
//! [`scene`] says for single messages. Router and processes are actix actors, and time is virtual: a run takes as long as its computations, not as long as its delays.
//!
//! The crate knows no protocol. `examples/ping_pong.rs` is a whole one in a few lines.
//!
//! A process can also be granted [`Powers`] over the run itself: to take nodes over from other processes, and to impose rules on the
//! network ([`Act`]). That is what an adaptive adversary is made of.
//!
//! # What is promised
//!
//! * A run is a function of its processes, its [`NetworkModel`] and its [`random::Key`]: on every machine, in every build.
//! * Each arrival at a node comes after everything earlier. At one instant arrivals come in the order of sender, then the sender's
//!   sequence number, then receiver, then copy; wake-ups come after arrivals.
//! * Every message takes at least 1 ns.
//! * A panic of a process ends the run with a [`Fault`] that says where; it never hangs or shortens it silently.

pub mod bandwidth;
pub mod cause;
mod delays;
pub mod latency;
mod link;
mod node;
mod powers;
mod queue;
pub mod random;
mod router;
pub mod scene;
pub mod schedule;
mod simulation;
mod station;
mod time;
pub mod topology;
pub mod transport;

pub use bandwidth::{Bandwidth, Interface};
pub use cause::{Cause, Journey, Reaction, Stimulus, Trail};
pub use delays::Delays;
pub use latency::Latency;
pub use link::{NetworkModel, Reorder, Toll};
pub use node::{Arrival, Event, Happening, Label, Message, NodeId, Outbox, Process, Recipients, Record, Sending};
pub use powers::{Act, Powers};
pub use random::{Draw, Key};
pub use router::{Ending, Observer, Traffic, Verdict};
pub use scene::{Action, Cut, KindSet, NodeSet, Partition, Rule, RuleScope, SceneError, Synchrony};
pub use schedule::{Churn, Fickle, Pairs, Schedule, ScheduleError, Step};
pub use simulation::{Fault, Report, Simulation};
pub use time::{Span, Time};
pub use transport::{BurstLoss, Retransmission, Transport};
