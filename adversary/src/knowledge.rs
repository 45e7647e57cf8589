//! What the corrupted nodes have seen: common to all of them at once.

use byzlab_network::NodeId;
use byzlab_replica::{Digest, Message, SeqNum, Signed, Slot, View, ViewChange};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the corrupted nodes know of the run, beyond what each state machine knows by itself.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    proposals: BTreeMap<(SeqNum, View), Vec<Digest>>,
    /// The latest view that is known to have begun.
    pub(crate) view: View,
    /// Of each view the VIEW-CHANGEs for it, by author: those of the latest views.
    view_changes: BTreeMap<View, BTreeMap<NodeId, Arc<Signed<ViewChange>>>>,
}

impl Knowledge {
    /// Older proposals are forgotten when there are so many places,
    const PLACES: usize = 1024;
    /// and older views when there are so many.
    const VIEWS: usize = 8;

    /// Learns from a message that a corrupted node sent or received.
    pub(crate) fn learn(&mut self, message: &Message) {
        match message {
            Message::PrePrepare(pre_prepare) => {
                let Slot { view, seq, digest } = pre_prepare.slot();
                let digests = self.proposals.entry((seq, view)).or_default();
                if !digests.contains(&digest) {
                    digests.push(digest);
                }
                if self.proposals.len() > Knowledge::PLACES {
                    self.proposals.pop_first();
                }
            }
            Message::NewView(new_view) => self.view = self.view.max(new_view.view),
            Message::ViewChange(change) => {
                let changes = self.view_changes.entry(change.view).or_default();
                changes.entry(change.replica).or_insert_with(|| Arc::clone(change));
                if self.view_changes.len() > Knowledge::VIEWS {
                    self.view_changes.pop_first();
                }
            }
            _ => {}
        }
    }

    /// What was proposed for a place, in the order in which it was learnt.
    pub(crate) fn proposals(&self, view: View, seq: SeqNum) -> &[Digest] {
        self.proposals.get(&(seq, view)).map_or(&[], Vec::as_slice)
    }

    /// The VIEW-CHANGEs for a view, one of each author.
    pub(crate) fn view_changes(&self, view: View) -> impl Iterator<Item = &Arc<Signed<ViewChange>>> {
        self.view_changes.get(&view).into_iter().flat_map(BTreeMap::values)
    }
}
