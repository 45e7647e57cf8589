//! `[cluster]` and `[protocol]`: what all nodes agree on, and which replicas crash.

use super::experiment::{Corrupted, span, time};
use super::processing::GivenCosts;
use super::units::{Nanoseconds, duration};
use super::workload::{ReplyQuorum, payload_of, read_workload};
use super::{ConfigError, Problem, Section, boolean, integer, word};
use byzlab_network::{NodeId, Time};
#[cfg(feature = "planted-defects")]
use byzlab_replica::Defect;
use byzlab_replica::{Authentication, Cluster, Defects, Outage, ProtocolConfig, ServiceKind, Workload};
use std::num::{NonZeroU64, NonZeroUsize};

/// Settings that follow others: a sweep over those must not freeze them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Derived {
    /// Whether `faults` was left out, and follows `replicas`.
    pub faults: bool,
    /// Whether `max_in_flight` was left out, and follows `log_window`.
    pub max_in_flight: bool,
    /// How `reply_quorum` was given; if it was left out, it follows `tentative` and `read_only`.
    pub reply_quorum: Option<ReplyQuorum>,
    /// Which costs were given; those that were left out follow `processing.preset`.
    pub costs: GivenCosts,
}

/// A benign fault of one replica. It spends nothing of the adversary's budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Which replica.
    pub node: NodeId,
    /// From when to when it is down.
    pub outage: Outage,
}

pub(super) fn read_protocol(root: &Section<'_>) -> Result<(ProtocolConfig, Workload, Derived), ConfigError> {
    let cluster = read_cluster(&root.section("cluster")?)?;
    let workload = root.section("workload")?;
    let most_clients = NodeId::MAX_NODES as u16 - cluster.replicas() - 1;
    let clients = workload.or("clients", integer(1..=most_clients), 1)?;

    let protocol = root.section("protocol")?;
    let view_change = protocol.or("view_change", boolean(), true)?;
    let wait = |key, default, reason: &'static str| {
        let positive = duration().check(move |wait| match wait {
            Nanoseconds(0) => Err(Problem::new(reason).hint("give several times as long as a message takes")),
            wait => Ok(wait),
        });
        protocol.or(key, positive, Nanoseconds(default))
    };
    let too_soon = "without a wait each view is left before its primary can do anything";
    let request_timeout = wait("request_timeout", 500_000_000, too_soon)?;
    let view_change_timeout = wait("view_change_timeout", 500_000_000, too_soon)?;
    let never_rests = "without a pause a replica that waits says what it lacks all the time";
    let status_interval = wait("status_interval", 1_000_000_000, never_rests)?;
    let positive =
        || integer(NonZeroU64::MIN.get()..).map(|value: u64| NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN));
    let interval = protocol.or("checkpoint_interval", positive(), const { NonZeroU64::new(100).unwrap() })?;
    // A liar can make others keep an entry for each number of the window.
    let windows = positive().within(..=const { NonZeroU64::new(1 << 20).unwrap() });
    let window = protocol.or("log_window", windows, const { NonZeroU64::new(400).unwrap() })?;
    if window < interval {
        let problem = format!("smaller than checkpoint_interval = {interval}: no checkpoint would ever be reached");
        let remedy = format!("give at least twice the interval, for example {}", interval.get().saturating_mul(2));
        return Err(protocol.error_at("log_window", problem, remedy));
    }
    let batch_size = protocol.or("batch_size", integer(1_usize..), 1)?;
    let batch_delay = protocol.or("batch_delay", duration(), Nanoseconds(0))?;
    let max_in_flight = protocol.or("max_in_flight", positive(), window)?;
    if max_in_flight > window {
        let problem = format!("more than log_window = {window}: the window is too small for so many batches at once");
        let remedy = format!("give 1 to {window}, or a window of at least {max_in_flight}");
        return Err(protocol.error_at("max_in_flight", problem, remedy));
    }
    let tentative = protocol.or("tentative", boolean(), false)?;
    let read_only = protocol.or("read_only", boolean(), false)?;
    let services =
        [("counter", ServiceKind::Counter), ("key_value", ServiceKind::KeyValue), ("null", ServiceKind::Null)];
    let service = protocol.or("service", word(services), ServiceKind::Counter)?;

    let schemes = [("signature", Authentication::Signature), ("mac", Authentication::Mac)];
    let authentication = protocol.or("authentication", word(schemes), Authentication::Signature)?;

    let reply_payload = payload_of(&workload, "reply_payload")?;
    let protocol = ProtocolConfig {
        view_change,
        request_timeout: span(request_timeout),
        view_change_timeout: span(view_change_timeout),
        checkpoint_interval: interval,
        log_window: window,
        batch_size: NonZeroUsize::new(batch_size).unwrap_or(NonZeroUsize::MIN),
        batch_delay: span(batch_delay),
        max_in_flight,
        status_interval: span(status_interval),
        tentative,
        read_only,
        service,
        reply_payload,
        authentication,
        defects: read_defect(&protocol)?,
        ..ProtocolConfig::new(cluster, clients)
    };
    let (workload, reply_quorum) = read_workload(&workload, &protocol)?;
    let derived = Derived {
        faults: root.section("cluster")?.value("faults").is_none(),
        max_in_flight: root.section("protocol")?.value("max_in_flight").is_none(),
        reply_quorum,
        costs: GivenCosts::default(),
    };
    Ok((protocol, workload, derived))
}

#[cfg(feature = "planted-defects")]
fn read_defect(protocol: &Section<'_>) -> Result<Defects, ConfigError> {
    let known = word(Defect::ALL.map(|defect| (defect.name(), defect)));
    Ok(protocol.optional("defect", known)?.map_or_else(Defects::default, Defects::plant))
}

/// A normal build does not know the key, but for the reason why.
#[cfg(not(feature = "planted-defects"))]
fn read_defect(protocol: &Section<'_>) -> Result<Defects, ConfigError> {
    if protocol.peek("defect").is_none() {
        return Ok(Defects::default());
    }
    let remedy = "build with `--features planted-defects`, or leave it out";
    Err(protocol.error_at("defect", "this build has no planted defects", remedy))
}

/// `[[cluster.crash]]`.
pub(super) fn read_crashes(
    section: &Section<'_>,
    cluster: Cluster,
    corrupted: &Corrupted,
) -> Result<Vec<Crash>, ConfigError> {
    let mut crashes: Vec<Crash> = Vec::new();
    for section in section.sections("crash")? {
        // A client that forgets its request numbers could never be served again.
        let node = NodeId(section.required("node", integer(0..cluster.replicas()))?);
        if matches!(corrupted, Corrupted::Members(members) if members.contains(&node)) {
            let problem = format!("replica {node} is corrupted: whether it crashes is the adversary's affair");
            return Err(section.error_at("node", problem, "name another, or an attack for this one"));
        }
        let at = time(section.required("at", duration())?);
        let recover_at = section.optional("recover_at", duration())?.map(time);
        let durable = section.or("durable", boolean(), true)?;
        if recover_at.is_some_and(|end| end <= at) {
            let remedy = "give an instant after `at`, or leave it out: then the replica stays down";
            return Err(section.error_at("recover_at", "the replica comes back before it crashes", remedy));
        }
        if recover_at.is_none() && section.value("durable").is_some() {
            let problem = "a replica that stays down needs no storage";
            return Err(section.error_at("durable", problem, "give `recover_at` too, or leave this out"));
        }
        let end = |crash: &Crash| crash.outage.recover_at.unwrap_or(Time::END);
        let crash = Crash { node, outage: Outage { at, recover_at, durable } };
        let overlaps = |other: &&Crash| other.node == node && other.outage.at <= end(&crash) && at <= end(other);
        if let Some(other) = crashes.iter().find(overlaps) {
            let from = Nanoseconds(other.outage.at.as_nanos());
            let problem = format!("replica {node} has another crash, at \"{from}\", that overlaps with this one");
            return Err(section.error_at("at", problem, "let it recover in between"));
        }
        crashes.push(crash);
    }
    Ok(crashes)
}

/// The network keeps a counter for each pair of nodes.
const MOST_REPLICAS: u16 = 4096;

fn read_cluster(section: &Section<'_>) -> Result<Cluster, ConfigError> {
    let replicas = section.or("replicas", integer(1..=MOST_REPLICAS), 4)?;
    let faults = section.optional("faults", integer(0..))?;
    Cluster::new(replicas, faults).map_err(|error| {
        let most = (replicas - 1) / 3;
        section.error_at(
            "faults",
            error,
            format_args!("give at most {most}, or at least {} replicas", 3 * u32::from(faults.unwrap_or(0)) + 1),
        )
    })
}
