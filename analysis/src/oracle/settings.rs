//! What the oracles must know of a run beforehand.

use super::{Invariant, InvariantSet};

/// What the oracles must know of a run beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleSettings {
    /// n: the number of replicas, at least 1; they are the nodes below that.
    pub replicas: u32,
    /// f: the number of faults that the quorums are sized for.
    pub faults: u32,
    /// K: every K-th number is a checkpoint; 0 if any may be.
    pub checkpoint_interval: u64,
    /// L: how far beyond its last stable checkpoint a replica takes part.
    pub log_window: u64,
    /// Whether replicas may execute what is prepared and roll it back. Then an execution counts once its replica has committed.
    pub tentative_execution: bool,
    /// Whether replicas may answer a read without ordering it. Then only replies tell where an accepted result comes from.
    pub unordered_reads: bool,
    /// Which invariants to judge.
    pub enabled: InvariantSet,
    /// Which rows there are.
    pub detail: Detail,
    /// What I11 goes by.
    pub liveness: Liveness,
}

impl OracleSettings {
    /// Settings for n replicas and f faults that judge everything that needs no bound, in process, with the usual K = 100 and
    /// L = 400.
    pub fn new(replicas: u32, faults: u32) -> Self {
        Self {
            replicas,
            faults,
            checkpoint_interval: 100,
            log_window: 400,
            tentative_execution: false,
            unordered_reads: false,
            enabled: InvariantSet::ALL,
            detail: Detail::InProcess,
            liveness: Liveness::NotJudged("no bound was given".to_owned()),
        }
    }
}

/// Which rows the oracles get to see: the setting `[output] events` of a log, or everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// No rows: nothing can be judged.
    None,
    /// What nodes do, but no messages.
    Protocol,
    /// Messages too.
    Messages,
    /// What nodes do, and each honest replica's replies as `send` rows: node, client as `peer`, request number as `seq`, the
    /// result's digest as `value`.
    InProcess,
}

impl Detail {
    /// Whether the replies of replicas can be seen.
    pub fn has_replies(self) -> bool {
        matches!(self, Self::Messages | Self::InProcess)
    }

    /// Why an invariant cannot be judged by these rows.
    pub(super) fn reason(self, invariant: Invariant) -> Option<&'static str> {
        match (self, invariant) {
            (Self::None, _) => Some("the log has no events: `[output] events = \"none\"`"),
            (Self::Protocol, Invariant::I5) => Some(
                "the log has no replies: with `[output] events = \"protocol\"` only the order of accepted requests can be \
                 checked, and that was right",
            ),
            _ => None,
        }
    }
}

/// By when requests are to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Within a bound after they were issued, or after the network became stable.
    Judge {
        /// From here on nothing is lost, held or cut off by chance.
        stabilised_ns: u64,
        /// The bound.
        bound_ns: u64,
    },
    /// It is not promised, for this reason.
    NotJudged(String),
}
