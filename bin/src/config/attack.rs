//! `[adversary]`: who is corrupted, and what they do.

use super::ConfigError;
use super::experiment::{AdversarySettings, Corrupted, time};
use super::units::{Probability, duration, probability};
use super::{Kind, Problem, Section, boolean, integer, list, word};
use byzlab_adversary::{AttackConfig, AttackKind, Groups, Scope, Selection};
use byzlab_network::{NodeId, Time};
use byzlab_replica::{Cluster, ProtocolConfig};

pub(super) fn read_adversary(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
) -> Result<AdversarySettings, ConfigError> {
    let replicas = protocol.cluster.replicas();
    let members = section.optional("members", nodes_kind(replicas))?;
    let count: Option<u16> = section.optional("count", integer(0..))?;
    let orders = [
        ("random", Selection::Random),
        ("first", Selection::First),
        ("last", Selection::Last),
        ("primary", Selection::Primary),
    ];
    let selection = section.optional("selection", word(orders))?;
    let corrupted = match (members, count) {
        (Some(_), Some(_)) => {
            return Err(section.error_at("count", "`members` says already who is corrupted", "give one of the two"));
        }
        (Some(_), None) if selection.is_some() => {
            return Err(section.error_at("selection", "`members` says already who is corrupted", "leave it out"));
        }
        (Some(members), None) => Corrupted::Members(members),
        (None, count) => {
            let count = count.unwrap_or(0);
            if count > replicas {
                let problem = format!("more corrupted than the {replicas} replicas");
                return Err(section.error_at("count", problem, format_args!("give 0 to {replicas}")));
            }
            Corrupted::Count(count, selection.unwrap_or(Selection::Random))
        }
    };
    let attacks = section.sections("attack")?;
    let attacks = attacks.iter().map(|attack| read_attack(attack, protocol, &corrupted)).collect::<Result<_, _>>()?;
    Ok(AdversarySettings { corrupted, attacks })
}

fn read_attack(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    corrupted: &Corrupted,
) -> Result<AttackConfig, ConfigError> {
    let cluster = protocol.cluster;
    let kinds = ["silent", "ignore", "fake_digest", "conflicting_votes", "equivocate"];
    let kind = match section.required("kind", word(kinds.map(|kind| (kind, kind))))? {
        "silent" => AttackKind::Silent,
        "ignore" => AttackKind::Ignore,
        "fake_digest" => AttackKind::FakeDigest,
        "conflicting_votes" => AttackKind::ConflictingVotes,
        _ => {
            let groups = read_groups(section, cluster)?;
            AttackKind::Equivocate { groups, collude: section.or("collude", boolean(), false)? }
        }
    };
    let scope = Scope {
        members: section.optional("members", nodes_kind(cluster.replicas()))?,
        start: section.optional("start", duration())?.map_or(Time::START, time),
        end: section.optional("end", duration())?.map_or(Time::END, time),
        probability: section.or("probability", probability(), Probability::ALWAYS)?.get(),
        messages: section.optional("messages", list(word(kind.messages().iter().map(|&kind| (kind.name(), kind)))))?,
        to: section.optional("to", nodes_kind(cluster.replicas() + protocol.clients))?,
    };
    if scope.end <= scope.start {
        return Err(section.error_at("end", "the attack ends before it starts", "give an end after the start"));
    }
    if kind.is_inbound() && scope.to.is_some() {
        let problem = format!("`{}` acts on what a corrupted replica receives, not on what it sends", kind.name());
        return Err(section.error_at("to", problem, "leave it out"));
    }
    if let (Some(members), Corrupted::Members(all)) = (&scope.members, corrupted)
        && let Some(honest) = members.iter().find(|member| !all.contains(member))
    {
        let problem = format!("replica {honest} is not corrupted");
        return Err(section.error_at("members", problem, "name it in adversary.members too, or leave it out here"));
    }
    Ok(AttackConfig { kind, scope })
}

fn read_groups(section: &Section<'_>, cluster: Cluster) -> Result<Groups, ConfigError> {
    let words = word([("each", Groups::Each), ("halves", Groups::Halves)]);
    let lists = list(nodes_kind(cluster.replicas())).map(Groups::Lists);
    let groups = section.or("groups", words.or(lists), Groups::Halves)?;
    if let Groups::Lists(lists) = &groups {
        let mut all = lists.concat();
        all.sort_unstable();
        if let Some(replica) = repeated(&all) {
            let problem = format!("replica {replica} is in two groups");
            return Err(section.error_at("groups", problem, "put each replica into one group at most"));
        }
    }
    Ok(groups)
}

/// Node ids below `nodes`, each once, in order.
pub(super) fn nodes_kind(nodes: u16) -> Kind<'static, Vec<NodeId>> {
    list(integer(0..nodes).map(NodeId)).check(|mut nodes: Vec<NodeId>| {
        nodes.sort_unstable();
        match repeated(&nodes) {
            Some(node) => Err(Problem::new(format_args!("node {node} comes twice")).hint("name each node once")),
            None => Ok(nodes),
        }
    })
}

/// A node that a sorted list names twice.
fn repeated(sorted: &[NodeId]) -> Option<NodeId> {
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
