//! The judge of a run: watches its events, and says when it is over and how it went.

use byzlab_adversary::Event;
use byzlab_analysis::Outcome;
use byzlab_network::{Ending, Happening, NodeId, Record, Span, Time, Verdict};
use byzlab_replica::{Digest, Event as ProtocolEvent, Message, SeqNum, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// What the judge knows of a run so far.
#[derive(Debug)]
pub(crate) struct Judge {
    requests: u64,
    completed: u64,
    drain: Span,
    corrupted_within_faults: bool,
    /// For each honest replica the last number that it executed.
    executed: Vec<Option<SeqNum>>,
    /// Once every request was accepted: the number that all honest replicas are to reach, and until when.
    goal: Option<(SeqNum, Time)>,
    /// When all of them had.
    done_at: Option<Time>,
    /// What honest replicas committed, where not all of them have yet.
    commits: BTreeMap<SeqNum, Decision>,
    /// What clients asked for.
    issued: BTreeSet<Digest>,
    /// The proposal whose requests are being listed.
    proposal: Digest,
    /// Batches with a request that no client made.
    foreign: BTreeSet<Digest>,
    agreement: bool,
    validity: bool,
    fingerprint: Fingerprint,
    last_event: Time,
}

#[derive(Debug)]
struct Decision {
    digest: Digest,
    replicas: u16,
}

impl Judge {
    /// A judge for `requests` requests at `replicas` replicas, of which some are corrupted.
    pub(crate) fn new(requests: u64, replicas: u16, faults: u16, corrupted: &[NodeId], drain: Span) -> Judge {
        let honest = |node: u16| (!corrupted.contains(&NodeId(node))).then_some(SeqNum(0));
        Judge {
            requests,
            completed: 0,
            drain,
            corrupted_within_faults: corrupted.len() <= usize::from(faults),
            executed: (0..replicas).map(honest).collect(),
            goal: None,
            done_at: None,
            commits: BTreeMap::new(),
            issued: BTreeSet::new(),
            proposal: Digest::default(),
            foreign: BTreeSet::new(),
            agreement: true,
            validity: true,
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
                // A reply is a message, and its log row is the message's.
                if matches!(event, Event::Protocol(ProtocolEvent::Replied { .. })) {
                    continue;
                }
                self.last_event = record.time;
                self.fingerprint.add(record.time, record.node, event);
                if let Event::Protocol(event) = event {
                    self.judge(record.time, record.node, event);
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

    fn judge(&mut self, time: Time, node: NodeId, event: &ProtocolEvent) {
        match *event {
            ProtocolEvent::Request { digest, .. } => {
                self.issued.insert(digest);
            }
            ProtocolEvent::Propose(slot) => self.proposal = slot.digest,
            ProtocolEvent::Ordered { request, .. } if !self.issued.contains(&request) => {
                self.foreign.insert(self.proposal);
            }
            ProtocolEvent::Committed(slot) => self.commit(slot),
            ProtocolEvent::Executed { slot, .. } => {
                // I3: what is executed was asked for.
                self.validity &= !self.foreign.contains(&slot.digest);
                self.executed[node.index()] = Some(slot.seq);
                self.check_goal(time);
            }
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

    /// I1: honest replicas that commit at the same number commit the same digest.
    fn commit(&mut self, slot: Slot) {
        let decision = self.commits.entry(slot.seq).or_insert(Decision { digest: slot.digest, replicas: 0 });
        self.agreement &= decision.digest == slot.digest;
        decision.replicas += 1;
        if usize::from(decision.replicas) == self.executed.iter().flatten().count() {
            self.commits.remove(&slot.seq);
        }
    }

    /// The run is done when every request was accepted, and all honest replicas executed what was accepted.
    fn check_goal(&mut self, now: Time) {
        if let Some((goal, _)) = self.goal
            && self.executed.iter().flatten().all(|&executed| executed >= goal)
        {
            self.done_at = Some(now);
        }
    }

    /// When the run was over, if the simulation ended at `ended`.
    pub(crate) fn ended(&self, ended: Time, ending: Ending) -> Time {
        match (self.done_at, self.goal, ending) {
            (Some(done), _, _) => done,
            (None, Some((_, deadline)), Ending::Stopped) => deadline,
            (None, _, Ending::Quiet | Ending::Stopped) => self.last_event,
            (None, _, Ending::TimeLimit) => ended,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let violated = !self.agreement || (self.corrupted_within_faults && !self.validity);
        match (violated, self.completed == self.requests) {
            (true, _) => Outcome::Violation,
            (false, true) => Outcome::Completed,
            (false, false) => Outcome::Timeout,
        }
    }

    pub(crate) fn agreement(&self) -> bool {
        self.agreement
    }

    pub(crate) fn validity(&self) -> bool {
        self.validity
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed
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
