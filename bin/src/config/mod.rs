//! Experiments as TOML: reading, checking, and errors that say where and what to do.

mod attack;
mod document;
mod error;
mod experiment;
mod kind;
mod latency;
mod oracles;
mod protocol;
mod resolved;
mod scene;
mod section;
mod sweep;
mod topology;
mod units;
mod value;

pub use document::Document;
pub use error::{ConfigError, Origin};
pub use experiment::{AdversarySettings, Cell, Corrupted, EventDetail, Experiment, Settings};
pub use kind::{Kind, Problem, Whole, boolean, integer, list, number, text, word};
pub use oracles::OracleSwitches;
pub use protocol::{Crash, Derived, ReplyQuorum};
pub use scene::{NodeNames, SceneNames};
pub use section::Section;
pub use sweep::Axis;
pub use topology::{SiteLink, SitePlacement, Sites, TopologySettings};
pub use units::{Bytes, Nanoseconds, Probability, Share, bytes, duration, probability, share};
pub use value::{Located, Table, Value};
