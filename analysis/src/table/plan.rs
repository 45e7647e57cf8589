//! Which columns are needed, and what a row says.

use std::path::Path;

use super::condition::Condition;
use super::error::{RowProblem, TableError};
use super::{TableOptions, shorten};
use crate::statistics::Attempt;

/// Where the needed columns are, and what is asked of them.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    options: &'a TableOptions,
    pub(super) columns: usize,
    pub(super) delimiter: u8,
    /// The needed columns, rising. Everything below refers to places in this list.
    pub(super) needed: Vec<usize>,
    value: usize,
    pub(super) by: Vec<usize>,
    limit: Option<usize>,
    conditions: Vec<(usize, &'a Condition)>,
    failed: Vec<(usize, &'a Condition)>,
    never: Vec<(usize, &'a Condition)>,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It does not meet the conditions.
    Excluded,
    /// It has no value.
    Missing,
    Attempt(Attempt),
    /// It has a value, but that lies above the limit.
    AboveLimit(f64),
}

impl<'a> Plan<'a> {
    pub(super) fn new(header: &[String], path: &Path, options: &'a TableOptions) -> Result<Self, TableError> {
        let find = |name: &str| find_column(header, path, name);
        let all = |conditions: &'a [Condition]| -> Result<Vec<(usize, &'a Condition)>, TableError> {
            conditions.iter().map(|condition| Ok((find(condition.column())?, condition))).collect()
        };
        let mut plan = Self {
            options,
            columns: header.len(),
            delimiter: options.delimiter,
            needed: Vec::new(),
            value: find(&options.column)?,
            by: options.by.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
            limit: options.limit_column.as_deref().map(find).transpose()?,
            conditions: all(&options.conditions)?,
            failed: all(&options.failed)?,
            never: all(&options.never)?,
        };
        let conditions = plan.conditions.iter().chain(&plan.failed).chain(&plan.never).map(|(column, _)| *column);
        let mut needed: Vec<usize> = [plan.value].into_iter().chain(plan.limit).chain(conditions).collect();
        needed.extend(&plan.by);
        needed.sort_unstable();
        needed.dedup();
        let place = |column: &mut usize| *column = needed.partition_point(|it| it < column);
        place(&mut plan.value);
        plan.limit.iter_mut().chain(&mut plan.by).for_each(place);
        let conditions = plan.conditions.iter_mut().chain(&mut plan.failed).chain(&mut plan.never);
        conditions.for_each(|(column, _)| place(column));
        plan.needed = needed;
        Ok(plan)
    }

    /// Whether the field at the end of each row counts.
    pub(super) fn needs_last_column(&self) -> bool {
        self.needed.last().is_some_and(|&last| last + 1 == self.columns)
    }

    /// The name of a needed column to group by.
    pub(super) fn column_name(&self, place: usize) -> String {
        let index = self.by.iter().position(|it| *it == place);
        index.and_then(|index| self.options.by.get(index)).cloned().unwrap_or_default()
    }

    /// What a row says, given its needed fields.
    pub(super) fn judge<'f>(&self, field: impl Fn(usize) -> &'f [u8]) -> Result<Verdict, RowProblem> {
        for (column, condition) in &self.conditions {
            if !holds(condition, field(*column))? {
                return Ok(Verdict::Excluded);
            }
        }
        for (column, condition) in &self.never {
            if holds(condition, field(*column))? {
                return Ok(Verdict::Attempt(Attempt::Never));
            }
        }
        for (column, condition) in &self.failed {
            if holds(condition, field(*column))? {
                return self.failure(&field).map(Verdict::Attempt);
            }
        }
        match self.number(field(self.value))? {
            None if self.options.empty_is_failure => self.failure(&field).map(Verdict::Attempt),
            None => Ok(Verdict::Missing),
            Some(f64::INFINITY) => self.failure(&field).map(Verdict::Attempt),
            Some(value) => match self.limit_of(&field)? {
                Some(limit) if value > limit => Ok(Verdict::AboveLimit(limit)),
                _ => Ok(Verdict::Attempt(Attempt::Success(value))),
            },
        }
    }

    fn failure<'f>(&self, field: &impl Fn(usize) -> &'f [u8]) -> Result<Attempt, RowProblem> {
        let Some(column) = self.limit else {
            return Ok(self.options.limit.map_or(Attempt::Never, Attempt::Beyond));
        };
        match self.parse(field(column)) {
            Parsed::Number(limit) => Ok(Attempt::Beyond(limit)),
            Parsed::Infinite => Ok(Attempt::Never),
            _ => {
                let found = shorten(&String::from_utf8_lossy(field(column)));
                let column = self.options.limit_column.clone().unwrap_or_default();
                Err(RowProblem::NoLimit { column, found })
            }
        }
    }

    /// The limit that a value must keep. A success needs none in its row.
    fn limit_of<'f>(&self, field: &impl Fn(usize) -> &'f [u8]) -> Result<Option<f64>, RowProblem> {
        let Some(column) = self.limit else {
            return Ok(self.options.limit);
        };
        match self.parse(field(column)) {
            Parsed::Number(limit) => Ok(Some(limit)),
            Parsed::Infinite | Parsed::Nothing => Ok(None),
            problem => Err(problem.to_problem(self.options.limit_column.as_deref().unwrap_or_default(), field(column))),
        }
    }

    /// The value; `None` if there is none, +∞ for a failure.
    fn number(&self, field: &[u8]) -> Result<Option<f64>, RowProblem> {
        match self.parse(field) {
            Parsed::Number(value) => Ok(Some(value)),
            Parsed::Nothing => Ok(None),
            Parsed::Infinite => Ok(Some(f64::INFINITY)),
            problem => Err(problem.to_problem(&self.options.column, field)),
        }
    }

    /// A number, in the unit that is shown.
    fn parse(&self, field: &[u8]) -> Parsed {
        let field = field.trim_ascii();
        if field.is_empty() {
            return Parsed::Nothing;
        }
        let Some(text) = std::str::from_utf8(field).ok() else {
            return Parsed::Text;
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let scaled = number * self.options.scale;
                if scaled.is_finite() { Parsed::Number(scaled) } else { Parsed::TooLarge }
            }
            Ok(number) if number.is_nan() => Parsed::Nothing,
            // Digits mean a number beyond 1.8e308, not the word.
            Ok(number) if number > 0.0 && !text.bytes().any(|byte| byte.is_ascii_digit()) => Parsed::Infinite,
            Ok(_) => Parsed::TooLarge,
            Err(_) if self.options.missing.iter().any(|missing| missing == text) => Parsed::Nothing,
            Err(_) => Parsed::Text,
        }
    }
}

fn holds(condition: &Condition, field: &[u8]) -> Result<bool, RowProblem> {
    let text = std::str::from_utf8(field).map_err(|_| RowProblem::NotUtf8 { column: condition.column().to_owned() })?;
    Ok(condition.holds(text)?)
}

/// What a field that should be a number holds.
enum Parsed {
    Number(f64),
    Nothing,
    Infinite,
    TooLarge,
    Text,
}

impl Parsed {
    fn to_problem(&self, column: &str, field: &[u8]) -> RowProblem {
        let (column, found) = (column.to_owned(), shorten(&String::from_utf8_lossy(field)));
        match self {
            Self::TooLarge => RowProblem::NotFinite { column, found },
            _ => RowProblem::NoNumber { column, found },
        }
    }
}

fn find_column(header: &[String], path: &Path, name: &str) -> Result<usize, TableError> {
    let mut places = header.iter().enumerate().filter(|(_, column)| *column == name).map(|(index, _)| index);
    match (places.next(), places.next()) {
        (Some(index), None) => Ok(index),
        (Some(first), Some(second)) => Err(TableError::Ambiguous {
            path: path.to_owned(),
            column: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        (None, _) => Err(TableError::NoColumn {
            path: path.to_owned(),
            column: name.to_owned(),
            nearest: nearest(header, name),
            columns: header.to_vec(),
        }),
    }
}

/// The column whose name differs least, if it differs in at most half of it.
fn nearest(header: &[String], name: &str) -> Option<String> {
    let wanted = name.to_lowercase();
    let distances = header.iter().map(|column| (edit_distance(&column.to_lowercase(), &wanted), column));
    let (distance, column) = distances.min_by_key(|(distance, _)| *distance)?;
    (2 * distance <= name.chars().count()).then(|| column.clone())
}

/// Least number of characters to insert, delete or replace. Source: Levenshtein 1966; Wagner & Fischer 1974.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, character) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (index, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[right.len()]
}
