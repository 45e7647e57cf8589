//! A primary of a new view whose NEW-VIEW is not valid: its O does not follow from V, or V is no quorum.

use super::fake_digest::invented_digest;
use crate::attack::{About, Attack, Departure, Family, Need, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_replica::{Digest, Message, MessageKind, NewView, SeqNum, VoteKind};
use std::sync::Arc;

/// A primary of a new view whose NEW-VIEW is not valid: its O does not follow from V, or V is no quorum.
#[derive(Clone, PartialEq, Debug)]
pub struct BadNewView {
    /// What is wrong with it: "null" orders null requests where something was prepared, "swap" what was prepared at the places of each
    /// other, "invent" one thing more that was not, and "few" has a V of fewer than a quorum, with the O that follows from it. Where
    /// that changes nothing, for instance because nothing was prepared, it stays honest.
    pub lie: &'static str,
}

impl Default for BadNewView {
    fn default() -> BadNewView {
        BadNewView { lie: "null" }
    }
}

impl Attack for BadNewView {
    fn about(&self) -> About {
        let summary = "As primary of a new view, sends a NEW-VIEW that does not follow from view changes of a quorum.";
        About::saying("bad_new_view", Family::Lying, summary, &[MessageKind::NewView]).needing(&[Need::ViewChanges])
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "drops what was prepared, swaps it, invents more, or too few view changes";
        visit.word(Parameter::new("lie", about), &["null", "swap", "invent", "few"], &mut self.lie);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let message = match &departure.message {
            Message::NewView(new_view) if new_view.primary == scene.node() => {
                let bad = self.spoil(scene, NewView::clone(new_view));
                Message::NewView(Arc::new(scene.signer.sign(bad)))
            }
            other => other.clone(),
        };
        scene.send(Departure { message, ..departure });
    }
}

impl BadNewView {
    fn spoil(&self, scene: &Scene<'_>, mut new_view: NewView) -> NewView {
        let (signer, view) = (scene.signer, new_view.view);
        let mut digests: Vec<Digest> = new_view.order.iter().map(|vote| vote.digest).collect();
        match self.lie {
            "few" => {
                let few = usize::from(scene.config.cluster.quorum() - 1);
                new_view.view_changes.truncate(few);
                return NewView::clone(&NewView::new(signer, view, new_view.view_changes));
            }
            "null" => digests.fill(Digest::NULL),
            "swap" => digests.reverse(),
            _ => digests.push(invented_digest(scene)),
        }
        let places = (new_view.stable().0 + 1..).map(SeqNum);
        let vote = |(seq, digest)| signer.vote(VoteKind::PrePrepare, view, seq, digest);
        new_view.order = places.zip(digests).map(vote).collect();
        new_view
    }
}
