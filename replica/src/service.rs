//! The replicated service: a counter that adds up what the operations say.

use crate::digest::Digest;

/// A deterministic state machine with a running sum as its state.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Counter {
    sum: u64,
}

impl Counter {
    /// Adds `operation` and returns the new sum (modulo 2⁶⁴).
    pub fn execute(&mut self, operation: u64) -> u64 {
        self.sum = self.sum.wrapping_add(operation);
        self.sum
    }

    /// The digest of the state.
    pub fn digest(&self) -> Digest {
        Digest::of([self.sum])
    }
}
