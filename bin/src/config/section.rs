//! Typed reading of a [`Document`](super::Document): one table, its keys one by one, and a complaint about every key
//! that nobody asked for.
//!
//! A checked configuration is a straight list of such lines, each with the values a key takes and its default:
//!
//! ```
//! use byzlab::config::{ConfigError, Document, duration, integer, word};
//!
//! # fn main() -> Result<(), ConfigError> {
//! let document = Document::parse("tutorial.toml", "[cluster]\nreplicas = 10\n[workload]\nmode = 'open'")?;
//! let root = document.root();
//!
//! let cluster = root.section("cluster")?;
//! let replicas = cluster.or("replicas", integer(1..=65_000), 4)?;
//! let faults = cluster.or("faults", integer(0..replicas), (replicas - 1) / 3)?;
//!
//! let workload = root.section("workload")?;
//! let open = workload.or("mode", word([("closed", false), ("open", true)]), false)?;
//! let timeout = workload.optional("client_timeout", duration())?;
//!
//! root.finish()?; // unknown keys, here and in every section below
//! # assert_eq!((replicas, faults, open, timeout), (10, 3, true, None));
//! # Ok(())
//! # }
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::rc::Rc;

use super::error::{ConfigError, Origin, nearest, shorten};
use super::kind::{Kind, Problem};
use super::value::{Located, Table, Value, join, quoted_key};

/// One table being read, possibly one that the file leaves out.
///
/// Each question records its key as known, also in another `Section` of the same table: several readers may share one
/// table, each asking for its own keys. [`finish`](Self::finish) then complains about the keys that are left.
#[derive(Debug)]
pub struct Section<'a> {
    path: String,
    table: Option<&'a Table>,
    origin: Origin,
    asked: Rc<RefCell<Asked>>,
}

/// The keys asked for, by the path of their table. A path is missing when nobody opened it as a table.
type Asked = BTreeMap<String, Vec<String>>;

impl<'a> Section<'a> {
    pub(super) fn root(root: &'a Located) -> Self {
        Self::open(String::new(), Some(root), &root.origin, &Rc::default())
    }

    fn open(path: String, located: Option<&'a Located>, outer: &Origin, asked: &Rc<RefCell<Asked>>) -> Self {
        asked.borrow_mut().entry(path.clone()).or_default();
        let table = match located.map(|located| &located.value) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        };
        Self { path, table, origin: located.map_or(outer, |located| &located.origin).clone(), asked: Rc::clone(asked) }
    }

    /// The dotted path of this table, empty for the whole file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where this table begins; of a table that is left out, where the table around it begins.
    pub fn place(&self) -> &Origin {
        &self.origin
    }

    /// Whether the table is written at all.
    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// The keys that are set, in the order of the file. It marks none of them as known.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.entries().iter().map(|(key, _)| key.as_str())
    }

    /// Where the value of a key came from; [`Origin::Default`] when it is not set.
    pub fn origin(&self, key: &str) -> Origin {
        self.find(key).map_or(Origin::Default, |located| located.origin.clone())
    }

    /// Whether a key is set, to a table: for keys that take a short form and a long one.
    pub fn is_table(&self, key: &str) -> bool {
        matches!(self.ask(key), Some(located) if matches!(located.value, Value::Table(_)))
    }

    /// A table within this one; an empty one when it is left out.
    pub fn section(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        let located = self.ask(key);
        if let Some(located) = located.filter(|found| !matches!(found.value, Value::Table(_))) {
            let path = join(&self.path, key);
            return Err(self
                .complain(key, located, format_args!("this is {}", located.value.describe()))
                .allowed(format_args!("a table: `[{path}]` or `{} = {{ … }}`", quoted_key(key))));
        }
        let path = join(&self.path, key);
        Ok(Self::open(path, located, &self.origin, &self.asked))
    }

    /// A table within this one, if it is there.
    pub fn optional_section(&self, key: &str) -> Result<Option<Section<'a>>, ConfigError> {
        let section = self.section(key)?;
        Ok(section.is_present().then_some(section))
    }

    /// The tables of an array of tables (`[[key]]`, or a list of inline ones); none when it is left out.
    pub fn sections(&self, key: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        let Some(located) = self.ask(key) else {
            return Ok(Vec::new());
        };
        let path = join(&self.path, key);
        let wrong = |subject: &str, located: &Located| {
            let found = format!("this is {}", located.value.describe());
            complaint(subject, located, found).allowed(format_args!("a list of tables, each written `[[{path}]]`"))
        };
        match &located.value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    match item.value {
                        Value::Table(_) => Ok(Self::open(path, Some(item), &self.origin, &self.asked)),
                        _ => Err(wrong(&path, item)),
                    }
                })
                .collect(),
            Value::Table(_) => Err(wrong(&path, located).hint("write two brackets on each side")),
            _ => Err(wrong(&path, located)),
        }
    }

    /// The raw value of a key, for a key whose value has no type of its own, as a point of a sweep.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.ask(key).map(|located| &located.value)
    }

    /// As [`value`](Self::value), but without marking the key as known: for a look ahead at how something is written.
    pub(super) fn peek(&self, key: &str) -> Option<&'a Value> {
        self.find(key).map(|located| &located.value)
    }

    /// The value of a key, if it is set.
    pub fn optional<T>(&self, key: &str, kind: Kind<'_, T>) -> Result<Option<T>, ConfigError> {
        let Some(located) = self.ask(key) else {
            return Ok(None);
        };
        match (kind.read)(&located.value) {
            Ok(value) => Ok(Some(value)),
            Err(problem) => Err(self.explain(key, located, problem, kind.wanted)),
        }
    }

    /// The value of a key, or its default.
    pub fn or<T>(&self, key: &str, kind: Kind<'_, T>, default: T) -> Result<T, ConfigError> {
        Ok(self.optional(key, kind)?.unwrap_or(default))
    }

    /// The value of a key that must be set.
    pub fn required<T>(&self, key: &str, kind: Kind<'_, T>) -> Result<T, ConfigError> {
        let wanted = kind.wanted.clone();
        self.optional(key, kind)?.ok_or_else(|| {
            let message = format!("`{}` is missing", join(&self.path, key));
            ConfigError::new(self.origin.clone(), message)
                .allowed(wanted)
                .hint(format_args!("add `{} = …`", quoted_key(key)))
        })
    }

    /// An error for a check across keys. It points to the key's own line, or to the table when the key is not set or
    /// is `""`.
    pub fn error_at(&self, key: &str, problem: impl Display, remedy: impl Display) -> ConfigError {
        let error = if let Some(located) = self.find(key) {
            self.complain(key, located, problem)
        } else {
            let subject = match (key, self.path.as_str()) {
                ("", "") => String::new(),
                ("", path) => format!("{path}: "),
                (key, path) => format!("{}: ", join(path, key)),
            };
            ConfigError::new(self.origin.clone(), format_args!("{subject}{problem}"))
        };
        error.hint(remedy)
    }

    /// Complains about the first key, in this table or in one read from it, that nobody asked for.
    pub fn finish(self) -> Result<(), ConfigError> {
        let asked = self.asked.borrow();
        check_table(self.entries(), &self.path, &asked)
    }

    fn entries(&self) -> &'a [(String, Located)] {
        self.table.map_or(&[], |table| &table.entries)
    }

    fn find(&self, key: &str) -> Option<&'a Located> {
        self.table?.get(key)
    }

    fn ask(&self, key: &str) -> Option<&'a Located> {
        let mut asked = self.asked.borrow_mut();
        let keys = asked.entry(self.path.clone()).or_default();
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
        self.find(key)
    }

    fn complain(&self, key: &str, located: &Located, problem: impl Display) -> ConfigError {
        complaint(&join(&self.path, key), located, problem)
    }

    /// Turns a problem, perhaps within a list, into an error with its place.
    fn explain(&self, key: &str, mut located: &Located, problem: Problem, wanted: String) -> ConfigError {
        let mut path = join(&self.path, key);
        for &index in &problem.within {
            if let Value::List(items) = &located.value {
                let Some(item) = items.get(index) else { break };
                located = item;
                path = format!("{path}[{index}]");
            }
        }
        let error = complaint(&path, located, problem.text).allowed(problem.allowed.unwrap_or(wanted));
        match problem.hint {
            Some(hint) => error.hint(for_shell(hint, &located.origin)),
            None => error,
        }
    }
}

/// A shell takes the quotes of `--set name="7"` for its own, so that the hint to write them would lead nowhere.
fn for_shell(hint: String, origin: &Origin) -> String {
    match (origin, hint.strip_prefix("write ")) {
        (Origin::Set { .. }, Some(quoted)) if quoted.starts_with('"') && quoted.ends_with('"') => {
            format!("{hint}, for a shell '{quoted}'")
        }
        _ => hint,
    }
}

fn complaint(path: &str, located: &Located, problem: impl Display) -> ConfigError {
    let value = shorten(&located.value.to_string());
    ConfigError::new(located.origin.clone(), format_args!("{path} = {value}: {problem}"))
}

fn check_table(entries: &[(String, Located)], path: &str, asked: &Asked) -> Result<(), ConfigError> {
    let Some(known) = asked.get(path) else {
        return Ok(());
    };
    for (key, located) in entries {
        let full = join(path, key);
        if !known.contains(key) {
            let message = format!("unknown key `{full}`");
            return Err(ConfigError::new(located.origin.clone(), message).hint(
                match (nearest(key, known.iter().map(String::as_str)), known.as_slice()) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, []) => "no key is known here; remove it".to_owned(),
                    (None, known) => format!("the keys here are {}", known.join(", ")),
                },
            ));
        }
        match &located.value {
            Value::Table(table) => check_table(&table.entries, &full, asked)?,
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Table(table) = &item.value {
                        check_table(&table.entries, &format!("{full}[{index}]"), asked)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "section_tests.rs"]
mod tests;
