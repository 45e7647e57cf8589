//! Cuts a log into blocks of whole rows.

use std::io::{self, Read};
use std::path::Path;

use super::fragment::Stored;
use crate::log::error::{LogError, shorten};
use crate::log::row::{LONGEST_ROW, is_header};
use crate::log::source::Source;

/// Hands out a log block by block.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: R,
    size: usize,
    /// The start of the row at which the block before was cut.
    carry: Vec<u8>,
    /// Index of the next block.
    next: u64,
    is_over: bool,
    /// Number of lines before the first block.
    lines_before: u64,
}

/// Some rows of a log.
#[derive(Debug)]
pub(super) struct Block {
    /// Counted from 0.
    pub(super) index: u64,
    pub(super) buffers: Buffers,
    /// How much of the bytes is the block.
    length: usize,
    pub(super) ending: Ending,
}

/// Memory that goes from block to block, so that none has to ask for its own.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    bytes: Vec<u8>,
    /// For the events that are stored until the block's turn.
    pub(super) stored: Stored,
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a whole row.
    Whole,
    /// The file ends in the middle of its last row.
    CutRow,
    /// The file is compressed and was cut, so there is no telling what else was in it.
    CutFile,
}

impl Block {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffers.bytes[..self.length]
    }
}

impl Blocks<Source> {
    /// Opens a file and checks its header; blocks are about `size` bytes.
    pub(super) fn open(path: &Path, size: usize) -> Result<Self, LogError> {
        let source = Source::open(path).map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        Self::new(source, path, size)
    }
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, path: &Path, size: usize) -> Result<Self, LogError> {
        let mut blocks = Self { input, size: size.max(1), carry: Vec::new(), next: 0, is_over: false, lines_before: 0 };
        blocks.skip_header(path)?;
        Ok(blocks)
    }

    fn skip_header(&mut self, path: &Path) -> Result<(), LogError> {
        let mut start = Vec::new();
        let limit = 2 + LONGEST_ROW as u64;
        let read = self.input.by_ref().take(limit).read_to_end(&mut start);
        let end = memchr::memchr(b'\n', &start);
        match read {
            // The rows before the cut are still to be read.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof || end.is_none() => {
                return Err(LogError::reading(path, 0, error));
            }
            _ => {}
        }
        let header = &start[..end.unwrap_or(start.len())];
        if !is_header(header.strip_suffix(b"\r").unwrap_or(header)) {
            let found = shorten(&String::from_utf8_lossy(header));
            return Err(LogError::Header { path: path.to_owned(), found });
        }
        // Without its line end, it is a cut row.
        if let Some(end) = end {
            start.drain(..=end);
            self.lines_before = 1;
        }
        self.carry = start;
        Ok(())
    }

    /// Number of lines before the first block.
    pub(super) fn lines_before(&self) -> u64 {
        self.lines_before
    }

    /// The next block, in these buffers, or with its index the reason why it cannot be read; `None` at the end.
    pub(super) fn next(&mut self, buffers: Buffers) -> Option<Result<Block, (u64, io::Error)>> {
        if self.is_over {
            return None;
        }
        let index = self.next;
        self.next += 1;
        let mut block = Block { index, buffers, length: 0, ending: Ending::Whole };
        match self.fill(&mut block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_over = true;
                block.ending = Ending::CutFile;
            }
            Err(error) => {
                self.is_over = true;
                return Some(Err((index, error)));
            }
        }
        if block.length == 0 && block.ending == Ending::Whole { None } else { Some(Ok(block)) }
    }

    fn fill(&mut self, block: &mut Block) -> io::Result<()> {
        block.append(&self.carry);
        self.carry.clear();
        // Up to here there is no line end.
        let mut searched = 0;
        loop {
            let goal = if block.length < self.size { self.size } else { block.length + self.size };
            while block.length < goal {
                let length = self.read(block, goal)?;
                if length == 0 {
                    self.is_over = true;
                    if block.bytes().last().is_some_and(|&byte| byte != b'\n') {
                        block.ending = Ending::CutRow;
                    }
                    return Ok(());
                }
            }
            if let Some(newline) = memchr::memrchr(b'\n', &block.bytes()[searched..]) {
                let end = searched + newline + 1;
                self.carry.extend_from_slice(&block.bytes()[end..]);
                block.length = end;
                return Ok(());
            }
            // Of a row without end only so much is kept as shows that it is too long.
            block.length = block.length.min(LONGEST_ROW + 2);
            searched = block.length;
        }
    }

    fn read(&mut self, block: &mut Block, goal: usize) -> io::Result<usize> {
        if block.buffers.bytes.len() < goal {
            block.buffers.bytes.resize(goal, 0);
        }
        loop {
            match self.input.read(&mut block.buffers.bytes[block.length..goal]) {
                Ok(length) => {
                    block.length += length;
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Block {
    fn append(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if self.buffers.bytes.len() < end {
            self.buffers.bytes.resize(end, 0);
        }
        self.buffers.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }
}

/// The rows of a block, each without its line end.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next row that has a line end.
    #[inline]
    pub(super) fn next_whole(&mut self) -> Option<&'a [u8]> {
        let newline = memchr::memchr(b'\n', self.rest)?;
        let (row, rest) = (&self.rest[..newline], &self.rest[newline + 1..]);
        self.rest = rest;
        Some(row.strip_suffix(b"\r").unwrap_or(row))
    }

    /// What is left behind the last line end.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}
