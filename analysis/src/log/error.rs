//! What can be wrong with a log.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

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
        "{}: the compressed file ends in the middle, behind line {line}; the run that wrote it was interrupted, \
         run it again, or pass --lenient to skip and count what cannot be read", path.display()
    )]
    CutFile {
        /// The file.
        path: PathBuf,
        /// The last line that could be decompressed to its end, counted from 1.
        line: u64,
    },
    /// A row breaks the format.
    #[error("{}:{line}{}: {problem}", path.display(), of_run(*run))]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Cell and run, where known.
        run: Option<(u32, u32)>,
        /// What is wrong, and what to do.
        problem: RowProblem,
    },
}

impl LogError {
    /// A file cannot be read on behind this line.
    pub(super) fn reading(path: &Path, line: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutFile { path, line },
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

/// ` (cell 3, run 5)` behind the place of a row, where the run is known.
pub(crate) fn of_run(run: Option<(u32, u32)>) -> String {
    run.map_or_else(String::new, |(cell, run)| format!(" (cell {cell}, run {run})"))
}

/// What is wrong with a row.
#[derive(Debug, Error)]
pub enum RowProblem {
    /// The file ends without a line end.
    #[error(
        "the file ends in the middle of a row; the run that wrote it was interrupted, \
         run it again, delete this line and the run's other rows in both files, or pass --lenient to skip and \
         count such rows"
    )]
    Cut,
    /// The row has another number of fields.
    #[error(
        "the row has {found} fields instead of 12; it is damaged, run the experiment again, restore the file, \
         or pass --lenient to skip and count such rows"
    )]
    FieldCount {
        /// The number of fields.
        found: usize,
    },
    /// A field does not parse.
    #[error(
        "column `{column}` holds {found:?}, expected {expected}; restore the file, run again, \
         or pass --lenient to skip and count such rows"
    )]
    Field {
        /// The column.
        column: &'static str,
        /// Its content, shortened.
        found: String,
        /// What stands there in a good file.
        expected: &'static str,
    },
    /// A time is negative.
    #[error(
        "column `time_ns` holds {found:?}, which is negative: virtual time starts at 0; restore the file, run again, \
         or pass --lenient to skip and count such rows"
    )]
    NegativeTime {
        /// Its content, shortened.
        found: String,
    },
    /// The header of a log stands in the middle of it.
    #[error("a second header: two logs were put together; analyse them apart")]
    SecondHeader,
    /// The event is not a known one.
    #[error("unknown event {found:?}; the log is of another version, analyse it with that one")]
    UnknownEvent {
        /// The name in the file, shortened.
        found: String,
    },
    /// A quote, which this format never needs.
    #[error("the row holds a quote, but events.csv is never quoted; write it with `byzlab run`")]
    Quote,
    /// The row is longer than any row of this format.
    #[error("the row is longer than 64 KiB; this is not an events log")]
    TooLong,
    /// The row parses, but contradicts the rows before it or `runs.csv`.
    #[error("{0}")]
    Contradiction(String),
}

/// At most 100 characters, for messages.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
