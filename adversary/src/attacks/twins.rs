//! A replica that runs twice with one key: two honest copies, of which each knows and talks to one group of the others alone.
//!
//! Bano et al., "Twins: BFT Systems Made Robust", OPODIS 2021. Both copies keep to the protocol to the letter; what they say together
//! equivocates, forgets votes and lags, as it happens. More than two groups make more than two copies.

use crate::attack::{About, Attack, Family};
use crate::parameter::{Groups, Parameter, Visit};

/// A replica that runs twice with one key: two honest copies, of which each knows and talks to one group of the others alone.
#[derive(Clone, PartialEq, Debug)]
pub struct Twins {
    /// The groups of honest replicas, one a copy. Who is in none hears all copies, and is heard by all.
    pub groups: Groups,
    /// Whether all copies hear all clients. Otherwise each client is heard by one copy, in turn, so that as primary they propose
    /// different things.
    pub share_clients: bool,
}

impl Default for Twins {
    fn default() -> Twins {
        Twins { groups: Groups::Halves, share_clients: false }
    }
}

impl Attack for Twins {
    fn about(&self) -> About {
        let summary = "Runs twice with one key: two honest copies, each for one group of the others.";
        About::identity("twins", Family::SplitBrain, summary)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "the groups of honest replicas, one a copy; who is in none hears all copies";
        visit.groups(Parameter::new("groups", about), &mut self.groups);
        let about = "whether all copies hear all clients, and not each some of them";
        visit.flag(Parameter::new("share_clients", about), &mut self.share_clients);
    }
}
