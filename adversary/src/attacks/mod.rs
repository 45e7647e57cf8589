//! The attacks: one file each, with its parameters and what it does.

mod bad_authenticator;
mod conflicting_votes;
mod delay;
mod equivocate;
mod fake_digest;
mod ignore;
mod in_dark;
mod mutate;
mod omit;
mod request_flood;
mod silent;
mod slow_cpu;
mod slow_primary;
mod stall_quorum;
mod starve;
mod stop;
mod view_change_spam;

pub use bad_authenticator::BadAuthenticator;
pub use conflicting_votes::ConflictingVotes;
pub use delay::Delay;
pub use equivocate::Equivocate;
pub use fake_digest::FakeDigest;
pub use ignore::Ignore;
pub use in_dark::InDark;
pub use mutate::Mutate;
pub use omit::Omit;
pub use request_flood::RequestFlood;
pub use silent::Silent;
pub use slow_cpu::SlowCpu;
pub use slow_primary::SlowPrimary;
pub use stall_quorum::StallQuorum;
pub use starve::Starve;
pub use stop::Stop;
pub use view_change_spam::ViewChangeSpam;

use byzlab_network::{Span, Time};

/// The next of the beats that come so many times a second, after the last one.
fn next_beat(last: Option<Time>, rate: f64) -> Time {
    last.unwrap_or(Time::START) + Span::from_nanos((1e9 / rate).round().max(1.0) as u64)
}
