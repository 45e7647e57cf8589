//! The replicated service: any deterministic state machine behind a small trait.

use crate::digest::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A deterministic service. What an operation means is the service's own affair.
pub trait Service {
    /// Carries out an operation and returns its result.
    fn execute(&mut self, operation: u64) -> u64;

    /// The result of an operation that only reads: it changes nothing.
    fn read(&self, operation: u64) -> u64;

    /// The digest of the whole state. Equal states have equal digests.
    fn digest(&self) -> Digest;

    /// The length of the state on the wire in bytes.
    fn size(&self) -> u64;
}

/// The services that an experiment can choose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum ServiceKind {
    /// [`Counter`].
    #[default]
    Counter,
    /// [`KeyValue`].
    KeyValue,
    /// [`Null`].
    Null,
}

/// A counter that adds up what the operations say.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Counter {
    sum: u64,
}

impl Service for Counter {
    /// Adds `operation` and returns the new sum (modulo 2⁶⁴).
    fn execute(&mut self, operation: u64) -> u64 {
        self.sum = self.sum.wrapping_add(operation);
        self.sum
    }

    /// The sum.
    fn read(&self, _: u64) -> u64 {
        self.sum
    }

    fn digest(&self) -> Digest {
        Digest::of([self.sum])
    }

    fn size(&self) -> u64 {
        8
    }
}

/// A store of 1,024 keys. The lowest ten bits of an operation are its key, all of it is the value to be stored.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct KeyValue {
    /// Shared with the checkpoints that were taken of it, until it is written to.
    values: Arc<BTreeMap<u16, u64>>,
    /// The sum of the entries' digests, kept up write by write.
    digest: u64,
}

impl KeyValue {
    fn key(operation: u64) -> u16 {
        (operation % 1024) as u16
    }

    fn entry_digest(key: u16, value: u64) -> u64 {
        Digest::of([u64::from(key), value]).0
    }
}

impl Service for KeyValue {
    /// Stores the value and returns the one before it; 0 if there was none.
    fn execute(&mut self, operation: u64) -> u64 {
        let key = KeyValue::key(operation);
        let before = Arc::make_mut(&mut self.values).insert(key, operation);
        if let Some(before) = before {
            self.digest = self.digest.wrapping_sub(KeyValue::entry_digest(key, before));
        }
        self.digest = self.digest.wrapping_add(KeyValue::entry_digest(key, operation));
        before.unwrap_or(0)
    }

    /// The value under the operation's key; 0 if there is none.
    fn read(&self, operation: u64) -> u64 {
        self.values.get(&KeyValue::key(operation)).copied().unwrap_or(0)
    }

    fn digest(&self) -> Digest {
        Digest::of([self.digest, self.values.len() as u64])
    }

    fn size(&self) -> u64 {
        16 * self.values.len() as u64
    }
}

/// A service without state, whose results are all 0: for measuring agreement alone.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Null;

impl Service for Null {
    fn execute(&mut self, _: u64) -> u64 {
        0
    }

    fn read(&self, _: u64) -> u64 {
        0
    }

    fn digest(&self) -> Digest {
        Digest::of([])
    }

    fn size(&self) -> u64 {
        0
    }
}

/// One of the services. An enum and not a box, so that the state can be cloned, compared and hashed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum AnyService {
    Counter(Counter),
    KeyValue(KeyValue),
    Null(Null),
}

impl AnyService {
    pub(crate) fn new(kind: ServiceKind) -> AnyService {
        match kind {
            ServiceKind::Counter => AnyService::Counter(Counter::default()),
            ServiceKind::KeyValue => AnyService::KeyValue(KeyValue::default()),
            ServiceKind::Null => AnyService::Null(Null),
        }
    }

    fn get(&self) -> &dyn Service {
        match self {
            AnyService::Counter(service) => service,
            AnyService::KeyValue(service) => service,
            AnyService::Null(service) => service,
        }
    }
}

impl Service for AnyService {
    fn execute(&mut self, operation: u64) -> u64 {
        match self {
            AnyService::Counter(service) => service.execute(operation),
            AnyService::KeyValue(service) => service.execute(operation),
            AnyService::Null(service) => service.execute(operation),
        }
    }

    fn read(&self, operation: u64) -> u64 {
        self.get().read(operation)
    }

    fn digest(&self) -> Digest {
        self.get().digest()
    }

    fn size(&self) -> u64 {
        self.get().size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_changes_nothing_and_writing_changes_the_digest() {
        for kind in [ServiceKind::Counter, ServiceKind::KeyValue] {
            let mut service = AnyService::new(kind);
            let empty = service.clone();
            assert_eq!(service.read(1025), 0);
            assert_eq!(service, empty);
            service.execute(1025);
            assert_ne!(service.digest(), empty.digest(), "{kind:?}");
            assert_eq!(service.read(1), 1025, "{kind:?}");
        }
        assert_eq!(Null.execute(7), 0);
    }

    #[test]
    fn the_digest_of_the_store_depends_on_its_contents_alone() {
        let store = |operations: &[u64]| {
            let mut store = KeyValue::default();
            for &operation in operations {
                store.execute(operation);
            }
            store
        };
        let (one, other) = (store(&[1025, 2]), store(&[1, 2, 1025]));
        assert_eq!((one.digest(), one.size()), (other.digest(), 32));
        assert_ne!(store(&[1, 2]).digest(), one.digest());
        assert_eq!(store(&[1]).execute(1025), 1, "the value before");
    }
}
