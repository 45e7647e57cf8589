//! The values of TOML, each with the place it came from, and how they and their keys are written.

use std::fmt;

use super::error::Origin;

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// A TOML value. `Display` writes it as TOML, on one line.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer, wide enough for all of `u64` and `i64`.
    Integer(i128),
    /// A decimal number, possibly infinite or not a number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or a time, as written. No key takes one.
    Date(String),
    /// An array, also of tables.
    List(Vec<Located>),
    /// A table, in the order of the file.
    Table(Table),
}

impl Value {
    /// What it is, in the words of an error.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Boolean(_) => "a boolean",
            Self::Date(_) => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// The same value, it and all in it from another place.
    pub(super) fn moved_to(self, origin: &Origin) -> Located {
        let value = match self {
            Self::List(items) => Self::List(items.into_iter().map(|item| item.value.moved_to(origin)).collect()),
            Self::Table(table) => Self::Table(Table {
                entries: table.entries.into_iter().map(|(key, entry)| (key, entry.value.moved_to(origin))).collect(),
            }),
            scalar => scalar,
        };
        Located { value, origin: origin.clone() }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(out, text),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) if number.is_nan() => write!(out, "nan"),
            Self::Float(number) => write!(out, "{number:?}"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Date(text) => write!(out, "{text}"),
            Self::List(items) => {
                write!(out, "[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(out, "{}{}", if index > 0 { ", " } else { "" }, item.value)?;
                }
                write!(out, "]")
            }
            Self::Table(table) if table.entries.is_empty() => write!(out, "{{}}"),
            Self::Table(table) => {
                for (index, (key, entry)) in table.entries.iter().enumerate() {
                    let before = if index > 0 { ", " } else { "{ " };
                    write!(out, "{before}{} = {}", quoted_key(key), entry.value)?;
                }
                write!(out, " }}")
            }
        }
    }
}

/// A table: its keys in the order of the file, overrides that are new after them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub(super) entries: Vec<(String, Located)>,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Located> {
        self.entries.iter().find_map(|(name, entry)| (name == key).then_some(entry))
    }

    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(name, _)| name == key)
    }
}

fn write_quoted(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\n' => out.write_str("\\n")?,
            '\t' => out.write_str("\\t")?,
            '\r' => out.write_str("\\r")?,
            other if other.is_control() => write!(out, "\\u{:04X}", u32::from(other))?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

/// A key as it stands in a path: bare where TOML allows it.
pub(super) fn quoted_key(key: &str) -> String {
    if !key.is_empty() && key.chars().all(is_bare) {
        return key.to_owned();
    }
    let mut quoted = String::new();
    // Writing to a string cannot fail.
    let _ = write_quoted(&mut quoted, key);
    quoted
}

/// Whether a key may hold this character without quotes.
pub(super) fn is_bare(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// The path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { quoted_key(key) } else { format!("{path}.{}", quoted_key(key)) }
}
