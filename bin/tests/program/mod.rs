//! The program, as a user starts it.

// Each test file needs a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Finished {
        let text = |bytes| String::from_utf8(bytes).expect("output is text");
        Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A folder of one's own, in which the program is started.
pub(crate) struct Desk(TempDir);

impl Desk {
    /// With a file `e.toml`.
    pub(crate) fn with(toml: &str) -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        desk.write("e.toml", toml);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// `byzlab`, with its arguments as in a shell.
    pub(crate) fn byzlab(&self, arguments: &str) -> Finished {
        self.call(Command::new(env!("CARGO_BIN_EXE_byzlab")).args(arguments.split_whitespace()))
    }

    /// A line for `sh`, in which `$byzlab` is the program.
    pub(crate) fn shell(&self, line: &str) -> Finished {
        self.call(Command::new("sh").arg("-c").arg(line).env("byzlab", Path::new(env!("CARGO_BIN_EXE_byzlab"))))
    }

    fn call(&self, command: &mut Command) -> Finished {
        command.current_dir(self.0.path()).env_remove("RUST_LOG").output().unwrap().into()
    }
}

/// Runs an experiment with further arguments; whatever is wrong with it, there must be no results.
pub(crate) fn run(toml: &str, arguments: &str) -> Finished {
    let desk = Desk::with(toml);
    let finished = desk.byzlab(&format!("run e.toml --out out {arguments}"));
    assert!(
        !desk.path("out").exists() || finished.code == Some(0),
        "a refused experiment leaves nothing: {finished:?}"
    );
    finished
}

/// One message that begins with the place; exit code 2, nothing on stdout, no panic.
pub(crate) fn refused(finished: &Finished, place: &str, parts: &[&str]) {
    let Finished { code, stdout, stderr } = finished;
    assert_eq!((*code, stdout.as_str()), (Some(2), ""), "{place}: {stderr}");
    assert!(stderr.starts_with(&format!("error: {place}")), "the place is {place}: {stderr}");
    assert_eq!(stderr.matches("error: ").count(), 1, "one message: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{place}: no `{part}` in {stderr}");
    }
    assert!(stderr.contains("\n  hint: ") || stderr.contains("\n  allowed: "), "a remedy: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
