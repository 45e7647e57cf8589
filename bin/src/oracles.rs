//! What the oracles must know of a run, from its settings.

use crate::config::{EventDetail, Settings};
use byzlab_analysis::oracle::{Detail, Liveness, OracleSettings};
use byzlab_network::{NetworkModel, NodeId, Span, Time, Transport};
use byzlab_replica::Pace;

impl Settings {
    /// What the oracles must know, if they see the rows of this detail.
    pub(crate) fn oracle_settings(&self, detail: Detail) -> OracleSettings {
        let protocol = &self.protocol;
        OracleSettings {
            checkpoint_interval: protocol.checkpoint_interval.get(),
            log_window: protocol.log_window.get(),
            tentative_execution: protocol.tentative,
            unordered_reads: protocol.read_only,
            enabled: self.oracles.enabled,
            detail,
            liveness: self.liveness().unwrap_or_else(|reason| Liveness::NotJudged(reason.to_owned())),
            ..OracleSettings::new(u32::from(protocol.cluster.replicas()), u32::from(protocol.cluster.faults()))
        }
    }

    /// What I11 goes by; or why nothing is promised.
    pub(crate) fn liveness(&self) -> Result<Liveness, &'static str> {
        if !self.protocol.view_change {
            return Err("without view changes a faulty primary stops its requests for good");
        }
        let cluster = self.protocol.cluster;
        let connected = (0..cluster.replicas()).filter(|&node| !self.is_cut_off(NodeId(node))).count();
        if connected < usize::from(cluster.quorum()) {
            // The network never stabilises then; this says what is the matter.
            return Err("too few replicas stay connected to make a quorum");
        }
        let stable =
            self.network.stabilises_at().ok_or("the network never stabilises: messages can be lost to the end")?;
        let stable = stable.max(self.interference_ends().ok_or("the adversary disturbs the network to the end")?);
        let derived = || {
            if self.network.transport != Transport::Datagram && self.interference_ends() != Some(Time::START) {
                return Err("over a reliable transport what the adversary lost is late for long: give [oracles] \
                            liveness_bound to judge it");
            }
            if let Some(reason) = self.adversary.attacks.iter().find_map(|attack| attack.kind.about().unbounded) {
                return Err(reason);
            }
            if matches!(self.workload.pace, Pace::Open(_)) {
                return Err("in an open loop a request can wait behind any number of others: give [oracles] \
                            liveness_bound to judge it");
            }
            if !self.processing.is_free() {
                return Err("work has no bound where messages queue for it: give [oracles] liveness_bound to judge it");
            }
            if self.clocks.iter().any(|(_, clock)| clock.drift() != 0) {
                return Err("clocks drift, and timeouts with them: give [oracles] liveness_bound to judge it");
            }
            let delay = self.network.longest_delay();
            let delay = delay.ok_or("delays have no bound: give [oracles] liveness_bound to judge it")?;
            Ok(self.derived_bound(Span::from_nanos(stable.as_nanos()), delay))
        };
        let bound = self.oracles.liveness_bound.map_or_else(derived, Ok)?;
        Ok(Liveness::Judge { stabilised_ns: stable.as_nanos(), bound_ns: bound.as_nanos() })
    }

    /// From when on the adversary leaves the network alone; none if it never does.
    fn interference_ends(&self) -> Option<Time> {
        let attacks = self.adversary.attacks_in_force();
        let disturbing = attacks.iter().filter(|attack| attack.kind.interference().is_some());
        let latest = disturbing.map(|attack| attack.scope.end).max().unwrap_or(Time::START);
        (latest < Time::END).then_some(latest)
    }

    /// By when a request is accepted at the latest after the network became stable, if each message takes at most `delay` from
    /// then on. It is generous: docs/protocol.md derives it.
    fn derived_bound(&self, stable: Span, delay: Span) -> Span {
        let protocol = &self.protocol;
        let times = |span: Span, count: u64| Span::from_nanos(span.as_nanos().saturating_mul(count));
        let doubled = |span: Span, count: u32| times(span, 1_u64.checked_shl(count).unwrap_or(u64::MAX));
        let faults = u32::from(protocol.cluster.faults());
        // From giving up a view to the first execution in the next.
        let round = times(delay, 8) + protocol.batch_delay;
        // So many views fail because the wait is still too short for a round.
        let wait = protocol.view_change_timeout;
        let too_short = round.as_nanos().div_ceil(wait.as_nanos()).next_power_of_two().trailing_zeros();
        // Waits double, so the last one before stabilisation was at most as long as all the time until then.
        let last_wait = times(stable + wait, 2).max(round);
        // Replicas in different views find each other by their status.
        let reunion = times(round + times(protocol.status_interval, 2), u64::from(faults) + 2);
        // Requests that come first, each for as long as the primary is put up with; where the request timer is too short for a
        // round, each costs views of its own.
        let at_once = protocol.max_in_flight.get().saturating_mul(protocol.batch_size.get() as u64);
        let turns = u64::from(protocol.clients).div_ceil(at_once);
        let first = if protocol.request_timeout < round {
            let views = doubled(wait.max(round), faults + too_short + 2);
            times(protocol.request_timeout + views, u64::from(protocol.clients))
        } else {
            times(protocol.request_timeout + round, turns)
        };
        times(self.workload.client_timeout, 2)
            + protocol.request_timeout
            + doubled(last_wait, faults + too_short + 2)
            + reunion
            + first
    }

    /// Whether a replica can never exchange messages with a quorum, itself included.
    pub(crate) fn is_cut_off(&self, node: NodeId) -> bool {
        let NetworkModel { partitions, rules, schedules, .. } = &self.network;
        if partitions.is_empty() && rules.is_empty() && schedules.is_empty() {
            // The same for all: one link stands for every other.
            return !self.network.can_ever_talk(NodeId(0), NodeId(1));
        }
        let cluster = self.protocol.cluster;
        let talks = |&other: &NodeId| {
            other == node || (self.network.can_ever_talk(node, other) && self.network.can_ever_talk(other, node))
        };
        (0..cluster.replicas()).map(NodeId).filter(talks).count() < usize::from(cluster.quorum())
    }
}

impl From<EventDetail> for Detail {
    fn from(detail: EventDetail) -> Detail {
        match detail {
            EventDetail::None => Detail::None,
            EventDetail::Protocol => Detail::Protocol,
            EventDetail::Messages => Detail::Messages,
        }
    }
}
