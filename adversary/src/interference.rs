//! What an attack does to messages between honest nodes.

use crate::attack::Command;
use crate::parameter::{Parameter, Visit};
use byzlab_network::{Action, Latency, NodeId, NodeSet, Rule, RuleScope, Span, Time};

/// What becomes of the messages that an attack on the network concerns.
#[derive(Clone, PartialEq, Debug)]
pub struct Interference {
    /// "drop", "hold" (until the attack's end) or "delay".
    pub action: &'static str,
    /// For "delay": how much later they arrive.
    pub delay: Latency,
}

impl Default for Interference {
    fn default() -> Interference {
        Interference { action: "drop", delay: Latency::constant(Span::from_millis(100)) }
    }
}

impl Interference {
    pub(crate) fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "what becomes of the messages; \"hold\" keeps them until the attack ends";
        visit.word(Parameter::new("action", about), &["drop", "hold", "delay"], &mut self.action);
        visit.latency(Parameter::new("delay", "for \"delay\": how much later they arrive"), &mut self.delay);
    }

    /// Keeps what `from` sends from reaching `to` as it should, as long as the attack lasts. Where one of the two is nobody there is
    /// nothing to do.
    pub(crate) fn impose(&self, command: &mut Command<'_>, number: u32, from: &[NodeId], to: &[NodeId]) {
        // Not before now: in this window honest nodes may have sent something already.
        let (start, end) = (command.span.0.max(command.now), command.span.1);
        let end = (end < Time::END).then_some(end);
        let action = match self.action {
            "hold" => Action::Hold,
            "delay" => Action::Delay(self.delay.clone()),
            _ => Action::Drop,
        };
        let set = |nodes: &[NodeId]| Some(NodeSet::of(nodes.iter().copied()));
        let scope = RuleScope { from: set(from), to: set(to), start, end, ..RuleScope::default() };
        match Rule::new(scope, action) {
            Ok(rule) => command.impose(number, rule),
            Err(_) => command.lift(number),
        }
    }

    /// The same for both ways between some nodes and all others.
    pub(crate) fn cut_off(&self, command: &mut Command<'_>, nodes: &[NodeId], others: &[NodeId]) {
        self.impose(command, 0, nodes, others);
        self.impose(command, 1, others, nodes);
    }
}
