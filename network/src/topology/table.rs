//! One-way delays between named sites.

use super::geography::{Place, WITHIN_SITE, fibre_delay};
use crate::time::Span;

/// One-way delays between named sites, in whole nanoseconds, one for each direction. On the diagonal stands how long a message takes
/// between two nodes of one site. An entry may be unknown; whether that matters depends on where the nodes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteTable {
    names: Vec<String>,
    /// `[from · sites + to]`.
    one_way: Vec<Option<Span>>,
}

impl SiteTable {
    /// More sites than these are a mistake: their pairs would not fit the memory.
    pub const MOST_SITES: usize = 2000;

    /// A table of sites of which nothing is known yet.
    ///
    /// # Panics
    /// If two sites have the same name, or if there are more than [`SiteTable::MOST_SITES`].
    pub fn unknown(names: Vec<String>) -> SiteTable {
        assert!(names.len() <= SiteTable::MOST_SITES, "at most {} sites", SiteTable::MOST_SITES);
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "the site {name} comes twice");
        }
        let one_way = vec![None; names.len() * names.len()];
        SiteTable { names, one_way }
    }

    /// The delays between places on Earth: great circles of glass fibre, each longer by `inflation` than the shortest way, and never
    /// below [`WITHIN_SITE`], which is also the delay within a site.
    ///
    /// # Panics
    /// As [`SiteTable::unknown`].
    pub fn geographic(places: &[Place], inflation: f64) -> SiteTable {
        let mut table = SiteTable::unknown(places.iter().map(|place| place.name.clone()).collect());
        for (from, here) in places.iter().enumerate() {
            for (to, there) in places.iter().enumerate() {
                let delay = fibre_delay(here.at.distance_km(there.at), inflation);
                table.set(from, to, delay.max(WITHIN_SITE));
            }
        }
        table
    }

    /// The names of the sites.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The index of a site.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The delay from one site to another, by their indices, if it is known.
    pub fn one_way(&self, from: usize, to: usize) -> Option<Span> {
        self.one_way[from * self.names.len() + to]
    }

    /// Sets the delay from one site to another.
    pub fn set(&mut self, from: usize, to: usize, delay: Span) {
        let sites = self.names.len();
        self.one_way[from * sites + to] = Some(delay);
    }

    /// Sets the delay within each site, whatever stood there.
    pub fn set_within(&mut self, delay: Span) {
        (0..self.names.len()).for_each(|site| self.set(site, site, delay));
    }

    /// The table of some of the sites, in this order. Names that it does not know are left out.
    #[must_use]
    pub fn only<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> SiteTable {
        let indices: Vec<usize> = names.into_iter().filter_map(|name| self.index_of(name)).collect();
        let mut table = SiteTable::unknown(indices.iter().map(|&index| self.names[index].clone()).collect());
        for (from, &old_from) in indices.iter().enumerate() {
            for (to, &old_to) in indices.iter().enumerate() {
                table.one_way[from * indices.len() + to] = self.one_way(old_from, old_to);
            }
        }
        table
    }
}
