//! One pass over a log, with all cores and in bounded memory, whatever its size.
//!
//! ```text
//!             block 7      block 8      block 9          cut at line ends, read in turn
//!                │            │            │
//!             worker       worker       worker           each parses and checks every row of its block;
//!                │            │            │             runs that begin in the block go straight to their consumers
//!                └─── 7, 8, 9: in order ───┘             what belongs to a run that began before goes to its consumer
//! ```
//!
//! A worker does not know what came before its block. It stores the rows of the run in which the block begins, only those that the
//! consumer wants, and they are given to the run when it is their turn. Whoever finds that it is a block's turn, does
//! that work; so one huge run is parsed by all cores as well. A block whose turn it is when it is read needs no storing.
//!
//! A block in which anything is wrong is parsed anew in its turn, by the code that reads logs row by row. So what is
//! wrong first in the file is what is reported, and what is skipped depends neither on the number of workers nor on where blocks end.

mod blocks;
mod completeness;
mod fragment;
mod in_order;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use self::blocks::{Block, Blocks, Buffers};
use self::completeness::{Counted, hold_against};
use self::fragment::Parsed;
use self::in_order::InOrder;
use super::error::LogError;
use super::run_order::RunIndex;
use super::source::{find_damage, find_file, undamaged_frames};
use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::runs::{Outcome, RunRow};
use crate::summary::AnalysisError;

/// Takes the events of one run, and makes something of them.
///
/// It has no effect on anything but itself and its output: a block is parsed on the chance that it fits those before it, and again if
/// it does not, so a consumer may be dropped unfinished, or finished without that anybody looks at its output, while another one is given
/// the same events.
///
/// ```
/// use byzlab_analysis::log::RunConsumer;
/// use byzlab_analysis::{Event, EventKind, InvalidEvent};
///
/// struct ViewChanges(u64);
///
/// impl RunConsumer for ViewChanges {
///     type Output = u64;
///
///     fn wants(kind: EventKind) -> bool {
///         kind == EventKind::ViewChange
///     }
///
///     fn record(&mut self, _: &Event<'_>) -> Result<(), InvalidEvent> {
///         self.0 += 1;
///         Ok(())
///     }
///
///     fn finish(self) -> u64 {
///         self.0
///     }
/// }
/// assert!(ViewChanges::wants(EventKind::ViewChange));
/// ```
pub trait RunConsumer: Send {
    /// What becomes of a run.
    type Output: Send;

    /// Whether [`record`](Self::record) is to see events of this kind. The fewer it wants, the less has to be handed on from core to core.
    fn wants(kind: EventKind) -> bool;

    /// Takes the run's next event that it wants. Times never run backwards.
    ///
    /// After an error it is called again only if the log is read leniently, and then nobody looks at the output.
    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent>;

    /// The end of the run.
    fn finish(self) -> Self::Output;
}

/// How a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Skip and count the rows that cannot be read or contradict others, instead of failing with the first.
    pub lenient: bool,
    /// Number of threads; all cores if left out. Results do not depend on it. More than two a core are not started.
    pub jobs: Option<NonZeroUsize>,
}

/// What a pass over a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutputs<T> {
    /// What became of each row of `runs.csv`; `None` for a run without any event, and for a damaged one.
    pub outputs: Vec<Option<T>>,
    /// For each row of `runs.csv` whether rows of its run were skipped, or all are missing. All false unless the log was read leniently.
    pub damaged: Vec<bool>,
    /// What was skipped.
    pub skipped: Skipped,
}

/// What was skipped when a file was read leniently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Number of rows that were skipped.
    pub rows: u64,
    /// Number of runs whose rows were skipped or are missing. Nothing that is said of such a run can be trusted, so it has no value.
    pub damaged_runs: u64,
    /// Those of the rows that belong to runs of which `runs.csv` knows nothing.
    pub unknown_run_rows: u64,
    /// Where the first of the rows stands, and what is wrong with it.
    pub first: Option<String>,
    /// The line of the first header that stands in the middle of the file: a second file was put behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_header: Option<u64>,
}

/// Reads the events log of a results folder, compressed or not, and gives the events of each run to a consumer of its own, which
/// `start` makes. `rows` are those of `runs.csv`. `None` if there is no log.
///
/// The consumer of a run takes the run's events in order, but not always on the same thread, and several runs may be read at once.
///
/// Fails with the first row that is damaged, or contradicts those before it or `runs.csv`; if a run that completed or sent messages has no event;
/// and if the honest clients of a run accept another number of requests in the log than in `runs.csv`, as in a log that was cut between two rows. A
/// log in which no client has any row is held to neither but for completed runs, which leave events; nor is a run that ended with an error.
///
/// With [`ReadOptions::lenient`] such rows are skipped and counted, and their runs damaged: rows that do not parse, rows of runs that `runs.csv`
/// does not know, rows that stand apart from the others of their run, rows whose time runs backwards, rows that the
/// consumer refuses. Where a row does not even tell its run, the runs before and behind it are damaged. A compressed file of
/// which a part fails its checksum is read up to the last frame (of gzip: member) that is whole, as if it had been cut there.
/// If no completed run is left undamaged, that is an error all the same.
///
/// ```no_run
/// use byzlab_analysis::RunTable;
/// use byzlab_analysis::log::{ReadOptions, RunConsumer, read_runs};
/// use byzlab_analysis::{Event, EventKind, InvalidEvent};
///
/// /// Counts the view changes of a run.
/// struct ViewChanges(u64);
///
/// impl RunConsumer for ViewChanges {
///     type Output = u64;
///     fn wants(kind: EventKind) -> bool {
///         kind == EventKind::ViewChange
///     }
///     fn record(&mut self, _: &Event<'_>) -> Result<(), InvalidEvent> {
///         self.0 += 1;
///         Ok(())
///     }
///     fn finish(self) -> u64 {
///         self.0
///     }
/// }
///
/// let table = RunTable::read("results/runs.csv".as_ref())?;
/// let found = read_runs("results".as_ref(), &table.rows, &ReadOptions::default(), |_| ViewChanges(0))?;
/// for (row, count) in table.rows.iter().zip(found.expect("a log").outputs) {
///     println!("{} {}: {count:?}", row.cell, row.run);
/// }
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn read_runs<C: RunConsumer>(
    dir: &Path,
    rows: &[RunRow],
    options: &ReadOptions,
    start: impl Fn(&RunRow) -> C + Sync,
) -> Result<Option<RunOutputs<C::Output>>, AnalysisError> {
    let Some(path) = find_file(dir, "events.csv")? else { return Ok(None) };
    read_log(&path, rows, options, start, |_| true).map(Some)
}

/// Like [`read_runs`], but `is_logged` says of a run whether its events are in the log at all.
pub(crate) fn read_log<C: RunConsumer>(
    path: &Path,
    rows: &[RunRow],
    options: &ReadOptions,
    start: impl Fn(&RunRow) -> C + Sync,
    is_logged: impl Fn(&RunRow) -> bool,
) -> Result<RunOutputs<C::Output>, AnalysisError> {
    let start = |row: &RunRow| Counted::new(start(row));
    let is_silent = |row: &RunRow| row.outcome == Outcome::Completed && row.requests > 0 && is_logged(row);
    let read = |blocks| read_blocks(blocks, path, rows, options, &start, is_silent);
    let (found, silent) = match Blocks::open(path, BLOCK).and_then(read) {
        // What is wrong with a row of a damaged file is no matter: it is not what was written.
        Err(error @ (LogError::Row { .. } | LogError::Header { .. })) if !options.lenient => {
            Err(find_damage(path).map_or(error, |source| LogError::Damaged { path: path.to_owned(), source }))
        }
        Err(error @ LogError::Damaged { .. }) if options.lenient => {
            let unreadable = |source| LogError::Io { path: path.to_owned(), source };
            match undamaged_frames(path).map_err(unreadable)? {
                Some(frames) => Blocks::new(frames, path, BLOCK).and_then(read),
                None => Err(error),
            }
        }
        other => other,
    }?;
    if let Some(RunRow { cell, run, .. }) = silent.map(|row| &rows[row]) {
        return Err(AnalysisError::NoEvents { path: path.to_owned(), cell: *cell, run: *run });
    }
    let found = hold_against(found, rows, is_logged, path, options.lenient)?;
    let mut completed = rows.iter().zip(&found.damaged).filter(|(row, _)| row.outcome == Outcome::Completed).peekable();
    if completed.peek().is_some() && completed.all(|(_, damaged)| *damaged) {
        let Skipped { second_header, first, .. } = found.skipped;
        return Err(LogError::NothingLeft { path: path.to_owned(), second_header, first }.into());
    }
    Ok(found)
}

/// Large enough that taking turns costs nothing, small enough for the caches and for many cores.
const BLOCK: usize = 1 << 18;

/// The outputs, and which run is silent.
type Found<C> = (RunOutputs<<C as RunConsumer>::Output>, Option<usize>);

fn read_blocks<C: RunConsumer, S: Fn(&RunRow) -> C + Sync>(
    mut blocks: Blocks<impl Read + Send>,
    path: &Path,
    rows: &[RunRow],
    options: &ReadOptions,
    start: &S,
    is_silent: impl Fn(&RunRow) -> bool,
) -> Result<Found<C>, LogError> {
    let index = RunIndex::new(rows);
    let mut in_order = InOrder::new(path, (rows, &index), start, options.lenient, blocks.lines_before());
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = options.jobs.map_or(cores, |jobs| jobs.get().min(2 * cores));
    if jobs == 1 {
        let mut buffers = Buffers::default();
        while let Some(taken) = blocks.next(buffers) {
            let block = taken.map_err(|(_, source)| in_order.fail(source))?;
            in_order.take_block(&block)?;
            buffers = block.buffers;
        }
        return Ok(in_order.finish(is_silent));
    }
    let turns = Turns {
        in_order: Some(in_order),
        next: 0,
        waiting: BTreeMap::new(),
        in_flight: 0,
        buffers: Vec::new(),
        is_over: false,
        error: None,
    };
    let pass = Pass {
        blocks: Mutex::new(blocks),
        turns: Mutex::new(turns),
        changed: Condvar::new(),
        most_in_flight: jobs + jobs.div_ceil(2) + 1,
        parse: |block: &mut Block| fragment::parse(block, rows, &index, start),
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(|| pass.work());
        }
        pass.work();
    });
    let turns = pass.turns.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (turns.error, turns.in_order) {
        (None, Some(in_order)) => Ok(in_order.finish(is_silent)),
        (Some(error), _) => Err(error),
        (None, None) => unreachable!("a worker that panics ends the scope"),
    }
}

/// What the workers share.
struct Pass<'a, R, C: RunConsumer, S, P> {
    blocks: Mutex<Blocks<R>>,
    turns: Mutex<Turns<'a, C, S>>,
    /// A block was taken in its turn, or the pass is over.
    changed: Condvar,
    /// So many blocks are read ahead at most.
    most_in_flight: usize,
    parse: P,
}

/// Whose turn it is.
struct Turns<'a, C: RunConsumer, S> {
    /// Away while a worker takes a block in its turn.
    in_order: Option<InOrder<'a, C, S>>,
    /// Index of the next block.
    next: u64,
    /// The blocks that were ready before their turn, by index.
    waiting: BTreeMap<u64, Ready<C>>,
    /// Blocks that were read, or are about to be, and whose turn is still to come.
    in_flight: usize,
    buffers: Vec<Buffers>,
    is_over: bool,
    error: Option<LogError>,
}

/// A block that only waits for its turn.
enum Ready<C: RunConsumer> {
    Parsed(Parsed<C>, Block),
    /// To be parsed when it is its turn.
    Raw(Block),
    /// It cannot be read.
    Failed(io::Error),
}

impl<'a, C, S, P, R> Pass<'a, R, C, S, P>
where
    C: RunConsumer,
    S: Fn(&RunRow) -> C,
    P: Fn(&mut Block) -> Option<Parsed<C>>,
    R: Read,
{
    /// What each worker does, until the end of the log or the first error.
    fn work(&self) {
        let _guard = EndOnPanic { turns: &self.turns, changed: &self.changed };
        while let Some(buffers) = self.place_in_flight() {
            let taken = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).next(buffers);
            let (index, ready) = match taken {
                None => {
                    self.turns().in_flight -= 1;
                    self.changed.notify_all();
                    return;
                }
                Some(Ok(block)) => (block.index, Ready::Raw(block)),
                Some(Err((index, source))) => (index, Ready::Failed(source)),
            };
            let ready = if self.is_turn_of(index) { ready } else { self.prepare(ready) };
            self.turns().waiting.insert(index, ready);
            self.take_turns();
        }
    }

    /// Waits until another block may be read; returns buffers for it, or nothing when the pass is over.
    fn place_in_flight(&self) -> Option<Buffers> {
        let mut turns = self.turns();
        while turns.in_flight >= self.most_in_flight && !turns.is_over {
            turns = self.changed.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        if turns.is_over {
            return None;
        }
        turns.in_flight += 1;
        Some(turns.buffers.pop().unwrap_or_default())
    }

    /// Whether the block can be taken at once.
    fn is_turn_of(&self, index: u64) -> bool {
        let turns = self.turns();
        turns.next == index && turns.in_order.is_some()
    }

    fn prepare(&self, ready: Ready<C>) -> Ready<C> {
        match ready {
            Ready::Raw(mut block) => match (self.parse)(&mut block) {
                Some(parsed) => Ready::Parsed(parsed, block),
                None => Ready::Raw(block),
            },
            other => other,
        }
    }

    /// Takes the blocks whose turn it is, unless another worker is at it; that one then finds them too.
    fn take_turns(&self) {
        let mut turns = self.turns();
        while !turns.is_over {
            let next = turns.next;
            let Some(mut in_order) = turns.in_order.take() else { return };
            let Some(ready) = turns.waiting.remove(&next) else {
                turns.in_order = Some(in_order);
                return;
            };
            drop(turns);
            let (result, buffers) = match ready {
                Ready::Parsed(parsed, mut block) => (in_order.take_parsed(parsed, &mut block), block.buffers),
                Ready::Raw(block) => (in_order.take_block(&block), block.buffers),
                Ready::Failed(source) => (Err(in_order.fail(source)), Buffers::default()),
            };
            turns = self.turns();
            turns.in_order = Some(in_order);
            turns.next += 1;
            turns.in_flight -= 1;
            turns.buffers.push(buffers);
            if let Err(error) = result {
                turns.error = Some(error);
                turns.is_over = true;
            }
            self.changed.notify_all();
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns<'a, C, S>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// If a worker panics, in a consumer, the others must not wait for it.
struct EndOnPanic<'p, 'a, C: RunConsumer, S> {
    turns: &'p Mutex<Turns<'a, C, S>>,
    changed: &'p Condvar,
}

impl<C: RunConsumer, S> Drop for EndOnPanic<'_, '_, C, S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.turns.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
            self.changed.notify_all();
        }
    }
}
