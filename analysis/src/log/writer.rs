//! Writes events.

use std::io::{self, BufWriter, Write};

use crate::event::{EVENT_COLUMNS, Event, Value};

/// Writes events as rows of `events.csv`.
///
/// Rows are buffered: call [`EventWriter::finish`] at the end, it reports the last errors.
///
/// ```
/// use byzlab_analysis::{Event, EventKind, EventWriter};
/// let mut writer = EventWriter::without_header(Vec::new());
/// let event = Event { view: Some(2), ..Event::new(0, 7, 1_500, 3, EventKind::NewView) };
/// writer.write(&event)?;
/// assert_eq!(writer.finish()?, b"0,7,1500,3,new_view,2,,,,,,\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EventWriter<W: Write> {
    out: BufWriter<W>,
    /// The row; its start, `cell,run,`, stays for the next row of the run.
    row: Vec<u8>,
    run: Option<(u32, u32)>,
    run_length: usize,
}

impl<W: Write> EventWriter<W> {
    /// Starts a file: writes the header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self::without_header(out);
        writeln!(writer.out, "{}", EVENT_COLUMNS.join(","))?;
        Ok(writer)
    }

    /// Continues a file, or writes a part of one that is put together later.
    pub fn without_header(out: W) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, out), row: Vec::with_capacity(256), run: None, run_length: 0 }
    }

    /// Writes one row.
    ///
    /// Fails with [`io::ErrorKind::InvalidInput`], and writes nothing, if a text holds a comma, a
    /// quote or a control character.
    pub fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        let mut digits = itoa::Buffer::new();
        let row = &mut self.row;
        row.truncate(self.run_length);
        if self.run != Some((event.cell, event.run)) {
            row.clear();
            for number in [event.cell, event.run] {
                row.extend_from_slice(digits.format(number).as_bytes());
                row.push(b',');
            }
            self.run = Some((event.cell, event.run));
            self.run_length = row.len();
        }
        row.extend_from_slice(digits.format(event.time_ns).as_bytes());
        row.push(b',');
        row.extend_from_slice(digits.format(event.node).as_bytes());
        row.push(b',');
        row.extend_from_slice(event.kind.name().as_bytes());
        push_number(row, &mut digits, event.view);
        push_number(row, &mut digits, event.seq);
        row.push(b',');
        if let Some(digest) = event.digest {
            row.extend_from_slice(&hex(digest));
        }
        push_number(row, &mut digits, event.peer.map(u64::from));
        row.push(b',');
        if let Some(message) = event.message {
            push_text(row, message)?;
        }
        push_number(row, &mut digits, event.bytes);
        row.push(b',');
        match event.value {
            Some(Value::Digest(digest)) => row.extend_from_slice(&hex(digest)),
            Some(Value::Text(text)) => push_text(row, text)?,
            None => {}
        }
        row.push(b'\n');
        self.out.write_all(row)
    }

    /// Hands the buffered rows to the underlying writer and flushes it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Flushes and returns the underlying writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// A comma, then the number, if any.
#[inline]
fn push_number(row: &mut Vec<u8>, digits: &mut itoa::Buffer, number: Option<u64>) {
    match number {
        None => row.push(b','),
        // Most views and many nodes.
        Some(digit @ 0..10) => row.extend_from_slice(&[b',', b'0' + digit as u8]),
        Some(number) => {
            row.push(b',');
            row.extend_from_slice(digits.format(number).as_bytes());
        }
    }
}

fn push_text(row: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if text.bytes().any(breaks_a_row) {
        let problem = format!("`{text}` holds a comma, a quote or a control character");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    row.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Whether a text field must not hold this byte, since the logs have no quotes.
pub(crate) fn breaks_a_row(byte: u8) -> bool {
    matches!(byte, b',' | b'"') || byte.is_ascii_control()
}

/// 16 lower-case hexadecimal digits.
fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&HEX_PAIRS[usize::from(byte)]);
    }
    digits
}

/// The two digits of each byte.
static HEX_PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};
