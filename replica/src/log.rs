//! The message log: one entry for each sequence number of the window (h, h+L].

use crate::digest::Digest;
use crate::message::{PrePrepare, SeqNum, Vote, VoteKind};
use crate::quorum::NodeSet;
use crate::signature::Signed;
use byzlab_network::NodeId;
use std::collections::VecDeque;
use std::sync::Arc;

/// Votes of one kind for one view and sequence number: for each digest, who voted for it.
///
/// It takes signed votes only, so each signer in it has really voted. A voter counts once, for the first digest that it voted
/// for; an honest one never votes for two. So a log entry never holds more than n votes of a kind.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Votes {
    /// The digest that got the first vote, and who voted for it.
    first: (Digest, NodeSet),
    /// The same for all others: empty unless somebody lies.
    others: Vec<(Digest, NodeSet)>,
}

impl Votes {
    /// Adds a vote, and tells how many replicas have voted for its digest.
    #[inline]
    pub fn insert(&mut self, vote: &Signed<Vote>) -> u16 {
        if self.first.1.is_empty() {
            self.first.0 = vote.digest;
        }
        if self.first.0 != vote.digest || !self.others.is_empty() {
            return self.insert_among_several(vote);
        }
        self.first.1.insert(vote.replica);
        self.first.1.len()
    }

    #[cold]
    fn insert_among_several(&mut self, vote: &Signed<Vote>) -> u16 {
        if self.has_voted(vote.replica) {
            return self.count(vote.digest);
        }
        if self.count(vote.digest) == 0 {
            self.others.push((vote.digest, NodeSet::new()));
        }
        let mut tallies = std::iter::once(&mut self.first).chain(&mut self.others);
        if let Some((_, voters)) = tallies.find(|(digest, _)| *digest == vote.digest) {
            voters.insert(vote.replica);
        }
        self.count(vote.digest)
    }

    fn tallies(&self) -> impl Iterator<Item = &(Digest, NodeSet)> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many replicas voted for `digest`.
    #[inline]
    pub fn count(&self, digest: Digest) -> u16 {
        self.tallies().find(|(voted, _)| *voted == digest).map_or(0, |(_, voters)| voters.len())
    }

    /// The digest with at least `quorum` votes, if there is one.
    pub fn decided(&self, quorum: u16) -> Option<Digest> {
        self.tallies().find(|(_, voters)| voters.len() >= quorum).map(|(digest, _)| *digest)
    }

    /// Whether this replica has voted.
    pub fn has_voted(&self, replica: NodeId) -> bool {
        self.tallies().any(|(_, voters)| voters.contains(replica))
    }
}

/// How far a replica has come with a sequence number.
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

/// What a replica knows of one sequence number in the current view.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Entry {
    /// The accepted pre-prepare.
    pub pre_prepare: Option<Arc<Signed<PrePrepare>>>,
    /// A pre-prepare that lies beyond the window as yet.
    pub early: Option<Arc<Signed<PrePrepare>>>,
    /// Prepares of backups.
    pub prepares: Votes,
    /// Commits.
    pub commits: Votes,
    /// How far it has come.
    pub phase: Phase,
}

impl Entry {
    /// Its votes of a kind.
    #[inline]
    pub(crate) fn votes(&mut self, kind: VoteKind) -> &mut Votes {
        if kind == VoteKind::Prepare { &mut self.prepares } else { &mut self.commits }
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
    #[inline]
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

    /// Moves h forward to a stable checkpoint and forgets everything up to it.
    pub fn truncate(&mut self, stable: SeqNum) {
        let passed = stable.0.saturating_sub(self.low.0).min(self.entries.len() as u64) as usize;
        self.entries.drain(..passed);
        self.low = self.low.max(stable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::View;
    use crate::signature::Signer;

    fn vote(replica: usize, digest: u64) -> Signed<Vote> {
        let vote =
            Vote { kind: VoteKind::Prepare, replica: NodeId(0), view: View(0), seq: SeqNum(1), digest: Digest(digest) };
        Signer::deal(replica + 1).last().unwrap().sign(vote)
    }

    /// PBFT.md rule 2: votes are sets keyed by sender.
    #[test]
    fn a_repeated_vote_counts_once_and_a_second_digest_not_at_all() {
        let mut votes = Votes::default();
        for _ in 0..5 {
            votes.insert(&vote(2, 7));
        }
        assert_eq!(votes.count(Digest(7)), 1);
        votes.insert(&vote(2, 8));
        assert_eq!(votes.count(Digest(8)), 0, "replica 2 has voted");
        votes.insert(&vote(3, 7));
        assert_eq!((votes.count(Digest(7)), votes.decided(2), votes.decided(3)), (2, Some(Digest(7)), None));
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
