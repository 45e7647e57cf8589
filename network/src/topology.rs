//! Where nodes are.

use crate::latency::Latency;
use crate::node::NodeId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The delays between the sites of a run, and which node is where.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteDelays {
    sites: usize,
    /// `[from · sites + to]`.
    delays: Arc<[Latency]>,
    /// By node.
    site_of: Arc<[u16]>,
}

impl SiteDelays {
    /// Delays from site to site, row by row (the rows are those of the sender's site), and the site of each node.
    ///
    /// # Panics
    /// If `delays` is not square, or a node is at a site that has no row.
    pub fn new(delays: Vec<Latency>, site_of: Vec<u16>) -> SiteDelays {
        let sites = delays.len().isqrt();
        assert_eq!(sites * sites, delays.len(), "a row and a column for each site");
        assert!(site_of.iter().all(|&site| usize::from(site) < sites), "each node is at one of {sites} sites");
        SiteDelays { sites, delays: delays.into(), site_of: site_of.into() }
    }

    /// The delay from one node to another.
    #[inline(always)]
    pub fn between(&self, from: NodeId, to: NodeId) -> &Latency {
        let (from, to) = (usize::from(self.site_of[from.index()]), usize::from(self.site_of[to.index()]));
        &self.delays[from * self.sites + to]
    }

    /// The delays between sites that both have a node; within a site, if it has two.
    pub(crate) fn in_use(&self) -> Vec<&Latency> {
        let mut nodes = vec![0_u32; self.sites];
        self.site_of.iter().for_each(|&site| nodes[usize::from(site)] += 1);
        let occupied: BTreeSet<usize> = (0..self.sites).filter(|&site| nodes[site] > 0).collect();
        let pairs = occupied.iter().flat_map(|&from| occupied.iter().map(move |&to| (from, to)));
        let real = pairs.filter(|&(from, to)| from != to || nodes[from] > 1);
        real.map(|(from, to)| &self.delays[from * self.sites + to]).collect()
    }
}
