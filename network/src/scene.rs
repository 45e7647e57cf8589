//! Scripted scenes: rules for single messages, partitions, and a time before which the network is worse.
//!
//! ```text
//!            rules                  partitions             normal model
//! message ──► first that matches ──► between two groups ──► loss, delay, second copy ──► arrival
//!            drop ✗                 drop ✗                 loss ✗
//!            hold, delay, duplicate hold
//! ```
//!
//! * The first rule that matches a message decides, and no later one is looked at. A rule with a probability draws first: where
//!   the draw fails, the rule does not match, and the next one is tried.
//! * A rule exempts a message neither from the partitions nor from the normal model: what a rule delays can still be lost at random,
//!   and what it duplicates can still be cut. A loss wins over a hold, and among holds the latest end does.
//! * A held message leaves when the last thing that holds it ends: from then on it is a message as any other that is sent at that
//!   instant, with the latency and the loss that hold then. Rules and partitions go by the time of sending alone (over a
//!   reliable transport by that of each transmission), so one that begins while the message is held does not concern it.
//! * A rule changes no random number of any other rule or of the normal model. Its own draws are named by its place in the list
//!   (`(run, rule, place, from, to, k)`), so a rule that is added at the end changes nothing of those before it.
//! * Rules that a process imposes while the run goes on ([`crate::Act::Impose`]) come before all of these, and draw from a stream apart.

use crate::latency::Latency;
use crate::link::NetworkModel;
use crate::node::{Label, NodeId};
use crate::random::{Draw, Key};
use crate::schedule::{Churn, Schedule, Step};
use crate::time::{Span, Time};
use crate::transport::Transport;
use std::sync::Arc;

/// Some nodes of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeSet {
    /// A bit a node. No zero words at the end, so that equal sets are equal values.
    words: Arc<[u64]>,
}

impl NodeSet {
    /// The set of these nodes.
    pub fn of(nodes: impl IntoIterator<Item = NodeId>) -> NodeSet {
        let mut words = Vec::new();
        for node in nodes {
            let word = node.index() / 64;
            if words.len() <= word {
                words.resize(word + 1, 0);
            }
            words[word] |= 1 << (node.index() % 64);
        }
        NodeSet { words: words.into() }
    }

    /// Whether a node is in.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.words.get(node.index() / 64).is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }

    /// The nodes, lowest id first.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.words.len() * 64).map(|index| NodeId(index as u16)).filter(|&node| self.contains(node))
    }

    /// A node that is in both, the lowest one.
    pub fn shared(&self, other: &NodeSet) -> Option<NodeId> {
        self.iter().find(|&node| other.contains(node))
    }

    /// Whether all nodes of `other` are in.
    pub fn covers(&self, other: &NodeSet) -> bool {
        other.iter().all(|node| self.contains(node))
    }

    /// Whether no node is in.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Some kinds of messages, as [`Label::kind`] numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindSet([u64; 4]);

impl KindSet {
    /// The set of these kinds.
    pub fn of(kinds: impl IntoIterator<Item = u8>) -> KindSet {
        let mut words = [0; 4];
        for kind in kinds {
            words[usize::from(kind / 64)] |= 1 << (kind % 64);
        }
        KindSet(words)
    }

    /// Whether a kind is in.
    #[inline]
    pub fn contains(&self, kind: u8) -> bool {
        self.0[usize::from(kind / 64)] >> (kind % 64) & 1 == 1
    }

    /// Whether all kinds of `other` are in.
    pub fn covers(&self, other: &KindSet) -> bool {
        self.0.iter().zip(other.0).all(|(mine, other)| other & !mine == 0)
    }

    /// Whether no kind is in.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}

/// Which messages a rule is for. The default is every message, always.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleScope {
    /// Who sends it; none means anybody.
    pub from: Option<NodeSet>,
    /// Whom it is for; none means anybody.
    pub to: Option<NodeSet>,
    /// What it is; none means anything.
    pub kinds: Option<KindSet>,
    /// The view that its label must have; none means any or no view.
    pub view: Option<u64>,
    /// The sequence number that its label must have; none means any or no number.
    pub seq: Option<u64>,
    /// Sent at this instant or later,
    pub start: Time,
    /// and before this one; none means for ever.
    pub end: Option<Time>,
    /// With this probability, in 0..=1, drawn for each message and recipient.
    pub probability: f64,
}

impl Default for RuleScope {
    fn default() -> RuleScope {
        RuleScope {
            from: None,
            to: None,
            kinds: None,
            view: None,
            seq: None,
            start: Time::START,
            end: None,
            probability: 1.0,
        }
    }
}

/// What a rule does with a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// It is lost.
    Drop,
    /// It leaves at the rule's end, and arrives its normal delay later.
    Hold,
    /// It takes so much longer than its normal delay; a second copy draws its own.
    Delay(Latency),
    /// If it is not lost at random, a second copy arrives, with a delay of its own. There are never more than two.
    Duplicate,
}

impl Action {
    /// Whether it keeps messages from arriving in time, so that a network with it is not stable.
    fn unsettles(&self) -> bool {
        matches!(self, Action::Drop | Action::Hold)
    }
}

/// A checked rule: what becomes of some messages.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    scope: RuleScope,
    action: Action,
}

/// What a partition does with a message between two groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cut {
    /// It is lost.
    Drop,
    /// It leaves at the partition's end, and arrives its normal delay later.
    Hold,
}

/// A checked partition: for a while there is no way between its groups. A node in no group is cut off from nobody.
#[derive(Clone, PartialEq, Debug)]
pub struct Partition {
    start: Time,
    end: Option<Time>,
    groups: Vec<NodeSet>,
    cut: Cut,
    one_way: bool,
}

/// Partial synchrony (Dwork, Lynch & Stockmeyer, JACM 35(2), 1988): until the global stabilisation time the network is another.
///
/// What is sent before arrives by `gst` plus its normal delay at the latest, unless it is lost, held for longer or delayed by a rule. Both
/// latencies come from the same draw, and both losses from another one, so that a shorter time until stabilisation changes only
/// the messages that it concerns.
#[derive(Clone, PartialEq, Debug)]
pub struct Synchrony {
    /// The global stabilisation time: messages sent from then on get the normal model.
    pub gst: Time,
    /// The latency of what is sent before; none means the normal one.
    pub latency: Option<Latency>,
    /// The probability, in 0..=1, that a message sent before is lost; none means the normal one.
    pub drop: Option<f64>,
}

/// Why a scene cannot be played.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SceneError {
    /// The end is not after the start.
    #[error("it ends before it starts")]
    Backwards,
    /// Held messages are delivered at the end, but there is none.
    #[error("what is held is delivered at the end, but there is no end")]
    HeldForEver,
    /// A probability is not one.
    #[error("{0} is not a probability")]
    NotAProbability(f64),
    /// A list of nodes or kinds leaves nothing to match.
    #[error("nothing is in the list, so no message matches")]
    Nobody,
    /// A partition needs two groups with someone in them.
    #[error("fewer than two groups: nobody is cut off from anybody")]
    OneGroup,
    /// The groups of a partition must not share a node.
    #[error("node {0} is in two groups")]
    InTwoGroups(NodeId),
}

impl Rule {
    /// A rule that does `action` with what is in `scope`.
    pub fn new(scope: RuleScope, action: Action) -> Result<Rule, SceneError> {
        if scope.end.is_some_and(|end| end <= scope.start) {
            return Err(SceneError::Backwards);
        }
        if !(0.0..=1.0).contains(&scope.probability) {
            return Err(SceneError::NotAProbability(scope.probability));
        }
        if action == Action::Hold && scope.end.is_none() {
            return Err(SceneError::HeldForEver);
        }
        let nobody = |nodes: &Option<NodeSet>| nodes.as_ref().is_some_and(NodeSet::is_empty);
        if nobody(&scope.from) || nobody(&scope.to) || scope.kinds.is_some_and(|kinds| kinds.is_empty()) {
            return Err(SceneError::Nobody);
        }
        Ok(Rule { scope, action })
    }

    /// What it is for.
    pub fn scope(&self) -> &RuleScope {
        &self.scope
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Whether it decides everything that `later` could match, so that one behind it never gets a say.
    pub fn leaves_nothing_to(&self, later: &Rule) -> bool {
        fn is_wider<T>(mine: Option<&T>, other: Option<&T>, covers: impl Fn(&T, &T) -> bool) -> bool {
            mine.is_none_or(|mine| other.is_some_and(|other| covers(mine, other)))
        }
        let (mine, other) = (&self.scope, &later.scope);
        mine.probability >= 1.0
            && mine.start <= other.start
            && is_wider(mine.end.as_ref(), other.end.as_ref(), Time::ge)
            && is_wider(mine.from.as_ref(), other.from.as_ref(), NodeSet::covers)
            && is_wider(mine.to.as_ref(), other.to.as_ref(), NodeSet::covers)
            && is_wider(mine.kinds.as_ref(), other.kinds.as_ref(), KindSet::covers)
            && is_wider(mine.view.as_ref(), other.view.as_ref(), u64::eq)
            && is_wider(mine.seq.as_ref(), other.seq.as_ref(), u64::eq)
    }

    /// Whether it decides about a message, and then what is left of its random numbers. They are named by its place or name among those
    /// that share a stream.
    pub(crate) fn decides(&self, sent: &Sent, draws: Key, place: u64) -> Option<Draw> {
        if !self.matches(sent) {
            return None;
        }
        let name = [place, u64::from(sent.from.0), u64::from(sent.to.0), sent.index];
        let mut draw = name.into_iter().fold(draws, Key::child).draw();
        (draw.unit() < self.scope.probability).then_some(draw)
    }

    /// Whether a message is in scope, its probability aside.
    fn matches(&self, sent: &Sent) -> bool {
        let RuleScope { kinds, view, seq, start, end, .. } = &self.scope;
        *start <= sent.time
            && end.is_none_or(|end| sent.time < end)
            && kinds.is_none_or(|kinds| kinds.contains(sent.label.kind))
            && (view.is_none() || *view == sent.label.view)
            && (seq.is_none() || *seq == sent.label.seq)
            && self.joins(sent.from, sent.to)
    }

    /// Whether it is for messages between these two.
    fn joins(&self, from: NodeId, to: NodeId) -> bool {
        let RuleScope { from: senders, to: receivers, .. } = &self.scope;
        senders.as_ref().is_none_or(|nodes| nodes.contains(from))
            && receivers.as_ref().is_none_or(|nodes| nodes.contains(to))
    }

    /// Whether it is for every message between the nodes that it is for, of any content, from some instant on.
    fn is_sweeping(&self) -> bool {
        let RuleScope { kinds, view, seq, end, probability, .. } = &self.scope;
        kinds.is_none() && view.is_none() && seq.is_none() && end.is_none() && *probability >= 1.0
    }
}

impl Partition {
    /// No way between any two of `groups` for what is sent from `start` until before `end`; without an `end`, for ever.
    pub fn new(start: Time, end: Option<Time>, groups: Vec<NodeSet>, cut: Cut) -> Result<Partition, SceneError> {
        if end.is_some_and(|end| end <= start) {
            return Err(SceneError::Backwards);
        }
        if cut == Cut::Hold && end.is_none() {
            return Err(SceneError::HeldForEver);
        }
        if groups.iter().filter(|group| !group.is_empty()).count() < 2 {
            return Err(SceneError::OneGroup);
        }
        let pairs =
            groups.iter().enumerate().flat_map(|(index, group)| groups[..index].iter().map(move |b| (group, b)));
        match pairs.filter_map(|(a, b)| a.shared(b)).min() {
            Some(node) => Err(SceneError::InTwoGroups(node)),
            None => Ok(Partition { start, end, groups, cut, one_way: false }),
        }
    }

    /// The same, but it cuts only what goes from an earlier group to a later one.
    #[must_use]
    pub fn one_way(mut self) -> Partition {
        self.one_way = true;
        self
    }

    /// Whether it cuts only what goes from an earlier group to a later one.
    pub fn is_one_way(&self) -> bool {
        self.one_way
    }

    /// From when on.
    pub fn start(&self) -> Time {
        self.start
    }

    /// Until when; none means for ever.
    pub fn end(&self) -> Option<Time> {
        self.end
    }

    /// Who can still talk to each other.
    pub fn groups(&self) -> &[NodeSet] {
        &self.groups
    }

    /// What becomes of messages between them.
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// Whether it stands at this instant.
    fn stands_at(&self, time: Time) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }

    /// Whether it cuts what goes from one node to another.
    fn separates(&self, from: NodeId, to: NodeId) -> bool {
        let group = |node| self.groups.iter().position(|group| group.contains(node));
        group(from).zip(group(to)).is_some_and(|(from, to)| from < to || from > to && !self.one_way)
    }

    /// An instant and a link that another partition cuts as well.
    pub fn overlap(&self, other: &Partition) -> Option<(Time, NodeId, NodeId)> {
        let time = self.start.max(other.start);
        let nodes = || self.groups.iter().flat_map(NodeSet::iter);
        let both = |&(from, to): &(NodeId, NodeId)| self.separates(from, to) && other.separates(from, to);
        let pair = || nodes().flat_map(|from| nodes().map(move |to| (from, to))).find(both);
        let (from, to) = (self.stands_at(time) && other.stands_at(time)).then(pair)??;
        Some((time, from, to))
    }
}

/// A message to one recipient, as rules and partitions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) time: Time,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// How many messages went over this link before it.
    pub(crate) index: u64,
    pub(crate) label: Label,
}

/// What rules and partitions make of a message that they do not lose.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    /// When it leaves: when it was sent, unless it was held.
    pub(crate) leaves: Time,
    /// What is added to its delay, and the stream to draw it from.
    pub(crate) extra: Option<(&'a Latency, Draw)>,
    /// Whether a second copy is certain.
    pub(crate) twice: bool,
}

impl Course<'_> {
    /// The course of a message that nothing is written for.
    pub(crate) fn plain(time: Time) -> Self {
        Course { leaves: time, extra: None, twice: false }
    }

    /// What is added to the delay of the next copy.
    pub(crate) fn next_extra(&mut self) -> Span {
        self.extra.as_mut().map_or(Span::ZERO, |(latency, draw)| latency.sample(draw))
    }
}

impl NetworkModel {
    /// Whether something is written for some messages.
    pub(crate) fn is_scripted(&self) -> bool {
        !self.rules.is_empty() || !self.partitions.is_empty() || self.synchrony.is_some()
    }

    /// What rules and partitions make of a message; none if they lose it. `imposed` is a rule from elsewhere that has decided already;
    /// `draws` names the random numbers of those that are here.
    pub(crate) fn course<'a>(
        &'a self,
        sent: &Sent,
        imposed: Option<(&'a Rule, Draw)>,
        draws: Option<Key>,
    ) -> Option<Course<'a>> {
        let mut course = Course::plain(sent.time);
        if let Some((rule, draw)) = imposed.or_else(|| self.decisive_rule(sent, draws?)) {
            match &rule.action {
                Action::Drop => return None,
                Action::Hold => course.leaves = rule.scope.end?,
                Action::Delay(latency) => course.extra = Some((latency, draw)),
                Action::Duplicate => course.twice = true,
            }
        }
        for partition in &self.partitions {
            if partition.stands_at(sent.time) && partition.separates(sent.from, sent.to) {
                match partition.cut {
                    Cut::Drop => return None,
                    Cut::Hold => course.leaves = course.leaves.max(partition.end?),
                }
            }
        }
        Some(course)
    }

    /// The first rule that matches, with what is left of its random numbers.
    fn decisive_rule(&self, sent: &Sent, draws: Key) -> Option<(&Rule, Draw)> {
        self.rules.iter().zip(0..).find_map(|(rule, place)| Some((rule, rule.decides(sent, draws, place)?)))
    }

    /// The synchrony that still holds for what leaves at this instant.
    fn synchrony_at(&self, time: Time) -> Option<&Synchrony> {
        self.synchrony.as_ref().filter(|synchrony| time < synchrony.gst)
    }

    /// The schedule of a link.
    pub(crate) fn schedule_of(&self, from: NodeId, to: NodeId) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.pairs().contains(from, to))
    }

    /// What is scheduled for a link at this instant.
    fn step_at(&self, from: NodeId, to: NodeId, time: Time) -> Option<&Step> {
        self.schedule_of(from, to)?.at(time)
    }

    /// The probability that what leaves at this instant is lost, bursts aside.
    pub(crate) fn drop_at(&self, from: NodeId, to: NodeId, time: Time) -> f64 {
        let early = self.synchrony_at(time).and_then(|synchrony| synchrony.drop);
        let scheduled = || self.step_at(from, to, time).and_then(|step| step.drop);
        early.or_else(scheduled).unwrap_or(self.drop)
    }

    /// How long what leaves at this instant is on its way, and never less than `floor`.
    pub(crate) fn travel(&self, sent: &Sent, leaves: Time, floor: Span, draw: &mut Draw) -> Span {
        let unstable =
            self.synchrony_at(leaves).and_then(|synchrony| Some((synchrony.gst, synchrony.latency.as_ref()?)));
        // The stream goes on behind the normal draw, so that a second copy draws the same with and without synchrony.
        let early = unstable.map(|(gst, latency)| (gst, latency.sample(&mut draw.clone()).max(floor)));
        let scheduled = self.step_at(sent.from, sent.to, leaves).and_then(|step| step.latency.as_ref());
        let normal = scheduled.unwrap_or_else(|| self.delays.between(sent.from, sent.to));
        let normal = normal.sample(draw).max(floor);
        early.map_or(normal, |(gst, early)| early.min(gst.since(leaves) + normal))
    }

    /// From when on nothing is lost at random, cut off, held or dropped by a rule any more, and the normal latency holds; none if
    /// that never comes to be.
    ///
    /// Rules that delay or duplicate do not count: what they do is bounded by [`NetworkModel::longest_delay`]. Neither do rules
    /// with probability 0.
    /// A reliable transport loses nothing that is lost at random, but it keeps the order: what was sent before may be late, by its longest
    /// timeout and by what delays it, and later messages wait for it. So much later it is stable.
    pub fn stabilises_at(&self) -> Option<Time> {
        let lossy = self.drop > 0.0 || self.bursts.is_some();
        let slack = match self.transport {
            Transport::Datagram if lossy => return None,
            Transport::Datagram => Span::ZERO,
            Transport::Reliable(_) if self.drop >= 1.0 || self.bursts_never_end() => return None,
            Transport::Reliable(retransmission) => retransmission.longest() + self.longest_before(),
        };
        let synchrony = self.synchrony.iter().map(|synchrony| Some(synchrony.gst));
        let partitions = self.partitions.iter().map(|partition| partition.end);
        let unsettling = |rule: &&Rule| rule.action.unsettles() && rule.scope.probability > 0.0;
        let rules = self.rules.iter().filter(unsettling).map(|rule| rule.scope.end);
        let churn = self.churn.iter().map(Churn::end);
        let settles = |step: &Step| match step.drop {
            Some(drop) if drop >= 1.0 || drop > 0.0 && self.transport == Transport::Datagram => None,
            _ => Some(step.at),
        };
        let schedules = self.schedules.iter().filter_map(Schedule::last).map(settles);
        let ends = synchrony.chain(partitions).chain(rules).chain(churn).chain(schedules);
        let latest = ends.into_iter().try_fold(Time::START, |latest, end| Some(latest.max(end?)))?;
        Some(if latest > Time::START { latest + slack } else { latest })
    }

    /// The longest that something takes which need not be over when the network is stable: a scheduled latency, or what a rule adds. Where
    /// that has no upper end it does not count here, and nothing bounds [`NetworkModel::longest_delay`].
    fn longest_before(&self) -> Span {
        self.latencies_before().filter_map(Latency::most).fold(Span::ZERO, |longest, most| longest + most)
    }

    fn latencies_before(&self) -> impl Iterator<Item = &Latency> {
        let scheduled = self.schedules.iter().flat_map(Schedule::steps).filter_map(|step| step.latency.as_ref());
        let added = self.rules.iter().filter_map(|rule| match &rule.action {
            Action::Delay(latency) => Some(latency),
            _ => None,
        });
        scheduled.chain(added)
    }

    fn bursts_never_end(&self) -> bool {
        self.bursts.is_some_and(|bursts| bursts.mean_loss() >= 1.0)
    }

    /// Whether messages from one node to another get through in the long run. False if an endless partition stands between them, or
    /// a rule drops all of them for ever and no endless rule before it lets some through, or the network loses everything.
    ///
    /// It is about one direction; two nodes can talk if both hold.
    pub fn can_ever_talk(&self, from: NodeId, to: NodeId) -> bool {
        let is_wall = |partition: &Partition| partition.end.is_none() && partition.separates(from, to);
        let drop = self.schedule_of(from, to).and_then(|schedule| schedule.last()?.drop).unwrap_or(self.drop);
        if drop >= 1.0 || self.bursts_never_end() || self.partitions.iter().any(is_wall) {
            return false;
        }
        let mut endless = self
            .rules
            .iter()
            .filter(|rule| rule.scope.end.is_none() && rule.scope.probability > 0.0 && rule.joins(from, to));
        let decisive = endless.find(|rule| rule.is_sweeping() || rule.action != Action::Drop);
        decisive.is_none_or(|rule| rule.action != Action::Drop)
    }

    /// The longest that a message sent after [`NetworkModel::stabilises_at`] can take, second copies included: the latency, what
    /// reordering adds, and what a rule adds that has not ended by then. None if a latency has no upper end, if messages queue for lines
    /// or are sent again, or if the network never stabilises.
    pub fn longest_delay(&self) -> Option<Span> {
        let stable = self.stabilises_at()?;
        let last_steps = || self.schedules.iter().filter_map(Schedule::last);
        let narrow = last_steps().any(|step| step.bandwidth.is_some());
        let lossy = self.drop > 0.0 || self.bursts.is_some() || last_steps().any(|step| step.drop > Some(0.0));
        // In order, what comes later waits for what once queued, or was delayed without end.
        let in_order = self.transport != Transport::Datagram;
        let unbounded_before = in_order
            && (self.schedules.iter().any(Schedule::has_lines)
                || self.latencies_before().any(|latency| latency.most().is_none()));
        if narrow || lossy || unbounded_before || self.interfaces.iter().any(|interface| !interface.is_unlimited()) {
            return None;
        }
        let reorder = match &self.reorder {
            Some(reorder) if reorder.probability > 0.0 => reorder.extra.most()?,
            _ => Span::ZERO,
        };
        let mut extra = Span::ZERO;
        for rule in &self.rules {
            let applies = rule.scope.probability > 0.0 && rule.scope.end.is_none_or(|end| end > stable);
            if let (Action::Delay(latency), true) = (&rule.action, applies) {
                extra = extra.max(latency.most()?);
            }
        }
        let mut longest = self.delays.most()?.max(Span::NANOSECOND);
        for latency in last_steps().filter_map(|step| step.latency.as_ref()) {
            longest = longest.max(latency.most()?);
        }
        Some(longest + reorder + extra)
    }
}

#[cfg(test)]
#[path = "scene_tests.rs"]
mod tests;
