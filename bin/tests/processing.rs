//! `[processing]` as experiments give it: presets, single costs, and how it is written back.

mod program;
mod recorded;

use byzlab_network::{Latency, Span};
use byzlab_replica::Processing;
use program::Desk;
use recorded::parse;

fn processing(toml: &str) -> Processing {
    parse(toml).base.processing.clone()
}

/// The section of the resolved configuration.
fn resolved(toml: &str) -> String {
    let whole = parse(toml).to_toml();
    let (_, section) = whole.split_once("[processing]\n").expect("it is always written");
    section.split("\n\n").next().unwrap().to_owned()
}

#[test]
fn nothing_costs_anything_unless_it_is_said() {
    assert_eq!(processing(""), Processing::default());
    assert_eq!(
        resolved(""),
        "receive = \"0ms\"\nsend = \"0ms\"\nsign = \"0ms\"\nverify = \"0ms\"\nmac = \"0ms\"\nhash_per_kib = \"0ms\"\n\
         execute = \"0ms\"\ncores = 1"
    );
}

#[test]
fn single_costs_stand_in_for_those_of_a_preset() {
    let given = processing(
        "[protocol]\nauthentication = \"mac\"\n[processing]\npreset = \"hmac\"\ncores = 4\nexecute = \"20us\"
        verify = { distribution = \"uniform\", min = \"40us\", max = \"60us\" }",
    );
    let us = |micros: u64| Span::from_nanos(micros * 1000);
    let expected = Processing {
        execute: Latency::constant(us(20)),
        verify: Latency::uniform(us(40), us(60)).unwrap(),
        cores: 4.try_into().unwrap(),
        ..Processing::hmac()
    };
    assert_eq!(given, expected);
    assert_eq!(processing("[processing]\npreset = \"ed25519\""), Processing::ed25519());
    assert_eq!(processing("[processing]\npreset = \"none\""), Processing::default());
}

#[test]
fn it_is_written_back_without_a_preset_and_reads_the_same() {
    for toml in [
        "",
        "[processing]\npreset = \"ed25519\"\nsend = \"1.5us\"",
        "[processing]\npreset = \"hmac\"\nsign = { distribution = \"constant\", value = \"5us\", min = \"9us\" }",
        "[processing]\nmac = { distribution = \"gamma\", shape = 2.0, scale = \"1us\", offset = \"3us\" }",
        "[processing]\nexecute = { distribution = \"empirical\", values = [\"1us\", \"5us\"] }\ncores = 16",
        "[sweep]\n\"processing.verify\" = [\"1us\", \"50us\"]",
    ] {
        let experiment = parse(toml);
        let again = parse(&experiment.to_toml());
        assert!(!resolved(toml).contains("preset"), "{}", resolved(toml));
        for (cell, same) in experiment.cells.iter().zip(&again.cells) {
            assert_eq!(cell.settings.processing, same.settings.processing);
        }
        assert_eq!(experiment.to_toml(), again.to_toml());
    }
}

#[test]
fn a_sweep_over_presets_is_not_frozen() {
    let toml = "[processing]\nreceive = \"7us\"\n[sweep]\n\"processing.preset\" = [\"hmac\", \"ed25519\", \"none\"]";
    let experiment = parse(toml);
    assert!(resolved(toml).starts_with("receive = \"7us\"\n# send follows preset\n"), "{}", resolved(toml));
    let again = parse(&experiment.to_toml());
    for (cell, expected) in [Processing::hmac(), Processing::ed25519(), Processing::default()].into_iter().enumerate() {
        let expected = Processing { receive: Latency::constant(Span::from_nanos(7000)), ..expected };
        assert_eq!(experiment.cells[cell].settings.processing, expected);
        assert_eq!(again.cells[cell].settings.processing, expected);
    }
    assert_eq!(experiment.to_toml(), again.to_toml());
}

#[test]
fn macs_that_no_message_carries_are_a_warning() {
    let warning =
        "processing.mac is never spent: with protocol.authentication = \"signature\" no message carries a MAC";
    for (toml, count) in [
        ("[processing]\npreset = \"hmac\"", 1),
        ("[processing]\npreset = \"ed25519\"", 0),
        ("[processing]\npreset = \"hmac\"\n[protocol]\nauthentication = \"mac\"", 0),
        // One preset has what both need.
        ("[processing]\npreset = \"hmac\"\n[sweep]\n\"protocol.authentication\" = [\"signature\", \"mac\"]", 0),
    ] {
        let finished = Desk::with(toml).byzlab("run e.toml --out out --set experiment.runs=1");
        assert_eq!((finished.code, finished.stderr.matches(warning).count()), (Some(0), count), "{finished:?}");
    }
}
