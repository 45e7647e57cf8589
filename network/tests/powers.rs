//! Powers over the run: nodes change hands and lose nothing, and rules come and go.

use byzlab_network::{
    Act, Action, Arrival, Bandwidth, Cause, Ending, Event, Fault, Happening, Interface, Key, Label, Latency, Message,
    NetworkModel, NodeId, NodeSet, Observer, Outbox, Powers, Process, Recipients, Record, Report, Rule, RuleScope,
    Simulation, Span, Stimulus, Time, Trail, Verdict,
};
use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroU16;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Note(u32);

impl Message for Note {
    fn size(&self) -> u64 {
        125
    }

    fn label(&self) -> Label {
        Label { kind: self.0 as u8, ..Label::default() }
    }
}

/// Who plays the node is in all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    Heard(&'static str, u32),
    Ticked(&'static str),
    Took(&'static str),
}

/// What a node needs to go on: when it ticks next, how often, and to whom it sends then; and in which reaction it asked for that.
#[derive(Clone, Copy)]
struct Clock {
    node: NodeId,
    next: Time,
    gap: Span,
    to: Option<NodeId>,
    ticks: u32,
    because: Cause,
}

/// Reports what it hears, works on it and answers it if it is told to, ticks, and follows its script.
#[derive(Default)]
struct Player {
    name: &'static str,
    clocks: Vec<Clock>,
    answers_to: Option<NodeId>,
    work: Span,
    /// Next step last.
    script: Vec<(Time, Act)>,
    /// What it does on taking a node over.
    then: Vec<Act>,
    refuses: bool,
    /// Takes a node over and wants to be woken before.
    is_late: bool,
}

impl Player {
    fn named(name: &'static str) -> Player {
        Player { name, ..Player::default() }
    }

    fn ticking(mut self, node: u16, gap: Span, to: Option<u16>) -> Player {
        let (node, to) = (NodeId(node), to.map(NodeId));
        self.clocks.push(Clock { node, next: Time::START, gap, to, ticks: 0, because: Cause::NONE });
        self
    }

    fn acting(mut self, mut script: Vec<(Time, Act)>) -> Player {
        script.reverse();
        self.script = script;
        self
    }
}

impl Process<Note, Deed> for Player {
    fn work_of(&mut self, _: &Arrival<Note>) -> Span {
        self.work
    }

    fn receive(&mut self, arrival: Arrival<Note>, out: &mut Outbox<Note, Deed>) {
        out.event(arrival.time, arrival.to(), Deed::Heard(self.name, arrival.message.0));
        if let Some(to) = self.answers_to {
            out.send(arrival.time + self.work, arrival.to(), Recipients::One(to), arrival.message);
        }
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Note, Deed>) {
        while let Some((_, act)) = self.script.pop_if(|(due, _)| *due <= now) {
            out.act(act);
        }
        for clock in self.clocks.iter_mut().filter(|clock| clock.next <= now) {
            out.woken(now, clock.node, clock.because);
            clock.because = out.cause();
            out.event(now, clock.node, Deed::Ticked(self.name));
            if let Some(to) = clock.to {
                out.send(now, clock.node, Recipients::One(to), Note(clock.ticks));
            }
            clock.ticks += 1;
            clock.next = now + clock.gap;
        }
    }

    fn next_wake(&self) -> Option<Time> {
        let ticks = self.clocks.iter().map(|clock| clock.next);
        ticks.chain(self.script.last().map(|(time, _)| *time)).min()
    }

    fn surrender(&mut self, node: NodeId, _: Time) -> Option<Box<dyn Any>> {
        let clock = self.clocks.iter().position(|clock| clock.node == node).map(|place| self.clocks.remove(place));
        (!self.refuses).then(|| Box::new(clock) as Box<dyn Any>)
    }

    fn take_over(&mut self, node: NodeId, what: Box<dyn Any>, now: Time, out: &mut Outbox<Note, Deed>) {
        out.event(now, node, Deed::Took(self.name));
        let clock: Option<Clock> = *what.downcast().unwrap();
        self.clocks.extend(clock);
        if self.is_late {
            self.script.push((Time::START, Act::Lift(0)));
        }
        self.then.drain(..).for_each(|act| out.act(act));
    }
}

/// Keeps what happened, and follows each cause to its beginning.
#[derive(Clone, Default)]
struct Diary {
    entries: Rc<RefCell<Vec<(Time, NodeId, String)>>>,
    deeds: Rc<RefCell<Vec<(Time, NodeId, Deed)>>>,
    /// How many hops back each deed leads.
    depths: Rc<RefCell<Vec<usize>>>,
}

impl Observer<Note, Deed> for Diary {
    fn observe(&mut self, records: &[Record<Note, Deed>]) -> Verdict {
        for record in records {
            let mut entries = self.entries.borrow_mut();
            if let Some((time, node, _)) = entries.last() {
                assert!((*time, *node) <= (record.time, record.node), "the whole run is in order");
            }
            entries.push((record.time, record.node, format!("{:?}", record.what)));
            if let Happening::Event(deed) = &record.what {
                self.deeds.borrow_mut().push((record.time, record.node, *deed));
            }
        }
        Verdict::Continue
    }

    fn observe_causes(&mut self, records: &[Record<Note, Deed>], trail: &Trail<'_, Note>) -> Verdict {
        for record in records {
            let Happening::Event(deed) = &record.what else { continue };
            let (mut cause, mut depth) = (record.cause, 0);
            if let Deed::Heard(_, note) = deed {
                let reaction = trail.reaction(cause).expect("what was heard has a cause");
                assert_eq!((reaction.node, reaction.at), (record.node, record.time));
                assert!(matches!(&reaction.to, Stimulus::Message(journey) if journey.message.0 == *note));
            }
            while let Some(reaction) = trail.reaction(cause) {
                depth += 1;
                cause = match &reaction.to {
                    Stimulus::Message(journey) => journey.cause,
                    Stimulus::Wake(because) => *because,
                };
            }
            self.depths.borrow_mut().push(depth);
        }
        self.observe(records)
    }
}

fn us(microseconds: u64) -> Span {
    Span::from_nanos(1_000 * microseconds)
}

fn at(microseconds: u64) -> Time {
    Time::START + us(microseconds)
}

fn one_ms() -> NetworkModel {
    NetworkModel::perfect(Latency::constant(us(1000)))
}

/// A run until 20 ms.
fn simulation(network: NetworkModel, diary: &Diary) -> Simulation<Note, Deed> {
    Simulation::new(network, Key::root(1)).time_limit(at(20_000)).observer(diary.clone())
}

const ONE: Powers = Powers { takeovers: 1, rules: false };
const RULES: Powers = Powers { takeovers: 0, rules: true };

fn take(time: Time, node: u16) -> (Time, Act) {
    (time, Act::TakeOver(NodeId(node)))
}

/// The deeds of a node without the names, and who did them.
fn deeds_of(diary: &Diary, node: u16) -> (Vec<(Time, &'static str)>, Vec<String>) {
    let deeds = diary.deeds.borrow();
    deeds
        .iter()
        .filter(|(_, other, deed)| *other == NodeId(node) && !matches!(deed, Deed::Took(_)))
        .map(|(time, _, deed)| match deed {
            Deed::Heard(name, number) => ((*time, *name), format!("{} heard {number}", time.as_nanos())),
            Deed::Ticked(name) | Deed::Took(name) => ((*time, *name), format!("{} ticked", time.as_nanos())),
        })
        .unzip()
}

fn takeover_in(diary: &Diary) -> Time {
    diary.deeds.borrow().iter().find(|(_, _, deed)| matches!(deed, Deed::Took(_))).expect("a takeover").0
}

/// Node 0 sends to node 1 every 300 µs, node 1 ticks every 400 µs; somebody takes it over at some time, or not.
fn chase(thief: Option<Time>, log_messages: bool, keep_causes: bool) -> (Diary, Report) {
    let diary = Diary::default();
    let mut simulation = simulation(one_ms(), &diary).log_messages(log_messages).keep_causes(keep_causes);
    simulation.seat(&[NodeId(0)], Player::named("sender").ticking(0, us(300), Some(1)));
    simulation.seat(&[NodeId(1)], Player::named("victim").ticking(1, us(400), Some(0)));
    let script = thief.map(|time| take(time, 1)).into_iter().collect();
    simulation.seat_with(&[], Player::named("thief").acting(script), ONE);
    let report = simulation.run().unwrap();
    (diary, report)
}

#[test]
fn a_node_changes_hands_at_the_end_of_the_window_and_loses_nothing_on_its_way() {
    let (undisturbed, quiet) = chase(None, false, false);
    let (_, expected) = deeds_of(&undisturbed, 1);
    assert!(expected.len() > 100);
    for time in (0..15_000).step_by(130) {
        let (diary, report) = chase(Some(at(time)), false, false);
        let moved = takeover_in(&diary);
        assert!(at(time) < moved && moved <= at(time + 1000), "within a window of 1 ms");
        let (who, deeds) = deeds_of(&diary, 1);
        assert_eq!(deeds, expected, "taken over at {moved:?}");
        for (time, name) in who {
            assert_eq!(name, if time < moved { "victim" } else { "thief" }, "at {time:?}");
        }
        assert_eq!(deeds_of(&diary, 0).1, deeds_of(&undisturbed, 0).1);
        assert_eq!(report, quiet);
    }
}

#[test]
fn the_log_of_messages_is_that_of_a_run_without_a_takeover() {
    let plain = |diary: Diary| -> Vec<(Time, NodeId, String)> {
        let entries = diary.entries.take().into_iter();
        let entries = entries.map(|(time, node, what)| (time, node, what.replace("thief", "victim")));
        entries.filter(|(_, _, what)| !what.contains("Took")).collect()
    };
    let expected = plain(chase(None, true, false).0);
    assert!(expected.iter().any(|(_, _, what)| what.starts_with("Delivered")));
    for time in [0, 777, 5000, 12_345] {
        assert_eq!(plain(chase(Some(at(time)), true, false).0), expected);
    }
}

#[test]
fn causes_lead_over_a_takeover() {
    let depths = |diary: &Diary| {
        let deeds = diary.deeds.borrow();
        let depths = diary.depths.borrow();
        let kept = deeds.iter().zip(depths.iter()).filter(|((_, _, deed), _)| !matches!(deed, Deed::Took(_)));
        kept.map(|(_, depth)| *depth).collect::<Vec<usize>>()
    };
    let (undisturbed, _) = chase(None, false, true);
    let expected = depths(&undisturbed);
    assert!(expected.iter().max() > Some(&20));
    for time in [0, 777, 5000, 12_345] {
        assert_eq!(depths(&chase(Some(at(time)), false, true).0), expected);
    }
}

/// Nodes 0 and 1 send to node 2, whose machine is too slow for it; it answers to node 3. With a takeover at some time, or without.
fn queue(thief: Option<Time>, cores: Option<u16>, nodes_of_thief: &[NodeId], keep_causes: bool) -> Diary {
    let diary = Diary::default();
    let slow = Interface { ingress: Bandwidth::new(4_000_000), egress: None, buffer: Some(2000) };
    let interfaces = vec![Interface::default(), Interface::default(), slow];
    let network = NetworkModel { interfaces, ..one_ms() };
    let mut simulation = simulation(network, &diary).keep_causes(keep_causes);
    if let Some(cores) = cores.and_then(NonZeroU16::new) {
        simulation = simulation.cores(cores);
    }
    let work = us(if cores.is_some() { 170 } else { 0 });
    let server = |name| Player { work, answers_to: Some(NodeId(3)), ..Player::named(name) };
    simulation.seat(&[NodeId(0)], Player::named("sender").ticking(0, us(290), Some(2)));
    simulation.seat(&[NodeId(1)], Player::named("sender").ticking(1, us(390), Some(2)));
    simulation.seat(&[NodeId(2)], server("victim").ticking(2, us(3100), Some(3)));
    simulation.seat(&[NodeId(3)], Player::named("sink"));
    let script = thief.map(|time| take(time, 2)).into_iter().collect();
    simulation.seat_with(nodes_of_thief, server("thief").acting(script), ONE);
    if nodes_of_thief.is_empty() {
        simulation.seat(&[NodeId(4)], Player::named("idler"));
    }
    simulation.run().unwrap();
    diary
}

#[test]
fn what_waits_at_a_machine_or_is_worked_on_goes_along() {
    for cores in [None, Some(1), Some(2)] {
        for nodes_of_thief in [&[][..], &[NodeId(4)]] {
            let undisturbed = queue(None, cores, nodes_of_thief, false);
            let (_, expected) = deeds_of(&undisturbed, 2);
            assert!(expected.len() > 40);
            for time in (0..15_000).step_by(171) {
                let diary = queue(Some(at(time)), cores, nodes_of_thief, time % 2 == 1);
                let moved = takeover_in(&diary);
                let (who, deeds) = deeds_of(&diary, 2);
                assert_eq!(deeds, expected, "with {cores:?} cores, taken over at {moved:?}");
                assert!(who.iter().all(|(time, name)| *name == if *time < moved { "victim" } else { "thief" }));
                assert_eq!(deeds_of(&diary, 3).1, deeds_of(&undisturbed, 3).1);
            }
        }
    }
}

#[test]
fn a_node_can_be_taken_again_and_a_process_can_take_several() {
    let diary = Diary::default();
    let mut simulation = simulation(one_ms(), &diary);
    simulation.seat(&[NodeId(0), NodeId(1)], Player::named("victim").ticking(1, us(400), Some(0)));
    simulation.seat(&[NodeId(2)], Player::named("other").ticking(2, us(500), Some(1)));
    let (both, second) = (vec![take(at(2000), 1), take(at(2000), 0)], vec![take(at(2000), 2), take(at(9000), 1)]);
    simulation.seat_with(&[], Player::named("thief").acting(both), Powers { takeovers: 2, rules: false });
    simulation.seat_with(&[], Player::named("second").acting(second), Powers { takeovers: 5, rules: false });
    simulation.run().unwrap();
    let deeds = diary.deeds.borrow();
    let took = deeds.iter().filter(|(_, _, deed)| matches!(deed, Deed::Took(_))).map(|(_, node, deed)| (node.0, *deed));
    let expected =
        [(0, Deed::Took("thief")), (1, Deed::Took("thief")), (2, Deed::Took("second")), (1, Deed::Took("second"))];
    assert_eq!(took.collect::<Vec<_>>(), expected);
    let last = deeds.iter().rev().find(|(_, node, _)| *node == NodeId(1));
    assert_eq!(last, Some(&(at(20_000), NodeId(1), Deed::Ticked("second"))));
}

#[test]
fn what_is_reported_at_the_very_end_of_a_run_is_seen() {
    let diary = Diary::default();
    let mut simulation = Simulation::new(one_ms(), Key::root(1)).observer(diary.clone());
    simulation.seat(&[NodeId(0)], Player::named("victim"));
    simulation.seat_with(&[], Player::named("thief").acting(vec![take(at(500), 0)]), ONE);
    assert_eq!(simulation.run().unwrap().ending, Ending::Quiet);
    assert_eq!(*diary.deeds.borrow(), [(at(1500), NodeId(0), Deed::Took("thief"))]);
}

#[test]
fn nothing_changes_hands_after_the_end() {
    let diary = Diary::default();
    let mut simulation = simulation(one_ms(), &diary);
    simulation.seat(&[NodeId(0)], Player::named("victim"));
    simulation.seat_with(&[], Player::named("thief").acting(vec![take(at(19_500), 0)]), ONE);
    assert_eq!(simulation.run().unwrap().ending, Ending::Quiet);
    assert!(diary.deeds.borrow().is_empty());
}

fn rule(action: Action, scope: RuleScope) -> Rule {
    Rule::new(scope, action).unwrap()
}

fn from(node: u16) -> RuleScope {
    RuleScope { from: Some(NodeSet::of([NodeId(node)])), ..RuleScope::default() }
}

/// Nodes 0 and 1 send to node 2 every 300 µs, under these acts. When node 2 hears what, by the sender.
fn hear(network: NetworkModel, script: Vec<(Time, Act)>) -> [Vec<(u64, u32)>; 2] {
    let diary = Diary::default();
    let mut simulation = simulation(network, &diary).log_messages(true);
    simulation.seat(&[NodeId(0)], Player::named("sender").ticking(0, us(300), Some(2)));
    simulation.seat(&[NodeId(1)], Player::named("sender").ticking(1, us(300), Some(2)));
    simulation.seat(&[NodeId(2)], Player::named("receiver"));
    simulation.seat_with(&[], Player::named("adversary").acting(script), RULES);
    simulation.run().unwrap();
    [0, 1].map(|sender| {
        let start = format!("Delivered(#{sender}, Note(");
        let entries = diary.entries.borrow();
        let heard = entries.iter().filter_map(|(time, _, what)| {
            let note = what.strip_prefix("Delivered(")?.strip_prefix(&start["Delivered(".len()..])?;
            Some((time.as_nanos() / 1000, note.trim_end_matches(')').parse().unwrap()))
        });
        heard.collect()
    })
}

fn undisturbed() -> Vec<(u64, u32)> {
    (0..64).map(|note| (300 * u64::from(note) + 1000, note)).filter(|(time, _)| *time <= 20_000).collect()
}

/// In windows of 1 ms that begin at 0, 1, 2, … ms: for node 2 hears something all the time.
#[test]
fn an_imposed_rule_drops_until_it_is_lifted() {
    let script = vec![(at(3050), Act::Impose(5, rule(Action::Drop, from(0)))), (at(8000), Act::Lift(5))];
    let [first, second] = hear(one_ms(), script);
    assert_eq!(second, undisturbed(), "sent by another node");
    let lost: Vec<u32> = (0..60).filter(|note| !first.iter().any(|(_, other)| other == note)).collect();
    let (begin, end) = (lost[0], lost[lost.len() - 1]);
    assert_eq!(lost, (begin..=end).collect::<Vec<u32>>());
    let sent = |note: u32| u64::from(note) * 300;
    assert!(sent(begin) > 3050 - 1000 && sent(begin) < 3050 + 300, "from its own window on: {begin}");
    assert!(sent(end) < 8000 && sent(end) >= 8000 - 1000 - 300, "until the window in which it is lifted: {end}");
}

#[test]
fn the_scope_of_an_imposed_rule_goes_by_the_time_of_sending() {
    let scope = RuleScope { start: at(3000), end: Some(at(6000)), ..from(0) };
    let heard = |action: Action, scope: &RuleScope| {
        let [heard, other] = hear(one_ms(), vec![(at(1000), Act::Impose(5, rule(action, scope.clone())))]);
        assert_eq!(other, undisturbed());
        heard
    };
    let in_scope = |note: u32| (10..20).contains(&note);
    let left: Vec<(u64, u32)> = undisturbed().into_iter().filter(|(_, note)| !in_scope(*note)).collect();
    assert_eq!(heard(Action::Drop, &scope), left);
    let mut held: Vec<(u64, u32)> = (10..20).map(|note| (7000, note)).chain(left.clone()).collect();
    held.sort_unstable();
    assert_eq!(heard(Action::Hold, &scope), held);
    let mut late: Vec<(u64, u32)> = (10..20).map(|note| (300 * u64::from(note) + 1700, note)).chain(left).collect();
    late.sort_unstable();
    assert_eq!(heard(Action::Delay(Latency::constant(us(700))), &scope), late);
}

#[test]
fn what_a_lifted_rule_holds_stays_held() {
    let scope = RuleScope { start: at(3000), end: Some(at(15_000)), ..from(0) };
    let script = vec![(at(1000), Act::Impose(5, rule(Action::Hold, scope))), (at(6000), Act::Lift(5))];
    let [heard, _] = hear(one_ms(), script);
    let late: Vec<u32> = heard.iter().filter(|(time, _)| *time == 16_000).map(|(_, note)| *note).collect();
    assert!(late.len() > 6 && late[..6] == [10, 11, 12, 13, 14, 15], "{late:?}");
    assert!(heard.contains(&(9 * 300 + 1000, 9)) && heard.contains(&(21 * 300 + 1000, 21)));
}

#[test]
fn imposed_rules_decide_in_the_order_of_their_names_before_all_others() {
    let late = |by: u64| rule(Action::Delay(Latency::constant(us(by))), from(0));
    let network = || NetworkModel { rules: vec![late(400)], ..one_ms() };
    let last =
        |script| hear(network(), script)[0].iter().find(|(_, note)| *note == 40).map(|(time, _)| time - 40 * 300);
    let impose = |name, by| (at(1000), Act::Impose(name, late(by)));
    assert_eq!(last(vec![]), Some(1400));
    assert_eq!(last(vec![impose(7, 100)]), Some(1100));
    assert_eq!(last(vec![impose(7, 100), impose(3, 200)]), Some(1200));
    assert_eq!(last(vec![impose(3, 200), impose(7, 100)]), Some(1200));
    assert_eq!(last(vec![impose(3, 200), impose(7, 100), impose(3, 300)]), Some(1300), "replaced");
    assert_eq!(last(vec![impose(3, 200), impose(7, 100), (at(2000), Act::Lift(3))]), Some(1100));
    assert_eq!(last(vec![impose(3, 200), (at(2000), Act::Lift(3)), (at(2000), Act::Lift(9))]), Some(1400));
}

#[test]
fn imposing_a_rule_changes_no_other_random_number() {
    let half = |action, node| rule(action, RuleScope { probability: 0.5, ..from(node) });
    let jitter = Latency::uniform(us(1000), us(1900)).unwrap();
    let plain = || NetworkModel::perfect(jitter.clone());
    let scripted = || NetworkModel { rules: vec![half(Action::Drop, 0)], drop: 0.1, ..plain() };
    let imposed = || vec![(Time::START, Act::Impose(0, half(Action::Drop, 1)))];
    let [all, all_others] = hear(plain(), vec![]);
    let [same, half_of_others] = hear(plain(), imposed());
    assert_eq!(same, all);
    assert!(half_of_others.len() < 45 && half_of_others.len() > 15);
    assert!(half_of_others.iter().all(|heard| all_others.contains(heard)), "the rest take as long as before");
    let [fewer, others] = hear(scripted(), vec![]);
    let [same, half_of_others] = hear(scripted(), imposed());
    assert_eq!(same, fewer);
    assert!(half_of_others.iter().all(|heard| others.contains(heard)));
    // A rule of the same place draws something else.
    let [_, configured] = hear(NetworkModel { rules: vec![half(Action::Drop, 1)], ..plain() }, vec![]);
    let [_, imposed] = hear(plain(), imposed());
    assert_ne!(configured, imposed);
}

/// How a run ends in which a process does this at 1 ms.
fn fault(act: Act, powers: Powers, victim: Player) -> (String, u64, String) {
    fault_of(vec![(at(1000), act)], powers, victim, Player::named("thief"))
}

fn fault_of(script: Vec<(Time, Act)>, powers: Powers, victim: Player, thief: Player) -> (String, u64, String) {
    let mut simulation = simulation(one_ms(), &Diary::default());
    simulation.seat(&[NodeId(0)], victim);
    simulation.seat(&[NodeId(1)], Player::named("third"));
    simulation.seat_with(&[], thief.acting(script), powers);
    match simulation.run() {
        Err(Fault::Panic { place, at_ns, message }) => (place, at_ns, message),
        other => panic!("it must end the run with its fault, not with {other:?}"),
    }
}

fn victim() -> Player {
    Player::named("victim")
}

#[test]
fn an_act_without_the_power_is_a_fault() {
    let drop = || rule(Action::Drop, RuleScope::default());
    let thief = || "seat 2, which plays no node".to_owned();
    let no = |what: &str| (thief(), 2_000_000, format!("no power to {what}"));
    let none_left = "take over node 0: none was granted, or all are used up";
    assert_eq!(fault(Act::TakeOver(NodeId(0)), RULES, victim()), no(none_left));
    assert_eq!(fault(Act::Impose(4, drop()), ONE, victim()), no("impose rule 4"));
    assert_eq!(fault(Act::Lift(4), Powers::NONE, victim()), no("lift rule 4"));
    let (_, _, message) = fault_of(vec![take(at(1000), 1), take(at(5000), 0)], ONE, victim(), Player::named("thief"));
    assert_eq!(message, no(none_left).2, "the budget is one");
}

#[test]
fn a_takeover_that_cannot_be_is_a_fault() {
    let two = Powers { takeovers: 2, rules: false };
    let router = |message: &str| ("the router".to_owned(), 2_000_000, message.to_owned());
    let strange = "the process at seat 2 takes over node 9, but there are only 2 nodes";
    assert_eq!(fault(Act::TakeOver(NodeId(9)), two, victim()), router(strange));
    let own = "the process at seat 2 takes over node 0, which it plays already";
    let again = vec![take(at(1000), 0), take(at(1000), 0)];
    assert_eq!(fault_of(again, two, victim(), Player::named("thief")), router(own));
    let refused = fault(Act::TakeOver(NodeId(0)), two, Player { refuses: true, ..victim() });
    assert_eq!(refused, ("node 0".to_owned(), 2_000_000, "the process of node 0 does not hand it over".to_owned()));
    let late = Player { is_late: true, ..Player::named("thief") };
    let (place, _, message) = fault_of(vec![take(at(1000), 0)], two, victim(), late);
    assert_eq!(place, "seat 2, which plays no node");
    assert_eq!(message, "asks for a wake-up before 2000000 ns, the time at which a node changed hands");
}

#[test]
fn what_is_done_on_taking_over_counts_at_once() {
    let diary = Diary::default();
    let mut simulation = simulation(one_ms(), &diary);
    simulation.seat(&[NodeId(0)], victim().ticking(0, us(300), Some(1)));
    simulation.seat(&[NodeId(1)], Player::named("receiver"));
    let scope = RuleScope { start: at(1500), ..from(0) };
    let then = vec![Act::Impose(0, rule(Action::Drop, scope)), Act::TakeOver(NodeId(1))];
    let thief = Player { then, ..Player::named("thief") }.acting(vec![take(at(500), 0)]);
    simulation.seat_with(&[], thief, Powers { takeovers: 2, rules: true });
    simulation.run().unwrap();
    let took = |node| (at(1000), NodeId(node), Deed::Took("thief"));
    let deeds = diary.deeds.borrow();
    assert!(deeds.contains(&took(0)) && deeds.contains(&took(1)));
    let (who, heard) = deeds_of(&diary, 1);
    assert_eq!(heard.len(), 5, "what was sent until 1.2 ms: {heard:?}");
    assert!(who.iter().all(|(_, name)| *name == "thief"));
}

#[test]
fn an_outbox_of_a_test_takes_any_act() {
    fn acts<E: Event>(mut out: Outbox<Note, E>) -> Vec<Act> {
        out.act(Act::TakeOver(NodeId(3)));
        out.act(Act::Lift(1));
        out.take_acts()
    }
    assert_eq!(acts::<()>(Outbox::new(false)), [Act::TakeOver(NodeId(3)), Act::Lift(1)]);
}
