//! An adversary that corrupts more replicas at some instant, as far as its budget goes.

use crate::attack::{About, Attack, Command, Family, Need};
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::{NodeId, Span, Time};

/// An adversary that corrupts more replicas at some instant, as far as its budget goes.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct CorruptAt {
    /// When; at the start of the run if left out.
    pub at: Option<Span>,
    /// Whom; the primary of the latest view if left out.
    pub nodes: Option<Vec<NodeId>>,
}

impl CorruptAt {
    fn when(&self) -> Time {
        self.at.map_or(Time::START, |at| Time::START + at)
    }
}

impl Attack for CorruptAt {
    fn about(&self) -> About {
        let summary = "Corrupts more replicas at some instant, as far as the budget goes.";
        About::itself("corrupt_at", Family::Adaptive, summary).needing(&[Need::Budget])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.span(Parameter::or("at", "when", "at the start"), &mut self.at);
        let nodes = Parameter::or("nodes", "whom", "the primary of the latest view");
        visit.nodes(nodes, NodeSort::Replicas, &mut self.nodes);
    }

    fn command(&mut self, command: &mut Command<'_>) {
        // A view that begins later is no reason to corrupt its primary too.
        if command.now != self.when().max(command.span.0) {
            return;
        }
        let nodes = self.nodes.clone().unwrap_or_else(|| vec![command.primary()]);
        for node in nodes {
            command.take_over(node);
        }
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        last.is_none().then(|| self.when())
    }
}
