//! `byzlab analyze --within-run`: each run as one long measurement.

mod program;

use byzlab_analysis::statistics::within_run;
use byzlab_analysis::{EventReader, Metric, RunLatency};
use program::{Desk, Finished, refused};
use serde_json::Value;

/// Two long runs of one client, whose requests come one after the other.
const EXPERIMENT: &str = r#"
    experiment = { runs = 2, time_limit = "60s" }
    workload = { requests = 400 }
    network = { latency = { distribution = "exponential", mean = "10ms", offset = "1ms" } }
"#;

fn results(toml: &str) -> Desk {
    let desk = Desk::with(toml);
    let Finished { code, stderr, .. } = desk.byzlab("run e.toml --out r");
    assert_eq!(code, Some(0), "{stderr}");
    desk
}

#[test]
fn runs_are_what_the_samples_of_their_logs_say() {
    let desk = results(EXPERIMENT);
    let Finished { code, stdout, stderr } = desk.byzlab("analyze r --within-run --metric client --format json");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let found: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found.len(), 2);

    let mut latencies = [RunLatency::new(4, 1), RunLatency::new(4, 1)];
    let mut reader = EventReader::open(&desk.path("r/events.csv")).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        latencies[event.run as usize].record(&event).unwrap();
    }
    for (index, (run, latency)) in found.iter().zip(&latencies).enumerate() {
        let samples = latency.samples(Metric::Client).nanoseconds;
        let expected = within_run(&samples.iter().map(|&ns| ns as f64 / 1e6).collect::<Vec<_>>(), 0.95);
        assert_eq!(run["group"], serde_json::json!({ "run": index }));
        assert_eq!((&run["column"], &run["unit"]), (&"client".into(), &"ms".into()));
        assert_eq!((run["values"].as_u64(), run["deleted"].as_u64()), (Some(400), Some(expected.deleted as u64)));
        let interval = expected.batch_means.unwrap().means.interval;
        assert_eq!(run["batch_means"]["estimate"].as_f64(), Some(interval.mean));
        assert_eq!(run["batch_means"]["upper"].as_f64(), Some(interval.upper));
        let size = expected.effective_size.unwrap().initial_monotone.unwrap().effective_size;
        assert_eq!(run["effective_size"].as_f64(), Some(size));
    }
    for other in ["--jobs 1", "--jobs 3"] {
        let again = desk.byzlab(&format!("analyze r --within-run --metric client --format json {other}"));
        assert_eq!(again.stdout, stdout, "{other}");
    }
    let table = desk.byzlab("analyze r --within-run --metric client").stdout;
    assert!(table.contains("client latency, in ms") && table.contains("mean by batches ms"), "{table}");
}

#[test]
fn short_runs_and_runs_that_end_early_say_so() {
    let desk = results("experiment = { runs = 1, time_limit = \"120ms\" }\nworkload = { requests = 10 }");
    let Finished { code, stdout, .. } = desk.byzlab("analyze r --within-run --metric client");
    assert_eq!(code, Some(0));
    for part in ["the run ended as `timeout`", "a warm-up is not looked for in fewer than 25", "batch means need 10"] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
}

#[test]
fn what_has_no_samples_is_refused() {
    let desk = results(EXPERIMENT);
    for (arguments, part) in
        [("--metric throughput", "no samples within a run; choose"), ("--parts", "cannot be used with")]
    {
        let Finished { code, stderr, .. } = desk.byzlab(&format!("analyze r --within-run {arguments}"));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(part), "{stderr}");
    }
    std::fs::remove_file(desk.path("r/events.csv")).unwrap();
    refused(&desk.byzlab("analyze r --within-run"), "r", &["no events.csv", "output"]);
}
