//! Scripted scenes in whole runs: what becomes of messages for which something is written, to the nanosecond.

mod stage;

use byzlab_network::latency::Shape;
use byzlab_network::{
    Action, Cut, KindSet, Latency, NetworkModel, NodeId, NodeSet, Partition, Reorder, Rule, RuleScope, Span, Synchrony,
    Time,
};
use stage::{Lost, Note, Play, ms};

/// Every message takes 10 ms.
fn plain() -> NetworkModel {
    NetworkModel::perfect(constant(10))
}

fn constant(milliseconds: u64) -> Latency {
    Latency::constant(Span::from_millis(milliseconds))
}

fn exponential(mean_ms: u64) -> Latency {
    Latency::new(Shape::Exponential { mean: Span::from_millis(mean_ms) }, Span::ZERO, Span::ZERO).unwrap()
}

fn nodes<const N: usize>(ids: [u16; N]) -> NodeSet {
    NodeSet::of(ids.map(NodeId))
}

fn rule(action: Action, scope: RuleScope) -> Rule {
    Rule::new(scope, action).unwrap()
}

fn ruled(rules: Vec<Rule>) -> NetworkModel {
    NetworkModel { rules, ..plain() }
}

fn window(start: u64, end: u64) -> RuleScope {
    RuleScope { start: ms(start), end: Some(ms(end)), ..RuleScope::default() }
}

fn partition<const N: usize>(start: u64, end: Option<u64>, groups: [&[u16]; N], cut: Cut) -> Partition {
    let groups = groups.map(|group| NodeSet::of(group.iter().map(|&node| NodeId(node))));
    Partition::new(ms(start), end.map(ms), groups.to_vec(), cut).unwrap()
}

/// Node 0 sends to node 1 just before, at the start of, at the end of and after a window from 5 to 20 ms.
fn around_the_window(action: Action) -> Play {
    let play = [0, 5, 20, 30].iter().fold(Play::on(ruled(vec![rule(action, window(5, 20))])), |play, &time| {
        play.send(time, 0, 1, Note { seq: Some(time), ..Note::default() })
    });
    play.run()
}

#[test]
fn a_dropped_message_never_arrives() {
    let play = around_the_window(Action::Drop);
    assert_eq!(play.arrivals_ms(), [(10, 0), (30, 20), (40, 30)]);
    assert_eq!(play.lost(), [Lost { time: ms(5), node: 0, peer: 1 }], "logged as any other loss");
}

#[test]
fn a_held_message_arrives_a_delay_after_the_end() {
    let play = around_the_window(Action::Hold);
    assert_eq!(play.arrivals_ms(), [(10, 0), (30, 5), (30, 20), (40, 30)]);
    assert_eq!(play.lost(), []);
}

#[test]
fn a_delayed_message_takes_exactly_so_much_longer() {
    assert_eq!(around_the_window(Action::Delay(constant(7))).arrivals_ms(), [(10, 0), (22, 5), (30, 20), (40, 30)]);
}

#[test]
fn a_duplicated_message_arrives_twice() {
    let play = around_the_window(Action::Duplicate);
    assert_eq!(play.arrivals_ms(), [(10, 0), (15, 5), (15, 5), (30, 20), (40, 30)]);
    assert_eq!(play.duplicated(), 1);
}

#[test]
fn a_second_copy_has_a_delay_of_its_own() {
    let model =
        NetworkModel { delays: exponential(10).into(), ..ruled(vec![rule(Action::Duplicate, RuleScope::default())]) };
    let twice = Play::on(model).send(0, 0, 1, Note::default()).run().arrivals();
    let once = Play::on(NetworkModel::perfect(exponential(10))).send(0, 0, 1, Note::default()).run().arrivals();
    assert_eq!((twice.len(), once.len()), (2, 1));
    assert_ne!(twice[0].0, twice[1].0);
    assert!(twice.contains(&once[0]), "the first copy is as it would be without the rule");
}

#[test]
fn what_is_held_or_delayed_is_so_in_both_copies() {
    let run = |rule| {
        let model = NetworkModel { duplicate: 1.0, ..ruled(vec![rule]) };
        Play::on(model).send(5, 0, 1, Note::at(5)).run()
    };
    assert_eq!(run(rule(Action::Hold, window(0, 20))).arrivals_ms(), [(30, 5), (30, 5)]);
    assert_eq!(run(rule(Action::Delay(constant(7)), window(0, 20))).arrivals_ms(), [(22, 5), (22, 5)]);
    assert_eq!(run(rule(Action::Duplicate, window(0, 20))).arrivals_ms(), [(15, 5), (15, 5)], "never three");
    let random = run(rule(Action::Delay(exponential(7)), window(0, 20))).arrivals();
    assert!(random.len() == 2 && random[0].0 != random[1].0, "each draws its own: {random:?}");
}

/// Everything that a scope can say tells one message from seven others.
#[test]
fn a_rule_is_for_what_its_scope_says() {
    let scopes = [
        RuleScope { from: Some(nodes([0, 2])), ..RuleScope::default() },
        RuleScope { to: Some(nodes([1])), ..RuleScope::default() },
        RuleScope { kinds: Some(KindSet::of([3, 200])), ..RuleScope::default() },
        RuleScope { view: Some(4), ..RuleScope::default() },
        RuleScope { seq: Some(9), ..RuleScope::default() },
    ];
    let meant = (0, 1, Note { kind: 200, view: Some(4), seq: Some(9) });
    let others = [
        [(3, 1, meant.2)].to_vec(),
        [(0, 2, meant.2)].to_vec(),
        [(0, 1, Note { kind: 4, ..meant.2 })].to_vec(),
        [(0, 1, Note { view: Some(5), ..meant.2 }), (0, 1, Note { view: None, ..meant.2 })].to_vec(),
        [(0, 1, Note { seq: Some(8), ..meant.2 }), (0, 1, Note { seq: None, ..meant.2 })].to_vec(),
    ];
    for (scope, others) in scopes.into_iter().zip(others) {
        let lost = |(from, to, note)| {
            let rules = vec![rule(Action::Drop, scope.clone())];
            Play::on(ruled(rules)).send(0, from, to, note).run().lost().len()
        };
        assert_eq!(lost(meant), 1, "{scope:?}");
        for other in others {
            assert_eq!(lost(other), 0, "{scope:?} is not for {other:?}");
        }
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let all = RuleScope::default;
    let arrivals = |rules| Play::on(ruled(rules)).send(0, 0, 1, Note::default()).run().arrivals_ms();
    let delay = |milliseconds, scope| rule(Action::Delay(constant(milliseconds)), scope);
    assert_eq!(arrivals(vec![delay(1, all()), rule(Action::Drop, all())]), [(11, 0)]);
    assert_eq!(arrivals(vec![rule(Action::Drop, all()), delay(1, all())]), []);
    assert_eq!(
        arrivals(vec![rule(Action::Drop, RuleScope { to: Some(nodes([2])), ..all() }), delay(1, all())]),
        [(11, 0)]
    );
    assert_eq!(arrivals(vec![delay(1, all()), delay(2, all())]), [(11, 0)], "no other rule adds to it");
}

/// Three in ten are lost, and all others come to the next rule.
#[test]
fn where_the_draw_fails_the_next_rule_is_tried() {
    let sometimes = |probability| RuleScope { probability, ..RuleScope::default() };
    let drop = rule(Action::Drop, sometimes(0.3));
    let model = ruled(vec![drop, rule(Action::Delay(constant(5)), sometimes(0.5))]);
    let play = (0..4000).fold(Play::on(model), |play, time| play.send(time, 0, 1, Note::at(time))).run();
    let lost = play.lost().len() as f64 / 4000.0;
    let arrivals = play.arrivals_ms();
    let late = arrivals.iter().filter(|(time, sent)| time - sent == 15).count() as f64 / 4000.0;
    assert!(arrivals.iter().all(|(time, sent)| [10, 15].contains(&(time - sent))));
    assert!((lost - 0.3).abs() < 0.03, "{lost}");
    assert!((late - 0.35).abs() < 0.03, "half of the seven tenths: {late}");
}

#[test]
fn partitions_lose_or_hold_what_goes_between_groups() {
    for (cut, expected) in
        [(Cut::Drop, vec![(20, 10), (20, 10), (40, 30)]), (Cut::Hold, vec![(20, 10), (20, 10), (35, 10), (40, 30)])]
    {
        let model = NetworkModel { partitions: vec![partition(5, Some(25), [&[0, 1], &[2]], cut)], ..plain() };
        let play = Play::on(model)
            .send(10, 0, 1, Note::at(10))
            .send(10, 0, 2, Note::at(10))
            // Node 3 is in no group.
            .send(10, 2, 3, Note::at(10))
            .send(30, 0, 2, Note::at(30))
            .run();
        assert_eq!(play.arrivals_ms(), expected, "{cut:?}");
        let lost = if cut == Cut::Drop { vec![Lost { time: ms(10), node: 0, peer: 2 }] } else { vec![] };
        assert_eq!(play.lost(), lost);
    }
}

#[test]
fn a_partition_holds_from_its_start_until_before_its_end() {
    let model = || NetworkModel { partitions: vec![partition(5, Some(25), [&[0], &[1]], Cut::Drop)], ..plain() };
    let arrives = |time| !Play::on(model()).send_at(time, 0, 1, Note::default()).run().arrivals().is_empty();
    let before = |time: Time| Time::from_nanos(time.as_nanos() - 1);
    assert!(arrives(before(ms(5))) && !arrives(ms(5)) && !arrives(before(ms(25))) && arrives(ms(25)));
}

#[test]
fn of_all_that_is_in_the_way_a_loss_wins_and_then_the_latest_end() {
    let hold = |end| partition(0, Some(end), [&[0], &[1]], Cut::Hold);
    let arrivals = |rules, partitions| {
        let model = NetworkModel { rules, partitions, ..plain() };
        Play::on(model).send(0, 0, 1, Note::default()).run().arrivals_ms()
    };
    let rules = |end| vec![rule(Action::Hold, window(0, end))];
    assert_eq!(arrivals(vec![], vec![hold(30), hold(50), hold(40)]), [(60, 0)]);
    assert_eq!(arrivals(vec![], vec![hold(30), partition(0, None, [&[1], &[0]], Cut::Drop), hold(40)]), []);
    assert_eq!(arrivals(rules(70), vec![hold(50)]), [(80, 0)]);
    assert_eq!(arrivals(rules(20), vec![hold(50)]), [(60, 0)]);
    assert_eq!(arrivals(rules(20), vec![partition(0, None, [&[1], &[0]], Cut::Drop)]), []);
    assert_eq!(arrivals(vec![rule(Action::Drop, window(0, 1))], vec![hold(50)]), []);
    // By sending time: what begins while the message is held does not concern it.
    assert_eq!(arrivals(rules(20), vec![partition(20, None, [&[1], &[0]], Cut::Drop)]), [(30, 0)]);
}

/// A rule adds to the normal model; it does not switch it off.
#[test]
fn what_a_rule_passes_on_can_still_be_lost_at_random() {
    for action in [Action::Hold, Action::Delay(constant(5)), Action::Duplicate] {
        let model = NetworkModel { drop: 0.4, ..ruled(vec![rule(action.clone(), window(0, 10_000))]) };
        let lossy = |model| (0..2000).fold(Play::on(model), |play, time| play.send(time, 0, 1, Note::at(time))).run();
        let (with, without) = (lossy(model), lossy(NetworkModel { drop: 0.4, ..plain() }));
        assert_eq!(with.lost(), without.lost(), "{action:?}: the same messages");
        assert!((700..900).contains(&with.lost().len()));
    }
}

const GST: u64 = 300;

/// 1000 messages, one every millisecond; the seq says when it was sent.
fn stream(model: NetworkModel) -> Play {
    (0..1000).fold(Play::on(model), |play, time| play.send(time, 0, 1, Note::at(time))).run()
}

/// When the message that was sent in each millisecond arrived.
fn times(play: &Play) -> Vec<Option<Time>> {
    let mut times = vec![None; 1000];
    play.arrivals().into_iter().for_each(|(time, sent)| times[sent as usize] = Some(time));
    times
}

#[test]
fn before_gst_another_latency_holds_but_never_beyond_gst_and_the_normal_delay() {
    let early = Latency::uniform(Span::from_millis(0), Span::from_millis(2000)).unwrap();
    let normal = times(&stream(NetworkModel::perfect(exponential(20))));
    let wild = times(&stream(NetworkModel::perfect(early.clone())));
    let synchrony = Some(Synchrony { gst: ms(GST), latency: Some(early), drop: None });
    let found = times(&stream(NetworkModel { synchrony, ..NetworkModel::perfect(exponential(20)) }));
    let mut bounded = 0;
    for sent in 0..1000 {
        let (found, normal, wild) = (found[sent].unwrap(), normal[sent].unwrap(), wild[sent].unwrap());
        let late = ms(GST) + normal.since(ms(sent as u64));
        if sent as u64 >= GST {
            assert_eq!(found, normal, "sent at {sent} ms");
        } else {
            assert_eq!(found, wild.min(late), "sent at {sent} ms");
            bounded += u32::from(late < wild);
        }
    }
    assert!((200..300).contains(&bounded), "most would have come later: {bounded}");
}

#[test]
fn before_gst_another_loss_holds_and_both_come_from_one_draw() {
    let lost = |drop, early: Option<f64>| -> Vec<Time> {
        let synchrony = early.map(|early| Synchrony { gst: ms(GST), latency: None, drop: Some(early) });
        let play = stream(NetworkModel { drop, synchrony, ..plain() });
        play.lost().iter().map(|lost| lost.time).collect()
    };
    let (few, many, mixed) = (lost(0.1, None), lost(0.5, None), lost(0.1, Some(0.5)));
    let expected: Vec<Time> = many
        .iter()
        .filter(|&&time| time < ms(GST))
        .chain(few.iter().filter(|&&time| time >= ms(GST)))
        .copied()
        .collect();
    assert_eq!(mixed, expected);
    assert!(few.iter().all(|time| many.contains(time)), "who is lost at 10 % is lost at 50 %");
    let only_before = lost(0.0, Some(0.5));
    assert!(only_before.len() > 100 && only_before.iter().all(|&time| time < ms(GST)));
}

/// It leaves at the end, when the network has long become stable.
#[test]
fn a_held_message_meets_the_network_of_its_release() {
    let synchrony = |gst| Some(Synchrony { gst: ms(gst), latency: Some(constant(50)), drop: Some(1.0) });
    let arrivals = |gst| {
        let rules = vec![rule(Action::Hold, window(0, 100))];
        Play::on(NetworkModel { synchrony: synchrony(gst), ..ruled(rules) }).send(0, 0, 1, Note::default()).run()
    };
    assert_eq!(arrivals(100).arrivals_ms(), [(110, 0)]);
    assert_eq!(arrivals(101).lost().len(), 1);
}

/// Everything at once: loss, second copies, reordering, latencies that can be anything, rules, partitions, synchrony.
fn everything() -> NetworkModel {
    let sometimes = |probability, kinds| RuleScope { probability, kinds: Some(KindSet::of(kinds)), ..window(20, 200) };
    NetworkModel {
        drop: 0.02,
        duplicate: 0.05,
        reorder: Some(Reorder { probability: 0.2, extra: exponential(5) }),
        rules: vec![
            rule(Action::Drop, sometimes(0.2, [1])),
            rule(Action::Delay(exponential(7)), sometimes(0.5, [1])),
            rule(Action::Hold, sometimes(0.1, [2])),
            rule(Action::Duplicate, sometimes(0.3, [2])),
        ],
        partitions: vec![
            partition(50, Some(70), [&[0, 1], &[2, 3]], Cut::Hold),
            partition(60, Some(65), [&[0], &[3]], Cut::Drop),
        ],
        synchrony: Some(Synchrony {
            gst: ms(100),
            latency: Some(Latency::uniform(Span::from_millis(2), Span::from_millis(80)).unwrap()),
            drop: Some(0.1),
        }),
        ..NetworkModel::perfect(Latency::uniform(Span::from_millis(4), Span::from_millis(30)).unwrap())
    }
}

/// Four nodes that answer each other for a while; each asserts that its time never goes backwards.
fn chatter(model: NetworkModel) -> Play {
    let start = |play: Play, node| play.send(node, node as u16, 9, Note { kind: 1, view: None, seq: Some(40) });
    (0..4).fold(Play::on(model).chatting(), start).run()
}

#[test]
fn a_scene_plays_the_same_each_time() {
    let (first, again) = (chatter(everything()), chatter(everything()));
    assert!(first.arrivals().len() > 300, "{}", first.arrivals().len());
    assert!(first.lost().len() > 20 && first.duplicated() > 20);
    assert_eq!(first.log(), again.log());
}

/// Windows of 2 ms and of 1 ns, over networks that are the same but for a value that is never drawn. Were a message ever faster than
/// the lookahead, the wide windows would handle it too late.
#[test]
fn no_message_is_faster_than_the_lookahead() {
    let values = |last_ms: u64| [2, 40, 80, last_ms].map(Span::from_millis).into();
    let early =
        |values| Latency::new(Shape::Discrete { values, weights: [1.0, 1.0, 1.0, 0.0].into() }, Span::ZERO, Span::ZERO);
    let [wide, narrow] = [80, 0].map(|last| {
        let synchrony = Synchrony { gst: ms(100), latency: Some(early(values(last)).unwrap()), drop: Some(0.1) };
        NetworkModel { synchrony: Some(synchrony), ..everything() }
    });
    assert_eq!((wide.lookahead(), narrow.lookahead()), (Span::from_millis(2), Span::NANOSECOND));
    assert_eq!(chatter(wide).log(), chatter(narrow).log());
}

#[test]
fn a_rule_that_matches_nothing_changes_nothing() {
    let base = chatter(everything());
    let nothing = [
        RuleScope { start: ms(1_000_000), ..RuleScope::default() },
        RuleScope { kinds: Some(KindSet::of([77])), probability: 0.5, ..RuleScope::default() },
        RuleScope { view: Some(5), ..RuleScope::default() },
        RuleScope { probability: 0.0, ..RuleScope::default() },
    ];
    for scope in nothing {
        let mut model = everything();
        model.rules.push(rule(Action::Drop, scope.clone()));
        assert_eq!(chatter(model).log(), base.log(), "{scope:?}");
    }
    // The same of a network that had no scene at all.
    let normal = || NetworkModel { rules: vec![], partitions: vec![], synchrony: None, ..everything() };
    let quiet = chatter(normal());
    let mut model = normal();
    model.rules.push(rule(Action::Drop, RuleScope { view: Some(5), ..RuleScope::default() }));
    assert_eq!(chatter(model.clone()).log(), quiet.log());
    model.partitions.push(partition(1, None, [&[200], &[201]], Cut::Drop));
    model.synchrony = Some(Synchrony { gst: ms(0), latency: Some(constant(6)), drop: Some(1.0) });
    assert_eq!(chatter(model).log(), quiet.log());
    let perfect = || NetworkModel::perfect(exponential(10));
    let ruled = NetworkModel { rules: vec![rule(Action::Drop, window(1_000_000, 1_000_001))], ..perfect() };
    assert_eq!(chatter(ruled).log(), chatter(perfect()).log(), "not even of one that only delays");
}

#[test]
fn a_rule_behind_another_changes_none_of_its_draws() {
    let half = || RuleScope { probability: 0.5, ..RuleScope::default() };
    let first = || rule(Action::Drop, half());
    let lost = |rules| stream(ruled(rules)).lost();
    let alone = lost(vec![first()]);
    assert_eq!(lost(vec![first(), rule(Action::Delay(constant(3)), half())]), alone);
    let both = lost(vec![first(), first()]);
    assert!(alone.iter().all(|lost| both.contains(lost)));
    assert!((700..800).contains(&both.len()), "the second has draws of its own: {}", both.len());
}

/// Node 1 is down from 12 to 30 ms, and gets up by a timer.
#[test]
fn what_arrives_at_a_node_that_is_down_is_lost() {
    let play = [0, 1, 2, 19, 20].into_iter().fold(Play::on(plain()).down(1, 12, 30), |play, time| {
        play.send(time, 0, 1, Note::at(time)).send(time, 0, 2, Note::at(time))
    });
    let play = play.run();
    let to_1: Vec<(u64, u64)> = play.arrivals_at(1);
    assert_eq!(to_1, [(10, 0), (11, 1), (30, 20)]);
    assert_eq!(play.arrivals_at(2).len(), 5, "nobody else is concerned");
    let lost = [12, 29].map(|time| Lost { time: ms(time), node: 0, peer: 1 });
    assert_eq!(play.lost(), lost, "at the time of arrival, with the sender as its node");
    assert_eq!(play.woken(1), [ms(12), ms(30)], "timers go on");
}
