//! The results folder: written in the order of cells and runs, whatever order they finish in, and never with half a run in it.

mod log;

pub(crate) use log::LogFile;

use crate::cells::{Cells, Ended, Next, RunIndex};
use byzlab_analysis::{Compression, Replications, RunRow, RunWriter};
use log::Log;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a results folder may hold.
pub(crate) const FILES: [&str; 34] = [
    "config.toml",
    "runs.csv",
    "runs.csv.zst",
    "runs.csv.gz",
    "events.csv",
    "events.csv.zst",
    "events.csv.gz",
    "latency_parts.csv",
    "latency_parts.csv.zst",
    "latency_parts.csv.gz",
    "latency.svg",
    "latency.png",
    "throughput.svg",
    "throughput.png",
    "success.svg",
    "success.png",
    "saturation.svg",
    "saturation.png",
    "latency_parts.svg",
    "latency_parts.png",
    "figures.svg",
    "figures.png",
    "ecdf.svg",
    "ecdf.png",
    "histogram.svg",
    "histogram.png",
    "quantiles.svg",
    "quantiles.png",
    "timeline.svg",
    "timeline.png",
    "messages.svg",
    "messages.png",
    "message_kinds.svg",
    "message_kinds.png",
];

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The folder holds results already.
    #[error("{} holds results already ({found})\n  hint: choose another folder with --out, or replace them with --force", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// A file in it.
        found: &'static str,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written: {source}{}\n  hint: check the permissions and the free space of the disk", path.display(), kept(*complete))]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// How many runs are in the folder whole; none if no run had begun.
        complete: Option<usize>,
    },
}

fn kept(complete: Option<usize>) -> String {
    complete.map_or(String::new(), |runs| {
        format!("\n  the first {runs} runs are complete in the folder and can be analysed; the rest is missing")
    })
}

/// Fails if there are results in the folder already.
pub(crate) fn refuse_results(folder: &Path) -> Result<(), ResultsError> {
    match FILES.into_iter().find(|file| folder.join(file).exists()) {
        Some(found) => Err(ResultsError::Occupied { folder: folder.to_owned(), found }),
        None => Ok(()),
    }
}

/// A new results folder, open for writing, with the order of the runs that go into it.
///
/// The *head* is the first run that is not in the folder: what it logs goes straight into the files. What later runs log
/// waits in memory, and when too much of it waits, they wait themselves.
#[derive(Debug)]
pub(crate) struct Results {
    state: Mutex<State>,
    /// A run has ended, or writing has failed.
    moved_on: Condvar,
    runs_path: PathBuf,
}

#[derive(Debug)]
struct State {
    cells: Cells,
    head: RunIndex,
    runs: File,
    /// The length of `runs.csv` up to the last whole row.
    whole_runs: u64,
    /// The runs in `runs.csv`.
    complete: usize,
    /// Rows of `runs.csv` whose logs lie in a frame that is still open.
    rows: Vec<u8>,
    /// How many these are.
    in_frame: usize,
    swept_keys: usize,
    /// Those that are wanted, by [`LogFile`].
    logs: [Option<Log>; LogFile::COUNT],
    waiting: BTreeMap<RunIndex, Part>,
    /// The bytes of all that waits, and the most of them.
    held: usize,
    most_held: usize,
    failure: Option<Failure>,
}

fn row_text(row: &RunRow, swept_keys: usize) -> io::Result<Vec<u8>> {
    let mut writer = RunWriter::without_header(Vec::new(), swept_keys);
    writer.write(row)?;
    writer.finish()
}

/// What a run that is not the head has left so far.
#[derive(Debug, Default)]
struct Part {
    /// By [`LogFile`].
    logs: [Vec<u8>; LogFile::COUNT],
    row: Option<RunRow>,
}

impl Part {
    /// Its share of [`State::held`].
    fn bytes(&self) -> usize {
        self.logs.iter().map(Vec::len).sum::<usize>() + if self.row.is_some() { ROW } else { 0 }
    }
}

#[derive(Debug)]
struct Failure {
    path: PathBuf,
    source: io::Error,
}

/// So many bytes of runs other than the head may be held in memory.
const MOST_HELD: usize = 256 << 20;
/// What a row and its place in the list take, about.
const ROW: usize = 512;

impl Results {
    /// Makes the folder with `config.toml` and the headers of the logs. With `replace` it removes results that are there.
    pub(crate) fn create(
        folder: &Path,
        config: &str,
        swept_keys: &[String],
        (wanted, compression): (&[LogFile], Compression),
        cells: Cells,
        replace: bool,
    ) -> Result<Results, ResultsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ResultsError::Write { path, source, complete: None }
        };
        if !replace {
            refuse_results(folder)?;
        }
        fs::create_dir_all(folder).map_err(failed(folder))?;
        for path in FILES.map(|file| folder.join(file)) {
            if path.exists() {
                fs::remove_file(&path).map_err(failed(&path))?;
            }
        }
        let config_path = folder.join("config.toml");
        fs::write(&config_path, config).map_err(failed(&config_path))?;

        let runs_path = folder.join("runs.csv");
        let open_runs = || {
            let file = OpenOptions::new().append(true).create_new(true).open(&runs_path)?;
            let runs = RunWriter::new(file, swept_keys)?.finish()?;
            let length = runs.metadata()?.len();
            Ok((runs, length))
        };
        let (runs, whole_runs) = open_runs().map_err(failed(&runs_path))?;
        let mut logs = [const { None }; LogFile::COUNT];
        for &log in wanted {
            let path = log.path(folder, compression);
            logs[log as usize] = Some(Log::create(log, path.clone(), compression).map_err(failed(&path))?);
        }
        let state = State {
            cells,
            head: (0, 0),
            runs,
            whole_runs,
            complete: 0,
            rows: Vec::new(),
            in_frame: 0,
            swept_keys: swept_keys.len(),
            logs,
            waiting: BTreeMap::new(),
            held: 0,
            most_held: MOST_HELD,
            failure: None,
        };
        Ok(Results { state: Mutex::new(state), moved_on: Condvar::new(), runs_path })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock leaves the state half changed when it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.moved_on.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next run to do; waits until there is one. None if there is none any more, or writing has failed.
    ///
    /// Whoever has ended the head is given the next one, so that it is always on its way and nobody waits in vain.
    pub(crate) fn next(&self) -> Option<RunIndex> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() {
                return None;
            }
            match state.cells.next() {
                Next::Over => return None,
                Next::Run(run) if run == state.head || state.held < state.most_held => {
                    state.cells.begin(run);
                    return Some(run);
                }
                Next::Run(_) | Next::Wait => state = self.wait(state),
            }
        }
    }

    /// Takes a piece of a log of a run. Fails too if the run turns out not to be needed.
    pub(crate) fn append(&self, run: RunIndex, log: LogFile, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.source.kind().into());
            }
            if state.cells.is_surplus(run) {
                return Err(io::Error::other("the cell has ended before this run"));
            }
            if run == state.head {
                return self.write_log(&mut state, log as usize, bytes);
            }
            if state.held + bytes.len() <= state.most_held {
                state.held += bytes.len();
                state.waiting.entry(run).or_default().logs[log as usize].extend_from_slice(bytes);
                return Ok(());
            }
            state = self.wait(state);
        }
    }

    /// Takes the row of a run, after all of its logs, and its value if that decides on the end of the cell.
    pub(crate) fn finish(&self, run: RunIndex, row: RunRow, value: Option<f64>) -> io::Result<Ended> {
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.source.kind().into());
        }
        let ended = state.cells.take(run, row.outcome, value);
        if !state.cells.is_surplus(run) {
            state.waiting.entry(run).or_default().row = Some(row);
            state.held += ROW;
        }
        state.forget_surplus(run.0);
        let result = self.advance(&mut state);
        self.moved_on.notify_all();
        result.map(|()| ended)
    }

    /// Writes what is finished, and the logs so far of the new head.
    fn advance(&self, state: &mut State) -> io::Result<()> {
        loop {
            let (cell, run) = state.head;
            if state.cells.end(cell) == Some(run) {
                state.head = (cell + 1, 0);
                continue;
            }
            let Some(part) = state.waiting.get_mut(&(cell, run)) else { return Ok(()) };
            let bytes = part.bytes();
            let logs = std::mem::take(&mut part.logs);
            let row = part.row.take();
            state.held -= bytes;
            for (log, bytes) in logs.iter().enumerate() {
                self.write_log(state, log, bytes)?;
            }
            let Some(row) = row else { return Ok(()) };
            let text = row_text(&row, state.swept_keys)?;
            state.rows.extend_from_slice(&text);
            state.in_frame += 1;
            state.waiting.remove(&(cell, run));
            state.head = (cell, run + 1);
            let frames = state.logs.iter().flatten().map(Log::frame);
            let (is_open, is_full) = frames.fold((false, false), |any, log| (any.0 || log.0, any.1 || log.1));
            if !is_open || is_full {
                self.complete(state)?;
            }
        }
    }

    fn write_log(&self, state: &mut State, log: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(log) = &mut state.logs[log] else { return Ok(()) };
        if let Err(source) = log.write(bytes) {
            let path = log.path.clone();
            return Err(self.fail(state, path, source));
        }
        Ok(())
    }

    /// Ends the frames of all logs after the same run, and only then writes the rows of the runs in them.
    fn complete(&self, state: &mut State) -> io::Result<()> {
        for index in 0..state.logs.len() {
            if let Some(log) = &mut state.logs[index]
                && let Err(source) = log.close()
            {
                let path = log.path.clone();
                return Err(self.fail(state, path, source));
            }
        }
        // At once: a buffer over the file would write them again after a failure.
        if let Err(source) = state.runs.write_all(&state.rows) {
            return Err(self.fail(state, self.runs_path.clone(), source));
        }
        state.whole_runs += state.rows.len() as u64;
        state.complete += state.in_frame;
        state.rows.clear();
        state.in_frame = 0;
        state.logs.iter_mut().flatten().for_each(Log::keep);
        Ok(())
    }

    /// Keeps the first failure, and cuts all files back to whole runs.
    fn fail(&self, state: &mut State, path: PathBuf, source: io::Error) -> io::Error {
        let kind = source.kind();
        // Best effort: an analysis refuses a cut row anyway.
        let _ = state.runs.set_len(state.whole_runs);
        state.logs.iter().flatten().for_each(Log::cut_back);
        state.failure = Some(Failure { path, source });
        self.moved_on.notify_all();
        kind.into()
    }

    /// Ends the files once all runs have ended. For each cell whose runs decided on their number, what they were.
    pub(crate) fn close(&self) -> Result<Vec<Replications>, ResultsError> {
        let mut state = self.lock();
        if state.failure.is_none() {
            // What goes wrong is kept.
            let _ = self.complete(&mut state);
        }
        match state.failure.take() {
            Some(Failure { path, source }) => Err(ResultsError::Write { path, source, complete: Some(state.complete) }),
            None => Ok(state.cells.replications()),
        }
    }
}

impl State {
    /// Forgets what waits of runs beyond the end of a cell.
    fn forget_surplus(&mut self, cell: u32) {
        let Some(end) = self.cells.end(cell) else { return };
        let surplus: Vec<RunIndex> = self.waiting.range((cell, end)..(cell + 1, 0)).map(|(run, _)| *run).collect();
        for run in surplus {
            let part = self.waiting.remove(&run);
            self.held -= part.map_or(0, |part| part.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use byzlab_analysis::Outcome;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    fn row((cell, run): RunIndex) -> RunRow {
        RunRow {
            cell,
            run,
            seed: 0,
            parameters: Vec::new(),
            replicas: 4,
            faults: 1,
            corrupted: 0,
            outcome: Outcome::Completed,
            agreement: true,
            validity: true,
            requests: 1,
            completed: 1,
            messages: 0,
            bytes: 0,
            view_changes: 0,
            virtual_ns: 0,
            fingerprint: 0,
        }
    }

    fn open(folder: &Path, cells: Cells) -> Results {
        let logs = (&[LogFile::Events][..], Compression::None);
        let results = Results::create(folder, "", &[], logs, cells, true).unwrap();
        results.lock().most_held = 2 * ROW;
        results
    }

    /// Waits until so many steps are done, and some time longer to see that they stay at that.
    fn stays_at(steps: &AtomicUsize, expected: usize) {
        while steps.load(Ordering::SeqCst) < expected {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(steps.load(Ordering::SeqCst), expected);
    }

    #[test]
    fn who_is_too_far_ahead_waits_for_the_head() {
        let folder = tempfile::tempdir().unwrap();
        let results = open(folder.path(), Cells::fixed(1, 4));
        assert_eq!(results.next(), Some((0, 0)));
        let (steps, piece) = (AtomicUsize::new(0), vec![b'x'; ROW]);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(results.next(), Some((0, 1)));
                for _ in 0..3 {
                    results.append((0, 1), LogFile::Events, &piece).unwrap();
                    steps.fetch_add(1, Ordering::SeqCst);
                }
            });
            stays_at(&steps, 2);
            // Another one is not even begun.
            scope.spawn(|| {
                assert_eq!(results.next(), Some((0, 2)));
                steps.fetch_add(10, Ordering::SeqCst);
            });
            stays_at(&steps, 2);
            // The head itself never waits.
            for _ in 0..5 {
                results.append((0, 0), LogFile::Events, &piece).unwrap();
            }
            results.finish((0, 0), row((0, 0)), None).unwrap();
            stays_at(&steps, 13);
        });
        assert_eq!(results.lock().held, 0);
        let events = fs::read_to_string(folder.path().join("events.csv")).unwrap();
        assert_eq!(events.matches('x').count() % ROW, 0);
        assert!(events.len() > 8 * ROW, "all eight pieces");
    }

    /// The files of three cells of 3 to 8 runs, some of which fail, if as many runs as may be are under way and they end in an
    /// order of this seed; and how many runs were surplus.
    fn written_in_order_of(seed: u64, jobs: usize) -> (String, String, usize) {
        let folder = tempfile::tempdir().unwrap();
        let aim = byzlab_analysis::Aim::Success { half_width: 0.3 };
        let precision = byzlab_analysis::Precision { aim, confidence: 0.95, min_runs: 3, max_runs: 8 };
        let logs = (&[LogFile::Events][..], Compression::None);
        let cells = Cells::until_precise(3, precision, jobs);
        let results = Results::create(folder.path(), "", &[], logs, cells, true).unwrap();
        // What a run comes to depends on the run alone.
        let outcome = |(cell, run): RunIndex| match (cell, run) {
            (1, 1) | (2, 0 | 2 | 4) => Outcome::Timeout,
            _ => Outcome::Completed,
        };
        let (mut under_way, mut state, mut counted, mut surplus) = (Vec::new(), seed, Vec::new(), Vec::new());
        loop {
            // Never asks for a run where it would have to wait for one.
            while under_way.len() < jobs && matches!(results.lock().cells.next(), Next::Run(_)) {
                let run = results.next().unwrap();
                // Half of the log at once, the other half at the end.
                let _ = results.append(run, LogFile::Events, format!("{run:?} begins\n").as_bytes());
                under_way.push(run);
            }
            if under_way.is_empty() {
                break;
            }
            // Knuth's linear congruential generator.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let run = under_way.swap_remove((state >> 33) as usize % under_way.len());
            // That fails for a surplus run, as it does while one is made.
            let _ = results.append(run, LogFile::Events, format!("{run:?} ends\n").as_bytes());
            let ended = results.finish(run, RunRow { outcome: outcome(run), ..row(run) }, None).unwrap();
            counted.extend(ended.counted.into_iter().map(|counted| counted.run));
            surplus.extend(ended.surplus);
        }
        let runs: usize = results.close().unwrap().iter().map(|cell| cell.runs() as usize).sum();
        assert_eq!(counted.len(), runs);
        assert!(surplus.iter().all(|run| !counted.contains(run)), "{surplus:?}");
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        (read("runs.csv"), read("events.csv"), surplus.len())
    }

    #[test]
    fn the_files_do_not_depend_on_the_order_in_which_runs_end() {
        let (runs, events, surplus) = written_in_order_of(0, 1);
        assert_eq!((surplus, events.matches("ends").count()), (0, runs.lines().count() - 1));
        let mut most = 0;
        for seed in 0..200 {
            let jobs = 2 + seed as usize % 11;
            let shuffled = written_in_order_of(seed, jobs);
            assert_eq!((&shuffled.0, &shuffled.1), (&runs, &events), "seed {seed}, {jobs} jobs");
            most = most.max(shuffled.2);
        }
        assert!(most > 2, "some orders leave surplus runs");
    }

    #[test]
    fn surplus_runs_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let aim = byzlab_analysis::Aim::Success { half_width: 0.4 };
        let precision = byzlab_analysis::Precision { aim, confidence: 0.95, min_runs: 2, max_runs: 9 };
        let results = open(folder.path(), Cells::until_precise(1, precision, 2));
        for run in 0..4 {
            assert_eq!(results.next(), Some((0, run)));
        }
        results.append((0, 2), LogFile::Events, b"surplus").unwrap();
        results.append((0, 3), LogFile::Events, b"surplus").unwrap();
        assert_eq!(results.finish((0, 3), row((0, 3)), None).unwrap(), Ended::default());
        results.finish((0, 0), row((0, 0)), None).unwrap();
        // Wilson's interval of 2 of 2 is 0.342 to 1.
        let last = results.finish((0, 1), row((0, 1)), None).unwrap();
        assert!(last.counted[0].ends_cell && last.surplus == [(0, 3)]);
        assert!(results.append((0, 2), LogFile::Events, b"more").is_err());
        let late = results.finish((0, 2), row((0, 2)), None).unwrap();
        assert!(late.counted.is_empty() && late.surplus == [(0, 2)]);
        assert_eq!(results.next(), None);
        assert_eq!(results.lock().held, 0);
        assert!(results.lock().waiting.is_empty());
        assert_eq!(results.close().unwrap()[0].runs(), 2);
        assert!(!fs::read_to_string(folder.path().join("events.csv")).unwrap().contains("surplus"));
        assert_eq!(fs::read_to_string(folder.path().join("runs.csv")).unwrap().lines().count(), 3);
    }
}
