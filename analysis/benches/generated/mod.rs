//! Logs to measure on: runs of a closed loop, like those of the simulator.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use byzlab_analysis::{Event, EventKind, EventWriter, Outcome, RunRow, RunWriter, Value};

/// Replicas of each run.
const REPLICAS: u32 = 16;

/// What to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folder {
    /// At least so many bytes of rows, before compression.
    pub(crate) bytes: u64,
    /// Each message too.
    pub(crate) messages: bool,
    /// One huge run instead of many with 20 requests.
    pub(crate) one_run: bool,
    pub(crate) compression: Compression,
}

/// With what the log is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Zstd,
    Gzip,
}

/// Counts what goes through.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes `runs.csv` and the log of a results folder; returns the size of the log before compression.
pub(crate) fn write_results(dir: &Path, folder: &Folder) -> io::Result<u64> {
    let create = |name: &str| File::create(dir.join(name)).map(BufWriter::new);
    match folder.compression {
        Compression::None => Ok(write_log(dir, folder, create("events.csv")?)?.bytes),
        Compression::Zstd => {
            let log = write_log(dir, folder, zstd::Encoder::new(create("events.csv.zst")?, 3)?)?;
            log.out.finish()?.flush()?;
            Ok(log.bytes)
        }
        Compression::Gzip => {
            let out = flate2::write::GzEncoder::new(create("events.csv.gz")?, flate2::Compression::new(6));
            let log = write_log(dir, folder, out)?;
            log.out.finish()?.flush()?;
            Ok(log.bytes)
        }
    }
}

fn write_log<W: Write>(dir: &Path, folder: &Folder, out: W) -> io::Result<Counted<W>> {
    let mut runs = RunWriter::new(File::create(dir.join("runs.csv"))?, &["cluster.x".to_owned()])?;
    let mut log = EventWriter::new(Counted { out, bytes: 0 })?;
    let per_run = if folder.one_run { u64::MAX } else { 20 };
    let mut written = 0;
    for run in 0.. {
        let mut seq = 0;
        while seq < per_run && written < folder.bytes {
            seq += 1;
            let mut result = Ok(());
            let mut rows = 0;
            for_each_event((run / 100, run % 100), seq, folder.messages, |event| {
                rows += 1;
                if result.is_ok() {
                    result = log.write(&event);
                }
            });
            result?;
            // Rows are never shorter.
            written += rows * 46;
        }
        runs.write(&run_row(run / 100, run % 100, seq))?;
        if written >= folder.bytes {
            break;
        }
    }
    runs.finish()?.flush()?;
    log.finish()
}

/// The log of one request: every replica votes for it.
pub(crate) fn for_each_event((cell, run): (u32, u32), seq: u64, messages: bool, mut take: impl FnMut(Event<'static>)) {
    let client = REPLICAS;
    let replicas = 0..REPLICAS;
    let others = || (1..REPLICAS).map(u64::from);
    let start = seq * 100_000_000;
    let at = |offset: u64, node, kind| Event::new(cell, run, start + offset, node, kind);
    let digest = Some((seq + u64::from(run)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let request = Event { seq: Some(seq), digest, ..at(0, client, EventKind::Request) };
    let of_batch = |event| Event { view: Some(0), seq: Some(seq), digest, ..event };
    take(request);
    take(of_batch(at(20_123_456, 0, EventKind::Propose)));
    take(Event { peer: Some(client), ..of_batch(at(20_123_456, 0, EventKind::Ordered)) });
    let steps = [EventKind::PrePrepared, EventKind::Prepared, EventKind::Committed];
    for (step, kind) in (1..).zip(steps.into_iter().chain([EventKind::Executed])) {
        let offset = 20_123_456 + step * 15_000_321;
        if messages && kind != EventKind::Executed {
            for from in replicas.clone() {
                let message = Some(["pre_prepare", "prepare", "commit"][step as usize - 1]);
                let bytes = Some(112);
                for to in others() {
                    let (from, to) = (Some(from), to as u32);
                    let send = of_batch(at(offset - 9_000_000, from.unwrap_or(0), EventKind::Send));
                    take(Event { peer: Some(to), message, bytes, ..send });
                    let deliver = of_batch(at(offset - 9_000_000, to, EventKind::Deliver));
                    take(Event { peer: from, message, bytes, ..deliver });
                }
            }
        }
        for replica in replicas.clone() {
            let event = of_batch(at(offset + 1_013 * u64::from(replica), replica, kind));
            let executed = kind == EventKind::Executed;
            let value = executed.then_some(Value::Digest(0xfeed_0000_1111_2222 ^ seq));
            take(Event { value, ..event });
        }
    }
    take(Event { kind: EventKind::Reply, time_ns: start + 95_000_000, ..request });
}

fn run_row(cell: u32, run: u32, requests: u64) -> RunRow {
    RunRow {
        cell,
        run,
        seed: 11,
        parameters: vec![cell.to_string()],
        replicas: REPLICAS,
        faults: 5,
        corrupted: 0,
        outcome: Outcome::Completed,
        agreement: true,
        validity: true,
        requests,
        completed: requests,
        messages: 10_000,
        bytes: 1_000_000,
        view_changes: 0,
        virtual_ns: requests * 100_000_000 + 100_000_000,
        fingerprint: 0x0123_4567_89ab_cdef,
    }
}
