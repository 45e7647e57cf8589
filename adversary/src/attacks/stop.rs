//! A replica that stops for good: from some instant on it neither hears nor says anything.

use crate::attack::{About, Attack, Departure, Family, Reception, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{NodeId, Span, Time};
use byzlab_replica::{Message, MessageKind};

/// A replica that stops for good: from some instant on it neither hears nor says anything.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Stop {
    /// When it stops; at the start of the run if left out.
    pub at: Option<Span>,
}

impl Stop {
    fn has_stopped(&self, now: Time) -> bool {
        self.at.is_none_or(|at| now >= Time::START + at)
    }
}

impl Attack for Stop {
    fn about(&self) -> About {
        let summary = "Stops for good: neither hears nor says anything any more.";
        About::saying("stop", Family::Benign, summary, &MessageKind::ALL).both_ways()
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.span(Parameter::or("at", "when it stops", "at the start"), &mut self.at);
    }

    fn receive(&mut self, scene: &mut Scene<'_>, _: NodeId, _: &Message) -> Reception {
        if self.has_stopped(scene.now) { Reception::Lost } else { Reception::Heard }
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        // What another attack has put off beyond that instant does not leave any more.
        if !self.has_stopped(departure.at) {
            scene.send(departure);
        }
    }
}
