//! What an attack is, and when it applies.

use crate::attacks::{ConflictingVotes, Equivocate, FakeDigest, Ignore, Silent};
use byzlab_network::{Key, NodeId, Recipients, Time};
use byzlab_replica::{Digest, Message, MessageKind, SeqNum, Signer, Slot, View};
use std::collections::BTreeMap;

/// The kinds of attacks, with their parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttackKind {
    /// Sends nothing.
    Silent,
    /// Does not react to a pre-prepare.
    Ignore,
    /// Votes for a digest that nobody proposed.
    FakeDigest,
    /// Votes for several digests.
    ConflictingVotes,
    /// As primary, proposes different things to different replicas.
    Equivocate {
        /// Who gets the same.
        groups: Groups,
        /// Whether all corrupted replicas vote towards each group for what that group got.
        collude: bool,
    },
}

impl AttackKind {
    /// Its name in configurations and logs.
    pub fn name(&self) -> &'static str {
        self.behaviour().name()
    }

    /// The kinds of messages that it can act on.
    pub fn messages(&self) -> &'static [MessageKind] {
        self.behaviour().messages()
    }

    /// Whether it acts on messages that come in instead of on those that go out.
    pub fn is_inbound(&self) -> bool {
        matches!(self, AttackKind::Ignore)
    }

    fn behaviour(&self) -> Box<dyn Attack> {
        match self {
            AttackKind::Silent => Box::new(Silent),
            AttackKind::Ignore => Box::new(Ignore),
            AttackKind::FakeDigest => Box::new(FakeDigest),
            AttackKind::ConflictingVotes => Box::new(ConflictingVotes),
            AttackKind::Equivocate { groups, .. } => Box::new(Equivocate { groups: groups.clone() }),
        }
    }
}

/// How an equivocating primary divides the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Groups {
    /// Each gets something else.
    Each,
    /// The lower half of the ids gets one thing, the upper half another.
    Halves,
    /// These groups; who is in none gets nothing.
    Lists(Vec<Vec<NodeId>>),
}

impl Groups {
    /// These nodes, group by group.
    pub(crate) fn divide(&self, nodes: &[NodeId]) -> Vec<Vec<NodeId>> {
        match self {
            Groups::Each => nodes.iter().map(|&node| vec![node]).collect(),
            Groups::Halves => {
                let (lower, upper) = nodes.split_at(nodes.len().div_ceil(2));
                vec![lower.to_vec(), upper.to_vec()]
            }
            Groups::Lists(groups) => {
                let present = |group: &[NodeId]| -> Vec<NodeId> {
                    group.iter().copied().filter(|node| nodes.contains(node)).collect()
                };
                groups.iter().map(|group| present(group)).collect()
            }
        }
    }
}

/// When an attack applies: to whom, in which span of time, to which messages, and how often.
#[derive(Clone, PartialEq, Debug)]
pub struct Scope {
    /// Which corrupted replicas take part; none means all of them.
    pub members: Option<Vec<NodeId>>,
    /// From this instant,
    pub start: Time,
    /// until before this one.
    pub end: Time,
    /// The probability that a message is affected, in 0..=1; decided once for all recipients and repetitions of a message.
    pub probability: f64,
    /// Which of the messages that the attack can act on; none means all of them.
    pub messages: Option<Vec<MessageKind>>,
    /// Only what goes to these nodes; none means to any.
    pub to: Option<Vec<NodeId>>,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope { members: None, start: Time::START, end: Time::END, probability: 1.0, messages: None, to: None }
    }
}

/// One attack of an experiment.
#[derive(Clone, PartialEq, Debug)]
pub struct AttackConfig {
    /// What it does.
    pub kind: AttackKind,
    /// When.
    pub scope: Scope,
}

/// A message on its way out of a corrupted replica.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    pub(crate) to: Recipients,
    pub(crate) message: Message,
}

impl Departure {
    /// Whether `others` send the same message to the same nodes, so that nothing was changed.
    pub(crate) fn is_all_of(&self, from: NodeId, others: &[Departure]) -> bool {
        let recipients = |departure: &Departure| {
            let mut nodes = Vec::new();
            departure.to.for_each(from, |to| nodes.push(to));
            nodes
        };
        matches!(others, [other] if other.message == self.message && recipients(other) == recipients(self))
    }
}

/// What an attack knows when it acts.
pub(crate) struct Scene<'a> {
    /// Whom colluders leave out when they divide the others: each other.
    pub(crate) colluders: &'a [NodeId],
    /// Signs for the corrupted replica that acts.
    pub(crate) signer: &'a Signer,
    /// Names the random draws of this attack on this message.
    pub(crate) draws: Key,
    pub(crate) knowledge: &'a Knowledge,
}

/// The behaviour of an attack.
pub(crate) trait Attack {
    /// Its name in configurations and logs.
    fn name(&self) -> &'static str;

    /// The kinds of messages that it can act on.
    fn messages(&self) -> &'static [MessageKind];

    /// Whether a message that arrives reaches the replica.
    fn lets_in(&self, _scene: &Scene<'_>, _message: &Message) -> bool {
        true
    }

    /// Puts what is sent instead of `departure` into `out`.
    fn send(&self, _scene: &Scene<'_>, departure: Departure, out: &mut Vec<Departure>) {
        out.push(departure);
    }
}

/// What the corrupted replicas have seen proposed: common to all of them.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    proposals: BTreeMap<(SeqNum, View), Vec<Digest>>,
}

impl Knowledge {
    /// Older proposals are forgotten when there are so many places.
    const PLACES: usize = 1024;

    pub(crate) fn learn(&mut self, message: &Message) {
        if let Message::PrePrepare(pre_prepare) = message {
            let Slot { view, seq, digest } = pre_prepare.slot();
            let digests = self.proposals.entry((seq, view)).or_default();
            if !digests.contains(&digest) {
                digests.push(digest);
            }
            if self.proposals.len() > Knowledge::PLACES {
                self.proposals.pop_first();
            }
        }
    }

    /// What was proposed for a place, in the order in which it was learnt.
    pub(crate) fn proposals(&self, view: View, seq: SeqNum) -> &[Digest] {
        self.proposals.get(&(seq, view)).map_or(&[], Vec::as_slice)
    }
}

/// An attack with its scope, as the controller holds it.
pub(crate) struct ActiveAttack {
    pub(crate) attack: Box<dyn Attack>,
    pub(crate) inbound: bool,
    scope: Scope,
    draws: Key,
}

impl ActiveAttack {
    pub(crate) fn new(config: &AttackConfig, draws: Key) -> ActiveAttack {
        let attack = config.kind.behaviour();
        ActiveAttack { attack, inbound: config.kind.is_inbound(), scope: config.scope.clone(), draws }
    }

    /// The name of the draws for this message if the attack applies to it, recipients aside.
    pub(crate) fn applies(&self, now: Time, node: NodeId, message: &Message) -> Option<Key> {
        let Scope { members, start, end, probability, messages, .. } = &self.scope;
        let kind = message.kind();
        let in_scope = *start <= now
            && now < *end
            && members.as_ref().is_none_or(|members| members.contains(&node))
            && self.attack.messages().contains(&kind)
            && messages.as_ref().is_none_or(|messages| messages.contains(&kind));
        if !in_scope {
            return None;
        }
        let view = message.view().map_or(0, |view| u64::from(view.0));
        let name = [u64::from(node.0), kind as u64, view, message.seq(), message.digest().0];
        let draws = name.into_iter().fold(self.draws, Key::child);
        draws.chance(*probability).then(|| draws.child(1))
    }

    /// Splits a message into what goes to nodes in scope and what does not.
    pub(crate) fn split(&self, from: NodeId, departure: Departure) -> (Option<Departure>, Option<Departure>) {
        let Some(scope) = &self.scope.to else { return (Some(departure), None) };
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        departure.to.for_each(from, |to| if scope.contains(&to) { inside.push(to) } else { outside.push(to) });
        let part = |nodes: Vec<NodeId>| {
            let message = departure.message.clone();
            (!nodes.is_empty()).then(|| Departure { to: Recipients::List(nodes.into()), message })
        };
        (part(inside), part(outside))
    }
}
