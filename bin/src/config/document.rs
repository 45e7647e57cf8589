//! A TOML file as a tree in which every value knows where it came from.
//!
//! ```text
//! file ──parse──► Document ◄──set── --set key=value
//!                    │     ◄──set_value── [sweep]
//!                    └──root──► Section: typed reading, see `section.rs`
//! ```
//!
//! Nothing is checked here but TOML itself. What a key means, which values it takes and which keys exist is asked by
//! whoever reads the [`Section`]s.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin, shorten};
use super::section::Section;
use super::value::{Located, Table, Value, is_bare, join};

/// The most segments a dotted key may have. Together with the parser's own limit on nested values it bounds the
/// depth of every tree, so that walking one never exhausts the stack.
const DEEPEST_KEY: usize = 16;

/// A configuration as written, before anybody has asked what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    root: Located,
}

impl Document {
    /// Reads TOML. `name` is the file as errors show it.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let source = Source::new(name, text);
        source.check_depth()?;
        let tree = DeTable::parse(text).map_err(|error| source.syntax_error(&error))?;
        let root = Located { value: Value::Table(source.table(tree.get_ref())?), origin: source.origin(None) };
        Ok(Self { root })
    }

    /// Applies one `--set key=value`; `argument` is what follows `--set`.
    ///
    /// The key is a dotted path as in TOML; an element of a list is named by its index, `attack.0.kind` or
    /// `attack[0].kind`, and the index after the last appends. Tables on the way are made where they are missing. The
    /// value is TOML, and what is no TOML is taken as text, so that `mean=5ms` needs no quotes within quotes.
    pub fn set(&mut self, argument: &str) -> Result<(), ConfigError> {
        let origin = Origin::Set { argument: argument.into() };
        let (steps, rest) =
            split_path(argument).map_err(|problem| ConfigError::new(origin.clone(), problem).hint(HOW_TO_SET))?;
        let Some(text) = rest.strip_prefix('=') else {
            let message = "there is no `=` between key and value";
            return Err(ConfigError::new(origin, message).hint(HOW_TO_SET));
        };
        let value = parse_override(text.trim(), &origin)?;
        self.place(&steps, value, &origin)
    }

    /// Sets one key, a dotted path as in [`set`](Self::set), to a value made elsewhere: a point of a sweep.
    pub fn set_value(&mut self, key: &str, value: Value, origin: &Origin) -> Result<(), ConfigError> {
        let steps = match split_path(key) {
            Ok((steps, "")) => steps,
            Ok((_, rest)) => {
                let message = format!("`{key}` is not a key: `{rest}` is too much");
                return Err(ConfigError::new(origin.clone(), message));
            }
            Err(problem) => return Err(ConfigError::new(origin.clone(), problem)),
        };
        self.place(&steps, value, origin)
    }

    /// The whole file, to be read.
    pub fn root(&self) -> Section<'_> {
        Section::root(&self.root)
    }

    fn place(&mut self, steps: &[String], value: Value, origin: &Origin) -> Result<(), ConfigError> {
        let mut here = &mut self.root;
        let mut path = String::new();
        for step in steps {
            let empty = Located { value: Value::Table(Table::default()), origin: origin.clone() };
            let error = |message: String| ConfigError::new(origin.clone(), message);
            here = match &mut here.value {
                Value::Table(table) => {
                    path = join(&path, step);
                    let position = table.position(step).unwrap_or_else(|| {
                        table.entries.push((step.clone(), empty));
                        table.entries.len() - 1
                    });
                    &mut table.entries[position].1
                }
                Value::List(items) => {
                    let count = items.len();
                    let Some(index) = step.parse().ok().filter(|&index: &usize| index <= count) else {
                        let message = format!("`{path}` has no element `{step}`");
                        return Err(error(message)
                            .allowed(format_args!("an index from 0 to {count}, counted from 0; {count} appends")));
                    };
                    if index == count {
                        items.push(empty);
                    }
                    path = format!("{path}[{index}]");
                    &mut items[index]
                }
                other => {
                    let message = format!("`{path}` is {}, so it has no key `{step}`", other.describe());
                    return Err(error(message).hint(format_args!("set `{path}` as a whole")));
                }
            };
        }
        *here = value.moved_to(origin);
        Ok(())
    }
}

const HOW_TO_SET: &str = "write for example `--set adversary.count=3`";

/// Splits a dotted path off the front; the rest is empty or starts with `=`.
fn split_path(text: &str) -> Result<(Vec<String>, &str), String> {
    let mut steps = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let end = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                quoted_end(rest, quote).ok_or_else(|| format!("the quote `{quote}` in the key is not closed"))?
            }
            _ => rest.find(|character| !is_bare(character)).unwrap_or(rest.len()),
        };
        let (step, after) = rest.split_at(end);
        steps.push(match DeValue::parse(step) {
            _ if step.is_empty() => return Err("a part of the key is empty".to_owned()),
            Ok(value) if step.starts_with(['"', '\'']) => value.get_ref().as_str().unwrap_or(step).to_owned(),
            Err(error) if step.starts_with(['"', '\'']) => {
                return Err(format!("the key `{step}`: {}", error.message()));
            }
            _ => step.to_owned(),
        });
        rest = after.trim_start();
        while let Some(inside) = rest.strip_prefix('[') {
            let (index, after) =
                inside.split_once(']').ok_or_else(|| "the bracket `[` in the key is not closed".to_owned())?;
            steps.push(index.trim().to_owned());
            rest = after.trim_start();
        }
        if steps.len() > DEEPEST_KEY {
            return Err(format!("the key has more than {DEEPEST_KEY} parts"));
        }
        match rest.chars().next() {
            Some('.') => rest = rest[1..].trim_start(),
            None | Some('=') => return Ok((steps, rest)),
            Some(other) => return Err(format!("`{other}` cannot stand in a key without quotes")),
        }
    }
}

fn quoted_end(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quote == '"',
            _ if character == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

fn parse_override(text: &str, origin: &Origin) -> Result<Value, ConfigError> {
    let source = Source::new("", text);
    let wrong = |problem: &str| {
        let message = format!("the value `{text}` is not TOML: {problem}");
        ConfigError::new(origin.clone(), message)
    };
    source.check_depth().map_err(|_| wrong("it is nested too deeply"))?;
    match DeValue::parse(text) {
        Ok(value) => match source.value(value.get_ref(), origin.clone()) {
            Ok(located) => Ok(located.value),
            Err(_) => Err(wrong("a number in it is too large")),
        },
        // Nobody means text that starts like this: it is a list, a table or a string with a mistake in it.
        Err(error) if text.starts_with(['[', '{', '"', '\'']) => Err(wrong(&plain(&error))),
        Err(_) => Ok(Value::Text(text.to_owned())),
    }
}

/// The text of a file, its lines, and the way from the parser's tree to ours.
struct Source<'t> {
    name: Arc<str>,
    text: &'t str,
    line_ends: Vec<usize>,
}

impl<'t> Source<'t> {
    fn new(name: &str, text: &'t str) -> Self {
        Self { name: name.into(), text, line_ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|&end| end < offset) + 1
    }

    fn origin(&self, offset: Option<usize>) -> Origin {
        Origin::File { path: Arc::clone(&self.name), line: offset.map_or(0, |offset| self.line(offset)) }
    }

    /// Refuses keys with very many dots, before they become a very deep tree.
    fn check_depth(&self) -> Result<(), ConfigError> {
        use toml_parser::lexer::TokenKind as Kind;
        let mut dots = 0;
        for token in toml_parser::Source::new(self.text).lex() {
            match token.kind() {
                Kind::Dot => dots += 1,
                Kind::Atom | Kind::Whitespace | Kind::BasicString | Kind::LiteralString => {}
                _ => dots = 0,
            }
            if dots >= DEEPEST_KEY {
                let message = format!("a key has more than {DEEPEST_KEY} parts");
                return Err(ConfigError::new(self.origin(Some(token.span().start())), message));
            }
        }
        Ok(())
    }

    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span();
        // A string or a list that is not closed ends at the end of the line or of the file, not on the line after it.
        let offset = span.clone().map(|span| {
            let before = &self.text[..span.start.min(self.text.len())];
            if span.is_empty() { before.trim_end().len() } else { before.len() }
        });
        let line = offset.map_or(0, |offset| self.line(offset));
        let shown = self.text.lines().nth(line.wrapping_sub(1)).unwrap_or("");
        let message = match plain(error) {
            plain if shown.trim().is_empty() => format!("not valid TOML: {plain}"),
            plain => format!("not valid TOML: {plain}: `{}`", shorten(shown.trim())),
        };
        let complaint = ConfigError::new(self.origin(offset), message);
        let value = span.and_then(|span| self.text.get(span)).unwrap_or("");
        match error.message() {
            "duplicate key" => complaint.hint(format_args!("`{value}` is already set further up; keep one of the two")),
            message if message.starts_with("string values") && !value.trim().is_empty() => {
                complaint.hint(format_args!("write {} in quotes", Value::Text(value.trim().into())))
            }
            _ => complaint,
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Result<Table, ConfigError> {
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
            let origin = self.origin(Some(key.span().start));
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            Ok((name.clone().into_owned(), self.value(value.get_ref(), origin)?))
        };
        let entries = keys.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Table { entries })
    }

    fn value(&self, value: &DeValue<'_>, origin: Origin) -> Result<Located, ConfigError> {
        let value = match value {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix());
                Value::Integer(parsed.map_err(|_| {
                    let message = format!("the number {} is too large", shorten(number.as_str()));
                    ConfigError::new(origin.clone(), message)
                })?)
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Table(table) => Value::Table(self.table(table)?),
            DeValue::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| {
                        let origin = match origin {
                            Origin::File { .. } => self.origin(Some(item.span().start)),
                            _ => origin.clone(),
                        };
                        self.value(item.get_ref(), origin)
                    })
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Located { value, origin })
    }
}

/// The parser's message without the expectations that say nothing.
fn plain(error: &toml::de::Error) -> String {
    let message = error.message();
    [", expected nothing", ", expected literal string"]
        .iter()
        .find_map(|empty| message.strip_suffix(empty))
        .unwrap_or(message)
        .to_owned()
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
