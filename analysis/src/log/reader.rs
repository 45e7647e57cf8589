//! Reads events: strict, streaming, fast.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::{LogError, RowProblem, shorten};
use super::row::{BadRow, LONGEST_ROW, RowParser, is_header, run_of};
use super::source::Source;
use crate::event::Event;

const BLOCK: usize = 1 << 18;

/// Reads `events.csv` row by row, in blocks of constant size.
///
/// Every field of every row is checked, line ends may be LF or CRLF.
///
/// ```
/// use byzlab_analysis::{EventKind, EventReader};
/// let log = "cell,run,time_ns,node,event,view,seq,digest,peer,message,bytes,value\n\
///            0,7,1500,3,new_view,2,,,,,,\n";
/// let mut reader = EventReader::new(log.as_bytes(), "events.csv")?;
/// let event = reader.next_event()?.expect("one row");
/// assert_eq!((event.kind, event.view), (EventKind::NewView, Some(2)));
/// assert!(reader.next_event()?.is_none());
/// # Ok::<(), byzlab_analysis::LogError>(())
/// ```
#[derive(Debug)]
pub struct EventReader<R> {
    path: PathBuf,
    input: R,
    block: Vec<u8>,
    /// The unread part of `block`.
    start: usize,
    end: usize,
    line: u64,
    rows: RowParser,
}

impl EventReader<Source> {
    /// Opens a file, which may be compressed, and checks its header.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let source = Source::open(path).map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        Self::new(source, path)
    }
}

impl<R: Read> EventReader<R> {
    /// Checks the header; `path` only names the input in errors.
    pub fn new(input: R, path: impl Into<PathBuf>) -> Result<Self, LogError> {
        let mut reader = Self {
            path: path.into(),
            input,
            block: vec![0; BLOCK],
            start: 0,
            end: 0,
            line: 0,
            rows: RowParser::default(),
        };
        let header = match reader.next_line() {
            Ok(Some(line)) => &reader.block[line],
            // A cut or endless first line is no header either.
            Ok(None) | Err(LogError::Row { .. }) => &reader.block[reader.start..reader.end],
            Err(error) => return Err(error),
        };
        if is_header(header) {
            Ok(reader)
        } else {
            let found = shorten(&String::from_utf8_lossy(header));
            Err(LogError::Header { path: reader.path, found })
        }
    }

    /// The next row, or `None` at the end of the file.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, LogError> {
        let Some(line) = self.next_line()? else {
            return Ok(None);
        };
        self.rows.parse(&self.block[line]).map(Some).map_err(|BadRow { run, problem }| LogError::Row {
            path: self.path.clone(),
            line: self.line,
            run,
            problem,
        })
    }

    /// An error that points at the row read last.
    pub fn contradiction(&self, problem: impl Into<String>) -> LogError {
        LogError::Row {
            path: self.path.clone(),
            line: self.line,
            run: self.rows.last_run(),
            problem: RowProblem::Contradiction(problem.into()),
        }
    }

    /// Where in `block` the next line stands, without its end.
    fn next_line(&mut self) -> Result<Option<std::ops::Range<usize>>, LogError> {
        let mut searched = self.start;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.block[searched..self.end]) {
                let (start, newline) = (self.start, searched + length);
                self.start = newline + 1;
                self.line += 1;
                let cr = newline > start && self.block[newline - 1] == b'\r';
                return Ok(Some(start..newline - usize::from(cr)));
            }
            // The rest moves to the front, the next block comes behind it.
            self.block.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            searched = self.end;
            let problem = if self.end > LONGEST_ROW {
                RowProblem::TooLong
            } else if self.fill()? {
                continue;
            } else if self.end == 0 {
                return Ok(None);
            } else {
                RowProblem::Cut
            };
            return Err(LogError::Row {
                path: self.path.clone(),
                line: self.line + 1,
                run: run_of(&self.block[..self.end]),
                problem,
            });
        }
    }

    /// Reads more; false at the end of the input.
    fn fill(&mut self) -> Result<bool, LogError> {
        loop {
            match self.input.read(&mut self.block[self.end..]) {
                Ok(length) => {
                    self.end += length;
                    return Ok(length > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(LogError::reading(&self.path, self.line, source));
                }
            }
        }
    }
}
