//! Corrupted replicas that play several parts at once: a copy of the honest state machine, a side, for each group of honest replicas.

use crate::attack::{AttackConfig, Departure};
use crate::collusion::Collusion;
use crate::twins::Twins;
use byzlab_network::NodeId;
use byzlab_replica::{Message, ProtocolConfig};

/// What the sides of corrupted replicas know of each other.
pub(crate) enum Sides {
    /// Everything: they tell each group another story, and vote for it together.
    Colluders(Collusion),
    /// Nothing: each is a replica of its own.
    Twins(Twins),
}

impl Sides {
    /// The sides that the attacks ask for, among these corrupted replicas; none if each of them plays one part.
    pub(crate) fn of(attacks: &[AttackConfig], config: &ProtocolConfig, corrupted: &[NodeId]) -> Option<Sides> {
        let honest: Vec<NodeId> =
            (0..config.cluster.replicas()).map(NodeId).filter(|node| !corrupted.contains(node)).collect();
        let colluders = Collusion::of(attacks, config, corrupted, &honest).map(Sides::Colluders);
        colluders.or_else(|| Twins::of(attacks, config, corrupted, &honest).map(Sides::Twins))
    }

    /// How many sides a replica has.
    pub(crate) fn count(&self, node: NodeId) -> usize {
        match self {
            Sides::Colluders(collusion) if collusion.has(node) => collusion.sides(),
            Sides::Colluders(_) => 1,
            Sides::Twins(twins) => twins.sides(node),
        }
    }

    /// The side of `to` that a message is for; none if it concerns all of them.
    pub(crate) fn side_of(&mut self, from: NodeId, to: NodeId, message: &Message) -> Option<usize> {
        match self {
            Sides::Colluders(collusion) => collusion.side_of(message),
            Sides::Twins(twins) => twins.side_of(from, to, message),
        }
    }

    /// What really leaves of what a side of a replica sends.
    pub(crate) fn divert(&mut self, side: usize, node: NodeId, departure: Departure) -> Option<Departure> {
        match self {
            Sides::Colluders(collusion) if collusion.has(node) => collusion.divert(side, node, departure),
            Sides::Colluders(_) => Some(departure),
            Sides::Twins(twins) => twins.divert(side, node, departure),
        }
    }

    /// Whether all sides stand by what the first side of a primary proposes.
    pub(crate) fn collude(&self) -> bool {
        matches!(self, Sides::Colluders(_))
    }

    /// The name of the attack that makes twins of a replica.
    pub(crate) fn name_of_twins(&self, node: NodeId) -> Option<&'static str> {
        match self {
            Sides::Twins(twins) if twins.sides(node) > 1 => Some(twins.name()),
            _ => None,
        }
    }
}
