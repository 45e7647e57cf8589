//! A backup that does not react to a pre-prepare: it never sees it, so it casts no votes for its number.

use crate::attack::{About, Attack, Family, Reception, Scene};
use byzlab_network::NodeId;
use byzlab_replica::{Message, MessageKind};

/// A backup that does not react to a pre-prepare: it never sees it, so it casts no votes for its number.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Ignore;

impl Attack for Ignore {
    fn about(&self) -> About {
        let summary = "Does not react to a pre-prepare, and so casts no votes for its number.";
        About::hearing("ignore", Family::Lying, summary, &[MessageKind::PrePrepare])
    }

    fn receive(&mut self, _: &mut Scene<'_>, _: NodeId, _: &Message) -> Reception {
        Reception::Lost
    }
}
