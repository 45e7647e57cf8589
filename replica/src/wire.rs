//! Sizes on the wire, and who proves what: `docs/network.md` has the table.
//!
//! Messages here are a few words in memory. What they would weigh is modelled: Ed25519 signatures, or HMACs as in section 5 of OSDI
//! 1999, SHA-256 digests, and 8 bytes for a number. Frames of Ethernet, IP and TCP are not counted.

use crate::certificate::Certificate;
use crate::message::{Batch, Message, MessageKind, Request};
use crate::transfer::Content;
use crate::view_change::ViewChange;

/// How messages prove who wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Authentication {
    /// By a signature (section 4 of the paper).
    #[default]
    Signature,
    /// By MACs: one for each replica where a message goes to all or is passed on (an authenticator), else a single one (section 5).
    ///
    /// VIEW-CHANGE and NEW-VIEW are signed all the same. So are certificates, wherever they stand: a simplification, as if each vote
    /// of a certificate had been signed on the side. A MAC proves nothing to others.
    Mac,
}

/// What messages weigh on the wire, and what they carry to prove who wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wire {
    authentication: Authentication,
    replicas: u16,
}

/// How many proofs of authorship are made or checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Proofs {
    /// Signatures.
    pub signatures: u64,
    /// MACs.
    pub macs: u64,
}

impl Proofs {
    const SIGNATURE: Proofs = Proofs { signatures: 1, macs: 0 };

    fn plus(self, other: Proofs) -> Proofs {
        Proofs { signatures: self.signatures + other.signatures, macs: self.macs + other.macs }
    }

    fn times(self, count: usize) -> Proofs {
        Proofs { signatures: self.signatures * count as u64, macs: self.macs * count as u64 }
    }
}

/// Kind, author and length.
const HEADER: u64 = 8;
/// An Ed25519 signature.
const SIGNATURE: u64 = 64;
/// HMAC-SHA-256-128 (RFC 4868).
const MAC: u64 = 16;
/// A SHA-256 digest.
const DIGEST: u64 = 32;
/// A view, a sequence number, a request number, a result: 8 bytes each.
const WORD: u64 = 8;
/// What each signed statement has.
const SIGNED: u64 = HEADER + SIGNATURE;
/// What a vote says: view, sequence number and digest.
const VOTE: u64 = 2 * WORD + DIGEST;

/// What stands under a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seal {
    Signature,
    /// A MAC for each replica.
    Authenticator,
    /// A MAC for the one whom it is for.
    Single,
}

impl Wire {
    /// With signatures, which weigh the same in any cluster.
    pub const SIGNED: Wire = Wire { authentication: Authentication::Signature, replicas: 0 };

    /// Messages of a cluster of so many replicas.
    pub fn new(authentication: Authentication, replicas: u16) -> Wire {
        Wire { authentication, replicas }
    }

    /// How messages prove who wrote them.
    pub fn authentication(self) -> Authentication {
        self.authentication
    }

    /// The message's length in bytes.
    #[inline]
    pub fn size(self, message: &Message) -> u64 {
        let sealed = HEADER + self.seal_size(message.kind());
        match message {
            Message::Vote(_) => sealed + VOTE,
            Message::Request(request) | Message::Read(request) => self.request_size(request),
            // And the nonce.
            Message::PrePrepare(pre_prepare) => sealed + VOTE + WORD + self.batch_size(&pre_prepare.batch),
            // View, request number and result; of a read the number of its state.
            Message::Reply(reply) => {
                let words = 3 + u64::from(reply.read_at.is_some());
                sealed + words * WORD + u64::from(reply.payload)
            }
            Message::ViewChange(change) => view_change_size(change),
            Message::NewView(new_view) => {
                let changes: u64 = new_view.view_changes.iter().map(|change| view_change_size(change)).sum();
                sealed + WORD + changes + (SIGNED + VOTE) * new_view.order.len() as u64
            }
            // View, last number executed, and a bit for each proposal.
            Message::Status(status) => sealed + 3 * WORD + status.stable.as_ref().map_or(0, certificate_size),
            Message::Fetch(_) => sealed + WORD + DIGEST,
            Message::State(state) => {
                sealed
                    + match &state.content {
                        Content::Batch { batch, .. } => 2 * WORD + self.batch_size(batch),
                        Content::Committed { proof, batch } => certificate_size(proof) + self.batch_size(batch),
                        Content::Checkpoint { proof, snapshot } => certificate_size(proof) + snapshot.size(),
                    }
            }
        }
    }

    /// What its author has to make: for each statement one signature, one MAC, or a MAC for each replica. What it passes on of others
    /// is made already.
    pub fn made(self, message: &Message) -> Proofs {
        match self.seal(message.kind()) {
            Seal::Signature => Proofs::SIGNATURE,
            Seal::Authenticator => Proofs { signatures: 0, macs: u64::from(self.replicas) },
            Seal::Single => Proofs { signatures: 0, macs: 1 },
        }
    }

    /// What its receiver has to check: one signature or MAC for each statement, those of the requests in a batch included, and each
    /// signature of a certificate.
    pub fn checked(self, message: &Message) -> Proofs {
        let own = self.check_of(message.kind());
        match message {
            Message::Vote(_) | Message::Request(_) | Message::Read(_) | Message::Reply(_) | Message::Fetch(_) => own,
            Message::PrePrepare(pre_prepare) => own.plus(self.checked_of_batch(&pre_prepare.batch)),
            Message::ViewChange(change) => checked_of_view_change(change),
            Message::NewView(new_view) => {
                let changes = new_view.view_changes.iter().map(|change| checked_of_view_change(change));
                let order = Proofs::SIGNATURE.times(new_view.order.len());
                changes.fold(own.plus(order), Proofs::plus)
            }
            Message::Status(status) => own.plus(status.stable.as_ref().map_or_else(Proofs::default, signatures_of)),
            Message::State(state) => own.plus(match &state.content {
                Content::Batch { batch, .. } => self.checked_of_batch(batch),
                Content::Committed { proof, batch } => signatures_of(proof).plus(self.checked_of_batch(batch)),
                Content::Checkpoint { proof, .. } => signatures_of(proof),
            }),
        }
    }

    #[inline]
    fn seal(self, kind: MessageKind) -> Seal {
        match (self.authentication, kind) {
            (Authentication::Signature, _) | (_, MessageKind::ViewChange | MessageKind::NewView) => Seal::Signature,
            (_, MessageKind::Reply | MessageKind::Fetch | MessageKind::State) => Seal::Single,
            _ => Seal::Authenticator,
        }
    }

    #[inline]
    fn seal_size(self, kind: MessageKind) -> u64 {
        match self.seal(kind) {
            Seal::Signature => SIGNATURE,
            Seal::Authenticator => MAC * u64::from(self.replicas),
            Seal::Single => MAC,
        }
    }

    /// What one receiver checks of a statement: of an authenticator only its own MAC.
    fn check_of(self, kind: MessageKind) -> Proofs {
        match self.seal(kind) {
            Seal::Signature => Proofs::SIGNATURE,
            Seal::Authenticator | Seal::Single => Proofs { signatures: 0, macs: 1 },
        }
    }

    fn request_size(self, request: &Request) -> u64 {
        // The request number and the operation.
        HEADER + self.seal_size(MessageKind::Request) + 2 * WORD + u64::from(request.payload)
    }

    fn batch_size(self, batch: &Batch) -> u64 {
        batch.requests().iter().map(|request| self.request_size(request)).sum()
    }

    fn checked_of_batch(self, batch: &Batch) -> Proofs {
        self.check_of(MessageKind::Request).times(batch.requests().len())
    }
}

/// A statement of the size of a vote, once, and a signature with its signer's name for each.
fn certificate_size(certificate: &Certificate) -> u64 {
    VOTE + SIGNED * u64::from(certificate.signers().len())
}

fn signatures_of(certificate: &Certificate) -> Proofs {
    Proofs::SIGNATURE.times(usize::from(certificate.signers().len()))
}

fn view_change_size(change: &ViewChange) -> u64 {
    let checkpoint = change.checkpoint.as_ref().map_or(0, certificate_size);
    let prepared = change.prepared.iter().map(|prepared| SIGNED + VOTE + certificate_size(&prepared.prepares));
    // View and stable checkpoint.
    SIGNED + 2 * WORD + checkpoint + prepared.sum::<u64>()
}

/// Its own signature, those of the checkpoint, and of each certificate the primary's and the backups'.
fn checked_of_view_change(change: &ViewChange) -> Proofs {
    let checkpoint = change.checkpoint.as_ref().map_or_else(Proofs::default, signatures_of);
    let prepared = change.prepared.iter().map(|prepared| Proofs::SIGNATURE.plus(signatures_of(&prepared.prepares)));
    prepared.fold(Proofs::SIGNATURE.plus(checkpoint), Proofs::plus)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
