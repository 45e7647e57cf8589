//! Mistakes in experiments: each is answered with one message that has the place, what is wrong and a remedy, and nothing is run.

mod program;

use program::{Desk, refused, run};

#[test]
fn unknown_keys_get_the_nearest_known_one() {
    for (toml, place, unknown, near) in [
        ("[network]\nlatancy = 3", "e.toml:2", "network.latancy", "latency"),
        ("[netwrok]\ndrop = 0.1", "e.toml:1", "netwrok", "network"),
        ("[experiment]\n\nsed = 3", "e.toml:3", "experiment.sed", "seed"),
        (
            "[network]\nlatency = { distribution = \"constant\", value = \"5ms\", offsett = \"1ms\" }",
            "e.toml:2",
            "network.latency.offsett",
            "offset",
        ),
        (
            "[adversary]\ncount = 1\n[[adversary.attack]]\nkind = \"silent\"\nprobabilty = 1",
            "e.toml:5",
            "adversary.attack[0].probabilty",
            "probability",
        ),
    ] {
        let finished = run(toml, "");
        refused(&finished, place, &[&format!("unknown key `{unknown}`"), &format!("did you mean `{near}`?")]);
    }
    refused(&run("[cluster]\nquux = 3", ""), "e.toml:2", &["cluster.quux", "the keys here are replicas, faults"]);
}

/// With the feature `planted-defects` the key is known: see `defects.rs`.
#[cfg(not(feature = "planted-defects"))]
#[test]
fn a_normal_build_has_no_defects_to_plant() {
    let finished = run("[protocol]\ndefect = \"votes_counted\"", "");
    let parts = ["protocol.defect", "this build has no planted defects", "build with `--features planted-defects`"];
    refused(&finished, "e.toml:2", &parts);
    let typo = run("[protocol]\nquux = 3", "");
    assert!(typo.stderr.contains("the keys here are") && !typo.stderr.contains("defect"), "{typo:?}");
}

#[test]
fn wrong_units_get_an_example() {
    let value =
        |value: &str| run(&format!("[network]\nlatency = {{ distribution = \"constant\", value = {value} }}"), "");
    for (wrong, problem, hint) in [
        ("\"5\"", "a unit is missing", "write \"5ms\""),
        ("5", "a unit is missing", "write \"5ms\""),
        ("\"5msec\"", "unknown unit `msec`", "did you mean \"5ms\"?"),
        ("\"5 parsecs\"", "unknown unit `parsecs`", "write \"5ms\""),
        ("\"5B\"", "unknown unit `B`", "write \"5ms\""),
        ("\"1,5ms\"", "unknown unit `,5ms`", "write decimals with a point"),
    ] {
        let allowed = "allowed: a duration such as \"5ms\"";
        refused(&value(wrong), "e.toml:2", &["network.latency.value", problem, hint, allowed]);
    }
    refused(&run("[workload]\npayload = \"5ms\"", ""), "e.toml:2", &["workload.payload", "allowed: a size such as"]);
    refused(&run("[experiment]\ntime_limit = 2", ""), "e.toml:2", &["experiment.time_limit", "write \"2ms\""]);
}

#[test]
fn probabilities_lie_between_0_and_1() {
    let allowed = "allowed: a probability from 0 to 1";
    for (toml, key) in [
        ("[network]\ndrop = 1.5", "network.drop"),
        ("[network]\nduplicate = -0.1", "network.duplicate"),
        ("[network]\ndrop = nan", "network.drop"),
        ("[network]\ndrop = inf", "network.drop"),
        (
            "[network]\nreorder = { probability = 2, extra = { distribution = \"constant\", value = \"5ms\" } }",
            "network.reorder.probability",
        ),
    ] {
        refused(&run(toml, ""), "e.toml:2", &[key, allowed]);
    }
    let attack = "[adversary]\ncount = 1\n[[adversary.attack]]\nkind = \"silent\"\nprobability = 30";
    refused(&run(attack, ""), "e.toml:5", &["adversary.attack[0].probability", allowed, "write 0.3 for 30 percent"]);
}

#[test]
fn a_cluster_has_room_for_its_faults() {
    let finished = run("[cluster]\nreplicas = 9\nfaults = 3", "");
    refused(&finished, "e.toml:3", &["9 replicas tolerate at most 2 faults, not 3", "at least 10 replicas"]);
    refused(
        &run("[cluster]\nreplicas = 0", ""),
        "e.toml:2",
        &["cluster.replicas", "allowed: a whole number from 1 to"],
    );
    refused(&run("[cluster]\nfaults = -1", ""), "e.toml:2", &["cluster.faults", "allowed: a whole number"]);
}

#[test]
fn a_huge_number_of_faults_is_refused_like_any_other() {
    let finished = run("[cluster]\nreplicas = 9\nfaults = 30000", "");
    refused(
        &finished,
        "e.toml:3",
        &["9 replicas tolerate at most 2 faults, not 30000", "give at most 2, or at least 90001 replicas"],
    );
}

#[test]
fn only_replicas_can_be_corrupted() {
    let replicas = "[cluster]\nreplicas = 10\n[adversary]\n";
    for (line, parts) in [
        ("count = 11", ["adversary.count = 11: more corrupted than the 10 replicas", "give 0 to 10"]),
        ("members = [10]", ["adversary.members[0] = 10", "below 10"]),
        ("members = [1, 1]", ["node 1 comes twice", "name each node once"]),
        ("count = -1", ["adversary.count = -1", "allowed: a whole number"]),
    ] {
        refused(&run(&format!("{replicas}{line}"), ""), "e.toml:4", &parts);
    }
}

#[test]
fn latencies_are_finite_and_not_negative() {
    for (latency, problem, remedy) in [
        ("\"constant\", value = \"-5ms\"", "must not be negative", "allowed: a duration"),
        ("\"uniform\", min = \"-5ms\", max = \"5ms\"", "must not be negative", "allowed: a duration"),
        ("\"uniform\", min = \"9ms\", max = \"5ms\"", "the range is empty", "a min that is not above max"),
        ("\"normal\", mean = \"5ms\", std_dev = \"-1ms\"", "must not be negative", "allowed: a duration"),
        ("\"constant\", value = \"5ms\", offset = \"-9ms\"", "must not be negative", "allowed: a duration"),
        ("\"exponential\", mean = inf", "network.latency.mean = inf", "allowed: a duration"),
        ("\"exponential\", mean = \"0ms\"", "a finite number above 0", "give a value above 0"),
        ("\"lognormal\", median = \"5ms\", sigma = inf", "not a finite number", "allowed: a finite number"),
        ("\"lognormal\", median = \"5ms\", sigma = 40", "can be infinite", "take a lighter tail"),
        ("\"pareto\", scale = \"5ms\", shape = 0.01", "can be infinite", "take a lighter tail"),
        ("\"gamma\", scale = \"5ms\", shape = 0", "a finite number above 0", "give a value above 0"),
        ("\"weibull\", scale = \"5ms\", shape = nan", "not a finite number", "allowed: a finite number"),
        ("\"constant\", value = \"300000000h\"", "too large", "allowed: a duration"),
        ("\"discrete\", values = [], weights = []", "no value to choose from", "give at least one value"),
        ("\"discrete\", values = [\"5ms\"], weights = [1, 2]", "1 values but 2 weights", "one weight for each"),
        ("\"discrete\", values = [\"5ms\"], weights = [0]", "one of them above 0", "give weights such as"),
        (
            "\"discrete\", values = [\"5ms\"], weights = [-1]",
            "network.latency.weights[0] = -1",
            "allowed: a finite number",
        ),
        ("\"empirical\", file = \"none.txt\"", "none.txt cannot be read", "give the path of a text file"),
        ("\"empirical\", file = \"e.toml\"", "e.toml:1: `[network]`", "one duration such as 12.5ms a line"),
        ("\"empirical\", values = []", "no value to choose from", "give at least one value"),
        ("\"gausian\", mean = \"5ms\"", "unknown word", "allowed: \"constant\" or \"uniform\""),
        ("\"uniform\", min = \"5ms\"", "`network.latency.max` is missing", "add `max = …`"),
    ] {
        let finished = run(&format!("[network]\nlatency = {{ distribution = {latency} }}"), "");
        refused(&finished, "e.toml:2", &[problem, remedy]);
    }
    let finished = run("[network]\nlatency = { distribution = \"empirical\", file = \"lan.txt\" }", "");
    refused(&finished, "e.toml:2", &["network.latency.file"]);
}

#[test]
fn a_rule_of_the_network_makes_sense() {
    for (line, parts) in [
        (
            "from = [5]",
            &["network.rule[0].from[0] = 5: too large", "allowed: a whole number, at least 0 and below 5"][..],
        ),
        ("to = [1, 1]", &["network.rule[0].to", "node 1 comes twice", "name each node once"]),
        ("to = []", &["network.rule[0].to = []: the list is empty", "leave the key out for any"]),
        ("to = \"replica\"", &["network.rule[0].to = \"replica\"", "did you mean \"replicas\"?"]),
        ("from = 3", &["network.rule[0].from = 3: this is a whole number", "allowed: a list of", "or \"replicas\" or"]),
        ("messages = [\"comit\"]", &["network.rule[0].messages[0] = \"comit\"", "did you mean \"commit\"?"]),
        ("messages = []", &["network.rule[0].messages = []: the list is empty", "leave the key out"]),
        ("view = -1", &["network.rule[0].view = -1", "allowed: a whole number"]),
        ("seq = 1.5", &["network.rule[0].seq = 1.5", "allowed: a whole number"]),
        ("end = \"0ms\"", &["network.rule[0].end = \"0ms\": it ends before it starts", "give an end after the start"]),
        ("probability = 1.5", &["network.rule[0].probability = 1.5", "allowed: a probability from 0 to 1"]),
        (
            "delay = { distribution = \"constant\", value = \"5ms\" }",
            &["the action \"drop\" takes no delay", "leave it out"],
        ),
        ("message = [\"commit\"]", &["unknown key `network.rule[0].message`", "did you mean `messages`?"]),
    ] {
        refused(&run(&format!("[[network.rule]]\naction = \"drop\"\n{line}"), ""), "e.toml:3", parts);
    }
    let backwards = "[[network.rule]]\naction = \"drop\"\nstart = \"9ms\"\nend = \"9ms\"";
    refused(&run(backwards, ""), "e.toml:4", &["it ends before it starts", "give an end after the start"]);
    for (action, parts) in [
        (
            "hold",
            &["network.rule[0].end: what is held is delivered at the end, but there is no end", "give an end, or drop"]
                [..],
        ),
        ("delay", &["network.rule[0].delay: missing", "delay = { distribution = \"constant\""]),
    ] {
        refused(&run(&format!("\n[[network.rule]]\naction = \"{action}\""), ""), "e.toml:2", parts);
    }
    let rule = |line: &str| run(&format!("[[network.rule]]\n{line}"), "");
    refused(&rule("to = [3]"), "e.toml:1", &["`network.rule[0].action` is missing", "add `action = …`"]);
    refused(&rule("action = \"dorp\""), "e.toml:2", &["unknown word", "did you mean \"drop\"?"]);
    let delay = rule("action = \"delay\"\ndelay = { distribution = \"constant\", value = \"-5ms\" }");
    refused(&delay, "e.toml:3", &["network.rule[0].delay.value", "must not be negative"]);
    refused(&run("[network.rule]\naction = \"drop\"", ""), "e.toml:1", &["network.rule", "write two brackets"]);
}

#[test]
fn a_partition_cuts_somebody_off() {
    for (place, line, parts) in [
        (
            2,
            "groups = [[0, 1], [2, 1]]",
            &["network.partition[0].groups", "node 1 is in two groups", "one group at most"][..],
        ),
        (2, "groups = [[0, 1], \"replicas\"]", &["node 0 is in two groups", "one group at most"]),
        (2, "groups = [[0, 1]]", &["fewer than two groups", "groups = [[0, 1], [2, 3]]"]),
        (2, "groups = [[0], []]", &["network.partition[0].groups[1] = []: the list is empty", "name at least one"]),
        (2, "groups = [[0], [5]]", &["network.partition[0].groups[1][0] = 5: too large", "below 5"]),
        (2, "groups = [0, 1]", &["network.partition[0].groups[0] = 0: this is a whole number", "allowed: a list"]),
        (1, "groups = [[0], [1]]\nmode = \"hold\"", &["what is held is delivered at the end", "give an end"]),
        (
            3,
            "groups = [[0], [1]]\nmode = \"cut\"",
            &["network.partition[0].mode = \"cut\"", "allowed: \"drop\" or \"hold\""],
        ),
        (3, "groups = [[0], [1]]\nend = \"0ms\"", &["it ends before it starts", "give an end after the start"]),
        (1, "start = \"1ms\"", &["`network.partition[0].groups` is missing", "add `groups = …`"]),
    ] {
        refused(&run(&format!("[[network.partition]]\n{line}"), ""), &format!("e.toml:{place}: "), parts);
    }
}

#[test]
fn a_network_stabilises_while_the_run_goes_on() {
    let latency = "latency = { distribution = \"constant\", value = \"1s\" }";
    for (place, line, parts) in [
        (1, latency, &["`network.synchrony.gst` is missing", "add `gst = …`"][..]),
        (1, "gst = \"1s\"", &["network.synchrony: nothing is different before gst", "give `latency` or `drop`"]),
        (
            2,
            "gst = \"11s\"\ndrop = 0.5",
            &["network.synchrony.gst = \"11s\": the run is over by then", "experiment.time_limit"],
        ),
        (3, "gst = \"1s\"\ndrop = 2", &["network.synchrony.drop = 2", "allowed: a probability"]),
        (2, "gst = 1\ndrop = 0.5", &["network.synchrony.gst", "write \"1ms\""]),
        (4, "gst = \"1s\"\ndrop = 0.5\nloss = 1", &["unknown key `network.synchrony.loss`", "the keys here are"]),
    ] {
        refused(&run(&format!("[network.synchrony]\n{line}"), ""), &format!("e.toml:{place}: "), parts);
    }
    let sweep = "[network.synchrony]\ndrop = 0.5\n[sweep]\n\"network.synchrony.gst\" = [\"0ms\", \"1h\"]";
    refused(&run(sweep, ""), "e.toml:4 ([sweep] network.synchrony.gst = \"1h\"): ", &["the run is over by then"]);
}

#[test]
fn a_file_of_delays_is_read_with_care() {
    let matrix = |content: &str| {
        let desk = Desk::with("[network.topology]\nmatrix = \"rtt.csv\"\nreplicas = [\"a\", \"b\"]\nclients = [\"a\"]");
        desk.write("rtt.csv", content);
        desk.byzlab("run e.toml --out out")
    };
    for (content, problem, remedy) in [
        ("", "rtt.csv:1: there is no header", "begin with from,to,rtt_ms"),
        ("a;b;c\n", "rtt.csv:1: `a;b;c` is not the header of a table", "with commas in between"),
        ("from,to,rtt_ms\n", "rtt.csv:1: there is no delay below the header", "a line for each pair"),
        ("from,to,rtt_ms\na,b\n", "rtt.csv:2: 2 cells where the header has 3", "one cell for each column"),
        ("from,to,rtt_ms\na,b,-3", "rtt.csv:2: from `a` to `b`: `-3` is negative", "a number of milliseconds"),
        ("from,to,rtt_ms\na,b,nan", "`nan` is not a finite number", "a number of milliseconds"),
        ("from,to,rtt_ms\na,b,5000000", "`5000000` ms is more than an hour", "from 0 to 3600000"),
        ("from,to,rtt_ms\na,b,1\na,b,2", "rtt.csv:3: from `a` to `b`: 2 ms here, but 1 ms in line 2", "keep one"),
        ("from,to,one_way_ms\na,b,1", "a delay, but none from `b` to `a`", "add the other direction"),
        (",a,b\na,0,1", "rtt.csv:2: 1 rows for 2 columns: the matrix is not square", "one row for each site"),
        (
            ",a,b\nb,0,1\na,1,0",
            "rtt.csv:2: the row of `b` stands where that of `a` belongs",
            "the order of the columns",
        ),
        (",a,b\na,0,\nb,1,0", "rtt.csv:2: from `a` to `b`: the delay is missing", "within a site it may be left out"),
        (",a,a\na,0,1", "the site `a` comes twice", "name each site once"),
        (
            "from,to,rtt_ms\na,b,1\na,a,1",
            "two nodes can be at b, but no delay is known from b to b",
            "within_site = \"0.25ms\"",
        ),
        (
            "from,to,rtt_ms\na,a,1\nb,b,1",
            "\"rtt.csv\": no delay is known from a to b",
            "[[network.topology.link]] with from, to and one_way",
        ),
    ] {
        refused(&matrix(content), "e.toml:2: network.topology.matrix = \"rtt.csv\": ", &[problem, remedy]);
    }
    let missing = run("[network.topology]\nmatrix = \"deep/none.csv\"", "");
    refused(&missing, "e.toml:2", &["deep/none.csv cannot be read", "from the folder of this experiment"]);
}

#[test]
fn a_topology_names_sites_that_exist() {
    let link = "replicas = [\"us-east-1\"]\n[[network.topology.link]]\n";
    let own = "replicas = [\"x\"]\n[[network.topology.site]]\nname = \"x\"\n";
    let table = "table = { sites = [\"a\", \"b\"], one_way = ";
    for (line, lines, parts) in [
        (
            2,
            "replicas = [\"us-esat-1\"]",
            &["network.topology.replicas[0] = \"us-esat-1\": there is no such site", "did you mean \"us-east-1\"?"][..],
        ),
        (2, "sites = [\"atlantis\"]", &["no such site", "add [[network.topology.site]] with its name, latitude"]),
        (
            2,
            "replicas = \"us-west-2\"",
            &["replicas = \"us-west-2\": this is a single site, not a list", "hint: write [\"us-west-2\"]"],
        ),
        (2, "clients = \"randon\"", &["unknown word", "did you mean \"random\"?"]),
        (2, "replicas = []", &["network.topology.replicas = []: the list is empty", "name at least one site"]),
        (2, "clients = \"randon\"", &["network.topology.clients", "unknown word", "did you mean \"random\"?"]),
        (1, "clients = \"random\"", &["network.topology: no site is named", "sites = [\"us-east-1\", \"eu-west-1\"]"]),
        (2, "sites = [\"us-east-1\", \"us-east-1\"]", &["\"us-east-1\" comes twice", "name each site once"]),
        (
            3,
            "sites = [\"us-east-1\"]\nreplicas = [\"sa-east-1\"]",
            &["this is none of network.topology.sites", "name it there too, or take one of us-east-1"],
        ),
        (2, "inflation = 0.5", &["network.topology.inflation = 0.5: too small", "from 1 to 100"]),
        (2, "within_site = \"2h\"", &["network.topology.within_site = \"2h\": too large", "at most 1h"]),
        (
            2,
            "jitter = { distribution = \"exponential\", mean = 5 }",
            &["network.topology.jitter.mean", "write \"5ms\""],
        ),
        (
            2,
            "jitter = { distribution = \"uniform\", min = \"0ms\", max = \"5%\" }",
            &["network.topology.jitter.min = \"0ms\": unknown unit `ms`", "allowed: a share such as \"5%\""],
        ),
        (
            2,
            "jitter = { distribution = \"empirical\", file = \"e.txt\", offset = \"5%\" }",
            &["network.topology.jitter.file", "another length of this distribution is a share"],
        ),
        (3, link, &["`network.topology.link[0].from` is missing"]),
        (3, &format!("{link}from = \"us-east-1\"\nto = \"sa-east-1\""), &["nothing is different between these sites"]),
        (
            5,
            &format!("{link}from = \"us-east1\"\nto = \"?\""),
            &["network.topology.link[0].to = \"?\": there is no such"],
        ),
        (
            5,
            &format!("{own}latitude = 91\nlongitude = 0"),
            &["site[0].latitude = 91: a latitude is a number of degrees"],
        ),
        (6, &format!("{own}latitude = 9\nlongitude = 999"), &["a longitude is a number of", "as a decimal number"]),
        (3, &format!("{own}latitude = 9"), &["`network.topology.site[0].longitude` is missing"]),
        (
            2,
            &format!("{table}[[\"0ms\"]] }}"),
            &["network.topology.table.one_way", "not 2 rows of 2 delays", "\"none\""],
        ),
        (
            2,
            &format!("{table}[[\"none\", \"none\"], [\"none\", \"1ms\"]] }}"),
            &["network.topology.table = ", "no delay is known from a to a", "within_site"],
        ),
        (3, &format!("{table}[] }}\ninflation = 2"), &["here they come from `table`"]),
        (3, "matrix = \"m\"\ninflation = 2", &["inflation = 2: delays by geography need it", "leave out `inflation`"]),
        (
            3,
            &format!("matrix = \"m\"\n{table}[] }}"),
            &["so there cannot be a table too", "leave out `matrix` or `table`"],
        ),
        (
            2,
            "matrxi = \"m\"\nsites = [\"us-east-1\"]",
            &["unknown key `network.topology.matrxi`", "did you mean `matrix`?"],
        ),
    ] {
        let finished = run(&format!("[network.topology]\n{lines}"), "");
        refused(&finished, &format!("e.toml:{line}: "), parts);
    }
    let both = "[network]\nlatency = { distribution = \"constant\", value = \"5ms\" }\n[network.topology]\nsites = [\"us-east-1\"]";
    refused(&run(both, ""), "e.toml:2", &["[network.topology] replaces the latency", "leave out network.latency"]);
    let sweep = "[network.topology]\n[sweep]\n\"network.topology.matrix\" = [\"a.csv\", \"b.csv\"]";
    refused(&run(sweep, ""), "e.toml:3 ([sweep]", &["a sweep cannot vary the file", "an experiment for each file"]);
    let heavy = "[network.topology]\nsites = [\"us-east-1\", \"sa-east-1\"]\nwithin_site = \"1h\"\n\
         jitter = { distribution = \"pareto\", scale = \"100%\", shape = 2.2 }";
    let parts = &["from us-east-1 to us-east-1: a draw can be infinite", "take a lighter tail"];
    refused(&run(heavy, ""), "e.toml:4: network.topology.jitter", parts);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let finished = run("[experiment]\nseed = 5\ntime_limit = 5ms", "");
    refused(&finished, "e.toml:3", &["not valid TOML", "write \"5ms\" in quotes"]);
    refused(&run("seed = 1\nseed = 2", ""), "e.toml:2", &["duplicate key", "keep one of the two"]);
}

#[test]
fn an_experiment_that_is_not_there_says_so() {
    let desk = Desk::with("");
    for arguments in ["run none.toml --out out", "run . --out out"] {
        let finished = desk.byzlab(arguments);
        let place = arguments.split(' ').nth(1).unwrap();
        refused(&finished, &format!("{place}: cannot be read: "), &["give the path of an experiment"]);
    }
    assert!(!desk.path("out").exists());
}

#[test]
fn a_protocol_that_could_not_work_is_refused() {
    for (line, parts) in [
        (
            "checkpoint_interval = 401",
            &["smaller than checkpoint_interval = 401: no checkpoint would ever be reached", "for example 802"][..],
        ),
        (
            "max_in_flight = 401",
            &[
                "max_in_flight = 401: more than log_window = 400: the window is too small",
                "give 1 to 400, or a window of",
            ],
        ),
        (
            "request_timeout = \"0ms\"",
            &["protocol.request_timeout = \"0ms\": without a wait", "several times as long as a message"],
        ),
        ("view_change_timeout = \"0s\"", &["protocol.view_change_timeout = \"0s\": without a wait each view is left"]),
        ("status_interval = \"0s\"", &["protocol.status_interval = \"0s\": without a pause"]),
        ("service = \"counters\"", &["protocol.service = \"counters\"", "did you mean \"counter\"?"]),
        ("tentative = 1", &["protocol.tentative = 1", "allowed: true or false"]),
    ] {
        refused(&run(&format!("[protocol]\n{line}"), ""), "e.toml", parts);
    }
    for option in ["tentative", "read_only"] {
        let line = format!("[protocol]\n{option} = true\n[workload]\nreply_quorum = \"f+1\"");
        refused(&run(&line, ""), "e.toml:4", &["take 3 matching replies", "give \"quorum\", or leave it out"]);
    }
    refused(&run("[workload]\nreads = 2", ""), "e.toml:2", &["workload.reads = 2", "allowed: a probability"]);
}

#[test]
fn crashes_make_sense() {
    let crash = "[[cluster.crash]]\nnode = 1\nat = \"5ms\"";
    for (lines, parts) in [
        ("[[cluster.crash]]\nnode = 4\nat = \"5ms\"", &["cluster.crash[0].node = 4: too large", "below 4"][..]),
        ("[[cluster.crash]]\nat = \"5ms\"", &["`cluster.crash[0].node` is missing"]),
        ("[[cluster.crash]]\nnode = 1", &["`cluster.crash[0].at` is missing"]),
        (&format!("{crash}\nrecover_at = \"5ms\""), &["comes back before it crashes", "give an instant after `at`"]),
        (&format!("{crash}\ndurable = false"), &["a replica that stays down needs no storage", "`recover_at` too"]),
        (
            &format!("{crash}\n{crash}"),
            &[
                "cluster.crash[1].at",
                "replica 1 has another crash, at \"5ms\", that overlaps",
                "let it recover in between",
            ],
        ),
        ("[cluster.crash]\nnode = 1", &["cluster.crash", "write two brackets"]),
    ] {
        refused(&run(lines, ""), "e.toml", parts);
    }
    let both = format!("{crash}\n[adversary]\nmembers = [1]");
    refused(&run(&both, ""), "e.toml:2", &["replica 1 is corrupted", "name another"]);
}

#[test]
fn open_loops_have_a_rate_and_closed_ones_do_not() {
    let open = "[workload]\nmode = \"open\"";
    refused(&run(open, ""), "e.toml:1", &["`workload.rate` is missing", "above 0", "add `rate = …`"]);
    for (line, parts) in [
        ("rate = 0", &["workload.rate = 0: too small", "allowed: a finite number, above 0 and at most 1000000000"][..]),
        ("rate = -5.0", &["workload.rate = -5.0: too small", "above 0"]),
        ("rate = inf", &["workload.rate = inf: this is not a finite number"]),
        ("rate = \"100\"", &["workload.rate = \"100\": this is text", "write 100 without quotes"]),
        ("rate = 2e9", &["workload.rate = 2000000000.0: too large", "at most 1000000000"]),
    ] {
        refused(&run(&format!("{open}\n{line}"), ""), "e.toml:3", parts);
    }
    for (line, parts) in [
        (
            "think_time = \"5ms\"",
            &["workload.think_time = \"5ms\": in mode = \"open\" nobody waits", "leave it out"][..],
        ),
        ("arrivals = \"poison\"", &["workload.arrivals = \"poison\": unknown word", "did you mean \"poisson\"?"]),
        ("burst_size = 3", &["workload.burst_size = 3: only bursts have a size", "write arrivals = \"bursts\""]),
        ("ramp = 5", &["workload.ramp = 5: this is a whole number", "allowed: a table"]),
        ("ramp = { over = \"1s\" }", &["`workload.ramp.to` is missing", "add `to = …`"]),
        ("ramp = { to = 5.0 }", &["`workload.ramp.over` is missing", "add `over = …`"]),
        ("ramp = { to = 0, over = \"1s\" }", &["workload.ramp.to = 0: too small", "above 0"]),
        ("ramp = { to = 5, over = \"0s\" }", &["workload.ramp.over = \"0s\": too small", "at least 1ns"]),
        ("ramp = { to = 5, over = \"1s\", form = 1 }", &["unknown key `workload.ramp.form`", "the keys here are"]),
    ] {
        refused(&run(&format!("{open}\nrate = 5.0\n{line}"), ""), "e.toml:4", parts);
    }
    let bursts = format!("{open}\nrate = 5.0\narrivals = \"bursts\"");
    refused(
        &run(&bursts, ""),
        "e.toml:1",
        &["`workload.burst_size` is missing", "allowed: a whole number, at least 1"],
    );
    refused(&run(&format!("{bursts}\nburst_size = 0"), ""), "e.toml:5", &["workload.burst_size = 0: too small"]);
    for line in ["rate = 5.0", "arrivals = \"constant\"", "burst_size = 3", "ramp = { to = 5.0, over = \"1s\" }"] {
        let parts = ["in mode = \"closed\" the next request comes after the result", "write mode = \"open\", or leave"];
        refused(&run(&format!("[workload]\n{line}"), ""), "e.toml:2: workload.", &parts);
    }
    let mode = run("[workload]\nmode = \"opne\"", "");
    refused(&mode, "e.toml:2", &["workload.mode = \"opne\": unknown word", "did you mean \"open\"?"]);
}

#[test]
fn processing_costs_time() {
    for (line, parts) in [
        (
            "receive = 5",
            &["processing.receive = 5: a unit is missing", "write \"5us\"", "\"exponential\", mean = \"50us\""][..],
        ),
        ("sign = \"-5us\"", &["processing.sign = \"-5us\": must not be negative", "allowed: a duration such as"]),
        ("verify = \"5000000h\"", &["processing.verify = \"5000000h\": too large", "allowed: a duration"]),
        (
            "mac = { distribution = \"uniform\", min = \"5us\", max = \"1us\" }",
            &["processing.mac.min = \"5us\": min is above max", "give a min that is not above max"],
        ),
        ("execute = { mean = \"5us\" }", &["`processing.execute.distribution` is missing", "add `distribution = …`"]),
        ("send = { distribution = \"constant\", valu = \"5us\" }", &["`processing.send.value` is missing"]),
        ("hash = \"5us\"", &["unknown key `processing.hash`", "the keys here are preset, receive, send"]),
        ("hash_per_kb = \"5us\"", &["unknown key `processing.hash_per_kb`", "did you mean `hash_per_kib`?"]),
        ("cores = 0", &["processing.cores = 0: too small", "allowed: a whole number from 1 to 1024"]),
        ("cores = 1025", &["processing.cores = 1025: too large", "allowed: a whole number from 1 to 1024"]),
        ("preset = \"ed25591\"", &["processing.preset = \"ed25591\": unknown word", "did you mean \"ed25519\"?"]),
    ] {
        refused(&run(&format!("[processing]\n{line}"), ""), "e.toml:2", parts);
    }
    let macs = "[protocol]\nauthentication = \"mac\"\n[processing]\npreset = \"ed25519\"";
    let parts = ["messages carry MACs, of which it has no cost", "take the preset \"hmac\": it has the costs of both"];
    refused(&run(macs, ""), "e.toml:4: processing.preset = \"ed25519\"", &parts);
    refused(
        &run("[protocol]\nauthentication = \"hmac\"", ""),
        "e.toml:2",
        &["protocol.authentication = \"hmac\": unknown word", "allowed: \"signature\" or \"mac\""],
    );
}

#[test]
fn oracles_are_switched_by_their_names() {
    let oracles = |line: &str| run(&format!("[oracles]\n{line}"), "");
    refused(&oracles("agrement = false"), "e.toml:2", &["unknown key `oracles.agrement`", "did you mean `agreement`?"]);
    refused(&oracles("agreement = 0"), "e.toml:2", &["oracles.agreement = 0", "allowed: true or false"]);
    refused(&oracles("liveness_bound = \"0s\""), "e.toml:2", &["oracles.liveness_bound = \"0s\": too small"]);
}

#[test]
fn overrides_are_checked_like_the_file() {
    let how = "write for example `--set adversary.count=3`";
    for (override_, parts) in [
        ("adversary.count", &["there is no `=` between key and value", how][..]),
        ("=3", &["a part of the key is empty", how]),
        ("adversary.cuont=1", &["unknown key `adversary.cuont`", "did you mean `count`?"]),
        ("adversary.count=9", &["more corrupted than the 4 replicas", "give 0 to 4"]),
        ("network.drop=two", &["network.drop = \"two\": this is text", "allowed: a probability"]),
        ("experiment.runs=0", &["experiment.runs = 0: too small", "allowed: a whole number, at least 1"]),
        ("network.latency.mean=5ms", &["`network.latency.distribution` is missing", "add `distribution = …`"]),
        ("adversary.attack.1.kind=silent", &["`adversary.attack", "kind"]),
        ("protocol.view_change=yes", &["protocol.view_change = \"yes\"", "allowed: true or false"]),
    ] {
        let finished = run("[adversary]\nattack = []", &format!("--set {override_}"));
        refused(&finished, &format!("--set {override_}: "), parts);
    }
}

#[test]
fn sweeps_are_checked_before_anything_runs() {
    let how = "write `\"adversary.count\" = [1, 2, 3]`";
    for (sweep, parts) in [
        ("\"adversary.count\" = []", &["there is no value to sweep over", how][..]),
        ("\"adversary.count\" = 3", &["neither a list nor a range", how]),
        ("\"adversary.count\" = [1, 2, 1]", &["1 comes twice", "give each value once"]),
        ("\"adversary.count\" = { from = 3, to = 1 }", &["the range is empty", "`to` must not be below `from`"]),
        ("\"adversary.count\" = { from = 0, to = 1, step = 0 }", &["the range is empty", "`step` above 0"]),
        ("\"adversary.count\" = { from = 0 }", &["to` is missing", "add `to = …`"]),
        ("\"adversary.count\" = { from = 0, to = 4, stp = 2 }", &["unknown key", "did you mean `step`?"]),
        ("\"network.drop\" = { from = 0, to = inf }", &["not a finite number", "allowed: a finite number"]),
        ("\"network.drop\" = { from = 0, to = 1, step = 1e-9 }", &["more than 100000 values", "take a larger step"]),
        ("\"network.drop\" = { from = 0, to = 1, scale = \"log\", points = 3 }", &["begins above 0", "larger `from`"]),
        (
            "\"workload.clients\" = { from = 1, to = 9, scale = \"log\", points = 1 }",
            &["points = 1: too small", "from 2"],
        ),
        ("\"workload.clients\" = { from = 1, to = 9, scale = \"log\" }", &["points` is missing", "add `points = …`"]),
        ("\"workload.clients\" = { from = 1, to = 9, scale = \"log\", step = 2 }", &["has no step", "write `points`"]),
        ("\"workload.clients\" = { from = 1, to = 9, points = 3 }", &["a logarithmic scale", "add `scale = \"log\"`"]),
        ("\"workload.clients\" = { from = 9, to = 9, scale = \"log\", points = 2 }", &["is empty", "above `from`"]),
        (
            "\"workload.clients\" = { from = 1, to = 3, scale = \"log\", points = 9 }",
            &["1 comes twice", "fewer points"],
        ),
        ("\"workload.clients\" = { from = 1, to = 3, scale = \"lag\" }", &["unknown word", "did you mean \"log\"?"]),
        ("adversary.count = [1, 2]", &["for the key adversary.count put quotes around it", "hint"]),
        ("\"experiment.seed\" = [1, 2]", &["this key holds for the whole experiment", "sweep a key of [cluster]"]),
        ("\"output.events\" = [\"none\"]", &["this key holds for the whole experiment", "sweep a key of [cluster]"]),
    ] {
        refused(&run(&format!("[sweep]\n{sweep}"), ""), "e.toml:2", parts);
    }
}

#[test]
fn a_bad_point_of_a_sweep_is_named() {
    for (sweep, point, parts) in [
        (
            "\"adversary.cuont\" = [1, 2]",
            "adversary.cuont = 1",
            ["unknown key `adversary.cuont`", "did you mean `count`?"],
        ),
        ("\"adversary.count\" = { from = 0, to = 9 }", "adversary.count = 5", ["more corrupted than", "give 0 to 4"]),
        ("\"network.drop\" = [0.1, \"a\"]", "network.drop = \"a\"", ["this is text", "allowed: a probability"]),
        (
            "\"protocol.log_window\" = [200, 50]",
            "protocol.log_window = 50",
            ["smaller than checkpoint_interval = 100", "give at least twice the interval"],
        ),
    ] {
        refused(&run(&format!("[sweep]\n{sweep}"), ""), &format!("e.toml:2 ([sweep] {point}): "), &parts);
    }
}

/// What would otherwise be a sweep whose cells are all the same.
#[test]
fn no_way_of_writing_it_sweeps_over_what_holds_for_the_whole_experiment() {
    for sweep in [
        "\"experiment . seed\" = [1, 2]",
        "\"experiment\" = [{ seed = 1 }, { seed = 2 }]",
        "\"output\" = [{ events = \"none\" }]",
    ] {
        refused(&run(&format!("[sweep]\n{sweep}"), ""), "e.toml:2", &["this key holds for the whole experiment"]);
    }
}

/// An override that a sweep would undo is either refused or stronger than the sweep, but not without effect.
#[test]
fn an_override_of_a_swept_key_is_not_lost() {
    let desk = Desk::with("experiment = { runs = 1 }\n[sweep]\n\"adversary.count\" = [0, 1]");
    let finished = desk.byzlab("run e.toml --out out --set adversary.count=1");
    let stronger = finished.code == Some(0) && desk.read("out/runs.csv").lines().count() == 2;
    assert!(finished.code == Some(2) || stronger, "{finished:?}\n{}", desk.read("out/runs.csv"));
}

#[test]
fn bad_usage_is_explained() {
    let desk = Desk::with("");
    for (arguments, part) in [
        ("", "Usage"),
        ("walk", "unrecognized subcommand 'walk'"),
        ("run", "<FILE>"),
        ("run e.toml --jobs 0", "--jobs"),
        ("run e.toml --job 2", "'--jobs'"),
        ("analyze . --metric latency", "all_commit"),
        ("analyze . --format xml", "json"),
    ] {
        let finished = desk.byzlab(arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{arguments}: {finished:?}");
        assert!(finished.stderr.contains(part), "{arguments}: {finished:?}");
    }
}
