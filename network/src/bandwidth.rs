//! Bandwidth: lines that carry so many bits a second, first come, first served.

use crate::time::{Span, Time};
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// How many bits a line carries a second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bandwidth(NonZeroU64);

impl Bandwidth {
    /// So many bits a second; none for zero, for nothing would ever get through.
    pub fn new(bits_a_second: u64) -> Option<Bandwidth> {
        NonZeroU64::new(bits_a_second).map(Bandwidth)
    }

    /// Bits a second.
    pub fn bits_a_second(self) -> u64 {
        self.0.get()
    }

    /// How long so many bytes take, rounded down.
    fn time_for(self, bytes: u64) -> Span {
        if let Some(work) = bytes.checked_mul(8_000_000_000) {
            return Span::from_nanos(work / self.0.get());
        }
        let nanos = u128::from(bytes) * 8_000_000_000 / u128::from(self.0.get());
        Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What connects a node with the network: one line out and one in.
///
/// A message occupies the line out for its size over `egress`, then it is on its way for the delay of its link, while its bits come
/// in. The line in takes them as they come, so that a message on idle lines of the same speed pays for its size once; where
/// several come in at once it is a queue as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interface {
    /// Of the line out; none is unlimited.
    pub egress: Option<Bandwidth>,
    /// Of the line in; none is unlimited.
    pub ingress: Option<Bandwidth>,
    /// How many bytes can be at each of the two lines, the rest of the one that is passing included; none is unlimited. A message that
    /// has to wait and finds no room for all of it is lost.
    pub buffer: Option<u64>,
}

impl Interface {
    /// Whether it never makes a message wait.
    pub fn is_unlimited(&self) -> bool {
        self.egress.is_none() && self.ingress.is_none()
    }
}

/// A line out with its queue. Times must not run backwards, or the later call waits for the earlier.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    bits_a_second: u64,
    buffer: Option<u64>,
    /// When the last bit of everything so far has passed.
    free_at: Time,
    /// What that is rounded down by, in units of 1/`bits_a_second` nanoseconds: over many messages no rate is lost.
    remainder: u64,
}

/// What a line did with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Passage {
    /// How long its first bit waited.
    pub(crate) wait: Span,
    /// When its last bit has passed.
    pub(crate) end: Time,
}

impl Line {
    pub(crate) fn new(bandwidth: Bandwidth, buffer: Option<u64>) -> Line {
        Line { bits_a_second: bandwidth.bits_a_second(), buffer, free_at: Time::START, remainder: 0 }
    }

    /// Puts a message on the line whose bits are all there at `time`; none if there is no room for it.
    #[inline]
    pub(crate) fn send(&mut self, time: Time, bytes: u64) -> Option<Passage> {
        let wait = self.free_at.since(time);
        if wait > Span::ZERO && !self.has_room(wait, bytes) {
            return None;
        }
        if wait == Span::ZERO {
            (self.free_at, self.remainder) = (time, 0);
        }
        self.carry(bytes);
        Some(Passage { wait, end: self.free_at })
    }

    fn carry(&mut self, bytes: u64) {
        self.free_at = self.free_at + time_on(self.bits_a_second, bytes, &mut self.remainder);
    }

    #[cold]
    fn has_room(&self, wait: Span, bytes: u64) -> bool {
        has_room(self.buffer, self.bits_a_second, wait, bytes)
    }
}

/// How long so many bytes take on a line. What is rounded down is kept for the next.
#[inline]
fn time_on(bits_a_second: u64, bytes: u64, remainder: &mut u64) -> Span {
    const NANOS: u64 = 1_000_000_000;
    let bits = bytes.saturating_mul(8);
    let narrow = bits.checked_mul(NANOS).and_then(|work| work.checked_add(*remainder));
    let (whole, rest) = if let Some(work) = narrow {
        (work / bits_a_second, work % bits_a_second)
    } else {
        let work = u128::from(bits) * u128::from(NANOS) + u128::from(*remainder);
        let rate = u128::from(bits_a_second);
        (u64::try_from(work / rate).unwrap_or(u64::MAX), (work % rate) as u64)
    };
    *remainder = rest;
    Span::from_nanos(whole)
}

/// Whether a message fits behind what takes `wait` to pass.
fn has_room(buffer: Option<u64>, bits_a_second: u64, wait: Span, bytes: u64) -> bool {
    let waiting = u128::from(wait.as_nanos()) * u128::from(bits_a_second) / 8_000_000_000;
    buffer.is_none_or(|buffer| waiting + u128::from(bytes) <= u128::from(buffer))
}

/// A line in: it takes bits as they come, whatever they come from, as long as it is not busy with others.
#[derive(Clone, Debug)]
pub(crate) struct LineIn {
    bandwidth: Bandwidth,
    buffer: Option<u64>,
    /// When it is busy, from and until: apart from each other, in the order of time. What lies far back is forgotten.
    busy: VecDeque<(Time, Time)>,
    /// As that of a line out.
    remainder: u64,
}

impl LineIn {
    /// So many times of work are told apart; older ones count as one. During one large message that many small ones may come.
    const MOST_APART: usize = 8192;

    pub(crate) fn new(bandwidth: Bandwidth, buffer: Option<u64>) -> LineIn {
        LineIn { bandwidth, buffer, busy: VecDeque::new(), remainder: 0 }
    }

    /// When a message has come in whose last bit comes at `time` from a line as fast as `sender`; none if there is no room for it.
    ///
    /// Its bits come one after the other before that instant. The line takes them whenever it is not busy with what came before, and
    /// the rest of them afterwards.
    #[inline]
    pub(crate) fn receive(&mut self, time: Time, bytes: u64, sender: Option<Bandwidth>) -> Option<Time> {
        let backlog = self.busy.back().map_or(Span::ZERO, |(_, until)| until.since(time));
        if backlog > Span::ZERO && !has_room(self.buffer, self.bandwidth.bits_a_second(), backlog, bytes) {
            return None;
        }
        let spread = sender.map_or(Span::ZERO, |sender| sender.time_for(bytes));
        let first_bit = Time::START + (time.since(Time::START) - spread);
        if self.busy.back().is_none_or(|(_, until)| *until <= first_bit) {
            self.remainder = 0;
        }
        let work = time_on(self.bandwidth.bits_a_second(), bytes, &mut self.remainder);
        Some(self.work(first_bit, work).max(time))
    }

    /// Works for so long, from an instant on, whenever it has time. Says when it is done.
    #[inline]
    fn work(&mut self, from: Time, work: Span) -> Time {
        match self.busy.back_mut() {
            // Mostly the line is idle, or busy since before the first bit came.
            Some((start, until)) if *start <= from && from <= *until => {
                *until = *until + work;
                *until
            }
            Some((_, until)) if from < *until => self.fill_gaps(from, work),
            _ => {
                self.busy.push_back((from, from + work));
                self.forget();
                from + work
            }
        }
    }

    fn forget(&mut self) {
        if self.busy.len() > LineIn::MOST_APART
            && let Some((start, _)) = self.busy.pop_front()
            && let Some(oldest) = self.busy.front_mut()
        {
            oldest.0 = start;
        }
    }

    /// Works in between what came before.
    #[inline(never)]
    fn fill_gaps(&mut self, from: Time, work: Span) -> Time {
        let (mut at, mut left, mut end) = (from, work, from);
        let mut next = self.busy.partition_point(|(_, until)| *until <= at);
        while left > Span::ZERO {
            let gap = self.busy.get(next).map_or(left, |(start, _)| start.since(at));
            let filled = gap.min(left);
            if filled > Span::ZERO {
                let until = at + filled;
                match next.checked_sub(1).map(|before| &mut self.busy[before]) {
                    Some((_, end)) if *end == at => *end = until,
                    _ => {
                        self.busy.insert(next, (at, until));
                        next += 1;
                    }
                }
                (at, left, end) = (until, left - filled, until);
            }
            // What follows at once is one with what is before it.
            if let Some(&(start, until)) = self.busy.get(next)
                && start <= at
            {
                at = until;
                if next > 0 && self.busy[next - 1].1 == start {
                    self.busy[next - 1].1 = until;
                    self.busy.remove(next);
                } else {
                    next += 1;
                }
            }
        }
        self.forget();
        end
    }

    /// A machine that has just crashed has nothing on its line any more.
    pub(crate) fn clear(&mut self) {
        self.busy.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bits: u64, buffer: Option<u64>) -> Line {
        Line::new(Bandwidth::new(bits).unwrap(), buffer)
    }

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn a_message_takes_its_size_and_waits_for_those_before_it() {
        let mut line = line(8_000_000_000, None);
        let passage = |wait, end| Some(Passage { wait: Span::from_nanos(wait), end: at(end) });
        assert_eq!(line.send(at(1000), 100), passage(0, 1100));
        assert_eq!(line.send(at(1040), 50), passage(60, 1150));
        assert_eq!(line.send(at(5000), 1), passage(0, 5001));
        assert_eq!(Bandwidth::new(0), None);
    }

    #[test]
    fn no_rate_is_lost_to_rounding() {
        // 120 bytes at 10 Gibit/s take 89.407 ns.
        let mut line = line(10 << 30, None);
        let last = (0..1_000_000).map(|_| line.send(at(0), 120).unwrap().end).last().unwrap();
        let exact = 120.0 * 8e15 / (10u64 << 30) as f64;
        assert!((last.as_nanos() as f64 - exact).abs() <= 1.0, "{last:?} {exact}");
        // More than 64 bits of work at once.
        let mut slow = self::line(1, None);
        assert_eq!(slow.send(at(0), 2_000_000_000).unwrap().end, at(16_000_000_000_000_000_000));
    }

    const FAST: u64 = 8_000_000_000;

    fn line_in(buffer: Option<u64>) -> LineIn {
        LineIn::new(Bandwidth::new(FAST).unwrap(), buffer)
    }

    #[test]
    fn bits_come_in_while_they_are_sent() {
        let mut line = line_in(None);
        let mut end = |time, bytes, sender| line.receive(at(time), bytes, Bandwidth::new(sender)).unwrap();
        assert_eq!(end(1000, 100, FAST), at(1000), "an idle line has taken them by then");
        assert_eq!(end(1000, 100, FAST), at(1100), "two at once take turns");
        assert_eq!(end(1150, 100, FAST), at(1200), "half of it came while the line was busy");
        assert_eq!(end(9000, 100, FAST), at(9000));
        assert_eq!(end(30_000, 100, FAST / 2), at(30_000), "no faster than they come");
        assert_eq!(end(40_000, 100, 2 * FAST), at(40_050));
        assert_eq!(line.receive(at(50_000), 100, None), Some(at(50_100)), "all at once");
    }

    #[test]
    fn a_small_message_in_between_costs_a_large_one_no_more_than_itself() {
        let mut line = line_in(None);
        let same = Bandwidth::new(FAST);
        // 1 MB comes in between 1 and 2 ms, and votes of 100 bytes with it.
        for vote in [1_500_000, 1_500_050, 1_999_900] {
            line.receive(at(vote), 100, same);
        }
        assert_eq!(line.receive(at(2_000_000), 1_000_000, same), Some(at(2_000_300)));
        assert_eq!(line.receive(at(2_000_000), 100, same), Some(at(2_000_400)));
        // What waits is what is not through yet, and no idle time.
        let mut line = line_in(Some(1_000_100));
        assert_eq!(line.receive(at(1_999_950), 100, same), Some(at(1_999_950)));
        assert_eq!(line.receive(at(2_000_000), 1_000_000, same), Some(at(2_000_100)));
    }

    /// Against the definition: each nanosecond belongs to the first who wants it.
    #[test]
    fn a_line_works_whenever_it_has_something_to_do() {
        let mut draw = crate::random::Key::root(9).draw();
        for _ in 0..200 {
            let (mut line, mut taken, mut now) = (line_in(None), std::collections::BTreeSet::new(), 20_000);
            for _ in 0..40 {
                now += draw.up_to(150);
                let most = if draw.up_to(3) == 0 { 900 } else { 20 };
                let bytes = 1 + draw.up_to(most);
                // Unlimited, as fast as the line, half as fast, or twice.
                let (sender, spread) = match draw.up_to(3) {
                    0 => (None, 0),
                    1 => (Bandwidth::new(FAST), bytes),
                    2 => (Bandwidth::new(FAST / 2), 2 * bytes),
                    _ => (Bandwidth::new(2 * FAST), bytes / 2),
                };
                let (mut last, mut moment) = (now, now - spread);
                for _ in 0..bytes {
                    while !taken.insert(moment) {
                        moment += 1;
                    }
                    last = moment + 1;
                }
                assert_eq!(line.receive(at(now), bytes, sender), Some(at(last.max(now))));
            }
        }
    }

    #[test]
    fn what_fits_a_gap_exactly_is_through_at_its_end() {
        let mut line = line_in(None);
        assert_eq!(line.receive(at(1000), 500, None), Some(at(1500)));
        for bytes in [99, 100, 101] {
            assert_eq!(
                line.clone().receive(at(1000), bytes, Bandwidth::new(FAST)),
                Some(at(1000)),
                "{bytes} before it"
            );
        }
        // Many small ones during a large one.
        let mut line = line_in(None);
        let votes = 900;
        for vote in 0..votes {
            line.receive(at(10_000_000 + 1_000 * vote), 100, Bandwidth::new(FAST));
        }
        let end = line.receive(at(11_000_000), 1_000_000, Bandwidth::new(FAST));
        assert_eq!(end, Some(at(11_000_000 + 100 * (votes - 1))), "the first came before it");
    }

    #[test]
    fn a_full_buffer_loses_what_comes_last() {
        let mut line = line(8_000_000_000, Some(250));
        assert!(line.send(at(0), 1000).is_some(), "what need not wait needs no buffer");
        assert_eq!(line.send(at(0), 100), None, "1000 bytes are still there");
        assert!(line.send(at(900), 150).is_some());
        assert_eq!(line.send(at(900), 1), None);
        assert!(line.send(at(901), 1).is_some());
    }
}
