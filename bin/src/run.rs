//! One run: its nodes, the simulation, its row.

use crate::config::{EventDetail, Settings};
use crate::judge::Judge;
use crate::rows::write_record;
use byzlab_adversary::{Controller, Event};
use byzlab_analysis::{EventWriter, Outcome, RunRow};
use byzlab_network::{Fault, Key, Observer, Record, Simulation, Time, Verdict};
use byzlab_replica::{Client, Message, Replica, Shell, Signer};
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
    /// What broke it off.
    pub fault: Option<Fault>,
    /// Why its events could not be written any more.
    pub log_error: Option<io::Error>,
}

/// As [`run_once`], but a panic on the way, in setting up or taking down the run, becomes its fault.
pub(crate) fn run_guarded<W: Write + 'static>(
    id: &RunId,
    settings: &Settings,
    log: Option<(EventDetail, W)>,
) -> RunResult {
    catch_unwind(AssertUnwindSafe(|| run_once(id, settings, log))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let message = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        let fault = Fault::Panic { place: "the run itself".to_owned(), at_ns: 0, message };
        let cluster = settings.protocol.cluster;
        let row = RunRow {
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
        };
        RunResult { row, fault: Some(fault), log_error: None }
    })
}

/// Runs `settings` once with the seed of `id`. With a `log`, its events go there as rows of `events.csv`, without a header.
pub fn run_once<W: Write + 'static>(id: &RunId, settings: &Settings, log: Option<(EventDetail, W)>) -> RunResult {
    let key = Key::from_u64(id.seed);
    let corrupted = settings.corrupted(key);
    let protocol = &settings.protocol;
    let (replicas, faults) = (protocol.cluster.replicas(), protocol.cluster.faults());
    let judge = Judge::new(settings.requests(), replicas, faults, &corrupted, settings.drain);
    let (detail, writer) = match log {
        Some((detail, log)) => (detail, Some(EventWriter::without_header(log))),
        None => (EventDetail::None, None),
    };
    let watch = Rc::new(RefCell::new(Watch { judge, cell: id.cell, run: id.run, writer, log_error: None }));

    let limit = Time::START + settings.time_limit;
    let mut simulation = Simulation::new(settings.network.clone(), key)
        .time_limit(limit)
        .log_messages(detail == EventDetail::Messages)
        .observer(Watcher(Rc::clone(&watch)));
    let operations = key.component("operations");
    let mut puppets = Vec::new();
    for signer in Signer::deal(usize::from(replicas) + usize::from(protocol.clients)) {
        let node = signer.node();
        if corrupted.contains(&node) {
            puppets.push(Replica::new(Arc::clone(protocol), signer));
        } else if protocol.cluster.is_replica(node) {
            let outages = settings.crashes.iter().filter(|crash| crash.node == node).map(|crash| crash.outage);
            let replica = Replica::new(Arc::clone(protocol), signer);
            simulation.seat(&[node], Shell::with_outages(replica, outages));
        } else {
            let requests = operations.child(u64::from(node.0));
            let client = Client::new(Arc::clone(protocol), Arc::clone(&settings.workload), signer, requests);
            simulation.seat(&[node], Shell::new(client));
        }
    }
    if !puppets.is_empty() {
        let controller = Controller::new(puppets, &settings.adversary.attacks, key);
        simulation.seat(&corrupted, controller);
    }
    let report = simulation.run();

    let mut watch = watch.borrow_mut();
    if let Some(Err(error)) = watch.writer.take().map(EventWriter::finish) {
        watch.log_error.get_or_insert(error);
    }
    let judge = &watch.judge;
    let (outcome, ended, traffic) = match &report {
        Ok(report) => (judge.outcome(), judge.ended(report.ended, report.ending), report.traffic),
        Err(_) => (Outcome::Error, judge.last_event(), byzlab_network::Traffic::default()),
    };
    let row = RunRow {
        cell: id.cell,
        run: id.run,
        seed: id.seed,
        parameters: id.parameters.clone(),
        replicas: u32::from(replicas),
        faults: u32::from(faults),
        corrupted: corrupted.len() as u32,
        outcome,
        agreement: judge.agreement(),
        validity: judge.validity(),
        requests: settings.requests(),
        completed: judge.completed(),
        messages: traffic.messages,
        bytes: traffic.bytes,
        view_changes: 0,
        virtual_ns: ended.as_nanos(),
        fingerprint: judge.fingerprint(),
    };
    RunResult { row, fault: report.err(), log_error: watch.log_error.take() }
}

/// The judge, with the log beside it.
struct Watch<W: Write> {
    judge: Judge,
    cell: u32,
    run: u32,
    writer: Option<EventWriter<W>>,
    log_error: Option<io::Error>,
}

/// The observer of a run; what it learns outlives the simulation.
struct Watcher<W: Write>(Rc<RefCell<Watch<W>>>);

impl<W: Write + 'static> Observer<Message, Event> for Watcher<W> {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        let Watch { judge, cell, run, writer, log_error } = &mut *self.0.borrow_mut();
        let (count, verdict) = judge.observe(records);
        if let Some(writer) = writer {
            for record in &records[..count] {
                if let Err(error) = write_record(writer, *cell, *run, record) {
                    *log_error = Some(error);
                    return Verdict::Stop;
                }
            }
        }
        verdict
    }
}
