//! The network between the nodes: what becomes of a message that was sent.

use crate::delays::Delays;
use crate::latency::Latency;
use crate::node::{Label, NodeId};
use crate::random::{Draw, Key};
use crate::scene::{Course, Partition, Rule, Sent, Synchrony};
use crate::time::{Span, Time};

/// What the network does with messages. Everything is drawn by name, see [`crate::random`].
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkModel {
    /// How long a message takes.
    pub delays: Delays,
    /// The probability that a message is lost, in 0..=1.
    pub drop: f64,
    /// The probability that a second copy of a message that is not lost arrives, with a delay of its own.
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
            duplicate: 0.0,
            reorder: None,
            rules: Vec::new(),
            partitions: Vec::new(),
            synchrony: None,
        }
    }

    /// No message arrives sooner than this after it was sent. At least 1 ns.
    pub fn lookahead(&self) -> Span {
        // Rules and partitions can only make a message later.
        let early = self.early_latency().map(Latency::least);
        early.map_or(self.delays.least(), |early| early.min(self.delays.least())).max(Span::NANOSECOND)
    }

    /// The latency before the network stabilises, where it is another.
    fn early_latency(&self) -> Option<&Latency> {
        self.synchrony.as_ref().and_then(|synchrony| synchrony.latency.as_ref())
    }

    /// About how long a message that takes long takes.
    pub(crate) fn typical_longest(&self) -> Span {
        let extra = self.reorder.as_ref().map_or(Span::ZERO, |reorder| reorder.extra.typical_longest());
        let early = self.early_latency().map_or(Span::ZERO, Latency::typical_longest);
        self.delays.typical_longest().max(early) + extra
    }
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// The delay of the first copy; none if it is lost.
    pub(crate) delay: Option<Span>,
    /// The delay of a second copy.
    pub(crate) duplicate: Option<Span>,
}

/// The model with the random streams of a run.
#[derive(Debug)]
pub(crate) struct Links {
    model: NetworkModel,
    floor: Span,
    latency: Key,
    /// None if the network only delays, by one latency.
    faulty: Option<FaultKeys>,
    /// How many messages went over each link: `[from][to]`, rows grown on demand.
    counts: Vec<Vec<u32>>,
}

/// The streams of what can happen to a message besides its delay.
#[derive(Debug)]
struct FaultKeys {
    drop: Key,
    duplicate: Key,
    reorder: Key,
    /// None if nothing is written for some messages.
    rules: Option<Key>,
}

/// One sender's links during one send.
pub(crate) struct Departure<'a> {
    model: &'a NetworkModel,
    faults: Option<&'a FaultKeys>,
    floor: Span,
    from: NodeId,
    /// The sender's stream of latencies.
    latency: Key,
    counts: &'a mut [u32],
}

impl Links {
    pub(crate) fn new(model: NetworkModel, nodes: usize, run: Key) -> Links {
        let streams = run.component("network");
        let scripted = model.is_scripted();
        let faulty = model.drop > 0.0 || model.duplicate > 0.0 || model.reorder.is_some() || scripted;
        Links {
            floor: model.lookahead(),
            model,
            latency: streams.component("latency"),
            faulty: faulty.then(|| FaultKeys {
                drop: streams.component("drop"),
                duplicate: streams.component("duplicate"),
                reorder: streams.component("reorder"),
                rules: scripted.then(|| streams.component("rule")),
            }),
            counts: vec![Vec::new(); nodes],
        }
    }

    /// Prepares for a message from `from` to nodes below `end`.
    #[inline]
    pub(crate) fn depart(&mut self, from: NodeId, end: usize) -> Departure<'_> {
        let Links { model, floor, faulty, latency, counts, .. } = self;
        let counts = &mut counts[from.index()];
        if counts.len() < end {
            counts.resize(end, 0);
        }
        let faults = faulty.as_ref();
        Departure { model, faults, floor: *floor, from, latency: latency.child(u64::from(from.0)), counts }
    }
}

impl Departure<'_> {
    /// Whether a message can have another fate than to arrive once, after a delay.
    #[inline]
    pub(crate) fn can_fail(&self) -> bool {
        self.faults.is_some()
    }

    /// Whether the fate of a message can depend on its label.
    #[inline]
    pub(crate) fn is_scripted(&self) -> bool {
        self.faults.is_some_and(|faults| faults.rules.is_some())
    }

    /// The delay of the next message to `to`, if there are no faults.
    #[inline(always)]
    pub(crate) fn delay(&mut self, to: NodeId) -> Span {
        let (mut draw, _) = self.next_draw(to);
        self.model.delays.sample(self.from, to, &mut draw).max(self.floor)
    }

    /// The stream of the next message to `to`, and how many went there before it.
    #[inline(always)]
    fn next_draw(&mut self, to: NodeId) -> (Draw, u64) {
        let count = &mut self.counts[to.index()];
        let index = u64::from(*count);
        *count += 1;
        (self.latency.child(u64::from(to.0)).child(index).draw(), index)
    }

    /// The fate of the next message to `to`, sent at `time`.
    pub(crate) fn fate(&mut self, to: NodeId, time: Time, label: Label) -> Fate {
        let (mut draw, index) = self.next_draw(to);
        let (model, floor) = (self.model, self.floor);
        let Some(faults) = self.faults else {
            return Fate { delay: Some(model.delays.sample(self.from, to, &mut draw).max(floor)), duplicate: None };
        };
        let sent = Sent { time, from: self.from, to, index, label };
        let course = faults.rules.map_or(Some(Course::plain(time)), |rules| model.course(&sent, rules));
        let Some(mut course) = course else { return Fate { delay: None, duplicate: None } };
        let leaves = course.leaves;
        let held = leaves.since(time);
        let mut delay = held + model.travel(&sent, leaves, floor, &mut draw) + course.next_extra();
        let name = |component: Key| component.child(u64::from(self.from.0)).child(u64::from(to.0)).child(index);
        if let Some(reorder) = &model.reorder {
            let mut extra = name(faults.reorder).draw();
            if extra.unit() < reorder.probability {
                delay = delay + reorder.extra.sample(&mut extra);
            }
        }
        let drop = model.drop_at(leaves);
        let lost = drop > 0.0 && name(faults.drop).chance(drop);
        let twice = course.twice || model.duplicate > 0.0 && name(faults.duplicate).chance(model.duplicate);
        // The second copy continues the stream of the first, so that switching duplication on changes no other delay.
        let second =
            (twice && !lost).then(|| held + model.travel(&sent, leaves, floor, &mut draw) + course.next_extra());
        Fate { delay: (!lost).then_some(delay), duplicate: second }
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
        let mut links = Links::new(model, 2, Key::root(run));
        (0..20_000).map(|_| links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, Label::default())).collect()
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
        let mut links = Links::new(model(), 3, Key::root(1));
        let there: Vec<Fate> =
            (0..50).map(|_| links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, Label::default())).collect();
        let back: Vec<Fate> =
            (0..50).map(|_| links.depart(NodeId(1), 3).fate(NodeId(0), Time::START, Label::default())).collect();
        assert_ne!(there, back);
        // What goes over other links does not matter.
        let mut busy = Links::new(model(), 3, Key::root(1));
        let again: Vec<Fate> = (0..50)
            .map(|_| {
                busy.depart(NodeId(0), 3).fate(NodeId(2), Time::START, Label::default());
                busy.depart(NodeId(0), 3).fate(NodeId(1), Time::START, Label::default())
            })
            .collect();
        assert_eq!(there, again);
    }

    #[test]
    fn a_message_always_takes_time() {
        let mut links = Links::new(NetworkModel::perfect(Latency::constant(Span::ZERO)), 2, Key::root(1));
        assert_eq!(
            links.depart(NodeId(0), 3).fate(NodeId(1), Time::START, Label::default()).delay,
            Some(Span::NANOSECOND)
        );
    }
}
