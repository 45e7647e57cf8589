//! How long a message is on its way between two nodes, everything else aside.

use crate::latency::Latency;
use crate::node::NodeId;
use crate::random::Draw;
use crate::time::Span;
use crate::topology::SiteDelays;

/// The normal delay of each pair of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Delays {
    /// The same distribution for all pairs.
    Everywhere(Latency),
    /// It depends on where the nodes are.
    BetweenSites(SiteDelays),
}

impl From<Latency> for Delays {
    fn from(latency: Latency) -> Delays {
        Delays::Everywhere(latency)
    }
}

impl Delays {
    /// The delay from one node to another.
    #[inline(always)]
    pub fn between(&self, from: NodeId, to: NodeId) -> &Latency {
        match self {
            Delays::Everywhere(latency) => latency,
            Delays::BetweenSites(sites) => sites.between(from, to),
        }
    }

    /// Draws the delay of a message.
    #[inline(always)]
    pub(crate) fn sample(&self, from: NodeId, to: NodeId, draw: &mut Draw) -> Span {
        self.between(from, to).sample(draw)
    }

    /// The distributions that occur between two nodes of the run.
    pub(crate) fn all(&self) -> Vec<&Latency> {
        match self {
            Delays::Everywhere(latency) => vec![latency],
            Delays::BetweenSites(sites) => sites.in_use(),
        }
    }

    /// No delay is below this.
    pub fn least(&self) -> Span {
        self.all().into_iter().map(Latency::least).min().unwrap_or(Span::ZERO)
    }

    /// No delay is above this; none if one of the distributions has no upper end.
    pub fn most(&self) -> Option<Span> {
        self.all().into_iter().try_fold(Span::ZERO, |most, latency| Some(most.max(latency.most()?)))
    }

    /// About how long a message that takes long takes.
    pub(crate) fn typical_longest(&self) -> Span {
        match self {
            Delays::Everywhere(latency) => latency.typical_longest(),
            Delays::BetweenSites(sites) => sites.typical_longest(),
        }
    }
}
