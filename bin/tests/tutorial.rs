//! The tutorial's curve: without view changes only an equivocating primary stops up to three malicious replicas of ten, and from
//! four on no quorum is left.

use byzlab::{Experiment, RunOptions, run_experiment};
use byzlab_analysis::{EventKind, EventReader, Outcome, RunRow, RunTable, analyze, render};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

const REPLICAS: u32 = 10;

/// The experiment as it is shipped, run once for all tests.
struct Tutorial {
    runs: u32,
    rows: Vec<RunRow>,
    /// By cell and run.
    corrupted: BTreeMap<(u32, u32), BTreeSet<u32>>,
    /// What `byzlab run` shows.
    table: String,
}

fn tutorial() -> &'static Tutorial {
    static TUTORIAL: OnceLock<Tutorial> = OnceLock::new();
    TUTORIAL.get_or_init(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/tutorial.toml");
        let experiment = Experiment::load(&file, &[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let campaign =
            run_experiment(&experiment, folder.path(), RunOptions { replace: true, ..RunOptions::default() }, |_| {});
        let campaign = campaign.unwrap();
        assert!(campaign.is_clean(), "{:?}", campaign.violations);

        let table = RunTable::read(&folder.path().join("runs.csv")).unwrap();
        assert_eq!(table.swept_keys, ["adversary.count"]);
        let mut corrupted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut reader = EventReader::open(&folder.path().join("events.csv")).unwrap();
        while let Some(event) = reader.next_event().unwrap() {
            if event.kind == EventKind::Corrupt {
                let new = corrupted.entry((event.cell, event.run)).or_default().insert(event.node);
                assert!(new, "a replica is corrupted once: {event:?}");
            }
        }
        let shown = render::table(&analyze(folder.path(), &experiment.analysis()).unwrap());
        Tutorial { runs: experiment.runs, rows: table.rows, corrupted, table: shown }
    })
}

impl Tutorial {
    fn of(&self, malicious: u32) -> impl Iterator<Item = &RunRow> {
        self.rows.iter().filter(move |row| row.parameters == [malicious.to_string()])
    }

    fn success_share(&self, malicious: u32) -> f64 {
        let completed = self.of(malicious).filter(|row| row.outcome == Outcome::Completed).count();
        completed as f64 / f64::from(self.runs)
    }

    fn corrupted(&self, row: &RunRow) -> BTreeSet<u32> {
        self.corrupted.get(&(row.cell, row.run)).cloned().unwrap_or_default()
    }
}

#[test]
fn it_has_200_runs_for_each_number_of_malicious_replicas() {
    let tutorial = tutorial();
    assert_eq!((tutorial.runs, tutorial.rows.len()), (200, 2000));
    for malicious in 0..REPLICAS {
        let rows: Vec<&RunRow> = tutorial.of(malicious).collect();
        assert!(rows.iter().map(|row| row.run).eq(0..200), "{malicious} malicious");
        assert!(rows.iter().all(|row| (row.replicas, row.faults, row.corrupted) == (REPLICAS, 3, malicious)));
    }
}

#[test]
fn up_to_three_malicious_replicas_stop_it_only_as_primary() {
    let tutorial = tutorial();
    assert!(tutorial.success_share(0) >= 1.0, "without malicious replicas every run completes");
    for malicious in 1..=3 {
        let expected = 1.0 - f64::from(malicious) / f64::from(REPLICAS);
        let share = tutorial.success_share(malicious);
        let error = (expected * (1.0 - expected) / f64::from(tutorial.runs)).sqrt();
        assert!(
            (share - expected).abs() <= 4.0 * error,
            "{malicious} malicious: {share} instead of {expected} ± {error:.3}"
        );
    }
    // And not only on average: run by run.
    for row in tutorial.rows.iter().filter(|row| row.corrupted <= 3) {
        let primary_is_malicious = tutorial.corrupted(row).contains(&0);
        let expected = if primary_is_malicious { Outcome::Timeout } else { Outcome::Completed };
        assert_eq!(row.outcome, expected, "{row:?}");
    }
}

#[test]
fn from_four_malicious_replicas_on_nothing_completes() {
    for row in tutorial().rows.iter().filter(|row| row.corrupted >= 4) {
        assert_eq!((row.outcome, row.completed), (Outcome::Timeout, 0), "{row:?}");
        assert_eq!(row.virtual_ns, 2_000_000_000, "it ends at the time limit: {row:?}");
    }
}

/// Success, what completed, and all runs stand side by side.
#[test]
fn its_table_is_the_one_of_the_readme() {
    let table = &tutorial().table;
    assert!(include_str!("../../README.md").contains(table.as_str()), "README.md lacks this table:\n{table}");
    for figure in
        ["of completed runs", "of all runs, failures as +∞", "mean to 2000 ms", "131/200  65.5 [58.7–71.7]  131"]
    {
        assert!(table.contains(figure), "{figure}");
    }
}

#[test]
fn honest_replicas_never_disagree() {
    for row in &tutorial().rows {
        assert!(row.agreement && row.validity, "{row:?}");
    }
}

#[test]
fn runs_with_more_malicious_replicas_contain_those_with_fewer() {
    let tutorial = tutorial();
    for malicious in 0..REPLICAS {
        for row in tutorial.of(malicious) {
            let members = tutorial.corrupted(row);
            assert_eq!(members.len(), malicious as usize, "{row:?}");
            if let Some(more) = tutorial.of(malicious + 1).find(|more| more.run == row.run) {
                assert!(members.is_subset(&tutorial.corrupted(more)), "{members:?} of {row:?}");
                assert_eq!(row.seed, more.seed, "runs of the same index share their seed");
            }
        }
    }
}
