//! The attacks: one file each.

mod conflicting_votes;
mod equivocate;
mod fake_digest;
mod ignore;
mod silent;

pub(crate) use conflicting_votes::ConflictingVotes;
pub(crate) use equivocate::Equivocate;
pub(crate) use fake_digest::FakeDigest;
pub(crate) use ignore::Ignore;
pub(crate) use silent::Silent;
