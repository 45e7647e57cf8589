//! The attacks: one file each, with its parameters and what it does.

mod bad_authenticator;
mod bad_new_view;
mod chase_primary;
mod conflicting_votes;
mod corrupt_at;
mod delay;
mod double_new_view;
mod eclipse;
mod equivocate;
mod fake_digest;
mod forge_checkpoint;
mod forged_certificate;
mod ignore;
mod in_dark;
mod isolate;
mod mutate;
mod omit;
mod partition;
mod primary_votes;
mod replay;
mod request_flood;
mod silent;
mod slow_cpu;
mod slow_primary;
mod stale_view;
mod stall_quorum;
mod starve;
mod stop;
mod target_links;
mod twins;
mod view_change_spam;
mod withhold_new_view;

pub use bad_authenticator::BadAuthenticator;
pub use bad_new_view::BadNewView;
pub use chase_primary::ChasePrimary;
pub use conflicting_votes::ConflictingVotes;
pub use corrupt_at::CorruptAt;
pub use delay::Delay;
pub use double_new_view::DoubleNewView;
pub use eclipse::Eclipse;
pub use equivocate::Equivocate;
pub use fake_digest::FakeDigest;
pub use forge_checkpoint::ForgeCheckpoint;
pub use forged_certificate::ForgedCertificate;
pub use ignore::Ignore;
pub use in_dark::InDark;
pub use isolate::Isolate;
pub use mutate::Mutate;
pub use omit::Omit;
pub use partition::Partition;
pub use primary_votes::PrimaryVotes;
pub use replay::Replay;
pub use request_flood::RequestFlood;
pub use silent::Silent;
pub use slow_cpu::SlowCpu;
pub use slow_primary::SlowPrimary;
pub use stale_view::StaleView;
pub use stall_quorum::StallQuorum;
pub use starve::Starve;
pub use stop::Stop;
pub use target_links::TargetLinks;
pub use twins::Twins;
pub use view_change_spam::ViewChangeSpam;
pub use withhold_new_view::WithholdNewView;

use byzlab_network::{Span, Time};

/// The next of the beats that come so many times a second, after the last one.
fn next_beat(last: Option<Time>, rate: f64) -> Time {
    last.unwrap_or(Time::START) + Span::from_nanos((1e9 / rate).round().max(1.0) as u64)
}
