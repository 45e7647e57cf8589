//! A replica that wants one view after the other: it sends VIEW-CHANGEs for later and later views, valid by form, at a steady rate.

use crate::attack::{About, Attack, Family, Need, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{NodeId, Recipients, Time};
use byzlab_replica::{Message, SeqNum, View, ViewChange};
use std::sync::Arc;

/// A replica that wants one view after the other: it sends VIEW-CHANGEs for later and later views, valid by form, at a steady rate.
#[derive(Clone, PartialEq, Debug)]
pub struct ViewChangeSpam {
    /// How many a second and replica.
    pub rate: f64,
    /// The last view that one of them wanted.
    last: View,
}

impl Default for ViewChangeSpam {
    fn default() -> ViewChangeSpam {
        ViewChangeSpam { rate: 100.0, last: View(0) }
    }
}

impl Attack for ViewChangeSpam {
    fn about(&self) -> About {
        let summary = "Sends VIEW-CHANGEs for later and later views, valid by form, at a steady rate.";
        About::itself("view_change_spam", Family::Flood, summary).needing(&[Need::ViewChanges])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.rate(Parameter::new("rate", "how many a second and replica"), &mut self.rate);
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        let (replica, cluster) = (scene.node(), scene.config.cluster);
        if !cluster.is_replica(replica) {
            return;
        }
        self.last = View(self.last.max(scene.view).0.saturating_add(1));
        // As of one that has neither executed nor prepared anything: that needs no proof.
        let change = ViewChange { view: self.last, stable: SeqNum(0), checkpoint: None, prepared: Vec::new(), replica };
        let change = Message::ViewChange(Arc::new(scene.signer.sign(change)));
        scene.say(Recipients::OthersBelow(NodeId(cluster.replicas())), change);
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        Some(super::next_beat(last, self.rate))
    }
}
