//! The trace of a run: who did what when, in words.
//!
//! ```text
//! settings, seed ──► the run, judged ─────────────► outcome, judgements ──┐
//!               └──► the same run, watched ──► prose: moments, deeds ─────┴──► Trace::render
//! ```

mod names;
mod prose;

use crate::config::{EventDetail, Settings};
use crate::run::{RunId, RunResult, run_guarded, seated};
use byzlab_adversary::Event;
use byzlab_analysis::oracle::Judgement;
use byzlab_network::{Fault, Key, NodeId, Observer, Record, Span, Time, Verdict};
use byzlab_replica::Message;
use prose::Narrator;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Sink;
use std::rc::Rc;
use std::sync::Arc;

/// Lines are broken between clauses so that they keep within this.
const WIDTH: usize = 118;

/// A run, told.
#[derive(Debug)]
pub struct Trace {
    settings: Arc<Settings>,
    result: RunResult,
    moments: Vec<Moment>,
    /// Why the second time it did not come to its end.
    broken_off: Option<Fault>,
}

/// What happened at one instant: of each node that did something what it did, in its order.
#[derive(Debug)]
struct Moment {
    time: Time,
    deeds: BTreeMap<NodeId, Vec<String>>,
}

impl Trace {
    /// The trace of a run with these settings and this seed.
    ///
    /// It is run twice: as always, for the outcome and the oracles' judgement, and with an eye on the messages themselves, for a row
    /// of `events.csv` does not say what a VIEW-CHANGE contains.
    pub fn of(settings: &Arc<Settings>, seed: u64) -> Trace {
        let id = RunId { cell: 0, run: 0, seed, parameters: vec![] };
        let result = run_guarded(&id, settings, None::<(EventDetail, Sink)>.into(), None);
        let (records, broken_off) = watch(settings, seed, Time::from_nanos(result.row.virtual_ns));
        let moments = Narrator::new(settings).tell(&records);
        Trace { settings: Arc::clone(settings), result, moments, broken_off }
    }

    /// How the run went.
    pub fn result(&self) -> &RunResult {
        &self.result
    }

    /// All that was done, in the order of time and then of nodes: when, by whom, and what in words.
    pub fn deeds(&self) -> impl Iterator<Item = (Time, NodeId, &str)> {
        self.moments.iter().flat_map(|moment| {
            moment.deeds.iter().flat_map(|(node, deeds)| deeds.iter().map(|deed| (moment.time, *node, deed.as_str())))
        })
    }

    /// All of it, to be read: `story`, who plays, what happened, and how it ended.
    pub fn render(&self, story: &str) -> String {
        let mut text = format!("{story}\n{}\n", self.stage());
        let width = self.width_of_times();
        for moment in &self.moments {
            let mut time = format!("{:>width$} ms", milliseconds(moment.time));
            for (who, deeds) in self.together(moment) {
                let margin = format!("{time}  {who:<14}");
                time = " ".repeat(width + 3);
                text += &broken_into_lines(&margin, deeds);
            }
        }
        text + "\n" + &self.verdict()
    }

    /// How many characters a time takes at most; where delays are random, times have digits down to the nanosecond.
    fn width_of_times(&self) -> usize {
        let length = |moment: &Moment| milliseconds(moment.time).to_string().len();
        self.moments.iter().map(length).max().unwrap_or(0).max(5)
    }

    /// Nodes that did the same at an instant, in the order of the first of each.
    fn together<'a>(&self, moment: &'a Moment) -> Vec<(String, &'a [String])> {
        let mut groups: Vec<(BTreeSet<NodeId>, &[String])> = Vec::new();
        for (&node, deeds) in &moment.deeds {
            match groups.iter_mut().find(|(_, others)| others == deeds) {
                Some((nodes, _)) => _ = nodes.insert(node),
                None => groups.push((BTreeSet::from([node]), deeds)),
            }
        }
        groups.into_iter().map(|(nodes, deeds)| (names::nodes(self.settings.protocol.cluster, &nodes), deeds)).collect()
    }

    /// Who plays, and what holds for the whole run.
    fn stage(&self) -> String {
        let Settings { protocol, workload, network, .. } = &*self.settings;
        let cluster = protocol.cluster;
        let clients = (cluster.replicas()..cluster.replicas() + protocol.clients).map(NodeId).collect();
        let ms = Span::as_millis_f64;
        let delay = match (network.delays.least(), network.delays.most()) {
            (least, Some(most)) if least == most => format!("{} ms", ms(most)),
            (least, Some(most)) => format!("{} to {} ms", ms(least), ms(most)),
            (least, None) => format!("{} ms or more", ms(least)),
        };
        let first = cluster.replicas();
        format!(
            "{} replicas, f = {}, Q = {}; {}; K = {}, L = {}; a message takes {delay}\n\
             T = {} ms for a request and {} ms for a new view, status each {} ms; clients try again after {} ms\n\
             c{first}:1 is request 1 of client {first}; A, B, ... are batches, s0, s1, ... states, r1, r2, ... results\n",
            cluster.replicas(),
            cluster.faults(),
            cluster.quorum(),
            names::nodes(cluster, &clients),
            protocol.checkpoint_interval,
            protocol.log_window,
            ms(protocol.request_timeout),
            ms(protocol.view_change_timeout),
            ms(protocol.status_interval),
            ms(workload.client_timeout),
        )
    }

    /// How it ended, and what the oracles say.
    fn verdict(&self) -> String {
        let row = &self.result.row;
        let width = self.width_of_times();
        let end = format!(
            "{:>width$} ms  {}: {} of {} requests, {} view change{}\n",
            milliseconds(Time::from_nanos(row.virtual_ns)),
            row.outcome.name(),
            row.completed,
            row.requests,
            row.view_changes,
            if row.view_changes == 1 { "" } else { "s" },
        );
        let judgements = || self.result.judgements.iter();
        let held = judgements().filter(|(_, judgement)| *judgement == Judgement::Held);
        let held: Vec<&str> = held.map(|(invariant, _)| invariant.code()).collect();
        let mut lines = vec![format!("held: {}", if held.is_empty() { "nothing".to_owned() } else { held.join(" ") })];
        for (invariant, judgement) in judgements().filter(|(_, judgement)| *judgement != Judgement::Held) {
            let reason = match judgement {
                Judgement::NotJudged(reason) => format!(": {reason}"),
                _ => judgement.violation().map_or(String::new(), |violation| format!(": {}", violation.what)),
            };
            lines.push(format!("{}: {invariant}{reason}", judgement.name()));
        }
        let faults = self.result.fault.iter().chain(&self.broken_off).map(|fault| format!("broke off: {fault}"));
        lines.extend(faults);
        let indent = format!("\n{}", " ".repeat(width + 5));
        format!("{end}{}{}\n", &indent[1..], lines.join(&indent))
    }
}

/// Deeds one after the other behind a margin, in as many lines as they need.
fn broken_into_lines(margin: &str, deeds: &[String]) -> String {
    let indent = " ".repeat(margin.chars().count());
    let mut text = margin.to_owned();
    let mut width = indent.len();
    for (index, deed) in deeds.iter().enumerate() {
        let length = deed.chars().count() + 1;
        let gap = match index {
            0 => "  ",
            _ if width + 1 + length <= WIDTH => "; ",
            _ => {
                text += ";\n";
                text += &indent;
                width = indent.len();
                "  "
            }
        };
        text += gap;
        text += deed;
        width += gap.len() + length - 1;
    }
    text + "\n"
}

/// As few digits as it takes.
fn milliseconds(time: Time) -> f64 {
    time.since(Time::START).as_millis_f64()
}

/// Everything that happens in a run up to `end`, and what broke it off before.
fn watch(settings: &Settings, seed: u64, end: Time) -> (Vec<Record<Message, Event>>, Option<Fault>) {
    let records = Rc::new(RefCell::new(Vec::new()));
    let simulation = seated(settings, Key::from_u64(seed)).time_limit(end).log_messages(true);
    let report = simulation.observer(Recorder(Rc::clone(&records))).run();
    (records.take(), report.err())
}

struct Recorder(Rc<RefCell<Vec<Record<Message, Event>>>>);

impl Observer<Message, Event> for Recorder {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        self.0.borrow_mut().extend_from_slice(records);
        Verdict::Continue
    }
}
