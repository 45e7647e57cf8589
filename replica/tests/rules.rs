//! Each rule of the protocol has a test that says its number, and a row in docs/protocol.md.

use std::fs;
use std::path::Path;

#[test]
fn each_rule_is_tested_by_number_and_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["tests", "src"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    // The project's documents are not part of the crate by itself.
    let document = fs::read_to_string(root.join("../docs/protocol.md")).unwrap_or_default();
    for rule in 1..=30 {
        assert!(sources.contains(&format!("fn rule_{rule}_")), "no test is named after rule {rule}");
        assert!(
            document.is_empty() || document.contains(&format!("\n| {rule} | ")),
            "docs/protocol.md lacks rule {rule}"
        );
    }
}
