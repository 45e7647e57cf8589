//! Queueing theory, on whole runs: a cluster of one replica is one server, and many clients in open loops are a Poisson process.
//!
//! A request is served when it is executed, on one core, so the queue is M/D/1 or M/M/1. That PBFT gives a client one request at a time
//! does not matter: what waits for the client's own earlier request waits while that is at the server, which is then busy. It changes
//! the order of service, which leaves the mean as it is, and costs the server at most the way to the client and back: 2 µs, where the
//! mean work is 1 ms, for one request in several hundred.

mod recorded;

use byzlab::config::EventDetail;
use byzlab::{Experiment, RunId, run_once, seated};
use byzlab_adversary::Event;
use byzlab_analysis::{EventReader, Metric, Outcome, RunMeasures};
use byzlab_network::{Happening, Key, NodeId, Observer, Record, Time, Verdict};
use byzlab_replica::{Costs, Event as ProtocolEvent, Message};
use recorded::{Log, parse};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

const CLIENTS: u32 = 400;
/// The mean work for a request.
const WORK_NS: f64 = 1e6;
/// From the client to the replica and back.
const WAYS_NS: f64 = 2e3;
const CONSTANT: &str = r#""1ms""#;
const EXPONENTIAL: &str = r#"{ distribution = "exponential", mean = "1ms" }"#;

/// A server that is offered so much work, until the time limit.
fn server(execute: &str, load: f64, seconds: u32) -> Experiment {
    let rate = load * 1e9 / WORK_NS / f64::from(CLIENTS);
    let cluster =
        "cluster = { replicas = 1, faults = 0 }\nnetwork = { latency = { distribution = 'constant', value = '1us' } }";
    endless(seconds, execute, cluster, &format!("mode = 'open'\nclients = {CLIENTS}\nrate = {rate}"))
}

/// Requests come without end, and no timer runs out before the run does.
fn endless(seconds: u32, execute: &str, cluster: &str, workload: &str) -> Experiment {
    parse(&format!(
        r#"
        experiment = {{ seed = 11, runs = 1, time_limit = "{seconds}s" }}
        processing = {{ execute = {execute} }}
        protocol = {{ request_timeout = "1h", status_interval = "1h", checkpoint_interval = 10000, log_window = 20000 }}
        {cluster}
        [workload]
        requests = 100000000
        client_timeout = "1h"
        {workload}"#
    ))
}

/// When each request came and when its result was accepted, in the order of acceptance.
#[derive(Clone, Default)]
struct Requests(Rc<RefCell<Fates>>);

#[derive(Default)]
struct Fates {
    /// Of each client those that have come and are not accepted: it makes one after the other.
    open: BTreeMap<NodeId, VecDeque<Time>>,
    done: Vec<[Time; 2]>,
}

impl Observer<Message, Event> for Requests {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        let Fates { open, done } = &mut *self.0.borrow_mut();
        for record in records {
            let Happening::Event(Event::Protocol(event)) = &record.what else { continue };
            match event {
                ProtocolEvent::Request { .. } => open.entry(record.node).or_default().push_back(record.time),
                ProtocolEvent::Reply { .. } => {
                    let came = open.get_mut(&record.node).and_then(VecDeque::pop_front);
                    done.push([came.expect("a reply follows a request"), record.time]);
                }
                _ => {}
            }
        }
        Verdict::Continue
    }
}

/// The fates of all requests that were accepted within the time limit, in the order in which they came.
fn fates(experiment: &Experiment) -> Vec<[Time; 2]> {
    let requests = Requests::default();
    let (settings, key) = (&experiment.base, Key::from_u64(experiment.run_seed(0, 0)));
    let limit = Time::START + settings.time_limit;
    let report = seated(settings, key).time_limit(limit).observer(requests.clone()).run();
    assert!(report.is_ok(), "{report:?}");
    let mut done = std::mem::take(&mut requests.0.borrow_mut().done);
    done.sort_unstable();
    done
}

/// The mean time from a request to its result, in units of the mean work.
fn mean_latency(fates: &[[Time; 2]]) -> f64 {
    let total: f64 = fates.iter().map(|[came, accepted]| accepted.since(*came).as_nanos() as f64).sum();
    total / fates.len() as f64 / WORK_NS
}

/// The same for these very arrivals by Lindley's recursion (1952), with the work that the replica draws for one after the other.
fn lindley(experiment: &Experiment, fates: &[[Time; 2]]) -> f64 {
    let (settings, key) = (&experiment.base, Key::from_u64(experiment.run_seed(0, 0)));
    let mut costs = Costs::new(&settings.processing, settings.protocol.wire(), NodeId(0), key);
    let (mut free, mut total) = (Time::START, 0.0);
    for [came, _] in fates {
        free = free.max(*came) + costs.execute(1);
        total += free.since(*came).as_nanos() as f64 + WAYS_NS;
    }
    total / fates.len() as f64 / WORK_NS
}

fn assert_close(name: &str, measured: f64, expected: f64, tolerance: f64) {
    let error = measured / expected - 1.0;
    let figures = format!("{name}: {measured:.4}, expected {expected:.4}, {:+.3} %", 100.0 * error);
    eprintln!("{figures}");
    assert!(error.abs() < tolerance, "{figures}");
}

/// Pollaczek (1930) and Khinchine (1932): the mean wait is ρ (1 + c²) / 2(1 − ρ) of the mean work, which varies by its coefficient of
/// variation c. Of so many requests the mean is known to about 1 %.
fn waits_as_the_formula_says(execute: &str, squared_variation: f64, load: f64, seconds: u32) {
    let experiment = server(execute, load, seconds);
    let fates = fates(&experiment);
    let (latency, name) = (mean_latency(&fates), format!("load {load}, {} requests", fates.len()));
    assert_close(&format!("{name}, Lindley"), latency, lindley(&experiment, &fates), 1e-3);
    let wait = latency - WAYS_NS / WORK_NS - 1.0;
    assert_close(&name, wait, load * (1.0 + squared_variation) / (2.0 * (1.0 - load)), 0.02);
}

#[test]
fn constant_work_waits_as_in_m_d_1() {
    for (load, seconds) in [(0.3, 200), (0.5, 200), (0.7, 300)] {
        waits_as_the_formula_says(CONSTANT, 0.0, load, seconds);
    }
}

#[test]
fn exponential_work_waits_as_in_m_m_1() {
    for (load, seconds) in [(0.3, 500), (0.5, 400)] {
        waits_as_the_formula_says(EXPONENTIAL, 1.0, load, seconds);
    }
}

#[test]
fn exponential_work_waits_as_in_m_m_1_under_heavy_load() {
    waits_as_the_formula_says(EXPONENTIAL, 1.0, 0.7, 700);
}

/// Requests a second, and the mean client latency in seconds, as the analysis has them from the log of a run that ends while requests
/// are under way.
fn measure(experiment: &Experiment) -> (f64, f64) {
    let (settings, log) = (&experiment.base, Log::new());
    let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: Vec::new() };
    let result = run_once(&id, settings, Some((EventDetail::Protocol, log.clone())));
    assert!(result.fault.is_none() && result.row.outcome == Outcome::Timeout, "{result:?}");
    let cluster = settings.protocol.cluster;
    let metrics = [Metric::Client, Metric::Throughput];
    let mut measures = RunMeasures::new(&metrics, cluster.replicas().into(), cluster.faults().into(), 0);
    let content = log.take();
    let mut reader = EventReader::new(content.as_slice(), "events.csv").unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        measures.record(&event).unwrap();
    }
    let value = |metric| measures.value(metric).value.unwrap();
    (value(Metric::Throughput), value(Metric::Client) / 1e3)
}

#[test]
fn an_overloaded_server_does_what_it_can() {
    for load in [1.2, 2.0] {
        let (throughput, _) = measure(&server(CONSTANT, load, 15));
        assert_close(&format!("throughput at load {load}"), throughput, 1e9 / WORK_NS, 0.01);
    }
}

/// Little (1961): throughput × mean latency = requests under way, and in a closed loop that is one for each client.
#[test]
fn closed_loops_obey_littles_law() {
    for (replicas, clients, execute) in [(1, 1, CONSTANT), (1, 20, EXPONENTIAL), (4, 1, CONSTANT), (4, 60, EXPONENTIAL)]
    {
        let cluster = format!(
            "cluster = {{ replicas = {replicas} }}\n\
             network = {{ latency = {{ distribution = 'uniform', min = '1ms', max = '9ms' }} }}"
        );
        let (throughput, latency) = measure(&endless(20, execute, &cluster, &format!("clients = {clients}")));
        let name = format!("{clients} clients of {replicas}: {throughput:.1}/s, {:.2} ms", latency * 1e3);
        assert_close(&name, throughput * latency, f64::from(clients), 0.01);
    }
}
