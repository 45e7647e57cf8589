//! What depends on the order of the rows: which run goes on, what contradicts, what is skipped.

use std::io;
use std::path::Path;

use super::blocks::{Block, Ending, Lines};
use super::fragment::{Fragment, Parsed};
use super::{RunConsumer, RunOutputs, Skipped};
use crate::event::Event;
use crate::latency::InvalidEvent;
use crate::log::error::{LogError, RowProblem};
use crate::log::row::{BadRow, RowParser, run_of};
use crate::log::run_order::{RunIndex, STANDS_APART, UNKNOWN_RUN};
use crate::runs::RunRow;

/// Takes the blocks of a log one after the other.
pub(super) struct InOrder<'a, C: RunConsumer, S> {
    path: &'a Path,
    rows: &'a [RunRow],
    index: &'a RunIndex,
    start: &'a S,
    is_lenient: bool,
    /// The line that was read last, counted from 1.
    line: u64,
    current: Option<Open<C>>,
    parser: RowParser,
    /// For each row of `runs.csv` whether an event of its run was there.
    seen: Vec<bool>,
    outputs: Vec<Option<C::Output>>,
    leniency: Leniency,
}

/// A run whose rows are being read.
pub(super) struct Open<C> {
    /// Its row in `runs.csv`.
    pub(super) row: usize,
    pub(super) key: (u32, u32),
    pub(super) last_ns: u64,
    pub(super) consumer: C,
}

impl<C: RunConsumer> Open<C> {
    /// Takes the run's next row.
    #[inline]
    pub(super) fn take(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if event.time_ns < self.last_ns {
            return Err(InvalidEvent::TimeRunsBack { before: self.last_ns, now: event.time_ns });
        }
        self.last_ns = event.time_ns;
        if C::wants(event.kind) { self.consumer.record(event) } else { Ok(()) }
    }

    pub(super) fn close(self) -> (usize, C::Output) {
        (self.row, self.consumer.finish())
    }
}

/// What was skipped, and which runs it damaged.
struct Leniency {
    skipped: Skipped,
    damaged: Vec<bool>,
    /// A row was skipped of which nothing says whether it belongs to the run before or behind it.
    next_is_damaged: bool,
    /// A row of another run was skipped since the last good one. Between two rows of a run it must be one of theirs.
    is_interrupted: bool,
    /// The last row that told its run was skipped, for `runs.csv` does not know that run.
    is_behind_unknown: bool,
}

impl<'a, C: RunConsumer, S: Fn(&RunRow) -> C> InOrder<'a, C, S> {
    pub(super) fn new(
        path: &'a Path,
        (rows, index): (&'a [RunRow], &'a RunIndex),
        start: &'a S,
        is_lenient: bool,
        lines_before: u64,
    ) -> Self {
        Self {
            path,
            rows,
            index,
            start,
            is_lenient,
            line: lines_before,
            current: None,
            parser: RowParser::default(),
            seen: vec![false; rows.len()],
            outputs: std::iter::repeat_with(|| None).take(rows.len()).collect(),
            leniency: Leniency {
                skipped: Skipped::default(),
                damaged: vec![false; rows.len()],
                next_is_damaged: false,
                is_interrupted: false,
                is_behind_unknown: false,
            },
        }
    }

    /// Parses the next block and takes its rows.
    pub(super) fn take_block(&mut self, block: &Block) -> Result<(), LogError> {
        let mut lines = Lines::new(block.bytes());
        let mut parser = std::mem::take(&mut self.parser);
        while let Some(line) = lines.next_whole() {
            self.line += 1;
            let rejection = match parser.parse(line) {
                Ok(event) => match &mut self.current {
                    Some(open) if open.key == (event.cell, event.run) && !self.leniency.is_pending() => {
                        match open.take(&event) {
                            Ok(()) => continue,
                            Err(problem) => Err(bad(&event, &problem)),
                        }
                    }
                    _ => self.take_first(&event),
                },
                Err(bad) => Err(bad),
            };
            rejection.or_else(|bad| self.reject(bad))?;
        }
        self.parser = parser;
        let rest = lines.rest();
        match block.ending {
            Ending::Whole => Ok(()),
            Ending::CutRow => {
                self.line += 1;
                self.reject(BadRow { run: run_of(rest), problem: RowProblem::Cut })
            }
            Ending::CutFile if self.is_lenient => {
                self.line += 1;
                self.reject(BadRow { run: run_of(rest), problem: RowProblem::CutFile })
            }
            Ending::CutFile => Err(LogError::CutFile { path: self.path.to_owned(), line: self.line }),
        }
    }

    /// Takes a row that may be the first of its run, or the first behind skipped ones.
    #[cold]
    fn take_first(&mut self, event: &Event<'_>) -> Result<(), BadRow> {
        let key = (event.cell, event.run);
        let contradiction =
            |problem: &str| Err(BadRow { run: Some(key), problem: RowProblem::Contradiction(problem.to_owned()) });
        if self.current.as_ref().is_none_or(|open| open.key != key) {
            let Some(row) = self.index.row_of(key) else { return contradiction(UNKNOWN_RUN) };
            if self.seen[row] {
                return contradiction(STANDS_APART);
            }
            self.enter(row);
            self.leniency.is_interrupted = false;
        }
        let Some(open) = &mut self.current else { return Ok(()) };
        if self.leniency.is_pending() {
            self.leniency.damaged[open.row] = true;
            (self.leniency.next_is_damaged, self.leniency.is_interrupted) = (false, false);
        }
        self.leniency.is_behind_unknown = false;
        open.take(event).map_err(|problem| bad(event, &problem))
    }

    /// Closes the current run, and begins the one of this row.
    fn enter(&mut self, row: usize) {
        self.close();
        self.seen[row] = true;
        let of = &self.rows[row];
        self.current = Some(Open { row, key: (of.cell, of.run), last_ns: 0, consumer: (self.start)(of) });
    }

    fn close(&mut self) {
        if let Some(open) = self.current.take() {
            let (row, output) = open.close();
            self.outputs[row] = Some(output);
        }
    }

    /// Fails, or skips and counts.
    #[cold]
    fn reject(&mut self, BadRow { run, problem }: BadRow) -> Result<(), LogError> {
        let error = LogError::Row { path: self.path.to_owned(), line: self.line, run, problem };
        if !self.is_lenient {
            return Err(error);
        }
        let Leniency { skipped, damaged, next_is_damaged, is_interrupted, is_behind_unknown } = &mut self.leniency;
        skipped.rows += 1;
        skipped.first.get_or_insert_with(|| error.cause());
        if matches!(&error, LogError::Row { problem: RowProblem::SecondHeader, .. }) {
            skipped.second_header.get_or_insert(self.line);
        }
        let current = self.current.as_ref().map(|open| open.row);
        match run.map(|key| self.index.row_of(key)) {
            Some(Some(row)) => {
                damaged[row] = true;
                *is_interrupted |= Some(row) != current;
                *is_behind_unknown = false;
            }
            Some(None) => {
                skipped.unknown_run_rows += 1;
                (*is_interrupted, *is_behind_unknown) = (true, true);
            }
            None => {
                // Behind rows of an unknown run it is of that run or of the next. Should the current one go on, it is damaged anyway.
                if let Some(current) = current.filter(|_| !*is_behind_unknown) {
                    damaged[current] = true;
                }
                *next_is_damaged = true;
            }
        }
        Ok(())
    }

    /// Takes the next block, which a worker has parsed; parses it anew if it contradicts those before.
    pub(super) fn take_parsed(&mut self, parsed: Parsed<C>, block: &mut Block) -> Result<(), LogError> {
        if !self.fits(&parsed) {
            return self.take_block(block);
        }
        let Parsed { lines, head, closed, tail } = parsed;
        self.replay(&head)?;
        block.buffers.stored = head.stored;
        self.line += lines;
        if let Some(tail) = tail {
            self.close();
            for (row, output) in closed {
                self.outputs[row] = Some(output);
            }
            self.current = Some(tail);
        }
        Ok(())
    }

    /// Whether the block goes on where the log is. If so, its runs have been seen.
    fn fits(&mut self, parsed: &Parsed<C>) -> bool {
        if self.leniency.is_pending() {
            return false;
        }
        let goes_on = match &self.current {
            Some(open) if open.row == parsed.head.row => Some(open.last_ns),
            _ => None,
        };
        if goes_on.is_some_and(|last_ns| parsed.head.first_ns < last_ns) {
            return false;
        }
        let begun = || {
            let head = goes_on.is_none().then_some(parsed.head.row);
            let closed = parsed.closed.iter().map(|(row, _)| *row);
            head.into_iter().chain(closed).chain(parsed.tail.as_ref().map(|open| open.row))
        };
        for (count, row) in begun().enumerate() {
            if std::mem::replace(&mut self.seen[row], true) {
                for row in begun().take(count) {
                    self.seen[row] = false;
                }
                return false;
            }
        }
        true
    }

    /// Gives the stored events to the run in which the block begins.
    fn replay(&mut self, head: &Fragment) -> Result<(), LogError> {
        if self.current.as_ref().is_none_or(|open| open.row != head.row) {
            self.enter(head.row);
        }
        let before = self.line;
        let Some(mut open) = self.current.take() else { return Ok(()) };
        for (line, event) in head.stored.events(open.key) {
            if let Err(problem) = open.consumer.record(&event) {
                self.line = before + u64::from(line);
                let row = open.row;
                self.reject(bad(&event, &problem))?;
                self.leniency.damaged[row] = true;
                self.leniency.is_interrupted = false;
            }
        }
        open.last_ns = head.last_ns;
        self.line = before;
        self.current = Some(open);
        Ok(())
    }

    /// The log cannot be read on.
    pub(super) fn fail(&self, source: io::Error) -> LogError {
        LogError::reading(self.path, self.line, source)
    }

    /// The end of the log. `is_silent` says of runs without events whether that cannot be.
    /// Beside the outputs returns the first of those, if that is an error.
    pub(super) fn finish(mut self, is_silent: impl Fn(&RunRow) -> bool) -> (RunOutputs<C::Output>, Option<usize>) {
        self.close();
        let Self { rows, seen, mut outputs, leniency: Leniency { mut skipped, mut damaged, .. }, .. } = self;
        let silent = rows.iter().zip(&seen).position(|(row, seen)| !seen && is_silent(row));
        if self.is_lenient {
            for ((damaged, row), seen) in damaged.iter_mut().zip(rows).zip(&seen) {
                *damaged |= !seen && is_silent(row);
            }
        }
        for (output, _) in outputs.iter_mut().zip(&damaged).filter(|(_, damaged)| **damaged) {
            *output = None;
        }
        skipped.damaged_runs = damaged.iter().filter(|damaged| **damaged).count() as u64;
        (RunOutputs { outputs, damaged, skipped }, silent.filter(|_| !self.is_lenient))
    }
}

impl Leniency {
    /// Whether skipped rows say something about the run of the next one.
    #[inline]
    fn is_pending(&self) -> bool {
        self.next_is_damaged || self.is_interrupted
    }
}

fn bad(event: &Event<'_>, problem: &InvalidEvent) -> BadRow {
    BadRow { run: Some((event.cell, event.run)), problem: RowProblem::Contradiction(problem.to_string()) }
}
