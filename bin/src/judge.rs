//! The judge of a run: watches its events, and says when it is over and how it went.

use crate::config::Settings;
use crate::rows::event_row;
use byzlab_adversary::Event;
use byzlab_analysis::Outcome;
use byzlab_analysis::oracle::{Detail, Invariant, Judgement, Oracles};
use byzlab_network::{Ending, Happening, NodeId, Record, Span, Time, Verdict};
use byzlab_replica::{Digest, Event as ProtocolEvent, Message, SeqNum, Slot, View};
use std::collections::BTreeSet;

/// What the judge knows of a run so far.
#[derive(Debug)]
pub(crate) struct Judge {
    requests: u64,
    completed: u64,
    drain: Span,
    /// For each replica the last number that it executed; none for those that the run does not wait for.
    executed: Vec<Option<SeqNum>>,
    /// When each replica crashes for good.
    last_crash: Vec<Option<Time>>,
    /// Once every request was accepted: the number that all honest replicas are to reach, and until when.
    goal: Option<(SeqNum, Time)>,
    /// When all of them had.
    done_at: Option<Time>,
    /// The corrupted replicas.
    corrupted: BTreeSet<NodeId>,
    /// The views after the first that honest replicas entered.
    views: BTreeSet<View>,
    oracles: Oracles,
    /// Why they could not go on.
    oracle_failure: Option<String>,
    fingerprint: Fingerprint,
    last_event: Time,
}

/// What is said of a run when it is over.
#[derive(Debug)]
pub(crate) struct Sentence {
    pub(crate) outcome: Outcome,
    pub(crate) ended: Time,
    pub(crate) agreement: bool,
    pub(crate) validity: bool,
    pub(crate) judgements: Vec<(Invariant, Judgement)>,
}

impl Judge {
    /// A judge for a run with these settings and corrupted replicas.
    pub(crate) fn new(settings: &Settings, corrupted: &[NodeId]) -> Judge {
        let replicas = (0..settings.protocol.cluster.replicas()).map(NodeId);
        let awaited = |node: NodeId| !corrupted.contains(&node) && !settings.is_cut_off(node);
        let crash_of = |node: NodeId| {
            let mut crashes = settings.crashes.iter();
            crashes.find(|crash| crash.node == node && crash.outage.recover_at.is_none()).map(|crash| crash.outage.at)
        };
        Judge {
            requests: settings.requests(),
            completed: 0,
            drain: settings.drain,
            executed: replicas.clone().map(|node| awaited(node).then_some(SeqNum(0))).collect(),
            last_crash: replicas.map(crash_of).collect(),
            goal: None,
            done_at: None,
            corrupted: corrupted.iter().copied().collect(),
            views: BTreeSet::new(),
            oracles: Oracles::new(settings.oracle_settings(Detail::InProcess)),
            oracle_failure: None,
            fingerprint: Fingerprint::new(),
            last_event: Time::START,
        }
    }

    /// Takes note of what happened in a window: all of it, or so many records until the run was over. What comes later in the
    /// window does not belong to the run, for windows are the engine's own affair.
    pub(crate) fn observe(&mut self, records: &[Record<Message, Event>]) -> (usize, Verdict) {
        for (index, record) in records.iter().enumerate() {
            if self.done_at.is_some() || self.goal.is_some_and(|(_, deadline)| record.time > deadline) {
                return (index, Verdict::Stop);
            }
            // Messages are only there if they are logged: the verdict must not depend on them.
            if let Happening::Event(event) = &record.what {
                let row = event_row(0, 0, record.time, record.node, event);
                if let Err(error) = self.oracles.observe(&row) {
                    self.oracle_failure.get_or_insert_with(|| error.to_string());
                }
                // A reply is a message, and its row in a log is the message's.
                if matches!(event, Event::Protocol(ProtocolEvent::Replied { .. })) {
                    continue;
                }
                self.last_event = record.time;
                self.fingerprint.add(record.time, record.node, event);
                match event {
                    Event::Protocol(event) => self.follow(record.time, record.node, event),
                    Event::Corrupt if record.node.index() < self.executed.len() => {
                        self.corrupted.insert(record.node);
                        self.wait_no_longer(record.time, record.node);
                    }
                    Event::Corrupt | Event::Attack(_) => {}
                }
            }
        }
        let verdict = match (self.done_at, self.goal) {
            (Some(_), _) => Verdict::Stop,
            (None, Some((_, deadline))) => Verdict::StopAfter(deadline),
            (None, None) => Verdict::Continue,
        };
        (records.len(), verdict)
    }

    /// Follows how far clients and replicas have come.
    fn follow(&mut self, time: Time, node: NodeId, event: &ProtocolEvent) {
        match *event {
            ProtocolEvent::Executed { slot: Slot { seq, .. }, .. } | ProtocolEvent::StateTransfer { seq, .. } => {
                self.has_executed(node, seq);
                self.check_goal(time);
            }
            ProtocolEvent::Rollback(slot) => self.has_executed(node, SeqNum(slot.seq.0 - 1)),
            ProtocolEvent::Crash if self.last_crash[node.index()] == Some(time) => self.wait_no_longer(time, node),
            // It counts as faulty from now on.
            ProtocolEvent::Restart { durable: false } => self.wait_no_longer(time, node),
            ProtocolEvent::NewView { view, .. } => _ = self.views.insert(view),
            ProtocolEvent::Reply { .. } => {
                self.completed += 1;
                if self.completed == self.requests {
                    let farthest = self.executed.iter().flatten().max().copied().unwrap_or_default();
                    self.goal = Some((farthest, time + self.drain));
                    self.check_goal(time);
                }
            }
            _ => {}
        }
    }

    fn has_executed(&mut self, node: NodeId, seq: SeqNum) {
        if let Some(executed) = &mut self.executed[node.index()] {
            *executed = seq;
        }
    }

    fn wait_no_longer(&mut self, now: Time, node: NodeId) {
        self.executed[node.index()] = None;
        self.check_goal(now);
    }

    /// The run is done when every request was accepted, and all honest replicas executed what was accepted.
    fn check_goal(&mut self, now: Time) {
        if let Some((goal, _)) = self.goal
            && self.executed.iter().flatten().all(|&executed| executed >= goal)
        {
            self.done_at = Some(now);
        }
    }

    /// What is to be said of the run, if the simulation ended at `ended`.
    ///
    /// # Panics
    /// If the oracles could not understand the run: a defect of byzlab, which must not pass for a result.
    pub(crate) fn conclude(mut self, ended: Time, ending: Ending) -> Sentence {
        let ended = match (self.done_at, self.goal, ending) {
            (Some(done), _, _) => done,
            (None, Some((_, deadline)), Ending::Stopped) => deadline,
            (None, _, Ending::Quiet | Ending::Stopped) => self.last_event,
            (None, _, Ending::TimeLimit) => ended,
        };
        if let Some(failure) = self.oracle_failure {
            panic!("the oracles cannot follow the run: {failure}");
        }
        self.oracles.close_instant();
        let (agreement, validity) = (self.oracles.agreement_held(), self.oracles.validity_held());
        let judgements = self.oracles.finish(ended.as_nanos());
        let violated = judgements.iter().any(|(_, judgement)| matches!(judgement, Judgement::Violated(_)));
        let outcome = match (violated, self.completed == self.requests) {
            (true, _) => Outcome::Violation,
            (false, true) => Outcome::Completed,
            (false, false) => Outcome::Timeout,
        };
        Sentence { outcome, ended, agreement, validity, judgements }
    }

    pub(crate) fn agreement(&self) -> bool {
        self.oracles.agreement_held()
    }

    pub(crate) fn validity(&self) -> bool {
        self.oracles.validity_held()
    }

    /// How many replicas are corrupted.
    pub(crate) fn corrupted(&self) -> u32 {
        self.corrupted.len() as u32
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    /// How many views after the first were entered.
    pub(crate) fn view_changes(&self) -> u64 {
        self.views.len() as u64
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint.0
    }

    /// The time of the last event.
    pub(crate) fn last_event(&self) -> Time {
        self.last_event
    }
}

/// A hash chained over all events of a run, in their order.
///
/// Each event is reduced to one word by a multilinear hash (Lemire & Kaser 2014), whose multiplications do not wait for each other,
/// and that word is mixed into the chain.
#[derive(Debug)]
struct Fingerprint(u64);

impl Fingerprint {
    /// Odd multipliers: the fractional digits of the square roots of the first primes.
    const FACTORS: [u64; 7] = [
        0x6a09_e667_f3bc_c909,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
    ];

    fn new() -> Fingerprint {
        Fingerprint(0)
    }

    fn add(&mut self, time: Time, node: NodeId, event: &Event) {
        let (kind, words) = event_words(event);
        let all = [time.as_nanos(), u64::from(node.0) << 8 | kind, words[0], words[1], words[2], words[3], self.0];
        let sum = all.iter().zip(Fingerprint::FACTORS).fold(0_u64, |sum, (word, factor)| {
            // The high half of the product carries the high bits of the word down to where they count.
            let product = u128::from(*word ^ factor) * u128::from(factor);
            sum.rotate_left(9).wrapping_add((product >> 64) as u64 ^ product as u64)
        });
        self.0 = Digest::of([sum]).0;
    }
}

/// A number for the kind of an event, and what it says.
fn event_words(event: &Event) -> (u64, [u64; 4]) {
    let at = |slot: Slot| [u64::from(slot.view.0), slot.seq.0, slot.digest.0, 0];
    let protocol = match event {
        Event::Protocol(event) => *event,
        Event::Corrupt => return (1, [0; 4]),
        Event::Attack(name) => return (2, [Digest::of(name.bytes().map(u64::from)).0, 0, 0, 0]),
    };
    match protocol {
        ProtocolEvent::Request { timestamp, digest } => (3, [timestamp, digest.0, 0, 0]),
        ProtocolEvent::Reply { timestamp, digest, result } => (4, [timestamp, digest.0, result.0, 0]),
        ProtocolEvent::Propose(slot) => (5, at(slot)),
        ProtocolEvent::Ordered { view, seq, request, client } => {
            (6, [u64::from(view.0), seq.0, request.0, u64::from(client.0)])
        }
        ProtocolEvent::PrePrepared(slot) => (7, at(slot)),
        ProtocolEvent::Prepared(slot) => (8, at(slot)),
        ProtocolEvent::Committed(slot) => (9, at(slot)),
        ProtocolEvent::Executed { slot, state } => (10, [u64::from(slot.view.0), slot.seq.0, slot.digest.0, state.0]),
        ProtocolEvent::Checkpoint { seq, state } => (11, [seq.0, state.0, 0, 0]),
        ProtocolEvent::Stable { seq, state } => (12, [seq.0, state.0, 0, 0]),
        ProtocolEvent::Rollback(slot) => (13, at(slot)),
        ProtocolEvent::Timeout(view) => (14, [u64::from(view.0), 0, 0, 0]),
        ProtocolEvent::ViewChange(view) => (15, [u64::from(view.0), 0, 0, 0]),
        ProtocolEvent::NewView { view, order } => (16, [u64::from(view.0), order.0, 0, 0]),
        ProtocolEvent::StateTransfer { seq, state } => (17, [seq.0, state.0, 0, 0]),
        ProtocolEvent::Crash => (18, [0; 4]),
        ProtocolEvent::Restart { durable } => (19, [u64::from(durable), 0, 0, 0]),
        ProtocolEvent::Replied { client, timestamp, result } => (20, [u64::from(client.0), timestamp, result.0, 0]),
    }
}
