//! `runs.csv`: a row a run.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::StringRecord;
use thiserror::Error;

use crate::log::{LENIENTLY, Skipped, Source, find_file};
use crate::summary::AnalysisError;

/// The columns before those of the swept keys.
pub const LEADING_COLUMNS: [&str; 3] = ["cell", "run", "seed"];

/// The columns after those of the swept keys.
pub const TRAILING_COLUMNS: [&str; 13] = [
    "replicas",
    "faults",
    "corrupted",
    "outcome",
    "agreement",
    "validity",
    "requests",
    "completed",
    "messages",
    "bytes",
    "view_changes",
    "virtual_ns",
    "fingerprint",
];

/// One row of `runs.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Index of the cell (combination of swept parameters).
    pub cell: u32,
    /// Index of the run (replication) in its cell.
    pub run: u32,
    /// Seed of the run.
    pub seed: u64,
    /// Values of the swept keys, in the order of the header.
    pub parameters: Vec<String>,
    /// Number of replicas, n.
    pub replicas: u32,
    /// Number of faults the quorums are sized for, f.
    pub faults: u32,
    /// Number of corrupted replicas.
    pub corrupted: u32,
    /// How the run ended.
    pub outcome: Outcome,
    /// Whether no two honest replicas disagreed.
    pub agreement: bool,
    /// Whether only requests of clients were executed.
    pub validity: bool,
    /// Requests that honest clients issued.
    pub requests: u64,
    /// Requests that were accepted.
    pub completed: u64,
    /// Messages sent.
    pub messages: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// View changes.
    pub view_changes: u64,
    /// Virtual time at the end, in nanoseconds.
    pub virtual_ns: u64,
    /// Hash chained over all events; 16 hexadecimal digits in the file.
    pub fingerprint: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every request of every honest client was accepted.
    Completed,
    /// The time limit came first. A result, not a failure.
    Timeout,
    /// A safety property was violated.
    Violation,
    /// The program failed; the run says nothing about the system.
    Error,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Completed, Self::Timeout, Self::Violation, Self::Error];

    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Timeout => "timeout",
            Self::Violation => "violation",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected `completed`, `timeout`, `violation` or `error`")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(name: &str) -> Result<Self, UnknownOutcome> {
        let mut all = Self::ALL.into_iter();
        all.find(|outcome| outcome.name() == name).ok_or(UnknownOutcome)
    }
}

/// Writes `runs.csv`.
#[derive(Debug)]
pub struct RunWriter<W: Write> {
    out: csv::Writer<W>,
    swept_keys: usize,
}

impl<W: Write> RunWriter<W> {
    /// Starts a file: writes the header.
    pub fn new(out: W, swept_keys: &[String]) -> io::Result<Self> {
        let mut writer = Self::without_header(out, swept_keys.len());
        let swept = swept_keys.iter().map(String::as_str);
        let header = LEADING_COLUMNS.into_iter().chain(swept);
        writer.out.write_record(header.chain(TRAILING_COLUMNS))?;
        Ok(writer)
    }

    /// Continues a file with this many swept keys.
    pub fn without_header(out: W, swept_keys: usize) -> Self {
        Self { out: csv::Writer::from_writer(out), swept_keys }
    }

    /// Writes one row.
    ///
    /// Fails with [`io::ErrorKind::InvalidInput`] if the row has another number of parameters than
    /// the header has swept keys.
    pub fn write(&mut self, row: &RunRow) -> io::Result<()> {
        if row.parameters.len() != self.swept_keys {
            let (has, needs) = (row.parameters.len(), self.swept_keys);
            let problem = format!("the row has {has} parameters, the header {needs} swept keys");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let out = &mut self.out;
        out.write_field(row.cell.to_string())?;
        out.write_field(row.run.to_string())?;
        out.write_field(row.seed.to_string())?;
        for value in &row.parameters {
            out.write_field(value)?;
        }
        for number in [row.replicas, row.faults, row.corrupted] {
            out.write_field(number.to_string())?;
        }
        out.write_field(row.outcome.name())?;
        out.write_field(row.agreement.to_string())?;
        out.write_field(row.validity.to_string())?;
        let counts = [row.requests, row.completed, row.messages, row.bytes];
        for number in counts.into_iter().chain([row.view_changes, row.virtual_ns]) {
            out.write_field(number.to_string())?;
        }
        out.write_field(format!("{:016x}", row.fingerprint))?;
        out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Hands the buffered rows to the underlying writer and flushes it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Flushes and returns the underlying writer.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Why `runs.csv` cannot be read. The messages name file, line and remedy.
#[derive(Debug, Error)]
pub enum RunsError {
    /// The file cannot be opened or read.
    #[error(
        "{}: cannot read it: {source}; give the folder that `byzlab run --out` wrote",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The first line is not the header of `runs.csv`.
    #[error(
        "{}:1: this is not the header of a table of runs: expected {},…swept keys…,{}; \
         use a file that this version of `byzlab run` wrote",
        path.display(), LEADING_COLUMNS.join(","), TRAILING_COLUMNS.join(",")
    )]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// Two columns have the same name.
    #[error("{}:1: the column `{column}` stands there twice; restore the header", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// Its name.
        column: String,
    },
    /// The file ends without a line end.
    #[error("{}: run it again, delete this line (and the run's rows in events.csv){LENIENTLY}", self.cause())]
    Cut {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// The line is not CSV in UTF-8, or has another number of fields than the header.
    #[error("{}; restore the file, run again{LENIENTLY}", self.cause())]
    Format {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// A field does not parse.
    #[error("{}; restore the file, run again{LENIENTLY}", self.cause())]
    Field {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// Its content.
        found: String,
        /// What stands there in a good file.
        expected: &'static str,
    },
    /// The header stands in the middle of the file.
    #[error("{}; analyse them apart{LENIENTLY}", self.cause())]
    SecondHeader {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// A run has two rows.
    #[error(
        "{}:{line}: cell {cell}, run {run} has a row already; results of two experiments are \
         mixed, analyse them apart; --lenient does not help here: nothing says which of the rows counts, nor whose the \
         events are", path.display()
    )]
    DuplicateRun {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The cell.
        cell: u32,
        /// The run.
        run: u32,
    },
    /// There is a file in place of the folder.
    #[error("{}: this is a file; give the folder that `byzlab run --out` wrote", path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
}

impl RunsError {
    /// Place and problem of a row that can be skipped, without what to do.
    fn cause(&self) -> String {
        let at = |path: &Path, line: &u64| format!("{}:{line}", path.display());
        match self {
            Self::Cut { path, line } => {
                let at = at(path, line);
                format!("{at}: the file ends in the middle of a row; the run that wrote it was interrupted")
            }
            Self::Format { path, line, problem } => format!("{}: {problem}", at(path, line)),
            Self::Field { path, line, column, found, expected } => {
                format!("{}: column `{column}` holds {found:?}, expected {expected}", at(path, line))
            }
            Self::SecondHeader { path, line } => {
                format!("{}: a second header: two tables were put together", at(path, line))
            }
            other => other.to_string(),
        }
    }
}

/// The content of `runs.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTable {
    /// The swept keys, in the order of the columns.
    pub swept_keys: Vec<String>,
    /// The rows, in the order of the file.
    pub rows: Vec<RunRow>,
}

impl RunTable {
    /// Reads and checks the `runs.csv` of a results folder, which may be compressed; says what was skipped.
    ///
    /// If it is read leniently, rows that cannot be read are skipped and counted. Two rows of one run remain an error: nothing
    /// says which of them is right, nor which of them the events belong to.
    ///
    /// ```
    /// use byzlab_analysis::RunTable;
    /// let dir = tempfile::tempdir()?;
    /// let header = "cell,run,seed,replicas,faults,corrupted,outcome,agreement,validity,requests,completed,messages,bytes,\
    ///               view_changes,virtual_ns,fingerprint";
    /// let row = "0,0,1,4,1,0,completed,true,true,1,1,30,3000,0,100,0000000000000005";
    /// std::fs::write(dir.path().join("runs.csv"), format!("{header}\n{row}\n0,1,1,4,"))?;
    /// let (table, skipped) = RunTable::open(dir.path(), true)?;
    /// assert_eq!((table.rows.len(), skipped.rows), (1, 1));
    /// assert!(RunTable::open(dir.path(), false).unwrap_err().to_string().contains("in the middle of a row"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(dir: &Path, lenient: bool) -> Result<(Self, Skipped), AnalysisError> {
        if dir.is_file() {
            return Err(RunsError::NoFolder { path: dir.to_owned() }.into());
        }
        let path = find_file(dir, "runs.csv")?.unwrap_or_else(|| dir.join("runs.csv"));
        Ok(Self::read_from(&path, lenient)?)
    }

    /// Reads and checks a whole file, which may be compressed.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        Self::read_from(path, false).map(|(table, _)| table)
    }

    fn read_from(path: &Path, lenient: bool) -> Result<(Self, Skipped), RunsError> {
        let mut content = Vec::new();
        let read = Source::open(path).and_then(|mut source| source.read_to_end(&mut content));
        match read {
            // The row that is cut shows.
            Err(error) if lenient && error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(source) => return Err(RunsError::Io { path: path.to_owned(), source }),
            Ok(_) => {}
        }
        Self::parse_rows(&content, path, lenient)
    }

    /// Checks the content of a file; `path` only names it in errors.
    pub fn parse(content: &[u8], path: &Path) -> Result<Self, RunsError> {
        Self::parse_rows(content, path, false).map(|(table, _)| table)
    }

    fn parse_rows(content: &[u8], path: &Path, lenient: bool) -> Result<(Self, Skipped), RunsError> {
        let end = memchr::memrchr(b'\n', content).map_or(content.len(), |newline| newline + 1);
        let (whole, rest) = content.split_at(end);
        let mut reader = csv::ReaderBuilder::new().from_reader(whole);
        let header = reader.headers().map_err(|_| RunsError::Header { path: path.to_owned() })?.clone();
        let swept_keys = parse_header(&header, path)?;
        let mut skipped = Skipped::default();
        let mut skip = |error: RunsError| {
            if !lenient {
                return Err(error);
            }
            skipped.rows += 1;
            skipped.first.get_or_insert_with(|| error.cause());
            Ok(())
        };
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        for record in reader.into_records() {
            let row = record.map_err(|error| format_error(&error, path)).and_then(|record| {
                let line = record.position().map_or(0, csv::Position::line);
                if record == header {
                    return Err(RunsError::SecondHeader { path: path.to_owned(), line });
                }
                Ok((line, Fields { path, line, record: &record }.row(swept_keys.len())?))
            });
            match row {
                Err(error) => skip(error)?,
                Ok((line, RunRow { cell, run, .. })) if !seen.insert((cell, run)) => {
                    return Err(RunsError::DuplicateRun { path: path.to_owned(), line, cell, run });
                }
                Ok((_, row)) => rows.push(row),
            }
        }
        if !rest.is_empty() || !whole.ends_with(b"\n") {
            let line = 1 + memchr::memchr_iter(b'\n', content).count() as u64;
            skip(RunsError::Cut { path: path.to_owned(), line })?;
        }
        // Each row was a run.
        skipped.damaged_runs = skipped.rows;
        Ok((Self { swept_keys, rows }, skipped))
    }
}

/// The swept keys.
fn parse_header(header: &StringRecord, path: &Path) -> Result<Vec<String>, RunsError> {
    let columns: Vec<&str> = header.iter().collect();
    let swept = columns
        .strip_prefix(&LEADING_COLUMNS)
        .and_then(|rest| rest.strip_suffix(&TRAILING_COLUMNS))
        .ok_or_else(|| RunsError::Header { path: path.to_owned() })?;
    let mut names = BTreeSet::new();
    if let Some(column) = columns.iter().find(|column| !names.insert(**column)) {
        return Err(RunsError::DuplicateColumn { path: path.to_owned(), column: (*column).to_owned() });
    }
    Ok(swept.iter().map(|&key| key.to_owned()).collect())
}

fn format_error(error: &csv::Error, path: &Path) -> RunsError {
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields instead of {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".to_owned(),
        other => format!("the row is not CSV: {other:?}"),
    };
    RunsError::Format { path: path.to_owned(), line: error.position().map_or(0, csv::Position::line), problem }
}

/// The fields of one row.
struct Fields<'a> {
    path: &'a Path,
    line: u64,
    record: &'a StringRecord,
}

impl Fields<'_> {
    fn row(&self, swept: usize) -> Result<RunRow, RunsError> {
        let parameters = self.record.iter().skip(LEADING_COLUMNS.len()).take(swept);
        Ok(RunRow {
            cell: self.number("cell", 0)?,
            run: self.number("run", 1)?,
            seed: self.number("seed", 2)?,
            parameters: parameters.map(str::to_owned).collect(),
            replicas: self.number("replicas", swept + 3)?,
            faults: self.number("faults", swept + 4)?,
            corrupted: self.number("corrupted", swept + 5)?,
            outcome: self.parse("outcome", swept + 6, "`completed`, `timeout`, `violation` or `error`")?,
            agreement: self.parse("agreement", swept + 7, "`true` or `false`")?,
            validity: self.parse("validity", swept + 8, "`true` or `false`")?,
            requests: self.number("requests", swept + 9)?,
            completed: self.number("completed", swept + 10)?,
            messages: self.number("messages", swept + 11)?,
            bytes: self.number("bytes", swept + 12)?,
            view_changes: self.number("view_changes", swept + 13)?,
            virtual_ns: self.number("virtual_ns", swept + 14)?,
            fingerprint: self.fingerprint(swept + 15)?,
        })
    }

    fn number<T: FromStr>(&self, column: &'static str, index: usize) -> Result<T, RunsError> {
        let expected = "a whole number in range";
        if self.record[index].starts_with('-') && column == "virtual_ns" {
            return Err(self.wrong(column, index, "a time that is not negative: virtual time starts at 0"));
        }
        if self.record[index].starts_with('+') {
            return Err(self.wrong(column, index, expected));
        }
        self.parse(column, index, expected)
    }

    fn fingerprint(&self, index: usize) -> Result<u64, RunsError> {
        let text = &self.record[index];
        Some(text)
            .filter(|text| text.len() == 16 && !text.starts_with('+'))
            .and_then(|text| u64::from_str_radix(text, 16).ok())
            .ok_or_else(|| self.wrong("fingerprint", index, "16 hexadecimal digits"))
    }

    fn parse<T: FromStr>(&self, column: &'static str, index: usize, expected: &'static str) -> Result<T, RunsError> {
        self.record[index].parse().map_err(|_| self.wrong(column, index, expected))
    }

    fn wrong(&self, column: &'static str, index: usize, expected: &'static str) -> RunsError {
        RunsError::Field {
            path: self.path.to_owned(),
            line: self.line,
            column,
            found: self.record[index].to_owned(),
            expected,
        }
    }
}
