//! Experiments as TOML: reading, checking, and errors that say where and what to do.

mod attack;
mod document;
mod error;
mod experiment;
mod kind;
mod latency;
mod oracles;
mod processing;
mod protocol;
mod resolved;
mod scene;
mod section;
mod sweep;
mod units;
mod value;
mod workload;

pub use document::Document;
pub use error::{ConfigError, Origin};
pub use experiment::{AdversarySettings, Cell, Corrupted, EventDetail, Experiment, Settings};
pub use kind::{Kind, Problem, Whole, boolean, integer, list, number, text, word};
pub use oracles::OracleSwitches;
pub use processing::GivenCosts;
pub use protocol::{Crash, Derived};
pub use scene::{NodeNames, SceneNames};
pub use section::Section;
pub use sweep::Axis;
pub use units::{Bytes, Nanoseconds, Probability, bytes, duration, probability};
pub use value::{Located, Table, Value};
pub use workload::ReplyQuorum;
