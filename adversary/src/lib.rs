//! The adversary: one [`Controller`] plays every corrupted replica.
//!
//! ```text
//!    arrivals ──► inbound side of each attack ──► honest replica ──► outbound side of each attack ──► sends
//! ```
//!
//! By default a corrupted replica runs the honest state machine. The attacks change what goes into it and what comes out, each in
//! turn, in the order of the configuration; so they compose. All corrupted replicas sit at one table: what one of them knows,
//! all of them know at once. They sign with their own signers and nobody else's.
//!
//! An attack is one file in `attacks/`.

mod attack;
pub mod attacks;
mod collusion;
mod controller;
mod event;
mod interference;
mod kind;
mod knowledge;
mod parameter;
mod puppet;
mod selection;
mod sides;
mod twins;

pub use attack::{About, ActsOn, AttackConfig, Family, Need, Scope};
pub use controller::Controller;
pub use event::Event;
pub use interference::Interference;
pub use kind::AttackKind;
pub use parameter::{Groups, NodeSort, Parameter, Visit};
pub use selection::Selection;
