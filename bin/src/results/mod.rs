//! The results folder: written in the order of cells and runs, whatever order they finish in, and never with half a run in it.

use byzlab_analysis::{EventWriter, LatencyPartsWriter, RunRow, RunWriter};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a results folder may hold.
pub(crate) const FILES: [&str; 14] = [
    "config.toml",
    "runs.csv",
    "events.csv",
    "latency.svg",
    "latency.png",
    "throughput.svg",
    "throughput.png",
    "success.svg",
    "success.png",
    "saturation.svg",
    "saturation.png",
    "latency_parts.csv",
    "latency_parts.svg",
    "latency_parts.png",
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

/// A new results folder, open for writing.
///
/// Runs are numbered through all cells. The *head* is the first run that is not finished: its events go straight into the
/// file. Those of later runs wait in memory, and a run that has too many of them waits itself until it is the head.
#[derive(Debug)]
pub(crate) struct Results {
    state: Mutex<State>,
    head_moved: Condvar,
    runs_path: PathBuf,
}

/// A log that grows while runs go on, beside the table of runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFile {
    /// `events.csv`.
    Events,
    /// `latency_parts.csv`.
    LatencyParts,
}

impl LogFile {
    const COUNT: usize = 2;

    fn name(self) -> &'static str {
        match self {
            LogFile::Events => "events.csv",
            LogFile::LatencyParts => "latency_parts.csv",
        }
    }

    /// Makes the file, with its header.
    fn create(self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        match self {
            LogFile::Events => EventWriter::new(file)?.finish(),
            LogFile::LatencyParts => LatencyPartsWriter::new(file)?.finish(),
        }
    }
}

/// An open log.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    /// Its length up to the last finished run.
    whole: u64,
    length: u64,
}

#[derive(Debug)]
struct State {
    head: usize,
    runs: File,
    /// The length of `runs.csv` up to the last whole row.
    whole_runs: u64,
    swept_keys: usize,
    /// Those that are wanted, by [`LogFile`].
    logs: [Option<Log>; LogFile::COUNT],
    waiting: BTreeMap<usize, Part>,
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

#[derive(Debug)]
struct Failure {
    path: PathBuf,
    source: io::Error,
    complete: usize,
}

/// A run other than the head may hold so many bytes of each log in memory.
const MOST_WAITING: usize = 64 << 20;

impl Results {
    /// Makes the folder with `config.toml` and the headers of the logs. With `replace` it removes results that are there.
    pub(crate) fn create(
        folder: &Path,
        config: &str,
        swept_keys: &[String],
        wanted: &[LogFile],
        replace: bool,
    ) -> Result<Results, ResultsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ResultsError::Write { path, source, complete: None }
        };
        let found = FILES.into_iter().find(|file| folder.join(file).exists());
        if let Some(found) = found.filter(|_| !replace) {
            return Err(ResultsError::Occupied { folder: folder.to_owned(), found });
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
        let create = |path: &Path| OpenOptions::new().append(true).create_new(true).open(path);
        let open_runs = || {
            let runs = RunWriter::new(create(&runs_path)?, swept_keys)?.finish()?;
            let length = runs.metadata()?.len();
            Ok((runs, length))
        };
        let (runs, whole_runs) = open_runs().map_err(failed(&runs_path))?;
        let mut logs = [const { None }; LogFile::COUNT];
        for &log in wanted {
            let path = folder.join(log.name());
            let file = log.create(&path).map_err(failed(&path))?;
            let length = file.metadata().map_err(failed(&path))?.len();
            logs[log as usize] = Some(Log { path, file, whole: length, length });
        }
        let state = State {
            head: 0,
            runs,
            whole_runs,
            swept_keys: swept_keys.len(),
            logs,
            waiting: BTreeMap::new(),
            failure: None,
        };
        Ok(Results { state: Mutex::new(state), head_moved: Condvar::new(), runs_path })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock leaves the state half changed when it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a piece of a log of the run with this number.
    pub(crate) fn append(&self, number: usize, log: LogFile, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.source.kind().into());
            }
            if number == state.head {
                return self.write_log(&mut state, log as usize, bytes);
            }
            let waiting = &mut state.waiting.entry(number).or_default().logs[log as usize];
            if waiting.len() + bytes.len() <= MOST_WAITING {
                waiting.extend_from_slice(bytes);
                return Ok(());
            }
            state = self.head_moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the row of a run, after all of its logs.
    pub(crate) fn finish(&self, number: usize, row: RunRow) -> io::Result<()> {
        let mut state = self.lock();
        state.waiting.entry(number).or_default().row = Some(row);
        let result = self.advance(&mut state);
        self.head_moved.notify_all();
        result
    }

    /// Writes what is finished, and the logs so far of the new head.
    fn advance(&self, state: &mut State) -> io::Result<()> {
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.source.kind().into());
            }
            let head = state.head;
            let Some(part) = state.waiting.get_mut(&head) else { return Ok(()) };
            let logs = std::mem::take(&mut part.logs);
            let row = part.row.take();
            for (log, bytes) in logs.iter().enumerate() {
                self.write_log(state, log, bytes)?;
            }
            let Some(row) = row else { return Ok(()) };
            // The row is made first and written at once: a buffer over the file would write it again later.
            let text = row_text(&row, state.swept_keys)?;
            if let Err(source) = state.runs.write_all(&text) {
                return Err(self.fail(state, self.runs_path.clone(), source));
            }
            state.whole_runs += text.len() as u64;
            state.waiting.remove(&head);
            state.head += 1;
            state.logs.iter_mut().flatten().for_each(|log| log.whole = log.length);
        }
    }

    fn write_log(&self, state: &mut State, log: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(log) = &mut state.logs[log] else { return Ok(()) };
        if let Err(source) = log.file.write_all(bytes) {
            let path = log.path.clone();
            return Err(self.fail(state, path, source));
        }
        log.length += bytes.len() as u64;
        Ok(())
    }

    /// Keeps the first failure, and cuts all logs back to whole runs.
    fn fail(&self, state: &mut State, path: PathBuf, source: io::Error) -> io::Error {
        let kind = source.kind();
        // Best effort: an analysis refuses a cut row anyway.
        let _ = state.runs.set_len(state.whole_runs);
        for log in state.logs.iter().flatten() {
            let _ = log.file.set_len(log.whole);
        }
        state.failure = Some(Failure { path, source, complete: state.head });
        self.head_moved.notify_all();
        kind.into()
    }

    /// Whether writing has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    /// What went wrong, once all runs have ended.
    pub(crate) fn failure(&self) -> Option<ResultsError> {
        let Failure { path, source, complete } = self.lock().failure.take()?;
        Some(ResultsError::Write { path, source, complete: Some(complete) })
    }
}
