//! Signatures by capability.
//!
//! A [`Signed`] statement can only be made with the [`Signer`] of its author, and its contents cannot be changed afterwards. Each
//! node holds its own signer, and the adversary those of the nodes that it plays; so nobody can forge, and checking a
//! signature is free. What real signatures cost is a matter of the modelled CPU.
//!
//! ```compile_fail
//! # use byzlab_replica::{Signed, Vote};
//! fn forge(vote: Vote) -> Signed<Vote> {
//!     Signed(vote) // the field is private
//! }
//! ```
//!
//! ```compile_fail
//! # use byzlab_replica::{Signed, Vote, SeqNum};
//! fn tamper(vote: &mut Signed<Vote>) {
//!     vote.seq = SeqNum(7); // a signed statement is read-only
//! }
//! ```

use byzlab_network::NodeId;
use std::ops::Deref;

/// Something that a node says of itself, and signs.
pub trait Statement {
    /// Who says it.
    fn author(&self) -> NodeId;

    /// Puts the signer's name under it. Only [`Signer::sign`] calls this.
    fn set_author(&mut self, author: NodeId);
}

/// The power to sign in the name of one node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signer {
    node: NodeId,
}

impl Signer {
    /// Deals out the signers of the nodes `0..nodes`, each once. Whoever sets up a run calls this, and hands each signer to
    /// the one who plays the node.
    pub fn deal(nodes: usize) -> impl Iterator<Item = Signer> {
        (0..nodes).map(|node| Signer { node: NodeId::new(node) })
    }

    /// For whom it signs.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Signs a statement, whatever author it named before.
    pub fn sign<T: Statement>(&self, mut statement: T) -> Signed<T> {
        statement.set_author(self.node);
        Signed(statement)
    }
}

/// A statement with the signature of its author.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signed<T>(T);

impl<T> Deref for Signed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
