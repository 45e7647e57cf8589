//! The attacks: one file each, with its parameters and what it does.

mod chase_primary;
mod conflicting_votes;
mod corrupt_at;
mod delay;
mod eclipse;
mod equivocate;
mod fake_digest;
mod ignore;
mod isolate;
mod mutate;
mod omit;
mod partition;
mod silent;
mod stop;
mod target_links;

pub use chase_primary::ChasePrimary;
pub use conflicting_votes::ConflictingVotes;
pub use corrupt_at::CorruptAt;
pub use delay::Delay;
pub use eclipse::Eclipse;
pub use equivocate::Equivocate;
pub use fake_digest::FakeDigest;
pub use ignore::Ignore;
pub use isolate::Isolate;
pub use mutate::Mutate;
pub use omit::Omit;
pub use partition::Partition;
pub use silent::Silent;
pub use stop::Stop;
pub use target_links::TargetLinks;
