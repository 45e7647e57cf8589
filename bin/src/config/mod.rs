//! Experiments as TOML: reading, checking, and errors that say where and what to do.

mod adversary;
mod attack;
mod clock;
mod document;
mod error;
mod experiment;
mod idle;
mod kind;
mod latency;
mod links;
mod oracles;
mod preset;
mod processing;
mod protocol;
mod resolved;
mod scene;
mod section;
mod stop;
mod sweep;
mod topology;
mod units;
mod value;
mod workload;

pub use clock::Clocks;
pub use document::Document;
pub use error::{ConfigError, Origin};
pub use experiment::{
    AdversarySettings, Cell, Corrupted, Count, EventDetail, Experiment, GivenAdversary, NetworkPower, Settings,
};
pub use kind::{Kind, Problem, Whole, boolean, integer, list, number, text, word};
pub use links::{FickleNames, GivenInterface, GivenRetransmission, LineNames, PairNames};
pub use oracles::OracleSwitches;
pub use preset::{PRESETS, Preset};
pub use processing::GivenCosts;

pub use protocol::{Crash, Derived};
pub(crate) use resolved::adversary_line;
pub use resolved::{ParameterText, parameters};
pub use scene::{NodeNames, SceneNames};
pub use section::Section;
pub use sweep::Axis;
pub use topology::{SiteLink, SitePlacement, Sites, TopologySettings};
pub use units::{BitsPerSecond, Bytes, Nanoseconds, Probability, Share, bit_rate, bytes, duration, probability, share};
pub use value::{Located, Table, Value};
pub use workload::ReplyQuorum;
