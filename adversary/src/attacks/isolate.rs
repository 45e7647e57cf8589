//! An adversary that cuts some nodes off from everybody; by default the primary of each view, as soon as it has begun.

use crate::attack::{About, Attack, Command, Family, Need};
use crate::interference::Interference;
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::{NodeId, Time};

/// An adversary that cuts some nodes off from everybody; by default the primary of each view, as soon as it has begun.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Isolate {
    /// Whom; the primary of the latest view if left out.
    pub targets: Option<Vec<NodeId>>,
    /// What becomes of their messages.
    pub interference: Interference,
}

impl Attack for Isolate {
    fn about(&self) -> About {
        let summary = "Cuts some nodes off from everybody: by default the primary of each view that it hears of.";
        About::itself("isolate", Family::Network, summary).needing(&[Need::Network])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let targets = Parameter::or("targets", "whom", "the primary of the latest view");
        visit.nodes(targets, NodeSort::Any, &mut self.targets);
        self.interference.parameters(visit);
    }

    fn command(&mut self, command: &mut Command<'_>) {
        let targets = self.targets.clone().unwrap_or_else(|| vec![command.primary()]);
        let others: Vec<NodeId> = command.nodes().filter(|node| !targets.contains(node)).collect();
        self.interference.cut_off(command, &targets, &others);
    }

    fn interference(&self) -> Option<&Interference> {
        Some(&self.interference)
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then_some(Time::START)
    }
}
