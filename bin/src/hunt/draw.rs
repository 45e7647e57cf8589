//! Drawing a schedule: which faults, and in which rounds.
//!
//! Most faults are placed by round, as in `ByzzFuzz` (Winter, Buse, de Graaf, von Gleissenthall & Ozkan, OOPSLA 2023): the messages of one
//! kind, view and sequence number. What a round is for does not depend on how fast it comes, so few draws reach deep into the
//! protocol. Rounds are drawn low, for those are the ones that occur.

use super::attacks::{draw_attack, draw_takeover, drawable_kinds, is_of_view_changes, plays_parts};
use super::schedule::{Deed, Fault, NetworkFault, Schedule};
use crate::config::{Crash, Settings};
use byzlab_adversary::{AttackKind, Need};
use byzlab_analysis::oracle::Liveness;
use byzlab_network::{Action, Draw, Key, NodeId, Rule, RuleScope, Span, Time, Transport};
use byzlab_replica::{Authentication, MessageKind, Outage};
use std::collections::BTreeSet;

/// What must be known of a cell to draw faults for its runs.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something may be drawn")]
pub(super) struct Stage {
    pub(super) replicas: u16,
    pub(super) clients: u16,
    /// How many can be corrupted or down at once by what is drawn.
    faults: u16,
    /// How many fall while the run goes on because the file says so.
    falling: u16,
    /// Whether an attack of the file plays several parts: an experiment takes one such attack.
    has_parts: bool,
    /// How many sequence numbers the requests need, more or less.
    numbers: u64,
    requests: u64,
    checkpoint_interval: u64,
    /// The kinds of attacks that can be drawn.
    pub(super) kinds: Vec<AttackKind>,
    /// Those of them that are about view changes alone; all of them where there are none.
    pub(super) kinds_of_view_changes: Vec<AttackKind>,
    /// By then the network is stable again.
    stable: Time,
    may_duplicate: bool,
    may_crash: bool,
    /// Whether the hunt says how many are corrupted: then some runs have fewer, and crashes in their place.
    may_spare: bool,
}

impl Stage {
    /// `may_spare`: whether runs can be drawn in which fewer replicas are corrupted than the settings say.
    pub(super) fn of(settings: &Settings, may_spare: bool) -> Stage {
        let protocol = &settings.protocol;
        let cluster = protocol.cluster;
        let (stable, _) = stable_by(settings);
        let has = |need: Need| match need {
            Need::Network | Need::Budget => false,
            Need::Clients => settings.adversary.clients > 0,
            Need::ViewChanges => protocol.view_change,
            Need::Macs => protocol.authentication == Authentication::Mac,
        };
        let kinds = drawable_kinds(has);
        let of_view_changes: Vec<AttackKind> = kinds.iter().filter(|kind| is_of_view_changes(kind)).cloned().collect();
        Stage {
            kinds_of_view_changes: if of_view_changes.is_empty() { kinds.clone() } else { of_view_changes },
            kinds,
            replicas: cluster.replicas(),
            clients: protocol.clients,
            faults: cluster.faults().saturating_sub(settings.most_down()),
            falling: settings.adversary.takeovers(cluster),
            has_parts: settings.adversary.attacks.iter().any(plays_parts),
            numbers: settings.requests().div_ceil(protocol.batch_size.get() as u64).min(16),
            requests: settings.workload.requests.min(16),
            checkpoint_interval: protocol.checkpoint_interval.get(),
            stable,
            may_duplicate: settings.network.transport == Transport::Datagram,
            may_crash: settings.crashes.is_empty(),
            may_spare,
        }
    }

    /// The schedule that `key` names, for a run that corrupts `corrupted` unless it is drawn otherwise.
    pub(super) fn schedule(&self, mut corrupted: Vec<NodeId>, key: Key) -> Schedule {
        let draw = &mut key.component("schedule").draw();
        if self.may_spare && draw.unit() < 0.25 {
            corrupted.truncate(draw.up_to((corrupted.len() as u64).saturating_sub(1)) as usize);
        }
        let mut count = 1;
        while count < 12 && draw.unit() < 0.75 {
            count += 1;
        }
        if draw.unit() < 0.05 {
            count += draw.up_to(12);
        }
        // Instead of a replica that is spared one may crash, which is one of the f while it is down, or fall later.
        let spared = self.faults.saturating_sub(corrupted.len() as u16 + self.falling);
        let takeovers = if self.may_spare && draw.unit() < 0.3 { spared } else { 0 };
        let may_crash = self.may_crash && spared > takeovers;
        let mut faults = Vec::new();
        if takeovers > 0 {
            faults.push(Fault::Attack(draw_takeover(self, draw)));
        }
        let mut crashes: Vec<Crash> = Vec::new();
        for _ in 0..count {
            let choice = draw.unit();
            if may_crash && choice < 0.2 {
                if let Some(crash) = self.crash(draw, &corrupted, &crashes) {
                    crashes.push(crash);
                    faults.push(Fault::Crash(crash));
                }
            } else if choice < 0.45 && (takeovers + self.falling > 0 || !corrupted.is_empty()) {
                let attack = draw_attack(self, &corrupted, draw);
                let has_parts = |fault: &Fault| matches!(fault, Fault::Attack(attack) if plays_parts(attack));
                if !plays_parts(&attack) || !(self.has_parts || faults.iter().any(has_parts)) {
                    faults.push(Fault::Attack(attack));
                }
            } else {
                faults.push(Fault::Network(self.network_fault(draw)));
            }
        }
        if draw.unit() < 0.5 {
            self.focus(&mut faults, draw);
        }
        // What does not fit is left out, and a run without faults would be one of another experiment.
        if faults.is_empty() {
            faults.push(Fault::Network(self.network_fault(draw)));
        }
        Schedule { corrupted, takeovers, faults }
    }

    /// Most of what is about some number is about the same one: what goes wrong there in one view matters in the next.
    fn focus(&self, faults: &mut [Fault], draw: &mut Draw) {
        let number = 1 + low(draw, self.numbers - 1);
        let is_vote =
            |kind: &MessageKind| matches!(kind, MessageKind::PrePrepare | MessageKind::Prepare | MessageKind::Commit);
        let is_about_votes =
            |kinds: &Option<Vec<MessageKind>>| kinds.as_ref().is_some_and(|kinds| kinds.iter().all(is_vote));
        for fault in faults {
            let seq = match fault {
                Fault::Network(fault) if is_about_votes(&fault.kinds) => &mut fault.seq,
                Fault::Attack(attack) if is_about_votes(&attack.scope.messages) => &mut attack.scope.seq,
                _ => continue,
            };
            if seq.is_some() && draw.unit() < 0.85 {
                *seq = Some(number);
            }
        }
    }

    /// One honest replica crashes at a time.
    fn crash(&self, draw: &mut Draw, corrupted: &[NodeId], others: &[Crash]) -> Option<Crash> {
        let node = self.replica(draw);
        let (at, recover_at) = self.window(draw);
        // A pause between two outages: the first one must be over.
        let is_apart = |other: &Crash| other.outage.recover_at < Some(at) || recover_at < other.outage.at;
        let outage = Outage { at, recover_at: Some(recover_at), durable: true };
        (!corrupted.contains(&node) && others.iter().all(is_apart)).then_some(Crash { node, outage })
    }

    fn network_fault(&self, draw: &mut Draw) -> NetworkFault {
        let deed = self.deed(draw);
        let end = if draw.unit() < 0.7 && deed != Deed::Hold { self.stable } else { self.moment(draw).max(FIRST) };
        let anything = NetworkFault {
            deed,
            from: None,
            to: None,
            both_ways: false,
            kinds: None,
            view: None,
            seq: None,
            start: Time::START,
            end,
        };
        match draw.unit() {
            // A round, for some.
            choice if choice < 0.5 => {
                let (kind, view, seq) = self.round(draw, &KINDS);
                let (from, to) = (self.some_nodes(draw), self.some_nodes(draw));
                NetworkFault { from, to, kinds: Some(vec![kind]), view, seq, ..anything }
            }
            // A round with a rift between two groups.
            choice if choice < 0.7 => {
                let (kind, view, seq) = self.round(draw, &KINDS[..BETWEEN_REPLICAS]);
                let (from, to) = self.rift(draw);
                let kinds = Some(vec![kind]);
                NetworkFault { from: Some(from), to: Some(to), both_ways: true, kinds, view, seq, ..anything }
            }
            // A kind of messages for a while.
            choice if choice < 0.8 => {
                let (start, end) = self.window(draw);
                let kinds = Some(vec![pick(draw, &KINDS)]);
                NetworkFault { to: self.some_nodes(draw), from: self.some_nodes(draw), kinds, start, end, ..anything }
            }
            // A whole view.
            choice if choice < 0.88 => {
                let (from, to) = self.rift(draw);
                let both_ways = draw.unit() < 0.5;
                let view = Some(low(draw, 3));
                NetworkFault { from: Some(from), to: Some(to), both_ways, view, ..anything }
            }
            // A node that hears nothing, or is not heard, or both.
            _ => {
                let (start, end) = self.window(draw);
                let node = Some(vec![self.replica(draw)]);
                let silent = draw.unit() < 0.4;
                let (from, to) = if silent { (node, None) } else { (None, node) };
                NetworkFault { from, to, both_ways: draw.unit() < 0.4, start, end, ..anything }
            }
        }
    }

    fn deed(&self, draw: &mut Draw) -> Deed {
        match draw.unit() {
            choice if choice < 0.6 => Deed::Drop,
            choice if choice < 0.75 => Deed::Hold,
            choice if choice < 0.9 || !self.may_duplicate => {
                // Mostly a few messages' worth.
                let most = self.stable.as_nanos() / 2;
                Deed::Delay(Span::from_nanos((draw.unit().powi(2) * most as f64) as u64 + 1))
            }
            _ => Deed::Duplicate,
        }
    }

    /// A kind of messages, and a view and a number that such messages have.
    pub(super) fn round(&self, draw: &mut Draw, kinds: &[MessageKind]) -> (MessageKind, Option<u64>, Option<u64>) {
        let kind = pick(draw, kinds);
        let (view, number) = (low(draw, 3), 1 + low(draw, self.numbers - 1));
        let (view, number) = match kind {
            MessageKind::PrePrepare | MessageKind::Prepare | MessageKind::Commit => {
                // Now and then in all views, or at all numbers of a view.
                let choice = draw.unit();
                ((choice > 0.15).then_some(view), (choice < 0.85).then_some(number))
            }
            MessageKind::Checkpoint => {
                let last = self.numbers / self.checkpoint_interval;
                (None, Some(self.checkpoint_interval * (1 + low(draw, last))))
            }
            MessageKind::ViewChange | MessageKind::NewView => (Some(1 + view), None),
            MessageKind::Request | MessageKind::Reply => (None, Some(1 + low(draw, self.requests - 1))),
            MessageKind::Status => (Some(view), None),
            MessageKind::Fetch | MessageKind::State => (None, Some(number)),
        };
        (kind, view, number)
    }

    /// Anybody, one node, or several.
    fn some_nodes(&self, draw: &mut Draw) -> Option<Vec<NodeId>> {
        match draw.unit() {
            choice if choice < 0.35 => None,
            choice if choice < 0.75 => Some(vec![self.replica(draw)]),
            _ => Some(self.rift(draw).0),
        }
    }

    /// Two groups of replicas with nobody in both: not always all of them.
    pub(super) fn rift(&self, draw: &mut Draw) -> (Vec<NodeId>, Vec<NodeId>) {
        let leaves_some_out = draw.unit() < 0.2;
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for node in (0..self.replicas).map(NodeId) {
            match draw.up_to(if leaves_some_out { 2 } else { 1 }) {
                0 => one.push(node),
                1 => other.push(node),
                _ => {}
            }
        }
        let lonely = self.replica(draw);
        if one.is_empty() || other.is_empty() {
            one = vec![lonely];
            other = (0..self.replicas).map(NodeId).filter(|&node| node != lonely).collect();
        }
        (one, other)
    }

    fn replica(&self, draw: &mut Draw) -> NodeId {
        NodeId(draw.up_to(u64::from(self.replicas) - 1) as u16)
    }

    pub(super) fn client(&self, draw: &mut Draw) -> NodeId {
        NodeId(self.replicas + draw.up_to(u64::from(self.clients) - 1) as u16)
    }

    /// An instant before the network is stable, more likely an early one.
    pub(super) fn moment(&self, draw: &mut Draw) -> Time {
        Time::from_nanos((draw.unit().powi(2) * self.stable.as_nanos() as f64) as u64)
    }

    /// From one instant to a later one, at which the network is stable at the latest.
    pub(super) fn window(&self, draw: &mut Draw) -> (Time, Time) {
        let (one, other) = (self.moment(draw), self.moment(draw));
        let start = if draw.unit() < 0.3 { Time::START } else { one.min(other) };
        (start, one.max(other).max(start + Span::NANOSECOND))
    }

    /// All replicas.
    pub(super) fn all_replicas(&self) -> Vec<NodeId> {
        (0..self.replicas).map(NodeId).collect()
    }

    /// All replicas and clients.
    pub(super) fn all_nodes(&self) -> Vec<NodeId> {
        (0..self.replicas + self.clients).map(NodeId).collect()
    }
}

/// The first instant at which something can end.
const FIRST: Time = Time::from_nanos(1);

/// Kinds of messages, some of them more often than others. Those between replicas come first.
const KINDS: [MessageKind; 16] = [
    MessageKind::PrePrepare,
    MessageKind::PrePrepare,
    MessageKind::Prepare,
    MessageKind::Prepare,
    MessageKind::Commit,
    MessageKind::Commit,
    MessageKind::Commit,
    MessageKind::Checkpoint,
    MessageKind::ViewChange,
    MessageKind::ViewChange,
    MessageKind::NewView,
    MessageKind::Status,
    MessageKind::State,
    MessageKind::Fetch,
    MessageKind::Request,
    MessageKind::Reply,
];

/// So many of them are between replicas.
const BETWEEN_REPLICAS: usize = 14;

pub(super) fn pick<T: Copy>(draw: &mut Draw, items: &[T]) -> T {
    items[draw.up_to(items.len() as u64 - 1) as usize]
}

/// A number in `0..=most`, more likely a low one.
fn low(draw: &mut Draw, most: u64) -> u64 {
    draw.up_to(most).min(draw.up_to(most))
}

impl Settings {
    /// How many replicas are down at once by the crashes of the file, at most. One that does not come back, or comes back with nothing,
    /// counts from then on.
    pub(crate) fn most_down(&self) -> u16 {
        let is_down = |crash: &Crash, now: Time| {
            let end = crash.outage.recover_at.filter(|_| crash.outage.durable);
            crash.outage.at <= now && end.is_none_or(|end| now <= end)
        };
        let down = |now: Time| {
            let nodes: BTreeSet<NodeId> =
                self.crashes.iter().filter(|crash| is_down(crash, now)).map(|crash| crash.node).collect();
            nodes.len() as u16
        };
        self.crashes.iter().map(|crash| down(crash.outage.at)).max().unwrap_or(0)
    }
}

/// By when the network is to be stable, and whether liveness is judged then: early enough that what is stuck at that instant is
/// late before the run ends.
pub(super) fn stable_by(settings: &Settings) -> (Time, bool) {
    let limit = settings.time_limit.as_nanos();
    let is_judged = |stable: Time| {
        let mut settings = settings.clone();
        let scope = RuleScope { end: Some(stable), ..RuleScope::default() };
        settings.network.rules.extend(Rule::new(scope, Action::Drop));
        match settings.liveness() {
            Ok(Liveness::Judge { stabilised_ns, bound_ns }) => stabilised_ns.saturating_add(bound_ns) <= limit,
            _ => false,
        }
    };
    let candidates = (0..12).map(|halvings| Time::from_nanos(((limit / 3) >> halvings).max(2)));
    match candidates.into_iter().find(|&stable| is_judged(stable)) {
        Some(stable) => (stable, true),
        None => (Time::from_nanos((limit / 3).max(2)), false),
    }
}
