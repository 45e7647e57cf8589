//! Which runs there are: how many each cell has, and which is the next to be done.

use byzlab_analysis::{Outcome, Precision, Replications};
use std::collections::BTreeMap;

/// Cell and run; they are in the order of the results.
pub(crate) type RunIndex = (u32, u32);

/// The cells of an experiment, while their runs are done by several workers.
///
/// How many runs a cell has follows from its own runs in their order alone, whichever end first: the results are those of a
/// single worker. Runs that were begun beyond the last one are surplus.
#[derive(Debug)]
pub(crate) struct Cells {
    all: Vec<CellRuns>,
    /// Those before it have no run left to begin.
    first: usize,
    /// Beyond what is certain to be needed, so many runs of a cell may be begun.
    ahead: u32,
}

#[derive(Debug)]
struct CellRuns {
    begun: u32,
    /// So many that ended belong to the results.
    counted: u32,
    /// The number of its runs, once it is known.
    end: Option<u32>,
    /// If that follows from the runs.
    rule: Option<Rule>,
}

#[derive(Debug)]
struct Rule {
    min_runs: u32,
    max_runs: u32,
    /// The runs up to the first that has not ended.
    in_order: Replications,
    /// Runs behind that one, with what they came to.
    early: BTreeMap<u32, (Outcome, Option<f64>)>,
}

/// What a worker may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// This run.
    Run(RunIndex),
    /// Wait until another has ended.
    Wait,
    /// All runs are begun.
    Over,
}

/// A run that belongs to the results for sure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counted {
    pub(crate) run: RunIndex,
    /// Whether all runs of its cell have ended with it.
    pub(crate) ends_cell: bool,
}

/// What follows when a run has ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ended {
    /// All that now belongs to the results for sure, in the order of the runs.
    pub(crate) counted: Vec<Counted>,
    /// Runs that have ended, and now for sure do not.
    pub(crate) surplus: Vec<RunIndex>,
}

impl Cells {
    /// So many cells of so many runs each.
    pub(crate) fn fixed(cells: usize, runs: u32) -> Cells {
        let cell = || CellRuns { begun: 0, counted: 0, end: Some(runs), rule: None };
        Cells { all: std::iter::repeat_with(cell).take(cells).collect(), first: 0, ahead: 0 }
    }

    /// So many cells, each of which goes on until it is precise enough.
    pub(crate) fn until_precise(cells: usize, precision: Precision, jobs: usize) -> Cells {
        let Precision { min_runs, max_runs, .. } = precision;
        let rule = || Rule { min_runs, max_runs, in_order: Replications::new(precision), early: BTreeMap::new() };
        let cell = || CellRuns { begun: 0, counted: 0, end: None, rule: Some(rule()) };
        let ahead = u32::try_from(jobs).unwrap_or(u32::MAX).saturating_mul(2);
        Cells { all: std::iter::repeat_with(cell).take(cells).collect(), first: 0, ahead }
    }

    /// The first run that is not begun, of the first cell in which one may be.
    pub(crate) fn next(&mut self) -> Next {
        let mut is_over = true;
        for (index, cell) in self.all.iter().enumerate().skip(self.first) {
            if cell.begun < cell.limit(self.ahead) {
                return Next::Run((index as u32, cell.begun));
            }
            is_over &= cell.end.is_some();
            if is_over {
                self.first = index + 1;
            }
        }
        if is_over { Next::Over } else { Next::Wait }
    }

    /// Takes note that the next run of a cell was begun.
    pub(crate) fn begin(&mut self, (cell, run): RunIndex) {
        let cell = &mut self.all[cell as usize];
        debug_assert_eq!(cell.begun, run, "runs are begun in order");
        cell.begun += 1;
    }

    /// Takes what a run came to.
    pub(crate) fn take(&mut self, (cell, run): RunIndex, outcome: Outcome, value: Option<f64>) -> Ended {
        let (counted, surplus) = self.all[cell as usize].take(run, outcome, value);
        Ended {
            counted: counted.into_iter().map(|(run, ends_cell)| Counted { run: (cell, run), ends_cell }).collect(),
            surplus: surplus.into_iter().map(|run| (cell, run)).collect(),
        }
    }

    /// Whether a run lies beyond the end of its cell.
    pub(crate) fn is_surplus(&self, (cell, run): RunIndex) -> bool {
        self.end(cell).is_some_and(|end| run >= end)
    }

    /// The number of runs of a cell, once it is known.
    pub(crate) fn end(&self, cell: u32) -> Option<u32> {
        self.all.get(cell as usize)?.end
    }

    /// For each cell whose runs decided on their number, what they were.
    pub(crate) fn replications(&self) -> Vec<Replications> {
        self.all.iter().filter_map(|cell| Some(cell.rule.as_ref()?.in_order.clone())).collect()
    }
}

impl CellRuns {
    /// So many of its runs may be begun.
    fn limit(&self, ahead: u32) -> u32 {
        match (&self.rule, self.end) {
            (Some(Rule { min_runs, max_runs, in_order, .. }), None) => {
                in_order.runs().saturating_add(ahead).max(*min_runs).min(*max_runs)
            }
            (_, end) => end.unwrap_or(0),
        }
    }

    /// The runs that now count, each with whether it ends the cell, and those that now never will.
    fn take(&mut self, run: u32, outcome: Outcome, value: Option<f64>) -> (Vec<(u32, bool)>, Vec<u32>) {
        let (mut counted, mut surplus) = (Vec::new(), Vec::new());
        match (&mut self.rule, self.end) {
            (_, Some(end)) if run >= end => surplus.push(run),
            (Some(rule), None) => {
                rule.early.insert(run, (outcome, value));
                while let Some((outcome, value)) = rule.early.remove(&rule.in_order.runs()) {
                    counted.push(rule.in_order.runs());
                    rule.in_order.take(outcome, value);
                    if rule.in_order.is_over() {
                        self.end = Some(rule.in_order.runs());
                        surplus.extend(std::mem::take(&mut rule.early).into_keys());
                    }
                }
            }
            _ => counted.push(run),
        }
        let with_end = |run| {
            self.counted += 1;
            (run, self.end == Some(self.counted))
        };
        (counted.into_iter().map(with_end).collect(), surplus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use byzlab_analysis::Aim;

    fn three_of_success(jobs: usize) -> Cells {
        // Wilson's interval of 3 of 3 is 0.4385 to 1, of 2 of 3 it is 0.2077 to 0.9385.
        let aim = Aim::Success { half_width: 0.3 };
        Cells::until_precise(2, Precision { aim, confidence: 0.95, min_runs: 3, max_runs: 4 }, jobs)
    }

    fn begin_all(cells: &mut Cells) -> Vec<RunIndex> {
        let mut begun = Vec::new();
        while let Next::Run(run) = cells.next() {
            cells.begin(run);
            begun.push(run);
        }
        begun
    }

    fn runs(ended: &Ended) -> Vec<RunIndex> {
        ended.counted.iter().map(|counted| counted.run).collect()
    }

    #[test]
    fn a_fixed_number_of_runs_is_known_from_the_start() {
        let mut cells = Cells::fixed(2, 2);
        assert_eq!(begin_all(&mut cells), [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(cells.next(), Next::Over);
        // They count as they end.
        let last = cells.take((0, 1), Outcome::Completed, None);
        assert_eq!((runs(&last), last.counted[0].ends_cell), (vec![(0, 1)], false));
        let first = cells.take((0, 0), Outcome::Timeout, None);
        assert_eq!((runs(&first), first.counted[0].ends_cell), (vec![(0, 0)], true));
        assert!(cells.is_surplus((0, 2)) && !cells.is_surplus((1, 1)));
    }

    #[test]
    fn a_cell_ends_by_its_runs_in_order_and_not_by_those_that_end_first() {
        let mut cells = three_of_success(1);
        // At first what is needed for sure, of all cells.
        assert_eq!(begin_all(&mut cells), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(cells.next(), Next::Wait);
        assert_eq!(cells.take((0, 2), Outcome::Completed, None), Ended::default());
        assert_eq!(cells.take((0, 1), Outcome::Completed, None), Ended::default());
        assert_eq!(cells.end(0), None);
        let counted = cells.take((0, 0), Outcome::Completed, None);
        assert_eq!(runs(&counted), [(0, 0), (0, 1), (0, 2)]);
        assert!(counted.counted[2].ends_cell && !counted.counted[1].ends_cell);
        assert_eq!(cells.end(0), Some(3));

        // The other cell goes on to the most runs: by two beyond the last in order, and it needs one.
        cells.take((1, 0), Outcome::Timeout, None);
        cells.take((1, 1), Outcome::Completed, None);
        assert_eq!(begin_all(&mut cells), [(1, 3)]);
        assert_eq!(cells.take((1, 3), Outcome::Completed, None), Ended::default(), "run 2 has not ended");
        assert_eq!(runs(&cells.take((1, 2), Outcome::Completed, None)), [(1, 2), (1, 3)]);
        assert_eq!((cells.end(1), cells.next()), (Some(4), Next::Over));
        let replications = cells.replications();
        assert_eq!(replications.iter().map(Replications::runs).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(replications.iter().map(Replications::is_precise).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_was_begun_beyond_the_end_is_surplus() {
        let aim = Aim::Success { half_width: 0.3 };
        let mut cells = Cells::until_precise(1, Precision { aim, confidence: 0.95, min_runs: 2, max_runs: 100 }, 2);
        assert_eq!(begin_all(&mut cells), [(0, 0), (0, 1), (0, 2), (0, 3)]);
        assert_eq!(cells.take((0, 3), Outcome::Error, None), Ended::default());
        for run in 0..2 {
            assert_eq!(runs(&cells.take((0, run), Outcome::Completed, None)), [(0, run)]);
        }
        assert_eq!(cells.end(0), None);
        assert_eq!(begin_all(&mut cells), [(0, 4), (0, 5)]);
        let last = cells.take((0, 2), Outcome::Completed, None);
        assert_eq!((runs(&last), last.surplus), (vec![(0, 2)], vec![(0, 3)]));
        assert_eq!(cells.end(0), Some(3));
        let late = cells.take((0, 4), Outcome::Completed, None);
        assert!(cells.is_surplus((0, 3)) && late.counted.is_empty() && late.surplus == [(0, 4)]);
        assert_eq!(cells.next(), Next::Over);
    }
}
