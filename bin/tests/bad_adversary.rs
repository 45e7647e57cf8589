//! Mistakes in what an experiment says of its adversary: answered as all others, see `bad_input.rs`.

mod program;

use byzlab::Experiment;
use program::{Desk, refused, run};

#[test]
fn adversaries_that_make_no_sense_are_refused() {
    let two = "[adversary]\nmembers = [0, 1]\n";
    for (toml, place, parts) in [
        (
            "[adversary]\nbudget = 5",
            "e.toml:2",
            &["budget = 5: a budget of 5 is more than the 4 replicas", "at most 4"][..],
        ),
        (
            "[adversary]\ncount = 2\nbudget = 1",
            "e.toml:3",
            &["2 replicas are corrupted from the start, more than the budget of 1"],
        ),
        ("[adversary]\nclients = 1", "e.toml:2", &["no honest client is left: there are 1 clients"]),
        ("[adversary]\npreset = \"pirme\"", "e.toml:2", &["did you mean \"prime\"?"]),
        // A parameter of another kind.
        (
            &format!("{two}attack = [{{ kind = \"silent\", delay = \"1ms\" }}]"),
            "e.toml:3",
            &["unknown key `adversary.attack[0].delay`"],
        ),
        (
            &format!("{two}attack = [{{ kind = \"delay\", delay = \"1ms\" }}]"),
            "e.toml:3",
            &["adversary.attack[0].delay = \"1ms\": this is text", "a table"],
        ),
        (&format!("{two}attack = [{{ kind = \"mutate\", change = \"much\" }}]"), "e.toml:3", &["\"small\" or \"any\""]),
        (
            &format!("{two}attack = [{{ kind = \"equivocate\", messages = [\"commit\"] }}]"),
            "e.toml:3",
            &["attack[0].messages[0] = \"commit\"", "\"pre_prepare\""],
        ),
        (
            &format!("{two}attack = [{{ kind = \"silent\", members = [2] }}]"),
            "e.toml:3",
            &["node 2 is not corrupted", "adversary.members too"],
        ),
        // Powers that were not granted.
        (
            "[adversary]\nattack = [{ kind = \"partition\" }]",
            "e.toml:2",
            &["`partition` acts on the network, and the adversary has no power over it", "[adversary.network]"],
        ),
        (
            "[adversary]\nnetwork = { actions = [\"delay\"] }\nattack = [{ kind = \"isolate\" }]",
            "e.toml:3",
            &["the adversary was not granted to drop messages", "add \"drop\" to adversary.network.actions"],
        ),
        (
            "[adversary]\nnetwork = { actions = [\"hold\"] }\nattack = [{ kind = \"isolate\", action = \"hold\" }]",
            "e.toml:3",
            &["what is held must leave at some time", "give an `end`"],
        ),
        (
            "[adversary]\nnetwork = { actions = [\"drop\"], until = \"1s\" }\nattack = [{ kind = \"isolate\", start = \"1s\" }]",
            "e.toml:3",
            &["the power over the network has ended by then"],
        ),
        ("[adversary]\nnetwork = { actions = [] }", "e.toml:2", &["no power at all"]),
        (
            "[adversary]\nattack = [{ kind = \"chase_primary\" }]",
            "e.toml:2",
            &["corrupts more replicas while the run goes on, and the budget is spent at the start", "adversary.budget"],
        ),
        (
            "[adversary]\nbudget = 1\nattack = [{ kind = \"chase_primary\", probability = 0.5 }]",
            "e.toml:3",
            &["`chase_primary` acts by itself, not on messages that pass", "leave it out"],
        ),
    ] {
        refused(&run(toml, ""), place, parts);
    }
}

#[test]
fn a_name_that_no_attack_has_is_refused() {
    let finished = Desk::with("").byzlab("attacks slience");
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("there is no attack or preset \"slience\""), "{}", finished.stderr);
}

#[test]
fn twins_are_so_for_the_whole_run_and_know_nothing_of_each_other() {
    let adversary =
        |lines: &str| run(&format!("[adversary]\ncount = 1\n[[adversary.attack]]\nkind = \"twins\"\n{lines}"), "");
    for key in ["start = \"5ms\"", "end = \"5ms\"", "probability = 0.5", "to = [1]", "view = 1", "seq = 1"] {
        let name = key.split(' ').next().unwrap();
        let key_path = format!("adversary.attack[0].{name}");
        refused(&adversary(key), "e.toml:5", &[&key_path, "`twins` is what a replica is for the whole run"]);
    }
    let colluders = "[[adversary.attack]]\nkind = \"equivocate\"\ncollude = true";
    refused(&adversary(colluders), "e.toml:6", &["twins know nothing of each other", "collude = false"]);
    let twice = "[[adversary.attack]]\nkind = \"twins\"";
    refused(&adversary(twice), "e.toml:6", &["replicas are twins already"]);
}

/// What the file says goes before what its preset says, and then the whole must make sense; the place is the user's line.
#[test]
fn a_preset_is_judged_with_what_stands_beside_it() {
    let refuses = |toml: &str, place: &str, parts: &[&str]| refused(&run(toml, ""), place, parts);
    let twins = "[adversary]\npreset = \"twins\"\n";
    let collusion = "attack = [{ kind = \"equivocate\", collude = true }]";
    refuses(&format!("{twins}{collusion}"), "e.toml:3", &["twins know nothing of each other"]);
    refuses(&format!("{twins}attack = [{{ kind = \"twins\" }}]"), "e.toml:3", &["replicas are twins already"]);
    let chase = "[adversary]\npreset = \"chase\"\n";
    let spent = "adversary.preset = \"chase\": its attack `chase_primary` corrupts more replicas while the run goes on";
    refuses(&format!("{chase}budget = 0"), "e.toml:2", &[spent, "adversary.budget"]);
    refuses(&format!("{chase}count = 2"), "e.toml:2", &["more than the budget of 1"]);
    let flood = "[workload]\nclients = 2\n[adversary]\npreset = \"flood\"\nclients = 0";
    refuses(flood, "e.toml:4", &["its attack `request_flood` takes corrupted clients, and there are none"]);
    refuses("[adversary]\npreset = \"flood\"", "e.toml:2", &["preset = \"flood\": no honest client is left"]);
    let signed = "[workload]\nclients = 2\n[adversary]\npreset = \"big_mac\"";
    let needed = "adversary.preset = \"big_mac\": its attack `bad_authenticator` takes requests that some";
    refuses(signed, "e.toml:4", &[needed, "give protocol.authentication = \"mac\""]);

    let three = run(&format!("experiment = {{ runs = 1 }}\ncluster = {{ replicas = 3 }}\n{chase}budget = 1"), "");
    assert_eq!(three.code, Some(0), "{}", three.stderr);
}

#[test]
fn members_are_such_as_can_be_corrupted_and_take_part() {
    let corrupted = |who: &str, attack: &str| {
        run(&format!("[workload]\nclients = 3\n[adversary]\n{who}\nattack = [{{ {attack} }}]"), "")
    };
    let silent = |members: &str| format!("kind = \"silent\", members = {members}");
    for (who, attack, problem) in [
        ("count = 1\nselection = \"first\"", &silent("[3]")[..], "node 3 is not corrupted"),
        ("count = 1\nselection = \"last\"", &silent("[0]"), "node 0 is not corrupted"),
        ("count = 1\nselection = \"primary\"", &silent("[1]"), "node 1 is not corrupted"),
        ("count = 1\nclients = 1", &silent("[5]"), "node 5 is not corrupted"),
        ("count = 1\nclients = 0", &silent("[]"), "nobody takes part"),
        ("count = 1\nclients = 1", "kind = \"request_flood\", members = [5]", "node 5 is not corrupted"),
        (
            "count = 1\nclients = 1",
            "kind = \"request_flood\", members = [0]",
            "is a replica, and `request_flood` is for",
        ),
        (
            "count = 1\nclients = 1",
            "kind = \"equivocate\", members = [6]",
            "is a client, and `equivocate` is for replicas",
        ),
        (
            "count = 1\nclients = 1",
            "kind = \"silent\", members = [6], messages = [\"commit\"]",
            "is a client, and `silent` is for replicas",
        ),
    ] {
        refused(&corrupted(who, attack), "e.toml:6", &[problem]);
    }
    // Whoever may fall, and nobody at all, which a sweep compares with.
    for who in
        ["count = 1\nbudget = 2\nselection = \"first\"", "count = 0", "count = 2\nselection = \"primary\"", "count = 1"]
    {
        let finished = corrupted(who, &silent("[3]"));
        assert_eq!(finished.code, Some(0), "{who}: {}", finished.stderr);
    }
}

#[test]
fn a_scope_that_limits_nothing_is_refused() {
    let flood = "[workload]\nclients = 2\n[adversary]\nclients = 1\n[[adversary.attack]]\nkind = \"request_flood\"\n";
    for key in ["probability = 0.5", "view = 1", "seq = 1", "messages = [\"reply\"]"] {
        let parts = ["`request_flood` acts by itself, not on messages that pass", "`members`, `start`, `end` limit it"];
        refused(&run(&format!("{flood}{key}"), ""), "e.toml:7", &parts);
    }
    let chase = "[adversary]\nbudget = 1\n[[adversary.attack]]\nkind = \"chase_primary\"\nmembers = [1]";
    refused(&run(chase, ""), "e.toml:5", &["is what the adversary does as a whole", "`start`, `end` limit it"]);
}

#[test]
fn an_attack_that_changes_nothing_is_a_warning() {
    let nobody = "aims at the primary of view 0 for as long as nobody is corrupted";
    for (adversary, warning) in [
        ("count = 1\nattack = [{ kind = \"stop\", at = \"20s\" }]", "`at` is after experiment.time_limit"),
        ("count = 1\nattack = [{ kind = \"stop\", at = \"2s\", end = \"1s\" }]", "`at` is not before its `end`"),
        ("budget = 1\nattack = [{ kind = \"corrupt_at\", at = \"20s\", nodes = [1] }]", "`at` is after"),
        ("clients = 1\nattack = [{ kind = \"equivocate\" }]", "nobody who is corrupted can take part"),
        ("attack = [{ kind = \"silent\" }]", "nobody is corrupted"),
        ("network = { actions = [\"drop\"], until = \"1s\" }\nattack = [{ kind = \"isolate\" }]", nobody),
        ("network = { actions = [\"drop\"], until = \"1s\" }\nattack = [{ kind = \"target_links\" }]", nobody),
        ("budget = 1\nattack = [{ kind = \"corrupt_at\", at = \"1s\" }]", nobody),
        ("network = { actions = [\"drop\"], until = \"1s\" }\nattack = [{ kind = \"isolate\", targets = [0] }]", ""),
        ("budget = 1\nattack = [{ kind = \"corrupt_at\", at = \"1s\", nodes = [0] }]", ""),
    ] {
        let toml = format!("workload = {{ clients = 2 }}\n[adversary]\n{adversary}");
        let lines = Experiment::parse("e.toml", &toml, "".as_ref(), &[]).unwrap().idle_scenes();
        assert_eq!(lines.len(), usize::from(!warning.is_empty()), "{adversary}: {lines:?}");
        assert!(lines.iter().all(|line| line.contains(warning)), "{adversary}: {lines:?}");
    }
}

/// What is left to f, to a preset or to the end of the power is written as such, for it differs between cells.
#[test]
fn the_written_adversary_gives_the_same_results() {
    let lost = "network = { actions = [\"drop\"], until = \"50ms\" }\nattack = [{ kind = \"isolate\", targets = [0] }]";
    for (adversary, sweep) in [
        (
            "budget = \"f\"\nattack = [{ kind = \"chase_primary\" }, { kind = \"silent\" }]",
            "\"cluster.replicas\" = [4, 7]",
        ),
        ("count = \"f\"\nbudget = \"f\"\nattack = [{ kind = \"silent\" }]", "\"cluster.replicas\" = [7, 4]"),
        ("selection = \"last\"", "\"adversary.preset\" = [\"silent_primaries\", \"flood\"]"),
        ("count = 1", "\"adversary.preset\" = [\"silent_primaries\", \"worst_backup\"]"),
        (lost, "\"adversary.network.until\" = [\"50ms\", \"900ms\"]"),
        (
            "clients = 1\nattack = [{ kind = \"request_flood\", start = \"5ms\" }, { kind = \"delay\" }]",
            "\"adversary.count\" = [0, 1]",
        ),
    ] {
        let desk = Desk::with(&format!(
            "experiment = {{ runs = 3 }}\nworkload = {{ clients = 2 }}\n[adversary]\n{adversary}\n[sweep]\n{sweep}"
        ));
        let first = desk.byzlab("run e.toml --out first");
        assert_eq!(first.code, Some(0), "{adversary}: {}", first.stderr);
        let again = desk.byzlab("run first/config.toml --out again");
        assert_eq!(again.code, Some(0), "{adversary}: {}", again.stderr);
        for file in ["config.toml", "runs.csv", "events.csv"] {
            let [first, again] = ["first", "again"].map(|folder| desk.read(&format!("{folder}/{file}")));
            assert!(first == again, "{file} of {adversary} differs");
        }
    }
}

/// What the README shows of adversaries can be pasted as it stands.
#[test]
fn the_blocks_of_the_readme_that_attack_are_valid() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let attacks: Vec<&str> = blocks.filter(|block| block.contains("[adversary]")).collect();
    assert_eq!(attacks.len(), 2);
    for block in attacks {
        let experiment = Experiment::parse("README.md", block, "".as_ref(), &[]).unwrap();
        assert_eq!(experiment.idle_scenes(), Vec::<String>::new());
        for cell in &experiment.cells {
            let faults = usize::from(cell.settings.protocol.cluster.faults());
            assert!(cell.settings.most_corrupted() <= faults, "more than f are corrupted in {block}");
        }
    }
}
