//! Random values for whatever an attack shows to a [`Visit`]: drawn anew, or near to what is there.
//!
//! No attack is known by name here. Spans of time are drawn on the scale between the network's delays and the time limit, often just
//! below or above one of the protocol's timeouts, for that is where the worst lies: just not late enough to be noticed. Numbers are
//! drawn by octaves, without logarithms, so that a draw is the same on every machine.

use crate::config::Settings;
use byzlab_adversary::{AttackKind, Groups, NodeSort, Parameter, Visit};
use byzlab_network::latency::Shape;
use byzlab_network::{Draw, Latency, NodeId, Span};
use std::ops::RangeInclusive;

/// A stream of draws.
pub(super) struct Dice(pub(super) Draw);

impl Dice {
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.unit() < probability
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0.up_to(count.max(1) as u64 - 1) as usize
    }

    /// One of these, of which there must be one.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Some of these, at least one and on average few, in their order.
    pub(super) fn some<T: Copy>(&mut self, items: &[T]) -> Vec<T> {
        let mut wanted = 1;
        while wanted < items.len() && self.chance(0.5) {
            wanted += 1;
        }
        self.exactly(wanted, items)
    }

    /// So many of these, in their order.
    pub(super) fn exactly<T: Copy>(&mut self, wanted: usize, items: &[T]) -> Vec<T> {
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (left, missing) = (items.len() - index, wanted.saturating_sub(chosen.len()));
            if self.0.unit() * (left as f64) < missing as f64 {
                chosen.push(*item);
            }
        }
        chosen
    }

    /// Between two positive numbers; each doubling is as likely as any other.
    fn octaves(&mut self, least: f64, most: f64) -> f64 {
        let mut octaves = 0;
        let mut edge = least;
        while edge < most {
            edge *= 2.0;
            octaves += 1;
        }
        let octave = self.below(octaves) as i32;
        (least * 2_f64.powi(octave) * (1.0 + self.0.unit())).min(most)
    }

    /// A factor from 1/2 to 2, mostly near to 1.
    fn factor(&mut self) -> f64 {
        let reach = *self.pick(&[0.03, 0.2, 1.0]);
        let factor = 1.0 + reach * self.0.unit();
        if self.chance(0.5) { factor } else { 1.0 / factor }
    }
}

/// The times and numbers of an experiment that draws go by.
#[derive(Clone, Debug)]
pub(super) struct Scales {
    /// About the longest delay of a message.
    delay: Span,
    /// The timeouts of replicas and clients.
    timeouts: Vec<Span>,
    time_limit: Span,
    replicas: u16,
    clients: u16,
}

impl Scales {
    pub(super) fn new(settings: &Settings) -> Scales {
        let protocol = &settings.protocol;
        let (replicas, clients) = (protocol.cluster.replicas(), protocol.clients);
        let to_others = (1..replicas.min(64)).map(|other| settings.network.delays.between(NodeId(0), NodeId(other)));
        let delay = to_others.map(Latency::typical_longest).max().unwrap_or(Span::NANOSECOND);
        let mut timeouts = vec![protocol.request_timeout, protocol.view_change_timeout];
        timeouts.push(settings.workload.client_timeout);
        timeouts.push(settings.workload.client_timeout + protocol.request_timeout);
        timeouts.retain(|timeout| *timeout < settings.time_limit);
        Scales {
            delay: delay.max(Span::from_nanos(1000)),
            timeouts,
            time_limit: settings.time_limit,
            replicas,
            clients,
        }
    }

    pub(super) fn delay(&self) -> Span {
        self.delay
    }

    /// All nodes of a sort.
    pub(super) fn nodes(&self, sort: NodeSort) -> Vec<NodeId> {
        let all = self.replicas + self.clients;
        let range = match sort {
            NodeSort::Replicas => 0..self.replicas,
            NodeSort::Clients => self.replicas..all,
            NodeSort::Any => 0..all,
        };
        range.map(NodeId).collect()
    }

    /// A span of time.
    pub(super) fn span(&self, dice: &mut Dice) -> Span {
        let delay = self.delay.as_nanos() as f64;
        let any = |dice: &mut Dice| dice.octaves(delay / 4.0, (self.time_limit.as_nanos() as f64).max(delay));
        if self.timeouts.is_empty() || dice.chance(0.4) {
            return self.rounded(any(dice));
        }
        let timeout = dice.pick(&self.timeouts).as_nanos() as f64;
        let span = match dice.below(4) {
            // Just early enough, if so many delays come on top.
            0 => timeout - delay * 6.0 * dice.0.unit(),
            1 => timeout * (1.0 - dice.octaves(1.0 / 128.0, 0.5)),
            2 => timeout * (1.0 + dice.octaves(1.0 / 128.0, 0.5)),
            // Timeouts double when views fail.
            _ => timeout * f64::from(1 << dice.below(3)) * dice.factor(),
        };
        self.rounded(span)
    }

    fn near(&self, span: Span, dice: &mut Dice) -> Span {
        if dice.chance(0.3) { self.span(dice) } else { self.rounded(span.as_nanos() as f64 * dice.factor()) }
    }

    /// To three digits, so that people can read it, and not above the time limit.
    fn rounded(&self, nanoseconds: f64) -> Span {
        let whole = nanoseconds.clamp(1.0, self.time_limit.as_nanos() as f64) as u64;
        let unit = 10_u64.pow(whole.ilog10().saturating_sub(2));
        Span::from_nanos((whole / unit * unit).max(1))
    }
}

/// A probability of two digits.
pub(super) fn probability(dice: &mut Dice) -> f64 {
    (1 + dice.below(100)) as f64 / 100.0
}

/// The bounds of numbers whose scale only their defaults tell: a search that may ask for a million copies of each message does not
/// end.
const REACH: f64 = 16.0;

/// Draws the parameters of an attack, or some of them.
pub(super) struct Drawer<'a> {
    dice: &'a mut Dice,
    scales: &'a Scales,
    /// Whether values stay near to what is there.
    near: bool,
    /// The probability that a parameter changes.
    share: f64,
    /// The defaults of numbers, in the order in which they are shown.
    defaults: std::vec::IntoIter<f64>,
}

impl<'a> Drawer<'a> {
    /// Gives an attack other parameters.
    pub(super) fn draw(kind: &mut AttackKind, near: bool, scales: &'a Scales, dice: &'a mut Dice) {
        let mut defaults = Numbers::default();
        if let Some(mut default) = AttackKind::named(kind.name()) {
            default.visit(&mut defaults);
        }
        let share = if near { 0.5 } else { 0.8 };
        kind.visit(&mut Drawer { dice, scales, near, share, defaults: defaults.0.into_iter() });
    }

    fn changes(&mut self) -> bool {
        self.dice.chance(self.share)
    }

    /// A number between two bounds, on the scale of its default.
    fn number(&mut self, value: f64, least: f64, most: f64) -> f64 {
        let number = if self.near && self.dice.chance(0.7) {
            value * self.dice.factor()
        } else {
            self.dice.octaves(least, most)
        };
        number.clamp(least, most)
    }
}

impl Visit for Drawer<'_> {
    fn span(&mut self, parameter: Parameter, value: &mut Option<Span>) {
        if !self.changes() {
            return;
        }
        *value = match *value {
            Some(span) if self.near => Some(self.scales.near(span, self.dice)),
            _ if !parameter.otherwise.is_empty() && self.dice.chance(0.25) => None,
            _ => Some(self.scales.span(self.dice)),
        };
    }

    fn latency(&mut self, _: Parameter, value: &mut Latency) {
        if !self.changes() {
            return;
        }
        let least = value.least();
        let from = if self.near { self.scales.near(least, self.dice) } else { self.scales.span(self.dice) };
        let is_spread = matches!(value.shape(), Shape::Uniform { .. }) && self.near;
        let is_spread = if is_spread { self.dice.chance(0.8) } else { self.dice.chance(0.15) };
        let spread = Latency::uniform(from, from + self.scales.span(self.dice));
        *value = spread.ok().filter(|_| is_spread).unwrap_or_else(|| Latency::constant(from));
    }

    fn probability(&mut self, _: Parameter, value: &mut f64) {
        if self.changes() {
            *value = if self.dice.chance(0.3) { 1.0 } else { probability(self.dice) };
        }
    }

    fn rate(&mut self, _: Parameter, value: &mut f64) {
        let default = self.defaults.next().unwrap_or(*value);
        if self.changes() {
            *value = self.number(*value, default / REACH, (default * REACH).min(1e6)).round().max(1.0);
        }
    }

    fn integer(&mut self, _: Parameter, range: RangeInclusive<u64>, value: &mut u64) {
        let default = self.defaults.next().unwrap_or(*value as f64);
        if self.changes() {
            let (least, most) = (*range.start() as f64, *range.end() as f64);
            let high = most.min(default.max(1.0).max(least) * REACH);
            // One more, for zero is in no octave.
            let drawn = self.number(*value as f64 + 1.0, least + 1.0, high + 1.0) - 1.0;
            *value = (drawn.round() as u64).clamp(*range.start(), *range.end());
        }
    }

    fn flag(&mut self, _: Parameter, value: &mut bool) {
        if self.changes() {
            *value = self.dice.chance(0.5);
        }
    }

    fn word(&mut self, _: Parameter, words: &'static [&'static str], value: &mut &'static str) {
        if self.changes() && !words.is_empty() {
            *value = words[self.dice.below(words.len())];
        }
    }

    fn nodes(&mut self, _: Parameter, sort: NodeSort, value: &mut Option<Vec<NodeId>>) {
        if self.changes() {
            let nodes = self.scales.nodes(sort);
            *value = if nodes.is_empty() || self.dice.chance(0.3) { None } else { Some(self.dice.some(&nodes)) };
        }
    }

    fn groups(&mut self, _: Parameter, value: &mut Groups) {
        if !self.changes() {
            return;
        }
        *value = match self.dice.below(3) {
            0 => Groups::Each,
            1 => Groups::Halves,
            _ => {
                let mut groups = vec![Vec::new(); 1 + self.dice.below(3)];
                for replica in self.scales.nodes(NodeSort::Replicas) {
                    // The last place is that of those who are in no group.
                    if let Some(group) = groups.get_mut(self.dice.below(4)) {
                        group.push(replica);
                    }
                }
                groups.retain(|group| !group.is_empty());
                if groups.is_empty() { Groups::Halves } else { Groups::Lists(groups) }
            }
        };
    }
}

/// Takes down the numbers among the parameters.
#[derive(Default)]
struct Numbers(Vec<f64>);

impl Visit for Numbers {
    fn span(&mut self, _: Parameter, _: &mut Option<Span>) {}
    fn latency(&mut self, _: Parameter, _: &mut Latency) {}
    fn probability(&mut self, _: Parameter, _: &mut f64) {}
    fn rate(&mut self, _: Parameter, value: &mut f64) {
        self.0.push(*value);
    }
    fn integer(&mut self, _: Parameter, _: RangeInclusive<u64>, value: &mut u64) {
        self.0.push(*value as f64);
    }
    fn flag(&mut self, _: Parameter, _: &mut bool) {}
    fn word(&mut self, _: Parameter, _: &'static [&'static str], _: &mut &'static str) {}
    fn nodes(&mut self, _: Parameter, _: NodeSort, _: &mut Option<Vec<NodeId>>) {}
    fn groups(&mut self, _: Parameter, _: &mut Groups) {}
}
