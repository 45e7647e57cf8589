//! Trials: single runs, measured in memory and spread over the cores.

use crate::config::Settings;
use crate::judge::Judge;
use crate::rows::event_row;
use crate::run::seated;
use byzlab_adversary::Event;
use byzlab_analysis::oracle::{Judgement, Violation};
use byzlab_analysis::{InvalidEvent, Metric, RunLatency};
use byzlab_network::{Fault, Happening, Key, Observer, Record, Time, Verdict};
use byzlab_replica::Message;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// More threads than this help on no machine.
const MOST_JOBS: usize = 1024;

/// What a run came to.
#[derive(Debug)]
pub(super) struct Trial {
    /// Its latency in milliseconds, with what it did not accept counted until the time limit; none if nothing was asked for.
    pub(super) latency: Option<f64>,
    /// The requests of honest clients that were accepted.
    pub(super) accepted: u64,
    /// What was violated although it was promised, the earliest first.
    pub(super) violations: Vec<Violation>,
    /// What broke it off.
    pub(super) fault: Option<Fault>,
}

/// A run to do: what with, and its seed.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) settings: Arc<Settings>,
    pub(super) seed: u64,
}

/// Does the runs on so many threads; the results come in the order of the tasks, so nothing depends on the threads.
pub(super) fn trials(tasks: &[Task], metric: Metric, jobs: usize, has_ended: &(dyn Fn() + Sync)) -> Vec<Trial> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Trial>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&index| index < tasks.len()) {
            let trial = guarded(&tasks[index], metric);
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(trial);
            has_ended();
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.min(tasks.len()).min(MOST_JOBS) {
            scope.spawn(work);
        }
    });
    let done = results.into_iter().filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    done.collect()
}

/// A panic on the way becomes the fault of the run.
fn guarded(task: &Task, metric: Metric) -> Trial {
    catch_unwind(AssertUnwindSafe(|| trial(task, metric))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let message = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        broken(Fault::Panic { place: "the run itself".to_owned(), at_ns: 0, message })
    })
}

fn broken(fault: Fault) -> Trial {
    Trial { latency: None, accepted: 0, violations: Vec::new(), fault: Some(fault) }
}

fn trial(Task { settings, seed }: &Task, metric: Metric) -> Trial {
    let key = Key::from_u64(*seed);
    let cluster = settings.protocol.cluster;
    let latency = RunLatency::new(u32::from(cluster.replicas()), u32::from(cluster.faults()));
    let watch = Rc::new(RefCell::new(Watch {
        judge: Some(Judge::new(settings, &settings.corrupted(key))),
        latency: latency.with_warmup(settings.warmup.as_nanos()),
        problem: None,
    }));
    let limit = Time::START + settings.time_limit;
    let report = match seated(settings, key).time_limit(limit).observer(Watcher(Rc::clone(&watch))).run() {
        Ok(report) => report,
        Err(fault) => return broken(fault),
    };
    let mut watch = watch.borrow_mut();
    assert!(watch.problem.is_none(), "the latency of the run cannot be followed: {:?}", watch.problem);
    let Some(judge) = watch.judge.take() else { unreachable!("the judge is taken here alone") };
    let accepted = judge.completed();
    let sentence = judge.conclude(report.ended, report.ending);
    // What a run that has come to rest has not accepted is not accepted by the time limit either.
    let until = if accepted == settings.requests() { sentence.ended } else { limit };
    let violated = sentence.judgements.into_iter().filter_map(|(_, judgement)| match judgement {
        Judgement::Violated(violation) => Some(violation),
        _ => None,
    });
    let mut violations: Vec<Violation> = violated.collect();
    violations.sort_by_key(|violation| violation.time_ns);
    Trial { latency: watch.latency.restricted_mean_ms(metric, until.as_nanos()), accepted, violations, fault: None }
}

/// The judge of a run, with the latencies beside it.
struct Watch {
    /// Until the run is over.
    judge: Option<Judge>,
    latency: RunLatency,
    problem: Option<InvalidEvent>,
}

/// The observer of a run; what it learns outlives the simulation.
struct Watcher(Rc<RefCell<Watch>>);

impl Observer<Message, Event> for Watcher {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        let Watch { judge, latency, problem } = &mut *self.0.borrow_mut();
        let Some(judge) = judge else { return Verdict::Stop };
        let (count, verdict) = judge.observe(records);
        for record in &records[..count] {
            if let Happening::Event(event) = &record.what
                && let Err(error) = latency.record(&event_row(0, 0, record.time, record.node, event))
            {
                problem.get_or_insert(error);
            }
        }
        verdict
    }
}
