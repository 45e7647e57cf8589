//! The network between the nodes: what becomes of a message that was sent.

use crate::bandwidth::{Interface, Line};
use crate::delays::Delays;
use crate::latency::Latency;
use crate::node::{Label, NodeId};
use crate::powers::Imposed;
use crate::random::{Draw, Key};
use crate::scene::{Course, Cut, Partition, Rule, Sent, Synchrony};
use crate::schedule::{Absences, Churn, LinkLine, Schedule};
use crate::time::{Span, Time};
use crate::transport::{BurstLoss, LinkMemory, MOST_TRANSMISSIONS, Transport};
use std::collections::BTreeMap;

/// What the network does with messages. Everything is drawn by name, see [`crate::random`].
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkModel {
    /// How long a message takes.
    pub delays: Delays,
    /// The probability that a message is lost, in 0..=1.
    pub drop: f64,
    /// Losses in bursts, besides.
    pub bursts: Option<BurstLoss>,
    /// The probability that a second copy of a message that is not lost arrives, with a delay of its own. Datagrams only.
    pub duplicate: f64,
    /// Messages that are held up, so that later ones overtake them.
    pub reorder: Option<Reorder>,
    /// What becomes of single messages: the first rule that matches one decides.
    pub rules: Vec<Rule>,
    /// Who is cut off from whom, and when. They may overlap: a message is cut if any of them cuts it; a loss wins over a hold, and
    /// among holds the latest end.
    pub partitions: Vec<Partition>,
    /// What is different before the network stabilises.
    pub synchrony: Option<Synchrony>,
    /// What some links are like from some instants on; the first that is for a link decides.
    pub schedules: Vec<Schedule>,
    /// What comes and goes at random.
    pub churn: Vec<Churn>,
    /// What a loss costs.
    pub transport: Transport,
    /// What connects each node with the network, by its id. Nodes beyond the list have unlimited lines.
    pub interfaces: Vec<Interface>,
}

/// Some messages take longer than their latency says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reorder {
    /// The probability that a message is held up, in 0..=1.
    pub probability: f64,
    /// By how much longer.
    pub extra: Latency,
}

impl NetworkModel {
    /// A network that delivers everything once, after a latency.
    pub fn perfect(delays: impl Into<Delays>) -> NetworkModel {
        NetworkModel {
            delays: delays.into(),
            drop: 0.0,
            bursts: None,
            duplicate: 0.0,
            reorder: None,
            rules: Vec::new(),
            partitions: Vec::new(),
            synchrony: None,
            schedules: Vec::new(),
            churn: Vec::new(),
            transport: Transport::Datagram,
            interfaces: Vec::new(),
        }
    }

    /// No message arrives sooner than this after it was sent. At least 1 ns.
    pub fn lookahead(&self) -> Span {
        // Everything but another latency can only make a message later.
        let others = self.other_latencies().map(Latency::least);
        others.fold(self.delays.least(), Span::min).max(Span::NANOSECOND)
    }

    /// The latencies that hold for some messages in place of the normal one.
    fn other_latencies(&self) -> impl Iterator<Item = &Latency> {
        let early = self.synchrony.iter().filter_map(|synchrony| synchrony.latency.as_ref());
        let scheduled = self.schedules.iter().flat_map(Schedule::steps).filter_map(|step| step.latency.as_ref());
        early.chain(scheduled)
    }

    /// About how long a message that takes long takes.
    pub(crate) fn typical_longest(&self) -> Span {
        let extra = self.reorder.as_ref().map_or(Span::ZERO, |reorder| reorder.extra.typical_longest());
        let others = self.other_latencies().map(Latency::typical_longest);
        others.fold(self.delays.typical_longest(), Span::max) + extra
    }

    /// Whether a message can have another fate than to arrive once, after its latency and what the lines of the nodes take.
    fn is_faulty(&self) -> bool {
        self.is_scripted()
            || self.drop > 0.0
            || self.bursts.is_some()
            || self.duplicate > 0.0
            || self.reorder.is_some()
            || !self.schedules.is_empty()
            || !self.churn.is_empty()
            || self.transport != Transport::Datagram
    }

    /// Whether links have to remember what went over them.
    fn has_memory(&self) -> bool {
        self.bursts.is_some() || self.transport != Transport::Datagram
    }
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// The delay of the first copy; none if it is lost.
    pub(crate) delay: Option<Span>,
    /// The delay of a second copy.
    pub(crate) duplicate: Option<Span>,
    /// What the delay of the first copy is made of, besides its way.
    pub(crate) toll: Toll,
}

/// What a message pays on top of its way from node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Toll {
    /// Waiting until lines are free.
    pub queue: Span,
    /// Its bits, one after the other.
    pub transmission: Span,
    /// Being held, sent again, or waiting for one before it that was.
    pub recovery: Span,
}

impl Fate {
    const LOST: Fate = Fate {
        delay: None,
        duplicate: None,
        toll: Toll { queue: Span::ZERO, transmission: Span::ZERO, recovery: Span::ZERO },
    };
}

/// The model with the random streams of a run.
#[derive(Debug)]
pub(crate) struct Links {
    model: NetworkModel,
    floor: Span,
    /// Nothing is sent again after this.
    horizon: Time,
    latency: Key,
    /// All random numbers of the network.
    streams: Key,
    /// None if the network only delays.
    faulty: Option<FaultKeys>,
    /// How many messages went over each link: `[from][to]`, rows grown on demand.
    counts: Vec<Vec<u32>>,
    /// Each node's line out; empty if none is limited.
    egress: Vec<Option<Line>>,
    past: Past,
}

/// What can happen to a message besides its delay: the streams of it, and the rules that the model does not know.
#[derive(Debug)]
struct FaultKeys {
    drop: Key,
    bursts: Key,
    duplicate: Key,
    reorder: Key,
    /// None if the model has nothing written for some messages.
    rules: Option<Key>,
    imposed: Imposed,
}

impl FaultKeys {
    fn new(model: &NetworkModel, streams: Key) -> FaultKeys {
        FaultKeys {
            drop: streams.component("drop"),
            bursts: streams.component("bursts"),
            duplicate: streams.component("duplicate"),
            reorder: streams.component("reorder"),
            rules: model.is_scripted().then(|| streams.component("rule")),
            imposed: Imposed::new(streams.component("imposed")),
        }
    }
}

/// What is left of what happened.
#[derive(Debug)]
struct Past {
    /// Of each link: `[from][to]`, rows grown on demand; empty if none needs one.
    memory: Vec<Vec<LinkMemory>>,
    /// Of links whose own bandwidth is limited.
    lines: BTreeMap<(NodeId, NodeId), LinkLine>,
    absences: Absences,
}

/// One sender's links during one send.
pub(crate) struct Departure<'a> {
    model: &'a NetworkModel,
    faults: Option<&'a FaultKeys>,
    floor: Span,
    horizon: Time,
    from: NodeId,
    /// The sender's stream of latencies.
    latency: Key,
    counts: &'a mut [u32],
    egress: Option<&'a mut Line>,
    past: &'a mut Past,
}

impl Links {
    pub(crate) fn new(model: NetworkModel, nodes: usize, run: Key, horizon: Time) -> Links {
        let streams = run.component("network");
        let line = |interface: &Interface| Some(Line::new(interface.egress?, interface.buffer));
        let limited = model.interfaces.iter().any(|interface| interface.egress.is_some());
        let mut egress: Vec<Option<Line>> =
            if limited { model.interfaces.iter().map(line).collect() } else { Vec::new() };
        if limited {
            egress.resize(nodes, None);
        }
        Links {
            floor: model.lookahead(),
            horizon,
            latency: streams.component("latency"),
            streams,
            faulty: model.is_faulty().then(|| FaultKeys::new(&model, streams)),
            counts: vec![Vec::new(); nodes],
            egress,
            past: Past {
                memory: if model.has_memory() { vec![Vec::new(); nodes] } else { Vec::new() },
                lines: BTreeMap::new(),
                absences: Absences::new(streams.component("churn")),
            },
            model,
        }
    }

    /// Puts a rule in front of those of the model.
    pub(crate) fn impose(&mut self, name: u32, rule: Rule) {
        let faulty = self.faulty.get_or_insert_with(|| FaultKeys::new(&self.model, self.streams));
        faulty.imposed.impose(name, rule);
    }

    /// Takes it away again.
    pub(crate) fn lift(&mut self, name: u32) {
        let Some(faulty) = &mut self.faulty else { return };
        faulty.imposed.lift(name);
        if faulty.imposed.is_empty() && !self.model.is_faulty() {
            self.faulty = None;
        }
    }

    /// Prepares for a message from `from` to nodes below `end`.
    #[inline]
    pub(crate) fn depart(&mut self, from: NodeId, end: usize) -> Departure<'_> {
        let Links { model, floor, horizon, faulty, latency, counts, egress, past, .. } = self;
        let counts = &mut counts[from.index()];
        if counts.len() < end {
            counts.resize(end, 0);
        }
        let faults = faulty.as_ref();
        let egress = if egress.is_empty() { None } else { egress[from.index()].as_mut() };
        let latency = latency.child(u64::from(from.0));
        Departure { model, faults, floor: *floor, horizon: *horizon, from, latency, counts, egress, past }
    }
}

impl<'a> Departure<'a> {
    /// Whether a message can have another fate than to arrive once, after its latency.
    #[inline]
    pub(crate) fn is_eventful(&self) -> bool {
        self.faults.is_some() || self.egress.is_some()
    }

    /// Whether the fate of a message can depend on its label.
    #[inline]
    pub(crate) fn is_scripted(&self) -> bool {
        self.faults.is_some_and(|faults| faults.rules.is_some() || !faults.imposed.is_empty())
    }

    /// The latency of all messages, if it is one.
    #[inline]
    pub(crate) fn everywhere(&self) -> Option<&'a Latency> {
        match &self.model.delays {
            Delays::Everywhere(latency) => Some(latency),
            Delays::BetweenSites(_) => None,
        }
    }

    /// The delay of the next message to `to`, if nothing can happen to it.
    #[inline(always)]
    pub(crate) fn delay(&mut self, to: NodeId) -> Span {
        let latency = self.model.delays.between(self.from, to);
        self.delay_by(latency, to)
    }

    /// The same, where its latency is known.
    #[inline(always)]
    pub(crate) fn delay_by(&mut self, latency: &Latency, to: NodeId) -> Span {
        let (mut draw, _) = self.next_draw(to);
        latency.sample(&mut draw).max(self.floor)
    }

    /// The stream of the next message to `to`, and how many went there before it.
    #[inline(always)]
    fn next_draw(&mut self, to: NodeId) -> (Draw, u64) {
        let count = &mut self.counts[to.index()];
        let index = u64::from(*count);
        *count += 1;
        (self.latency.child(u64::from(to.0)).child(index).draw(), index)
    }

    /// The fate of the next message to `to`, sent at `time`, of so many bytes.
    #[inline]
    pub(crate) fn fate(&mut self, to: NodeId, time: Time, bytes: u64, label: Label) -> Fate {
        let (mut draw, index) = self.next_draw(to);
        let mut toll = Toll::default();
        let mut left = time;
        if let Some(line) = &mut self.egress {
            let Some(passage) = line.send(time, bytes) else { return Fate::LOST };
            left = passage.end;
            toll.queue = passage.wait;
            toll.transmission = left.since(time) - passage.wait;
        }
        if let Some(faults) = self.faults {
            return self.cross(&Sent { time, from: self.from, to, index, label }, left, bytes, faults, draw, toll);
        }
        let way = self.model.delays.sample(self.from, to, &mut draw).max(self.floor);
        Fate { delay: Some(left.since(time) + way), duplicate: None, toll }
    }

    /// What becomes of a message that has left its sender.
    fn cross(
        &mut self,
        sent: &Sent,
        left: Time,
        bytes: u64,
        faults: &'a FaultKeys,
        mut draw: Draw,
        mut toll: Toll,
    ) -> Fate {
        let (model, floor) = (self.model, self.floor);
        let name =
            |component: Key| component.child(u64::from(sent.from.0)).child(u64::from(sent.to.0)).child(sent.index);
        let mut out = left;
        if let Some(schedule) = model.schedule_of(sent.from, sent.to).filter(|schedule| schedule.has_lines()) {
            let line = self.past.lines.entry((sent.from, sent.to)).or_default();
            let begin = schedule.carry(line, left, bytes);
            out = line.free_at;
            toll.queue = toll.queue + begin.since(left);
            toll.transmission = toll.transmission + out.since(begin);
        }
        let Some((mut course, leaves)) = self.get_through(sent, out, faults, name(faults.drop).draw()) else {
            return Fate::LOST;
        };
        toll.recovery = leaves.since(out);
        let mut way = model.travel(sent, leaves, floor, &mut draw) + course.next_extra();
        if let Some(reorder) = &model.reorder {
            let mut extra = name(faults.reorder).draw();
            if extra.unit() < reorder.probability {
                way = way + reorder.extra.sample(&mut extra);
            }
        }
        let mut arrival = leaves + way;
        if model.transport != Transport::Datagram {
            // Behind those before it; at the same instant the sender's own numbers keep the order.
            let last = &mut self.memory_of(sent).last_arrival;
            toll.recovery = toll.recovery + last.since(arrival);
            arrival = arrival.max(*last);
            *last = arrival;
        }
        let twice = course.twice || model.duplicate > 0.0 && name(faults.duplicate).chance(model.duplicate);
        // The second copy continues the stream of the first, so that switching duplication on changes no other delay.
        let mut second =
            || leaves.since(sent.time) + model.travel(sent, leaves, floor, &mut draw) + course.next_extra();
        Fate { delay: Some(arrival.since(sent.time)), duplicate: twice.then(&mut second), toll }
    }

    /// Sends a message, over a reliable transport again and again, until it gets through: what rules made of it, and when it leaves;
    /// none if it is lost. A transmission that would come after the run is not made.
    fn get_through(
        &mut self,
        sent: &Sent,
        left: Time,
        faults: &'a FaultKeys,
        mut losses: Draw,
    ) -> Option<(Course<'a>, Time)> {
        let model = self.model;
        let (mut at, mut left) = (sent.time, left);
        for number in 0..MOST_TRANSMISSIONS {
            let now = Sent { time: at, ..*sent };
            // Each transmission has random numbers of its own, and uses them up, whatever else befalls it.
            let in_burst = self.is_in_burst(sent, number, faults.bursts);
            let chance = losses.unit();
            let rules = faults.rules.map(|rules| if number == 0 { rules } else { rules.child(number) });
            let course = match (faults.imposed.decisive(&now, number), rules) {
                (None, None) => Some(Course::plain(at)),
                (imposed, rules) => model.course(&now, imposed, rules),
            };
            let absent = self.past.absences.cut(&model.churn, sent.from, sent.to, at);
            let leaves = match (&course, absent) {
                (None, _) | (_, Some((Cut::Drop, _))) => None,
                (Some(course), Some((Cut::Hold, back))) => Some(course.leaves.max(back).max(left)),
                (Some(course), None) => Some(course.leaves.max(left)),
            };
            if let (Some(course), Some(leaves)) = (course, leaves) {
                if !in_burst && chance >= model.drop_at(sent.from, sent.to, leaves) {
                    return Some((course, leaves));
                }
                left = leaves;
            }
            let Transport::Reliable(retransmission) = model.transport else { return None };
            at = left + retransmission.wait_after(number);
            left = at;
            if at > self.horizon {
                return None;
            }
        }
        None
    }

    /// Whether a burst takes a transmission. What is sent again meets its link as that is on average: a timeout is longer than a spell; and
    /// so no fault moves the spells that later messages meet.
    fn is_in_burst(&mut self, sent: &Sent, number: u64, bursts: Key) -> bool {
        let Some(model) = &self.model.bursts else { return false };
        let link = bursts.child(u64::from(sent.from.0)).child(u64::from(sent.to.0));
        let name = link.child(sent.index).child(number);
        if number > 0 {
            return name.chance(model.mean_loss());
        }
        model.loses(&mut self.memory_of(sent).spell, name)
    }

    fn memory_of(&mut self, sent: &Sent) -> &mut LinkMemory {
        let row = &mut self.past.memory[sent.from.index()];
        if row.len() <= sent.to.index() {
            row.resize_with(sent.to.index() + 1, LinkMemory::default);
        }
        &mut row[sent.to.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> NetworkModel {
        let ms = Span::from_millis;
        let extra = Latency::uniform(ms(0), ms(20)).unwrap();
        NetworkModel {
            drop: 0.1,
            duplicate: 0.2,
            reorder: Some(Reorder { probability: 0.05, extra }),
            ..NetworkModel::perfect(Latency::uniform(ms(5), ms(35)).unwrap())
        }
    }

    fn fates(model: NetworkModel, run: u64) -> Vec<Fate> {
        let mut links = Links::new(model, 2, Key::root(run), Time::END);
        (0..20_000).map(|_| links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, 100, Label::default())).collect()
    }

    #[test]
    fn each_fate_comes_as_often_as_its_probability_says() {
        let fates = fates(model(), 1);
        let share = |what: fn(&Fate) -> bool| fates.iter().filter(|fate| what(fate)).count() as f64 / 20_000.0;
        assert!((share(|fate| fate.delay.is_none()) - 0.1).abs() < 0.01);
        assert!((share(|fate| fate.duplicate.is_some()) - 0.18).abs() < 0.015, "of the nine tenths that arrive");
        // 0.05 · P(U(5,35) + U(0,20) > 35) = 0.05 · 1/3, of the nine tenths that arrive.
        let late = share(|fate| fate.delay.is_some_and(|delay| delay > Span::from_millis(35)));
        assert!((late - 0.015).abs() < 0.004, "{late}");
    }

    #[test]
    fn switching_one_fault_on_changes_nothing_else() {
        let all = fates(model(), 1);
        let plain = fates(NetworkModel::perfect(model().delays), 1);
        let held = |(fate, plain): (&Fate, &Fate)| fate.delay.is_some_and(|delay| Some(delay) != plain.delay);
        let share = all.iter().zip(&plain).filter(|&pair| held(pair)).count() as f64 / 20_000.0;
        assert!((share - 0.045).abs() < 0.006, "only reordered messages differ: {share}");
    }

    #[test]
    fn links_and_runs_have_their_own_streams() {
        assert_ne!(fates(model(), 1)[..50], fates(model(), 2)[..50]);
        let mut links = Links::new(model(), 3, Key::root(1), Time::END);
        let there: Vec<Fate> =
            (0..50).map(|_| links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, 100, Label::default())).collect();
        let back: Vec<Fate> =
            (0..50).map(|_| links.depart(NodeId(1), 3).fate(NodeId(0), Time::START, 100, Label::default())).collect();
        assert_ne!(there, back);
        // What goes over other links does not matter.
        let mut busy = Links::new(model(), 3, Key::root(1), Time::END);
        let again: Vec<Fate> = (0..50)
            .map(|_| {
                busy.depart(NodeId(0), 3).fate(NodeId(2), Time::START, 100, Label::default());
                busy.depart(NodeId(0), 3).fate(NodeId(1), Time::START, 100, Label::default())
            })
            .collect();
        assert_eq!(there, again);
    }

    #[test]
    fn a_message_always_takes_time() {
        let mut links = Links::new(NetworkModel::perfect(Latency::constant(Span::ZERO)), 2, Key::root(1), Time::END);
        assert_eq!(
            links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, 100, Label::default()).delay,
            Some(Span::NANOSECOND)
        );
    }
}
