//! Writes the parts of latencies.

use std::io::{self, BufWriter, Write};

use super::{LATENCY_PARTS_COLUMNS, LatencyParts, Part};
use crate::log::breaks_a_row;

/// Writes rows of `latency_parts.csv`.
///
/// Rows are buffered: call [`LatencyPartsWriter::finish`] at the end, it reports the last errors.
///
/// ```
/// use byzlab_analysis::{LatencyParts, LatencyPartsWriter, Part, PartTimes};
/// let mut parts = PartTimes::default();
/// parts[Part::NetRequest] = 20;
/// parts[Part::NetReply] = 30;
/// let row = LatencyParts {
///     cell: 0, run: 7, client: 4, seq: 1, issued_ns: 100, accepted_ns: 150, parts,
///     prepare_from: None, commit_from: None, reply_from: Some(0), path: "4 request 0 reply 4",
/// };
/// let mut writer = LatencyPartsWriter::without_header(Vec::new());
/// writer.write(&row)?;
/// assert_eq!(writer.finish()?, b"0,7,4,1,100,150,0,20,0,0,0,30,0,0,0,0,0,0,0,0,,,0,4 request 0 reply 4\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LatencyPartsWriter<W: Write> {
    out: BufWriter<W>,
    row: Vec<u8>,
}

impl<W: Write> LatencyPartsWriter<W> {
    /// Starts a file: writes the header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self::without_header(out);
        writeln!(writer.out, "{}", LATENCY_PARTS_COLUMNS.join(","))?;
        Ok(writer)
    }

    /// Continues a file, or writes a part of one that is put together later.
    pub fn without_header(out: W) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, out), row: Vec::with_capacity(256) }
    }

    /// Writes one row.
    ///
    /// Fails with [`io::ErrorKind::InvalidInput`], and writes nothing, if the parts do not add up to the latency, or
    /// the path holds a comma, a quote or a control character.
    pub fn write(&mut self, row: &LatencyParts<'_>) -> io::Result<()> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidInput, problem);
        row.latency_ns().map_err(|problem| invalid(problem.to_string()))?;
        if row.path.bytes().any(breaks_a_row) {
            return Err(invalid(format!("`{}` holds a comma, a quote or a control character", row.path)));
        }
        let mut digits = itoa::Buffer::new();
        let text = &mut self.row;
        text.clear();
        let mut push = |number: Option<u64>| {
            if let Some(number) = number {
                text.extend_from_slice(digits.format(number).as_bytes());
            }
            text.push(b',');
        };
        for number in [row.cell, row.run, row.client] {
            push(Some(number.into()));
        }
        for number in [row.seq, row.issued_ns, row.accepted_ns] {
            push(Some(number));
        }
        for part in Part::ALL {
            push(Some(row.parts[part]));
        }
        for node in [row.prepare_from, row.commit_from, row.reply_from] {
            push(node.map(u64::from));
        }
        text.extend_from_slice(row.path.as_bytes());
        text.push(b'\n');
        self.out.write_all(text)
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
