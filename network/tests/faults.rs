//! What goes wrong in a process ends its run with a fault that says where: the run neither hangs nor ends as if all were well.

use byzlab_network::{
    Arrival, Ending, Fault, Key, Latency, Message, NetworkModel, NodeId, Observer, Outbox, Process, Recipients, Record,
    Report, Simulation, Span, Time, Verdict,
};

const DELAY_NS: u64 = 10_000_000;

#[derive(Clone)]
struct Ball;

impl Message for Ball {
    fn size(&self) -> u64 {
        1
    }
}

/// Returns the ball so many times, and then makes its mistake.
struct Player {
    node: NodeId,
    serves: bool,
    returns: u32,
    mistake: Mistake,
}

#[derive(Clone, Copy)]
enum Mistake {
    None,
    Panic,
    PanicWithoutText,
    /// Sends in the name of this node.
    Forge(NodeId),
    /// Sends to this node.
    SendTo(NodeId),
}

impl Player {
    fn play(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
        let other = NodeId(1 - self.node.0 % 2);
        out.event(now, self.node, ());
        if self.returns > 0 {
            self.returns -= 1;
            return out.send(now, self.node, Recipients::One(other), Ball);
        }
        match self.mistake {
            Mistake::None => {}
            Mistake::Panic => panic!("node {} stumbles", self.node),
            Mistake::PanicWithoutText => std::panic::panic_any(7),
            Mistake::Forge(author) => out.send(now, author, Recipients::One(other), Ball),
            Mistake::SendTo(stranger) => out.send(now, self.node, Recipients::One(stranger), Ball),
        }
    }
}

impl Process<Ball, ()> for Player {
    fn receive(&mut self, ball: Arrival<Ball>, out: &mut Outbox<Ball, ()>) {
        self.play(ball.time, out);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
        self.serves = false;
        self.play(now, out);
    }

    fn next_wake(&self) -> Option<Time> {
        self.serves.then_some(Time::START)
    }
}

/// Node 0 serves at 0 ms; node 1 gets the ball at 10, 30, 50, … ms and makes the mistake after two returns, at 50 ms.
fn play(mistake: Mistake) -> Result<Report, Fault> {
    simulation(mistake).run()
}

fn simulation(mistake: Mistake) -> Simulation<Ball, ()> {
    let mut simulation = empty();
    simulation.seat(&[NodeId(0)], Player { node: NodeId(0), serves: true, returns: 9, mistake: Mistake::None });
    simulation.seat(&[NodeId(1), NodeId(2)], Player { node: NodeId(1), serves: false, returns: 2, mistake });
    simulation
}

fn empty() -> Simulation<Ball, ()> {
    Simulation::new(NetworkModel::perfect(Latency::constant(Span::from_nanos(DELAY_NS))), Key::root(1))
}

/// Where and when a panic was, and its text.
fn panic_of(result: Result<Report, Fault>) -> (String, u64, String) {
    match result {
        Err(Fault::Panic { place, at_ns, message }) => (place, at_ns, message),
        other => panic!("a panic must end the run with its fault, not with {other:?}"),
    }
}

#[test]
fn without_a_mistake_the_run_ends_quietly() {
    let report = play(Mistake::None).unwrap();
    assert_eq!((report.ending, report.traffic.messages), (Ending::Quiet, 5));
}

#[test]
fn a_panic_names_the_nodes_and_the_time() {
    let result = play(Mistake::Panic);
    let text = result.as_ref().unwrap_err().to_string();
    let (place, at_ns, message) = panic_of(result);
    assert_eq!((place.as_str(), message.as_str()), ("node 1, 2", "node 1 stumbles"));
    // The end of the window, which is one delay long.
    assert!((5 * DELAY_NS..=6 * DELAY_NS).contains(&at_ns), "{at_ns}");
    for part in ["panic in node 1, 2", "at or before", "ns of virtual time", "node 1 stumbles"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn a_panic_without_a_text_is_reported_too() {
    let (place, _, message) = panic_of(play(Mistake::PanicWithoutText));
    assert_eq!((place.as_str(), message.as_str()), ("node 1, 2", "no message"));
}

#[test]
fn a_panic_at_the_first_wake_up_is_reported() {
    let mut simulation = empty();
    simulation.seat(&[NodeId(0)], Player { node: NodeId(0), serves: true, returns: 0, mistake: Mistake::Panic });
    let (place, at_ns, message) = panic_of(simulation.run());
    assert_eq!((place.as_str(), message.as_str()), ("node 0", "node 0 stumbles"));
    assert!(at_ns <= DELAY_NS, "{at_ns}");
}

#[test]
fn a_run_after_a_panic_is_as_if_nothing_had_been() {
    let before = play(Mistake::None);
    panic_of(play(Mistake::Panic));
    assert_eq!(play(Mistake::None), before);
}

#[test]
fn nobody_sends_in_the_name_of_another() {
    let (place, at_ns, message) = panic_of(play(Mistake::Forge(NodeId(0))));
    assert_eq!(place, "the router");
    assert!((5 * DELAY_NS..=6 * DELAY_NS).contains(&at_ns), "{at_ns}");
    assert!(message.contains("in the name of node 0, which it does not play"), "{message}");
    // A process speaks for every node that it plays; this one goes on until node 0 has returned all its balls.
    assert_eq!(play(Mistake::Forge(NodeId(2))).unwrap().traffic.messages, 9 + 9);
}

#[test]
fn nobody_sends_in_the_name_of_a_node_that_does_not_exist() {
    let (place, _, _) = panic_of(play(Mistake::Forge(NodeId(3))));
    assert_eq!(place, "the router");
}

#[test]
fn nobody_sends_to_a_node_that_does_not_exist() {
    let (place, _, message) = panic_of(play(Mistake::SendTo(NodeId(3))));
    assert_eq!(place, "the router");
    assert!(message.contains("node 1 sent to") && message.contains("there are only 3 nodes"), "{message}");
}

/// Panics once it has seen so many events.
struct Stumbling(usize);

impl Observer<Ball, ()> for Stumbling {
    fn observe(&mut self, records: &[Record<Ball, ()>]) -> Verdict {
        self.0 = self.0.checked_sub(records.len()).expect("this observer stumbles");
        Verdict::Continue
    }
}

#[test]
fn a_panic_of_the_observer_ends_the_run() {
    // The third event is at 20 ms.
    let (place, at_ns, message) = panic_of(simulation(Mistake::None).observer(Stumbling(2)).run());
    assert_eq!((place.as_str(), message.as_str()), ("the router", "this observer stumbles"));
    assert!((2 * DELAY_NS..=3 * DELAY_NS).contains(&at_ns), "{at_ns}");
}

#[test]
fn a_node_that_nobody_plays_is_a_fault() {
    let mut simulation = empty();
    for node in [0, 2] {
        simulation
            .seat(&[NodeId(node)], Player { node: NodeId(node), serves: true, returns: 1, mistake: Mistake::None });
    }
    let fault = simulation.run().unwrap_err();
    assert_eq!(fault, Fault::Unplayed(NodeId(1)));
    assert_eq!(fault.to_string(), "node 1 is not played by any process");
}

#[test]
#[should_panic(expected = "node 1 is played already")]
fn a_node_is_played_once() {
    simulation(Mistake::None)
        .seat(&[NodeId(1)], Player { node: NodeId(1), serves: false, returns: 0, mistake: Mistake::None });
}

#[test]
fn a_simulation_without_nodes_is_over_at_once() {
    let report = empty().run().unwrap();
    assert_eq!((report.ending, report.traffic.messages, report.ended), (Ending::Quiet, 0, Time::START));
}
