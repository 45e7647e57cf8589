//! Who is where: the plan from which each run gets its delays.

use super::{Jitter, SiteDelays, SiteTable, pairs_in_use};
use crate::latency::{Latency, LatencyError};
use crate::random::Key;
use crate::time::Span;

/// Where the nodes of one kind are. Sites are named by their index in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// At these sites, one after the other, from the beginning again when the list ends.
    Listed(Vec<u16>),
    /// At all sites, one after the other.
    RoundRobin,
    /// Each at a site that is drawn in each run.
    Random,
}

/// What is different between two sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// From this site, by its index in the table,
    pub from: u16,
    /// to this one;
    pub to: u16,
    /// and also from there to here.
    pub both: bool,
    /// The one-way delay; none means that of the table.
    pub one_way: Option<Span>,
    /// The jitter; none means that of all pairs.
    pub jitter: Option<Jitter>,
}

impl Link {
    fn is_for(&self, from: usize, to: usize) -> bool {
        let ends = (usize::from(self.from), usize::from(self.to));
        ends == (from, to) || self.both && ends == (to, from)
    }
}

/// Why there are no delays for these nodes.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TopologyError {
    /// Two nodes can be at these sites, but nothing says how long a message takes.
    #[error("no delay is known from {from} to {to}")]
    NoDelay {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
    },
    /// Delay and jitter together are no latency.
    #[error("from {from} to {to}: {error}")]
    Jitter {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
        /// Why not.
        error: LatencyError,
    },
}

/// A checked plan: sites, delays between them for every pair that can occur, and where the nodes are.
///
/// Replicas have the first ids, clients the following ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    sites: u16,
    /// Placed, unless a place is drawn.
    delays: SiteDelays,
    replicas: (Placement, u16),
    clients: (Placement, u16),
}

impl Topology {
    /// The delays between the sites of `table`, with what differs on some links (the last one that concerns a pair decides, for delay
    /// and jitter separately), and with so many replicas and clients at their places.
    ///
    /// # Panics
    /// If a placement or a link names a site that the table does not have, if a list is empty, or if there is no site.
    pub fn new(
        table: &SiteTable,
        links: &[Link],
        jitter: Option<&Jitter>,
        replicas: (Placement, u16),
        clients: (Placement, u16),
    ) -> Result<Topology, TopologyError> {
        let sites = table.names().len();
        assert!(sites > 0, "a topology has a site");
        let names_known = links.iter().all(|link| usize::from(link.from.max(link.to)) < sites);
        assert!(names_known, "links are between sites of the table");
        let nodes = most_nodes(sites, [&replicas, &clients]);
        // What cannot occur is never asked for.
        let mut delays = vec![Latency::constant(Span::ZERO); sites * sites];
        for (from, to) in pairs_in_use(&nodes) {
            let name = |site: usize| table.names()[site].clone();
            let concerned = || links.iter().rev().filter(|link| link.is_for(from, to));
            let base = concerned().find_map(|link| link.one_way).or(table.one_way(from, to));
            let base = base.ok_or_else(|| TopologyError::NoDelay { from: name(from), to: name(to) })?;
            let jitter = concerned().find_map(|link| link.jitter.as_ref()).or(jitter);
            let delay = jitter.map_or(Ok(Latency::constant(base)), |jitter| jitter.added_to(base));
            let delay = delay.map_err(|error| TopologyError::Jitter { from: name(from), to: name(to), error })?;
            delays[from * sites + to] = delay;
        }
        let mut topology = Topology { sites: sites as u16, delays: SiteDelays::open(delays, nodes), replicas, clients };
        if !topology.is_random() {
            // Nothing is drawn, so any key will do.
            topology.delays = topology.delays_of(Key::root(0));
        }
        Ok(topology)
    }

    /// Whether the places are drawn in each run.
    pub fn is_random(&self) -> bool {
        [&self.replicas, &self.clients].iter().any(|(placement, _)| *placement == Placement::Random)
    }

    /// The delays of all runs. If places are drawn, they say what can occur (the least delay, the longest), but not between which nodes.
    pub fn delays(&self) -> &SiteDelays {
        &self.delays
    }

    /// The delays of one run.
    pub fn delays_of(&self, run: Key) -> SiteDelays {
        self.delays.placed(self.places_of(run))
    }

    /// The site of each node in one run. A place that is drawn depends on the run and on which replica or client it is, not on how
    /// many there are.
    pub fn places_of(&self, run: Key) -> Vec<u16> {
        let placement = run.component("placement");
        let kinds = [("replica", &self.replicas), ("client", &self.clients)];
        let places = kinds.into_iter().flat_map(|(kind, (where_to, count))| {
            let draws = placement.component(kind);
            (0..*count).map(move |node| match where_to {
                Placement::Listed(list) => list[usize::from(node) % list.len()],
                Placement::RoundRobin => node % self.sites,
                Placement::Random => draws.child(u64::from(node)).draw().up_to(u64::from(self.sites) - 1) as u16,
            })
        });
        places.collect()
    }
}

/// How many nodes can be at each site.
fn most_nodes(sites: usize, kinds: [&(Placement, u16); 2]) -> Vec<u32> {
    let mut most = vec![0; sites];
    for (placement, count) in kinds {
        match placement {
            Placement::Random => most.iter_mut().for_each(|most| *most += u32::from(*count)),
            Placement::RoundRobin => (0..usize::from(*count)).for_each(|node| most[node % sites] += 1),
            Placement::Listed(list) => {
                (0..usize::from(*count)).for_each(|node| most[usize::from(list[node % list.len()])] += 1);
            }
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delays::Delays;
    use crate::latency::Shape;
    use crate::node::NodeId;
    use std::collections::BTreeSet;

    fn ms(milliseconds: u64) -> Span {
        Span::from_millis(milliseconds)
    }

    /// a, b and c: 10 ms from a to b and 12 back, 20 from a to c, 30 from b to c, and 1 within a.
    fn table() -> SiteTable {
        let text = "from,to,rtt_ms\na,b,20\nb,a,24\na,c,40\nc,b,60\na,a,2\n";
        SiteTable::parse(text).unwrap()
    }

    fn listed(sites: &[u16]) -> Placement {
        Placement::Listed(sites.to_vec())
    }

    fn delay(delays: &SiteDelays, from: u16, to: u16) -> Span {
        let latency = delays.between(NodeId(from), NodeId(to));
        assert_eq!(latency.least(), latency.most().unwrap());
        latency.least()
    }

    #[test]
    fn nodes_have_the_delays_of_their_sites() {
        // Replicas at a, b, a; the client at c.
        let topology = Topology::new(&table(), &[], None, (listed(&[0, 1]), 3), (listed(&[2]), 1)).unwrap();
        let delays = topology.delays();
        assert_eq!(topology.places_of(Key::root(1)), [0, 1, 0, 2]);
        for (from, to, expected) in
            [(0, 1, 10), (1, 0, 12), (1, 2, 12), (2, 1, 10), (0, 2, 1), (0, 3, 20), (3, 0, 20), (1, 3, 30), (3, 1, 30)]
        {
            assert_eq!(delay(delays, from, to), ms(expected), "from {from} to {to}");
        }
    }

    #[test]
    fn the_least_delay_is_that_between_sites_with_nodes() {
        let least = |replicas: &[u16], count| {
            let topology = Topology::new(&table(), &[], None, (listed(replicas), count), (listed(&[2]), 1)).unwrap();
            let delays = Delays::BetweenSites(topology.delays().clone());
            (delays.least(), delays.most().unwrap())
        };
        assert_eq!(least(&[0, 1], 2), (ms(10), ms(30)));
        assert_eq!(least(&[0, 0], 2), (ms(1), ms(20)), "two nodes share the site a");
        assert_eq!(least(&[1], 1), (ms(30), ms(30)));
    }

    #[test]
    fn only_a_pair_that_occurs_needs_a_delay() {
        let with = |replicas: Placement, count| {
            Topology::new(&table(), &[], None, (replicas, count), (listed(&[2]), 1)).map(|_| ())
        };
        let missing = |from: &str, to: &str| Err(TopologyError::NoDelay { from: from.into(), to: to.into() });
        assert_eq!(with(listed(&[0, 0, 1]), 3), Ok(()));
        assert_eq!(with(listed(&[1]), 2), missing("b", "b"));
        assert_eq!(with(listed(&[0, 2]), 2), missing("c", "c"));
        assert_eq!(with(Placement::RoundRobin, 2), Ok(()));
        assert_eq!(with(Placement::RoundRobin, 3), missing("c", "c"));
        assert_eq!(with(Placement::Random, 2), missing("b", "b"));
    }

    #[test]
    fn the_last_link_that_concerns_a_pair_decides() {
        let link = |from, to, both, one_way, jitter| Link { from, to, both, one_way, jitter };
        let constant = |value| Jitter::Absolute(Latency::constant(ms(value)));
        let links = [
            link(0, 1, true, Some(ms(50)), Some(constant(3))),
            link(1, 0, false, Some(ms(60)), None),
            link(0, 2, false, None, Some(constant(0))),
            link(2, 2, false, Some(ms(2)), None),
        ];
        let everywhere = constant(1);
        let topology =
            Topology::new(&table(), &links, Some(&everywhere), (listed(&[0, 1, 2, 2]), 4), (listed(&[0]), 1)).unwrap();
        for (from, to, expected) in [(0, 1, 53), (1, 0, 63), (0, 2, 20), (2, 0, 21), (1, 2, 31), (2, 3, 3), (0, 4, 2)] {
            assert_eq!(delay(topology.delays(), from, to), ms(expected), "from {from} to {to}");
        }
    }

    #[test]
    fn an_impossible_jitter_names_its_pair() {
        let heavy = Latency::new(Shape::Pareto { scale: ms(1), shape: 1.5 }, ms(0), ms(0)).unwrap();
        let mut table = table();
        table.set(0, 1, Latency::LONGEST);
        let jitter = Jitter::Absolute(heavy);
        let error = Topology::new(&table, &[], Some(&jitter), (listed(&[0]), 1), (listed(&[1]), 1)).unwrap_err();
        assert_eq!(error.to_string(), "from a to b: a draw can be infinite or longer than 292 years");
    }

    #[test]
    fn places_are_drawn_once_for_each_run_whatever_else_differs() {
        let mut table = table();
        table.set_within(ms(1));
        let random = |replicas, clients| {
            let placement = || Placement::Random;
            Topology::new(&table, &[], None, (placement(), replicas), (placement(), clients)).unwrap()
        };
        let (small, large) = (random(4, 2), random(7, 3));
        let mut seen = BTreeSet::new();
        for run in 0..200 {
            let key = Key::root(9).child(run);
            let (few, many) = (small.places_of(key), large.places_of(key));
            assert_eq!(few, small.places_of(key));
            assert_eq!((&few[..4], &few[4..]), (&many[..4], &many[7..9]), "the same nodes are at the same places");
            let delays = small.delays_of(key);
            assert_eq!(delay(&delays, 0, 1), table.one_way(few[0].into(), few[1].into()).unwrap());
            seen.insert(few);
        }
        assert!(seen.len() > 100);
        let at_a = (0..3000).filter(|&run| small.places_of(Key::root(8).child(run))[0] == 0).count();
        assert!((900..1100).contains(&at_a), "a third of the runs: {at_a}");
        // Before the places are known, every pair can occur.
        assert!(small.is_random());
        let open = Delays::BetweenSites(small.delays().clone());
        assert_eq!((open.least(), open.most()), (ms(1), Some(ms(30))));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn open_places_are_no_places() {
        let mut table = table();
        table.set_within(ms(1));
        let topology = Topology::new(&table, &[], None, (Placement::Random, 4), (Placement::RoundRobin, 1)).unwrap();
        topology.delays().between(NodeId(0), NodeId(1));
    }
}
