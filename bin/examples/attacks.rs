//! What each attack does to latency and success: writes `docs/attacks.md`.
//!
//! ```text
//! cargo run --release --example attacks > docs/attacks.md         all of it, about a minute
//! cargo run --release --example attacks -- silent starve          these alone, to look at
//! ```
//!
//! Each attack has its experiment in `configs/attacks/`. It is run as it stands, and once more without an adversary.

use byzlab::config::{PRESETS, ParameterText, parameters};
use byzlab::{Experiment, RunOptions, run_experiment};
use byzlab_adversary::{About, ActsOn, AttackKind};
use byzlab_analysis::statistics::Moments;
use byzlab_analysis::{
    AnalysisOptions, Estimate, EventReader, GroupSummary, Metric, Outcome, RunMeasures, RunRow, RunTable, RunValue,
    summarize,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    print!("{}", include_str!("attacks/opening.md"));
    let mut family = None;
    for kind in AttackKind::all() {
        let about = kind.about();
        if !wanted.is_empty() && !wanted.iter().any(|name| name == about.name) {
            continue;
        }
        if family.replace(about.family) != Some(about.family) {
            println!("\n## {}{}", about.family.name()[..1].to_uppercase(), &about.family.name()[1..]);
        }
        describe(&kind, about);
        measure(about)?;
    }
    if wanted.is_empty() {
        println!("\n## Presets\n");
        println!(
            "`[adversary] preset = \"…\"` stands for a whole section; keys beside it go before its own, attacks come after.\n"
        );
        println!("| preset | what to expect, and why |\n|---|---|");
        for preset in PRESETS {
            println!("| `{}` | {} |", preset.name, preset.expects);
        }
    }
    Ok(())
}

fn describe(kind: &AttackKind, about: About) {
    println!("\n### {}\n\n{}", about.name, about.summary);
    if let Some(why) = about.unbounded {
        println!("No bound on latency is promised under it: {why}.");
    }
    let parameters = parameters(kind);
    if !parameters.is_empty() {
        println!("\n| parameter | meaning | default |\n|---|---|---|");
    }
    for ParameterText { parameter, value } in parameters {
        let default = value.map_or_else(|| parameter.otherwise.to_owned(), |value| format!("`{value}`"));
        println!("| `{}` | {} | {default} |", parameter.name, parameter.about);
    }
    let needs: Vec<String> = about.needs.iter().map(|need| format!("`{}`", need.setting())).collect();
    if !needs.is_empty() {
        println!("\nTakes {}.", needs.join(" and "));
    }
    if about.acts_on == ActsOn::Hearing && !about.unprompted {
        println!("\nIt acts on what corrupted replicas receive.");
    }
    if !about.limits().contains(&"to") {
        let limits: Vec<String> = about.limits().iter().map(|key| format!("`{key}`")).collect();
        println!("\nLimited by {}.", limits.join(", "));
    }
}

/// The example experiment: what it says, and what comes of it.
fn measure(about: About) -> Result<(), Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/attacks").join(about.name).with_extension("toml");
    let text = std::fs::read_to_string(&file)?;
    let comment: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
    let comment: Vec<&str> = comment.iter().map(|line| line.trim_start_matches(['#', ' '])).collect();
    println!("\n[configs/attacks/{0}.toml](../configs/attacks/{0}.toml): {1}\n", about.name, comment.join("\n"));
    println!("```toml\n{}\n```\n", adversary_of(&text));
    let (attacked, honest) = (run(&file, &[])?, run(&file, &["adversary={}".to_owned()])?);
    println!("{} runs a row:\n", attacked.runs);
    println!(
        "| n | runs completed, % | requests, % | client latency, ms | without adversary, ms | times | added, ms | view changes a run |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (attacked, honest) in attacked.cells.iter().zip(&honest.cells) {
        let (group, without, views) = (&attacked.group, &honest.group, attacked.views);
        let (times, added) = (ratio(&group.mean, &without.mean), added(&attacked.values, &honest.values));
        let requests = group.requests_share.map_or("–".to_owned(), |share| format!("{:.1}", share * 100.0));
        let success = &group.success;
        let percent = |end: Option<f64>| end.map_or("–".to_owned(), |end| format!("{:.1}", end * 100.0));
        println!(
            "| {} | {} [{}–{}] | {requests} | {} | {} | {times} | {added} | {views:.2} |",
            group.group[0].1,
            percent(success.estimate),
            percent(success.lower),
            percent(success.upper),
            interval(&group.mean),
            interval(&without.mean),
        );
        assert_eq!(
            group.agreement.estimate,
            Some(1.0),
            "{}: up to f corrupted replicas never break agreement",
            about.name
        );
    }
    Ok(())
}

/// The lines of an experiment that concern the attack.
fn adversary_of(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut is_in = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_in = line.starts_with("[adversary") || line.starts_with("[[adversary");
        }
        if is_in {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

fn ratio(attacked: &Estimate, honest: &Estimate) -> String {
    let times = attacked.estimate.zip(honest.estimate).map(|(attacked, honest)| attacked / honest);
    times.map_or("–".to_owned(), |times| format!("{times:.2}"))
}

/// `238.2 ± 0.3`; a dash where no run completed.
fn interval(mean: &Estimate) -> String {
    match (mean.estimate, mean.lower, mean.upper) {
        (Some(mean), Some(lower), Some(upper)) => format!("{mean:.1} ± {:.1}", (upper - lower) / 2.0),
        (Some(mean), _, _) => format!("{mean:.1}"),
        _ => "–".to_owned(),
    }
}

/// The mean difference between runs with the same random numbers that completed both ways, as `238.2 ± 0.3`.
fn added(attacked: &[Option<f64>], honest: &[Option<f64>]) -> String {
    let mut differences = Moments::default();
    for (attacked, honest) in attacked.iter().zip(honest) {
        if let (Some(attacked), Some(honest)) = (attacked, honest) {
            differences.push(attacked - honest);
        }
    }
    match (differences.interval(0.95), differences.mean()) {
        // Without the sign of a zero.
        (Some(interval), _) => format!("{:.1} ± {:.1}", interval.mean, interval.half_width).replace("-0.0", "0.0"),
        (None, Some(mean)) => format!("{mean:.1}"),
        _ => "–".to_owned(),
    }
}

/// What came of an experiment.
struct Measured {
    runs: u32,
    cells: Vec<MeasuredCell>,
}

struct MeasuredCell {
    group: GroupSummary,
    /// The mean client latency of each run, in ms; none if it did not complete.
    values: Vec<Option<f64>>,
    /// The mean number of view changes.
    views: f64,
}

/// Runs an experiment, and measures it.
fn run(file: &Path, overrides: &[String]) -> Result<Measured, Box<dyn Error>> {
    let experiment = Experiment::load(file, overrides)?;
    let folder = Scratch(std::env::temp_dir().join(format!("byzlab-attacks-{}", std::process::id())));
    let campaign =
        run_experiment(&experiment, &folder.0, RunOptions { replace: true, ..RunOptions::default() }, |_| {})?;
    assert!(campaign.is_clean(), "{}: {:?}", file.display(), campaign.violations);
    let table = RunTable::read(&folder.0.join("runs.csv"))?;
    let mut measures: BTreeMap<(u32, u32), RunMeasures> = BTreeMap::new();
    for row in table.rows.iter().filter(|row| row.outcome == Outcome::Completed) {
        measures.insert((row.cell, row.run), RunMeasures::new(&[Metric::Client], row.replicas, row.faults, 0));
    }
    let mut events = EventReader::open(&folder.0.join("events.csv"))?;
    while let Some(event) = events.next_event()? {
        if let Some(run) = measures.get_mut(&(event.cell, event.run)) {
            run.record(&event)?;
        }
    }
    let value = |row: &RunRow| measures.get(&(row.cell, row.run)).map(|run| run.value(Metric::Client));
    let values: Vec<RunValue> = table.rows.iter().map(|row| value(row).unwrap_or_default()).collect();
    let options = AnalysisOptions { metric: Metric::Client, ..AnalysisOptions::default() };
    let of_cell = |(cell, group): (u32, GroupSummary)| {
        let rows: Vec<(&RunRow, &RunValue)> =
            table.rows.iter().zip(&values).filter(|(row, _)| row.cell == cell).collect();
        let views = rows.iter().map(|(row, _)| f64::from(row.view_changes as u32)).sum::<f64>() / rows.len() as f64;
        MeasuredCell { group, values: rows.iter().map(|(_, value)| value.value).collect(), views }
    };
    let groups = summarize(&table, Some(&values), &options)?;
    Ok(Measured { runs: experiment.runs, cells: (0..).zip(groups).map(of_cell).collect() })
}

/// A folder that goes when its results have been read.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
