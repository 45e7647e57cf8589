//! A replica that sends nothing, or none of some kinds of messages.

use crate::attack::{About, Attack, Departure, Family, Scene};
use byzlab_replica::MessageKind;

/// A replica that sends nothing, or none of some kinds of messages.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Silent;

impl Attack for Silent {
    fn about(&self) -> About {
        let summary = "Sends nothing, or none of some kinds of messages.";
        About::saying("silent", Family::Benign, summary, &MessageKind::ALL)
    }

    fn send(&mut self, _: &mut Scene<'_>, _: Departure) {}
}
