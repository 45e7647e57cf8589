//! `latency_parts.csv`: where the time of each request went.
//!
//! A row for each accepted request of an honest client, in the order of acceptance within a run, the runs in order.
//! The *critical path* of a request leads from its issue to its acceptance, always over what was waited for last: the
//! message that closed a quorum, the core that became free, the timer that expired. Each moment on it belongs to one
//! [`Part`], so the parts add up to the latency exactly.
//!
//! ```text
//! rows ──► writer ──► latency_parts.csv ──► reader ──► summary ──► render, plot
//! ```

mod reader;
mod summary;
mod writer;

use std::fmt;
use std::ops::{Index, IndexMut};

pub use reader::{LatencyPartsReader, PartsError, PartsProblem};
pub use summary::{PartMean, PartsSummary, summarize_parts};
pub use writer::LatencyPartsWriter;

/// The header of `latency_parts.csv`.
pub const LATENCY_PARTS_COLUMNS: [&str; 24] = [
    "cell",
    "run",
    "client",
    "seq",
    "issued_ns",
    "accepted_ns",
    "client_wait_ns",
    "net_request_ns",
    "net_pre_prepare_ns",
    "net_prepare_ns",
    "net_commit_ns",
    "net_reply_ns",
    "net_other_ns",
    "recovery_ns",
    "transmission_ns",
    "queue_ns",
    "cpu_wait_ns",
    "cpu_ns",
    "timer_ns",
    "order_ns",
    "prepare_from",
    "commit_from",
    "reply_from",
    "path",
];

/// The first of the columns that hold the parts.
const FIRST_PART: usize = 6;

/// Declares the parts together with their names and what they are.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident = $name:literal, $description:literal;)*) => {
        /// On what a request spends time, in the order of the columns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Part { $($(#[$doc])* $part,)* }

        impl Part {
            /// Every part.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$part,)*];

            /// The name in tables; the column in the file has `_ns` behind it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$part => $name,)* }
            }

            /// What it is, in a few words.
            pub fn description(self) -> &'static str {
                match self { $(Self::$part => $description,)* }
            }
        }
    };
}

parts! {
    /// The request waits at its client for the one before it.
    ClientWait = "client_wait", "waiting at the client";
    /// Propagation of the request, with jitter.
    NetRequest = "net_request", "request on its way";
    /// Propagation of the pre-prepare, with jitter.
    NetPrePrepare = "net_pre_prepare", "pre-prepare on its way";
    /// Propagation of the prepare that closed the quorum, with jitter.
    NetPrepare = "net_prepare", "prepare on its way";
    /// Propagation of the commit that closed the quorum, with jitter.
    NetCommit = "net_commit", "commit on its way";
    /// Propagation of the reply that closed the quorum, with jitter.
    NetReply = "net_reply", "reply on its way";
    /// Propagation of any other message, with jitter.
    NetOther = "net_other", "other messages on their way";
    /// Retransmission timeouts and holds: lost, cut or held messages.
    Recovery = "recovery", "lost, cut or held messages";
    /// Bits put on the wire.
    Transmission = "transmission", "bits put on the wire";
    /// Waiting in egress, link and ingress queues.
    Queue = "queue", "queues of the network";
    /// Waiting for a core.
    CpuWait = "cpu_wait", "waiting for a core";
    /// Work of a core.
    Cpu = "cpu", "work of a core";
    /// Waiting for a timer: batch, request, view or client.
    Timer = "timer", "waiting for a timer";
    /// Waiting for earlier batches, or for a place in the pipeline.
    Order = "order", "earlier batches, full pipeline";
}

impl Part {
    /// Number of parts.
    pub const COUNT: usize = 14;
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How long each part took, in nanoseconds.
///
/// ```
/// use byzlab_analysis::{Part, PartTimes};
/// let mut times = PartTimes::default();
/// times[Part::NetRequest] += 7;
/// times[Part::Cpu] += 3;
/// assert_eq!(times.sum(), Some(10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartTimes([u64; Part::COUNT]);

impl PartTimes {
    /// All parts together; `None` if that is more than 2^64 − 1 ns.
    pub fn sum(&self) -> Option<u64> {
        self.0.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part))
    }
}

impl Index<Part> for PartTimes {
    type Output = u64;

    fn index(&self, part: Part) -> &u64 {
        &self.0[part as usize]
    }
}

impl IndexMut<Part> for PartTimes {
    fn index_mut(&mut self, part: Part) -> &mut u64 {
        &mut self.0[part as usize]
    }
}

/// One row of `latency_parts.csv`; borrowed, so that neither writing nor reading allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyParts<'a> {
    /// Index of the cell (combination of swept parameters).
    pub cell: u32,
    /// Index of the run (replication) in its cell.
    pub run: u32,
    /// The client, as a node.
    pub client: u32,
    /// The client's number of the request.
    pub seq: u64,
    /// When it was issued: virtual time since the start of the run, in nanoseconds.
    pub issued_ns: u64,
    /// When its result was accepted, likewise.
    pub accepted_ns: u64,
    /// The parts of the time between the two; they add up to it.
    pub parts: PartTimes,
    /// The node whose prepare closed the quorum on the path, if one did.
    pub prepare_from: Option<u32>,
    /// The node whose commit closed the quorum on the path, if one did.
    pub commit_from: Option<u32>,
    /// The node whose reply closed the quorum on the path, if one did.
    pub reply_from: Option<u32>,
    /// Nodes and messages of the path in turn, such as `4 request 0 pre_prepare 2 prepare 1 commit 3 reply 4`; without
    /// comma, quote or control character.
    pub path: &'a str,
}

impl LatencyParts<'_> {
    /// The time from issue to acceptance, in nanoseconds, if the parts add up to it.
    fn latency_ns(&self) -> Result<u64, PartsProblem> {
        let latency = self.accepted_ns.checked_sub(self.issued_ns);
        let (issued, accepted) = (self.issued_ns, self.accepted_ns);
        let latency = latency.ok_or(PartsProblem::AcceptedBeforeIssued { issued, accepted })?;
        match self.parts.sum() {
            Some(sum) if sum == latency => Ok(latency),
            sum => Err(PartsProblem::Sum { sum, latency }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_parts_agree() {
        for (part, column) in Part::ALL.iter().zip(&LATENCY_PARTS_COLUMNS[FIRST_PART..]) {
            assert_eq!(format!("{part}_ns"), *column);
        }
        assert_eq!(LATENCY_PARTS_COLUMNS[FIRST_PART + Part::COUNT], "prepare_from");
    }
}
