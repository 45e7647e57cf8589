//! A primary of a new view that keeps its NEW-VIEW to itself, also when others ask for it; or that sends it to some alone, if the scope
//! names those who get none.

use crate::attack::{About, Attack, Departure, Family, Need, Scene};
use byzlab_replica::MessageKind;

/// A primary of a new view that keeps its NEW-VIEW to itself, also when others ask for it; or that sends it to some alone, if the scope
/// names those who get none.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct WithholdNewView;

impl Attack for WithholdNewView {
    fn about(&self) -> About {
        let summary = "As primary of a new view, keeps its NEW-VIEW to itself, or from some.";
        let messages = &[MessageKind::NewView];
        About::saying("withhold_new_view", Family::Timing, summary, messages).needing(&[Need::ViewChanges])
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        // Those of others it passes on.
        if departure.message.author() != scene.node() {
            scene.send(departure);
        }
    }
}
