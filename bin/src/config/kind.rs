//! What values a key takes: whole numbers, numbers, words, lists, … and what is wrong with any other value.

use std::fmt::{self, Display};
use std::ops::{Bound, RangeBounds};

use super::error::nearest;
use super::value::{Located, Value};

/// What values a key takes and what becomes of them: [`integer`], [`duration`](super::duration), [`word`], [`list`], …
pub struct Kind<'k, T> {
    pub(super) wanted: String,
    pub(super) read: Read<'k, T>,
}

pub(super) type Read<'k, T> = Box<dyn Fn(&Value) -> Result<T, Problem> + 'k>;

impl<T> fmt::Debug for Kind<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Kind({})", self.wanted)
    }
}

impl<'k, T: 'k> Kind<'k, T> {
    /// A kind of one's own. `wanted` says what is allowed, as in "a whole number from 1 to 9".
    pub fn new(wanted: impl Into<String>, read: impl Fn(&Value) -> Result<T, Problem> + 'k) -> Self {
        Self { wanted: wanted.into(), read: Box::new(read) }
    }

    /// The same values, turned into something else.
    pub fn map<U: 'k>(self, change: impl Fn(T) -> U + 'k) -> Kind<'k, U> {
        let read = self.read;
        Kind::new(self.wanted, move |value| read(value).map(&change))
    }

    /// Those values that `check` turns into something.
    pub fn check<U: 'k>(self, check: impl Fn(T) -> Result<U, Problem> + 'k) -> Kind<'k, U> {
        let read = self.read;
        Kind::new(self.wanted, move |value| check(read(value)?))
    }

    /// Those values that lie in a range.
    #[must_use]
    pub fn within(self, range: impl RangeBounds<T> + 'k) -> Self
    where
        T: PartialOrd + Clone + Display,
    {
        let range = bounds(&range);
        let wanted = format!("{}{}", self.wanted, describe(&range));
        let read = self.read;
        Kind::new(wanted, move |value| {
            let value = read(value)?;
            hold(&value, &range)?;
            Ok(value)
        })
    }

    /// These values, or else those of `other`. A value that is of neither type, or that only the first type fits, gets
    /// the first one's message.
    #[must_use]
    pub fn or(self, other: Kind<'k, T>) -> Self {
        let wanted = format!("{}; or {}", self.wanted, other.wanted);
        Kind::new(wanted, move |value| {
            (self.read)(value).or_else(|first| {
                (other.read)(value).map_err(|second| match (first.other_type, second.other_type) {
                    (true, false) => second,
                    _ => first,
                })
            })
        })
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{text}")]
pub struct Problem {
    pub(super) text: String,
    pub(super) hint: Option<String>,
    /// What would be allowed at the place within a list.
    pub(super) allowed: Option<String>,
    /// The indices that lead to the value, from the outermost list on.
    pub(super) within: Vec<usize>,
    other_type: bool,
}

impl Problem {
    /// One line that says what is wrong.
    pub fn new(text: impl Display) -> Self {
        Self { text: text.to_string(), hint: None, allowed: None, within: Vec::new(), other_type: false }
    }

    /// The value is of another type.
    pub fn other_type(found: &Value) -> Self {
        Self { other_type: true, ..Self::new(format_args!("this is {}", found.describe())) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The value is text where a number is wanted: perhaps only the quotes are too much.
    fn quoted(value: &Value) -> Self {
        match value {
            Value::Text(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                Self::other_type(value).hint(format_args!("write {} without quotes", text.trim()))
            }
            _ => Self::other_type(value),
        }
    }
}

/// The integer types that [`integer`] reads.
pub trait Whole: Copy + PartialOrd + Display + TryFrom<i128> + 'static {
    /// The type's least value.
    const LEAST: Self;
    /// The type's greatest value.
    const GREATEST: Self;
}

macro_rules! whole {
    ($($integer:ty)*) => {
        $(impl Whole for $integer {
            const LEAST: Self = Self::MIN;
            const GREATEST: Self = Self::MAX;
        })*
    };
}
whole!(u8 u16 u32 u64 usize i8 i16 i32 i64);

/// A whole number in a range.
pub fn integer<N: Whole>(range: impl RangeBounds<N>) -> Kind<'static, N> {
    let mut range = bounds(&range);
    if let (Bound::Unbounded, "0") = (&range.0, N::LEAST.to_string().as_str()) {
        range.0 = Bound::Included(N::LEAST);
    }
    let wanted = format!("a whole number{}", describe(&range));
    Kind::new(wanted, move |value| {
        let Value::Integer(number) = *value else {
            return Err(match value {
                Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                    Problem::other_type(value).hint(format_args!("write {number}"))
                }
                _ => Problem::quoted(value),
            });
        };
        let number = N::try_from(number).map_err(|_| match (number, &range.0, &range.1) {
            (..0, Bound::Unbounded, _) => Problem::new(format_args!("below {}", N::LEAST)),
            (..0, _, _) => Problem::new("too small"),
            (_, _, Bound::Unbounded) => Problem::new(format_args!("above {}", N::GREATEST)),
            _ => Problem::new("too large"),
        })?;
        hold(&number, &range)?;
        Ok(number)
    })
}

/// A finite number in a range; a whole one needs no decimal point.
pub fn number(range: impl RangeBounds<f64>) -> Kind<'static, f64> {
    let range = bounds(&range);
    let wanted = format!("a finite number{}", describe(&range));
    Kind::new(wanted, move |value| {
        let number = match *value {
            Value::Integer(number) => number as f64,
            Value::Float(number) if number.is_finite() => number,
            Value::Float(_) => return Err(Problem::new("this is not a finite number")),
            _ => return Err(Problem::quoted(value)),
        };
        hold(&number, &range)?;
        Ok(number)
    })
}

/// `true` or `false`.
pub fn boolean() -> Kind<'static, bool> {
    Kind::new("true or false", |value| match value {
        Value::Boolean(value) => Ok(*value),
        Value::Text(text) if matches!(text.as_str(), "true" | "false") => {
            Err(Problem::other_type(value).hint(format_args!("write {text} without quotes")))
        }
        _ => Err(Problem::other_type(value)),
    })
}

/// Any text.
pub fn text() -> Kind<'static, String> {
    Kind::new("text in quotes", |value| match value {
        Value::Text(text) => Ok(text.clone()),
        Value::List(_) | Value::Table(_) => Err(Problem::other_type(value)),
        scalar => Err(Problem::other_type(value).hint(format_args!("write \"{scalar}\""))),
    })
}

/// One of some words, each with what it stands for.
pub fn word<'k, T: Clone + 'k>(words: impl IntoIterator<Item = (&'k str, T)>) -> Kind<'k, T> {
    let words: Vec<_> = words.into_iter().collect();
    let quoted: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    Kind::new(quoted.join(" or "), move |value| {
        let Value::Text(text) = value else {
            return Err(Problem::other_type(value));
        };
        let known = || words.iter().map(|(word, _)| *word);
        match words.iter().find(|(word, _)| word == text) {
            Some((_, meaning)) => Ok(meaning.clone()),
            None => Err(match nearest(text, known()) {
                Some(near) => Problem::new("unknown word").hint(format_args!("did you mean \"{near}\"?")),
                None => Problem::new("unknown word"),
            }),
        }
    })
}

/// A list, possibly empty, of values of one kind.
pub fn list<'k, T: 'k>(item: Kind<'k, T>) -> Kind<'k, Vec<T>> {
    Kind::new(format!("a list of: {}", item.wanted), move |value| {
        let Value::List(items) = value else {
            return Err(Problem::other_type(value));
        };
        let read = |(index, located): (usize, &Located)| {
            (item.read)(&located.value).map_err(|mut problem| {
                problem.within.insert(0, index);
                problem.allowed.get_or_insert_with(|| item.wanted.clone());
                problem.other_type = false;
                problem
            })
        };
        items.iter().enumerate().map(read).collect()
    })
}

type Limits<T> = (Bound<T>, Bound<T>);

fn bounds<T: Clone>(range: &impl RangeBounds<T>) -> Limits<T> {
    (range.start_bound().cloned(), range.end_bound().cloned())
}

fn hold<T: PartialOrd>(value: &T, (lower, upper): &Limits<T>) -> Result<(), Problem> {
    let high_enough = match lower {
        Bound::Included(least) => value >= least,
        Bound::Excluded(limit) => value > limit,
        Bound::Unbounded => true,
    };
    let low_enough = match upper {
        Bound::Included(greatest) => value <= greatest,
        Bound::Excluded(limit) => value < limit,
        Bound::Unbounded => true,
    };
    match (high_enough, low_enough) {
        (false, _) => Err(Problem::new("too small")),
        (_, false) => Err(Problem::new("too large")),
        _ => Ok(()),
    }
}

/// A range in words, to stand behind what it limits.
fn describe<T: Display>((lower, upper): &Limits<T>) -> String {
    let least = match lower {
        Bound::Included(least) => Some(format!("at least {least}")),
        Bound::Excluded(limit) => Some(format!("above {limit}")),
        Bound::Unbounded => None,
    };
    let most = match upper {
        Bound::Included(greatest) => Some(format!("at most {greatest}")),
        Bound::Excluded(limit) => Some(format!("below {limit}")),
        Bound::Unbounded => None,
    };
    match (lower, upper, least, most) {
        (Bound::Included(least), Bound::Included(greatest), ..) => {
            format!(" from {least} to {greatest}")
        }
        (_, _, Some(least), Some(most)) => format!(", {least} and {most}"),
        (_, _, Some(limit), None) | (_, _, None, Some(limit)) => format!(", {limit}"),
        _ => String::new(),
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
