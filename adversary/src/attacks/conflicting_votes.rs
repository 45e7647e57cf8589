//! A replica that votes for several digests at once: for all that it or another corrupted replica saw proposed, and if that is
//! only one, for an invented one too.

use super::fake_digest::invented_digest;
use crate::attack::{About, Attack, Departure, Family, Scene};
use byzlab_replica::{Message, MessageKind, Vote};

/// A replica that votes for several digests at once: for all that it or another corrupted replica saw proposed, and if that is
/// only one, for an invented one too.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ConflictingVotes;

impl Attack for ConflictingVotes {
    fn about(&self) -> About {
        let summary = "Votes for several digests at once: all that were proposed, or an invented one too.";
        About::saying("conflicting_votes", Family::Lying, summary, &[MessageKind::Prepare, MessageKind::Commit])
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let Message::Vote(vote) = departure.message else { return scene.send(departure) };
        let known = scene.knowledge.proposals(vote.view, vote.seq);
        let mut others: Vec<_> = known.iter().copied().filter(|&digest| digest != vote.digest).collect();
        if others.is_empty() {
            others.push(invented_digest(scene));
        }
        let lies = others.into_iter().map(|digest| scene.signer.sign(Vote { digest, ..*vote }));
        let lies: Vec<_> = lies.map(|lie| Departure { message: Message::Vote(lie), ..departure.clone() }).collect();
        scene.send(departure);
        for lie in lies {
            scene.send(lie);
        }
    }
}
