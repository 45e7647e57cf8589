//! What an experiment says in vain: it reads well, and changes nothing in any run.

use super::experiment::{Experiment, Settings};
use super::processing::OPERATIONS;
use super::topology::{SitePlacement, TopologySettings};
use byzlab_adversary::{ActsOn, AttackConfig, AttackKind};
use byzlab_network::{Fickle, NetworkModel, NodeId, NodeSet, Pairs, Rule, Schedule, Span, Step, Time, Transport};
use byzlab_replica::{Authentication, Processing, ProtocolConfig};

impl Experiment {
    /// What is written and never plays, in any cell, of the scene, the topology and the costs: a line each, for a warning.
    pub fn idle_scenes(&self) -> Vec<String> {
        let mut lines = idle_lines(&self.base);
        for cell in &self.cells {
            let here = idle_lines(&cell.settings);
            lines.retain(|line| here.contains(line));
        }
        lines
    }
}

/// What a line says is the same in all cells where it holds, so that they can be compared.
fn idle_lines(settings: &Settings) -> Vec<String> {
    let mut lines = idle_rules(settings);
    let late_crashes = settings.crashes.iter().enumerate().filter(|(_, crash)| is_too_late(settings, crash.outage.at));
    lines.extend(late_crashes.map(|(index, _)| format!("cluster.crash[{index}] hits nobody: {LATE}")));
    lines.extend(idle_costs(settings));
    lines.extend(idle_attacks(settings));
    let late_partitions = settings.network.partitions.iter().enumerate();
    let late_partitions = late_partitions.filter(|(_, partition)| is_too_late(settings, partition.start()));
    lines.extend(late_partitions.map(|(index, _)| format!("network.partition[{index}] parts nobody: {LATE}")));
    lines.extend(idle_links(settings));
    lines.extend(settings.topology.iter().flat_map(|topology| idle_places(topology, &settings.protocol)));
    lines
}

/// Attacks that nobody is there for, or that come too late.
fn idle_attacks(settings: &Settings) -> Vec<String> {
    let adversary = &settings.adversary;
    let idle = |(index, attack)| {
        let what = match idle_reason(settings, attack) {
            Some(reason) => format!("changes nothing: {reason}"),
            None if stays_with_the_first(settings, attack) => "aims at the primary of view 0 for as long as nobody is \
                                                               corrupted, for only corrupted nodes hear of later views"
                .to_owned(),
            None => return None,
        };
        Some(format!("adversary.attack[{index}] {what}"))
    };
    adversary.attacks[adversary.given.preset_attacks..].iter().enumerate().filter_map(idle).collect()
}

fn idle_reason(settings: &Settings, attack: &AttackConfig) -> Option<&'static str> {
    let AttackConfig { kind, scope } = attack;
    if is_too_late(settings, scope.start) {
        return Some(LATE);
    }
    let at = match kind {
        AttackKind::Stop(stop) => stop.at,
        AttackKind::CorruptAt(corruption) => corruption.at,
        _ => None,
    };
    if let Some(at) = at.map(|at| Time::START + at) {
        if is_too_late(settings, at) {
            return Some("`at` is after experiment.time_limit");
        }
        if at >= scope.end {
            return Some("`at` is not before its `end`");
        }
    }
    let about = kind.about();
    if about.acts_on == ActsOn::Itself && kind.interference().is_some() {
        return None;
    }
    let candidates = settings.adversary.candidates(&settings.protocol);
    if candidates.is_empty() {
        return Some("nobody is corrupted");
    }
    let is_member = |node: &NodeId| scope.members.as_ref().is_none_or(|members| members.contains(node));
    let messages = scope.messages.as_deref().unwrap_or(about.messages);
    let can_act = |node: &NodeId| {
        let is_replica = settings.protocol.cluster.is_replica(*node);
        is_member(node) && if is_replica { about.is_for_replicas() } else { about.is_for_clients(messages) }
    };
    (!candidates.iter().any(can_act)).then_some("nobody who is corrupted can take part")
}

/// Whether an attack is to follow the primary, and nobody tells the adversary of later ones.
fn stays_with_the_first(settings: &Settings, attack: &AttackConfig) -> bool {
    let follows = match &attack.kind {
        AttackKind::Isolate(isolate) => isolate.targets.is_none(),
        AttackKind::TargetLinks(links) => links.from.is_none(),
        AttackKind::CorruptAt(corruption) => corruption.nodes.is_none() && corruption.at.is_some(),
        _ => false,
    };
    let is_nobody = settings.corrupted_count() == 0 && settings.adversary.clients == 0;
    follows && is_nobody && settings.protocol.view_change
}

const LATE: &str = "it starts after experiment.time_limit";
const LATE_STEP: &str = "its last step comes after experiment.time_limit";
const TO_ITSELF: &str = "no node sends anything to itself";

fn is_too_late(settings: &Settings, start: Time) -> bool {
    start > Time::START + settings.time_limit
}

fn idle_rules(settings: &Settings) -> Vec<String> {
    let rules = &settings.network.rules;
    let reason = |(index, rule): (usize, &Rule)| {
        let scope = rule.scope();
        let before = rules[..index].iter().position(|earlier| earlier.leaves_nothing_to(rule));
        let why = match before {
            _ if is_too_late(settings, scope.start) => LATE.to_owned(),
            _ if is_one_node(scope.from.as_ref(), scope.to.as_ref()) => TO_ITSELF.to_owned(),
            Some(earlier) => format!("network.rule[{earlier}] comes first and matches all that it could"),
            None => return None,
        };
        Some(format!("network.rule[{index}] matches nothing: {why}"))
    };
    rules.iter().enumerate().filter_map(reason).collect()
}

/// Whether there is no pair of different nodes. One of the sets may be all nodes, and those are at least two.
fn is_one_node(from: Option<&NodeSet>, to: Option<&NodeSet>) -> bool {
    from.is_some() && from == to && from.is_some_and(|nodes| nodes.iter().nth(1).is_none())
}

fn idle_links(settings: &Settings) -> Vec<String> {
    let NetworkModel { schedules, churn, .. } = &settings.network;
    let mut lines = Vec::new();
    if settings.scene.lines.retransmission.is_some() && settings.network.transport == Transport::Datagram {
        lines.push("network.retransmission changes nothing: a datagram that is lost is not sent again".to_owned());
    }
    for (index, schedule) in schedules.iter().enumerate() {
        let before = schedules[..index].iter().position(|earlier| covers(earlier, schedule, &settings.protocol));
        let is_late = |step: Option<&Step>| step.is_some_and(|step| is_too_late(settings, step.at));
        let Pairs { from, to } = schedule.pairs();
        let what = match before {
            _ if is_one_node(from.as_ref(), to.as_ref()) => format!("changes nothing: {TO_ITSELF}"),
            Some(earlier) => {
                format!("changes nothing: network.schedule[{earlier}] comes first and is for all its links")
            }
            None if is_late(schedule.steps().first()) => format!("changes nothing: {LATE_STEP}"),
            None if is_late(schedule.steps().last()) => format!("is not over: {LATE_STEP}"),
            None => continue,
        };
        lines.push(format!("network.schedule[{index}] {what}"));
    }
    for (index, churn) in churn.iter().enumerate() {
        if is_too_late(settings, churn.start()) {
            lines.push(format!("network.churn[{index}] moves nobody: {LATE}"));
        } else if matches!(churn.fickle(), Fickle::Links(Pairs { from, to }) if is_one_node(from.as_ref(), to.as_ref()))
        {
            lines.push(format!("network.churn[{index}] moves nobody: {TO_ITSELF}"));
        }
    }
    lines
}

/// Whether a schedule is for all links that another one is for.
fn covers(schedule: &Schedule, other: &Schedule, protocol: &ProtocolConfig) -> bool {
    let all = || NodeSet::of((0..protocol.cluster.replicas() + protocol.clients).map(NodeId));
    let is_wider = |mine: &Option<NodeSet>, other: &Option<NodeSet>| match (mine, other) {
        (None, _) => true,
        (Some(mine), Some(other)) => mine.covers(other),
        (Some(mine), None) => mine.covers(&all()),
    };
    is_wider(&schedule.pairs().from, &other.pairs().from) && is_wider(&schedule.pairs().to, &other.pairs().to)
}

fn idle_costs(settings: &Settings) -> Vec<String> {
    let Processing { verify, mac, cores, .. } = &settings.processing;
    let (has_verify, has_mac) = (verify.most() != Some(Span::ZERO), mac.most() != Some(Span::ZERO));
    let is_mac_given = OPERATIONS.iter().zip(settings.derived.costs).any(|(name, given)| given && *name == "mac");
    let mut lines = Vec::new();
    match settings.protocol.authentication {
        Authentication::Signature if has_mac => {
            let why = "with protocol.authentication = \"signature\" no message carries a MAC";
            lines.push(format!("processing.mac is never spent: {why}"));
        }
        // Whoever writes that a MAC is free means it.
        Authentication::Mac if has_verify && !has_mac && !is_mac_given => {
            let why =
                "with protocol.authentication = \"mac\" other messages carry MACs, and processing.mac is left out";
            lines.push(format!("processing.verify is spent on view changes and certificates alone: {why}"));
        }
        _ => {}
    }
    if cores.get() > 1 && settings.processing.is_free() {
        lines.push("processing.cores changes nothing: no operation costs anything".to_owned());
    }
    lines
}

fn idle_places(topology: &TopologySettings, protocol: &ProtocolConfig) -> Vec<String> {
    let mut lines = Vec::new();
    let kinds = [
        ("replicas", &topology.replicas, protocol.cluster.replicas()),
        ("clients", &topology.clients, protocol.clients),
    ];
    for (kind, placement, count) in kinds {
        let key = format!("network.topology.{kind}");
        match placement {
            SitePlacement::Listed(sites) if sites.len() > usize::from(count) => {
                lines.push(format!("{key} is longer than there are {kind}: nobody is placed by its end"));
            }
            SitePlacement::Random if topology.names.len() == 1 => {
                lines.push(format!("{key} = \"random\" draws nothing: one site is in play"));
            }
            _ => {}
        }
    }
    let is_taken = |site: &String| {
        kinds.iter().any(|(_, placement, count)| match placement {
            SitePlacement::Listed(sites) => sites.iter().take(usize::from(*count)).any(|other| other == site),
            SitePlacement::RoundRobin => topology.names.iter().take(usize::from(*count)).any(|other| other == site),
            SitePlacement::Random => topology.names.contains(site),
        })
    };
    for (index, link) in topology.links.iter().enumerate() {
        if let Some(site) = [&link.from, &link.to].into_iter().find(|site| !is_taken(site)) {
            lines.push(format!("network.topology.link[{index}] changes nothing: no node is at \"{site}\""));
        }
    }
    lines
}
