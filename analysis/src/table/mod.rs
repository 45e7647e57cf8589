//! Any table: figures of a column of a CSV file, whoever wrote it.

mod condition;

pub use condition::{Condition, ConditionError};

/// At most 100 characters, for messages.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
