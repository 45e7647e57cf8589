//! The metrics: which moments they lie between, their names and units.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// What is measured in a run: a latency between two moments, or the throughput. Always virtual time, honest nodes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// `propose` to `committed` at one replica; a sample a replica.
    ReplicaCommit,
    /// `propose` to the first replica's `committed`.
    FirstCommit,
    /// `propose` to the moment a quorum of replicas has committed.
    QuorumCommit,
    /// `propose` to the last replica's `committed`.
    AllCommit,
    /// `request` to `reply`.
    Client,
    /// Accepted requests a second, from the end of the warm-up to the last acceptance.
    Throughput,
    /// Like `replica_commit`, from the earliest `request` of the batch.
    ReplicaCommitFromRequest,
    /// Like `first_commit`, from the earliest `request` of the batch.
    FirstCommitFromRequest,
    /// Like `quorum_commit`, from the earliest `request` of the batch.
    QuorumCommitFromRequest,
    /// Like `all_commit`, from the earliest `request` of the batch.
    AllCommitFromRequest,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 10] = [
        Self::ReplicaCommit,
        Self::FirstCommit,
        Self::QuorumCommit,
        Self::AllCommit,
        Self::Client,
        Self::Throughput,
        Self::ReplicaCommitFromRequest,
        Self::FirstCommitFromRequest,
        Self::QuorumCommitFromRequest,
        Self::AllCommitFromRequest,
    ];

    /// The name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReplicaCommit => "replica_commit",
            Self::FirstCommit => "first_commit",
            Self::QuorumCommit => "quorum_commit",
            Self::AllCommit => "all_commit",
            Self::Client => "client",
            Self::Throughput => "throughput",
            Self::ReplicaCommitFromRequest => "replica_commit_from_request",
            Self::FirstCommitFromRequest => "first_commit_from_request",
            Self::QuorumCommitFromRequest => "quorum_commit_from_request",
            Self::AllCommitFromRequest => "all_commit_from_request",
        }
    }

    /// What lies in it, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::ReplicaCommit => "propose to commit, mean of the honest replicas",
            Self::FirstCommit => "propose to the first honest replica's commit",
            Self::QuorumCommit => "propose to the commit of a quorum",
            Self::AllCommit => "propose to the last honest replica's commit",
            Self::Client => "request to reply",
            Self::Throughput => "requests accepted a second, from the end of the warm-up to the last acceptance",
            Self::ReplicaCommitFromRequest => "request to commit, mean of the honest replicas",
            Self::FirstCommitFromRequest => "request to the first honest replica's commit",
            Self::QuorumCommitFromRequest => "request to the commit of a quorum",
            Self::AllCommitFromRequest => "request to the last honest replica's commit",
        }
    }

    /// Unit of its values: `ms` or `requests/s`, both of virtual time.
    pub fn unit(self) -> &'static str {
        if self == Self::Throughput { "requests/s" } else { "ms" }
    }

    /// `throughput`, or `latency` for all others.
    pub fn quantity(self) -> &'static str {
        if self == Self::Throughput { "throughput" } else { "latency" }
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no metric.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown metric `{name}`; use one of {}", Metric::ALL.map(Metric::name).join(", "))]
pub struct UnknownMetric {
    /// The text.
    pub name: String,
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| UnknownMetric { name: name.to_owned() })
    }
}
