//! Tables of delays as text. The header says which of three it is:
//!
//! * `from,to,rtt_ms`: a round trip a line, in milliseconds; one way is half of it. Where only one direction of a pair stands, it holds
//!   for both.
//! * `from,to,one_way_ms`: byzlab's own, a delay a line, in milliseconds. Both directions of a pair must stand there.
//! * `,a,b,c` or `site,a,b,c`: a square matrix of round trips in milliseconds; each row begins with its site (from there to the
//!   column's), in the order of the columns. A cell of the diagonal may be empty.
//!
//! Empty lines and lines that begin with `#` are passed over, as are quotes around a cell, a byte order mark, and carriage
//! returns before the line ends.

use super::SiteTable;
use crate::time::Span;
use std::collections::BTreeMap;

/// Why a text is no table of delays.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TableError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: TableProblem,
}

/// What is wrong with a line of a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableProblem {
    /// There is no line at all.
    #[error("there is no header")]
    Empty,
    /// The first line is none of the three headers.
    #[error("`{0}` is not the header of a table of delays")]
    Header(String),
    /// There is a header and nothing below it.
    #[error("there is no delay below the header")]
    NoDelays,
    /// Too few cells or too many.
    #[error("{found} cells where the header has {wanted}")]
    Cells {
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A site has no name.
    #[error("the site of column {column} has no name")]
    Unnamed {
        /// Which cell, counted from 1.
        column: usize,
    },
    /// The header of a matrix has a site twice.
    #[error("the site `{0}` comes twice")]
    Twice(String),
    /// There are more than [`SiteTable::MOST_SITES`].
    #[error("more than {} sites", SiteTable::MOST_SITES)]
    TooMany,
    /// A row of a matrix is not that of its column.
    #[error("the row of `{found}` stands where that of `{wanted}` belongs")]
    OtherRow {
        /// How it begins.
        found: String,
        /// How it should begin.
        wanted: String,
    },
    /// A matrix has more columns than rows, or fewer.
    #[error("{rows} rows for {columns} columns: the matrix is not square")]
    NotSquare {
        /// How many rows it has.
        rows: usize,
        /// How many sites its header names.
        columns: usize,
    },
    /// A cell is empty.
    #[error("from `{from}` to `{to}`: the delay is missing")]
    Missing {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
    },
    /// A delay is not a finite number of milliseconds, not below 0 and not above an hour.
    #[error("from `{from}` to `{to}`: `{value}` {complaint}")]
    NotADelay {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
        /// What stands there.
        value: String,
        /// What it is instead.
        complaint: &'static str,
    },
    /// A pair has two delays.
    #[error("from `{from}` to `{to}`: {value} ms here, but {earlier} ms in line {earlier_line}")]
    Contradiction {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
        /// What stands here.
        value: f64,
        /// What stood there before,
        earlier: f64,
        /// and where.
        earlier_line: usize,
    },
    /// A one-way delay has no counterpart.
    #[error("from `{from}` to `{to}` there is a delay, but none from `{to}` to `{from}`")]
    OneDirection {
        /// The sender's site.
        from: String,
        /// The receiver's.
        to: String,
    },
}

/// Longer delays are a mistake: an hour, in milliseconds.
const LONGEST_MS: f64 = 3_600_000.0;

/// What the values of a table are.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    RoundTrip,
    OneWay,
}

impl Meaning {
    fn one_way(self, milliseconds: f64) -> Span {
        let nanoseconds = match self {
            Meaning::RoundTrip => milliseconds * 1e6 / 2.0,
            Meaning::OneWay => milliseconds * 1e6,
        };
        Span::from_nanos((nanoseconds + 0.5) as u64)
    }
}

impl SiteTable {
    /// Reads a table in one of the three formats: `from,to,rtt_ms`, `from,to,one_way_ms`, or a square matrix of round trips.
    pub fn parse(text: &str) -> Result<SiteTable, TableError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let mut lines = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (line, header) = lines.next().ok_or_else(|| at(1, TableProblem::Empty))?;
        let rows: Vec<(usize, Vec<&str>)> = lines.map(|(line, row)| (line, cells(row))).collect();
        let header_cells = cells(header);
        let words: Vec<String> = header_cells.iter().map(|cell| cell.to_lowercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["from", "to", "rtt_ms"] => read_list(line, &rows, Meaning::RoundTrip),
            ["from", "to", "one_way_ms"] => read_list(line, &rows, Meaning::OneWay),
            ["" | "site", _, ..] => read_matrix(line, &header_cells[1..], &rows),
            _ => Err(at(line, TableProblem::Header(header.to_owned()))),
        }
    }
}

fn at(line: usize, problem: TableProblem) -> TableError {
    TableError { line, problem }
}

/// The cells of a line, without blanks and quotes around them. No cell contains a comma.
fn cells(line: &str) -> Vec<&str> {
    let bare = |cell: &str| cell.len() >= 2 && cell.starts_with('"') && cell.ends_with('"');
    let cells = line.split(',').map(str::trim);
    cells.map(|cell| if bare(cell) { cell[1..cell.len() - 1].trim() } else { cell }).collect()
}

/// A delay that stands in the text, and where.
#[derive(Clone, Copy)]
struct Entry {
    milliseconds: f64,
    line: usize,
}

fn read_list(header: usize, rows: &[(usize, Vec<&str>)], meaning: Meaning) -> Result<SiteTable, TableError> {
    let mut names: Vec<String> = Vec::new();
    let mut entries = BTreeMap::<(usize, usize), Entry>::new();
    for &(line, ref row) in rows {
        let [from, to, value] = row[..] else {
            return Err(at(line, TableProblem::Cells { found: row.len(), wanted: 3 }));
        };
        let mut index_of = |name: &str, column| {
            if name.is_empty() {
                return Err(at(line, TableProblem::Unnamed { column }));
            }
            Ok(names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            }))
        };
        let pair = (index_of(from, 1)?, index_of(to, 2)?);
        if names.len() > SiteTable::MOST_SITES {
            return Err(at(line, TableProblem::TooMany));
        }
        let milliseconds = delay(line, from, to, value)?;
        let earlier = *entries.entry(pair).or_insert(Entry { milliseconds, line });
        if meaning.one_way(earlier.milliseconds) != meaning.one_way(milliseconds) {
            let (from, to) = (from.to_owned(), to.to_owned());
            let (earlier, earlier_line) = (earlier.milliseconds, earlier.line);
            let problem = TableProblem::Contradiction { from, to, value: milliseconds, earlier, earlier_line };
            return Err(at(line, problem));
        }
    }
    if entries.is_empty() {
        return Err(at(header, TableProblem::NoDelays));
    }
    let mut table = SiteTable::unknown(names);
    for (&(from, to), entry) in &entries {
        let one_way = meaning.one_way(entry.milliseconds);
        table.set(from, to, one_way);
        if !entries.contains_key(&(to, from)) {
            if meaning == Meaning::OneWay {
                let name = |site: usize| table.names()[site].clone();
                return Err(at(entry.line, TableProblem::OneDirection { from: name(from), to: name(to) }));
            }
            table.set(to, from, one_way);
        }
    }
    Ok(table)
}

fn read_matrix(header: usize, columns: &[&str], rows: &[(usize, Vec<&str>)]) -> Result<SiteTable, TableError> {
    for (index, name) in columns.iter().enumerate() {
        if name.is_empty() {
            return Err(at(header, TableProblem::Unnamed { column: index + 2 }));
        }
        if columns[..index].contains(name) {
            return Err(at(header, TableProblem::Twice((*name).to_owned())));
        }
    }
    if columns.len() > SiteTable::MOST_SITES {
        return Err(at(header, TableProblem::TooMany));
    }
    let mut table = SiteTable::unknown(columns.iter().map(|&name| name.to_owned()).collect());
    let not_square = |line| at(line, TableProblem::NotSquare { rows: rows.len(), columns: columns.len() });
    for (from, (line, row)) in rows.iter().enumerate() {
        let Some(&site) = columns.get(from) else { return Err(not_square(*line)) };
        if row[0] != site {
            let problem = TableProblem::OtherRow { found: row[0].to_owned(), wanted: site.to_owned() };
            return Err(at(*line, problem));
        }
        if row.len() != columns.len() + 1 {
            return Err(at(*line, TableProblem::Cells { found: row.len(), wanted: columns.len() + 1 }));
        }
        for (to, (&value, &column)) in row[1..].iter().zip(columns).enumerate() {
            if !(value.is_empty() && from == to) {
                table.set(from, to, Meaning::RoundTrip.one_way(delay(*line, site, column, value)?));
            }
        }
    }
    if rows.len() < columns.len() {
        return Err(not_square(rows.last().map_or(header, |(line, _)| *line)));
    }
    Ok(table)
}

/// A number of milliseconds.
fn delay(line: usize, from: &str, to: &str, value: &str) -> Result<f64, TableError> {
    let complaint = match value.parse::<f64>() {
        _ if value.is_empty() => {
            return Err(at(line, TableProblem::Missing { from: from.to_owned(), to: to.to_owned() }));
        }
        Err(_) => "is not a number",
        Ok(number) if !number.is_finite() => "is not a finite number",
        Ok(number) if number < 0.0 => "is negative",
        Ok(number) if number > LONGEST_MS => "ms is more than an hour",
        Ok(number) => return Ok(number),
    };
    let (from, to, value) = (from.to_owned(), to.to_owned(), value.to_owned());
    Err(at(line, TableProblem::NotADelay { from, to, value, complaint }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The delay between two sites in microseconds.
    fn us(table: &SiteTable, from: &str, to: &str) -> Option<u64> {
        let delay = table.one_way(table.index_of(from)?, table.index_of(to)?)?.as_nanos();
        assert_eq!(delay % 1000, 0);
        Some(delay / 1000)
    }

    #[test]
    fn a_list_of_round_trips_is_halved_and_may_have_one_direction() {
        let text = "\u{feff}from,to,rtt_ms\r\n# measured at noon\r\n\r\na,b,65.33\r\nb,a,66\r\n\"c\", a ,0.002\r\na,a,9.23\r\n";
        let table = SiteTable::parse(text).unwrap();
        assert_eq!(table.names(), ["a", "b", "c"]);
        for (from, to, expected) in [
            ("a", "b", Some(32_665)),
            ("b", "a", Some(33_000)),
            ("c", "a", Some(1)),
            ("a", "c", Some(1)),
            ("a", "a", Some(4_615)),
            ("b", "c", None),
            ("b", "b", None),
        ] {
            assert_eq!(us(&table, from, to), expected, "{from} {to}");
        }
        // Half of an odd number of nanoseconds is rounded up.
        let odd = SiteTable::parse("from,to,rtt_ms\na,b,0.000003").unwrap();
        assert_eq!(odd.one_way(0, 1), Some(Span::from_nanos(2)));
        // The same said twice is no contradiction.
        assert!(SiteTable::parse("from,to,rtt_ms\na,b,65.33\na,b,65.330").is_ok());
    }

    #[test]
    fn a_list_of_one_way_delays_has_both_directions() {
        let table = SiteTable::parse("From,To,One_way_ms\na,b,65.33\nb,a,66\nb,b,1").unwrap();
        assert_eq!((us(&table, "a", "b"), us(&table, "b", "a")), (Some(65_330), Some(66_000)));
        assert_eq!((us(&table, "b", "b"), us(&table, "a", "a")), (Some(1000), None));
        let error = SiteTable::parse("from,to,one_way_ms\na,a,1\na,b,65.33").unwrap_err();
        assert_eq!(error.to_string(), "line 3: from `a` to `b` there is a delay, but none from `b` to `a`");
    }

    #[test]
    fn a_matrix_has_a_row_for_each_column() {
        for header in [",a,b", "site,a,b", "# a comment\n\nSite, \"a\" ,b"] {
            let table = SiteTable::parse(&format!("{header}\na,,20\nb,22,0.5\n")).unwrap();
            assert_eq!(table.names(), ["a", "b"]);
            let delays = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")].map(|(from, to)| us(&table, from, to));
            assert_eq!(delays, [None, Some(10_000), Some(11_000), Some(250)]);
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, message) in [
            ("", "line 1: there is no header"),
            ("# nothing\n", "line 1: there is no header"),
            ("from,to,ms\na,b,1", "line 1: `from,to,ms` is not the header of a table of delays"),
            ("from;to;rtt_ms\na;b;1", "line 1: `from;to;rtt_ms` is not the header of a table of delays"),
            ("from,to,rtt_ms\n\n", "line 1: there is no delay below the header"),
            ("from,to,rtt_ms\n\na,b", "line 3: 2 cells where the header has 3"),
            ("from,to,rtt_ms\na,b,1,2", "line 2: 4 cells where the header has 3"),
            ("from,to,rtt_ms\na,,1", "line 2: the site of column 2 has no name"),
            ("from,to,rtt_ms\na,b,", "line 2: from `a` to `b`: the delay is missing"),
            ("from,to,rtt_ms\na,b,-1", "line 2: from `a` to `b`: `-1` is negative"),
            ("from,to,rtt_ms\na,b,NaN", "line 2: from `a` to `b`: `NaN` is not a finite number"),
            ("from,to,rtt_ms\na,b,inf", "line 2: from `a` to `b`: `inf` is not a finite number"),
            ("from,to,rtt_ms\na,b,5ms", "line 2: from `a` to `b`: `5ms` is not a number"),
            ("from,to,rtt_ms\na,b,3600001", "line 2: from `a` to `b`: `3600001` ms is more than an hour"),
            ("from,to,rtt_ms\na,b,1\nb,a,2\n# again\na,b,3", "line 5: from `a` to `b`: 3 ms here, but 1 ms in line 2"),
            (",a,b,a\n", "line 1: the site `a` comes twice"),
            (",a,,b\n", "line 1: the site of column 3 has no name"),
            (",a,b\na,0,1", "line 2: 1 rows for 2 columns: the matrix is not square"),
            (",a,b\n", "line 1: 0 rows for 2 columns: the matrix is not square"),
            (",a,b\na,0,1\nb,1,0\nc,1,1", "line 4: 3 rows for 2 columns: the matrix is not square"),
            (",a,b\nb,1,0\na,0,1", "line 2: the row of `b` stands where that of `a` belongs"),
            (",a,b\na,0,1\nb,1", "line 3: 2 cells where the header has 3"),
            (",a,b\na,0,\nb,1,0", "line 2: from `a` to `b`: the delay is missing"),
            (",a,b\na,0,1\nb,-1,0", "line 3: from `b` to `a`: `-1` is negative"),
        ] {
            let error = SiteTable::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
        }
        let many: Vec<String> = (0..=SiteTable::MOST_SITES).map(|site| format!("a,{site},1")).collect();
        let error = SiteTable::parse(&format!("from,to,rtt_ms\n{}", many.join("\n"))).unwrap_err();
        assert_eq!(error.problem, TableProblem::TooMany);
    }

    #[test]
    fn a_part_of_a_table_is_a_table() {
        let mut table = SiteTable::parse("from,to,rtt_ms\na,b,20\nb,c,40\nc,a,60").unwrap();
        let part = table.only(["c", "a"]);
        assert_eq!(part.names(), ["c", "a"]);
        assert_eq!((us(&part, "c", "a"), us(&part, "a", "a")), (Some(30_000), None));
        table.set_within(Span::from_millis(1));
        assert_eq!((us(&table, "b", "b"), us(&table, "b", "c")), (Some(1000), Some(20_000)));
    }
}
