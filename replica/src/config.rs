//! What all nodes of a cluster agree on.

use crate::message::{Batch, SeqNum};
use crate::quorum::Cluster;
use byzlab_network::{NodeId, Recipients, Span};
use std::num::{NonZeroU64, NonZeroUsize};

/// The protocol's parameters, the same at every node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ProtocolConfig {
    /// n and f.
    pub cluster: Cluster,
    /// How many clients there are; their ids follow those of the replicas.
    pub clients: u16,
    /// K: a checkpoint each so many sequence numbers.
    pub checkpoint_interval: NonZeroU64,
    /// L: how far beyond the last stable checkpoint numbers may be assigned. At least K, better 2K: else a primary that
    /// moved first proposes what its backups still discard.
    pub log_window: NonZeroU64,
    /// A batch closes when so many requests wait,
    pub batch_size: NonZeroUsize,
    /// or when the first of them has waited so long.
    pub batch_delay: Span,
    /// No batch is proposed while so many are not executed.
    pub max_in_flight: NonZeroU64,
    /// The size of a result in bytes.
    pub reply_payload: u32,
}

impl ProtocolConfig {
    /// The place of a client in tables; none if the node is not a client.
    #[inline]
    pub fn client_index(&self, node: NodeId) -> Option<usize> {
        let index = node.0.checked_sub(self.cluster.replicas())?;
        (index < self.clients).then_some(usize::from(index))
    }

    /// Whether all requests of a batch come from clients of this cluster.
    pub(crate) fn knows_clients_of(&self, batch: &Batch) -> bool {
        batch.requests().iter().all(|request| self.client_index(request.client).is_some())
    }

    /// Whether a checkpoint is due after this sequence number.
    pub(crate) fn is_checkpoint(&self, seq: SeqNum) -> bool {
        seq.0.is_multiple_of(self.checkpoint_interval.get())
    }

    /// All replicas but the sender.
    pub(crate) fn other_replicas(&self) -> Recipients {
        Recipients::OthersBelow(NodeId(self.cluster.replicas()))
    }
}
