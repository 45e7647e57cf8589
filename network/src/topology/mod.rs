//! Where nodes are, and how long messages travel between the places.
//!
//! ```text
//! a file's text ──parse──► SiteTable ──► Topology ──for each run──► SiteDelays
//! coordinates ──geographic─►             ▲ links, jitter, placement
//! ```
//!
//! * A [`SiteTable`] has the names of the sites and the one-way delays between them: read from text, or computed by
//!   [`SiteTable::geographic`] from coordinates, of which [`regions`] has those of public clouds.
//! * A [`Topology`] adds what differs for single pairs, the jitter, and who is where.
//! * [`SiteDelays`] are what a run needs of it.

mod geography;
mod jitter;
mod plan;
mod table;
mod text;

pub use geography::{
    Coordinates, CoordinatesError, INFLATION, Place, Region, WITHIN_SITE, fibre_delay, region, regions,
};
pub use jitter::Jitter;
pub use plan::{Link, Placement, Topology, TopologyError};
pub use table::SiteTable;
pub use text::{TableError, TableProblem};

use crate::latency::Latency;
use crate::node::NodeId;
use crate::time::Span;
use std::sync::Arc;

/// The delays between the sites of a run, and which node is where.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteDelays {
    sites: usize,
    /// `[from · sites + to]`.
    delays: Arc<[Latency]>,
    /// By node; empty while the places are open.
    site_of: Arc<[u16]>,
    /// How many nodes are at each site, or can be while the places are open.
    nodes: Arc<[u32]>,
    /// About how long a message that takes long takes.
    typical_longest: Span,
}

impl SiteDelays {
    /// Delays from site to site, row by row (the rows are those of the sender's site), and the site of each node.
    ///
    /// # Panics
    /// If `delays` is not square, or a node is at a site that has no row.
    pub fn new(delays: Vec<Latency>, site_of: Vec<u16>) -> SiteDelays {
        let sites = delays.len().isqrt();
        assert_eq!(sites * sites, delays.len(), "a row and a column for each site");
        let open = SiteDelays::open(delays, count(sites, &site_of));
        SiteDelays { site_of: site_of.into(), ..open }
    }

    /// Delays between sites that have at most so many nodes each, before it is known where which node is.
    fn open(delays: Vec<Latency>, nodes: Vec<u32>) -> SiteDelays {
        let sites = nodes.len();
        let (delays, site_of) = (delays.into(), Arc::default());
        let open = SiteDelays { sites, delays, site_of, nodes: nodes.into(), typical_longest: Span::ZERO };
        let longest = open.in_use().into_iter().map(Latency::typical_longest).max().unwrap_or(Span::ZERO);
        SiteDelays { typical_longest: longest, ..open }
    }

    /// The same delays with each node at its site.
    fn placed(&self, site_of: Vec<u16>) -> SiteDelays {
        let nodes = count(self.sites, &site_of).into();
        SiteDelays { site_of: site_of.into(), nodes, ..self.clone() }
    }

    /// The delay from one node to another.
    ///
    /// # Panics
    /// If the places are drawn for each run and these are not a run's, see [`Topology::delays_of`].
    #[inline(always)]
    pub fn between(&self, from: NodeId, to: NodeId) -> &Latency {
        let (from, to) = (usize::from(self.site_of[from.index()]), usize::from(self.site_of[to.index()]));
        &self.delays[from * self.sites + to]
    }

    /// The delays between sites that both have a node; within a site, if it has two. Of places that are open, the delays that can
    /// occur.
    pub(crate) fn in_use(&self) -> Vec<&Latency> {
        pairs_in_use(&self.nodes).map(|(from, to)| &self.delays[from * self.sites + to]).collect()
    }

    /// About how long a message that takes long takes. It is computed once for all runs: a thousand draws for each pair.
    pub(crate) fn typical_longest(&self) -> Span {
        self.typical_longest
    }
}

/// How many nodes are at each site.
fn count(sites: usize, site_of: &[u16]) -> Vec<u32> {
    let mut nodes = vec![0; sites];
    for &site in site_of {
        let Some(here) = nodes.get_mut(usize::from(site)) else { panic!("each node is at one of {sites} sites") };
        *here += 1;
    }
    nodes
}

/// The ordered pairs of sites between which a message can travel, if so many nodes are at each.
fn pairs_in_use(nodes: &[u32]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let occupied = move || (0..nodes.len()).filter(|&site| nodes[site] > 0);
    let pairs = occupied().flat_map(move |from| occupied().map(move |to| (from, to)));
    pairs.filter(|&(from, to)| from != to || nodes[from] > 1)
}
