//! A primary that also sends PREPARE for what it proposes, as if it were one more backup (against rule 4).

use crate::attack::{About, Attack, Departure, Family, Scene};
use byzlab_replica::{Message, MessageKind, VoteKind};

/// A primary that also sends PREPARE for what it proposes, as if it were one more backup.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct PrimaryVotes;

impl Attack for PrimaryVotes {
    fn about(&self) -> About {
        let summary = "As primary, also sends PREPARE for what it proposes, as if it were one more backup.";
        About::saying("primary_votes", Family::Lying, summary, &[MessageKind::PrePrepare])
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let own = match &departure.message {
            Message::PrePrepare(proposal) if proposal.vote.replica == scene.node() => proposal.slot(),
            _ => return scene.send(departure),
        };
        let vote = Message::Vote(scene.signer.vote(VoteKind::Prepare, own.view, own.seq, own.digest));
        let after = Departure { message: vote, ..departure.clone() };
        scene.send(departure);
        scene.send(after);
    }
}
