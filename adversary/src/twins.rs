//! Copies of one identity that know nothing of each other.
//!
//! ```text
//!   group 0 ◄──► copy 0 of each twin ◄──┐
//!                                       ├──► clients, who is in no group, corrupted replicas without a copy
//!   group 1 ◄──► copy 1 of each twin ◄──┘
//! ```
//!
//! The copies of one index and their group are a cluster of their own. Twins are so from the start of the run, with whoever is corrupted
//! then.

use crate::attack::{AttackConfig, Departure};
use crate::kind::AttackKind;
use byzlab_network::NodeId;
use byzlab_replica::{Message, ProtocolConfig};
use std::collections::VecDeque;

/// Who has copies, and which copy belongs to whom.
pub(crate) struct Twins {
    name: &'static str,
    groups: Vec<Vec<NodeId>>,
    members: Vec<NodeId>,
    first_client: u16,
    share_clients: bool,
    /// What copies have sent to those of other twins and what has not arrived yet: the latest of it.
    under_way: VecDeque<UnderWay>,
}

/// A message between twins. That it is from one copy and not from another is not to be seen in it.
struct UnderWay {
    from: NodeId,
    to: NodeId,
    side: usize,
    message: Message,
}

impl Twins {
    /// So many messages are remembered: of those that get lost, the older ones are forgotten.
    const MEMORY: usize = 4096;

    /// The twins that the attacks ask for, among these replicas.
    pub(crate) fn of(
        attacks: &[AttackConfig],
        config: &ProtocolConfig,
        corrupted: &[NodeId],
        honest: &[NodeId],
    ) -> Option<Twins> {
        attacks.iter().find_map(|AttackConfig { kind, scope }| {
            let AttackKind::Twins(attack) = kind else { return None };
            Some(Twins {
                name: kind.name(),
                groups: attack.groups.divide(honest),
                members: corrupted.iter().copied().filter(|&node| scope.has_member(node)).collect(),
                first_client: config.cluster.replicas(),
                share_clients: attack.share_clients,
                under_way: VecDeque::new(),
            })
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// How many copies there are of a node.
    pub(crate) fn sides(&self, node: NodeId) -> usize {
        if self.members.contains(&node) { self.groups.len().max(1) } else { 1 }
    }

    /// What leaves of what a copy sends: all but what is for the group of another copy.
    pub(crate) fn divert(&mut self, side: usize, node: NodeId, departure: Departure) -> Option<Departure> {
        if self.sides(node) == 1 {
            return Some(departure);
        }
        let mut to = departure.recipients(node);
        to.retain(|&recipient| self.group_of(recipient).is_none_or(|group| group == side));
        for &twin in to.iter().filter(|to| self.members.contains(to)) {
            if self.under_way.len() == Twins::MEMORY {
                self.under_way.pop_front();
            }
            self.under_way.push_back(UnderWay { from: node, to: twin, side, message: departure.message.clone() });
        }
        departure.redirected(to)
    }

    /// The copy of `to` that hears a message; none if all of them do.
    pub(crate) fn side_of(&mut self, from: NodeId, to: NodeId, message: &Message) -> Option<usize> {
        if let Some(client) = from.0.checked_sub(self.first_client) {
            return (!self.share_clients).then(|| usize::from(client) % self.sides(to));
        }
        if self.members.contains(&from) {
            let this = |sent: &UnderWay| sent.from == from && sent.to == to && sent.message == *message;
            let place = self.under_way.iter().position(this)?;
            return self.under_way.remove(place).map(|sent| sent.side);
        }
        self.group_of(from)
    }

    fn group_of(&self, node: NodeId) -> Option<usize> {
        self.groups.iter().position(|group| group.contains(&node))
    }
}
