//! Opens the files of a results folder: plain, or compressed with zstd or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
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
    is_compressed: bool,
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
        Ok(Self { input, is_compressed: compression.is_some() })
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
            // The disk's, not the decoder's.
            _ if error.raw_os_error().is_some() => error,
            kind => io::Error::new(kind, Damage(error)),
        })
    }
}

/// What a decoder says of a file that is not what was written.
#[derive(Debug, Error)]
#[error("the compressed file is damaged ({0})")]
struct Damage(io::Error);

/// Whether a file cannot be read because its compressed content is damaged.
pub(super) fn is_damage(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Damage>()).is_some()
}

/// Reads a whole file, and returns what is wrong with its compressed content. What comes out of a damaged file before its decoder
/// notices is garbage: only the end of a frame tells.
pub(super) fn find_damage(path: &Path) -> Option<io::Error> {
    let read = Source::open(path)
        .and_then(|mut source| if source.is_compressed { io::copy(&mut source, &mut io::sink()) } else { Ok(0) });
    read.err().filter(is_damage)
}

/// The frames (of gzip: members) of a compressed file before the first that is damaged, which are what was written: their checksums say
/// so. Then it ends like a file that was cut. `None` if there are none.
pub(super) fn undamaged_frames(path: &Path) -> io::Result<Option<Source>> {
    let length = undamaged_length(path)?;
    if length == 0 {
        return Ok(None);
    }
    let frames = Source::new(File::open(path)?.take(length))?;
    Ok(Some(Source { input: Box::new(frames.input.chain(Cut)), ..frames }))
}

/// Where the first frame begins that is damaged or cut.
fn undamaged_length(path: &Path) -> io::Result<u64> {
    let mut file = BufReader::new(File::open(path)?);
    let start = file.fill_buf()?;
    let compression = Compression::of(&start[..start.len().min(4)]);
    let mut length = 0;
    while !file.fill_buf()?.is_empty() {
        let frame = match compression {
            None => return Ok(length),
            Some(Compression::Gzip) => io::copy(&mut GzDecoder::new(&mut file), &mut io::sink()),
            Some(Compression::Zstd) => zstd::stream::read::Decoder::with_buffer(&mut file)
                .and_then(|frame| io::copy(&mut frame.single_frame(), &mut io::sink())),
        };
        match frame {
            Ok(_) => length = file.stream_position()?,
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(length)
}

/// The end of a file that was cut.
struct Cut;

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::UnexpectedEof.into())
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
    let is_there = |name: &String| match std::fs::metadata(dir.join(name)) {
        Ok(found) => !found.is_dir(),
        // Whatever else is the matter with a file shows when it is opened.
        Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    };
    let mut found = ENDINGS.iter().map(|ending| format!("{name}{ending}")).filter(is_there);
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(AmbiguousFile { dir: dir.to_owned(), first, second }),
        (only, _) => Ok(only.map(|name| dir.join(name))),
    }
}
