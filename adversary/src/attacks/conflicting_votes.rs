//! A replica that votes for several digests at once: for all that it or another corrupted replica saw proposed, and if that is
//! only one, for an invented one too.

use super::fake_digest::invented_digest;
use crate::attack::{Attack, Departure, Scene};
use byzlab_replica::{Message, MessageKind, Vote};

pub(crate) struct ConflictingVotes;

impl Attack for ConflictingVotes {
    fn name(&self) -> &'static str {
        "conflicting_votes"
    }

    fn messages(&self) -> &'static [MessageKind] {
        &[MessageKind::Prepare, MessageKind::Commit]
    }

    fn send(&self, scene: &Scene<'_>, departure: Departure, out: &mut Vec<Departure>) {
        let Message::Vote(vote) = &departure.message else { return };
        let known = scene.knowledge.proposals(vote.view, vote.seq);
        let mut others: Vec<_> = known.iter().copied().filter(|&digest| digest != vote.digest).collect();
        if others.is_empty() {
            others.push(invented_digest(scene));
        }
        let vote = **vote;
        let lies = others.into_iter().map(|digest| scene.signer.sign(Vote { digest, ..vote }));
        let to = departure.to.clone();
        out.push(departure);
        out.extend(lies.map(|lie| Departure { to: to.clone(), message: Message::Vote(lie) }));
    }
}
