//! Writes a log of any size, and analyses it: what the measurements of time and memory are made with.
//!
//! ```sh
//! cargo build --release -p byzlab-analysis --example log_scale
//! target/release/examples/log_scale write /tmp/big 5000 one-run        # also: messages, zst, gz
//! /usr/bin/time -v target/release/examples/log_scale analyze /tmp/big --jobs 2
//! ```
//!
//! `analyze` prints what `byzlab analyze --format json` prints. Without arguments both are tried on a small log.

#[path = "../benches/generated/mod.rs"]
mod generated;

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;

use byzlab_analysis::{AnalysisOptions, EventKind, GroupSummary, ReadOptions, analyze, render};

use crate::generated::{Compression, Folder, for_each_event, write_results};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        ["write", dir, megabytes, how @ ..] => {
            let has = |word| how.contains(&word);
            let compression = match (has("zst"), has("gz")) {
                (true, _) => Compression::Zstd,
                (_, true) => Compression::Gzip,
                _ => Compression::None,
            };
            let bytes = megabytes.parse::<u64>()? * 1_000_000;
            let folder = Folder { bytes, messages: has("messages"), one_run: has("one-run"), compression };
            std::fs::create_dir_all(dir)?;
            eprintln!("{} bytes", write_results(dir.as_ref(), &folder)?);
        }
        ["analyze", dir, options @ ..] => {
            let place = options.iter().position(|option| *option == "--jobs");
            let jobs = place.and_then(|place| options.get(place + 1)).map(|jobs| jobs.parse()).transpose()?;
            print!("{}", render::json(&figures(dir.as_ref(), ReadOptions { jobs, ..ReadOptions::default() })?));
        }
        [] => try_all()?,
        _ => return Err("use `write DIR MEGABYTES [one-run] [messages] [zst|gz]` or `analyze DIR [--jobs N]`".into()),
    }
    Ok(())
}

fn figures(dir: &Path, read: ReadOptions) -> Result<Vec<GroupSummary>, Box<dyn Error>> {
    Ok(analyze(dir, &AnalysisOptions { read, ..AnalysisOptions::default() })?)
}

/// Whatever the form of the log, the mean is the one that its rows are made of.
fn try_all() -> Result<(), Box<dyn Error>> {
    let (mut proposed_ns, mut committed_ns) = (0, 0);
    for_each_event((0, 0), 1, false, |event| match event.kind {
        EventKind::Propose => proposed_ns = event.time_ns,
        EventKind::Committed => committed_ns = committed_ns.max(event.time_ns),
        _ => {}
    });
    let expected = (committed_ns - proposed_ns) as f64 / 1e6;
    for one_run in [false, true] {
        for compression in [Compression::None, Compression::Zstd, Compression::Gzip] {
            let dir = tempfile::tempdir()?;
            write_results(dir.path(), &Folder { bytes: 3_000_000, messages: false, one_run, compression })?;
            for jobs in [1, 2, 3] {
                let read = ReadOptions { jobs: NonZeroUsize::new(jobs), ..ReadOptions::default() };
                let groups = figures(dir.path(), read)?;
                let mean = groups[0].mean.estimate.ok_or("no mean")?;
                assert!((mean - expected).abs() < 1e-9, "{mean} instead of {expected} ms");
            }
        }
    }
    Ok(())
}
