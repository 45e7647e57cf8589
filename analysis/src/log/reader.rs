//! Reads events: strict, streaming, fast.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::writer::breaks_a_row;
use crate::event::{EVENT_COLUMNS, Event, EventKind, Value};

/// Why `events.csv` cannot be read. The messages name file, line and remedy.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file cannot be opened or read.
    #[error("{}: cannot read it: {source}; check the path and its permissions", path.display())]
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
         run it again or delete this line and the run's other rows in both files"
    )]
    Cut,
    /// The row has another number of fields.
    #[error(
        "the row has {found} fields instead of 12; it is damaged, \
         run the experiment again or restore the file"
    )]
    FieldCount {
        /// The number of fields.
        found: usize,
    },
    /// A field does not parse.
    #[error("column `{column}` holds {found:?}, expected {expected}; restore the file or run again")]
    Field {
        /// The column.
        column: &'static str,
        /// Its content, shortened.
        found: String,
        /// What stands there in a good file.
        expected: &'static str,
    },
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

const BLOCK: usize = 1 << 18;
const LONGEST_ROW: usize = 1 << 16;

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
    /// Cell and run of the row before, with their text up to and including the second comma.
    last_run: Option<(u32, u32)>,
    last_prefix: Vec<u8>,
}

impl EventReader<File> {
    /// Opens a file and checks its header.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let file = File::open(path).map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        Self::new(file, path)
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
            last_run: None,
            last_prefix: Vec::new(),
        };
        let header = match reader.next_line() {
            Ok(Some(line)) => String::from_utf8_lossy(&reader.block[line]).into_owned(),
            // A cut or endless first line is no header either.
            Ok(None) | Err(LogError::Row { .. }) => {
                let rest = &reader.block[reader.start..reader.end];
                String::from_utf8_lossy(rest).into_owned()
            }
            Err(error) => return Err(error),
        };
        if header == EVENT_COLUMNS.join(",") {
            Ok(reader)
        } else {
            Err(LogError::Header { path: reader.path, found: shorten(&header) })
        }
    }

    /// The next row, or `None` at the end of the file.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, LogError> {
        let Some(line) = self.next_line()? else {
            return Ok(None);
        };
        let row = &self.block[line];
        let (first, rest) = match self.last_run {
            Some(run) if row.starts_with(&self.last_prefix) => (run, self.last_prefix.len()),
            _ => match parse_run(row) {
                Ok((run, rest)) => {
                    self.last_run = Some(run);
                    self.last_prefix.clear();
                    self.last_prefix.extend_from_slice(&row[..rest]);
                    (run, rest)
                }
                Err(problem) => {
                    return Err(LogError::Row { path: self.path.clone(), line: self.line, run: None, problem });
                }
            },
        };
        match parse_event(first, row, rest) {
            Ok(event) => Ok(Some(event)),
            Err(problem) => Err(LogError::Row { path: self.path.clone(), line: self.line, run: Some(first), problem }),
        }
    }

    /// An error that points at the row read last.
    pub fn contradiction(&self, problem: impl Into<String>) -> LogError {
        LogError::Row {
            path: self.path.clone(),
            line: self.line,
            run: self.last_run,
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
                run: parse_run(&self.block[..self.end]).ok().map(|(run, _)| run),
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
                    return Err(LogError::Io { path: self.path.clone(), source });
                }
            }
        }
    }
}

/// Cell and run, and where the third field starts.
fn parse_run(row: &[u8]) -> Result<((u32, u32), usize), RowProblem> {
    let mut fields = Fields { row, at: 0 };
    let cell = fields.required_u32("cell")?;
    let run = fields.required_u32("run")?;
    if fields.at > row.len() {
        return Err(fields.wrong_count());
    }
    Ok(((cell, run), fields.at))
}

/// The whole row, given what [`parse_run`] found.
fn parse_event((cell, run): (u32, u32), row: &[u8], at: usize) -> Result<Event<'_>, RowProblem> {
    let mut fields = Fields { row, at };
    let event = Event {
        cell,
        run,
        time_ns: fields.required_u64("time_ns")?,
        node: fields.required_u32("node")?,
        kind: fields.kind()?,
        view: fields.number("view")?,
        seq: fields.number("seq")?,
        digest: fields.digest()?,
        peer: fields.number_u32("peer")?,
        message: fields.text("message")?,
        bytes: fields.number("bytes")?,
        value: fields.text("value")?.map(|text| parse_digest(text.as_bytes()).map_or(Value::Text(text), Value::Digest)),
    };
    // The last field moves one past the end, as if a comma stood there.
    if fields.at == row.len() + 1 { Ok(event) } else { Err(fields.wrong_count()) }
}

/// The fields of a row that are still to be parsed.
struct Fields<'a> {
    row: &'a [u8],
    /// Start of the next field; beyond the end when none is left.
    at: usize,
}

impl<'a> Fields<'a> {
    /// A number of at most 64 bits, or nothing.
    #[inline]
    fn number(&mut self, column: &'static str) -> Result<Option<u64>, RowProblem> {
        let start = self.at;
        let mut number = 0_u64;
        let mut at = start;
        while let Some(digit @ b'0'..=b'9') = self.row.get(at).copied() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        // 19 digits always fit.
        if at > start + 19 || self.row.get(at).is_some_and(|&byte| byte != b',') {
            return self.long_or_no_number(column);
        }
        if at > self.row.len() {
            return Err(self.wrong_count());
        }
        self.at = at + 1;
        Ok((at > start).then_some(number))
    }

    /// The rare cases of [`Fields::number`].
    #[cold]
    fn long_or_no_number(&mut self, column: &'static str) -> Result<Option<u64>, RowProblem> {
        let field = self.field()?;
        std::str::from_utf8(field)
            .ok()
            .filter(|text| !text.starts_with('+'))
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| wrong_field(column, field, "a whole number below 2^64"))
    }

    #[inline]
    fn number_u32(&mut self, column: &'static str) -> Result<Option<u32>, RowProblem> {
        self.number(column)?
            .map(|number| {
                u32::try_from(number)
                    .map_err(|_| wrong_field(column, number.to_string().as_bytes(), "a whole number below 2^32"))
            })
            .transpose()
    }

    #[inline]
    fn required_u64(&mut self, column: &'static str) -> Result<u64, RowProblem> {
        self.number(column)?.ok_or_else(|| wrong_field(column, b"", "a whole number below 2^64"))
    }

    #[inline]
    fn required_u32(&mut self, column: &'static str) -> Result<u32, RowProblem> {
        self.number_u32(column)?.ok_or_else(|| wrong_field(column, b"", "a whole number below 2^32"))
    }

    #[inline]
    fn kind(&mut self) -> Result<EventKind, RowProblem> {
        let field = self.field()?;
        EventKind::from_name(field).ok_or_else(|| {
            if field.contains(&b'"') {
                RowProblem::Quote
            } else {
                RowProblem::UnknownEvent { found: shorten(&String::from_utf8_lossy(field)) }
            }
        })
    }

    #[inline]
    fn digest(&mut self) -> Result<Option<u64>, RowProblem> {
        let field = self.field()?;
        if field.is_empty() {
            return Ok(None);
        }
        parse_digest(field).map(Some).ok_or_else(|| wrong_field("digest", field, "16 lower-case hexadecimal digits"))
    }

    #[inline]
    fn text(&mut self, column: &'static str) -> Result<Option<&'a str>, RowProblem> {
        let field = self.field()?;
        if field.is_empty() {
            return Ok(None);
        }
        let expected = "UTF-8 text without control characters";
        if field.iter().copied().any(breaks_a_row) {
            return Err(wrong_field(column, field, expected));
        }
        std::str::from_utf8(field).map(Some).map_err(|_| wrong_field(column, field, expected))
    }

    /// The bytes of the next field.
    #[inline]
    fn field(&mut self) -> Result<&'a [u8], RowProblem> {
        let Some(rest) = self.row.get(self.at..) else {
            return Err(self.wrong_count());
        };
        let length = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
        self.at += length + 1;
        Ok(&rest[..length])
    }

    #[cold]
    fn wrong_count(&self) -> RowProblem {
        RowProblem::FieldCount { found: self.row.split(|&byte| byte == b',').count() }
    }
}

/// Exactly 16 lower-case hexadecimal digits.
#[inline]
fn parse_digest(field: &[u8]) -> Option<u64> {
    let digits: &[u8; 16] = field.try_into().ok()?;
    let mut number = 0;
    let mut seen = 0;
    for &digit in digits {
        let nibble = HEX_VALUES[usize::from(digit)];
        seen |= nibble;
        number = number << 4 | u64::from(nibble & 15);
    }
    (seen < 16).then_some(number)
}

/// The value of each lower-case hexadecimal digit, 16 for every other byte.
static HEX_VALUES: [u8; 256] = {
    let digits = b"0123456789abcdef";
    let mut values = [16; 256];
    let mut value = 0;
    while value < 16 {
        values[digits[value as usize] as usize] = value;
        value += 1;
    }
    values
};

#[cold]
fn wrong_field(column: &'static str, field: &[u8], expected: &'static str) -> RowProblem {
    if field.contains(&b'"') {
        return RowProblem::Quote;
    }
    RowProblem::Field { column, found: shorten(&String::from_utf8_lossy(field)), expected }
}

/// At most 100 characters, for messages.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
