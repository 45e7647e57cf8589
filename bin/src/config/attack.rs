//! `[[adversary.attack]]`: one attack, and what the experiment must have for it.

use super::experiment::{AdversarySettings, NetworkPower, span, time};
use super::latency::read_latency;
use super::units::{Probability, duration, probability};
use super::{ConfigError, Kind, Problem, Section, boolean, integer, list, number, word};
use byzlab_adversary::{
    About, ActsOn, AttackConfig, AttackKind, Groups, Interference, Need, NodeSort, Parameter, Scope, Visit,
};
use byzlab_network::{Latency, NodeId, Span, Time};
use byzlab_replica::{Authentication, Cluster, ProtocolConfig, View};
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

/// Where an attack is written.
pub(super) struct Source<'a> {
    /// Its table.
    pub(super) attack: &'a Section<'a>,
    /// If that is in a preset: the section that names the preset, which is all that the user sees of it.
    pub(super) user: Option<&'a Section<'a>>,
}

impl Source<'_> {
    /// An error for a check across keys, at a place that the user knows.
    pub(super) fn error_at(&self, key: &str, problem: impl Display, remedy: impl Display) -> ConfigError {
        let Some(user) = self.user else { return self.attack.error_at(key, problem, remedy) };
        let problem = problem.to_string();
        // It begins with the name of the attack, if it is about that.
        let whose = if problem.starts_with('`') { "its attack " } else { "" };
        user.error_at("preset", format_args!("{whose}{problem}"), remedy)
    }
}

pub(super) fn read_attack(
    source: &Source<'_>,
    protocol: &ProtocolConfig,
    adversary: &AdversarySettings,
    folder: &Path,
) -> Result<AttackConfig, ConfigError> {
    let section = source.attack;
    let nodes = protocol.cluster.replicas() + protocol.clients;
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
    let is_free = |key: &str| !names.contains(&key);
    let messages = || {
        // What acts on none says so below, whatever word is given.
        let own = if about.messages.is_empty() { &byzlab_replica::MessageKind::ALL[..] } else { about.messages };
        list(word(own.iter().map(|&kind| (kind.name(), kind))))
    };
    let probability =
        if is_free("probability") { section.or("probability", probability(), Probability::ALWAYS)?.get() } else { 1.0 };
    let scope = Scope {
        members: section.optional("members", nodes_kind(nodes))?,
        start: section.optional("start", duration())?.map_or(Time::START, time),
        end: section.optional("end", duration())?.map_or(Time::END, time),
        probability,
        messages: section.optional("messages", messages())?,
        view: section.optional("view", integer(0..))?.map(View),
        seq: section.optional("seq", integer(0..))?,
        to: if is_free("to") { section.optional("to", nodes_kind(nodes))? } else { None },
    };
    let is_given = |key: &str| is_free(key) && section.keys().any(|given| given == key);
    check_scope(source, about, &scope, &is_given)?;
    check_needs(source, about, protocol, adversary)?;
    if let (Some(interference), Some(power)) = (kind.interference(), &adversary.network) {
        check_power(source, interference, power, &scope)?;
    }
    check_members(source, about, &scope, protocol, adversary)?;
    Ok(AttackConfig { kind, scope })
}

/// What makes no sense for this kind of attack. What is written out although it holds anyway does no harm.
fn check_scope(
    source: &Source<'_>,
    about: About,
    scope: &Scope,
    is_given: &dyn Fn(&str) -> bool,
) -> Result<(), ConfigError> {
    if scope.end <= scope.start {
        return Err(source.error_at("end", "the attack ends before it starts", "give an end after the start"));
    }
    let says_something = [
        ("start", scope.start > Time::START),
        ("end", scope.end < Time::END),
        ("probability", scope.probability < 1.0),
        ("messages", true),
        ("view", true),
        ("seq", true),
        ("to", true),
        ("members", true),
    ];
    let limits = about.limits();
    let in_vain = says_something.into_iter().find(|(key, says)| *says && is_given(key) && !limits.contains(key));
    let Some((key, _)) = in_vain else { return Ok(()) };
    let why = match about.acts_on {
        ActsOn::Identity => "is what a replica is for the whole run",
        ActsOn::Itself if key == "members" => "is what the adversary does as a whole, and not one of its nodes",
        ActsOn::Hearing if !about.unprompted => "acts on what a corrupted replica receives, not on what it sends",
        _ => "acts by itself, not on messages that pass",
    };
    let keys: Vec<String> = limits.iter().map(|key| format!("`{key}`")).collect();
    let verb = if keys.len() == 1 { "limits" } else { "limit" };
    let remedy = format!("leave it out; {} {verb} it", keys.join(", "));
    Err(source.error_at(key, format_args!("`{}` {why}", about.name), remedy))
}

/// Members must be such as can take part, and be corrupted.
fn check_members(
    source: &Source<'_>,
    about: About,
    scope: &Scope,
    protocol: &ProtocolConfig,
    adversary: &AdversarySettings,
) -> Result<(), ConfigError> {
    let Some(members) = &scope.members else { return Ok(()) };
    if members.is_empty() {
        return Err(source.error_at("members", "nobody takes part", "name some, or leave it out: then all do"));
    }
    let cluster = protocol.cluster;
    let messages = scope.messages.as_deref().unwrap_or(about.messages);
    let name = about.name;
    for &member in members {
        let (can_take_part, problem, remedy) = if cluster.is_replica(member) {
            (about.is_for_replicas(), "a replica, and `{}` is for clients", "name corrupted clients, the last nodes")
        } else {
            (about.is_for_clients(messages), "a client, and `{}` is for replicas", "name corrupted replicas")
        };
        if !can_take_part {
            let problem = format!("node {member} is {}", problem.replace("{}", name));
            return Err(source.error_at("members", problem, remedy));
        }
    }
    // Nobody corrupted at all is what a sweep compares with.
    let candidates = adversary.candidates(protocol);
    let has_replicas = candidates.iter().any(|&node| cluster.is_replica(node));
    let is_compared = |node: NodeId| if cluster.is_replica(node) { has_replicas } else { !candidates.is_empty() };
    let honest = members.iter().find(|&&member| is_compared(member) && !candidates.contains(&member));
    let Some(&honest) = honest else { return Ok(()) };
    let remedy = if cluster.is_replica(honest) {
        "name it in adversary.members too, or leave it out here"
    } else {
        "leave it out, or raise adversary.clients: the last clients are corrupted"
    };
    Err(source.error_at("members", format_args!("node {honest} is not corrupted"), remedy))
}

/// What the attack takes and the experiment does not have.
fn check_needs(
    source: &Source<'_>,
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
        return Err(source.error_at("kind", format_args!("`{name}` {}", missing.0), missing.1));
    }
    Ok(())
}

/// An attack on the network must stay within what was granted. Where it goes on for longer, it ends with the power.
fn check_power(
    source: &Source<'_>,
    interference: &Interference,
    power: &NetworkPower,
    scope: &Scope,
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
        return Err(source.error_at("action", problem, remedy));
    }
    if power.until.is_some_and(|until| scope.start >= until) {
        let problem = "the power over the network has ended by then";
        return Err(source.error_at("start", problem, "start earlier, or raise adversary.network.until"));
    }
    if action == "hold" && scope.end == Time::END && power.until.is_none() {
        let problem = "what is held must leave at some time";
        return Err(source.error_at("end", problem, "give an `end`, or adversary.network.until"));
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
