//! One pass over a table, with all cores.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::TableOptions;
use super::blocks::{Block, BlockError, Blocks};
use super::error::{RowProblem, TableError};
use super::neighbours::Neighbours;
use super::plan::Plan;
use super::rows::{BlockGroup, BlockRows, read_block};
use super::sample::Sample;
use crate::log::Source;
use crate::statistics::{Attempt, autocorrelation};

/// More groups than this are a mistake, and would not fit into a table.
const MOST_GROUPS: usize = 100_000;
/// Bytes of blocks that were read and are not summed up yet, but always one block; their rows may take eight times as much.
const MOST_UNDER_WAY: usize = 1 << 26;

/// What a table says about a column.
#[derive(Clone, Debug)]
pub struct TableData {
    /// The file.
    pub path: PathBuf,
    /// In the order of their first rows. Without columns to group by there is one group, even if it has no row.
    pub groups: Vec<TableGroup>,
    /// Number of rows.
    pub rows: u64,
    /// Number of those that do not meet the conditions.
    pub excluded: u64,
    /// Number of those that cannot be used; only with [`TableOptions::lenient`].
    pub skipped: u64,
    /// Line and problem of the first of them.
    pub first_skipped: Option<(u64, RowProblem)>,
    /// Whether the last row has no line end, so that its last field may be the start of another: the file may be cut.
    pub is_open: bool,
}

/// The rows of one group.
#[derive(Clone, Debug)]
pub struct TableGroup {
    /// Its values of the columns to group by.
    pub key: Vec<String>,
    /// What became of its rows.
    pub sample: Sample,
    /// Number of rows without a value; they are not in the sample.
    pub missing: u64,
    /// Number of rows whose value lies above their limit; in the sample they did not succeed.
    pub above_limit: u64,
    /// Sums over its values, from when they are no longer kept one by one.
    neighbours: Option<Neighbours>,
}

/// Reads a column of a CSV file, plain or compressed with gzip or zstd; `-` is standard input.
///
/// Memory is bounded by [`TableOptions::exact`] and the number of groups. Nothing depends on the number of threads, of which
/// there are never more than two for each core.
///
/// ```no_run
/// use byzlab_analysis::table::{TableOptions, read_table_file};
/// let data = read_table_file("latencies.csv".as_ref(), &TableOptions::of("latency"))?;
/// println!("{} rows", data.rows);
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn read_table_file(path: &Path, options: &TableOptions) -> Result<TableData, TableError> {
    let is_stdin = path == Path::new("-");
    let path = if is_stdin { Path::new("standard input") } else { path };
    let source = if is_stdin { Source::new(io::stdin()) } else { Source::open(path) };
    let source = source.map_err(|source| TableError::Io { path: path.to_owned(), source })?;
    read_table(source, path, options)
}

/// Reads a column of CSV text; `path` only names it in errors. As [`read_table_file`].
///
/// ```
/// use byzlab_analysis::table::{TableOptions, read_table};
/// let csv = "system,latency\npbft,12.5\nhotstuff,20\npbft,inf\n";
/// let options = TableOptions { by: vec!["system".to_owned()], ..TableOptions::of("latency") };
/// let data = read_table(csv.as_bytes(), "latencies.csv", &options)?;
/// assert_eq!(data.groups[0].key, ["pbft"]);
/// assert_eq!((data.groups[0].sample.len(), data.groups[0].sample.successes()), (2, 1));
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn read_table(
    input: impl Read + Send,
    path: impl Into<PathBuf>,
    options: &TableOptions,
) -> Result<TableData, TableError> {
    options.check()?;
    let path = path.into();
    let mut blocks = Blocks::new(input, options.delimiter);
    let header = blocks.header().map_err(|error| block_error(error, &path, 0))?;
    if header.is_empty() {
        return Err(TableError::Empty { path });
    }
    let header_lines = memchr::memchr_iter(b'\n', &header).count() as u64 + 1;
    let plan = Plan::new(&split_header(&header, options.delimiter), &path, options)?;
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = options.jobs.map_or(cores, |jobs| jobs.get().min(2 * cores));
    let mut merge = Merge::new(&path, options, header_lines);
    thread::scope(|scope| {
        // Answers are taken in the order of the blocks, and only so many blocks are under way.
        let (in_order, answers) = sync_channel::<Result<Answer, BlockError>>(2 * jobs);
        let (done, all_done) = channel();
        let (work, waiting) = sync_channel::<(Block, SyncSender<BlockRows>)>(jobs);
        let waiting = Mutex::new(waiting);
        scope.spawn(move || hand_out(&mut blocks, &work, &in_order, &all_done));
        let (plan, waiting) = (&plan, std::sync::Arc::new(waiting));
        for _ in 0..jobs {
            let waiting = waiting.clone();
            scope.spawn(move || {
                // The lock is released before the block is read.
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok((block, answer)) = next() {
                    // Nobody waits for it any more after an error.
                    let _ = answer.send(read_block(&block, plan, options.lenient, MOST_GROUPS));
                }
            });
        }
        // The threads end when these are dropped.
        let (answers, done) = (answers, done);
        merge.all(&answers, &done)
    })?;
    merge.finish()
}

/// Where the rows of a block will come from.
struct Answer {
    rows: Receiver<BlockRows>,
    /// Bytes of the block.
    length: usize,
}

/// Reads blocks and hands them to the threads, until the end, an error, or the loss of interest.
fn hand_out(
    blocks: &mut Blocks<impl Read>,
    work: &SyncSender<(Block, SyncSender<BlockRows>)>,
    in_order: &SyncSender<Result<Answer, BlockError>>,
    done: &Receiver<usize>,
) {
    let mut under_way = 0;
    loop {
        match blocks.next() {
            Ok(None) => return,
            Ok(Some(block)) => {
                let length = block.bytes.len();
                while under_way > 0 && under_way + length > MOST_UNDER_WAY {
                    let Ok(bytes) = done.recv() else {
                        return;
                    };
                    under_way -= bytes;
                }
                under_way += length;
                let (answer, rows) = sync_channel(1);
                if in_order.send(Ok(Answer { rows, length })).is_err() || work.send((block, answer)).is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = in_order.send(Err(error));
                return;
            }
        }
    }
}

/// Puts the blocks together, in their order: the sums are the same however many threads read them.
struct Merge<'a> {
    path: &'a Path,
    options: &'a TableOptions,
    data: TableData,
    index: BTreeMap<Vec<String>, usize>,
    /// Lines before the next block.
    lines: u64,
    /// Rows that are kept one by one.
    exact: usize,
    /// How many there may be before groups become sketches.
    room: usize,
}

impl<'a> Merge<'a> {
    fn new(path: &'a Path, options: &'a TableOptions, lines: u64) -> Self {
        let data = TableData {
            path: path.to_owned(),
            groups: Vec::new(),
            rows: 0,
            excluded: 0,
            skipped: 0,
            first_skipped: None,
            is_open: false,
        };
        Self { path, options, data, index: BTreeMap::new(), lines, exact: 0, room: options.exact }
    }

    fn all(&mut self, answers: &Receiver<Result<Answer, BlockError>>, done: &Sender<usize>) -> Result<(), TableError> {
        for answer in answers {
            let answer = answer.map_err(|error| block_error(error, self.path, self.lines))?;
            // The thread that reads it answers unless it panicked, which the scope passes on.
            let Ok(rows) = answer.rows.recv() else {
                break;
            };
            self.block(rows)?;
            // Nobody waits for it any more behind the last block.
            let _ = done.send(answer.length);
        }
        Ok(())
    }

    fn block(&mut self, rows: BlockRows) -> Result<(), TableError> {
        if let Some((line, problem)) = rows.first_problem {
            let line = self.lines + line + 1;
            if !self.options.lenient {
                return Err(TableError::Row { path: self.path.to_owned(), line, problem });
            }
            self.data.first_skipped.get_or_insert((line, problem));
        }
        self.lines += rows.lines;
        self.data.rows += rows.rows;
        self.data.excluded += rows.excluded;
        self.data.skipped += rows.skipped;
        self.data.is_open = rows.is_open;
        for group in rows.groups {
            self.group(group);
        }
        if self.data.groups.len() > MOST_GROUPS {
            let (path, by) = (self.path.to_owned(), self.options.by.clone());
            return Err(TableError::TooManyGroups { path, by, limit: MOST_GROUPS });
        }
        self.make_room();
        Ok(())
    }

    fn group(&mut self, rows: BlockGroup) {
        let place = self.index.get(&rows.key).copied().unwrap_or_else(|| {
            self.index.insert(rows.key.clone(), self.data.groups.len());
            self.data.groups.push(TableGroup::new(rows.key));
            self.data.groups.len() - 1
        });
        let group = &mut self.data.groups[place];
        group.missing += rows.missing;
        group.above_limit += rows.above_limit;
        let before = group.sample.kept();
        group.extend(rows.attempts);
        self.exact += group.sample.kept() - before;
    }

    /// Where too many rows are kept, the larger groups become sketches. Those with less than half of a fair share stay as
    /// they are: together they take less than half of the room, so that this need not be done often. So do those whose
    /// sketch would take more memory than their rows; where they fill the room, it is looked again when they are twice as many.
    fn make_room(&mut self) {
        if self.exact <= self.room {
            return;
        }
        let share = self.options.exact / (2 * self.data.groups.len().max(1));
        for group in &mut self.data.groups {
            let kept = group.sample.kept();
            if kept > share && group.sample.is_smaller_as_sketch() {
                self.exact -= kept;
                group.sketch();
            }
        }
        self.room = self.options.exact.max(self.exact.saturating_mul(2));
    }

    fn finish(mut self) -> Result<TableData, TableError> {
        if let Some((line, problem)) = &self.data.first_skipped
            && self.data.skipped + self.data.excluded == self.data.rows
        {
            let (path, column, skipped) = (self.data.path, self.options.column.clone(), self.data.skipped);
            return Err(TableError::NoUsableRow {
                path,
                column,
                skipped,
                line: *line,
                problem: Box::new(problem.clone()),
            });
        }
        if self.options.by.is_empty() && self.data.groups.is_empty() {
            self.data.groups.push(TableGroup::new(Vec::new()));
        }
        Ok(self.data)
    }
}

impl TableGroup {
    fn new(key: Vec<String>) -> Self {
        Self { key, sample: Sample::default(), missing: 0, above_limit: 0, neighbours: None }
    }

    fn extend(&mut self, attempts: Vec<Attempt>) {
        if let Some(neighbours) = &mut self.neighbours {
            attempts.iter().filter_map(|attempt| attempt.value()).for_each(|value| neighbours.push(value));
        }
        self.sample.extend(attempts);
    }

    fn sketch(&mut self) {
        let attempts = self.sample.attempts().unwrap_or_default();
        self.neighbours = Some(attempts.iter().filter_map(|attempt| attempt.value()).collect());
        self.sample.sketch();
    }

    /// The correlation of each value with the one before, and how many there are.
    pub(super) fn lag_one(&self) -> Option<(f64, u64)> {
        if let Some(neighbours) = &self.neighbours {
            return Some((neighbours.correlation()?, neighbours.count()));
        }
        let values = self.sample.values()?;
        Some((autocorrelation(&values, 1)?, values.len() as u64))
    }
}

/// An error behind so many lines.
pub(super) fn block_error(error: BlockError, path: &Path, lines: u64) -> TableError {
    let path = path.to_owned();
    match error {
        BlockError::Io(source) => TableError::Io { path, source },
        BlockError::OpenQuote { lines: further } => {
            TableError::Row { path, line: lines + further + 1, problem: RowProblem::OpenQuote }
        }
        BlockError::TooLong => TableError::Row { path, line: lines + 1, problem: RowProblem::TooLong },
    }
}

/// The names of the columns, without quotes and outer spaces.
pub(super) fn split_header(header: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(header);
    let mut record = csv::ByteRecord::new();
    // It cannot fail: the reader takes any bytes, and these are in memory.
    let _ = reader.read_byte_record(&mut record);
    record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}
