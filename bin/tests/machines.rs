//! Lines, cores, transports and clocks, from TOML to the events of a run, to the nanosecond: four replicas and one client (node 4) with
//! 10 ms between any two of them.

mod program;
mod recorded;

use byzlab::config::EventDetail;
use byzlab::{Experiment, RunId, RunLogs, run_once};
use byzlab_analysis::parts::LATENCY_PARTS_COLUMNS;
use byzlab_analysis::{EventKind, LatencyPartsReader, Part, PartTimes};
use program::Desk;
use recorded::{Log, parse, record};
use std::collections::BTreeSet;

const BASE: &str = r#"
    [experiment]
    time_limit = "3s"
    runs = 1
    [network]
    latency = { distribution = "constant", value = "10ms" }
"#;

fn experiment(toml: &str) -> Experiment {
    parse(&format!("{BASE}{toml}"))
}

/// When each replica committed the first batch, and the client accepted, in ns.
fn times(toml: &str) -> (Vec<Option<u64>>, u64) {
    let run = record(&experiment(toml), 0, 0);
    let commit = |node| run.of(EventKind::Committed).find(|row| row.node == node).map(|row| row.time_ns);
    let reply = run.of(EventKind::Reply).next().unwrap().time_ns;
    ((0..4).map(commit).collect(), reply)
}

fn micros<const N: usize>(times: [u64; N]) -> Vec<Option<u64>> {
    times.map(|time| Some(1_000 * time)).to_vec()
}

/// A row of `latency_parts.csv` that outlives its reader.
struct Parts {
    total: u64,
    times: PartTimes,
    froms: [Option<u32>; 3],
    path: String,
}

/// On what the time of each request went. The reader checks that the parts add up.
fn parts(experiment: &Experiment, run: u32) -> Vec<Parts> {
    let log = Log::with_header(&LATENCY_PARTS_COLUMNS);
    let id = RunId { cell: 0, run, seed: experiment.run_seed(0, run), parameters: vec![] };
    let logs = RunLogs { events: None::<(EventDetail, Log)>, parts: Some(log.clone()) };
    let result = run_once(&id, &experiment.base, logs);
    assert!(result.fault.is_none() && result.log_error.is_none(), "{result:?}");
    let content = log.take();
    let mut reader = LatencyPartsReader::new(content.as_slice(), "latency_parts.csv").unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(Parts {
            total: row.accepted_ns - row.issued_ns,
            times: row.parts,
            froms: [row.prepare_from, row.commit_from, row.reply_from],
            path: row.path.to_owned(),
        });
    }
    assert_eq!(rows.len() as u64, result.row.completed, "each accepted request has a row");
    rows
}

/// A byte takes a microsecond on every line. A request is 88 bytes long, a pre-prepare 216, a vote 120, a reply 96.
///
/// The request is at the primary at 10,088 µs; pre-prepares leave it until 10,304, 10,520 and 10,736, and so on: each replica's votes leave
/// one after the other, in the order of the receivers.
#[test]
fn bits_take_their_time_on_every_line() {
    let (commits, reply) = times("bandwidth = \"8Mbit/s\"");
    assert_eq!(commits, micros([40_784, 40_880, 41_000, 41_024]));
    assert_eq!(reply, 50_976_000);
}

/// A link that carries a byte in 10 µs is slower than the lines, and the other links do not wait for it.
#[test]
fn a_slow_link_slows_its_own_messages_alone() {
    let steps = "[[network.schedule]]\nfrom = [0]\nto = [3]\nsteps = [{ at = \"0s\", bandwidth = \"800kbit/s\" }]";
    let (commits, _) = times(steps);
    // The pre-prepare takes 2,160 µs to replica 3, and its prepare is not needed; the primary's commit comes to it 1,200 µs later.
    assert_eq!(commits, micros([40_000, 40_000, 40_000, 40_000]));
    let (commits, _) = times(&format!("{steps}\n[[network.rule]]\nfrom = [2]\nto = [3]\naction = \"drop\""));
    // It hears nothing of replica 2: prepared at 32,160 by its own vote and that of 1, and waits for the commit of the primary.
    assert_eq!(commits, micros([40_000, 40_000, 40_000, 41_200]));
}

const WORK: &str = r#"
    [processing]
    receive = "10us"
    send = "5us"
    execute = "100us"
"#;

/// A core takes a message in for 10 µs, then works 5 µs for each copy that it sends.
///
/// 10,005: the request comes; 10,015: the primary has taken it in; 10,030: three pre-prepares leave; 20,040: backups have them; 20,055: their
/// prepares leave; at 30,055 three of them are at the primary, which needs the second at 30,075; backups need the first at 30,065.
#[test]
fn cores_take_their_time_for_every_message() {
    let (commits, reply) = times(WORK);
    assert_eq!(commits, micros([40_100; 4]), "commits are there at 40,080, and the second is taken in 20 µs later");
    assert_eq!(reply, 50_225_000, "100 µs to execute, 5 to send, 10 ms, and the second reply");
    let (commits, reply) = times(&format!("{WORK}cores = 8"));
    assert_eq!(commits, micros([40_090, 40_090, 40_090, 40_090]), "side by side");
    assert_eq!(reply, 50_205_000);
}

#[test]
fn the_critical_path_says_on_what_the_time_went() {
    let rows = parts(&experiment(WORK), 0);
    let Parts { total, times, froms, path } = &rows[0];
    assert_eq!(*total, 50_225_000);
    assert_eq!(path, "4 request 0 pre_prepare 1 prepare 3 commit 1 reply 4");
    assert_eq!(*froms, [Some(1), Some(3), Some(1)]);
    let expected = [
        (Part::NetRequest, 10_000),
        (Part::NetPrePrepare, 10_000),
        (Part::NetPrepare, 10_000),
        (Part::NetCommit, 10_000),
        (Part::NetReply, 10_000),
        // A commit and a reply wait for the one before them.
        (Part::CpuWait, 20),
        // 5 at the client, 25 at the primary, 25 for a prepare, 25 for a commit, 115 for the reply, 10 at the client.
        (Part::Cpu, 205),
    ];
    for part in Part::ALL {
        let wanted = expected.iter().find(|(other, _)| *other == part).map_or(0, |(_, micros)| 1_000 * micros);
        assert_eq!(times[part], wanted, "{part}");
    }
}

#[test]
fn a_queue_at_the_client_is_a_part() {
    // Ten requests at once, for the client has one under way at a time.
    let open = "[workload]\nmode = \"open\"\narrivals = \"bursts\"\nburst_size = 10\nrate = 1000.0\nrequests = 10";
    let rows = parts(&experiment(open), 0);
    let waits: Vec<u64> = rows.iter().map(|row| row.times[Part::ClientWait] / 1_000_000).collect();
    assert_eq!(waits, [0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
    assert!(rows.iter().zip(0..).all(|(row, before)| row.total == 50_000_000 * (before + 1)), "50 ms each");
}

#[test]
fn waiting_for_a_place_in_the_pipeline_is_order() {
    // Three clients at once; one batch at a time is under way, of one request.
    let toml = "[workload]\nclients = 3\n[protocol]\nmax_in_flight = 1";
    let rows = parts(&experiment(toml), 0);
    let order: Vec<u64> = rows.iter().map(|row| row.times[Part::Order] / 1_000_000).collect();
    assert_eq!(order, [0, 30, 60], "from the request's coming until the batch before is executed at the primary");
    assert!(rows.iter().all(|row| row.path.contains("request 0 pre_prepare")), "each begins with its own request");
}

#[test]
fn a_batch_that_waits_for_its_timer_says_so() {
    let rows = parts(&experiment("[workload]\nclients = 2\n[protocol]\nbatch_size = 9\nbatch_delay = \"7ms\""), 0);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.times[Part::Timer] == 7_000_000), "both came at once");
}

/// The primary is silent: the client's timer, then those of the backups, and the new view are on the path.
#[test]
fn a_view_change_is_on_the_path() {
    let toml = "[workload]\nclient_timeout = \"100ms\"\n[protocol]\nrequest_timeout = \"200ms\"\n\
        [adversary]\nmembers = [0]\n[[adversary.attack]]\nkind = \"silent\"";
    let rows = parts(&experiment(toml), 0);
    let Parts { total, times, path, .. } = &rows[0];
    // 100: the client sends to all; 110: backups know of it; 310: they leave the view; 320: the new primary has a quorum of view
    // changes, and the others the new view at 330; its proposals come with it, prepares at 340, commits at 350, replies at 360.
    assert_eq!((total / 1_000_000, times[Part::Timer] / 1_000_000), (360, 300), "{path}");
    assert!(path.contains("view_change"), "{path}");
    assert_eq!(times[Part::NetOther] / 1_000_000, 10, "{path}");
}

/// Whatever the protocol is up to, nearly all paths lead back to their client: little is left to `order` for want of knowledge.
#[test]
fn paths_are_whole_in_every_mode_of_the_protocol() {
    let base = "[experiment]\ntime_limit = \"20s\"\n[network]\nlatency = { distribution = \"uniform\", min = \"1ms\", max = \"40ms\" }\n";
    let silent = "[protocol]\nrequest_timeout = \"200ms\"\n[adversary]\nmembers = [0]\n[[adversary.attack]]\nkind = \"silent\"\nprobability = 0.3";
    for (mode, share) in [
        ("[protocol]\ntentative = true", 0.99),
        ("[protocol]\ntentative = true\nread_only = true\n[workload]\nreads = 0.5", 0.99),
        ("[protocol]\ncheckpoint_interval = 2\nlog_window = 4", 0.99),
        ("[protocol]\nbatch_size = 3\nbatch_delay = \"5ms\"\nmax_in_flight = 2", 0.99),
        (silent, 0.9),
    ] {
        let workload = if mode.contains("[workload]") { "" } else { "[workload]\n" };
        let toml =
            format!("{base}{mode}\n{workload}").replace("[workload]\n", "[workload]\nclients = 6\nrequests = 20\n");
        let rows: Vec<Parts> = (0..3).flat_map(|run| parts(&parse(&toml), run)).collect();
        let whole = rows.iter().filter(|row| row.path.split(' ').nth(1) == Some("request")).count();
        assert!(whole as f64 >= share * rows.len() as f64, "{whole} of {} in {mode}", rows.len());
    }
}

/// Two clients; a read waits until what was executed tentatively is committed.
#[test]
fn tentative_execution_and_reads_are_followed() {
    let rows = parts(&experiment("[protocol]\ntentative = true\n[workload]\nclients = 2\nrequests = 3"), 0);
    for Parts { times, path, .. } in &rows {
        let net = [Part::NetRequest, Part::NetPrePrepare, Part::NetPrepare, Part::NetReply].map(|part| times[part]);
        assert_eq!(net, [10_000_000; 4], "{path}");
    }
}

#[test]
fn a_reliable_transport_commits_late_instead_of_never() {
    let drop = "[[network.rule]]\nfrom = [1, 2]\nto = [3]\nmessages = [\"commit\"]\nend = \"60ms\"\naction = \"drop\"";
    let (commits, _) = times(drop);
    assert_eq!(commits[3], Some(1_040_000_000), "by its status, a second later");
    let reliable = "transport = \"reliable\"\nretransmission = { timeout = \"25ms\" }\n";
    let (commits, reply) = times(&format!("{reliable}{drop}"));
    // Sent at 30, again at 55, and at 105.
    assert_eq!(commits, micros([40_000, 40_000, 40_000, 115_000]));
    assert_eq!(reply, 50_000_000);
}

#[test]
fn timers_go_by_the_clock_of_their_node() {
    let toml = "[workload]\nsend_to = \"all\"\n[protocol]\nrequest_timeout = \"100ms\"\n\
        [adversary]\nmembers = [0]\n[[adversary.attack]]\nkind = \"silent\"\n\
        [[cluster.clock]]\nnodes = [1]\ndrift = 0.25\n[[cluster.clock]]\nnodes = [2]\ndrift = -0.2";
    let run = record(&experiment(toml), 0, 0);
    let timeout = |node| run.of(EventKind::Timeout).find(|row| row.node == node).map(|row| row.time_ns / 1_000_000);
    // All know of the request at 10 ms. The clock of 1 shows 100 ms more after 80, that of 2 would after 125; it joins before that.
    assert_eq!([timeout(1), timeout(3)], [Some(90), Some(110)]);
    assert_eq!(timeout(2), None, "f + 1 others have left");
}

#[test]
fn holds_topologies_and_lines_add_up() {
    let toml = "bandwidth = \"8Mbit/s\"\n[network.topology]\nreplicas = [\"a\", \"b\"]\nclients = [\"b\"]\n\
        [network.topology.table]\nsites = [\"a\", \"b\"]\none_way = [[\"1ms\", \"20ms\"], [\"30ms\", \"2ms\"]]\n\
        [[network.rule]]\nfrom = [4]\nend = \"40ms\"\naction = \"hold\"";
    let toml = format!("{}{toml}", BASE.replace("latency", "#"));
    let run = record(&parse(&toml), 0, 0);
    let propose = run.of(EventKind::Propose).next().unwrap().time_ns;
    assert_eq!(propose, 70_000_000, "88 µs on the line pass while it is held; 30 ms from b to a");
    let at = |node| run.of(EventKind::PrePrepared).find(|row| row.node == node).unwrap().time_ns / 1_000 - 70_000;
    assert_eq!([at(1), at(2), at(3)], [20_216, 1_432, 20_648], "replicas 0 and 2 are at one site");
}

/// All that there is, at once.
const EVERYTHING: &str = r#"
    [experiment]
    seed = 5
    runs = 3
    time_limit = "20s"
    [workload]
    clients = 6
    mode = "open"
    rate = 20.0
    requests = 12
    ramp = { to = 60.0, over = "400ms" }
    payload = "2KiB"
    reply_payload = "512B"
    client_timeout = "3s"
    warmup = "100ms"
    [protocol]
    authentication = "mac"
    batch_size = 4
    batch_delay = "3ms"
    max_in_flight = 2
    checkpoint_interval = 10
    log_window = 40
    [processing]
    preset = "hmac"
    cores = 1
    execute = { distribution = "exponential", mean = "2ms" }
    [[cluster.clock]]
    nodes = [2, 5]
    drift = -0.01
    [[cluster.crash]]
    node = 3
    at = "300ms"
    recover_at = "700ms"
    [network]
    transport = "reliable"
    retransmission = { timeout = "150ms", longest = "1s" }
    drop = 0.01
    bursts = { to_bad = 0.01, to_good = 0.3, loss_bad = 0.5 }
    reorder = { probability = 0.05, extra = { distribution = "uniform", min = "0ms", max = "9ms" } }
    bandwidth = "20Mbit/s"
    [[network.interface]]
    nodes = "clients"
    egress = "unlimited"
    [network.topology]
    replicas = "random"
    clients = ["eu-west-1", "us-east-1"]
    sites = ["eu-west-1", "us-east-1", "us-west-2"]
    jitter = { distribution = "gamma", shape = 2.0, scale = "1%" }
    [[network.schedule]]
    from = [1]
    steps = [{ at = "200ms", drop = 0.1, bandwidth = "5Mbit/s" }, { at = "500ms" }]
    [[network.churn]]
    from = [2]
    to = "replicas"
    up = { distribution = "exponential", mean = "300ms" }
    down = { distribution = "exponential", mean = "40ms" }
    mode = "hold"
    end = "3s"
    [[network.partition]]
    start = "400ms"
    end = "450ms"
    groups = [[0], [1]]
    one_way = true
    [sweep]
    "workload.clients" = [2, 6]
    [output]
    latency_parts = true
    metric = "client"
"#;

#[test]
fn everything_at_once_runs_again_from_its_resolved_configuration() {
    let desk = Desk::with(EVERYTHING);
    let finished = desk.byzlab("run e.toml --out first --jobs 1");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(desk.byzlab("run first/config.toml --out second --jobs 3").code, Some(0));
    for file in ["config.toml", "runs.csv", "events.csv", "latency_parts.csv"] {
        assert_eq!(desk.read(&format!("first/{file}")), desk.read(&format!("second/{file}")), "{file}");
    }
    for file in ["latency_parts.svg", "latency_parts.png", "saturation.svg"] {
        assert!(desk.path("first").join(file).exists(), "{file}");
    }
    let finished = desk.byzlab("analyze first --parts --format json");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(desk.byzlab("check first").code, Some(0));
}

/// Whatever happens on the way: the parts add up (the reader checks it), and the path ends at the client; it begins there too, unless
/// the request waited for a timer that was set before it was issued.
#[test]
fn paths_lead_from_the_client_back_to_it() {
    let experiment = parse(EVERYTHING);
    let (mut seen, mut whole, mut all) = (BTreeSet::new(), 0, 0);
    for run in 0..3 {
        for row in parts(&experiment, run) {
            let words: Vec<&str> = row.path.split(' ').collect();
            assert!(words.len() >= 5 && words[words.len() - 2] == "reply", "{}", row.path);
            if words[1] == "request" {
                assert_eq!(words.first(), words.last(), "{}", row.path);
                whole += 1;
            } else {
                assert!(row.times[Part::Timer] + row.times[Part::Order] > 0, "{}", row.path);
            }
            all += 1;
            seen.extend(Part::ALL.into_iter().filter(|part| row.times[*part] > 0).map(Part::name));
        }
    }
    assert!(whole * 10 >= all * 9, "{whole} of {all} begin at the client");
    for part in ["client_wait", "recovery", "transmission", "queue", "cpu_wait", "cpu", "order", "timer"] {
        assert!(seen.contains(part), "nothing was ever spent on {part}: {seen:?}");
    }
}

/// A message from a slow line may be through before one that came earlier from a fast one; no core begins with it before its time:
/// the log would run backwards.
#[test]
fn lines_of_all_speeds_and_cores_go_together() {
    let lines = "bandwidth = \"100Mbit/s\"\n[[network.interface]]\nnodes = [4, 5, 6, 7]\negress = \"10Mbit/s\"\n\
        [[network.interface]]\nnodes = [8, 9, 10, 11]\negress = \"1Gbit/s\"\n\
        [workload]\nclients = 8\nrequests = 20\npayload = \"20KiB\"\n";
    let base = BASE.replace(
        "distribution = \"constant\", value = \"10ms\"",
        "distribution = \"uniform\", min = \"1ms\", max = \"2ms\"",
    );
    let experiment = |work: &str| parse(&format!("{base}{lines}[processing]\n{work}"));
    for cores in [1, 2, 4] {
        let experiment = experiment(&format!("cores = {cores}\nreceive = \"1us\"\nverify = \"50us\""));
        for run in 0..10 {
            let rows = record(&experiment, 0, run).rows;
            assert!(rows.windows(2).all(|pair| pair[0].time_ns <= pair[1].time_ns), "{cores} cores");
        }
    }
}

/// With a single replica a batch commits within the reaction to its timer.
#[test]
fn a_commit_within_a_timer_ends_its_path() {
    let toml = "[cluster]\nreplicas = 1\n[protocol]\nbatch_size = 10\nbatch_delay = \"5ms\"\n[workload]\nrequests = 3";
    for row in parts(&experiment(toml), 0) {
        assert_eq!((row.total, row.times[Part::Timer]), (25_000_000, 5_000_000), "{}", row.path);
    }
}

/// What follows a swept key must go on following it when the resolved configuration is run.
#[test]
fn sweeps_over_what_other_keys_follow_run_again() {
    for toml in [
        "[network]\nbandwidth = \"5Mbit/s\"\n[[network.interface]]\nnodes = [0]\ningress = \"unlimited\"\n\
            [sweep]\n\"network.bandwidth\" = [\"1Mbit/s\", \"unlimited\"]",
        "[network]\nbandwidth = \"10Mbit/s\"\n[[network.interface]]\nnodes = [0]\negress = \"2Mbit/s\"\n\
            [sweep]\n\"network.buffer\" = [\"500B\", \"unlimited\"]",
        "[network]\ndrop = 0.05\nretransmission = { timeout = \"50ms\" }\n[sweep]\n\"network.transport\" = [\"reliable\", \"datagram\"]",
        "[network]\ndrop = 0.05\ntransport = \"reliable\"\n[sweep]\n\"network.retransmission.timeout\" = [\"100ms\", \"90s\"]",
        "[network.topology]\nsites = [\"eu-west-1\", \"us-east-1\"]\njitter = { distribution = \"exponential\", mean = \"1%\" }\n\
            [sweep]\n\"network.topology.jitter.mean\" = [\"1%\", \"3ms\"]",
    ] {
        let experiment = "[experiment]\nruns = 3\ntime_limit = \"5s\"\n[workload]\nclients = 3\nrequests = 3\n";
        let desk = Desk::with(&format!("{experiment}{toml}"));
        let finished = desk.byzlab("run e.toml --out first");
        assert_eq!(finished.code, Some(0), "{toml}: {}", finished.stderr);
        let finished = desk.byzlab("run first/config.toml --out second");
        assert_eq!(finished.code, Some(0), "{toml}: {}", finished.stderr);
        for file in ["config.toml", "runs.csv", "events.csv"] {
            assert_eq!(desk.read(&format!("first/{file}")), desk.read(&format!("second/{file}")), "{toml}: {file}");
        }
        let runs = desk.read("first/runs.csv");
        let fingerprints: BTreeSet<&str> = runs.lines().skip(1).filter_map(|row| row.rsplit(',').next()).collect();
        assert_eq!(fingerprints.len(), 6, "the cells differ: {runs}");
    }
}
