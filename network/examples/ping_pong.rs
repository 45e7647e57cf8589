//! A whole protocol on the network: two players return a ball until the time is over.
//!
//! `cargo run --release -p byzlab-network --example ping_pong`

use byzlab_network::{Arrival, Ending, Key, Latency, Message, NetworkModel, NodeId, Outbox, Process, Recipients};
use byzlab_network::{Simulation, Span, Time};

#[derive(Clone)]
struct Ball;

impl Message for Ball {
    fn size(&self) -> u64 {
        58
    }
}

struct Player {
    serves: bool,
}

// The protocol.
impl Process<Ball, ()> for Player {
    fn receive(&mut self, ball: Arrival<Ball>, out: &mut Outbox<Ball, ()>) {
        out.send(ball.time, ball.to(), Recipients::One(ball.from()), Ball);
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
        self.serves = false;
        out.send(now, NodeId(0), Recipients::One(NodeId(1)), Ball);
    }

    fn next_wake(&self) -> Option<Time> {
        self.serves.then_some(Time::START)
    }
}

fn main() {
    let network = NetworkModel::perfect(Latency::constant(Span::from_millis(10)));
    let mut match_ = Simulation::new(network, Key::root(1)).time_limit(Time::from_nanos(1_000_000_000));
    match_.seat(&[NodeId(0)], Player { serves: true });
    match_.seat(&[NodeId(1)], Player { serves: false });
    let report = match_.run().expect("no player panics");
    println!("{} balls in {} virtual seconds", report.traffic.messages, report.ended.as_nanos() / 1_000_000_000);

    // The ball is served at 0 ms and returned at 10, 20, … 1000 ms.
    assert_eq!((report.ending, report.traffic.messages), (Ending::TimeLimit, 101));
}
