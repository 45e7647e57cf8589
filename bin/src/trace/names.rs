//! Short names for what has long ones. Digests are named in the order in which they appear, so that a trace does not change with
//! the way they are computed.

use byzlab_network::NodeId;
use byzlab_replica::{Cluster, Digest};
use std::collections::{BTreeMap, BTreeSet};

/// Names for digests of one kind.
pub(super) struct Names {
    given: BTreeMap<u64, String>,
    next: Box<dyn Fn(usize) -> String>,
}

impl Names {
    /// A, B, C, …, Z, A2, B2, …
    pub(super) fn letters() -> Names {
        let letter = |count: usize| {
            let letter = char::from(b'A' + (count % 26) as u8);
            if count < 26 { letter.to_string() } else { format!("{letter}{}", count / 26 + 1) }
        };
        Names { given: BTreeMap::from([(Digest::NULL.0, "null".to_owned())]), next: Box::new(letter) }
    }

    /// `letter` with a number; the first is `first`.
    pub(super) fn numbered(letter: char, first: usize) -> Names {
        Names { given: BTreeMap::new(), next: Box::new(move |count| format!("{letter}{}", count + first)) }
    }

    /// The name of what is known by this number: its own from now on.
    pub(super) fn of(&mut self, digest: u64) -> &str {
        let unnamed = self.given.keys().filter(|&&known| known != Digest::NULL.0).count();
        self.given.entry(digest).or_insert_with(|| (self.next)(unnamed))
    }
}

/// Ids with a space between them; three or more in a row are a range.
pub(super) fn list(nodes: &BTreeSet<NodeId>) -> String {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for node in nodes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == node.0 => *last = node.0,
            _ => ranges.push((node.0, node.0)),
        }
    }
    let words = ranges.iter().map(|&(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first} {last}"),
        _ => format!("{first}-{last}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `replica 1`, `replicas 0-2`, `client 4`, or both.
pub(super) fn nodes(cluster: Cluster, nodes: &BTreeSet<NodeId>) -> String {
    let (replicas, clients): (BTreeSet<NodeId>, BTreeSet<NodeId>) =
        nodes.iter().partition(|&&node| cluster.is_replica(node));
    let named = |kind: &str, nodes: &BTreeSet<NodeId>| match nodes.len() {
        0 => None,
        1 => Some(format!("{kind} {}", list(nodes))),
        _ => Some(format!("{kind}s {}", list(nodes))),
    };
    let both = [named("replica", &replicas), named("client", &clients)];
    both.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
