//! What can be wrong with a table, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::condition::ConditionError;

/// Why a table cannot be analysed. The message names the place; [`hint`](Self::hint) says what to do.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("{}: cannot read it: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file has no header.
    #[error("{}: the file is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A column that is asked for does not exist.
    #[error("{}:1: there is no column `{column}`", path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// The column that its name is nearest to, if one is near.
        nearest: Option<String>,
        /// All that exist.
        columns: Vec<String>,
    },
    /// Several columns have the name that is asked for.
    #[error("{}:1: columns {first} and {second} are both called `{column}`", path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// Their name.
        column: String,
        /// Number of the first of them, from 1.
        first: usize,
        /// Number of the second.
        second: usize,
    },
    /// A row cannot be used.
    #[error("{}:{line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// Every row was skipped.
    #[error("{}:{line}: no row can be used for column `{column}`; {skipped} skipped, the first here: {problem}", path.display())]
    NoUsableRow {
        /// The file.
        path: PathBuf,
        /// The column that is asked for.
        column: String,
        /// How many rows were skipped.
        skipped: u64,
        /// The line of the first.
        line: u64,
        /// What is wrong with it.
        problem: Box<RowProblem>,
    },
    /// There are rows, but none that meets the conditions.
    #[error("{}: no row meets {}, of {rows}", path.display(), conditions.join(" and "))]
    NoRowMeets {
        /// The file.
        path: PathBuf,
        /// The conditions.
        conditions: Vec<String>,
        /// How many rows there are.
        rows: u64,
    },
    /// There are too many groups.
    #[error("{}: more than {limit} groups by {}", path.display(), by.join(", "))]
    TooManyGroups {
        /// The file.
        path: PathBuf,
        /// The columns of the groups.
        by: Vec<String>,
        /// How many there may be.
        limit: usize,
    },
    /// An option makes no sense.
    #[error("{option} is {value}, which is not {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum RowProblem {
    /// It has another number of fields than the header.
    #[error("the row has {}, the header {expected}", fields(*found))]
    FieldCount {
        /// Number of fields of the row.
        found: usize,
        /// Number of columns.
        expected: usize,
    },
    /// It is the last row, short, and without a line end.
    #[error("the file ends in the middle of a row, after {} of {expected}", fields(*found))]
    Cut {
        /// Number of fields of the row.
        found: usize,
        /// Number of columns.
        expected: usize,
    },
    /// The file is compressed, and ends in the middle.
    #[error("the compressed file ends in the middle, and whatever followed here is lost")]
    CutFile,
    /// A field that must be a number is none.
    #[error("column `{column}` holds `{found}`, which is not a number")]
    NoNumber {
        /// The column.
        column: String,
        /// Its content, shortened.
        found: String,
    },
    /// A number is too large, or −∞, which is smaller than every value.
    #[error("column `{column}` holds `{found}`, which is no finite number")]
    NotFinite {
        /// The column.
        column: String,
        /// Its content, shortened.
        found: String,
    },
    /// A failed row does not say how long it was watched.
    #[error("the row failed, but column `{column}` of its limit holds `{found}` instead of a finite number")]
    NoLimit {
        /// The column of limits.
        column: String,
        /// Its content, shortened.
        found: String,
    },
    /// A field is no text.
    #[error("column `{column}` holds bytes that are not UTF-8")]
    NotUtf8 {
        /// The column.
        column: String,
    },
    /// A condition cannot be decided.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A quote is not closed.
    #[error("a quote is opened here and never closed")]
    OpenQuote,
    /// A row is longer than any row of a sensible file.
    #[error("the row that begins here is longer than 16 MiB")]
    TooLong,
}

impl TableError {
    /// What to do.
    ///
    /// ```
    /// use byzlab_analysis::table::{TableOptions, read_table};
    /// let error = read_table("time,ok\n1,yes\n".as_bytes(), "t.csv", &TableOptions::of("tiem")).unwrap_err();
    /// assert_eq!(error.to_string(), "t.csv:1: there is no column `tiem`");
    /// assert_eq!(error.hint(), "did you mean `time`? the columns are: time, ok");
    /// ```
    pub fn hint(&self) -> String {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => "check the path".to_owned(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => {
                "write or copy it again: not even its first line is there".to_owned()
            }
            Self::Io { .. } => "check the path, its permissions, and that the file is whole".to_owned(),
            Self::Empty { .. } => "give a CSV file whose first line names the columns".to_owned(),
            Self::NoColumn { nearest, columns, .. } => {
                let near = nearest.as_ref().map_or_else(String::new, |name| format!("did you mean `{name}`? "));
                let delimiter =
                    if columns.len() == 1 { "; are they separated by something else? give --delimiter" } else { "" };
                format!("{near}the columns are: {}{delimiter}", list(columns))
            }
            Self::Ambiguous { .. } => "rename one of them in the first line of the file".to_owned(),
            Self::Row { problem, .. } => problem.hint(),
            Self::NoUsableRow { problem, .. } if **problem == RowProblem::CutFile => {
                "write or copy the file again".to_owned()
            }
            Self::NoUsableRow { .. } => "is it the right column, and the right --delimiter?".to_owned(),
            Self::NoRowMeets { .. } => {
                "check the conditions (--where): text must be the same to the letter, numbers are compared as numbers"
                    .to_owned()
            }
            Self::TooManyGroups { .. } => {
                "that has another value in nearly every row; group by columns with few values".to_owned()
            }
            Self::Option { expected, .. } => format!("give {expected}"),
        }
    }
}

impl RowProblem {
    fn hint(&self) -> String {
        let remedy = match self {
            Self::FieldCount { .. } => {
                "restore the row, quote fields that hold the delimiter, or give the right --delimiter"
            }
            Self::Cut { .. } => "whoever wrote the file was interrupted; restore or delete this row",
            Self::NoNumber { .. } => "correct it; if this text stands for no value, name it with --missing",
            Self::NotFinite { .. } => "correct it; a failure is written as inf",
            Self::NoLimit { .. } => "write the time until which it was watched, or inf if it can never succeed",
            Self::NotUtf8 { .. } => "convert the file to UTF-8",
            Self::Condition(_) => "correct the field, or leave such rows out with a condition before",
            Self::CutFile => {
                return "what wrote it was interrupted; write or copy it again, or read the rows before with --lenient"
                    .to_owned();
            }
            Self::OpenQuote => return "close the quote, or double quotes that are part of the text".to_owned(),
            Self::TooLong => return "this is no CSV with one row a line; check the file".to_owned(),
        };
        format!("{remedy}; --lenient skips such rows and counts them")
    }
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

/// The first of many names.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 40;
    let shown = names.iter().take(SHOWN).map(|name| super::shorten(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, … ({} in all)", names.len()) } else { shown }
}
