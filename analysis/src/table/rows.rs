//! The rows of one block, sorted into groups.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memchr;

use super::blocks::{Block, closing_quote};
use super::error::RowProblem;
use super::plan::{Plan, Verdict};
use crate::statistics::Attempt;

/// What a block says. Lines are counted from its first, which is 0.
#[derive(Debug, Default)]
pub(super) struct BlockRows {
    pub(super) groups: Vec<BlockGroup>,
    pub(super) lines: u64,
    pub(super) rows: u64,
    pub(super) excluded: u64,
    /// Rows with a problem; without `lenient` at most one, and nothing was read behind it.
    pub(super) skipped: u64,
    pub(super) first_problem: Option<(u64, RowProblem)>,
    /// The last row could be used, but has no line end, so that its last field may be the start of another.
    pub(super) is_open: bool,
}

/// A group's rows of one block.
#[derive(Debug)]
pub(super) struct BlockGroup {
    /// Its values of the columns to group by.
    pub(super) key: Vec<String>,
    /// In the order of the file.
    pub(super) attempts: Vec<Attempt>,
    pub(super) missing: u64,
    pub(super) above_limit: u64,
}

/// Reads a block. Only the last one of a file may end without a line end. A cut behind it is a row that cannot be used.
pub(super) fn read_block(block: &Block, plan: &Plan<'_>, lenient: bool, most_groups: usize) -> BlockRows {
    let mut reader = RowReader {
        plan,
        out: BlockRows::default(),
        index: BTreeMap::new(),
        last: None,
        key: Vec::new(),
        fields: Vec::with_capacity(plan.needed.len()),
        text: Vec::new(),
    };
    let bytes = &block.bytes[..];
    let mut at = 0;
    while at < bytes.len() && reader.out.groups.len() <= most_groups {
        let line = reader.out.lines;
        let (result, end) = if block.has_quotes { reader.quoted(bytes, at) } else { reader.plain(bytes, at) };
        if let Err(problem) = result {
            let is_cut = end == bytes.len() && !bytes.ends_with(b"\n");
            let problem = match problem {
                RowProblem::FieldCount { found, expected } if is_cut && found < expected => {
                    RowProblem::Cut { found, expected }
                }
                other => other,
            };
            reader.out.skipped += 1;
            reader.out.first_problem.get_or_insert((line, problem));
            if !lenient {
                break;
            }
        } else if end == bytes.len() && !bytes.ends_with(b"\n") {
            reader.out.is_open = plan.needs_last_column();
        }
        at = end;
    }
    if block.is_cut {
        reader.out.rows += 1;
        reader.out.skipped += 1;
        reader.out.first_problem.get_or_insert((reader.out.lines, RowProblem::CutFile));
    }
    reader.out
}

struct RowReader<'a> {
    plan: &'a Plan<'a>,
    out: BlockRows,
    index: BTreeMap<Vec<u8>, usize>,
    /// The group of the row before: rows of a group often stand together.
    last: Option<usize>,
    /// The key of a row: its fields, each behind its length.
    key: Vec<u8>,
    /// Where the needed fields of a row are.
    fields: Vec<Range<usize>>,
    /// The content of quoted fields of a row.
    text: Vec<u8>,
}

impl RowReader<'_> {
    /// One row of a block without quotes, and where it ends.
    fn plain(&mut self, bytes: &[u8], start: usize) -> (Result<(), RowProblem>, usize) {
        let newline = memchr(b'\n', &bytes[start..]).map(|length| start + length);
        let end = newline.map_or(bytes.len(), |newline| newline + 1);
        self.out.lines += 1;
        let mut line = &bytes[start..newline.unwrap_or(bytes.len())];
        if let [rest @ .., b'\r'] = line {
            line = rest;
        }
        if line.is_empty() && self.plan.columns > 1 {
            return (Ok(()), end);
        }
        self.fields.clear();
        let mut needed = self.plan.needed.iter().copied().peekable();
        let (mut column, mut from) = (0, 0);
        for (at, &byte) in line.iter().enumerate() {
            if byte == self.plan.delimiter {
                if needed.next_if_eq(&column).is_some() {
                    self.fields.push(from..at);
                }
                column += 1;
                from = at + 1;
            }
        }
        if needed.next_if_eq(&column).is_some() {
            self.fields.push(from..line.len());
        }
        (self.row(line, column + 1), end)
    }

    /// One row of a block with quotes, and where it ends.
    fn quoted(&mut self, bytes: &[u8], start: usize) -> (Result<(), RowProblem>, usize) {
        let delimiter = self.plan.delimiter;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.fields.clear();
        let mut needed = self.plan.needed.iter().copied().peekable();
        let (mut column, mut at, mut from) = (0, start, 0);
        let mut is_start = true;
        loop {
            match bytes.get(at).copied() {
                Some(b'"') if is_start => {
                    // Blocks end where no quote is open.
                    let length = closing_quote(&bytes[at + 1..]).unwrap_or(bytes.len() - at - 1);
                    let inner = &bytes[at + 1..at + 1 + length];
                    self.out.lines += memchr::memchr_iter(b'\n', inner).count() as u64;
                    let mut pieces = inner;
                    while let Some(quote) = memchr(b'"', pieces) {
                        text.extend_from_slice(&pieces[..=quote]);
                        pieces = pieces.get(quote + 2..).unwrap_or_default();
                    }
                    text.extend_from_slice(pieces);
                    at += length + 2;
                    is_start = false;
                }
                Some(byte) if byte != delimiter && byte != b'\n' => {
                    text.push(byte);
                    at += 1;
                    is_start = false;
                }
                end => {
                    let is_row_end = end != Some(delimiter);
                    // A line may end with CR LF.
                    if is_row_end && at > start && bytes[at - 1] == b'\r' && text.len() > from {
                        text.pop();
                    }
                    if needed.next_if_eq(&column).is_some() {
                        self.fields.push(from..text.len());
                    }
                    at += 1;
                    if is_row_end {
                        break;
                    }
                    column += 1;
                    from = text.len();
                    is_start = true;
                }
            }
        }
        self.out.lines += 1;
        let is_blank = text.is_empty() && column == 0 && !bytes[start..].starts_with(b"\"");
        let result = if is_blank && self.plan.columns > 1 { Ok(()) } else { self.row(&text, column + 1) };
        self.text = text;
        (result, at.min(bytes.len()))
    }

    /// A row whose needed fields are known.
    fn row(&mut self, text: &[u8], found: usize) -> Result<(), RowProblem> {
        self.out.rows += 1;
        if found != self.plan.columns {
            return Err(RowProblem::FieldCount { found, expected: self.plan.columns });
        }
        let verdict = self.plan.judge(|place| &text[self.fields[place].clone()])?;
        if verdict == Verdict::Excluded {
            self.out.excluded += 1;
            return Ok(());
        }
        let group = self.group(text)?;
        match verdict {
            Verdict::Excluded => {}
            Verdict::Missing => group.missing += 1,
            Verdict::Attempt(attempt) => group.attempts.push(attempt),
            Verdict::AboveLimit(limit) => {
                group.above_limit += 1;
                group.attempts.push(Attempt::Beyond(limit));
            }
        }
        Ok(())
    }

    fn group(&mut self, text: &[u8]) -> Result<&mut BlockGroup, RowProblem> {
        let field = |place: usize| &text[self.fields[place].clone()];
        if let Some(last) = self.last {
            let same = |(value, &place): (&String, &usize)| value.as_bytes() == field(place);
            if self.out.groups[last].key.iter().zip(&self.plan.by).all(same) {
                return Ok(&mut self.out.groups[last]);
            }
        }
        self.key.clear();
        for &place in &self.plan.by {
            self.key.extend_from_slice(&field(place).len().to_le_bytes());
            self.key.extend_from_slice(field(place));
        }
        let group = if let Some(&known) = self.index.get(&self.key[..]) {
            known
        } else {
            let value = |&place: &usize| {
                let value = std::str::from_utf8(field(place)).map(str::to_owned);
                value.map_err(|_| RowProblem::NotUtf8 { column: self.plan.column_name(place) })
            };
            let key = self.plan.by.iter().map(value).collect::<Result<_, _>>()?;
            self.out.groups.push(BlockGroup { key, attempts: Vec::new(), missing: 0, above_limit: 0 });
            self.index.insert(self.key.clone(), self.out.groups.len() - 1);
            self.out.groups.len() - 1
        };
        self.last = Some(group);
        Ok(&mut self.out.groups[group])
    }
}
