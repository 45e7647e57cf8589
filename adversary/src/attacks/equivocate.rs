//! A primary that proposes different things to different replicas. The batches differ in the order of their requests and in the
//! primary's own nonce; the requests keep their clients' signatures.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Groups, Parameter, Visit};
use byzlab_network::NodeId;
use byzlab_replica::{Batch, Message, MessageKind, PrePrepare, Slot};
use std::sync::Arc;

/// A primary that proposes different things to different replicas.
#[derive(Clone, PartialEq, Debug)]
pub struct Equivocate {
    /// Who gets the same; who is in no group gets nothing.
    pub groups: Groups,
    /// Whether all corrupted replicas vote towards each group for what that group got.
    pub collude: bool,
}

impl Default for Equivocate {
    fn default() -> Equivocate {
        Equivocate { groups: Groups::Halves, collude: false }
    }
}

impl Attack for Equivocate {
    fn about(&self) -> About {
        let summary = "As primary, proposes different things to different replicas.";
        About::saying("equivocate", Family::Lying, summary, &[MessageKind::PrePrepare])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.groups(Parameter::new("groups", "who gets the same; who is in none gets nothing"), &mut self.groups);
        let about = "whether all corrupted replicas vote towards each group for what it got";
        visit.flag(Parameter::new("collude", about), &mut self.collude);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let original = match &departure.message {
            Message::PrePrepare(proposal) if proposal.vote.replica == scene.node() => Arc::clone(proposal),
            // What another has proposed it can only pass on.
            _ => return scene.send(departure),
        };
        // All others are divided, whoever this message is for: who is told again is told the same.
        let all = (0..scene.config.cluster.replicas()).map(NodeId);
        let others: Vec<NodeId> = all.filter(|node| *node != scene.node() && !scene.colluders.contains(node)).collect();
        let recipients = departure.recipients(scene.node());
        for (index, mut group) in self.groups.divide(&others).into_iter().enumerate() {
            group.retain(|node| recipients.contains(node));
            let Some(told) = departure.redirected(group) else { continue };
            let message = if index == 0 {
                told.message
            } else {
                let batch = Arc::new(variant(&original.batch, index));
                let Slot { view, seq, .. } = original.slot();
                Message::PrePrepare(Arc::new(PrePrepare::new(scene.signer, view, seq, batch)))
            };
            scene.send(Departure { message, ..told });
        }
    }
}

/// A batch of the same requests with another digest for each `index` above 0.
fn variant(batch: &Batch, index: usize) -> Batch {
    let mut requests = batch.requests().to_vec();
    if !requests.is_empty() {
        let turn = index % requests.len();
        requests.rotate_left(turn);
    }
    Batch::new(requests, batch.nonce().wrapping_add(index as u64))
}
