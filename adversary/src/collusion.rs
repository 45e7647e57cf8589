//! Colluders who tell each group of honest replicas another story.
//!
//! ```text
//!   group 0 ◄──► side 0 of each colluder        digest X₀
//!   group 1 ◄──► side 1 of each colluder        digest X₁
//! ```
//!
//! Each corrupted replica has a side for each group: a copy of the honest state machine that knows of what this group was told, and
//! talks to this group and to its like. So it votes towards each group for what that group got, at the moments at which an honest
//! replica in its place would.

use crate::attack::{AttackConfig, Departure};
use crate::kind::AttackKind;
use byzlab_network::{NodeId, Recipients};
use byzlab_replica::{Digest, Message, MessageKind, ProtocolConfig};
use std::collections::VecDeque;

/// Which group was told what.
pub(crate) struct Collusion {
    groups: Vec<Vec<NodeId>>,
    replicas: u16,
    corrupted: Vec<NodeId>,
    /// What the primaries told the groups; the latest of it.
    told: VecDeque<(Digest, usize)>,
}

impl Collusion {
    /// So many digests are remembered: more than can be undecided at once in any sensible window.
    const MEMORY: usize = 4096;

    /// The collusion that the attacks ask for, among these replicas.
    pub(crate) fn of(
        attacks: &[AttackConfig],
        config: &ProtocolConfig,
        corrupted: &[NodeId],
        honest: &[NodeId],
    ) -> Option<Collusion> {
        let groups = attacks.iter().find_map(|attack| match &attack.kind {
            AttackKind::Equivocate(attack) if attack.collude => Some(&attack.groups),
            _ => None,
        })?;
        let (groups, replicas) = (groups.divide(honest), config.cluster.replicas());
        Some(Collusion { groups, replicas, corrupted: corrupted.to_vec(), told: VecDeque::new() })
    }

    /// How many sides each colluder has.
    pub(crate) fn sides(&self) -> usize {
        self.groups.len().max(1)
    }

    /// What really leaves of what a side of `node` sends: what goes to its own group and to the other colluders. If that is a
    /// proposal for one group, it is noted.
    pub(crate) fn divert(&mut self, side: usize, node: NodeId, departure: Departure) -> Option<Departure> {
        let mut to = departure.recipients(node);
        if let Message::PrePrepare(pre_prepare) = &departure.message
            && side == 0
            && let Some(group) = self.group_of(&to)
        {
            self.tell(pre_prepare.vote.digest, group);
            to.extend(self.corrupted.iter().filter(|&&other| other != node));
            return Some(Departure { to: Recipients::List(to.into()), ..departure });
        }
        to.retain(|&recipient| self.talks(side, recipient, &departure.message));
        (!to.is_empty()).then(|| Departure { to: Recipients::List(to.into()), ..departure })
    }

    /// The group that all of these nodes belong to.
    fn group_of(&self, nodes: &[NodeId]) -> Option<usize> {
        self.groups.iter().position(|group| !nodes.is_empty() && nodes.iter().all(|node| group.contains(node)))
    }

    /// Whether a replica takes part. One that fell later does not: it plays one part, and hears what it heard before.
    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.corrupted.contains(&node)
    }

    fn tell(&mut self, digest: Digest, group: usize) {
        if self.told.iter().any(|(told, _)| *told == digest) {
            return;
        }
        if self.told.len() == Collusion::MEMORY {
            self.told.pop_front();
        }
        self.told.push_back((digest, group));
    }

    /// The side that a message is for; none if it concerns all of them.
    pub(crate) fn side_of(&self, message: &Message) -> Option<usize> {
        match message.kind() {
            // One side is enough to order it.
            MessageKind::Request => Some(0),
            MessageKind::PrePrepare | MessageKind::Prepare | MessageKind::Commit => {
                let digest = message.digest();
                self.told.iter().rev().find(|(told, _)| *told == digest).map(|&(_, side)| side)
            }
            _ => None,
        }
    }

    /// Whether a side talks to a node.
    fn talks(&self, side: usize, node: NodeId, message: &Message) -> bool {
        let in_group = |group: &Vec<NodeId>| group.contains(&node);
        if self.corrupted.contains(&node) || self.groups.get(side).is_some_and(in_group) {
            return true;
        }
        // Who is in no group, and clients: from the first side, but nothing of the lie.
        let told = message.kind() != MessageKind::Request && self.side_of(message).is_some();
        side == 0 && (node.0 >= self.replicas || !told) && !self.groups.iter().any(in_group)
    }
}
