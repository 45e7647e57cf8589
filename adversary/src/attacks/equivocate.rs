//! A primary that proposes different things to different replicas. The batches differ in the order of their requests and in the
//! primary's own nonce; the requests keep their clients' signatures.

use crate::attack::{Attack, Departure, Groups, Scene};
use byzlab_network::Recipients;
use byzlab_replica::{Batch, Message, MessageKind, PrePrepare, Slot};
use std::sync::Arc;

pub(crate) struct Equivocate {
    pub(crate) groups: Groups,
}

impl Attack for Equivocate {
    fn name(&self) -> &'static str {
        "equivocate"
    }

    fn messages(&self) -> &'static [MessageKind] {
        &[MessageKind::PrePrepare]
    }

    fn send(&self, scene: &Scene<'_>, departure: Departure, out: &mut Vec<Departure>) {
        let Message::PrePrepare(original) = &departure.message else { return };
        let mut recipients = Vec::new();
        departure.to.for_each(scene.signer.node(), |to| recipients.push(to));
        recipients.retain(|node| !scene.colluders.contains(node));
        for (index, group) in self.groups.divide(&recipients).into_iter().enumerate() {
            if group.is_empty() {
                continue;
            }
            let message = if index == 0 {
                departure.message.clone()
            } else {
                let batch = Arc::new(variant(&original.batch, index));
                let Slot { view, seq, .. } = original.slot();
                Message::PrePrepare(Arc::new(PrePrepare::new(scene.signer, view, seq, batch)))
            };
            out.push(Departure { to: Recipients::List(group.into()), message });
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
