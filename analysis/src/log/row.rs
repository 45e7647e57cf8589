//! Parses rows of `events.csv`.

use super::error::{RowProblem, shorten};
use super::writer::breaks_a_row;
use crate::event::{EVENT_COLUMNS, Event, EventKind, Value};

/// No row of this format is longer, its line end left out.
pub(super) const LONGEST_ROW: usize = 1 << 16;

/// Parses one row after another; quick where cell and run are those of the row before.
#[derive(Clone, Debug, Default)]
pub(super) struct RowParser {
    /// Cell and run of the row before, with their text up to and including the second comma.
    last_run: Option<(u32, u32)>,
    last_prefix: Vec<u8>,
}

/// A row that does not parse.
#[derive(Debug)]
pub(super) struct BadRow {
    /// Cell and run, where they parse.
    pub(super) run: Option<(u32, u32)>,
    pub(super) problem: RowProblem,
}

impl RowParser {
    /// Takes a row without its line end. Inlined by force, the workers' loops are slower.
    #[inline]
    pub(super) fn parse<'a>(&mut self, row: &'a [u8]) -> Result<Event<'a>, BadRow> {
        if row.len() > LONGEST_ROW {
            return Err(BadRow { run: run_of(row), problem: RowProblem::TooLong });
        }
        let (run, rest) = match self.last_run {
            Some(run) if row.starts_with(&self.last_prefix) => (run, self.last_prefix.len()),
            _ => self.parse_run(row)?,
        };
        parse_event(run, row, rest).map_err(|problem| BadRow { run: Some(run), problem })
    }

    fn parse_run(&mut self, row: &[u8]) -> Result<((u32, u32), usize), BadRow> {
        match parse_run(row) {
            Ok((run, rest)) => {
                self.last_run = Some(run);
                self.last_prefix.clear();
                self.last_prefix.extend_from_slice(&row[..rest]);
                Ok((run, rest))
            }
            Err(_) if is_header(row) => Err(BadRow { run: None, problem: RowProblem::SecondHeader }),
            Err(problem) => Err(BadRow { run: None, problem }),
        }
    }

    /// The run of the row that was parsed last, as far as it parsed.
    pub(super) fn last_run(&self) -> Option<(u32, u32)> {
        self.last_run
    }
}

/// Cell and run of a row that is cut or too long, if they are all there.
pub(super) fn run_of(row: &[u8]) -> Option<(u32, u32)> {
    parse_run(row).ok().map(|(run, _)| run)
}

/// Whether a line is the header of `events.csv`.
pub(super) fn is_header(line: &[u8]) -> bool {
    line.split(|&byte| byte == b',').eq(EVENT_COLUMNS.iter().map(|column| column.as_bytes()))
}

/// Cell and run, and where the third field starts.
fn parse_run(row: &[u8]) -> Result<((u32, u32), usize), RowProblem> {
    let mut fields = Fields { row, at: 0 };
    let cell = fields.required_u32("cell")?;
    let run = fields.required_u32("run")?;
    if fields.at > row.len() {
        return Err(fields.wrong_count());
    }
    Ok(((cell, run), fields.at))
}

/// The whole row, given what [`parse_run`] found.
fn parse_event((cell, run): (u32, u32), row: &[u8], at: usize) -> Result<Event<'_>, RowProblem> {
    let mut fields = Fields { row, at };
    let event = Event {
        cell,
        run,
        time_ns: fields.required_u64("time_ns")?,
        node: fields.required_u32("node")?,
        kind: fields.kind()?,
        view: fields.number("view")?,
        seq: fields.number("seq")?,
        digest: fields.digest()?,
        peer: fields.number_u32("peer")?,
        message: fields.text("message")?,
        bytes: fields.number("bytes")?,
        value: fields.text("value")?.map(|text| parse_digest(text.as_bytes()).map_or(Value::Text(text), Value::Digest)),
    };
    // The last field moves one past the end, as if a comma stood there.
    if fields.at == row.len() + 1 { Ok(event) } else { Err(fields.wrong_count()) }
}

/// The fields of a row that are still to be parsed.
struct Fields<'a> {
    row: &'a [u8],
    /// Start of the next field; beyond the end when none is left.
    at: usize,
}

impl<'a> Fields<'a> {
    /// A number of at most 64 bits, or nothing.
    #[inline]
    fn number(&mut self, column: &'static str) -> Result<Option<u64>, RowProblem> {
        let start = self.at;
        let mut number = 0_u64;
        let mut at = start;
        while let Some(digit @ b'0'..=b'9') = self.row.get(at).copied() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        // 19 digits always fit.
        if at > start + 19 || self.row.get(at).is_some_and(|&byte| byte != b',') {
            return self.long_or_no_number(column);
        }
        if at > self.row.len() {
            return Err(self.wrong_count());
        }
        self.at = at + 1;
        Ok((at > start).then_some(number))
    }

    /// The rare cases of [`Fields::number`].
    #[cold]
    fn long_or_no_number(&mut self, column: &'static str) -> Result<Option<u64>, RowProblem> {
        let field = self.field()?;
        std::str::from_utf8(field)
            .ok()
            .filter(|text| !text.starts_with('+'))
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| match field {
                [b'-', b'0'..=b'9', ..] if column == "time_ns" => {
                    RowProblem::NegativeTime { found: shorten(&String::from_utf8_lossy(field)) }
                }
                _ => wrong_field(column, field, "a whole number below 2^64"),
            })
    }

    #[inline]
    fn number_u32(&mut self, column: &'static str) -> Result<Option<u32>, RowProblem> {
        self.number(column)?
            .map(|number| {
                u32::try_from(number)
                    .map_err(|_| wrong_field(column, number.to_string().as_bytes(), "a whole number below 2^32"))
            })
            .transpose()
    }

    #[inline]
    fn required_u64(&mut self, column: &'static str) -> Result<u64, RowProblem> {
        self.number(column)?.ok_or_else(|| wrong_field(column, b"", "a whole number below 2^64"))
    }

    #[inline]
    fn required_u32(&mut self, column: &'static str) -> Result<u32, RowProblem> {
        self.number_u32(column)?.ok_or_else(|| wrong_field(column, b"", "a whole number below 2^32"))
    }

    #[inline]
    fn kind(&mut self) -> Result<EventKind, RowProblem> {
        let field = self.field()?;
        EventKind::from_name(field).ok_or_else(|| {
            if field.contains(&b'"') {
                RowProblem::Quote
            } else {
                RowProblem::UnknownEvent { found: shorten(&String::from_utf8_lossy(field)) }
            }
        })
    }

    #[inline]
    fn digest(&mut self) -> Result<Option<u64>, RowProblem> {
        let field = self.field()?;
        if field.is_empty() {
            return Ok(None);
        }
        parse_digest(field).map(Some).ok_or_else(|| wrong_field("digest", field, "16 lower-case hexadecimal digits"))
    }

    #[inline]
    fn text(&mut self, column: &'static str) -> Result<Option<&'a str>, RowProblem> {
        let field = self.field()?;
        if field.is_empty() {
            return Ok(None);
        }
        let expected = "UTF-8 text without control characters";
        if field.iter().copied().any(breaks_a_row) {
            return Err(wrong_field(column, field, expected));
        }
        std::str::from_utf8(field).map(Some).map_err(|_| wrong_field(column, field, expected))
    }

    /// The bytes of the next field.
    #[inline]
    fn field(&mut self) -> Result<&'a [u8], RowProblem> {
        let Some(rest) = self.row.get(self.at..) else {
            return Err(self.wrong_count());
        };
        let length = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
        self.at += length + 1;
        Ok(&rest[..length])
    }

    #[cold]
    fn wrong_count(&self) -> RowProblem {
        RowProblem::FieldCount { found: self.row.split(|&byte| byte == b',').count() }
    }
}

/// Exactly 16 lower-case hexadecimal digits.
#[inline]
fn parse_digest(field: &[u8]) -> Option<u64> {
    let digits: &[u8; 16] = field.try_into().ok()?;
    let mut number = 0;
    let mut seen = 0;
    for &digit in digits {
        let nibble = HEX_VALUES[usize::from(digit)];
        seen |= nibble;
        number = number << 4 | u64::from(nibble & 15);
    }
    (seen < 16).then_some(number)
}

/// The value of each lower-case hexadecimal digit, 16 for every other byte.
static HEX_VALUES: [u8; 256] = {
    let digits = b"0123456789abcdef";
    let mut values = [16; 256];
    let mut value = 0;
    while value < 16 {
        values[digits[value as usize] as usize] = value;
        value += 1;
    }
    values
};

#[cold]
fn wrong_field(column: &'static str, field: &[u8], expected: &'static str) -> RowProblem {
    if field.contains(&b'"') {
        return RowProblem::Quote;
    }
    RowProblem::Field { column, found: shorten(&String::from_utf8_lossy(field)), expected }
}
