//! What messages weigh: in the log, in the traffic of a run, with signatures and with MACs.

mod recorded;

use byzlab::Experiment;
use byzlab_analysis::EventKind;
use recorded::{Recorded, parse, record};

/// Ends in the middle of things, so that whatever was sent is also in the log.
fn experiment(authentication: &str) -> Experiment {
    parse(&format!(
        r#"
        experiment = {{ runs = 1, time_limit = "95ms" }}
        protocol = {{ authentication = "{authentication}", batch_size = 2, batch_delay = "5ms" }}
        workload = {{ clients = 2, requests = 9, payload = "100B", reply_payload = "50B" }}
        network = {{ latency = {{ distribution = "constant", value = "10ms" }} }}
        cluster = {{ replicas = 7 }}"#
    ))
}

fn bytes_of(played: &Recorded, message: &str) -> Vec<u64> {
    let sends = played.of(EventKind::Send).filter(|row| row.message.as_deref() == Some(message));
    let mut sizes: Vec<u64> = sends.filter_map(|row| row.bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[test]
fn log_and_traffic_have_the_sizes_of_the_table() {
    let [signed, with_macs] = ["signature", "mac"].map(|scheme| record(&experiment(scheme), 0, 0));
    for (message, expected) in [
        ("request", [188, 236]),
        ("pre_prepare", [128 + 2 * 188, 176 + 2 * 236]),
        ("prepare", [120, 168]),
        ("commit", [120, 168]),
        ("reply", [146, 98]),
    ] {
        assert_eq!([&signed, &with_macs].map(|played| bytes_of(played, message)), expected.map(|size| vec![size]));
    }
    for played in [&signed, &with_macs] {
        let logged: u64 = played.of(EventKind::Send).filter_map(|row| row.bytes).sum();
        assert_eq!(played.result.row.bytes, logged);
    }
    assert_eq!(signed.result.row.fingerprint, with_macs.result.row.fingerprint, "sizes alone change nothing else");
}

#[test]
fn the_resolved_configuration_says_how_messages_are_authenticated() {
    for scheme in ["signature", "mac"] {
        let experiment = experiment(scheme);
        assert!(experiment.to_toml().contains(&format!("authentication = \"{scheme}\"")));
        let again = parse(&experiment.to_toml());
        assert_eq!((&again.base.protocol, again.to_toml()), (&experiment.base.protocol, experiment.to_toml()));
    }
}
