//! Scripted scenes, from TOML to the events of a run: four replicas, one client (node 4), and 10 ms for every message.
//!
//! Without a scene the request is at the primary at 10 ms, pre-prepares arrive at 20, prepares at 30, commits at 40, replies at 50.

mod program;
mod recorded;

use byzlab::Experiment;
use byzlab_analysis::{EventKind, Outcome};
use program::Desk;
use recorded::{parse, record, run};

/// Nobody is up to anything but the scene for so long.
const BASE: &str = r#"
    experiment = { time_limit = "400ms", runs = 1 }
    [network]
    latency = { distribution = "constant", value = "10ms" }
"#;

#[test]
fn without_a_scene_everything_has_its_time() {
    let run = play("");
    assert_eq!((run.commits(1), run.replies()), (vec![Some(40); 4], vec![50]));
    assert_eq!(run.outcome, Outcome::Completed);
}

#[test]
fn a_replica_that_gets_no_commit_does_not_commit() {
    let run = play("[[network.rule]]\nto = [3]\nmessages = [\"commit\"]\naction = \"drop\"");
    assert_eq!(run.commits(1), [Some(40), Some(40), Some(40), None]);
    assert_eq!(run.replies(), [50], "a quorum is enough");
    let lost: Vec<(u64, u32, Option<u32>)> =
        run.of(EventKind::Drop).map(|row| (row.time_ms, row.node, row.peer)).collect();
    assert_eq!(lost, [(30, 0, Some(3)), (30, 1, Some(3)), (30, 2, Some(3))]);
    // The same from one of them only: the others are a quorum with its own.
    let run = play("[[network.rule]]\nfrom = [1]\nto = [3]\nmessages = [\"commit\"]\naction = \"drop\"");
    assert_eq!(run.commits(1), [Some(40); 4]);
}

#[test]
fn a_delay_moves_what_depends_on_it_by_exactly_that() {
    let delay = "action = \"delay\"\ndelay = { distribution = \"constant\", value = \"7ms\" }";
    let delayed = |scope: &str| play(&format!("[[network.rule]]\n{scope}\n{delay}"));
    let times = |run: &Run| (run.commits(1), run.replies());
    let all = |commit, reply| (vec![Some(commit); 4], vec![reply]);
    assert_eq!(times(&delayed("from = \"clients\"")), all(47, 57));
    assert_eq!(times(&delayed("messages = [\"pre_prepare\"]")), all(47, 57));
    assert_eq!(times(&delayed("messages = [\"prepare\", \"commit\"]")), all(54, 64));
    assert_eq!(times(&delayed("to = \"clients\"")), all(40, 57));
    assert_eq!(times(&delayed("")), all(68, 85), "each of the five messages in a row");
    let (commits, replies) = times(&delayed("to = [3]\nmessages = [\"commit\"]"));
    assert_eq!((commits, replies), (vec![Some(40), Some(40), Some(40), Some(47)], vec![50]));
    assert_eq!(times(&delayed("from = [1]\nto = [3]\nmessages = [\"commit\"]")), all(40, 50));
}

#[test]
fn a_rule_can_mean_one_view_one_number_and_one_span_of_time() {
    let twice = |scope: &str| {
        let delay = "action = \"delay\"\ndelay = { distribution = \"constant\", value = \"7ms\" }";
        play(&format!("[workload]\nrequests = 2\n[[network.rule]]\nmessages = [\"commit\"]\n{scope}\n{delay}"))
    };
    let first_and_second = |scope: &str| {
        let run = twice(scope);
        (run.commits(1)[2].unwrap(), run.commits(2)[2].unwrap())
    };
    assert_eq!(first_and_second("seq = 1"), (47, 97));
    assert_eq!(first_and_second("seq = 2"), (40, 97));
    assert_eq!(first_and_second("view = 0"), (47, 104));
    assert_eq!(first_and_second("view = 1"), (40, 90));
    // The commits are sent at 30 and at 80 ms.
    assert_eq!(first_and_second("start = \"31ms\""), (40, 97));
    assert_eq!(first_and_second("start = \"30ms\"\nend = \"31ms\""), (47, 97));
    assert_eq!(first_and_second("start = \"20ms\"\nend = \"30ms\""), (40, 90));
}

#[test]
fn what_is_held_comes_a_delay_after_the_end() {
    let run = play("[[network.rule]]\nmessages = [\"commit\"]\nend = \"60ms\"\naction = \"hold\"");
    assert_eq!((run.commits(1), run.replies()), (vec![Some(70); 4], vec![80]));
}

#[test]
fn second_copies_change_no_count() {
    let run = play("[[network.rule]]\nmessages = [\"prepare\", \"commit\"]\naction = \"duplicate\"");
    assert_eq!((run.commits(1), run.replies()), (vec![Some(40); 4], vec![50]));
    // 3 · 3 prepares and 4 · 3 commits.
    assert_eq!(run.of(EventKind::Duplicate).count(), 21);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let drop = "[[network.rule]]\nto = [3]\nmessages = [\"commit\"]\naction = \"drop\"\n";
    let hold = "[[network.rule]]\nto = \"replicas\"\nend = \"60ms\"\naction = \"hold\"\n";
    assert_eq!(play(&format!("{drop}{hold}")).commits(1)[3], None);
    // The request leaves at 60 ms, and so late nothing else is held; but the commits to replica 3 meet the second rule.
    assert_eq!(play(&format!("{hold}{drop}")).commits(1), [Some(100), Some(100), Some(100), None]);
    let never = "[[network.rule]]\nprobability = 0.0\naction = \"drop\"\n";
    assert_eq!(play(never).commits(1), [Some(40); 4]);
}

#[test]
fn a_partition_cuts_its_groups_off_and_nobody_else() {
    let parted = |end: &str| play(&format!("[[network.partition]]\ngroups = [[0, 1, 2], [3]]\n{end}"));
    let run = parted("");
    assert_eq!((run.commits(1), run.replies()), (vec![Some(40), Some(40), Some(40), None], vec![50]));
    let run = parted("mode = \"hold\"\nend = \"60ms\"");
    assert_eq!(run.commits(1), [Some(40), Some(40), Some(40), Some(70)]);
    let run = parted("start = \"21ms\"\nend = \"31ms\"\nmode = \"drop\"");
    assert_eq!(run.commits(1), [Some(40), Some(40), Some(40), None], "prepares got through, commits did not");
    let run = parted("start = \"31ms\"");
    assert_eq!(run.commits(1), [Some(40); 4]);
}

#[test]
fn clients_that_reach_no_replica_get_no_answer() {
    let run = play("[[network.partition]]\ngroups = [\"replicas\", \"clients\"]");
    assert_eq!((run.outcome, run.commits(1)), (Outcome::Timeout, vec![None; 4]));
    let run = play("[[network.partition]]\ngroups = [\"replicas\", \"clients\"]\nend = \"20ms\"\nmode = \"hold\"");
    assert_eq!((run.commits(1), run.replies()), (vec![Some(60); 4], vec![70]));
}

#[test]
fn after_gst_the_network_is_the_normal_one() {
    let synchrony = |keys: &str| play(&format!("[network.synchrony]\ngst = \"100ms\"\n{keys}"));
    let constant = |value| format!("latency = {{ distribution = \"constant\", value = \"{value}\" }}");
    // The request would take 300 ms, but arrives a normal delay after gst.
    let run = synchrony(&constant("300ms"));
    assert_eq!((run.commits(1), run.replies()), (vec![Some(140); 4], vec![150]));
    // Three messages of 30 ms, and the commits a normal delay after gst instead of at 120 ms.
    let run = synchrony(&constant("30ms"));
    assert_eq!((run.commits(1), run.replies()), (vec![Some(110); 4], vec![120]));
    let run = synchrony("drop = 1.0");
    assert_eq!((run.commits(1), run.outcome), (vec![None; 4], Outcome::Timeout));
}

/// Everything that a scene can say, over a random network.
const SCENE: &str = r#"
    [experiment]
    seed = 5
    runs = 6
    time_limit = "900ms"
    [workload]
    clients = 2
    requests = 2
    [network]
    latency = { distribution = "uniform", min = "5ms", max = "35ms" }
    transport = "datagram"
    drop = 0.001
    duplicate = 0.05
    [network.synchrony]
    gst = "60ms"
    latency = { distribution = "exponential", mean = "20ms" }
    [[network.rule]]
    from = "replicas"
    to = [1, 4]
    messages = ["commit", "reply"]
    view = 0
    seq = 1
    start = "10ms"
    end = "200ms"
    probability = 0.25
    action = "delay"
    delay = { distribution = "gamma", shape = 2.0, scale = "4ms" }
    [[network.rule]]
    from = "clients"
    end = "1.5ms"
    action = "hold"
    [[network.rule]]
    to = "clients"
    probability = 0.1
    action = "duplicate"
    [[network.rule]]
    from = [2]
    to = [3]
    probability = 0.5
    action = "drop"
    [[network.partition]]
    groups = [[0, 1], [2]]
    start = "30ms"
    end = "45ms"
    mode = "hold"
    [[network.partition]]
    groups = ["replicas", "clients", ]
    start = "500ms"
    [sweep]
    "cluster.replicas" = [4, 7]
    "network.rule.0.probability" = [0.25, 0.75]
"#;

#[test]
fn the_resolved_scene_gives_the_same_results() {
    let desk = Desk::with(SCENE);
    for (from, to) in [("e.toml", "first"), ("first/config.toml", "again")] {
        let finished = desk.byzlab(&format!("run {from} --out {to} --set output.events=messages"));
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    for file in ["config.toml", "runs.csv", "events.csv"] {
        assert!(desk.read(&format!("first/{file}")) == desk.read(&format!("again/{file}")), "{file} differs");
    }
    let config = desk.read("first/config.toml");
    for line in [
        "transport = \"datagram\"",
        "from = \"replicas\"",
        "to = [1, 4]",
        "messages = [\"commit\", \"reply\"]",
        "start = \"10ms\"",
        "end = \"200ms\"",
        "# drop = network.drop",
        "groups = [[0, 1], [2]]",
        "groups = [\"replicas\", \"clients\"]",
        "mode = \"drop\"",
        "start = \"0ms\"",
        "probability = 1.0",
    ] {
        assert!(config.lines().any(|found| found == line), "no line `{line}` in\n{config}");
    }
}

/// With seven replicas `"replicas"` are seven: the eighth node, a client, is none of them.
#[test]
fn replicas_and_clients_follow_a_sweep_over_their_number() {
    let toml = format!(
        "{BASE}[[network.rule]]\nfrom = \"clients\"\naction = \"drop\"\n[sweep]\n\"cluster.replicas\" = [4, 7]"
    );
    let experiment = parse(&toml);
    let again = parse(&experiment.to_toml());
    for experiment in [&experiment, &again] {
        for cell in 0..2 {
            assert_eq!(play_cell(experiment, cell).outcome, Outcome::Timeout, "no request gets through in cell {cell}");
        }
    }
}

#[test]
fn a_rule_that_matches_nothing_leaves_the_run_as_it_is() {
    let base = "experiment = { seed = 3, runs = 5 }\n[network]\ndrop = 0.02\nduplicate = 0.1\n";
    let fingerprints = |toml: &str| -> Vec<u64> {
        let experiment = parse(toml);
        (0..5).map(|index| run(&experiment, 0, index).row.fingerprint).collect()
    };
    let plain = fingerprints(base);
    assert_eq!(
        fingerprints(&format!("{base}[[network.rule]]\nview = 77\nprobability = 0.5\naction = \"drop\"")),
        plain
    );
    assert_eq!(fingerprints(&format!("{base}[[network.partition]]\ngroups = [[0], [1]]\nstart = \"1h\"")), plain);
    assert_ne!(fingerprints(&format!("{base}[[network.rule]]\nview = 0\nprobability = 0.5\naction = \"drop\"")), plain);
}

#[test]
fn what_never_plays_is_a_warning() {
    let desk = Desk::with(&format!(
        "{BASE}[[network.rule]]\nto = [3]\naction = \"duplicate\"\n[[network.rule]]\nto = [3]\nview = 1\naction = \"drop\"
        [[network.rule]]\nstart = \"500ms\"\naction = \"drop\"\n[[network.partition]]\nstart = \"1s\"\ngroups = [[0], [1]]"
    ));
    let finished = desk.byzlab("run e.toml --out out");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for warning in [
        "network.rule[1] matches nothing: network.rule[0] comes first and matches all that it could",
        "network.rule[2] matches nothing: it starts after experiment.time_limit",
        "network.partition[0] parts nobody: it starts after experiment.time_limit",
    ] {
        assert!(finished.stderr.contains(warning), "no `{warning}` in {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("network.rule[0] matches nothing"));
    // In one cell of a sweep the second rule does get a say.
    let desk = Desk::with(&format!(
        "{BASE}[[network.rule]]\naction = \"duplicate\"\n[[network.rule]]\naction = \"duplicate\"
        [sweep]\n\"network.rule.0.probability\" = [1.0, 0.5]"
    ));
    let finished = desk.byzlab("run e.toml --out out");
    assert_eq!((finished.code, finished.stderr.contains("matches nothing")), (Some(0), false), "{finished:?}");
}

#[test]
fn what_is_said_in_vain_is_a_warning() {
    let step = "steps = [{ at = \"0ms\", drop = 0.0 }]";
    let length =
        "up = { distribution = \"constant\", value = \"1s\" }\ndown = { distribution = \"constant\", value = \"1ms\" }";
    let topology = "[network.topology]\nsites = [\"us-east-1\", \"eu-west-1\"]\n";
    let link = "[[network.topology.link]]\nfrom = \"us-east-1\"\nto = \"eu-west-1\"\none_way = \"40ms\"";
    let itself = "no node sends anything to itself";
    let dear = "[processing]\nverify = \"34us\"\n[protocol]\nauthentication = \"mac\"";
    let alone = "processing.verify is spent on view changes and certificates alone: with protocol.authentication = \"mac\" other \
        messages carry MACs, and processing.mac is left out";
    let rule = "[[network.rule]]\naction = \"drop\"\n";
    // What is written, what is said of it (nothing, if it plays).
    for (toml, warning) in [
        ("[processing]\ncores = 2".to_owned(), "processing.cores changes nothing: no operation costs anything"),
        ("[processing]\ncores = 2\nexecute = \"1us\"".to_owned(), ""),
        (dear.to_owned(), alone),
        (dear.replace("34us\"", "34us\"\nmac = \"0us\""), ""),
        (format!("{rule}from = [0]\nto = [0]"), &format!("network.rule[0] matches nothing: {itself}")),
        (format!("{rule}from = [0]\nto = [0, 1]\nview = 9"), ""),
        // The only client.
        (
            format!("[[network.schedule]]\nfrom = \"clients\"\nto = \"clients\"\n{step}"),
            &format!("network.schedule[0] changes nothing: {itself}"),
        ),
        (
            format!("[[network.churn]]\nfrom = [2]\nto = [2]\n{length}"),
            &format!("network.churn[0] moves nobody: {itself}"),
        ),
        (
            format!("[[network.schedule]]\nfrom = [0, 1]\n{step}\n[[network.schedule]]\nfrom = [1]\nto = [2]\n{step}"),
            "network.schedule[1] changes nothing: network.schedule[0] comes first and is for all its links",
        ),
        (format!("[[network.schedule]]\nfrom = \"replicas\"\n{step}\n[[network.schedule]]\n{step}"), ""),
        (
            format!("{topology}replicas = [\"us-east-1\"]\nclients = [\"us-east-1\"]\n{link}"),
            "network.topology.link[0] changes nothing: no node is at \"eu-west-1\"",
        ),
        (format!("{topology}replicas = \"random\"\n{link}"), ""),
        (
            format!("{topology}clients = [\"us-east-1\", \"eu-west-1\"]\n{link}"),
            "network.topology.clients is longer than there are clients: nobody is placed by its end",
        ),
        (
            "[network.topology]\nsites = [\"us-east-1\"]\nreplicas = \"random\"".to_owned(),
            "network.topology.replicas = \"random\" draws nothing: one site is in play",
        ),
    ] {
        let experiment = Experiment::parse("e.toml", &toml, "".as_ref(), &[]).unwrap();
        let expected: Vec<&str> = [warning].into_iter().filter(|warning| !warning.is_empty()).collect();
        assert_eq!(experiment.idle_scenes(), expected, "{toml}");
    }
    // In one cell of a sweep there is a second node.
    let swept = "[[network.rule]]\naction = \"drop\"\nfrom = \"clients\"\nto = \"clients\"\n[sweep]\n\"workload.clients\" = [1, 2]";
    assert_eq!(Experiment::parse("e.toml", swept, "".as_ref(), &[]).unwrap().idle_scenes(), Vec::<String>::new());
}

/// What happened in a run.
struct Run {
    outcome: Outcome,
    rows: Vec<Row>,
}

/// An event, times in whole milliseconds.
struct Row {
    kind: EventKind,
    time_ms: u64,
    node: u32,
    peer: Option<u32>,
    seq: Option<u64>,
}

impl Run {
    fn of(&self, kind: EventKind) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }

    /// When each of four replicas committed a sequence number.
    fn commits(&self, seq: u64) -> Vec<Option<u64>> {
        let at = |node| {
            let mut commits = self.of(EventKind::Committed).filter(|row| row.node == node && row.seq == Some(seq));
            commits.next().map(|row| row.time_ms)
        };
        (0..4).map(at).collect()
    }

    /// When the client accepted results.
    fn replies(&self) -> Vec<u64> {
        self.of(EventKind::Reply).map(|row| row.time_ms).collect()
    }
}

/// One run on the constant network with a scene.
fn play(scene: &str) -> Run {
    play_cell(&parse(&format!("{BASE}{scene}")), 0)
}

fn play_cell(experiment: &Experiment, cell: u32) -> Run {
    let played = record(experiment, cell, 0);
    let whole = |row: recorded::Row| {
        let recorded::Row { kind, time_ns, node, peer, seq, .. } = row;
        assert_eq!(time_ns % 1_000_000, 0, "all delays are whole milliseconds");
        Row { kind, time_ms: time_ns / 1_000_000, node, peer, seq }
    };
    Run { outcome: played.result.row.outcome, rows: played.rows.into_iter().map(whole).collect() }
}
