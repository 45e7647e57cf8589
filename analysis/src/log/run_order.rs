//! Which run each row of a log belongs to.

use std::collections::BTreeMap;

use crate::runs::RunRow;

/// What is wrong with a row of a run that `runs.csv` does not know.
pub(super) const UNKNOWN_RUN: &str = "runs.csv has no row of this run; it was interrupted or the folder mixes two \
                                      experiments";

/// What is wrong with a row of a run that was over before.
pub(super) const STANDS_APART: &str = "other rows of this run stand further up, apart from this one; the file \
                                       was put together wrongly";

/// Where in `runs.csv` each run stands.
#[derive(Debug)]
pub(super) struct RunIndex {
    row_of: BTreeMap<(u32, u32), usize>,
}

impl RunIndex {
    pub(super) fn new(rows: &[RunRow]) -> Self {
        Self { row_of: rows.iter().map(|row| (row.cell, row.run)).zip(0..).collect() }
    }

    pub(super) fn row_of(&self, key: (u32, u32)) -> Option<usize> {
        self.row_of.get(&key).copied()
    }
}

/// Follows a file from run to run, and sees to it that it fits `runs.csv`.
#[derive(Debug)]
pub(crate) struct RunOrder {
    index: RunIndex,
    seen: Vec<bool>,
    current: Option<(u32, u32)>,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// In the same run as the one before it.
    Same,
    /// In the run of this row of `runs.csv`, of which it is the first.
    Next(usize),
}

impl RunOrder {
    pub(crate) fn new(rows: &[RunRow]) -> Self {
        Self { index: RunIndex::new(rows), seen: vec![false; rows.len()], current: None }
    }

    /// Takes the cell and run of the next row. Fails if the run is unknown, or its rows do not stand together.
    #[inline]
    pub(crate) fn step(&mut self, key: (u32, u32)) -> Result<Step, &'static str> {
        if self.current == Some(key) { Ok(Step::Same) } else { self.enter(key).map(Step::Next) }
    }

    fn enter(&mut self, key: (u32, u32)) -> Result<usize, &'static str> {
        let row = self.index.row_of(key).ok_or(UNKNOWN_RUN)?;
        if std::mem::replace(&mut self.seen[row], true) {
            return Err(STANDS_APART);
        }
        self.current = Some(key);
        Ok(row)
    }

    /// For each row of `runs.csv` whether a row of its run was there.
    pub(crate) fn seen(&self) -> &[bool] {
        &self.seen
    }
}
