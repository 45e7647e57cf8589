//! Conditions on the columns of a table, such as `adversary.count >= 2`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A condition on one column, written `COLUMN OPERATOR VALUE`; operators are `=`, `!=`, `<`, `<=`, `>`, `>=`.
///
/// Numbers are compared as numbers (`1` equals `1.0`; whole numbers exactly, also beyond 2⁵³), everything else only for
/// equality, as text. A value in quotes is text, whatever it looks like; so may a column be quoted whose name holds an
/// operator. Spaces around column, operator, value and field do not count. A field without content is smaller or greater
/// than nothing: it meets none of `<`, `<=`, `>`, `>=`.
///
/// ```
/// use byzlab_analysis::table::Condition;
/// let condition: Condition = "adversary.count >= 2".parse()?;
/// assert_eq!(condition.column(), "adversary.count");
/// assert!(condition.holds("10")?);
/// assert!(!condition.holds("1.5")?);
///
/// let condition: Condition = "outcome != completed".parse()?;
/// assert!(condition.matches(|column| (column == "outcome").then_some("timeout"))?);
/// # Ok::<(), byzlab_analysis::table::ConditionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    column: String,
    operator: Operator,
    value: String,
    /// The value as a number, if it is one.
    number: Option<Number>,
}

/// Why a condition means nothing, or cannot be decided.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ConditionError {
    /// It has no operator.
    #[error("the condition `{0}` has no operator; write COLUMN OPERATOR VALUE with one of = != < <= > >=")]
    NoOperator(String),
    /// It has no column.
    #[error("the condition `{0}` names no column; write COLUMN OPERATOR VALUE, for example `outcome = completed`")]
    NoColumn(String),
    /// A quote is not closed, or something follows it.
    #[error(
        "the condition `{0}` has a quote too many or too few; quote the whole column or the whole value, or neither"
    )]
    Quote(String),
    /// Greater or less than something that is no number.
    #[error("the condition `{condition}` compares with `{value}`, which is no number; use = or != for text")]
    NoNumber {
        /// The condition.
        condition: String,
        /// Its value.
        value: String,
    },
    /// The field is no number, but the condition compares numbers.
    #[error(
        "column `{column}` holds `{found}`, which is no number, but the condition `{condition}` compares numbers; \
             use = or != for text"
    )]
    Field {
        /// The condition.
        condition: String,
        /// Its column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// There is no such column.
    #[error("there is no column `{column}` for the condition `{condition}`; use one that is there")]
    UnknownColumn {
        /// The condition.
        condition: String,
        /// Its column.
        column: String,
    },
}

impl Condition {
    /// The column that it is about.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Whether it asks for one value: `=`.
    ///
    /// ```
    /// use byzlab_analysis::table::Condition;
    /// assert!("cell = 3".parse::<Condition>()?.is_equality());
    /// assert!(!"cell >= 3".parse::<Condition>()?.is_equality());
    /// # Ok::<(), byzlab_analysis::table::ConditionError>(())
    /// ```
    pub fn is_equality(&self) -> bool {
        self.operator == Operator::Equal
    }

    /// Whether a field of its column meets it.
    ///
    /// # Errors
    ///
    /// If numbers are compared and the field is none.
    pub fn holds(&self, field: &str) -> Result<bool, ConditionError> {
        let field = field.trim();
        let ordering = match (self.number, Number::parse(field)) {
            (Some(value), Some(number)) => Some(number.compare(value)),
            _ => None,
        };
        match (self.operator, ordering) {
            (operator, Some(ordering)) => Ok(operator.accepts(ordering)),
            (Operator::Equal, None) => Ok(field == self.value),
            (Operator::NotEqual, None) => Ok(field != self.value),
            _ if field.is_empty() => Ok(false),
            _ => Err(ConditionError::Field {
                condition: self.text.clone(),
                column: self.column.clone(),
                found: super::shorten(field),
            }),
        }
    }

    /// Whether a row meets it, given the row's value of a column, or `None` if there is no such column.
    ///
    /// # Errors
    ///
    /// If there is no such column, or as in [`holds`](Self::holds).
    pub fn matches<S: AsRef<str>>(&self, value_of: impl FnOnce(&str) -> Option<S>) -> Result<bool, ConditionError> {
        match value_of(&self.column) {
            Some(field) => self.holds(field.as_ref()),
            None => Err(ConditionError::UnknownColumn { condition: self.text.clone(), column: self.column.clone() }),
        }
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let text = text.trim();
        let (column, rest) = split_column(text)?;
        let (operator, rest) = Operator::split(rest).ok_or_else(|| ConditionError::NoOperator(text.to_owned()))?;
        if column.is_empty() {
            return Err(ConditionError::NoColumn(text.to_owned()));
        }
        let rest = rest.trim();
        let quoted = unquote(rest, text)?;
        let number = if quoted.is_some() { None } else { Number::parse(rest) };
        if number.is_none() && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Err(ConditionError::NoNumber { condition: text.to_owned(), value: rest.to_owned() });
        }
        let value = quoted.unwrap_or(rest).to_owned();
        Ok(Self { text: text.to_owned(), column: column.to_owned(), operator, value, number })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The column, and what follows it.
fn split_column(text: &str) -> Result<(&str, &str), ConditionError> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let (column, rest) = text[1..].split_once(quote).ok_or_else(|| ConditionError::Quote(text.to_owned()))?;
        return Ok((column, rest.trim_start()));
    }
    let end = text.find(['=', '!', '<', '>']).unwrap_or(text.len());
    let (column, rest) = text.split_at(end);
    Ok((column.trim_end(), rest))
}

/// What stands between quotes; `None` of text that begins with none.
fn unquote<'a>(value: &'a str, condition: &str) -> Result<Option<&'a str>, ConditionError> {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        return Ok(None);
    };
    let inner = value[1..].strip_suffix(quote).filter(|inner| !inner.contains(quote));
    inner.map(Some).ok_or_else(|| ConditionError::Quote(condition.to_owned()))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// The operator at the start of the text, and what follows it.
    fn split(text: &str) -> Option<(Self, &str)> {
        // Those of two characters first: `<` is the start of `<=`.
        let operators = [
            ("!=", Self::NotEqual),
            ("<=", Self::LessOrEqual),
            (">=", Self::GreaterOrEqual),
            ("==", Self::Equal),
            ("=", Self::Equal),
            ("<", Self::Less),
            (">", Self::Greater),
        ];
        operators.into_iter().find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
    }

    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A number as it stands in a file. Whole ones are kept as such: seeds have more digits than an `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    /// `None` of anything else, NaN too: it equals nothing.
    fn parse(text: &str) -> Option<Self> {
        // Words begin with a letter; this spares most texts both attempts.
        if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.iI".contains(first)) {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        text.parse().ok().filter(|real: &f64| !real.is_nan()).map(Self::Real)
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            (left, right) => left.real().partial_cmp(&right.real()).unwrap_or(Ordering::Equal),
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, field: &str) -> bool {
        condition.parse::<Condition>().unwrap().holds(field).unwrap()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(holds("x=1", "1.0"));
        assert!(holds("x = 1e3", " 1000 "));
        assert!(holds("x<10", "9"), "as text it would not be");
        assert!(holds("x <= -2.5", "-2.5") && holds("x >= -2.5", "-2.5"));
        assert!(!holds("x < -2.5", "-2.5") && !holds("x > -2.5", "-2.5"));
        assert!(holds("x > 1e300", "inf"));
    }

    #[test]
    fn whole_numbers_are_compared_exactly() {
        assert!(holds("seed = 18446744073709551615", "18446744073709551615"));
        assert!(!holds("seed = 18446744073709551615", "18446744073709551614"), "the same as an f64");
    }

    #[test]
    fn text_is_compared_for_equality() {
        assert!(holds("outcome=completed", "completed"));
        assert!(holds("outcome != completed", ""));
        assert!(holds("outcome =", ""));
        assert!(holds("name = 'a = b'", "a = b"));
        assert!(!holds("version = '1'", "1.0"), "quoted numbers are text");
        assert!(holds("\"a<b\" = 2", "2"));
        assert!(holds("x = nan", "nan") && holds("x != 1", "nan"));
    }

    #[test]
    fn nothing_is_neither_less_nor_greater() {
        assert!(!holds("x < 1", "") && !holds("x >= 1", " "));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let error = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
        assert!(error("outcome").contains("no operator"));
        assert!(error("outcome ! completed").contains("no operator"));
        assert!(error("").contains("no operator"));
        assert!(error(" = 3").contains("names no column"));
        assert!(error("x < few").contains("`few`, which is no number"));
        assert!(error("x < '3'").contains("no number"));
        assert!(error("x = 'a").contains("quote"));
        assert!(error("'x = 3").contains("quote"));
        let condition: Condition = "x < 3".parse().unwrap();
        assert!(condition.holds("few").unwrap_err().to_string().contains("column `x` holds `few`"));
        assert!(condition.matches(|_| None::<&str>).unwrap_err().to_string().contains("no column `x`"));
    }
}
