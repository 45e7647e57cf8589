//! What a scene is refused for, and what a model says of itself. Whole runs are in `tests/scenes.rs`.

use super::*;
use crate::latency::Shape;
use crate::link::Reorder;

fn ms(value: u64) -> Time {
    Time::START + Span::from_millis(value)
}

fn nodes<const N: usize>(ids: [u16; N]) -> NodeSet {
    NodeSet::of(ids.map(NodeId))
}

fn rule(action: Action, scope: RuleScope) -> Rule {
    Rule::new(scope, action).unwrap()
}

fn partition(end: Option<Time>, cut: Cut) -> Partition {
    Partition::new(ms(1), end, vec![nodes([0, 1]), nodes([2, 3])], cut).unwrap()
}

/// Every message takes 10 ms.
fn plain() -> NetworkModel {
    NetworkModel::perfect(Latency::constant(Span::from_millis(10)))
}

fn constant(milliseconds: u64) -> Latency {
    Latency::constant(Span::from_millis(milliseconds))
}

fn exponential() -> Latency {
    Latency::new(Shape::Exponential { mean: Span::from_millis(1) }, Span::ZERO, Span::ZERO).unwrap()
}

#[test]
fn sets_hold_what_was_put_in() {
    let set = nodes([3, 64, 700]);
    assert_eq!(set.iter().collect::<Vec<_>>(), [NodeId(3), NodeId(64), NodeId(700)]);
    assert!(!set.contains(NodeId(4)) && !set.contains(NodeId(128)) && !set.contains(NodeId(u16::MAX)));
    assert_eq!(nodes([700, 3, 3, 64]), set);
    assert_eq!((set.shared(&nodes([5, 64])), set.shared(&nodes([5]))), (Some(NodeId(64)), None));
    let kinds = KindSet::of([0, 63, 64, 255]);
    assert_eq!((0..=255).filter(|&kind| kinds.contains(kind)).collect::<Vec<_>>(), [0, 63, 64, 255]);
}

#[test]
fn rules_that_mean_nothing_are_refused() {
    let refused = |action, scope| Rule::new(scope, action).unwrap_err();
    let all = RuleScope::default;
    let backwards = RuleScope { start: ms(5), end: Some(ms(5)), ..all() };
    assert_eq!(refused(Action::Drop, backwards), SceneError::Backwards);
    assert_eq!(refused(Action::Hold, all()), SceneError::HeldForEver);
    assert_eq!(refused(Action::Drop, RuleScope { probability: 1.5, ..all() }), SceneError::NotAProbability(1.5));
    let nan = refused(Action::Drop, RuleScope { probability: f64::NAN, ..all() });
    assert!(matches!(nan, SceneError::NotAProbability(_)));
    assert_eq!(refused(Action::Drop, RuleScope { to: Some(nodes([])), ..all() }), SceneError::Nobody);
    assert_eq!(refused(Action::Drop, RuleScope { kinds: Some(KindSet::of([])), ..all() }), SceneError::Nobody);
}

#[test]
fn partitions_that_mean_nothing_are_refused() {
    let refused = |end, groups, cut| Partition::new(ms(5), end, groups, cut).unwrap_err();
    let halves = || vec![nodes([0, 1]), nodes([2])];
    assert_eq!(refused(Some(ms(4)), halves(), Cut::Drop), SceneError::Backwards);
    assert_eq!(refused(None, halves(), Cut::Hold), SceneError::HeldForEver);
    assert_eq!(refused(None, vec![nodes([0, 1]), nodes([])], Cut::Drop), SceneError::OneGroup);
    let overlap = vec![nodes([0, 9]), nodes([1]), nodes([2, 9])];
    assert_eq!(refused(None, overlap, Cut::Drop), SceneError::InTwoGroups(NodeId(9)));
}

#[test]
fn a_rule_that_never_gets_a_say_is_known() {
    let scope = || RuleScope {
        from: Some(nodes([1, 2])),
        start: ms(5),
        end: Some(ms(9)),
        seq: Some(3),
        ..RuleScope::default()
    };
    let later = rule(Action::Hold, scope());
    let hides = |scope| rule(Action::Drop, scope).leaves_nothing_to(&later);
    assert!(hides(scope()) && hides(RuleScope::default()));
    assert!(hides(RuleScope { from: Some(nodes([1, 2, 70])), start: ms(4), end: None, ..scope() }));
    for narrower in [
        RuleScope { from: Some(nodes([1])), ..scope() },
        RuleScope { to: Some(nodes([1])), ..scope() },
        RuleScope { kinds: Some(KindSet::of([1])), ..scope() },
        RuleScope { view: Some(0), ..scope() },
        RuleScope { seq: Some(4), ..scope() },
        RuleScope { start: ms(6), ..scope() },
        RuleScope { end: Some(ms(8)), ..scope() },
        RuleScope { probability: 0.999, ..scope() },
    ] {
        assert!(!hides(narrower.clone()), "{narrower:?}");
    }
}

#[test]
fn the_lookahead_is_the_least_of_all_latencies() {
    let early = |latency| Some(Synchrony { gst: ms(1), latency: Some(latency), drop: None });
    assert_eq!(plain().lookahead(), Span::from_millis(10));
    let lookahead = |synchrony| NetworkModel { synchrony, ..plain() }.lookahead();
    assert_eq!(lookahead(early(constant(3))), Span::from_millis(3));
    assert_eq!(lookahead(early(constant(30))), Span::from_millis(10));
    assert_eq!(lookahead(early(exponential())), Span::NANOSECOND);
    assert_eq!(lookahead(Some(Synchrony { gst: ms(1), latency: None, drop: Some(0.5) })), Span::from_millis(10));
}

#[test]
fn a_network_is_stable_when_the_last_disturbance_is_over() {
    let at = |change: fn(&mut NetworkModel)| {
        let mut model = plain();
        change(&mut model);
        model.stabilises_at()
    };
    let until = |end| RuleScope { end, ..RuleScope::default() };
    assert_eq!(plain().stabilises_at(), Some(Time::START));
    assert_eq!(at(|model| model.drop = 0.01), None);
    assert_eq!(at(|model| model.duplicate = 0.5), Some(Time::START));
    assert_eq!(
        at(|model| model.synchrony = Some(Synchrony { gst: ms(7), latency: None, drop: Some(0.9) })),
        Some(ms(7))
    );
    assert_eq!(at(|model| model.partitions = vec![partition(None, Cut::Drop)]), None);
    let with = |rules: Vec<Rule>| {
        NetworkModel { rules, partitions: vec![partition(Some(ms(9)), Cut::Hold)], ..plain() }.stabilises_at()
    };
    assert_eq!(with(vec![]), Some(ms(9)));
    assert_eq!(with(vec![rule(Action::Drop, until(Some(ms(20))))]), Some(ms(20)));
    assert_eq!(with(vec![rule(Action::Hold, until(Some(ms(8))))]), Some(ms(9)));
    assert_eq!(with(vec![rule(Action::Drop, until(None))]), None);
    assert_eq!(with(vec![rule(Action::Drop, RuleScope { probability: 0.0, ..until(None) })]), Some(ms(9)));
    assert_eq!(
        with(vec![rule(Action::Delay(constant(1)), until(None)), rule(Action::Duplicate, until(None))]),
        Some(ms(9))
    );
}

#[test]
fn who_is_cut_off_for_good_is_known() {
    let talks = |model: &NetworkModel, from, to| model.can_ever_talk(NodeId(from), NodeId(to));
    let parted = |end| NetworkModel { partitions: vec![partition(end, Cut::Drop)], ..plain() };
    assert!(!talks(&parted(None), 1, 2) && !talks(&parted(None), 2, 1));
    assert!(talks(&parted(None), 0, 1) && talks(&parted(None), 0, 9), "within a group, and with a node in none");
    assert!(talks(&parted(Some(ms(500))), 1, 2));
    assert!(!talks(&NetworkModel { drop: 1.0, ..plain() }, 0, 1));

    let to_3 = || RuleScope { to: Some(nodes([3])), ..RuleScope::default() };
    let ruled = |rules| NetworkModel { rules, ..plain() };
    let deaf = ruled(vec![rule(Action::Drop, to_3())]);
    assert!(!talks(&deaf, 0, 3) && talks(&deaf, 3, 0) && talks(&deaf, 0, 1), "one way alone");
    for scope in [
        RuleScope { end: Some(ms(9)), ..to_3() },
        RuleScope { probability: 0.9, ..to_3() },
        RuleScope { kinds: Some(KindSet::of([1])), ..to_3() },
        RuleScope { view: Some(0), ..to_3() },
        RuleScope { seq: Some(1), ..to_3() },
    ] {
        assert!(talks(&ruled(vec![rule(Action::Drop, scope.clone())]), 0, 3), "{scope:?} lets something through");
        assert!(!talks(&ruled(vec![rule(Action::Drop, scope), rule(Action::Drop, to_3())]), 0, 3));
    }
    let exempt = RuleScope { kinds: Some(KindSet::of([1])), ..to_3() };
    let late = Action::Delay(constant(1));
    assert!(
        talks(&ruled(vec![rule(late.clone(), exempt), rule(Action::Drop, to_3())]), 0, 3),
        "the first rule decides"
    );
    let passing = RuleScope { end: Some(ms(9)), ..to_3() };
    assert!(!talks(&ruled(vec![rule(late, passing), rule(Action::Drop, to_3())]), 0, 3), "but not for ever");
}

#[test]
fn the_longest_delay_counts_all_that_can_come_together() {
    let longest = |model: NetworkModel| model.longest_delay();
    let some = |milliseconds| Some(Span::from_millis(milliseconds));
    let delay =
        |milliseconds, end| rule(Action::Delay(constant(milliseconds)), RuleScope { end, ..RuleScope::default() });
    assert_eq!(longest(plain()), some(10));
    assert_eq!(longest(NetworkModel::perfect(exponential())), None);
    assert_eq!(longest(NetworkModel { drop: 0.1, ..plain() }), None, "it never stabilises");
    let reorder = |extra| Some(Reorder { probability: 0.1, extra });
    assert_eq!(longest(NetworkModel { reorder: reorder(constant(5)), ..plain() }), some(15));
    assert_eq!(longest(NetworkModel { reorder: reorder(exponential()), ..plain() }), None);
    // Only one rule decides.
    assert_eq!(longest(NetworkModel { rules: vec![delay(3, None), delay(7, None)], ..plain() }), some(17));
    let early = |gst| Some(Synchrony { gst, latency: Some(constant(500)), drop: None });
    let rules = || vec![delay(3, None), delay(7, Some(ms(100)))];
    assert_eq!(longest(NetworkModel { synchrony: early(ms(100)), rules: rules(), ..plain() }), some(13));
    assert_eq!(longest(NetworkModel { synchrony: early(ms(99)), rules: rules(), ..plain() }), some(17));
}
