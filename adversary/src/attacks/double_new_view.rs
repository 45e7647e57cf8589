//! A primary of a new view that sends two valid NEW-VIEWs, each with a quorum of VIEW-CHANGEs: one with all that was prepared, as far as
//! corrupted replicas know, and one with as little of it as they can bring together.
//!
//! A corrupted replica signs two VIEW-CHANGEs for a view: what its honest state machine says, and one that keeps all that was prepared to
//! itself. Whatever is committed was prepared by honest replicas of which each quorum has one, so both NEW-VIEWs order it.

use crate::attack::{About, Attack, Departure, Family, Need, Scene};
use crate::parameter::{Groups, Parameter, Visit};
use byzlab_network::NodeId;
use byzlab_replica::{Message, MessageKind, NewView, Signed, View, ViewChange};
use std::collections::BTreeMap;
use std::sync::Arc;

type Changes = BTreeMap<NodeId, Arc<Signed<ViewChange>>>;

/// A primary of a new view that sends two valid NEW-VIEWs, each with a quorum of VIEW-CHANGEs: one with all that was prepared, as far as
/// corrupted replicas know, and one with as little of it as they can bring together.
#[derive(Clone, PartialEq, Debug)]
pub struct DoubleNewView {
    /// Who gets the same: the first group all that was prepared, the second as little as possible, the third all, and so on. Who is in
    /// none, and other corrupted replicas, get all.
    pub groups: Groups,
    /// The VIEW-CHANGEs of corrupted replicas that claim nothing, by the view that they are for.
    empty: BTreeMap<View, Changes>,
    /// What it sends for each view: who is told again is told the same.
    versions: BTreeMap<View, [Signed<NewView>; 2]>,
}

/// So many views are remembered.
const VIEWS: usize = 8;

impl Default for DoubleNewView {
    fn default() -> DoubleNewView {
        DoubleNewView { groups: Groups::Halves, empty: BTreeMap::new(), versions: BTreeMap::new() }
    }
}

impl Attack for DoubleNewView {
    fn about(&self) -> About {
        let summary = "As primary of a new view, sends two valid NEW-VIEWs that order different things.";
        let messages = &[MessageKind::ViewChange, MessageKind::NewView];
        About::saying("double_new_view", Family::Lying, summary, messages).needing(&[Need::ViewChanges])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.groups(Parameter::new("groups", "who gets the same: by turns all and little"), &mut self.groups);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        match &departure.message {
            Message::ViewChange(change) if change.replica == scene.node() => {
                let empty =
                    Arc::new(scene.signer.sign(ViewChange { prepared: Vec::new(), ..ViewChange::clone(change) }));
                self.empty.entry(change.view).or_default().insert(change.replica, empty);
                if self.empty.len() > VIEWS {
                    self.empty.pop_first();
                }
                scene.send(departure);
            }
            Message::NewView(new_view) if new_view.primary == scene.node() => {
                let versions = match self.versions.get(&new_view.view) {
                    Some(versions) => versions.clone(),
                    None => self.versions(scene, new_view),
                };
                self.versions.insert(new_view.view, versions.clone());
                if self.versions.len() > VIEWS {
                    self.versions.pop_first();
                }
                let [all, little] = versions;
                if all == little {
                    return scene.send(departure);
                }
                let [all, little] = [all, little].map(|new_view| Message::NewView(Arc::new(new_view)));
                let honest: Vec<NodeId> = scene.honest_replicas().collect();
                let groups = self.groups.divide(&honest);
                let gets_little = |node: &NodeId| groups.iter().skip(1).step_by(2).any(|group| group.contains(node));
                let (second, first) = departure.recipients(scene.node()).into_iter().partition(gets_little);
                for (to, message) in [(first, all), (second, little)] {
                    if let Some(told) = departure.redirected(to) {
                        scene.send(Departure { message, ..told });
                    }
                }
            }
            _ => scene.send(departure),
        }
    }
}

impl DoubleNewView {
    /// The NEW-VIEW with all that was prepared, and the one with as little as possible.
    fn versions(&self, scene: &Scene<'_>, new_view: &NewView) -> [Signed<NewView>; 2] {
        let known = scene.knowledge.view_changes(new_view.view).chain(&new_view.view_changes);
        let valid = known.filter(|change| change.is_valid(scene.config));
        let full: Changes = valid.map(|change| (change.replica, Arc::clone(change))).collect();
        let mut empty = full.clone();
        empty.extend(self.empty.get(&new_view.view).into_iter().flatten().map(|(&node, own)| (node, Arc::clone(own))));
        let quorum = usize::from(scene.config.cluster.quorum());
        let make = |changes: Changes, fullest_first: bool| {
            let mut chosen: Vec<_> = changes.into_values().collect();
            chosen.sort_by_key(|change| change.prepared.len());
            if fullest_first {
                chosen.reverse();
            }
            chosen.truncate(quorum);
            chosen.sort_by_key(|change| change.replica);
            NewView::new(scene.signer, new_view.view, chosen)
        };
        [make(full, true), make(empty, false)]
    }
}
