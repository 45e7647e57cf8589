//! An adversary that cuts the replicas into groups that cannot talk to each other.

use crate::attack::{About, Attack, Command, Family, Need};
use crate::interference::Interference;
use crate::parameter::{Groups, Parameter, Visit};
use byzlab_network::{NodeId, Time};

/// An adversary that cuts the replicas into groups that cannot talk to each other.
#[derive(Clone, PartialEq, Debug)]
pub struct Partition {
    /// Who can still talk to each other; who is in no group talks to all.
    pub groups: Groups,
    /// What becomes of the messages between them.
    pub interference: Interference,
}

impl Default for Partition {
    fn default() -> Partition {
        Partition { groups: Groups::Halves, interference: Interference::default() }
    }
}

impl Attack for Partition {
    fn about(&self) -> About {
        let summary = "Cuts the replicas into groups that cannot talk to each other.";
        About::itself("partition", Family::Network, summary).needing(&[Need::Network])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "who can still talk to each other; who is in none talks to all";
        visit.groups(Parameter::new("groups", about), &mut self.groups);
        self.interference.parameters(visit);
    }

    fn command(&mut self, command: &mut Command<'_>) {
        let replicas: Vec<NodeId> = (0..command.config.cluster.replicas()).map(NodeId).collect();
        let groups = self.groups.divide(&replicas);
        for (number, group) in (0..).zip(&groups) {
            let others: Vec<NodeId> = groups.iter().filter(|other| *other != group).flatten().copied().collect();
            self.interference.impose(command, number, group, &others);
        }
    }

    fn interference(&self) -> Option<&Interference> {
        Some(&self.interference)
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then_some(Time::START)
    }
}
