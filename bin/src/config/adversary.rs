//! `[adversary]`: who is corrupted, how far their power goes, and what they do.

use super::attack::{Source, nodes_kind, read_attack};
use super::experiment::{AdversarySettings, Corrupted, Count, GivenAdversary, NetworkPower, time};
use super::preset::{PRESETS, Preset};
use super::units::duration;
use super::{ConfigError, Document, Kind, Section, integer, list, word};
use byzlab_adversary::{AttackConfig, AttackKind, Selection};
use byzlab_replica::{Cluster, ProtocolConfig};
use std::path::Path;

/// The keys of a section go before those of its preset, and its attacks come after. Each attack is judged by what both come to.
pub(super) fn read_adversary(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    folder: &Path,
) -> Result<AdversarySettings, ConfigError> {
    let presets = PRESETS.iter().map(|preset| (preset.name, preset));
    let preset = section.optional("preset", word(presets))?;
    let document = preset.map_or_else(|| Document::parse("no preset", ""), Preset::document)?;
    let preset = document.root().section("adversary")?;

    let cluster = protocol.cluster;
    let base = read_powers(&preset, cluster, AdversarySettings::default())?;
    let mut adversary = read_powers(section, cluster, base)?;
    check_powers(section, protocol, &adversary)?;

    let presets = preset.sections("attack")?;
    let own = section.sections("attack")?;
    adversary.given.preset_attacks = presets.len();
    let sources = presets.iter().map(|attack| Source { attack, user: Some(section) });
    let sources: Vec<Source<'_>> = sources.chain(own.iter().map(|attack| Source { attack, user: None })).collect();
    for source in &sources {
        let attack = read_attack(source, protocol, &adversary, folder)?;
        adversary.attacks.push(attack);
    }
    check_parts(&sources, &adversary.attacks)?;
    Ok(adversary)
}

/// All that a section says but for the attacks; the rest is that of `base`.
fn read_powers(
    section: &Section<'_>,
    cluster: Cluster,
    base: AdversarySettings,
) -> Result<AdversarySettings, ConfigError> {
    let mut given = GivenAdversary::default();
    let corrupted = read_corrupted(section, cluster, base.corrupted, &mut given)?;
    let budget = section.optional("budget", count_kind())?;
    let clients = section.optional("clients", integer(0..))?;
    let network = section.optional_section("network")?;
    let network = network.map(|network| read_power(&network)).transpose()?;
    (given.budget, given.clients, given.network) = (budget.is_some(), clients.is_some(), network.is_some());
    Ok(AdversarySettings {
        corrupted,
        budget: budget.or(base.budget),
        clients: clients.unwrap_or(base.clients),
        network: network.or(base.network),
        attacks: Vec::new(),
        given,
    })
}

/// What cannot be, whichever of it the section and its preset say. An error points to what the section says of it.
fn check_powers(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    adversary: &AdversarySettings,
) -> Result<(), ConfigError> {
    let AdversarySettings { corrupted, budget, clients, given, .. } = adversary;
    let replicas = protocol.cluster.replicas();
    if let Some(budget) = budget.map(|budget| budget.of(protocol.cluster)) {
        if budget > replicas {
            let problem = format!("a budget of {budget} is more than the {replicas} replicas");
            return Err(section.error_at("budget", problem, format_args!("give at most {replicas}")));
        }
        let count = corrupted.count(protocol.cluster);
        if usize::from(budget) < count {
            let problem = format!("{count} replicas are corrupted from the start, more than the budget of {budget}");
            return Err(if given.budget {
                section.error_at("budget", problem, "raise it, or corrupt fewer")
            } else {
                section.error_at("preset", problem, "give an adversary.budget, or corrupt fewer")
            });
        }
    }
    if *clients >= protocol.clients && *clients > 0 {
        let key = if given.clients { "clients" } else { "preset" };
        let problem = format!("no honest client is left: there are {} clients", protocol.clients);
        return Err(section.error_at(key, problem, "corrupt fewer of them, or raise workload.clients"));
    }
    Ok(())
}

/// Twins divide what a corrupted replica hears and says among its copies, and colluders among their stories: not both at once.
fn check_parts(sources: &[Source<'_>], attacks: &[AttackConfig]) -> Result<(), ConfigError> {
    let is_twins = |attack: &AttackConfig| matches!(attack.kind, AttackKind::Twins(_));
    let is_collusion = |attack: &AttackConfig| matches!(&attack.kind, AttackKind::Equivocate(lie) if lie.collude);
    let mut parts = sources.iter().zip(attacks).filter(|(_, attack)| is_twins(attack) || is_collusion(attack));
    let Some((_, first)) = parts.next() else { return Ok(()) };
    // Any number may collude.
    let Some((source, second)) = parts.find(|(_, attack)| is_twins(first) || is_twins(attack)) else { return Ok(()) };
    let (problem, remedy) = if is_twins(first) && is_twins(second) {
        ("replicas are twins already", "give all `members` in one attack, or leave one out")
    } else {
        (
            "twins know nothing of each other, and who equivocates with `collude = true` knows of all others",
            "leave one of the two out, or give collude = false",
        )
    };
    Err(source.error_at("kind", problem, remedy))
}

fn count_kind() -> Kind<'static, Count> {
    integer(0..).map(Count::Number).or(word([("f", Count::Faults)]))
}

/// Who is corrupted from the start, and which of it the section says.
fn read_corrupted(
    section: &Section<'_>,
    cluster: Cluster,
    base: Corrupted,
    given: &mut GivenAdversary,
) -> Result<Corrupted, ConfigError> {
    let replicas = cluster.replicas();
    let members = section.optional("members", nodes_kind(replicas))?;
    let count: Option<Count> = section.optional("count", count_kind())?;
    let orders = [
        ("random", Selection::Random),
        ("first", Selection::First),
        ("last", Selection::Last),
        ("primary", Selection::Primary),
    ];
    let selection = section.optional("selection", word(orders))?;
    given.corrupted = members.is_some() || count.is_some();
    given.selection = selection.is_some();
    let usual = match &base {
        Corrupted::Count(_, selection) | Corrupted::Faults(selection) => *selection,
        Corrupted::Members(_) => Selection::Random,
    };
    let corrupted = match (members, count) {
        (Some(_), Some(_)) => {
            return Err(section.error_at("count", "`members` says already who is corrupted", "give one of the two"));
        }
        (Some(_), None) if selection.is_some() => {
            return Err(section.error_at("selection", "`members` says already who is corrupted", "leave it out"));
        }
        (Some(members), None) => Corrupted::Members(members),
        (None, Some(Count::Faults)) => Corrupted::Faults(selection.unwrap_or(usual)),
        (None, Some(Count::Number(count))) if count > replicas => {
            let problem = format!("more corrupted than the {replicas} replicas");
            return Err(section.error_at("count", problem, format_args!("give 0 to {replicas}")));
        }
        (None, Some(Count::Number(count))) => Corrupted::Count(count, selection.unwrap_or(usual)),
        (None, None) => match (base, selection) {
            (Corrupted::Count(count, _), Some(selection)) => Corrupted::Count(count, selection),
            (Corrupted::Faults(_), Some(selection)) => Corrupted::Faults(selection),
            (base, _) => base,
        },
    };
    Ok(corrupted)
}

fn read_power(section: &Section<'_>) -> Result<NetworkPower, ConfigError> {
    let actions = list(word(["drop", "hold", "delay"].map(|action| (action, action))));
    let actions = section.required("actions", actions)?;
    if actions.is_empty() {
        return Err(section.error_at("actions", "no power at all", "name some, or leave [adversary.network] out"));
    }
    let power = NetworkPower {
        drop: actions.contains(&"drop"),
        hold: actions.contains(&"hold"),
        delay: actions.contains(&"delay"),
        until: section.optional("until", duration())?.map(time),
    };
    Ok(power)
}
