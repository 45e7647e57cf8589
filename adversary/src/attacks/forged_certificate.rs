//! A replica whose VIEW-CHANGE claims what never was, with a certificate that only it has signed: that something was prepared, or that a
//! later checkpoint is stable; as primary of the new view it puts the same into its NEW-VIEW.

use crate::attack::{About, Attack, Departure, Family, Need, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_replica::{
    Certificate, Digest, Message, MessageKind, NewView, Prepared, SeqNum, Signer, View, ViewChange, VoteKind, Votes,
};
use std::sync::Arc;

/// A replica whose VIEW-CHANGE claims what never was, with a certificate that only it has signed: that something was prepared, or that a
/// later checkpoint is stable; as primary of the new view it puts the same into its NEW-VIEW.
#[derive(Clone, PartialEq, Debug)]
pub struct ForgedCertificate {
    /// What it claims: that something was "prepared", or a stable "checkpoint".
    pub claim: &'static str,
}

impl Default for ForgedCertificate {
    fn default() -> ForgedCertificate {
        ForgedCertificate { claim: "prepared" }
    }
}

impl Attack for ForgedCertificate {
    fn about(&self) -> About {
        let summary = "Claims in view changes what never was, with a certificate that only it has signed.";
        let messages = &[MessageKind::ViewChange, MessageKind::NewView];
        About::saying("forged_certificate", Family::Lying, summary, messages).needing(&[Need::ViewChanges])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = Parameter::new("claim", "that something was prepared, or that a later checkpoint is stable");
        visit.word(about, &["prepared", "checkpoint"], &mut self.claim);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let (node, signer) = (scene.node(), scene.signer);
        let forged = |change: &ViewChange| Arc::new(signer.sign(self.forge(scene, change.clone())));
        let message = match &departure.message {
            Message::ViewChange(change) if change.replica == node => Message::ViewChange(forged(change)),
            Message::NewView(new_view) if new_view.primary == node => {
                let mut changes = new_view.view_changes.clone();
                changes.iter_mut().filter(|change| change.replica == node).for_each(|own| *own = forged(own));
                Message::NewView(Arc::new(NewView::new(signer, new_view.view, changes)))
            }
            other => other.clone(),
        };
        scene.send(Departure { message, ..departure });
    }
}

impl ForgedCertificate {
    /// The same VIEW-CHANGE with the claim; of one VIEW-CHANGE always the same.
    fn forge(&self, scene: &Scene<'_>, mut change: ViewChange) -> ViewChange {
        let digest = Digest::of([change.digest().0]);
        if self.claim == "checkpoint" {
            change.stable = SeqNum(change.stable.0 + scene.config.checkpoint_interval.get());
            change.checkpoint = Some(alone(scene.signer, VoteKind::Checkpoint, View(0), change.stable, digest));
            change.prepared.retain(|prepared| prepared.slot().seq > change.stable);
            return change;
        }
        // In the last view before, which goes before whatever was prepared there earlier.
        let (view, seq) = (View(change.view.0.saturating_sub(1)), change.stable.next());
        let pre_prepare = scene.signer.vote(VoteKind::PrePrepare, view, seq, digest);
        let prepares = alone(scene.signer, VoteKind::Prepare, view, seq, digest);
        change.prepared.retain(|prepared| prepared.slot().seq != seq);
        change.prepared.insert(0, Prepared { pre_prepare, prepares });
        change
    }
}

/// A certificate with one signature.
fn alone(signer: &Signer, kind: VoteKind, view: View, seq: SeqNum, digest: Digest) -> Certificate {
    let mut votes = Votes::default();
    votes.insert(&signer.vote(kind, view, seq, digest));
    votes.certificate(digest)
}
