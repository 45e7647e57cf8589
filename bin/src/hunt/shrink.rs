//! From a schedule that breaks something to a minimal one that breaks it still: delta debugging (Zeller & Hildebrandt, IEEE TSE 28(2),
//! 2002) over the list of faults, then over each fault.

use super::attacks::narrower_attacks;
use super::draw::Stage;
use super::schedule::{Deed, Fault, NetworkFault, Schedule};
use byzlab_network::{NodeId, Time};
use byzlab_replica::MessageKind;

/// No schedule is tried out more often than this.
const MOST_RUNS: usize = 300;

/// A smaller schedule of which `breaks` is true, if there is one; and the same one each time.
pub(super) fn shrink(schedule: Schedule, stage: &Stage, breaks: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut search = Search { best: schedule, left: MOST_RUNS, breaks };
    search.remove();
    if !search.best.faults.iter().any(|fault| matches!(fault, Fault::Attack(_))) {
        search.try_out(Schedule { corrupted: Vec::new(), takeovers: 0, ..search.best.clone() });
    }
    search.narrow(stage);
    search.remove();
    search.best
}

struct Search<B> {
    best: Schedule,
    /// How many runs are left.
    left: usize,
    breaks: B,
}

impl<B: Fn(&Schedule) -> bool> Search<B> {
    /// Takes a schedule for the best one if it breaks the same.
    fn try_out(&mut self, schedule: Schedule) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let is_better = (self.breaks)(&schedule);
        if is_better {
            self.best = schedule;
        }
        is_better
    }

    /// Leaves out half of the faults, then quarters, down to single ones.
    fn remove(&mut self) {
        let mut length = self.best.faults.len().div_ceil(2);
        while length > 0 && !self.best.faults.is_empty() {
            let mut is_smaller = false;
            let mut start = 0;
            while start < self.best.faults.len() {
                let mut schedule = self.best.clone();
                schedule.faults.drain(start..(start + length).min(schedule.faults.len()));
                if self.try_out(schedule) {
                    is_smaller = true;
                } else {
                    start += length;
                }
            }
            // A fault that was needed may not be any more.
            if length > 1 || !is_smaller {
                length /= 2;
            }
        }
    }

    /// Makes each fault smaller for as long as one of its smaller versions does.
    fn narrow(&mut self, stage: &Stage) {
        for place in 0..self.best.faults.len() {
            while self.left > 0 {
                let narrower = narrower(&self.best.faults[place], stage);
                let is_narrower = narrower.into_iter().any(|fault| {
                    let mut schedule = self.best.clone();
                    schedule.faults[place] = fault;
                    self.try_out(schedule)
                });
                if !is_narrower {
                    break;
                }
            }
        }
    }
}

/// Smaller or simpler versions of a fault, those that leave out most first.
pub(super) fn narrower(fault: &Fault, stage: &Stage) -> Vec<Fault> {
    match fault {
        Fault::Network(fault) => narrower_network(fault, stage).into_iter().map(Fault::Network).collect(),
        Fault::Attack(attack) => narrower_attacks(attack, stage).into_iter().map(Fault::Attack).collect(),
        Fault::Crash(_) => Vec::new(),
    }
}

fn narrower_network(fault: &NetworkFault, stage: &Stage) -> Vec<NetworkFault> {
    let mut faults = Vec::new();
    let same = || fault.clone();
    if fault.both_ways {
        faults.push(NetworkFault { both_ways: false, ..same() });
        faults.push(NetworkFault { both_ways: false, from: fault.to.clone(), to: fault.from.clone(), ..same() });
    }
    if fault.deed != Deed::Drop {
        faults.push(NetworkFault { deed: Deed::Drop, ..same() });
    }
    if fault.start > Time::START {
        faults.push(NetworkFault { start: Time::START, ..same() });
    }
    for kinds in fewer_than_all(fault.kinds.as_deref(), &MessageKind::ALL) {
        faults.push(NetworkFault { kinds: Some(kinds), ..same() });
    }
    let everybody: Vec<NodeId> = stage.all_nodes();
    for from in fewer_than_all(fault.from.as_deref(), &everybody) {
        faults.push(NetworkFault { from: Some(from), ..same() });
    }
    for to in fewer_than_all(fault.to.as_deref(), &everybody) {
        faults.push(NetworkFault { to: Some(to), ..same() });
    }
    faults
}

/// Smaller lists than `some`, or than `all` if that is none.
pub(super) fn fewer_than_all<T: Copy>(some: Option<&[T]>, all: &[T]) -> Vec<Vec<T>> {
    fewer(some.unwrap_or(all))
}

/// Either half of a list, and all of it but one; none of them empty.
pub(super) fn fewer<T: Copy>(list: &[T]) -> Vec<Vec<T>> {
    let (one, other) = list.split_at(list.len() / 2);
    let halves = [one.to_vec(), other.to_vec()];
    let without = |place: usize| {
        let mut rest = list.to_vec();
        rest.remove(place);
        rest
    };
    // Of two or three, the halves are all there is, or nearly.
    let others = (0..if list.len() > 2 { list.len() } else { 0 }).map(without);
    halves.into_iter().chain(others).filter(|part| !part.is_empty() && part.len() < list.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_never_narrowed_to_nothing() {
        assert!(fewer::<u8>(&[]).is_empty());
        assert!(fewer(&[1]).is_empty());
        assert_eq!(fewer(&[1, 2]), [[1], [2]]);
        assert_eq!(fewer(&[1, 2, 3]), [vec![1], vec![2, 3], vec![2, 3], vec![1, 3], vec![1, 2]]);
    }
}
