//! A node's cores: first come, first served, as queueing theory has it.

use byzlab_network::latency::Shape;
use byzlab_network::{
    Arrival, Happening, Key, Latency, Message, NetworkModel, NodeId, Observer, Outbox, Process, Recipients, Record,
    Simulation, Span, Time, Verdict,
};
use std::cell::RefCell;
use std::num::NonZeroU16;
use std::rc::Rc;

/// A job, with the time at which it was sent.
#[derive(Clone, Copy)]
struct Job(Time);

impl Message for Job {
    fn size(&self) -> u64 {
        1
    }
}

/// Sends jobs to node 1, each so long after the one before.
struct Source {
    gap: Latency,
    draws: Key,
    left: u64,
    next: Time,
}

impl Process<Job, Job> for Source {
    fn receive(&mut self, _: Arrival<Job>, _: &mut Outbox<Job, Job>) {}

    fn wake(&mut self, now: Time, out: &mut Outbox<Job, Job>) {
        out.send(now, NodeId(0), Recipients::One(NodeId(1)), Job(now));
        self.left -= 1;
        self.next = now + self.gap.sample(&mut self.draws.child(self.left).draw());
    }

    fn next_wake(&self) -> Option<Time> {
        (self.left > 0).then_some(self.next)
    }
}

/// Works on what comes: so long before it reacts, and so long after.
struct Server {
    before: Latency,
    after: Latency,
    draws: Key,
    jobs: u64,
}

impl Process<Job, Job> for Server {
    fn work_of(&mut self, _: &Arrival<Job>) -> Span {
        self.jobs += 1;
        self.before.sample(&mut self.draws.child(self.jobs).draw())
    }

    fn receive(&mut self, arrival: Arrival<Job>, out: &mut Outbox<Job, Job>) {
        let done = arrival.time + self.after.sample(&mut self.draws.child(self.jobs).child(1).draw());
        out.busy_until(done);
        out.event(arrival.time, NodeId(1), arrival.message);
        if self.after.most() != Some(Span::ZERO) {
            out.send(done, NodeId(1), Recipients::One(NodeId(2)), arrival.message);
        }
    }

    fn wake(&mut self, _: Time, _: &mut Outbox<Job, Job>) {}

    fn next_wake(&self) -> Option<Time> {
        None
    }
}

/// Where what the server sends goes.
struct Sink;

impl Process<Job, Job> for Sink {
    fn receive(&mut self, arrival: Arrival<Job>, out: &mut Outbox<Job, Job>) {
        out.event(arrival.time, NodeId(2), arrival.message);
    }

    fn wake(&mut self, _: Time, _: &mut Outbox<Job, Job>) {}

    fn next_wake(&self) -> Option<Time> {
        None
    }
}

/// When each job was sent, and when it was handled at the server or came to the sink.
#[derive(Clone, Default)]
struct Times(Rc<RefCell<Vec<(NodeId, Time, Time)>>>);

impl Observer<Job, Job> for Times {
    fn observe(&mut self, records: &[Record<Job, Job>]) -> Verdict {
        for record in records {
            if let Happening::Event(Job(sent)) = record.what {
                self.0.borrow_mut().push((record.node, sent, record.time));
            }
        }
        Verdict::Continue
    }
}

const WAY: Span = Span::from_millis(1);

fn us(microseconds: u64) -> Span {
    Span::from_nanos(1_000 * microseconds)
}

fn exponential(mean: Span) -> Latency {
    Latency::new(Shape::Exponential { mean }, Span::ZERO, Span::ZERO).unwrap()
}

fn none() -> Latency {
    Latency::constant(Span::ZERO)
}

/// Jobs through a server with so many cores.
fn play(jobs: u64, gap: Latency, before: Latency, after: Latency, cores: u16) -> Vec<(NodeId, Time, Time)> {
    let times = Times::default();
    let network = NetworkModel::perfect(Latency::constant(WAY));
    let mut simulation =
        Simulation::new(network, Key::root(5)).cores(NonZeroU16::new(cores).unwrap()).observer(times.clone());
    simulation.seat(&[NodeId(0)], Source { gap, draws: Key::root(1), left: jobs, next: Time::START });
    simulation.seat(&[NodeId(1)], Server { before, after, draws: Key::root(2), jobs: 0 });
    simulation.seat(&[NodeId(2)], Sink);
    simulation.run().unwrap();
    times.0.take()
}

/// The mean time between a job's arrival and the beginning of the work on it, in units of the mean work of 100 µs.
fn mean_wait(jobs: u64, load: f64, work: Latency, cores: u16) -> f64 {
    let gap = exponential(Span::from_nanos((100_000.0 / load / f64::from(cores)) as u64));
    let times = play(jobs, gap, work, none(), cores);
    assert_eq!(times.len() as u64, jobs);
    let total: f64 = times.iter().map(|(_, sent, done)| done.since(*sent + WAY).as_nanos() as f64).sum();
    total / jobs as f64 / 100_000.0 - 1.0
}

fn assert_close(name: &str, measured: f64, expected: f64) {
    let error = measured / expected - 1.0;
    assert!(error.abs() < 0.02, "{name}: {measured:.4} instead of {expected:.4}");
}

/// Pollaczek & Khinchine: ρ / 2(1 − ρ) for constant work, ρ / (1 − ρ) for exponential.
#[test]
fn one_core_waits_as_the_formulas_say() {
    for load in [0.3, 0.6] {
        assert_close("M/D/1", mean_wait(600_000, load, Latency::constant(us(100)), 1), load / (2.0 * (1.0 - load)));
        assert_close("M/M/1", mean_wait(900_000, load, exponential(us(100)), 1), load / (1.0 - load));
    }
}

/// Erlang's C: with two cores the wait is ρ² / (1 − ρ²).
#[test]
fn two_cores_wait_as_the_formula_says() {
    let load = 0.6_f64;
    let expected = load * load / (1.0 - load * load);
    assert_close("M/M/2", mean_wait(900_000, load, exponential(us(100)), 2), expected);
}

/// What a core does for a message that it handled keeps it from the next.
#[test]
fn work_on_what_is_sent_is_work() {
    let load = 0.6;
    let gap = exponential(Span::from_nanos((100_000.0 / load) as u64));
    let times = play(600_000, gap, none(), Latency::constant(us(100)), 1);
    let handled: Vec<_> = times.iter().filter(|(node, ..)| *node == NodeId(1)).collect();
    let total: f64 = handled.iter().map(|(_, sent, done)| done.since(*sent + WAY).as_nanos() as f64).sum();
    assert_close("M/D/1", total / handled.len() as f64 / 100_000.0, load / (2.0 * (1.0 - load)));
}

/// Up until 250 µs after the start, down until 600.
struct Patient(Server, Vec<Time>);

impl Process<Job, Job> for Patient {
    fn hears(&self, now: Time) -> bool {
        now < Time::START + WAY + us(250) || Time::START + WAY + us(600) <= now
    }

    fn work_of(&mut self, arrival: &Arrival<Job>) -> Span {
        self.0.work_of(arrival)
    }

    fn receive(&mut self, arrival: Arrival<Job>, out: &mut Outbox<Job, Job>) {
        self.0.receive(arrival, out);
    }

    fn wake(&mut self, _: Time, _: &mut Outbox<Job, Job>) {
        self.1.pop();
    }

    fn next_wake(&self) -> Option<Time> {
        self.1.last().copied()
    }
}

/// Ten jobs come at once; two and a half are done when the node crashes, and the rest is gone when it is back.
#[test]
fn what_waits_at_a_node_that_crashes_is_lost() {
    let times = Times::default();
    let network = NetworkModel::perfect(Latency::constant(WAY));
    let mut simulation = Simulation::new(network, Key::root(5)).cores(NonZeroU16::MIN).observer(times.clone());
    simulation.seat(&[NodeId(0)], Source { gap: none(), draws: Key::root(1), left: 10, next: Time::START });
    let server = Server { before: Latency::constant(us(100)), after: none(), draws: Key::root(2), jobs: 0 };
    let alarms = vec![Time::START + WAY + us(600), Time::START + WAY + us(250)];
    simulation.seat(&[NodeId(1)], Patient(server, alarms));
    simulation.seat(&[NodeId(2)], Sink);
    simulation.run().unwrap();
    let done: Vec<u64> = times.0.take().iter().map(|(_, _, done)| done.as_nanos() / 1_000).collect();
    assert_eq!(done, [1_100, 1_200]);
}

/// Two jobs at once: each is taken in (30 µs) and answered (50 µs).
#[test]
fn cores_are_exact() {
    let arrivals = |cores| -> Vec<u64> {
        let work = Latency::constant(us(30));
        let times = play(3, none(), work, Latency::constant(us(50)), cores);
        let sink = times.iter().filter(|(node, ..)| *node == NodeId(2));
        sink.map(|(_, _, came)| came.as_nanos() / 1_000).collect()
    };
    assert_eq!(arrivals(1), [2080, 2160, 2240]);
    assert_eq!(arrivals(2), [2080, 2080, 2160]);
    assert_eq!(arrivals(8), [2080, 2080, 2080]);
}
