//! Links that change with time: by a schedule, or because they come and go.

use crate::bandwidth::Bandwidth;
use crate::latency::Latency;
use crate::node::NodeId;
use crate::random::{Draw, Key};
use crate::scene::{Cut, NodeSet};
use crate::time::{Span, Time};
use std::collections::BTreeMap;

/// Which messages something is for: those from one set of nodes to another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pairs {
    /// Who sends; none means anybody.
    pub from: Option<NodeSet>,
    /// Who receives; none means anybody.
    pub to: Option<NodeSet>,
}

impl Pairs {
    /// Whether a message from one node to another is meant.
    pub fn contains(&self, from: NodeId, to: NodeId) -> bool {
        self.from.as_ref().is_none_or(|nodes| nodes.contains(from))
            && self.to.as_ref().is_none_or(|nodes| nodes.contains(to))
    }

    /// Whether a message from either node to the other is meant.
    fn joins(&self, a: NodeId, b: NodeId) -> bool {
        self.contains(a, b) || self.contains(b, a)
    }
}

/// What some links are like, from some instants on. The first schedule that is for a link decides.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pairs: Pairs,
    steps: Vec<Step>,
}

/// What links are like from an instant until the next step.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// For what leaves at this instant or later.
    pub at: Time,
    /// The latency; none is the normal one.
    pub latency: Option<Latency>,
    /// The probability, in 0..=1, that a message is lost; none is the normal one.
    pub drop: Option<f64>,
    /// What the link itself carries, beside the interfaces of its nodes; none is unlimited.
    pub bandwidth: Option<Bandwidth>,
}

/// Why something that changes with time makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// It has no steps.
    #[error("there is no step")]
    Empty,
    /// A step is not later than the one before it; its place in the list.
    #[error("step {0} is not later than the one before it")]
    OutOfOrder(usize),
    /// A probability is not one.
    #[error("{0} is not a probability")]
    NotAProbability(f64),
    /// The end is not after the start.
    #[error("it ends before it starts")]
    Backwards,
    /// It goes down and up in no time.
    #[error("both times are zero: a link cannot come and go in no time")]
    NoTime,
}

impl Schedule {
    /// A schedule for some links, its steps in the order of time.
    pub fn new(pairs: Pairs, steps: Vec<Step>) -> Result<Schedule, ScheduleError> {
        if steps.is_empty() {
            return Err(ScheduleError::Empty);
        }
        if let Some(place) = steps.windows(2).position(|pair| pair[1].at <= pair[0].at) {
            return Err(ScheduleError::OutOfOrder(place + 1));
        }
        let improbable = |drop: &f64| !(0.0..=1.0).contains(drop);
        match steps.iter().filter_map(|step| step.drop).find(improbable) {
            Some(drop) => Err(ScheduleError::NotAProbability(drop)),
            None => Ok(Schedule { pairs, steps }),
        }
    }

    /// Which links it is for.
    pub fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// Its steps, in the order of time.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What holds at an instant; none before the first step.
    pub(crate) fn at(&self, time: Time) -> Option<&Step> {
        self.steps[..self.steps.partition_point(|step| step.at <= time)].last()
    }

    pub(crate) fn last(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Whether the links are ever too narrow for something.
    pub(crate) fn has_lines(&self) -> bool {
        self.steps.iter().any(|step| step.bandwidth.is_some())
    }

    /// Puts a message on one of the links, when what is on it has passed, and at `left` at the earliest. Says when its first bit is on the
    /// link. The rate changes with the steps, also on the way.
    pub(crate) fn carry(&self, line: &mut LinkLine, left: Time, bytes: u64) -> Time {
        if line.free_at < left {
            *line = LinkLine { free_at: left, remainder: 0 };
        }
        let begin = line.free_at;
        let mut work = u128::from(bytes) * 8_000_000_000 + line.remainder;
        loop {
            let at = line.free_at;
            let Some(bandwidth) = self.at(at).and_then(|step| step.bandwidth) else {
                line.remainder = 0;
                return begin;
            };
            let rate = u128::from(bandwidth.bits_a_second());
            let end = at + Span::from_nanos(u64::try_from(work / rate).unwrap_or(u64::MAX));
            match self.steps.iter().find(|step| step.at > at) {
                Some(next) if next.at < end => {
                    work -= u128::from(next.at.since(at).as_nanos()) * rate;
                    line.free_at = next.at;
                }
                _ => {
                    *line = LinkLine { free_at: end, remainder: work % rate };
                    return begin;
                }
            }
        }
    }
}

/// A link whose own bandwidth is limited.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinkLine {
    /// When the last bit of everything so far has passed.
    pub(crate) free_at: Time,
    /// What that is rounded down by: bits, times nanoseconds in a second.
    remainder: u128,
}

/// What comes and goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fickle {
    /// Each of these nodes: while it is away, all its links are cut, in both directions.
    Nodes(NodeSet),
    /// Each link between two nodes of these pairs, in both directions at once.
    Links(Pairs),
}

/// Churn: nodes or links that go and come, each by itself, as its random numbers say. They begin there.
///
/// A node that is away is cut off, but goes on; to stop it is a crash, which the network knows nothing of.
#[derive(Clone, PartialEq, Debug)]
pub struct Churn {
    fickle: Fickle,
    up: Latency,
    down: Latency,
    start: Time,
    end: Option<Time>,
    cut: Cut,
}

impl Churn {
    /// No time up or down is shorter: shorter draws are set to it.
    pub const SHORTEST: Span = Span::from_nanos(1_000);

    /// Times `up` and `down` by turns, from `start` until `end`, when everything is there again; without an `end`, for ever. `cut` says
    /// what becomes of messages meanwhile: they go by the time at which they are sent.
    pub fn new(
        fickle: Fickle,
        up: Latency,
        down: Latency,
        (start, end): (Time, Option<Time>),
        cut: Cut,
    ) -> Result<Churn, ScheduleError> {
        if end.is_some_and(|end| end <= start) {
            return Err(ScheduleError::Backwards);
        }
        if up.most() == Some(Span::ZERO) && down.most() == Some(Span::ZERO) {
            return Err(ScheduleError::NoTime);
        }
        Ok(Churn { fickle, up, down, start, end, cut })
    }

    /// What comes and goes.
    pub fn fickle(&self) -> &Fickle {
        &self.fickle
    }

    /// How long it stays.
    pub fn up(&self) -> &Latency {
        &self.up
    }

    /// How long it is away.
    pub fn down(&self) -> &Latency {
        &self.down
    }

    /// From when on.
    pub fn start(&self) -> Time {
        self.start
    }

    /// Until when; none means for ever.
    pub fn end(&self) -> Option<Time> {
        self.end
    }

    /// What becomes of messages meanwhile.
    pub fn cut(&self) -> Cut {
        self.cut
    }
}

/// When everything that comes and goes in a run does so. Found out as far as somebody asks.
#[derive(Debug)]
pub(crate) struct Absences {
    draws: Key,
    /// By the place of the churn, and the node or the two ends of the link.
    timelines: BTreeMap<(usize, NodeId, NodeId), Timeline>,
}

impl Absences {
    /// `draws` names the random numbers.
    pub(crate) fn new(draws: Key) -> Absences {
        Absences { draws, timelines: BTreeMap::new() }
    }

    /// What churn does to a message that leaves `from` for `to` at `time`: nothing, or it is cut until some instant, which never comes
    /// for one that is lost.
    pub(crate) fn cut(&mut self, churns: &[Churn], from: NodeId, to: NodeId, time: Time) -> Option<(Cut, Time)> {
        let mut worst: Option<(Cut, Time)> = None;
        for (place, churn) in churns.iter().enumerate() {
            if time < churn.start || churn.end.is_some_and(|end| end <= time) {
                continue;
            }
            let subjects = match &churn.fickle {
                Fickle::Nodes(nodes) => [from, to].map(|node| nodes.contains(node).then_some((node, node))),
                Fickle::Links(pairs) => [pairs.joins(from, to).then_some((from.min(to), from.max(to))), None],
            };
            for (a, b) in subjects.into_iter().flatten() {
                let draws = self.draws;
                let named = || [place as u64, u64::from(a.0), u64::from(b.0)].into_iter().fold(draws, Key::child);
                let timeline = self.timelines.entry((place, a, b)).or_insert_with(|| Timeline::new(named(), churn));
                let Some(back) = timeline.away_until(churn, time) else { continue };
                let back = churn.end.map_or(back, |end| end.min(back));
                worst = match (worst, churn.cut) {
                    (Some((Cut::Drop, _)), _) | (_, Cut::Drop) => Some((Cut::Drop, Time::END)),
                    (Some((_, other)), Cut::Hold) => Some((Cut::Hold, other.max(back))),
                    (None, Cut::Hold) => Some((Cut::Hold, back)),
                };
            }
        }
        worst
    }
}

/// When one node or link goes and comes back, by turns, as far as it is known.
#[derive(Debug)]
struct Timeline {
    draw: Draw,
    turns: Vec<Time>,
}

impl Timeline {
    fn new(name: Key, churn: &Churn) -> Timeline {
        let mut draw = name.draw();
        let first = churn.start + churn.up.sample(&mut draw).max(Churn::SHORTEST);
        Timeline { draw, turns: vec![first] }
    }

    /// When it is back, if it is away at `time`.
    fn away_until(&mut self, churn: &Churn, time: Time) -> Option<Time> {
        while let Some(&last) = self.turns.last()
            && last <= time
            && last < Time::END
        {
            let next = if self.turns.len() % 2 == 1 { &churn.down } else { &churn.up };
            self.turns.push(last + next.sample(&mut self.draw).max(Churn::SHORTEST));
        }
        let passed = self.turns.partition_point(|&turn| turn <= time);
        (passed % 2 == 1).then(|| self.turns.get(passed).copied().unwrap_or(Time::END))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: u64) -> Time {
        Time::START + Span::from_millis(time)
    }

    fn step(at: u64) -> Step {
        Step { at: ms(at), latency: None, drop: Some(at as f64 / 100.0), bandwidth: None }
    }

    #[test]
    fn a_step_holds_until_the_next() {
        let schedule = Schedule::new(Pairs::default(), vec![step(10), step(20)]).unwrap();
        let drop = |time| schedule.at(time).and_then(|step| step.drop);
        assert_eq!(
            [0, 10, 19, 20, 1000].map(|time| drop(ms(time))),
            [None, Some(0.1), Some(0.1), Some(0.2), Some(0.2)]
        );
        let refused = |steps| Schedule::new(Pairs::default(), steps).unwrap_err();
        assert_eq!(refused(vec![step(10), step(20), step(20)]), ScheduleError::OutOfOrder(2));
        assert_eq!(refused(vec![step(101)]), ScheduleError::NotAProbability(1.01));
        assert_eq!(refused(vec![]), ScheduleError::Empty);
    }

    #[test]
    fn a_message_is_carried_at_the_rate_of_each_moment() {
        let rate = |at, bytes_a_second: u64| Step { bandwidth: Bandwidth::new(8 * bytes_a_second), ..step(at) };
        let schedule = Schedule::new(Pairs::default(), vec![rate(10, 1000), rate(20, 2000), rate(30, 0)]).unwrap();
        let end = |begin, bytes| {
            let mut line = LinkLine::default();
            schedule.carry(&mut line, ms(begin), bytes);
            line.free_at
        };
        assert_eq!(end(0, 100), ms(0), "no limit yet");
        assert_eq!(end(12, 5), ms(17));
        assert_eq!(end(18, 5), Time::from_nanos(21_500_000), "two bytes until 20, three at twice the rate");
        assert_eq!(end(18, 500), ms(30), "the rest as soon as there is no limit any more");
        // 121 bytes at 400 Gbit/s take 2.42 ns: no rate is lost to rounding.
        let fast = Step { bandwidth: Bandwidth::new(400_000_000_000), ..step(0) };
        let schedule = Schedule::new(Pairs::default(), vec![fast]).unwrap();
        let mut line = LinkLine::default();
        for _ in 0..100_000 {
            schedule.carry(&mut line, ms(0), 121);
        }
        assert_eq!(line.free_at, Time::from_nanos(242_000));
    }

    #[test]
    fn what_comes_and_goes_is_there_for_its_share_of_time_and_for_both_directions() {
        let constant = |millis| Latency::constant(Span::from_millis(millis));
        let links = Fickle::Links(Pairs { from: Some(NodeSet::of([NodeId(0)])), to: None });
        let churn = |up, down, end| Churn::new(links.clone(), up, down, (ms(5), end), Cut::Hold).unwrap();
        let churns = [churn(constant(10), constant(20), Some(ms(100)))];
        let mut absences = Absences::new(Key::root(1));
        let mut cut = |from, to, time| absences.cut(&churns, NodeId(from), NodeId(to), ms(time));
        // There from 5 to 15, away until 35, there until 45, away until 65, …, away from 75 to 95, there to the end.
        assert_eq!(cut(0, 1, 14), None);
        assert_eq!(cut(0, 1, 15), Some((Cut::Hold, ms(35))));
        assert_eq!(cut(1, 0, 34), Some((Cut::Hold, ms(35))));
        assert_eq!(cut(1, 2, 20), None, "not one of the links");
        assert_eq!(cut(0, 1, 50), Some((Cut::Hold, ms(65))));
        assert_eq!(cut(0, 1, 20), Some((Cut::Hold, ms(35))), "asked out of order");
        assert_eq!(cut(0, 1, 101), None);

        let exponential = |mean| {
            let shape = crate::latency::Shape::Exponential { mean: Span::from_millis(mean) };
            Latency::new(shape, Span::ZERO, Span::ZERO).unwrap()
        };
        let churns = [churn(exponential(30), exponential(10), None)];
        let away = (5..400_000).filter(|&time| absences.cut(&churns, NodeId(0), NodeId(2), ms(time)).is_some());
        let share = away.count() as f64 / 400_000.0;
        assert!((share - 0.25).abs() < 0.01, "{share}");
        let zero = constant(0);
        let refused = Churn::new(links.clone(), zero.clone(), zero, (ms(0), None), Cut::Drop).unwrap_err();
        assert_eq!(refused, ScheduleError::NoTime);
    }
}
