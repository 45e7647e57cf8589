//! A replica that keeps some honest replicas in the dark: it sends them nothing, its proposals above all, and serves everybody else.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::NodeId;
use byzlab_replica::MessageKind;

/// A replica that keeps some honest replicas in the dark: it sends them nothing, its proposals above all, and serves everybody else.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct InDark {
    /// Whom; the last f honest replicas if left out. More than f, and no quorum forms.
    pub targets: Option<Vec<NodeId>>,
}

impl Attack for InDark {
    fn about(&self) -> About {
        let summary = "Sends nothing to some honest replicas, no proposals above all, and serves all others.";
        About::saying("in_dark", Family::Timing, summary, &MessageKind::ALL)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let parameter = Parameter::or("targets", "whom it sends nothing", "the last f honest replicas");
        visit.nodes(parameter, NodeSort::Replicas, &mut self.targets);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let targets = self.targets.clone().unwrap_or_else(|| {
            let honest: Vec<NodeId> = scene.honest_replicas().collect();
            honest[honest.len().saturating_sub(usize::from(scene.config.cluster.faults()))..].to_vec()
        });
        let mut to = departure.recipients(scene.node());
        to.retain(|node| !targets.contains(node));
        if let Some(rest) = departure.redirected(to) {
            scene.send(rest);
        }
    }
}
