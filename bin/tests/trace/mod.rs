//! The trace of a run: who did what when, in words.

mod names;
mod prose;
mod script;

pub(crate) use script::{Expectation, Script};

use byzlab::config::{EventDetail, Settings};
use byzlab::{Experiment, RunId, RunResult, run_once, seated};
use byzlab_adversary::Event;
use byzlab_analysis::oracle::Judgement;
use byzlab_network::{Key, NodeId, Observer, Record, Time, Verdict};
use byzlab_replica::Message;
use names::list;
use prose::Narrator;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Sink;
use std::rc::Rc;
use std::sync::Arc;

/// Lines are broken between clauses so that they keep within this.
const WIDTH: usize = 118;

/// A run, told.
pub(crate) struct Trace {
    settings: Arc<Settings>,
    result: RunResult,
    moments: Vec<Moment>,
}

/// What happened at one instant: of each node that did something what it did, in its order.
struct Moment {
    time: Time,
    deeds: BTreeMap<NodeId, Vec<String>>,
}

impl Trace {
    /// The trace of the first run.
    ///
    /// It is run twice: as always, for the outcome and the oracles' judgement, and with an eye on the messages themselves, for a row
    /// of `events.csv` does not say what a VIEW-CHANGE contains.
    pub(crate) fn of(experiment: &Experiment) -> Trace {
        let settings = Arc::clone(&experiment.base);
        let id = RunId { cell: 0, run: 0, seed: experiment.run_seed(0, 0), parameters: vec![] };
        let result = run_once(&id, &settings, None::<(EventDetail, Sink)>);
        assert!(result.fault.is_none(), "{result:?}");
        let records = watch(&settings, id.seed, Time::from_nanos(result.row.virtual_ns));
        let moments = Narrator::new(&settings).tell(&records);
        let trace = Trace { settings, result, moments };
        let accepted = trace.deeds().filter(|(_, _, deed)| deed.starts_with("accepted r")).count();
        assert_eq!(accepted as u64, trace.result.row.completed, "both runs are the same");
        trace
    }

    fn deeds(&self) -> impl Iterator<Item = (Time, NodeId, &str)> {
        self.moments.iter().flat_map(|moment| {
            moment.deeds.iter().flat_map(|(node, deeds)| deeds.iter().map(|deed| (moment.time, *node, deed.as_str())))
        })
    }

    /// Says what is wrong if something is not as expected.
    pub(crate) fn check(&self, expected: &Expectation) -> Result<(), String> {
        let (outcome, view_changes) = (self.result.row.outcome.name(), self.result.row.view_changes);
        match expected {
            Expectation::Outcome(wanted) if *wanted != outcome => {
                Err(format!("expected {wanted}, but it is {outcome}"))
            }
            Expectation::ViewChanges(wanted) if *wanted != view_changes => {
                Err(format!("expected {wanted} view changes, but there are {view_changes}"))
            }
            Expectation::Deed { who, deed, at } => {
                let doers = self.who_did(deed, *at);
                let when = at.map_or(String::new(), |at| format!(" at {} ms", milliseconds(at)));
                let wrong = || format!("expected of [{}]: {deed}{when}; but it was [{}]", list(who), list(&doers));
                if doers == *who { Ok(()) } else { Err(wrong()) }
            }
            _ => Ok(()),
        }
    }

    /// Who did something of which the trace says at least these words.
    fn who_did(&self, words: &str, at: Option<Time>) -> BTreeSet<NodeId> {
        let is_it = |text: &str| {
            let rest = text.strip_prefix(words);
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let those = self.deeds().filter(|&(time, _, text)| is_it(text) && at.is_none_or(|at| at == time));
        those.map(|(_, node, _)| node).collect()
    }

    /// All of it, to be read.
    pub(crate) fn render(&self, story: &str) -> String {
        let mut text = format!("{story}\n{}\n", self.stage());
        for moment in &self.moments {
            let mut time = format!("{:>5} ms", milliseconds(moment.time));
            for (who, deeds) in self.together(moment) {
                let margin = format!("{time}  {who:<14}");
                time = " ".repeat(8);
                text += &broken_into_lines(&margin, deeds);
            }
        }
        text + "\n" + &self.verdict()
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
        let ms = byzlab_network::Span::as_millis_f64;
        let delay = network.delays.most().expect("a scene has constant delays");
        let first = cluster.replicas();
        format!(
            "{} replicas, f = {}, Q = {}; {}; K = {}, L = {}; a message takes {} ms\n\
             T = {} ms for a request and {} ms for a new view, status each {} ms; clients try again after {} ms\n\
             c{first}:1 is request 1 of client {first}; A, B, ... are batches, s0, s1, ... states, r1, r2, ... results\n",
            cluster.replicas(),
            cluster.faults(),
            cluster.quorum(),
            names::nodes(cluster, &clients),
            protocol.checkpoint_interval,
            protocol.log_window,
            ms(delay),
            ms(protocol.request_timeout),
            ms(protocol.view_change_timeout),
            ms(protocol.status_interval),
            ms(workload.client_timeout),
        )
    }

    /// How it ended, and what the oracles say.
    fn verdict(&self) -> String {
        let row = &self.result.row;
        let end = format!(
            "{:>5} ms  {}: {} of {} requests, {} view change{}\n",
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
        format!("{end}          {}\n", lines.join("\n          "))
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

/// Everything that happens in a run up to `end`.
fn watch(settings: &Settings, seed: u64, end: Time) -> Vec<Record<Message, Event>> {
    let records = Rc::new(RefCell::new(Vec::new()));
    let simulation = seated(settings, Key::from_u64(seed)).time_limit(end).log_messages(true);
    simulation.observer(Recorder(Rc::clone(&records))).run().unwrap();
    records.take()
}

struct Recorder(Rc<RefCell<Vec<Record<Message, Event>>>>);

impl Observer<Message, Event> for Recorder {
    fn observe(&mut self, records: &[Record<Message, Event>]) -> Verdict {
        self.0.borrow_mut().extend_from_slice(records);
        Verdict::Continue
    }
}
