//! `[[network.rule]]`, `[[network.partition]]` and `[network.synchrony]`: scripted scenes.

use super::attack::nodes_kind;
use super::experiment::{span, time};
use super::latency::read_latency;
use super::links::{FickleNames, LineNames, PairNames, check_scene, read_links};
use super::units::{Probability, duration, probability};
use super::{ConfigError, Kind, Problem, Section, boolean, integer, list, word};
use byzlab_network::{
    Action, Cut, KindSet, NetworkModel, NodeId, NodeSet, Partition, Rule, RuleScope, SceneError, Span, Synchrony, Time,
};
use byzlab_replica::{MessageKind, ProtocolConfig};
use std::path::Path;

/// Nodes as a file names them: who `"replicas"` are follows the number of replicas, so a sweep over that must not freeze them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeNames {
    /// `"replicas"`: all of them.
    Replicas,
    /// `"clients"`: all of them.
    Clients,
    /// A list of ids.
    Listed(Vec<NodeId>),
}

/// How the parts of `[network]` name their nodes. Who that is stands in the [`NetworkModel`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SceneNames {
    /// `from` and `to` of each rule.
    pub rules: Vec<PairNames>,
    /// The groups of each partition.
    pub partitions: Vec<Vec<NodeNames>>,
    /// Who has which lines.
    pub lines: LineNames,
    /// `from` and `to` of each schedule.
    pub schedules: Vec<PairNames>,
    /// Who comes and goes, for each churn.
    pub churn: Vec<FickleNames>,
}

/// What is needed to understand a scene.
pub(super) struct Stage<'a> {
    pub(super) protocol: &'a ProtocolConfig,
    pub(super) time_limit: Span,
    /// Where files of latencies are looked for.
    pub(super) folder: &'a Path,
}

/// Adds to `network` what its section says of scenes.
pub(super) fn read_scene(
    section: &Section<'_>,
    stage: &Stage<'_>,
    network: NetworkModel,
) -> Result<(NetworkModel, SceneNames), ConfigError> {
    let rules = section.sections("rule")?;
    let rules = rules.iter().map(|rule| read_rule(rule, stage)).collect::<Result<Vec<_>, _>>()?;
    let partitions = section.sections("partition")?;
    let partitions = partitions.iter().map(|part| read_partition(part, stage)).collect::<Result<Vec<_>, _>>()?;
    let synchrony = match section.optional_section("synchrony")? {
        Some(table) => Some(read_synchrony(&table, stage)?),
        None => None,
    };
    let (rules, rule_names) = rules.into_iter().unzip();
    let (partitions, partition_names) = partitions.into_iter().unzip();
    let (network, lines, schedules, churn) = read_links(section, stage, network)?;
    let network = NetworkModel { rules, partitions, synchrony, ..network };
    check_scene(section, &network)?;
    let names = SceneNames { rules: rule_names, partitions: partition_names, lines, schedules, churn };
    Ok((network, names))
}

fn read_rule(section: &Section<'_>, stage: &Stage<'_>) -> Result<(Rule, PairNames), ConfigError> {
    let actions = ["drop", "hold", "delay", "duplicate"];
    let word_of_action = section.required("action", word(actions.map(|action| (action, action))))?;
    let delay = section.optional_section("delay")?;
    let action = match (word_of_action, delay) {
        ("delay", Some(table)) => Action::Delay(read_latency(&table, stage.folder)?),
        ("delay", None) => {
            let remedy = "say by how much longer, for example delay = { distribution = \"constant\", value = \"5ms\" }";
            return Err(section.error_at("delay", "missing", remedy));
        }
        (other, Some(_)) => {
            let problem = format!("the action \"{other}\" takes no delay");
            return Err(section.error_at("delay", problem, "leave it out, or write action = \"delay\""));
        }
        ("drop", None) => Action::Drop,
        ("hold", None) => Action::Hold,
        _ => Action::Duplicate,
    };
    let from = section.optional("from", names_kind(stage.protocol))?;
    let to = section.optional("to", names_kind(stage.protocol))?;
    let kinds = list(word(MessageKind::ALL.map(|kind| (kind.name(), kind as u8)))).check(some_of);
    let set = |names: &Option<NodeNames>| names.as_ref().map(|names| names.resolve(stage.protocol));
    let scope = RuleScope {
        from: set(&from),
        to: set(&to),
        kinds: section.optional("messages", kinds)?.map(KindSet::of),
        view: section.optional("view", integer(0..))?,
        seq: section.optional("seq", integer(0..))?,
        start: section.optional("start", duration())?.map_or(Time::START, time),
        end: section.optional("end", duration())?.map(time),
        probability: section.or("probability", probability(), Probability::ALWAYS)?.get(),
    };
    let rule = Rule::new(scope, action).map_err(|error| explain(section, &error))?;
    Ok((rule, (from, to)))
}

fn read_partition(section: &Section<'_>, stage: &Stage<'_>) -> Result<(Partition, Vec<NodeNames>), ConfigError> {
    let start = section.optional("start", duration())?.map_or(Time::START, time);
    let end = section.optional("end", duration())?.map(time);
    let names = section.required("groups", list(names_kind(stage.protocol)))?;
    let cut = section.or("mode", word([("drop", Cut::Drop), ("hold", Cut::Hold)]), Cut::Drop)?;
    let groups = names.iter().map(|group| group.resolve(stage.protocol)).collect();
    let partition = Partition::new(start, end, groups, cut).map_err(|error| explain(section, &error))?;
    let one_way = section.or("one_way", boolean(), false)?;
    Ok((if one_way { partition.one_way() } else { partition }, names))
}

fn read_synchrony(section: &Section<'_>, stage: &Stage<'_>) -> Result<Synchrony, ConfigError> {
    let gst = span(section.required("gst", duration())?);
    let latency = section.optional_section("latency")?;
    let latency = latency.map(|table| read_latency(&table, stage.folder)).transpose()?;
    let drop = section.optional("drop", probability())?.map(Probability::get);
    if gst > stage.time_limit {
        let remedy = "give a gst up to experiment.time_limit, or raise that; for an unstable network leave out \
             [network.synchrony] and set network.latency and network.drop";
        return Err(section.error_at("gst", "the run is over by then", remedy));
    }
    if latency.is_none() && drop.is_none() {
        let problem = "nothing is different before gst";
        return Err(section.error_at("", problem, "give `latency` or `drop` that hold before gst, or leave it out"));
    }
    Ok(Synchrony { gst: Time::START + gst, latency, drop })
}

fn explain(section: &Section<'_>, error: &SceneError) -> ConfigError {
    let (key, remedy) = match error {
        SceneError::Backwards => ("end", "give an end after the start (which is 0ms if it is left out)"),
        SceneError::HeldForEver => ("end", "give an end, or drop instead of hold"),
        SceneError::NotAProbability(_) => ("probability", "give a number from 0 to 1"),
        SceneError::Nobody => ("", "name at least one, or leave the key out"),
        SceneError::OneGroup => ("groups", "give at least two, for example groups = [[0, 1], [2, 3]]"),
        SceneError::InTwoGroups(_) => {
            ("groups", "put each node into one group at most; who is in none reaches everybody")
        }
    };
    section.error_at(key, error, remedy)
}

/// Nodes of a run: ids, or one of two words.
pub(super) fn names_kind(protocol: &ProtocolConfig) -> Kind<'static, NodeNames> {
    let listed = nodes_kind(protocol.cluster.replicas() + protocol.clients).check(some_of);
    let words = word([("replicas", NodeNames::Replicas), ("clients", NodeNames::Clients)]);
    listed.map(NodeNames::Listed).or(words)
}

/// An empty list matches nothing, which nobody wants to say.
fn some_of<T>(values: Vec<T>) -> Result<Vec<T>, Problem> {
    if values.is_empty() {
        return Err(Problem::new("the list is empty").hint("name at least one, or leave the key out for any"));
    }
    Ok(values)
}

impl NodeNames {
    pub(super) fn resolve(&self, protocol: &ProtocolConfig) -> NodeSet {
        let replicas = protocol.cluster.replicas();
        match self {
            NodeNames::Replicas => NodeSet::of((0..replicas).map(NodeId)),
            NodeNames::Clients => NodeSet::of((replicas..replicas + protocol.clients).map(NodeId)),
            NodeNames::Listed(nodes) => NodeSet::of(nodes.iter().copied()),
        }
    }
}
