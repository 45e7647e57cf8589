//! What is wrong with a configuration: where, what, what would be allowed and what to do.

use std::fmt;
use std::sync::Arc;

/// Where a value came from: what an error shows first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file: `tutorial.toml:12`.
    File {
        /// The file, as the user named it.
        path: Arc<str>,
        /// Counted from 1; 0 stands for the file as a whole.
        line: usize,
    },
    /// An override of the command line: `--set adversary.count=3`.
    Set {
        /// What follows `--set`.
        argument: Arc<str>,
    },
    /// One point on an axis of a sweep: `tutorial.toml:40 ([sweep] adversary.count = 3)`.
    Sweep {
        /// The file, as the user named it.
        path: Arc<str>,
        /// Where the axis stands.
        line: usize,
        /// The swept key.
        key: Arc<str>,
        /// The value of this point, as in TOML.
        value: Arc<str>,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0 } => write!(out, "{path}"),
            Self::File { path, line } => write!(out, "{path}:{line}"),
            Self::Set { argument } => write!(out, "--set {argument}"),
            Self::Sweep { path, line, key, value } => write!(out, "{path}:{line} ([sweep] {key} = {value})"),
            Self::Default => write!(out, "default"),
        }
    }
}

/// Something in a configuration is wrong. `Display` is the whole message, over several lines: where, what, what would
/// be allowed, what to do. It begins with the place; whoever prints it puts `error: ` before it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigError(Box<Complaint>);

#[derive(Debug, Clone, PartialEq)]
struct Complaint {
    origin: Origin,
    message: String,
    allowed: Option<String>,
    hint: Option<String>,
}

impl ConfigError {
    /// An error at a place, with one line that says what is wrong.
    pub fn new(origin: Origin, message: impl fmt::Display) -> Self {
        Self(Box::new(Complaint { origin, message: message.to_string(), allowed: None, hint: None }))
    }

    /// Adds what would be allowed.
    #[must_use]
    pub fn allowed(mut self, allowed: impl fmt::Display) -> Self {
        self.0.allowed = Some(allowed.to_string());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.0.hint = Some(hint.to_string());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.0.origin, self.0.message)?;
        for (label, line) in [("allowed", &self.0.allowed), ("hint", &self.0.hint)] {
            if let Some(line) = line {
                write!(out, "\n  {label}: {line}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// At most 60 characters of a text.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The known word that `word` is most likely a slip of, if one is near.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // Comparing takes time by the product of the lengths, and nobody types a slip of this length.
    if word.len() > 64 {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let word = plain(word);
    known
        .map(|near| (strsim::damerau_levenshtein(&word, &plain(near)), near))
        .filter(|(distance, near)| *distance <= (near.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, near)| near)
}
