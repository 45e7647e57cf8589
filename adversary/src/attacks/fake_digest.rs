//! A replica that votes for a digest that nobody proposed instead of for the one it accepted.

use crate::attack::{Attack, Departure, Scene};
use byzlab_replica::{Digest, Message, MessageKind, Vote};

pub(crate) struct FakeDigest;

impl Attack for FakeDigest {
    fn name(&self) -> &'static str {
        "fake_digest"
    }

    fn messages(&self) -> &'static [MessageKind] {
        &[MessageKind::Prepare, MessageKind::Commit]
    }

    fn send(&self, scene: &Scene<'_>, departure: Departure, out: &mut Vec<Departure>) {
        let Message::Vote(vote) = &departure.message else { return };
        let fake = scene.signer.sign(Vote { digest: invented_digest(scene), ..**vote });
        out.push(Departure { to: departure.to, message: Message::Vote(fake) });
    }
}

/// A digest that is not the digest of anything.
pub(crate) fn invented_digest(scene: &Scene<'_>) -> Digest {
    Digest(scene.draws.draw().bits())
}
