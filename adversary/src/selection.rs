//! Who is corrupted.

use byzlab_network::{Key, NodeId};
use byzlab_replica::Cluster;
use rand::seq::SliceRandom;

/// In which order replicas are corrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// A random permutation, drawn anew for each run.
    Random,
    /// 0, 1, 2, …: the primaries of the first views.
    First,
    /// n−1, n−2, …
    Last,
    /// The primary of view 0, then a random permutation of the others.
    Primary,
}

impl Selection {
    /// The first `count` replicas in this order, lowest id first. Those for a smaller count are always among those for a greater
    /// one, so that runs of the same index differ in the added replicas alone.
    pub fn choose(self, cluster: Cluster, count: usize, run: Key) -> Vec<NodeId> {
        let mut order: Vec<NodeId> = (0..cluster.replicas()).map(NodeId).collect();
        let generator = &mut run.component("corruption").generator();
        match self {
            Selection::Random => order.shuffle(generator),
            Selection::First => {}
            Selection::Last => order.reverse(),
            Selection::Primary => order[1..].shuffle(generator),
        }
        order.truncate(count);
        order.sort_unstable();
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_corrupted_replicas_contain_the_fewer() {
        let cluster = Cluster::new(10, None).unwrap();
        for selection in [Selection::Random, Selection::First, Selection::Last, Selection::Primary] {
            for count in 0..10 {
                let fewer = selection.choose(cluster, count, Key::root(7));
                let more = selection.choose(cluster, count + 1, Key::root(7));
                assert_eq!((fewer.len(), more.len()), (count, count + 1));
                assert!(fewer.iter().all(|node| more.contains(node)), "{selection:?} {count}");
            }
        }
        assert_eq!(Selection::Last.choose(cluster, 2, Key::root(7)), [NodeId(8), NodeId(9)]);
        assert_eq!(Selection::First.choose(cluster, 2, Key::root(7)), [NodeId(0), NodeId(1)]);
        assert!(Selection::Primary.choose(cluster, 1, Key::root(3)).contains(&NodeId(0)));
    }

    #[test]
    fn each_replica_is_as_likely_as_any_other() {
        let cluster = Cluster::new(10, None).unwrap();
        let mut counts = [0; 10];
        for run in 0..10_000 {
            counts[Selection::Random.choose(cluster, 1, Key::root(1).child(run))[0].index()] += 1;
        }
        // Chi-square with 9 degrees of freedom: above 33.7 with probability 10⁻⁴.
        let chi_square: f64 = counts.iter().map(|&count| f64::from(count - 1000).powi(2) / 1000.0).sum();
        assert!(chi_square < 33.7, "{counts:?}");
    }
}
