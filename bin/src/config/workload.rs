//! `[workload]`: what clients do.

use super::experiment::span;
use super::units::{Nanoseconds, Probability, bytes, duration, probability};
use super::{ConfigError, Kind, Problem, Section, integer, number, word};
use byzlab_replica::{Arrivals, Cluster, Pace, Pattern, ProtocolConfig, Ramp, Rate, SendTo, Workload};
use std::num::NonZeroU32;
use std::ops::Bound;

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
    let pace = read_pace(section)?;
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
    let workload = Workload {
        requests,
        pace,
        send_to,
        client_timeout: span(client_timeout),
        reply_quorum,
        payload: payload_of(section, "payload")?,
        reads_per_million: (reads.get() * 1e6).round() as u32,
    };
    Ok((workload, given))
}

fn read_pace(section: &Section<'_>) -> Result<Pace, ConfigError> {
    if section.or("mode", word([("closed", false), ("open", true)]), false)? {
        if section.value("think_time").is_some() {
            let problem = "in mode = \"open\" nobody waits for a result before the next request comes";
            return Err(section.error_at("think_time", problem, "leave it out, or write mode = \"closed\""));
        }
        return read_arrivals(section).map(Pace::Open);
    }
    for key in ["rate", "arrivals", "burst_size", "ramp"] {
        if section.value(key).is_some() {
            let problem = "in mode = \"closed\" the next request comes after the result of the one before";
            let remedy = "write mode = \"open\", or leave this out; `think_time` slows a closed loop down";
            return Err(section.error_at(key, problem, remedy));
        }
    }
    let think_time = span(section.or("think_time", duration(), Nanoseconds(0))?);
    Ok(Pace::Closed { think_time })
}

/// The words of `arrivals`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Poisson,
    Constant,
    Bursts,
}

fn read_arrivals(section: &Section<'_>) -> Result<Arrivals, ConfigError> {
    let rate = section.required("rate", rate())?;
    let words = [("poisson", Word::Poisson), ("constant", Word::Constant), ("bursts", Word::Bursts)];
    let pattern = match section.or("arrivals", word(words), Word::Poisson)? {
        Word::Bursts => {
            let size = section.required("burst_size", integer(1..))?;
            Pattern::Bursts { size: NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN) }
        }
        _ if section.value("burst_size").is_some() => {
            let problem = "only bursts have a size";
            return Err(section.error_at("burst_size", problem, "write arrivals = \"bursts\", or leave it out"));
        }
        Word::Poisson => Pattern::Poisson,
        Word::Constant => Pattern::Constant,
    };
    let ramp = match section.optional_section("ramp")? {
        Some(ramp) => {
            let over = ramp.required("over", duration().within(Nanoseconds(1)..))?;
            Some(Ramp { to: ramp.required("to", self::rate())?, over: span(over) })
        }
        None => None,
    };
    Ok(Arrivals { rate, pattern, ramp })
}

/// Requests a second: at most one a nanosecond.
fn rate() -> Kind<'static, Rate> {
    number((Bound::Excluded(0.0), Bound::Included(1e9)))
        .check(|rate| Rate::per_second(rate).ok_or_else(|| Problem::new("not a rate")))
}

/// A size of what requests or replies carry.
pub(super) fn payload_of(section: &Section<'_>, key: &str) -> Result<u32, ConfigError> {
    let most = u64::from(u32::MAX);
    section.or(key, bytes().map(|bytes| bytes.0), 0).and_then(|bytes| {
        let problem = format!("{bytes} bytes is more than {most}");
        u32::try_from(bytes).map_err(|_| section.error_at(key, problem, "give a size below 4 GiB"))
    })
}
