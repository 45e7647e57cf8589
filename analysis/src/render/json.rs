//! JSON: one array with an object a group.

use crate::summary::GroupSummary;

/// The groups as a JSON array, indented, with a line end. What is undefined is `null`, with a `note`
/// that says why.
///
/// ```
/// assert_eq!(byzlab_analysis::render::json(&[]), "[]\n");
/// ```
pub fn json(groups: &[GroupSummary]) -> String {
    // It cannot fail: a summary holds strings and numbers only, and its keys are strings.
    let text = serde_json::to_string_pretty(groups).unwrap_or_default();
    text + "\n"
}
