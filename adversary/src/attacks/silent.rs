//! A replica that sends nothing, or none of some kinds of messages.

use crate::attack::{Attack, Departure, Scene};
use byzlab_replica::MessageKind;

pub(crate) struct Silent;

impl Attack for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn messages(&self) -> &'static [MessageKind] {
        &MessageKind::ALL
    }

    fn send(&self, _: &Scene<'_>, _: Departure, _: &mut Vec<Departure>) {}
}
