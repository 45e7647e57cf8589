//! Which run each row of a log belongs to.

use std::collections::BTreeMap;

use crate::runs::RunRow;

/// Follows a log from run to run, and sees to it that it fits `runs.csv`.
#[derive(Debug)]
pub(crate) struct RunOrder {
    row_of: BTreeMap<(u32, u32), usize>,
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
        let keys = rows.iter().map(|row| (row.cell, row.run));
        Self { row_of: keys.zip(0..).collect(), seen: vec![false; rows.len()], current: None }
    }

    /// Takes the cell and run of the next row. Fails if the run is unknown, or its rows do not stand together.
    #[inline]
    pub(crate) fn step(&mut self, key: (u32, u32)) -> Result<Step, String> {
        if self.current == Some(key) { Ok(Step::Same) } else { self.enter(key).map(Step::Next) }
    }

    fn enter(&mut self, key: (u32, u32)) -> Result<usize, String> {
        let row = *self.row_of.get(&key).ok_or(
            "runs.csv has no row of this run; it was interrupted or the folder mixes two \
             experiments, run the experiment again",
        )?;
        if std::mem::replace(&mut self.seen[row], true) {
            return Err("other rows of this run stand further up, apart from this one; the file \
                        was put together wrongly, run the experiment again"
                .to_owned());
        }
        self.current = Some(key);
        Ok(row)
    }

    /// For each row of `runs.csv` whether a row of its run was there.
    pub(crate) fn seen(&self) -> &[bool] {
        &self.seen
    }
}
