//! The attacks: one file each, with its parameters and what it does.

mod conflicting_votes;
mod delay;
mod equivocate;
mod fake_digest;
mod ignore;
mod mutate;
mod omit;
mod silent;
mod stop;

pub use conflicting_votes::ConflictingVotes;
pub use delay::Delay;
pub use equivocate::Equivocate;
pub use fake_digest::FakeDigest;
pub use ignore::Ignore;
pub use mutate::Mutate;
pub use omit::Omit;
pub use silent::Silent;
pub use stop::Stop;
