//! What a fault is, and what a schedule of faults makes of the settings of a run.

use crate::config::{Corrupted, Count, Crash, NodeNames, PairNames, Settings};
use byzlab_adversary::AttackConfig;
use byzlab_network::{Action, KindSet, Latency, NodeId, NodeSet, Rule, RuleScope, Span, Time};
use byzlab_replica::MessageKind;
use std::collections::BTreeSet;
use std::fmt;

/// What is done to a run: who is corrupted, and a list of faults.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    /// The corrupted replicas, lowest id first.
    pub corrupted: Vec<NodeId>,
    /// How many more can be corrupted while the run goes on.
    pub takeovers: u16,
    /// What goes wrong, in no order that matters to a reader.
    pub faults: Vec<Fault>,
}

/// Something that goes wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// The network mistreats some messages.
    Network(NetworkFault),
    /// Corrupted replicas misbehave.
    Attack(AttackConfig),
    /// An honest replica crashes, and comes back with its durable state.
    Crash(Crash),
}

/// Messages that the network mistreats. They are named by the round of the protocol that they belong to: kind, view and number.
#[derive(Clone, PartialEq, Debug)]
pub struct NetworkFault {
    /// What becomes of them.
    pub deed: Deed,
    /// Who sends them; none means anybody.
    pub from: Option<Vec<NodeId>>,
    /// Whom they are for; none means anybody.
    pub to: Option<Vec<NodeId>>,
    /// Whether those the other way count too: a partition.
    pub both_ways: bool,
    /// Of which kinds; none means any.
    pub kinds: Option<Vec<MessageKind>>,
    /// Of which view; none means any or no view.
    pub view: Option<u64>,
    /// With which sequence number, as [`Message::seq`](byzlab_replica::Message::seq) says; none means any.
    pub seq: Option<u64>,
    /// Sent at this instant or later,
    pub start: Time,
    /// and before this one.
    pub end: Time,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It is lost.
    Drop,
    /// It leaves at the end of the fault.
    Hold,
    /// It takes so much longer.
    Delay(Span),
    /// It comes twice.
    Duplicate,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Deed::Drop => "drop",
            Deed::Hold => "hold",
            Deed::Delay(_) => "delay",
            Deed::Duplicate => "duplicate",
        }
    }

    fn action(self) -> Action {
        match self {
            Deed::Drop => Action::Drop,
            Deed::Hold => Action::Hold,
            Deed::Delay(extra) => Action::Delay(Latency::constant(extra)),
            Deed::Duplicate => Action::Duplicate,
        }
    }
}

impl NetworkFault {
    /// The rules of the network that make it: one, or one for each direction. None if it is for nobody, or over before it starts.
    fn rules(&self) -> impl Iterator<Item = (Rule, PairNames)> {
        let directions = [Some((&self.from, &self.to)), self.both_ways.then_some((&self.to, &self.from))];
        directions.into_iter().flatten().filter_map(|(from, to)| {
            let set = |nodes: &Option<Vec<NodeId>>| nodes.as_ref().map(|nodes| NodeSet::of(nodes.iter().copied()));
            let names = |nodes: &Option<Vec<NodeId>>| nodes.clone().map(NodeNames::Listed);
            let scope = RuleScope {
                from: set(from),
                to: set(to),
                kinds: self.kinds.as_ref().map(|kinds| KindSet::of(kinds.iter().map(|&kind| kind as u8))),
                view: self.view,
                seq: self.seq,
                start: self.start,
                end: Some(self.end),
                probability: 1.0,
            };
            Some((Rule::new(scope, self.deed.action()).ok()?, (names(from), names(to))))
        })
    }
}

impl Fault {
    /// What it is and which kinds of messages it touches; not who, when or in which round.
    pub fn kind(&self) -> String {
        let messages = |kinds: &Option<Vec<MessageKind>>| {
            let kinds: Option<Vec<&str>> = kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.name()).collect());
            kinds.map_or(String::new(), |kinds| format!("({})", kinds.join(", ")))
        };
        match self {
            Fault::Network(fault) => {
                let partition = if fault.both_ways { " both ways" } else { "" };
                format!("{}{}{partition}", fault.deed.name(), messages(&fault.kinds))
            }
            Fault::Attack(attack) => format!("{}{}", attack.kind.name(), messages(&attack.scope.messages)),
            Fault::Crash(_) => "crash".to_owned(),
        }
    }
}

/// What it is, with who, when and in which round.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = |nodes: &[NodeId]| nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let ms = |time: Time| time.since(Time::START).as_millis_f64();
        write!(out, "{}", self.kind())?;
        match self {
            Fault::Network(fault) => {
                for (name, number) in [("view", fault.view), ("number", fault.seq)] {
                    if let Some(number) = number {
                        write!(out, ", {name} {number}")?;
                    }
                }
                for (word, some) in [("from", &fault.from), ("to", &fault.to)] {
                    if let Some(some) = some {
                        write!(out, ", {word} {}", nodes(some))?;
                    }
                }
                if let Deed::Delay(extra) = fault.deed {
                    write!(out, ", by {} ms", extra.as_millis_f64())?;
                }
                write!(out, ", from {} ms until {} ms", ms(fault.start), ms(fault.end))
            }
            Fault::Attack(AttackConfig { scope, .. }) => {
                if let Some(members) = &scope.members {
                    write!(out, ", of {}", nodes(members))?;
                }
                if let Some(to) = &scope.to {
                    write!(out, ", towards {}", nodes(to))?;
                }
                if scope.start > Time::START {
                    write!(out, ", from {} ms", ms(scope.start))?;
                }
                if scope.end < Time::END {
                    write!(out, ", until {} ms", ms(scope.end))?;
                }
                if scope.probability < 1.0 { write!(out, ", with probability {}", scope.probability) } else { Ok(()) }
            }
            Fault::Crash(Crash { node, outage }) => {
                write!(out, " of {node}, from {} ms", ms(outage.at))?;
                outage.recover_at.map_or(Ok(()), |end| write!(out, " until {} ms", ms(end)))
            }
        }
    }
}

impl Schedule {
    /// The kinds of its faults, sorted, each once.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.faults.iter().map(Fault::kind).collect()
    }

    /// How many faults it has, in words.
    pub(super) fn size(&self) -> String {
        match self.faults.len() {
            1 => "1 fault".to_owned(),
            count => format!("{count} faults"),
        }
    }

    /// The settings of a run with these faults on top of what `base` says.
    pub fn settings(&self, base: &Settings) -> Settings {
        let is_corrupted = |node: &NodeId| self.corrupted.contains(node);
        let mut settings = base.clone();
        settings.adversary.corrupted = Corrupted::Members(self.corrupted.clone());
        if self.takeovers > 0 {
            settings.adversary.budget = Some(Count::Number(self.corrupted.len() as u16 + self.takeovers));
        }
        let clients: Vec<NodeId> = settings.adversary.corrupted_clients(&settings.protocol).collect();
        // Whoever falls later can be anybody.
        let falls = settings.adversary.takeovers(settings.protocol.cluster) > 0;
        // An attack or a crash that the file has for certain replicas may have nobody left in this run.
        settings.adversary.attacks.retain_mut(|attack| match &mut attack.scope.members {
            Some(members) => {
                members.retain(|node| falls || is_corrupted(node) || clients.contains(node));
                !members.is_empty()
            }
            None => true,
        });
        settings.crashes.retain(|crash| !is_corrupted(&crash.node));
        for fault in &self.faults {
            match fault {
                Fault::Network(fault) => {
                    for (rule, names) in fault.rules() {
                        settings.network.rules.push(rule);
                        settings.scene.rules.push(names);
                    }
                }
                Fault::Attack(attack) => settings.adversary.attacks.push(attack.clone()),
                Fault::Crash(crash) => settings.crashes.push(*crash),
            }
        }
        settings
    }
}
