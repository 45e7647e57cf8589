//! A replica that speaks for another view than the one that it is in: its votes and pre-prepares are signed for an earlier one, or for
//! a later one.
//!
//! What it says of an earlier view comes too late for everybody. What it says of a later one is kept by the others until that view
//! begins, and counts then.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_replica::{Message, MessageKind, PrePrepare, View, Vote};
use std::sync::Arc;

/// A replica that speaks for another view than the one that it is in: its votes and pre-prepares are signed for an earlier one, or for
/// a later one.
#[derive(Clone, PartialEq, Debug)]
pub struct StaleView {
    /// By how many views it is off. Where there is no earlier view it stays honest.
    pub views: u64,
    /// Which way: "earlier" or "later".
    pub direction: &'static str,
}

impl Default for StaleView {
    fn default() -> StaleView {
        StaleView { views: 1, direction: "earlier" }
    }
}

impl Attack for StaleView {
    fn about(&self) -> About {
        let summary = "Signs its votes and pre-prepares for an earlier view, or for a later one.";
        let messages = &[MessageKind::PrePrepare, MessageKind::Prepare, MessageKind::Commit];
        About::saying("stale_view", Family::Lying, summary, messages)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = Parameter::new("views", "by how many views it is off");
        visit.integer(about, 1..=u64::from(u32::MAX), &mut self.views);
        let about = Parameter::new("direction", "for an earlier view, or for a later one");
        visit.word(about, &["earlier", "later"], &mut self.direction);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let message = match &departure.message {
            Message::Vote(vote) => {
                self.other(vote.view).map(|view| Message::Vote(scene.signer.sign(Vote { view, ..**vote })))
            }
            Message::PrePrepare(pre_prepare) if pre_prepare.vote.replica == scene.node() => {
                let (vote, batch) = (pre_prepare.vote, &pre_prepare.batch);
                let propose = |view| PrePrepare::new(scene.signer, view, vote.seq, Arc::clone(batch));
                self.other(vote.view).map(|view| Message::PrePrepare(Arc::new(propose(view))))
            }
            _ => None,
        };
        let message = message.unwrap_or_else(|| departure.message.clone());
        scene.send(Departure { message, ..departure });
    }
}

impl StaleView {
    /// The view for which it speaks in this one, if there is one.
    fn other(&self, view: View) -> Option<View> {
        let view = u64::from(view.0);
        let other = if self.direction == "later" { view.checked_add(self.views) } else { view.checked_sub(self.views) };
        u32::try_from(other?).ok().map(View)
    }
}
