//! What all nodes of a cluster agree on.

use crate::defects::{Defect, Defects};
use crate::message::{Authenticator, Batch, Request, SeqNum};
use crate::quorum::Cluster;
use crate::service::ServiceKind;
use crate::wire::{Authentication, Wire};
use byzlab_network::{NodeId, Recipients, Span};
use std::num::{NonZeroU64, NonZeroUsize};

/// The protocol's parameters, the same at every node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ProtocolConfig {
    /// n and f.
    pub cluster: Cluster,
    /// How many clients there are; their ids follow those of the replicas.
    pub clients: u16,
    /// Whether replicas ever leave a view. Without that a faulty primary stops its requests for good.
    pub view_change: bool,
    /// T: how long a backup waits for a request that it knows of to execute.
    pub request_timeout: Span,
    /// How long a replica waits for a new view once a quorum wants it. Doubles with each view in a row that fails.
    pub view_change_timeout: Span,
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
    /// How long a replica that waits stays still before it says what it lacks, each time.
    pub status_interval: Span,
    /// Whether replicas execute what is prepared, before it is committed (rule 28).
    pub tentative: bool,
    /// Whether requests that only read are answered without being ordered (rule 29).
    pub read_only: bool,
    /// What is replicated.
    pub service: ServiceKind,
    /// The size of a result in bytes.
    pub reply_payload: u32,
    /// How messages prove who wrote them. It decides about sizes and costs, and whether a client can make requests that only one
    /// replica can verify.
    pub authentication: Authentication,
    /// None, but for builds that plant one.
    pub defects: Defects,
}

impl ProtocolConfig {
    /// A cluster with its clients, and the defaults of everything else: both timeouts 500 ms, K = 100, L = 400, batches of one,
    /// up to 400 of them in flight, a status each second, the counter as service, signatures, no options.
    pub fn new(cluster: Cluster, clients: u16) -> ProtocolConfig {
        const K: NonZeroU64 = NonZeroU64::new(100).unwrap();
        const L: NonZeroU64 = NonZeroU64::new(400).unwrap();
        ProtocolConfig {
            cluster,
            clients,
            view_change: true,
            request_timeout: Span::from_millis(500),
            view_change_timeout: Span::from_millis(500),
            checkpoint_interval: K,
            log_window: L,
            batch_size: NonZeroUsize::MIN,
            batch_delay: Span::ZERO,
            max_in_flight: L,
            status_interval: Span::from_millis(1000),
            tentative: false,
            read_only: false,
            service: ServiceKind::default(),
            reply_payload: 0,
            authentication: Authentication::default(),
            defects: Defects::default(),
        }
    }

    /// What the cluster's messages weigh.
    pub fn wire(&self) -> Wire {
        Wire::new(self.authentication, self.cluster.replicas())
    }

    /// How many COMMITs commit: Q (rule 7).
    #[inline]
    pub(crate) fn commit_quorum(&self) -> u16 {
        if self.defects.has(Defect::CommitQuorum2f) { 2 * self.cluster.faults() } else { self.cluster.quorum() }
    }

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

    /// Whether a replica can verify by itself that a request is its client's.
    #[inline]
    pub(crate) fn can_verify(&self, replica: NodeId, request: &Request) -> bool {
        request.authenticator == Authenticator::All
            || self.authentication == Authentication::Signature
            || request.authenticator == Authenticator::Only(replica)
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
