//! The oracles: each invariant holds where it should, and is found violated where it is, with time, nodes and proof.

mod agreement;
mod clients;
mod faults;
mod logs;
mod mutations;
mod order;
mod scenario;
mod views;
