//! Mistakes in what an experiment says of its adversary: answered as all others, see `bad_input.rs`.

mod program;

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
