//! Attacks of corrupted replicas, as a hunt draws them and makes them smaller. A kind of attack shows its parameters itself, so that a new
//! one is drawn without a word here.

use super::draw::{Stage, pick};
use super::shrink::{fewer, fewer_than_all};
use crate::config::parameters;
use byzlab_adversary::attacks::{ChasePrimary, CorruptAt, Mutate, Silent};
use byzlab_adversary::{ActsOn, AttackConfig, AttackKind, Groups, Need, NodeSort, Parameter, Scope, Visit};
use byzlab_network::{Draw, Latency, NodeId, Span, Time};
use byzlab_replica::{MessageKind, View};
use std::ops::RangeInclusive;

/// How a replica falls while the run goes on.
pub(super) fn draw_takeover(stage: &Stage, draw: &mut Draw) -> AttackConfig {
    if draw.unit() < 0.5 {
        return ChasePrimary.into();
    }
    let at = Some(stage.moment(draw).since(Time::START));
    let nodes = (draw.unit() < 0.7).then(|| vec![pick(draw, &stage.all_replicas())]);
    CorruptAt { at, nodes }.into()
}

/// An attack of `corrupted` replicas, or of those who fall later.
pub(super) fn draw_attack(stage: &Stage, corrupted: &[NodeId], draw: &mut Draw) -> AttackConfig {
    let kind = draw_kind(stage, draw);
    // What does not limit this kind is not written either.
    let scope = draw_scope(&kind, stage, corrupted, draw).within(kind.about().limits());
    AttackConfig { kind, scope }
}

/// Whether corrupted replicas play several parts at once by it: an experiment takes one such attack.
pub(super) fn plays_parts(attack: &AttackConfig) -> bool {
    match &attack.kind {
        AttackKind::Twins(_) => true,
        AttackKind::Equivocate(lie) => lie.collude,
        _ => false,
    }
}

/// The kinds that a hunt can draw: those that the experiment has what it takes for. What happens on the network is drawn as a fault of
/// its own, and so is who falls later.
pub(super) fn drawable_kinds(has: impl Fn(Need) -> bool) -> Vec<AttackKind> {
    let fits = |kind: &AttackKind| kind.about().needs.iter().all(|&need| has(need));
    AttackKind::all().into_iter().filter(fits).collect()
}

/// Under some kinds nothing can be said of liveness, so they come less often.
const UNBOUNDED: f64 = 0.1;
/// Mutations are the widest of all kinds, so they come more often.
const MUTATIONS: f64 = 0.4;
/// So do those that are about view changes alone: most mistakes of real implementations were made there.
const VIEW_CHANGES: f64 = 0.25;

/// Whether an attack is about view changes alone.
pub(super) fn is_of_view_changes(kind: &AttackKind) -> bool {
    let is_one = |kind: &MessageKind| matches!(kind, MessageKind::ViewChange | MessageKind::NewView);
    let messages = kind.about().messages;
    !messages.is_empty() && messages.iter().all(is_one)
}

fn any(draw: &mut Draw, kinds: &[AttackKind]) -> AttackKind {
    kinds[draw.up_to(kinds.len() as u64 - 1) as usize].clone()
}

fn draw_kind(stage: &Stage, draw: &mut Draw) -> AttackKind {
    let choice = draw.unit();
    let mut kind = if choice < MUTATIONS {
        AttackKind::from(Mutate::default())
    } else if choice < MUTATIONS + VIEW_CHANGES {
        any(draw, &stage.kinds_of_view_changes)
    } else {
        any(draw, &stage.kinds)
    };
    if kind.about().unbounded.is_some() && draw.unit() > UNBOUNDED {
        kind = AttackKind::from(Silent);
    }
    // Half of the time as it is.
    if draw.unit() < 0.5 || kind.name() == "mutate" {
        kind.visit(&mut ParameterDraw { stage, draw });
    }
    kind
}

/// Puts random values into the parameters of an attack.
struct ParameterDraw<'a> {
    stage: &'a Stage,
    draw: &'a mut Draw,
}

impl ParameterDraw<'_> {
    /// Any length from a tenth of a millisecond to a second, the short ones as likely as the long ones.
    fn length(&mut self) -> Span {
        let tenths = libm::exp2(self.draw.unit() * 13.3) as u64;
        Span::from_nanos(tenths * 100_000)
    }
}

impl Visit for ParameterDraw<'_> {
    fn span(&mut self, _: Parameter, value: &mut Option<Span>) {
        *value = (self.draw.unit() < 0.7).then(|| self.length());
    }

    fn latency(&mut self, _: Parameter, value: &mut Latency) {
        *value = Latency::constant(self.length());
    }

    fn probability(&mut self, _: Parameter, value: &mut f64) {
        // To two digits, so that it reads well.
        *value = self.draw.up_to(100) as f64 / 100.0;
    }

    fn rate(&mut self, _: Parameter, value: &mut f64) {
        *value = libm::floor(libm::exp2(self.draw.unit() * 8.0));
    }

    fn integer(&mut self, _: Parameter, range: RangeInclusive<u64>, value: &mut u64) {
        let (first, last) = range.into_inner();
        *value = first + self.draw.up_to((last - first).min(8));
    }

    fn flag(&mut self, _: Parameter, value: &mut bool) {
        *value = self.draw.unit() < 0.5;
    }

    fn word(&mut self, _: Parameter, words: &'static [&'static str], value: &mut &'static str) {
        *value = pick(self.draw, words);
    }

    fn nodes(&mut self, _: Parameter, sort: NodeSort, value: &mut Option<Vec<NodeId>>) {
        *value = (self.draw.unit() < 0.6).then(|| match sort {
            NodeSort::Clients => vec![self.stage.client(self.draw)],
            NodeSort::Replicas | NodeSort::Any => self.stage.rift(self.draw).0,
        });
    }

    fn groups(&mut self, _: Parameter, value: &mut Groups) {
        let (one, other) = self.stage.rift(self.draw);
        *value = match self.draw.up_to(3) {
            0 => Groups::Each,
            1 => Groups::Halves,
            _ => Groups::Lists(vec![one, other]),
        };
    }
}

fn draw_scope(kind: &AttackKind, stage: &Stage, corrupted: &[NodeId], draw: &mut Draw) -> Scope {
    let about = kind.about();
    let (start, end) = match draw.unit() {
        choice if choice < 0.6 => (Time::START, Time::END),
        choice if choice < 0.8 => (stage.moment(draw), Time::END),
        _ => stage.window(draw),
    };
    let members = (corrupted.len() > 1 && draw.unit() < 0.5).then(|| vec![pick(draw, corrupted)]);
    // Those are replicas; clients who can take part do.
    let members = members.filter(|_| about.is_for_replicas());
    match about.acts_on {
        ActsOn::Identity => return Scope { members, ..Scope::default() },
        ActsOn::Itself => return Scope { members, start, end, ..Scope::default() },
        ActsOn::Hearing | ActsOn::Saying | ActsOn::Both => {}
    }
    // Silence about everything is only one of many silences.
    let narrow = if about.messages.len() > 3 { 0.8 } else { 0.3 };
    let one_kind = vec![pick(draw, about.messages)];
    let recipients = stage.rift(draw).0;
    let in_round = draw.unit() < 0.3;
    let (_, view, seq) = stage.round(draw, &one_kind);
    let drawn = Scope {
        members,
        start,
        end,
        probability: if draw.unit() < 0.8 || in_round { 1.0 } else { 0.5 },
        messages: (draw.unit() < narrow || in_round).then_some(one_kind),
        view: view.filter(|_| in_round).map(|view| View(view as u32)),
        seq: seq.filter(|_| in_round),
        to: (about.acts_on != ActsOn::Hearing && draw.unit() < 0.4).then_some(recipients),
    };
    // A file cannot say both a parameter and a part of the scope that has the same name.
    Scope {
        probability: if has_parameter(kind, "probability") { 1.0 } else { drawn.probability },
        messages: drawn.messages.filter(|_| !has_parameter(kind, "messages")),
        view: drawn.view.filter(|_| !has_parameter(kind, "view")),
        seq: drawn.seq.filter(|_| !has_parameter(kind, "seq")),
        to: drawn.to.filter(|_| !has_parameter(kind, "to")),
        ..drawn
    }
}

fn has_parameter(kind: &AttackKind, name: &str) -> bool {
    parameters(kind).iter().any(|text| text.parameter.name == name)
}

/// The same attack on less, or a simpler one.
pub(super) fn narrower_attacks(attack: &AttackConfig, stage: &Stage) -> Vec<AttackConfig> {
    let AttackConfig { kind, scope } = attack;
    let mut attacks = Vec::new();
    let limits = kind.about().limits();
    let with_scope = |scope: Scope| AttackConfig { kind: kind.clone(), scope: scope.within(limits) };
    let usual = AttackKind::named(kind.name()).filter(|usual| usual != kind);
    let usual = usual.map(|kind| AttackConfig { kind, scope: scope.clone() });
    // Another attack may play the parts already.
    attacks.extend(usual.filter(|usual| !plays_parts(usual) || plays_parts(attack)));
    if scope.probability < 1.0 {
        attacks.push(with_scope(Scope { probability: 1.0, ..scope.clone() }));
    }
    if scope.start > Time::START || scope.end < Time::END {
        attacks.push(with_scope(Scope { start: Time::START, end: Time::END, ..scope.clone() }));
    }
    for messages in fewer_than_all(scope.messages.as_deref(), kind.about().messages) {
        attacks.push(with_scope(Scope { messages: Some(messages), ..scope.clone() }));
    }
    if let Some(members) = &scope.members {
        attacks.extend(
            fewer(members).into_iter().map(|members| with_scope(Scope { members: Some(members), ..scope.clone() })),
        );
    }
    let is_said = !matches!(kind.about().acts_on, ActsOn::Hearing | ActsOn::Itself | ActsOn::Identity);
    if is_said && !has_parameter(kind, "to") {
        for to in fewer_than_all(scope.to.as_deref(), &stage.all_replicas()) {
            attacks.push(with_scope(Scope { to: Some(to), ..scope.clone() }));
        }
    }
    attacks
}
