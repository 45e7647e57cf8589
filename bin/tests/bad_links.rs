//! Mistakes in what an experiment says of links, transports and clocks: answered as all others, see `bad_input.rs`.

mod program;

use program::{Finished, refused, run};

#[test]
fn links_that_make_no_sense_are_refused() {
    let reliable = "[network]\ntransport = \"reliable\"\n";
    let narrow = "[network]\nbandwidth = \"1Gbit/s\"\n";
    let constant = "{ distribution = \"constant\", value = \"1s\" }";
    let partition = "[[network.partition]]\ngroups = [[0, 1], [2, 3]]\n";
    for (toml, place, parts) in [
        (
            "[network]\ntransport = \"tcp\"",
            "e.toml:2",
            &["\"tcp\": unknown word", "allowed: \"datagram\" or \"reliable\""][..],
        ),
        (
            &format!("{reliable}retransmission = {{ timeout = \"0s\" }}"),
            "e.toml:3",
            &["timeout = \"0s\": a message would be sent again before it can arrive", "longest round trip"],
        ),
        (
            &format!("{reliable}retransmission = {{ timeout = \"5s\", longest = \"1s\" }}"),
            "e.toml:3",
            &["longest = \"1s\": below the timeout"],
        ),
        (&format!("{reliable}duplicate = 0.1"), "e.toml:3", &["delivers each message once", "leave it out"]),
        (
            &format!("{reliable}[[network.rule]]\naction = \"duplicate\""),
            "e.toml:3",
            &["rule[0] duplicates, but a reliable transport delivers each message once"],
        ),
        (
            &format!("{reliable}bandwidth = \"1Gbit/s\"\nbuffer = \"1MiB\""),
            "e.toml:4",
            &["senders would slow down before a buffer is full, which is not modelled", "\"datagram\""],
        ),
        ("[network]\nbuffer = \"1MiB\"", "e.toml:2", &["nothing ever waits", "give a bandwidth too"]),
        ("[network]\nbandwidth = \"0bit/s\"", "e.toml:2", &["nothing would ever get through", "\"unlimited\""]),
        ("[network]\nbandwidth = \"10Gbps\"", "e.toml:2", &["unknown unit `Gbps`", "did you mean \"10Gbit/s\"?"]),
        (
            &format!("{narrow}[[network.interface]]\nnodes = [0]\n[[network.interface]]\nnodes = \"replicas\""),
            "e.toml:6",
            &["node 0 has another interface above"],
        ),
        (
            "[[network.schedule]]\nsteps = [{ at = \"2s\", drop = 0.1 }, { at = \"1s\" }]",
            "e.toml:2",
            &["step 1 is not later than the one before it", "in the order of time"],
        ),
        (
            "[[network.schedule]]\nfrom = [0]",
            "e.toml:1",
            &["network.schedule[0].steps: there is no step", "for example"],
        ),
        (
            "[[network.schedule]]\nsteps = [{ at = \"2s\", bandwidth = \"0bit/s\" }]",
            "e.toml:2",
            &["steps[0].bandwidth", "nothing would ever get through"],
        ),
        (
            "[network]\nbursts = { to_bad = 0.1, to_good = 0.0 }",
            "e.toml:2",
            &["to_good = 0.0: a link that turns bad would never turn good again"],
        ),
        ("[network]\nbursts = { to_bad = 0.0, to_good = 0.1 }", "e.toml:2", &["nothing is ever lost"]),
        ("[[network.churn]]\nnodes = [1]", "e.toml:1", &["network.churn[0].up: missing", "for example up = {"]),
        (
            &format!("[[network.churn]]\nnodes = [1]\nto = [2]\nup = {constant}\ndown = {constant}"),
            "e.toml:2",
            &["either nodes come and go, or links", "write two"],
        ),
        (
            &format!("[[network.churn]]\nup = {constant}\ndown = {constant}\nstart = \"2s\"\nend = \"1s\""),
            "e.toml:5",
            &["it ends before it starts"],
        ),
        (
            &format!("{partition}start = \"1s\"\nend = \"3s\"\n{partition}start = \"2s\""),
            "e.toml:1",
            &["partition[0] and partition[1] overlap: at \"2s\" both cut 0 off from 2", "end one before the other"],
        ),
        ("[[cluster.clock]]\nnodes = [0]\ndrift = 2.0", "e.toml:3", &["drift = 2.0: too large"]),
        (
            "[[cluster.clock]]\nnodes = [0]\ndrift = 0.1\n[[cluster.clock]]\nnodes = \"replicas\"\ndrift = 0.2",
            "e.toml:5",
            &["node 0 has another clock above"],
        ),
    ] {
        refused(&run(toml, ""), place, parts);
    }
}

#[test]
fn what_changes_too_late_is_a_warning() {
    let late = "[experiment]\nruns = 1\ntime_limit = \"1s\"\n[network]\nretransmission = {}\n[[network.schedule]]\nsteps = [{ at = \"2s\", drop = 0.5 }]\n\
        [[network.churn]]\nstart = \"2s\"\nup = { distribution = \"constant\", value = \"1s\" }\ndown = { distribution = \"constant\", value = \"1s\" }";
    let Finished { code, stderr, .. } = run(late, "");
    assert_eq!(code, Some(0), "{stderr}");
    for part in
        ["network.schedule[0] changes nothing", "network.churn[0] moves nobody", "network.retransmission changes"]
    {
        assert!(stderr.contains(part), "{stderr}");
    }
}
