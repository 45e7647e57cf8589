//! Reads the parts of latencies: strict, row by row.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{FIRST_PART, LATENCY_PARTS_COLUMNS, LatencyParts, Part, PartTimes};
use crate::log::{Source, breaks_a_row, of_run};
use crate::throughput::Numbers;

/// Why `latency_parts.csv` cannot be read. The messages name file, line and remedy.
#[derive(Debug, Error)]
pub enum PartsError {
    /// The file cannot be opened or read.
    #[error(
        "{}: cannot read it: {source}; `byzlab run` writes it with `[output] latency_parts = true`", path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The first line is not the header of `latency_parts.csv`.
    #[error(
        "{}:1: this is not the header of latency parts: {found:?}, expected {:?}; \
         use a file that this version of `byzlab run` wrote", path.display(), LATENCY_PARTS_COLUMNS.join(",")
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
        problem: PartsProblem,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PartsProblem {
    /// The file ends without a line end.
    #[error("the file ends in the middle of a row; the run that wrote it was interrupted, run the experiment again")]
    Cut,
    /// The row has another number of fields.
    #[error("the row has {found} fields instead of 24; it is damaged, run the experiment again or restore the file")]
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
    /// The row is longer than any row of this format.
    #[error("the row is longer than 64 KiB; this is not a file of latency parts")]
    TooLong,
    /// A request is accepted before it is issued.
    #[error(
        "columns `issued_ns` and `accepted_ns` say that the request was accepted at {accepted} ns, before it was issued \
         at {issued} ns; restore the file or run again"
    )]
    AcceptedBeforeIssued {
        /// In nanoseconds.
        issued: u64,
        /// In nanoseconds.
        accepted: u64,
    },
    /// The parts are not the whole.
    #[error(
        "columns `client_wait_ns` to `order_ns` add up to {}, but from `issued_ns` to `accepted_ns` it is {latency} ns; \
         restore the file or run again", sum.map_or("more than 2^64 ns".to_owned(), |sum| format!("{sum} ns"))
    )]
    Sum {
        /// All parts together, in nanoseconds; `None` beyond 64 bits.
        sum: Option<u64>,
        /// From issue to acceptance, in nanoseconds.
        latency: u64,
    },
    /// The row parses, but contradicts the rows before it or `runs.csv`.
    #[error("{0}")]
    Contradiction(String),
}

const LONGEST_ROW: usize = 1 << 16;

/// Reads `latency_parts.csv` row by row.
///
/// Every field of every row is checked, that the parts add up, and that the rows stand in order, each request once.
/// Line ends may be LF or CRLF.
///
/// ```
/// use byzlab_analysis::parts::LATENCY_PARTS_COLUMNS;
/// use byzlab_analysis::{LatencyPartsReader, Part};
/// let row = "0,7,4,1,100,150,0,20,0,0,0,30,0,0,0,0,0,0,0,0,,,0,4 request 0 reply 4\n";
/// let file = format!("{}\n{row}", LATENCY_PARTS_COLUMNS.join(","));
/// let mut reader = LatencyPartsReader::new(file.as_bytes(), "latency_parts.csv")?;
/// let row = reader.next_row()?.expect("one row");
/// assert_eq!((row.parts[Part::NetRequest], row.prepare_from, row.reply_from), (20, None, Some(0)));
/// assert!(reader.next_row()?.is_none());
/// # Ok::<(), byzlab_analysis::PartsError>(())
/// ```
#[derive(Debug)]
pub struct LatencyPartsReader<R> {
    path: PathBuf,
    input: BufReader<R>,
    /// The line read last, without its end.
    text: Vec<u8>,
    line: u64,
    order: RowOrder,
}

/// What the rows so far demand of the next one.
#[derive(Debug, Default)]
struct RowOrder {
    run: Option<(u32, u32)>,
    accepted_ns: u64,
    /// The requests of the run so far, by client.
    requests: BTreeMap<u32, Numbers>,
}

impl LatencyPartsReader<Source> {
    /// Opens a file, which may be compressed, and checks its header.
    pub fn open(path: &Path) -> Result<Self, PartsError> {
        let source = Source::open(path).map_err(|source| PartsError::Io { path: path.to_owned(), source })?;
        Self::new(source, path)
    }
}

impl<R: Read> LatencyPartsReader<R> {
    /// Checks the header; `path` only names the input in errors.
    pub fn new(input: R, path: impl Into<PathBuf>) -> Result<Self, PartsError> {
        let input = BufReader::with_capacity(1 << 16, input);
        let (text, order) = (Vec::new(), RowOrder::default());
        let mut reader = Self { path: path.into(), input, text, line: 0, order };
        match reader.next_line() {
            Ok(true) if reader.text == LATENCY_PARTS_COLUMNS.join(",").as_bytes() => Ok(reader),
            Err(error @ PartsError::Io { .. }) => Err(error),
            // A cut or endless first line is no header either.
            _ => Err(PartsError::Header { path: reader.path, found: shorten(&reader.text) }),
        }
    }

    /// The next row, or `None` at the end of the file.
    pub fn next_row(&mut self) -> Result<Option<LatencyParts<'_>>, PartsError> {
        if !self.next_line()? {
            return Ok(None);
        }
        let problem = match parse_row(&self.text) {
            Ok(row) => match self.order.take(&row) {
                Ok(()) => return Ok(Some(row)),
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        Err(row_error(&self.path, self.line, &self.text, problem))
    }

    /// An error that points at the row read last.
    pub fn contradiction(&self, problem: impl Into<String>) -> PartsError {
        row_error(&self.path, self.line, &self.text, PartsProblem::Contradiction(problem.into()))
    }

    /// Reads a line into `text`; false at the end of the file.
    fn next_line(&mut self) -> Result<bool, PartsError> {
        self.text.clear();
        let mut limited = (&mut self.input).take(LONGEST_ROW as u64);
        let read = limited.read_until(b'\n', &mut self.text);
        let length = read.map_err(|source| PartsError::Io { path: self.path.clone(), source })?;
        if length == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.text.pop_if(|last| *last == b'\n').is_none() {
            let problem = if length == LONGEST_ROW { PartsProblem::TooLong } else { PartsProblem::Cut };
            return Err(row_error(&self.path, self.line, &self.text, problem));
        }
        self.text.pop_if(|last| *last == b'\r');
        Ok(true)
    }
}

impl RowOrder {
    fn take(&mut self, row: &LatencyParts<'_>) -> Result<(), PartsProblem> {
        let contradiction = |problem: String| Err(PartsProblem::Contradiction(problem));
        let run = (row.cell, row.run);
        if self.run != Some(run) {
            if let Some((cell, before)) = self.run.filter(|before| *before > run) {
                let problem =
                    format!("this run comes after cell {cell}, run {before}; the rows were put together wrongly");
                return contradiction(problem + ", run the experiment again");
            }
            *self = Self { run: Some(run), ..Self::default() };
        }
        if row.accepted_ns < self.accepted_ns {
            let (before, now) = (self.accepted_ns, row.accepted_ns);
            return contradiction(format!(
                "column `accepted_ns` runs backwards, from {before} to {now} ns; the file is damaged, run again"
            ));
        }
        self.accepted_ns = row.accepted_ns;
        if !self.requests.entry(row.client).or_default().insert(row.seq) {
            let (client, seq) = (row.client, row.seq);
            return contradiction(format!(
                "request {seq} of client {client} has a row already; the file is damaged, run again"
            ));
        }
        Ok(())
    }
}

fn row_error(path: &Path, line: u64, text: &[u8], problem: PartsProblem) -> PartsError {
    let mut fields = Fields { rest: text.split(|byte| *byte == b',') };
    let run = fields.number("cell").ok().zip(fields.number("run").ok());
    PartsError::Row { path: path.to_owned(), line, run, problem }
}

fn parse_row(text: &[u8]) -> Result<LatencyParts<'_>, PartsProblem> {
    let found = 1 + memchr::memchr_iter(b',', text).count();
    if found != LATENCY_PARTS_COLUMNS.len() {
        return Err(PartsProblem::FieldCount { found });
    }
    let mut fields = Fields { rest: text.split(|byte| *byte == b',') };
    let row = LatencyParts {
        cell: fields.number("cell")?,
        run: fields.number("run")?,
        client: fields.number("client")?,
        seq: fields.number("seq")?,
        issued_ns: fields.number("issued_ns")?,
        accepted_ns: fields.number("accepted_ns")?,
        parts: fields.parts()?,
        prepare_from: fields.optional_node("prepare_from")?,
        commit_from: fields.optional_node("commit_from")?,
        reply_from: fields.optional_node("reply_from")?,
        path: fields.path()?,
    };
    row.latency_ns()?;
    Ok(row)
}

/// The fields of a row that are still to be parsed.
struct Fields<I> {
    rest: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Fields<I> {
    fn parts(&mut self) -> Result<PartTimes, PartsProblem> {
        let mut parts = PartTimes::default();
        for (part, column) in Part::ALL.into_iter().zip(&LATENCY_PARTS_COLUMNS[FIRST_PART..]) {
            parts[part] = self.number(column)?;
        }
        Ok(parts)
    }

    fn number<T: TryFrom<u64>>(&mut self, column: &'static str) -> Result<T, PartsProblem> {
        let field = self.next();
        parse_number(field).ok_or_else(|| wrong_field(column, field, "a whole number in range"))
    }

    fn optional_node(&mut self, column: &'static str) -> Result<Option<u32>, PartsProblem> {
        match self.next() {
            b"" => Ok(None),
            field => match parse_number(field) {
                Some(node) => Ok(Some(node)),
                None => Err(wrong_field(column, field, "the number of a node, or nothing")),
            },
        }
    }

    fn path(&mut self) -> Result<&'a str, PartsProblem> {
        let field = self.next();
        let text = std::str::from_utf8(field).ok().filter(|text| !text.bytes().any(breaks_a_row));
        text.ok_or_else(|| wrong_field("path", field, "text without quotes and control characters"))
    }

    /// The fields are counted before; a missing one is as good as an empty one.
    fn next(&mut self) -> &'a [u8] {
        self.rest.next().unwrap_or_default()
    }
}

fn parse_number<T: TryFrom<u64>>(field: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(field).ok().filter(|text| !text.starts_with('+'))?;
    T::try_from(text.parse().ok()?).ok()
}

fn wrong_field(column: &'static str, field: &[u8], expected: &'static str) -> PartsProblem {
    PartsProblem::Field { column, found: shorten(field), expected }
}

/// At most 60 characters.
fn shorten(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
