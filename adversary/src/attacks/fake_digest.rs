//! A replica that votes for a digest that nobody proposed instead of for the one it accepted.

use crate::attack::{About, Attack, Departure, Family, Scene};
use byzlab_replica::{Digest, Message, MessageKind, Vote};

/// A replica that votes for a digest that nobody proposed instead of for the one it accepted.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct FakeDigest;

impl Attack for FakeDigest {
    fn about(&self) -> About {
        let summary = "Votes for a digest that nobody proposed.";
        About::saying("fake_digest", Family::Lying, summary, &[MessageKind::Prepare, MessageKind::Commit])
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let Message::Vote(vote) = &departure.message else { return };
        let fake = scene.signer.sign(Vote { digest: invented_digest(scene), ..**vote });
        scene.send(Departure { message: Message::Vote(fake), ..departure });
    }
}

/// A digest that is not the digest of anything.
pub(crate) fn invented_digest(scene: &Scene<'_>) -> Digest {
    Digest(scene.draws.draw().bits())
}
