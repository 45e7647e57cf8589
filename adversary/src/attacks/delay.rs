//! A replica whose messages leave late.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{Latency, Span};
use byzlab_replica::MessageKind;

/// A replica whose messages leave late.
#[derive(Clone, PartialEq, Debug)]
pub struct Delay {
    /// How late; drawn for each message, and the same for all its recipients.
    pub delay: Latency,
}

impl Default for Delay {
    fn default() -> Delay {
        Delay { delay: Latency::constant(Span::from_millis(10)) }
    }
}

impl Attack for Delay {
    fn about(&self) -> About {
        About::saying("delay", Family::Timing, "Sends its messages late.", &MessageKind::ALL)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.latency(Parameter::new("delay", "how late, drawn for each message"), &mut self.delay);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let late = departure.at + self.delay.sample(&mut scene.draws.draw());
        scene.send(departure.not_before(late));
    }
}
