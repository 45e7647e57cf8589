//! The message log: one entry for each sequence number of the window (h, h+L], and of as many beyond it that came too early.

use crate::certificate::{Certificate, Prepared, Votes};
use crate::digest::Digest;
use crate::message::{Batch, PrePrepare, SeqNum, Vote, VoteKind};
use crate::quorum::Cluster;
use crate::signature::{Signed, Signer};
use crate::step::Slot;
use std::collections::VecDeque;
use std::sync::Arc;

/// How far a replica has come with a sequence number in the current view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum Phase {
    /// No pre-prepare accepted yet.
    #[default]
    Empty,
    /// A pre-prepare accepted.
    PrePrepared,
    /// Prepared: Q−1 matching prepares from backups.
    Prepared,
    /// Committed-local: prepared, and Q matching commits.
    Committed,
}

/// What a replica knows of one sequence number.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Entry {
    /// The pre-prepare accepted in the current view.
    pub pre_prepare: Option<Arc<PrePrepare>>,
    /// A pre-prepare that lies beyond the window as yet.
    pub early: Option<Arc<PrePrepare>>,
    /// Prepares of backups in the current view.
    pub prepares: Votes,
    /// Commits in the current view.
    pub commits: Votes,
    /// How far it has come in the current view.
    pub phase: Phase,
    /// What the new view orders here while the contents are still missing.
    pub awaited: Option<Signed<Vote>>,
    /// What is left of earlier views.
    pub earlier: Option<Box<Earlier>>,
}

/// What a replica must not forget of a number when it leaves a view (rule 22).
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Earlier {
    /// The prepared certificate of the highest view.
    pub prepared: Option<Prepared>,
    /// Every batch that was accepted here, each once: a certificate for any of them may come to light in a later view, and then
    /// somebody must still have its contents. Their number is at most that of the views since the last stable checkpoint.
    pub batches: Vec<Arc<Batch>>,
    /// The proof of what is committed here, whatever the view.
    pub committed: Option<Certificate>,
}

impl Entry {
    /// Its votes of a kind.
    #[inline]
    pub(crate) fn votes(&mut self, kind: VoteKind) -> &mut Votes {
        if kind == VoteKind::Prepare { &mut self.prepares } else { &mut self.commits }
    }

    /// The prepared certificate of the highest view.
    pub(crate) fn prepared(&self) -> Option<Prepared> {
        let current = self.pre_prepare.as_ref().filter(|_| self.phase >= Phase::Prepared);
        match current {
            Some(pre_prepare) => {
                let prepares = self.prepares.certificate(pre_prepare.vote.digest);
                Some(Prepared { pre_prepare: pre_prepare.vote, prepares })
            }
            None => self.earlier.as_ref().and_then(|earlier| earlier.prepared.clone()),
        }
    }

    /// The batch with this digest, if it is known.
    pub(crate) fn batch(&self, digest: Digest) -> Option<Arc<Batch>> {
        if digest == Digest::NULL {
            return Some(Arc::new(Batch::null()));
        }
        let accepted = self.pre_prepare.iter().map(|pre_prepare| &pre_prepare.batch);
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.batches);
        accepted.chain(earlier).find(|batch| batch.digest() == digest).cloned()
    }

    /// What is committed here, if it is known: its place and its contents.
    #[inline]
    pub(crate) fn decision(&self) -> Option<(Slot, Arc<Batch>)> {
        if self.phase == Phase::Committed {
            return self.pre_prepare.as_ref().map(|accepted| (accepted.slot(), Arc::clone(&accepted.batch)));
        }
        let proof = self.earlier.as_ref()?.committed.as_ref()?;
        self.batch(proof.slot().digest).map(|batch| (proof.slot(), batch))
    }

    /// The proof of what is committed here.
    pub(crate) fn committed(&self) -> Option<Certificate> {
        match &self.pre_prepare {
            Some(accepted) if self.phase == Phase::Committed => Some(self.commits.certificate(accepted.vote.digest)),
            _ => self.earlier.as_ref()?.committed.clone(),
        }
    }

    /// Takes over what others have committed.
    pub(crate) fn learn_committed(&mut self, proof: Certificate, batch: Arc<Batch>) {
        let earlier = self.earlier.get_or_insert_default();
        earlier.keep(batch);
        earlier.committed = Some(proof);
    }

    /// Forgets votes that prove nothing, but for one's own (rule 30).
    pub(crate) fn restart(&mut self, signer: &Signer, cluster: Cluster) {
        self.early = None;
        if self.phase == Phase::Committed {
            return;
        }
        self.commits = Votes::default();
        let slot = self.pre_prepare.as_ref().map(|accepted| accepted.slot());
        let own = |kind| slot.map(|slot| signer.vote(kind, slot.view, slot.seq, slot.digest));
        if self.phase >= Phase::Prepared {
            self.phase = Phase::Prepared;
            if let Some(vote) = own(VoteKind::Commit) {
                self.commits.insert(&vote);
            }
        } else {
            self.prepares = Votes::default();
            if let Some(vote) = own(VoteKind::Prepare).filter(|vote| vote.replica != cluster.primary(vote.view)) {
                self.prepares.insert(&vote);
            }
        }
    }

    /// Makes room for a new view, and keeps what must not be forgotten.
    fn leave_view(&mut self) {
        let mut earlier = Earlier { prepared: self.prepared(), committed: self.committed(), batches: Vec::new() };
        earlier.batches = self.earlier.take().map(|earlier| earlier.batches).unwrap_or_default();
        if let Some(accepted) = self.pre_prepare.take() {
            earlier.keep(Arc::clone(&accepted.batch));
        }
        let earlier = (earlier != Earlier::default()).then(|| Box::new(earlier));
        *self = Entry { earlier, ..Entry::default() };
    }
}

impl Earlier {
    fn keep(&mut self, batch: Arc<Batch>) {
        let known = self.batches.iter().any(|kept| kept.digest() == batch.digest());
        if !known && batch.digest() != Digest::NULL {
            self.batches.push(batch);
        }
    }
}

/// The entries of the window, grown as far as messages came.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Log {
    /// h: the last stable checkpoint.
    low: SeqNum,
    /// L.
    window: u64,
    entries: VecDeque<Entry>,
}

impl Log {
    /// An empty log with h = 0.
    pub fn new(window: u64) -> Log {
        Log { low: SeqNum(0), window, entries: VecDeque::new() }
    }

    /// h: the last stable checkpoint.
    pub fn low(&self) -> SeqNum {
        self.low
    }

    /// Whether h < n ≤ h+L.
    #[inline]
    pub fn contains(&self, seq: SeqNum) -> bool {
        seq > self.low && seq.0 - self.low.0 <= self.window
    }

    /// h+L: the last number of the window.
    pub fn end(&self) -> SeqNum {
        SeqNum(self.low.0 + self.window)
    }

    /// The entry of a sequence number, if something is known of it, to be changed.
    pub(crate) fn get_mut(&mut self, seq: SeqNum) -> Option<&mut Entry> {
        self.entries.get_mut(seq.0.checked_sub(self.low.0 + 1)? as usize)
    }

    /// The entry of a sequence number, if something is known of it.
    #[inline]
    pub fn get(&self, seq: SeqNum) -> Option<&Entry> {
        self.entries.get(seq.0.checked_sub(self.low.0 + 1)? as usize)
    }

    /// The entry of a sequence number, made if need be; none outside (h, h+2L]. The second half of that holds what a primary or
    /// a voter sends whose h has moved on already: it is kept, and takes effect when h moves here too.
    #[inline(always)]
    pub fn entry(&mut self, seq: SeqNum) -> Option<&mut Entry> {
        // A number up to h wraps around and lies outside too.
        let index = seq.0.wrapping_sub(self.low.0).wrapping_sub(1);
        if index >= 2 * self.window {
            return None;
        }
        if self.entries.len() as u64 <= index {
            self.entries.resize_with(index as usize + 1, Entry::default);
        }
        self.entries.get_mut(index as usize)
    }

    /// The last number of which something is known; h if there is none.
    pub fn last(&self) -> SeqNum {
        SeqNum(self.low.0 + self.entries.len() as u64)
    }

    /// The numbers above h of which something is known, with their entries.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (SeqNum, &Entry)> {
        self.entries.iter().enumerate().map(|(index, entry)| (SeqNum(self.low.0 + 1 + index as u64), entry))
    }

    /// As [`Log::iter`], to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SeqNum, &mut Entry)> {
        let low = self.low.0;
        self.entries.iter_mut().enumerate().map(move |(index, entry)| (SeqNum(low + 1 + index as u64), entry))
    }

    /// Moves h forward to a stable checkpoint and forgets everything up to it.
    pub fn truncate(&mut self, stable: SeqNum) {
        let passed = stable.0.saturating_sub(self.low.0).min(self.entries.len() as u64) as usize;
        self.entries.drain(..passed);
        self.low = self.low.max(stable);
    }

    /// Makes room for a new view: votes and proposals of the old one go, certificates stay (rule 22).
    pub(crate) fn leave_view(&mut self) {
        for entry in &mut self.entries {
            entry.leave_view();
        }
        // Equal logs are equal values, however far messages had come.
        while self.entries.back().is_some_and(|entry| *entry == Entry::default()) {
            self.entries.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::View;

    fn vote(replica: usize, seq: u64) -> Signed<Vote> {
        let signer = Signer::deal(replica + 1).last().unwrap();
        signer.vote(VoteKind::Prepare, View(0), SeqNum(seq), Digest(seq))
    }

    #[test]
    fn the_log_keeps_to_its_window() {
        let mut log = Log::new(4);
        assert!(log.entry(SeqNum(0)).is_none() && log.entry(SeqNum(9)).is_none() && !log.contains(SeqNum(5)));
        for seq in [4, 1] {
            log.entry(SeqNum(seq)).unwrap().prepares.insert(&vote(0, seq));
        }
        log.truncate(SeqNum(2));
        assert_eq!((log.low(), log.get(SeqNum(1)), log.contains(SeqNum(6))), (SeqNum(2), None, true));
        assert_eq!(log.get(SeqNum(4)).unwrap().prepares.count(Digest(4)), 1);
        log.truncate(SeqNum(100));
        assert!(log.get(SeqNum(101)).is_none() && log.entry(SeqNum(104)).is_some());
        log.truncate(SeqNum(50));
        assert_eq!(log.low(), SeqNum(100), "h only grows");
    }
}
