//! `[adversary]`: who is corrupted, and what they do.

use super::ConfigError;
use super::experiment::{AdversarySettings, Corrupted, GivenAdversary, NetworkPower, span, time};
use super::latency::read_latency;
use super::preset::PRESETS;
use super::units::{Probability, duration, probability};
use super::{Kind, Problem, Section, boolean, integer, list, number, word};
use byzlab_adversary::{
    About, ActsOn, AttackConfig, AttackKind, Groups, Interference, Need, NodeSort, Parameter, Scope, Selection, Visit,
};
use byzlab_network::{Latency, NodeId, Span, Time};
use byzlab_replica::{Authentication, Cluster, ProtocolConfig, View};
use std::ops::{Range, RangeInclusive};
use std::path::Path;

pub(super) fn read_adversary(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    folder: &Path,
) -> Result<AdversarySettings, ConfigError> {
    let presets = PRESETS.iter().map(|preset| (preset.name, preset));
    let Some(preset) = section.optional("preset", word(presets))? else {
        return read_beside(section, protocol, folder, AdversarySettings::default());
    };
    let document = preset.document()?;
    let base = document.root().section("adversary")?;
    let base = read_beside(&base, protocol, folder, AdversarySettings::default())?;
    read_beside(section, protocol, folder, base)
}

/// What a section says beside a preset: its own keys go before those of the preset, its attacks come after.
fn read_beside(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    folder: &Path,
    base: AdversarySettings,
) -> Result<AdversarySettings, ConfigError> {
    let cluster = protocol.cluster;
    let replicas = cluster.replicas();
    let (corrupted, is_given) = read_corrupted(section, cluster, base.corrupted)?;
    let budget = section.optional("budget", count_kind())?;
    let given = GivenAdversary {
        corrupted: is_given,
        budget: budget.is_some(),
        clients: section.peek("clients").is_some(),
        network: section.peek("network").is_some(),
        preset_attacks: base.attacks.len(),
    };
    let budget = budget.map(|budget| budget.of(cluster)).or(base.budget);
    if let Some(budget) = budget.filter(|&budget| budget > replicas) {
        let problem = format!("a budget of {budget} is more than the {replicas} replicas");
        return Err(section.error_at("budget", problem, format_args!("give at most {replicas}")));
    }
    let count = corrupted.count(cluster);
    if let Some(budget) = budget.filter(|&budget| usize::from(budget) < count) {
        let problem = format!("{count} replicas are corrupted from the start, more than the budget of {budget}");
        return Err(section.error_at("budget", problem, "raise it, or corrupt fewer"));
    }
    let clients: u16 = section.or("clients", integer(0..), base.clients)?;
    if clients >= protocol.clients && clients > 0 {
        let problem = format!("no honest client is left: there are {} clients", protocol.clients);
        return Err(section.error_at("clients", problem, "corrupt fewer of them, or raise workload.clients"));
    }
    let network = section.optional_section("network")?;
    let network = network.map(|network| read_power(&network)).transpose()?.or(base.network);
    let mut adversary = AdversarySettings { corrupted, budget, clients, network, attacks: base.attacks, given };
    let sections = section.sections("attack")?;
    for attack in &sections {
        let attack = read_attack(attack, protocol, &adversary, folder)?;
        adversary.attacks.push(attack);
    }
    check_parts(&sections, &adversary.attacks[given.preset_attacks..])?;
    Ok(adversary)
}

/// Twins divide what a corrupted replica hears and says among its copies, and colluders among their stories: not both at once.
fn check_parts(sections: &[Section<'_>], attacks: &[AttackConfig]) -> Result<(), ConfigError> {
    let is_twins = |attack: &AttackConfig| matches!(attack.kind, AttackKind::Twins(_));
    let is_collusion = |attack: &AttackConfig| matches!(&attack.kind, AttackKind::Equivocate(lie) if lie.collude);
    let mut parts = sections.iter().zip(attacks).filter(|(_, attack)| is_twins(attack) || is_collusion(attack));
    let (Some((_, first)), Some((section, second))) = (parts.next(), parts.next()) else { return Ok(()) };
    if is_collusion(first) && is_collusion(second) {
        return Ok(());
    }
    let (problem, remedy) = if is_twins(first) && is_twins(second) {
        ("replicas are twins already", "give all `members` in one attack, or leave one out")
    } else {
        (
            "twins know nothing of each other, and who equivocates with `collude = true` knows of all others",
            "leave one of the two out, or give collude = false",
        )
    };
    Err(section.error_at("kind", problem, remedy))
}

/// How many replicas: a number, or f.
#[derive(Clone, Copy)]
enum Count {
    Number(u16),
    Faults,
}

impl Count {
    fn of(self, cluster: Cluster) -> u16 {
        match self {
            Count::Number(number) => number,
            Count::Faults => cluster.faults(),
        }
    }
}

fn count_kind() -> Kind<'static, Count> {
    integer(0..).map(Count::Number).or(word([("f", Count::Faults)]))
}

/// Who is corrupted from the start, and whether the section says something of it.
fn read_corrupted(section: &Section<'_>, cluster: Cluster, base: Corrupted) -> Result<(Corrupted, bool), ConfigError> {
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
    let is_given = members.is_some() || count.is_some() || selection.is_some();
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
    Ok((corrupted, is_given))
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

fn read_attack(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    adversary: &AdversarySettings,
    folder: &Path,
) -> Result<AttackConfig, ConfigError> {
    let cluster = protocol.cluster;
    let nodes = cluster.replicas() + protocol.clients;
    let kinds = AttackKind::all();
    let kinds = kinds.into_iter().map(|kind| (kind.name(), kind));
    let mut kind = section.required("kind", word(kinds))?;
    let mut reader = ParameterReader { section, protocol, folder, names: Vec::new(), error: None };
    kind.visit(&mut reader);
    let ParameterReader { names, error, .. } = reader;
    if let Some(error) = error {
        return Err(error);
    }
    let about = kind.about();
    // A parameter of the kind goes before the part of the scope of the same name.
    let probability = if names.contains(&"probability") {
        1.0
    } else {
        section.or("probability", probability(), Probability::ALWAYS)?.get()
    };
    let scope = Scope {
        members: section.optional("members", nodes_kind(nodes))?,
        start: section.optional("start", duration())?.map_or(Time::START, time),
        end: section.optional("end", duration())?.map_or(Time::END, time),
        probability,
        messages: section.optional("messages", list(word(about.messages.iter().map(|&kind| (kind.name(), kind)))))?,
        view: section.optional("view", integer(0..))?.map(View),
        seq: section.optional("seq", integer(0..))?,
        to: if names.contains(&"to") { None } else { section.optional("to", nodes_kind(nodes))? },
    };
    let mut scope = scope;
    check_scope(section, about, &scope)?;
    check_needs(section, about, protocol, adversary)?;
    if let (Some(interference), Some(power)) = (kind.interference(), &adversary.network) {
        check_power(section, interference, power, &mut scope)?;
    }
    if let (Some(members), Some(all)) = (&scope.members, adversary.members(protocol))
        && let Some(honest) = members.iter().find(|member| !all.contains(member))
    {
        let problem = format!("node {honest} is not corrupted");
        return Err(section.error_at("members", problem, "name it in adversary.members too, or leave it out here"));
    }
    Ok(AttackConfig { kind, scope })
}

/// What makes no sense for this kind of attack.
fn check_scope(section: &Section<'_>, about: About, scope: &Scope) -> Result<(), ConfigError> {
    if scope.end <= scope.start {
        return Err(section.error_at("end", "the attack ends before it starts", "give an end after the start"));
    }
    let name = about.name;
    if about.acts_on == ActsOn::Hearing && scope.to.is_some() {
        let problem = format!("`{name}` acts on what a corrupted replica receives, not on what it sends");
        return Err(section.error_at("to", problem, "leave it out"));
    }
    if about.messages.is_empty() {
        let is_identity = about.acts_on == ActsOn::Identity;
        let given = [
            ("start", is_identity && scope.start > Time::START),
            ("end", is_identity && scope.end < Time::END),
            ("to", scope.to.is_some()),
            ("messages", scope.messages.is_some()),
            ("view", scope.view.is_some()),
            ("seq", scope.seq.is_some()),
            ("probability", scope.probability < 1.0),
        ];
        if let Some((key, _)) = given.into_iter().find(|(_, given)| *given) {
            let (problem, remedy) = if is_identity {
                ("is what a replica is for the whole run", "leave it out; `members` limits it")
            } else {
                ("acts by itself, not on messages that pass", "leave it out; `members`, `start` and `end` limit it")
            };
            return Err(section.error_at(key, format_args!("`{name}` {problem}"), remedy));
        }
    }
    Ok(())
}

/// What the attack takes and the experiment does not have.
fn check_needs(
    section: &Section<'_>,
    about: About,
    protocol: &ProtocolConfig,
    adversary: &AdversarySettings,
) -> Result<(), ConfigError> {
    let name = about.name;
    for need in about.needs {
        let missing = match need {
            Need::Network if adversary.network.is_none() => (
                "acts on the network, and the adversary has no power over it",
                "grant it, for example [adversary.network] actions = [\"drop\"]",
            ),
            Need::Clients if adversary.clients == 0 => {
                ("takes corrupted clients, and there are none", "add adversary.clients = 1")
            }
            Need::Budget if adversary.takeovers(protocol.cluster) == 0 => (
                "corrupts more replicas while the run goes on, and the budget is spent at the start",
                "give an adversary.budget above adversary.count",
            ),
            Need::ViewChanges if !protocol.view_change => {
                ("acts in view changes, and there are none", "give protocol.view_change = true")
            }
            Need::Macs if protocol.authentication != Authentication::Mac => (
                "takes requests that some replicas can verify and others cannot, which signatures rule out",
                "give protocol.authentication = \"mac\"",
            ),
            _ => continue,
        };
        return Err(section.error_at("kind", format_args!("`{name}` {}", missing.0), missing.1));
    }
    Ok(())
}

/// An attack on the network must stay within what was granted; its end does.
fn check_power(
    section: &Section<'_>,
    interference: &Interference,
    power: &NetworkPower,
    scope: &mut Scope,
) -> Result<(), ConfigError> {
    let action = interference.action;
    let granted = match action {
        "drop" => power.drop,
        "hold" => power.hold,
        _ => power.delay,
    };
    if !granted {
        let problem = format!("the adversary was not granted to {action} messages");
        let remedy = format!("add \"{action}\" to adversary.network.actions, or choose another action");
        return Err(section.error_at("action", problem, remedy));
    }
    if let Some(until) = power.until {
        if scope.start >= until {
            let problem = "the power over the network has ended by then";
            return Err(section.error_at("start", problem, "start earlier, or raise adversary.network.until"));
        }
        scope.end = scope.end.min(until);
    }
    if action == "hold" && scope.end == Time::END {
        let problem = "what is held must leave at some time";
        return Err(section.error_at("end", problem, "give an `end`, or adversary.network.until"));
    }
    Ok(())
}

/// Puts what the file says into the parameters of an attack.
struct ParameterReader<'a> {
    section: &'a Section<'a>,
    protocol: &'a ProtocolConfig,
    folder: &'a Path,
    names: Vec<&'static str>,
    /// The first that went wrong.
    error: Option<ConfigError>,
}

impl ParameterReader<'_> {
    fn take<T>(&mut self, parameter: Parameter, kind: Kind<'_, T>, put: impl FnOnce(T)) {
        self.names.push(parameter.name);
        let read = self.section.optional(parameter.name, kind);
        self.settle(read.map(|given| given.map_or((), put)));
    }

    fn settle(&mut self, result: Result<(), ConfigError>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

impl Visit for ParameterReader<'_> {
    fn span(&mut self, parameter: Parameter, value: &mut Option<Span>) {
        self.take(parameter, duration(), |given| *value = Some(span(given)));
    }

    fn latency(&mut self, parameter: Parameter, value: &mut Latency) {
        self.names.push(parameter.name);
        let section = self.section.optional_section(parameter.name);
        let read = section.and_then(|section| section.map(|table| read_latency(&table, self.folder)).transpose());
        let read = read.map(|given| given.map_or((), |given| *value = given));
        self.settle(read);
    }

    fn probability(&mut self, parameter: Parameter, value: &mut f64) {
        self.take(parameter, probability(), |given| *value = given.get());
    }

    fn rate(&mut self, parameter: Parameter, value: &mut f64) {
        let positive = number(..).check(|rate: f64| {
            let problem = Problem::new("a rate is above 0 and at most a million");
            if rate > 0.0 && rate <= 1e6 { Ok(rate) } else { Err(problem) }
        });
        self.take(parameter, positive, |given| *value = given);
    }

    fn integer(&mut self, parameter: Parameter, range: RangeInclusive<u64>, value: &mut u64) {
        self.take(parameter, integer(range), |given| *value = given);
    }

    fn flag(&mut self, parameter: Parameter, value: &mut bool) {
        self.take(parameter, boolean(), |given| *value = given);
    }

    fn word(&mut self, parameter: Parameter, words: &'static [&'static str], value: &mut &'static str) {
        self.take(parameter, word(words.iter().map(|&word| (word, word))), |given| *value = given);
    }

    fn nodes(&mut self, parameter: Parameter, sort: NodeSort, value: &mut Option<Vec<NodeId>>) {
        let (replicas, clients) = (self.protocol.cluster.replicas(), self.protocol.clients);
        let range = match sort {
            NodeSort::Replicas => 0..replicas,
            NodeSort::Clients => replicas..replicas + clients,
            NodeSort::Any => 0..replicas + clients,
        };
        self.take(parameter, nodes_in(range), |given| *value = Some(given));
    }

    fn groups(&mut self, parameter: Parameter, value: &mut Groups) {
        self.names.push(parameter.name);
        let read = read_groups(self.section, parameter.name, self.protocol.cluster);
        self.settle(read.map(|given| given.map_or((), |given| *value = given)));
    }
}

fn read_groups(section: &Section<'_>, key: &str, cluster: Cluster) -> Result<Option<Groups>, ConfigError> {
    let words = word([("each", Groups::Each), ("halves", Groups::Halves)]);
    let lists = list(nodes_kind(cluster.replicas())).map(Groups::Lists);
    let groups = section.optional(key, words.or(lists))?;
    if let Some(Groups::Lists(lists)) = &groups {
        let mut all = lists.concat();
        all.sort_unstable();
        if let Some(replica) = repeated(&all) {
            let problem = format!("replica {replica} is in two groups");
            return Err(section.error_at(key, problem, "put each replica into one group at most"));
        }
    }
    Ok(groups)
}

/// Node ids below `nodes`, each once, in order.
pub(super) fn nodes_kind(nodes: u16) -> Kind<'static, Vec<NodeId>> {
    nodes_in(0..nodes)
}

/// Node ids in a range, each once, in order.
fn nodes_in(range: Range<u16>) -> Kind<'static, Vec<NodeId>> {
    list(integer(range).map(NodeId)).check(|mut nodes: Vec<NodeId>| {
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
