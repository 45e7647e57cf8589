//! Attacks of corrupted replicas, as a hunt draws them and makes them smaller. Whoever adds a kind of attack adds it to [`draw_kind`].

use super::draw::{Stage, pick};
use super::shrink::{fewer, fewer_than_all};
use byzlab_adversary::{AttackConfig, AttackKind, Groups, Scope};
use byzlab_network::random::Draw;
use byzlab_network::{NodeId, Time};

/// An attack of some of `corrupted`, of which there is at least one.
pub(super) fn draw_attack(stage: &Stage, corrupted: &[NodeId], draw: &mut Draw) -> AttackConfig {
    let kind = draw_kind(stage, draw);
    let scope = draw_scope(&kind, stage, corrupted, draw);
    AttackConfig { kind, scope }
}

fn draw_kind(stage: &Stage, draw: &mut Draw) -> AttackKind {
    match draw.up_to(9) {
        0 | 1 => AttackKind::Silent,
        2 => AttackKind::Ignore,
        3 => AttackKind::FakeDigest,
        4 | 5 => AttackKind::ConflictingVotes,
        choice => {
            let (one, other) = stage.rift(draw);
            let groups = match draw.up_to(3) {
                0 => Groups::Each,
                1 => Groups::Halves,
                _ => Groups::Lists(vec![one, other]),
            };
            AttackKind::Equivocate { groups, collude: choice < 8 }
        }
    }
}

fn draw_scope(kind: &AttackKind, stage: &Stage, corrupted: &[NodeId], draw: &mut Draw) -> Scope {
    let (start, end) = match draw.unit() {
        choice if choice < 0.6 => (Time::START, Time::END),
        choice if choice < 0.8 => (stage.moment(draw), Time::END),
        _ => stage.window(draw),
    };
    let messages = kind.messages();
    // Silence about everything is only one of many silences.
    let narrow = if messages.len() > 3 { 0.8 } else { 0.3 };
    let one_kind = vec![pick(draw, messages)];
    let recipients = stage.rift(draw).0;
    Scope {
        members: (corrupted.len() > 1 && draw.unit() < 0.5).then(|| vec![pick(draw, corrupted)]),
        start,
        end,
        probability: if draw.unit() < 0.8 { 1.0 } else { 0.5 },
        messages: (draw.unit() < narrow).then_some(one_kind),
        to: (!kind.is_inbound() && draw.unit() < 0.4).then_some(recipients),
    }
}

/// The same attack on less, or a simpler one.
pub(super) fn narrower_attacks(AttackConfig { kind, scope }: &AttackConfig, stage: &Stage) -> Vec<AttackConfig> {
    let mut attacks = Vec::new();
    let with_scope = |scope: Scope| AttackConfig { kind: kind.clone(), scope };
    if let AttackKind::Equivocate { groups, collude: true } = kind {
        let kind = AttackKind::Equivocate { groups: groups.clone(), collude: false };
        attacks.push(AttackConfig { kind, scope: scope.clone() });
    }
    if scope.probability < 1.0 {
        attacks.push(with_scope(Scope { probability: 1.0, ..scope.clone() }));
    }
    if scope.start > Time::START || scope.end < Time::END {
        attacks.push(with_scope(Scope { start: Time::START, end: Time::END, ..scope.clone() }));
    }
    for messages in fewer_than_all(scope.messages.as_deref(), kind.messages()) {
        attacks.push(with_scope(Scope { messages: Some(messages), ..scope.clone() }));
    }
    if let Some(members) = &scope.members {
        attacks.extend(
            fewer(members).into_iter().map(|members| with_scope(Scope { members: Some(members), ..scope.clone() })),
        );
    }
    if !kind.is_inbound() {
        for to in fewer_than_all(scope.to.as_deref(), &stage.all_replicas()) {
            attacks.push(with_scope(Scope { to: Some(to), ..scope.clone() }));
        }
    }
    attacks
}
