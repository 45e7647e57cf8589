//! Bandwidth: lines that carry so many bits a second, first come, first served.

use crate::time::{Span, Time};
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

/// A line with its queue. Times must not run backwards, or the later call waits for the earlier.
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

    /// What follows is carried at another rate.
    pub(crate) fn set_bandwidth(&mut self, bandwidth: Bandwidth) {
        if self.bits_a_second != bandwidth.bits_a_second() {
            (self.bits_a_second, self.remainder) = (bandwidth.bits_a_second(), 0);
        }
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

    /// Takes a message off the line whose last bit comes at `time` from a line as fast as `sender`; none if there is no room for it.
    ///
    /// Its bits come one after the other before that instant, and the line takes them as they come.
    #[inline]
    pub(crate) fn receive(&mut self, time: Time, bytes: u64, sender: Option<Bandwidth>) -> Option<Passage> {
        let spread = sender.map_or(Span::ZERO, |sender| sender.time_for(bytes));
        let first_bit = Time::START + (time.since(Time::START) - spread);
        let wait = self.free_at.since(first_bit);
        if wait > Span::ZERO && !self.has_room(wait, bytes) {
            return None;
        }
        if wait == Span::ZERO {
            (self.free_at, self.remainder) = (first_bit, 0);
        }
        self.carry(bytes);
        if self.free_at <= time {
            (self.free_at, self.remainder) = (time, 0);
        }
        Some(Passage { wait, end: self.free_at })
    }

    fn carry(&mut self, bytes: u64) {
        const NANOS: u64 = 1_000_000_000;
        let bits = bytes.saturating_mul(8);
        let narrow = bits.checked_mul(NANOS).and_then(|work| work.checked_add(self.remainder));
        let (whole, remainder) = if let Some(work) = narrow {
            (work / self.bits_a_second, work % self.bits_a_second)
        } else {
            let work = u128::from(bits) * u128::from(NANOS) + u128::from(self.remainder);
            let rate = u128::from(self.bits_a_second);
            (u64::try_from(work / rate).unwrap_or(u64::MAX), (work % rate) as u64)
        };
        self.free_at = self.free_at + Span::from_nanos(whole);
        self.remainder = remainder;
    }

    /// Whether a message fits behind what takes `wait` to pass.
    #[cold]
    fn has_room(&self, wait: Span, bytes: u64) -> bool {
        let waiting = u128::from(wait.as_nanos()) * u128::from(self.bits_a_second) / 8_000_000_000;
        self.buffer.is_none_or(|buffer| waiting + u128::from(bytes) <= u128::from(buffer))
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

    #[test]
    fn bits_come_in_while_they_are_sent() {
        let mut line = line(8_000_000_000, None);
        let same = Bandwidth::new(8_000_000_000);
        let end = |line: &mut Line, time, bytes| line.receive(at(time), bytes, same).unwrap().end;
        assert_eq!(end(&mut line, 1000, 100), at(1000), "an idle line has taken them by then");
        assert_eq!(end(&mut line, 1000, 100), at(1100), "two at once take turns");
        assert_eq!(end(&mut line, 1150, 100), at(1200), "half of it came while the line was busy");
        assert_eq!(end(&mut line, 9000, 100), at(9000));
        assert_eq!(line.receive(at(20_000), 100, None).unwrap().end, at(20_100), "all at once");
        let half = Bandwidth::new(4_000_000_000);
        assert_eq!(line.receive(at(30_000), 100, half).unwrap().end, at(30_000), "no faster than they come");
        let double = Bandwidth::new(16_000_000_000);
        assert_eq!(line.receive(at(40_000), 100, double).unwrap().end, at(40_050));
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
