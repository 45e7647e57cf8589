//! The normal case: requests, proposals and votes (rules 3–10).

use super::Replica;
use crate::defects::Defect;
use crate::log::Phase;
use crate::message::{Batch, Message, PrePrepare, SeqNum, SignedRequest, Vote, VoteKind};
use crate::signature::Signed;
use crate::step::{Effects, Event, Slot, Timer};
use byzlab_network::{NodeId, Recipients, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// What a primary keeps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Proposer {
    /// The last sequence number that it assigned.
    pub(super) last_assigned: SeqNum,
    /// Requests that wait for a number, and since when; of each client one.
    waiting: VecDeque<(Time, SignedRequest)>,
    /// By client.
    taken: Vec<Taken>,
}

/// What a primary has taken of a client in this view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Taken {
    /// The number of its last request.
    timestamp: u64,
    /// Whether one waits.
    waits: bool,
}

impl Proposer {
    pub(super) fn new(clients: usize) -> Proposer {
        Proposer { last_assigned: SeqNum(0), waiting: VecDeque::new(), taken: vec![Taken::default(); clients] }
    }

    /// Begins a view whose O ends at `last_assigned`.
    pub(super) fn begin_view(&mut self, last_assigned: SeqNum) {
        *self = Proposer { last_assigned, ..Proposer::new(self.taken.len()) };
    }

    /// Notes that a request has its number.
    pub(super) fn is_ordered(&mut self, client: usize, timestamp: u64) {
        let taken = &mut self.taken[client];
        taken.timestamp = taken.timestamp.max(timestamp);
    }

    /// Puts a request in line, unless it was there before.
    fn take(&mut self, now: Time, client: usize, request: SignedRequest) {
        let taken = &mut self.taken[client];
        if request.timestamp <= taken.timestamp {
            return;
        }
        taken.timestamp = request.timestamp;
        if taken.waits {
            // A client has one request at a time; a later one stands in for it, so that a flood takes no more room.
            if let Some((_, other)) = self.waiting.iter_mut().find(|(_, other)| other.client == request.client) {
                *other = request;
            }
        } else {
            taken.waits = true;
            self.waiting.push_back((now, request));
        }
    }
}

impl Replica {
    pub(super) fn on_request(&mut self, now: Time, from: NodeId, request: SignedRequest, effects: &mut Effects) {
        let Some(client) = self.config.client_index(request.client) else { return };
        if !self.config.can_verify(self.id(), &request) {
            return;
        }
        let executed = self.state.last_of(client);
        if request.timestamp <= executed.timestamp {
            if request.timestamp == executed.timestamp {
                self.reply(request.client, executed.timestamp, executed.result, effects);
            }
            return;
        }
        let is_new = self.await_request(now, client, &request, effects);
        if self.active.is_none() {
            return;
        }
        if self.is_primary() {
            self.proposer.take(now, client, request);
            self.propose_waiting(now, effects);
        } else if from == request.client || is_new {
            // Also what another replica passed on: whoever waits for a request sees to it that the primary knows of it. Once,
            // so that it does not go round.
            effects.send(Recipients::One(self.primary), Message::Request(request));
        }
    }

    /// As primary, closes batches and assigns numbers to them as far as window and pipeline allow (rule 9).
    pub(super) fn propose_waiting(&mut self, now: Time, effects: &mut Effects) {
        if !self.is_primary() || self.active.is_none() {
            return;
        }
        let batch_size = self.config.batch_size.get();
        while let Some(&(first_came, _)) = self.proposer.waiting.front() {
            let seq = self.proposer.last_assigned.next();
            let in_flight = self.proposer.last_assigned.0.saturating_sub(self.last_executed.0);
            if !self.log.contains(seq) || in_flight >= self.config.max_in_flight.get() {
                return;
            }
            let close_at = first_came + self.config.batch_delay;
            if self.proposer.waiting.len() < batch_size && now < close_at {
                effects.set_timer(Timer::Batch, close_at);
                return;
            }
            let size = self.proposer.waiting.len().min(batch_size);
            let requests: Vec<SignedRequest> =
                self.proposer.waiting.drain(..size).map(|(_, request)| request).collect();
            for request in &requests {
                if let Some(client) = self.config.client_index(request.client) {
                    self.proposer.taken[client].waits = false;
                }
            }
            self.propose(now, seq, Batch::new(requests, 0), effects);
        }
    }

    fn propose(&mut self, now: Time, seq: SeqNum, batch: Batch, effects: &mut Effects) {
        let pre_prepare = Arc::new(PrePrepare::new(&self.signer, self.view, seq, Arc::new(batch)));
        effects.event(Event::Propose(pre_prepare.slot()));
        ordered_events(&pre_prepare).for_each(|event| effects.event(event));
        self.send_to_others(Message::PrePrepare(Arc::clone(&pre_prepare)), effects);
        self.accept(now, pre_prepare, effects);
    }

    /// Puts requests in line that were not ordered before this view began (rule 27).
    pub(super) fn propose_again(&mut self, now: Time, effects: &mut Effects) {
        let held: Vec<_> = self.requests.iter().map(|(client, request)| (client, Arc::clone(request))).collect();
        for (client, request) in held {
            // What only others vouched for, they may not vouch for again.
            if self.config.can_verify(self.id(), &request) {
                self.proposer.take(now, client, request);
            }
        }
        self.propose_waiting(now, effects);
    }

    /// Passes requests on to a new primary that it has not ordered (rule 27).
    pub(super) fn relay_again(&self, effects: &mut Effects) {
        let waits =
            |&(client, request): &(usize, &SignedRequest)| request.timestamp > self.proposer.taken[client].timestamp;
        for (_, request) in self.requests.iter().filter(waits) {
            effects.send(Recipients::One(self.primary), Message::Request(Arc::clone(request)));
        }
    }

    /// The pre-prepare may come from any replica: the primary's signature counts, so whoever has it can send it again (rule 17).
    pub(super) fn on_pre_prepare(
        &mut self,
        now: Time,
        from: NodeId,
        pre_prepare: Arc<PrePrepare>,
        effects: &mut Effects,
    ) {
        let vote = pre_prepare.vote;
        let proper = vote.kind == VoteKind::PrePrepare
            && vote.replica == self.config.cluster.primary(vote.view)
            && vote.digest == pre_prepare.batch.digest()
            && !pre_prepare.batch.requests().is_empty()
            && self.config.knows_clients_of(&pre_prepare.batch);
        if !proper {
            return;
        }
        if Some(vote.view) != self.active {
            self.keep_for_later(from, Message::PrePrepare(pre_prepare));
            return;
        }
        let in_window = self.log.contains(vote.seq);
        let is_verified = self.can_verify_all(&pre_prepare.batch);
        match self.log.entry(vote.seq) {
            // Something is accepted already: this very digest, or the primary equivocates.
            Some(entry) if entry.phase != Phase::Empty => {}
            // The new view has ordered something else here.
            Some(entry) if entry.awaited.is_some_and(|awaited| awaited != vote) => {}
            // For what the new view has ordered, those vouch who prepared it.
            Some(entry) if !is_verified && entry.awaited.is_none() => {}
            Some(_) if in_window => self.accept(now, pre_prepare, effects),
            Some(entry) if entry.early.is_none() && !self.config.defects.has(Defect::EarlyProposalsDropped) => {
                entry.early = Some(pre_prepare);
            }
            // Far outside the window.
            _ => {}
        }
    }

    /// Whether all requests of a batch are their clients' (rule 3), as far as this replica can verify it: from what stands in the
    /// batch, or because the same request came here by itself.
    fn can_verify_all(&self, batch: &Batch) -> bool {
        batch.requests().iter().all(|request| {
            let is_held = || {
                let client = self.config.client_index(request.client)?;
                self.requests.of(client).filter(|held| held.digest() == request.digest())
            };
            self.config.can_verify(self.id(), request) || is_held().is_some()
        })
    }

    /// Accepts a pre-prepare of the current view for a number of the window that has none yet; as a backup, votes for it.
    pub(super) fn accept(&mut self, now: Time, pre_prepare: Arc<PrePrepare>, effects: &mut Effects) {
        let slot = pre_prepare.slot();
        let batch = Arc::clone(&pre_prepare.batch);
        let Some(entry) = self.log.entry(slot.seq) else { return };
        entry.pre_prepare = Some(pre_prepare);
        entry.phase = Phase::PrePrepared;
        entry.awaited = None;
        effects.event(Event::PrePrepared(slot));
        let awaits_all = self.config.defects.has(Defect::TimerForExecuted);
        for request in batch.requests() {
            let Some(client) = self.config.client_index(request.client) else { continue };
            self.proposer.is_ordered(client, request.timestamp);
            if request.timestamp > self.state.last_of(client).timestamp || awaits_all {
                self.await_request(now, client, request, effects);
            }
        }
        if self.is_primary() {
            // Its own word, whoever brings it back, counts as given.
            self.proposer.last_assigned = self.proposer.last_assigned.max(slot.seq);
        } else {
            self.vote(VoteKind::Prepare, slot, effects);
        }
        if self.config.defects.has(Defect::CommitBeforePrepared) {
            self.vote(VoteKind::Commit, slot, effects);
        }
        self.advance(now, slot, effects);
    }

    /// Votes, and counts its own vote.
    pub(super) fn vote(&mut self, kind: VoteKind, slot: Slot, effects: &mut Effects) {
        let Slot { view, seq, digest } = slot;
        let vote = self.signer.vote(kind, view, seq, digest);
        self.send_to_others(Message::Vote(vote), effects);
        if let Some(entry) = self.log.entry(seq) {
            entry.votes(kind).insert(&vote);
        }
    }

    #[inline(always)]
    pub(super) fn on_vote(&mut self, now: Time, from: NodeId, vote: Signed<Vote>, effects: &mut Effects) {
        if vote.replica != from || !self.config.cluster.is_replica(from) {
            return;
        }
        if !self.pulse.is_beating() {
            self.stay_awake(now, effects);
        }
        if vote.kind == VoteKind::Checkpoint {
            return self.on_checkpoint(now, vote, effects);
        }
        if Some(vote.view) != self.active {
            self.keep_for_later(from, Message::Vote(vote));
            return;
        }
        let quorum = self.config.cluster.quorum();
        let to_commit = self.config.commit_quorum();
        let counts_primary = self.config.defects.has(Defect::PrimarysPrepareCounts);
        let Some(entry) = self.log.entry(vote.seq) else { return };
        let (open, needed) = match vote.kind {
            VoteKind::Prepare if vote.replica == self.primary && !counts_primary => return,
            VoteKind::Prepare => (entry.phase < Phase::Prepared, quorum - 1),
            VoteKind::Commit => (entry.phase < Phase::Committed, to_commit),
            // Comes with its batch, or within a new view.
            VoteKind::PrePrepare | VoteKind::Checkpoint => return,
        };
        // A prepare that comes after its quorum closed changes nothing; a commit still tells that its sender is up to date.
        if !open && vote.kind == VoteKind::Prepare {
            return;
        }
        let votes = entry.votes(vote.kind);
        if self.config.defects.has(Defect::VotesCounted) {
            votes.count_again(&vote);
        }
        let count = votes.insert(&vote);
        if open && count >= needed {
            self.advance(now, vote.slot(), effects);
        }
    }

    /// Takes a number as far as the votes for this digest carry it: prepared, committed, executed.
    pub(super) fn advance(&mut self, now: Time, slot: Slot, effects: &mut Effects) {
        let quorum = self.config.cluster.quorum();
        let to_commit = self.config.commit_quorum();
        let Some(entry) = self.log.entry(slot.seq) else { return };
        if entry.pre_prepare.as_ref().is_none_or(|accepted| accepted.vote.digest != slot.digest) {
            return;
        }
        if entry.phase == Phase::PrePrepared && entry.prepares.count(slot.digest) >= quorum - 1 {
            entry.phase = Phase::Prepared;
            effects.event(Event::Prepared(slot));
            self.vote(VoteKind::Commit, slot, effects);
            if self.config.tentative {
                self.execute_ready(now, effects);
            }
        }
        let Some(entry) = self.log.entry(slot.seq) else { return };
        if entry.phase == Phase::Prepared && entry.commits.count(slot.digest) >= to_commit {
            entry.phase = Phase::Committed;
            effects.event(Event::Committed(slot));
            self.execute_ready(now, effects);
        }
    }
}

/// The `Ordered` events that come with a proposal.
pub fn ordered_events(pre_prepare: &PrePrepare) -> impl Iterator<Item = Event> + '_ {
    let Slot { view, seq, .. } = pre_prepare.slot();
    pre_prepare.batch.requests().iter().map(move |request| Event::Ordered {
        view,
        seq,
        request: request.digest(),
        client: request.client,
    })
}
