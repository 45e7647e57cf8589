//! Topologies, from TOML to the events of a run.

mod program;
mod recorded;

use byzlab::Experiment;
use byzlab_analysis::EventKind;
use byzlab_network::{Key, NodeId, Span};
use program::Desk;
use recorded::{Recorded, parse, record, run, settings};
use std::collections::BTreeSet;
use std::path::Path;

/// One way 10 ms between a and b, 20 between a and c, 30 between b and c; 2 within a and 1 within c.
const TABLE: &str = "from,to,rtt_ms\na,b,20\na,c,40\nb,c,60\na,a,4\nc,c,2\n";

/// The same as a matrix; nothing is known of b alone.
const MATRIX: &str = "site,a,b,c\na,4,20,40\nb,20,,60\nc,40,60,2\n";

/// Replica 0 and the client at a, replica 1 at b, replicas 2 and 3 at c.
const BASE: &str = "experiment = { time_limit = \"400ms\", runs = 1 }\n[network.topology]\nmatrix = \"rtt.csv\"\n\
     replicas = [\"a\", \"b\", \"c\", \"c\"]\nclients = [\"a\"]\n";

fn desk(table: &str, toml: &str) -> Desk {
    let desk = Desk::with(toml);
    desk.write("rtt.csv", table);
    desk
}

fn load(desk: &Desk) -> Experiment {
    Experiment::load(&desk.path("e.toml"), &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn times_ms(run: &Recorded, kind: EventKind) -> Vec<(u32, f64)> {
    let mut times: Vec<(u32, f64)> = run.of(kind).map(|row| (row.node, row.time_ns as f64 / 1e6)).collect();
    times.sort_by_key(|&(node, _)| node);
    times
}

/// The request is at replica 0 at 2 ms, its pre-prepare at replica 1 at 12 and at 2 and 3 at 22. With two prepares replicas 2 and 3 are
/// prepared at 23 (by each other's), 0 at 42, 1 at 52. With three commits 0 commits at 43, 1 at 53, 2 and 3 at 62 (that of 0). The second
/// reply is that of replica 1, at 63.
#[test]
fn every_message_takes_as_long_as_its_way() {
    for table in [TABLE, MATRIX] {
        let run = record(&load(&desk(table, BASE)), 0, 0);
        assert_eq!(times_ms(&run, EventKind::Prepared), [(0, 42.0), (1, 52.0), (2, 23.0), (3, 23.0)]);
        assert_eq!(times_ms(&run, EventKind::Committed), [(0, 43.0), (1, 53.0), (2, 62.0), (3, 62.0)]);
        assert_eq!(times_ms(&run, EventKind::Reply), [(4, 63.0)]);
    }
}

#[test]
fn links_and_the_delay_within_a_site_go_before_the_file() {
    // Replicas 2 and 3 are prepared at 26, so replica 1 has three commits at 56, and its reply takes 14 ms.
    let link =
        "within_site = \"3ms\"\n[[network.topology.link]]\nfrom = \"b\"\nto = \"a\"\nboth = false\none_way = \"14ms\"";
    let run = record(&load(&desk(TABLE, &format!("{BASE}{link}"))), 0, 0);
    assert_eq!(times_ms(&run, EventKind::PrePrepared)[1..], [(1, 13.0), (2, 23.0), (3, 23.0)]);
    assert_eq!(times_ms(&run, EventKind::Prepared), [(0, 43.0), (1, 53.0), (2, 26.0), (3, 26.0)]);
    assert_eq!(times_ms(&run, EventKind::Reply), [(4, 70.0)]);
}

#[test]
fn the_lookahead_is_the_least_delay_between_sites_with_nodes() {
    let lookahead = |keys: &str| {
        let toml = format!("[network.topology]\nmatrix = \"rtt.csv\"\n{keys}");
        settings(&load(&desk(TABLE, &toml)), 0).network.lookahead()
    };
    let ms = Span::from_millis;
    assert_eq!(lookahead("replicas = [\"a\"]\nclients = [\"b\"]"), ms(2));
    assert_eq!(lookahead("replicas = [\"c\"]\nclients = [\"b\"]"), ms(1));
    assert_eq!(lookahead("replicas = [\"c\"]\nclients = [\"b\"]\nwithin_site = \"50ms\""), ms(30));
    let file = "[network.topology]\nreplicas = [\"us-east-1\"]\nclients = [\"us-east-1\"]";
    assert_eq!(settings(&parse(file), 0).network.lookahead(), Span::from_nanos(250_000));
}

#[test]
fn geographic_delays_are_those_of_light_in_glass() {
    let toml = "[network.topology]\ninflation = 2\nsites = [\"london\", \"us-east-1\", \"new-york\"]\n\
         [[network.topology.site]]\nname = \"london\"\nlatitude = 51.51\nlongitude = -0.13\n\
         [[network.topology.site]]\nname = \"new-york\"\nlatitude = 40.71\nlongitude = -74.01";
    let experiment = parse(toml);
    // Replicas 0 and 3 are in London, replica 2 is in New York: 5570 km of glass, twice.
    let delay = settings(&experiment, 0).network.delays.between(NodeId(0), NodeId(2)).least().as_millis_f64();
    assert!((delay - 54.55).abs() < 0.1, "{delay} ms");
    assert_eq!(settings(&experiment, 0).network.delays.between(NodeId(0), NodeId(3)).least().as_nanos(), 250_000);
}

/// What draws places, in cells that differ in everything else.
const RANDOM: &str = r#"
    [experiment]
    seed = 8
    runs = 5
    [workload]
    clients = 2
    [network.topology]
    matrix = "rtt.csv"
    within_site = "1ms"
    replicas = "random"
    clients = "random"
    jitter = { distribution = "exponential", mean = "5%" }
    [sweep]
    "cluster.replicas" = [4, 7]
    "network.topology.within_site" = ["1ms", "2ms"]
"#;

#[test]
fn places_are_drawn_in_each_run_and_shared_by_its_cells() {
    let experiment = load(&desk(TABLE, RANDOM));
    let places = |cell: u32, run: u32| {
        let topology = settings(&experiment, cell).topology.as_ref().unwrap();
        topology.plan.places_of(Key::from_u64(experiment.run_seed(cell, run)))
    };
    let mut seen = BTreeSet::new();
    for index in 0..50 {
        assert_eq!(places(0, index), places(1, index));
        assert_eq!(places(2, index), places(3, index));
        let (few, many) = (places(0, index), places(2, index));
        assert_eq!((&few[..4], &few[4..]), (&many[..4], &many[7..]), "replicas and clients stay where they are");
        seen.insert(few);
    }
    assert!(seen.len() > 40);
    let fingerprints = |cell| (0..5).map(|index| run(&experiment, cell, index).row.fingerprint).collect::<Vec<_>>();
    assert_eq!(fingerprints(0), fingerprints(0));
    assert_eq!(fingerprints(0).into_iter().collect::<BTreeSet<_>>().len(), 5);
}

/// Wherever the nodes are, no delay is shorter than the lookahead, and none longer than the oracle of liveness goes by.
#[test]
fn what_holds_for_all_runs_goes_by_all_pairs() {
    let constant = RANDOM.replace("\"exponential\", mean = \"5%\"", "\"uniform\", min = \"0%\", max = \"10%\"");
    let experiment = load(&desk(TABLE, &constant));
    let network = &settings(&experiment, 0).network;
    assert_eq!((network.lookahead(), network.longest_delay()), (Span::from_millis(1), Some(Span::from_millis(33))));
    for index in 0..20 {
        let key = Key::from_u64(experiment.run_seed(0, index));
        let of_run = settings(&experiment, 0).network_for(key);
        assert!(of_run.lookahead() >= network.lookahead() && of_run.longest_delay() <= network.longest_delay());
    }
}

/// Everything that a topology can say.
const FILE: &str = r#"
    experiment = { seed = 8, runs = 4, time_limit = "2s" }
    workload = { clients = 2, requests = 2 }
    [network.topology]
    matrix = "deep/rtt.csv"
    sites = ["c", "a", "b"]
    replicas = ["a", "b", "c"]
    clients = "random"
    within_site = "0.5ms"
    jitter = { distribution = "normal", mean = "1.5%", std_dev = "250ppm", offset = "1ppb" }
    [[network.topology.link]]
    from = "a"
    to = "c"
    one_way = "21ms"
    jitter = { distribution = "discrete", values = ["0ms", "3ms"], weights = [3, 1] }
    [[network.topology.link]]
    from = "b"
    to = "e"
    both = false
    jitter = { distribution = "empirical", values = ["1%", "2%"] }
    [sweep]
    "cluster.replicas" = [4, 7]
    "network.topology.link.0.one_way" = ["21ms", "25ms"]
"#;

const GEOGRAPHIC: &str = r#"
    experiment = { seed = 8, runs = 4, time_limit = "2s" }
    workload = { clients = 2, requests = 2 }
    [network.topology]
    replicas = ["berlin", "us-east-1", "eu-west-1"]
    [[network.topology.site]]
    name = "munich"
    latitude = 48
    longitude = 11.57
    [[network.topology.site]]
    name = "berlin"
    latitude = 52.52
    longitude = 13.41
    [sweep]
    "network.topology.inflation" = [1.0, 1.75]
    "network.topology.replicas.0" = ["berlin", "sa-east-1"]
"#;

const PARTS_OF_A_FILE: &str = r#"
    experiment = { seed = 8, runs = 4, time_limit = "2s" }
    [network.topology]
    matrix = "deep/rtt.csv"
    clients = "random"
    [sweep]
    "network.topology.replicas" = [["a", "b"], ["a", "c", "d"]]
"#;

#[test]
fn the_resolved_topology_gives_the_same_results_without_the_file() {
    let table = "from,to,one_way_ms\na,b,10\nb,a,11\na,c,20\nc,a,20\nb,c,30.5\nc,b,30\na,a,2\nb,b,0.3\nc,c,1\nd,b,3\nb,d,4\n\
         d,d,1\na,d,7\nd,a,7\nc,d,8\nd,c,8\ne,f,1\nf,e,1\n";
    for (toml, lines) in [
        (
            FILE,
            &[
                "sites = [\"c\", \"a\", \"b\"]",
                "clients = \"random\"",
                "within_site = \"500us\"",
                "jitter = { distribution = \"normal\", mean = \"1.5%\", std_dev = \"250ppm\", offset = \"1ppb\" }",
                "    [\"2ms\", \"10ms\", \"20ms\", \"none\"],",
            ][..],
        ),
        (
            GEOGRAPHIC,
            &["inflation = 1.0", "name = \"munich\"", "latitude = 48.0", "# eu-west-1 is in Dublin: 53.35, -6.26"],
        ),
        (PARTS_OF_A_FILE, &["sites = [\"a\", \"b\", \"c\", \"d\"]", "    [\"2ms\", \"10ms\", \"20ms\", \"7ms\"],"]),
    ] {
        let desk = Desk::with(toml);
        std::fs::create_dir(desk.path("deep")).unwrap();
        desk.write("deep/rtt.csv", table);
        for (from, to) in [("e.toml", "first"), ("first/config.toml", "again")] {
            let finished = desk.byzlab(&format!("run {from} --out {to} --set output.events=messages"));
            assert_eq!(finished.code, Some(0), "{finished:?}");
            let _ = std::fs::remove_file(desk.path("deep/rtt.csv"));
        }
        for file in ["config.toml", "runs.csv", "events.csv"] {
            assert!(desk.read(&format!("first/{file}")) == desk.read(&format!("again/{file}")), "{file} differs");
        }
        let config = desk.read("first/config.toml");
        for line in lines {
            assert!(config.lines().any(|found| found == *line), "no line `{line}` in\n{config}");
        }
    }
}

#[test]
fn the_ready_experiment_orders_its_clients_by_their_way() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/geo.toml");
    let experiment = Experiment::load(&file, &[]).unwrap();
    let latency = |cell| {
        let run = record(&experiment, cell, 0);
        run.of(EventKind::Reply).map(|row| row.time_ns).max().unwrap()
    };
    let latencies: Vec<u64> = (0..4).map(latency).collect();
    assert!(latencies.is_sorted(), "Oregon, Dublin, Sao Paulo, Sydney: {latencies:?}");
}
