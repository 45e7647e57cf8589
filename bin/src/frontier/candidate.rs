//! A candidate of the search: who is corrupted, and one to three attacks; how one is drawn, and how it is changed a little.
//!
//! A candidate is what its TOML says. It is written into the experiment, read back like any other file, and run as it was read. So what
//! an attack does not allow is refused by the one reader of configurations and drawn anew, and a file of what was found gives the same
//! figures.

use super::dice::{Dice, Drawer, Scales, probability};
use crate::config::{AdversarySettings, Corrupted, Count, EventDetail, Experiment, Settings, adversary_line};
use byzlab_adversary::{About, ActsOn, AttackConfig, AttackKind, Need, NodeSort, Scope, Selection};
use byzlab_analysis::Metric;
use byzlab_network::{NodeId, Time};
use byzlab_replica::{Authentication, MessageKind, View};
use std::path::Path;
use std::sync::Arc;

/// So many attacks at once.
const MOST_ATTACKS: usize = 3;
/// So often a candidate that is refused is drawn anew.
const ATTEMPTS: u64 = 40;
/// So many messages are named at most where an attack is limited to some.
const MOST_KINDS: usize = 3;

/// Who is corrupted from the start, and what all corrupted nodes do.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Candidate {
    pub(super) corrupted: Corrupted,
    pub(super) attacks: Vec<AttackConfig>,
}

/// All candidates with at most so many corrupted replicas.
#[derive(Clone, Debug)]
pub(super) struct Space {
    base: Experiment,
    metric: Metric,
    /// How many replicas are corrupted, those that fall while the run goes on included.
    pub(super) count: u16,
    kinds: Vec<AttackKind>,
    pub(super) scales: Scales,
}

/// A kind of attack that the search leaves out, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// The kind.
    pub kind: &'static str,
    /// Why.
    pub reason: String,
}

impl Space {
    pub(super) fn new(experiment: &Experiment, metric: Metric, count: u16) -> Space {
        let (kinds, _) = kinds_for(&experiment.base);
        Space { base: experiment.clone(), metric, count, kinds, scales: Scales::new(&experiment.base) }
    }

    pub(super) fn base(&self) -> &Settings {
        &self.base.base
    }

    /// The kind of this name, if the search has it.
    pub(super) fn kind(&self, name: &str) -> Option<AttackKind> {
        self.kinds.iter().find(|kind| kind.name() == name).cloned()
    }

    /// The experiment with this candidate for its adversary; none if its file would be refused.
    pub(super) fn resolve(&self, candidate: &Candidate) -> Option<Experiment> {
        let mut experiment = self.base.clone();
        let mut settings = Settings::clone(&experiment.base);
        settings.adversary = self.adversary(candidate);
        experiment.base = Arc::new(settings);
        experiment.metric = self.metric;
        // A file of what was found is there to be looked at.
        experiment.events = experiment.events.max(EventDetail::Protocol);
        Experiment::parse("candidate.toml", &experiment.to_toml(), Path::new(""), &[]).ok()
    }

    /// The experiment without any attack.
    pub(super) fn honest(&self) -> Option<Experiment> {
        let nobody = Candidate { corrupted: Corrupted::Count(0, Selection::First), attacks: Vec::new() };
        self.resolve(&nobody)
    }

    fn adversary(&self, Candidate { corrupted, attacks }: &Candidate) -> AdversarySettings {
        let AdversarySettings { clients, network, .. } = &self.base.base.adversary;
        let from_start = corrupted.count(self.base.base.protocol.cluster);
        let budget = (from_start < usize::from(self.count)).then_some(self.count);
        let (clients, network) = (*clients, network.clone());
        AdversarySettings {
            corrupted: corrupted.clone(),
            budget: budget.filter(|_| !attacks.is_empty()).map(Count::Number),
            clients,
            network,
            attacks: attacks.clone(),
            ..AdversarySettings::default()
        }
    }

    /// A candidate that can be run, with its experiment: the first that is not refused.
    fn first_valid(
        &self,
        dice: &mut Dice,
        make: impl Fn(&mut Dice) -> Option<Candidate>,
    ) -> Option<(Candidate, Experiment)> {
        (0..ATTEMPTS).find_map(|_| {
            let candidate = make(dice)?;
            let experiment = self.resolve(&candidate)?;
            Some((candidate, experiment))
        })
    }

    /// A random candidate.
    pub(super) fn draw(&self, dice: &mut Dice) -> Option<(Candidate, Experiment)> {
        self.first_valid(dice, |dice| {
            let corrupted = self.draw_corrupted(dice);
            let mut candidate = Candidate { corrupted, attacks: Vec::new() };
            let attacks = *dice.pick(&[1, 1, 1, 2, 2, MOST_ATTACKS]);
            for _ in 0..attacks {
                let attack = self.draw_attack(&candidate.corrupted, dice)?;
                candidate.attacks.push(attack);
            }
            Some(self.balanced(candidate, dice))
        })
    }

    /// A candidate a little different from `parent`, perhaps with something of `other`.
    pub(super) fn mutate(
        &self,
        parent: &Candidate,
        other: &Candidate,
        dice: &mut Dice,
    ) -> Option<(Candidate, Experiment)> {
        self.first_valid(dice, |dice| {
            let mut candidate = parent.clone();
            for _ in 0..*dice.pick(&[1, 1, 2]) {
                self.change(&mut candidate, other, dice)?;
            }
            Some(self.balanced(candidate, dice)).filter(|candidate| candidate != parent)
        })
    }

    fn change(&self, candidate: &mut Candidate, other: &Candidate, dice: &mut Dice) -> Option<()> {
        let Candidate { corrupted, attacks } = candidate;
        let place = dice.below(attacks.len());
        match dice.below(20) {
            0..7 => Drawer::draw(&mut attacks.get_mut(place)?.kind, true, &self.scales, dice),
            7..11 => {
                let attack = attacks.get_mut(place)?;
                self.draw_scope(attack, corrupted, dice);
            }
            11..13 => *attacks.get_mut(place)? = self.draw_attack(corrupted, dice)?,
            13 if attacks.len() > 1 => _ = attacks.remove(place),
            13 | 14 if attacks.len() < MOST_ATTACKS => attacks.push(self.draw_attack(corrupted, dice)?),
            15 if attacks.len() < MOST_ATTACKS => attacks.push(dice.pick(&other.attacks).clone()),
            16 if attacks.len() > 1 => attacks.rotate_left(1),
            _ => {
                *corrupted = self.draw_corrupted(dice);
                // They would name others.
                for attack in attacks {
                    attack.scope.members = None;
                }
            }
        }
        Some(())
    }

    fn draw_corrupted(&self, dice: &mut Dice) -> Corrupted {
        let orders = [
            Selection::First,
            Selection::First,
            Selection::First,
            Selection::Primary,
            Selection::Last,
            Selection::Random,
        ];
        if dice.chance(0.6) {
            return Corrupted::Count(self.count, *dice.pick(&orders));
        }
        let replicas = self.scales.nodes(NodeSort::Replicas);
        Corrupted::Members(dice.exactly(usize::from(self.count), &replicas))
    }

    fn draw_attack(&self, corrupted: &Corrupted, dice: &mut Dice) -> Option<AttackConfig> {
        let mut kind = self.kinds.get(dice.below(self.kinds.len()))?.clone();
        Drawer::draw(&mut kind, false, &self.scales, dice);
        let mut attack = AttackConfig::from(kind);
        // Most attacks are worst when nothing limits them.
        for _ in 0..*dice.pick(&[0, 0, 1, 1, 2]) {
            self.draw_scope(&mut attack, corrupted, dice);
        }
        Some(attack)
    }

    /// Limits an attack in one way, or lifts that limit.
    fn draw_scope(&self, AttackConfig { kind, scope }: &mut AttackConfig, corrupted: &Corrupted, dice: &mut Dice) {
        let about = kind.about();
        let lifted = dice.chance(0.25);
        let limit = |dice: &mut Dice| Some(Time::START + self.scales.span(dice)).filter(|_| !lifted);
        match dice.below(10) {
            0..4 if about.messages.len() > 1 => {
                let kinds: &[MessageKind] = about.messages;
                let wanted = 1 + dice.below(MOST_KINDS.min(kinds.len() - 1));
                scope.messages = (!lifted).then(|| dice.exactly(wanted, kinds));
            }
            4 | 5 if may_choose_recipients(&about) => {
                let sort = *dice.pick(&[NodeSort::Replicas, NodeSort::Replicas, NodeSort::Clients, NodeSort::Any]);
                scope.to = (!lifted).then(|| dice.some(&self.scales.nodes(sort)));
            }
            6 => scope.start = limit(dice).unwrap_or(Time::START),
            7 => scope.end = limit(dice).unwrap_or(Time::END),
            8 if !about.messages.is_empty() => {
                if dice.chance(0.5) {
                    scope.probability = if lifted { 1.0 } else { probability(dice) };
                } else {
                    scope.view = (!lifted).then(|| View(dice.below(3) as u32));
                }
            }
            _ => {
                scope.members = match corrupted {
                    Corrupted::Members(members) if members.len() > 1 && !lifted => Some(dice.some(members)),
                    _ => None,
                };
            }
        }
    }

    /// Leaves something of the budget to attacks that take replicas over.
    fn balanced(&self, mut candidate: Candidate, dice: &mut Dice) -> Candidate {
        let takes_over = candidate.attacks.iter().any(|attack| attack.kind.about().needs.contains(&Need::Budget));
        let from_start = if takes_over { dice.below(usize::from(self.count)) } else { usize::from(self.count) };
        self.resize(&mut candidate, from_start);
        candidate
    }

    /// Corrupts so many from the start.
    fn resize(&self, candidate: &mut Candidate, from_start: usize) {
        match &mut candidate.corrupted {
            Corrupted::Count(count, _) => *count = from_start as u16,
            Corrupted::Faults(order) => candidate.corrupted = Corrupted::Count(from_start as u16, *order),
            Corrupted::Members(members) => {
                let others = self.scales.nodes(NodeSort::Replicas).into_iter();
                let others: Vec<NodeId> = others.filter(|node| !members.contains(node)).collect();
                members.extend(others.into_iter().take(from_start.saturating_sub(members.len())));
                members.truncate(from_start);
                members.sort_unstable();
                let remains = |node: &NodeId| members.contains(node);
                for AttackConfig { scope, .. } in &mut candidate.attacks {
                    scope.members = scope.members.take().map(|all| all.into_iter().filter(remains).collect());
                    scope.members = scope.members.take().filter(|members| !members.is_empty());
                }
            }
        }
    }

    /// A candidate that was found with fewer corrupted replicas.
    pub(super) fn grown(&self, candidate: &Candidate, fewer: u16) -> Candidate {
        let mut grown = candidate.clone();
        let from_start = candidate.corrupted.count(self.base.base.protocol.cluster);
        self.resize(&mut grown, from_start + usize::from(self.count - fewer));
        grown
    }
}

/// The candidate on one line of TOML.
pub(super) fn line(experiment: &Experiment) -> String {
    adversary_line(&experiment.base.adversary)
}

/// Everything simpler than a candidate by one step: without one of its attacks, or one limit lifted.
pub(super) fn simpler(candidate: &Candidate) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Vec<AttackConfig>)| {
        let mut simpler = candidate.clone();
        change(&mut simpler.attacks);
        if simpler != *candidate && !all.contains(&simpler) {
            all.push(simpler);
        }
    };
    for place in 0..candidate.attacks.len() {
        if candidate.attacks.len() > 1 {
            add(&|attacks| _ = attacks.remove(place));
        }
        add(&|attacks| attacks[place].scope = Scope::default());
        let limits: [fn(&mut Scope); 8] = [
            |scope| scope.members = None,
            |scope| scope.start = Time::START,
            |scope| scope.end = Time::END,
            |scope| scope.probability = 1.0,
            |scope| scope.messages = None,
            |scope| scope.view = None,
            |scope| scope.seq = None,
            |scope| scope.to = None,
        ];
        for lift in limits {
            add(&|attacks| lift(&mut attacks[place].scope));
        }
    }
    all
}

/// The kinds of attacks that the search draws from, and those that it leaves out.
pub(super) fn kinds_for(settings: &Settings) -> (Vec<AttackKind>, Vec<LeftOut>) {
    let (mut kinds, mut left_out) = (Vec::new(), Vec::new());
    for kind in AttackKind::all() {
        let About { name, needs, unbounded, .. } = kind.about();
        let missing = needs.iter().find_map(|need| missing(*need, settings));
        let reason = unbounded.map(|why| format!("unbounded by declaration: {why}")).or(missing.map(str::to_owned));
        match reason {
            Some(reason) => left_out.push(LeftOut { kind: name, reason }),
            None => kinds.push(kind),
        }
    }
    (kinds, left_out)
}

/// Why the experiment does not have what an attack needs.
fn missing(need: Need, settings: &Settings) -> Option<&'static str> {
    let adversary = &settings.adversary;
    match need {
        Need::Network if adversary.network.is_none() => Some("the file grants no [adversary.network]"),
        Need::Clients if adversary.clients == 0 => Some("the file has no adversary.clients"),
        Need::Budget if adversary.budget.is_none() => Some("the file grants no adversary.budget"),
        Need::ViewChanges if !settings.protocol.view_change => Some("the file has protocol.view_change = false"),
        Need::Macs if settings.protocol.authentication != Authentication::Mac => {
            Some("the file has no protocol.authentication = \"mac\"")
        }
        _ => None,
    }
}

fn may_choose_recipients(about: &About) -> bool {
    about.acts_on != ActsOn::Hearing && !about.messages.is_empty()
}
