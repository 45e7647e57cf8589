//! Lines, transports, schedules and churn in whole runs, to the nanosecond. A note is one byte long.

mod stage;

use byzlab_network::{
    Action, Bandwidth, BurstLoss, Churn, Cut, Fickle, Interface, KindSet, Latency, NetworkModel, NodeId, NodeSet,
    Pairs, Partition, Retransmission, Rule, RuleScope, Schedule, Span, Step, Time, Transport,
};
use stage::{Note, Play, ms};

/// Every message takes 10 ms.
fn plain() -> NetworkModel {
    NetworkModel::perfect(constant(10))
}

fn constant(milliseconds: u64) -> Latency {
    Latency::constant(Span::from_millis(milliseconds))
}

/// So many bytes a second.
fn bytes_a_second(bytes: u64) -> Option<Bandwidth> {
    Bandwidth::new(8 * bytes)
}

/// Ten nodes whose lines carry a byte a millisecond.
fn narrow(buffer: Option<u64>) -> NetworkModel {
    let interface = Interface { egress: bytes_a_second(1000), ingress: bytes_a_second(1000), buffer };
    NetworkModel { interfaces: vec![interface; 10], ..plain() }
}

fn reliable(timeout: u64) -> Transport {
    Transport::Reliable(Retransmission::new(Span::from_millis(timeout), Span::from_millis(60_000)).unwrap())
}

fn dropping(start: u64, end: Option<u64>) -> Rule {
    Rule::new(RuleScope { start: ms(start), end: end.map(ms), ..RuleScope::default() }, Action::Drop).unwrap()
}

fn pairs(from: u16, to: u16) -> Pairs {
    Pairs { from: Some(NodeSet::of([NodeId(from)])), to: Some(NodeSet::of([NodeId(to)])) }
}

fn step(at: u64) -> Step {
    Step { at: ms(at), latency: None, drop: None, bandwidth: None }
}

#[test]
fn what_one_node_sends_leaves_one_after_the_other() {
    let play = Play::on(narrow(None)).send(0, 0, 1, Note::at(1)).send(0, 0, 2, Note::at(2)).send(5, 0, 1, Note::at(3));
    assert_eq!(play.run().arrivals_ms(), [(11, 1), (12, 2), (16, 3)], "1 ms on the line, 10 on the way");
}

#[test]
fn what_one_node_receives_comes_in_one_after_the_other() {
    let play = Play::on(narrow(None)).send(0, 0, 9, Note::at(1)).send(0, 1, 9, Note::at(2)).send(0, 2, 9, Note::at(3));
    assert_eq!(play.run().arrivals_ms(), [(11, 1), (12, 2), (13, 3)], "the bits of the first came while it was sent");
}

#[test]
fn a_slow_line_in_is_a_bottleneck_of_its_own() {
    let mut model = narrow(None);
    model.interfaces[9].ingress = bytes_a_second(100);
    let play = Play::on(model).send(0, 0, 9, Note::at(1)).send(0, 0, 9, Note::at(2)).send(0, 0, 8, Note::at(3));
    assert_eq!(play.run().arrivals_ms(), [(13, 3), (20, 1), (30, 2)], "10 ms for a byte");
}

#[test]
fn a_full_buffer_loses_what_comes_last() {
    let burst = |model| (0..5).fold(Play::on(model), |play, n| play.send(0, 0, 9, Note::at(n))).run();
    let play = burst(narrow(Some(2)));
    assert_eq!(play.arrivals_ms(), [(11, 0), (12, 1)], "with a byte on the line, one more finds room");
    assert_eq!(play.lost().len(), 3);
    // At the receiver.
    let mut model = narrow(None);
    model.interfaces[9].buffer = Some(2);
    let play = (0..5).fold(Play::on(model), |play, n| play.send(0, n as u16, 9, Note::at(n))).run();
    assert_eq!(play.arrivals_ms(), [(11, 0), (12, 1), (13, 2)]);
    assert_eq!(play.lost().len(), 2);
}

#[test]
fn a_reliable_transport_loses_time_and_keeps_the_order() {
    let model = NetworkModel { rules: vec![dropping(0, Some(25))], transport: reliable(20), ..plain() };
    let play = Play::on(model).send(0, 0, 1, Note::at(0)).send(30, 0, 1, Note::at(30)).send(30, 0, 2, Note::at(31));
    // Sent again after 20 ms, still dropped; after 40 more it gets through.
    assert_eq!(
        play.run().arrivals_ms(),
        [(40, 31), (70, 0), (70, 30)],
        "the second waits for the first, on its link alone"
    );
}

#[test]
fn a_reliable_transport_gives_up_in_the_end() {
    let retransmission = Retransmission::new(Span::from_millis(1), Span::from_millis(4)).unwrap();
    let transport = Transport::Reliable(retransmission);
    let model = |until| NetworkModel { rules: vec![dropping(0, until)], transport, ..plain() };
    // 1 + 2 + 4·13 ms until the sixteenth transmission.
    let sent_last = 1 + 2 + 4 * 13;
    let play = Play::on(model(Some(sent_last))).send(0, 0, 1, Note::at(0)).run();
    assert_eq!((play.arrivals_ms(), play.lost().len()), (vec![(sent_last + 10, 0)], 0));
    let play = Play::on(model(Some(sent_last + 1))).send(0, 0, 1, Note::at(0)).run();
    assert_eq!((play.arrivals_ms(), play.lost().len()), (vec![], 1));
}

#[test]
fn random_loss_costs_a_reliable_transport_what_it_should() {
    const COUNT: u64 = 20_000;
    let model = NetworkModel { drop: 0.2, transport: reliable(100), ..plain() };
    // Far enough apart that none waits for the one before it.
    let play = (0..COUNT).fold(Play::on(model), |play, n| play.send(n * 1_000_000, 0, 1, Note::at(n))).run();
    let arrivals = play.arrivals_ms();
    assert_eq!(arrivals.len() as u64, COUNT);
    let late =
        |by: u64| arrivals.iter().filter(|(time, n)| time - n * 1_000_000 == 10 + by).count() as f64 / COUNT as f64;
    for (lost, by) in [(0, 0), (1, 100), (2, 300), (3, 700)] {
        let expected = 0.8 * 0.2_f64.powi(lost);
        assert!((late(by) - expected).abs() < 0.01, "{lost} times lost: {} instead of {expected}", late(by));
    }
}

#[test]
fn bursts_lose_their_share() {
    let bursts = BurstLoss { to_bad: 0.02, to_good: 0.25, loss_good: 0.0, loss_bad: 0.8 };
    let model = NetworkModel { bursts: Some(bursts), ..plain() };
    let play = (0..20_000).fold(Play::on(model), |play, n| play.send(n, 0, 1, Note::at(n))).run();
    let share = play.lost().len() as f64 / 20_000.0;
    assert!((share - bursts.mean_loss()).abs() < 0.01, "{share} instead of {}", bursts.mean_loss());
    // A loss is followed by another far more often than by chance.
    let lost: Vec<u64> = play.lost().iter().map(|lost| lost.time.as_nanos() / 1_000_000).collect();
    let again = lost.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() as f64 / lost.len() as f64;
    assert!((again - 0.75 * 0.8).abs() < 0.05, "{again}");
}

#[test]
fn a_schedule_holds_from_step_to_step_for_its_links() {
    let steps = vec![
        Step { latency: Some(constant(30)), ..step(10) },
        Step { drop: Some(1.0), ..step(20) },
        Step { bandwidth: bytes_a_second(200), ..step(30) },
        step(50),
    ];
    let schedules = vec![Schedule::new(pairs(0, 1), steps).unwrap()];
    let model = NetworkModel { schedules, ..plain() };
    let times = [0, 9, 10, 19, 20, 29, 30, 31, 50];
    let play = times.iter().fold(Play::on(model), |play, &n| play.send(n, 0, 1, Note::at(n)));
    let play = play.send(20, 1, 0, Note::at(100)).send(20, 0, 2, Note::at(101)).run();
    let expected = [(10, 0), (19, 9), (30, 100), (30, 101), (40, 10), (45, 30), (49, 19), (50, 31), (60, 50)];
    assert_eq!(play.arrivals_ms(), expected, "5 ms for a byte from 30 on");
    assert_eq!(play.lost().len(), 2);
}

#[test]
fn a_held_message_does_not_hold_its_link() {
    let steps = vec![Step { bandwidth: bytes_a_second(1000), ..step(0) }];
    let schedules = vec![Schedule::new(pairs(0, 1), steps).unwrap()];
    let scope = RuleScope { end: Some(ms(500)), kinds: Some(KindSet::of([9])), ..RuleScope::default() };
    let hold = Rule::new(scope, Action::Hold).unwrap();
    let model = NetworkModel { schedules, rules: vec![hold], ..plain() };
    let play = Play::on(model).send(0, 0, 1, Note { kind: 9, ..Note::at(0) }).send(5, 0, 1, Note::at(5)).run();
    assert_eq!(play.arrivals_ms(), [(16, 5), (510, 0)]);
}

#[test]
fn a_link_that_recovers_lets_its_queue_through() {
    let steps = |rate| vec![Step { bandwidth: bytes_a_second(1), ..step(0) }, Step { bandwidth: rate, ..step(2000) }];
    for (rate, last) in [(bytes_a_second(1000), 2028), (None, 2010)] {
        let schedules = vec![Schedule::new(pairs(0, 1), steps(rate)).unwrap()];
        let model = NetworkModel { schedules, ..plain() };
        let play = (0..20).fold(Play::on(model), |play, n| play.send(n, 0, 1, Note::at(n))).run();
        assert_eq!(
            play.arrivals().last().unwrap().0.as_nanos() / 1_000_000,
            last,
            "two until 2,000 ms, the rest from then on"
        );
    }
}

/// A rule takes a message, and the bursts lose the same ones all the same.
#[test]
fn what_one_fault_takes_changes_nothing_for_another() {
    let bursts = Some(BurstLoss { to_bad: 0.2, to_good: 0.3, loss_good: 0.1, loss_bad: 0.9 });
    let heard = |model| -> Vec<u64> {
        let play = (0..200).fold(Play::on(model), |play, n| play.send(n, 0, 1, Note::at(n))).run();
        play.arrivals_ms().into_iter().map(|(_, n)| n).collect()
    };
    let all = heard(NetworkModel { bursts, ..plain() });
    let without = heard(NetworkModel { bursts, rules: vec![dropping(0, Some(50))], ..plain() });
    assert_eq!(without, all.into_iter().filter(|&n| n >= 50).collect::<Vec<_>>());
}

#[test]
fn a_reliable_transport_is_stable_when_nothing_waits_any_more() {
    let late = |latency| {
        let steps = vec![Step { latency: Some(latency), ..step(0) }, step(100)];
        let schedules = vec![Schedule::new(pairs(0, 1), steps).unwrap()];
        NetworkModel { schedules, transport: reliable(20), ..plain() }
    };
    let seconds = |count: u64| ms(1000 * count);
    assert_eq!(late(constant(100_000)).stabilises_at(), Some(ms(100) + Span::from_millis(160_000)));
    assert_eq!(late(constant(100_000)).longest_delay(), Some(Span::from_millis(10)));
    let narrow = vec![Step { bandwidth: bytes_a_second(1), ..step(0) }, step(100)];
    let schedules = vec![Schedule::new(pairs(0, 1), narrow).unwrap()];
    assert_eq!(NetworkModel { schedules, transport: reliable(20), ..plain() }.longest_delay(), None);
    // And so it is.
    let play = Play::on(late(constant(100_000))).send(0, 0, 1, Note::at(0)).send(5_000, 0, 1, Note::at(5_000)).run();
    assert_eq!(play.arrivals(), [(seconds(100), 0), (seconds(100), 5_000)]);
}

#[test]
fn each_message_is_delivered_or_lost() {
    let play = (0..5).fold(Play::on(narrow(Some(2))), |play, n| play.send(0, n as u16, 9, Note::at(n))).run();
    let count = |what: &str| play.log().iter().filter(|row| row.contains(what)).count();
    assert_eq!((count("Sent("), count("Delivered("), count("Dropped(")), (5, 3, 2));
}

#[test]
fn a_network_says_when_it_is_stable() {
    let bursts = |loss_bad, loss_good| Some(BurstLoss { to_bad: 0.1, to_good: 0.5, loss_good, loss_bad });
    let model = |bursts, transport| NetworkModel { bursts, transport, ..plain() };
    assert_eq!(model(bursts(0.5, 0.0), Transport::Datagram).stabilises_at(), None);
    assert_eq!(model(bursts(0.5, 0.0), reliable(20)).stabilises_at(), Some(Time::START));
    let hopeless = model(bursts(1.0, 1.0), reliable(20));
    assert_eq!((hopeless.stabilises_at(), hopeless.can_ever_talk(NodeId(0), NodeId(1))), (None, false));
    let schedules = |drop| vec![Schedule::new(pairs(0, 1), vec![Step { drop, ..step(10) }]).unwrap()];
    let model_with = |drop| NetworkModel { schedules: schedules(drop), ..plain() };
    assert_eq!(model_with(Some(0.1)).stabilises_at(), None);
    assert_eq!(model_with(None).stabilises_at(), Some(ms(10)));
    let cut = model_with(Some(1.0));
    assert!(!cut.can_ever_talk(NodeId(0), NodeId(1)) && cut.can_ever_talk(NodeId(1), NodeId(0)));
    assert_eq!(plain().longest_delay(), Some(Span::from_millis(10)));
    assert_eq!(narrow(None).longest_delay(), None, "queues have no bound");
}

#[test]
fn what_comes_and_goes_cuts_both_directions() {
    let nodes = Fickle::Nodes(NodeSet::of([NodeId(1)]));
    let churn = |cut| Churn::new(nodes.clone(), constant(10), constant(20), (ms(0), Some(ms(100))), cut).unwrap();
    let model = |cut| NetworkModel { churn: vec![churn(cut)], ..plain() };
    // There until 10, away until 30, there until 40, away until 60, …
    let script = |cut| {
        let play = Play::on(model(cut)).send(9, 0, 1, Note::at(9)).send(10, 0, 1, Note::at(10));
        let play = play.send(29, 1, 2, Note::at(29)).send(30, 0, 1, Note::at(30)).send(15, 0, 2, Note::at(15));
        play.send(105, 0, 1, Note::at(105)).run()
    };
    assert_eq!(script(Cut::Drop).arrivals_ms(), [(19, 9), (25, 15), (40, 30), (115, 105)]);
    assert_eq!(script(Cut::Hold).arrivals_ms(), [(19, 9), (25, 15), (40, 10), (40, 30), (40, 29), (115, 105)]);
}

#[test]
fn a_one_way_partition_lets_answers_through() {
    let groups = vec![NodeSet::of([NodeId(0)]), NodeSet::of([NodeId(1), NodeId(2)])];
    let partition = Partition::new(Time::START, None, groups, Cut::Drop).unwrap().one_way();
    let model = NetworkModel { partitions: vec![partition], ..plain() };
    let play = Play::on(model).send(0, 0, 1, Note::at(1)).send(0, 1, 0, Note::at(2)).send(0, 1, 2, Note::at(3));
    assert_eq!(play.run().arrivals_ms(), [(10, 2), (10, 3)]);
}
