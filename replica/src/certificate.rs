//! Votes of distinct replicas, and certificates made of them.

use crate::defects::Repeated;
use crate::digest::Digest;
use crate::message::{SeqNum, View, Vote, VoteKind};
use crate::quorum::{Cluster, NodeSet};
use crate::signature::Signed;
use crate::step::Slot;
use byzlab_network::NodeId;

/// Votes of one kind for one view and sequence number: for each digest, who voted for it.
///
/// It takes signed votes only, so each signer in it has really voted. A voter counts once, for the first digest that it voted
/// for; an honest one never votes for two. So it never holds more than n votes.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Votes {
    kind: VoteKind,
    view: View,
    seq: SeqNum,
    /// The digest that got the first vote, and who voted for it.
    digest: Digest,
    voters: NodeSet,
    /// Nothing, but where a defect is planted.
    repeated: Repeated,
    /// The same for all others: empty unless somebody lies.
    others: Vec<(Digest, NodeSet)>,
}

impl Votes {
    /// Adds a vote, and tells how many replicas have voted for its digest. The first vote says what all of them are about; one
    /// about something else is not counted.
    #[inline]
    pub fn insert(&mut self, vote: &Signed<Vote>) -> u16 {
        if self.voters.is_empty() {
            let Vote { seq, digest, kind, view, .. } = **vote;
            (self.kind, self.view, self.seq, self.digest) = (kind, view, seq, digest);
        }
        let usual = self.digest == vote.digest && self.others.is_empty() && self.is_about(vote);
        if !usual {
            return self.insert_among_several(vote);
        }
        self.voters.insert(vote.replica);
        self.voters.len() + self.repeated.votes()
    }

    /// [`crate::Defect::VotesCounted`]: a vote that was counted before is counted once more. It proves nothing all the same: certificates
    /// name voters.
    pub(crate) fn count_again(&mut self, vote: &Signed<Vote>) {
        if self.is_about(vote) && self.digest == vote.digest && self.voters.contains(vote.replica) {
            self.repeated.add();
        }
    }

    #[inline]
    fn is_about(&self, vote: &Vote) -> bool {
        self.seq == vote.seq && self.view == vote.view && self.kind == vote.kind
    }

    #[cold]
    fn insert_among_several(&mut self, vote: &Signed<Vote>) -> u16 {
        if !self.is_about(vote) {
            return 0;
        }
        if !self.has_voted(vote.replica) {
            if self.count(vote.digest) == 0 {
                self.others.push((vote.digest, NodeSet::new()));
            }
            let first = (self.digest == vote.digest).then_some(&mut self.voters);
            let others = self.others.iter_mut().find(|(digest, _)| *digest == vote.digest);
            if let Some(voters) = first.or(others.map(|(_, voters)| voters)) {
                voters.insert(vote.replica);
            }
        }
        self.count(vote.digest)
    }

    fn tallies(&self) -> impl Iterator<Item = (Digest, &NodeSet)> {
        let others = self.others.iter().map(|(digest, voters)| (*digest, voters));
        std::iter::once((self.digest, &self.voters)).chain(others)
    }

    /// Who voted for `digest`.
    pub fn voters(&self, digest: Digest) -> Option<&NodeSet> {
        self.tallies().find(|(voted, _)| *voted == digest).map(|(_, voters)| voters)
    }

    /// How many replicas voted for `digest`.
    #[inline]
    pub fn count(&self, digest: Digest) -> u16 {
        if self.digest == digest {
            self.voters.len() + self.repeated.votes()
        } else {
            self.voters(digest).map_or(0, NodeSet::len)
        }
    }

    /// The digest with at least `quorum` votes, if there is one.
    pub fn decided(&self, quorum: u16) -> Option<Digest> {
        self.tallies().find(|(_, voters)| voters.len() >= quorum).map(|(digest, _)| digest)
    }

    /// Whether this replica has voted.
    pub fn has_voted(&self, replica: NodeId) -> bool {
        self.tallies().any(|(_, voters)| voters.contains(replica))
    }

    /// What all who voted for `digest` have signed.
    pub fn certificate(&self, digest: Digest) -> Certificate {
        let signers = self.voters(digest).cloned().unwrap_or_default();
        Certificate { kind: self.kind, slot: Slot { view: self.view, seq: self.seq, digest }, signers }
    }
}

/// One vote that several replicas have signed alike.
///
/// Only [`Votes`] make it, and they take signed votes only: nobody can put a name into it whose owner did not sign. It stands for
/// the signed votes themselves; on the wire what they say stands once, with a signature of each.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Certificate {
    kind: VoteKind,
    slot: Slot,
    signers: NodeSet,
}

impl Certificate {
    /// What was signed: the kind of vote.
    pub fn kind(&self) -> VoteKind {
        self.kind
    }

    /// What was signed: view, sequence number and digest. A checkpoint's view is 0.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Who signed it.
    pub fn signers(&self) -> &NodeSet {
        &self.signers
    }

    /// Whether it proves that a checkpoint is stable: signed by a quorum.
    pub fn proves_checkpoint(&self, cluster: Cluster) -> bool {
        self.kind == VoteKind::Checkpoint && self.signed_by(cluster) >= cluster.quorum()
    }

    /// Whether it proves that its digest is committed at its place: COMMITs of a quorum, which any later view must honour.
    pub fn proves_commit(&self, cluster: Cluster) -> bool {
        self.kind == VoteKind::Commit && self.signed_by(cluster) >= cluster.quorum()
    }

    /// How many replicas signed it.
    fn signed_by(&self, cluster: Cluster) -> u16 {
        self.signers.count_below(NodeId(cluster.replicas()))
    }
}

/// A prepared certificate: the primary's PRE-PREPARE and matching PREPAREs of Q−1 backups.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Prepared {
    /// PRE-PREPARE(v, n, D).
    pub pre_prepare: Signed<Vote>,
    /// PREPARE(v, n, D) of the backups.
    pub prepares: Certificate,
}

impl Prepared {
    /// The place with the digest that was prepared.
    pub fn slot(&self) -> Slot {
        self.pre_prepare.slot()
    }

    /// Whether it proves what it claims (rule 23): a PRE-PREPARE by the primary of its view, and Q−1 PREPAREs for the same by
    /// distinct backups.
    pub fn is_valid(&self, cluster: Cluster) -> bool {
        let slot = self.slot();
        let primary = cluster.primary(slot.view);
        let by_primary = self.prepares.signers.contains(primary);
        self.pre_prepare.kind == VoteKind::PrePrepare
            && self.pre_prepare.replica == primary
            && self.prepares.kind == VoteKind::Prepare
            && self.prepares.slot == slot
            && self.prepares.signed_by(cluster) - u16::from(by_primary) >= cluster.quorum() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Signer;

    fn vote(kind: VoteKind, replica: usize, digest: u64) -> Signed<Vote> {
        Signer::deal(replica + 1).last().unwrap().vote(kind, View(0), SeqNum(1), Digest(digest))
    }

    fn votes(kind: VoteKind, replicas: &[usize], digest: u64) -> Votes {
        let mut votes = Votes::default();
        for &replica in replicas {
            votes.insert(&vote(kind, replica, digest));
        }
        votes
    }

    /// PBFT.md rule 2: votes are sets keyed by sender.
    #[test]
    fn a_repeated_vote_counts_once_and_a_second_digest_not_at_all() {
        let mut votes = votes(VoteKind::Prepare, &[2, 2, 2, 2], 7);
        assert_eq!(votes.count(Digest(7)), 1);
        votes.insert(&vote(VoteKind::Prepare, 2, 8));
        assert_eq!(votes.count(Digest(8)), 0, "replica 2 has voted");
        votes.insert(&vote(VoteKind::Prepare, 3, 7));
        assert_eq!((votes.count(Digest(7)), votes.decided(2), votes.decided(3)), (2, Some(Digest(7)), None));
        votes.insert(&vote(VoteKind::Prepare, 1, 9));
        assert_eq!((votes.count(Digest(9)), votes.count(Digest(7))), (1, 2));
    }

    #[test]
    fn votes_about_something_else_are_not_counted() {
        let mut votes = votes(VoteKind::Prepare, &[1], 7);
        assert_eq!(votes.insert(&vote(VoteKind::Commit, 2, 7)), 0);
        assert_eq!(votes.certificate(Digest(7)).signers().len(), 1);
    }

    /// PBFT.md rule 23, and rule 4: the primary's PREPARE does not count.
    #[test]
    fn rule_23_a_prepared_certificate_takes_the_primary_and_a_quorum_less_one_of_backups() {
        let cluster = Cluster::new(4, None).unwrap();
        let prepared = |primary: usize, backups: &[usize], digest: u64| Prepared {
            pre_prepare: vote(VoteKind::PrePrepare, primary, 7),
            prepares: votes(VoteKind::Prepare, backups, digest).certificate(Digest(digest)),
        };
        assert!(prepared(0, &[1, 2], 7).is_valid(cluster));
        assert!(!prepared(0, &[1], 7).is_valid(cluster), "one backup");
        assert!(!prepared(0, &[0, 1], 7).is_valid(cluster), "the primary among the backups");
        assert!(!prepared(0, &[1, 9], 7).is_valid(cluster), "a client among the backups");
        assert!(!prepared(1, &[2, 3], 7).is_valid(cluster), "not the primary of view 0");
        assert!(!prepared(0, &[1, 2], 8).is_valid(cluster), "prepares for another digest");
        let commits = votes(VoteKind::Commit, &[1, 2], 7).certificate(Digest(7));
        let wrong_kind = Prepared { prepares: commits, ..prepared(0, &[1, 2], 7) };
        assert!(!wrong_kind.is_valid(cluster), "commits are no prepares");
    }

    #[test]
    fn a_checkpoint_is_proven_by_a_quorum() {
        let cluster = Cluster::new(4, None).unwrap();
        let proof = |kind, replicas: &[usize]| votes(kind, replicas, 7).certificate(Digest(7));
        assert!(proof(VoteKind::Checkpoint, &[0, 1, 3]).proves_checkpoint(cluster));
        assert!(!proof(VoteKind::Checkpoint, &[0, 1]).proves_checkpoint(cluster));
        assert!(!proof(VoteKind::Checkpoint, &[0, 1, 4]).proves_checkpoint(cluster), "a client's name");
        assert!(!proof(VoteKind::Commit, &[0, 1, 3]).proves_checkpoint(cluster));
    }
}
