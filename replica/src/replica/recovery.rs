//! What keeps replicas together when messages or memories get lost: status, retransmission, state transfer, restart
//! (rules 17, 20 and 30).

use super::checkpoints::NO_VIEW;
use super::{Patience, Replica};
use crate::certificate::Certificate;
use crate::defects::Defect;
use crate::log::{Entry, Phase};
use crate::message::{Batch, Message, PrePrepare, SeqNum, VoteKind};
use crate::quorum::NodeSet;
use crate::signature::Signed;
use crate::step::{Effects, Event, Slot, Timer};
use crate::transfer::{Content, Fetch, State, Status, Wanted};
use byzlab_network::{NodeId, Recipients, Time};
use std::sync::Arc;

/// At most the contents of so many numbers answer one status: what is behind asks again.
const HELP: u64 = 64;

/// When something last moved, so that a replica notices that it is stuck, and who is known to have come how far.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Pulse {
    /// Whether the status timer runs. It stops when nothing is left to do, so that a run can come to rest.
    beating: bool,
    progress: Time,
    /// Whether it has asked the others since something last moved.
    has_asked: bool,
    /// Of each replica the last number that it said to have executed.
    executed: Vec<SeqNum>,
}

impl Pulse {
    pub(super) fn new(replicas: usize) -> Pulse {
        Pulse { beating: false, progress: Time::START, has_asked: false, executed: vec![SeqNum(0); replicas] }
    }

    #[inline]
    pub(super) fn is_beating(&self) -> bool {
        self.beating
    }

    /// Notes that something has moved.
    pub(super) fn moved(&mut self, now: Time) {
        self.progress = now;
        self.has_asked = false;
    }
}

/// The state that is being fetched, and from whom.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Transfer {
    pub(super) proof: Certificate,
    /// Whom it has asked, in this round, and who was asked last.
    asked: NodeSet,
    last: NodeId,
}

impl Transfer {
    /// Begins after `me`, so that not all ask the same.
    pub(super) fn new(proof: Certificate, me: NodeId) -> Transfer {
        Transfer { proof, asked: NodeSet::new(), last: me }
    }

    /// The next signers to be asked, at most so many.
    fn ask_next(&mut self, count: u16, me: NodeId) -> Vec<NodeId> {
        let signers: Vec<NodeId> = self.proof.signers().iter().filter(|&node| node != me).collect();
        let first = signers.iter().position(|&node| node > self.last).unwrap_or(0);
        let turn = (0..signers.len()).map(|place| signers[(first + place) % signers.len()]);
        let next: Vec<NodeId> = turn.filter(|&node| !self.asked.contains(node)).take(usize::from(count)).collect();
        for &node in &next {
            self.asked.insert(node);
        }
        self.last = next.last().copied().unwrap_or(self.last);
        next
    }
}

impl Replica {
    /// Sees to it that the status timer runs.
    #[inline]
    pub(super) fn stay_awake(&mut self, now: Time, effects: &mut Effects) {
        if !self.pulse.beating {
            self.pulse.beating = true;
            self.pulse.progress = now;
            effects.set_timer(Timer::Status, now + self.config.status_interval);
        }
    }

    /// If nothing has moved for a status interval: says what it lacks, or asks those who seem to lack something (rule 17).
    pub(super) fn on_status_timer(&mut self, now: Time, effects: &mut Effects) {
        if !self.pulse.beating {
            return;
        }
        let due = self.pulse.progress + self.config.status_interval;
        if now < due {
            effects.set_timer(Timer::Status, due);
            return;
        }
        if self.is_waiting() {
            self.pulse.has_asked = true;
            match self.checkpoints.ahead.clone() {
                Some(ahead) if ahead.slot().seq > self.last_final() => self.catch_up_to(now, ahead, effects),
                _ => self.ask_again_for_state(effects),
            }
            if let Some(own) = self.own_view_change() {
                self.send_to_others(own, effects);
            }
            self.send_to_others(self.status(false), effects);
            self.fetch_awaited(effects);
        } else {
            let laggards = self.laggards();
            if laggards.is_empty() {
                self.pulse.beating = false;
                return;
            }
            self.send_to(&laggards, self.status(false), effects);
        }
        effects.set_timer(Timer::Status, now + self.config.status_interval);
    }

    /// Whether something that it has begun is not done.
    fn is_waiting(&self) -> bool {
        self.active.is_none()
            || self.transfer.is_some()
            || self.checkpoints.ahead.is_some()
            || self.checkpoints.has_unstable()
            || !self.requests.is_empty()
            || self.has_unfinished()
    }

    /// Whether a number that is not executed is under way; a liar's votes alone do not count.
    fn has_unfinished(&self) -> bool {
        let (last, some) = (self.last_final(), self.config.cluster.weak_quorum());
        let is_voted_for =
            |entry: &Entry| [&entry.prepares, &entry.commits].iter().any(|votes| votes.decided(some).is_some());
        let is_under_way =
            |entry: &Entry| entry.phase != Phase::Empty || entry.awaited.is_some() || is_voted_for(entry);
        self.log.iter().rev().take_while(|&(seq, _)| seq > last).any(|(_, entry)| is_under_way(entry))
    }

    /// Who has not been heard to have come as far as this replica.
    fn laggards(&self) -> NodeSet {
        let last = self.last_final();
        let committed = || self.log.get(last)?.committed();
        let up_to_date = match self.checkpoints.votes.get(&last) {
            Some(votes) if last == self.log.low() => {
                self.checkpoints.proof.as_ref().map(|proof| votes.certificate(proof.slot().digest))
            }
            _ => committed(),
        };
        let lags = |&node: &NodeId| {
            node != self.id()
                && self.pulse.executed[node.index()] < last
                && up_to_date.as_ref().is_none_or(|proof| !proof.signers().contains(node))
        };
        (0..self.config.cluster.replicas()).map(NodeId).filter(lags).collect()
    }

    fn own_view_change(&self) -> Option<Message> {
        let once = self.config.defects.has(Defect::ViewChangeSentOnce);
        let own = self.views.changes.get(&self.id()).filter(|_| self.active.is_none() && !once);
        own.map(|change| Message::ViewChange(Arc::clone(change)))
    }

    fn status(&self, answers: bool) -> Message {
        let bits = (0..64).filter(|bit| {
            let entry = self.log.get(SeqNum(self.last_final().0 + 1 + bit));
            entry.is_some_and(|entry| self.active.is_some() && entry.phase != Phase::Empty)
        });
        Message::Status(Arc::new(self.signer.sign(Status {
            view: self.view,
            active: self.active.is_some(),
            stable: self.checkpoints.proof.clone(),
            executed: self.last_final(),
            pre_prepared: bits.fold(0, |bits, bit| bits | 1 << bit),
            answers,
            replica: self.id(),
        })))
    }

    pub(super) fn on_status(&mut self, now: Time, from: NodeId, status: &Signed<Status>, effects: &mut Effects) {
        let proven = |proof: &Certificate| {
            self.config.is_checkpoint(proof.slot().seq) && proof.proves_checkpoint(self.config.cluster)
        };
        if status.replica != from || !status.stable.as_ref().is_none_or(proven) {
            return;
        }
        let heard = &mut self.pulse.executed[from.index()];
        *heard = status.executed.max(*heard);
        if let Some(proof) = status.stable.as_ref().filter(|proof| proof.slot().seq > self.log.low()) {
            self.settle_checkpoint(now, proof.clone(), effects);
            // It has asked, so it is stuck; who is merely told may be about to get there.
            if status.answers && self.pulse.has_asked && proof.slot().seq > self.last_final() {
                self.catch_up_to(now, proof.clone(), effects);
            }
        }
        self.help(from, status, effects);
        if !status.answers {
            effects.send(Recipients::One(from), self.status(true));
        }
    }

    /// Sends a replica again what it lacks by its own account, as far as it is known here (rule 17).
    fn help(&self, to: NodeId, status: &Status, effects: &mut Effects) {
        let mut send = |message| effects.send(Recipients::One(to), message);
        match (self.active, &self.views.new_view) {
            (Some(view), Some(new_view)) if (status.view, status.active) < (view, true) => {
                send(Message::NewView(Arc::clone(new_view)));
            }
            // Who answers was sent it just now.
            (None, _) if status.view <= self.view && !status.answers => {
                self.own_view_change().into_iter().for_each(&mut send);
            }
            _ => {}
        }
        let same_view = status.active && self.active == Some(status.view);
        for bit in 0..HELP {
            let seq = SeqNum(status.executed.0.saturating_add(1 + bit));
            let Some(entry) = self.log.get(seq) else { continue };
            if !same_view {
                // Votes of this view mean nothing to it, but what is committed is committed.
                if let (Some(proof), Some((_, batch))) = (entry.committed(), entry.decision()) {
                    send(self.contents(Content::Committed { proof, batch }));
                }
                continue;
            }
            let Some(pre_prepare) = &entry.pre_prepare else { continue };
            if status.pre_prepared >> bit & 1 == 0 && !self.config.defects.has(Defect::EarlyProposalsDropped) {
                send(Message::PrePrepare(Arc::clone(pre_prepare)));
            }
            let Slot { view, seq, digest } = pre_prepare.slot();
            let mut vote = |kind| send(Message::Vote(self.signer.vote(kind, view, seq, digest)));
            if !self.is_primary() {
                vote(VoteKind::Prepare);
            }
            if entry.phase >= Phase::Prepared {
                vote(VoteKind::Commit);
            }
        }
        let stable = status.stable.as_ref().map_or(SeqNum(0), |proof| proof.slot().seq);
        for (&seq, state) in self.checkpoints.own.iter().filter(|&(&seq, _)| seq > stable) {
            send(Message::Vote(self.signer.vote(VoteKind::Checkpoint, NO_VIEW, seq, state.digest())));
        }
    }

    fn contents(&self, content: Content) -> Message {
        Message::State(Arc::new(self.signer.sign(State { content, replica: self.id() })))
    }

    fn fetch(&self, wanted: Wanted, Slot { seq, digest, .. }: Slot) -> Message {
        Message::Fetch(Arc::new(self.signer.sign(Fetch { wanted, seq, digest, replica: self.id() })))
    }

    /// Asks for the batches that the new view orders and that are not known here: all who may have prepared them.
    pub(super) fn fetch_awaited(&self, effects: &mut Effects) {
        for (_, entry) in self.log.iter() {
            if let Some(vote) = entry.awaited.as_ref().filter(|vote| entry.batch(vote.digest).is_none()) {
                self.send_to_others(self.fetch(Wanted::Batch, vote.slot()), effects);
            }
        }
    }

    /// Asks for the state at h: f+1 of those who vouch for it, for one of them will answer.
    pub(super) fn ask_for_state(&mut self, effects: &mut Effects) {
        self.ask_next_for_state(self.config.cluster.weak_quorum(), effects);
    }

    /// The same, after another status interval without an answer: the next ones, in turn.
    fn ask_again_for_state(&mut self, effects: &mut Effects) {
        if let Some(transfer) = &mut self.transfer {
            transfer.asked = NodeSet::new();
            self.ask_for_state(effects);
        }
    }

    fn ask_next_for_state(&mut self, count: u16, effects: &mut Effects) {
        let me = self.id();
        if let Some(transfer) = &mut self.transfer {
            let (nodes, slot) = (transfer.ask_next(count, me), transfer.proof.slot());
            if !nodes.is_empty() {
                let fetch = self.fetch(Wanted::Checkpoint, slot);
                effects.send(Recipients::List(nodes.into()), fetch);
            }
        }
    }

    pub(super) fn on_fetch(&self, from: NodeId, fetch: &Signed<Fetch>, effects: &mut Effects) {
        if fetch.replica != from {
            return;
        }
        let content = match fetch.wanted {
            Wanted::Batch => {
                let batch = self.log.get(fetch.seq).and_then(|entry| entry.batch(fetch.digest));
                batch.map(|batch| Content::Batch { seq: fetch.seq, batch })
            }
            Wanted::Checkpoint => match (&self.checkpoints.proof, &self.checkpoints.state) {
                (Some(proof), Some(state)) if proof.slot().seq >= fetch.seq => {
                    Some(Content::Checkpoint { proof: proof.clone(), snapshot: Arc::clone(state) })
                }
                _ => None,
            },
        };
        if let Some(content) = content {
            effects.send(Recipients::One(from), self.contents(content));
        }
    }

    pub(super) fn on_state(&mut self, now: Time, state: &Signed<State>, effects: &mut Effects) {
        match &state.content {
            Content::Batch { seq, batch } => self.on_batch(now, *seq, batch, effects),
            Content::Committed { proof, batch } => self.on_committed(now, proof, batch, effects),
            Content::Checkpoint { proof, snapshot } => {
                let Some(transfer) = &self.transfer else { return };
                let (wanted, slot) = (transfer.proof.slot().seq, proof.slot());
                let was_asked = transfer.asked.contains(state.replica);
                let proven = proof.proves_checkpoint(self.config.cluster) && snapshot.digest() == slot.digest;
                let right = slot.seq >= wanted
                    && self.config.is_checkpoint(slot.seq)
                    && (proven || self.config.defects.has(Defect::StateUnchecked))
                    && snapshot.fits(&self.config);
                if right {
                    self.forget_up_to(now, proof, effects);
                    self.install(now, snapshot, effects);
                } else if was_asked {
                    self.ask_next_for_state(1, effects);
                }
            }
        }
    }

    fn on_batch(&mut self, now: Time, seq: SeqNum, batch: &Arc<Batch>, effects: &mut Effects) {
        // After a VIEW-CHANGE nothing of the old view takes effect (rule 21): that says what was prepared, and no more may be.
        let awaited = self.log.get(seq).filter(|_| self.active.is_some()).and_then(|entry| entry.awaited);
        if let Some(vote) = awaited.filter(|vote| vote.digest == batch.digest() && self.config.knows_clients_of(batch))
        {
            let pre_prepare = Arc::new(PrePrepare { vote, batch: Arc::clone(batch) });
            self.accept(now, pre_prepare, effects);
        }
    }

    /// What a quorum has committed is committed, whatever view this replica is in.
    fn on_committed(&mut self, now: Time, proof: &Certificate, batch: &Arc<Batch>, effects: &mut Effects) {
        let slot = proof.slot();
        let right = slot.seq > self.last_final()
            && self.log.contains(slot.seq)
            && slot.digest == batch.digest()
            && proof.proves_commit(self.config.cluster)
            && self.config.knows_clients_of(batch);
        if !right {
            return;
        }
        let Some(entry) = self.log.entry(slot.seq) else { return };
        if entry.decision().is_some() {
            return;
        }
        let is_other = entry.pre_prepare.as_ref().is_none_or(|accepted| accepted.vote.digest != slot.digest);
        entry.learn_committed(proof.clone(), Arc::clone(batch));
        effects.event(Event::Committed(slot));
        // A later view may have decided otherwise than what was executed here tentatively.
        if is_other && slot.seq == self.last_executed {
            self.roll_back(now, effects);
        }
        self.execute_ready(now, effects);
    }

    /// Comes back after a crash, with what stable storage kept (rule 30) or with nothing.
    pub(super) fn restart(&mut self, now: Time, durable: bool, effects: &mut Effects) {
        if durable {
            // Only what is committed was stored.
            self.roll_back(now, effects);
            effects.event(Event::Restart { durable });
            self.forget_what_is_not_stored();
        } else {
            effects.event(Event::Restart { durable });
            *self = Replica::new(Arc::clone(&self.config), self.signer.clone());
        }
        self.stay_awake(now, effects);
        self.pulse.has_asked = true;
        self.send_to_others(self.status(false), effects);
        // A state that was being fetched is still missing.
        if let Some(proof) = self.checkpoints.proof.clone().filter(|proof| proof.slot().seq > self.last_executed) {
            self.catch_up_to(now, proof, effects);
        }
    }

    /// Votes that prove nothing yet, requests, timers and what is known of others are gone; its own votes it knows from its
    /// pre-prepares and certificates.
    fn forget_what_is_not_stored(&mut self) {
        let fresh = Replica::new(Arc::clone(&self.config), self.signer.clone());
        let me = self.id();
        self.proposer.begin_view(self.proposer.last_assigned);
        self.requests = fresh.requests;
        (self.patience, self.deadline) = (Patience::Off, None);
        self.pulse = fresh.pulse;
        self.reads.forget_waiting();
        self.transfer = None;
        self.checkpoints.forget_votes(&self.signer);
        self.views.changes.retain(|&node, _| node == me);
        self.views.forget_messages();
        let (signer, cluster) = (self.signer.clone(), self.config.cluster);
        self.log.iter_mut().for_each(|(_, entry)| entry.restart(&signer, cluster));
    }
}
