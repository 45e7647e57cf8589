use super::super::document::Document;
use super::super::kind::{self, boolean, integer, text};
use super::super::units::{Probability, duration, probability};
use super::*;

fn parse(text: &str) -> Document {
    Document::parse("a.toml", text).unwrap()
}

#[test]
fn a_hint_survives_the_shell() {
    let mut document = parse("");
    document.set("name=7").unwrap();
    assert_eq!(
        document.root().required("name", text()).unwrap_err().to_string(),
        "--set name=7: name = 7: this is a whole number\n  allowed: text in quotes\n  \
         hint: write \"7\", for a shell '\"7\"'"
    );
    document.set("name=\"7\"").unwrap();
    assert_eq!(document.root().required("name", text()).as_deref(), Ok("7"));
}

#[test]
fn long_values_are_cut() {
    let document = parse(&format!("key = '{}'", "é".repeat(500)));
    let message = document.root().required("key", boolean()).unwrap_err().to_string();
    assert_eq!(message.lines().next().unwrap().chars().count(), 91);
    assert!(message.contains("é…: this is text"));
}

#[test]
fn a_straight_list_of_lines() {
    let document = parse(
        "[cluster]\nreplicas = 10\n[network]\nlatency = { min = '5ms' }\n\
         [[adversary.attack]]\nkind = 'silent'\n[[adversary.attack]]\nkind = 'ignore'\nprobability = 0.5\n",
    );
    let root = document.root();
    let cluster = root.section("cluster").unwrap();
    assert_eq!(cluster.or("replicas", integer(1..=65_000), 4_u32), Ok(10));
    assert_eq!(cluster.or("faults", integer(0..), 3_u32), Ok(3));
    cluster.finish().unwrap();
    let latency = root.section("network").unwrap().section("latency").unwrap();
    assert_eq!(latency.required("min", duration()).unwrap().0, 5_000_000);
    let adversary = root.section("adversary").unwrap();
    let attacks = adversary.sections("attack").unwrap();
    assert_eq!(attacks[1].path(), "adversary.attack[1]");
    assert_eq!(attacks[1].place().to_string(), "a.toml:7");
    for attack in &attacks {
        attack.required("kind", text()).unwrap();
    }
    // Another reader of the same table asks for the rest.
    let again = adversary.sections("attack").unwrap();
    assert_eq!(
        again[1].or("probability", probability(), Probability::ALWAYS).unwrap().get().to_bits(),
        0.5_f64.to_bits()
    );
    assert!(root.sections("nothing").unwrap().is_empty());
    assert!(root.optional_section("workload").unwrap().is_none());
    assert!(root.is_table("network") && !root.is_table("workload"));
    root.finish().unwrap();
}

#[test]
fn unknown_keys() {
    let check = |text: &str| {
        let document = parse(text);
        let root = document.root();
        let network = root.section("network").unwrap();
        network.section("latency").unwrap().optional("min", duration()).unwrap();
        network.optional("drop", probability()).unwrap();
        for rule in network.sections("rule").unwrap() {
            rule.optional("action", kind::text()).unwrap();
        }
        root.section("empty").unwrap();
        root.finish().map_err(|error| error.to_string())
    };
    for (text, message) in [
        ("[network]\nlatancy = 5", "a.toml:2: unknown key `network.latancy`\n  hint: did you mean `latency`?"),
        ("[netwrok]", "a.toml:1: unknown key `netwrok`\n  hint: did you mean `network`?"),
        (
            "[network.latency]\nmax = '1ms'\nzebra = 1",
            "a.toml:2: unknown key `network.latency.max`\n  hint: the keys here are min",
        ),
        (
            "[network]\nzebra = 1",
            "a.toml:2: unknown key `network.zebra`\n  hint: the keys here are latency, drop, rule",
        ),
        (
            "[[network.rule]]\n[[network.rule]]\nActions = 1",
            "a.toml:3: unknown key `network.rule[1].Actions`\n  hint: did you mean `action`?",
        ),
        ("empty = { a = 1 }", "a.toml:1: unknown key `empty.a`\n  hint: no key is known here; remove it"),
        (
            "[network]\n'dr op.' = 1",
            "a.toml:2: unknown key `network.\"dr op.\"`\n  hint: the keys here are latency, drop, rule",
        ),
    ] {
        assert_eq!(check(text), Err(message.to_owned()));
    }
    assert_eq!(check("[network]\ndrop = 0.5"), Ok(()));
}

#[test]
fn sections_of_another_type() {
    let document = parse("network = 5\n[adversary.attack]\nkind = 'silent'\n[x]\ny = [{ a = 1 }, 2]");
    let root = document.root();
    assert_eq!(
        root.section("network").unwrap_err().to_string(),
        "a.toml:1: network = 5: this is a whole number\n  allowed: a table: `[network]` or `network = { … }`"
    );
    assert_eq!(
        root.section("adversary").unwrap().sections("attack").unwrap_err().to_string(),
        "a.toml:2: adversary.attack = { kind = \"silent\" }: this is a table\n  allowed: a list of tables, \
         each written `[[adversary.attack]]`\n  hint: write two brackets on each side"
    );
    assert_eq!(
        root.section("x").unwrap().sections("y").unwrap_err().to_string(),
        "a.toml:5: x.y[1] = 2: this is a whole number\n  allowed: a list of tables, each written `[[x.y]]`"
    );
}

#[test]
fn missing_keys_and_checks_across_keys() {
    let document = parse("a = 1\n\n[cluster]\nfaults = 4");
    let root = document.root();
    let cluster = root.section("cluster").unwrap();
    assert_eq!(
        cluster.required("replicas", integer::<u32>(1..)).unwrap_err().to_string(),
        "a.toml:3: `cluster.replicas` is missing\n  allowed: a whole number, at least 1\n  hint: add `replicas = …`"
    );
    assert_eq!(
        root.section("network").unwrap().required("latency", duration()).unwrap_err().to_string().lines().next(),
        Some("a.toml: `network.latency` is missing")
    );
    for (key, expected) in [
        ("faults", "a.toml:4: cluster.faults = 4: wrong"),
        ("replicas", "a.toml:3: cluster.replicas: wrong"),
        ("", "a.toml:3: cluster: wrong"),
    ] {
        let error = cluster.error_at(key, "wrong", "repair it");
        assert_eq!(error.to_string(), format!("{expected}\n  hint: repair it"));
    }
    assert_eq!(root.error_at("", "wrong", "x").to_string(), "a.toml: wrong\n  hint: x");
    assert_eq!(cluster.origin("faults").to_string(), "a.toml:4");
    assert_eq!(cluster.origin("replicas"), Origin::Default);
}
