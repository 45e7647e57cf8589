//! One run: its nodes, the simulation, its row.

use crate::config::{EventDetail, Settings};
use crate::critical_path::CriticalPaths;
use crate::judge::Judge;
use crate::rows::{event_row, write_record};
use byzlab_adversary::{Controller, Event};
use byzlab_analysis::oracle::{Invariant, Judgement, Violation};
use byzlab_analysis::{EventWriter, InvalidEvent, LatencyPartsWriter, Metric, Outcome, RunMeasures, RunRow};
use byzlab_network::{Fault, Happening, Key, NodeId, Observer, Powers, Record, Simulation, Time, Trail, Verdict};
use byzlab_replica::{
    Authentication, Client, Costs, Event as ProtocolEvent, Message, Outage, Replica, Shell, Signer, Wire,
};
use std::cell::RefCell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

/// Which run it is.
#[derive(Clone, Debug)]
pub struct RunId {
    /// Index of the cell.
    pub cell: u32,
    /// Index of the run in its cell.
    pub run: u32,
    /// Its seed.
    pub seed: u64,
    /// The swept values of its cell.
    pub parameters: Vec<String>,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunResult {
    /// Its row of `runs.csv`; after a fault with what was known until then.
    pub row: RunRow,
    /// Its value of the metric that was asked for, as an analysis of its events has it; none unless it completed.
    pub value: Option<f64>,
    /// What the oracles say of it; nothing if it broke off.
    pub judgements: Vec<(Invariant, Judgement)>,
    /// What broke it off.
    pub fault: Option<Fault>,
    /// Why its events could not be written any more.
    pub log_error: Option<io::Error>,
}

impl RunResult {
    /// What was violated although it was promised, the earliest first.
    pub fn violations(&self) -> Vec<&Violation> {
        let violated = self.judgements.iter().filter_map(|(_, judgement)| match judgement {
            Judgement::Violated(violation) => Some(violation),
            _ => None,
        });
        let mut violations: Vec<&Violation> = violated.collect();
        violations.sort_by_key(|violation| violation.time_ns);
        violations
    }
}

/// Where the logs of a run go, without headers.
#[derive(Debug)]
pub struct RunLogs<W> {
    /// Rows of `events.csv`, of this detail.
    pub events: Option<(EventDetail, W)>,
    /// Rows of `latency_parts.csv`.
    pub parts: Option<W>,
}

/// Events alone.
impl<W> From<Option<(EventDetail, W)>> for RunLogs<W> {
    fn from(events: Option<(EventDetail, W)>) -> RunLogs<W> {
        RunLogs { events, parts: None }
    }
}

/// As [`run_once`], but a panic on the way, in setting up or taking down the run, becomes its fault.
pub(crate) fn run_guarded<W: Write + 'static>(
    id: &RunId,
    settings: &Settings,
    logs: RunLogs<W>,
    metric: Option<Metric>,
) -> RunResult {
    catch_unwind(AssertUnwindSafe(|| run_measured(id, settings, logs, metric))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let message = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        let fault = Fault::Panic { place: "the run itself".to_owned(), at_ns: 0, message };
        let row = broken_off(id, settings);
        RunResult { row, value: None, judgements: Vec::new(), fault: Some(fault), log_error: None }
    })
}

/// Runs `settings` once with the seed of `id`, and logs what `logs` ask for.
pub fn run_once<W: Write + 'static>(id: &RunId, settings: &Settings, logs: impl Into<RunLogs<W>>) -> RunResult {
    run_measured(id, settings, logs.into(), None)
}

/// As [`run_once`], and measures it while it goes on.
fn run_measured<W: Write + 'static>(
    id: &RunId,
    settings: &Settings,
    logs: RunLogs<W>,
    metric: Option<Metric>,
) -> RunResult {
    let RunLogs { events: log, parts } = logs;
    let key = Key::from_u64(id.seed);
    let corrupted = settings.corrupted(key);
    let judge = Some(Judge::new(settings, &corrupted));
    let (detail, writer) = match log {
        Some((detail, log)) => (detail, Some(EventWriter::without_header(log))),
        None => (EventDetail::None, None),
    };
    let (wire, cell, run) = (settings.protocol.wire(), id.cell, id.run);
    let paths = parts.map(|parts| PathLog::new(LatencyPartsWriter::without_header(parts)));
    let keep_causes = paths.is_some();
    let measure = metric.map(|metric| Measure::new(metric, settings));
    let watch = Rc::new(RefCell::new(Watch { judge, cell, run, writer, paths, wire, measure, log_error: None }));

    let limit = Time::START + settings.time_limit;
    let simulation = seated(settings, key)
        .time_limit(limit)
        .log_messages(detail == EventDetail::Messages)
        .keep_causes(keep_causes)
        .observer(Watcher(Rc::clone(&watch)));
    let report = simulation.run();

    let mut watch = watch.borrow_mut();
    if let Some(Err(error)) = watch.writer.take().map(EventWriter::finish) {
        watch.log_error.get_or_insert(error);
    }
    if let Some(Err(error)) = watch.paths.take().map(|paths| paths.writer.finish()) {
        watch.log_error.get_or_insert(error);
    }
    let Some(judge) = watch.judge.take() else { unreachable!("the judge is taken here alone") };
    let mut row = RunRow {
        corrupted: judge.corrupted(),
        agreement: judge.agreement(),
        validity: judge.validity(),
        completed: judge.completed(),
        view_changes: judge.view_changes(),
        virtual_ns: judge.last_event().as_nanos(),
        fingerprint: judge.fingerprint(),
        ..broken_off(id, settings)
    };
    let log_error = watch.log_error.take();
    let measure = watch.measure.take();
    let report = match report {
        Ok(report) => report,
        Err(fault) => return RunResult { row, value: None, judgements: Vec::new(), fault: Some(fault), log_error },
    };
    let sentence = judge.conclude(report.ended, report.ending);
    (row.outcome, row.virtual_ns) = (sentence.outcome, sentence.ended.as_nanos());
    (row.agreement, row.validity) = (sentence.agreement, sentence.validity);
    (row.messages, row.bytes) = (report.traffic.messages, report.traffic.bytes);
    let value = measure.filter(|_| row.outcome == Outcome::Completed).and_then(Measure::value);
    RunResult { row, value, judgements: sentence.judgements, fault: None, log_error }
}

/// A run before it begins, with all its nodes in their seats: honest replicas, clients, and the controller for all corrupted
/// replicas. `run_once` adds time limit, log and judge; who wants to see something else can add an observer of its own.
pub fn seated(settings: &Settings, key: Key) -> Simulation<Message, Event> {
    let (protocol, corrupted) = (&settings.protocol, settings.corrupted(key));
    let mut simulation = Simulation::new(settings.network_for(key), key);
    let wire = protocol.wire();
    if wire.authentication() != Authentication::Signature {
        simulation = simulation.sizes(move |message| wire.size(message));
    }
    let processing = (!settings.processing.is_free()).then_some(&settings.processing);
    if let Some(processing) = processing {
        simulation = simulation.cores(processing.cores);
    }
    let costs = |node| processing.map(|processing| Costs::new(processing, wire, node, key));
    let operations = key.component("operations");
    let false_clients: Vec<NodeId> = settings.adversary.corrupted_clients(protocol).collect();
    let (mut puppets, mut liars) = (Vec::new(), Vec::new());
    for signer in Signer::deal(usize::from(protocol.cluster.replicas()) + usize::from(protocol.clients)) {
        let node = signer.node();
        if corrupted.contains(&node) {
            puppets.push(Replica::new(Arc::clone(protocol), signer));
        } else if protocol.cluster.is_replica(node) {
            let mut outages: Vec<Outage> =
                settings.crashes.iter().filter(|crash| crash.node == node).map(|crash| crash.outage).collect();
            outages.sort_by_key(|outage| outage.at);
            let replica = Replica::new(Arc::clone(protocol), signer);
            let shell = Shell::with_outages(replica, outages).with_clock(settings.clock_of(node));
            simulation.seat(&[node], shell.with_costs(costs(node)));
        } else {
            let requests = operations.child(u64::from(node.0));
            let client = Client::new(Arc::clone(protocol), Arc::clone(&settings.workload), signer, requests);
            if false_clients.contains(&node) {
                liars.push(client);
                continue;
            }
            let shell = Shell::new(client).with_clock(settings.clock_of(node));
            simulation.seat(&[node], shell.with_costs(costs(node)));
        }
    }
    let adversary = &settings.adversary;
    let powers = Powers { takeovers: adversary.takeovers(protocol.cluster), rules: adversary.network.is_some() };
    let nodes: Vec<NodeId> = corrupted.into_iter().chain(false_clients).collect();
    if !nodes.is_empty() || powers != Powers::NONE {
        let controller = Controller::new(Arc::clone(protocol), puppets, liars, &adversary.attacks_in_force(), key);
        simulation.seat_with(
            &nodes,
            controller.with_costs(costs).with_clocks(|node| settings.clock_of(node)).with_budget(powers.takeovers),
            powers,
        );
    }
    simulation
}

/// The row of a run that broke off before anything is known of it.
fn broken_off(id: &RunId, settings: &Settings) -> RunRow {
    let cluster = settings.protocol.cluster;
    RunRow {
        cell: id.cell,
        run: id.run,
        seed: id.seed,
        parameters: id.parameters.clone(),
        replicas: u32::from(cluster.replicas()),
        faults: u32::from(cluster.faults()),
        corrupted: settings.corrupted_count() as u32,
        outcome: Outcome::Error,
        agreement: true,
        validity: true,
        requests: settings.requests(),
        completed: 0,
        messages: 0,
        bytes: 0,
        view_changes: 0,
        virtual_ns: 0,
        fingerprint: 0,
    }
}

/// The judge, with the logs beside it.
struct Watch<W: Write> {
    /// Until the run is over.
    judge: Option<Judge>,
    cell: u32,
    run: u32,
    writer: Option<EventWriter<W>>,
    paths: Option<PathLog<W>>,
    wire: Wire,
    measure: Option<Measure>,
    log_error: Option<io::Error>,
}

/// What is measured of a run while it goes on.
struct Measure {
    metric: Metric,
    measures: RunMeasures,
    problem: Option<InvalidEvent>,
}

impl Measure {
    fn new(metric: Metric, settings: &Settings) -> Measure {
        let (cluster, warmup) = (settings.protocol.cluster, settings.warmup.as_nanos());
        let measures = RunMeasures::new(&[metric], cluster.replicas().into(), cluster.faults().into(), warmup);
        Measure { metric, measures, problem: None }
    }

    fn follow(&mut self, records: &[Record<Message, Event>]) {
        for record in records {
            match &record.what {
                // No row of its own in a log.
                Happening::Event(Event::Protocol(ProtocolEvent::Replied { .. })) => {}
                Happening::Event(event) => {
                    let row = event_row(0, 0, record.time, record.node, event);
                    if let Err(problem) = self.measures.record(&row) {
                        self.problem.get_or_insert(problem);
                    }
                }
                _ => {}
            }
        }
    }

    /// # Panics
    /// If the events could not be understood: a defect of byzlab, which must not pass for a result.
    fn value(self) -> Option<f64> {
        let Measure { metric, measures, problem } = self;
        assert!(problem.is_none(), "the {metric} of the run cannot be followed: {problem:?}");
        measures.value(metric).value
    }
}

/// Critical paths on their way into `latency_parts.csv`.
struct PathLog<W: Write> {
    paths: CriticalPaths,
    writer: LatencyPartsWriter<W>,
    text: String,
}

impl<W: Write> PathLog<W> {
    fn new(writer: LatencyPartsWriter<W>) -> PathLog<W> {
        PathLog { paths: CriticalPaths::default(), writer, text: String::new() }
    }

    fn follow(
        &mut self,
        (cell, run): (u32, u32),
        records: &[Record<Message, Event>],
        trail: &Trail<'_, Message>,
    ) -> io::Result<()> {
        let PathLog { paths, writer, text } = self;
        let mut result = Ok(());
        paths.follow(records, trail, |path| {
            if result.is_ok() {
                result = writer.write(&path.row(cell, run, text));
            }
        });
        result
    }
}

impl<W: Write> Watch<W> {
    fn observe(&mut self, records: &[Record<Message, Event>], trail: Option<&Trail<'_, Message>>) -> Verdict {
        let Watch { judge, cell, run, wire, writer, paths, measure, log_error } = self;
        let Some(judge) = judge else { return Verdict::Stop };
        let (count, verdict) = judge.observe(records);
        let records = &records[..count];
        if let Some(measure) = measure {
            measure.follow(records);
        }
        let mut result = Ok(());
        if let Some(writer) = writer {
            result = records.iter().try_for_each(|record| write_record(writer, (*cell, *run), *wire, record));
        }
        if let (Some(paths), Some(trail)) = (paths, trail) {
            result = result.and_then(|()| paths.follow((*cell, *run), records, trail));
        }
        match result {
            Ok(()) => verdict,
            Err(error) => {
                *log_error = Some(error);
                Verdict::Stop
            }
        }
    }
}

/// The observer of a run; what it learns outlives the simulation.
struct Watcher<W: Write>(Rc<RefCell<Watch<W>>>);

impl<W: Write + 'static> Observer<Message, Event> for Watcher<W> {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        self.0.borrow_mut().observe(records, None)
    }

    fn observe_causes(&mut self, records: &[Record<Message, Event>], trail: &Trail<'_, Message>) -> Verdict {
        self.0.borrow_mut().observe(records, Some(trail))
    }

    fn needs_since(&self) -> Time {
        self.0.borrow().paths.as_ref().map_or(Time::START, |log| log.paths.oldest())
    }
}
