//! Scenes: a script sets the stage, and the whole trace of messages is the golden file, so that a view change can be read as prose.
//!
//! Each scene is two files in `tests/scenes/`:
//!
//! * `NAME.toml`, an experiment. Its opening comment says what happens and which rules of `docs/protocol.md` that shows. What
//!   must be so stands there too, one `# expect:` a line, so that a renewed trace cannot hide a broken protocol. An
//!   expectation is the outcome (`completed`), the number of views that were entered after the first (`view changes = 1`), or
//!   exactly who did something, in the words of the trace: `replicas 1-3 committed (v1, n1, A) at 180 ms`, `nobody sent FETCH`.
//! * `NAME.trace`, what happens in its first run. After a change that is meant, look at the difference that this makes:
//!
//! ```text
//! BYZLAB_RENEW_GOLDEN=1 cargo test -p byzlab --test scenes && git diff bin/tests/scenes
//! ```

mod trace;

use byzlab::Experiment;
use byzlab::trace::Trace;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use trace::{Script, check};

#[test]
fn each_scene_goes_as_written() {
    let names = scene_names();
    assert!(!names.is_empty(), "no scenes in {}", folder().display());
    let failures: Vec<String> =
        names.iter().filter_map(|name| play(name).err().map(|text| format!("{name}: {text}"))).collect();
    assert!(failures.is_empty(), "{} of {} scenes failed\n\n{}", failures.len(), names.len(), failures.join("\n\n"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes")
}

/// The names of all scripts and all traces: one without the other is a mistake.
fn scene_names() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn play(name: &str) -> Result<(), String> {
    let (toml, golden) = (folder().join(format!("{name}.toml")), folder().join(format!("{name}.trace")));
    let script =
        fs::read_to_string(&toml).map_err(|error| format!("a trace without its script {name}.toml: {error}"))?;
    let script = Script::read(&script)?;
    let experiment = Experiment::load(&toml, &[]).map_err(|error| error.to_string())?;
    if (experiment.cells.len(), experiment.runs) != (1, 1) {
        return Err("a scene has one cell and one run".to_owned());
    }
    if let Some(idle) = experiment.idle_scenes().first() {
        return Err(idle.clone());
    }

    let trace = Trace::of(&experiment.base, experiment.run_seed(0, 0));
    assert!(trace.result().fault.is_none(), "{:?}", trace.result());
    let accepted = trace.deeds().filter(|(_, _, deed)| deed.starts_with("accepted r")).count();
    assert_eq!(accepted as u64, trace.result().row.completed, "{name}: what is told is what was judged");
    let now = trace.render(&script.story);
    let broken: Vec<String> = script.expectations.iter().filter_map(|expected| check(&trace, expected).err()).collect();
    if !broken.is_empty() {
        return Err(format!("not as expected\n  {}\n\n{now}", broken.join("\n  ")));
    }

    if std::env::var_os("BYZLAB_RENEW_GOLDEN").is_some() {
        fs::write(&golden, &now).unwrap();
    }
    let before = fs::read_to_string(&golden).map_err(|error| format!("no trace {name}.trace: {error}\n{RENEW}"))?;
    // A checkout may have changed the line ends.
    first_difference(&before.replace("\r\n", "\n"), &now)
}

const RENEW: &str = "If that is meant, renew the traces with\n    BYZLAB_RENEW_GOLDEN=1 cargo test -p byzlab --test scenes\nand read what \
     git says has changed.";

/// The first line that differs, with some lines around it.
fn first_difference(before: &str, now: &str) -> Result<(), String> {
    if before == now {
        return Ok(());
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let alike = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let from = alike.saturating_sub(3);
    let show =
        |sign: char, lines: &[&str]| lines.iter().map(|line| format!("{sign} {line}\n")).collect::<Vec<_>>().concat();
    let context = show(' ', &old[from..alike]);
    let removed = show('-', &old[alike..old.len().min(alike + 5)]);
    let added = show('+', &new[alike..new.len().min(alike + 5)]);
    Err(format!("the trace differs from line {} on\n{context}{removed}{added}{RENEW}", alike + 1))
}
