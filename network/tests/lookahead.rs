//! No configuration lets a message arrive inside the window in which it was sent: by brute force.
//!
//! The router asserts it for each message in builds with debug assertions, as these; and here each whole run is compared with what a
//! network promises: nothing is heard sooner than the lookahead after it was sent.

mod stage;

use byzlab_network::latency::Shape;
use byzlab_network::topology::SiteDelays;
use byzlab_network::{
    Action, Bandwidth, BurstLoss, Churn, Cut, Delays, Fickle, Interface, Latency, NetworkModel, NodeId, NodeSet, Pairs,
    Partition, Reorder, Retransmission, Rule, RuleScope, Schedule, Span, Step, Synchrony, Time, Transport,
};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use stage::{Note, Play, ms};

fn us(microseconds: u64) -> Span {
    Span::from_nanos(1_000 * microseconds)
}

fn latency() -> impl Strategy<Value = Latency> {
    let shape = (0..7_usize, 0..30_000_u64, 1..20_000_u64).prop_map(|(kind, a, b)| match kind {
        0 => Shape::Constant { value: us(a) },
        1 => Shape::Uniform { min: us(a), max: us(a + b) },
        2 => Shape::Normal { mean: us(a), std_dev: us(b / 4) },
        3 => Shape::Exponential { mean: us(b) },
        4 => Shape::Lognormal { median: us(b), sigma: 0.5 },
        5 => Shape::Pareto { scale: us(b), shape: 2.5 },
        _ => Shape::Discrete { values: vec![us(a), us(b)].into(), weights: vec![1.0, 2.0].into() },
    });
    (shape, 0..3_000_u64, 0..5_000_u64)
        .prop_map(|(shape, offset, floor)| Latency::new(shape, us(offset), us(floor)).unwrap())
}

fn delays() -> impl Strategy<Value = Delays> {
    let sites = (vec(latency(), 9), vec(0..3_u16, 10));
    prop_oneof![
        latency().prop_map(Delays::Everywhere),
        sites.prop_map(|(delays, site_of)| Delays::BetweenSites(SiteDelays::new(delays, site_of))),
    ]
}

fn nodes() -> impl Strategy<Value = NodeSet> {
    vec(0..4_u16, 1..4).prop_map(|ids| NodeSet::of(ids.into_iter().map(NodeId)))
}

fn pairs() -> impl Strategy<Value = Pairs> {
    (of(nodes()), of(nodes())).prop_map(|(from, to)| Pairs { from, to })
}

fn rule() -> impl Strategy<Value = Rule> {
    let action =
        prop_oneof![Just(Action::Drop), Just(Action::Hold), latency().prop_map(Action::Delay), Just(Action::Duplicate)];
    (pairs(), action, 0..50_u64, 1..100_u64, 0.0..1.0).prop_map(|(Pairs { from, to }, action, start, length, p)| {
        let scope = RuleScope {
            from,
            to,
            start: ms(start),
            end: Some(ms(start + length)),
            probability: p,
            ..RuleScope::default()
        };
        Rule::new(scope, action).unwrap()
    })
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![Just(Cut::Drop), Just(Cut::Hold)]
}

fn partition() -> impl Strategy<Value = Partition> {
    (0..50_u64, 1..100_u64, cut(), any::<bool>()).prop_map(|(start, length, cut, one_way)| {
        let groups = vec![NodeSet::of([NodeId(0), NodeId(1)]), NodeSet::of([NodeId(2)])];
        let partition = Partition::new(ms(start), Some(ms(start + length)), groups, cut).unwrap();
        if one_way { partition.one_way() } else { partition }
    })
}

fn bandwidth() -> impl Strategy<Value = Option<Bandwidth>> {
    of((200..100_000_u64).prop_map(|rate| Bandwidth::new(rate).unwrap()))
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let step = (of(latency()), of(0.0..0.9_f64), bandwidth());
    (pairs(), vec(step, 1..4)).prop_map(|(pairs, steps)| {
        let steps = steps.into_iter().enumerate().map(|(place, (latency, drop, bandwidth))| {
            let at = ms(20 * place as u64);
            Step { at, latency, drop, bandwidth }
        });
        Schedule::new(pairs, steps.collect()).unwrap()
    })
}

fn churn() -> impl Strategy<Value = Churn> {
    let fickle = prop_oneof![nodes().prop_map(Fickle::Nodes), pairs().prop_map(Fickle::Links)];
    let longer = || latency().prop_map(|latency| Latency::new(latency.shape().clone(), us(500), us(500)).unwrap());
    (fickle, longer(), longer(), cut())
        .prop_map(|(fickle, up, down, cut)| Churn::new(fickle, up, down, (ms(3), Some(ms(200))), cut).unwrap())
}

prop_compose! {
    fn model()(
        delays in delays(),
        faults in (0.0..0.3_f64, 0.0..0.3_f64, weighted(0.3, latency())),
        bursts in weighted(0.3, (0.01..0.3_f64, 0.1..0.9_f64)),
        rules in vec(rule(), 0..3),
        partitions in vec(partition(), 0..2),
        synchrony in weighted(0.3, (of(latency()), of(0.0..0.5_f64))),
        schedules in vec(schedule(), 0..3),
        churn in vec(churn(), 0..2),
        reliable in any::<bool>(),
        interfaces in vec((bandwidth(), bandwidth(), of(1..40_u64)), 0..10),
    ) -> NetworkModel {
        let (drop, duplicate, reorder) = faults;
        let retransmission = Retransmission::new(us(7_000), us(60_000)).unwrap();
        NetworkModel {
            delays,
            drop,
            duplicate,
            reorder: reorder.map(|extra| Reorder { probability: 0.2, extra }),
            bursts: bursts.map(|(to_bad, to_good)| BurstLoss { to_bad, to_good, loss_good: 0.01, loss_bad: 0.7 }),
            rules,
            partitions,
            synchrony: synchrony.map(|(latency, drop)| Synchrony { gst: ms(30), latency, drop }),
            schedules,
            churn,
            transport: if reliable { Transport::Reliable(retransmission) } else { Transport::Datagram },
            interfaces: interfaces
                .into_iter()
                .map(|(egress, ingress, buffer)| Interface { egress, ingress, buffer })
                .collect(),
        }
    }
}

/// When each message was sent (its number says so, in microseconds) and heard.
fn hops(play: &Play) -> Vec<(Time, Time)> {
    play.arrivals().into_iter().map(|(heard, sent)| (Time::START + us(sent), heard)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_arrives_in_the_window_in_which_it_was_sent(model in model(), seeds in vec((0..60_000_u64, 0..4_u16, 1..4_u16), 40)) {
        let lookahead = model.lookahead();
        prop_assert!(lookahead >= Span::NANOSECOND);
        let script = seeds.iter().fold(Play::on(model.clone()), |play, &(sent, from, step)| {
            let note = Note { seq: Some(sent), ..Note::default() };
            play.send_at(Time::START + us(sent), from, (from + step) % 4, note)
        });
        for (sent, heard) in hops(&script.run()) {
            prop_assert!(heard >= sent + lookahead, "sent at {sent:?}, heard at {heard:?}, lookahead {lookahead:?}");
        }
        // Answers keep windows full of things that follow from each other.
        let chat = Play::on(model).send(0, 0, 0, Note::at(12)).send(1, 2, 0, Note::at(9)).chatting().run();
        prop_assert!(!chat.log().is_empty());
    }
}

/// It is no smaller than it has to be: the least that any link in use can add.
#[test]
fn the_lookahead_is_the_least_delay_of_a_link_in_use() {
    let constant = |milliseconds| Latency::constant(Span::from_millis(milliseconds));
    let lookahead = |model: NetworkModel| model.lookahead().as_nanos() / 1_000_000;
    assert_eq!(lookahead(NetworkModel::perfect(constant(10))), 10);
    // Nobody is at the third site, and the second has but one node.
    let matrix = [5, 20, 1, 30, 2, 1, 1, 1, 1].map(constant).to_vec();
    let sites = |site_of| NetworkModel::perfect(Delays::BetweenSites(SiteDelays::new(matrix.clone(), site_of)));
    assert_eq!(lookahead(sites(vec![0, 0, 1])), 5);
    assert_eq!(lookahead(sites(vec![0, 1, 1])), 2);
    assert_eq!(lookahead(sites(vec![0, 1])), 20);
    assert_eq!(lookahead(sites(vec![0, 1, 2])), 1);
    let early = Synchrony { gst: ms(50), latency: Some(constant(3)), drop: None };
    assert_eq!(lookahead(NetworkModel { synchrony: Some(early), ..NetworkModel::perfect(constant(10)) }), 3);
    let step = Step { at: ms(9), latency: Some(constant(4)), drop: None, bandwidth: None };
    let schedules = vec![Schedule::new(Pairs::default(), vec![step]).unwrap()];
    assert_eq!(lookahead(NetworkModel { schedules, ..NetworkModel::perfect(constant(10)) }), 4);
    assert_eq!(NetworkModel::perfect(constant(0)).lookahead(), Span::NANOSECOND);
}
