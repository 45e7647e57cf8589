//! How many replicas make a quorum, and sets of replicas that count each of them once.

use crate::message::View;
use byzlab_network::NodeId;
use smallvec::SmallVec;

/// The size of a cluster: n replicas, with quorums for f faults.
///
/// ```
/// use byzlab_replica::Cluster;
/// let sizes: Vec<u16> = (1..=10).map(|n| Cluster::new(n, None).unwrap().quorum()).collect();
/// assert_eq!(sizes, [1, 2, 2, 3, 4, 4, 5, 6, 6, 7]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cluster {
    replicas: u16,
    faults: u16,
}

/// Why a cluster cannot have this size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no replica.
    #[error("a cluster needs at least one replica")]
    Empty,
    /// More faults than n replicas can stand: n ≥ 3f + 1 is necessary (Bracha & Toueg 1985).
    #[error("{replicas} replicas tolerate at most {} faults, not {faults}", (.replicas - 1) / 3)]
    TooManyFaults {
        /// n.
        replicas: u16,
        /// f.
        faults: u16,
    },
}

impl Cluster {
    /// A cluster of n `replicas` for f `faults`, by default ⌊(n−1)/3⌋.
    pub fn new(replicas: u16, faults: Option<u16>) -> Result<Cluster, ClusterError> {
        let most = replicas.checked_sub(1).ok_or(ClusterError::Empty)? / 3;
        match faults.unwrap_or(most) {
            faults if faults <= most => Ok(Cluster { replicas, faults }),
            faults => Err(ClusterError::TooManyFaults { replicas, faults }),
        }
    }

    /// n.
    pub fn replicas(self) -> u16 {
        self.replicas
    }

    /// f.
    pub fn faults(self) -> u16 {
        self.faults
    }

    /// Q = ⌈(n+f+1)/2⌉: any two sets of this size share f+1 replicas, so an honest one.
    #[inline]
    pub fn quorum(self) -> u16 {
        ((u32::from(self.replicas) + u32::from(self.faults) + 2) / 2) as u16
    }

    /// f+1: among so many is an honest replica.
    pub fn weak_quorum(self) -> u16 {
        self.faults + 1
    }

    /// The primary of a view.
    #[inline]
    pub fn primary(self, view: View) -> NodeId {
        NodeId((view.0 % u32::from(self.replicas)) as u16)
    }

    /// Whether this node is one of the replicas.
    #[inline]
    pub fn is_replica(self, node: NodeId) -> bool {
        node.0 < self.replicas
    }
}

/// A set of nodes. It counts nodes, so a node that is added twice counts once.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct NodeSet {
    /// A bit a node. No zero words at the end, so that equal sets are equal values.
    words: SmallVec<[u64; 2]>,
    len: u16,
}

impl NodeSet {
    /// The empty set.
    pub fn new() -> NodeSet {
        NodeSet::default()
    }

    /// Adds a node; false if it was in already.
    #[inline]
    pub fn insert(&mut self, node: NodeId) -> bool {
        let (word, bit) = (node.index() / 64, 1 << (node.index() % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += u16::from(new);
        new
    }

    /// Whether a node is in.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.words.get(node.index() / 64).is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }

    /// How many nodes are in.
    #[inline]
    pub fn len(&self) -> u16 {
        self.len
    }

    /// How many of the nodes `0..end` are in.
    pub fn count_below(&self, end: NodeId) -> u16 {
        let (whole, rest) = (end.index() / 64, end.index() % 64);
        let full: u32 = self.words.iter().take(whole).map(|word| word.count_ones()).sum();
        let part = self.words.get(whole).map_or(0, |word| (word & ((1 << rest) - 1)).count_ones());
        (full + part) as u16
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The nodes, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.words.len() * 64).map(NodeId::new).filter(|&node| self.contains(node))
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::new();
        nodes.into_iter().for_each(|node| _ = set.insert(node));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PBFT.md, head: Q for n = 1..10 with the default f.
    #[test]
    fn two_quorums_share_an_honest_replica_and_one_can_always_form() {
        for n in 1..=100_u16 {
            for f in 0..=(n - 1) / 3 {
                let quorum = Cluster::new(n, Some(f)).unwrap().quorum();
                assert!(2 * quorum > n + f, "n = {n}, f = {f}: two quorums must share more than f replicas");
                assert!(quorum + f <= n, "n = {n}, f = {f}: the honest replicas alone must make a quorum");
            }
        }
        assert_eq!(Cluster::new(6, None).unwrap().quorum(), 4, "2f+1 = 3 would be unsafe");
    }

    #[test]
    fn sizes_that_cannot_work_are_refused() {
        assert_eq!(Cluster::new(0, None), Err(ClusterError::Empty));
        let error = Cluster::new(9, Some(3)).unwrap_err();
        assert_eq!(error.to_string(), "9 replicas tolerate at most 2 faults, not 3");
    }

    #[test]
    fn the_largest_cluster_has_a_quorum() {
        assert_eq!(Cluster::new(u16::MAX, None).unwrap().quorum(), 43_690);
    }

    #[test]
    fn a_set_counts_each_node_once() {
        let mut set = NodeSet::new();
        assert!(set.insert(NodeId(3)) && set.insert(NodeId(700)) && !set.insert(NodeId(3)));
        assert_eq!((set.len(), set.iter().collect::<Vec<_>>()), (2, vec![NodeId(3), NodeId(700)]));
        let below = [3, 4, 64, 128, 700, 701, 9999].map(|end| set.count_below(NodeId(end)));
        assert_eq!(below, [0, 1, 1, 1, 1, 2, 2]);
        assert!(set.contains(NodeId(700)) && !set.contains(NodeId(699)) && !set.contains(NodeId(5000)));
    }
}
