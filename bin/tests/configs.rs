//! The experiments that come with the program.

use byzlab::{Experiment, RunOptions, run_experiment};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}

/// It needs a table of measured delays that does not come with the program.
const INCOMPLETE: &str = "validation_wan.toml";

#[test]
fn all_are_valid() {
    let mut files = Vec::new();
    for folder in [folder(), folder().join("attacks")] {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")));
    }
    assert!(files.len() > 10, "{files:?}");
    for file in files.iter().filter(|file| !file.ends_with(INCOMPLETE)) {
        if let Err(error) = Experiment::load(file, &[]) {
            panic!("{error}");
        }
    }
}

/// Cells end when they are precise, which takes the more runs the more messages are lost.
#[test]
fn precise_takes_as_many_runs_as_each_cell_needs() {
    let experiment = Experiment::load(&folder().join("precise.toml"), &[]).unwrap();
    let results = tempfile::tempdir().unwrap();
    let options = RunOptions { replace: true, ..RunOptions::default() };
    let campaign = run_experiment(&experiment, results.path(), options, |_| {}).unwrap();
    assert!(campaign.stopped.iter().all(byzlab_analysis::Replications::is_precise), "{:?}", campaign.stopped);
    let runs: Vec<u32> = campaign.stopped.iter().map(byzlab_analysis::Replications::runs).collect();
    assert!(runs[0] == 10 && runs.is_sorted() && runs[3] > 100, "{runs:?}");
}
