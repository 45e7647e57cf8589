//! Shells seat the state machines in a simulation: whole runs over byzlab's network.

use byzlab_network::{
    Cause, Ending, Happening, Key, Latency, NetworkModel, NodeId, Observer, Record, Report, Simulation, Span, Time,
    Verdict,
};
use byzlab_replica::{
    Client, Cluster, Effects, Event, Input, Machine, Message, Outage, Pace, ProtocolConfig, Replica, SendTo,
    ServiceKind, Shell, Signer, Timer, Timers, Workload,
};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};

const DELAY: Span = Span::from_millis(10);

fn ms(millis: u64) -> Time {
    Time::START + Span::from_millis(millis)
}

/// All events of a run.
type Seen = Vec<(Time, NodeId, Event)>;

/// Writes them down.
struct Events(Arc<Mutex<Seen>>);

impl Observer<Message, Event> for Events {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        let event = |record: &Record<Message, Event>| match record.what {
            Happening::Event(event) => Some((record.time, record.node, event)),
            _ => None,
        };
        self.0.lock().unwrap().extend(records.iter().filter_map(event));
        Verdict::Continue
    }
}

/// Runs four replicas and a client, and gives the report with all events.
fn run(change: impl FnOnce(&mut ProtocolConfig, &mut Workload), outages: [Vec<Outage>; 4]) -> (Report, Seen) {
    let mut config = ProtocolConfig::new(Cluster::new(4, None).unwrap(), 1);
    config.checkpoint_interval = NonZeroU64::new(4).unwrap();
    config.log_window = NonZeroU64::new(8).unwrap();
    config.status_interval = Span::from_millis(100);
    let mut workload = Workload {
        requests: 10,
        send_to: SendTo::Primary,
        client_timeout: Span::from_millis(300),
        reply_quorum: 2,
        pace: Pace::Closed { think_time: Span::ZERO },
        payload: 0,
        reads_per_million: 0,
    };
    change(&mut config, &mut workload);
    let config = Arc::new(config);
    let network = NetworkModel::perfect(Latency::constant(DELAY));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut simulation = Simulation::<Message, Event>::new(network, Key::root(1)).time_limit(ms(60_000));
    simulation = simulation.observer(Events(Arc::clone(&seen)));
    let mut signers = Signer::deal(5);
    for (node, outages) in outages.into_iter().enumerate() {
        let replica = Replica::new(Arc::clone(&config), signers.next().unwrap());
        simulation.seat(&[NodeId::new(node)], Shell::with_outages(replica, outages));
    }
    let client = Client::new(config, Arc::new(workload), signers.next().unwrap(), Key::root(2));
    simulation.seat(&[NodeId(4)], Shell::new(client));
    let report = simulation.run().unwrap();
    let events = std::mem::take(&mut *seen.lock().unwrap());
    (report, events)
}

const NO_OUTAGES: [Vec<Outage>; 4] = [const { Vec::new() }; 4];

fn accepted(seen: &Seen) -> Vec<Time> {
    seen.iter().filter(|(.., event)| matches!(event, Event::Reply { .. })).map(|(at, ..)| *at).collect()
}

/// The state that a replica has executed last.
fn last_state(seen: &Seen, replica: u16) -> Option<byzlab_replica::Digest> {
    let of_replica = seen.iter().rev().filter(|(_, node, _)| *node == NodeId(replica));
    of_replica.into_iter().find_map(|(.., event)| match event {
        Event::Executed { state, .. } | Event::StateTransfer { state, .. } => Some(*state),
        _ => None,
    })
}

#[test]
fn a_run_on_the_network_takes_the_time_that_theory_says_and_comes_to_rest() {
    let (report, seen) = run(|_, _| {}, NO_OUTAGES);
    assert_eq!(report.ending, Ending::Quiet);
    assert_eq!(accepted(&seen), (1..=10).map(|request| ms(50 * request)).collect::<Vec<_>>());
}

#[test]
fn a_client_may_think_send_to_all_and_use_another_service() {
    for service in [ServiceKind::KeyValue, ServiceKind::Null, ServiceKind::Counter] {
        let (_, seen) = run(
            |config, workload| {
                config.service = service;
                workload.send_to = SendTo::All;
                workload.pace = Pace::Closed { think_time: Span::from_millis(7) };
            },
            NO_OUTAGES,
        );
        assert_eq!(accepted(&seen), (0..10).map(|request| ms(50 + 57 * request)).collect::<Vec<_>>());
        assert!((1..4).all(|replica| last_state(&seen, replica) == last_state(&seen, 0)));
    }
}

#[test]
fn rule_29_reads_and_writes_of_a_whole_run() {
    let (_, seen) = run(
        |config, workload| {
            config.read_only = true;
            (workload.reads_per_million, workload.reply_quorum, workload.requests) = (500_000, 3, 40);
        },
        NO_OUTAGES,
    );
    let times = accepted(&seen);
    let short = times.windows(2).filter(|pair| pair[1].since(pair[0]) == Span::from_millis(20)).count();
    let long = times.windows(2).filter(|pair| pair[1].since(pair[0]) == Span::from_millis(50)).count();
    assert_eq!((times.len(), short + long), (40, 39));
    assert!(short > 10 && long > 10, "{short} reads, {long} writes");
}

#[test]
fn rule_30_crashes_in_a_run_are_survived() {
    for durable in [true, false] {
        let outage = |at, recover_at| Outage { at: ms(at), recover_at: Some(ms(recover_at)), durable };
        let outages = [vec![outage(120, 1000)], vec![], vec![outage(2000, 2100), outage(3000, 3001)], vec![]];
        let (report, seen) = run(|_, workload| workload.requests = 80, outages);
        assert_eq!(report.ending, Ending::Quiet);
        assert_eq!(accepted(&seen).len(), 80, "durable {durable}");
        assert!((1..4).all(|replica| last_state(&seen, replica) == last_state(&seen, 0)), "durable {durable}");
        let crashes = seen.iter().filter(|(.., event)| *event == Event::Crash).count();
        let restarts = seen.iter().filter(|(.., event)| *event == Event::Restart { durable }).count();
        assert_eq!((crashes, restarts), (3, 3));
        assert!(seen.iter().any(|(.., event)| matches!(event, Event::NewView { .. })), "the primary was away for long");
    }
}

#[test]
fn timers_run_out_once_and_in_time() {
    let mut timers = Timers::default();
    assert_eq!((timers.next(), timers.pop(ms(5))), (None, None));
    timers.set(Timer::View, Some(ms(30)), Cause::NONE);
    timers.set(Timer::Status, Some(ms(20)), Cause::NONE);
    assert_eq!((timers.next(), timers.pop(ms(19))), (Some(ms(20)), None));
    assert_eq!((timers.pop(ms(20)), timers.pop(ms(20))), (Some((Timer::Status, Cause::NONE)), None));
    assert_eq!(timers.next(), Some(ms(30)));
    timers.set(Timer::View, Some(ms(50)), Cause::NONE);
    assert_eq!(timers.pop(ms(30)), None, "put off");
    timers.set(Timer::View, None, Cause::NONE);
    assert_eq!((timers.pop(ms(60)), timers.next()), (None, None));
}

#[test]
fn timers_that_are_not_set_do_nothing() {
    let config = Arc::new(ProtocolConfig::new(Cluster::new(4, None).unwrap(), 1));
    let fresh = Replica::new(config, Signer::deal(2).last().unwrap());
    assert_eq!((Machine::node(&fresh), fresh.signer().node(), fresh.config().clients), (NodeId(1), NodeId(1), 1));
    for timer in Timer::ALL {
        let (mut replica, mut effects) = (fresh.clone(), Effects::default());
        Machine::step(&mut replica, ms(5), Input::Timer(timer), &mut effects);
        assert!(effects.is_empty() && replica == fresh, "{timer:?}");
    }
    let mut effects = Effects::default();
    Machine::step(&mut fresh.clone(), ms(5), Input::Start, &mut effects);
    assert!(effects.is_empty());
}
