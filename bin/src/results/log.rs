//! The logs of a results folder, plain or compressed.

use byzlab_analysis::{Compression, EventWriter, FrameSink, LatencyPartsWriter};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A log that grows while runs go on, beside the table of runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFile {
    /// `events.csv`.
    Events,
    /// `latency_parts.csv`.
    LatencyParts,
}

impl LogFile {
    pub(super) const COUNT: usize = 2;

    fn name(self, compression: Compression) -> String {
        let name = match self {
            LogFile::Events => "events.csv",
            LogFile::LatencyParts => "latency_parts.csv",
        };
        name.to_owned() + compression.suffix()
    }

    pub(super) fn path(self, folder: &Path, compression: Compression) -> PathBuf {
        folder.join(self.name(compression))
    }

    fn header(self) -> io::Result<Vec<u8>> {
        match self {
            LogFile::Events => EventWriter::new(Vec::new())?.finish(),
            LogFile::LatencyParts => LatencyPartsWriter::new(Vec::new())?.finish(),
        }
    }
}

/// An open log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    file: Counted,
    sink: FrameSink,
    /// Its length up to the last run that is safe in it.
    whole: u64,
}

impl Log {
    /// Makes the file, with its header in a frame of its own.
    pub(super) fn create(log: LogFile, path: PathBuf, compression: Compression) -> io::Result<Log> {
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        let mut log = Log { path, file: Counted { file, length: 0 }, sink: FrameSink::new(compression), whole: 0 }
            .with_header(&log.header()?)?;
        log.keep();
        Ok(log)
    }

    fn with_header(mut self, header: &[u8]) -> io::Result<Log> {
        self.write(header)?;
        self.close()?;
        Ok(self)
    }

    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.sink.write(text, &mut self.file)
    }

    /// Whether a frame is open, and whether it is large enough to be closed.
    pub(super) fn frame(&self) -> (bool, bool) {
        (!self.sink.is_closed(), self.sink.is_full())
    }

    /// Ends the open frame.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.sink.close(&mut self.file)
    }

    /// What is in it now is safe.
    pub(super) fn keep(&mut self) {
        self.whole = self.file.length;
    }

    /// Cuts it back to what is safe, as far as that can be done: an analysis refuses a cut row or frame anyway.
    pub(super) fn cut_back(&self) {
        let _ = self.file.file.set_len(self.whole);
    }
}

/// A file that knows how much was written to it.
#[derive(Debug)]
struct Counted {
    file: File,
    length: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
