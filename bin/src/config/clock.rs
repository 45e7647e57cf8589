//! `[[cluster.clock]]`: nodes whose clocks run fast or slow.

use super::scene::{NodeNames, names_kind};
use super::{ConfigError, Section, number};
use byzlab_network::NodeId;
use byzlab_replica::{Clock, ProtocolConfig};

/// Nodes with clocks that are not true, as the file names them.
pub type Clocks = Vec<(NodeNames, Clock)>;

pub(super) fn read_clocks(cluster: &Section<'_>, protocol: &ProtocolConfig) -> Result<Clocks, ConfigError> {
    let mut clocks: Clocks = Vec::new();
    for table in cluster.sections("clock")? {
        let nodes = table.required("nodes", names_kind(protocol))?;
        // To a billionth, which is what a clock can do; a half to twice the speed.
        let drift = table.required("drift", number(-0.5..=1.0))?;
        let clock = Clock::with_drift((drift * 1e9).round() as i64).unwrap_or_default();
        let set = nodes.resolve(protocol);
        if let Some(node) = clocks.iter().find_map(|(other, _)| other.resolve(protocol).shared(&set)) {
            let problem = format!("node {node} has another clock above");
            return Err(table.error_at("nodes", problem, "name each node in one [[cluster.clock]] at most"));
        }
        clocks.push((nodes, clock));
    }
    Ok(clocks)
}

/// The clock of a node.
pub(crate) fn clock_of(clocks: &Clocks, node: NodeId, protocol: &ProtocolConfig) -> Clock {
    let own = clocks.iter().find(|(nodes, _)| nodes.resolve(protocol).contains(node));
    own.map_or(Clock::default(), |(_, clock)| *clock)
}
