//! A backup that does not react to a pre-prepare: it never sees it, so it casts no votes for its number.

use crate::attack::{Attack, Scene};
use byzlab_replica::{Message, MessageKind};

pub(crate) struct Ignore;

impl Attack for Ignore {
    fn name(&self) -> &'static str {
        "ignore"
    }

    fn messages(&self) -> &'static [MessageKind] {
        &[MessageKind::PrePrepare]
    }

    fn lets_in(&self, _: &Scene<'_>, _: &Message) -> bool {
        false
    }
}
