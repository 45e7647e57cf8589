//! An adversary that cuts some nodes off from all honest ones, so that they hear of the world from corrupted nodes alone (Heilman et
//! al., "Eclipse Attacks on Bitcoin's Peer-to-Peer Network", USENIX Security 2015).

use crate::attack::{About, Attack, Command, Family, Need};
use crate::interference::Interference;
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::{NodeId, Time};

/// An adversary that cuts some nodes off from all honest ones, so that they hear of the world from corrupted nodes alone.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Eclipse {
    /// Whom; the last honest replica if left out.
    pub targets: Option<Vec<NodeId>>,
    /// What becomes of the messages between them and honest nodes.
    pub interference: Interference,
}

impl Attack for Eclipse {
    fn about(&self) -> About {
        let summary = "Cuts some nodes off from all honest ones, so that only corrupted ones reach them.";
        About::itself("eclipse", Family::Network, summary).needing(&[Need::Network])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let targets = Parameter::or("targets", "whom", "the last honest replica");
        visit.nodes(targets, NodeSort::Any, &mut self.targets);
        self.interference.parameters(visit);
    }

    fn command(&mut self, command: &mut Command<'_>) {
        let honest: Vec<NodeId> = command.nodes().filter(|&node| !command.is_corrupted(node)).collect();
        let replicas = command.config.cluster.replicas();
        let last = || honest.iter().rev().find(|node| node.0 < replicas).copied();
        let targets = self.targets.clone().unwrap_or_else(|| last().into_iter().collect());
        let others: Vec<NodeId> = honest.iter().copied().filter(|node| !targets.contains(node)).collect();
        self.interference.cut_off(command, &targets, &others);
    }

    fn interference(&self) -> Option<&Interference> {
        Some(&self.interference)
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then_some(Time::START)
    }
}
