//! `[adversary]`, resolved.

use super::{Toml, decimal, instant, latency, nodes, quoted, span};
use crate::config::experiment::{AdversarySettings, Corrupted, NetworkPower};
use byzlab_adversary::{AttackConfig, AttackKind, Groups, NodeSort, Parameter, Scope, Selection, Visit};
use byzlab_network::{Latency, NodeId, Span, Time};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Where presets are swept, only what the file says beside them is the same in all cells.
pub(super) fn write_adversary(adversary: &AdversarySettings, presets_are_swept: bool, out: &mut Toml) {
    let AdversarySettings { corrupted, budget, clients, network, attacks, given } = adversary;
    let all = !presets_are_swept;
    match corrupted {
        _ if !(all || given.corrupted) => out.comment("who is corrupted follows preset"),
        Corrupted::Count(count, selection) => {
            out.key("count", count);
            out.key("selection", quoted(selection_name(*selection)));
        }
        Corrupted::Faults(selection) => {
            out.key("count", quoted("f"));
            out.key("selection", quoted(selection_name(*selection)));
        }
        Corrupted::Members(members) => out.key("members", nodes(members)),
    }
    if let Some(budget) = budget.filter(|_| all || given.budget) {
        out.key("budget", budget);
    }
    if all || given.clients {
        out.key("clients", clients);
    }
    if let Some(NetworkPower { drop, hold, delay, until }) = network.as_ref().filter(|_| all || given.network) {
        out.section("adversary.network");
        let actions = [("drop", drop), ("hold", hold), ("delay", delay)];
        let granted: Vec<String> = actions.iter().filter(|(_, is)| **is).map(|(name, _)| quoted(name)).collect();
        out.key("actions", format_args!("[{}]", granted.join(", ")));
        if let Some(until) = until {
            out.key("until", instant(*until));
        }
    }
    let first = if all { 0 } else { given.preset_attacks };
    for attack in &attacks[first..] {
        write_attack(attack, out);
    }
}

fn selection_name(selection: Selection) -> &'static str {
    match selection {
        Selection::Random => "random",
        Selection::First => "first",
        Selection::Last => "last",
        Selection::Primary => "primary",
    }
}

fn write_attack(AttackConfig { kind, scope }: &AttackConfig, out: &mut Toml) {
    out.section("[adversary.attack]");
    out.key("kind", quoted(kind.name()));
    let mut names = Vec::new();
    for ParameterText { parameter, value } in parameters(kind) {
        names.push(parameter.name);
        if let Some(value) = value {
            out.key(parameter.name, value);
        }
    }
    let Scope { members, start, end, probability, messages, view, seq, to } = scope;
    if let Some(members) = members {
        out.key("members", nodes(members));
    }
    out.key("start", instant(*start));
    if *end != Time::END {
        out.key("end", instant(*end));
    }
    // What acts by itself has no messages to choose from.
    if !names.contains(&"probability") && !kind.about().messages.is_empty() {
        out.key("probability", decimal(*probability));
    }
    if let Some(messages) = messages {
        let names: Vec<String> = messages.iter().map(|kind| quoted(kind.name())).collect();
        out.key("messages", format_args!("[{}]", names.join(", ")));
    }
    if let Some(view) = view {
        out.key("view", view.0);
    }
    if let Some(seq) = seq {
        out.key("seq", seq);
    }
    if let Some(to) = to {
        out.key("to", nodes(to));
    }
}

/// A parameter of an attack, and its value as TOML.
#[derive(Clone, Debug)]
pub struct ParameterText {
    /// Which.
    pub parameter: Parameter,
    /// None where it is left out.
    pub value: Option<String>,
}

/// The parameters of an attack with their values as TOML.
pub fn parameters(kind: &AttackKind) -> Vec<ParameterText> {
    let mut writer = ParameterWriter(Vec::new());
    kind.clone().visit(&mut writer);
    writer.0
}

struct ParameterWriter(Vec<ParameterText>);

impl ParameterWriter {
    fn add(&mut self, parameter: Parameter, value: impl Display) {
        self.0.push(ParameterText { parameter, value: Some(value.to_string()) });
    }

    fn add_or(&mut self, parameter: Parameter, value: Option<String>) {
        self.0.push(ParameterText { parameter, value });
    }
}

impl Visit for ParameterWriter {
    fn span(&mut self, parameter: Parameter, value: &mut Option<Span>) {
        self.add_or(parameter, value.map(span));
    }

    fn latency(&mut self, parameter: Parameter, value: &mut Latency) {
        self.add(parameter, latency(value));
    }

    fn probability(&mut self, parameter: Parameter, value: &mut f64) {
        self.add(parameter, decimal(*value));
    }

    fn rate(&mut self, parameter: Parameter, value: &mut f64) {
        self.add(parameter, decimal(*value));
    }

    fn integer(&mut self, parameter: Parameter, _: RangeInclusive<u64>, value: &mut u64) {
        self.add(parameter, value);
    }

    fn flag(&mut self, parameter: Parameter, value: &mut bool) {
        self.add(parameter, value);
    }

    fn word(&mut self, parameter: Parameter, _: &'static [&'static str], value: &mut &'static str) {
        self.add(parameter, quoted(value));
    }

    fn nodes(&mut self, parameter: Parameter, _: NodeSort, value: &mut Option<Vec<NodeId>>) {
        self.add_or(parameter, value.as_deref().map(nodes));
    }

    fn groups(&mut self, parameter: Parameter, value: &mut Groups) {
        let text = match value {
            Groups::Each => quoted("each"),
            Groups::Halves => quoted("halves"),
            Groups::Lists(lists) => {
                let lists: Vec<String> = lists.iter().map(|list| nodes(list)).collect();
                format!("[{}]", lists.join(", "))
            }
        };
        self.add(parameter, text);
    }
}
