//! A run that breaks off is reported with its cell, run and seed, and the others finish.
//!
//! No configuration can break a run off, and none must; what a panicking process or observer does to a run is tested where runs can
//! be put together by hand, in `byzlab-network`. Here a second cell is made by hand whose runs cannot be played.

use byzlab::config::{Cell, Corrupted};
use byzlab::{Campaign, Experiment, RunOptions, run_experiment};
use byzlab_analysis::{AnalysisOptions, GroupSummary, Outcome, RunTable, analyze};
use byzlab_network::{Fault, NodeId};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const RUNS: usize = 5;

/// The adversary of cell 1 is to play replica 40 of 4, so that nobody plays some nodes. Cells 0 and 2 are as they should be.
fn experiment() -> Experiment {
    let toml = format!("experiment = {{ runs = {RUNS} }}\n[sweep]\n\"network.drop\" = [0.0, 0.1, 0.001]");
    let mut experiment = Experiment::parse("e.toml", &toml, Path::new(""), &[]).unwrap();
    let mut settings = (*experiment.cells[1].settings).clone();
    settings.adversary.corrupted = Corrupted::Members(vec![NodeId(1), NodeId(40)]);
    experiment.cells[1] = Cell { settings: Arc::new(settings), ..experiment.cells[1].clone() };
    experiment
}

fn run(folder: &Path, jobs: usize) -> (Campaign, usize) {
    let ended = AtomicUsize::new(0);
    let options = RunOptions { jobs: NonZeroUsize::new(jobs), replace: false };
    let count = |_: &_| {
        ended.fetch_add(1, Ordering::Relaxed);
    };
    let campaign = run_experiment(&experiment(), folder, options, count).unwrap();
    (campaign, ended.into_inner())
}

#[test]
fn a_run_that_breaks_off_is_named_and_the_others_finish() {
    for jobs in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let (campaign, ended) = run(folder.path(), jobs);
        assert!(!campaign.is_clean());
        assert_eq!((campaign.completed + campaign.timeouts, ended), (2 * RUNS, 3 * RUNS), "{campaign:?}");
        assert_eq!(campaign.faults.len(), RUNS);
        for (index, (id, fault)) in campaign.faults.iter().enumerate() {
            assert_eq!((id.cell, id.run as usize), (1, index), "in the order of cells and runs");
            assert_eq!(id.seed, experiment().run_seed(1, id.run));
            assert_eq!(id.parameters, ["0.1"]);
            assert!(matches!(fault, Fault::Unplayed(_)), "{fault}");
        }
    }
}

#[test]
fn a_run_that_breaks_off_counts_as_an_error_and_never_as_a_latency() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 2);
    let rows = RunTable::read(&folder.path().join("runs.csv")).unwrap().rows;
    assert_eq!(rows.len(), 3 * RUNS);
    for row in &rows {
        assert_eq!(row.outcome == Outcome::Error, row.cell == 1, "{row:?}");
    }
    let groups = analyze(folder.path(), &AnalysisOptions::default()).unwrap();
    let [good, broken, also_good] = &groups[..] else { panic!("{groups:?}") };
    let errors = |group: &GroupSummary| (group.errors, group.completed, group.measured_runs);
    assert_eq!((errors(good), errors(broken)), ((0, 5, 5), (5, 0, 0)));
    assert_eq!(also_good.errors, 0);
    assert_eq!((broken.mean.estimate, broken.success.estimate), (None, Some(0.0)));
    assert!(broken.notes.iter().any(|note| note.contains("5 of 5 runs ended with an error")), "{:?}", broken.notes);
}
