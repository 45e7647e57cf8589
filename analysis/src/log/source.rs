//! Opens the files of a results folder: plain, or compressed with zstd or gzip.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use thiserror::Error;

/// The endings under which a file may stand in a results folder.
const ENDINGS: [&str; 3] = ["", ".zst", ".gz"];

/// The content of a file, decompressed.
///
/// What it is compressed with is told by its first bytes, whatever its name: zstd (RFC 8878) or gzip (RFC 1952), also several
/// frames or members in a row, as they arise where compressed files are put together. A compressed file that was cut ends
/// with an error of the kind [`io::ErrorKind::UnexpectedEof`].
///
/// ```
/// use std::io::{Read, Write};
/// use byzlab_analysis::log::Source;
/// let file = tempfile::NamedTempFile::new()?;
/// let mut encoder = flate2::write::GzEncoder::new(file.reopen()?, flate2::Compression::fast());
/// encoder.write_all(b"cell,run\n0,0\n")?;
/// encoder.finish()?;
/// let mut text = String::new();
/// Source::open(file.path())?.read_to_string(&mut text)?;
/// assert_eq!(text, "cell,run\n0,0\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Source {
    input: Box<dyn Read + Send>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Source {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }

    /// Takes any input, such as the standard input.
    ///
    /// ```
    /// use std::io::Read;
    /// use byzlab_analysis::log::Source;
    /// let mut text = String::new();
    /// Source::new(&b"not compressed"[..])?.read_to_string(&mut text)?;
    /// assert_eq!(text, "not compressed");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(mut input: impl Read + Send + 'static) -> io::Result<Self> {
        let mut start = Vec::with_capacity(4);
        input.by_ref().take(4).read_to_end(&mut start)?;
        let compression = Compression::of(&start);
        let input = Cursor::new(start).chain(input);
        let input: Box<dyn Read + Send> = match compression {
            None => Box::new(input),
            Some(Compression::Gzip) => Box::new(Whole(MultiGzDecoder::new(input))),
            Some(Compression::Zstd) => Box::new(Whole(zstd::stream::read::Decoder::new(input)?)),
        };
        Ok(Self { input })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// By the first four bytes.
    fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or one to skip.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A decoder whose errors say what is wrong with the file.
struct Whole<R>(R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the compressed file ends in the middle; what wrote it was interrupted")
            }
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, format!("the compressed file is damaged ({error})")),
        })
    }
}

/// A file stands in a results folder twice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: there are {first} and {second}, and nothing says which of them counts; remove one", dir.display())]
pub struct AmbiguousFile {
    /// The folder.
    pub dir: PathBuf,
    /// The name of one.
    pub first: String,
    /// The name of another one.
    pub second: String,
}

/// The path of a file of a results folder: `name` itself, or with `.zst` or `.gz` behind it; `None` if there is none of them.
///
/// Fails if there are several: they may differ, and nothing says which of them counts.
///
/// ```
/// use byzlab_analysis::log::find_file;
/// let dir = tempfile::tempdir()?;
/// assert_eq!(find_file(dir.path(), "events.csv"), Ok(None));
/// std::fs::write(dir.path().join("events.csv.gz"), "")?;
/// assert_eq!(find_file(dir.path(), "events.csv"), Ok(Some(dir.path().join("events.csv.gz"))));
/// std::fs::write(dir.path().join("events.csv"), "")?;
/// let error = find_file(dir.path(), "events.csv").unwrap_err();
/// assert_eq!((error.first, error.second), ("events.csv".to_owned(), "events.csv.gz".to_owned()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn find_file(dir: &Path, name: &str) -> Result<Option<PathBuf>, AmbiguousFile> {
    // Whatever else is the matter with a file shows when it is opened.
    let is_there =
        |name: &String| !std::fs::metadata(dir.join(name)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let mut found = ENDINGS.iter().map(|ending| format!("{name}{ending}")).filter(is_there);
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(AmbiguousFile { dir: dir.to_owned(), first, second }),
        (only, _) => Ok(only.map(|name| dir.join(name))),
    }
}
