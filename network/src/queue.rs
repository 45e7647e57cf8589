//! The queue of everything under way: buckets of time in a ring, and a heap for what lies beyond the ring.
//!
//! A single binary heap costs a cache miss a level for each message. Here a message is appended to the bucket of its arrival
//! time and taken out with the whole bucket; only a bucket that a window cuts in two is sorted.

use crate::node::Rank;
use crate::time::{Span, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A copy of a message under way. The derived order is the documented total order of arrivals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Transit {
    pub(crate) time: Time,
    pub(crate) rank: Rank,
    pub(crate) copy: Copy,
}

/// Which copy of a message it is (0 or 1), and where the router keeps the message. One word, so that a [`Transit`] stays in
/// registers on its way into the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Copy(u64);

impl Copy {
    #[inline]
    pub(crate) fn new(number: u8, letter: u32) -> Copy {
        Copy(u64::from(number) << 32 | u64::from(letter))
    }

    #[inline]
    pub(crate) fn number(self) -> u8 {
        (self.0 >> 32) as u8
    }

    #[inline]
    pub(crate) fn letter(self) -> u32 {
        self.0 as u32
    }
}

/// How many words have a bit for each bucket.
const WORDS: usize = TransitQueue::BUCKETS as usize / 64;

/// The number of no bucket.
const NONE: u64 = u64::MAX;

/// A priority queue by arrival time for times that only move forward.
#[derive(Debug)]
pub(crate) struct TransitQueue {
    ring: Vec<Vec<Transit>>,
    /// A bit a bucket: it is not empty.
    occupied: [u64; WORDS],
    /// A bucket is `1 << shift` nanoseconds wide. Buckets are numbered from the start of time; the ring repeats.
    shift: u32,
    /// The first bucket that can still receive something. The ring holds this one and those that follow it.
    front: u64,
    /// The bucket that is sorted, latest first; [`NONE`] if none is.
    sorted: u64,
    beyond: BinaryHeap<Reverse<Transit>>,
    /// The earliest arrival; [`Time::END`] if nothing is under way.
    earliest: Time,
    /// Emptied buckets, to be filled again while they are still in the cache.
    spare: Vec<Vec<Transit>>,
}

impl TransitQueue {
    const BUCKETS: u64 = 1024;

    /// A queue for messages that mostly take up to `typical_longest`, taken out in windows of `lookahead`.
    pub(crate) fn new(lookahead: Span, typical_longest: Span) -> TransitQueue {
        // Wide enough that the ring holds nearly everything, and not much finer than the windows need.
        let width =
            ((typical_longest.as_nanos() / 4).saturating_mul(5) / Self::BUCKETS).max(lookahead.as_nanos() / 64).max(1);
        TransitQueue {
            ring: vec![Vec::new(); Self::BUCKETS as usize],
            occupied: [0; WORDS],
            shift: (u64::BITS - width.leading_zeros()).min(u64::BITS - 1),
            front: 0,
            sorted: NONE,
            beyond: BinaryHeap::new(),
            earliest: Time::END,
            spare: Vec::new(),
        }
    }

    #[inline]
    fn slot(bucket: u64) -> usize {
        (bucket % Self::BUCKETS) as usize
    }

    /// Adds a copy. Its time must not lie before what was already taken out.
    #[inline(always)]
    pub(crate) fn push(&mut self, time: Time, rank: Rank, copy: Copy) {
        self.earliest = self.earliest.min(time);
        let bucket = time.as_nanos() >> self.shift;
        debug_assert!(bucket >= self.front, "{time:?} lies in the past");
        let slot = Self::slot(bucket);
        let entries = &mut self.ring[slot];
        let usual = bucket - self.front < Self::BUCKETS && bucket != self.sorted && entries.len() < entries.capacity();
        if usual {
            entries.push(Transit { time, rank, copy });
            self.occupied[slot / 64] |= 1 << (slot % 64);
        } else {
            self.push_with_care(time, rank, copy);
        }
    }

    /// Adds to a bucket that has no room, or is sorted and must remain so, or lies beyond the ring.
    #[inline(never)]
    fn push_with_care(&mut self, time: Time, rank: Rank, copy: Copy) {
        let transit = Transit { time, rank, copy };
        let bucket = time.as_nanos() >> self.shift;
        if bucket - self.front >= Self::BUCKETS {
            self.beyond.push(Reverse(transit));
            return;
        }
        let slot = Self::slot(bucket);
        self.occupied[slot / 64] |= 1 << (slot % 64);
        let entries = &mut self.ring[slot];
        if entries.capacity() == 0 {
            *entries = self.spare.pop().unwrap_or_default();
        }
        let sorted = self.sorted == bucket;
        let place = if sorted { entries.partition_point(|entry| *entry > transit) } else { entries.len() };
        entries.insert(place, transit);
    }

    /// The earliest arrival under way.
    #[inline]
    pub(crate) fn earliest(&self) -> Option<Time> {
        (self.earliest != Time::END).then_some(self.earliest)
    }

    /// The end of a window that begins now, ends at `until` at the latest, and holds about `enough` arrivals at most.
    pub(crate) fn bounded_window(&self, until: Time, enough: usize) -> Time {
        let mut count = 0;
        for bucket in self.front..(until.as_nanos() >> self.shift).min(self.front + Self::BUCKETS) {
            count += self.ring[Self::slot(bucket)].len();
            if count >= enough {
                return Time::from_nanos((bucket + 1) << self.shift).min(until);
            }
        }
        until
    }

    /// Moves every copy that arrives before `until` to the end of `due`: an earlier bucket before a later one, but in no
    /// promised order within a bucket. Nothing may be added afterwards that arrives before `until`.
    pub(crate) fn take_before(&mut self, until: Time, due: &mut Vec<Transit>) {
        let last = until.as_nanos() >> self.shift;
        while self.earliest < until {
            let bucket = self.earliest.as_nanos() >> self.shift;
            self.move_front(bucket);
            let slot = Self::slot(bucket);
            let entries = &mut self.ring[slot];
            if bucket < last {
                due.append(entries);
                self.spare.push(std::mem::take(entries));
            } else {
                if self.sorted != bucket {
                    entries.sort_unstable_by(|a, b| b.cmp(a));
                    self.sorted = bucket;
                }
                while let Some(transit) = entries.pop_if(|entry| entry.time < until) {
                    due.push(transit);
                }
                if let Some(first) = entries.last() {
                    self.earliest = first.time;
                    break;
                }
            }
            self.occupied[slot / 64] &= !(1 << (slot % 64));
            self.earliest = self.find_earliest();
        }
        self.move_front(last);
    }

    fn find_earliest(&self) -> Time {
        let Some(bucket) = self.first_occupied() else {
            return self.beyond.peek().map_or(Time::END, |Reverse(first)| first.time);
        };
        let times = self.ring[Self::slot(bucket)].iter().map(|entry| entry.time);
        times.min().unwrap_or(Time::END)
    }

    /// Moves the ring forward and into it what no longer lies beyond it.
    #[inline]
    fn move_front(&mut self, front: u64) {
        self.front = front;
        while let Some(Reverse(first)) = self.beyond.peek() {
            if (first.time.as_nanos() >> self.shift) - front >= Self::BUCKETS {
                break;
            }
            if let Some(Reverse(Transit { time, rank, copy })) = self.beyond.pop() {
                self.push(time, rank, copy);
            }
        }
    }

    /// The first occupied bucket of the ring. What lies beyond the ring is later than all of it.
    fn first_occupied(&self) -> Option<u64> {
        let start = Self::slot(self.front);
        for step in 0..=WORDS {
            let word = (start / 64 + step) % WORDS;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            }
            if bits != 0 {
                let slot = (word * 64) as u64 + u64::from(bits.trailing_zeros());
                return Some(self.front + (slot + Self::BUCKETS - start as u64) % Self::BUCKETS);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;
    use crate::random::Key;
    use proptest::prelude::*;

    fn transit(time: u64, from: u16, sequence: u32) -> Transit {
        let rank = Rank::new(NodeId(from), sequence, NodeId(0));
        Transit { time: Time::from_nanos(time), rank, copy: Copy::new(0, 0) }
    }

    proptest! {
        /// Against a sorted list: whatever delays and windows, each window gets exactly what arrives in it.
        #[test]
        fn every_window_gets_its_arrivals(seed: u64, lookahead in 1u64..5_000, spread in 1u64..100_000, tail: bool) {
            let mut queue = TransitQueue::new(Span::from_nanos(lookahead), Span::from_nanos(spread));
            let mut model: Vec<Transit> = Vec::new();
            let mut draw = Key::root(seed).draw();
            let mut now = 0;
            let mut sequence = 0;
            for _ in 0..300 {
                for _ in 0..draw.up_to(8) {
                    let stretch = if tail && draw.up_to(9) == 0 { 5_000 } else { 1 };
                    let delay = lookahead + draw.up_to(spread) * stretch;
                    sequence += 1;
                    let new = transit(now + delay, draw.up_to(3) as u16, sequence);
                    queue.push(new.time, new.rank, new.copy);
                    model.push(new);
                }
                let first = model.iter().map(|transit| transit.time).min();
                prop_assert_eq!(queue.earliest(), first);
                let Some(first) = first else { continue };
                let until = first + Span::from_nanos(lookahead);
                let mut taken = Vec::new();
                queue.take_before(until, &mut taken);
                taken.sort();
                let mut due: Vec<Transit> = model.extract_if(.., |transit| transit.time < until).collect();
                due.sort();
                prop_assert_eq!(taken, due);
                // A timer may act between two arrivals, but never before the window that was handled.
                now = until.as_nanos() - lookahead.min(until.as_nanos());
            }
        }
    }
}
