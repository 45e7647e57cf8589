//! Whatever is drawn or narrowed is an experiment that a file can say.

use super::shrink::narrower;
use super::{HuntOptions, Hunter, Schedule};
use crate::config::{AdversarySettings, Experiment, Settings};
use crate::hunt::{Break, Fault, Finding};
use byzlab_network::NodeId;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

fn experiment(toml: &str) -> Experiment {
    Experiment::parse("e.toml", toml, Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Requires that the experiment of a finding with this schedule is read as what was run.
fn check(hunter: &Hunter<'_>, cell: usize, schedule: Schedule) {
    let settings = Arc::new(schedule.settings(&hunter.cells[cell].0));
    let finding = Finding {
        what: Break::Error,
        signature: String::new(),
        count: 1,
        first_run: 0,
        run: 0,
        cell: cell as u32,
        seed: 1,
        schedule,
        settings,
        violation: String::new(),
    };
    let toml = finding.experiment(hunter.experiment, 0).to_toml();
    let again = Experiment::parse("found.toml", &toml, Path::new(""), &[]);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{:#?}\n{toml}", finding.schedule));
    // Which keys a file leaves out or gives beside a preset is about that file alone.
    let plain = |settings: &Settings| {
        let given = AdversarySettings::default().given;
        let derived = hunter.experiment.base.derived;
        Settings { adversary: AdversarySettings { given, ..settings.adversary.clone() }, derived, ..settings.clone() }
    };
    let (read, run) = (plain(&again.base), plain(&finding.settings));
    // All fields as text, so that a failure shows the lines that differ and not two long structures.
    let [read_text, run_text] = [&read, &run].map(|settings| format!("{settings:#?}"));
    let differing = read_text.lines().zip(run_text.lines()).find(|(read, run)| read != run);
    assert!(read == run, "{differing:?}\n{:?}\n{toml}", finding.schedule);
}

/// Draws so many schedules for each cell, and narrows some of them.
fn check_all(experiment: &Experiment, corrupt: Option<u16>, runs: u64) {
    let options = HuntOptions { corrupt, ..HuntOptions::new(NonZeroU64::MIN) };
    let hunter = Hunter::new(experiment, &options).unwrap_or_else(|error| panic!("{error}"));
    for number in 0..runs * hunter.cells.len() as u64 {
        let (cell, _, schedule) = hunter.plan(number);
        let cell = cell as usize;
        assert!(!schedule.faults.is_empty(), "run {number}");
        if number % 61 == 0 {
            for (place, fault) in schedule.faults.iter().enumerate() {
                for narrower in narrower(fault, &hunter.cells[cell].1) {
                    let mut schedule = schedule.clone();
                    schedule.faults[place] = narrower;
                    check(&hunter, cell, schedule);
                }
            }
            // Corruption is left out only where no attack is left.
            let faults = schedule.faults.iter().filter(|fault| !matches!(fault, Fault::Attack(_))).cloned().collect();
            check(&hunter, cell, Schedule { corrupted: Vec::new(), takeovers: 0, faults });
        }
        check(&hunter, cell, schedule);
    }
}

#[test]
fn what_is_drawn_for_the_ready_experiment_can_be_written_and_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/hunt.toml");
    let ready = Experiment::load(&path, &[]).unwrap();
    check_all(&ready, None, 60);
}

#[test]
fn what_is_drawn_beside_attacks_of_the_file_can_be_written_and_read() {
    let twins = "[adversary]\ncount = 1\nattack = [{ kind = \"twins\" }]";
    let colluders = "[adversary]\ncount = 2\nattack = [{ kind = \"equivocate\", collude = true }]";
    let clients =
        "workload.clients = 3\n[adversary]\nclients = 2\nattack = [{ kind = \"request_flood\", members = [5] }]";
    let chase = "adversary.preset = \"chase\"";
    let budget = "cluster.replicas = 7\n[adversary]\ncount = 1\nbudget = 2";
    for toml in [twins, colluders, clients, chase, budget] {
        check_all(&experiment(toml), None, 300);
        check_all(&experiment(toml), Some(0), 100);
    }
    check_all(&experiment(budget), Some(2), 300);
    let corrupted =
        "cluster.replicas = 7\nprotocol.authentication = \"mac\"\nworkload.clients = 3\nadversary.clients = 1";
    for count in [None, Some(2), Some(7)] {
        check_all(&experiment(corrupted), count, 600);
    }
}

#[test]
fn attacks_of_clients_and_of_who_falls_later_stay() {
    let members = |toml: &str, schedule: &Schedule| {
        let settings = schedule.settings(&experiment(toml).base);
        let attacks = settings.adversary.attacks.into_iter().map(|attack| attack.scope.members);
        attacks.collect::<Vec<_>>()
    };
    let nobody = Schedule { corrupted: Vec::new(), takeovers: 0, faults: Vec::new() };
    let clients =
        "workload.clients = 3\n[adversary]\nclients = 1\nattack = [{ kind = \"request_flood\", members = [6] }]";
    assert_eq!(members(clients, &nobody), [Some(vec![NodeId(6)])]);
    let later =
        "[adversary]\nbudget = 1\nattack = [{ kind = \"chase_primary\" }, { kind = \"silent\", members = [2] }]";
    assert_eq!(members(later, &nobody), [None, Some(vec![NodeId(2)])]);
    let start = "[adversary]\ncount = 1\nattack = [{ kind = \"silent\", members = [2, 3] }]";
    assert_eq!(members(start, &Schedule { corrupted: vec![NodeId(3)], ..nobody.clone() }), [Some(vec![NodeId(3)])]);
    assert_eq!(members(start, &nobody), []);
}

#[test]
fn crashes_of_the_file_are_among_the_f() {
    let crashes = |toml: &str| experiment(toml).base.most_down();
    assert_eq!(crashes(""), 0);
    let apart = "cluster.crash = [{ node = 1, at = \"1ms\", recover_at = \"2ms\" }, { node = 2, at = \"3ms\", recover_at = \"4ms\" }]";
    assert_eq!(crashes(apart), 1);
    let lasting = "cluster.crash = [{ node = 1, at = \"1ms\" }, { node = 2, at = \"3ms\", recover_at = \"4ms\" }]";
    assert_eq!(crashes(lasting), 2);
    let forgetful = lasting.replace("at = \"1ms\"", "at = \"1ms\", recover_at = \"2ms\", durable = false");
    assert_eq!(crashes(&forgetful), 2);

    let base = experiment(apart);
    let hunter = Hunter::new(&base, &HuntOptions::new(NonZeroU64::MIN)).unwrap();
    for number in 0..200 {
        let (_, _, schedule) = hunter.plan(number);
        assert_eq!((schedule.corrupted.len(), schedule.takeovers), (0, 0), "one of four is down already");
    }
}
