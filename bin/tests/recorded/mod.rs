//! One run in process, with the rows that it logs.

// Each test file needs a part of it.
#![allow(dead_code)]

use byzlab::config::{EventDetail, Settings};
use byzlab::{Experiment, RunId, RunResult, run_once};
use byzlab_analysis::{EVENT_COLUMNS, EventKind, EventReader, Value};
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

/// A row of `events.csv`, but for what no test asks.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: EventKind,
    pub(crate) time_ns: u64,
    pub(crate) node: u32,
    pub(crate) view: Option<u64>,
    pub(crate) seq: Option<u64>,
    pub(crate) digest: Option<u64>,
    pub(crate) peer: Option<u32>,
    pub(crate) message: Option<String>,
    pub(crate) bytes: Option<u64>,
    /// The value where that is a digest.
    pub(crate) value: Option<u64>,
}

/// A run and its rows.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) result: RunResult,
    pub(crate) rows: Vec<Row>,
}

impl Recorded {
    pub(crate) fn of(&self, kind: EventKind) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }

    /// How many messages of a kind were sent.
    pub(crate) fn sent(&self, message: &str) -> usize {
        self.of(EventKind::Send).filter(|row| row.message.as_deref() == Some(message)).count()
    }
}

pub(crate) fn parse(toml: &str) -> Experiment {
    Experiment::parse("e.toml", toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

pub(crate) fn settings(experiment: &Experiment, cell: u32) -> &Settings {
    &experiment.cells[cell as usize].settings
}

/// A run of an experiment, logged in full.
pub(crate) fn record(experiment: &Experiment, cell: u32, run: u32) -> Recorded {
    let log = Log::new();
    let id = RunId { cell, run, seed: experiment.run_seed(cell, run), parameters: vec![] };
    let result = run_once(&id, settings(experiment, cell), Some((EventDetail::Messages, log.clone())));
    assert!(result.fault.is_none() && result.log_error.is_none(), "{result:?}");
    let content = log.take();
    let mut reader = EventReader::new(content.as_slice(), "events.csv").unwrap();
    let mut rows = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        let value = if let Some(Value::Digest(digest)) = event.value { Some(digest) } else { None };
        rows.push(Row {
            kind: event.kind,
            time_ns: event.time_ns,
            node: event.node,
            view: event.view,
            seq: event.seq,
            digest: event.digest,
            peer: event.peer,
            message: event.message.map(str::to_owned),
            bytes: event.bytes,
            value,
        });
    }
    Recorded { result, rows }
}

/// A run of an experiment without a log.
pub(crate) fn run(experiment: &Experiment, cell: u32, run: u32) -> RunResult {
    let id = RunId { cell, run, seed: experiment.run_seed(cell, run), parameters: vec![] };
    let result = run_once(&id, settings(experiment, cell), None::<(EventDetail, io::Sink)>);
    assert!(result.fault.is_none(), "{result:?}");
    result
}

/// A log in memory, with a header.
#[derive(Clone)]
pub(crate) struct Log(Rc<RefCell<Vec<u8>>>);

impl Log {
    pub(crate) fn new() -> Log {
        Log::with_header(&EVENT_COLUMNS)
    }

    pub(crate) fn with_header(columns: &[&str]) -> Log {
        Log(Rc::new(RefCell::new((columns.join(",") + "\n").into_bytes())))
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
