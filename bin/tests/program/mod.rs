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
