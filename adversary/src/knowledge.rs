//! What the corrupted nodes have seen: common to all of them at once.

use byzlab_network::NodeId;
use byzlab_replica::{Digest, Message, ProtocolConfig, SeqNum, Signed, Slot, View, ViewChange};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What the corrupted nodes know of the run, beyond what each state machine knows by itself. It holds nothing that a liar can make up:
/// whatever passes is looked at as an honest replica would.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    proposals: BTreeMap<(SeqNum, View), Vec<Digest>>,
    /// The places of `proposals`, in the order in which they were learnt.
    places: VecDeque<(SeqNum, View)>,
    /// The latest view that is known to have begun.
    pub(crate) view: View,
    /// Of each view the valid VIEW-CHANGEs for it, by author: of those that have not begun, the next ones.
    view_changes: BTreeMap<View, BTreeMap<NodeId, Arc<Signed<ViewChange>>>>,
}

impl Knowledge {
    /// What was learnt first is forgotten when there are so many places,
    const PLACES: usize = 1024;
    /// and what is for the latest views when there are so many.
    const VIEWS: usize = 8;

    /// Learns from a message that a corrupted node sent or received.
    pub(crate) fn learn(&mut self, message: &Message, config: &ProtocolConfig) {
        match message {
            Message::PrePrepare(pre_prepare) => {
                let Slot { view, seq, digest } = pre_prepare.slot();
                let digests = self.proposals.entry((seq, view)).or_default();
                if digests.is_empty() {
                    self.places.push_back((seq, view));
                }
                if !digests.contains(&digest) {
                    digests.push(digest);
                }
                if self.places.len() > Knowledge::PLACES
                    && let Some(oldest) = self.places.pop_front()
                {
                    self.proposals.remove(&oldest);
                }
            }
            Message::NewView(new_view) if new_view.view > self.view && new_view.check(config).is_some() => {
                self.view = new_view.view;
            }
            Message::ViewChange(change) if change.view >= self.view && change.is_valid(config) => {
                let changes = self.view_changes.entry(change.view).or_default();
                changes.entry(change.replica).or_insert_with(|| Arc::clone(change));
                if self.view_changes.len() > Knowledge::VIEWS {
                    self.forget_a_view();
                }
            }
            _ => {}
        }
    }

    fn forget_a_view(&mut self) {
        match self.view_changes.first_key_value() {
            Some((&first, _)) if first < self.view => _ = self.view_changes.pop_first(),
            _ => _ = self.view_changes.pop_last(),
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
