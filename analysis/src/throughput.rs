//! Throughput: how many requests a run accepts a second.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventKind};
use crate::latency::{InvalidEvent, required};

/// Counts the requests that one run accepts, from its events, fed in the order of the log.
///
/// Formula: accepted requests / (time of the last of them − end of the warm-up), in requests a second of
/// virtual time. What counts is the first `reply` of each request of an honest client (one without a
/// `corrupt` row anywhere in the run), if it comes after the end of the warm-up, whenever the request was
/// issued.
///
/// Keeps a count a client, and one span of numbers where it accepts its requests in order.
///
/// ```
/// use byzlab_analysis::{Event, EventKind, RunThroughput};
/// let mut throughput = RunThroughput::new(0);
/// for (time_ns, number) in [(250_000_000, 1), (260_000_000, 1), (500_000_000, 2)] {
///     throughput.record(&Event { seq: Some(number), ..Event::new(0, 0, time_ns, 4, EventKind::Reply) })?;
/// }
/// assert_eq!(throughput.requests_per_second(), Some(4.0)); // two requests in half a second
/// # Ok::<(), byzlab_analysis::InvalidEvent>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunThroughput {
    warmup_ns: u64,
    now: u64,
    corrupted: BTreeSet<u32>,
    clients: BTreeMap<u32, Accepted>,
}

/// What a client has accepted.
#[derive(Clone, Debug, Default)]
struct Accepted {
    numbers: Numbers,
    /// After the warm-up.
    count: u64,
    /// The last that is counted.
    last_ns: u64,
}

impl RunThroughput {
    /// Counts what is accepted after this moment.
    pub fn new(warmup_ns: u64) -> Self {
        Self { warmup_ns, now: 0, corrupted: BTreeSet::new(), clients: BTreeMap::new() }
    }

    /// Takes the run's next event.
    #[inline]
    pub fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if event.time_ns < self.now {
            return Err(InvalidEvent::TimeRunsBack { before: self.now, now: event.time_ns });
        }
        self.now = event.time_ns;
        match event.kind {
            EventKind::Reply => self.replied(event),
            EventKind::Corrupt => {
                self.corrupted.insert(event.node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn replied(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let number = required(event, event.seq, "seq")?;
        let client = self.clients.entry(event.node).or_default();
        // One that was first accepted during the warm-up does not count later either.
        if client.numbers.insert(number) && event.time_ns > self.warmup_ns {
            client.count += 1;
            client.last_ns = event.time_ns;
        }
        Ok(())
    }

    /// The throughput of the events so far; `None` if nothing was accepted after the warm-up.
    pub fn requests_per_second(&self) -> Option<f64> {
        let honest = || self.clients.iter().filter(|(client, _)| !self.corrupted.contains(client));
        let count: u64 = honest().map(|(_, accepted)| accepted.count).sum();
        let last_ns = honest().map(|(_, accepted)| accepted.last_ns).max()?;
        let elapsed_ns = last_ns.checked_sub(self.warmup_ns)?;
        (count > 0).then(|| count as f64 * 1e9 / elapsed_ns as f64)
    }
}

/// A set of numbers, kept as the spans that it fills.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// First and last of each span; no two of them touch.
    spans: BTreeMap<u64, u64>,
}

impl Numbers {
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.spans.range(..=number).next_back().is_some_and(|(_, last)| *last >= number)
    }

    /// Adds a number; whether it is new.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let before = self.spans.range(..=number).next_back().map(|(&first, &last)| (first, last));
        if before.is_some_and(|(_, last)| last >= number) {
            return false;
        }
        let first = before.filter(|(_, last)| last + 1 == number).map_or(number, |(first, _)| first);
        let after = number.checked_add(1).and_then(|next| self.spans.remove(&next));
        self.spans.insert(first, after.unwrap_or(number));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn spans_grow_and_join() {
        let mut numbers = Numbers::default();
        let inserted = [5, 3, 4, 4, 3, 5, u64::MAX, 0, u64::MAX, 1, 2].map(|number| numbers.insert(number));
        assert_eq!(inserted, [true, true, true, false, false, false, true, true, false, true, true]);
        assert!([0, 2, 5, u64::MAX].iter().all(|number| numbers.contains(*number)));
        assert!([6, u64::MAX - 1].iter().all(|number| !numbers.contains(*number)));
        assert!(numbers.spans.into_iter().eq([(0, 5), (u64::MAX, u64::MAX)]));
    }
}
