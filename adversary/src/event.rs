//! What the nodes of a run with an adversary report.

use byzlab_replica as replica;

/// Something that happened in a run with an adversary.
///
/// A corrupted node reports only the last two, and what it proposes: its state is nobody's business.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// An event of the protocol.
    Protocol(replica::Event),
    /// The node was corrupted.
    Corrupt,
    /// The attack of this name changed something.
    Attack(&'static str),
}

impl From<replica::Event> for Event {
    fn from(event: replica::Event) -> Event {
        Event::Protocol(event)
    }
}
