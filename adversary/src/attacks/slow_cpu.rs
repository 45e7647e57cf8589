//! A node that works slowly: each message that arrives takes it some time, and it takes them one after the other.

use crate::attack::{About, Attack, Family, Reception, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{Latency, NodeId, Span, Time};
use byzlab_replica::{Message, MessageKind};
use std::collections::BTreeMap;

/// A node that works slowly: each message that arrives takes it some time, and it takes them one after the other.
#[derive(Clone, PartialEq, Debug)]
pub struct SlowCpu {
    /// How long it works on a message; drawn for each.
    pub work: Latency,
    /// Of each corrupted node.
    desks: BTreeMap<NodeId, Desk>,
}

/// What a node has taken in.
#[derive(Clone, PartialEq, Default, Debug)]
struct Desk {
    /// How many messages.
    taken: u64,
    /// When it will be done with the last of them.
    free_at: Time,
}

impl Default for SlowCpu {
    fn default() -> SlowCpu {
        SlowCpu { work: Latency::constant(Span::from_millis(5)), desks: BTreeMap::new() }
    }
}

impl Attack for SlowCpu {
    fn about(&self) -> About {
        let summary = "Works slowly: each message that arrives takes it some time, one after the other.";
        About::hearing("slow_cpu", Family::Benign, summary, &MessageKind::ALL)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.latency(Parameter::new("work", "how long it works on a message, drawn for each"), &mut self.work);
    }

    fn receive(&mut self, scene: &mut Scene<'_>, _: NodeId, _: &Message) -> Reception {
        let desk = self.desks.entry(scene.node()).or_default();
        // Votes of several replicas for one digest have one name, and are work each.
        let mut draw = scene.draws.child(desk.taken).draw();
        desk.taken += 1;
        desk.free_at = desk.free_at.max(scene.now) + self.work.sample(&mut draw);
        if desk.free_at > scene.now { Reception::Later(desk.free_at) } else { Reception::Heard }
    }
}
