//! The replica.

use crate::config::ProtocolConfig;
use crate::digest::Digest;
use crate::log::{Log, Phase, Votes};
use crate::message::{Batch, Message, PrePrepare, Reply, SeqNum, SignedRequest, View, Vote, VoteKind};
use crate::service::Counter;
use crate::signature::{Signed, Signer};
use crate::step::{Effects, Event, Input, Slot, Timer};
use byzlab_network::{NodeId, Recipients, Time};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A replica of PBFT: a state machine without clock, network or randomness.
///
/// **The caller** calls [`Replica::step`] with a `now` that never goes backwards, and after each call carries out the
/// [`Effects`]: it sends the messages, sets the timers and logs the events. A timer that runs out after it was switched off may
/// be reported all the same; it does nothing.
///
/// **Upon receiving**
/// * REQUEST: send the last reply again if it was the client's last request; else order it if primary of the view, else
///   pass it on to the primary (rules 10, 12).
/// * PRE-PREPARE: accept it if the primary of the view signed it, it lies in the window, and no other digest was accepted for
///   its view and number (rule 3); then send PREPARE.
/// * PREPARE, COMMIT: count the voter (rules 4, 5). Prepared with the pre-prepare and Q−1 prepares of backups: send COMMIT
///   (rule 6). Committed with Q commits: execute in order (rule 7), and reply.
/// * CHECKPOINT: with Q matching ones for what was executed here, forget everything up to it (rule 18).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Replica {
    config: Arc<ProtocolConfig>,
    signer: Signer,
    view: View,
    /// The primary of the view.
    primary: NodeId,
    log: Log,
    last_executed: SeqNum,
    service: Counter,
    clients: ClientTable,
    /// Checkpoint votes for numbers above h.
    checkpoints: BTreeMap<SeqNum, Votes>,
    proposer: Proposer,
}

/// What a primary keeps.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
struct Proposer {
    /// The last sequence number that it assigned.
    last_assigned: SeqNum,
    /// Requests that wait for a number, and since when.
    waiting: VecDeque<(Time, SignedRequest)>,
}

/// For each client the last request that took effect, with its result; and the last that this replica has put in line.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct ClientTable {
    /// By client, from the first client's id on.
    records: Vec<ClientRecord>,
    /// Replaced record by record, so that the digest of the table costs as much as what changed.
    digest: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
struct ClientRecord {
    executed: u64,
    result: u64,
    accepted: u64,
}

impl ClientTable {
    /// The digest covers, of each client, the last request and its result: sums do not depend on the order.
    fn set_executed(&mut self, client: usize, timestamp: u64, result: u64) {
        let record = &mut self.records[client];
        let digest = |record: &ClientRecord| Digest::of([client as u64, record.executed, record.result]).0;
        self.digest = self.digest.wrapping_sub(digest(record));
        record.executed = timestamp;
        record.result = result;
        self.digest = self.digest.wrapping_add(digest(record));
    }
}

impl Replica {
    /// A replica at the start of the run: view 0, nothing executed. The signer says which one it is.
    pub fn new(config: Arc<ProtocolConfig>, signer: Signer) -> Replica {
        let records = vec![ClientRecord::default(); usize::from(config.clients)];
        Replica {
            view: View(0),
            primary: config.cluster.primary(View(0)),
            log: Log::new(config.log_window.get()),
            last_executed: SeqNum(0),
            service: Counter::default(),
            clients: ClientTable { records, digest: 0 },
            checkpoints: BTreeMap::new(),
            proposer: Proposer::default(),
            config,
            signer,
        }
    }

    /// Which replica it is.
    pub fn id(&self) -> NodeId {
        self.signer.node()
    }

    /// Its signer, for whoever takes it over.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The view that it is in.
    pub fn view(&self) -> View {
        self.view
    }

    /// The last batch that it executed.
    pub fn last_executed(&self) -> SeqNum {
        self.last_executed
    }

    /// Its message log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The digest of its state: the service and the client table (rule 19).
    pub fn state_digest(&self) -> Digest {
        Digest::of([self.service.digest().0, self.clients.digest])
    }

    /// Whether it is the primary of its view.
    pub fn is_primary(&self) -> bool {
        self.primary == self.id()
    }

    /// Reacts to an input at `now`.
    #[inline(always)]
    pub fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        match input {
            Input::Message(from, Message::Vote(vote)) => self.on_vote(now, from, vote, effects),
            Input::Message(from, Message::Request(request)) => self.on_request(now, from, request, effects),
            Input::Message(from, Message::PrePrepare(pre_prepare)) => {
                self.on_pre_prepare(now, from, pre_prepare, effects);
            }
            Input::Timer(Timer::Batch) => self.propose_waiting(now, effects),
            // Not a replica's business.
            Input::Start
            | Input::Message(_, Message::Reply(_))
            | Input::Timer(Timer::Retransmit | Timer::NextRequest) => {}
        }
    }

    fn on_request(&mut self, now: Time, from: NodeId, request: SignedRequest, effects: &mut Effects) {
        let Some(client) = self.config.client_index(request.client) else { return };
        let record = &self.clients.records[client];
        if request.timestamp <= record.executed {
            if request.timestamp == record.executed {
                let (timestamp, result) = (record.executed, record.result);
                self.reply(request.client, timestamp, result, effects);
            }
            return;
        }
        if !self.is_primary() {
            // What another replica passed on goes no further.
            if from == request.client {
                effects.send(Recipients::One(self.primary), Message::Request(request));
            }
            return;
        }
        if request.timestamp <= record.accepted {
            return;
        }
        self.clients.records[client].accepted = request.timestamp;
        self.proposer.waiting.push_back((now, request));
        self.propose_waiting(now, effects);
    }

    /// As primary, closes batches and assigns numbers to them as far as window and pipeline allow (rule 9).
    fn propose_waiting(&mut self, now: Time, effects: &mut Effects) {
        if !self.is_primary() {
            return;
        }
        let batch_size = self.config.batch_size.get();
        while let Some(&(first_came, _)) = self.proposer.waiting.front() {
            let seq = self.proposer.last_assigned.next();
            let in_flight = self.proposer.last_assigned.0 - self.last_executed.0;
            if !self.log.contains(seq) || in_flight >= self.config.max_in_flight.get() {
                return;
            }
            let close_at = first_came + self.config.batch_delay;
            if self.proposer.waiting.len() < batch_size && now < close_at {
                effects.set_timer(Timer::Batch, close_at);
                return;
            }
            let size = self.proposer.waiting.len().min(batch_size);
            let requests = self.proposer.waiting.drain(..size).map(|(_, request)| request).collect();
            self.propose(now, seq, Batch::new(requests, 0), effects);
        }
    }

    fn propose(&mut self, now: Time, seq: SeqNum, batch: Batch, effects: &mut Effects) {
        self.proposer.last_assigned = seq;
        let digest = batch.digest();
        let slot = Slot { view: self.view, seq, digest };
        let pre_prepare = Arc::new(self.signer.sign(PrePrepare {
            view: self.view,
            seq,
            digest,
            primary: self.id(),
            batch: Arc::new(batch),
        }));
        effects.event(Event::Propose(slot));
        ordered_events(&pre_prepare).for_each(|event| effects.event(event));
        let others = self.config.other_replicas();
        effects.send(others, Message::PrePrepare(Arc::clone(&pre_prepare)));
        if let Some(entry) = self.log.entry(seq) {
            entry.pre_prepare = Some(pre_prepare);
            entry.phase = Phase::PrePrepared;
        }
        effects.event(Event::PrePrepared(slot));
        self.advance(now, slot, effects);
    }

    fn on_pre_prepare(&mut self, now: Time, from: NodeId, pre_prepare: Arc<Signed<PrePrepare>>, effects: &mut Effects) {
        let slot = Slot { view: pre_prepare.view, seq: pre_prepare.seq, digest: pre_prepare.digest };
        let acceptable = pre_prepare.view == self.view
            && pre_prepare.primary == self.primary
            && from == self.primary
            && !self.is_primary()
            && pre_prepare.digest == pre_prepare.batch.digest()
            && self.config.knows_clients_of(&pre_prepare.batch);
        if !acceptable {
            return;
        }
        let in_window = self.log.contains(slot.seq);
        match self.log.entry(slot.seq) {
            Some(entry) if entry.phase == Phase::Empty && in_window => {
                entry.pre_prepare = Some(pre_prepare);
                entry.phase = Phase::PrePrepared;
            }
            Some(entry) if entry.phase == Phase::Empty && entry.early.is_none() => {
                entry.early = Some(pre_prepare);
                return;
            }
            // Far outside the window, or something is accepted already: this very digest, or the primary equivocates.
            _ => return,
        }
        effects.event(Event::PrePrepared(slot));
        self.vote(VoteKind::Prepare, slot, effects);
        self.advance(now, slot, effects);
    }

    /// Votes, and counts its own vote.
    fn vote(&mut self, kind: VoteKind, slot: Slot, effects: &mut Effects) {
        let Slot { view, seq, digest } = slot;
        let vote = self.signer.sign(Vote { kind, replica: self.id(), view, seq, digest });
        effects.send(self.config.other_replicas(), Message::Vote(vote));
        if kind == VoteKind::Checkpoint {
            self.checkpoints.entry(seq).or_default().insert(&vote);
        } else if let Some(entry) = self.log.entry(seq) {
            entry.votes(kind).insert(&vote);
        }
    }

    #[inline]
    fn on_vote(&mut self, now: Time, from: NodeId, vote: Signed<Vote>, effects: &mut Effects) {
        if vote.replica != from || !self.config.cluster.is_replica(from) {
            return;
        }
        if vote.kind == VoteKind::Checkpoint {
            self.on_checkpoint(now, vote, effects);
            return;
        }
        if vote.view != self.view {
            return;
        }
        let cluster = self.config.cluster;
        let Some(entry) = self.log.entry(vote.seq) else { return };
        // A vote that comes after its quorum closed changes nothing.
        let (open, needed) = match vote.kind {
            VoteKind::Prepare if vote.replica == self.primary => return,
            VoteKind::Prepare => (entry.phase < Phase::Prepared, cluster.quorum() - 1),
            _ => (entry.phase < Phase::Committed, cluster.quorum()),
        };
        if open && entry.votes(vote.kind).insert(&vote) >= needed {
            self.advance(now, Slot { view: vote.view, seq: vote.seq, digest: vote.digest }, effects);
        }
    }

    /// Takes a number as far as the votes for this digest carry it: prepared, committed, executed.
    fn advance(&mut self, now: Time, slot: Slot, effects: &mut Effects) {
        let quorum = self.config.cluster.quorum();
        let Some(entry) = self.log.entry(slot.seq) else { return };
        if entry.pre_prepare.as_ref().is_none_or(|accepted| accepted.digest != slot.digest) {
            return;
        }
        if entry.phase == Phase::PrePrepared && entry.prepares.count(slot.digest) >= quorum - 1 {
            entry.phase = Phase::Prepared;
            effects.event(Event::Prepared(slot));
            self.vote(VoteKind::Commit, slot, effects);
        }
        let Some(entry) = self.log.entry(slot.seq) else { return };
        if entry.phase == Phase::Prepared && entry.commits.count(slot.digest) >= quorum {
            entry.phase = Phase::Committed;
            effects.event(Event::Committed(slot));
            self.execute_committed(now, effects);
        }
    }

    /// Executes what is committed, strictly in order.
    fn execute_committed(&mut self, now: Time, effects: &mut Effects) {
        loop {
            let seq = self.last_executed.next();
            let Some(entry) = self.log.get(seq).filter(|entry| entry.phase == Phase::Committed) else { break };
            let Some(pre_prepare) = entry.pre_prepare.clone() else { break };
            for request in pre_prepare.batch.requests() {
                self.execute(request, effects);
            }
            self.last_executed = seq;
            let state = self.state_digest();
            let slot = Slot { view: pre_prepare.view, seq, digest: pre_prepare.digest };
            effects.event(Event::Executed { slot, state });
            if self.config.is_checkpoint(seq) {
                effects.event(Event::Checkpoint { seq, state });
                self.vote(VoteKind::Checkpoint, Slot { view: View(0), seq, digest: state }, effects);
                self.stabilise(now, seq, effects);
            }
        }
        self.propose_waiting(now, effects);
    }

    /// Executes a request, unless it is an old one that was ordered again (rule 10).
    fn execute(&mut self, request: &SignedRequest, effects: &mut Effects) {
        let Some(client) = self.config.client_index(request.client) else { return };
        if request.timestamp <= self.clients.records[client].executed {
            return;
        }
        let result = self.service.execute(request.operation);
        self.clients.set_executed(client, request.timestamp, result);
        self.reply(request.client, request.timestamp, result, effects);
    }

    fn reply(&self, client: NodeId, timestamp: u64, result: u64, effects: &mut Effects) {
        let (view, replica, payload) = (self.view, self.id(), self.config.reply_payload);
        let reply = self.signer.sign(Reply { view, timestamp, client, replica, result, payload });
        effects.send(Recipients::One(client), Message::Reply(Arc::new(reply)));
    }

    fn on_checkpoint(&mut self, now: Time, vote: Signed<Vote>, effects: &mut Effects) {
        if !self.log.contains(vote.seq) || !self.config.is_checkpoint(vote.seq) {
            return;
        }
        self.checkpoints.entry(vote.seq).or_default().insert(&vote);
        self.stabilise(now, vote.seq, effects);
    }

    /// Makes a checkpoint stable once Q replicas vouch for it and it was reached here (rule 18).
    fn stabilise(&mut self, now: Time, seq: SeqNum, effects: &mut Effects) {
        let votes = self.checkpoints.get(&seq);
        let Some(state) = votes.and_then(|votes| votes.decided(self.config.cluster.quorum())) else { return };
        if seq > self.last_executed {
            return;
        }
        let old_end = self.log.end();
        self.log.truncate(seq);
        self.checkpoints.retain(|&other, _| other > seq);
        effects.event(Event::Stable { seq, state });
        // The window has moved: what came too early is due, and so are requests that found no number (rule 9).
        for number in old_end.0 + 1..=self.log.end().0 {
            let early = self.log.get_mut(SeqNum(number)).and_then(|entry| entry.early.take());
            if let Some(pre_prepare) = early {
                let primary = pre_prepare.primary;
                self.on_pre_prepare(now, primary, pre_prepare, effects);
            }
        }
        self.propose_waiting(now, effects);
    }
}

/// The `Ordered` events that come with a proposal.
pub fn ordered_events(pre_prepare: &PrePrepare) -> impl Iterator<Item = Event> + '_ {
    let (view, seq) = (pre_prepare.view, pre_prepare.seq);
    pre_prepare.batch.requests().iter().map(move |request| Event::Ordered {
        view,
        seq,
        request: request.digest(),
        client: request.client,
    })
}
