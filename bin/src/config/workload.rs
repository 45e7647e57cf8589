//! `[workload]`: what clients do.

use super::experiment::span;
use super::units::{Nanoseconds, Probability, bytes, duration, probability};
use super::{ConfigError, Section, integer, word};
use byzlab_replica::{Cluster, ProtocolConfig, SendTo, Workload};

/// How many matching replies a client waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyQuorum {
    /// f+1: one of them is honest.
    WeakQuorum,
    /// Q.
    Quorum,
    /// So many.
    Count(u16),
}

impl ReplyQuorum {
    fn of(self, cluster: Cluster) -> u16 {
        match self {
            ReplyQuorum::WeakQuorum => cluster.weak_quorum(),
            ReplyQuorum::Quorum => cluster.quorum(),
            ReplyQuorum::Count(count) => count,
        }
    }
}

/// The clients of a cluster, and how `reply_quorum` was given.
pub(super) fn read_workload(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
) -> Result<(Workload, Option<ReplyQuorum>), ConfigError> {
    let cluster = protocol.cluster;
    let requests = section.or("requests", integer(1..=u64::from(u32::MAX)), 1)?;
    section.or("mode", word([("closed", ())]), ())?;
    let send_to = section.or("send_to", word([("primary", SendTo::Primary), ("all", SendTo::All)]), SendTo::Primary)?;
    let client_timeout =
        section.or("client_timeout", duration().within(Nanoseconds(1_000)..), Nanoseconds(1_000_000_000))?;
    let words = word([("f+1", ReplyQuorum::WeakQuorum), ("quorum", ReplyQuorum::Quorum)]);
    let counts = integer(1..=cluster.replicas()).map(ReplyQuorum::Count);
    let needs_quorum = protocol.tentative || protocol.read_only;
    let usual = if needs_quorum { ReplyQuorum::Quorum } else { ReplyQuorum::WeakQuorum };
    let given = section.optional("reply_quorum", counts.or(words))?;
    let (reply_quorum, quorum) = (given.unwrap_or(usual).of(cluster), cluster.quorum());
    if needs_quorum && reply_quorum < quorum {
        let problem = format!("tentative execution and reads take {quorum} matching replies: fewer can be taken back");
        return Err(section.error_at("reply_quorum", problem, "give \"quorum\", or leave it out"));
    }
    let reads = section.or("reads", probability(), Probability::NEVER)?;
    let think_time = section.or("think_time", duration(), Nanoseconds(0))?;
    let workload = Workload {
        requests,
        send_to,
        client_timeout: span(client_timeout),
        reply_quorum,
        think_time: span(think_time),
        payload: payload_of(section, "payload")?,
        reads_per_million: (reads.get() * 1e6).round() as u32,
    };
    Ok((workload, given))
}

/// A size of what requests or replies carry.
pub(super) fn payload_of(section: &Section<'_>, key: &str) -> Result<u32, ConfigError> {
    let most = u64::from(u32::MAX);
    section.or(key, bytes().map(|bytes| bytes.0), 0).and_then(|bytes| {
        let problem = format!("{bytes} bytes is more than {most}");
        u32::try_from(bytes).map_err(|_| section.error_at(key, problem, "give a size below 4 GiB"))
    })
}
