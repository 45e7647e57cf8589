//! The parameters of attacks, for whoever reads, writes, lists or draws them.
//!
//! An attack shows each of its parameters with its name, its meaning and its value to a [`Visit`]. A reader of configurations puts in
//! what the file says, a writer writes down what is there, a catalogue lists the defaults, a search draws values. So a new attack is
//! known to all of them from its own file alone.

use byzlab_network::{Latency, NodeId, Span};
use std::ops::RangeInclusive;

/// A parameter's name in configurations, and what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// The key.
    pub name: &'static str,
    /// What it means, in a few words.
    pub about: &'static str,
    /// What holds if it is left out, where that is not a value of its own.
    pub otherwise: &'static str,
}

impl Parameter {
    /// A parameter whose default is a value.
    pub(crate) const fn new(name: &'static str, about: &'static str) -> Parameter {
        Parameter { name, about, otherwise: "" }
    }

    /// A parameter that may be left out, and what holds then.
    pub(crate) const fn or(name: &'static str, about: &'static str, otherwise: &'static str) -> Parameter {
        Parameter { name, about, otherwise }
    }
}

/// Which nodes a parameter names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeSort {
    /// Replicas.
    Replicas,
    /// Clients.
    Clients,
    /// Any.
    Any,
}

/// Visits the parameters of an attack, one method a type. Each may leave the value as it is.
pub trait Visit {
    /// A span of time that may be left out.
    fn span(&mut self, parameter: Parameter, value: &mut Option<Span>);
    /// A distribution of spans of time.
    fn latency(&mut self, parameter: Parameter, value: &mut Latency);
    /// A probability, in 0..=1.
    fn probability(&mut self, parameter: Parameter, value: &mut f64);
    /// How often a second and node; above 0.
    fn rate(&mut self, parameter: Parameter, value: &mut f64);
    /// A whole number.
    fn integer(&mut self, parameter: Parameter, range: RangeInclusive<u64>, value: &mut u64);
    /// Yes or no.
    fn flag(&mut self, parameter: Parameter, value: &mut bool);
    /// One of some words.
    fn word(&mut self, parameter: Parameter, words: &'static [&'static str], value: &mut &'static str);
    /// Some nodes, each once, that may be left out.
    fn nodes(&mut self, parameter: Parameter, sort: NodeSort, value: &mut Option<Vec<NodeId>>);
    /// Groups of replicas.
    fn groups(&mut self, parameter: Parameter, value: &mut Groups);
}

/// How some nodes are divided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Groups {
    /// Each is a group of its own.
    Each,
    /// The lower half of the ids, and the upper half.
    Halves,
    /// These groups; who is in none is left out.
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
