//! byzlab: a laboratory for Practical Byzantine Fault Tolerance.
//!
//! From a TOML file to confidence intervals: [`Experiment`] reads and checks it, [`run_experiment`] runs all its cells and
//! writes their logs, and [`byzlab_analysis`] turns the logs into estimates with intervals. The `byzlab` program is a thin
//! layer over these.

mod campaign;
mod cells;
pub mod cli;
pub mod config;
mod critical_path;
pub mod frontier;
pub mod hunt;
mod judge;
mod oracles;
mod results;
mod rows;
mod run;
pub mod trace;

pub use campaign::{Campaign, RunEnded, RunOptions, run_experiment};
pub use config::Experiment;
pub use results::ResultsError;
pub use run::{RunId, RunLogs, RunResult, run_once, seated};
