//! An adversary that disturbs the links from some nodes to others, and no more.

use crate::attack::{About, Attack, Command, Family, Need};
use crate::interference::Interference;
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::{NodeId, Time};

/// An adversary that disturbs the links from some nodes to others, and no more.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct TargetLinks {
    /// From whom; the primary of the latest view if left out.
    pub from: Option<Vec<NodeId>>,
    /// To whom; all others if left out.
    pub to: Option<Vec<NodeId>>,
    /// What becomes of the messages.
    pub interference: Interference,
}

impl Attack for TargetLinks {
    fn about(&self) -> About {
        let summary =
            "Disturbs the links from some nodes to others: by default those out of each primary that it hears of.";
        About::itself("target_links", Family::Network, summary).needing(&[Need::Network])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let from = Parameter::or("from", "whose messages", "those of the primary of the latest view");
        visit.nodes(from, NodeSort::Any, &mut self.from);
        visit.nodes(Parameter::or("to", "to whom", "to all others"), NodeSort::Any, &mut self.to);
        self.interference.parameters(visit);
    }

    fn command(&mut self, command: &mut Command<'_>) {
        let from = self.from.clone().unwrap_or_else(|| vec![command.primary()]);
        let others = || command.nodes().filter(|node| !from.contains(node)).collect();
        let to = self.to.clone().unwrap_or_else(others);
        self.interference.impose(command, 0, &from, &to);
    }

    fn interference(&self) -> Option<&Interference> {
        Some(&self.interference)
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then_some(Time::START)
    }
}
