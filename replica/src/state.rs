//! What all honest replicas have alike after a number: the service, and of each client the last request with its result.

use crate::config::ProtocolConfig;
use crate::digest::Digest;
use crate::service::{AnyService, Service};

/// A replica's state, and the copies that checkpoints keep of it (rules 10 and 19).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Snapshot {
    service: AnyService,
    /// By client, from the first client's id on.
    clients: Vec<Executed>,
    /// The sum of the entries' digests, kept up entry by entry, so that it costs as much as what changed.
    clients_digest: u64,
}

/// A client's last request that took effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Executed {
    pub(crate) timestamp: u64,
    pub(crate) result: u64,
}

impl Snapshot {
    /// The state before the first request.
    pub fn new(config: &ProtocolConfig) -> Snapshot {
        let clients = vec![Executed::default(); usize::from(config.clients)];
        Snapshot { service: AnyService::new(config.service), clients, clients_digest: 0 }
    }

    /// The last request of a client that took effect.
    #[inline]
    pub(crate) fn last_of(&self, client: usize) -> Executed {
        self.clients[client]
    }

    /// Carries out a request of a client and returns its result.
    pub(crate) fn execute(&mut self, client: usize, timestamp: u64, operation: u64, reads: bool) -> u64 {
        let result = if reads { self.service.read(operation) } else { self.service.execute(operation) };
        // Sums do not depend on the order.
        let digest = |entry: Executed| Digest::of([client as u64, entry.timestamp, entry.result]).0;
        let new = Executed { timestamp, result };
        let old = std::mem::replace(&mut self.clients[client], new);
        self.clients_digest = self.clients_digest.wrapping_sub(digest(old)).wrapping_add(digest(new));
        result
    }

    /// The result of an operation that only reads.
    pub(crate) fn read(&self, operation: u64) -> u64 {
        self.service.read(operation)
    }

    /// Whether it is a state of this cluster's: it has an entry for each client.
    pub(crate) fn fits(&self, config: &ProtocolConfig) -> bool {
        self.clients.len() == usize::from(config.clients)
    }

    /// The digest of service and client table (rule 19).
    pub fn digest(&self) -> Digest {
        Digest::of([self.service.digest().0, self.clients_digest])
    }

    /// Its length on the wire in bytes.
    pub fn size(&self) -> u64 {
        self.service.size() + 16 * self.clients.len() as u64
    }
}
