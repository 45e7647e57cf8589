//! A replica that fails to send some of its messages: of each message some copies, at random.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_replica::MessageKind;

/// A replica that fails to send some of its messages: of each message some copies, at random.
#[derive(Clone, PartialEq, Debug)]
pub struct Omit {
    /// The probability that a copy is left out, drawn for each recipient.
    pub share: f64,
}

impl Default for Omit {
    fn default() -> Omit {
        Omit { share: 0.5 }
    }
}

impl Attack for Omit {
    fn about(&self) -> About {
        let summary = "Fails to send some copies of its messages, at random (send omission).";
        About::saying("omit", Family::Benign, summary, &MessageKind::ALL)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "probability that a copy is left out, drawn for each recipient";
        visit.probability(Parameter::new("probability", about), &mut self.share);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let mut to = departure.recipients(scene.node());
        to.retain(|node| !scene.draws.child(u64::from(node.0)).chance(self.share));
        if let Some(rest) = departure.redirected(to) {
            scene.send(rest);
        }
    }
}
