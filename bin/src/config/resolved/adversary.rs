//! `[adversary]`, resolved.

use super::{Toml, brief, decimal, instant, nodes, quoted, span};
use crate::config::experiment::{AdversarySettings, Corrupted, Count, NetworkPower};
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
        Corrupted::Count(count, _) => out.key("count", count),
        Corrupted::Faults(_) => out.key("count", quoted("f")),
        Corrupted::Members(members) => out.key("members", nodes(members)),
    }
    if let Corrupted::Count(_, selection) | Corrupted::Faults(selection) = corrupted
        && (all || given.selection)
    {
        out.key("selection", quoted(selection_name(*selection)));
    }
    if let Some(budget) = budget.filter(|_| all || given.budget) {
        out.key("budget", count_text(budget));
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

fn count_text(count: Count) -> String {
    match count {
        Count::Number(number) => number.to_string(),
        Count::Faults => quoted("f"),
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

fn write_attack(attack: &AttackConfig, out: &mut Toml) {
    out.section("[adversary.attack]");
    for (key, value) in attack_pairs(attack) {
        out.key(key, value);
    }
}

/// The keys of an attack with their values.
fn attack_pairs(AttackConfig { kind, scope }: &AttackConfig) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("kind", quoted(kind.name()))];
    let about = kind.about();
    let mut names = Vec::new();
    for ParameterText { parameter, value } in parameters(kind) {
        names.push(parameter.name);
        pairs.extend(value.map(|value| (parameter.name, value)));
    }
    // A parameter of the kind goes before the part of the scope of the same name.
    let takes = |key: &str| about.limits().contains(&key) && !names.contains(&key);
    let Scope { members, start, end, probability, messages, view, seq, to } = scope.within(about.limits());
    pairs.extend(members.as_deref().map(|members| ("members", nodes(members))));
    if takes("start") {
        pairs.push(("start", instant(start)));
    }
    if end != Time::END {
        pairs.push(("end", instant(end)));
    }
    if takes("probability") {
        pairs.push(("probability", decimal(probability)));
    }
    if let Some(messages) = messages {
        let names: Vec<String> = messages.iter().map(|kind| quoted(kind.name())).collect();
        pairs.push(("messages", format!("[{}]", names.join(", "))));
    }
    pairs.extend(view.map(|view| ("view", view.0.to_string())));
    pairs.extend(seq.map(|seq| ("seq", seq.to_string())));
    pairs.extend(to.as_deref().map(|to| ("to", nodes(to))));
    pairs
}

/// Who is corrupted and what they do, as the keys of `[adversary]` on one line, without what holds anyway.
pub(crate) fn adversary_line(adversary: &AdversarySettings) -> String {
    let who = match &adversary.corrupted {
        Corrupted::Members(members) => format!("members = {}", nodes(members)),
        Corrupted::Count(count, order) => format!("count = {count}, selection = {}", quoted(selection_name(*order))),
        Corrupted::Faults(order) => format!("count = \"f\", selection = {}", quoted(selection_name(*order))),
    };
    let budget = adversary.budget.map(|budget| format!("budget = {}", count_text(budget)));
    let attacks: Vec<String> = adversary.attacks.iter().map(attack_line).collect();
    let attacks = (!attacks.is_empty()).then(|| format!("attack = [{}]", attacks.join(", ")));
    std::iter::once(who).chain(budget).chain(attacks).collect::<Vec<_>>().join(", ")
}

fn attack_line(attack: &AttackConfig) -> String {
    let holds_anyway = |(key, value): &(&str, String)| match *key {
        "start" => attack.scope.start == Time::START && *value == instant(Time::START),
        "probability" => attack.scope.probability >= 1.0 && *value == decimal(1.0),
        _ => false,
    };
    let pairs = attack_pairs(attack).into_iter().filter(|pair| !holds_anyway(pair));
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
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
        self.add(parameter, brief(value));
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
