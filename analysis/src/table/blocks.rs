//! Cuts a CSV file into blocks of whole records, so that several threads can read it.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

/// Blocks are filled to this size, wherever the bytes come from: where one ends depends on the file alone.
const BLOCK: usize = 1 << 20;
const LONGEST_RECORD: usize = 1 << 24;

/// Whole records.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Whether there is a quote anywhere: then line ends and delimiters may be text.
    pub(super) has_quotes: bool,
    /// Whether the file is compressed and was cut behind these records: nobody knows what else was in it.
    pub(super) is_cut: bool,
}

/// Why there is no next block.
#[derive(Debug)]
pub(super) enum BlockError {
    Io(io::Error),
    /// A quote is not closed until the end of the file, or of the longest record; lines before it, from here.
    OpenQuote {
        lines: u64,
    },
    TooLong,
}

#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: R,
    delimiter: u8,
    /// What was read behind the last whole record.
    rest: Vec<u8>,
    is_at_end: bool,
    /// Why the end is none: the file is compressed, and was cut.
    cut: Option<io::Error>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, rest: Vec::new(), is_at_end: false, cut: None }
    }

    /// The first record, which is the header, without its line end and a byte order mark.
    pub(super) fn header(&mut self) -> Result<Vec<u8>, BlockError> {
        let mut bytes = std::mem::take(&mut self.rest);
        while !self.is_at_end && bytes.len() < LONGEST_RECORD {
            self.fill(&mut bytes, BLOCK)?;
            if let Scan { first: Some(end), .. } = scan(&bytes, self.delimiter) {
                self.rest = bytes.split_off(end);
                return Ok(strip(bytes));
            }
        }
        if let Some(cut) = self.cut.take() {
            return Err(BlockError::Io(cut));
        }
        match scan(&bytes, self.delimiter).open_quote {
            Some(at) => Err(open_quote(&bytes[..at])),
            None if self.is_at_end => Ok(strip(bytes)),
            None => Err(BlockError::TooLong),
        }
    }

    /// The next records; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Block>, BlockError> {
        let mut bytes = Vec::with_capacity(BLOCK + self.rest.len());
        bytes.append(&mut self.rest);
        let mut wanted = BLOCK;
        while !self.is_at_end {
            let missing = wanted.saturating_sub(bytes.len());
            self.fill(&mut bytes, missing)?;
            if self.is_at_end {
                break;
            }
            let (has_quotes, end, open_quote_at) = last_end(&bytes, self.delimiter);
            if let Some(end) = end {
                self.rest.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                return Ok(Some(Block { bytes, has_quotes, is_cut: false }));
            }
            if bytes.len() >= LONGEST_RECORD {
                return Err(open_quote_at.map_or(BlockError::TooLong, |at| open_quote(&bytes[..at])));
            }
            wanted = bytes.len() + BLOCK;
        }
        if bytes.is_empty() && self.cut.is_none() {
            return Ok(None);
        }
        let (has_quotes, end, open_quote_at) = last_end(&bytes, self.delimiter);
        if self.cut.take().is_some() {
            // What is decoded of the row at the cut means nothing.
            bytes.truncate(end.unwrap_or(0));
            return Ok(Some(Block { bytes, has_quotes, is_cut: true }));
        }
        match open_quote_at {
            Some(at) => Err(open_quote(&bytes[..at])),
            None => Ok(Some(Block { bytes, has_quotes, is_cut: false })),
        }
    }

    fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) -> Result<(), BlockError> {
        match self.input.by_ref().take(length as u64).read_to_end(bytes) {
            Ok(read) => self.is_at_end = read < length,
            // What was decoded before the cut stays in the bytes.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_at_end = true;
                self.cut = Some(error);
            }
            Err(error) => return Err(BlockError::Io(error)),
        }
        Ok(())
    }
}

fn open_quote(before: &[u8]) -> BlockError {
    BlockError::OpenQuote { lines: memchr::memchr_iter(b'\n', before).count() as u64 }
}

/// Without line end and byte order mark.
fn strip(mut line: Vec<u8>) -> Vec<u8> {
    if line.ends_with(b"\n") {
        line.pop();
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    if line.starts_with(b"\xEF\xBB\xBF") {
        line.drain(..3);
    }
    line
}

/// Whether there are quotes, where the last record ends, and where a quote is still open.
fn last_end(bytes: &[u8], delimiter: u8) -> (bool, Option<usize>, Option<usize>) {
    if memchr(b'"', bytes).is_none() {
        return (false, memrchr(b'\n', bytes).map(|at| at + 1), None);
    }
    let scan = scan(bytes, delimiter);
    (true, scan.last, scan.open_quote)
}

struct Scan {
    /// Just behind the first and the last record.
    first: Option<usize>,
    last: Option<usize>,
    open_quote: Option<usize>,
}

/// Walks over records. A quote opens a field only at its start; anywhere else it is text, as in the csv crate.
fn scan(bytes: &[u8], delimiter: u8) -> Scan {
    let (mut first, mut last) = (None, None);
    let mut is_start = true;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'"' && is_start {
            let Some(end) = closing_quote(&bytes[at + 1..]) else {
                return Scan { first, last, open_quote: Some(at) };
            };
            at += end + 2;
            is_start = false;
            continue;
        }
        at += 1;
        is_start = byte == delimiter || byte == b'\n';
        if byte == b'\n' {
            first = first.or(Some(at));
            last = Some(at);
        }
    }
    Scan { first, last, open_quote: None }
}

/// Where a quoted text ends; doubled quotes are part of it.
pub(super) fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(b'"', &text[at..])?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a byte at a time, as a slow pipe does.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(7);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn blocks_end_at_records_and_depend_on_the_file_alone() {
        let row = "x,\"a \"\"quoted\"\"\nline\",3\n";
        let file = format!("\u{feff}a,b,c\r\n{}", row.repeat(150_000));
        let mut blocks = Blocks::new(file.as_bytes(), b',');
        let mut slow = Blocks::new(Slow(file.as_bytes()), b',');
        assert_eq!((blocks.header().unwrap(), slow.header().unwrap()), (b"a,b,c".to_vec(), b"a,b,c".to_vec()));
        let mut length = 0;
        while let Some(block) = blocks.next().unwrap() {
            assert!(block.has_quotes && block.bytes.len() % row.len() == 0, "whole records");
            assert_eq!(slow.next().unwrap().unwrap().bytes, block.bytes);
            length += block.bytes.len();
        }
        assert!(slow.next().unwrap().is_none());
        assert_eq!(length, file.len() - 10);
        assert!(length > 2 * BLOCK);
    }

    #[test]
    fn a_quote_inside_of_a_field_is_text() {
        let file = b"a,b\n5\" pipe,2\nx\"y\"z\"\n";
        assert_eq!(scan(file, b',').last, Some(file.len()));
        assert_eq!(scan(b"a,\"b\n", b',').open_quote, Some(2));
    }

    #[test]
    fn an_open_quote_is_found_with_its_line() {
        let mut blocks = Blocks::new(&b"a,b\n1,2\n3,\"4\n5,6\n"[..], b',');
        blocks.header().unwrap();
        assert!(matches!(blocks.next(), Err(BlockError::OpenQuote { lines: 1 })));
    }
}
