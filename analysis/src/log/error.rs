//! What can be wrong with a log.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::source::is_damage;
use crate::event::EVENT_COLUMNS;

/// Why `events.csv` cannot be read. The messages name file, line and remedy.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file cannot be opened or read.
    #[error("{}: cannot read it: {source}{}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The first line is not the header of `events.csv`.
    #[error(
        "{}:1: this is not the header of an events log: {found:?}, expected {:?}; \
         use a file that this version of `byzlab run` wrote", path.display(), EVENT_COLUMNS.join(",")
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// Its first line, shortened.
        found: String,
    },
    /// The file is compressed, and was cut.
    #[error(
        "{}: the compressed file ends in the middle, behind line {line}; the run that wrote it was interrupted: \
         run it again{LENIENTLY}", path.display()
    )]
    CutFile {
        /// The file.
        path: PathBuf,
        /// The last line that could be decompressed to its end, counted from 1.
        line: u64,
    },
    /// A part of the compressed file fails its checksum, or cannot be decompressed.
    #[error("{}: {source}; restore the file, run again, or pass --lenient to read the frames before that part", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A row breaks the format.
    #[error("{}; {}{LENIENTLY}", self.cause(), problem.remedy())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Cell and run, where known.
        run: Option<(u32, u32)>,
        /// What is wrong.
        problem: RowProblem,
    },
    /// The honest clients of a run accept another number of requests in the log than in `runs.csv`.
    #[error(
        "{}: the log of cell {cell}, run {run} has {}; it is cut or damaged, or of another experiment: restore it, run again, \
         or pass --lenient to leave out such runs", path.display(), of_accepted(*accepted, *completed)
    )]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// The cell.
        cell: u32,
        /// The run.
        run: u32,
        /// Accepted requests in the log.
        accepted: u64,
        /// Those that `runs.csv` tells of.
        completed: u64,
    },
    /// The log was read leniently, and no completed run is left.
    #[error(
        "{}: rows of every completed run were skipped or are missing, so nothing is left to analyse{}{}; restore the file, or \
         run the experiment again", path.display(), of_second_log(*second_header), of_first(first.as_deref())
    )]
    NothingLeft {
        /// The file.
        path: PathBuf,
        /// The line at which a second log begins.
        second_header: Option<u64>,
        /// The first row that was skipped: where it stands, and what is wrong.
        first: Option<String>,
    },
}

/// What can be done about most of it.
pub(crate) const LENIENTLY: &str = ", or pass --lenient to skip and count such rows";

impl LogError {
    /// Place and problem, without what to do.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Row { path, line, run, problem } => format!("{}:{line}{}: {problem}", path.display(), of_run(*run)),
            other => other.to_string(),
        }
    }

    /// A file cannot be read on behind this line.
    pub(super) fn reading(path: &Path, line: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutFile { path, line },
            _ if is_damage(&source) => Self::Damaged { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// What to do if a file cannot be read.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => "; check the path and its permissions",
        _ => "; check the disk, and restore the file or run again",
    }
}

fn of_accepted(accepted: u64, completed: u64) -> String {
    if accepted < completed {
        format!("{accepted} of its {completed} accepted requests")
    } else {
        format!("{accepted} accepted requests, runs.csv only {completed}")
    }
}

fn of_second_log(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!("; a second log begins at line {line}: analyse the two apart"))
}

fn of_first(first: Option<&str>) -> String {
    first.map_or_else(String::new, |first| format!("; the first: {first}"))
}

/// ` (cell 3, run 5)` behind the place of a row, where the run is known.
pub(crate) fn of_run(run: Option<(u32, u32)>) -> String {
    run.map_or_else(String::new, |(cell, run)| format!(" (cell {cell}, run {run})"))
}

/// What is wrong with a row.
#[derive(Debug, Error)]
pub enum RowProblem {
    /// The file ends without a line end.
    #[error("the file ends in the middle of a row; the run that wrote it was interrupted")]
    Cut,
    /// The file is compressed, and cannot be decompressed behind this line.
    #[error("the compressed file is cut or damaged; what follows is lost")]
    CutFile,
    /// The row has another number of fields.
    #[error("the row has {found} fields instead of 12; it is damaged")]
    FieldCount {
        /// The number of fields.
        found: usize,
    },
    /// A field does not parse.
    #[error("column `{column}` holds {found:?}, expected {expected}")]
    Field {
        /// The column.
        column: &'static str,
        /// Its content, shortened.
        found: String,
        /// What stands there in a good file.
        expected: &'static str,
    },
    /// A time is negative.
    #[error("column `time_ns` holds {found:?}, which is negative: virtual time starts at 0")]
    NegativeTime {
        /// Its content, shortened.
        found: String,
    },
    /// The header of a log stands in the middle of it.
    #[error("a second header: two logs were put together")]
    SecondHeader,
    /// The event is not a known one.
    #[error("unknown event {found:?}; the log is damaged or of another version")]
    UnknownEvent {
        /// The name in the file, shortened.
        found: String,
    },
    /// A quote, which this format never needs.
    #[error("the row holds a quote, but events.csv is never quoted")]
    Quote,
    /// The row is longer than any row of this format.
    #[error("the row is longer than 64 KiB; it is damaged, or this is not an events log")]
    TooLong,
    /// The row parses, but contradicts the rows before it or `runs.csv`.
    #[error("{0}")]
    Contradiction(String),
}

impl RowProblem {
    /// What to do, beside reading leniently.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Cut | Self::CutFile => "run it again, delete this line and the run's other rows in both files",
            Self::FieldCount { .. } | Self::Field { .. } | Self::NegativeTime { .. } => "restore the file, run again",
            Self::SecondHeader => "analyse them apart",
            Self::UnknownEvent { .. } => "restore the file, analyse it with that version",
            Self::Quote => "write it with `byzlab run`",
            Self::TooLong => "restore the file",
            Self::Contradiction(_) => "run the experiment again",
        }
    }
}

/// At most 100 characters, for messages.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
