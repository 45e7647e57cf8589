//! The attacks: one file each, with its parameters and what it does.

mod bad_new_view;
mod conflicting_votes;
mod delay;
mod double_new_view;
mod equivocate;
mod fake_digest;
mod forge_checkpoint;
mod forged_certificate;
mod ignore;
mod mutate;
mod omit;
mod replay;
mod silent;
mod stale_view;
mod stop;
mod twins;
mod withhold_new_view;

pub use bad_new_view::BadNewView;
pub use conflicting_votes::ConflictingVotes;
pub use delay::Delay;
pub use double_new_view::DoubleNewView;
pub use equivocate::Equivocate;
pub use fake_digest::FakeDigest;
pub use forge_checkpoint::ForgeCheckpoint;
pub use forged_certificate::ForgedCertificate;
pub use ignore::Ignore;
pub use mutate::Mutate;
pub use omit::Omit;
pub use replay::Replay;
pub use silent::Silent;
pub use stale_view::StaleView;
pub use stop::Stop;
pub use twins::Twins;
pub use withhold_new_view::WithholdNewView;
