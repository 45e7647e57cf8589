//! The first line of a table.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blocks::Blocks;
use super::error::TableError;
use super::read::{block_error, split_header};
use crate::log::Source;

/// The columns of a CSV file, plain or compressed with gzip or zstd; `-` is standard input. Nothing behind its header is looked at.
///
/// # Errors
///
/// If the file cannot be read, or is empty.
///
/// ```no_run
/// for column in byzlab_analysis::table::read_header_file("latencies.csv".as_ref(), b',')? {
///     println!("{column}");
/// }
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn read_header_file(path: &Path, delimiter: u8) -> Result<Vec<String>, TableError> {
    let is_stdin = path == Path::new("-");
    let path = if is_stdin { Path::new("standard input") } else { path };
    let source = if is_stdin { Source::new(io::stdin()) } else { Source::open(path) };
    let source = source.map_err(|source| TableError::Io { path: path.to_owned(), source })?;
    read_header(source, path, delimiter)
}

/// The columns of CSV text; `path` only names it in errors. As [`read_header_file`].
///
/// # Errors
///
/// If the text cannot be read, or is empty.
///
/// ```
/// use byzlab_analysis::table::read_header;
/// assert_eq!(read_header(",\"a b\", c\n1,2,3\n".as_bytes(), "t.csv", b',')?, ["", "a b", "c"]);
/// assert!(read_header("".as_bytes(), "t.csv", b',').is_err());
/// # Ok::<(), byzlab_analysis::table::TableError>(())
/// ```
pub fn read_header(input: impl Read, path: impl Into<PathBuf>, delimiter: u8) -> Result<Vec<String>, TableError> {
    let path = path.into();
    let header = Blocks::new(input, delimiter).header().map_err(|error| block_error(error, &path, 0))?;
    if header.is_empty() {
        return Err(TableError::Empty { path });
    }
    Ok(split_header(&header, delimiter))
}
