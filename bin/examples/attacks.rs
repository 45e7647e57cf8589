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
use byzlab_adversary::{About, ActsOn, AttackKind, Need};
use byzlab_analysis::{AnalysisOptions, Estimate, GroupSummary, Metric, RunTable, analyze_metrics};
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
        let default = value.map_or_else(|| parameter.otherwise.to_owned(), |value| format!("`{}`", plain(&value)));
        println!("| `{}` | {} | {default} |", parameter.name, parameter.about);
    }
    let needs: Vec<&str> = about.needs.iter().map(|need| name_of(*need)).collect();
    if !needs.is_empty() {
        println!("\nTakes {}.", needs.join(" and "));
    }
    if about.acts_on == ActsOn::Hearing {
        println!("\nIt acts on what corrupted replicas receive.");
    }
}

/// Without the parts of a distribution that are zero.
fn plain(value: &str) -> String {
    value.replace(", offset = \"0ms\"", "").replace(", min = \"0ms\" }", " }")
}

fn name_of(need: Need) -> &'static str {
    match need {
        Need::Network => "`[adversary.network]`",
        Need::Clients => "`adversary.clients`",
        Need::Budget => "`adversary.budget`",
        Need::ViewChanges => "`protocol.view_change = true`",
        Need::Macs => "`protocol.authentication = \"mac\"`",
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
    println!(
        "| n | runs completed, % | requests, % | client latency, ms | without adversary, ms | times | view changes a run |"
    );
    println!("|---|---|---|---|---|---|---|");
    for ((group, views), (without, _)) in attacked.iter().zip(&honest) {
        let times = ratio(&group.mean, &without.mean);
        let requests = group.requests_share.map_or("–".to_owned(), |share| format!("{:.1}", share * 100.0));
        let success = &group.success;
        let percent = |end: Option<f64>| end.map_or("–".to_owned(), |end| format!("{:.1}", end * 100.0));
        println!(
            "| {} | {} [{}–{}] | {requests} | {} | {} | {times} | {views:.2} |",
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

/// Runs an experiment, and summarises it with the mean number of view changes.
fn run(file: &Path, overrides: &[String]) -> Result<Vec<(GroupSummary, f64)>, Box<dyn Error>> {
    let experiment = Experiment::load(file, overrides)?;
    let folder = Scratch(std::env::temp_dir().join(format!("byzlab-attacks-{}", std::process::id())));
    let campaign =
        run_experiment(&experiment, &folder.0, RunOptions { replace: true, ..RunOptions::default() }, |_| {})?;
    assert!(campaign.is_clean(), "{}: {:?}", file.display(), campaign.violations);
    let rows = RunTable::read(&folder.0.join("runs.csv"))?.rows;
    let mut metrics = analyze_metrics(&folder.0, &[Metric::Client], &AnalysisOptions::default())?;
    let groups = metrics.pop().ok_or("one metric")?;
    let with_views = |(cell, group): (u32, GroupSummary)| {
        let views: Vec<f64> =
            rows.iter().filter(|row| row.cell == cell).map(|row| f64::from(row.view_changes as u32)).collect();
        (group, views.iter().sum::<f64>() / views.len() as f64)
    };
    Ok((0..).zip(groups).map(with_views).collect())
}

/// A folder that goes when its results have been read.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
