//! Checkpoints, garbage collection, and the state of others for a replica that lags (rules 18–20).

use super::Replica;
use super::recovery::Transfer;
use crate::certificate::{Certificate, Votes};
use crate::message::{Message, SeqNum, View, Vote, VoteKind};
use crate::signature::{Signed, Signer};
use crate::state::Snapshot;
use crate::step::{Effects, Event};
use byzlab_network::{NodeId, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A checkpoint belongs to no view; its votes carry this one.
pub(super) const NO_VIEW: View = View(0);

/// What a replica knows of checkpoints.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(super) struct Checkpoints {
    /// Votes for numbers from h on. Those for h itself tell who has come so far.
    pub(super) votes: BTreeMap<SeqNum, Votes>,
    /// Votes for numbers far beyond the window: of each replica the last.
    far: BTreeMap<NodeId, Signed<Vote>>,
    /// Its own states at checkpoints that are not stable yet.
    pub(super) own: BTreeMap<SeqNum, Arc<Snapshot>>,
    /// The proof that h is stable; none if h = 0.
    pub(super) proof: Option<Certificate>,
    /// The state at h; none at the start, and while it has to be fetched.
    pub(super) state: Option<Arc<Snapshot>>,
    /// The highest stable checkpoint that was not reached here.
    pub(super) ahead: Option<Certificate>,
}

impl Checkpoints {
    /// Whether a checkpoint was taken here that is not stable yet.
    pub(super) fn has_unstable(&self) -> bool {
        !self.own.is_empty()
    }

    /// Forgets what others have said, but for proofs.
    pub(super) fn forget_votes(&mut self, signer: &Signer) {
        self.votes.clear();
        self.far.clear();
        self.ahead = None;
        for (&seq, state) in &self.own {
            let own = signer.vote(VoteKind::Checkpoint, NO_VIEW, seq, state.digest());
            self.votes.entry(seq).or_default().insert(&own);
        }
    }
}

impl Replica {
    /// Sends CHECKPOINT for what was just executed (rule 18).
    pub(super) fn take_checkpoint(&mut self, now: Time, seq: SeqNum, effects: &mut Effects) {
        let state = self.state.digest();
        self.checkpoints.own.insert(seq, Arc::new(self.state.clone()));
        effects.event(Event::Checkpoint { seq, state });
        let vote = self.signer.vote(VoteKind::Checkpoint, NO_VIEW, seq, state);
        self.send_to_others(Message::Vote(vote), effects);
        self.checkpoints.votes.entry(seq).or_default().insert(&vote);
        match self.checkpoints.ahead.take_if(|ahead| ahead.slot().seq == seq) {
            Some(proof) => self.settle_checkpoint(now, proof, effects),
            None => self.stabilise(now, seq, effects),
        }
    }

    #[inline(never)]
    pub(super) fn on_checkpoint(&mut self, now: Time, vote: Signed<Vote>, effects: &mut Effects) {
        let seq = vote.seq;
        if vote.view != NO_VIEW || seq < self.log.low() || !self.config.is_checkpoint(seq) {
            return;
        }
        if seq == self.log.low() || self.log.contains(seq) {
            self.checkpoints.votes.entry(seq).or_default().insert(&vote);
            self.stabilise(now, seq, effects);
            return;
        }
        let last = self.checkpoints.far.entry(vote.replica).or_insert(vote);
        if last.seq < seq {
            *last = vote;
        }
        let mut votes = Votes::default();
        let alike = self.checkpoints.far.values().filter(|other| other.seq == seq);
        alike.for_each(|other| _ = votes.insert(other));
        if let Some(state) = votes.decided(self.config.cluster.quorum()) {
            self.hear_of_checkpoint(&votes.certificate(state));
        }
    }

    /// Makes a checkpoint stable once Q replicas vouch for it and it was reached here.
    fn stabilise(&mut self, now: Time, seq: SeqNum, effects: &mut Effects) {
        if seq <= self.log.low() {
            return;
        }
        let Some(votes) = self.checkpoints.votes.get(&seq) else { return };
        if let Some(state) = votes.decided(self.config.cluster.quorum()) {
            let proof = votes.certificate(state);
            self.settle_checkpoint(now, proof, effects);
        }
    }

    /// Takes a proven checkpoint: stable if it was reached here, else to be remembered.
    pub(super) fn settle_checkpoint(&mut self, now: Time, proof: Certificate, effects: &mut Effects) {
        let slot = proof.slot();
        match self.checkpoints.own.get(&slot.seq) {
            Some(own) if own.digest() == slot.digest => {
                let own = Arc::clone(own);
                self.move_window(now, proof, Some(own), effects);
            }
            _ => self.hear_of_checkpoint(&proof),
        }
    }

    fn hear_of_checkpoint(&mut self, proof: &Certificate) {
        let seq = proof.slot().seq;
        if seq > self.last_final() && self.checkpoints.ahead.as_ref().is_none_or(|ahead| ahead.slot().seq < seq) {
            self.checkpoints.ahead = Some(proof.clone());
        }
    }

    /// Takes over a stable checkpoint that was not reached here: h moves at once, the state is fetched.
    pub(super) fn catch_up_to(&mut self, now: Time, proof: Certificate, effects: &mut Effects) {
        let slot = proof.slot();
        self.forget_up_to(now, &proof, effects);
        if self.transfer.as_ref().is_none_or(|transfer| transfer.proof.slot().seq < slot.seq) {
            self.transfer = Some(Transfer::new(proof, self.id()));
            self.ask_for_state(effects);
        }
    }

    /// Moves h to a stable checkpoint that was not reached here.
    pub(super) fn forget_up_to(&mut self, now: Time, proof: &Certificate, effects: &mut Effects) {
        self.roll_back(now, effects);
        if proof.slot().seq > self.log.low() {
            self.move_window(now, proof.clone(), None, effects);
        }
    }

    /// h := n, and everything up to it goes (rule 18).
    fn move_window(&mut self, now: Time, proof: Certificate, state: Option<Arc<Snapshot>>, effects: &mut Effects) {
        let slot = proof.slot();
        let old_end = self.log.end();
        self.log.truncate(slot.seq);
        self.checkpoints.votes.retain(|&other, _| other >= slot.seq);
        self.checkpoints.own.retain(|&other, _| other > slot.seq);
        self.checkpoints.far.retain(|_, vote| vote.seq > slot.seq);
        self.checkpoints.ahead.take_if(|ahead| ahead.slot().seq <= slot.seq);
        self.checkpoints.proof = Some(proof);
        self.checkpoints.state = state;
        effects.event(Event::Stable { seq: slot.seq, state: slot.digest });
        // The window has moved: what came too early is due, and so are requests that found no number (rule 9).
        for number in old_end.0 + 1..=self.log.end().0 {
            let early = self.log.get_mut(SeqNum(number)).and_then(|entry| entry.early.take());
            if let Some(pre_prepare) = early {
                self.on_pre_prepare(now, pre_prepare.vote.replica, pre_prepare, effects);
            }
        }
        self.propose_waiting(now, effects);
    }

    /// Takes over the state at h that was fetched, and goes on from there (rule 20).
    pub(super) fn install(&mut self, now: Time, snapshot: &Arc<Snapshot>, effects: &mut Effects) {
        let seq = self.log.low();
        self.transfer = None;
        self.checkpoints.state = Some(Arc::clone(snapshot));
        if seq <= self.last_executed {
            return;
        }
        effects.event(Event::StateTransfer { seq, state: snapshot.digest() });
        self.state = Snapshot::clone(snapshot);
        self.last_executed = seq;
        self.pulse.moved(now);
        for client in 0..usize::from(self.config.clients) {
            self.requests.executed(client, self.state.last_of(client).timestamp);
        }
        self.review_patience(now, false, effects);
        self.answer_reads(effects);
        self.execute_ready(now, effects);
    }
}
